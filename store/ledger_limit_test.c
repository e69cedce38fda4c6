#include <tests/lib/test.h>

#include <string.h>

#include "base/limit.h"
#include <tests/lib/ledger_house.h>

static void a_batch_cannot_slip_past_a_limit(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_limit limit = {CS_LIMIT_REFUSE, 2, 3600,
				 CS_SPAN_LIT("web/limits"), CS_SPAN_LIT("www")};
	struct cs_buf b;
	struct cs_ask ask = {0};
	size_t refused = 0;

	(void)state;
	cs_house_open(&h);
	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &limit);
	ask.limits = cs_buf_span(&b);
	for (int i = 0; i < 5; i++)
		(void)cs_house_ask(&h, &ask);
	assert_true(cs_house_wait(&h, CS_MSG_ANSWER, 5));
	for (uint64_t t = h.ticket - 4; t <= h.ticket; t++) {
		assert_non_null(cs_house_answer(&h, t, 0, &m));
		refused += m.outcome == CS_ANSWER_REFUSED;
	}
	assert_int_equal(refused, 3);
	cs_house_verify(&h);
	cs_buf_done(&b);
	cs_house_done(&h);
}

static void a_held_request_goes_on_when_the_window_has_passed(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_limit limit = {CS_LIMIT_HOLD, 1, 60,
				 CS_SPAN_LIT("web/limits"), CS_SPAN_LIT("www")};
	struct cs_buf b;
	struct cs_ask ask = {.key = "a"};

	(void)state;
	cs_house_open(&h);
	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &limit);
	ask.limits = cs_buf_span(&b);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	ask.key = "b";
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_HELD);
	assert_int_equal(m.retry_s, 60);
	cs_house_pass(&h, 61000);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	cs_house_verify(&h);
	cs_buf_done(&b);
	cs_house_done(&h);
}

static void what_could_not_be_signed_counts_nowhere(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_limit once = {CS_LIMIT_REFUSE, 1, 3600,
				CS_SPAN_LIT("web/limits"), CS_SPAN_LIT("www")};
	struct cs_limit other = {CS_LIMIT_KEY_OTHER_SUBJECT, 0, 0,
				 CS_SPAN_LIT("web/key.reuse.other_subject"),
				 CS_SPAN_LIT("")};
	struct cs_buf b;
	struct cs_ask ask = {.key = "a", .spki = 7, .subject = 1};

	(void)state;
	cs_house_open(&h);
	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &once);
	cs_limit_put(&b, &other);
	ask.limits = cs_buf_span(&b);
	h.signing = CS_FAKE_FAILS;
	for (int i = 0; i < 3; i++)
		assert_int_equal(cs_house_ask_wait(&h, &ask, &m),
				 CS_ANSWER_BUSY);
	h.signing = CS_FAKE_SIGNS;
	ask.key = "b";
	ask.subject = 2;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	/* Now it is taken: the first comes too late. */
	ask.key = "a";
	ask.subject = 1;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_REFUSED);
	cs_house_verify(&h);
	cs_buf_done(&b);
	cs_house_done(&h);
}

static void a_window_holds_until_it_is_over(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_limit window = {CS_LIMIT_WINDOW, 0, 90,
				  CS_SPAN_LIT("web/windows.freeze"),
				  CS_SPAN_LIT("")};
	struct cs_buf b;
	struct cs_ask ask = {.key = "a"};

	(void)state;
	cs_house_open(&h);
	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &window);
	ask.limits = cs_buf_span(&b);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_HELD);
	assert_int_equal(m.retry_s, 90);
	assert_true(cs_span_equal_str(m.code, "WINDOW"));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"
					     " WHERE state = 'approved'"
					     " AND hold = 'WINDOW'"),
			 1);
	/* Judged again behind the window, it is not held any more. */
	cs_house_pass(&h, 91000);
	ask.limits = CS_SPAN_LIT("");
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	cs_house_verify(&h);
	cs_buf_done(&b);
	cs_house_done(&h);
}

static void a_key_is_not_certified_for_another_subject(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_limit other = {CS_LIMIT_KEY_OTHER_SUBJECT, 0, 0,
				 CS_SPAN_LIT("web/key.reuse.other_subject"),
				 CS_SPAN_LIT("")};
	struct cs_limit same = {CS_LIMIT_KEY_SAME_SUBJECT, 0, 0,
				CS_SPAN_LIT("web/key.reuse.same_subject"),
				CS_SPAN_LIT("")};
	struct cs_buf b;
	struct cs_ask ask = {.spki = 7, .subject = 1};

	(void)state;
	cs_house_open(&h);
	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &other);
	ask.limits = cs_buf_span(&b);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	ask.subject = 2;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_REFUSED);
	assert_non_null(memmem(m.body.p, m.body.n, "KEY_REUSED", 10));
	/* Another key may. */
	ask.spki = 8;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	cs_buf_reset(&b);
	cs_limit_put(&b, &same);
	ask.limits = cs_buf_span(&b);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_REFUSED);
	ask.subject = 3;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	/* Checks leave no uses behind. */
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM limit_use"),
			 0);
	cs_house_verify(&h);
	cs_buf_done(&b);
	cs_house_done(&h);
}

static void a_batch_cannot_reuse_a_key(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_limit other = {CS_LIMIT_KEY_OTHER_SUBJECT, 0, 0,
				 CS_SPAN_LIT("web/key.reuse.other_subject"),
				 CS_SPAN_LIT("")};
	struct cs_buf b;
	struct cs_ask ask = {.spki = 7};
	size_t refused = 0;

	(void)state;
	cs_house_open(&h);
	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &other);
	ask.limits = cs_buf_span(&b);
	for (uint8_t i = 1; i <= 4; i++) {
		ask.subject = i;
		(void)cs_house_ask(&h, &ask);
	}
	assert_true(cs_house_wait(&h, CS_MSG_ANSWER, 4));
	for (uint64_t t = h.ticket - 3; t <= h.ticket; t++) {
		assert_non_null(cs_house_answer(&h, t, 0, &m));
		refused += m.outcome == CS_ANSWER_REFUSED;
	}
	assert_int_equal(refused, 3);
	cs_house_verify(&h);
	cs_buf_done(&b);
	cs_house_done(&h);
}

static void malformed_limits_decide_nothing(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_ask ask = {.limits = CS_SPAN_LIT("\x01")};

	(void)state;
	cs_house_open(&h);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_BUSY);
	assert_true(cs_span_equal_str(m.code, "INTENT_MALFORMED"));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"),
			 0);
	cs_house_done(&h);
}

/* Nothing is recorded of what comes too late, and a replay stays one. */
static void nothing_is_decided_under_a_ca_that_is_not_valid(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_ask ask = {.key = "a"};
	int64_t now_s;

	(void)state;
	cs_house_open(&h);
	now_s = h.wall_ms / 1000;
	h.issuers[0].not_before_s = now_s;
	h.issuers[0].not_after_s = now_s + 10;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	cs_house_pass(&h, 12000);
	ask.key = "b";
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_BUSY);
	assert_true(cs_span_equal_str(m.code, "CA_EXPIRED"));
	assert_int_equal(m.retry_s, 300);
	ask.flags = CS_REQ_DRY_RUN;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_BUSY);
	ask.flags = 0;
	h.issuers[0].not_before_s = now_s + 100;
	h.issuers[0].not_after_s = now_s + 200;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_BUSY);
	assert_true(cs_span_equal_str(m.code, "CA_NOT_YET_VALID"));
	ask.issuer = "strict";
	ask.pending = true;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_PENDING);
	ask = (struct cs_ask){.key = "a"};
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	assert_int_equal(m.replay, 1);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM request"),
			 2);
	cs_house_verify(&h);
	cs_house_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_cannot_slip_past_a_limit),
		cmocka_unit_test(
			a_held_request_goes_on_when_the_window_has_passed),
		cmocka_unit_test(what_could_not_be_signed_counts_nowhere),
		cmocka_unit_test(a_window_holds_until_it_is_over),
		cmocka_unit_test(a_key_is_not_certified_for_another_subject),
		cmocka_unit_test(a_batch_cannot_reuse_a_key),
		cmocka_unit_test(malformed_limits_decide_nothing),
		cmocka_unit_test(
			nothing_is_decided_under_a_ca_that_is_not_valid),
	};

	return cs_test_run("store/ledger_limit", tests);
}
