/*
 * One function in a short-lived child process, for what must never be in
 * this process's memory: making a key. The child writes no core, shares no
 * standard input or output, and hands back only success or an error.
 */
#ifndef CS_CLI_CHILD_H
#define CS_CLI_CHILD_H

#include "base/attr.h"
#include "base/error.h"

/* Run fn(ctx) in a child and wait for it; its error comes back in *err. */
bool cs_child_call(bool (*fn)(void *ctx, struct cs_error *err), void *ctx,
		   struct cs_error *err) CS_MUST_USE;

#endif
