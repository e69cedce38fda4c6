/*
 * The disk below the ledger's files: how long its syncs take, and that a
 * quota (EDQUOT) or a limit on file sizes (EFBIG) is a full disk, which SQLite
 * takes for a broken one.
 *
 * A VFS that stands in front of another one and differs from it in xSync and
 * xWrite alone. Lifecycle: make it before the connection that uses its name,
 * free it after that was closed. What it measures into is borrowed. It belongs
 * to one thread, as connections do.
 */
#ifndef CS_STORE_DISK_WATCH_H
#define CS_STORE_DISK_WATCH_H

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"

struct cs_disk_watch;

void cs_disk_watch_free(struct cs_disk_watch *t);

/* In front of `base` (NULL: SQLite's default). */
struct cs_disk_watch *cs_disk_watch_new(const char *base, struct cs_clock clock,
					struct cs_histogram *times,
					struct cs_error *err) CS_MUST_USE;

/* The name to open with; as long as the timer. */
const char *cs_disk_watch_vfs(const struct cs_disk_watch *t);

#endif
