/*
 * A lint of our own over a TBS as it was read back: what well-formed
 * certificates still get wrong. Each rule stands in one table (lint.c) with a
 * stable name, its clause and a function; a violation is a finding with the
 * code LINT and the rule "lint/NAME".
 *
 * A rule is an error, which refuses, or a warning, which is told with the
 * certificate; a policy may let warnings refuse too (`lint: {fail: [error,
 * warning]}`). Clauses with MUST are errors, except where a private CA may have
 * its reasons.
 */
#ifndef CS_ISSUER_LINT_H
#define CS_ISSUER_LINT_H

#include "issuer/cert_facts.h"

enum cs_lint_fail {
	CS_LINT_FAIL_ERRORS,
	CS_LINT_FAIL_WARNINGS /* and errors */
};

/*
 * An entry for every rule that is broken: in `findings` if it refuses, else
 * in `warnings`. False: no memory.
 */
bool cs_lint_check(const struct cs_tbs_facts *tbs, enum cs_lint_fail fail,
		   struct cs_findings *findings, struct cs_findings *warnings,
		   struct cs_error *err) CS_MUST_USE;

#endif
