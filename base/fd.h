/* Bytes to a descriptor, however many calls that takes. */
#ifndef CS_BASE_FD_H
#define CS_BASE_FD_H

#include "base/attr.h"
#include "base/span.h"

/* All of them, over interruptions. False: errno says why. Nothing is synced. */
bool cs_fd_write(int fd, struct cs_span bytes) CS_MUST_USE;

#endif
