#include "policy/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* What a list starts with. */
#define FIRST_CAP ((size_t)8)

void cs_findings_init(struct cs_findings *f, struct cs_arena *arena)
{
	*f = (struct cs_findings){.arena = arena};
}

/* Room for one more item. */
static bool grow(struct cs_findings *f)
{
	size_t cap = f->cap == 0 ? FIRST_CAP : f->cap * 2;
	struct cs_finding *items;

	if (f->n < f->cap)
		return true;
	items = cs_arena_new_array(f->arena, cap, sizeof(*items));
	if (items == NULL)
		return false;
	if (f->n > 0)
		memcpy(items, f->items, f->n * sizeof(*items));
	f->items = items;
	f->cap = cap;
	return true;
}

bool cs_findings_add(struct cs_findings *f, const struct cs_finding *finding)
{
	if (f->n == CS_MAX_FINDINGS) {
		f->more++;
		return true;
	}
	if (!grow(f))
		return false;
	f->items[f->n++] = *finding;
	return true;
}

bool cs_findings_builtin(struct cs_findings *f, const char *code,
			 struct cs_span field, struct cs_span value,
			 const char *fmt, ...)
{
	struct cs_finding one = {
		.code = code,
		.field = field,
		.value = value,
		.rule = CS_SPAN_LIT("built-in"),
	};
	char text[CS_ERROR_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!cs_arena_dup(f->arena, cs_span_str(text), &one.message))
		return false;
	return cs_findings_add(f, &one);
}
