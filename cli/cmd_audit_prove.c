/* `audit prove`: that an entry is in the log, checked here. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/audit_row.h"
#include "cli/commands.h"
#include "cli/log_args.h"
#include "store/note.h"
#include "store/tree.h"

static const struct cs_option options[] = {
	{"log-key", 0, "FILE", "the log's public key (DIR/log.pub)"},
	{0},
};

/* The public key that the checkpoint must be signed with. */
static bool read_verifier(const struct cs_call *call,
			  struct cs_note_verifier *ret, struct cs_error *err)
{
	const char *file = cs_call_get(call, "log-key");

	return cs_log_key_read(file != NULL ? "." : call->dir,
			       file != NULL ? file : CS_LOG_KEY_FILE, ret, err);
}

/* A hash in hexadecimal. */
static bool read_hash(const json_t *text, uint8_t ret[CS_TREE_HASH],
		      struct cs_error *err)
{
	const char *s = json_string_value(text);

	return (s != NULL &&
		cs_codec_hex_fixed(cs_span_str(s), ret, CS_TREE_HASH)) ||
	       cs_error_set(err, CS_E_VERIFY, "the proof has no such hash");
}

/* Does the proof lead from the leaf to the checkpoint's root? */
static bool verify(const struct cs_call *call, const json_t *body,
		   struct cs_error *err)
{
	uint8_t leaf[CS_TREE_HASH], proof[CS_TREE_DEPTH][CS_TREE_HASH];
	const json_t *list = json_object_get(body, "proof");
	struct cs_note_verifier verifier;
	struct cs_checkpoint checkpoint;
	struct cs_hash *hash;
	bool ok = true;

	if (json_array_size(list) > CS_TREE_DEPTH)
		return cs_error_set(err, CS_E_VERIFY, "the proof is too long");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!read_hash(json_array_get(list, i), proof[i], err))
			return false;
	if (!read_hash(json_object_get(body, "leaf_hash"), leaf, err) ||
	    !read_verifier(call, &verifier, err) ||
	    !cs_note_checkpoint_open(
		    &verifier, cs_span_str(cs_reply_text(body, "checkpoint")),
		    &checkpoint, err))
		return false;
	hash = cs_hash_new(err);
	ok = hash != NULL &&
	     cs_tree_inclusion_verify(hash,
				      (uint64_t)json_integer_value(
					      json_object_get(body, "index")),
				      checkpoint.size, leaf,
				      (const uint8_t(*)[CS_TREE_HASH])proof,
				      (unsigned)json_array_size(list),
				      checkpoint.root, err);
	cs_hash_free(hash);
	return ok;
}

/* What was proved, or why not. */
static int tell(const struct cs_call *call, const struct cs_reply *r)
{
	struct cs_error err = {0};
	int status;

	if (r->status >= 400)
		return cs_reply_print_problem(call, r);
	if (!verify(call, r->body, &err)) {
		cs_call_fail(call, &err);
		return CS_EXIT_VERIFY;
	}
	if (cs_reply_print(call, r, &status))
		return status;
	fprintf(call->out,
		"leaf %s, hash %s,\nis in the log of this checkpoint, whose "
		"signature is good:\n\n%s",
		call->args[0], cs_reply_text(r->body, "leaf_hash"),
		cs_reply_text(r->body, "checkpoint"));
	return CS_EXIT_DONE;
}

static int run(const struct cs_call *call)
{
	struct cs_question_call q = {.kind = CS_QUERY_PROOF,
				     .in_path = {CS_ASK_INT, "index", NULL, 0}};
	struct cs_error err = {0};
	char target[64];
	struct cs_reply r;
	int status;

	if (!cs_log_index_parse(call->args[0], &q.in_path.number, &err))
		return cs_call_fail(call, &err);
	snprintf(target, sizeof(target), "/v1/audit/%lld/proof",
		 (long long)q.in_path.number);
	q.target = target;
	if (!cs_ask_question(call, &q, &r, &err))
		return cs_call_fail(call, &err);
	status = tell(call, &r);
	cs_reply_done(&r);
	return status;
}

const struct cs_command cs_cmd_audit_prove = {
	.name = "audit prove",
	.args = "INDEX",
	.min_args = 1,
	.max_args = 1,
	.help = "Prove that an entry is in the log of the last checkpoint",
	.outputs = "table|json",
	.options = options,
	.example = "countersign audit prove 7",
	.run = run,
};
