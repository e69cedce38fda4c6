#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Big enough that an ordinary request takes one block. */
#define BLOCK ((size_t)16384)

struct cs_arena_block {
	struct cs_arena_block *next;
	size_t cap;
	size_t used;
	alignas(16) unsigned char bytes[];
};

void cs_arena_init(struct cs_arena *a, size_t max)
{
	*a = (struct cs_arena){.max = max};
}

/* Release every block behind and including b. */
static void release(struct cs_arena_block *b)
{
	while (b != NULL) {
		struct cs_arena_block *next = b->next;

		cs_mem_free(b);
		b = next;
	}
}

void cs_arena_done(struct cs_arena *a)
{
	release(a->block);
	a->block = NULL;
	a->used = 0;
}

void cs_arena_reset(struct cs_arena *a)
{
	struct cs_arena_block *first = a->block;

	a->used = 0;
	if (first == NULL)
		return;
	release(first->next);
	first->next = NULL;
	memset(first->bytes, 0, first->used);
	first->used = 0;
}

/* A new block with room for n bytes becomes the current one. */
static struct cs_arena_block *grow(struct cs_arena *a, size_t n)
{
	size_t cap = n > BLOCK ? n : BLOCK;
	struct cs_arena_block *b = cs_mem_new(sizeof(*b) + cap);

	if (b == NULL)
		return NULL;
	b->cap = cap;
	b->next = a->block;
	a->block = b;
	return b;
}

void *cs_arena_new(struct cs_arena *a, size_t n)
{
	struct cs_arena_block *b = a->block;
	void *p;

	if (n > a->max)
		return NULL;
	n = n == 0 ? 16 : (n + 15) & ~(size_t)15;
	if (a->used > a->max || n > a->max - a->used)
		return NULL;
	if (b == NULL || n > b->cap - b->used)
		b = grow(a, n);
	if (b == NULL)
		return NULL;
	p = b->bytes + b->used;
	b->used += n;
	a->used += n;
	return p;
}

void *cs_arena_new_array(struct cs_arena *a, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return cs_arena_new(a, count * size);
}

bool cs_arena_dup(struct cs_arena *a, struct cs_span s,
		  struct cs_span *ret_copy)
{
	uint8_t *p = cs_arena_new(a, s.n);

	if (p == NULL)
		return false;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	*ret_copy = cs_span_make(p, s.n);
	return true;
}

char *cs_arena_str(struct cs_arena *a, struct cs_span s)
{
	char *p = s.n == SIZE_MAX ? NULL : cs_arena_new(a, s.n + 1);

	if (p != NULL && s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

char *cs_arena_printf(struct cs_arena *a, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *p;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	p = cs_arena_new(a, (size_t)n + 1);
	if (p == NULL)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
