/*
 * A span: borrowed bytes with their length. The one way bytes travel between
 * functions. It owns nothing and is valid only as long as what it points
 * into; it is never assumed to end with a NUL.
 */
#ifndef CS_BASE_SPAN_H
#define CS_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cs_span {
	const uint8_t *p; /* may be NULL when n is 0 */
	size_t n;
};

/* For printf: "%.*s", CS_SPAN_FMT(span). Text spans only. */
#define CS_SPAN_FMT(s) (int)(s).n, (const char *)(s).p

/* The bytes of a string literal, without its NUL. */
#define CS_SPAN_LIT(lit)                                                       \
	((struct cs_span){(const uint8_t *)(lit), sizeof(lit) - 1})

/* The same, as the initializer of a const table's member. */
#define CS_SPAN_INIT(lit)                                                      \
	{                                                                      \
		(const uint8_t *)(lit), sizeof(lit) - 1                        \
	}

struct cs_span cs_span_make(const void *p, size_t n);

/* The bytes of a C string, without its NUL; NULL gives the empty span. */
struct cs_span cs_span_str(const char *s);

bool cs_span_equal(struct cs_span a, struct cs_span b);
bool cs_span_equal_str(struct cs_span a, const char *s);

/* ASCII case is ignored; other bytes are compared as they are. */
bool cs_span_equal_icase(struct cs_span a, struct cs_span b);

/* memcmp order, the shorter first on a tie. */
int cs_span_compare(struct cs_span a, struct cs_span b);

bool cs_span_starts_with(struct cs_span s, struct cs_span prefix);
bool cs_span_ends_with(struct cs_span s, struct cs_span suffix);

/* The part from offset on, at most n bytes; clamped to what there is. */
struct cs_span cs_span_sub(struct cs_span s, size_t offset, size_t n);

/* Is byte c in s? *ret_at (may be NULL) is its first index if so. */
bool cs_span_find(struct cs_span s, uint8_t c, size_t *ret_at);

/* Equal in time that depends on the lengths only: for digests of secrets. */
bool cs_span_equal_secret(struct cs_span a, struct cs_span b);

#endif
