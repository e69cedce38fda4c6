/*
 * `backup`: the running server copies its database between two batches; what
 * comes out is taken from there, put beside the other files, verified from
 * end to end, and only then given its name.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "base/version.h"
#include "cli/archive.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/install.h"
#include "cli/log_args.h"
#include "cli/policies.h"
#include "store/copy.h"

/* Paths and policy sources of one backup. */
#define ARENA_BYTES (16 * 1024 * 1024)
/* At 3 MB a second, while much is decided: half a terabyte. */
#define PATIENCE_MS (48u * 3600 * 1000)

static const struct cs_option options[] = {
	{"including-private-keys", 0, NULL,
	 "also the keys of the CAs, the log and the listener"},
	{0},
};

struct backup {
	const struct cs_call *call;
	const char *target;
	const char *part; /* where it is made: TARGET.part */
	struct cs_arena arena;
	struct cs_hash *hash;
	struct cs_install *install;
	json_t *files, *outside; /* owned */
	struct cs_reply reply;
	struct cs_verify_report report;
	bool keys;
};

/* Does a path of the configuration stand inside the installation? */
static bool is_inside(const char *path)
{
	return cs_archive_name_is_good(path);
}

/* Note a file that is in its place. */
static bool add(struct backup *b, const char *name, struct cs_error *err)
{
	json_t *entry = cs_archive_entry(b->hash, b->part, name, err);

	if (entry == NULL)
		return false;
	return json_array_append_new(b->files, entry) == 0 ||
	       cs_error_set(err, CS_E_NO_MEMORY, "no memory");
}

/* Is it there already? Issuers may share a file, as those of one key. */
static bool has(const struct backup *b, const char *name)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(b->files, i, entry)
	{
		if (strcmp(cs_reply_text(entry, "name"), name) == 0)
			return true;
	}
	return false;
}

/* One file of the installation, by its name there. */
static bool take(struct backup *b, const char *name, mode_t mode,
		 struct cs_error *err)
{
	char *from = cs_files_path(&b->arena, b->install->dir, name);
	char *to = cs_files_path(&b->arena, b->part, name);

	if (!is_inside(name)) {
		json_array_append_new(b->outside, json_string(name));
		return true;
	}
	if (from == NULL || to == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return has(b, name) ||
	       (cs_archive_copy(from, to, mode, err) && add(b, name, err));
}

/* The policies as they lie there. */
static bool take_policies(struct backup *b, struct cs_error *err)
{
	const char *dir =
		cs_files_path(&b->arena, b->install->dir, CS_POLICIES_DIR);
	struct cs_sources sources = {0};

	if (dir == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	/* Policies that come over the API need no files. */
	if (access(dir, F_OK) != 0 && errno == ENOENT)
		return true;
	if (!cs_policies_read(&dir, 1, &b->arena, &sources, err))
		return false;
	for (size_t i = 0; i < sources.n; i++) {
		char *name =
			cs_arena_printf(&b->arena, CS_POLICIES_DIR "/%.*s",
					CS_SPAN_FMT(sources.items[i].name));

		if (name == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		if (!cs_files_write(b->part, name, sources.items[i].bytes, 0600,
				    err) ||
		    !add(b, name, err))
			return false;
	}
	return true;
}

/* An issuer that waits for its certificate: its CSR, and its key. */
static bool take_waiting(struct backup *b, const struct cs_config_issuer *c,
			 struct cs_error *err)
{
	const char *request =
		cs_arena_printf(&b->arena, "issuers/%s/request.pem", c->name);

	if (request == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return take(b, request, 0644, err) &&
	       (!b->keys || take(b, c->key, 0600, err));
}

/* A file below `folder` that need not be there. */
static bool take_if_there(struct backup *b, const char *folder,
			  const char *name, mode_t mode, struct cs_error *err)
{
	const char *file = cs_arena_printf(&b->arena, "%s/%s", folder, name);
	const char *path =
		file != NULL ? cs_files_path(&b->arena, b->install->dir, file)
			     : NULL;

	if (path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return access(path, F_OK) != 0 || take(b, file, mode, err);
}

/* What is said of the present generations, CSRs for next ones, and all before.
 */
static bool take_generations(struct backup *b, struct cs_error *err)
{
	const struct cs_install *in = b->install;

	for (size_t i = 0; i < in->config.n_issuers; i++) {
		const char *folder = cs_arena_printf(
			&b->arena, "issuers/%s", in->config.issuers[i].name);

		if (folder == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		if (!take_if_there(b, folder, CS_GENERATION_FILE, 0644, err) ||
		    !take_if_there(b, folder, "next/request.pem", 0644, err) ||
		    (b->keys &&
		     !take_if_there(b, folder, "next/key.pem", 0600, err)))
			return false;
	}
	for (size_t i = 0; i < in->older_n; i++) {
		const char *folder = in->older[i].folder;

		if (!take_if_there(b, folder, "chain.pem", 0644, err) ||
		    !take_if_there(b, folder, CS_GENERATION_FILE, 0644, err) ||
		    (b->keys &&
		     !take_if_there(b, folder, "key.pem", 0600, err)))
			return false;
	}
	return true;
}

/* Say that an issuer's key is in a token, which nobody can copy here. */
static bool tell_token(struct backup *b, size_t i)
{
	const char *text = cs_arena_printf(
		&b->arena, "the key of issuer %s, which is in a PKCS#11 token",
		b->install->config.issuers[i].name);

	return text != NULL &&
	       json_array_append_new(b->outside, json_string(text)) == 0;
}

/* Everything beside the ledger. */
static bool take_files(struct backup *b, struct cs_error *err)
{
	static const char *const fixed[] = {CS_CONFIG_FILE, "root.pem",
					    CS_LOG_KEY_FILE};
	const struct cs_config *c = &b->install->config;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!take(b, fixed[i], i == 0 ? 0600 : 0644, err))
			return false;
	for (size_t i = 0; i < c->n_issuers; i++) {
		/* What opens a key does not lie beside it. */
		if (c->issuers[i].passphrase_file != NULL)
			json_array_append_new(
				b->outside,
				json_string(c->issuers[i].passphrase_file));
		/* A URI is no key: it comes along, the key never does. */
		if (cs_install_is_token(&c->issuers[i]) && !tell_token(b, i))
			return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		if (!take(b, c->issuers[i].chain, 0644, err) ||
		    ((b->keys || cs_install_is_token(&c->issuers[i])) &&
		     !b->install->state[i].key_is_destroyed &&
		     !take(b, c->issuers[i].key, 0600, err)))
			return false;
	}
	if (!take_generations(b, err))
		return false;
	for (size_t i = 0; i < b->install->waiting_n; i++)
		if (!take_waiting(b, b->install->waiting[i].config, err))
			return false;
	if (b->keys && (!take(b, c->log_key, 0600, err) ||
			!take(b, c->tls_key, 0600, err) ||
			!take(b, c->tls_chain, 0644, err)))
		return false;
	return cs_files_make_dir(b->part, CS_POLICIES_DIR, err) &&
	       take_policies(b, err);
}

/* Have the server copy its database, and take the copy. */
static bool take_ledger(struct backup *b, struct cs_error *err)
{
	const char *file = cs_reply_text(b->reply.body, "file");
	const char *note = cs_reply_text(b->reply.body, "checkpoint");
	char *from = cs_files_path(&b->arena, b->install->dir, file);
	char *to = cs_files_path(&b->arena, b->part, "ledger.db");
	bool ok;

	if (!cs_archive_name_is_good(file) || from == NULL || to == NULL)
		return cs_error_set(err, CS_E_HTTP,
				    "the server's answer names no copy");
	ok = cs_archive_copy(from, to, 0600, err);
	(void)unlink(from);
	return ok && cs_copy_settle(to, err) && add(b, "ledger.db", err) &&
	       cs_files_write(b->part, "checkpoint", cs_span_str(note), 0644,
			      err) &&
	       add(b, "checkpoint", err);
}

/* Is what was copied what the server says, and does all of it agree? */
static bool verify(struct backup *b, struct cs_error *err)
{
	struct cs_note_verifier verifier;
	struct cs_copy_check check = {
		.path = cs_files_path(&b->arena, b->part, "ledger.db"),
		.verifier = &verifier,
		.note = cs_span_str(cs_reply_text(b->reply.body, "checkpoint")),
	};
	json_int_t size =
		json_integer_value(json_object_get(b->reply.body, "tree_size"));

	if (check.path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (!cs_log_key_read(b->part, CS_LOG_KEY_FILE, &verifier, err) ||
	    !cs_copy_check(&check, &b->report, err))
		return false;
	if (b->report.tree_size != (uint64_t)size)
		return cs_error_set(err, CS_E_VERIFY,
				    "the copy has %llu leaves, the server "
				    "copied %lld",
				    (unsigned long long)b->report.tree_size,
				    (long long)size);
	return true;
}

/* manifest.json, last: without it there is no backup. */
static bool write_manifest(struct backup *b, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	CS_CLEANUP(cs_buf_done) struct cs_buf root;
	struct cs_clock clock = cs_clock_system();
	char created[CS_TIME_TEXT];
	json_t *m;
	bool ok;

	cs_buf_init(&text, CS_MAX_ARCHIVE_MANIFEST);
	cs_buf_init(&root, 2 * CS_TREE_HASH);
	cs_codec_hex(cs_span_make(b->report.root, CS_TREE_HASH), &root);
	cs_time_rfc3339(cs_clock_wall_ms(&clock) / 1000, created);
	m = json_pack("{s:s, s:s, s:s, s:O, s:b, s:s, s:I}", "checkpoint",
		      cs_reply_text(b->reply.body, "checkpoint"), "countersign",
		      cs_version(), "created", created, "files", b->files,
		      "private_keys", b->keys, "root", cs_buf_str(&root),
		      "tree_size", (json_int_t)b->report.tree_size);
	if (m == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	ok = cs_json_canonical(m, &text, err) &&
	     cs_buf_finish(&text, CS_ARCHIVE_MANIFEST, err) &&
	     cs_files_write(b->part, CS_ARCHIVE_MANIFEST, cs_buf_span(&text),
			    0600, err);
	json_decref(m);
	return ok;
}

/* Give it its name. */
static bool finish(struct backup *b, struct cs_error *err)
{
	if (rename(b->part, b->target) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s", b->target);
	return cs_file_sync_folder(b->target, err);
}

/* The target as it was said, without slashes behind its name. */
static bool take_target(struct backup *b, struct cs_error *err)
{
	const char *said = b->call->args[0];
	size_t n = strlen(said);

	while (n > 1 && said[n - 1] == '/')
		n--;
	b->target = cs_arena_printf(&b->arena, "%.*s", (int)n, said);
	return b->target != NULL ||
	       cs_error_set(err, CS_E_NO_MEMORY, "no memory");
}

/* A new directory beside the target. */
static bool make_part(struct backup *b, struct cs_error *err)
{
	struct stat st;

	if (lstat(b->target, &st) == 0)
		return cs_error_set(err, CS_E_EXISTS,
				    "%s is there already; a backup is a new "
				    "directory",
				    b->target);
	b->part = cs_arena_printf(&b->arena, "%s.part", b->target);
	if (b->part == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (!cs_files_make_parent(b->part, err)) {
		b->part = NULL;
		return false;
	}
	if (mkdir(b->part, 0700) == 0)
		return true;
	cs_error_set_errno(err, CS_E_IO, errno,
			   "%s (of another backup, or of one that was cut "
			   "short: remove it then)",
			   b->part);
	b->part = NULL;
	return false;
}

/* The whole of it, but for the server's part. */
static bool make(struct backup *b, struct cs_error *err)
{
	return take_files(b, err) && take_ledger(b, err) && verify(b, err) &&
	       write_manifest(b, err) && finish(b, err);
}

static int report(struct backup *b)
{
	FILE *out = b->call->out;
	json_t *name;
	size_t i;

	if (cs_call_wants(b->call, "json")) {
		json_object_set_new(b->reply.body, "path",
				    json_string(b->target));
		json_object_del(b->reply.body, "file");
		return cs_reply_print_json(b->call, &b->reply);
	}
	fprintf(out, "%s: %llu leaves, %llu certificates, verified\n",
		b->target, (unsigned long long)b->report.leaves,
		(unsigned long long)b->report.certificates);
	fputs(b->keys ? "The private keys are in it: guard it like the CA.\n"
		      : "The private keys are NOT in it: keep a copy of them "
			"elsewhere.\n",
	      out);
	json_array_foreach(b->outside, i, name)
	{
		fprintf(out, "not copied: %s\n", json_string_value(name));
	}
	return CS_EXIT_DONE;
}

/* A failure's exit status; nothing half-made is left. */
static int undo(struct backup *b, const struct cs_error *err)
{
	if (b->part != NULL)
		cs_files_remove_tree(b->part);
	return cs_call_fail(b->call, err);
}

static int run_with(struct backup *b)
{
	struct cs_error err = {0};

	b->files = json_array();
	b->outside = json_array();
	b->hash = cs_hash_new(&err);
	if (b->hash == NULL || b->files == NULL || b->outside == NULL)
		return cs_call_fail(b->call, &err);
	b->install = cs_install_load(b->call->dir, &err);
	if (b->install == NULL || !take_target(b, &err) ||
	    !make_part(b, &err) ||
	    !cs_ask_long(b->call, "POST", "/v1/backup", NULL, PATIENCE_MS,
			 &b->reply, &err))
		return undo(b, &err);
	if (b->reply.status >= 400) {
		cs_files_remove_tree(b->part);
		return cs_reply_print_problem(b->call, &b->reply);
	}
	if (!make(b, &err))
		return undo(b, &err);
	return report(b);
}

static int run(const struct cs_call *call)
{
	struct backup b = {
		.call = call,
		.keys = cs_call_get(call, "including-private-keys") != NULL,
	};
	int status;

	cs_arena_init(&b.arena, ARENA_BYTES);
	status = run_with(&b);
	cs_reply_done(&b.reply);
	json_decref(b.files);
	json_decref(b.outside);
	cs_install_free(b.install);
	cs_hash_free(b.hash);
	cs_arena_done(&b.arena);
	return status;
}

const struct cs_command cs_cmd_backup = {
	.name = "backup",
	.args = "DIRECTORY",
	.min_args = 1,
	.max_args = 1,
	.help = "Copy a running installation into a new directory, verified",
	.outputs = "table|json",
	.options = options,
	.example = "countersign backup /var/backups/countersign/2027-01-31",
	.run = run,
};
