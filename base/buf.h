/*
 * A growing byte buffer with a mandatory maximum.
 *
 * Errors are sticky: once an append fails (maximum, or no memory) the buffer
 * is marked failed, its bytes are released, and every further append is a
 * no-op that returns false. A caller may therefore append many times and
 * check once, with cs_buf_ok() or cs_buf_finish().
 *
 * Embedded by value: cs_buf_init() ... cs_buf_done(); or
 *	CS_CLEANUP(cs_buf_done) struct cs_buf b;  cs_buf_init(&b, MAX);
 * A zeroed struct is a valid buffer whose maximum is 0. Not for secrets:
 * growing leaves copies behind (see base/secret.h).
 */
#ifndef CS_BASE_BUF_H
#define CS_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/span.h"

struct cs_buf {
	uint8_t *p; /* owned */
	size_t n;   /* bytes in use */
	size_t cap; /* bytes allocated */
	size_t max; /* n never exceeds it */
	bool failed;
	bool no_memory; /* why it failed: memory, else the maximum */
};

void cs_buf_init(struct cs_buf *b, size_t max);
void cs_buf_done(struct cs_buf *b);

/* Empty it for reuse; memory and maximum stay, a failure is forgotten. */
void cs_buf_reset(struct cs_buf *b);

bool cs_buf_add(struct cs_buf *b, struct cs_span s);
bool cs_buf_add_str(struct cs_buf *b, const char *s);
bool cs_buf_add_byte(struct cs_buf *b, uint8_t byte);
bool cs_buf_addf(struct cs_buf *b, const char *fmt, ...) CS_PRINTF(2, 3);

/*
 * Make room for n more bytes and return where they go, or NULL if failed.
 * They count as used at once and are zeroed. The pointer is valid until the
 * next append.
 */
uint8_t *cs_buf_extend(struct cs_buf *b, size_t n);

/* Insert s before offset at (<= n). For length prefixes known only later. */
bool cs_buf_insert(struct cs_buf *b, size_t at, struct cs_span s);

/* Drop everything from n on; no-op if it is not longer. */
void cs_buf_truncate(struct cs_buf *b, size_t n);

/* Did every append succeed? */
bool cs_buf_ok(const struct cs_buf *b);

/* As cs_buf_ok, with the reason in *err; `what` names the thing. */
bool cs_buf_finish(const struct cs_buf *b, const char *what,
		   struct cs_error *err) CS_MUST_USE;

/* Borrow the contents; valid until the next append. */
struct cs_span cs_buf_span(const struct cs_buf *b);

/*
 * The contents as a C string owned by the buffer (a NUL is kept behind the
 * last byte, not counted). "" when failed or empty.
 */
const char *cs_buf_str(struct cs_buf *b);

#endif
