#include "store/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"
#include "store/schema.h"

/* An empty file of ours alone; SQLite would create it by umask. */
static bool file_create(const char *path, struct cs_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		      0600);

	if (fd < 0)
		return cs_error_set_errno(
			err, errno == EEXIST ? CS_E_EXISTS : CS_E_IO, errno,
			"%s", path);
	close(fd);
	return true;
}

/* The one row of meta: an empty log. */
static bool meta_insert(struct cs_db *db, const struct cs_installation *in,
			struct cs_error *err)
{
	static const uint8_t none[32];
	struct cs_stmt s = cs_stmt(db, CS_SQL_META_INSERT);

	cs_stmt_blob(&s, cs_span_make(in->id, 16));
	cs_stmt_int(&s, in->now_ms);
	cs_stmt_str(&s, cs_span_str(in->origin));
	cs_stmt_blob(&s, cs_span_make(in->log_key, 32));
	cs_stmt_int(&s, in->now_ms);
	cs_stmt_blob(&s, cs_span_make(none, sizeof(none)));
	return cs_stmt_run(&s, err);
}

/* Statements one after the other. */
static bool run_all(struct cs_db *db, const char *const *statements, size_t n,
		    struct cs_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!cs_db_exec(db, statements[i], err))
			return false;
	return true;
}

/* The schema and meta, in one transaction. */
static bool fill(struct cs_db *db, const struct cs_installation *in,
		 struct cs_error *err)
{
	char sql[64];

	if (!cs_db_begin(db, err) ||
	    !run_all(db, cs_schema_v1, cs_schema_v1_n, err))
		return false;
	for (size_t i = 0; i < cs_migrations_n; i++)
		if (!run_all(db, cs_migrations[i].statements,
			     cs_migrations[i].n, err))
			return false;
	(void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d",
		       CS_SCHEMA_APPLICATION_ID);
	if (!cs_db_exec(db, sql, err))
		return false;
	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d",
		       CS_SCHEMA_VERSION);
	return cs_db_exec(db, sql, err) && meta_insert(db, in, err) &&
	       cs_db_commit(db, err);
}

bool cs_store_create(const struct cs_db_config *config,
		     const struct cs_installation *installation,
		     struct cs_error *err)
{
	struct cs_db_config beside = *config;
	char next[PATH_MAX];
	struct cs_db *db;
	bool ok;

	if ((size_t)snprintf(next, sizeof(next), "%s.new", config->path) >=
	    sizeof(next))
		return cs_error_set(err, CS_E_ARGUMENT, "%s: too long",
				    config->path);
	if (access(config->path, F_OK) == 0)
		return cs_error_set(err, CS_E_EXISTS, "%s: exists already",
				    config->path);
	beside.path = next;
	(void)unlink(next); /* of a creation that was cut short */
	if (!file_create(next, err))
		return false;
	db = cs_db_open(&beside, CS_DB_CREATE, err);
	ok = db != NULL && fill(db, installation, err);
	cs_db_close(db); /* checkpoints: the file is whole without its WAL */
	if (ok && rename(next, config->path) != 0)
		ok = cs_error_set_errno(err, CS_E_IO, errno, "%s",
					config->path);
	if (!ok)
		(void)unlink(next);
	return ok && cs_file_sync_folder(config->path, err);
}

/* A copy of the whole database at `path`. */
static bool backup(struct cs_db *db, const char *path, struct cs_error *err)
{
	struct cs_db_config config = {.path = path};
	struct cs_db *copy;
	sqlite3_backup *b;
	int rc = SQLITE_ERROR;

	(void)unlink(path);
	if (!file_create(path, err))
		return false;
	copy = cs_db_open(&config, CS_DB_CREATE, err);
	if (copy == NULL)
		return false;
	b = sqlite3_backup_init(cs_db_handle(copy), "main", cs_db_handle(db),
				"main");
	if (b != NULL) {
		(void)sqlite3_backup_step(b, -1);
		rc = sqlite3_backup_finish(b);
	}
	if (rc != SQLITE_OK)
		cs_db_error(copy, rc, path, err);
	cs_db_close(copy);
	if (rc != SQLITE_OK)
		(void)unlink(path); /* half of it, on a full disk perhaps */
	return rc == SQLITE_OK && cs_file_sync_folder(path, err);
}

/* One step, with the new version, in one transaction. */
static bool step_run(struct cs_db *db, const struct cs_migration *step,
		     struct cs_error *err)
{
	char sql[64];

	if (!cs_db_begin(db, err) ||
	    !run_all(db, step->statements, step->n, err))
		return false;
	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d",
		       step->from + 1);
	return cs_db_exec(db, sql, err) && cs_db_commit(db, err);
}

/* The step that begins at a version, or NULL. */
static const struct cs_migration *step_from(const struct cs_migration *steps,
					    size_t n, int64_t version)
{
	for (size_t i = 0; i < n; i++)
		if (steps[i].from == version)
			return &steps[i];
	return NULL;
}

/* All steps that are needed. */
static bool migrate(struct cs_db *db, const char *path,
		    const struct cs_migration *steps, size_t n, int target,
		    size_t *done, struct cs_error *err)
{
	int64_t id = 0;
	int64_t version = 0;

	if (!cs_db_pragma_int(db, "PRAGMA application_id", &id, err) ||
	    !cs_db_pragma_int(db, "PRAGMA user_version", &version, err))
		return false;
	if (id != CS_SCHEMA_APPLICATION_ID || version < 1)
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "%s: not a countersign database", path);
	if (version > target)
		return cs_error_set(err, CS_E_DB,
				    "%s: version %lld was written by a newer "
				    "countersign",
				    path, (long long)version);
	for (; version < target; version++, (*done)++) {
		const struct cs_migration *step = step_from(steps, n, version);
		char copy[PATH_MAX];

		if (step == NULL)
			return cs_error_set(err, CS_E_DB,
					    "%s: no way from version %lld",
					    path, (long long)version);
		(void)snprintf(copy, sizeof(copy), "%s.v%lld", path,
			       (long long)version);
		if (!backup(db, copy, err))
			return false;
		if (!step_run(db, step, err)) {
			cs_db_rollback(db);
			return false;
		}
	}
	return true;
}

bool cs_store_migrate(const struct cs_db_config *config,
		      const struct cs_migration *steps, size_t n, int target,
		      size_t *ret_steps, struct cs_error *err)
{
	struct cs_db *db = cs_db_open(config, CS_DB_CREATE, err);
	size_t done = 0;
	bool ok;

	if (db == NULL)
		return false;
	ok = migrate(db, config->path, steps, n, target, &done, err);
	cs_db_close(db);
	if (ok && ret_steps != NULL)
		*ret_steps = done;
	return ok;
}
