#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store/purge.h"
#include "store/verify.h"
#include <tests/lib/history.h>

/* What was found, for the tests to look at. */
struct findings {
	unsigned n;
	unsigned with_index;
	struct cs_verify_finding first;
};

/* Remember the first one. */
static void found(void *ctx, const struct cs_verify_finding *f)
{
	struct findings *all = ctx;

	if (all->n++ == 0)
		all->first = *f;
	if (f->index != CS_VERIFY_NO_INDEX)
		all->with_index++;
}

/* Verify the file as it is. False: reading failed, which is found too. */
static bool verify(const char *path, const char *outside,
		   struct cs_verify_report *report, struct findings *all)
{
	struct cs_db_config config = {.path = path};
	struct cs_error err = {0};
	struct cs_db *db = cs_db_open(&config, CS_DB_READ, &err);
	struct cs_verify_config v = {.db = db,
				     .outside = cs_span_str(outside),
				     .finding = found,
				     .ctx = all};
	bool ok;

	*all = (struct findings){.n = 0};
	if (db == NULL)
		return false;
	ok = cs_verify_run(&v, report, &err);
	cs_db_close(db);
	return ok;
}

/* A history of everything, with a certificate and an attempt revoked. */
static void make(struct cs_history *h)
{
	cs_history_make(h);
	cs_history_revoke(h, 2, 1);
	cs_history_crl(h, 5);
	cs_history_crl(h, 6);
	cs_history_act(h, CS_LEAF_STOP, "{}");
	cs_history_file_terms(h);
	cs_history_revoke(h, 3, 0);
	cs_history_retire(h);
}

static void finds_nothing_in_a_good_history(void **state)
{
	struct cs_history h;
	struct cs_verify_report report;
	struct findings all;

	(void)state;
	make(&h);
	cs_history_pending(
		&h, &(struct cs_history_request){.name = "wait.corp.example",
						 .requester = "alice"});
	cs_history_close(&h);
	assert_true(verify(h.path, h.checkpoint, &report, &all));
	if (all.n > 0)
		fail_msg("%s %lld: %s", all.first.where,
			 (long long)all.first.row, all.first.text);
	assert_int_equal(report.findings, 0);
	assert_int_equal(report.tree_size, h.edge.size);
	assert_int_equal(report.leaves, h.edge.size);
	assert_int_equal(report.checkpoints, h.edge.size - 1);
	assert_int_equal(report.certificates, 4);
	assert_int_equal(report.outside, 1);
	assert_int_equal(report.split, 0);
	cs_history_done(&h);
}

/* -- changing every column of every row --------------------------------- */

/* Tables that record decisions, and what is derived from them. */
static const char *const tables[] = {
	"meta",	      "issuer",	       "issuer_end", "client",
	"credential", "policy_source", "policy_set", "policy_set_source",
	"request",    "approval",      "leaf",	     "attempt",
	"outcome",    "refusal",       "revocation", "crl",
	"checkpoint", "key_use",       "limit_use",  "term",
	"purged", /* last: empty where nothing was */
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

/* Of meta, what no decision depends on. */
static const char *const exempt[] = {"id", "clock_ms", "clock_accepted_ms"};

/* A database that somebody tampers with, and the bytes it had before. */
struct victim {
	struct cs_history h;
	uint8_t *bytes; /* owned */
	size_t n;
	sqlite3 *raw; /* owned while open */
	unsigned changed, missed;
};

/* Keep the whole file. */
static void keep(struct victim *v)
{
	FILE *f = fopen(v->h.path, "rbe");

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	v->n = (size_t)ftell(f);
	rewind(f);
	v->bytes = malloc(v->n);
	assert_non_null(v->bytes);
	assert_int_equal(fread(v->bytes, 1, v->n, f), v->n);
	fclose(f);
}

/* Put it back as it was. */
static void put_back(struct victim *v)
{
	char path[100];
	FILE *f = fopen(v->h.path, "r+be");

	assert_non_null(f);
	assert_int_equal(fwrite(v->bytes, 1, v->n, f), v->n);
	fclose(f);
	(void)snprintf(path, sizeof(path), "%s-wal", v->h.path);
	(void)remove(path);
	(void)snprintf(path, sizeof(path), "%s-shm", v->h.path);
	(void)remove(path);
}

/* Run SQL with nothing in its way. */
static int raw_exec(struct victim *v, const char *sql)
{
	return sqlite3_exec(v->raw, sql, NULL, NULL, NULL);
}

/* Open it as who owns the file can: no triggers, no checks. */
static void raw_open(struct victim *v)
{
	char sql[200];
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_open(v->h.path, &v->raw), SQLITE_OK);
	assert_int_equal(raw_exec(v, "PRAGMA synchronous = OFF;"
				     "PRAGMA foreign_keys = OFF;"
				     "PRAGMA ignore_check_constraints = ON"),
			 SQLITE_OK);
	for (;;) {
		assert_int_equal(
			sqlite3_prepare_v2(v->raw,
					   "SELECT name FROM sqlite_schema"
					   " WHERE type = 'trigger' LIMIT 1",
					   -1, &s, NULL),
			SQLITE_OK);
		if (sqlite3_step(s) != SQLITE_ROW)
			break;
		(void)snprintf(sql, sizeof(sql), "DROP TRIGGER %s",
			       (const char *)sqlite3_column_text(s, 0));
		sqlite3_finalize(s);
		assert_int_equal(raw_exec(v, sql), SQLITE_OK);
	}
	sqlite3_finalize(s);
}

/* Close it; what was done is in the file. */
static void raw_close(struct victim *v)
{
	assert_int_equal(sqlite3_close(v->raw), SQLITE_OK);
	v->raw = NULL;
}

/* Count a change that verification does not find. */
static void expect_finding(struct victim *v, const char *table,
			   const char *column, int row)
{
	struct cs_verify_report report;
	struct findings all;

	v->changed++;
	if (!verify(v->h.path, v->h.checkpoint, &report, &all) || all.n > 0)
		return;
	v->missed++;
	print_message("# missed: %s.%s of row %d\n", table, column, row);
}

/* A changed copy of a value: one bit of an integer, one of one byte. */
static bool bind_changed(sqlite3_stmt *update, sqlite3_stmt *row, int column,
			 int bit)
{
	int type = sqlite3_column_type(row, column);
	int n = sqlite3_column_bytes(row, column);
	uint8_t copy[8192];

	if (type == SQLITE_INTEGER)
		return sqlite3_bind_int64(update, 1,
					  sqlite3_column_int64(row, column) ^
						  (1LL << bit)) == SQLITE_OK;
	if (type == SQLITE_NULL || n == 0 || n > (int)sizeof(copy))
		return false;
	memcpy(copy, sqlite3_column_blob(row, column), (size_t)n);
	copy[n / 2] = (uint8_t)(copy[n / 2] ^ (1 << bit));
	if (type == SQLITE_TEXT)
		sqlite3_bind_text(update, 1, (const char *)copy, n,
				  SQLITE_TRANSIENT);
	else
		sqlite3_bind_blob(update, 1, copy, n, SQLITE_TRANSIENT);
	return true;
}

/* The k-th row of a table, stepped to; NULL past the end. */
static sqlite3_stmt *row_of(struct victim *v, const char *table, int k)
{
	char sql[200];
	sqlite3_stmt *s;

	(void)snprintf(sql, sizeof(sql), "SELECT * FROM %s LIMIT 1 OFFSET %d",
		       table, k);
	assert_int_equal(sqlite3_prepare_v2(v->raw, sql, -1, &s, NULL),
			 SQLITE_OK);
	if (sqlite3_step(s) == SQLITE_ROW)
		return s;
	sqlite3_finalize(s);
	return NULL;
}

/* "... WHERE every column IS its value", bound from `first` on. */
static sqlite3_stmt *prepare_where(struct victim *v, const char *begin,
				   sqlite3_stmt *row, int first)
{
	char sql[2000];
	int used = snprintf(sql, sizeof(sql), "%s WHERE 1", begin);
	sqlite3_stmt *s;

	for (int i = 0; i < sqlite3_column_count(row); i++)
		used += snprintf(sql + used, sizeof(sql) - (size_t)used,
				 " AND %s IS ?%d", sqlite3_column_name(row, i),
				 first + i);
	assert_int_equal(sqlite3_prepare_v2(v->raw, sql, -1, &s, NULL),
			 SQLITE_OK);
	for (int i = 0; i < sqlite3_column_count(row); i++)
		sqlite3_bind_value(s, first + i, sqlite3_column_value(row, i));
	return s;
}

/* Is this column left alone? */
static bool is_exempt(const char *table, const char *column)
{
	if (strcmp(table, "meta") != 0)
		return false;
	for (size_t i = 0; i < sizeof(exempt) / sizeof(exempt[0]); i++) {
		if (strcmp(column, exempt[i]) == 0)
			return true;
	}
	return false;
}

/* Change one column of one row; false: it is NULL, or there is no way. */
static bool change(struct victim *v, const char *table, sqlite3_stmt *row,
		   int column)
{
	char begin[100];

	(void)snprintf(begin, sizeof(begin), "UPDATE %s SET %s = ?1", table,
		       sqlite3_column_name(row, column));
	/* Another bit where a unique value stands in the way. */
	for (int bit = 0; bit < 7; bit++) {
		sqlite3_stmt *s = prepare_where(v, begin, row, 2);
		bool bound = bind_changed(s, row, column, bit);
		int rc = bound ? sqlite3_step(s) : SQLITE_DONE;

		sqlite3_finalize(s);
		if (!bound)
			return false;
		if (rc == SQLITE_DONE)
			return sqlite3_changes(v->raw) == 1;
	}
	return false;
}

/* One bit of every column of the k-th row; false: there is no such row. */
static bool change_row(struct victim *v, const char *table, int k)
{
	int columns = 1;

	for (int i = 0; i < columns; i++) {
		sqlite3_stmt *row;
		char column[64];
		bool changed;

		raw_open(v);
		row = row_of(v, table, k);
		if (row == NULL) {
			raw_close(v);
			put_back(v);
			return false;
		}
		columns = sqlite3_column_count(row);
		(void)snprintf(column, sizeof(column), "%s",
			       sqlite3_column_name(row, i));
		changed = !is_exempt(table, column) && change(v, table, row, i);
		sqlite3_finalize(row);
		raw_close(v);
		if (changed)
			expect_finding(v, table, column, k);
		put_back(v);
	}
	return true;
}

/* One bit of every column of every row, of so many tables. */
static void change_all(struct victim *v, size_t n)
{
	cs_history_close(&v->h);
	keep(v);
	for (size_t t = 0; t < n; t++) {
		unsigned before = v->changed;
		int k = 0;

		while (change_row(v, tables[t], k))
			k++;
		/* A table that the history left empty proves nothing. */
		assert_true(v->changed > before);
	}
	print_message("# %u columns changed\n", v->changed);
	assert_int_equal(v->missed, 0);
	assert_true(v->changed > 500);
	free(v->bytes);
	cs_history_done(&v->h);
}

static void finds_one_bit_changed_in_any_column_of_any_row(void **state)
{
	static struct victim v;

	(void)state;
	memset(&v, 0, sizeof(v));
	make(&v.h);
	change_all(&v, TABLES - 1);
}

static int64_t clock_ms(void *ctx)
{
	return ((struct cs_history *)ctx)->now_ms;
}

/* The same, of which all but the last certificate was purged. */
static void make_purged(struct cs_history *h)
{
	struct cs_purge_config c;
	struct cs_purge_report report;

	make(h);
	cs_history_act(h, CS_LEAF_AUTH_REFUSED, "{\"address\":\"::1\"}");
	cs_history_act(h, CS_LEAF_AUTH_REFUSED, "{\"address\":\"::2\"}");
	cs_history_act(h, CS_LEAF_AUTH_REFUSED, "{\"address\":\"::3\"}");
	cs_history_act(h, CS_LEAF_AUTH_REFUSED, "{\"address\":\"::4\"}");
	cs_history_file_terms(h);
	h->now_ms += (int64_t)10 * 86400 * 1000;
	cs_history_issue(
		h, &(struct cs_history_request){.name = "new.corp.example",
						.requester = "alice",
						.key = "k-9",
						.approved = 1});
	c = (struct cs_purge_config){.db = h->db,
				     .signer = h->signer,
				     .clock = {clock_ms, clock_ms, h, NULL},
				     .before_ms = h->now_ms -
						  (int64_t)5 * 86400 * 1000,
				     .retention_s = 86400,
				     .slice = 6,
				     .uid = 1000};
	assert_true(cs_purge_run(&c, &report, NULL));
	assert_int_equal(report.slices, 3);
}

static void finds_one_bit_changed_in_what_a_purge_left(void **state)
{
	static struct victim v;

	(void)state;
	memset(&v, 0, sizeof(v));
	make_purged(&v.h);
	change_all(&v, TABLES);
}

/* Remove the k-th row; false: there is none. */
static bool remove_row(struct victim *v, const char *table, int k)
{
	char begin[100];
	sqlite3_stmt *row;
	sqlite3_stmt *s;

	raw_open(v);
	row = row_of(v, table, k);
	if (row != NULL) {
		(void)snprintf(begin, sizeof(begin), "DELETE FROM %s", table);
		s = prepare_where(v, begin, row, 1);
		assert_int_equal(sqlite3_step(s), SQLITE_DONE);
		sqlite3_finalize(s);
		assert_int_equal(sqlite3_changes(v->raw), 1);
		sqlite3_finalize(row);
	}
	raw_close(v);
	if (row != NULL)
		expect_finding(v, table, "(removed)", k);
	put_back(v);
	return row != NULL;
}

/* Every row of so many tables. */
static void remove_each(struct victim *v, size_t n)
{
	cs_history_close(&v->h);
	keep(v);
	for (size_t t = 0; t < n; t++) {
		int k = 0;

		while (remove_row(v, tables[t], k))
			k++;
		assert_true(k > 0);
	}
	assert_int_equal(v->missed, 0);
	free(v->bytes);
	cs_history_done(&v->h);
}

static void finds_any_row_that_was_removed(void **state)
{
	static struct victim v;

	(void)state;
	memset(&v, 0, sizeof(v));
	make(&v.h);
	remove_each(&v, TABLES - 1);
	memset(&v, 0, sizeof(v));
	make_purged(&v.h);
	remove_each(&v, TABLES);
}

/* Change the file with SQL and say what was found; ends the history. */
static void after_in(struct victim *v, const char *sql, struct findings *all)
{
	struct cs_verify_report report;

	cs_history_close(&v->h);
	raw_open(v);
	assert_int_equal(raw_exec(v, sql), SQLITE_OK);
	raw_close(v);
	assert_true(verify(v->h.path, v->h.checkpoint, &report, all));
	cs_history_done(&v->h);
}

static void after(const char *sql, struct findings *all)
{
	struct victim v;

	memset(&v, 0, sizeof(v));
	cs_history_make(&v.h);
	after_in(&v, sql, all);
}

static void takes_nothing_for_purged_that_no_act_covers(void **state)
{
	static const char *const lies[] = {
		/* Filled again, by what it was or otherwise. */
		"UPDATE leaf SET entry = x'7b7d' WHERE idx = 6",
		"UPDATE request SET csr = x'00' WHERE n = 1",
		"UPDATE request SET idem_key = 'k-1' WHERE n = 1",
		"UPDATE request SET pending_body = x'7b7d' WHERE n = 1",
		"UPDATE approval SET reason = 'r' WHERE request = 1",
		"UPDATE attempt SET limits = x'00' WHERE seq = 2",
		"UPDATE outcome SET signature = x'00' WHERE seq = 2",
		"UPDATE outcome SET signature = NULL WHERE seq = 2",
		"UPDATE refusal SET terms = x'00' WHERE leaf = 7",
		"UPDATE revocation SET body = x'7b7d'",
		"INSERT INTO term (field, value, leaf) VALUES (6, x'61', 6)",
		"INSERT INTO limit_use (rule, key, at_ms, seq)"
		" VALUES ('r', x'00', 1, 2)",
		/* Emptied, and an act made to cover it. */
		"UPDATE leaf SET entry = NULL WHERE idx IN"
		" (SELECT max(leaf) FROM outcome)",
		"UPDATE leaf SET entry = NULL WHERE kind = 9",
		"INSERT INTO purged (act, idx, kept)"
		" SELECT max(act), (SELECT max(leaf) FROM outcome),"
		" zeroblob(32) FROM purged",
		"INSERT INTO purged (act, idx, kept)"
		" VALUES (13, 5, zeroblob(32))",
		"UPDATE purged SET act = (SELECT max(act) FROM purged)"
		" WHERE idx = 6",
	};
	struct findings all;
	struct victim v;

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		memset(&v, 0, sizeof(v));
		make_purged(&v.h);
		after_in(&v, lies[i], &all);
		if (all.n == 0)
			fail_msg("taken: %s", lies[i]);
	}
	/* And the truth is the truth. */
	memset(&v, 0, sizeof(v));
	make_purged(&v.h);
	after_in(&v, "SELECT 1", &all);
	assert_int_equal(all.n, 0);
}

static void names_the_leaf_whose_rows_were_changed(void **state)
{
	struct findings all;

	(void)state;
	after("UPDATE request SET csr = x'00' WHERE n = 1", &all);
	assert_int_equal(all.n, 2);
	assert_int_equal(all.first.index, 6);
	assert_string_equal(all.first.where, "leaf");
}

static void finds_what_was_cut_off_the_end(void **state)
{
	struct findings all;

	(void)state;
	after("DELETE FROM leaf WHERE idx = 13;"
	      "DELETE FROM checkpoint WHERE tree_size = 14;"
	      "UPDATE meta SET tree_size = 13",
	      &all);
	assert_true(all.n > 0);
}

static void finds_a_client_put_back_to_what_it_was(void **state)
{
	struct findings all;

	(void)state;
	after("UPDATE client SET leaf = 1 WHERE id = 3", &all);
	assert_true(all.n > 0);
}

static void finds_rows_that_were_added(void **state)
{
	struct findings all;

	(void)state;
	after("INSERT INTO client SELECT 9, 'mallory', realm, rights, issuers,"
	      " namespaces, groups, created_ms, removed_ms, leaf FROM client"
	      " WHERE id = 3",
	      &all);
	assert_true(all.n > 0);
	after("INSERT INTO credential (id, client, kind, created_ms)"
	      " VALUES (9, 3, 'peer', 1)",
	      &all);
	assert_true(all.n > 0);
	after("INSERT INTO attempt SELECT 9, request, issuer, x'5c', spki,"
	      " subject_key, now_ms, epoch, not_after_s, tbs, body, terms,"
	      " inputs, limits FROM attempt WHERE seq = 1",
	      &all);
	assert_true(all.n > 0);
	/* A revocation without an act, and one of a CA's own certificate. */
	after("INSERT INTO revocation SELECT seq, issuer, 0, serial,"
	      " not_after_s, 1, 1, 1, 1, 0, x'7b7d', x'', 13 FROM attempt"
	      " WHERE seq = 2",
	      &all);
	assert_true(all.n > 0);
	after("INSERT INTO revocation SELECT seq, issuer, 0, serial,"
	      " not_after_s, 1, 1, 1, 1, 0, x'7b7d', x'', 99 FROM attempt"
	      " WHERE seq = 1",
	      &all);
	assert_true(all.n > 0);
}

static void calls_a_newer_or_other_checkpoint_outside_a_split(void **state)
{
	struct cs_history h;
	struct cs_verify_report report;
	struct findings all;
	char newer[CS_MAX_NOTE];

	(void)state;
	cs_history_make(&h);
	/* Another history of the same size, by the same key. */
	strcpy(newer, h.checkpoint);
	cs_history_act(&h, CS_LEAF_STOP, "{\"other\":1}");
	assert_true(verify(h.path, newer, &report, &all));
	assert_int_equal(report.split, 0);
	assert_int_equal(report.outside, 1);
	cs_history_done(&h);

	cs_history_make(&h);
	cs_history_act(&h, CS_LEAF_STOP, "{}");
	strcpy(newer, h.checkpoint);
	cs_history_done(&h);
	cs_history_make(&h);
	assert_true(verify(h.path, newer, &report, &all));
	assert_int_equal(report.split, 1);
	assert_int_equal(all.n, 1);
	cs_history_act(&h, CS_LEAF_STOP, "{\"other\":1}");
	assert_true(verify(h.path, newer, &report, &all));
	assert_int_equal(report.split, 1);
	cs_history_done(&h);
}

static void wants_the_key_that_it_was_given(void **state)
{
	struct cs_history h;
	struct cs_verify_report report;
	struct findings all = {.n = 0};
	struct cs_note_verifier other;
	struct cs_verify_config config = {.verifier = &other,
					  .max_findings = 3,
					  .finding = found,
					  .ctx = &all};
	uint8_t key[CS_NOTE_PUBLIC] = {1};

	(void)state;
	cs_history_make(&h);
	assert_true(cs_note_verifier_make(CS_SPAN_LIT("ca.example/x"), key,
					  &other, NULL));
	config.db = h.db;
	assert_true(cs_verify_run(&config, &report, NULL));
	assert_true(report.findings > report.checkpoints);
	assert_int_equal(all.n, 3);
	cs_history_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_nothing_in_a_good_history),
		cmocka_unit_test(
			finds_one_bit_changed_in_any_column_of_any_row),
		cmocka_unit_test(finds_one_bit_changed_in_what_a_purge_left),
		cmocka_unit_test(finds_any_row_that_was_removed),
		cmocka_unit_test(takes_nothing_for_purged_that_no_act_covers),
		cmocka_unit_test(names_the_leaf_whose_rows_were_changed),
		cmocka_unit_test(finds_what_was_cut_off_the_end),
		cmocka_unit_test(finds_a_client_put_back_to_what_it_was),
		cmocka_unit_test(finds_rows_that_were_added),
		cmocka_unit_test(
			calls_a_newer_or_other_checkpoint_outside_a_split),
		cmocka_unit_test(wants_the_key_that_it_was_given),
	};

	return cs_test_run("store/verify", tests);
}
