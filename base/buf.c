#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Smallest allocation: most messages fit without growing twice. */
#define FIRST 256

void cs_buf_init(struct cs_buf *b, size_t max)
{
	*b = (struct cs_buf){.max = max};
}

void cs_buf_done(struct cs_buf *b)
{
	cs_mem_free(b->p);
	*b = (struct cs_buf){.max = b->max};
}

void cs_buf_reset(struct cs_buf *b)
{
	b->n = 0;
	b->failed = false;
	b->no_memory = false;
}

/* Mark as failed and release the bytes. */
static bool fail(struct cs_buf *b, bool no_memory)
{
	cs_buf_done(b);
	b->failed = true;
	b->no_memory = no_memory;
	return false;
}

/* Allocate for n more bytes, which are within the maximum, and a NUL. */
static bool grow(struct cs_buf *b, size_t n)
{
	size_t cap;
	uint8_t *p;

	cap = b->cap < FIRST ? FIRST : b->cap;
	while (cap - b->n <= n && cap <= b->max)
		cap *= 2;
	if (cap > b->max)
		cap = b->max + 1; /* the NUL */
	p = cs_mem_resize(b->p, cap, 1);
	if (p == NULL)
		return fail(b, true);
	b->p = p;
	b->cap = cap;
	return true;
}

/* Make room for n more bytes and one NUL behind them. */
static inline bool reserve(struct cs_buf *b, size_t n)
{
	if (b->failed)
		return false;
	if (n > b->max - b->n)
		return fail(b, false);
	return n < b->cap - b->n || grow(b, n);
}

bool cs_buf_add(struct cs_buf *b, struct cs_span s)
{
	if (!reserve(b, s.n))
		return false;
	if (s.n > 0)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	return true;
}

bool cs_buf_add_str(struct cs_buf *b, const char *s)
{
	return cs_buf_add(b, cs_span_str(s));
}

bool cs_buf_add_byte(struct cs_buf *b, uint8_t byte)
{
	if (!reserve(b, 1))
		return false;
	b->p[b->n++] = byte;
	return true;
}

bool cs_buf_addf(struct cs_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(b, (size_t)n)) {
		va_end(again);
		return n < 0 ? fail(b, false) : false;
	}
	(void)vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
	va_end(again);
	b->n += (size_t)n;
	return true;
}

uint8_t *cs_buf_extend(struct cs_buf *b, size_t n)
{
	uint8_t *at;

	if (!reserve(b, n))
		return NULL;
	at = b->p + b->n;
	memset(at, 0, n);
	b->n += n;
	return at;
}

bool cs_buf_insert(struct cs_buf *b, size_t at, struct cs_span s)
{
	if (!b->failed && at > b->n)
		return fail(b, false);
	if (!reserve(b, s.n))
		return false;
	if (s.n == 0)
		return true;
	memmove(b->p + at + s.n, b->p + at, b->n - at);
	memcpy(b->p + at, s.p, s.n);
	b->n += s.n;
	return true;
}

void cs_buf_truncate(struct cs_buf *b, size_t n)
{
	if (n < b->n)
		b->n = n;
}

bool cs_buf_ok(const struct cs_buf *b)
{
	return !b->failed;
}

bool cs_buf_finish(const struct cs_buf *b, const char *what,
		   struct cs_error *err)
{
	if (!b->failed)
		return true;
	if (b->no_memory)
		return cs_error_set(err, CS_E_NO_MEMORY, "%s: out of memory",
				    what);
	return cs_error_set(err, CS_E_TOO_LARGE, "%s: longer than %zu bytes",
			    what, b->max);
}

struct cs_span cs_buf_span(const struct cs_buf *b)
{
	return cs_span_make(b->p, b->n);
}

const char *cs_buf_str(struct cs_buf *b)
{
	if (!reserve(b, 0) || b->p == NULL)
		return "";
	b->p[b->n] = '\0';
	return (const char *)b->p;
}
