/* `audit tail|stats|export`: the log as it grows, counted, and whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/csv.h"
#include "base/limits.h"
#include "cli/audit_row.h"
#include "cli/commands.h"
#include "cli/show.h"

/* Seconds that one question of a tail waits. */
#define WAIT_S 20

static const struct cs_option tail_options[] = {
	{"after", 0, "INDEX", "what came after this entry (now)"},
	CS_AUDIT_FILTERS,
	{"limit", 0, "N", "end after so many (never)"},
	{0},
};

static const struct cs_option export_options[] = {
	CS_AUDIT_FILTERS,
	CS_LIST_TIME_OPTIONS,
	{"limit", 0, "N", "at most so many (all)"},
	{"order", 0, "asc|desc", "oldest or newest first (asc)"},
	{0},
};

static const struct cs_option stats_options[] = {
	CS_AUDIT_FILTERS,
	CS_LIST_TIME_OPTIONS,
	{"top", 0, "N", "the N most frequent of each in a table (10)"},
	{0},
};

/* A number option; `value` stays when it was not given. */
static bool read_count(const struct cs_call *call, const char *option,
		       int64_t *value, struct cs_error *err)
{
	const char *text = cs_call_get(call, option);
	char *end;

	if (text == NULL)
		return true;
	errno = 0;
	*value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *value < 0)
		return cs_error_set(err, CS_E_USAGE,
				    "--%s: `%s`: expected a number", option,
				    text);
	return true;
}

/* -- tail ----------------------------------------------------------------- */

/* The newest entry's index. */
static bool newest(const struct cs_call *call, int64_t *ret,
		   struct cs_error *err)
{
	struct cs_question_call q = {.kind = CS_QUERY_AUDIT,
				     .target = "/v1/audit"};
	struct cs_reply r;

	cs_question_add(&q,
			(struct cs_ask_param){CS_ASK_INT, "limit", NULL, 1});
	if (!cs_ask_question(call, &q, &r, err))
		return false;
	if (r.status >= 400) {
		cs_error_set(err, CS_E_HTTP, "%s",
			     cs_reply_text(r.body, "detail"));
		cs_reply_done(&r);
		return false;
	}
	*ret = json_integer_value(json_object_get(
		json_array_get(json_object_get(r.body, "items"), 0), "index"));
	cs_reply_done(&r);
	return true;
}

/* Where a tail stands. */
struct tail {
	const struct cs_call *call;
	struct cs_list list;
	int64_t after;	 /* the last entry that was seen */
	char cursor[64]; /* of a page that was not the last; or empty */
	int64_t left;	 /* entries to show */
	int status;	 /* an enum cs_exit */
};

/* Items as they come. */
static void print_items(struct tail *t, json_t *items)
{
	FILE *out = t->call->out;
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		t->after = json_integer_value(json_object_get(item, "index"));
		if (cs_call_wants(t->call, "table")) {
			cs_audit_prepare(item);
			continue;
		}
		json_dumpf(item, out, JSON_COMPACT | JSON_SORT_KEYS);
		fputc('\n', out);
	}
	if (cs_call_wants(t->call, "table") && json_array_size(items) > 0)
		cs_show_list(items, NULL, t->list.names, t->list.columns, out);
	fflush(out);
}

/* The next question: what comes, or first the rest of what is there. */
static bool ask_tail(struct tail *t, struct cs_reply *ret, struct cs_error *err)
{
	struct cs_question_call q;

	if (!cs_list_question(t->call, &t->list, &q, err))
		return false;
	cs_question_add(
		&q, (struct cs_ask_param){CS_ASK_INT, "after", NULL, t->after});
	if (t->cursor[0] != '\0')
		cs_question_add(&q, (struct cs_ask_param){CS_ASK_ONE, "cursor",
							  t->cursor, 0});
	else
		cs_question_add(&q, (struct cs_ask_param){CS_ASK_INT, "wait",
							  NULL, WAIT_S});
	cs_question_add(&q,
			(struct cs_ask_param){CS_ASK_INT, "limit", NULL,
					      t->left < 1000 ? t->left : 1000});
	return cs_ask_question(t->call, &q, ret, err);
}

/* What came; false: the tail ends. */
static bool take_tail(struct tail *t, const struct cs_reply *r)
{
	json_t *items = json_object_get(r->body, "items");
	const char *next = cs_reply_text(r->body, "next");
	struct cs_error err = {0};

	if (r->status >= 400) {
		t->status = cs_reply_tell_problem(t->call, r);
		return false;
	}
	if (r->stopped) {
		cs_error_set(&err, CS_E_UNREACHABLE,
			     "no server runs: nothing will come");
		t->status = cs_call_fail(t->call, &err);
		return false;
	}
	t->left -= (int64_t)json_array_size(items);
	/* Behind items the question is a new one, from the last of them on. */
	t->cursor[0] = '\0';
	if (json_array_size(items) == 0 && strlen(next) < sizeof(t->cursor))
		memcpy(t->cursor, next, strlen(next) + 1);
	print_items(t, items);
	return t->left > 0 && !ferror(t->call->out);
}

static int run_tail(const struct cs_call *call)
{
	struct tail t = {.call = call,
			 .list = cs_audit_list(),
			 .after = -1,
			 .left = INT64_MAX};
	struct cs_error err = {0};
	struct cs_reply r;
	bool more;

	if (!read_count(call, "after", &t.after, &err) ||
	    !read_count(call, "limit", &t.left, &err) ||
	    (t.after < 0 && !newest(call, &t.after, &err)))
		return cs_call_fail(call, &err);
	for (more = t.left > 0; more; cs_reply_done(&r)) {
		if (!ask_tail(&t, &r, &err))
			return cs_call_fail(call, &err);
		more = take_tail(&t, &r);
	}
	return t.status;
}

/* -- export --------------------------------------------------------------- */

static int run_export(const struct cs_call *call)
{
	struct cs_list list = cs_audit_list();

	list.order = "asc";
	list.limit = CS_LIST_ALL;
	return cs_list_run(call, &list);
}

/* -- stats ---------------------------------------------------------------- */

/* What is counted, each by its values. */
static const char *const counted[] = {"kind",	      "requester", "client",
				      "issuer",	      "policy",	   "code",
				      "changed field"};

/* One more of a value. */
static void count(json_t *stats, const char *what, const char *value)
{
	json_t *by = json_object_get(stats, what);
	json_t *n = json_object_get(by, value);

	if (value[0] == '\0')
		return;
	if (n != NULL)
		json_integer_set(n, json_integer_value(n) + 1);
	else
		json_object_set_new(by, value, json_integer(1));
}

/* A field without the number of its element: "san.dns[2]" is one of san.dns. */
static void count_field(json_t *stats, const char *field)
{
	char name[256];
	size_t n = strcspn(field, "[");

	if (n >= sizeof(name))
		return;
	memcpy(name, field, n);
	name[n] = '\0';
	count(stats, "changed field", name);
}

static bool count_page(void *ctx, json_t *items, struct cs_error *err)
{
	json_t *stats = ctx;
	const json_t *item, *v;
	size_t i, k;

	(void)err;
	json_array_foreach(items, i, item)
	{
		const json_t *decision = json_object_get(item, "decision");

		for (k = 0; k < 5; k++)
			count(stats, counted[k],
			      cs_reply_text(item, counted[k]));
		json_array_foreach(json_object_get(decision, "violations"), k,
				   v)
			count(stats, "code", cs_reply_text(v, "code"));
		json_array_foreach(json_object_get(decision, "diff"), k, v)
			count_field(stats, cs_reply_text(v, "field"));
	}
	return true;
}

/* The most frequent value that is left, which is taken out; NULL: none. */
static json_t *take_most(json_t *by, const char *what)
{
	const char *best = NULL, *value;
	json_t *n, *row;

	json_object_foreach(by, value, n)
	{
		if (best == NULL ||
		    json_integer_value(n) >
			    json_integer_value(json_object_get(by, best)))
			best = value;
	}
	if (best == NULL)
		return NULL;
	row = json_pack("{s:s, s:s, s:O}", "what", what, "value", best, "count",
			json_object_get(by, best));
	json_object_del(by, best);
	return row;
}

static void print_stats(const struct cs_call *call, json_t *stats, int64_t top)
{
	static const char *const names[] = {"what", "value", "count"};
	static const char *const header[] = {"WHAT", "VALUE", "ENTRIES"};
	json_t *rows = json_array();
	json_t *row;

	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		json_t *by = json_object_get(stats, counted[i]);

		for (int64_t k = 0; k < top; k++) {
			row = take_most(by, counted[i]);
			if (row == NULL)
				break;
			json_array_append_new(rows, row);
		}
	}
	cs_show_list(rows, header, names, 3, call->out);
	json_decref(rows);
}

static int run_stats(const struct cs_call *call)
{
	struct cs_list list = cs_audit_list();
	struct cs_error err = {0};
	json_t *stats = json_object();
	int64_t top = 10;
	int status = CS_EXIT_DONE;

	list.limit = CS_LIST_ALL;
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		json_object_set_new(stats, counted[i], json_object());
	if (!read_count(call, "top", &top, &err) ||
	    !cs_list_pages(call, &list, count_page, stats, &status, &err)) {
		status = cs_call_fail(call, &err);
	} else if (status == CS_EXIT_DONE && cs_call_wants(call, "json")) {
		json_dumpf(stats, call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
		fputc('\n', call->out);
	} else if (status == CS_EXIT_DONE) {
		print_stats(call, stats, top);
	}
	json_decref(stats);
	return status;
}

const struct cs_command cs_cmd_audit_tail = {
	.name = "audit tail",
	.args = "",
	.help = "Show entries as they are written, until it is interrupted",
	.outputs = "table|ndjson",
	.options = tail_options,
	.example = "countersign audit tail --after 0 --limit 5",
	.run = run_tail,
};

const struct cs_command cs_cmd_audit_stats = {
	.name = "audit stats",
	.args = "",
	.help = "Count entries by kind, person, policy, code and changed field",
	.outputs = "table|json",
	.options = stats_options,
	.example = "countersign audit stats --since 7d",
	.run = run_stats,
};

const struct cs_command cs_cmd_audit_export = {
	.name = "audit export",
	.args = "",
	.help = "Write all entries, oldest first, for other programs",
	.outputs = "ndjson|csv",
	.options = export_options,
	.example = "countersign audit export --since 30d -o csv",
	.run = run_export,
};
