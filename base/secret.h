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

/* Bytes of the smallest heap: a few pages. */
#define CS_SECRET_HEAP_MIN 4096

struct cs_secret {
	uint8_t *p; /* secure heap, owned */
	size_t n;
};

/*
 * A locked heap of `bytes` (a power of two, at least CS_SECRET_HEAP_MIN).
 * Asking again changes nothing. False: the heap cannot be locked (a limit of
 * the process), or there is none; secrets then stand in memory that is wiped
 * but may be swapped, and the caller decides whether that will do.
 */
bool cs_secret_heap_init(size_t bytes, struct cs_error *err) CS_MUST_USE;

/* n zeroed octets (n may be 0). */
bool cs_secret_new(size_t n, struct cs_secret *ret_secret,
		   struct cs_error *err) CS_MUST_USE;
/* Wipes and releases; a zeroed struct is allowed. */
void cs_secret_done(struct cs_secret *s);

/*
 * All of a descriptor from where it stands, at most max bytes (borrowed fd);
 * more is CS_E_TOO_LARGE. What was read is wiped on failure.
 */
bool cs_secret_read(int fd, size_t max, struct cs_secret *ret_secret,
		    struct cs_error *err) CS_MUST_USE;

/*
 * The same of a file from its beginning, of a pipe from where it stands. The
 * position is neither used nor moved: processes that share it all read the
 * whole file.
 */
bool cs_secret_read_file(int fd, size_t max, struct cs_secret *ret_secret,
			 struct cs_error *err) CS_MUST_USE;

#endif
