/*
 * How long the disk takes: SQLite's xSync of the ledger's files, timed.
 *
 * A VFS that stands in front of another one and differs from it in xSync
 * alone. Lifecycle: make it before the connection that uses its name, free it
 * after that was closed. What it measures into is borrowed. It belongs to one
 * thread, as connections do.
 */
#ifndef CS_STORE_SYNC_TIMER_H
#define CS_STORE_SYNC_TIMER_H

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"

struct cs_sync_timer;

void cs_sync_timer_free(struct cs_sync_timer *t);

/* In front of `base` (NULL: SQLite's default). */
struct cs_sync_timer *cs_sync_timer_new(const char *base, struct cs_clock clock,
					struct cs_histogram *times,
					struct cs_error *err) CS_MUST_USE;

/* The name to open with; as long as the timer. */
const char *cs_sync_timer_vfs(const struct cs_sync_timer *t);

#endif
