/*
 * The tests that a policy carries: a request in short form and what must
 * come of it, judged by that policy alone. Internal to policy/.
 *
 * A test is compiled when its document is loaded, and run when the whole
 * document compiled; one that fails is a load error at its place.
 */
#ifndef CS_POLICY_SELF_TEST_H
#define CS_POLICY_SELF_TEST_H

#include "policy/load.h"

/* What stands in the certificate: "subject.organization[0]": Example Corp. */
struct cs_test_given {
	struct cs_span field;
	struct cs_span value;
};

struct cs_policy_test {
	struct cs_span name;
	const struct cs_yaml *node;
	struct cs_facts facts;

	bool has_verdict, refused, held;
	bool has_changed, changed;
	bool has_codes, has_rules, has_warnings;
	struct cs_span *codes;
	size_t codes_n;
	struct cs_span *warnings; /* codes, too */
	size_t warnings_n;
	struct cs_span *rules; /* without the policy's name */
	size_t rules_n;
	struct cs_test_given *given;
	size_t given_n;
};

/* A test's `request` to facts. */
void cs_load_test_request(struct cs_load *l, const struct cs_yaml *node,
			  struct cs_facts *facts);

/* Run all tests of a policy; failures are reported. */
void cs_self_test_run(struct cs_load *l, const struct cs_policy *policy);

#endif
