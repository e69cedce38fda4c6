#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/load.h"

/* What a report starts with. */
#define FIRST_CAP ((size_t)8)

void cs_policy_report_init(struct cs_policy_report *report,
			   struct cs_arena *arena)
{
	*report = (struct cs_policy_report){.arena = arena};
}

/* Room for one more problem; without it, it is only counted. */
static bool grow(struct cs_policy_report *r)
{
	size_t cap = r->cap == 0 ? FIRST_CAP : r->cap * 2;
	struct cs_policy_problem *items;

	if (r->n < r->cap)
		return true;
	items = cs_arena_new_array(r->arena, cap, sizeof(*items));
	if (items == NULL)
		return false;
	if (r->n > 0)
		memcpy(items, r->items, r->n * sizeof(*items));
	r->items = items;
	r->cap = cap;
	return true;
}

void cs_report_add_args(struct cs_policy_report *r,
			enum cs_problem_severity severity,
			struct cs_span source, unsigned line, unsigned column,
			const char *fmt, va_list args)
{
	struct cs_policy_problem p = {
		.severity = severity, .line = line, .column = column};
	char sentence[CS_ERROR_MAX];
	char *text;

	if (severity == CS_PROBLEM_ERROR)
		r->errors++;
	if (r->n == CS_MAX_POLICY_PROBLEMS || !grow(r)) {
		r->more++;
		return;
	}
	(void)vsnprintf(sentence, sizeof(sentence), fmt, args);
	if (source.n == 0)
		text = cs_arena_printf(r->arena, "%s", sentence);
	else if (line == 0)
		text = cs_arena_printf(r->arena, "%.*s: %s",
				       CS_SPAN_FMT(source), sentence);
	else
		text = cs_arena_printf(r->arena, "%.*s:%u:%u: %s",
				       CS_SPAN_FMT(source), line, column,
				       sentence);
	if (text == NULL || !cs_arena_dup(r->arena, source, &p.source)) {
		r->more++;
		return;
	}
	p.text = cs_span_str(text);
	r->items[r->n++] = p;
}

void cs_report_add(struct cs_policy_report *report,
		   enum cs_problem_severity severity, struct cs_span source,
		   unsigned line, unsigned column, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	cs_report_add_args(report, severity, source, line, column, fmt, args);
	va_end(args);
}

void cs_load_error(struct cs_load *l, const struct cs_yaml *node,
		   const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	cs_report_add_args(l->report, CS_PROBLEM_ERROR, l->source, node->line,
			   node->column, fmt, args);
	va_end(args);
}

void cs_load_error_key(struct cs_load *l, const struct cs_yaml *node,
		       const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	cs_report_add_args(l->report, CS_PROBLEM_ERROR, l->source,
			   node->key_line, node->key_column, fmt, args);
	va_end(args);
}

void cs_load_warning(struct cs_load *l, const struct cs_yaml *node,
		     const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	cs_report_add_args(l->report, CS_PROBLEM_WARNING, l->source, node->line,
			   node->column, fmt, args);
	va_end(args);
}

void cs_load_no_memory(struct cs_load *l)
{
	if (!l->no_memory)
		cs_report_add(l->report, CS_PROBLEM_ERROR, l->source, 0, 0,
			      "no memory to load it");
	l->no_memory = true;
}
