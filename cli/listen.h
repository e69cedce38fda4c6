/*
 * The sockets at which the installation is spoken to: TCP addresses from the
 * configuration, and the Unix socket for administration.
 *
 * Parent binds them and hands them to front. The Unix socket replaces one
 * that lies there, so it is bound only when the ledger is ready, that is
 * holds the instance lock: a second `serve` on the same directory cannot take
 * the running one's socket away.
 */
#ifndef CS_CLI_LISTEN_H
#define CS_CLI_LISTEN_H

#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

/* "[ffff:...:255.255.255.255]:65535" and a NUL. */
#define CS_LISTEN_TEXT 64

/*
 * Bind and listen at "ADDRESS:PORT" or "[ADDRESS6]:PORT" (numeric; port 0:
 * any free one). ret_text is what it became. CS_E_CONFIG: not such an
 * address.
 */
bool cs_listen_tcp(const char *address, int *ret_fd,
		   char ret_text[CS_LISTEN_TEXT],
		   struct cs_error *err) CS_MUST_USE;

/* May others than the owner connect? Who is served, front decides by uid. */
enum cs_listen_access {
	CS_LISTEN_OWNER, /* mode 0600 */
	CS_LISTEN_ANYBODY
};

/* DIR/run/countersign.sock; and take it away again. */
bool cs_listen_local(const char *dir, enum cs_listen_access access, int *ret_fd,
		     struct cs_error *err) CS_MUST_USE;
void cs_listen_local_remove(const char *dir);

#endif
