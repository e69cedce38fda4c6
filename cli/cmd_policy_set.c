/* `policy list|diff|log`: what is in force, was, and would be. */
#include <string.h>

#include "base/limits.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/list.h"
#include "cli/sets.h"
#include "cli/show.h"
#include "policy/doc.h"

/* -- list --------------------------------------------------------------- */

static int run_list(const struct cs_call *call)
{
	static const char *const csv[] = {
		"name",	 "kind",   "priority", "sha256", "source",
		"owner", "ticket", "tests",    "match",	 NULL};
	static const struct cs_list list = {.csv = csv};
	struct cs_error err = {0};
	struct cs_loaded l = {0};
	int status = CS_EXIT_DONE;
	json_t *items;

	if (!cs_loaded_in_force(call, &l, &err))
		return cs_call_fail(call, &err);
	if (cs_call_wants(call, "table")) {
		cs_loaded_show(&l, call->out);
	} else {
		items = cs_loaded_list(&l);
		status = cs_list_print(call, &list, items);
		json_decref(items);
	}
	cs_loaded_done(&l);
	return status;
}

/* -- diff --------------------------------------------------------------- */

static const struct cs_option diff_options[] = {
	{"against", 0, "PATH", "these files, not DIR/policies"},
	{0},
};

/* The files that would be put in force. */
static bool load_files(const struct cs_call *call, struct cs_loaded *ret,
		       struct cs_error *err)
{
	const char *path = cs_call_get(call, "against");

	if (!(path != NULL ? cs_loaded_files(&path, 1, ret, err)
			   : cs_loaded_dir(call, ret, err)))
		return false;
	if (cs_loaded_check(ret, path != NULL ? path : "policies", err))
		return true;
	cs_loaded_done(ret);
	return false;
}

static int run_diff(const struct cs_call *call)
{
	struct cs_loaded files = {0}, now = {0};
	struct cs_error err = {0};
	json_t *diff;
	int status;

	if (!load_files(call, &files, &err))
		return cs_call_fail(call, &err);
	if (!cs_loaded_in_force(call, &now, &err)) {
		cs_loaded_done(&files);
		return cs_call_fail(call, &err);
	}
	diff = cs_policy_doc_diff(now.set, files.set);
	status = json_array_size(diff) == 0 ? CS_EXIT_DONE : CS_EXIT_REFUSED;
	if (cs_call_wants(call, "json")) {
		json_dumpf(diff, call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
		fputc('\n', call->out);
	} else {
		cs_show_policy_diff(diff, call->out);
	}
	json_decref(diff);
	cs_loaded_done(&now);
	cs_loaded_done(&files);
	return status;
}

/* -- log ---------------------------------------------------------------- */

/* What becomes of each policy, in one cell. */
static void summarise(json_t *item)
{
	const json_t *diff =
		json_object_get(json_object_get(item, "decision"), "diff");
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_MESSAGE);
	cs_show_value(diff, &text);
	if (diff != NULL && cs_buf_ok(&text))
		(void)json_object_set_new(item, "changed",
					  json_string(cs_buf_str(&text)));
}

static const struct cs_option log_options[] = {
	CS_LIST_TIME_OPTIONS,
	CS_LIST_OPTIONS,
	{0},
};

static int run_log(const struct cs_call *call)
{
	static const struct cs_ask_param kinds[] = {
		{CS_ASK_LIST, "kind", "policy.applied", 0},
		{CS_ASK_LIST, "kind", "policy.rejected", 0},
	};
	static const char *const header[] = {"INDEX",  "TIME",	"KIND",
					     "CLIENT", "EPOCH", "CHANGED",
					     "FILES",  "SET"};
	static const char *const names[] = {
		"index",	  "time",
		"kind",		  "client",
		"decision.epoch", "changed",
		"decision.files", "decision.set_sha256"};
	static const char *const csv[] = {"index",
					  "time",
					  "kind",
					  "client",
					  "decision.epoch",
					  "changed",
					  "decision.files",
					  "decision.set_sha256",
					  NULL};
	static const char *const none[] = {NULL};
	const struct cs_list list = {
		.csv = csv,
		.prepare = summarise,
		.kind = CS_QUERY_AUDIT,
		.target = "/v1/audit",
		.filters = none,
		.fixed = kinds,
		.n_fixed = sizeof(kinds) / sizeof(kinds[0]),
		.header = header,
		.names = names,
		.columns = sizeof(names) / sizeof(names[0])};

	return cs_list_run(call, &list);
}

const struct cs_command cs_cmd_policy_list = {
	.name = "policy list",
	.args = "",
	.help = "List the policies in force, in the order of their priority",
	.outputs = "table|json|ndjson|csv",
	.example = "countersign policy list",
	.run = run_list,
};

const struct cs_command cs_cmd_policy_diff = {
	.name = "policy diff",
	.args = "",
	.help = "Compare DIR/policies with what is in force (exit 1: differs)",
	.outputs = "table|json",
	.options = diff_options,
	.example = "countersign policy diff --against policies.new/",
	.run = run_diff,
};

const struct cs_command cs_cmd_policy_log = {
	.name = "policy log",
	.args = "",
	.help = "List when policy was applied or rejected, and by whom",
	.outputs = "table|json|ndjson|csv",
	.options = log_options,
	.example = "countersign policy log --since 30d",
	.run = run_log,
};
