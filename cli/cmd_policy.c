/* `policy check|apply|show`. */
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/policies.h"
#include "cli/show.h"
#include "policy/engine.h"

/* Sources, and what the compiler says of them. */
#define ARENA_BYTES (4 * CS_MAX_POLICY_SET)

/* -- check -------------------------------------------------------------- */

static void print_problems(const struct cs_call *call,
			   const struct cs_policy_report *report)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf line;

	cs_buf_init(&line, CS_MAX_HTTP_BODY);
	for (size_t i = 0; i < report->n; i++) {
		const struct cs_policy_problem *p = &report->items[i];

		cs_buf_reset(&line);
		cs_text_put(&line, p->text);
		fprintf(call->err, "%s: %s\n",
			p->severity == CS_PROBLEM_ERROR ? "error" : "warning",
			cs_buf_str(&line));
	}
	if (report->more > 0)
		fprintf(call->err, "and %zu more\n", report->more);
}

static json_t *span_json(struct cs_span s)
{
	return json_stringn(s.n > 0 ? (const char *)s.p : "", s.n);
}

static json_t *problems_json(const struct cs_policy_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->n; i++) {
		const struct cs_policy_problem *p = &report->items[i];

		json_array_append_new(
			list,
			json_pack("{s:s, s:o, s:I, s:I, s:o}", "severity",
				  p->severity == CS_PROBLEM_ERROR ? "error"
								  : "warning",
				  "source", span_json(p->source), "line",
				  (json_int_t)p->line, "column",
				  (json_int_t)p->column, "text",
				  span_json(p->text)));
	}
	return list;
}

static json_t *set_json(const struct cs_policy_set *set)
{
	json_t *list = json_array();

	for (size_t i = 0; set != NULL && i < cs_policy_set_count(set); i++) {
		const struct cs_policy_info *p = cs_policy_set_at(set, i);

		json_array_append_new(
			list, json_pack("{s:o, s:o, s:I, s:I, s:o}", "name",
					span_json(p->name), "source",
					span_json(p->source), "priority",
					(json_int_t)p->priority, "tests",
					(json_int_t)p->tests, "sha256",
					span_json(p->sha256_text)));
	}
	return list;
}

/* The report of one load, in the form that was asked for. */
static void print_check(const struct cs_call *call,
			const struct cs_policy_set *set,
			const struct cs_policy_report *report)
{
	static const char *const header[] = {"POLICY", "PRIORITY", "TESTS",
					     "SOURCE"};
	static const char *const names[] = {"name", "priority", "tests",
					    "source"};
	json_t *policies = set_json(set);
	json_t *all;

	if (cs_call_wants(call, "json")) {
		all = json_pack("{s:b, s:o, s:O}", "ok", set != NULL,
				"problems", problems_json(report), "policies",
				policies);
		json_dumpf(all, call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
		fputc('\n', call->out);
		json_decref(all);
	} else {
		print_problems(call, report);
		if (set != NULL)
			cs_show_list(policies, header, names, 4, call->out);
		else
			fprintf(call->err,
				"%zu errors: the set does not "
				"load\n",
				report->errors);
	}
	json_decref(policies);
}

static int run_check(const struct cs_call *call)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	const char *const *paths = call->args;
	size_t n = call->n_args;
	struct cs_policy_report report;
	struct cs_policy_set *set;
	struct cs_sources sources;
	struct cs_error err = {0};
	struct cs_hash *hash;
	const char *own;

	cs_arena_init(&arena, ARENA_BYTES);
	own = cs_files_path(&arena, call->dir, CS_POLICIES_DIR);
	if (n == 0 && own != NULL) {
		paths = &own;
		n = 1;
	}
	if (!cs_policies_read(paths, n, &arena, &sources, &err))
		return cs_call_fail(call, &err);
	hash = cs_hash_new(&err);
	if (hash == NULL)
		return cs_call_fail(call, &err);
	cs_policy_report_init(&report, &arena);
	set = cs_policy_set_load(&sources, hash, &report);
	print_check(call, set, &report);
	n = report.errors;
	cs_policy_set_free(set);
	cs_hash_free(hash);
	return set != NULL && n == 0 ? CS_EXIT_DONE : CS_EXIT_REFUSED;
}

/* -- apply -------------------------------------------------------------- */

/* The compiler's report, as the worker sent it. */
static void print_report(const struct cs_call *call, const json_t *body)
{
	const json_t *problems = json_object_get(body, "problems");
	const json_t *p;
	size_t i;

	json_array_foreach(problems, i, p)
	{
		fprintf(call->err, "%s: ", cs_reply_text(p, "severity"));
		cs_text_print(call->err, cs_reply_text(p, "text"));
		fputc('\n', call->err);
	}
}

static int run_apply(const struct cs_call *call)
{
	struct cs_error err = {0};
	struct cs_reply r;
	int status;

	if (!cs_ask(call, "POST", "/v1/policies", NULL, NULL, &r, &err))
		return cs_call_fail(call, &err);
	if (cs_call_wants(call, "json")) {
		status = cs_reply_print_json(call, &r);
		cs_reply_done(&r);
		return status == CS_EXIT_USAGE ? CS_EXIT_REFUSED : status;
	}
	print_report(call, r.status >= 400 ? json_object_get(r.body, "report")
					   : r.body);
	if (r.status >= 400) {
		status = cs_reply_print_problem(call, &r);
		/* A set that does not load is no wrong call. */
		if (status == CS_EXIT_USAGE)
			status = CS_EXIT_REFUSED;
	} else {
		status = CS_EXIT_DONE;
		cs_show_object(r.body, call->out);
	}
	cs_reply_done(&r);
	return status;
}

/* -- show --------------------------------------------------------------- */

static int run_show(const struct cs_call *call)
{
	const struct cs_question_call q = {.kind = CS_QUERY_POLICY,
					   .target = "/v1/policies"};
	struct cs_error err = {0};
	struct cs_reply r;
	const json_t *s;
	size_t i;
	int status = CS_EXIT_DONE;

	if (!cs_ask_question(call, &q, &r, &err))
		return cs_call_fail(call, &err);
	if (cs_call_wants(call, "json")) {
		status = cs_reply_print_json(call, &r);
	} else if (r.status >= 400) {
		status = cs_reply_print_problem(call, &r);
	} else {
		json_array_foreach(json_object_get(r.body, "sources"), i, s)
		{
			fputs("# ", call->out);
			cs_text_print(call->out, cs_reply_text(s, "name"));
			fprintf(call->out, "\n%s\n", cs_reply_text(s, "text"));
		}
	}
	cs_reply_done(&r);
	return status;
}

const struct cs_command cs_cmd_policy_check = {
	.name = "policy check",
	.args = "[FILE-OR-DIR]...",
	.max_args = CS_MAX_CALL_ARGS,
	.help = "Load policy files, run their tests, print every error",
	.outputs = "table|json",
	.example = "countersign policy check policies/",
	.run = run_check,
};

const struct cs_command cs_cmd_policy_apply = {
	.name = "policy apply",
	.args = "",
	.help = "Put DIR/policies in force, all of it or nothing",
	.outputs = "table|json",
	.example = "countersign policy apply",
	.run = run_apply,
};

const struct cs_command cs_cmd_policy_show = {
	.name = "policy show",
	.args = "",
	.help = "Show the policy set in force, as it was applied",
	.outputs = "table|json",
	.example = "countersign policy show",
	.run = run_show,
};
