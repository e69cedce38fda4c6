/*
 * The databases that were written when a version was fixed: this program
 * brings each up to date, opens it and verifies it.
 */
#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/migrate.h"
#include "store/schema.h"
#include "store/verify.h"

/* A new file with the fixture in it. */
static void load(const char *name, char path[64])
{
	const char *srcdir = getenv("srcdir");
	struct cs_db_config config = {.path = path};
	struct cs_error err = {0};
	struct cs_buf sql;
	struct cs_db *db;
	char from[512];

	(void)snprintf(path, 64, "/tmp/cs-old-XXXXXX");
	close(mkstemp(path));
	(void)snprintf(from, sizeof(from), "%s/tests/vectors/ledger/%s",
		       srcdir == NULL ? "." : srcdir, name);
	cs_buf_init(&sql, 4 * 1024 * 1024);
	assert_true(cs_file_read(from, &sql, NULL));
	db = cs_db_open(&config, CS_DB_CREATE, &err);
	assert_non_null(db);
	assert_true(cs_db_exec(db, "PRAGMA foreign_keys = OFF", NULL));
	if (!cs_db_exec(db, cs_buf_str(&sql), &err))
		fail_msg("%s", err.text);
	cs_db_close(db);
	cs_buf_done(&sql);
}

/* Count or sum; one integer. */
static int64_t number(struct cs_db *db, const char *sql)
{
	int64_t n = -1;

	assert_true(cs_db_pragma_int(db, sql, &n, NULL));
	return n;
}

static void on_finding(void *ctx, const struct cs_verify_finding *f)
{
	(void)ctx;
	print_error("leaf %lld, %s %lld: %s\n", (long long)f->index, f->where,
		    (long long)f->row, f->text);
}

/* Remove a file and what SQLite and migrations put beside it. */
static void remove_all(const char *path)
{
	static const char *const sides[] = {"", "-wal", "-shm", ".v1", ".v2"};
	char side[80];

	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
		(void)snprintf(side, sizeof(side), "%s%s", path, sides[i]);
		(void)remove(side);
	}
}

/* Migrate the fixture, look at it, verify it. */
static void migrates_and_verifies(const char *name, size_t steps)
{
	char path[64];
	struct cs_db_config config = {.path = path};
	struct cs_error err = {0};
	struct cs_verify_config v = {.finding = on_finding};
	struct cs_verify_report report;
	size_t done = 0;

	load(name, path);
	if (!cs_store_migrate(&config, cs_migrations, cs_migrations_n,
			      CS_SCHEMA_VERSION, &done, &err))
		fail_msg("%s", err.text);
	assert_int_equal(done, steps);
	v.db = cs_db_open(&config, CS_DB_READ, &err);
	assert_non_null(v.db);
	/* It has every terminal and every open state. */
	assert_int_equal(number(v.db, "SELECT count(DISTINCT state)"
				      " FROM request"),
			 6);
	assert_true(number(v.db, "SELECT count(*) FROM request"
				 " WHERE hold IS NOT NULL") > 0);
	assert_true(number(v.db, "SELECT count(*) FROM attempt WHERE seq NOT"
				 " IN (SELECT seq FROM outcome)") > 0);
	assert_int_equal(number(v.db, "SELECT count(*) FROM revocation"), 0);
	if (!cs_verify_run(&v, &report, &err))
		fail_msg("%s", err.text);
	assert_int_equal(report.findings, 0);
	assert_true(report.leaves > 10);
	cs_db_close(v.db);
	remove_all(path);
}

static void a_database_of_version_1_migrates_and_verifies(
	CS_UNUSED void **state)
{
	migrates_and_verifies("v1.sql", 2);
}

static void a_database_of_version_2_migrates_and_verifies(
	CS_UNUSED void **state)
{
	migrates_and_verifies("v2.sql", 1);
}

/* The same tables, indexes and triggers, whichever way they came. */
static void what_is_migrated_is_what_is_made_new(CS_UNUSED void **state)
{
	static const char everything[] =
		"SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
		" ORDER BY type, name";
	uint8_t id[16] = {1}, key[32] = {2};
	struct cs_installation in = {id, "ca.example/countersign/1f0c9a2b", key,
				     1};
	char old[64], fresh[80];
	struct cs_db_config a = {.path = old}, b = {.path = fresh};
	struct cs_stmt s, t;
	bool row = true, other = true;

	load("v2.sql", old);
	(void)snprintf(fresh, sizeof(fresh), "%s-new", old);
	assert_true(cs_store_migrate(&a, cs_migrations, cs_migrations_n,
				     CS_SCHEMA_VERSION, NULL, NULL));
	assert_true(cs_store_create(&b, &in, NULL));
	s = cs_stmt_text(cs_db_open(&a, CS_DB_READ, NULL), everything);
	t = cs_stmt_text(cs_db_open(&b, CS_DB_READ, NULL), everything);
	while (row) {
		assert_true(cs_stmt_step(&s, &row, NULL) &&
			    cs_stmt_step(&t, &other, NULL));
		assert_int_equal(row, other);
		if (row &&
		    !cs_span_equal(cs_stmt_col(&s, 0), cs_stmt_col(&t, 0)))
			fail_msg("%.*s", CS_SPAN_FMT(cs_stmt_col(&s, 0)));
	}
	cs_stmt_end(&s);
	cs_stmt_end(&t);
	cs_db_close(s.db);
	cs_db_close(t.db);
	remove_all(old);
	remove_all(fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_database_of_version_1_migrates_and_verifies),
		cmocka_unit_test(a_database_of_version_2_migrates_and_verifies),
		cmocka_unit_test(what_is_migrated_is_what_is_made_new),
	};

	return cs_test_run("store/migrate", tests);
}
