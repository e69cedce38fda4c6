/*
 * Named places at which a test can make the program fail.
 *
 * In the shipped program cs_failpoint() is an empty function. Test programs
 * link tests/lib/failpoint_env.c in front of it, which reads
 * CS_FAILPOINTS="NAME=ACTION[@N],..." (the N-th passage, default 1; actions:
 * kill, exit, segv, pause, and `error`, for which the function returns true
 * and the caller takes its own failure branch).
 *
 * Names are `room.before_thing` or `room.after_thing`; each is listed in
 * tests/e2e/failpoints.
 */
#ifndef CS_BASE_FAILPOINT_H
#define CS_BASE_FAILPOINT_H

#include <stdbool.h>

bool cs_failpoint(const char *name);

#endif
