/*
 * Forking a room: the child keeps the descriptors that it is given, and
 * nothing else of its parent.
 *
 * In the child, before `run` is called: every other descriptor is closed,
 * standard input and output are /dev/null, the name shown by ps is set, it
 * dies with its parent (PR_SET_PDEATHSIG), gains no privileges
 * (PR_SET_NO_NEW_PRIVS), writes no core (RLIMIT_CORE, PR_SET_DUMPABLE) and
 * ignores the signals that a terminal or a supervisor sends to a whole group
 * (SIGTERM, SIGINT, SIGHUP): parent says when to stop, over the link.
 *
 * There is no exec: memory is inherited. So parent must never have held what
 * a child may not know, and what `run` uses of it is read-only.
 */
#ifndef CS_CLI_SPAWN_H
#define CS_CLI_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/error.h"

/* Descriptors that one room may be given: links, sockets, 64 keys. */
#define CS_MAX_SPAWN_KEEP 160

struct cs_spawn {
	const char *name; /* at most 15 bytes: "cs-front" */
	int keep[CS_MAX_SPAWN_KEEP];
	size_t n_keep;
	int (*run)(void *ctx); /* its value is the child's exit status */
	void *ctx;
};

/* Add a descriptor to keep; negative ones are left out. */
void cs_spawn_keep(struct cs_spawn *s, int fd);

/* Fork. The parent's descriptors stay as they are. */
bool cs_spawn_start(struct cs_spawn *s, pid_t *ret_pid,
		    struct cs_error *err) CS_MUST_USE;

#endif
