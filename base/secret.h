/*
 * A secret: octets in OpenSSL's secure heap where there is one, locked,
 * wiped when done, never printed. cs_secret_heap_init() belongs at the start
 * of a process that will hold keys, before the first of them is read.
 */
#ifndef CS_BASE_SECRET_H
#define CS_BASE_SECRET_H

#include "base/attr.h"
#include "base/error.h"
#include "base/span.h"

struct cs_secret {
	uint8_t *p; /* secure heap, owned */
	size_t n;
};

/* A locked heap of `bytes` (a power of two). False: cannot be locked. */
bool cs_secret_heap_init(size_t bytes, struct cs_error *err) CS_MUST_USE;

bool cs_secret_new(size_t n, struct cs_secret *ret_secret,
		   struct cs_error *err) CS_MUST_USE;
/* Wipes and releases; a zeroed struct is allowed. */
void cs_secret_done(struct cs_secret *s);

/* All of a descriptor, at most max bytes (borrowed fd). */
bool cs_secret_read(int fd, size_t max, struct cs_secret *ret_secret,
		    struct cs_error *err) CS_MUST_USE;

#endif
