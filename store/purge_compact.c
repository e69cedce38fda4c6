#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/file.h"
#include "store/copy.h"
#include "store/purge.h"

/* Room that must be left beside the copy. */
#define SPARE ((uint64_t)64 * 1024 * 1024)

/* Is there room for a copy of what is used? */
static bool check_room(struct cs_db *db, const char *path, struct cs_error *err)
{
	int64_t pages = 0, unused = 0, size = 0;
	struct statvfs fs;
	uint64_t need;

	if (!cs_db_pragma_int(db, "PRAGMA page_count", &pages, err) ||
	    !cs_db_pragma_int(db, "PRAGMA freelist_count", &unused, err) ||
	    !cs_db_pragma_int(db, "PRAGMA page_size", &size, err))
		return false;
	if (statvfs(path, &fs) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
	need = (uint64_t)((pages - unused) * size) + SPARE;
	if ((uint64_t)fs.f_bavail * fs.f_frsize < need)
		return cs_error_set(err, CS_E_DB_FULL,
				    "a copy needs %llu MiB, and %llu are free",
				    (unsigned long long)(need >> 20),
				    (unsigned long long)((uint64_t)fs.f_bavail *
								 fs.f_frsize >>
							 20));
	return true;
}

/* A file of ours alone for the copy, and the copy. */
static bool copy(struct cs_db *db, const char *next, struct cs_error *err)
{
	int fd = open(next, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		      0600);
	struct cs_stmt s;

	if (fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", next);
	close(fd);
	s = cs_stmt_text(db, "VACUUM INTO ?");
	cs_stmt_str(&s, cs_span_str(next));
	return cs_stmt_run(&s, err);
}

/* Is the copy whole, and on the disk? */
static bool check_copy(const char *next, struct cs_error *err)
{
	const struct cs_db_config config = {.path = next};
	struct cs_db *db = cs_db_open(&config, CS_DB_READ, err);
	bool ok = db != NULL && cs_copy_check_file(db, err);
	int fd;

	cs_db_close(db);
	if (!ok)
		return false;
	fd = open(next, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		ok = cs_error_set_errno(err, CS_E_IO, errno, "%s", next);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Whatever stands in a WAL would be taken for the new file's. */
static bool check_no_wal(const char *path, struct cs_error *err)
{
	char wal[PATH_MAX + 8];

	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	return access(wal, F_OK) != 0 ||
	       cs_error_set(err, CS_E_LOCKED, "somebody reads the database");
}

/* All of the old file's WAL into it; then it has none. */
static bool settle(struct cs_db *db, struct cs_error *err)
{
	int64_t busy = 0;

	return cs_db_pragma_int(db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy,
				err) &&
	       (busy == 0 ||
		cs_error_set(err, CS_E_LOCKED, "somebody reads the database"));
}

/* Where the copy is written. False: the path is too long. */
static bool copy_path(const char *path, char next[PATH_MAX])
{
	return (size_t)snprintf(next, PATH_MAX, "%s.compact", path) < PATH_MAX;
}

bool cs_purge_was_cut(const char *path)
{
	char next[PATH_MAX];

	return copy_path(path, next) && access(next, F_OK) == 0;
}

bool cs_purge_compact(const char *path, struct cs_error *err)
{
	const struct cs_db_config config = {.path = path};
	char next[PATH_MAX];
	struct cs_db *db;
	bool ok;

	if (!copy_path(path, next))
		return cs_error_set(err, CS_E_ARGUMENT, "%s: too long", path);
	(void)unlink(next); /* of one that was cut short */
	db = cs_db_open(&config, CS_DB_WRITE, err);
	ok = db != NULL && settle(db, err) && check_room(db, path, err) &&
	     copy(db, next, err);
	/* The last connection takes -wal and -shm away with it. */
	cs_db_close(db);
	ok = ok && check_no_wal(path, err) && check_copy(next, err);
	if (ok)
		(void)cs_failpoint("purge.before_rename");
	if (ok && rename(next, path) != 0)
		ok = cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
	if (!ok)
		(void)unlink(next);
	return ok && cs_file_sync_folder(path, err);
}
