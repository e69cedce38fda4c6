/*
 * A copy of the database while decisions go on: SQLite's backup on the one
 * connection that writes, a few pages at a time between transactions. What a
 * transaction changes in pages that were copied already, SQLite writes into
 * the copy as well, so that the end of it is the state after the last COMMIT.
 *
 * The copy stands in DIR/run. `countersign backup` takes it from there,
 * verifies and removes it; what nobody takes is removed here. It is neither
 * synced nor verified here: both would hold up decisions.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <dirent.h>
#include <sqlite3.h>

#include "base/failpoint.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/ledger_room.h"

/*
 * Pages of one step, and the pause between two. While nothing is decided:
 * about 30 MB a second, a small share of any disk that a ledger should stand
 * on. While decisions go on: about 3, so that they notice little of it, and
 * twice what the ledger has grown by meanwhile, so that there is an end of it.
 * A step takes less than a commit's time, or some milliseconds where the
 * ledger grows by a hundred megabytes a second.
 */
#define STEP_PAGES	32
#define PAUSE_MS	4
#define BUSY_STEP_PAGES 16
#define BUSY_PAUSE_MS	20
#define MAX_STEP_PAGES	2048
/* A step that waits for so long until nothing is to be done waits no more. */
#define PATIENCE_MS 200
/* Left free beside the copy: the ledger must not run out of space by it. */
#define RESERVE_BYTES (64LL * 1024 * 1024)
/* A copy that nobody took within this is removed. */
#define KEPT_MS ((int64_t)15 * 60 * 1000)

#define PREFIX "backup-"

struct cs_ledger_backup {
	struct cs_ledger *ledger; /* borrowed */
	struct cs_timer *pause;
	struct cs_idle *step;
	sqlite3 *copy;	   /* owned; NULL: none under way */
	sqlite3_backup *b; /* owned */
	uint64_t ticket, credential;
	int64_t uid;
	char name[64];	  /* relative to DIR; empty: there is no file */
	uint64_t batches; /* committed before the step */
	int pages;	  /* of the ledger, at the step before */
	int grown;	  /* pages more than at the one before that */
	bool waits;	  /* for its next step, until nothing is to be done */
	int64_t done_ms;  /* on the boot clock; the file waits since then */
};

/* The file's whole path, in the batch's arena. NULL: no memory. */
static char *path_of(struct cs_ledger *l, const char *name)
{
	return cs_arena_printf(&l->batch.arena, "%s/%s", l->config.dir, name);
}

/* ADMIN_DONE that says no. */
static void say_no(struct cs_ledger *l, uint64_t ticket, const char *code,
		   const char *detail)
{
	const struct cs_msg_admin_done m = {
		.code = cs_span_str(code),
		.detail = cs_span_str(detail),
	};
	struct cs_error err = {0};

	if (l->front == NULL ||
	    !cs_link_send_admin_done(l->front, ticket, &m, &err))
		cs_ledger_link_failed(l, &err);
}

/* Remove the file, if there is one. */
static void forget_file(struct cs_ledger_backup *b)
{
	char *path;

	if (b->name[0] == '\0')
		return;
	path = path_of(b->ledger, b->name);
	if (path != NULL)
		(void)unlink(path);
	b->name[0] = '\0';
}

/* End SQLite's part of it; its error, if any. */
static int close_copy(struct cs_ledger_backup *b)
{
	int rc = SQLITE_OK;

	cs_timer_stop(b->pause);
	if (b->b != NULL)
		rc = sqlite3_backup_finish(b->b);
	b->b = NULL;
	sqlite3_close(b->copy);
	b->copy = NULL;
	return rc;
}

/* It cannot be done: say so, keep nothing. */
static void give_up(struct cs_ledger_backup *b, const char *code,
		    const char *detail)
{
	cs_log_write(b->ledger->config.log, CS_LOG_ERROR, "backup.failed", "%s",
		     detail);
	(void)close_copy(b);
	forget_file(b);
	say_no(b->ledger, b->ticket, code, detail);
}

/* What the leaf says, and the answer after it. In l->json. */
static bool decision_write(struct cs_ledger *l, struct cs_error *err)
{
	uint8_t root[CS_TREE_HASH];
	struct cs_json j;

	if (!cs_tree_edge_root(l->hash, &l->edge, root, err))
		return false;
	cs_buf_reset(&l->json);
	cs_json_begin(&j, &l->json);
	cs_json_object(&j);
	cs_json_member_hex(&j, "root", cs_span_make(root, sizeof(root)));
	cs_json_member_int(&j, "tree_size", (int64_t)l->edge.size);
	cs_json_end(&j);
	return cs_json_finish(&j, "backup", err);
}

/* The leaf: this much of the log has been copied, for whom. */
static bool leaf_fill(struct cs_ledger *l, struct cs_error *err)
{
	const struct cs_ledger_backup *b = l->backup;
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_BACKUP, err);

	if (d == NULL || !decision_write(l, err))
		return false;
	if (!cs_arena_dup(&l->batch.arena, cs_buf_span(&l->json), &d->decision))
		return cs_error_set(err, CS_E_NO_MEMORY, "backup");
	cs_ledger_draft_actor(l, d, cs_roster_owner(l->roster, b->credential),
			      b->credential, b->uid);
	return true;
}

/* {"checkpoint","file","index","tree_size"}: the answer. */
static bool answer_write(const struct cs_ledger *l, struct cs_buf *out,
			 struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_span(&j, "checkpoint", cs_buf_span(&l->note));
	cs_json_member_str(&j, "file", l->backup->name);
	cs_json_member_int(&j, "index", (int64_t)l->edge.size);
	cs_json_member_int(&j, "tree_size", (int64_t)l->edge.size);
	cs_json_end(&j);
	return cs_json_finish(&j, "backup", err);
}

/* The last page is copied: record it, then answer. */
static void complete(struct cs_ledger_backup *b)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_ledger *l = b->ledger;
	struct cs_msg_admin_done m = {.ok = 1};
	struct cs_error err = {0};

	cs_buf_init(&out, 2 * CS_MAX_NOTE);
	/* Before the leaf: of the state that was copied. */
	if (!answer_write(l, &out, &err) ||
	    !cs_ledger_own_batch(l, leaf_fill, &err)) {
		forget_file(b);
		say_no(l, b->ticket,
		       err.code == CS_E_DB_FULL ? "LEDGER_FULL"
						: "LEDGER_ERROR",
		       err.text);
		if (err.code != CS_E_DB_FULL)
			cs_ledger_fail(l, &err);
		return;
	}
	b->done_ms = cs_clock_boot_ms(&l->config.clock);
	l->metrics->backup_ms = cs_clock_wall_ms(&l->config.clock);
	m.body = cs_buf_span(&out);
	if (l->front == NULL ||
	    !cs_link_send_admin_done(l->front, b->ticket, &m, &err))
		cs_ledger_link_failed(l, &err);
}

/* How many pages to copy now. */
static int step_pages(const struct cs_ledger_backup *b, bool busy)
{
	int pages = busy ? BUSY_STEP_PAGES : STEP_PAGES;

	if (b->grown > (MAX_STEP_PAGES - pages) / 2)
		return MAX_STEP_PAGES;
	return pages + 2 * b->grown;
}

/* How large is the ledger now, and how much larger than before? */
static void step_count(struct cs_ledger_backup *b)
{
	int pages = sqlite3_backup_pagecount(b->b);

	b->grown = b->pages > 0 && pages > b->pages ? pages - b->pages : 0;
	b->pages = pages;
}

/* Ask for the next step, after a pause. */
static void next_step(struct cs_ledger_backup *b, uint32_t ms)
{
	b->waits = false;
	cs_timer_start(b->pause, ms);
}

/* A few pages more, when nothing else is to be done. */
static void on_step(void *ctx)
{
	struct cs_ledger_backup *b = ctx;
	uint64_t batches;
	bool busy;
	int rc;

	if (b->b == NULL || b->ledger->over || !b->waits)
		return;
	(void)cs_failpoint("ledger.backup_step");
	batches = b->ledger->metrics->batches;
	busy = batches != b->batches;
	b->batches = batches;
	rc = sqlite3_backup_step(b->b, step_pages(b, busy));
	step_count(b);
	if (cs_failpoint("ledger.backup_full"))
		rc = SQLITE_FULL;
	if (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
		next_step(b, busy ? BUSY_PAUSE_MS : PAUSE_MS);
		return;
	}
	if (rc == SQLITE_DONE)
		rc = close_copy(b);
	if (rc == SQLITE_OK)
		complete(b);
	else
		give_up(b,
			(rc & 0xff) == SQLITE_FULL ? "NO_SPACE"
						   : "BACKUP_FAILED",
			sqlite3_errstr(rc));
}

/* The pause is over; or there was always something else to be done since. */
static void on_pause(void *ctx)
{
	struct cs_ledger_backup *b = ctx;

	if (b->waits) {
		on_step(b);
		return;
	}
	b->waits = true;
	cs_idle_request(b->step);
	cs_timer_start(b->pause, PATIENCE_MS);
}

/* Is there space for a whole copy, and more? */
static bool space_check(struct cs_ledger *l, struct cs_error *err)
{
	int64_t pages = 0, size = 0;
	struct statvfs fs;

	if (!cs_db_pragma_int(l->db, "PRAGMA page_count", &pages, err) ||
	    !cs_db_pragma_int(l->db, "PRAGMA page_size", &size, err))
		return false;
	if (statvfs(l->config.dir, &fs) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s",
					  l->config.dir);
	if ((int64_t)(fs.f_bavail * fs.f_frsize) < pages * size + RESERVE_BYTES)
		return cs_error_set(
			err, CS_E_DB_FULL,
			"a copy needs %lld MiB and %lld MiB beside it; %lld "
			"MiB are free",
			(long long)(pages * size / 1048576 + 1),
			RESERVE_BYTES / 1048576,
			(long long)(fs.f_bavail * fs.f_frsize / 1048576));
	return true;
}

/* An empty file of ours, open for SQLite. */
static bool copy_open(struct cs_ledger_backup *b, const char *path,
		      struct cs_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		      0600);
	int rc;

	if (fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
	close(fd);
	rc = sqlite3_open_v2(path, &b->copy,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
				     SQLITE_OPEN_PRIVATECACHE,
			     b->ledger->config.vfs);
	/* A copy that fails is removed: it needs no journal and no sync. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(b->copy,
				  "PRAGMA journal_mode = off;"
				  "PRAGMA synchronous = off;"
				  "PRAGMA cache_size = -2048",
				  NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return cs_db_error(NULL, rc, path, err);
	b->b = sqlite3_backup_init(b->copy, "main", cs_db_handle(b->ledger->db),
				   "main");
	if (b->b == NULL)
		return cs_db_error(NULL, sqlite3_extended_errcode(b->copy),
				   path, err);
	return true;
}

void cs_ledger_backup_start(struct cs_ledger *l, const struct cs_work *w)
{
	struct cs_ledger_backup *b = l->backup;
	struct cs_error err = {0};
	char *path;

	if (b->b != NULL) {
		say_no(l, w->ticket, "BACKUP_RUNNING",
		       "another backup is under way");
		return;
	}
	forget_file(b);
	b->ticket = w->ticket;
	b->credential = w->m.backup.credential;
	b->uid = w->m.backup.uid;
	if (!space_check(l, &err)) {
		say_no(l, w->ticket,
		       err.code == CS_E_DB_FULL ? "NO_SPACE" : "BACKUP_FAILED",
		       err.text);
		return;
	}
	(void)snprintf(b->name, sizeof(b->name), "run/" PREFIX "%lld.db",
		       (long long)cs_clock_boot_ms(&l->config.clock));
	path = path_of(l, b->name);
	if (path == NULL)
		cs_error_set(&err, CS_E_NO_MEMORY, "backup");
	if (path == NULL || !copy_open(b, path, &err)) {
		give_up(b, "BACKUP_FAILED", err.text);
		return;
	}
	b->pages = b->grown = 0;
	next_step(b, 0);
}

void cs_ledger_backup_tick(struct cs_ledger *l)
{
	struct cs_ledger_backup *b = l->backup;

	if (b->b == NULL && b->name[0] != '\0' &&
	    cs_clock_boot_ms(&l->config.clock) - b->done_ms > KEPT_MS)
		forget_file(b);
}

void cs_ledger_backup_abort(struct cs_ledger *l)
{
	if (l->backup != NULL && l->backup->b != NULL)
		give_up(l->backup, "STOPPING", "the server is stopping");
}

void cs_ledger_backup_free(struct cs_ledger_backup *b)
{
	if (b == NULL)
		return;
	if (b->b != NULL) {
		(void)close_copy(b);
		forget_file(b);
	}
	cs_timer_free(b->pause);
	cs_idle_free(b->step);
	cs_mem_free(b);
}

/* Copies that were under way when the house was killed. */
static void remove_stale(const char *dir)
{
	char run[4096];
	DIR *d;
	struct dirent *e;

	if ((size_t)snprintf(run, sizeof(run), "%s/run", dir) >= sizeof(run))
		return;
	d = opendir(run);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
}

struct cs_ledger_backup *cs_ledger_backup_new(struct cs_ledger *l,
					      struct cs_error *err)
{
	struct cs_ledger_backup *b = cs_mem_new(sizeof(*b));

	if (b == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "backup");
		return NULL;
	}
	b->ledger = l;
	b->pause = cs_timer_new(l->loop, on_pause, b, err);
	b->step =
		b->pause == NULL ? NULL : cs_idle_new(l->loop, on_step, b, err);
	if (b->step == NULL) {
		cs_ledger_backup_free(b);
		return NULL;
	}
	remove_stale(l->config.dir);
	return b;
}
