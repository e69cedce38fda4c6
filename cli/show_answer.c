/* Answers about requests: from their JSON to policy/tell.h. */
#include "cli/show.h"

#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "policy/tell.h"

/* Memory of one answer's texts, and of its rendering. */
#define ARENA_BYTES (4 * CS_MAX_MESSAGE)
#define TEXT_BYTES  (4 * CS_MAX_MESSAGE)
/* One value that is a list. */
#define VALUE_BYTES 16384

/* One answer on its way. */
struct reading {
	struct cs_arena arena;
	struct cs_tell t;
	bool no_memory;
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL ? s : "";
}

static struct cs_span span_of(const json_t *object, const char *name)
{
	return cs_span_str(text_of(object, name));
}

/* Room for a list's items; NULL when it has none. */
static void *room(struct reading *r, const json_t *list, size_t size)
{
	size_t n = json_array_size(list);
	void *p = n > 0 ? cs_arena_new_array(&r->arena, n, size) : NULL;

	if (n > 0 && p == NULL)
		r->no_memory = true;
	return p;
}

/* Any value as one text. */
static struct cs_span value_of(struct reading *r, const json_t *object,
			       const char *name)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	const json_t *value = json_object_get(object, name);
	struct cs_span text = {0};

	cs_buf_init(&b, VALUE_BYTES);
	if (json_is_string(value))
		return cs_span_str(json_string_value(value));
	cs_show_value(value, &b);
	if (!cs_buf_ok(&b))
		return CS_SPAN_LIT("(too long)");
	if (!cs_arena_dup(&r->arena, cs_buf_span(&b), &text))
		r->no_memory = true;
	return text;
}

/* A list of texts. */
static struct cs_tell_texts texts(struct reading *r, const json_t *answer,
				  const char *name)
{
	const json_t *list = json_object_get(answer, name);
	struct cs_span *items = room(r, list, sizeof(*items));
	const json_t *item;
	size_t i;

	if (items == NULL)
		return (struct cs_tell_texts){NULL, 0};
	json_array_foreach(list, i, item) items[i] =
		cs_span_str(json_string_value(item));
	return (struct cs_tell_texts){items, json_array_size(list)};
}

/* A list of violations or warnings. */
static const struct cs_finding *findings(struct reading *r,
					 const json_t *answer, const char *name,
					 size_t *ret_n)
{
	const json_t *list = json_object_get(answer, name);
	struct cs_finding *items = room(r, list, sizeof(*items));
	const json_t *v;
	size_t i;

	*ret_n = items != NULL ? json_array_size(list) : 0;
	json_array_foreach(list, i, v)
	{
		if (i < *ret_n)
			items[i] = (struct cs_finding){
				.code = text_of(v, "code"),
				.field = span_of(v, "field"),
				.value = span_of(v, "value"),
				.expect = span_of(v, "expected"),
				.rule = span_of(v, "rule"),
				.at = span_of(v, "at"),
				.message = span_of(v, "message"),
			};
	}
	return items;
}

static void read_changes(struct reading *r, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "diff");
	struct cs_tell_change *items = room(r, list, sizeof(*items));
	const json_t *d;
	size_t i;

	if (items == NULL)
		return;
	json_array_foreach(list, i, d)
	{
		items[i] = (struct cs_tell_change){
			.field = span_of(d, "field"),
			.has_asked =
				json_is_string(json_object_get(d, "asked")),
			.asked = span_of(d, "asked"),
			.has_given =
				json_is_string(json_object_get(d, "given")),
			.given = span_of(d, "given"),
			.disposition = span_of(d, "disposition"),
			.rule = span_of(d, "rule"),
			.at = span_of(d, "at"),
		};
	}
	r->t.changes = items;
	r->t.changes_n = json_array_size(list);
}

static void read_others(struct reading *r, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "others");
	struct cs_tell_other *items = room(r, list, sizeof(*items));
	const json_t *o;
	size_t i;

	if (items == NULL)
		return;
	json_array_foreach(list, i, o) items[i] =
		(struct cs_tell_other){span_of(o, "policy"), span_of(o, "why")};
	r->t.others = items;
	r->t.others_n = json_array_size(list);
}

static void read_rules(struct reading *r, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "rules");
	struct cs_tell_rule *items = room(r, list, sizeof(*items));
	const json_t *rule;
	size_t i;

	if (items == NULL)
		return;
	json_array_foreach(list, i, rule) items[i] = (struct cs_tell_rule){
		span_of(rule, "rule"), value_of(r, rule, "value"),
		span_of(rule, "outcome")};
	r->t.rules = items;
	r->t.rules_n = json_array_size(list);
}

/* Who decided, for whom, and where it stands. */
static void read_around(struct reading *r, const json_t *answer)
{
	const json_t *policy = json_object_get(answer, "policy");
	const json_t *request = json_object_get(answer, "request");
	const json_t *log = json_object_get(answer, "log");
	struct cs_tell *t = &r->t;

	t->policy = span_of(policy, "name");
	t->policy_sha256 = span_of(policy, "sha256");
	t->policy_source = span_of(policy, "source");
	t->policy_owner = span_of(policy, "owner");
	t->source = span_of(request, "source");
	t->namespace = span_of(request, "namespace");
	t->owner = span_of(request, "owner");
	t->requested = span_of(request, "requester");
	t->approved = span_of(request, "approved");
	t->approval = span_of(request, "approval");
	t->has_log = json_is_object(log);
	t->log = json_integer_value(json_object_get(log, "index"));
}

static void read_answer(struct reading *r, const json_t *answer)
{
	struct cs_tell *t = &r->t;

	t->would = json_object_get(answer, "would") != NULL;
	t->changed = json_is_true(json_object_get(answer, "changed"));
	t->final = json_is_true(json_object_get(answer, "final"));
	t->all = json_object_get(answer, "all") != NULL;
	t->code = span_of(answer, "code");
	t->held = strcmp(text_of(answer, "would"), "held") == 0 ||
		  (strcmp(text_of(answer, "state"), "approved") == 0 &&
		   !cs_span_equal_str(t->code, "IN_PROGRESS"));
	t->detail = span_of(answer, "detail");
	t->serial = span_of(answer, "serial");
	t->names = (size_t)json_integer_value(json_object_get(answer, "names"));
	read_around(r, answer);
	t->because = texts(r, answer, "because");
	t->vars = texts(r, answer, "vars");
	t->not_reached = texts(r, answer, "not_reached");
	t->has_kept = json_object_get(answer, "kept") != NULL;
	t->kept = texts(r, answer, "kept");
	t->violations = findings(r, answer, "violations", &t->violations_n);
	t->violations_more = (size_t)json_integer_value(
		json_object_get(answer, "violations_more"));
	t->warnings = findings(r, answer, "warnings", &t->warnings_n);
	read_changes(r, answer);
	read_others(r, answer);
	read_rules(r, answer);
}

/* The long form of it. */
static void show(const json_t *answer, bool issued, FILE *out)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct reading r = {.t = {.issued = issued}};

	cs_arena_init(&r.arena, ARENA_BYTES);
	cs_buf_init(&text, TEXT_BYTES);
	read_answer(&r, answer);
	cs_tell_long(&r.t, &text);
	fputs(!r.no_memory && cs_buf_ok(&text) ? cs_buf_str(&text)
					       : "(no memory to show it)\n",
	      out);
	cs_arena_done(&r.arena);
}

void cs_show_refusal(const json_t *answer, FILE *out)
{
	show(answer, false, out);
}

void cs_show_issued(const json_t *answer, FILE *out)
{
	show(answer, true, out);
}

static void print_text(FILE *out, const char *before, const char *text,
		       const char *after)
{
	fputs(before, out);
	cs_text_print(out, text);
	fputs(after, out);
}

/* What an approver has to know. */
static void show_pending(const json_t *answer, FILE *out)
{
	print_text(out, "", text_of(answer, "state"), "  request ");
	print_text(out, "", text_of(answer, "id"), "\n");
	print_text(out, "  expires  ", text_of(answer, "expires"), "\n");
	print_text(out, "  sha256   ", text_of(answer, "request_sha256"), "\n");
	print_text(out, "  approve  countersign request approve ",
		   text_of(answer, "id"), "\n");
}

/*
 * What an approver sees beside it: what would become of it now. False: that
 * is not told, or not known.
 */
static bool show_now(const json_t *answer, FILE *out)
{
	const json_t *now = json_object_get(answer, "now");
	const char *then = text_of(answer, "would");
	const char *would = text_of(now, "would");

	if (now == NULL)
		return false;
	if (would[0] == '\0') {
		print_text(out,
			   "  now      not known: ", text_of(now, "detail"),
			   "");
		print_text(out, " (", text_of(now, "code"), ")\n");
		return false;
	}
	print_text(out, "  now      it would be ", would, "");
	if (strcmp(then, would) == 0)
		fputs(", as when it was submitted\n", out);
	else
		print_text(out, "; when it was submitted, it would have been ",
			   then, "\n");
	show(now, strcmp(would, "issued") == 0, out);
	return true;
}

void cs_show_answer(const json_t *answer, FILE *out)
{
	const char *state = text_of(answer, "state");
	const char *would = text_of(answer, "would");

	if (strcmp(state, "pending") == 0 || strcmp(state, "approved") == 0)
		show_pending(answer, out);
	if (show_now(answer, out))
		return;
	if (strcmp(state, "issued") == 0 || strcmp(would, "issued") == 0)
		cs_show_issued(answer, out);
	else if (state[0] == '\0' || strcmp(state, "pending") != 0 ||
		 strcmp(would, "refused") == 0)
		cs_show_refusal(answer, out);
}
