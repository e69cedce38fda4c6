/*
 * Out of memory, at every allocation in turn.
 *
 * A program that uses this is linked with --wrap for malloc, calloc, realloc
 * and free, so that all of our libraries allocate through here; OpenSSL and
 * Jansson are given the same functions by oom_init(), which comes first in
 * main().
 */
#ifndef CS_TESTS_LIB_OOM_H
#define CS_TESTS_LIB_OOM_H

#include "base/error.h"

/* False: OpenSSL has allocated already. */
bool oom_init(void);

/* Succeeds when it has its memory; else says what failed. */
typedef bool oom_fn(void *ctx, struct cs_error *err);

/*
 * Run fn again and again, the n-th allocation failing the n-th time, until
 * one run needs fewer than n. A run that fails must say CS_E_NO_MEMORY, or
 * CS_E_CRYPTO for OpenSSL, which does not always say that it was memory; none
 * may leave memory behind, or OpenSSL's queue full.
 */
void oom_sweep(oom_fn *fn, void *ctx);

#endif
