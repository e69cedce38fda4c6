/*
 * `restore`: an installation from a backup, or the ledger of one whose other
 * files are well; and `--accept-split-view`, with which a ledger that is
 * older than the checkpoint beside it goes on.
 *
 * What was done is left in DIR/restore.json; the next start records it as a
 * `restore` leaf (store/ledger_restore.c).
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "cli/archive.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/install.h"
#include "cli/log_args.h"
#include "store/copy.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/schema.h"

#define ARENA_BYTES (1024 * 1024)
#define MARKER	    "restore.json"
/* The same, until what it says is done. */
#define MARKER_NEXT MARKER ".next"

static const struct cs_option options[] = {
	{"replace-ledger", 0, NULL,
	 "DIR is there: only its ledger comes from the backup"},
	{"accept-split-view", 0, NULL,
	 "go on though the checkpoint outside knows more"},
	{0},
};

struct restore {
	const struct cs_call *call;
	const char *from; /* the backup */
	const char *dir;
	struct cs_arena arena;
	struct cs_hash *hash;
	json_t *manifest; /* owned */
	struct cs_note_verifier verifier;
	struct cs_verify_report report;
	int lock_fd;
	struct cs_files_taken taken; /* what stands in dir is ours to remove */
};

static char *path(struct restore *r, const char *root, const char *name)
{
	return cs_files_path(&r->arena, root, name);
}

/* The log's public key that stands in a directory. */
static bool read_key(const char *dir, struct cs_note_verifier *ret,
		     struct cs_error *err)
{
	return cs_log_key_read(dir, CS_LOG_KEY_FILE, ret, err);
}

/* The marker for the next start, under this name. Takes `said`. */
static bool leave_marker(const char *dir, const char *name, json_t *said,
			 struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	bool ok;

	cs_buf_init(&text, CS_MAX_LEAF / 2);
	ok = said != NULL ? cs_json_canonical(said, &text, err)
			  : cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	json_decref(said);
	return ok && cs_buf_finish(&text, MARKER, err) &&
	       cs_files_write(dir, name, cs_buf_span(&text), 0600, err);
}

/* What of the manifest the leaf will say. */
static json_t *backup_said(const struct restore *r)
{
	return json_pack("{s:{s:O, s:O, s:O}}", "backup", "created",
			 json_object_get(r->manifest, "created"), "root",
			 json_object_get(r->manifest, "root"), "tree_size",
			 json_object_get(r->manifest, "tree_size"));
}

/* What a migration keeps beside it: as in the backup, which stays. */
static void drop_copies(struct restore *r, const char *to)
{
	for (int v = 1; v < CS_SCHEMA_VERSION; v++) {
		const char *copy = cs_arena_printf(&r->arena, "%s.v%d", to, v);

		if (copy != NULL)
			(void)unlink(copy);
	}
}

/* The ledger as `to`: copied, brought up to date, verified from its rows. */
static bool put_ledger(struct restore *r, const char *to, struct cs_error *err)
{
	struct cs_db_config db = {.path = to};
	struct cs_copy_check check = {
		.path = to,
		.verifier = &r->verifier,
		.note = cs_span_str(json_string_value(
			json_object_get(r->manifest, "checkpoint"))),
	};
	json_int_t size =
		json_integer_value(json_object_get(r->manifest, "tree_size"));
	char *from = path(r, r->from, "ledger.db");
	bool ok;

	if (from == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (!cs_archive_copy(from, to, 0600, err))
		return false;
	ok = cs_store_migrate(&db, cs_migrations, cs_migrations_n,
			      CS_SCHEMA_VERSION, NULL, err) &&
	     cs_copy_settle(to, err) && cs_copy_check(&check, &r->report, err);
	drop_copies(r, to);
	if (!ok)
		return false;
	if (r->report.tree_size != (uint64_t)size)
		return cs_error_set(err, CS_E_VERIFY,
				    "the ledger has %llu leaves, the manifest "
				    "says %lld",
				    (unsigned long long)r->report.tree_size,
				    (long long)size);
	return true;
}

/* All files but the ledger; the configuration is the last one. */
static bool put_files(struct restore *r, struct cs_error *err)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(r->manifest, "files"), i, entry)
	{
		const char *name =
			json_string_value(json_object_get(entry, "name"));
		const char *from = path(r, r->from, name);
		const char *to = path(r, r->dir, name);
		struct stat st;

		if (strcmp(name, "ledger.db") == 0 ||
		    strcmp(name, CS_CONFIG_FILE) == 0)
			continue;
		if (from == NULL || to == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		if (lstat(from, &st) != 0)
			return cs_error_set_errno(err, CS_E_IO, errno, "%s",
						  from);
		if (!cs_archive_copy(from, to, st.st_mode & 0777, err))
			return false;
	}
	return true;
}

/* A new installation from the backup. */
static bool restore_all(struct restore *r, struct cs_error *err)
{
	char *ledger = path(r, r->dir, "ledger.db");
	char *from = path(r, r->from, CS_CONFIG_FILE);
	char *to = path(r, r->dir, CS_CONFIG_FILE);

	if (ledger == NULL || from == NULL || to == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return cs_files_take_empty(r->dir, &r->taken, err) &&
	       read_key(r->from, &r->verifier, err) && put_files(r, err) &&
	       put_ledger(r, ledger, err) &&
	       leave_marker(r->dir, MARKER, backup_said(r), err) &&
	       cs_archive_copy(from, to, 0600, err);
}

/* Move what is there of the old ledger aside. */
static bool put_aside(struct restore *r, const char *suffix,
		      struct cs_error *err)
{
	static const char *const parts[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *old = cs_arena_printf(&r->arena, "%s/ledger.db%s", r->dir,
					    parts[i]);
		char *new = cs_arena_printf(&r->arena, "%s/ledger.db.%s%s",
					    r->dir, suffix, parts[i]);

		if (old == NULL || new == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		if (rename(old, new) != 0 && errno != ENOENT)
			return cs_error_set_errno(err, CS_E_IO, errno, "%s",
						  old);
	}
	return true;
}

/*
 * The old ledger aside, the marker, the new ledger, in this order: between
 * the first and the last nothing starts, and a marker beside the old ledger
 * would tell the log of a restore that did not happen.
 */
static bool change_places(struct restore *r, const char *next,
			  const char *suffix, struct cs_error *err)
{
	const char *ledger = path(r, r->dir, "ledger.db");
	const char *said = path(r, r->dir, MARKER_NEXT);
	const char *marker = path(r, r->dir, MARKER);

	if (ledger == NULL || said == NULL || marker == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	(void)cs_failpoint("restore.before_aside");
	if (!put_aside(r, suffix, err))
		return false;
	(void)cs_failpoint("restore.after_aside");
	if (rename(said, marker) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", marker);
	(void)cs_failpoint("restore.before_ledger");
	return rename(next, ledger) == 0 ||
	       cs_error_set_errno(err, CS_E_IO, errno, "%s", ledger);
}

/* The ledger alone; checkpoint, keys and configuration stay. */
static bool restore_ledger(struct restore *r, struct cs_error *err)
{
	struct cs_clock clock = cs_clock_system();
	struct cs_note_verifier theirs;
	char *ledger = path(r, r->dir, "ledger.db");
	char *next = path(r, r->dir, "ledger.db.restored");
	char suffix[64];

	if (ledger == NULL || next == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (!read_key(r->dir, &r->verifier, err) ||
	    !read_key(r->from, &theirs, err))
		return false;
	if (memcmp(theirs.public_key, r->verifier.public_key,
		   sizeof(theirs.public_key)) != 0)
		return cs_error_set(err, CS_E_VERIFY,
				    "%s is a backup of another installation "
				    "(%s)",
				    r->from, theirs.name);
	r->lock_fd = cs_lock_take(r->dir, err);
	if (r->lock_fd < 0)
		return false;
	(void)unlink(next);
	(void)snprintf(suffix, sizeof(suffix), "replaced-%lld",
		       (long long)(cs_clock_wall_ms(&clock) / 1000));
	if (!put_ledger(r, next, err)) {
		(void)unlink(next);
		return false;
	}
	if (!leave_marker(r->dir, MARKER_NEXT, backup_said(r), err) ||
	    !change_places(r, next, suffix, err))
		return false;
	fprintf(r->call->out, "The old ledger is %s/ledger.db.%s.\n", r->dir,
		suffix);
	return cs_file_sync_folder(ledger, err);
}

/* Say of a file that it is not there; once, when issuers share it. */
static void tell_if_missing(struct restore *r, const struct cs_install *in,
			    const char *const *keys, size_t i)
{
	const char *key = path(r, in->dir, keys[i]);

	for (size_t k = 0; k < i; k++)
		if (strcmp(keys[k], keys[i]) == 0)
			return;
	if (key != NULL && access(key, F_OK) != 0)
		fprintf(r->call->out,
			"to be put in its place before the start: %s\n",
			keys[i]);
}

/* Which keys, and what goes with them, does the installation lack now? */
static void tell_missing_keys(struct restore *r)
{
	struct cs_error err = {0};
	struct cs_install *in = cs_install_load(r->dir, &err);
	const char *keys[2 * CS_MAX_ISSUERS + CS_MAX_OLDER + 3];
	size_t n = 0;

	if (in == NULL) {
		fprintf(r->call->err, "countersign: %s\n", err.text);
		return;
	}
	for (size_t i = 0; i < in->config.n_issuers; i++)
		if (!in->state[i].key_is_destroyed)
			keys[n++] = in->config.issuers[i].key;
	for (size_t i = 0; i < in->older_n; i++)
		if (!in->older[i].state.key_is_destroyed)
			keys[n++] = in->older[i].key;
	for (size_t i = 0; i < in->waiting_n; i++)
		keys[n++] = in->waiting[i].config->key;
	for (size_t i = 0; i < in->config.n_issuers; i++)
		if (in->config.issuers[i].passphrase_file != NULL)
			keys[n++] = in->config.issuers[i].passphrase_file;
	keys[n++] = in->config.log_key;
	keys[n++] = in->config.tls_key;
	keys[n++] = in->config.tls_chain;
	for (size_t i = 0; i < n; i++)
		tell_if_missing(r, in, keys, i);
	cs_install_free(in);
}

/* Is a directory that is there ours? A server of its owner reads no other's. */
static bool check_owner(const struct restore *r, struct cs_error *err)
{
	struct stat st;

	if (stat(r->dir, &st) != 0 || st.st_uid == geteuid())
		return true;
	return cs_error_set(err, CS_E_PERMISSION,
			    "%s: belongs to uid %u, not to us (%u): restore as "
			    "that user (runuser), who must be able to read the "
			    "backup",
			    r->dir, st.st_uid, geteuid());
}

/* -- restore BACKUP ----------------------------------------------------- */

static bool restore_from(struct restore *r, struct cs_error *err)
{
	bool empty = false;
	bool replace = cs_call_get(r->call, "replace-ledger") != NULL;

	if (!check_owner(r, err) || !cs_files_is_empty(r->dir, &empty, err))
		return false;
	if (!empty && !replace)
		return cs_error_set(err, CS_E_EXISTS,
				    "%s is not empty; --replace-ledger takes "
				    "only the ledger from the backup",
				    r->dir);
	if (empty && replace)
		return cs_error_set(err, CS_E_NOT_FOUND,
				    "%s: there is no installation whose ledger "
				    "could be replaced",
				    r->dir);
	if (!cs_archive_read(r->hash, r->from, &r->manifest, err))
		return false;
	return replace ? restore_ledger(r, err) : restore_all(r, err);
}

static int run_from(struct restore *r)
{
	struct cs_error err = {0};

	if (!restore_from(r, &err)) {
		int status = cs_call_fail(r->call, &err);

		if (r->taken.fd >= 0)
			cs_files_remove_in(r->taken.fd);
		return err.code == CS_E_VERIFY || err.code == CS_E_DB_CORRUPT
			       ? CS_EXIT_VERIFY
			       : status;
	}
	fprintf(r->call->out, "%s: restored, %llu leaves, verified; from %s\n",
		r->dir, (unsigned long long)r->report.leaves,
		json_string_value(json_object_get(r->manifest, "created")));
	tell_missing_keys(r);
	return CS_EXIT_DONE;
}

/* -- restore --accept-split-view ---------------------------------------- */

/* Is the note outside of our past, after all? */
static bool is_ours(struct restore *r, struct cs_db *db, struct cs_span note,
		    struct cs_checkpoint *outside, bool *ret_ours,
		    struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_CHECKPOINT_AT);
	struct cs_checkpoint ours;
	bool row = false;

	*ret_ours = false;
	if (!cs_note_checkpoint_open(&r->verifier, note, outside, NULL))
		return true;
	cs_stmt_int(&s, (int64_t)outside->size);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	*ret_ours = row &&
		    cs_note_checkpoint_open(&r->verifier, cs_stmt_col(&s, 0),
					    &ours, NULL) &&
		    memcmp(ours.root, outside->root, sizeof(ours.root)) == 0;
	cs_stmt_end(&s);
	return true;
}

/* What was accepted, beside what an earlier `restore` said of its backup. */
static json_t *accepted(const char *dir, const char *note, int64_t size)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	json_t *said = NULL;

	cs_buf_init(&text, CS_MAX_LEAF / 2);
	if (cs_files_read(dir, MARKER, &text, NULL))
		said = cs_json_parse(cs_buf_span(&text), MARKER, NULL);
	if (!json_is_object(said)) {
		json_decref(said);
		said = json_object();
	}
	if (json_object_set_new(said, "outside", json_string(note)) != 0 ||
	    json_object_set_new(said, "tree_size",
				json_integer((json_int_t)size)) != 0) {
		json_decref(said);
		return NULL;
	}
	return said;
}

/* The ledger's size against the note; the marker, if they contradict. */
static bool accept_split(struct restore *r, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf note;
	struct cs_db_config config = {.path = path(r, r->dir, "ledger.db")};
	struct cs_checkpoint outside = {.size = 0};
	struct cs_db *db;
	int64_t size = 0;
	bool ours = false;
	bool ok;

	cs_buf_init(&note, CS_MAX_NOTE);
	r->lock_fd = cs_lock_take(r->dir, err);
	if (config.path == NULL || r->lock_fd < 0 ||
	    !cs_files_read(r->dir, "checkpoint", &note, err) ||
	    !read_key(r->dir, &r->verifier, err))
		return false;
	db = cs_db_open(&config, CS_DB_READ, err);
	ok = db != NULL &&
	     cs_db_pragma_int(db, "SELECT tree_size FROM meta", &size, err) &&
	     is_ours(r, db, cs_buf_span(&note), &outside, &ours, err);
	cs_db_close(db);
	if (!ok)
		return false;
	if (ours)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "there is nothing to accept: the "
				    "checkpoint outside (%llu leaves) is of "
				    "this ledger's past",
				    (unsigned long long)outside.size);
	fprintf(r->call->out,
		"The ledger has %lld leaves, the checkpoint outside %llu. "
		"Certificates that were\nissued in between are valid and not "
		"in this ledger; what was revoked in between\nis not revoked "
		"in it: revoke it again. The next start goes on from\n%lld and "
		"records the checkpoint outside.\n",
		(long long)size, (unsigned long long)outside.size,
		(long long)size);
	return leave_marker(r->dir, MARKER,
			    accepted(r->dir, cs_buf_str(&note), size), err);
}

static int run_accept(struct restore *r)
{
	struct cs_error err = {0};

	if (accept_split(r, &err))
		return CS_EXIT_DONE;
	return cs_call_fail(r->call, &err);
}

/* -- the command -------------------------------------------------------- */

static int run_with(struct restore *r)
{
	bool accept = cs_call_get(r->call, "accept-split-view") != NULL;
	struct cs_error err = {0};

	if (accept == (r->call->n_args > 0)) {
		cs_error_set(&err, CS_E_USAGE,
			     accept ? "--accept-split-view takes no backup: "
				      "restore first, then accept"
				    : "which backup?");
		return cs_call_fail(r->call, &err);
	}
	if (accept)
		return run_accept(r);
	r->from = r->call->args[0];
	r->hash = cs_hash_new(&err);
	if (r->hash == NULL)
		return cs_call_fail(r->call, &err);
	return run_from(r);
}

static int run(const struct cs_call *call)
{
	struct restore r = {.call = call,
			    .dir = call->dir,
			    .lock_fd = -1,
			    .taken = {.fd = -1}};
	int status;

	cs_arena_init(&r.arena, ARENA_BYTES);
	status = run_with(&r);
	cs_lock_drop(r.lock_fd);
	if (r.taken.fd >= 0)
		close(r.taken.fd);
	json_decref(r.manifest);
	cs_hash_free(r.hash);
	cs_arena_done(&r.arena);
	return status;
}

const struct cs_command cs_cmd_restore = {
	.name = "restore",
	.args = "[BACKUP]",
	.min_args = 0,
	.max_args = 1,
	.help = "Make an installation from a backup, or go on after a loss",
	.options = options,
	.example = "countersign restore /var/backups/countersign/2027-01-31 "
		   "--dir /srv/ca",
	.run = run,
};
