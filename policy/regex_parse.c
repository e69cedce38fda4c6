#include "policy/regex_program.h"
#include "policy/regex_text.h"

/* The flags between "(?" and ":" or ")". */
static bool read_flags(struct cs_regex_build *b, size_t open)
{
	unsigned flags = b->flags, flag;
	bool minus = false, seen = false;
	uint8_t c;

	for (; b->at < b->pattern.n; b->at++) {
		c = b->pattern.p[b->at];
		if ((c == ':' || c == ')') && (seen || !minus))
			break;
		if (c == '-' && !minus) {
			minus = true;
			seen = false;
			continue;
		}
		flag = c == 'i'	  ? CS_REGEX_FOLD
		       : c == 'm' ? CS_REGEX_LINES
		       : c == 's' ? CS_REGEX_DOTNL
		       : c == 'U' ? CS_REGEX_LAZY
				  : 0;
		if (flag == 0)
			return cs_regex_fail(b, b->at,
					     "no flag of `(?`: i, m, s, U");
		flags = minus ? flags & ~flag : flags | flag;
		seen = true;
	}
	if (b->at == b->pattern.n)
		return cs_regex_fail(b, open, "`(?` is not closed");
	/* A group gives the old flags back when it ends. */
	if (b->pattern.p[b->at++] == ':' && !cs_regex_open(b, open))
		return false;
	b->flags = flags;
	return true;
}

/* The name of "(?P<name>" or "(?<name>"; only its form matters. */
static bool read_group_name(struct cs_regex_build *b, size_t open)
{
	size_t start = b->at;

	while (b->at < b->pattern.n && cs_regex_is_word(b->pattern.p[b->at]))
		b->at++;
	if (b->at == start || !cs_regex_looking_at(b, ">"))
		return cs_regex_fail(b, start,
				     "a group's name is letters, digits and _, "
				     "and ends with `>`");
	b->at++;
	return cs_regex_open(b, open);
}

/* What Perl has behind "(?" and a machine in linear time does not. */
static bool refuse_perl_group(struct cs_regex_build *b)
{
	static const struct {
		const char *text, *name;
	} others[] = {
		{"(?=", "look-around"},	      {"(?!", "look-around"},
		{"(?<=", "look-around"},      {"(?<!", "look-around"},
		{"(?>", "an atomic group"},   {"(?P=", "a back-reference"},
		{"(?P>", "a recursive call"}, {"(?R", "a recursive call"},
		{"(?(", "a condition"},	      {"(?#", "a comment"},
		{"(?|", "a branch reset"},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (cs_regex_looking_at(b, others[i].text))
			return cs_regex_fail(
				b, b->at,
				"`%s` is %s, which RE2's syntax does not have",
				others[i].text, others[i].name);
	return true;
}

/* At "(". */
static bool read_open(struct cs_regex_build *b)
{
	size_t open = b->at;

	if (!cs_regex_looking_at(b, "(?")) {
		b->at++;
		return cs_regex_open(b, open);
	}
	if (!refuse_perl_group(b))
		return false;
	if (cs_regex_looking_at(b, "(?P<") || cs_regex_looking_at(b, "(?<")) {
		b->at += cs_regex_looking_at(b, "(?<") ? 3 : 4;
		return read_group_name(b, open);
	}
	b->at += 2;
	return read_flags(b, open);
}

/* Digits without a leading zero; too large ones saturate. */
static bool read_int(const struct cs_regex_build *b, size_t *at, size_t *ret)
{
	size_t start = *at, value = 0;

	while (*at < b->pattern.n && cs_regex_is_digit(b->pattern.p[*at])) {
		value = value * 10 + (b->pattern.p[(*at)++] - '0');
		if (value > CS_MAX_REGEX_REPEAT)
			value = CS_MAX_REGEX_REPEAT + 1;
	}
	*ret = value;
	return *at > start && (*at == start + 1 || b->pattern.p[start] != '0');
}

/* {n}, {n,} or {n,m}; else the brace is a literal. */
static bool read_counts(const struct cs_regex_build *b, size_t *ret_end,
			size_t *ret_min, size_t *ret_max)
{
	size_t at = b->at + 1;
	struct cs_span p = b->pattern;

	if (!read_int(b, &at, ret_min) || at == p.n)
		return false;
	*ret_max = *ret_min;
	if (p.p[at] == ',') {
		at++;
		if (at == p.n)
			return false;
		*ret_max = CS_REGEX_NONE;
		if (p.p[at] != '}' && !read_int(b, &at, ret_max))
			return false;
	}
	if (at == p.n || p.p[at] != '}')
		return false;
	*ret_end = at + 1;
	return true;
}

/* The repetition at b->at reaches to end. */
static bool repeat(struct cs_regex_build *b, bool stacked, size_t end,
		   size_t min, size_t max)
{
	size_t at = b->at;

	/* Lazy or not, what matches is the same. */
	if (end < b->pattern.n && b->pattern.p[end] == '?')
		end++;
	if (stacked)
		return cs_regex_fail(b, at,
				     "`%.*s` repeats a repetition; RE2's "
				     "syntax has no possessive one and wants "
				     "(?:...) around the inner one",
				     (int)(end - at),
				     (const char *)b->pattern.p + at);
	if (b->groups[b->depth].atom == CS_REGEX_NONE)
		return cs_regex_fail(b, at, "`%.*s` has nothing to repeat",
				     (int)(end - at),
				     (const char *)b->pattern.p + at);
	if (min > CS_MAX_REGEX_REPEAT ||
	    (max != CS_REGEX_NONE && (max > CS_MAX_REGEX_REPEAT || min > max)))
		return cs_regex_fail(b, at,
				     "`%.*s`: a count is at most %d, and the "
				     "first not above the second",
				     (int)(end - at),
				     (const char *)b->pattern.p + at,
				     CS_MAX_REGEX_REPEAT);
	if (!cs_regex_repeat(b, min, max))
		return false;
	b->at = end;
	return true;
}

/* A repetition, if there is one here. */
static bool read_repeat(struct cs_regex_build *b, bool stacked, bool *ret_found)
{
	size_t min = 0, max = CS_REGEX_NONE, end = b->at + 1;

	*ret_found = true;
	switch (b->pattern.p[b->at]) {
	case '*':
		break;
	case '+':
		min = 1;
		break;
	case '?':
		max = 1;
		break;
	case '{':
		*ret_found = read_counts(b, &end, &min, &max);
		break;
	default:
		*ret_found = false;
	}
	return !*ret_found || repeat(b, stacked, end, min, max);
}

/* \Q..\E: what stands between is literal. */
static bool read_quoted(struct cs_regex_build *b)
{
	uint32_t c;

	b->at += 2;
	while (b->at < b->pattern.n && !cs_regex_looking_at(b, "\\E"))
		if (!cs_regex_next(b, &c) || !cs_regex_emit_char(b, c))
			return false;
	if (b->at < b->pattern.n)
		b->at += 2;
	return true;
}

/* At a backslash. */
static bool read_backslash(struct cs_regex_build *b)
{
	static const struct {
		const char *text;
		enum cs_regex_op op;
		int32_t arg;
	} simple[] = {
		{"\\A", CS_REGEX_ASSERT, CS_REGEX_TEXT_BEGIN},
		{"\\z", CS_REGEX_ASSERT, CS_REGEX_TEXT_END},
		{"\\b", CS_REGEX_ASSERT, CS_REGEX_WORD},
		{"\\B", CS_REGEX_ASSERT, CS_REGEX_NOT_WORD},
		{"\\C", CS_REGEX_BYTE, 0},
	};
	bool found;
	uint32_t c;

	for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++) {
		if (!cs_regex_looking_at(b, simple[i].text))
			continue;
		b->at += 2;
		return cs_regex_emit(b, simple[i].op, simple[i].arg);
	}
	if (cs_regex_looking_at(b, "\\Q"))
		return read_quoted(b);
	b->set.n = 0;
	if (!cs_regex_read_named(b, &found))
		return false;
	if (found)
		return cs_regex_emit_set(b);
	return cs_regex_read_escape(b, &c) && cs_regex_emit_char(b, c);
}

/* One atom, bracket or bar. */
static bool read_item(struct cs_regex_build *b)
{
	bool lines = (b->flags & CS_REGEX_LINES) != 0;
	size_t at = b->at;
	uint32_t c;

	switch (b->pattern.p[at]) {
	case '(':
		return read_open(b);
	case '[':
		return cs_regex_read_class(b);
	case '\\':
		return read_backslash(b);
	case '|':
		b->at++;
		return cs_regex_alternative(b);
	case ')':
		if (b->depth == 0)
			return cs_regex_fail(b, at, "`)` closes nothing");
		b->at++;
		return cs_regex_close(b);
	case '^':
		b->at++;
		return cs_regex_emit(b, CS_REGEX_ASSERT,
				     lines ? CS_REGEX_LINE_BEGIN
					   : CS_REGEX_TEXT_BEGIN);
	case '$':
		b->at++;
		return cs_regex_emit(b, CS_REGEX_ASSERT,
				     lines ? CS_REGEX_LINE_END
					   : CS_REGEX_TEXT_END);
	case '.':
		b->at++;
		return cs_regex_emit(b,
				     (b->flags & CS_REGEX_DOTNL) != 0
					     ? CS_REGEX_ANY
					     : CS_REGEX_ANY_NOT_NL,
				     0);
	default:
		return cs_regex_next(b, &c) && cs_regex_emit_char(b, c);
	}
}

/* Is the byte at `at` part of a value? */
static bool is_foreign(const struct cs_regex_build *b, size_t at)
{
	return b->foreign != NULL && at < b->pattern.n && b->foreign[at] != 0;
}

/* A value: a group of literals. */
static bool read_value(struct cs_regex_build *b)
{
	uint32_t c;

	if (!cs_regex_open(b, b->at))
		return false;
	while (is_foreign(b, b->at))
		if (!cs_regex_next(b, &c) || !cs_regex_emit_char(b, c))
			return false;
	return cs_regex_close(b);
}

/* What was read since start is of the pattern's author alone. */
static bool check_own(struct cs_regex_build *b, size_t start)
{
	for (size_t i = start; i < b->at; i++)
		if (is_foreign(b, i))
			return cs_regex_fail(
				b, start,
				"a value cannot stand inside of a class, an "
				"escape, a count or \\Q..\\E");
	return true;
}

/* The whole pattern, into the outermost group. */
static bool read_pattern(struct cs_regex_build *b)
{
	bool repeated = false, found;

	while (b->at < b->pattern.n) {
		size_t start = b->at;

		if (is_foreign(b, start)) {
			repeated = false;
			if (!read_value(b))
				return false;
			continue;
		}
		if (!read_repeat(b, repeated, &found))
			return false;
		repeated = found;
		if (!found && !read_item(b))
			return false;
		if (!check_own(b, start))
			return false;
	}
	if (b->depth > 0)
		return cs_regex_fail(b, b->groups[b->depth].at,
				     "this `(` is not closed");
	return cs_regex_close(b);
}

bool cs_regex_compile_with_values(struct cs_span pattern,
				  const uint8_t *foreign,
				  struct cs_arena *arena,
				  const struct cs_regex **ret_regex,
				  struct cs_error *err)
{
	CS_CLEANUP(cs_regex_build_done)
	struct cs_regex_build b = {
		.pattern = pattern, .foreign = foreign, .err = err};

	if (pattern.n > CS_MAX_REGEX_PATTERN)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "a pattern of %zu bytes; the limit is %d",
				    pattern.n, CS_MAX_REGEX_PATTERN);
	return cs_regex_begin(&b) && read_pattern(&b) &&
	       cs_regex_build_finish(&b, arena, ret_regex);
}

bool cs_regex_compile(struct cs_span pattern, struct cs_arena *arena,
		      const struct cs_regex **ret_regex, struct cs_error *err)
{
	return cs_regex_compile_with_values(pattern, NULL, arena, ret_regex,
					    err);
}
