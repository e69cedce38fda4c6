/*
 * Selection: exactly one policy governs a request, the one of highest
 * priority among those that match; those in shadow take no part. Internal to
 * policy/.
 *
 * That it is one is proved when the set is loaded: two policies of equal
 * priority are an error unless their globs on issuer, source, realm or
 * namespace cannot have a text in common. Labels, users, groups and dates
 * prove nothing.
 */
#ifndef CS_POLICY_SELECT_H
#define CS_POLICY_SELECT_H

#include "policy/rules.h"

/* The policy that governs; NULL: none matches. */
const struct cs_policy *cs_select(const struct cs_policy_set *set,
				  const struct cs_request_facts *request);

/* Does this policy match, whether it may govern or not? */
bool cs_select_matches(const struct cs_policy *policy,
		       const struct cs_request_facts *request);

/* Are these guards for the request's issuer? */
bool cs_select_guards(const struct cs_policy *document,
		      const struct cs_request_facts *request);

/*
 * Why no policy matched, policy by policy, in order of priority: the first
 * CS_MAX_POLICY_OTHERS of them, in the arena. False: no memory.
 */
bool cs_select_others(const struct cs_policy_set *set,
		      const struct cs_request_facts *request,
		      struct cs_arena *arena, struct cs_verdict *verdict);

/* Ties of a sorted set, as errors; and what deserves a warning. */
void cs_select_check_ties(const struct cs_policy_set *set,
			  struct cs_policy_report *report);
/* No more in shadow than CS_MAX_POLICY_SHADOWS. */
void cs_select_check_shadows(const struct cs_policy_set *set,
			     struct cs_policy_report *report);
void cs_select_warn(const struct cs_policy_set *set,
		    struct cs_policy_report *report);

#endif
