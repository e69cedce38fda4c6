#include <string.h>

#include "policy/regex_program.h"
#include "policy/regex_tables.h"
#include "policy/regex_text.h"

/* A class of ASCII by its name. */
struct named {
	const char *name;
	size_t n;
	struct cs_regex_range ranges[4];
};

/* Perl's: behind the backslash; the capital letter is the negation. */
static const struct named perl[] = {
	{"d", 1, {{'0', '9'}}},
	{"s", 3, {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}},
	{"w", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
	{NULL, 0, {{0, 0}}},
};

/* POSIX 9.3.5: between "[:" and ":]"; a "^" in front is the negation. */
static const struct named posix[] = {
	{"alnum", 3, {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
	{"alpha", 2, {{'A', 'Z'}, {'a', 'z'}}},
	{"ascii", 1, {{0, 0x7f}}},
	{"blank", 2, {{'\t', '\t'}, {' ', ' '}}},
	{"cntrl", 2, {{0, 0x1f}, {0x7f, 0x7f}}},
	{"digit", 1, {{'0', '9'}}},
	{"graph", 1, {{'!', '~'}}},
	{"lower", 1, {{'a', 'z'}}},
	{"print", 1, {{' ', '~'}}},
	{"punct", 4, {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
	{"space", 2, {{'\t', '\r'}, {' ', ' '}}},
	{"upper", 1, {{'A', 'Z'}}},
	{"word", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
	{"xdigit", 3, {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
	{NULL, 0, {{0, 0}}},
};

/* A range, with the flag i in mind. */
static void add(struct cs_regex_build *b, struct cs_regex_set *set, uint32_t lo,
		uint32_t hi)
{
	if ((b->flags & CS_REGEX_FOLD) != 0)
		cs_regex_set_add_folded(b, set, lo, hi);
	else
		cs_regex_set_add(b, set, lo, hi);
}

/* b->part, complete, or what is not in it, into b->set. */
static bool take_part(struct cs_regex_build *b, bool negated)
{
	cs_regex_set_clean(&b->part);
	if (negated)
		cs_regex_set_add_others(b, &b->set, &b->part);
	else
		cs_regex_set_add_set(b, &b->set, &b->part);
	return !b->failed;
}

/* The class of that name in a table; NULL: none. */
static const struct named *find(const struct named *table, struct cs_span name)
{
	while (table->name != NULL && !cs_span_equal_str(name, table->name))
		table++;
	return table->name == NULL ? NULL : table;
}

/* One of ours into b->set. */
static bool add_named(struct cs_regex_build *b, const struct named *class,
		      bool negated)
{
	b->part.n = 0;
	for (size_t i = 0; i < class->n; i++)
		add(b, &b->part, class->ranges[i].lo, class->ranges[i].hi);
	return take_part(b, negated);
}

/* The runs of one of Unicode's classes into b->part. */
static void add_runs(struct cs_regex_build *b, const struct cs_regex_unicode *u)
{
	const uint32_t *run = cs_regex_unicode_runs + u->first;
	uint32_t at = 0;

	for (unsigned i = 0; i < u->n; i++, run += 2) {
		at += run[0];
		add(b, &b->part, at, at + run[1]);
		at += run[1] + 1;
	}
}

/* Any, a category of one or two letters, or a script. */
static bool add_unicode(struct cs_regex_build *b, struct cs_span name,
			bool negated, size_t at)
{
	bool found = cs_span_equal_str(name, "Any");

	b->part.n = 0;
	if (found)
		cs_regex_set_add(b, &b->part, 0, CS_REGEX_MAX_CODE_POINT);
	for (size_t i = 0; i < cs_regex_unicode_n; i++) {
		const struct cs_regex_unicode *u = &cs_regex_unicode_classes[i];

		/* \pL is all of Lu, Ll, ...; scripts have longer names. */
		if (!cs_span_equal_str(name, u->name) &&
		    !(name.n == 1 && name.p[0] == (uint8_t)u->name[0] &&
		      strlen(u->name) == 2))
			continue;
		found = true;
		add_runs(b, u);
	}
	if (!found)
		return cs_regex_fail(b, at,
				     "`%.*s` is no general category and no "
				     "script of Unicode",
				     CS_SPAN_FMT(name));
	return take_part(b, negated);
}

/* \pN, \p{Name}, \p{^Name}; at the backslash. */
static bool read_unicode(struct cs_regex_build *b)
{
	struct cs_span rest = cs_span_sub(b->pattern, b->at, SIZE_MAX), name;
	bool negated = rest.p[1] == 'P';
	size_t at = b->at, end;

	if (rest.n < 3)
		return cs_regex_fail(b, at, "`\\p` needs a class, as `\\pL`");
	if (rest.p[2] != '{') {
		b->at += 3;
		return add_unicode(b, cs_span_sub(rest, 2, 1), negated, at);
	}
	if (!cs_span_find(rest, '}', &end))
		return cs_regex_fail(b, at, "`\\p{` is not closed");
	name = cs_span_sub(rest, 3, end - 3);
	if (cs_span_starts_with(name, CS_SPAN_LIT("^"))) {
		negated = !negated;
		name = cs_span_sub(name, 1, SIZE_MAX);
	}
	b->at += end + 1;
	return add_unicode(b, name, negated, at);
}

bool cs_regex_read_named(struct cs_regex_build *b, bool *ret_found)
{
	struct cs_span rest = cs_span_sub(b->pattern, b->at, SIZE_MAX);
	const struct named *class;
	uint8_t lower;

	*ret_found = rest.n >= 2 && rest.p[0] == '\\';
	if (!*ret_found)
		return true;
	if (rest.p[1] == 'p' || rest.p[1] == 'P')
		return read_unicode(b);
	lower = rest.p[1] | 0x20;
	class = find(perl, cs_span_make(&lower, 1));
	*ret_found = class != NULL;
	if (class == NULL)
		return true;
	b->at += 2;
	return add_named(b, class, lower != rest.p[1]);
}

/* Where ":]" stands in a text; SIZE_MAX: nowhere. */
static size_t posix_end(struct cs_span text)
{
	for (size_t i = 0; i + 1 < text.n; i++)
		if (text.p[i] == ':' && text.p[i + 1] == ']')
			return i;
	return SIZE_MAX;
}

/* [:name:], if there is one here; without its end "[" is a literal. */
static bool read_posix(struct cs_regex_build *b, bool *ret_found)
{
	struct cs_span name = cs_span_sub(b->pattern, b->at + 2, SIZE_MAX);
	const struct named *class;
	bool negated;
	size_t end;

	*ret_found = false;
	if (!cs_regex_looking_at(b, "[:"))
		return true;
	end = posix_end(name);
	if (end == SIZE_MAX)
		return true;
	*ret_found = true;
	name = cs_span_sub(name, 0, end);
	negated = cs_span_starts_with(name, CS_SPAN_LIT("^"));
	class = find(posix, cs_span_sub(name, negated ? 1 : 0, SIZE_MAX));
	if (class == NULL)
		return cs_regex_fail(b, b->at,
				     "`[:%.*s:]` is no class of POSIX",
				     CS_SPAN_FMT(name));
	b->at += 2 + end + 2;
	return add_named(b, class, negated);
}

/* One end of a range. */
static bool read_end(struct cs_regex_build *b, size_t open, uint32_t *ret_c)
{
	if (b->at >= b->pattern.n)
		return cs_regex_fail(b, open, "this `[` is not closed");
	if (b->pattern.p[b->at] == '\\')
		return cs_regex_read_escape(b, ret_c);
	return cs_regex_next(b, ret_c);
}

/* a or a-z */
static bool read_range(struct cs_regex_build *b, size_t open)
{
	size_t at = b->at;
	uint32_t lo, hi;

	if (!read_end(b, open, &lo))
		return false;
	hi = lo;
	/* [a-] has the hyphen as a member. */
	if (cs_regex_looking_at(b, "-") && b->at + 1 < b->pattern.n &&
	    b->pattern.p[b->at + 1] != ']') {
		b->at++;
		if (!read_end(b, open, &hi))
			return false;
	}
	if (hi < lo)
		return cs_regex_fail(b, at, "`%.*s` ends before it begins",
				     (int)(b->at - at),
				     (const char *)b->pattern.p + at);
	add(b, &b->set, lo, hi);
	return !b->failed;
}

/* Exchange what is in the set for what is not. */
static bool negate(struct cs_regex_build *b)
{
	struct cs_regex_set was = b->set;

	cs_regex_set_clean(&was);
	b->set = b->part;
	b->part = was;
	b->set.n = 0;
	cs_regex_set_add_others(b, &b->set, &b->part);
	return !b->failed;
}

bool cs_regex_read_class(struct cs_regex_build *b)
{
	size_t open = b->at++;
	bool negated = cs_regex_looking_at(b, "^"), found;

	if (negated)
		b->at++;
	b->set.n = 0;
	/* A "]" that comes first is a member. */
	for (bool first = true; first || !cs_regex_looking_at(b, "]");
	     first = false) {
		if (!read_posix(b, &found))
			return false;
		if (!found && !cs_regex_read_named(b, &found))
			return false;
		if (!found && !read_range(b, open))
			return false;
	}
	b->at++;
	if (negated && !negate(b))
		return false;
	return cs_regex_emit_set(b);
}
