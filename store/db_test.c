#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/db.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/schema.h"

/* A folder with a new database in it. */
struct place {
	char dir[64];
	char path[80];
	struct cs_db_config config;
};

static void place_make(struct place *p)
{
	static const uint8_t id[16] = {1}, key[32] = {2};
	struct cs_installation in = {
		.id = id, .origin = "o", .log_key = key, .now_ms = 1};
	struct cs_error err = {0};

	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/cs-db-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->path, sizeof(p->path), "%s/ledger.db", p->dir);
	p->config = (struct cs_db_config){.path = p->path};
	if (!cs_store_create(&p->config, &in, &err))
		fail_msg("%s", err.text);
}

static void place_remove(struct place *p)
{
	static const char *const names[] = {
		"ledger.db",	 "ledger.db-wal", "ledger.db-shm",
		"ledger.db.v1",	 "ledger.db.v2",  "ledger.db.v3",
		"ledger.db.v4",	 "ledger.db.v5",  "other",
		"other.tmp",	 "run/lock",	  "run",
		"ledger.db.new", "link",
	};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", p->dir, names[i]);
		(void)remove(path);
	}
	assert_int_equal(rmdir(p->dir), 0);
}

static void makes_a_database_that_is_ours_alone(void **state)
{
	struct place p;
	struct stat st;
	struct cs_db *db;
	int64_t v = 0;

	(void)state;
	place_make(&p);
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	db = cs_db_open(&p.config, CS_DB_WRITE, NULL);
	assert_non_null(db);
	assert_true(cs_db_pragma_int(db, "PRAGMA user_version", &v, NULL));
	assert_int_equal(v, CS_SCHEMA_VERSION);
	assert_true(cs_db_pragma_int(db, "PRAGMA synchronous", &v, NULL));
	assert_int_equal(v, 2);
	assert_true(cs_db_pragma_int(db, "PRAGMA foreign_keys", &v, NULL));
	assert_int_equal(v, 1);
	cs_db_close(db);
	place_remove(&p);
}

static void makes_no_database_over_another(void **state)
{
	struct place p;
	struct cs_error err = {0};
	static const uint8_t bytes[32];
	struct cs_installation in = {
		.id = bytes, .origin = "o", .log_key = bytes};

	(void)state;
	place_make(&p);
	assert_false(cs_store_create(&p.config, &in, &err));
	assert_int_equal(err.code, CS_E_EXISTS);
	place_remove(&p);
}

static void refuses_files_that_others_can_read_or_that_are_links(void **state)
{
	struct place p;
	struct cs_error err = {0};
	struct cs_db_config link;
	char path[80];

	(void)state;
	place_make(&p);
	assert_int_equal(chmod(p.path, 0640), 0);
	assert_null(cs_db_open(&p.config, CS_DB_READ, &err));
	assert_int_equal(err.code, CS_E_PERMISSION);
	assert_int_equal(chmod(p.path, 0600), 0);
	(void)snprintf(path, sizeof(path), "%s/link", p.dir);
	assert_int_equal(symlink(p.path, path), 0);
	link = (struct cs_db_config){.path = path};
	assert_null(cs_db_open(&link, CS_DB_READ, &err));
	assert_int_equal(err.code, CS_E_PERMISSION);
	link.path = "/nonexistent/ledger.db";
	assert_null(cs_db_open(&link, CS_DB_READ, &err));
	assert_int_equal(err.code, CS_E_NOT_FOUND);
	place_remove(&p);
}

/* Set a pragma of the file. */
static void tamper(struct place *p, const char *sql)
{
	struct cs_db *db = cs_db_open(&p->config, CS_DB_CREATE, NULL);

	assert_non_null(db);
	assert_true(cs_db_exec(db, sql, NULL));
	cs_db_close(db);
}

static void refuses_files_of_others_and_of_other_versions(void **state)
{
	struct place p;
	struct cs_error err = {0};

	(void)state;
	place_make(&p);
	tamper(&p, "PRAGMA user_version = 9");
	assert_null(cs_db_open(&p.config, CS_DB_WRITE, &err));
	assert_int_equal(err.code, CS_E_DB);
	assert_false(cs_store_migrate(&p.config, cs_migrations, cs_migrations_n,
				      CS_SCHEMA_VERSION, NULL, &err));
	tamper(&p, "PRAGMA user_version = 1");
	tamper(&p, "PRAGMA application_id = 7");
	assert_null(cs_db_open(&p.config, CS_DB_WRITE, &err));
	assert_int_equal(err.code, CS_E_DB_CORRUPT);
	place_remove(&p);
}

static void a_reader_cannot_write(void **state)
{
	struct place p;
	struct cs_error err = {0};
	struct cs_db *db;

	(void)state;
	place_make(&p);
	db = cs_db_open(&p.config, CS_DB_READ, &err);
	assert_non_null(db);
	assert_false(cs_db_exec(db, "UPDATE meta SET seq = 7", &err));
	assert_int_equal(err.code, CS_E_DB);
	cs_db_close(db);
	place_remove(&p);
}

static void what_was_recorded_cannot_be_changed(void **state)
{
	static const char *const made[] = {
		"INSERT INTO leaf VALUES (0, zeroblob(32), 2, 1, 1, NULL, 1,"
		" x'00')",
		"INSERT INTO checkpoint VALUES (1, x'00')",
		"INSERT INTO client VALUES (1, 'a', '', '[]', '[]', '[]',"
		" '[]', 1, NULL, 0)",
		"INSERT INTO credential VALUES (1, 1, 'peer', NULL, NULL, 1,"
		" NULL, 2, NULL, NULL, NULL)",
		"INSERT INTO request VALUES (1, zeroblob(16), 1, 1, -1, '', '',"
		" NULL, zeroblob(32), 1, 0, 'd', x'', x'', 'refused', NULL,"
		" NULL, NULL, NULL, NULL, 0)",
		"INSERT INTO refusal VALUES (0, 1, 1, 0, x'', x'', x'')",
	};
	static const char *const refused[] = {
		"UPDATE leaf SET hash = randomblob(32)",
		"UPDATE leaf SET entry = x'01'",
		"UPDATE leaf SET entry = NULL",
		"DELETE FROM leaf",
		"UPDATE checkpoint SET note = x'01'",
		"DELETE FROM client",
		"UPDATE credential SET kind = 'token'",
		"UPDATE credential SET fingerprint = zeroblob(32)",
		"UPDATE credential SET expires_ms = 1",
		"UPDATE credential SET revoked_ms = NULL",
		"UPDATE client SET name = 'b'",
		"DELETE FROM request",
		"UPDATE request SET csr = x'01'",
		"UPDATE request SET state = 'approved', leaf = NULL",
		"UPDATE refusal SET body = x'01'",
		"DELETE FROM refusal",
		"DELETE FROM meta",
	};
	struct place p;
	struct cs_db *db;
	struct cs_error err = {0};

	(void)state;
	place_make(&p);
	db = cs_db_open(&p.config, CS_DB_WRITE, NULL);
	assert_non_null(db);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		if (!cs_db_exec(db, made[i], &err))
			fail_msg("%s", err.text);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (cs_db_exec(db, refused[i], NULL))
			fail_msg("went through: %s", refused[i]);
	cs_db_close(db);
	place_remove(&p);
}

static void every_named_statement_prepares(void **state)
{
	struct place p;
	struct cs_db *db;

	(void)state;
	place_make(&p);
	db = cs_db_open(&p.config, CS_DB_WRITE, NULL);
	assert_non_null(db);
	assert_true(cs_db_exec(db, cs_schema_compromised, NULL));
	for (int i = 0; i < CS_SQL_COUNT; i++) {
		struct cs_stmt s = cs_stmt(db, (enum cs_sql)i);

		if (s.rc != 0)
			fail_msg("statement %d: %d", i, s.rc);
		cs_stmt_end(&s);
	}
	cs_db_close(db);
	place_remove(&p);
}

static void a_full_disk_is_definite_and_rolled_back(void **state)
{
	struct place p;
	struct cs_db *db;
	struct cs_error err = {0};
	int64_t n = -1;
	bool ok = true;

	(void)state;
	place_make(&p);
	p.config.max_pages = 1;
	db = cs_db_open(&p.config, CS_DB_WRITE, NULL);
	assert_non_null(db);
	assert_true(cs_db_begin(db, NULL));
	for (int i = 0; ok && i < 100; i++) {
		char sql[96];

		(void)snprintf(sql, sizeof(sql),
			       "INSERT INTO checkpoint VALUES (%d,"
			       " zeroblob(2000))",
			       i + 1);
		ok = cs_db_exec(db, sql, &err);
	}
	assert_false(ok);
	assert_int_equal(err.code, CS_E_DB_FULL);
	cs_db_rollback(db);
	assert_true(cs_db_pragma_int(db, "SELECT count(*) FROM checkpoint", &n,
				     NULL));
	assert_int_equal(n, 0);
	cs_db_close(db);
	place_remove(&p);
}

static const char *const to_next[] = {
	"CREATE TABLE more (a INTEGER) STRICT",
};
static const char *const to_broken[] = {
	"ALTER TABLE more ADD COLUMN b INTEGER",
	"this is no SQL",
};
static const struct cs_migration steps[] = {
	{CS_SCHEMA_VERSION, to_next, 1},
	{CS_SCHEMA_VERSION + 1, to_broken, 2},
};

static void migrates_step_by_step_behind_a_copy(void **state)
{
	struct place p;
	struct cs_db *db;
	struct cs_error err = {0};
	size_t n = 0;
	int64_t v = 0;
	struct stat st;
	char copy[96];

	(void)state;
	place_make(&p);
	assert_true(cs_store_migrate(&p.config, steps, 2, CS_SCHEMA_VERSION, &n,
				     &err));
	assert_int_equal(n, 0);
	if (!cs_store_migrate(&p.config, steps, 2, CS_SCHEMA_VERSION + 1, &n,
			      &err))
		fail_msg("%s", err.text);
	assert_int_equal(n, 1);
	(void)snprintf(copy, sizeof(copy), "%s.v%d", p.path, CS_SCHEMA_VERSION);
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* A step that fails leaves the file as it was. */
	assert_false(cs_store_migrate(&p.config, steps, 2,
				      CS_SCHEMA_VERSION + 2, &n, &err));
	db = cs_db_open(&p.config, CS_DB_CREATE, NULL);
	assert_true(cs_db_pragma_int(db, "PRAGMA user_version", &v, NULL));
	assert_int_equal(v, CS_SCHEMA_VERSION + 1);
	assert_true(cs_db_pragma_int(
		db, "SELECT count(*) FROM pragma_table_info('more')", &v,
		NULL));
	assert_int_equal(v, 1);
	cs_db_close(db);
	/* No way there. */
	assert_false(cs_store_migrate(&p.config, steps, 1,
				      CS_SCHEMA_VERSION + 3, &n, &err));
	place_remove(&p);
}

static void one_process_holds_the_lock(void **state)
{
	struct place p;
	struct cs_error err = {0};
	int fd;

	(void)state;
	place_make(&p);
	fd = cs_lock_take(p.dir, &err);
	assert_true(fd >= 0);
	assert_int_equal(cs_lock_take(p.dir, &err), -1);
	assert_int_equal(err.code, CS_E_LOCKED);
	cs_lock_drop(fd);
	fd = cs_lock_take(p.dir, &err);
	assert_true(fd >= 0);
	cs_lock_drop(fd);
	place_remove(&p);
}

static void replaces_a_file_as_a_whole(void **state)
{
	struct place p;
	struct cs_buf b;
	char path[96];
	struct cs_error err = {0};

	(void)state;
	place_make(&p);
	(void)snprintf(path, sizeof(path), "%s/other", p.dir);
	cs_buf_init(&b, 8);
	assert_false(cs_file_read(path, &b, &err));
	assert_int_equal(err.code, CS_E_NOT_FOUND);
	assert_true(cs_file_replace(path, 0644, CS_SPAN_LIT("one"), NULL));
	assert_true(cs_file_replace(path, 0644, CS_SPAN_LIT("two"), NULL));
	assert_true(cs_file_read(path, &b, NULL));
	assert_string_equal(cs_buf_str(&b), "two");
	assert_true(cs_file_replace(path, 0644, CS_SPAN_LIT("too long"), NULL));
	assert_false(cs_file_read(path, &b, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	cs_buf_done(&b);
	assert_false(cs_file_replace("/nonexistent/x", 0644, CS_SPAN_LIT("one"),
				     &err));
	assert_int_equal(err.code, CS_E_IO);
	place_remove(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_a_database_that_is_ours_alone),
		cmocka_unit_test(makes_no_database_over_another),
		cmocka_unit_test(
			refuses_files_that_others_can_read_or_that_are_links),
		cmocka_unit_test(refuses_files_of_others_and_of_other_versions),
		cmocka_unit_test(a_reader_cannot_write),
		cmocka_unit_test(what_was_recorded_cannot_be_changed),
		cmocka_unit_test(every_named_statement_prepares),
		cmocka_unit_test(a_full_disk_is_definite_and_rolled_back),
		cmocka_unit_test(migrates_step_by_step_behind_a_copy),
		cmocka_unit_test(one_process_holds_the_lock),
		cmocka_unit_test(replaces_a_file_as_a_whole),
	};

	return cs_test_run("store/db", tests);
}
