#include "store/db.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/mem.h"
#include "store/schema.h"

/* How long a statement waits for a lock that only a stranger can hold. */
#define BUSY_TIMEOUT_MS 5000
/*
 * The kernel's page cache stands behind this one. A larger one costs more
 * than the reads it saves: SQLite walks all of it at the end of each
 * transaction that put pages in another order.
 */
#define CACHE_KIB 8192

struct cs_db {
	struct sqlite3 *handle; /* owned */
	enum cs_db_mode mode;
	struct sqlite3_stmt *named[CS_SQL_COUNT]; /* owned, made when used */
};

static const char *const sql_text[CS_SQL_COUNT] = {
#define CS_SQL(name, text) [CS_SQL_##name] = (text),
#include "store/sql.def"
#undef CS_SQL
};

/* A pragma that must read back as it was set, for which modes. */
static const struct pragma {
	const char *set;
	const char *get;
	const char *want;
	bool for_read, for_write;
} pragmas[] = {
	{"PRAGMA journal_mode = wal", "PRAGMA journal_mode", "wal", false,
	 true},
	{"PRAGMA synchronous = FULL", "PRAGMA synchronous", "2", true, true},
	{"PRAGMA foreign_keys = ON", "PRAGMA foreign_keys", "1", true, true},
	{"PRAGMA trusted_schema = OFF", "PRAGMA trusted_schema", "0", true,
	 true},
	{"PRAGMA cell_size_check = ON", "PRAGMA cell_size_check", "1", true,
	 true},
	{"PRAGMA mmap_size = 0", "PRAGMA mmap_size", "0", true, true},
	{"PRAGMA temp_store = MEMORY", "PRAGMA temp_store", "2", true, true},
	{"PRAGMA wal_autocheckpoint = 500", "PRAGMA wal_autocheckpoint", "500",
	 false, true},
	{"PRAGMA wal_autocheckpoint = 0", "PRAGMA wal_autocheckpoint", "0",
	 true, false},
	{"PRAGMA journal_size_limit = 67108864", "PRAGMA journal_size_limit",
	 "67108864", false, true},
	{"PRAGMA query_only = ON", "PRAGMA query_only", "1", true, false},
};

/* Connection switches: never what a file could talk us into. */
static const struct {
	int option;
	int on;
} switches[] = {
	{SQLITE_DBCONFIG_DEFENSIVE, 1},
	{SQLITE_DBCONFIG_ENABLE_FKEY, 1},
	{SQLITE_DBCONFIG_ENABLE_TRIGGER, 1},
	{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	{SQLITE_DBCONFIG_DQS_DDL, 0},
	{SQLITE_DBCONFIG_DQS_DML, 0},
};

bool cs_db_error(struct cs_db *db, int rc, const char *what,
		 struct cs_error *err)
{
	enum cs_error_code code = CS_E_DB;
	const char *says = db != NULL && db->handle != NULL
				   ? sqlite3_errmsg(db->handle)
				   : sqlite3_errstr(rc);

	/* Its shared memory, which a reader makes, too, is a file. */
	if (rc == SQLITE_IOERR_SHMSIZE)
		return cs_error_set(err, CS_E_DB_FULL,
				    "%s: there is no space for the database's "
				    "-shm file (SQLite %d)",
				    what, rc);
	switch (rc & 0xff) {
	case SQLITE_FULL:
		code = CS_E_DB_FULL;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		code = CS_E_DB_CORRUPT;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		code = CS_E_LOCKED;
		break;
	case SQLITE_NOMEM:
		code = CS_E_NO_MEMORY;
		break;
	case SQLITE_CONSTRAINT:
		if (rc == SQLITE_CONSTRAINT_UNIQUE ||
		    rc == SQLITE_CONSTRAINT_PRIMARYKEY)
			code = CS_E_EXISTS;
		break;
	default:
		break;
	}
	return cs_error_set(err, code, "%s: %s (SQLite %d)", what, says, rc);
}

struct sqlite3 *cs_db_handle(struct cs_db *db)
{
	return db->handle;
}

int64_t cs_db_changes(struct cs_db *db)
{
	return sqlite3_changes64(db->handle);
}

int64_t cs_db_last_row(struct cs_db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

bool cs_db_exec(struct cs_db *db, const char *sql, struct cs_error *err)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return cs_db_error(db, rc, sql, err);
	return true;
}

void cs_db_close(struct cs_db *db)
{
	if (db == NULL)
		return;
	for (int i = 0; i < CS_SQL_COUNT; i++)
		sqlite3_finalize(db->named[i]);
	sqlite3_close(db->handle);
	cs_mem_free(db);
}

/* Set one pragma and read it back as text. */
static bool pragma_set(struct cs_db *db, const struct pragma *p,
		       struct cs_error *err)
{
	struct cs_stmt s;
	bool row = false;
	bool same = false;

	if (!cs_db_exec(db, p->set, err))
		return false;
	s = cs_stmt_text(db, p->get);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row)
		same = cs_span_equal_str(cs_stmt_col(&s, 0), p->want);
	cs_stmt_end(&s);
	if (!same)
		return cs_error_set(err, CS_E_DB,
				    "%s: the database did not take it", p->set);
	return true;
}

bool cs_db_pragma_int(struct cs_db *db, const char *sql, int64_t *ret_value,
		      struct cs_error *err)
{
	struct cs_stmt s = cs_stmt_text(db, sql);
	bool row = false;

	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row)
		*ret_value = cs_stmt_col_int(&s, 0);
	cs_stmt_end(&s);
	if (!row)
		return cs_error_set(err, CS_E_DB, "%s: no value", sql);
	return true;
}

/* Turn the connection's switches. */
static bool switches_set(struct cs_db *db, struct cs_error *err)
{
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		int is = -1;

		/* A migration changes a CHECK, which DEFENSIVE forbids. */
		if (switches[i].option == SQLITE_DBCONFIG_DEFENSIVE &&
		    db->mode == CS_DB_CREATE)
			continue;
		int rc = sqlite3_db_config(db->handle, switches[i].option,
					   switches[i].on, &is);

		if (rc != SQLITE_OK || is != switches[i].on)
			return cs_error_set(err, CS_E_DB,
					    "SQLite switch %d: not taken",
					    switches[i].option);
	}
	if (db->mode == CS_DB_READ)
		(void)sqlite3_db_config(
			db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return true;
}

/* Every pragma of the rules, each read back, and the configured sizes. */
static bool connection_set_up(struct cs_db *db,
			      const struct cs_db_config *config,
			      struct cs_error *err)
{
	int kib = config->cache_kib == 0 ? CACHE_KIB : config->cache_kib;
	char sql[64];

	sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
	if (!switches_set(db, err))
		return false;
	for (size_t i = 0; i < sizeof(pragmas) / sizeof(pragmas[0]); i++) {
		bool wanted = db->mode == CS_DB_READ ? pragmas[i].for_read
						     : pragmas[i].for_write;

		if (wanted && !pragma_set(db, &pragmas[i], err))
			return false;
	}
	(void)snprintf(sql, sizeof(sql), "PRAGMA cache_size = -%d", kib);
	if (!cs_db_exec(db, sql, err))
		return false;
	(void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %u",
		       config->max_pages);
	return config->max_pages == 0 || cs_db_exec(db, sql, err);
}

/* Is it our kind of file, and a version that this program knows? */
static bool identity_check(struct cs_db *db, const char *path,
			   struct cs_error *err)
{
	int64_t id = 0;
	int64_t version = 0;

	if (!cs_db_pragma_int(db, "PRAGMA application_id", &id, err) ||
	    !cs_db_pragma_int(db, "PRAGMA user_version", &version, err))
		return false;
	if (id != CS_SCHEMA_APPLICATION_ID)
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "%s: not a countersign database", path);
	if (version > CS_SCHEMA_VERSION)
		return cs_error_set(err, CS_E_DB,
				    "%s: version %lld was written by a newer "
				    "countersign (this one knows %d)",
				    path, (long long)version,
				    CS_SCHEMA_VERSION);
	if (version != CS_SCHEMA_VERSION)
		return cs_error_set(err, CS_E_DB,
				    "%s: version %lld; run countersign db "
				    "migrate",
				    path, (long long)version);
	return true;
}

/* The file must be ours alone: others could change what was recorded. */
static bool file_check(const char *path, struct cs_error *err)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return cs_error_set_errno(
			err, errno == ENOENT ? CS_E_NOT_FOUND : CS_E_IO, errno,
			"%s", path);
	if (!S_ISREG(st.st_mode))
		return cs_error_set(err, CS_E_PERMISSION,
				    "%s: not a regular file", path);
	if (st.st_uid != geteuid())
		return cs_error_set(err, CS_E_PERMISSION,
				    "%s: belongs to uid %u, not to us (%u)",
				    path, st.st_uid, geteuid());
	if ((st.st_mode & 077) != 0)
		return cs_error_set(err, CS_E_PERMISSION,
				    "%s: mode %04o; it must be 0600", path,
				    st.st_mode & 07777);
	if (st.st_nlink != 1)
		return cs_error_set(err, CS_E_PERMISSION,
				    "%s: has %lu names; SQLite needs one", path,
				    (unsigned long)st.st_nlink);
	return true;
}

/*
 * A process of ours has one thread and asks for no statistics: without locks
 * around each allocation. SQLite takes this only before its first use in a
 * process; later calls change nothing.
 */
static void library_set_up(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct cs_db *cs_db_open(const struct cs_db_config *config,
			 enum cs_db_mode mode, struct cs_error *err)
{
	struct cs_db *db;
	int flags = mode == CS_DB_READ ? SQLITE_OPEN_READONLY
				       : SQLITE_OPEN_READWRITE;
	mode_t mask;
	int rc;

	if (!file_check(config->path, err))
		return NULL;
	db = cs_mem_new(sizeof(*db));
	if (db == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "database connection");
		return NULL;
	}
	db->mode = mode;
	library_set_up();
	mask = umask(077);
	rc = sqlite3_open_v2(config->path, &db->handle,
			     flags | SQLITE_OPEN_NOMUTEX |
				     SQLITE_OPEN_PRIVATECACHE |
				     SQLITE_OPEN_EXRESCODE,
			     config->vfs);
	if (rc != SQLITE_OK) {
		cs_db_error(db, rc, config->path, err);
	} else if (connection_set_up(db, config, err) &&
		   (mode == CS_DB_CREATE ||
		    identity_check(db, config->path, err))) {
		umask(mask);
		return db;
	}
	umask(mask);
	cs_db_close(db);
	return NULL;
}

/* -- transactions ------------------------------------------------------- */

bool cs_db_begin(struct cs_db *db, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_BEGIN);

	return cs_stmt_run(&s, err);
}

bool cs_db_commit(struct cs_db *db, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_COMMIT);
	struct cs_error why = {0};

	if (cs_stmt_run(&s, &why))
		return true;
	cs_db_rollback(db);
	/* A failed fsync may still have become durable: nobody knows. */
	if (why.code != CS_E_DB_FULL)
		why.code = CS_E_DB_UNKNOWN;
	return cs_error_set(err, why.code, "COMMIT: %s", why.text);
}

void cs_db_rollback(struct cs_db *db)
{
	struct cs_stmt s;

	/* Back in autocommit: SQLite has rolled back already. */
	if (sqlite3_get_autocommit(db->handle))
		return;
	s = cs_stmt(db, CS_SQL_ROLLBACK);
	(void)!cs_stmt_run(&s, NULL);
}

/* -- statements --------------------------------------------------------- */

/* Keep the first error. */
static void note(struct cs_stmt *s, int rc)
{
	if (s->rc == SQLITE_OK)
		s->rc = rc;
}

struct cs_stmt cs_stmt(struct cs_db *db, enum cs_sql name)
{
	struct cs_stmt s = {.db = db, .rc = SQLITE_OK, .next = 1};

	if (db->named[name] == NULL)
		s.rc = sqlite3_prepare_v3(db->handle, sql_text[name], -1,
					  SQLITE_PREPARE_PERSISTENT,
					  &db->named[name], NULL);
	s.stmt = db->named[name];
	if (s.stmt != NULL)
		sqlite3_reset(s.stmt);
	return s;
}

struct cs_stmt cs_stmt_text(struct cs_db *db, const char *sql)
{
	struct cs_stmt s = {.db = db, .rc = SQLITE_OK, .next = 1};

	s.rc = sqlite3_prepare_v3(db->handle, sql, -1, 0, &s.stmt, NULL);
	s.text = true;
	return s;
}

void cs_stmt_int(struct cs_stmt *s, int64_t v)
{
	if (s->rc == SQLITE_OK)
		note(s, sqlite3_bind_int64(s->stmt, s->next++, v));
}

void cs_stmt_blob(struct cs_stmt *s, struct cs_span v)
{
	if (s->rc != SQLITE_OK)
		return;
	if (v.n > INT_MAX)
		note(s, SQLITE_TOOBIG);
	else if (v.n == 0)
		note(s, sqlite3_bind_zeroblob(s->stmt, s->next++, 0));
	else
		note(s, sqlite3_bind_blob(s->stmt, s->next++, v.p, (int)v.n,
					  SQLITE_STATIC));
}

void cs_stmt_str(struct cs_stmt *s, struct cs_span utf8)
{
	if (s->rc != SQLITE_OK)
		return;
	if (utf8.n > INT_MAX)
		note(s, SQLITE_TOOBIG);
	else
		note(s,
		     sqlite3_bind_text(s->stmt, s->next++,
				       utf8.n == 0 ? "" : (const char *)utf8.p,
				       (int)utf8.n, SQLITE_STATIC));
}

void cs_stmt_null(struct cs_stmt *s)
{
	if (s->rc == SQLITE_OK)
		note(s, sqlite3_bind_null(s->stmt, s->next++));
}

void cs_stmt_blob_or_null(struct cs_stmt *s, struct cs_span v)
{
	if (v.n == 0)
		cs_stmt_null(s);
	else
		cs_stmt_blob(s, v);
}

void cs_stmt_str_or_null(struct cs_stmt *s, struct cs_span utf8)
{
	if (utf8.n == 0)
		cs_stmt_null(s);
	else
		cs_stmt_str(s, utf8);
}

void cs_stmt_int_or_null(struct cs_stmt *s, int64_t v)
{
	if (v == 0)
		cs_stmt_null(s);
	else
		cs_stmt_int(s, v);
}

/* The sentence for s->rc; ends the statement. */
static bool failed(struct cs_stmt *s, struct cs_error *err)
{
	const char *sql = s->stmt != NULL ? sqlite3_sql(s->stmt) : "prepare";
	char what[80];

	(void)snprintf(what, sizeof(what), "%.60s", sql);
	cs_db_error(s->db, s->rc, what, err);
	cs_stmt_end(s);
	return false;
}

bool cs_stmt_step(struct cs_stmt *s, bool *ret_row, struct cs_error *err)
{
	int rc;

	if (s->rc != SQLITE_OK)
		return failed(s, err);
	rc = sqlite3_step(s->stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		note(s, rc);
		return failed(s, err);
	}
	*ret_row = rc == SQLITE_ROW;
	return true;
}

bool cs_stmt_run(struct cs_stmt *s, struct cs_error *err)
{
	bool row = true;

	while (row)
		if (!cs_stmt_step(s, &row, err))
			return false;
	cs_stmt_end(s);
	return true;
}

bool cs_stmt_numbers(struct cs_stmt *s, int64_t *numbers, size_t cap,
		     size_t *ret_n, struct cs_error *err)
{
	bool row = true;
	size_t n = 0;

	while (row && n < cap) {
		if (!cs_stmt_step(s, &row, err))
			return false;
		if (row)
			numbers[n++] = cs_stmt_col_int(s, 0);
	}
	cs_stmt_end(s);
	*ret_n = n;
	return true;
}

void cs_stmt_end(struct cs_stmt *s)
{
	if (s->stmt == NULL)
		return;
	/* Their codes repeat what the step said. */
	if (s->text)
		(void)sqlite3_finalize(s->stmt);
	else
		(void)sqlite3_reset(s->stmt);
	s->stmt = NULL;
}

bool cs_stmt_is_null(struct cs_stmt *s, int column)
{
	return sqlite3_column_type(s->stmt, column) == SQLITE_NULL;
}

int64_t cs_stmt_col_int(struct cs_stmt *s, int column)
{
	return sqlite3_column_int64(s->stmt, column);
}

struct cs_span cs_stmt_col(struct cs_stmt *s, int column)
{
	const void *p = sqlite3_column_blob(s->stmt, column);
	int n = sqlite3_column_bytes(s->stmt, column);

	return cs_span_make(p, p == NULL ? 0 : (size_t)n);
}

bool cs_stmt_col_fixed(struct cs_stmt *s, int column, uint8_t *out, size_t n)
{
	struct cs_span v = cs_stmt_col(s, column);

	if (v.n != n) {
		memset(out, 0, n);
		return false;
	}
	memcpy(out, v.p, n);
	return true;
}
