#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include <tests/lib/ledger_house.h>

/* Start again and wait until it has said its STATE. */
static void start(struct cs_house *h)
{
	struct cs_error err = {0};

	if (!cs_house_start(h, &err))
		fail_msg("%s", err.text);
	assert_true(cs_house_wait(h, CS_MSG_STATE, 1));
}

static void crash_before_the_signature_is_driven_again(void **state)
{
	static const uint8_t id[16] = {7};
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_msg_drive drive;
	struct cs_msg_request r;
	const struct cs_got *got;
	uint64_t seq;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_HOLDS;
	(void)cs_house_ask(&h, &(struct cs_ask){.id = id, .key = "k"});
	assert_true(cs_house_wait(&h, CS_MSG_SIGN, 1));
	seq = h.ledger->seq;
	cs_house_crash(&h);
	start(&h);
	/* The serial is burnt, nothing at or below it is ever signed. */
	assert_int_equal(h.ledger->seq, seq);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM outcome"
					     " WHERE signature IS NULL"),
			 1);
	assert_true(cs_house_wait(&h, CS_MSG_DRIVE, 1));
	got = cs_house_last(&h, CS_MSG_DRIVE);
	assert_true(cs_msg_drive_decode(cs_span_make(got->body, got->n), &drive,
					NULL));
	assert_true(cs_msg_request_decode(drive.request, &r, NULL));
	assert_memory_equal(r.id, id, 16);
	assert_int_equal(r.flags, CS_REQ_KNOWN | CS_REQ_APPROVED);
	assert_true(cs_span_equal_str(
		r.approval, "{\"at\":1700000000000,\"by\":\"gw\",\"reason\":"
			    "\"Reviewed\"}"));
	h.signing = CS_FAKE_SIGNS;
	assert_int_equal(
		cs_house_ask_wait(&h,
				  &(struct cs_ask){.id = id,
						   .key = "k",
						   .flags = CS_REQ_KNOWN},
				  &m),
		CS_ANSWER_ISSUED);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM outcome"
					     " WHERE signature IS NOT NULL"),
			 3);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void what_a_signer_failed_to_sign_is_driven_at_the_start(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_FAILS;
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m),
		CS_ANSWER_BUSY);
	cs_house_crash(&h);
	start(&h);
	/* It is settled: recovery abandons nothing more. */
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM outcome"
					     " WHERE signature IS NULL"),
			 1);
	assert_true(cs_house_wait(&h, CS_MSG_DRIVE, 1));
	h.signing = CS_FAKE_SIGNS;
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m),
		CS_ANSWER_ISSUED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_crash_after_the_outcome_loses_no_answer(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	(void)cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m);
	cs_house_crash(&h);
	start(&h);
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m),
		CS_ANSWER_ISSUED);
	assert_int_equal(m.replay, 1);
	assert_int_equal(cs_house_count(&h, CS_MSG_SIGN), 0);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_retry_with_other_words_is_judged_as_stored(void **state)
{
	static const uint8_t id[16] = {7};
	struct cs_house h;
	struct cs_msg_answer m;
	uint64_t ticket;
	struct cs_ask ask = {.id = id, .key = "k"};

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_HOLDS;
	(void)cs_house_ask(&h, &ask);
	assert_true(cs_house_wait(&h, CS_MSG_SIGN, 1));
	cs_house_crash(&h);
	start(&h);
	assert_true(cs_house_wait(&h, CS_MSG_DRIVE, 1));
	h.signing = CS_FAKE_SIGNS;
	/* The same fingerprint, other scalars: the stored ones count. */
	ask.id = NULL;
	ask.words = "other";
	ticket = cs_house_ask(&h, &ask);
	assert_true(cs_house_wait(&h, CS_MSG_DRIVE, 2));
	assert_int_equal(cs_house_count(&h, CS_MSG_ANSWER), 0);
	ask = (struct cs_ask){.id = id, .key = "k", .flags = CS_REQ_KNOWN};
	(void)cs_house_ask(&h, &ask);
	assert_true(cs_house_wait(&h, CS_MSG_ANSWER, 2));
	assert_non_null(cs_house_answer(&h, ticket, 0, &m));
	assert_int_equal(m.outcome, CS_ANSWER_ISSUED);
	assert_memory_equal(m.id, id, 16);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void stops_in_order_and_starts_again(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_HOLDS;
	(void)cs_house_ask(&h, &(struct cs_ask){0});
	assert_true(cs_house_wait(&h, CS_MSG_SIGN, 1));
	/* What is being signed is still recorded, and answered. */
	cs_house_sign(&h);
	assert_int_equal(cs_house_stop(&h), 0);
	cs_house_turn(&h, 20);
	assert_non_null(cs_house_answer(&h, h.ticket, 0, &m));
	assert_int_equal(m.outcome, CS_ANSWER_ISSUED);
	assert_int_equal(cs_house_number(&h, "SELECT kind FROM leaf"
					     " ORDER BY idx DESC LIMIT 1"),
			 CS_LEAF_STOP);
	cs_house_crash(&h);
	start(&h);
	assert_int_equal(h.state, CS_LEDGER_ISSUING);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void answers_busy_while_the_disk_is_full_and_goes_on(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	const struct cs_ask ask = {.key = "signed"};
	size_t asked = 0;
	char sql[64];
	uint64_t signed_one;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_HOLDS;
	signed_one = cs_house_ask(&h, &ask);
	assert_true(cs_house_wait(&h, CS_MSG_SIGN, 1));
	(void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld",
		       (long long)cs_house_number(&h, "PRAGMA page_count"));
	assert_true(cs_db_exec(h.ledger->db, sql, NULL));
	/* Rows fill what is left of the pages. */
	do {
		(void)cs_house_ask_wait(&h, &(struct cs_ask){.code = "NO"}, &m);
		assert_true(++asked < 100);
	} while (m.outcome != CS_ANSWER_BUSY);
	assert_true(cs_span_equal_str(m.code, "LEDGER_FULL"));
	cs_house_sign(&h);
	cs_house_turn(&h, 100);
	assert_int_equal(h.state, CS_LEDGER_FULL);
	assert_non_null(cs_house_answer(&h, signed_one, 0, &m));
	assert_int_equal(m.outcome, CS_ANSWER_BUSY);
	assert_true(cs_span_equal_str(m.code, "LEDGER_FULL"));
	assert_true(cs_db_exec(h.ledger->db, "PRAGMA max_page_count = 1000000",
			       NULL));
	/* The signature was kept in memory: nobody signs twice. */
	for (unsigned i = 0; i < 100 && h.state == CS_LEDGER_FULL; i++)
		cs_house_turn(&h, 50);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	assert_int_equal(m.replay, 1);
	assert_int_equal(cs_house_count(&h, CS_MSG_SIGN), 1);
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.code = "NO"}, &m),
		CS_ANSWER_REFUSED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_commit_of_unknown_outcome_ends_the_house(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	uint64_t ticket;

	(void)state;
	cs_house_open(&h);
	assert_int_equal(
		setenv("CS_FAILPOINTS", "ledger.commit_unknown=error", 1), 0);
	ticket = cs_house_ask(&h, &(struct cs_ask){.key = "k"});
	(void)cs_house_wait(&h, CS_MSG_ANSWER, 1);
	(void)unsetenv("CS_FAILPOINTS");
	cs_house_turn(&h, 20);
	assert_non_null(cs_house_answer(&h, ticket, 0, &m));
	assert_int_equal(m.outcome, CS_ANSWER_BUSY);
	assert_true(h.ledger->over);
	assert_int_equal(cs_house_count(&h, CS_MSG_SIGN), 0);
	cs_house_crash(&h);
	start(&h);
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m),
		CS_ANSWER_ISSUED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

/* CLOCK_ACCEPT by the local administrator. */
static void accept_clock(struct cs_house *h)
{
	struct cs_msg_clock_accept m = {.credential = 1, .uid = 0};
	size_t n = cs_house_count(h, CS_MSG_ADMIN_DONE);

	assert_true(cs_link_send_clock_accept(h->front, ++h->ticket, &m, NULL));
	assert_true(cs_house_wait(h, CS_MSG_ADMIN_DONE, n + 1));
}

static void stops_issuing_when_the_clock_goes_back(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	(void)cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m);
	h.wall_ms -= 60000;
	cs_house_turn(&h, 1100);
	assert_int_equal(h.state, CS_LEDGER_CLOCK);
	assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &m),
			 CS_ANSWER_BUSY);
	assert_true(cs_span_equal_str(m.code, "CLOCK_NOT_TRUSTED"));
	/* Reading goes on. */
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m),
		CS_ANSWER_ISSUED);
	/* So it is at the next start. */
	cs_house_crash(&h);
	start(&h);
	assert_int_equal(h.state, CS_LEDGER_CLOCK);
	accept_clock(&h);
	assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &m),
			 CS_ANSWER_ISSUED);
	assert_int_equal(m.decided_ms, h.wall_ms);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void stops_issuing_when_the_clock_jumps_ahead(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	h.wall_ms += 3600000;
	cs_house_turn(&h, 1100);
	assert_int_equal(h.state, CS_LEDGER_CLOCK);
	/* Set right again by somebody: still for a person to accept. */
	h.wall_ms -= 3600000;
	cs_house_turn(&h, 1100);
	assert_int_equal(h.state, CS_LEDGER_CLOCK);
	accept_clock(&h);
	assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &m),
			 CS_ANSWER_ISSUED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void decides_nothing_by_a_clock_that_has_just_jumped(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	h.wall_ms += 3600000;
	assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &m),
			 CS_ANSWER_BUSY);
	assert_true(cs_span_equal_str(m.code, "CLOCK_NOT_TRUSTED"));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM attempt"
					     " WHERE request IS NOT NULL"),
			 0);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_suspended_machine_is_no_jump(void **state)
{
	struct cs_house h;

	(void)state;
	cs_house_open(&h);
	cs_house_pass(&h, 8 * 3600000);
	assert_int_equal(h.state, CS_LEDGER_ISSUING);
	cs_house_done(&h);
}

/* One file's bytes put in another's place. */
static void copy_file(struct cs_house *h, const char *from, const char *to)
{
	struct cs_buf b;
	char path[96];

	cs_buf_init(&b, 64 * 1024 * 1024);
	(void)snprintf(path, sizeof(path), "%s/%s", h->dir, from);
	assert_true(cs_file_read(path, &b, NULL));
	(void)snprintf(path, sizeof(path), "%s/%s", h->dir, to);
	assert_true(cs_file_replace(path, 0600, cs_buf_span(&b), NULL));
	cs_buf_done(&b);
}

/* One file less. */
static void remove_file(struct cs_house *h, const char *name)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/%s", h->dir, name);
	assert_int_equal(remove(path), 0);
}

static void an_older_database_starts_as_split(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_msg_admin_done done;
	int64_t leaves;

	(void)state;
	cs_house_open(&h);
	assert_int_equal(cs_house_stop(&h), 0);
	cs_house_crash(&h);
	copy_file(&h, "ledger.db", "copy.db");
	start(&h);
	(void)cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m);
	assert_int_equal(cs_house_stop(&h), 0);
	cs_house_crash(&h);
	copy_file(&h, "copy.db", "ledger.db");
	start(&h);
	assert_int_equal(h.state, CS_LEDGER_SPLIT);
	leaves = cs_house_number(&h, "SELECT count(*) FROM leaf");
	assert_int_equal(
		cs_house_ask_wait(&h, &(struct cs_ask){.key = "k"}, &m),
		CS_ANSWER_BUSY);
	assert_true(cs_span_equal_str(m.code, "SPLIT_VIEW"));
	cs_house_change(&h, "{\"name\":\"gw\",\"op\":\"remove\"}", &done);
	assert_int_equal(done.ok, 0);
	assert_int_equal(cs_house_stop(&h), 0);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM leaf"),
			 leaves);
	cs_house_done(&h);
}

static void another_history_of_the_same_length_starts_as_split(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	assert_int_equal(cs_house_stop(&h), 0);
	cs_house_crash(&h);
	copy_file(&h, "ledger.db", "copy.db");
	start(&h);
	(void)cs_house_ask_wait(&h, &(struct cs_ask){.name = "one"}, &m);
	assert_int_equal(cs_house_stop(&h), 0);
	cs_house_crash(&h);
	copy_file(&h, "checkpoint", "ledger.db.v1");
	copy_file(&h, "copy.db", "ledger.db");
	remove_file(&h, "checkpoint");
	start(&h);
	(void)cs_house_ask_wait(&h, &(struct cs_ask){.name = "two"}, &m);
	assert_int_equal(cs_house_stop(&h), 0);
	cs_house_crash(&h);
	copy_file(&h, "ledger.db.v1", "checkpoint");
	start(&h);
	assert_int_equal(h.state, CS_LEDGER_SPLIT);
	cs_house_done(&h);
}

static void another_crl_url_is_refused_at_the_start(void **state)
{
	struct cs_house h;
	struct cs_error err = {0};

	(void)state;
	cs_house_open(&h);
	cs_house_crash(&h);
	h.issuers[0].crl_base = "http://elsewhere.example/d";
	assert_false(cs_house_start(&h, &err));
	assert_int_equal(err.code, CS_E_CONFIG);
	cs_house_crash(&h);
	h.issuers[0].crl_base = NULL;
	start(&h);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_new_ca_certificate_is_a_new_generation(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;

	(void)state;
	cs_house_open(&h);
	cs_house_crash(&h);
	h.certificate[0][h.issuers[0].certificate.n - 1] ^= 1; /* signature */
	h.certificate[0][6] ^= 32;			       /* serial */
	start(&h);
	assert_int_equal(cs_house_number(&h, "SELECT max(generation) FROM"
					     " issuer WHERE name = 'default'"),
			 2);
	assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &m),
			 CS_ANSWER_ISSUED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_generation_has_the_number_that_its_files_say(void **state)
{
	struct cs_house h;
	struct cs_error err = {0};

	(void)state;
	cs_house_open(&h);
	cs_house_crash(&h);
	h.issuers[0].generation = 2;
	assert_false(cs_house_start(&h, &err));
	assert_int_equal(err.code, CS_E_CONFIG);
	assert_non_null(strstr(err.text, "generation 2, the log that it is 1"));
	cs_house_crash(&h);
	h.issuers[0].generation = 1;
	start(&h);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void what_ended_an_issuer_is_recorded_once_and_stays(void **state)
{
	struct cs_house h;
	struct cs_error err = {0};

	(void)state;
	cs_house_open(&h);
	cs_house_crash(&h);
	h.issuers[0].is_retired = h.issuers[0].key_is_gone = true;
	for (int i = 0; i < 2; i++) {
		start(&h);
		assert_int_equal(
			cs_house_number(&h, "SELECT count(*) FROM issuer_end"
					    " JOIN leaf ON idx = leaf"
					    " WHERE kind = 13"),
			2);
		cs_house_verify(&h);
		cs_house_crash(&h);
	}
	h.issuers[0].is_retired = false;
	assert_false(cs_house_start(&h, &err));
	assert_int_equal(err.code, CS_E_CONFIG);
	assert_non_null(strstr(err.text, "retire of generation 1"));
	cs_house_crash(&h);
	h.issuers[0].is_retired = true;
	start(&h);
	cs_house_done(&h);
}

static void one_installation_has_one_ledger(void **state)
{
	struct cs_house h, second;
	struct cs_error err = {0};

	(void)state;
	cs_house_open(&h);
	second = h;
	second.front_got = second.signer_got = NULL;
	second.worker_got = second.parent_got = NULL;
	second.front_n = second.signer_n = second.worker_n = 0;
	second.parent_n = second.signed_n = 0;
	second.look = NULL;
	assert_false(cs_house_start(&second, &err));
	assert_int_equal(err.code, CS_E_LOCKED);
	cs_house_crash(&second);
	cs_house_done(&h);
}

static void serves_a_worker_that_comes_later(void **state)
{
	struct cs_house h;
	struct cs_msg_worker_link m = {.worker = 2};
	struct cs_msg_answer answer;
	struct cs_error err = {0};
	int ends[2];
	struct cs_buf b;
	size_t sets;

	(void)state;
	cs_house_open(&h);
	sets = cs_house_count(&h, CS_MSG_SET);
	assert_true(cs_link_pair(ends, &err));
	cs_buf_init(&b, 64);
	cs_msg_worker_link_encode(&m, &b);
	assert_true(cs_link_send(h.parent, CS_MSG_WORKER_LINK, 0,
				 cs_buf_span(&b), ends[0], &err));
	close(ends[0]);
	cs_buf_done(&b);
	cs_house_take_worker(&h, ends[1]);
	assert_true(cs_house_wait(&h, CS_MSG_SET, sets + 1));
	assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &answer),
			 CS_ANSWER_ISSUED);
	cs_house_done(&h);
}

/* An INTENT that breaks one rule must end the worker's link, not the house. */
static void expect_refused(struct cs_span intent)
{
	struct cs_error err = {0};
	struct cs_work *w = cs_ledger_work_new(CS_MSG_INTENT, 1, intent, &err);

	assert_null(w);
	assert_int_equal(err.code, CS_E_PROTOCOL);
}

static void takes_no_message_that_would_not_fit_its_rows(void **state)
{
	struct cs_msg_request request = {.realm = CS_SPAN_LIT("\xff")};
	struct cs_msg_intent good = {
		.serial = CS_SPAN_LIT("s"),
		.tbs = CS_SPAN_LIT("t"),
		.body = CS_SPAN_LIT("{}"),
	};
	static const uint8_t long_serial[21] = {0x5b};
	struct cs_buf r, b;
	struct cs_error err = {0};

	(void)state;
	cs_buf_init(&r, 4096);
	cs_buf_init(&b, 4096);
	for (int i = 0; i < 6; i++) {
		struct cs_msg_intent m = good;

		cs_buf_reset(&r);
		cs_buf_reset(&b);
		request.realm =
			i == 0 ? CS_SPAN_LIT("\xff") : CS_SPAN_LIT("prod");
		cs_msg_request_encode(&request, &r);
		m.request = cs_buf_span(&r);
		if (i == 1)
			m.serial = cs_span_make(long_serial, 21);
		if (i == 2)
			m.tbs = CS_SPAN_LIT("");
		if (i == 3)
			m.body = CS_SPAN_LIT("[]");
		if (i == 4)
			m.now_ms = INT64_MAX;
		cs_msg_intent_encode(&m, &b);
		if (i < 5) {
			expect_refused(cs_buf_span(&b));
		} else {
			struct cs_work *w = cs_ledger_work_new(
				CS_MSG_INTENT, 1, cs_buf_span(&b), &err);

			assert_non_null(w);
			cs_ledger_work_free(w);
		}
	}
	cs_buf_done(&r);
	cs_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_a_signer_failed_to_sign_is_driven_at_the_start),
		cmocka_unit_test(crash_before_the_signature_is_driven_again),
		cmocka_unit_test(a_crash_after_the_outcome_loses_no_answer),
		cmocka_unit_test(a_retry_with_other_words_is_judged_as_stored),
		cmocka_unit_test(stops_in_order_and_starts_again),
		cmocka_unit_test(
			answers_busy_while_the_disk_is_full_and_goes_on),
		cmocka_unit_test(a_commit_of_unknown_outcome_ends_the_house),
		cmocka_unit_test(stops_issuing_when_the_clock_goes_back),
		cmocka_unit_test(stops_issuing_when_the_clock_jumps_ahead),
		cmocka_unit_test(
			decides_nothing_by_a_clock_that_has_just_jumped),
		cmocka_unit_test(a_suspended_machine_is_no_jump),
		cmocka_unit_test(an_older_database_starts_as_split),
		cmocka_unit_test(
			another_history_of_the_same_length_starts_as_split),
		cmocka_unit_test(another_crl_url_is_refused_at_the_start),
		cmocka_unit_test(a_new_ca_certificate_is_a_new_generation),
		cmocka_unit_test(
			a_generation_has_the_number_that_its_files_say),
		cmocka_unit_test(
			what_ended_an_issuer_is_recorded_once_and_stays),
		cmocka_unit_test(one_installation_has_one_ledger),
		cmocka_unit_test(serves_a_worker_that_comes_later),
		cmocka_unit_test(takes_no_message_that_would_not_fit_its_rows),
	};

	return cs_test_run("store/ledger_fault", tests);
}
