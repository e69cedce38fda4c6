/* Revoking a certificate: REVOKE to the ledger, whose ADMIN_DONE answers. */
#ifndef CS_API_FRONT_REVOKE_H
#define CS_API_FRONT_REVOKE_H

#include "api/front_room.h"

bool cs_front_revoke(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

#endif
