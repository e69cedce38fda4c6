#include "policy/regex_program.h"
#include "policy/regex_text.h"

/* The value of a hexadecimal digit, or 16. */
static uint32_t hex(uint8_t c)
{
	if (cs_regex_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10U : 16;
}

/* \x{1F600}; behind the brace. */
static bool read_braced(struct cs_regex_build *b, size_t at, uint32_t *ret_c)
{
	size_t start = b->at;
	uint32_t c = 0, v;

	for (; b->at < b->pattern.n && b->pattern.p[b->at] != '}'; b->at++) {
		v = hex(b->pattern.p[b->at]);
		c = c * 16 + v;
		if (v == 16 || c > CS_REGEX_MAX_CODE_POINT)
			break;
	}
	if (b->at == start || !cs_regex_looking_at(b, "}"))
		return cs_regex_fail(b, at,
				     "`\\x{` wants hexadecimal digits up to "
				     "10FFFF, and `}`");
	b->at++;
	*ret_c = c;
	return true;
}

/* \x41 or \x{41}; behind the x. */
static bool read_hex(struct cs_regex_build *b, size_t at, uint32_t *ret_c)
{
	struct cs_span two = cs_span_sub(b->pattern, b->at, 2);

	if (cs_regex_looking_at(b, "{")) {
		b->at++;
		return read_braced(b, at, ret_c);
	}
	if (two.n < 2 || hex(two.p[0]) == 16 || hex(two.p[1]) == 16)
		return cs_regex_fail(b, at,
				     "`\\x` wants two hexadecimal digits");
	b->at += 2;
	*ret_c = hex(two.p[0]) * 16 + hex(two.p[1]);
	return true;
}

/* \0, \12, \123; at the first digit. */
static void read_octal(struct cs_regex_build *b, uint32_t *ret_c)
{
	uint32_t c = 0;

	for (int i = 0; i < 3 && b->at < b->pattern.n; i++) {
		uint8_t digit = b->pattern.p[b->at];

		if (digit < '0' || digit > '7')
			break;
		c = c * 8 + (digit - '0');
		b->at++;
	}
	*ret_c = c;
}

/* Why a letter or digit behind a backslash is wrong. */
static bool refuse(struct cs_regex_build *b, size_t at, uint32_t c)
{
	if (c >= '1' && c <= '9')
		return cs_regex_fail(b, at,
				     "`\\%c` is a back-reference, which RE2's "
				     "syntax does not have",
				     (char)c);
	if (c == 'k' || c == 'g')
		return cs_regex_fail(b, at,
				     "`\\%c` refers to a group, which RE2's "
				     "syntax does not have",
				     (char)c);
	if (c == 'Z')
		return cs_regex_fail(b, at,
				     "`\\Z` is not in RE2's syntax; the end "
				     "of the text is `\\z`");
	return cs_regex_fail(b, at, "`%.*s` is no escape of RE2's syntax",
			     (int)(b->at - at),
			     (const char *)b->pattern.p + at);
}

bool cs_regex_read_escape(struct cs_regex_build *b, uint32_t *ret_c)
{
	static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
	size_t at = b->at++;
	uint32_t c;

	if (b->at == b->pattern.n)
		return cs_regex_fail(b, at, "a backslash at the end");
	c = b->pattern.p[b->at];
	/* A single digit but 0 would be a back-reference. */
	if (c == '0' || (c >= '1' && c <= '7' && b->at + 1 < b->pattern.n &&
			 b->pattern.p[b->at + 1] >= '0' &&
			 b->pattern.p[b->at + 1] <= '7')) {
		read_octal(b, ret_c);
		return true;
	}
	if (!cs_regex_next(b, &c))
		return false;
	if (c == 'x')
		return read_hex(b, at, ret_c);
	for (size_t i = 0; letters[i] != '\0'; i++) {
		if (c != (uint32_t)letters[i])
			continue;
		*ret_c = (uint32_t)values[i];
		return true;
	}
	if (c >= 0x80 || (cs_regex_is_word((uint8_t)c) && c != '_'))
		return refuse(b, at, c);
	*ret_c = c;
	return true;
}
