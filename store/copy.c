#include "store/copy.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

bool cs_copy_settle(const char *path, struct cs_error *err)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(
		path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA journal_mode = delete", NULL,
				  NULL, NULL);
	if (rc != SQLITE_OK)
		cs_db_error(NULL, rc, path, err);
	if (sqlite3_close(db) != SQLITE_OK && rc == SQLITE_OK)
		return cs_error_set(err, CS_E_DB, "%s: cannot be closed", path);
	return rc == SQLITE_OK;
}

/* The first row of a checking pragma; empty text: no row. */
static bool pragma_row(struct cs_db *db, const char *sql, char text[256],
		       struct cs_error *err)
{
	struct cs_stmt s = cs_stmt_text(db, sql);
	bool row = false;

	text[0] = '\0';
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row)
		(void)snprintf(text, 256, "%.*s",
			       CS_SPAN_FMT(cs_stmt_col(&s, 0)));
	cs_stmt_end(&s);
	return true;
}

bool cs_copy_check_file(struct cs_db *db, struct cs_error *err)
{
	char text[256];

	if (!pragma_row(db, "PRAGMA integrity_check(1)", text, err))
		return false;
	if (strcmp(text, "ok") != 0)
		return cs_error_set(err, CS_E_DB_CORRUPT, "the database: %s",
				    text);
	if (!pragma_row(db, "PRAGMA foreign_key_check", text, err))
		return false;
	if (text[0] != '\0')
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "the database: table %s refers to a row "
				    "that is not there",
				    text);
	return true;
}

/* The first finding, kept. */
static void on_finding(void *ctx, const struct cs_verify_finding *f)
{
	struct cs_verify_finding *first = ctx;

	if (first->where == NULL)
		*first = *f;
}

/* Both checks on an open database. */
static bool check(const struct cs_copy_check *config, struct cs_db *db,
		  struct cs_verify_report *report, struct cs_error *err)
{
	struct cs_verify_finding first = {.where = NULL};
	struct cs_verify_config c = {
		.db = db,
		.verifier = config->verifier,
		.outside = config->note,
		.finding = on_finding,
		.ctx = &first,
	};

	if (!cs_copy_check_file(db, err) || !cs_verify_run(&c, report, err))
		return false;
	if (report->findings > 0)
		return cs_error_set(
			err, CS_E_VERIFY, "%s %lld: %s (%llu contradictions)",
			first.where, (long long)first.row, first.text,
			(unsigned long long)report->findings);
	if (report->split)
		return cs_error_set(err, CS_E_VERIFY,
				    "the checkpoint beside it is newer than "
				    "the log, or of another one");
	return true;
}

bool cs_copy_check(const struct cs_copy_check *config,
		   struct cs_verify_report *ret_report, struct cs_error *err)
{
	const struct cs_db_config c = {.path = config->path};
	struct cs_db *db = cs_db_open(&c, CS_DB_READ, err);
	bool ok = db != NULL && check(config, db, ret_report, err);

	cs_db_close(db);
	return ok;
}

bool cs_copy_size(const char *path, uint64_t *ret_tree_size,
		  struct cs_error *err)
{
	const struct cs_db_config c = {.path = path};
	struct cs_db *db = cs_db_open(&c, CS_DB_READ, err);
	int64_t size = 0;
	bool ok;

	if (db == NULL)
		return false;
	ok = cs_db_pragma_int(db, "SELECT tree_size FROM meta", &size, err);
	cs_db_close(db);
	if (ok)
		*ret_tree_size = (uint64_t)size;
	return ok;
}
