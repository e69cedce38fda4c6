#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "policy/codes.h"
#include "policy/detail.h"
#include "policy/testing.h"
#include "policy/verdict_json.h"

#define SPEC                                                                   \
	"  subject: {organization: {set: Example Corp}}\n"                     \
	"  san: {dns: {allow: [{dns: .corp.example}]}}\n"

static void start(struct cs_testing *t)
{
	cs_testing_init(t);
	cs_testing_load(t, CS_TESTING_POLICY("web", SPEC));
	assert_non_null(t->set);
	cs_testing_request(t);
}

/*
 * The verdict's JSON must be canonical, and BEFORE, the policy that governs
 * and the set, AFTER.
 */
static void expect(const struct cs_testing *t, const char *before,
		   const char *after)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf got, again;
	struct cs_error err = {0};
	char want[4096], set[65] = "";
	json_t *json;

	for (size_t i = 0; i < 32; i++)
		(void)snprintf(set + 2 * i, 3, "%02x",
			       cs_policy_set_sha256(t->set)[i]);
	(void)snprintf(want, sizeof(want),
		       "%s\"policy\":{\"name\":\"web\",\"sha256\":\"%.*s\","
		       "\"source\":\"web.yaml\"},"
		       "\"set_sha256\":\"%s\",%s",
		       before,
		       CS_SPAN_FMT(cs_policy_set_at(t->set, 0)->sha256_text),
		       set, after);
	cs_buf_init(&got, 65536);
	cs_buf_init(&again, 65536);
	assert_true(cs_verdict_json(&t->verdict, &got, &err));
	assert_string_equal(cs_buf_str(&got), want);
	json = cs_json_parse(cs_buf_span(&got), "verdict", &err);
	assert_non_null(json);
	assert_true(cs_json_canonical(json, &again, &err));
	assert_string_equal(cs_buf_str(&again), want);
	json_decref(json);
}

static void an_issued_verdict_tells_what_changed(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t);
	cs_testing_dns(&t, "a.corp.example");
	cs_testing_usage(&t, "digital signature");
	cs_testing_usage(&t, "server auth");
	t.facts.request.has_duration = true;
	t.facts.request.duration_s = 86400;
	assert_true(cs_testing_judge(&t));
	expect(&t,
	       "{\"changed\":true,\"diff\":[{\"asked\":null,\"at\":\"we"
	       "b.yaml:5\",\"disposition\":\"overridden\",\"field\":\"s"
	       "ubject.organization[0]\",\"given\":\"Example Corp\",\"r"
	       "ule\":\"web/subject.organization.set\"}],\"kept\":[\"sa"
	       "n.dns[0]\",\"key\",\"validity\",\"extensions.ext_key_u"
	       "sage[0]\",\"extensions.key_usage\"],",
	       "\"verdict\":\"issued\"}");
	cs_testing_done(&t);
}

static void a_refused_verdict_tells_why(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t);
	cs_testing_dns(&t, "a.corp.example");
	cs_testing_dns(&t, "pay.other.example");
	assert_false(cs_testing_judge(&t));
	expect(&t,
	       "{\"changed\":false,\"code\":\"REFUSED\",\"detail\":\"1 "
	       "of 2 names: pay.other.example is not below .corp.exampl"
	       "e (web/san.dns.allow, web.yaml:6); not reached: build, "
	       "lint, limits. Fix the CSR, or ask the policy's owner; t"
	       "hen: submit it again\",\"diff\":[],\"final\":true,\"na"
	       "mes\":2,\"not_reached\":[\"build\",\"limits\"],",
	       "\"verdict\":\"refused\",\"violations\":[{\"at\":\"web.y"
	       "aml:6\",\"code\":\"SAN_DNS_NOT_ALLOWED\",\"expected\":"
	       "\".corp.example\",\"field\":\"san.dns[1]\",\"message\":"
	       "\"pay.other.example is not below .corp.example\",\"rule"
	       "\":\"web/san.dns.allow\",\"value\":\"pay.other.example"
	       "\"}]}");
	cs_testing_done(&t);
}

static void a_refusal_before_policy_has_none(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf got;
	struct cs_testing t;

	(void)state;
	start(&t);
	cs_verdict_init(&t.verdict, &t.arena);
	t.verdict.code = cs_code_name(CS_CODE_CSR_MALFORMED);
	assert_true(cs_findings_builtin(&t.verdict.findings, t.verdict.code,
					CS_SPAN_LIT(""),
					CS_SPAN_LIT("\xff\x01"), "X.690: bad"));
	cs_buf_init(&got, 65536);
	assert_true(cs_verdict_json(&t.verdict, &got, NULL));
	assert_string_equal(
		cs_buf_str(&got),
		"{\"changed\":false,\"code\":\"CSR_MALFORMED\",\"detail\":"
		"\"X.690: bad; not reached: select, fields, build, lint, "
		"limits. Fix the CSR; then: submit it "
		"again\",\"diff\":[],\"final\":true,\"not_reached\":["
		"\"select\",\"fields\",\"build\",\"limits\"],\"policy\":null,"
		"\"set_sha256\":null,\"verdict\":\"refused\",\"violations\":[{"
		"\"at\":\"\",\"code\":\"CSR_MALFORMED\",\"expected\":\"\","
		"\"field\":\"\",\"message\":\"X.690: bad\",\"rule\":"
		"\"built-in\",\"value\":\"\357\277\275\357\277\275\"}]}");
	cs_testing_done(&t);
}

static void a_detail_counts_and_is_short(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf got;
	struct cs_testing t;

	(void)state;
	start(&t);
	for (int i = 0; i < 7; i++)
		cs_testing_dns(&t, "x.example");
	cs_testing_attr(&t, 11, "Unit");
	t.facts.csr.key.bits = 521;
	assert_false(cs_testing_judge(&t));
	cs_buf_init(&got, 65536);
	cs_verdict_detail(&t.verdict, &got);
	assert_non_null(strstr(cs_buf_str(&got),
			       "7 of 7 names, 1 subject attribute, "
			       "and the key: "));
	assert_non_null(strstr(cs_buf_str(&got), "; and 4 more"));
	cs_testing_done(&t);
}

static void a_verdict_that_does_not_fit_is_an_error(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf got;
	struct cs_error err = {0};
	struct cs_testing t;

	(void)state;
	start(&t);
	cs_testing_dns(&t, "a.corp.example");
	assert_true(cs_testing_judge(&t));
	cs_buf_init(&got, 100);
	assert_false(cs_verdict_json(&t.verdict, &got, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	cs_testing_done(&t);
}

static void the_longest_refusal_fits_a_decision(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf got, text;
	struct cs_error err = {0};
	struct cs_testing t;
	json_t *json;
	size_t n;

	(void)state;
	cs_testing_init(&t);
	cs_buf_init(&text, 65536);
	cs_buf_add_str(&text,
		       CS_TESTING_POLICY("web", "  san: {dns: {allow: ["));
	for (int i = 0; i < 200; i++)
		cs_buf_addf(&text, "{dns: .zone-%d.corp.example}, ", i);
	cs_buf_add_str(&text, "{dns: x.example}]}}\n");
	cs_testing_load(&t, cs_buf_str(&text));
	assert_non_null(t.set);
	cs_testing_request(&t);
	for (int i = 0; i < CS_MAX_NAMES; i++)
		cs_testing_dns(&t, cs_arena_printf(&t.arena, "%0*d.%063d.other",
						   63, i, i));
	for (unsigned i = 0; i < CS_MAX_RDNS; i++)
		cs_testing_attr(&t, 11, "a unit of some length, as they are");
	assert_false(cs_testing_judge(&t));
	n = t.verdict.findings.n;
	assert_int_equal(n, CS_MAX_NAMES + CS_MAX_RDNS);
	cs_buf_init(&got, CS_MAX_DECISION);
	assert_true(cs_verdict_json(&t.verdict, &got, &err));
	json = cs_json_parse(cs_buf_span(&got), "verdict", &err);
	assert_non_null(json);
	assert_int_equal(json_array_size(json_object_get(json, "violations")),
			 n);
	json_decref(json);
	/* What could never fit is counted. */
	for (size_t i = 0; i < CS_MAX_FINDINGS; i++)
		assert_true(cs_findings_builtin(
			&t.verdict.findings, "GUARD", CS_SPAN_LIT("x"),
			cs_span_make(cs_buf_span(&text).p, 4000), "%0500d", 7));
	cs_buf_reset(&got);
	assert_true(cs_verdict_json(&t.verdict, &got, &err));
	json = cs_json_parse(cs_buf_span(&got), "verdict", &err);
	assert_non_null(json);
	assert_int_equal(json_array_size(json_object_get(json, "violations")) +
				 (size_t)json_integer_value(json_object_get(
					 json, "violations_more")),
			 n + CS_MAX_FINDINGS);
	json_decref(json);
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_issued_verdict_tells_what_changed),
		cmocka_unit_test(a_refused_verdict_tells_why),
		cmocka_unit_test(a_refusal_before_policy_has_none),
		cmocka_unit_test(a_detail_counts_and_is_short),
		cmocka_unit_test(a_verdict_that_does_not_fit_is_an_error),
		cmocka_unit_test(the_longest_refusal_fits_a_decision),
	};

	return cs_test_run("policy/verdict_json", tests);
}
