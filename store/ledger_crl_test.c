/* CRLs, as the ledger has them signed and records them. */
#include <tests/lib/test.h>

#include <string.h>

#include <sqlite3.h>

#include "base/crl.h"
#include "store/ledger_crl.h"
#include <tests/lib/ledger_house.h>

#define HOUR ((int64_t)3600 * 1000)
#define DAY  (24 * HOUR)

/* Leaves of the kind crl.signed. */
#define SIGNED "SELECT count(*) FROM leaf WHERE kind = 12"

/* Does the text stand in these bytes? */
static bool holds(struct cs_span bytes, const char *text)
{
	return memmem(bytes.p, bytes.n, text, strlen(text)) != NULL;
}

/* A house whose issuer default has so many shards and a URL, or one none. */
static void open_house(struct cs_house *h, uint32_t shards)
{
	cs_house_create(h);
	h->issuers[0].crl_shards = shards == 0 ? 1 : shards;
	if (shards > 0)
		h->issuers[0].crl_base = "http://crl.example/crl/default";
	cs_house_furnish(h);
}

/* CRL_PUBLISH by the local administrator; NULL: do not wait. */
static void publish(struct cs_house *h, const char *issuer,
		    struct cs_msg_admin_done *done)
{
	const struct cs_msg_crl_publish m = {
		.issuer = cs_span_str(issuer), .credential = 1, .uid = 0};
	size_t before = cs_house_count(h, CS_MSG_ADMIN_DONE);
	const struct cs_got *got;

	assert_true(cs_link_send_crl_publish(h->front, ++h->ticket, &m, NULL));
	if (done == NULL)
		return;
	assert_true(cs_house_wait(h, CS_MSG_ADMIN_DONE, before + 1));
	got = cs_house_last(h, CS_MSG_ADMIN_DONE);
	assert_int_equal(got->ticket, h->ticket);
	assert_true(cs_msg_admin_done_decode(cs_span_make(got->body, got->n),
					     done, NULL));
}

/* Issue and revoke one; its serial. */
static struct cs_span revoke_new(struct cs_house *h,
				 uint8_t serial[CS_MAX_SERIAL])
{
	size_t before = cs_house_count(h, CS_MSG_ADMIN_DONE);
	struct cs_msg_revoke m = {.reason = 1, .credential = 1, .uid = 0};
	struct cs_msg_answer a;

	assert_int_equal(cs_house_ask_wait(h, &(struct cs_ask){0}, &a),
			 CS_ANSWER_ISSUED);
	memcpy(serial, a.serial.p, a.serial.n);
	m.serial = cs_span_make(serial, a.serial.n);
	assert_true(cs_link_send_revoke(h->front, ++h->ticket, &m, NULL));
	assert_true(cs_house_wait(h, CS_MSG_ADMIN_DONE, before + 1));
	return m.serial;
}

/* How many entries a list has, and whether this serial is one of them. */
static size_t entries_of(const struct cs_msg_crl_sign *m, struct cs_span serial,
			 bool *ret_there)
{
	struct cs_crl_entry e;
	struct cs_span list = m->entries;
	bool more = true;
	size_t n = 0;

	*ret_there = false;
	for (;;) {
		assert_true(cs_crl_entry_next(&list, &e, &more, NULL));
		if (!more)
			return n;
		n++;
		*ret_there = *ret_there || cs_span_equal(e.serial, serial);
	}
}

/* The last CRL_SIGN that came. */
static struct cs_msg_crl_sign last_asked(struct cs_house *h)
{
	const struct cs_got *got = cs_house_last(h, CS_MSG_CRL_SIGN);
	struct cs_msg_crl_sign m;

	assert_non_null(got);
	assert_true(cs_msg_crl_sign_decode(cs_span_make(got->body, got->n), &m,
					   NULL));
	return m;
}

static void restart(struct cs_house *h)
{
	struct cs_error err = {0};

	if (!cs_house_start(h, &err))
		fail_msg("%s", err.text);
}

/* -- tests ---------------------------------------------------------------- */

static void an_issuer_with_a_url_has_its_crls_after_the_start(void **state)
{
	struct cs_house h;

	(void)state;
	open_house(&h, 4);
	cs_house_turn(&h, 1200);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM crl"), 4);
	assert_int_equal(cs_house_number(&h, SIGNED), 4);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM crl_asked"),
			 0);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM crl AS c"
					     " JOIN issuer AS i ON"
					     " i.id = c.issuer WHERE"
					     " i.name = 'default' AND"
					     " c.next_update_s ="
					     " c.this_update_s + 7 * 86400"),
			 4);
	/* Four in one round: two transactions for all of them. */
	assert_int_equal(cs_house_number(&h, "SELECT count(DISTINCT tree_size)"
					     " FROM leaf WHERE kind = 12"),
			 1);
	/* A start finds them, and has nothing to do. */
	cs_house_verify(&h);
	cs_house_crash(&h);
	restart(&h);
	cs_house_turn(&h, 1200);
	assert_int_equal(cs_house_number(&h, SIGNED), 4);
	cs_house_done(&h);
}

static void without_a_url_there_is_none_before_somebody_asks(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;

	(void)state;
	open_house(&h, 0);
	cs_house_turn(&h, 1200);
	assert_int_equal(cs_house_number(&h, SIGNED), 0);
	publish(&h, "nobody", &done);
	assert_int_equal(done.ok, 0);
	assert_true(cs_span_equal_str(done.code, "NOT_FOUND"));
	publish(&h, "default", &done);
	assert_int_equal(done.ok, 1);
	assert_true(holds(done.body, "{\"items\":[{\"entries\":0,"
				     "\"generation\":1,\"issuer\":\"default\","
				     "\"next_update\":\"2023-11-21T"));
	assert_true(holds(done.body, "\"total\":1}"));
	/* At once, and for both. */
	publish(&h, "", &done);
	assert_int_equal(done.ok, 1);
	assert_true(holds(done.body, "\"total\":2}"));
	assert_int_equal(cs_house_number(&h, SIGNED), 3);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_new_one_comes_a_day_after_the_last(void **state)
{
	struct cs_house h;
	int64_t first;

	(void)state;
	open_house(&h, 1);
	cs_house_turn(&h, 1200);
	assert_int_equal(cs_house_number(&h, SIGNED), 1);
	first = cs_house_number(&h, "SELECT number FROM crl");
	cs_house_pass(&h, DAY - 2000);
	assert_int_equal(cs_house_number(&h, SIGNED), 1);
	cs_house_pass(&h, 2000);
	assert_int_equal(cs_house_number(&h, SIGNED), 2);
	assert_true(cs_house_number(&h, "SELECT number FROM crl") > first);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM crl WHERE"
					     " regular_s = this_update_s"),
			 1);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_crash_burns_the_number_and_nothing_else(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	uint64_t burnt;

	(void)state;
	open_house(&h, 0);
	h.signing = CS_FAKE_HOLDS;
	publish(&h, "default", NULL);
	assert_true(cs_house_wait(&h, CS_MSG_CRL_SIGN, 1));
	burnt = last_asked(&h).number;
	assert_int_equal(cs_house_number(&h, "SELECT number FROM crl_asked"),
			 (int64_t)burnt);
	cs_house_crash(&h);
	h.signing = CS_FAKE_SIGNS;
	restart(&h);
	cs_house_verify(&h);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM crl"), 0);
	publish(&h, "default", &done);
	assert_int_equal(done.ok, 1);
	/* The clock of this house stands still, and still it goes up. */
	assert_int_equal(cs_house_number(&h, "SELECT number FROM crl"),
			 (int64_t)burnt + 1);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM crl_asked"),
			 0);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_signer_that_refuses_is_asked_again_a_minute_later(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;

	(void)state;
	open_house(&h, 0);
	h.signing = CS_FAKE_REFUSES;
	publish(&h, "default", &done);
	assert_int_equal(done.ok, 0);
	assert_true(cs_span_equal_str(done.code, "CRL_REFUSED"));
	assert_true(holds(done.detail, "no key for that"));
	assert_true(holds(cs_span_str(cs_ledger_crl_trouble(h.ledger)),
			  "CRL 0 of issuer default: no key for that"));
	h.signing = CS_FAKE_SIGNS;
	cs_house_turn(&h, 1200);
	assert_int_equal(cs_house_number(&h, SIGNED), 0);
	cs_house_pass(&h, 61000);
	assert_int_equal(cs_house_number(&h, SIGNED), 1);
	assert_string_equal(cs_ledger_crl_trouble(h.ledger), "");
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void none_is_signed_while_the_clock_is_not_trusted(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;

	(void)state;
	open_house(&h, 0);
	h.wall_ms += HOUR;
	cs_house_turn(&h, 1200);
	publish(&h, "default", &done);
	assert_int_equal(done.ok, 0);
	assert_true(cs_span_equal_str(done.code, "CLOCK_NOT_TRUSTED"));
	assert_int_equal(cs_house_count(&h, CS_MSG_CRL_SIGN), 0);
	cs_house_done(&h);
}

static void none_is_signed_outside_the_cas_validity(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	struct cs_error err = {0};

	(void)state;
	open_house(&h, 0);
	cs_house_crash(&h);
	h.issuers[0].crl_base = NULL;
	h.issuers[0].not_before_s = 1;
	h.issuers[0].not_after_s = h.wall_ms / 1000 - 1;
	assert_true(cs_house_start(&h, &err));
	publish(&h, "default", &done);
	assert_int_equal(done.ok, 0);
	assert_true(cs_span_equal_str(done.code, "CONFLICT"));
	publish(&h, "", &done);
	assert_int_equal(done.ok, 1);
	assert_true(holds(done.body, "\"total\":1}"));
	cs_house_done(&h);
}

static void who_waits_is_told_when_it_stops(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	const struct cs_got *got;

	(void)state;
	open_house(&h, 0);
	h.signing = CS_FAKE_HOLDS;
	publish(&h, "default", NULL);
	assert_true(cs_house_wait(&h, CS_MSG_CRL_SIGN, 1));
	assert_int_equal(cs_house_stop(&h), 0);
	got = cs_house_last(&h, CS_MSG_ADMIN_DONE);
	assert_non_null(got);
	assert_true(cs_msg_admin_done_decode(cs_span_make(got->body, got->n),
					     &done, NULL));
	assert_int_equal(done.ok, 0);
	assert_true(cs_span_equal_str(done.code, "STOPPING"));
	cs_house_done(&h);
}

static void what_is_revoked_is_on_a_crl_soon(void **state)
{
	struct cs_house h;
	struct cs_msg_crl_sign m;
	uint8_t serial[3][CS_MAX_SERIAL];
	struct cs_span one = {0};
	size_t before;
	bool there;

	(void)state;
	open_house(&h, 1);
	cs_house_turn(&h, 1200);
	cs_house_pass(&h, 10000);
	before = cs_house_count(&h, CS_MSG_CRL_SIGN);
	for (int i = 0; i < 3; i++)
		one = revoke_new(&h, serial[i]);
	assert_true(cs_house_wait(&h, CS_MSG_CRL_SIGN, before + 1));
	cs_house_turn(&h, 1200);
	/* Three revocations, one CRL. */
	assert_int_equal(cs_house_count(&h, CS_MSG_CRL_SIGN), before + 1);
	m = last_asked(&h);
	assert_int_equal(entries_of(&m, one, &there), 3);
	assert_true(there);
	assert_int_equal(cs_house_number(&h, "SELECT entries FROM crl"), 3);
	/* Everything below `covers` is on it. */
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM revocation"
					     " WHERE leaf < (SELECT covers"
					     " FROM crl)"),
			 3);
	/* It was signed out of turn. */
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM crl WHERE"
					     " regular_s < this_update_s"),
			 1);
	/* The next one rests a while. */
	(void)revoke_new(&h, serial[0]);
	cs_house_turn(&h, 2200);
	assert_int_equal(cs_house_count(&h, CS_MSG_CRL_SIGN), before + 1);
	cs_house_pass(&h, 4000);
	assert_int_equal(cs_house_count(&h, CS_MSG_CRL_SIGN), before + 2);
	cs_house_verify(&h);
	cs_house_done(&h);
}

/* RFC 5280 3.3: "until it appears on one regularly scheduled CRL" beyond */
static void an_entry_stays_for_one_regular_crl_behind_its_end(void **state)
{
	struct cs_house h;
	struct cs_msg_crl_sign m;
	struct cs_msg_admin_done done;
	uint8_t bytes[CS_MAX_SERIAL];
	struct cs_span serial;
	bool there;

	(void)state;
	open_house(&h, 1);
	cs_house_turn(&h, 1200);
	serial = revoke_new(&h, bytes);
	cs_house_pass(&h, 4000);
	m = last_asked(&h);
	assert_int_equal(entries_of(&m, serial, &there), 1);
	cs_house_pass(&h, cs_house_number(&h, "SELECT max(not_after_s)"
					      " FROM revocation") *
					  1000 -
				  h.wall_ms + 1000);
	/* The regular one behind its end, and what comes out of turn. */
	m = last_asked(&h);
	assert_true(m.this_update_s * 1000 >= h.wall_ms);
	assert_int_equal(entries_of(&m, serial, &there), 1);
	cs_house_pass(&h, HOUR);
	publish(&h, "default", &done);
	m = last_asked(&h);
	assert_int_equal(entries_of(&m, serial, &there), 0);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_crash_loses_no_revocation(void **state)
{
	struct cs_house h;
	struct cs_msg_crl_sign m;
	uint8_t bytes[2][CS_MAX_SERIAL];
	struct cs_span serial;
	bool there;

	(void)state;
	open_house(&h, 0);
	(void)revoke_new(&h, bytes[0]);
	cs_house_turn(&h, 1200);
	assert_int_equal(cs_house_number(&h, "SELECT entries FROM crl"), 1);
	serial = revoke_new(&h, bytes[1]);
	cs_house_crash(&h);
	h.boot_ms += 10000;
	h.wall_ms += 10000;
	restart(&h);
	cs_house_turn(&h, 1200);
	m = last_asked(&h);
	assert_int_equal(entries_of(&m, serial, &there), 2);
	assert_true(there);
	assert_int_equal(cs_house_number(&h, "SELECT entries FROM crl"), 2);
	cs_house_verify(&h);
	cs_house_done(&h);
}

static void a_full_disk_loses_no_crl(void **state)
{
	struct cs_house h;
	struct cs_msg_answer m;
	size_t asked = 0;
	char sql[64];

	(void)state;
	open_house(&h, 0);
	h.signing = CS_FAKE_HOLDS;
	publish(&h, "default", NULL);
	assert_true(cs_house_wait(&h, CS_MSG_CRL_SIGN, 1));
	(void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld",
		       (long long)cs_house_number(&h, "PRAGMA page_count"));
	assert_true(cs_db_exec(h.ledger->db, sql, NULL));
	/* Rows fill what is left of the pages. */
	do {
		(void)cs_house_ask_wait(&h, &(struct cs_ask){.code = "NO"}, &m);
		assert_true(++asked < 100);
	} while (m.outcome != CS_ANSWER_BUSY);
	cs_house_sign(&h);
	cs_house_turn(&h, 1300);
	assert_int_equal(cs_house_number(&h, SIGNED), 0);
	assert_true(cs_db_exec(h.ledger->db, "PRAGMA max_page_count = 100000",
			       NULL));
	/* The CRL was kept in memory: nobody signs twice. */
	cs_house_turn(&h, 2300);
	assert_int_equal(cs_house_number(&h, SIGNED), 1);
	assert_int_equal(cs_house_count(&h, CS_MSG_CRL_SIGN), 1);
	cs_house_verify(&h);
	cs_house_done(&h);
}

/* CLOCK_ACCEPT by the local administrator. */
static void accept_clock(struct cs_house *h)
{
	const struct cs_msg_clock_accept m = {.credential = 1, .uid = 0};
	size_t before = cs_house_count(h, CS_MSG_ADMIN_DONE);

	assert_true(cs_link_send_clock_accept(h->front, ++h->ticket, &m, NULL));
	assert_true(cs_house_wait(h, CS_MSG_ADMIN_DONE, before + 1));
}

/* A start with a clock that is a year ahead, which nobody notices. */
static void a_clock_that_was_ahead_hides_no_revocation(void **state)
{
	struct cs_house h;
	struct cs_msg_crl_sign m;
	uint8_t bytes[CS_MAX_SERIAL];
	struct cs_span serial;
	size_t before;
	bool there;

	(void)state;
	open_house(&h, 1);
	cs_house_turn(&h, 1200);
	serial = revoke_new(&h, bytes);
	cs_house_pass(&h, 4000);
	cs_house_crash(&h);
	h.wall_ms += 365 * DAY;
	restart(&h);
	cs_house_turn(&h, 1200);
	m = last_asked(&h);
	assert_int_equal(m.this_update_s, h.wall_ms / 1000);
	assert_int_equal(entries_of(&m, serial, &there), 1);
	/* The clock is right again: the year's CRL is not in force yet. */
	h.wall_ms -= 365 * DAY;
	before = cs_house_count(&h, CS_MSG_CRL_SIGN);
	cs_house_turn(&h, 1200);
	assert_int_equal(cs_house_count(&h, CS_MSG_CRL_SIGN), before);
	accept_clock(&h);
	cs_house_pass(&h, 4000);
	assert_int_equal(cs_house_count(&h, CS_MSG_CRL_SIGN), before + 1);
	m = last_asked(&h);
	assert_true(m.this_update_s <= h.wall_ms / 1000);
	assert_int_equal(entries_of(&m, serial, &there), 1);
	assert_true(there);
	/* That was a regular one, and a day later comes the next. */
	cs_house_pass(&h, DAY + 4000);
	assert_int_equal(cs_house_count(&h, CS_MSG_CRL_SIGN), before + 2);
	m = last_asked(&h);
	assert_int_equal(entries_of(&m, serial, &there), 1);
	cs_house_done(&h);
}

/* Another certificate of issuer default's CA, put in its place by hand. */
static void exchange_certificate(struct cs_house *h)
{
	const uint8_t serial[] = {0x02, 0x01, 17};
	uint8_t *at = memmem(h->certificate[0], h->issuers[0].certificate.n,
			     serial, sizeof(serial));

	assert_non_null(at);
	at[2] = 99;
}

/*= RFC 5280 5 */
static void a_new_certificate_of_the_same_ca_has_the_revocations_of_the_old(
	void **state)
{
	static const uint32_t shards[] = {1, 0};
	uint8_t bytes[3][CS_MAX_SERIAL];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct cs_house h;
		struct cs_msg_crl_sign m;
		struct cs_span old, late;
		bool there;

		open_house(&h, shards[i]);
		cs_house_turn(&h, 1200);
		old = revoke_new(&h, bytes[0]);
		cs_house_pass(&h, 4000);
		cs_house_crash(&h);
		exchange_certificate(&h);
		restart(&h);
		cs_house_pass(&h, 4000);
		assert_int_equal(cs_house_number(&h,
						 "SELECT max(generation) FROM"
						 " issuer WHERE"
						 " name = 'default'"),
				 2);
		m = last_asked(&h);
		assert_int_equal(entries_of(&m, old, &there), 1);
		assert_true(there);
		/* What the new certificate's CA signs is on the same list. */
		late = revoke_new(&h, bytes[1]);
		cs_house_pass(&h, 4000);
		m = last_asked(&h);
		assert_int_equal(entries_of(&m, late, &there), 2);
		assert_true(there);
		cs_house_verify(&h);
		cs_house_done(&h);
	}
}

/* Also what is revoked when the new one is there already. */
static void a_revocation_of_the_old_generation_makes_a_crl_due(void **state)
{
	struct cs_house h;
	struct cs_msg_crl_sign m;
	struct cs_msg_answer a;
	struct cs_msg_revoke revoke = {.reason = 1, .credential = 1, .uid = 0};
	uint8_t bytes[CS_MAX_SERIAL];
	size_t before;
	bool there;

	(void)state;
	open_house(&h, 1);
	assert_int_equal(cs_house_ask_wait(&h, &(struct cs_ask){0}, &a),
			 CS_ANSWER_ISSUED);
	memcpy(bytes, a.serial.p, a.serial.n);
	revoke.serial = cs_span_make(bytes, a.serial.n);
	cs_house_turn(&h, 1200);
	cs_house_crash(&h);
	exchange_certificate(&h);
	restart(&h);
	cs_house_pass(&h, 4000);
	before = cs_house_count(&h, CS_MSG_CRL_SIGN);
	assert_true(cs_link_send_revoke(h.front, ++h.ticket, &revoke, NULL));
	assert_true(cs_house_wait(&h, CS_MSG_ADMIN_DONE, 1));
	cs_house_pass(&h, 4000);
	assert_int_equal(cs_house_count(&h, CS_MSG_CRL_SIGN), before + 1);
	m = last_asked(&h);
	assert_int_equal(entries_of(&m, revoke.serial, &there), 1);
	assert_true(there);
	cs_house_done(&h);
}

/* As if so many of issuer default's had been revoked; not verifiable. */
static void fill(struct cs_house *h, unsigned n)
{
	char sql[600];
	sqlite3 *db;

	assert_int_equal(sqlite3_open(h->db_path, &db), SQLITE_OK);
	(void)snprintf(sql, sizeof(sql),
		       "PRAGMA foreign_keys = OFF;"
		       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
		       " FROM n WHERE i < %u) INSERT INTO revocation SELECT"
		       " 1000 + i, (SELECT id FROM issuer WHERE"
		       " name = 'default'), 0, CAST(printf('[%%019d', i) AS"
		       " BLOB), 1800000000, 1700000000000, 1, 1, 1, 0, x'',"
		       " x'', -i FROM n",
		       n);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_hundred_thousand_entries_are_one_crl(void **state)
{
	struct cs_house h;
	struct cs_msg_crl_sign m;
	bool there;

	(void)state;
	open_house(&h, 0);
	cs_house_crash(&h);
	fill(&h, 100000);
	restart(&h);
	for (int i = 0; i < 30 && cs_house_number(&h, SIGNED) == 0; i++)
		cs_house_turn(&h, 300);
	m = last_asked(&h);
	assert_int_equal(
		entries_of(&m, CS_SPAN_LIT("[0000000000000100000"), &there),
		100000);
	assert_true(there);
	assert_int_equal(cs_house_number(&h, "SELECT entries FROM crl"),
			 100000);
	assert_string_equal(cs_ledger_crl_trouble(h.ledger), "");
	cs_house_done(&h);
}

static void a_list_that_is_too_long_is_told_and_not_signed(void **state)
{
	struct cs_house h;
	struct cs_msg_admin_done done;
	uint8_t bytes[CS_MAX_SERIAL];

	(void)state;
	open_house(&h, 0);
	cs_house_crash(&h);
	fill(&h, CS_MAX_CRL_ENTRIES + 1);
	restart(&h);
	publish(&h, "default", &done);
	assert_int_equal(done.ok, 0);
	assert_true(cs_span_equal_str(done.code, "CRL_TOO_LARGE"));
	assert_true(holds(done.detail, "more crl_shards"));
	assert_true(holds(cs_span_str(cs_ledger_crl_trouble(h.ledger)),
			  "more than 130000 entries"));
	assert_int_equal(cs_house_count(&h, CS_MSG_CRL_SIGN), 0);
	/* Revoking goes on. */
	(void)revoke_new(&h, bytes);
	assert_int_equal(cs_house_number(&h, "SELECT count(*) FROM revocation"),
			 CS_MAX_CRL_ENTRIES + 2);
	cs_house_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_issuer_with_a_url_has_its_crls_after_the_start),
		cmocka_unit_test(
			without_a_url_there_is_none_before_somebody_asks),
		cmocka_unit_test(a_new_one_comes_a_day_after_the_last),
		cmocka_unit_test(a_crash_burns_the_number_and_nothing_else),
		cmocka_unit_test(
			a_signer_that_refuses_is_asked_again_a_minute_later),
		cmocka_unit_test(none_is_signed_while_the_clock_is_not_trusted),
		cmocka_unit_test(none_is_signed_outside_the_cas_validity),
		cmocka_unit_test(who_waits_is_told_when_it_stops),
		cmocka_unit_test(what_is_revoked_is_on_a_crl_soon),
		cmocka_unit_test(
			an_entry_stays_for_one_regular_crl_behind_its_end),
		cmocka_unit_test(a_crash_loses_no_revocation),
		cmocka_unit_test(a_full_disk_loses_no_crl),
		cmocka_unit_test(a_clock_that_was_ahead_hides_no_revocation),
		cmocka_unit_test(
			a_new_certificate_of_the_same_ca_has_the_revocations_of_the_old),
		cmocka_unit_test(
			a_revocation_of_the_old_generation_makes_a_crl_due),
		cmocka_unit_test(a_hundred_thousand_entries_are_one_crl),
		cmocka_unit_test(
			a_list_that_is_too_long_is_told_and_not_signed),
	};

	return cs_test_run("store/ledger_crl", tests);
}
