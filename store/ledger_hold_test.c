#include <tests/lib/test.h>

#include <string.h>

#include "base/limit.h"
#include <tests/lib/ledger_house.h>

/* Does a part of the answer's body read like this? */
static void body_has(const struct cs_msg_answer *m, const char *words)
{
	if (memmem(m->body.p, m->body.n, words, strlen(words)) == NULL)
		fail_msg("no %s in %.*s", words, CS_SPAN_FMT(m->body));
}

static void what_no_policy_matches_waits_where_the_issuer_says_so(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	struct cs_msg_answer m;
	struct cs_ask ask = {.key = "a", .code = "NO_POLICY"};

	(void)state;
	cs_house_open(&h);
	h.issuers[0].hold_no_policy = true;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_HELD);
	assert_true(cs_span_equal_str(m.code, "NO_POLICY"));
	assert_int_equal(m.retry_s, 60);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_HELD);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM refusal"),
			 0);
	/* Another code is final, whatever the issuer says. */
	ask = (struct cs_ask){.key = "b", .code = "REFUSED"};
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_REFUSED);
	/* With the next set it is judged again, and has its policy now. */
	cs_house_apply(&h, "other rules", &done);
	assert_int_equal(done.ok, 1);
	assert_true(cs_house_wait(&h, CS_MSG_DRIVE, 1));
	ask = (struct cs_ask){.key = "a"};
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void without_that_it_is_refused(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_ask ask = {.key = "a", .code = "NO_POLICY"};

	(void)state;
	cs_house_open(&h);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_REFUSED);
	cs_house_done(&h);
}

static void what_nobody_approved_is_pending_without_a_policy(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_ask ask = {.key = "a", .code = "NO_POLICY", .pending = 1};

	(void)state;
	cs_house_open(&h);
	h.issuers[0].hold_no_policy = true;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_PENDING);
	body_has(&m, "\"verdict\":\"refused\"");
	/* Approved, it is held. */
	ask.pending = 0;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_HELD);
	ask.code = NULL;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_dry_run_looks_at_limits_and_keys(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_limit limit = {CS_LIMIT_REFUSE, 1, 3600,
				 CS_SPAN_LIT("web/limits"), CS_SPAN_LIT("www")};
	struct cs_limit other = {CS_LIMIT_KEY_OTHER_SUBJECT, 0, 0,
				 CS_SPAN_LIT("web/key.reuse.other_subject"),
				 CS_SPAN_LIT("")};
	struct cs_ask ask = {.spki = 7, .subject = 1};
	struct cs_buf b;

	(void)state;
	cs_house_open(&h);
	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &limit);
	ask.limits = cs_buf_span(&b);
	ask.flags = CS_REQ_DRY_RUN;
	/* However often it is asked, nothing is used up. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(cs_house_ask_wait(&h, &ask, &m),
				 CS_ANSWER_DRY_RUN);
		body_has(&m, "\"verdict\":\"issued\"");
	}
	ask.flags = 0;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	ask.flags = CS_REQ_DRY_RUN;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_DRY_RUN);
	body_has(&m, "\"code\":\"LIMIT\"");
	body_has(&m, "\"detail\":\"web/limits: 1 in 1h are reached; free "
		     "again at ");
	body_has(&m, "\"expected\":\"at most 1 in 1h\"");
	body_has(&m, "\"verdict\":\"refused\"");
	cs_buf_reset(&b);
	cs_limit_put(&b, &other);
	ask.limits = cs_buf_span(&b);
	ask.subject = 2;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_DRY_RUN);
	body_has(&m, "\"code\":\"KEY_REUSED\"");
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM limit_use"),
			 1);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"),
			 1);
	/* A key that another request has is not free for this one. */
	ask.key = "a";
	ask.flags = 0;
	ask.limits = CS_SPAN_LIT("");
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	ask.flags = CS_REQ_DRY_RUN;
	ask.name = "another";
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_CONFLICT);
	ask.key = NULL;
	ask.name = NULL;
	ask.limits = cs_buf_span(&b);
	/* And it is what happens. */
	ask.flags = 0;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_REFUSED);
	body_has(&m, "\"code\":\"KEY_REUSED\"");
	body_has(&m, "\"rule\":\"web/key.reuse.other_subject\"");
	cs_house_verify(&h);
	cs_buf_done(&b);
	cs_house_done(&h);
}

static void a_dry_run_says_what_would_be_held(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_limit window = {CS_LIMIT_WINDOW, 0, 90,
				  CS_SPAN_LIT("web/windows.freeze"),
				  CS_SPAN_LIT("")};
	struct cs_ask ask = {.flags = CS_REQ_DRY_RUN};
	struct cs_buf b;

	(void)state;
	cs_house_open(&h);
	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &window);
	ask.limits = cs_buf_span(&b);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_DRY_RUN);
	body_has(&m, "\"code\":\"WINDOW\"");
	body_has(&m, "\"verdict\":\"held\"");
	h.issuers[0].hold_no_policy = true;
	ask = (struct cs_ask){.flags = CS_REQ_DRY_RUN, .code = "NO_POLICY"};
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_DRY_RUN);
	body_has(&m, "issuer default holds it until one does");
	body_has(&m, "\"verdict\":\"held\"");
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"),
			 0);
	cs_buf_done(&b);
	cs_house_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_no_policy_matches_waits_where_the_issuer_says_so),
		cmocka_unit_test(without_that_it_is_refused),
		cmocka_unit_test(
			what_nobody_approved_is_pending_without_a_policy),
		cmocka_unit_test(a_dry_run_looks_at_limits_and_keys),
		cmocka_unit_test(a_dry_run_says_what_would_be_held),
	};

	return cs_test_run("store/ledger_hold", tests);
}
