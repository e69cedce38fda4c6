#include <tests/lib/test.h>

#include <string.h>

#include "policy/testing.h"

#define SPEC                                                                   \
	"  subject: {organization: {set: Acme}, commonName: {allow: [any]}}\n" \
	"  san: {min_total: 1, dns: {allow: [{dns: .corp.example}], deny: "    \
	"[{exact: secret.corp.example}]}, ip: {allow: [any]}}\n"               \
	"  validity: {max: 24h}\n"

/* A request that is issued, and what phase D reads back. */
static struct cs_cert_facts start(struct cs_testing *t)
{
	cs_testing_init(t);
	cs_testing_load(t, CS_TESTING_POLICY("web", SPEC));
	assert_non_null(t->set);
	cs_testing_request(t);
	cs_testing_dns(t, "WWW.corp.example");
	cs_testing_ip(t, "10.0.0.1");
	cs_testing_attr(t, 3, "www.corp.example");
	assert_true(cs_testing_judge(t));
	return cs_testing_built(t);
}

/* Phase D over these facts: how many findings, and this code among them. */
static void expect(struct cs_testing *t, const struct cs_cert_facts *built,
		   int64_t longer, size_t n, const char *code)
{
	const struct cs_plan *p = &t->verdict.plan;

	t->verdict.findings.n = 0;
	assert_true(cs_policy_judge_built(
		t->set, &t->facts, built, p->not_before_s,
		p->not_after_s + longer, &t->arena, &t->verdict, NULL));
	assert_int_equal(t->verdict.reached, CS_PHASE_BUILD);
	if (t->verdict.findings.n == n &&
	    (code == NULL || cs_testing_found(t, code, NULL)))
		return;
	for (size_t i = 0; i < t->verdict.findings.n; i++)
		print_error("%s: %.*s\n", t->verdict.findings.items[i].code,
			    CS_SPAN_FMT(t->verdict.findings.items[i].message));
	fail_msg("wanted %zu findings", n);
}

static void what_the_plan_says_passes(void **state)
{
	struct cs_fact_ext added[2] = {{.oid = CS_SPAN_LIT("\x55\x1d\x0e")},
				       {.oid = CS_SPAN_LIT("\x55\x1d\x23")}};
	struct cs_testing t;
	struct cs_cert_facts built = start(&t);

	(void)state;
	expect(&t, &built, 0, 0, NULL);
	built.extensions = added;
	built.extensions_n = 2;
	expect(&t, &built, 0, 0, NULL);
	cs_testing_done(&t);
}

static void anything_else_is_a_conflict(void **state)
{
	struct cs_fact_ext odd[1] = {{.oid = CS_SPAN_LIT("\x2a\x03")}};
	struct cs_testing t;
	struct cs_cert_facts good = start(&t), built;

	(void)state;
	built = good;
	built.key.spki = CS_SPAN_LIT("other");
	expect(&t, &built, 0, 1, "BUILD_CONFLICT");
	built = good;
	built.key_usage_critical = false;
	expect(&t, &built, 0, 1, "BUILD_CONFLICT");
	built = good;
	built.extensions = odd;
	built.extensions_n = 1;
	expect(&t, &built, 0, 1, "BUILD_CONFLICT");
	built = good;
	built.subject_n--;
	expect(&t, &built, 0, 1, "BUILD_CONFLICT");
	built = good;
	built.has_path_len = true;
	expect(&t, &built, 0, 1, "BUILD_CONFLICT");
	/* These also break a rule of the policy. */
	built = good;
	built.ca = true;
	expect(&t, &built, 0, 2, "BASIC_CONSTRAINTS_NOT_ALLOWED");
	built = good;
	expect(&t, &built, 1, 2, "VALIDITY_TOO_LONG");
	built = good;
	built.key_usage |= CS_KU_CERT_SIGN;
	expect(&t, &built, 0, 2, "KEY_USAGE_NOT_ALLOWED");
	built = good;
	built.names_n = 0;
	expect(&t, &built, 0, 2, "BUILD_CONFLICT");
	built = good;
	built.key.bits = 224;
	expect(&t, &built, 0, 1, "KEY_NOT_ALLOWED");
	cs_testing_done(&t);
}

static void rules_hold_for_names_that_the_plan_never_had(void **state)
{
	struct cs_testing t;
	struct cs_cert_facts built = start(&t);

	(void)state;
	built.names[0].asked = built.names[0].canonical =
		CS_SPAN_LIT("secret.corp.example");
	expect(&t, &built, 0, 2, "SAN_DNS_DENIED");
	built.names[0].canonical = CS_SPAN_LIT("*.corp.example");
	expect(&t, &built, 0, 2, "SAN_DNS_DENIED");
	built.names[0].canonical = CS_SPAN_LIT("evil.example");
	expect(&t, &built, 0, 2, "SAN_DNS_NOT_ALLOWED");
	built.names[0].kind = CS_NAME_OTHER;
	expect(&t, &built, 0, 2, "SAN_OTHER_UNLISTED");
	cs_testing_done(&t);
	built = start(&t);
	built.subject[1].value = CS_SPAN_LIT("Evil");
	expect(&t, &built, 0, 2, "SUBJECT_NOT_ALLOWED");
	built.subject[1].oid = CS_SPAN_LIT("\x55\x04\x0b");
	expect(&t, &built, 0, 2, "SUBJECT_UNLISTED");
	cs_testing_done(&t);
}

static void another_set_cannot_judge_it(void **state)
{
	struct cs_testing t, other;
	struct cs_cert_facts built = start(&t);
	struct cs_error err = {0};

	(void)state;
	cs_testing_init(&other);
	cs_testing_load(&other, CS_TESTING_POLICY("web", SPEC));
	assert_false(cs_policy_judge_built(other.set, &t.facts, &built, 0, 0,
					   &t.arena, &t.verdict, &err));
	assert_int_equal(err.code, CS_E_INTERNAL);
	cs_testing_done(&other);
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_plan_says_passes),
		cmocka_unit_test(anything_else_is_a_conflict),
		cmocka_unit_test(rules_hold_for_names_that_the_plan_never_had),
		cmocka_unit_test(another_set_cannot_judge_it),
	};

	return cs_test_run("policy/built", tests);
}
