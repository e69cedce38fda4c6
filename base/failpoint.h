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
#include <stdint.h>

#include "base/span.h"

bool cs_failpoint(const char *name);

/*
 * The signer is about to hand out its signature over this TBS for attempt
 * `seq`. Empty in the shipped program; a test build appends a line to the
 * file named in CS_TRACE_FILE, the "signer's own list" of the invariants.
 */
void cs_failpoint_signed(uint64_t seq, struct cs_span tbs);

#endif
