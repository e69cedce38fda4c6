/*
 * Is it alive, is it ready, what does it say of itself, how is it; and two acts
 * of administration that are the ledger's: accepting the clock, a backup.
 */
#ifndef CS_API_FRONT_ADMIN_H
#define CS_API_FRONT_ADMIN_H

#include "api/front_room.h"

bool cs_front_healthz(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_readyz(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_get_openapi(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_accept_clock(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_backup(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

/* /v1/status: what the reader said, and what the room knows itself. */
void cs_front_reply_status(struct cs_front *f, uint64_t ticket,
			   struct cs_span reader);

#endif
