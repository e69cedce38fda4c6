/*
 * Octets to a descriptor and from it, however many calls that takes: a signal
 * cuts neither short. Descriptors are borrowed. What is secret is read by
 * base/secret.h: a buffer is ordinary memory.
 */
#ifndef CS_BASE_FD_H
#define CS_BASE_FD_H

#include "base/buf.h"

/* All of them, over interruptions. False: errno says why. Nothing is synced. */
bool cs_fd_write(int fd, struct cs_span bytes) CS_MUST_USE;

/*
 * Append all that comes until the end; `what` names it in the error, with the
 * buffer's maximum where that was not enough. CS_E_IO; CS_E_TOO_LARGE or
 * CS_E_NO_MEMORY of the buffer.
 */
bool cs_fd_read(int fd, const char *what, struct cs_buf *out,
		struct cs_error *err) CS_MUST_USE;

#endif
