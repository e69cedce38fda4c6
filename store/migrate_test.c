/*
 * The database that was written when version 1 was fixed: this program brings
 * it up to date, opens it and verifies it.
 */
#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/file.h"
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

	(void)snprintf(path, 64, "/tmp/cs-v1-XXXXXX");
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

static void a_database_of_version_1_migrates_and_verifies(void **state)
{
	char path[64], side[80];
	struct cs_db_config config = {.path = path};
	struct cs_error err = {0};
	struct cs_verify_config v = {.finding = on_finding};
	struct cs_verify_report report;

	(void)state;
	load("v1.sql", path);
	if (!cs_store_migrate(&config, cs_migrations, cs_migrations_n,
			      CS_SCHEMA_VERSION, NULL, &err))
		fail_msg("%s", err.text);
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
	if (!cs_verify_run(&v, &report, &err))
		fail_msg("%s", err.text);
	assert_int_equal(report.findings, 0);
	assert_true(report.leaves > 10);
	cs_db_close(v.db);
	(void)snprintf(side, sizeof(side), "%s-wal", path);
	(void)remove(side);
	(void)snprintf(side, sizeof(side), "%s-shm", path);
	(void)remove(side);
	(void)remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_database_of_version_1_migrates_and_verifies),
	};

	return cs_test_run("store/migrate", tests);
}
