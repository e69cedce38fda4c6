/*
 * A lint of our own over a TBS as it was read back: what well-formed
 * certificates still get wrong. Each rule stands in one table (lint.c) with a
 * stable name, its clause and a function; a violation is a finding with the
 * code LINT and the rule "lint/NAME".
 *
 * For end-entity certificates: issuer/ca.h and OpenSSL judge CAs.
 */
#ifndef CS_ISSUER_LINT_H
#define CS_ISSUER_LINT_H

#include "issuer/cert_facts.h"

/* Findings for every rule that is broken. False: no memory. */
bool cs_lint_check(const struct cs_tbs_facts *tbs, struct cs_findings *findings,
		   struct cs_error *err) CS_MUST_USE;

#endif
