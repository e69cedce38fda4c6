#include "base/span.h"

#include <string.h>

struct cs_span cs_span_make(const void *p, size_t n)
{
	return (struct cs_span){p, n};
}

struct cs_span cs_span_str(const char *s)
{
	if (s == NULL)
		return (struct cs_span){NULL, 0};
	return (struct cs_span){(const uint8_t *)s, strlen(s)};
}

bool cs_span_equal(struct cs_span a, struct cs_span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool cs_span_equal_str(struct cs_span a, const char *s)
{
	return cs_span_equal(a, cs_span_str(s));
}

/* ASCII lower case of one byte, whatever the locale. */
static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool cs_span_equal_icase(struct cs_span a, struct cs_span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	}
	return true;
}

int cs_span_compare(struct cs_span a, struct cs_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (d != 0)
		return d;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool cs_span_starts_with(struct cs_span s, struct cs_span prefix)
{
	return s.n >= prefix.n &&
	       cs_span_equal(cs_span_sub(s, 0, prefix.n), prefix);
}

bool cs_span_ends_with(struct cs_span s, struct cs_span suffix)
{
	return s.n >= suffix.n &&
	       cs_span_equal(cs_span_sub(s, s.n - suffix.n, suffix.n), suffix);
}

struct cs_span cs_span_sub(struct cs_span s, size_t offset, size_t n)
{
	if (offset > s.n)
		offset = s.n;
	if (n > s.n - offset)
		n = s.n - offset;
	return (struct cs_span){s.p == NULL ? NULL : s.p + offset, n};
}

bool cs_span_find(struct cs_span s, uint8_t c, size_t *ret_at)
{
	const uint8_t *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	if (at == NULL)
		return false;
	if (ret_at != NULL)
		*ret_at = (size_t)(at - s.p);
	return true;
}

bool cs_span_equal_secret(struct cs_span a, struct cs_span b)
{
	volatile uint8_t differ = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		differ = (uint8_t)(differ | (a.p[i] ^ b.p[i]));
	return differ == 0;
}
