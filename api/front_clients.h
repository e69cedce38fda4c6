/*
 * Clients and what proves them: added, bound, revoked, removed. Each is a
 * CLIENT_CHANGE to the ledger (api/front.h says what it looks like); the
 * CLIENT_TABLE that shows it comes before the ADMIN_DONE.
 *
 * A token is made here. Its digest goes to the ledger; the token itself waits
 * in the wait until it can be shown, once.
 */
#ifndef CS_API_FRONT_CLIENTS_H
#define CS_API_FRONT_CLIENTS_H

#include "api/front_room.h"

bool cs_front_list_clients(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_add_client(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_remove_client(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_add_token(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_add_certificate(struct cs_front *f,
			      struct cs_call *c) CS_MUST_USE;
bool cs_front_revoke_credential(struct cs_front *f,
				struct cs_call *c) CS_MUST_USE;

/* The token that was made, which nobody will see again. */
void cs_front_reply_token(struct cs_front *f, const struct cs_wait *w,
			  struct cs_span change);

#endif
