/*
 * Literals with {{path}} in them, once a request is known. Internal to
 * policy/.
 *
 * A path names facts of the request and of its CSR, vars and tables. A list
 * means any of its members, so that one template may stand for several texts.
 * What comes out says of each byte whether the policy's author wrote it: a
 * value that is interpolated is a literal and never a pattern, wherever it
 * goes.
 *
 * A path without a value, or with an empty one, is an error: CS_E_POLICY with
 * a sentence, which becomes the refusal POLICY_ERROR.
 */
#ifndef CS_POLICY_TEMPLATE_H
#define CS_POLICY_TEMPLATE_H

#include "policy/rules.h"

/* What paths may name. */
struct cs_template_env {
	const struct cs_request_facts *request;
	const struct cs_cert_facts *csr;
	const struct cs_policy *policy; /* its tables */
	const struct cs_policy_value *vars;
	size_t vars_n; /* how many are known already */
};

struct cs_resolved {
	struct cs_span text;
	const uint8_t *foreign; /* per byte: interpolated; NULL: none is */
};

/* Is the byte at `at` interpolated? */
bool cs_resolved_is_foreign(const struct cs_resolved *r, size_t at);

/*
 * All texts that the template stands for, at least one and at most
 * CS_MAX_POLICY_EXPANSION. CS_E_POLICY, CS_E_NO_MEMORY.
 */
bool cs_template_resolve(const struct cs_template *t,
			 const struct cs_template_env *env,
			 struct cs_arena *arena, struct cs_resolved **ret_items,
			 size_t *ret_n, struct cs_error *err) CS_MUST_USE;

/*
 * A matcher of one text (and, for URI, one path). The sentence of an error
 * says what is wrong with the text: CS_E_FORMAT, CS_E_NO_MEMORY.
 */
bool cs_matcher_make(const struct cs_matcher_source *source,
		     const struct cs_resolved *value,
		     const struct cs_resolved *path, struct cs_arena *arena,
		     struct cs_matcher *ret_matcher,
		     struct cs_error *err) CS_MUST_USE;

/* How a matcher looks behind "is not ": "below .corp.example". */
bool cs_matcher_phrase(const struct cs_matcher *m, struct cs_arena *arena,
		       struct cs_span *ret_phrase) CS_MUST_USE;

/*
 * Texts joined by " or ", in the arena: what a list would accept. A long
 * list ends in "or N more". False: no memory.
 */
bool cs_template_join(const struct cs_span *items, size_t n,
		      struct cs_arena *arena,
		      struct cs_span *ret_joined) CS_MUST_USE;

#endif
