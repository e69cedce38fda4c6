/*
 * A per-request arena: many small allocations, one release.
 *
 * Zeroed, 16-byte aligned memory from blocks; nothing is released before
 * cs_arena_reset() (keeps the first block for the next request) or
 * cs_arena_done(). The total is bounded by the maximum given at init: past
 * it, allocation returns NULL as if memory had run out. Never for secrets
 * (nothing is wiped) and never for OpenSSL objects (nothing is destructed).
 */
#ifndef CS_BASE_ARENA_H
#define CS_BASE_ARENA_H

#include <stddef.h>

#include "base/attr.h"
#include "base/span.h"

struct cs_arena_block;

struct cs_arena {
	struct cs_arena_block *block; /* newest first, owned */
	size_t used;		      /* bytes handed out, all blocks */
	size_t max;
};

void cs_arena_init(struct cs_arena *a, size_t max);
void cs_arena_done(struct cs_arena *a);
void cs_arena_reset(struct cs_arena *a);

/* NULL: out of memory, or the arena's maximum is reached. */
void *cs_arena_new(struct cs_arena *a, size_t n) CS_MUST_USE;
void *cs_arena_new_array(struct cs_arena *a, size_t count,
			 size_t size) CS_MUST_USE;

/* A copy of s that lives as long as the arena. False: no memory. */
bool cs_arena_dup(struct cs_arena *a, struct cs_span s,
		  struct cs_span *ret_copy) CS_MUST_USE;

/* A NUL-terminated copy; NULL: no memory. */
char *cs_arena_str(struct cs_arena *a, struct cs_span s) CS_MUST_USE;

/* printf into the arena; NULL: no memory. */
char *cs_arena_printf(struct cs_arena *a, const char *fmt, ...)
	CS_PRINTF(2, 3) CS_MUST_USE;

#endif
