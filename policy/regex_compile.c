#include <string.h>

#include "base/mem.h"
#include "policy/regex_program.h"
#include "policy/regex_text.h"

/* Room for n more instructions. */
static bool reserve(struct cs_regex_build *b, size_t n)
{
	struct cs_regex_inst *insts;
	size_t cap = b->cap == 0 ? 64 : b->cap;

	if (n > CS_MAX_REGEX_STATES - b->n)
		return cs_regex_fail_as(b, CS_E_TOO_LARGE,
					"the pattern needs more than %d "
					"states; counted repetitions multiply",
					CS_MAX_REGEX_STATES);
	while (cap - b->n < n)
		cap *= 2;
	if (cap == b->cap)
		return true;
	insts = cs_mem_resize(b->insts, cap, sizeof(*insts));
	if (insts == NULL)
		return cs_regex_fail_as(b, CS_E_NO_MEMORY,
					"no memory for a pattern's program");
	b->insts = insts;
	b->cap = cap;
	return true;
}

/* Append one; room was reserved. */
static void append(struct cs_regex_build *b, enum cs_regex_op op, int32_t arg)
{
	b->insts[b->n++] = (struct cs_regex_inst){op, arg};
}

/* Put a split in front of the tail that starts at `at`; reserved, too. */
static void insert_split(struct cs_regex_build *b, size_t at, int32_t arg)
{
	memmove(b->insts + at + 1, b->insts + at,
		(b->n - at) * sizeof(*b->insts));
	b->n++;
	b->insts[at] = (struct cs_regex_inst){CS_REGEX_SPLIT, arg};
}

/* Append what stands at [at, at + n); reserved, too. */
static void append_copy(struct cs_regex_build *b, size_t at, size_t n)
{
	if (n > 0)
		memcpy(b->insts + b->n, b->insts + at, n * sizeof(*b->insts));
	b->n += n;
}

/* The atom of the innermost group is complete: count what it repeats. */
static struct cs_regex_group *end_atom(struct cs_regex_build *b)
{
	struct cs_regex_group *g = &b->groups[b->depth];

	if (g->atom != CS_REGEX_NONE && g->copies > g->most)
		g->most = g->copies;
	g->atom = CS_REGEX_NONE;
	return g;
}

/* The next atom begins here. */
static void begin_atom(struct cs_regex_build *b)
{
	struct cs_regex_group *g = end_atom(b);

	g->atom = b->n;
	g->copies = 1;
}

bool cs_regex_emit(struct cs_regex_build *b, enum cs_regex_op op, int32_t arg)
{
	if (!reserve(b, 1))
		return false;
	begin_atom(b);
	append(b, op, arg);
	return true;
}

bool cs_regex_emit_char(struct cs_regex_build *b, uint32_t c)
{
	if ((b->flags & CS_REGEX_FOLD) == 0)
		return cs_regex_emit(b, CS_REGEX_CHAR, (int32_t)c);
	b->set.n = 0;
	cs_regex_set_add_folded(b, &b->set, c, c);
	return cs_regex_emit_set(b);
}

/* The bits of ASCII that are in b->set. */
static void set_ascii(const struct cs_regex_build *b,
		      struct cs_regex_class *class)
{
	for (size_t i = 0; i < b->set.n; i++)
		for (uint32_t c = b->set.r[i].lo;
		     c <= b->set.r[i].hi && c < 128; c++)
			class->ascii[c / 64] |= UINT64_C(1) << c % 64;
}

/* The index of a class like b->set; CS_REGEX_NONE: there is none yet. */
static size_t find_class(const struct cs_regex_build *b)
{
	for (size_t i = 0; i < b->classes_n; i++) {
		const struct cs_regex_class *class = &b->classes[i];

		if (class->n == b->set.n &&
		    (class->n == 0 ||
		     memcmp(b->ranges.r + class->first, b->set.r,
			    class->n * sizeof(*b->set.r)) == 0))
			return i;
	}
	return CS_REGEX_NONE;
}

/* Make room for one class and n ranges. */
static bool reserve_class(struct cs_regex_build *b, size_t n)
{
	size_t cap = b->classes_cap == 0 ? 8 : 2 * b->classes_cap;
	size_t ranges_cap = b->ranges.cap == 0 ? 64 : b->ranges.cap;
	void *p;

	if (n > CS_MAX_REGEX_RANGES - b->ranges.n)
		return cs_regex_fail_as(b, CS_E_TOO_LARGE,
					"the pattern's classes have more than "
					"%d ranges",
					CS_MAX_REGEX_RANGES);
	while (ranges_cap - b->ranges.n < n)
		ranges_cap *= 2;
	if (ranges_cap > b->ranges.cap) {
		p = cs_mem_resize(b->ranges.r, ranges_cap,
				  sizeof(*b->ranges.r));
		if (p == NULL)
			goto no_memory;
		b->ranges.r = p;
		b->ranges.cap = ranges_cap;
	}
	if (b->classes_n == b->classes_cap) {
		p = cs_mem_resize(b->classes, cap, sizeof(*b->classes));
		if (p == NULL)
			goto no_memory;
		b->classes = p;
		b->classes_cap = cap;
	}
	return true;
no_memory:
	return cs_regex_fail_as(b, CS_E_NO_MEMORY, "no memory for a class");
}

/* b->set as a new class; its index. */
static bool new_class(struct cs_regex_build *b, size_t *ret_index)
{
	struct cs_regex_class class = {.first = b->ranges.n, .n = b->set.n};

	if (!reserve_class(b, b->set.n))
		return false;
	set_ascii(b, &class);
	if (b->set.n > 0)
		memcpy(b->ranges.r + b->ranges.n, b->set.r,
		       b->set.n * sizeof(*b->set.r));
	b->ranges.n += b->set.n;
	*ret_index = b->classes_n;
	b->classes[b->classes_n++] = class;
	return true;
}

bool cs_regex_emit_set(struct cs_regex_build *b)
{
	size_t index;

	if (b->failed)
		return false;
	cs_regex_set_clean(&b->set);
	if (b->set.n == 1 && b->set.r[0].lo == b->set.r[0].hi)
		return cs_regex_emit(b, CS_REGEX_CHAR, (int32_t)b->set.r[0].lo);
	index = find_class(b);
	if (index == CS_REGEX_NONE && !new_class(b, &index))
		return false;
	return cs_regex_emit(b, CS_REGEX_CLASS, (int32_t)index);
}

/* Room for the group at b->depth. */
static bool reserve_group(struct cs_regex_build *b)
{
	size_t cap = b->groups_cap == 0 ? 8 : 2 * b->groups_cap;
	struct cs_regex_group *groups;

	if (b->depth < b->groups_cap)
		return true;
	groups = cs_mem_resize(b->groups, cap, sizeof(*groups));
	if (groups == NULL)
		return cs_regex_fail_as(b, CS_E_NO_MEMORY,
					"no memory for a group");
	b->groups = groups;
	b->groups_cap = cap;
	return true;
}

/* The innermost group is a new one. */
static void new_group(struct cs_regex_build *b, size_t at)
{
	b->groups[b->depth] = (struct cs_regex_group){
		.at = at,
		.branch = b->n,
		.jumps = CS_REGEX_NONE,
		.atom = CS_REGEX_NONE,
		.most = 1,
		.flags = b->flags,
	};
}

bool cs_regex_begin(struct cs_regex_build *b)
{
	if (!reserve_group(b))
		return false;
	new_group(b, 0);
	return true;
}

bool cs_regex_open(struct cs_regex_build *b, size_t at)
{
	if (b->depth == CS_MAX_REGEX_DEPTH)
		return cs_regex_fail_as(b, CS_E_TOO_LARGE,
					"groups nest deeper than %d",
					CS_MAX_REGEX_DEPTH);
	begin_atom(b);
	b->depth++;
	if (!reserve_group(b))
		return false;
	new_group(b, at);
	return true;
}

bool cs_regex_alternative(struct cs_regex_build *b)
{
	struct cs_regex_group *g = end_atom(b);

	if (!reserve(b, 2))
		return false;
	insert_split(b, g->branch, (int32_t)(b->n - g->branch + 2));
	/* Open jumps are chained by index until the group's end is known. */
	append(b, CS_REGEX_JUMP,
	       g->jumps == CS_REGEX_NONE ? -1 : (int32_t)g->jumps);
	g->jumps = b->n - 1;
	g->branch = b->n;
	return true;
}

bool cs_regex_close(struct cs_regex_build *b)
{
	struct cs_regex_group *g = end_atom(b);

	while (g->jumps != CS_REGEX_NONE) {
		struct cs_regex_inst *jump = &b->insts[g->jumps];
		int32_t next = jump->arg;

		jump->arg = (int32_t)(b->n - g->jumps);
		g->jumps = next < 0 ? CS_REGEX_NONE : (size_t)next;
	}
	if (b->depth == 0)
		return true;
	b->flags = g->flags;
	b->groups[--b->depth].copies = g->most;
	return true;
}

/* Count the copies that nested repetitions would make, as RE2 does. */
static bool count(struct cs_regex_build *b, size_t min, size_t max)
{
	struct cs_regex_group *g = &b->groups[b->depth];
	size_t factor = max == CS_REGEX_NONE ? min : max;

	if (max == 0) {
		g->copies = 0;
		return true;
	}
	if (factor < 2)
		return true;
	g->copies *= (uint32_t)factor;
	if (g->copies > CS_MAX_REGEX_REPEAT)
		return cs_regex_fail(b, b->at,
				     "nested counts repeat more than %d times",
				     CS_MAX_REGEX_REPEAT);
	return true;
}

/* x{min,}: x* or xxx+ */
static bool repeat_open(struct cs_regex_build *b, size_t at, size_t min)
{
	size_t n = b->n - at;

	if (!reserve(b, (min < 2 ? 0 : (min - 1) * n) + 2))
		return false;
	if (min == 0) {
		insert_split(b, at, (int32_t)(n + 2));
		append(b, CS_REGEX_JUMP, -(int32_t)(n + 1));
		return true;
	}
	for (size_t i = 1; i < min; i++)
		append_copy(b, at, n);
	append(b, CS_REGEX_SPLIT, -(int32_t)n);
	return true;
}

/* x{min,max}, max above 0: xx(x(x)?)?, whose question marks all lead out. */
static bool repeat_closed(struct cs_regex_build *b, size_t at, size_t min,
			  size_t max)
{
	size_t n = b->n - at;
	size_t first = min == 0 ? at : at + min * n;

	if (!reserve(b, (max - 1) * n + max - min))
		return false;
	if (min == 0)
		insert_split(b, at++, 0);
	for (size_t i = 1; i < max; i++) {
		if (i >= min)
			append(b, CS_REGEX_SPLIT, 0);
		append_copy(b, at, n);
	}
	for (size_t i = first; i < b->n; i += n + 1)
		b->insts[i].arg = (int32_t)(b->n - i);
	return true;
}

bool cs_regex_repeat(struct cs_regex_build *b, size_t min, size_t max)
{
	size_t at = b->groups[b->depth].atom;

	if (!count(b, min, max))
		return false;
	/* Nothing, repeated, is nothing. */
	if (max == 0 || b->n == at) {
		b->n = at;
		return true;
	}
	if (max == CS_REGEX_NONE)
		return repeat_open(b, at, min);
	return repeat_closed(b, at, min, max);
}

/* A copy in the arena; *ret stays NULL when there is nothing. */
static bool copy(struct cs_arena *arena, const void *from, size_t count,
		 size_t size, const void **ret)
{
	void *p;

	if (count == 0)
		return true;
	p = cs_arena_new_array(arena, count, size);
	if (p == NULL)
		return false;
	memcpy(p, from, count * size);
	*ret = p;
	return true;
}

bool cs_regex_build_finish(struct cs_regex_build *b, struct cs_arena *arena,
			   const struct cs_regex **ret_regex)
{
	const void *insts = NULL, *classes = NULL, *ranges = NULL;
	struct cs_regex *re;

	if (!reserve(b, 1))
		return false;
	append(b, CS_REGEX_MATCH, 0);
	re = cs_arena_new(arena, sizeof(*re));
	if (re == NULL ||
	    !copy(arena, b->insts, b->n, sizeof(*b->insts), &insts) ||
	    !copy(arena, b->classes, b->classes_n, sizeof(*b->classes),
		  &classes) ||
	    !copy(arena, b->ranges.r, b->ranges.n, sizeof(*b->ranges.r),
		  &ranges))
		return cs_regex_fail_as(b, CS_E_NO_MEMORY,
					"no memory for a pattern");
	*re = (struct cs_regex){insts, b->n, classes, ranges};
	*ret_regex = re;
	return true;
}

void cs_regex_build_done(struct cs_regex_build *b)
{
	cs_mem_free(b->insts);
	cs_mem_free(b->classes);
	cs_mem_free(b->groups);
	cs_regex_set_done(&b->ranges);
	cs_regex_set_done(&b->set);
	cs_regex_set_done(&b->part);
}
