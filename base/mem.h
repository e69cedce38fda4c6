/*
 * The heap. Only mem.c calls malloc, realloc and free; everybody else comes
 * through here, so that a test can fail every allocation in turn (by
 * wrapping malloc at link time) and so that out of memory stays an ordinary
 * error: these functions return NULL, and the caller says so in its own
 * struct cs_error.
 *
 * Memory from here holds no secrets; those live in struct cs_secret
 * (base/secret.h).
 */
#ifndef CS_BASE_MEM_H
#define CS_BASE_MEM_H

#include <stddef.h>

#include "base/attr.h"

/* n zeroed bytes (n may be 0: then one byte). NULL: out of memory. */
void *cs_mem_new(size_t n) CS_MUST_USE;

/* Room for count items of size bytes, zeroed. NULL also on overflow. */
void *cs_mem_new_array(size_t count, size_t size) CS_MUST_USE;

/*
 * Resize to count items of size bytes. On failure NULL is returned and the
 * old block stays valid and owned by the caller. New bytes are not zeroed.
 */
void *cs_mem_resize(void *p, size_t count, size_t size) CS_MUST_USE;

/* A copy of n bytes; of a NUL-terminated string; of n bytes plus a NUL. */
void *cs_mem_dup(const void *p, size_t n) CS_MUST_USE;
char *cs_mem_strdup(const char *s) CS_MUST_USE;
char *cs_mem_strndup(const char *s, size_t n) CS_MUST_USE;

/* Release; NULL is allowed. */
void cs_mem_free(void *p);

/*
 * For CS_CLEANUP on any pointer variable: releases *(void **)pp.
 * Moving out of such a variable: cs_mem_take(&variable).
 */
void cs_mem_free_at(void *pp);
void *cs_mem_take(void *pp) CS_MUST_USE;

#endif
