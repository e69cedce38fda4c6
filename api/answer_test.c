#include <tests/lib/test.h>

#include <string.h>

#include "api/answer.h"
#include "api/problem.h"
#include "base/limits.h"

#define ID   "000102030405060708090a0b0c0d0e0f"
#define H4   "11111111"
#define HASH H4 H4 H4 H4 H4 H4 H4 H4
#define L4   "22222222"
#define LEAF L4 L4 L4 L4 L4 L4 L4 L4

/* An answer of every outcome alike. */
static struct cs_msg_answer answer(enum cs_answer outcome, const char *body)
{
	struct cs_msg_answer m = {
		.outcome = (uint8_t)outcome,
		.body = cs_span_str(body),
		.index = 41,
		.tree_size = 42,
		.decided_ms = 1790000000123,
		.answer_version = 1,
	};

	for (size_t i = 0; i < sizeof(m.id); i++)
		m.id[i] = (uint8_t)i;
	memset(m.fingerprint, 0x11, sizeof(m.fingerprint));
	memset(m.leaf_hash, 0x22, sizeof(m.leaf_hash));
	return m;
}

static void assert_renders(const struct cs_msg_answer *m, const char *text,
			   struct cs_answer_http *ret_http)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out = {0};
	struct cs_error err = {0};

	cs_buf_init(&out, CS_MAX_MESSAGE);
	if (!cs_answer_render(m, CS_VIEW_OWN, &out, ret_http, &err))
		fail_msg("%s", err.text);
	assert_string_equal(cs_buf_str(&out), text);
}

#define ISSUED_BODY                                                            \
	"{\"changed\":true,\"diff\":[{\"asked\":null,\"at\":\"web.yaml:14\","  \
	"\"disposition\":\"overridden\",\"field\":"                            \
	"\"subject.organization[0]\",\"given\":\"Example } \\\" Corp\","       \
	"\"rule\":\"web/subject.organization.set\"}],\"kept\":[],\"policy\":"  \
	"{\"name\":\"web\",\"sha256\":\"ab\"},\"set_sha256\":\"cd\","          \
	"\"verdict\":\"issued\",\"warnings\":[]}"

static const char issued_golden[] =
	"{\"ca\":\"ROOT\\n\",\"certificate\":\"-----BEGIN CERTIFICATE-----\\n"
	"MAA=\\n-----END CERTIFICATE-----\\nCHAIN\\n\",\"changed\":true,"
	"\"decided\":\"2026-09-21T14:13:20.123Z\",\"diff\":[{\"asked\":null,"
	"\"at\":\"web.yaml:14\",\"disposition\":\"overridden\",\"field\":"
	"\"subject.organization[0]\",\"given\":\"Example } \\\" Corp\","
	"\"rule\":\"web/subject.organization.set\"}],\"id\":\"" ID
	"\",\"kept\":[],\"log\":{\"index\":41,\"leaf_hash\":\"" LEAF
	"\",\"tree_size\":42},\"policy\":{\"name\":\"web\",\"sha256\":\"ab\"},"
	"\"request_sha256\":\"" HASH
	"\",\"serial\":\"5b01\",\"set_sha256\":\"cd\",\"state\":\"issued\","
	"\"verdict\":\"issued\",\"warnings\":[]}";

static struct cs_msg_answer issued(void)
{
	struct cs_msg_answer m = answer(CS_ANSWER_ISSUED, ISSUED_BODY);

	m.serial = CS_SPAN_LIT("\x5b\x01");
	m.certificate = CS_SPAN_LIT("\x30\x00");
	m.chain = CS_SPAN_LIT("CHAIN\n");
	m.ca = CS_SPAN_LIT("ROOT\n");
	return m;
}

static void an_issued_answer_has_chain_diff_and_log(void **state)
{
	struct cs_msg_answer m = issued();
	struct cs_answer_http http;

	(void)state;
	assert_renders(&m, issued_golden, &http);
	assert_int_equal(http.status, 201);
	assert_int_equal(http.read_status, 200);
	assert_string_equal(http.media_type, "application/json");
	assert_false(http.replay);
}

static void a_replay_has_the_same_bytes(void **state)
{
	struct cs_msg_answer m = issued();
	struct cs_answer_http http;

	(void)state;
	m.replay = 1;
	assert_renders(&m, issued_golden, &http);
	assert_int_equal(http.status, 201);
	assert_true(http.replay);
}

static void a_refused_answer_is_a_problem_with_all_violations(void **state)
{
	struct cs_msg_answer m = answer(
		CS_ANSWER_REFUSED,
		"{\"changed\":false,\"code\":\"REFUSED\",\"detail\":\"2 names:"
		" no\",\"diff\":[],\"final\":true,\"not_reached\":[\"build\"],"
		"\"policy\":null,\"set_sha256\":\"cd\",\"verdict\":"
		"\"refused\",\"violations\":[{\"code\":\"A\"},{\"code\":"
		"\"B\"}]}");
	struct cs_answer_http http;

	(void)state;
	assert_renders(
		&m,
		"{\"changed\":false,\"code\":\"REFUSED\",\"decided\":"
		"\"2026-09-21T14:13:20.123Z\",\"detail\":\"2 names: no\","
		"\"diff\":[],\"final\":true,\"id\":\"" ID
		"\",\"log\":{\"index\":41,\"leaf_hash\":\"" LEAF
		"\",\"tree_size\":42},\"not_reached\":[\"build\"],\"policy\":"
		"null,\"request_sha256\":\"" HASH
		"\",\"set_sha256\":\"cd\",\"state\":\"refused\",\"status\":422,"
		"\"title\":\"The request was refused\",\"type\":"
		"\"https://countersign.dev/problems/REFUSED\",\"verdict\":"
		"\"refused\",\"violations\":[{\"code\":\"A\"},{\"code\":"
		"\"B\"}]}",
		&http);
	assert_int_equal(http.status, 422);
	assert_int_equal(http.read_status, 200);
	assert_string_equal(http.media_type, "application/problem+json");
}

static void a_pending_answer_says_what_would_happen(void **state)
{
	struct cs_msg_answer m = answer(
		CS_ANSWER_PENDING,
		"{\"changed\":false,\"diff\":[],\"verdict\":\"issued\"}");
	struct cs_answer_http http;

	(void)state;
	m.expires_ms = 1790000000123;
	assert_renders(&m,
		       "{\"changed\":false,\"diff\":[],\"expires\":"
		       "\"2026-09-21T14:13:20.123Z\",\"id\":\"" ID
		       "\",\"request_sha256\":\"" HASH
		       "\",\"state\":\"pending\",\"would\":\"issued\"}",
		       &http);
	assert_int_equal(http.status, 202);
	assert_int_equal(http.retry_s, 0);
}

static void an_approver_sees_beside_it_what_would_happen_now(void **state)
{
	struct cs_span now = CS_SPAN_LIT("{\"would\":\"refused\"}");
	CS_CLEANUP(cs_buf_done) struct cs_buf out = {0};
	struct cs_answer_http http;
	struct cs_msg_answer m =
		answer(CS_ANSWER_PENDING, "{\"changed\":false,\"diff\":[],"
					  "\"not_reached\":[],\"others\":[],"
					  "\"verdict\":\"issued\"}");

	(void)state;
	cs_buf_init(&out, CS_MAX_MESSAGE);
	assert_true(
		cs_answer_render_now(&m, CS_VIEW_OWN, now, &out, &http, NULL));
	assert_string_equal(cs_buf_str(&out),
			    "{\"changed\":false,\"diff\":[],\"expires\":null,"
			    "\"id\":\"" ID "\",\"not_reached\":[],\"now\":"
			    "{\"would\":\"refused\"},\"request_sha256\":\"" HASH
			    "\",\"state\":\"pending\",\"would\":\"issued\"}");
	/* Only of what is pending is there a now. */
	m = answer(CS_ANSWER_DRY_RUN, "{\"verdict\":\"issued\"}");
	cs_buf_reset(&out);
	assert_true(
		cs_answer_render_now(&m, CS_VIEW_OWN, now, &out, &http, NULL));
	assert_string_equal(cs_buf_str(&out), "{\"would\":\"issued\"}");
}

static void a_dry_run_has_no_id_and_no_log(void **state)
{
	struct cs_msg_answer m =
		answer(CS_ANSWER_DRY_RUN,
		       "{\"changed\":false,\"code\":\"REFUSED\",\"diff\":[],"
		       "\"verdict\":\"refused\",\"violations\":[]}");
	struct cs_answer_http http;

	(void)state;
	assert_renders(&m,
		       "{\"changed\":false,\"code\":\"REFUSED\",\"diff\":[],"
		       "\"violations\":[],\"would\":\"refused\"}",
		       &http);
	assert_int_equal(http.status, 200);
}

static void a_denial_without_a_body_has_its_own_words(void **state)
{
	struct cs_msg_answer m = answer(CS_ANSWER_DENIED, "");
	struct cs_answer_http http;

	(void)state;
	assert_renders(&m,
		       "{\"code\":\"DENIED\",\"decided\":"
		       "\"2026-09-21T14:13:20.123Z\",\"detail\":"
		       "\"The request was denied.\",\"id\":\"" ID
		       "\",\"log\":{\"index\":41,\"leaf_hash\":\"" LEAF
		       "\",\"tree_size\":42},\"request_sha256\":\"" HASH
		       "\",\"state\":\"denied\",\"status\":422,\"title\":"
		       "\"The request was denied\",\"type\":"
		       "\"https://countersign.dev/problems/DENIED\","
		       "\"verdict\":\"denied\"}",
		       &http);
}

static void what_is_not_decided_is_a_plain_problem(void **state)
{
	static const struct {
		enum cs_answer outcome;
		unsigned status;
		uint32_t retry_s;
	} cases[] = {
		{CS_ANSWER_CONFLICT, 409, 0},
		{CS_ANSWER_FORBIDDEN, 403, 0},
		{CS_ANSWER_GONE, 404, 0},
		{CS_ANSWER_BUSY, 503, 7},
	};
	struct cs_answer_http http;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cs_msg_answer m = answer(cases[i].outcome, "");
		char text[512];

		m.code = CS_SPAN_LIT("SOME_CODE");
		m.detail = CS_SPAN_LIT("a \xff sentence");
		m.retry_s = 7;
		(void)snprintf(text, sizeof(text),
			       "{\"code\":\"SOME_CODE\",\"detail\":\"a "
			       "\xef\xbf\xbd sentence\",\"id\":\"" ID
			       "\",\"status\":%u,\"title\":\"%s\",\"type\":"
			       "\"https://countersign.dev/problems/"
			       "SOME_CODE\"}",
			       cases[i].status,
			       cs_problem_outcome_title(cases[i].outcome));
		assert_renders(&m, text, &http);
		assert_int_equal(http.status, cases[i].status);
		assert_int_equal(http.read_status, cases[i].status);
		assert_int_equal(http.retry_s, cases[i].retry_s);
	}
}

static void a_held_answer_says_when_to_come_back(void **state)
{
	struct cs_msg_answer m = answer(CS_ANSWER_HELD, "");
	struct cs_answer_http http;

	(void)state;
	m.code = CS_SPAN_LIT("IN_PROGRESS");
	m.detail = CS_SPAN_LIT("An attempt is under way.");
	assert_renders(&m,
		       "{\"code\":\"IN_PROGRESS\",\"detail\":"
		       "\"An attempt is under way.\",\"expires\":null,\"id\":"
		       "\"" ID "\",\"request_sha256\":\"" HASH
		       "\",\"state\":\"approved\",\"would\":null}",
		       &http);
	assert_int_equal(http.status, 202);
	assert_int_equal(http.retry_s, 1);
}

static void other_peoples_policies_are_for_auditors(void **state)
{
	struct cs_msg_answer m =
		answer(CS_ANSWER_DRY_RUN,
		       "{\"others\":[{\"policy\":\"vm\",\"why\":\"no\"}],"
		       "\"verdict\":\"refused\"}");
	CS_CLEANUP(cs_buf_done) struct cs_buf own = {0}, audit = {0};
	struct cs_answer_http http;

	(void)state;
	cs_buf_init(&own, 4096);
	cs_buf_init(&audit, 4096);
	assert_true(cs_answer_render(&m, CS_VIEW_OWN, &own, &http, NULL));
	assert_true(cs_answer_render(&m, CS_VIEW_AUDIT, &audit, &http, NULL));
	assert_string_equal(cs_buf_str(&own), "{\"would\":\"refused\"}");
	assert_string_equal(cs_buf_str(&audit),
			    "{\"others\":[{\"policy\":\"vm\",\"why\":\"no\"}]"
			    ",\"would\":\"refused\"}");
}

static void a_body_that_is_no_object_is_refused(void **state)
{
	static const char *const bodies[] = {
		"[]",
		"{",
		"{}x",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1",
		"{\"a\":1}}",
		"{\"a\":\"}",
		"{a:1}",
		"{\"a\":1,}",
		"{\"a\":]}",
		"{\"b\":1,\"a\":1}",
		"{\"a\":1,\"a\":2}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct cs_msg_answer m = answer(CS_ANSWER_DRY_RUN, bodies[i]);
		CS_CLEANUP(cs_buf_done) struct cs_buf out = {0};
		struct cs_answer_http http;

		cs_buf_init(&out, 10000);
		if (cs_answer_render(&m, CS_VIEW_OWN, &out, &http, NULL))
			fail_msg("%s became %s", bodies[i], cs_buf_str(&out));
	}
}

static void the_body_cannot_say_what_is_ours(void **state)
{
	struct cs_msg_answer m =
		answer(CS_ANSWER_DENIED, "{\"id\":\"x\",\"log\":{},\"state\":"
					 "\"issued\",\"verdict\":\"issued\"}");
	CS_CLEANUP(cs_buf_done) struct cs_buf out = {0};
	struct cs_answer_http http;

	(void)state;
	cs_buf_init(&out, 10000);
	assert_true(cs_answer_render(&m, CS_VIEW_OWN, &out, &http, NULL));
	assert_null(strstr(cs_buf_str(&out), "issued"));
	assert_non_null(strstr(cs_buf_str(&out), "\"id\":\"" ID "\""));
}

static void a_problem_names_its_field(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out = {0};
	struct cs_problem p;

	(void)state;
	cs_buf_init(&out, 10000);
	assert_false(cs_problem_set(&p, CS_PROBLEM_BAD_FIELD, "csr",
				    "csr: %d is wrong", 5));
	assert_true(cs_problem_write(&p, &out, NULL));
	assert_string_equal(cs_buf_str(&out),
			    "{\"code\":\"BAD_FIELD\",\"detail\":\"csr: 5 is "
			    "wrong\",\"field\":\"csr\",\"status\":400,"
			    "\"title\":\"A field's value is not acceptable\","
			    "\"type\":\"https://countersign.dev/problems/"
			    "BAD_FIELD\"}");
	/* Cut between characters, not within one. */
	assert_false(
		cs_problem_set(&p, CS_PROBLEM_BUSY, "", "%509sx\xc3\xa9", ""));
	assert_int_equal(strlen(p.detail), 510);
	assert_int_equal(p.retry_s, 1);
	assert_int_equal(cs_problem_from_name(CS_SPAN_LIT("SPLIT_VIEW")),
			 CS_PROBLEM_SPLIT_VIEW);
	assert_int_equal(cs_problem_from_name(CS_SPAN_LIT("NONE")),
			 CS_PROBLEM_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_issued_answer_has_chain_diff_and_log),
		cmocka_unit_test(a_replay_has_the_same_bytes),
		cmocka_unit_test(
			a_refused_answer_is_a_problem_with_all_violations),
		cmocka_unit_test(a_pending_answer_says_what_would_happen),
		cmocka_unit_test(
			an_approver_sees_beside_it_what_would_happen_now),
		cmocka_unit_test(a_dry_run_has_no_id_and_no_log),
		cmocka_unit_test(a_denial_without_a_body_has_its_own_words),
		cmocka_unit_test(what_is_not_decided_is_a_plain_problem),
		cmocka_unit_test(a_held_answer_says_when_to_come_back),
		cmocka_unit_test(other_peoples_policies_are_for_auditors),
		cmocka_unit_test(a_body_that_is_no_object_is_refused),
		cmocka_unit_test(the_body_cannot_say_what_is_ours),
		cmocka_unit_test(a_problem_names_its_field),
	};

	return cs_test_run("api/answer", tests);
}
