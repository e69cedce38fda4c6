#include <stdlib.h>

#include "base/mem.h"
#include "policy/regex_program.h"
#include "policy/regex_tables.h"
#include "policy/regex_text.h"

/* By first code point, for qsort. */
static int compare(const void *a, const void *b)
{
	const struct cs_regex_range *x = a, *y = b;

	return (x->lo > y->lo) - (x->lo < y->lo);
}

void cs_regex_set_clean(struct cs_regex_set *set)
{
	size_t n = 0;

	if (set->n < 2)
		return;
	qsort(set->r, set->n, sizeof(*set->r), compare);
	for (size_t i = 1; i < set->n; i++) {
		if (set->r[i].lo > set->r[n].hi + 1)
			set->r[++n] = set->r[i];
		else if (set->r[i].hi > set->r[n].hi)
			set->r[n].hi = set->r[i].hi;
	}
	set->n = n + 1;
}

/*
 * Room for one more. What is there is merged first, so that the size follows
 * what the set is, not how often the pattern says it.
 */
static bool grow(struct cs_regex_build *b, struct cs_regex_set *set)
{
	struct cs_regex_range *r;
	size_t cap = set->cap == 0 ? 16 : set->cap;

	cs_regex_set_clean(set);
	if (set->n > cap / 2 || set->cap == 0)
		cap *= 2;
	if (cap == set->cap)
		return true;
	if (cap > (size_t)4 * CS_MAX_REGEX_RANGES)
		return cs_regex_fail_as(b, CS_E_TOO_LARGE,
					"a class of more than %d ranges",
					CS_MAX_REGEX_RANGES);
	r = cs_mem_resize(set->r, cap, sizeof(*r));
	if (r == NULL)
		return cs_regex_fail_as(b, CS_E_NO_MEMORY,
					"no memory for a class");
	set->r = r;
	set->cap = cap;
	return true;
}

void cs_regex_set_add(struct cs_regex_build *b, struct cs_regex_set *set,
		      uint32_t lo, uint32_t hi)
{
	struct cs_regex_range *last = set->n > 0 ? &set->r[set->n - 1] : NULL;

	/* Neighbours come in a row when tables are folded. */
	if (last != NULL && lo >= last->lo && lo <= last->hi + 1) {
		last->hi = hi > last->hi ? hi : last->hi;
		return;
	}
	if (b->failed || (set->n == set->cap && !grow(b, set)))
		return;
	set->r[set->n++] = (struct cs_regex_range){lo, hi};
}

/* The first entry of the folding that is not below c. */
static size_t fold_at(uint32_t c)
{
	size_t low = 0, high = cs_regex_folds_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cs_regex_folds[middle].c < c)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void cs_regex_set_add_folded(struct cs_regex_build *b, struct cs_regex_set *set,
			     uint32_t lo, uint32_t hi)
{
	cs_regex_set_add(b, set, lo, hi);
	for (size_t i = fold_at(lo); i < cs_regex_folds_n; i++) {
		uint32_t first = cs_regex_folds[i].c, c = first;

		if (first > hi)
			break;
		do {
			c += (uint32_t)cs_regex_folds[fold_at(c)].next;
			if (c < lo || c > hi)
				cs_regex_set_add(b, set, c, c);
		} while (c != first);
	}
}

void cs_regex_set_add_set(struct cs_regex_build *b, struct cs_regex_set *set,
			  const struct cs_regex_set *from)
{
	for (size_t i = 0; i < from->n; i++)
		cs_regex_set_add(b, set, from->r[i].lo, from->r[i].hi);
}

void cs_regex_set_add_others(struct cs_regex_build *b, struct cs_regex_set *set,
			     const struct cs_regex_set *from)
{
	uint32_t lo = 0;

	for (size_t i = 0; i < from->n; i++) {
		if (from->r[i].lo > lo)
			cs_regex_set_add(b, set, lo, from->r[i].lo - 1);
		lo = from->r[i].hi + 1;
	}
	if (lo <= CS_REGEX_MAX_CODE_POINT)
		cs_regex_set_add(b, set, lo, CS_REGEX_MAX_CODE_POINT);
}

void cs_regex_set_done(struct cs_regex_set *set)
{
	cs_mem_free(set->r);
	*set = (struct cs_regex_set){0};
}
