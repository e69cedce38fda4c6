/* `policy check|apply|show`. */
#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/sets.h"
#include "cli/show.h"
#include "policy/doc.h"
#include "policy/effective.h"

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

/* The report of one load, in the form that was asked for. */
static void print_check(const struct cs_call *call, const struct cs_loaded *l)
{
	json_t *all;

	if (cs_call_wants(call, "json")) {
		all = json_pack("{s:b, s:o, s:o}", "ok", l->set != NULL,
				"problems", problems_json(&l->report),
				"policies", cs_loaded_list(l));
		json_dumpf(all, call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
		fputc('\n', call->out);
		json_decref(all);
		return;
	}
	print_problems(call, &l->report);
	if (l->set != NULL)
		cs_loaded_show(l, call->out);
	else
		fprintf(call->err, "%zu error%s: the set does not load\n",
			l->report.errors, l->report.errors == 1 ? "" : "s");
}

static int run_check(const struct cs_call *call)
{
	struct cs_error err = {0};
	struct cs_loaded l = {0};
	bool good;

	if (!(call->n_args > 0
		      ? cs_loaded_files(call->args, call->n_args, &l, &err)
		      : cs_loaded_dir(call, &l, &err)))
		return cs_call_fail(call, &err);
	if (l.set != NULL)
		cs_policy_set_lint(l.set, &l.report);
	print_check(call, &l);
	good = l.set != NULL && l.report.errors == 0;
	cs_loaded_done(&l);
	return good ? CS_EXIT_DONE : CS_EXIT_REFUSED;
}

/* -- apply -------------------------------------------------------------- */

/* The compiler's report, as the worker sent it. */
static void print_report(const struct cs_call *call, const struct cs_reply *r)
{
	const json_t *problems = json_object_get(r->body, "problems");
	const json_t *p;
	size_t i;

	/* A single error is the sentence itself. */
	if (r->status >= 400 && json_array_size(problems) == 1)
		return;
	json_array_foreach(problems, i, p)
	{
		fprintf(call->err, "%s: ", cs_reply_text(p, "severity"));
		cs_text_print(call->err, cs_reply_text(p, "text"));
		fputc('\n', call->err);
	}
}

/* The names of the files that were applied. */
static void print_files(const struct cs_call *call, const json_t *body)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf names;

	cs_buf_init(&names, CS_MAX_HTTP_BODY);
	cs_show_value(json_object_get(body, "files"), &names);
	cs_text_print(call->out, cs_buf_str(&names));
	fputc('\n', call->out);
}

/* What is in force now, after the server said that it is. */
static void print_applied(const struct cs_call *call, const json_t *body)
{
	struct cs_error err = {0};
	struct cs_loaded l = {0};

	fprintf(call->out, "in force  epoch %lld, set %.12s, files ",
		(long long)json_integer_value(json_object_get(body, "epoch")),
		cs_reply_text(body, "set_sha256"));
	print_files(call, body);
	if (json_object_get(body, "diff") != NULL)
		cs_show_policy_diff(json_object_get(body, "diff"), call->out);
	if (!cs_loaded_in_force(call, &l, &err)) {
		(void)cs_call_fail(call, &err);
		return;
	}
	cs_loaded_show(&l, call->out);
	cs_loaded_done(&l);
}

static int run_apply(const struct cs_call *call)
{
	struct cs_error err = {0};
	struct cs_reply r;
	int status;

	if (!cs_ask(call, "POST", "/v1/policies", NULL, NULL, &r, &err))
		return cs_call_fail(call, &err);
	print_report(call, &r);
	if (!cs_reply_print(call, &r, &status))
		print_applied(call, r.body);
	cs_reply_done(&r);
	/* A set that does not load is no wrong call. */
	return status == CS_EXIT_USAGE ? CS_EXIT_REFUSED : status;
}

/* -- show --------------------------------------------------------------- */

static const struct cs_option show_options[] = {
	{"effective", 0, NULL, "each policy with every default filled in"},
	{0},
};

/* One policy with its defaults, behind a comment that says which it is. */
static bool print_effective(const struct cs_call *call,
			    const struct cs_policy_info *p, json_t *list)
{
	json_t *doc = cs_policy_effective(p);

	if (doc == NULL)
		return false;
	if (list != NULL)
		return json_array_append_new(list, doc) == 0;
	fprintf(call->out, "---\n# %.*s, %.*s:%u, sha256 %.*s\n",
		CS_SPAN_FMT(p->name), CS_SPAN_FMT(p->source), p->line,
		CS_SPAN_FMT(p->sha256_text));
	json_dumpf(doc, call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
	fputc('\n', call->out);
	json_decref(doc);
	return true;
}

/* The set in force, flattened; JSON is YAML, so it loads as it is printed. */
static int show_effective(const struct cs_call *call)
{
	struct cs_error err = {0};
	struct cs_loaded l = {0};
	json_t *list = NULL;
	bool ok = true;

	if (!cs_loaded_in_force(call, &l, &err))
		return cs_call_fail(call, &err);
	if (cs_call_wants(call, "json"))
		list = json_array();
	for (size_t i = 0; ok && i < cs_policy_set_count(l.set); i++)
		ok = print_effective(call, cs_policy_set_at(l.set, i), list);
	if (ok && list != NULL) {
		json_dumpf(list, call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
		fputc('\n', call->out);
	}
	json_decref(list);
	cs_loaded_done(&l);
	if (ok)
		return CS_EXIT_DONE;
	cs_error_set(&err, CS_E_NO_MEMORY, "no memory for the policies");
	return cs_call_fail(call, &err);
}

/* The question about a set that is or was in force, by its whole hash. */
static bool set_target(const char *hash, struct cs_question_call *q,
		       struct cs_buf *target, struct cs_error *err)
{
	uint8_t sha256[32];

	if (!cs_codec_hex_fixed(cs_span_str(hash), sha256, sizeof(sha256)))
		return cs_error_set(err, CS_E_USAGE,
				    "`%s` is not a set's hash: expected the 64 "
				    "hexadecimal digits of set_sha256, as in "
				    "`policy log -o json`",
				    hash);
	q->in_path = (struct cs_ask_param){CS_ASK_ONE, "set_sha256", hash, 0};
	cs_buf_addf(target, "/v1/policies/%s", hash);
	q->target = cs_buf_str(target);
	return true;
}

static int run_show(const struct cs_call *call)
{
	struct cs_question_call q = {.kind = CS_QUERY_POLICY,
				     .target = "/v1/policies"};
	CS_CLEANUP(cs_buf_done) struct cs_buf target;
	struct cs_error err = {0};
	struct cs_reply r;
	const json_t *s;
	size_t i;
	int status;

	cs_buf_init(&target, 4096);
	if (call->n_args > 0 && !set_target(call->args[0], &q, &target, &err))
		return cs_call_fail(call, &err);
	if (call->n_args == 0 && cs_call_get(call, "effective") != NULL)
		return show_effective(call);
	if (!cs_ask_question(call, &q, &r, &err))
		return cs_call_fail(call, &err);
	if (!cs_reply_print(call, &r, &status)) {
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
	.args = "[SET]",
	.max_args = 1,
	.help = "Show the policy set in force, or one that was, by its hash",
	.outputs = "table|json",
	.options = show_options,
	.example = "countersign policy show",
	.run = run_show,
};
