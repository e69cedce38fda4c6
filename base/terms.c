#include "base/terms.h"

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

void cs_terms_init(struct cs_terms *t, struct cs_arena *arena)
{
	*t = (struct cs_terms){.arena = arena};
}

/* Room for one more item; the old array stays in the arena. */
static bool reserve(struct cs_terms *t)
{
	size_t cap = t->cap == 0 ? 32 : t->cap * 2;
	struct cs_term_item *items;

	if (t->n < t->cap)
		return true;
	items = cs_arena_new_array(t->arena, cap, sizeof(*items));
	if (items == NULL)
		return false;
	if (t->n > 0)
		memcpy(items, t->items, t->n * sizeof(*items));
	t->items = items;
	t->cap = cap;
	return true;
}

bool cs_terms_add(struct cs_terms *t, enum cs_term field, struct cs_span value)
{
	struct cs_span copy = {0};

	if (value.n == 0)
		return true;
	if (!reserve(t) || !cs_arena_dup(t->arena, value, &copy))
		return false;
	t->items[t->n++] = (struct cs_term_item){(uint8_t)field, copy};
	return true;
}

/* Where the last label of name begins. */
static size_t last_label(struct cs_span name)
{
	size_t at = name.n;

	while (at > 0 && name.p[at - 1] != '.')
		at--;
	return at;
}

/* Write name's labels in reverse order; as many octets as it has. */
static void reverse_into(struct cs_span name, uint8_t *out)
{
	while (name.n > 0) {
		size_t at = last_label(name);

		memcpy(out, name.p + at, name.n - at);
		out += name.n - at;
		if (at > 0)
			*out++ = '.';
		name.n = at > 0 ? at - 1 : 0;
	}
}

bool cs_terms_add_dns(struct cs_terms *t, struct cs_span name)
{
	uint8_t *reversed;

	if (name.n == 0)
		return true;
	reversed = cs_arena_new(t->arena, name.n);
	if (reversed == NULL || !reserve(t))
		return false;
	reverse_into(name, reversed);
	t->items[t->n++] = (struct cs_term_item){
		CS_TERM_DNS, cs_span_make(reversed, name.n)};
	return true;
}

void cs_terms_reverse_dns(struct cs_span name, struct cs_buf *out)
{
	uint8_t *at = cs_buf_extend(out, name.n);

	if (at != NULL)
		reverse_into(name, at);
}

/* qsort's order: by field, then by value. */
static int compare(const void *pa, const void *pb)
{
	const struct cs_term_item *a = pa;
	const struct cs_term_item *b = pb;

	if (a->field != b->field)
		return a->field < b->field ? -1 : 1;
	return cs_span_compare(a->value, b->value);
}

void cs_terms_encode(struct cs_terms *t, struct cs_buf *out)
{
	if (t->n > 1)
		qsort(t->items, t->n, sizeof(*t->items), compare);
	for (size_t i = 0; i < t->n; i++) {
		const struct cs_term_item *item = &t->items[i];

		if (i > 0 && compare(item - 1, item) == 0)
			continue;
		cs_wire_put_u8(out, item->field);
		cs_wire_put_bytes(out, item->value);
	}
}

bool cs_terms_next(struct cs_span *blob, uint8_t *ret_field,
		   struct cs_span *ret_value, bool *ret_bad)
{
	struct cs_wire_reader r = cs_wire_reader(*blob);
	uint8_t field = cs_wire_get_u8(&r);
	struct cs_span value = cs_wire_get_bytes(&r);
	bool there = !r.failed && field != 0 && value.n > 0;

	if (ret_bad != NULL)
		*ret_bad = !there && blob->n > 0;
	if (!there)
		return false;
	*blob = r.rest;
	*ret_field = field;
	*ret_value = value;
	return true;
}
