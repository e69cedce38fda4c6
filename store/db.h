/*
 * One connection to the installation's database, and the only place where
 * SQLite's answers become our errors.
 *
 * Lifecycle: cs_db_open() opens an existing file, sets every pragma of the
 * rules and reads each back, refuses a file that is not ours (application_id)
 * or of another version (user_version), and prepares statements when they are
 * first used. Exactly one process opens with CS_DB_WRITE: it holds the
 * instance lock (store/lock.h) and is the only one that checkpoints. Readers
 * open with CS_DB_READ. A connection never crosses a fork.
 *
 * Statements are named rows of store/sql.def. A struct cs_stmt is a value on
 * the stack: start it, give its parameters in order, then run it or step
 * through its rows; binding errors are sticky and come out there.
 *
 *	struct cs_stmt s = cs_stmt(db, CS_SQL_LEAF_INSERT);
 *	cs_stmt_int(&s, idx);
 *	cs_stmt_blob(&s, hash);
 *	if (!cs_stmt_run(&s, err)) ...
 *
 * Bound and returned spans are borrowed: parameters must live until the
 * statement ran, columns until the next step or cs_stmt_end().
 *
 * Errors: CS_E_DB_FULL no space (definite: nothing of the transaction
 * stays), CS_E_DB_UNKNOWN a COMMIT failed in another way and may or may not
 * have become durable, CS_E_DB_CORRUPT, CS_E_LOCKED, CS_E_NO_MEMORY, else
 * CS_E_DB. Not checked here: what rows mean.
 */
#ifndef CS_STORE_DB_H
#define CS_STORE_DB_H

#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

struct sqlite3;
struct sqlite3_stmt;
struct cs_db;

enum cs_db_mode {
	CS_DB_READ,  /* no checkpoints, queries only */
	CS_DB_WRITE, /* the one writer */
	CS_DB_CREATE /* store/migrate.c: a new, empty file */
};

enum cs_sql {
#define CS_SQL(name, text) CS_SQL_##name,
#include "store/sql.def"
#undef CS_SQL
	CS_SQL_COUNT
};

struct cs_db_config {
	const char *path;
	const char *vfs;    /* NULL: SQLite's default */
	int cache_kib;	    /* 0: 8 MiB */
	uint32_t max_pages; /* 0: no bound; tests make a disk full with it */
};

void cs_db_close(struct cs_db *db);

/*
 * Open PATH. For CS_DB_READ and CS_DB_WRITE the file must exist, belong to
 * us with mode 0600 and be no symbolic link (CS_E_PERMISSION), and hold
 * version CS_SCHEMA_VERSION. NULL on failure.
 */
struct cs_db *cs_db_open(const struct cs_db_config *config,
			 enum cs_db_mode mode,
			 struct cs_error *err) CS_MUST_USE;

/* SQLite's handle, for store/ (backup, progress handler). Borrowed. */
struct sqlite3 *cs_db_handle(struct cs_db *db);

/* Run SQL without parameters or rows: schema and pragmas. */
bool cs_db_exec(struct cs_db *db, const char *sql,
		struct cs_error *err) CS_MUST_USE;

/* One integer from one row: PRAGMA user_version. */
bool cs_db_pragma_int(struct cs_db *db, const char *sql, int64_t *ret_value,
		      struct cs_error *err) CS_MUST_USE;

/* What rc means, in *err; returns false. `what` begins the sentence. */
bool cs_db_error(struct cs_db *db, int rc, const char *what,
		 struct cs_error *err);

/* -- transactions (writer) ---------------------------------------------- */

bool cs_db_begin(struct cs_db *db, struct cs_error *err) CS_MUST_USE;
/* On CS_E_DB_FULL everything is rolled back; on CS_E_DB_UNKNOWN, unknown. */
bool cs_db_commit(struct cs_db *db, struct cs_error *err) CS_MUST_USE;
/* Also when SQLite did so on its own already. */
void cs_db_rollback(struct cs_db *db);

/* -- statements --------------------------------------------------------- */

struct cs_stmt {
	struct cs_db *db;	   /* borrowed */
	struct sqlite3_stmt *stmt; /* borrowed; NULL when it did not prepare */
	int rc;			   /* the first error */
	int next;		   /* parameter to bind next */
	bool text;		   /* finalise at the end */
};

/* Start a named statement: reset, no parameters bound. */
struct cs_stmt cs_stmt(struct cs_db *db, enum cs_sql name);

/*
 * Start a statement from text that is composed at run time (the reader's
 * filters; never from outside bytes). cs_stmt_end() finalises it.
 */
struct cs_stmt cs_stmt_text(struct cs_db *db, const char *sql);

void cs_stmt_int(struct cs_stmt *s, int64_t v);
void cs_stmt_blob(struct cs_stmt *s, struct cs_span v); /* empty: x'' */
void cs_stmt_str(struct cs_stmt *s, struct cs_span utf8);
void cs_stmt_null(struct cs_stmt *s);
/* As blob or str; NULL when the span is empty. */
void cs_stmt_blob_or_null(struct cs_stmt *s, struct cs_span v);
void cs_stmt_str_or_null(struct cs_stmt *s, struct cs_span utf8);
void cs_stmt_int_or_null(struct cs_stmt *s, int64_t v); /* NULL when 0 */

/* Run to the end (no rows wanted), then reset. */
bool cs_stmt_run(struct cs_stmt *s, struct cs_error *err) CS_MUST_USE;

/* The next row; *ret_row = false at the end. End with cs_stmt_end(). */
bool cs_stmt_step(struct cs_stmt *s, bool *ret_row,
		  struct cs_error *err) CS_MUST_USE;

/*
 * The first column of at most cap rows, which are numbers, and the end of the
 * statement: for those that change what they would still be reading.
 */
bool cs_stmt_numbers(struct cs_stmt *s, int64_t *numbers, size_t cap,
		     size_t *ret_n, struct cs_error *err) CS_MUST_USE;

/* Reset (or finalise a text). Harmless at any time, also twice; a statement
 * that is started again needs none. */
void cs_stmt_end(struct cs_stmt *s);

/* Columns of the current row, from 0. NULL reads as 0 or an empty span. */
bool cs_stmt_is_null(struct cs_stmt *s, int column);
int64_t cs_stmt_col_int(struct cs_stmt *s, int column);
struct cs_span cs_stmt_col(struct cs_stmt *s, int column);
/* A blob of exactly n octets; else zeros and false. */
bool cs_stmt_col_fixed(struct cs_stmt *s, int column, uint8_t *out, size_t n);

/* Rows changed by the last statement that ran; row id of the last insert. */
int64_t cs_db_changes(struct cs_db *db);
int64_t cs_db_last_row(struct cs_db *db);

#endif
