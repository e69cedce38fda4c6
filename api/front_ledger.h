/*
 * What the ledger says: ANSWER and REJUDGE of flights, DRIVE, ADMIN_DONE; and
 * what it pushes, which is kept in the room: its state, the table of clients,
 * the certificates that are revoked, its part of /metrics.
 *
 * A new table takes the old one's place at once. The first table and the first
 * state together make the room ready.
 */
#ifndef CS_API_FRONT_LEDGER_H
#define CS_API_FRONT_LEDGER_H

#include "api/front_room.h"

/* The link's callback; `ctx` is the room. Errors: PROTOCOL, decoding. */
bool cs_front_on_ledger(void *ctx, struct cs_link *link, unsigned number,
			uint64_t ticket, struct cs_span body, int fd,
			struct cs_error *err) CS_MUST_USE;

#endif
