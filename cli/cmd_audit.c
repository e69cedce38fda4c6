/* `audit list|show|verify`. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/audit_row.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/log_args.h"
#include "cli/show.h"
#include "store/note.h"
#include "store/verify.h"

static const struct cs_option list_options[] = {
	CS_AUDIT_FILTERS,
	CS_LIST_TIME_OPTIONS,
	CS_LIST_OPTIONS,
	{"detail", 0, NULL, "each change and violation, with rule and place"},
	{0},
};

static const struct cs_option verify_options[] = {
	{"database", 0, "FILE", "verify this copy (DIR/ledger.db)"},
	{"checkpoint", 0, "FILE", "kept outside (DIR/checkpoint)"},
	{"log-key", 0, "FILE", "the log's public key (DIR/log.pub)"},
	{0},
};

static bool print_details(void *ctx, json_t *items, struct cs_error *err)
{
	FILE *out = ctx;
	const json_t *item;
	size_t i;

	(void)err;
	json_array_foreach(items, i, item) cs_audit_print_detail(item, out);
	return true;
}

static int run_list(const struct cs_call *call)
{
	const struct cs_list list = cs_audit_list();
	struct cs_error err = {0};
	int status;

	if (cs_call_get(call, "detail") == NULL ||
	    !cs_call_wants(call, "table"))
		return cs_list_run(call, &list);
	if (!cs_list_pages(call, &list, print_details, call->out, &status,
			   &err))
		return cs_call_fail(call, &err);
	return status;
}

static int run_show(const struct cs_call *call)
{
	struct cs_question_call q = {
		.kind = CS_QUERY_AUDIT_ENTRY,
		.in_path = {CS_ASK_INT, "index", NULL, 0},
	};
	char target[64];
	struct cs_error err = {0};
	struct cs_reply r;
	int status;

	if (!cs_log_index_parse(call->args[0], &q.in_path.number, &err))
		return cs_call_fail(call, &err);
	snprintf(target, sizeof(target), "/v1/audit/%lld",
		 (long long)q.in_path.number);
	q.target = target;
	if (!cs_ask_question(call, &q, &r, &err))
		return cs_call_fail(call, &err);
	cs_reply_print(call, &r, &status); /* JSON is its only form */
	cs_reply_done(&r);
	return status;
}

/* -- verify ------------------------------------------------------------- */

/* One verification under way. */
struct verification {
	const struct cs_call *call;
	struct cs_arena arena;
	struct cs_buf outside;
	struct cs_note_verifier verifier;
	bool has_verifier;
	json_t *findings; /* for -o json */
};

static void on_finding(void *ctx, const struct cs_verify_finding *f)
{
	struct verification *v = ctx;
	FILE *err = v->call->err;

	if (v->findings != NULL) {
		json_array_append_new(
			v->findings,
			json_pack("{s:o, s:s, s:I, s:s}", "index",
				  f->index == CS_VERIFY_NO_INDEX
					  ? json_null()
					  : json_integer((json_int_t)f->index),
				  "where", f->where, "row", (json_int_t)f->row,
				  "text", f->text));
		return;
	}
	fputs("\xe2\x9c\x97 ", err);
	if (f->index != CS_VERIFY_NO_INDEX)
		fprintf(err, "leaf %llu", (unsigned long long)f->index);
	/* A finding of the leaf itself has its place already. */
	if (f->index == CS_VERIFY_NO_INDEX || strcmp(f->where, "leaf") != 0) {
		if (f->index != CS_VERIFY_NO_INDEX)
			fputs("  ", err);
		fputs(f->where, err);
		if (f->row != 0)
			fprintf(err, " %lld", (long long)f->row);
	}
	fputs("  ", err);
	cs_text_print(err, f->text);
	fputc('\n', err);
}

static int print_json(const struct verification *v,
		      const struct cs_verify_report *r)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf root;
	json_t *out;

	cs_buf_init(&root, 2 * CS_TREE_HASH);
	cs_codec_hex(cs_span_make(r->root, CS_TREE_HASH), &root);
	out = json_pack("{s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:s, s:b, s:I, "
			"s:O}",
			"compared", v->outside.n != 0, "signatures",
			v->has_verifier != 0, "purged", (json_int_t)r->purged,
			"tree_size", (json_int_t)r->tree_size, "leaves",
			(json_int_t)r->leaves, "checkpoints",
			(json_int_t)r->checkpoints, "certificates",
			(json_int_t)r->certificates, "root", cs_buf_str(&root),
			"split", r->split != 0, "count",
			(json_int_t)r->findings, "findings", v->findings);
	json_dumpf(out, v->call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
	fputc('\n', v->call->out);
	json_decref(out);
	return r->findings == 0 && !r->split ? CS_EXIT_DONE : CS_EXIT_VERIFY;
}

static int print_report(const struct verification *v,
			const struct cs_verify_report *r)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf root;
	FILE *out = v->call->out;

	cs_buf_init(&root, 2 * CS_TREE_HASH);
	if (v->findings != NULL)
		return print_json(v, r);
	cs_codec_hex(cs_span_make(r->root, CS_TREE_HASH), &root);
	fprintf(out,
		"%llu leaves, %llu checkpoints, %llu certificates; "
		"root %s\n",
		(unsigned long long)r->leaves,
		(unsigned long long)r->checkpoints,
		(unsigned long long)r->certificates, cs_buf_str(&root));
	if (r->purged > 0)
		fprintf(out,
			"%llu entries were purged, each by an act in the "
			"log\n",
			(unsigned long long)r->purged);
	if (v->outside.n == 0)
		fputs("no checkpoint outside the database to compare with\n",
		      out);
	if (!v->has_verifier)
		fputs("no public key of the log: the signatures of its "
		      "checkpoints were not checked\n",
		      out);
	if (r->split)
		fputs("SPLIT VIEW: the checkpoint outside is newer than this "
		      "log, or of another one\n",
		      v->call->err);
	if (r->findings != 0)
		fprintf(v->call->err, "%llu contradictions\n",
			(unsigned long long)r->findings);
	if (r->findings != 0 || r->split)
		return CS_EXIT_VERIFY;
	fputs("verified: the database says what its log says\n", out);
	return CS_EXIT_DONE;
}

/*
 * Did that read fail, so that the verification cannot be? Not where the
 * installation itself has no such file.
 */
static bool failed(const char *option, const struct cs_error *why,
		   struct cs_error *err)
{
	if (option == NULL && why->code == CS_E_NOT_FOUND)
		return false;
	if (err != NULL)
		*err = *why;
	return true;
}

/* What the verification reads beside the database: --FILE, or of DIR. */
static bool read_inputs(struct verification *v, struct cs_error *err)
{
	const char *checkpoint = cs_call_get(v->call, "checkpoint");
	const char *key = cs_call_get(v->call, "log-key");
	const char *dir = v->call->dir;
	struct cs_error why = {0};

	if (!cs_files_read(checkpoint != NULL ? "." : dir,
			   checkpoint != NULL ? checkpoint : "checkpoint",
			   &v->outside, &why) &&
	    failed(checkpoint, &why, err))
		return false;
	/* An empty one would compare with nothing, and find nothing. */
	if (checkpoint != NULL && v->outside.n == 0)
		return cs_error_set(err, CS_E_VERIFY,
				    "--checkpoint: %s is empty", checkpoint);
	v->has_verifier = cs_log_key_read(key != NULL ? "." : dir,
					  key != NULL ? key : CS_LOG_KEY_FILE,
					  &v->verifier, &why);
	return v->has_verifier || !failed(key, &why, err);
}

static bool verify(struct verification *v, struct cs_verify_report *ret,
		   struct cs_error *err)
{
	const char *file = cs_call_get(v->call, "database");
	struct cs_db_config config = {
		.path = file != NULL ? file
				     : cs_files_path(&v->arena, v->call->dir,
						     "ledger.db")};
	struct cs_verify_config c = {.finding = on_finding, .ctx = v};
	bool ok;

	if (config.path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (!read_inputs(v, err))
		return false;
	c.outside = cs_buf_span(&v->outside);
	c.verifier = v->has_verifier ? &v->verifier : NULL;
	c.db = cs_db_open(&config, CS_DB_READ, err);
	if (c.db == NULL)
		return false;
	ok = cs_verify_run(&c, ret, err);
	cs_db_close(c.db);
	return ok;
}

static int run_verify(const struct cs_call *call)
{
	struct verification v = {.call = call};
	struct cs_verify_report report = {0};
	struct cs_error err = {0};
	int status;

	cs_arena_init(&v.arena, 65536);
	cs_buf_init(&v.outside, CS_MAX_HTTP_BODY);
	if (cs_call_wants(call, "json"))
		v.findings = json_array();
	if (verify(&v, &report, &err)) {
		status = print_report(&v, &report);
	} else {
		status = cs_call_fail(call, &err);
		if (err.code == CS_E_DB_CORRUPT || err.code == CS_E_DB)
			status = CS_EXIT_VERIFY;
	}
	json_decref(v.findings);
	cs_buf_done(&v.outside);
	cs_arena_done(&v.arena);
	return status;
}

const struct cs_command cs_cmd_audit_list = {
	.name = "audit list",
	.args = "",
	.help = "List what was decided and done, newest first",
	.outputs = "table|json|ndjson|csv",
	.options = list_options,
	.example = "countersign audit list --since 1h --verdict refused",
	.run = run_list,
};

const struct cs_command cs_cmd_audit_show = {
	.name = "audit show",
	.args = "INDEX",
	.min_args = 1,
	.max_args = 1,
	.help = "Show one entry of the log, whole",
	.outputs = "json",
	.example = "countersign audit show 42",
	.run = run_show,
};

const struct cs_command cs_cmd_audit_verify = {
	.name = "audit verify",
	.args = "",
	.help = "Compute the log again from every stored column, and compare",
	.outputs = "table|json",
	.options = verify_options,
	.example = "countersign audit verify --checkpoint /safe/checkpoint",
	.run = run_verify,
};
