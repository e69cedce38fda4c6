/*
 * The house: the parent process of a running installation.
 *
 * It forks the rooms (cli/rooms.h) with a link to each and between those
 * that talk, and then supervises:
 *   - a worker that dies is forked again, with new links to front and
 *     ledger; too many deaths within a minute end the house;
 *   - any other room's death ends the house with CS_EXIT_AGAIN: the rest is
 *     killed, and the next start recovers;
 *   - SIGTERM or SIGINT stops room by room, front first, so that what was
 *     accepted is finished: exit 0;
 *   - SIGHUP reads DIR/policies and hands it to front.
 *
 * Start: signer and ledger first. Only when the ledger is ready, that is
 * holds the instance lock and has recovered, the Unix socket is bound and
 * reader, front and workers are forked. When all are ready, `ready
 * https://ADDR:PORT` is printed, one line for each address (http: for what is
 * public), and a service manager is told.
 *
 * Parent handles no request, holds no key bytes and reads no database.
 */
#ifndef CS_CLI_HOUSE_H
#define CS_CLI_HOUSE_H

#include <stdio.h>

#include "cli/rooms.h"

enum cs_house_purpose {
	CS_HOUSE_SERVE,
	/*
	 * `init`: no listening sockets; apply DIR/policies, have the
	 * listener's certificate issued and written, stop.
	 */
	CS_HOUSE_INIT
};

struct cs_house_config {
	enum cs_house_purpose purpose;
	const struct cs_install *install; /* borrowed */
	const struct cs_config_list
		*listen; /* instead of the config's; or NULL */
	const struct cs_config_list *public_listen; /* likewise */
	int passphrase_fd; /* closed by the house; -1: none */
	struct cs_clock clock;
	struct cs_log *log;
	FILE *out;		     /* the ready lines */
	struct cs_span listener_csr; /* INIT: DER */
};

/*
 * Run until the end; the exit status of the program. When it is not 0, *err
 * says why.
 */
int cs_house_run(const struct cs_house_config *config, struct cs_error *err);

#endif
