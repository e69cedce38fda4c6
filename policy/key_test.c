#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "policy/testing.h"

#define KEY(text)                                                              \
	CS_TESTING_POLICY("web", "  san: {dns: {allow: [any]}}\n"              \
				 "  key: " text "\n")
#define ALL                                                                    \
	"{allow: [{alg: RSA}, {alg: EC}], reject: [roca, fermat, "             \
	"small-factors, blocklist]}"

/* Load these sources, and start a request with an RSA key. */
static void start(struct cs_testing *t, const char *policy, const char *list)
{
	const struct cs_source items[] = {
		{CS_SPAN_LIT("web.yaml"), cs_span_str(policy)},
		{CS_SPAN_LIT("debian.blocklist"), cs_span_str(list)},
	};

	cs_testing_init(t);
	cs_testing_load_sources(t, items, list[0] == '\0' ? 1 : 2);
	for (size_t i = 0; t->set == NULL && i < t->report.n; i++)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[i].text));
	assert_non_null(t->set);
	cs_testing_request(t);
	cs_testing_dns(t, "www.corp.example");
	t->facts.csr.key.alg = CS_KEY_RSA;
	t->facts.csr.key.bits = 2048;
	memset(t->facts.csr.key.spki_sha256, 0xab, 32);
}

static void each_weakness_is_a_violation_of_its_own(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, KEY(ALL), "");
	assert_true(cs_testing_reports(&t, "no file NAME.blocklist"));
	assert_true(cs_testing_judge(&t));
	t.facts.csr.key.weak =
		CS_WEAK_ROCA | CS_WEAK_FERMAT | CS_WEAK_SMALL_FACTORS;
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.findings.n, 3);
	assert_true(cs_testing_found(&t, "KEY_WEAK", "key"));
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].rule,
				      "web/key.reject"));
	cs_testing_done(&t);
}

static void only_what_is_named_is_rejected(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, KEY("{allow: [{alg: RSA}], reject: fermat}"), "");
	t.facts.csr.key.weak = CS_WEAK_ROCA | CS_WEAK_SMALL_FACTORS;
	assert_true(cs_testing_judge(&t));
	t.facts.csr.key.weak = CS_WEAK_FERMAT;
	assert_false(cs_testing_judge(&t));
	cs_testing_done(&t);
	start(&t, KEY("{allow: [{alg: RSA}]}"), "");
	t.facts.csr.key.weak = CS_WEAK_FERMAT;
	assert_true(cs_testing_judge(&t));
	cs_testing_done(&t);
}

#define AB8  "abababababababab"
#define AB32 AB8 AB8 AB8 AB8
#define CD32 "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
#define EF32 "EFEFEFEFEFEFEFEFefefefefefefefefefefefefefefefefefefefefefefefef"

static void keys_of_the_blocklist_are_rejected(void **state)
{
	static const uint8_t others[] = {0x00, 0xac, 0xff};
	struct cs_testing t;

	(void)state;
	start(&t, KEY(ALL),
	      "# weak keys\n\n" EF32 "\n  " AB32 " # the one\r\n" CD32
	      "\n" CD32);
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.findings.n, 1);
	assert_true(cs_testing_found(&t, "KEY_WEAK", "key"));
	for (size_t i = 0; i < 3; i++) {
		memset(t.facts.csr.key.spki_sha256, others[i], 32);
		assert_true(cs_testing_judge(&t));
	}
	memset(t.facts.csr.key.spki_sha256, 0xef, 32);
	assert_false(cs_testing_judge(&t));
	cs_testing_done(&t);
	/* A policy that does not name the list does not look into it. */
	start(&t, KEY("{allow: [{alg: RSA}], reject: roca}"), AB32);
	assert_true(cs_testing_judge(&t));
	cs_testing_done(&t);
}

static void the_blocklist_is_part_of_what_the_hash_is_of(void **state)
{
	struct cs_testing a, b;

	(void)state;
	start(&a, KEY(ALL), "");
	start(&b, KEY(ALL), AB32);
	assert_memory_not_equal(cs_policy_set_sha256(a.set),
				cs_policy_set_sha256(b.set), 32);
	cs_testing_done(&a);
	start(&a, KEY(ALL), AB32 "\n\n# the same\n" AB32 "\n");
	assert_memory_equal(cs_policy_set_sha256(a.set),
			    cs_policy_set_sha256(b.set), 32);
	cs_testing_done(&a);
	cs_testing_done(&b);
}

static void a_line_that_is_no_hash_does_not_load(void **state)
{
	const struct cs_source bad = {CS_SPAN_LIT("bad.blocklist"),
				      CS_SPAN_LIT(AB32 "\nabcd\n")};
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load_sources(&t, &bad, 1);
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "bad.blocklist:2:1: a line is"));
	cs_testing_load(&t, KEY("{allow: [{alg: RSA}], reject: [rocca]}"));
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "`rocca` is not roca or fermat"));
	cs_testing_load(&t, KEY("{allow: [{alg: RSA}], reject: []}"));
	assert_true(cs_testing_reports(&t, "the list is empty"));
	cs_testing_done(&t);
}

static void every_accepted_curve_is_meant_where_none_is_named(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, KEY("{allow: [{alg: EC}]}"), "");
	t.facts.csr.key.alg = CS_KEY_EC;
	t.facts.csr.key.bits = 521;
	assert_true(cs_testing_judge(&t));
	cs_testing_done(&t);
	start(&t, KEY("{allow: [{alg: EC, curves: [P-256]}]}"), "");
	t.facts.csr.key.alg = CS_KEY_EC;
	t.facts.csr.key.bits = 521;
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "KEY_NOT_ALLOWED", "key"));
	cs_testing_done(&t);
}

static void a_test_may_say_that_its_key_is_weak(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t,
	      KEY(ALL "\n"
		      "  tests:\n"
		      "    - name: refuses each\n"
		      "      request: {dns: [a.example], key: RSA 2048, weak: "
		      "[roca, fermat, small-factors]}\n"
		      "      expect: {codes: [KEY_WEAK], rules: [key.reject]}\n"
		      "    - name: refuses what is on the list\n"
		      "      request: {dns: [a.example], weak: blocklist}\n"
		      "      expect: {codes: [KEY_WEAK]}\n"),
	      "");
	cs_testing_load(&t,
			KEY("{allow: [{alg: EC}]}\n"
			    "  tests:\n    - {name: t, request: {weak: [roca]},"
			    " expect: {verdict: issued}}\n"));
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "only RSA keys have factors"));
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_weakness_is_a_violation_of_its_own),
		cmocka_unit_test(only_what_is_named_is_rejected),
		cmocka_unit_test(keys_of_the_blocklist_are_rejected),
		cmocka_unit_test(the_blocklist_is_part_of_what_the_hash_is_of),
		cmocka_unit_test(a_line_that_is_no_hash_does_not_load),
		cmocka_unit_test(
			every_accepted_curve_is_meant_where_none_is_named),
		cmocka_unit_test(a_test_may_say_that_its_key_is_weak),
	};

	return cs_test_run("policy/key", tests);
}
