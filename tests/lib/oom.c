#include "tests/lib/test.h"

#include "tests/lib/oom.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

static struct {
	long countdown; /* the allocation that fails; 0: none does */
	long blocks;	/* that are not released */
	bool failed;
} heap;

/* Is it this allocation's turn? */
static bool fails(void)
{
	if (heap.countdown == 0 || --heap.countdown > 0)
		return false;
	heap.failed = true;
	return true;
}

void *__wrap_malloc(size_t n)
{
	void *p = fails() ? NULL : __real_malloc(n);

	heap.blocks += p != NULL;
	return p;
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *p = fails() ? NULL : __real_calloc(count, size);

	heap.blocks += p != NULL;
	return p;
}

void *__wrap_realloc(void *old, size_t n)
{
	void *p = fails() ? NULL : __real_realloc(old, n);

	heap.blocks += p != NULL && old == NULL;
	return p;
}

void __wrap_free(void *p)
{
	heap.blocks -= p != NULL;
	__real_free(p);
}

/*
 * OpenSSL's hooks, which name the caller. Its blocks fail, but are not
 * counted: 3.0 leaks some itself when it runs out (a group's, for one).
 */
static void *openssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n == 0 || fails() ? NULL : __real_malloc(n);
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	if (n == 0) {
		__real_free(p);
		return NULL;
	}
	return fails() ? NULL : __real_realloc(p, n);
}

static void openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	__real_free(p);
}

bool oom_init(void)
{
	json_set_alloc_funcs(malloc, free);
	return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
					openssl_free) == 1;
}

/* One run in which allocation n fails. *ret_end: it needed fewer. */
static void run(oom_fn *fn, void *ctx, long n, bool *ret_end)
{
	struct cs_error err = {0};
	long before = heap.blocks;
	bool ok;

	heap.countdown = n;
	heap.failed = false;
	ok = fn(ctx, &err);
	heap.countdown = 0;
	if (heap.blocks != before)
		fail_msg("allocation %ld: %ld blocks stay", n,
			 heap.blocks - before);
	if (ERR_peek_error() != 0)
		fail_msg("allocation %ld: OpenSSL's queue is not empty", n);
	if (!heap.failed)
		assert_true(ok);
	/* A library may do without what it could not have. */
	if (!ok && err.code != CS_E_NO_MEMORY && err.code != CS_E_CRYPTO)
		fail_msg("allocation %ld: %s", n, err.text);
	*ret_end = !heap.failed;
}

void oom_sweep(oom_fn *fn, void *ctx)
{
	struct cs_error err = {0};
	bool end = false;

	/* What is made once in a process is made now. */
	if (!fn(ctx, &err))
		fail_msg("with all its memory: %s", err.text);
	for (long n = 1; !end; n++) {
		assert_true(n < 100000);
		run(fn, ctx, n, &end);
	}
}
