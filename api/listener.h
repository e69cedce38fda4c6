/*
 * The doors: listening sockets, and who may come in. A peer that is let in
 * becomes a connection (api/http_conn.h); for that, one that idles or is slow
 * may have to go (api/server.h says who).
 *
 * When descriptors run out, whoever waits is taken and closed, so that it
 * knows, and the doors stay shut for a moment.
 */
#ifndef CS_API_LISTENER_H
#define CS_API_LISTENER_H

#include "api/server_parts.h"

/* Begin to accept at the server's doors. Errors: IO, NO_MEMORY. */
bool cs_http_doors_open(struct cs_http_server *s,
			struct cs_error *err) CS_MUST_USE;

/* Stop accepting and close the listening sockets. */
void cs_http_doors_close(struct cs_http_server *s);

#endif
