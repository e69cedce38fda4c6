/*
 * Bytes and code points, for policy/regex: pattern and text are read alike.
 * Internal to regex_*.c.
 */
#ifndef CS_POLICY_REGEX_TEXT_H
#define CS_POLICY_REGEX_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define CS_REGEX_MAX_CODE_POINT 0x10ffff

static inline bool cs_regex_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* A character of \w. */
static inline bool cs_regex_is_word(uint8_t c)
{
	return cs_regex_is_digit(c) || c == '_' ||
	       ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/*
 * The code point at an offset, and its length in bytes. 0: the end, or no
 * code point (RFC 3629 3: no overlong forms, no surrogates).
 */
static inline size_t cs_regex_decode(struct cs_span text, size_t at,
				     uint32_t *ret_c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n;
	uint32_t c;

	if (at >= text.n)
		return 0;
	c = text.p[at];
	if (c < 0x80) {
		*ret_c = c;
		return 1;
	}
	n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || n > text.n - at)
		return 0;
	c &= 0x7fU >> n;
	for (size_t i = 1; i < n; i++) {
		if ((text.p[at + i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text.p[at + i] & 0x3fU);
	}
	if (c < least[n] || c > CS_REGEX_MAX_CODE_POINT ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_c = c;
	return n;
}

#endif
