/* `db purge`: remove the content of what has ended, from a stopped server. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/install.h"
#include "cli/list.h"
#include "cli/show.h"
#include "store/copy.h"
#include "store/lock.h"
#include "store/purge.h"

static const struct cs_option options[] = {
	{"older-than", 0, "AGE",
	 "what ended longer before the log's last entry: 2y, 900d"},
	{"before", 0, "TIME", "what ended before 2027-01-31T00:00:00Z"},
	{"dry-run", 0, NULL, "say what would be purged, change nothing"},
	{"no-compact", 0, NULL, "leave the file at its size"},
	{0},
};

/* One call. */
struct purging {
	const struct cs_call *call;
	struct cs_install *in;
	struct cs_arena arena;
	struct cs_clock clock;
	char *path;    /* DIR/ledger.db */
	int64_t age_s; /* of --older-than; else -1, and before_ms */
	int64_t before_ms;
	int lock_fd;
	struct cs_db *db;
	struct cs_note_signer *signer;
	struct cs_purge_report report;
	bool compacted;
};

/* -- until when ---------------------------------------------------------- */

/* The time that was asked for. */
static bool read_before(struct purging *p, struct cs_error *err)
{
	const char *older = cs_call_get(p->call, "older-than");
	const char *before = cs_call_get(p->call, "before");

	if ((older == NULL) == (before == NULL))
		return cs_error_set(err, CS_E_USAGE,
				    "`db purge` needs --older-than or "
				    "--before");
	if (before != NULL)
		return cs_list_parse_time("before", before, &p->before_ms, err);
	if (!cs_time_parse_age(cs_span_str(older), &p->age_s, NULL))
		return cs_error_set(err, CS_E_USAGE,
				    "--older-than: `%s`: expected an age as "
				    "2y or 900d",
				    older);
	return true;
}

/*
 * Is it further back than the retention? Both are counted from the last
 * recorded time: a clock that runs ahead does not make anything old.
 */
static bool check_retention(struct purging *p, struct cs_error *err)
{
	int64_t now = cs_clock_wall_ms(&p->clock);
	char keeps[CS_TIME_TEXT], limit[CS_TIME_TEXT], from[CS_TIME_TEXT];
	int64_t recorded = 0;

	if (!cs_db_pragma_int(p->db, "SELECT clock_ms FROM meta", &recorded,
			      err))
		return false;
	if (recorded > now)
		return cs_error_set(err, CS_E_CLOCK,
				    "the clock is behind the last entry of "
				    "the log; nothing is purged by it");
	if (p->age_s >= 0)
		p->before_ms = recorded - p->age_s * 1000;
	now = recorded - p->in->config.retention_s * 1000;
	if (p->before_ms <= now)
		return true;
	cs_time_duration(p->in->config.retention_s, keeps);
	cs_time_rfc3339(now / 1000, limit);
	cs_time_rfc3339(recorded / 1000, from);
	return cs_error_set(err, CS_E_ARGUMENT,
			    "retention is %s (countersign.yaml): what ended "
			    "after %s is kept, counted from the last entry of "
			    "the log (%s)",
			    keeps, limit, from);
}

/* -- the parts ----------------------------------------------------------- */

/* Everything is verified first: a purge would hide what was changed. */
static bool verify(struct purging *p, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf note;
	struct cs_copy_check check = {
		.path = p->path,
		.verifier = cs_note_signer_verifier(p->signer)};
	struct cs_verify_report report;

	cs_buf_init(&note, CS_MAX_NOTE);
	if (!cs_files_read(p->call->dir, "checkpoint", &note, err))
		return false;
	check.note = cs_buf_span(&note);
	if (isatty(fileno(p->call->err)))
		fputs("verifying the ledger first\n", p->call->err);
	if (cs_copy_check(&check, &report, err))
		return true;
	return cs_error_prefix(err, "nothing was purged: audit verify");
}

static bool open_key(struct purging *p, struct cs_error *err)
{
	int fd;

	if (!cs_files_open_secret(p->call->dir, p->in->config.log_key, &fd,
				  err))
		return false;
	p->signer = cs_note_signer_new(fd, p->in->config.origin, err);
	close(fd);
	return p->signer != NULL;
}

/* The checkpoint outside, after each slice. */
static bool keep_note(void *ctx, struct cs_span note, struct cs_error *err)
{
	struct purging *p = ctx;
	char *path = cs_files_path(&p->arena, p->call->dir, "checkpoint");

	if (path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	(void)cs_failpoint("purge.before_checkpoint_file");
	return cs_file_replace(path, 0644, note, err);
}

static void show_progress(void *ctx, uint64_t leaves)
{
	const struct purging *p = ctx;

	if (isatty(fileno(p->call->err)))
		fprintf(p->call->err, "\rpurged %llu entries",
			(unsigned long long)leaves);
}

static struct cs_purge_config plan(struct purging *p)
{
	return (struct cs_purge_config){
		.db = p->db,
		.signer = p->signer,
		.clock = p->clock,
		.before_ms = p->before_ms,
		.retention_s = p->in->config.retention_s,
		.uid = (int64_t)getuid(),
		.note = keep_note,
		.progress = show_progress,
		.ctx = p,
	};
}

/* Nobody writes or counts while it is decided what goes. */
static bool open_database(struct purging *p, enum cs_db_mode mode,
			  struct cs_error *err)
{
	const struct cs_db_config config = {.path = p->path};

	p->db = cs_db_open(&config, mode, err);
	return p->db != NULL;
}

/* Give the space back. That there is none for it is no failure. */
static bool compact(struct purging *p, struct cs_error *err)
{
	struct cs_error why = {0};

	cs_db_close(p->db);
	p->db = NULL;
	p->compacted = cs_purge_compact(p->path, &why);
	if (p->compacted)
		return true;
	if (why.code == CS_E_DB_FULL) {
		fprintf(p->call->err,
			"countersign: the file keeps its size: %s\n", why.text);
		return true;
	}
	*err = why;
	return false;
}

static bool purge(struct purging *p, struct cs_error *err)
{
	struct cs_purge_config c;
	bool ok;

	p->lock_fd = cs_lock_take(p->call->dir, err);
	if (p->lock_fd < 0)
		return err->code != CS_E_LOCKED
			       ? false
			       : cs_error_prefix(err, "stop the server first");
	if (!open_key(p, err) || !open_database(p, CS_DB_WRITE, err) ||
	    !check_retention(p, err) || !verify(p, err))
		return false;
	c = plan(p);
	ok = cs_purge_run(&c, &p->report, err);
	if (p->report.slices > 0 && isatty(fileno(p->call->err)))
		fputc('\n', p->call->err);
	if (!ok || cs_call_get(p->call, "no-compact") != NULL ||
	    (p->report.slices == 0 && !cs_purge_was_cut(p->path)))
		return ok;
	return compact(p, err);
}

/* Over a running server's file, too: it is only read. */
static bool count(struct purging *p, struct cs_error *err)
{
	struct cs_purge_config c;

	if (!open_database(p, CS_DB_READ, err) || !check_retention(p, err))
		return false;
	c = plan(p);
	return cs_purge_count(&c, &p->report, err);
}

/* -- what is told -------------------------------------------------------- */

/* Is it a file of SQLite's own, or one that is gone in a moment? */
static bool is_part(const char *name)
{
	return strcmp(name, "ledger.db-wal") == 0 ||
	       strcmp(name, "ledger.db-shm") == 0;
}

/* Copies that migrations and restores left: they hold everything still. */
static void tell_copies(const struct purging *p)
{
	DIR *dir = opendir(p->call->dir);
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (strncmp(e->d_name, "ledger.db", 9) == 0 &&
		    e->d_name[9] != '\0' && !is_part(e->d_name))
			fprintf(p->call->err,
				"countersign: %s/%s is a copy from before, and "
				"holds what was purged\n",
				p->call->dir, e->d_name);
	if (dir != NULL)
		closedir(dir);
}

/* What was done, or would be. */
static json_t *report_json(const struct purging *p)
{
	const struct cs_purge_report *r = &p->report;
	bool dry = cs_call_get(p->call, "dry-run") != NULL;
	char before[CS_TIME_TEXT];
	json_t *out;

	cs_time_rfc3339(p->before_ms / 1000, before);
	out = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "what",
			dry ? "would be purged" : "purged", "before", before,
			"certificates", (json_int_t)r->certificates, "refusals",
			(json_int_t)r->refusals, "others",
			(json_int_t)r->others, "acts", (json_int_t)r->acts,
			"octets", (json_int_t)r->octets, "counted",
			(json_int_t)r->counted, "compacted", p->compacted);
	if (r->slices > 0) {
		json_object_set_new(out, "first_act",
				    json_integer((json_int_t)r->first_act));
		json_object_set_new(out, "last_act",
				    json_integer((json_int_t)r->last_act));
	}
	return out;
}

static int print_report(const struct purging *p)
{
	json_t *out = report_json(p);

	if (cs_call_wants(p->call, "json")) {
		json_dumpf(out, p->call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
		fputc('\n', p->call->out);
	} else {
		cs_show_object(out, p->call->out);
	}
	json_decref(out);
	return CS_EXIT_DONE;
}

/* -- the command --------------------------------------------------------- */

static bool begin(struct purging *p, struct cs_error *err)
{
	p->in = cs_install_load(p->call->dir, err);
	p->path = cs_files_path(&p->arena, p->call->dir, "ledger.db");
	if (p->in != NULL && p->path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return p->in != NULL && read_before(p, err);
}

static int run(const struct cs_call *call)
{
	struct purging p = {.call = call,
			    .clock = cs_clock_system(),
			    .age_s = -1,
			    .lock_fd = -1};
	bool dry = cs_call_get(call, "dry-run") != NULL;
	struct cs_error err = {0};
	int status;

	cs_arena_init(&p.arena, 1024 * 1024);
	if (begin(&p, &err) && (dry ? count(&p, &err) : purge(&p, &err))) {
		status = print_report(&p);
		tell_copies(&p);
	} else {
		status = cs_call_fail(call, &err);
		if (p.report.slices > 0)
			fprintf(call->err,
				"entries %llu to %llu of the log say what was "
				"purged before that\n",
				(unsigned long long)p.report.first_act,
				(unsigned long long)p.report.last_act);
	}
	cs_db_close(p.db);
	cs_note_signer_free(p.signer);
	cs_lock_drop(p.lock_fd);
	cs_install_free(p.in);
	cs_arena_done(&p.arena);
	return status;
}

const struct cs_command cs_cmd_db_purge = {
	.name = "db purge",
	.args = "",
	.help = "Remove the content of what ended long ago; the log stays",
	.outputs = "table|json",
	.options = options,
	.example = "countersign db purge --older-than 3y --dry-run",
	.run = run,
};
