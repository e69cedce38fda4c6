/* Revoking, as the ledger does it. */
#include <tests/lib/test.h>

#include <string.h>

#include <sqlite3.h>

#include "base/limit.h"
#include "base/revoke.h"
#include <tests/lib/ledger_house.h>

/* Does the text stand in these bytes? */
static bool holds(struct cs_span bytes, const char *text)
{
	return memmem(bytes.p, bytes.n, text, strlen(text)) != NULL;
}

/* One certificate; its serial, kept in the array. */
static struct cs_span issue(struct cs_house *h, uint8_t serial[CS_MAX_SERIAL])
{
	struct cs_msg_answer m;

	assert_int_equal(cs_house_ask_wait(h, &(struct cs_ask){0}, &m),
			 CS_ANSWER_ISSUED);
	memcpy(serial, m.serial.p, m.serial.n);
	return cs_span_make(serial, m.serial.n);
}

/* REVOKE by the local administrator, unless a credential is said. */
static bool revoke_by(struct cs_house *h, uint64_t credential,
		      struct cs_span serial, enum cs_reason reason,
		      const char *message, struct cs_msg_admin_done *done)
{
	const struct cs_msg_revoke m = {
		.serial = serial,
		.reason = reason,
		.message = cs_span_str(message),
		.credential = credential,
		.uid = 1000,
	};
	size_t before = cs_house_count(h, CS_MSG_ADMIN_DONE);
	const struct cs_got *got;

	assert_true(cs_link_send_revoke(h->front, ++h->ticket, &m, NULL));
	assert_true(cs_house_wait(h, CS_MSG_ADMIN_DONE, before + 1));
	got = cs_house_last(h, CS_MSG_ADMIN_DONE);
	assert_int_equal(got->ticket, h->ticket);
	assert_true(cs_msg_admin_done_decode(cs_span_make(got->body, got->n),
					     done, NULL));
	return done->ok == 1;
}

static bool revoke(struct cs_house *h, struct cs_span serial,
		   enum cs_reason reason, struct cs_msg_admin_done *done)
{
	return revoke_by(h, 1, serial, reason, "", done);
}

static void records_a_row_and_its_leaf_before_it_answers(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	uint8_t a[CS_MAX_SERIAL];
	struct cs_span serial;
	const struct cs_got *got;
	struct cs_msg_revoked told;
	uint8_t key[CS_REVOKED_KEY];

	(void)state;
	cs_house_open(&h);
	serial = issue(&h, a);
	assert_true(revoke_by(&h, 1, serial, CS_REASON_KEY_COMPROMISE,
			      "found on a mirror", &done));
	assert_true(holds(done.body, "{\"issuer\":\"default\",\"log\":{"
				     "\"index\":"));
	assert_true(holds(done.body, "\"reason\":\"keyCompromise\","
				     "\"revoked\":\""));
	assert_int_equal(
		cs_house_number(&h, "SELECT count(*) FROM revocation AS v"
				    " JOIN leaf AS l ON l.idx = v.leaf JOIN"
				    " attempt AS a ON a.seq = v.seq WHERE"
				    " v.reason = 1 AND l.kind = 6 AND"
				    " v.at_ms = l.at_ms AND v.client = 1 AND"
				    " v.uid = 1000 AND v.serial = a.serial AND"
				    " v.body = CAST('{\"message\":\"found on a"
				    " mirror\",\"reason\":\"keyCompromise\"}'"
				    " AS BLOB)"),
		1);
	/* Front knows before whoever asked does. */
	got = cs_house_last(&h, CS_MSG_REVOKED);
	assert_non_null(got);
	assert_true(cs_msg_revoked_decode(cs_span_make(got->body, got->n),
					  &told, NULL));
	cs_revoked_key(serial, key);
	assert_int_equal(told.beyond, 0);
	assert_int_equal(told.keys.n, sizeof(key));
	assert_memory_equal(told.keys.p, key, sizeof(key));
	assert_int_equal(h.ledger->metrics->revocations_n, 1);
	assert_string_equal(h.ledger->metrics->revocations[0].issuer,
			    "default");
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void says_the_same_again_and_keeps_what_stands(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	uint8_t a[CS_MAX_SERIAL];
	struct cs_span serial;
	char first[1000];
	int64_t leaves;

	(void)state;
	cs_house_open(&h);
	serial = issue(&h, a);
	assert_true(revoke(&h, serial, CS_REASON_SUPERSEDED, &done));
	(void)snprintf(first, sizeof(first), "%.*s", CS_SPAN_FMT(done.body));
	leaves = cs_house_number(&h, "SELECT count(*) FROM leaf");
	h.wall_ms += 90000;
	h.boot_ms += 90000;
	/* Others' words change nothing. */
	assert_true(
		revoke_by(&h, 1, serial, CS_REASON_SUPERSEDED, "again", &done));
	assert_true(cs_span_equal_str(done.body, first));
	assert_false(revoke(&h, serial, CS_REASON_KEY_COMPROMISE, &done));
	assert_true(cs_span_equal_str(done.code, "ALREADY_REVOKED"));
	assert_true(holds(done.detail, "for superseded, and that stands"));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM leaf"),
			 leaves);
	/* Also after it has ended. */
	h.wall_ms += (int64_t)10 * 365 * 86400 * 1000;
	h.boot_ms += (int64_t)10 * 365 * 86400 * 1000;
	assert_true(revoke(&h, serial, CS_REASON_SUPERSEDED, &done));
	assert_true(cs_span_equal_str(done.body, first));
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void two_in_one_batch_are_one(void **state)
{
	struct cs_house h;
	uint8_t a[CS_MAX_SERIAL];
	struct cs_msg_revoke m = {.reason = 1, .credential = 1, .uid = 0};
	const struct cs_got *got;
	struct cs_msg_admin_done done;
	size_t before;

	(void)state;
	cs_house_open(&h);
	m.serial = issue(&h, a);
	before = cs_house_count(&h, CS_MSG_ADMIN_DONE);
	assert_true(cs_link_send_revoke(h.front, ++h.ticket, &m, NULL));
	assert_true(cs_link_send_revoke(h.front, ++h.ticket, &m, NULL));
	m.reason = 3;
	assert_true(cs_link_send_revoke(h.front, ++h.ticket, &m, NULL));
	assert_true(cs_house_wait(&h, CS_MSG_ADMIN_DONE, before + 3));
	got = cs_house_last(&h, CS_MSG_ADMIN_DONE);
	assert_true(cs_msg_admin_done_decode(cs_span_make(got->body, got->n),
					     &done, NULL));
	assert_true(cs_span_equal_str(done.code, "ALREADY_REVOKED"));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM revocation"),
			 1);
	assert_int_equal(
		cs_house_number(&h, "SELECT count(*) FROM leaf WHERE kind = 6"),
		1);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void refuses_what_cannot_be_revoked(void **state)
{
	static const uint8_t stranger[] = {0x5b, 0xff, 0xff};
	struct cs_house h;
	struct cs_msg_admin_done done;
	uint8_t a[CS_MAX_SERIAL];
	struct cs_span serial, ca;
	struct cs_stmt s;
	bool row = false;

	(void)state;
	cs_house_open(&h);
	serial = issue(&h, a);
	assert_false(revoke(&h, cs_span_make(stranger, sizeof(stranger)),
			    CS_REASON_UNSPECIFIED, &done));
	assert_true(cs_span_equal_str(done.code, "NOT_FOUND"));
	s = cs_stmt_text(h.look, "SELECT serial FROM attempt"
				 " WHERE request IS NULL LIMIT 1");
	assert_true(cs_stmt_step(&s, &row, NULL) && row);
	ca = cs_stmt_col(&s, 0);
	assert_false(revoke(&h, ca, CS_REASON_UNSPECIFIED, &done));
	assert_true(cs_span_equal_str(done.code, "CA_CERTIFICATE"));
	cs_stmt_end(&s);
	h.wall_ms += (int64_t)10 * 365 * 86400 * 1000;
	h.boot_ms += (int64_t)10 * 365 * 86400 * 1000;
	assert_false(revoke(&h, serial, CS_REASON_UNSPECIFIED, &done));
	assert_true(cs_span_equal_str(done.code, "CERTIFICATE_EXPIRED"));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM revocation"),
			 0);
	cs_house_verify(&h);
	cs_house_done(&h);
}

/* A signature may exist that nobody recorded: Boulder's rule. */
static void revokes_what_has_no_certificate_yet_or_never(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	struct cs_error err = {0};
	struct cs_stmt s;
	uint8_t a[CS_MAX_SERIAL];
	struct cs_span serial;
	bool row = false;

	(void)state;
	cs_house_open(&h);
	h.signing = CS_FAKE_HOLDS;
	(void)cs_house_ask(&h, &(struct cs_ask){.key = "under way"});
	assert_true(cs_house_wait(&h, CS_MSG_SIGN, 1));
	s = cs_stmt_text(h.look, "SELECT serial FROM attempt"
				 " ORDER BY seq DESC LIMIT 1");
	assert_true(cs_stmt_step(&s, &row, NULL) && row);
	serial = cs_stmt_col(&s, 0);
	memcpy(a, serial.p, serial.n);
	serial.p = a;
	cs_stmt_end(&s);
	assert_true(revoke(&h, serial, CS_REASON_UNSPECIFIED, &done));
	cs_house_crash(&h);
	h.signing = CS_FAKE_SIGNS;
	if (!cs_house_start(&h, &err))
		fail_msg("%s", err.text);
	cs_house_turn(&h, 50);
	/* Abandoned at the start, and revoked all the same. */
	assert_int_equal(cs_house_number(&h,
					 "SELECT count(*) FROM revocation AS v"
					 " JOIN outcome AS o ON o.seq = v.seq"
					 " WHERE o.signature IS NULL"),
			 1);
	assert_true(revoke(&h, serial, CS_REASON_UNSPECIFIED, &done));
	/* And one that was abandoned before. */
	h.signing = CS_FAKE_REFUSES;
	(void)cs_house_ask_wait(&h, &(struct cs_ask){0},
				&(struct cs_msg_answer){0});
	s = cs_stmt_text(h.look, "SELECT a.serial FROM attempt AS a JOIN"
				 " outcome AS o ON o.seq = a.seq WHERE"
				 " o.signature IS NULL ORDER BY a.seq DESC"
				 " LIMIT 1");
	assert_true(cs_stmt_step(&s, &row, NULL) && row);
	assert_true(revoke(&h, cs_stmt_col(&s, 0), CS_REASON_KEY_COMPROMISE,
			   &done));
	cs_stmt_end(&s);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_compromised_key_is_certified_no_more(void **state)
{
	struct cs_error err = {0};
	struct cs_house h;
	struct cs_msg_admin_done done;
	struct cs_msg_answer m;
	uint8_t a[CS_MAX_SERIAL];
	struct cs_span serial;
	struct cs_ask ask = {.spki = 77};

	(void)state;
	cs_house_open(&h);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	memcpy(a, m.serial.p, m.serial.n);
	serial = cs_span_make(a, m.serial.n);
	ask.spki = 78;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	assert_true(revoke(&h, m.serial, CS_REASON_SUPERSEDED, &done));
	assert_true(revoke(&h, serial, CS_REASON_KEY_COMPROMISE, &done));
	/* Another reason says nothing of the key. */
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	ask.spki = 77;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_REFUSED);
	assert_true(holds(m.body, "\"code\":\"KEY_COMPROMISED\""));
	assert_true(holds(m.body, "Make a new key and CSR"));
	ask.flags = CS_REQ_DRY_RUN;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_DRY_RUN);
	assert_true(holds(m.body, "KEY_COMPROMISED"));
	/* Also behind a start. */
	cs_house_crash(&h);
	assert_true(cs_house_start(&h, &err));
	assert_true(cs_house_wait(&h, CS_MSG_STATE, 1));
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_DRY_RUN);
	assert_true(holds(m.body, "KEY_COMPROMISED"));
	cs_house_verify(&h);
	cs_house_done(&h);
}

/* As if it had been certified for the same so often; not verifiable. */
static void use_key(struct cs_house *h, uint64_t spki, unsigned times)
{
	char sql[400];
	sqlite3 *db;

	(void)snprintf(sql, sizeof(sql),
		       "PRAGMA foreign_keys = OFF; WITH RECURSIVE n(i) AS"
		       " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
		       " INSERT INTO key_use SELECT u.spki, u.subject_key,"
		       " 1000 + i FROM n JOIN (SELECT * FROM key_use WHERE"
		       " substr(spki, 1, 1) = x'%02x' LIMIT 1) AS u",
		       times, (unsigned)spki);
	assert_int_equal(sqlite3_open(h->db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* What all statements of the ledger have cost since the last time. */
static int steps(struct cs_house *h)
{
	sqlite3 *db = cs_db_handle(h->ledger->db);
	int sum = 0;

	for (sqlite3_stmt *s = sqlite3_next_stmt(db, NULL); s != NULL;
	     s = sqlite3_next_stmt(db, s))
		sum += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 1);
	return sum;
}

static void what_a_key_was_used_for_costs_its_next_use_nothing(void **state)
{
	const struct cs_limit other = {
		CS_LIMIT_KEY_OTHER_SUBJECT, 0, 0,
		CS_SPAN_LIT("web/key.reuse.other_subject"), CS_SPAN_LIT("")};
	CS_CLEANUP(cs_buf_done) struct cs_buf limits = {0};
	struct cs_ask ask = {.spki = 77, .subject = 128};
	struct cs_house h;
	struct cs_msg_answer m;
	struct cs_error err = {0};
	int cost;

	(void)state;
	cs_house_open(&h);
	cs_buf_init(&limits, 100);
	cs_limit_put(&limits, &other);
	ask.limits = cs_buf_span(&limits);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	(void)steps(&h);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	cost = steps(&h);
	cs_house_crash(&h);
	use_key(&h, 77, 20000);
	if (!cs_house_start(&h, &err))
		fail_msg("%s", err.text);
	assert_true(cs_house_wait(&h, CS_MSG_STATE, 1));
	(void)steps(&h);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	assert_in_range(steps(&h), 1, 2 * cost);
	/* Whoever else asks for it is found on either side. */
	ask.subject = 1;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_REFUSED);
	ask.subject = 255;
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_REFUSED);
	cs_house_done(&h);
}

static void who_may_is_asked_in_the_transaction(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	uint8_t a[CS_MAX_SERIAL];
	struct cs_span serial;

	(void)state;
	cs_house_open(&h);
	serial = issue(&h, a);
	cs_house_change(&h,
			"{\"credential\":{\"digest\":"
			"\"71112233445566778899aabbccddeeff"
			"00112233445566778899aabbccddeeff\",\"kind\":\"token\","
			"\"token_id\":\"t1\"},\"issuers\":[\"other\"],"
			"\"name\":\"desk\",\"op\":\"add\","
			"\"rights\":[\"revoke\"]}",
			&done);
	assert_int_equal(done.ok, 1);
	/* gw (3) may not at all, desk (4) not for this issuer. */
	assert_false(revoke_by(&h, 3, serial, 1, "", &done));
	assert_true(cs_span_equal_str(done.code, "FORBIDDEN"));
	assert_false(revoke_by(&h, 3, CS_SPAN_LIT("no such"), 1, "", &done));
	assert_true(cs_span_equal_str(done.code, "FORBIDDEN"));
	assert_false(revoke_by(&h, 4, serial, 1, "", &done));
	assert_true(cs_span_equal_str(done.code, "FORBIDDEN"));
	assert_true(holds(done.detail, "does not cover this issuer"));
	assert_false(revoke_by(&h, 0, serial, 1, "", &done));
	assert_false(revoke_by(&h, 99, serial, 1, "", &done));
	cs_house_change(&h, "{\"name\":\"desk\",\"op\":\"remove\"}", &done);
	cs_house_change(&h,
			"{\"credential\":{\"digest\":"
			"\"71112233445566778899aabbccddeeff"
			"00112233445566778899aabbccddee11\",\"kind\":\"token\","
			"\"token_id\":\"t2\"},\"issuers\":[\"default\"],"
			"\"name\":\"desk\",\"op\":\"add\","
			"\"rights\":[\"revoke\"]}",
			&done);
	assert_int_equal(done.ok, 1);
	assert_false(revoke_by(&h, 4, serial, 1, "", &done));
	assert_true(revoke_by(&h, 5, serial, 1, "", &done));
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void nothing_is_revoked_at_a_time_that_is_not_trusted(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	uint8_t a[CS_MAX_SERIAL];
	struct cs_span serial;

	(void)state;
	cs_house_open(&h);
	serial = issue(&h, a);
	h.ledger->clock_bad = true;
	assert_false(revoke(&h, serial, 1, &done));
	assert_true(cs_span_equal_str(done.code, "CLOCK_NOT_TRUSTED"));
	h.ledger->clock_bad = false;
	h.ledger->split = true;
	assert_false(revoke(&h, serial, 1, &done));
	assert_true(cs_span_equal_str(done.code, "SPLIT_VIEW"));
	h.ledger->split = false;
	assert_true(revoke(&h, serial, 1, &done));
	cs_house_done(&h);
}

static void a_start_tells_front_what_has_not_ended(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	struct cs_msg_revoked told;
	struct cs_error err = {0};
	uint8_t a[3][CS_MAX_SERIAL];
	const struct cs_got *got;
	size_t before;

	(void)state;
	cs_house_open(&h);
	for (int i = 0; i < 3; i++)
		assert_true(revoke(&h, issue(&h, a[i]), CS_REASON_SUPERSEDED,
				   &done));
	cs_house_crash(&h);
	before = cs_house_count(&h, CS_MSG_REVOKED);
	if (!cs_house_start(&h, &err))
		fail_msg("%s", err.text);
	assert_true(cs_house_wait(&h, CS_MSG_REVOKED, before + 1));
	got = cs_house_last(&h, CS_MSG_REVOKED);
	assert_true(cs_msg_revoked_decode(cs_span_make(got->body, got->n),
					  &told, NULL));
	assert_int_equal(told.keys.n, 3 * CS_REVOKED_KEY);
	cs_house_crash(&h);
	h.wall_ms += (int64_t)10 * 365 * 86400 * 1000;
	before = cs_house_count(&h, CS_MSG_REVOKED);
	if (!cs_house_start(&h, &err))
		fail_msg("%s", err.text);
	assert_true(cs_house_wait(&h, CS_MSG_STATE, 1));
	assert_int_equal(cs_house_count(&h, CS_MSG_REVOKED), before);
	cs_house_done(&h);
}

/* Does the last REVOKED have this many keys? */
static void assert_told(struct cs_house *h, size_t before, size_t n)
{
	const struct cs_got *got;
	struct cs_msg_revoked told;

	assert_true(cs_house_wait(h, CS_MSG_REVOKED, before + 1));
	got = cs_house_last(h, CS_MSG_REVOKED);
	assert_true(cs_msg_revoked_decode(cs_span_make(got->body, got->n),
					  &told, NULL));
	assert_int_equal(told.keys.n, n * CS_REVOKED_KEY);
}

/* What had ended by a clock that was ahead has not ended by the right one. */
static void front_is_told_again_when_the_clock_is_set_back(void **state)
{
	const int64_t ahead = (int64_t)10 * 365 * 86400 * 1000;
	const struct cs_msg_clock_accept m = {.credential = 1, .uid = 0};
	struct cs_house h;
	struct cs_msg_admin_done done;
	struct cs_error err = {0};
	uint8_t a[CS_MAX_SERIAL];
	size_t before;

	(void)state;
	cs_house_open(&h);
	assert_true(revoke(&h, issue(&h, a), CS_REASON_SUPERSEDED, &done));
	cs_house_crash(&h);
	h.wall_ms += ahead;
	before = cs_house_count(&h, CS_MSG_REVOKED);
	if (!cs_house_start(&h, &err))
		fail_msg("%s", err.text);
	cs_house_pass(&h, 1000);
	assert_int_equal(cs_house_count(&h, CS_MSG_REVOKED), before);
	/* As soon as that is noticed, for reading goes on; and accepted. */
	h.wall_ms -= ahead;
	assert_told(&h, before, 1);
	assert_true(cs_link_send_clock_accept(h.front, ++h.ticket, &m, NULL));
	assert_told(&h, before + 1, 1);
	cs_house_done(&h);
}

/* What front had recognised when the certificate was revoked. */
static void who_comes_by_a_revoked_certificate_is_refused(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	struct cs_msg_answer m;
	struct cs_msg_revoke own = {.reason = 1, .credential = 1, .uid = -1};
	struct cs_ask ask = {0};
	uint8_t a[2][CS_MAX_SERIAL];
	size_t before;

	(void)state;
	cs_house_open(&h);
	ask.shown = issue(&h, a[0]);
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	own.serial = ask.shown;
	before = cs_house_count(&h, CS_MSG_ADMIN_DONE);
	assert_true(cs_link_send_revoke(h.front, ++h.ticket, &own, NULL));
	assert_true(cs_house_wait(&h, CS_MSG_ADMIN_DONE, before + 1));
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_FORBIDDEN);
	assert_true(holds(m.detail, "certificate"));
	/* A refusal is not recorded for it either, and nothing administered. */
	ask.code = "NO";
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_FORBIDDEN);
	own.serial = issue(&h, a[1]);
	own.shown = ask.shown;
	before = cs_house_count(&h, CS_MSG_ADMIN_DONE);
	assert_true(cs_link_send_revoke(h.front, ++h.ticket, &own, NULL));
	assert_true(cs_house_wait(&h, CS_MSG_ADMIN_DONE, before + 1));
	assert_true(cs_msg_admin_done_decode(
		cs_span_make(cs_house_last(&h, CS_MSG_ADMIN_DONE)->body,
			     cs_house_last(&h, CS_MSG_ADMIN_DONE)->n),
		&done, NULL));
	assert_int_equal(done.ok, 0);
	assert_true(cs_span_equal_str(done.code, "FORBIDDEN"));
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM revocation"),
			 1);
	/* Another one's certificate says nothing of this. */
	ask = (struct cs_ask){.shown = CS_SPAN_LIT("\x5b\x01")};
	assert_int_equal(cs_house_ask_wait(&h, &ask, &m), CS_ANSWER_ISSUED);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void ends_the_link_at_a_reason_that_is_none(void **state)
{
	static const uint32_t reasons[] = {2, 6, 7, 8, 10, 11, 0xffffffff};
	struct cs_msg_revoke m = {.serial = CS_SPAN_LIT("x"), .uid = 0};
	struct cs_error err = {0};
	struct cs_buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		cs_buf_init(&b, 1000);
		m.reason = reasons[i];
		cs_msg_revoke_encode(&m, &b);
		assert_null(cs_ledger_work_new(CS_MSG_REVOKE, 1,
					       cs_buf_span(&b), &err));
		assert_int_equal(err.code, CS_E_PROTOCOL);
		cs_buf_done(&b);
	}
}

static void files_terms_by_which_it_is_found(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	uint8_t a[CS_MAX_SERIAL];

	(void)state;
	cs_house_open(&h);
	assert_true(revoke(&h, issue(&h, a), CS_REASON_SUPERSEDED, &done));
	cs_house_pass(&h, 1000);
	assert_int_equal(
		cs_house_number(&h, "SELECT count(*) FROM term AS t JOIN"
				    " revocation AS v ON v.leaf = t.leaf WHERE"
				    " (t.field = 18 AND t.value = v.serial) OR"
				    " (t.field = 7 AND t.value ="
				    " CAST('_local' AS BLOB))"),
		2);
	cs_house_verify(&h);
	cs_house_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_a_row_and_its_leaf_before_it_answers),
		cmocka_unit_test(says_the_same_again_and_keeps_what_stands),
		cmocka_unit_test(two_in_one_batch_are_one),
		cmocka_unit_test(refuses_what_cannot_be_revoked),
		cmocka_unit_test(revokes_what_has_no_certificate_yet_or_never),
		cmocka_unit_test(a_compromised_key_is_certified_no_more),
		cmocka_unit_test(
			what_a_key_was_used_for_costs_its_next_use_nothing),
		cmocka_unit_test(who_may_is_asked_in_the_transaction),
		cmocka_unit_test(
			nothing_is_revoked_at_a_time_that_is_not_trusted),
		cmocka_unit_test(a_start_tells_front_what_has_not_ended),
		cmocka_unit_test(
			front_is_told_again_when_the_clock_is_set_back),
		cmocka_unit_test(who_comes_by_a_revoked_certificate_is_refused),
		cmocka_unit_test(ends_the_link_at_a_reason_that_is_none),
		cmocka_unit_test(files_terms_by_which_it_is_found),
	};

	return cs_test_run("store/ledger_revoke", tests);
}
