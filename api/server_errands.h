/*
 * What a connection asks of its server: the time, and to be looked at later.
 *
 * "Later" is from the loop, with nothing of ours on the stack. The connection
 * is put on a list of the server's, or a timer is started, whose callback
 * server.c gave: so a connection that is in the middle of something calls
 * nobody above itself.
 */
#ifndef CS_API_SERVER_ERRANDS_H
#define CS_API_SERVER_ERRANDS_H

#include "api/server_parts.h"

/* Milliseconds of the boot clock. */
int64_t cs_http_server_now(const struct cs_http_server *s);

/* The Date field's value, made once a second. */
const char *cs_http_server_date(struct cs_http_server *s);

/* Begin to look at deadlines. */
void cs_http_server_sweep_start(struct cs_http_server *s);

/* Have cs_http_conn_resume() called, soon. */
void cs_http_server_resume(struct cs_http_server *s, struct cs_http_conn *c);

/* Have cs_http_conn_shake() called when it is its turn. */
void cs_http_server_shake(struct cs_http_server *s, struct cs_http_conn *c);

/* Have a connection released that is closed and has left its places. */
void cs_http_server_bury(struct cs_http_server *s, struct cs_http_conn *c);

#endif
