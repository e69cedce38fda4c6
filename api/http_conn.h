/*
 * One connection: from its first byte to its last, in one state after another.
 *
 *	HANDSHAKE -> IDLE
 *	IDLE      -> HEAD          its first byte is here
 *	HEAD      -> BODY          the head is whole
 *	BODY      -> FLIGHT        the owner has it
 *	HEAD, BODY, FLIGHT -> REPLY   an answer is being sent
 *	REPLY     -> IDLE, LINGER
 *	any       -> BURIED
 *
 * It reads and writes as far as the socket goes, gives each whole request to
 * the server's owner (api/server.h), and waits for the reply. Whether a peer
 * may have a connection judges listener.c; when its time is up says server.c,
 * by cs_http_conn_expire().
 */
#ifndef CS_API_HTTP_CONN_H
#define CS_API_HTTP_CONN_H

#include "api/server_parts.h"

/*
 * A connection on fd (taken, also on failure: then it is closed) that counts
 * for address (borrowed from the table, left by its end). False: no memory.
 */
bool cs_http_conn_start(struct cs_http_server *s, int fd,
			enum cs_http_listen_kind kind,
			const struct cs_http_peer *peer,
			struct cs_http_address *address) CS_MUST_USE;

void cs_http_conn_reply(struct cs_http_conn *c,
			const struct cs_http_answer *answer);

/* Look at what its buffers hold. */
void cs_http_conn_resume(struct cs_http_conn *c);

/* Go on with its handshake. */
void cs_http_conn_shake(struct cs_http_conn *c);

/* Its deadline has passed. */
void cs_http_conn_expire(struct cs_http_conn *c);

/* The server drains: close if idle; else its next answer closes. */
void cs_http_conn_drain(struct cs_http_conn *c);

/* End it now. A request in flight is told to its owner as gone. */
void cs_http_conn_cut(struct cs_http_conn *c);

/* Release a buried connection, or close and release any, silently. */
void cs_http_conn_free(struct cs_http_conn *c);

#endif
