/*
 * The instance lock: one process at a time writes an installation.
 *
 * flock() on DIR/run/lock, a file of its own: taking and dropping locks on
 * the database file itself would cancel SQLite's (POSIX locks belong to the
 * process, not to the descriptor). The lock lives as long as the descriptor,
 * and so ends with the process however that dies.
 */
#ifndef CS_STORE_LOCK_H
#define CS_STORE_LOCK_H

#include "base/attr.h"
#include "base/error.h"

/*
 * Take the lock of the installation at dir (and make dir/run if need be).
 * Returns the descriptor that holds it; -1 on failure, CS_E_LOCKED when
 * another process has it still after three seconds.
 */
int cs_lock_take(const char *dir, struct cs_error *err) CS_MUST_USE;

/* Give it back; -1 is allowed. */
void cs_lock_drop(int fd);

#endif
