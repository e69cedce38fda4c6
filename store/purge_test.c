#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/purge.h"
#include "store/query.h"
#include "store/verify.h"
#include <tests/lib/history.h>

#define DAY_MS	((int64_t)86400 * 1000)
#define YEAR_MS (365 * DAY_MS)

static int64_t wall_ms;

static int64_t now(void *ctx)
{
	(void)ctx;
	return wall_ms;
}

/* What was found first, for a message. */
struct findings {
	unsigned n;
	char first[700];
};

static void found(void *ctx, const struct cs_verify_finding *f)
{
	struct findings *all = ctx;

	if (all->n++ == 0)
		(void)snprintf(all->first, sizeof(all->first), "%s %lld: %s",
			       f->where, (long long)f->row, f->text);
}

static void verify(struct cs_db *db, struct cs_verify_report *report,
		   struct findings *all)
{
	struct cs_verify_config v = {.db = db, .finding = found, .ctx = all};

	*all = (struct findings){.n = 0};
	assert_true(cs_verify_run(&v, report, NULL));
}

/* So many findings, or none. */
static unsigned findings(struct cs_db *db)
{
	struct cs_verify_report report;
	struct findings all;

	verify(db, &report, &all);
	return all.n;
}

static int64_t number(struct cs_db *db, const char *sql)
{
	int64_t n = -1;

	assert_true(cs_db_pragma_int(db, sql, &n, NULL));
	return n;
}

/*
 * A history of which all has ended three years ago, but for what its last
 * leaf is about: leaf 6 issued, 7 to 9 refused, 10 and 11 abandoned and
 * issued, 12 issued, 13 stop, 14 revokes 6, 15 and 16 strangers.
 */
static void make(struct cs_history *h)
{
	cs_history_make(h);
	cs_history_revoke(h, 2, 1);
	cs_history_act(h, CS_LEAF_AUTH_REFUSED, "{\"address\":\"192.0.2.77\"}");
	cs_history_act(h, CS_LEAF_AUTH_REFUSED, "{\"address\":\"192.0.2.78\"}");
	cs_history_file_terms(h);
	wall_ms = h->now_ms + 3 * YEAR_MS;
}

/* What was two years ago and more goes. */
static struct cs_purge_config plan(const struct cs_history *h)
{
	return (struct cs_purge_config){
		.db = h->db,
		.signer = h->signer,
		.clock = {now, now, NULL, NULL},
		.before_ms = wall_ms - 2 * YEAR_MS,
		.retention_s = 2 * YEAR_MS / 1000,
		.uid = 1000,
	};
}

static struct cs_purge_report purge(const struct cs_purge_config *c)
{
	struct cs_purge_report r;
	struct cs_error err = {0};

	if (!cs_purge_run(c, &r, &err))
		fail_msg("%s", err.text);
	return r;
}

static void removes_what_has_ended_and_the_log_stays_whole(
	CS_UNUSED void **state)
{
	struct cs_history h;
	struct cs_verify_report before, after;
	struct cs_purge_report would, did;
	struct cs_purge_config c;
	struct findings all;
	int64_t size;

	make(&h);
	c = plan(&h);
	verify(h.db, &before, &all);
	assert_int_equal(all.n, 0);
	size = number(h.db, "SELECT tree_size FROM meta");
	assert_true(cs_purge_count(&c, &would, NULL));
	assert_int_equal(number(h.db, "SELECT count(*) FROM purged"), 0);
	did = purge(&c);
	assert_int_equal(did.certificates, 3);
	assert_int_equal(did.refusals, 3);
	assert_int_equal(did.others, 2);
	assert_int_equal(did.acts, 1);
	assert_int_equal(did.slices, 1);
	assert_int_equal(did.first_act, size);
	assert_int_equal(would.certificates, did.certificates);
	assert_int_equal(would.refusals, did.refusals);
	assert_int_equal(would.others, did.others);
	assert_int_equal(would.acts, did.acts);
	assert_int_equal(would.octets, did.octets);
	verify(h.db, &after, &all);
	if (all.n > 0)
		fail_msg("%s", all.first);
	assert_int_equal(after.purged, 9);
	assert_int_equal(after.tree_size, before.tree_size + 1);
	/* Once is enough. */
	did = purge(&c);
	assert_int_equal(did.slices, 0);
	assert_int_equal(number(h.db, "SELECT tree_size FROM meta"), size + 1);
	cs_history_done(&h);
}

static void keeps_what_rules_and_answers_need(CS_UNUSED void **state)
{
	struct cs_history h;
	struct cs_purge_config c;

	make(&h);
	c = plan(&h);
	(void)purge(&c);
	/* Serials, keys and revocations are for ever; names are not. */
	assert_int_equal(number(h.db, "SELECT count(DISTINCT serial)"
				      " FROM attempt WHERE length(spki) = 32"),
			 number(h.db, "SELECT count(*) FROM attempt"));
	assert_int_equal(number(h.db, "SELECT count(*) FROM key_use"),
			 number(h.db, "SELECT count(*) FROM attempt"));
	assert_int_equal(number(h.db, "SELECT count(*) FROM revocation"
				      " WHERE reason = 1"),
			 1);
	/* The CA's own entry is found as before. */
	assert_int_equal(number(h.db, "SELECT count(*) FROM term"), 1);
	assert_int_equal(number(h.db, "SELECT count(*) FROM limit_use"), 0);
	assert_int_equal(number(h.db, "SELECT count(*) FROM request"
				      " WHERE idem_key IS NOT NULL"),
			 0);
	/* The last act of a kind stays. */
	assert_int_equal(number(h.db, "SELECT count(*) FROM leaf WHERE kind"
				      " IN (10, 18, 19) AND entry NOT NULL"),
			 3);
	cs_history_done(&h);
}

static void leaves_what_has_not_ended(CS_UNUSED void **state)
{
	struct cs_history h;
	struct cs_purge_config c;
	struct cs_purge_report r;

	make(&h);
	c = plan(&h);
	/* All was decided before that, but certificates live for a day. */
	c.before_ms = h.now_ms + DAY_MS / 2;
	r = purge(&c);
	assert_int_equal(r.certificates, 0);
	assert_int_equal(r.others, 0);
	assert_int_equal(r.refusals, 3);
	assert_int_equal(findings(h.db), 0);
	/* A pending one is never decided by age. */
	cs_history_pending(
		&h, &(struct cs_history_request){.name = "wait.corp.example",
						 .requester = "alice"});
	c = plan(&h);
	(void)purge(&c);
	assert_int_equal(number(h.db, "SELECT count(*) FROM request WHERE"
				      " state = 'pending' AND length(csr) > 0"),
			 1);
	assert_int_equal(findings(h.db), 0);
	cs_history_done(&h);
}

static void leaves_what_a_limit_counts_still(CS_UNUSED void **state)
{
	struct cs_history h;
	struct cs_purge_config c;
	struct cs_purge_report r;

	make(&h);
	wall_ms = h.now_ms + 30000; /* windows of a minute */
	c = plan(&h);
	c.before_ms = h.now_ms + 2 * DAY_MS;
	c.retention_s = 0;
	r = purge(&c);
	assert_int_equal(r.certificates, 0);
	assert_true(r.counted >= 3);
	assert_true(number(h.db, "SELECT count(*) FROM limit_use") > 0);
	cs_history_done(&h);
}

static void goes_slice_by_slice_each_with_its_act(CS_UNUSED void **state)
{
	struct cs_history h;
	struct cs_purge_config c;
	struct cs_purge_report r;

	make(&h);
	c = plan(&h);
	c.slice = 2;
	r = purge(&c);
	assert_int_equal(r.slices, 5);
	assert_int_equal(r.last_act, r.first_act + 4);
	assert_int_equal(r.certificates + r.refusals + r.others + r.acts, 9);
	assert_int_equal(number(h.db, "SELECT count(*) FROM leaf"
				      " WHERE kind = 20"),
			 5);
	assert_int_equal(findings(h.db), 0);
	cs_history_done(&h);
}

static void will_not_purge_by_a_clock_that_went_back(CS_UNUSED void **state)
{
	struct cs_history h;
	struct cs_purge_config c;
	struct cs_purge_report r;
	struct cs_error err;

	make(&h);
	c = plan(&h);
	(void)purge(&c);
	wall_ms -= DAY_MS;
	assert_false(cs_purge_run(&c, &r, &err));
	assert_int_equal(err.code, CS_E_CLOCK);
	cs_history_done(&h);
}

static void nothing_is_emptied_without_its_act(CS_UNUSED void **state)
{
	static const char *const refused[] = {
		"UPDATE leaf SET entry = NULL WHERE idx = 6",
		"UPDATE request SET csr = x'' WHERE n = 1",
		"UPDATE request SET pending_body = NULL WHERE n = 1",
		"UPDATE approval SET reason = NULL",
		"UPDATE attempt SET tbs = x'', body = x'', terms = x'',"
		" inputs = x'', limits = x'' WHERE seq = 2",
		"UPDATE outcome SET signature = x'' WHERE seq = 2",
		"UPDATE refusal SET body = x'', terms = x'', inputs = x''",
		"UPDATE revocation SET body = x'', terms = x''",
		/* Not by an act that was, nor by one that never comes. */
		"INSERT INTO purged (act, idx, kept)"
		" VALUES (13, 6, zeroblob(32))",
		"INSERT INTO purged (act, idx, kept)"
		" SELECT tree_size, 6, zeroblob(32) FROM meta",
	};
	static const char *const after[] = {
		"UPDATE request SET csr = x'01' WHERE n = 1",
		"UPDATE request SET state = 'denied' WHERE n = 1",
		"UPDATE attempt SET serial = x'01' WHERE seq = 2",
		"UPDATE attempt SET not_after_s = 0 WHERE seq = 2",
		"UPDATE outcome SET signature = NULL WHERE seq = 2",
		"UPDATE leaf SET at_ms = 0 WHERE idx = 6",
		"UPDATE revocation SET reason = 0",
		"UPDATE purged SET idx = 3 WHERE idx = 6",
		"DELETE FROM purged",
		"DELETE FROM attempt WHERE seq = 2",
		"UPDATE leaf SET entry = NULL WHERE kind = 20",
	};
	struct cs_history h;
	struct cs_purge_config c;

	make(&h);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (cs_db_exec(h.db, refused[i], NULL))
			fail_msg("went through: %s", refused[i]);
	c = plan(&h);
	(void)purge(&c);
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
		if (cs_db_exec(h.db, after[i], NULL))
			fail_msg("went through: %s", after[i]);
	assert_int_equal(findings(h.db), 0);
	cs_history_done(&h);
}

/* Ask; what is said, or of what the question is refused for the detail. */
static const char *ask(struct cs_questions *q, enum cs_query kind,
		       const char *params, struct cs_question_result *ret)
{
	static char said[20000];
	CS_CLEANUP(cs_buf_done) struct cs_buf body;
	struct cs_question what = {kind, 0, {NULL, 0}, cs_span_str(params)};

	cs_buf_init(&body, sizeof(said));
	assert_true(cs_questions_ask(q, &what, &body, ret, NULL));
	(void)snprintf(said, sizeof(said), "%.*s",
		       CS_SPAN_FMT(ret->found ? cs_buf_span(&body)
					      : cs_span_str(ret->detail)));
	return said;
}

/* {"NAME":"HEX"} of one value in the database, or {"NAME":["HEX"]}. */
static const char *params_of(struct cs_db *db, const char *name,
			     const char *sql, bool list)
{
	static char params[200];
	struct cs_stmt s = cs_stmt_text(db, sql);
	bool row = false;

	assert_true(cs_stmt_step(&s, &row, NULL) && row);
	(void)snprintf(params, sizeof(params), "{\"%s\":%s\"%.*s\"%s}", name,
		       list ? "[" : "", CS_SPAN_FMT(cs_stmt_col(&s, 0)),
		       list ? "]" : "");
	cs_stmt_end(&s);
	return params;
}

static void who_asks_for_it_is_told_when_and_by_which_entry(
	CS_UNUSED void **state)
{
	static const char id[] =
		"SELECT lower(hex(id)) FROM request WHERE n = 1";
	static const char serial[] =
		"SELECT lower(hex(serial)) FROM attempt WHERE seq = 2";
	static const char spki[] =
		"SELECT lower(hex(spki)) FROM attempt WHERE seq = 2";
	const struct cs_clock clock = {now, now, NULL, NULL};
	struct cs_question_result r;
	struct cs_purge_config c;
	struct cs_questions *q;
	struct cs_history h;
	const char *said;

	make(&h);
	c = plan(&h);
	(void)purge(&c);
	q = cs_questions_new(h.db, &clock, 0, NULL);
	assert_non_null(q);
	said = ask(q, CS_QUERY_REQUEST, params_of(h.db, "id", id, false), &r);
	assert_string_equal(r.code, "PURGED");
	assert_non_null(strstr(said, "What entry 6 of the log decided"));
	assert_non_null(strstr(said, "by entry 17."));
	(void)ask(q, CS_QUERY_STORED, params_of(h.db, "id", id, false), &r);
	assert_string_equal(r.code, "PURGED");
	(void)ask(q, CS_QUERY_CERTIFICATE,
		  params_of(h.db, "serial", serial, false), &r);
	assert_string_equal(r.code, "PURGED");
	said = ask(q, CS_QUERY_AUDIT_ENTRY, "{\"index\":6}", &r);
	assert_non_null(strstr(said, "\"entry\":null"));
	assert_non_null(strstr(said, "\"purged\":{\"by\":17,"));
	/* Lists find it by number and key, and not by name. */
	said = ask(q, CS_QUERY_AUDIT, params_of(h.db, "serial", serial, true),
		   &r);
	assert_non_null(strstr(said, "\"index\":6,"));
	said = ask(q, CS_QUERY_CERTIFICATES,
		   params_of(h.db, "spki", spki, true), &r);
	assert_non_null(strstr(said, "\"index\":6,"));
	assert_non_null(strstr(said, "\"purged\""));
	said = ask(q, CS_QUERY_AUDIT, "{\"requester\":[\"alice\"]}", &r);
	assert_null(strstr(said, "\"index\""));
	said = ask(q, CS_QUERY_REQUESTS, "{}", &r);
	assert_non_null(strstr(said, "\"purged\":true"));
	/* Proofs are as they were; entries are not there to be given. */
	(void)ask(q, CS_QUERY_PROOF, "{\"index\":6}", &r);
	assert_true(r.found);
	(void)ask(q, CS_QUERY_ENTRIES, "{\"n\":0,\"width\":10}", &r);
	assert_string_equal(r.code, "PURGED");
	cs_questions_free(q);
	cs_history_done(&h);
}

/* Is this text anywhere in the file? */
static bool file_has(const char *path, const char *text)
{
	FILE *f = fopen(path, "rbe");
	size_t n;
	char *bytes;
	bool has;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = (size_t)ftell(f);
	rewind(f);
	bytes = malloc(n);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, n, f), n);
	fclose(f);
	has = memmem(bytes, n, text, strlen(text)) != NULL;
	free(bytes);
	return has;
}

static void what_was_removed_is_not_in_the_file(CS_UNUSED void **state)
{
	static const char *const gone[] = {"www.shop.corp.example", "alice",
					   "bert", "k-1", "192.0.2.77"};
	struct cs_history h;
	struct cs_db_config config = {.path = h.path};
	struct cs_purge_config c;
	struct cs_error err = {0};

	make(&h);
	c = plan(&h);
	cs_history_close(&h);
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		assert_true(file_has(h.path, gone[i]));
	h.db = cs_db_open(&config, CS_DB_WRITE, NULL);
	c.db = h.db;
	(void)purge(&c);
	cs_history_close(&h);
	/* Overwritten where it stood, before anything is written anew. */
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		if (file_has(h.path, gone[i]))
			fail_msg("%s is there", gone[i]);
	if (!cs_purge_compact(h.path, &err))
		fail_msg("%s", err.text);
	h.db = cs_db_open(&config, CS_DB_WRITE, NULL);
	assert_non_null(h.db);
	assert_int_equal(findings(h.db), 0);
	cs_history_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			removes_what_has_ended_and_the_log_stays_whole),
		cmocka_unit_test(keeps_what_rules_and_answers_need),
		cmocka_unit_test(leaves_what_has_not_ended),
		cmocka_unit_test(leaves_what_a_limit_counts_still),
		cmocka_unit_test(goes_slice_by_slice_each_with_its_act),
		cmocka_unit_test(will_not_purge_by_a_clock_that_went_back),
		cmocka_unit_test(nothing_is_emptied_without_its_act),
		cmocka_unit_test(
			who_asks_for_it_is_told_when_and_by_which_entry),
		cmocka_unit_test(what_was_removed_is_not_in_the_file),
	};

	return cs_test_run("store/purge", tests);
}
