/*
 * What the lints of a set share. Internal to policy/: lint.c looks at
 * selection and matchers, lint_match.c at what can match at all,
 * lint_coverage.c at the tests; lint_warn.c tells.
 */
#ifndef CS_POLICY_LINT_H
#define CS_POLICY_LINT_H

#include "policy/load.h"

/* A warning at the place of a rule, which may be of an extended policy. */
void cs_lint_warn(struct cs_policy_report *report, const struct cs_rule *rule,
		  const char *fmt, ...) CS_PRINTF(3, 4);

/* May a request of Kubernetes be governed by it? */
bool cs_lint_may_be_kubernetes(const struct cs_match_rules *match);

/* Is every value that `a` takes also taken by `b`? False when not known. */
bool cs_lint_is_inside(const struct cs_matcher *a, const struct cs_matcher *b);

/* Matchers of one policy that match nothing that ever comes. */
void cs_lint_match(const struct cs_policy *policy,
		   struct cs_policy_report *report);

/* Rules that decide in no test of their document. */
void cs_lint_coverage(const struct cs_policy *document,
		      struct cs_policy_report *report);

#endif
