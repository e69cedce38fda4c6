/*
 * `client list --at TIME`: who could do what at some time, from the entries
 * client.changed of the log up to then. Works on a stopped installation's
 * files too, and long after a client was removed.
 */
#ifndef CS_CLI_CLIENTS_AT_H
#define CS_CLI_CLIENTS_AT_H

#include "cli/list.h"

/* The options, for the command's table. */
#define CS_CLIENTS_AT_OPTIONS                                                  \
	{"at", 0, "TIME", "as it was then, from the log: 30d, or RFC 3339"},   \
		{"right", 0, "RIGHT", "only who held this right (with --at)"}, \
	{                                                                      \
		"issuer", 0, "NAME", "only who could for it (with --at)"       \
	}

/* Run it: an enum cs_exit. */
int cs_clients_at_run(const struct cs_call *call);

#endif
