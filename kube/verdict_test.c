#include <tests/lib/test.h>

#include <string.h>

#include "kube/verdict.h"

/* Read an answer; release it with cs_kube_verdict_done(). */
static struct cs_kube_verdict verdict(int status, const char *body)
{
	const struct cs_fetch_result r = {
		.status = status,
		.body = cs_span_str(body),
		.why = status == 0 ? "Couldn't connect to server" : "",
	};
	struct cs_kube_verdict v;

	cs_kube_verdict_read(&r, &v);
	return v;
}

static void only_a_verdict_about_the_request_is_final(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum cs_kube_outcome outcome;
	} cases[] = {
		{0, "", CS_KUBE_LATER},
		{202, "{\"state\":\"pending\"}", CS_KUBE_HELD},
		{400, "{\"code\":\"BAD_FIELD\"}", CS_KUBE_FAILED},
		{400, "{\"code\":\"UNKNOWN_FIELD\"}", CS_KUBE_NOT_OURS},
		{401, "{\"code\":\"UNAUTHENTICATED\"}", CS_KUBE_NOT_OURS},
		{403, "{\"code\":\"FORBIDDEN\"}", CS_KUBE_NOT_OURS},
		{403, "{\"code\":\"SELF_APPROVAL\"}", CS_KUBE_FAILED},
		{404, "{\"code\":\"UNKNOWN_ISSUER\"}", CS_KUBE_NOT_OURS},
		{409, "{\"code\":\"IDEMPOTENCY_CONFLICT\"}", CS_KUBE_FAILED},
		{409, "{\"code\":\"CONFLICT\"}", CS_KUBE_LATER},
		{413, "{\"code\":\"BODY_TOO_LARGE\"}", CS_KUBE_FAILED},
		/* Of a proxy on the way, which decides nothing. */
		{413, "<html>too large</html>", CS_KUBE_NOT_OURS},
		{422, "<html>odd</html>", CS_KUBE_NOT_OURS},
		{422, "{\"code\":\"REFUSED\",\"detail\":\"x\"}",
		 CS_KUBE_FAILED},
		{429, "", CS_KUBE_LATER},
		{500, "no JSON", CS_KUBE_LATER},
		{503, "{\"code\":\"BUSY\"}", CS_KUBE_LATER},
		{301, "", CS_KUBE_NOT_OURS},
		{201, "{}", CS_KUBE_NOT_OURS},
		{201, "no JSON", CS_KUBE_NOT_OURS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cs_kube_verdict v =
			verdict(cases[i].status, cases[i].body);

		assert_int_equal(v.outcome, cases[i].outcome);
		assert_true(v.message.n > 0);
		assert_int_equal(v.certificate.n, 0);
		cs_kube_verdict_done(&v);
	}
}

static void what_an_answer_quotes_is_escaped(void **state)
{
	struct cs_kube_verdict v = verdict(
		422,
		"{\"code\":\"REFUSED\",\"detail\":\"a\\u001b[2J\\u202eb\"}");

	(void)state;
	assert_null(strchr(cs_buf_str(&v.message), '\x1b'));
	assert_non_null(strstr(cs_buf_str(&v.message), "\\x1b"));
	cs_kube_verdict_done(&v);
}

#define BEGIN	  "-----BEGIN CERTIFICATE-----\\n"
#define END	  "\\n-----END CERTIFICATE-----\\n"
#define PEM(body) BEGIN body END

static void the_root_is_left_out_of_the_chain_and_kept_beside_it(void **state)
{
	struct cs_kube_verdict v = verdict(
		201, "{\"ca\":\"" PEM("Um9vdA==") "\",\"certificate\":\"" PEM(
			     "TGVhZg==") PEM("TWlk")
			     PEM("Um9vdA==") "\","
					     "\"serial\":\"5b01\"}");

	(void)state;
	assert_int_equal(v.outcome, CS_KUBE_ISSUED);
	assert_non_null(strstr(cs_buf_str(&v.certificate), "TGVhZg=="));
	assert_non_null(strstr(cs_buf_str(&v.certificate), "TWlk"));
	assert_null(strstr(cs_buf_str(&v.certificate), "Um9vdA=="));
	assert_non_null(strstr(cs_buf_str(&v.ca), "Um9vdA=="));
	assert_string_equal(cs_buf_str(&v.message), "Issued, serial 5b01");
	cs_kube_verdict_done(&v);
}

#define CHANGE(field)                                                          \
	"{\"asked\":null,\"at\":\"w.yaml:1\",\"disposition\":\"overridden\","  \
	"\"field\":\"" field "\",\"given\":\"x\",\"rule\":\"w/r\"}"

static void three_changes_are_told_and_the_rest_is_counted(void **state)
{
	struct cs_kube_verdict v = verdict(
		201,
		"{\"certificate\":\"" PEM(
			"TGVhZg==") "\",\"changed\":true,"
				    "\"diff\":[{\"asked\":null,\"at\":\"w.yaml:"
				    "9\","
				    "\"disposition\":\"defaulted\",\"field\":"
				    "\"validity\","
				    "\"given\":\"90d\",\"rule\":\"w/"
				    "d\"}," CHANGE("a") "," CHANGE("b") "," CHANGE("c") "," CHANGE(
					    "d") "," CHANGE("e") "],\"id\":"
								 "\"00ff\","
								 "\"serial\":"
								 "\"5b01\"}");
	const char *m = cs_buf_str(&v.message);

	(void)state;
	assert_non_null(strstr(m, "not as it was asked for: a overridden, asked"
				  " nothing, given \"x\" (w/r, w.yaml:1); b "));
	assert_non_null(
		strstr(m, "; and 2 more: countersign request show 00ff"));
	assert_null(strstr(m, "validity"));
	cs_kube_verdict_done(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_verdict_about_the_request_is_final),
		cmocka_unit_test(what_an_answer_quotes_is_escaped),
		cmocka_unit_test(
			the_root_is_left_out_of_the_chain_and_kept_beside_it),
		cmocka_unit_test(
			three_changes_are_told_and_the_rest_is_counted),
	};

	return cs_test_run("kube/verdict", tests);
}
