/*
 * The house's own certificates: the listener's, the OCSP responders'. Parent
 * sends their CSR; they take the gate that everybody takes, as a REQUEST that
 * the client `_house` makes and approves.
 *
 * One CSR is kept, the last one, until it can be asked for: when the room
 * serves and the ledger issues. Parent hears of it by
 * api/front_house_tell.h.
 */
#ifndef CS_API_FRONT_HOUSE_ASK_H
#define CS_API_FRONT_HOUSE_ASK_H

#include "api/front_room.h"

/* Parent's HOUSE_CSR. Errors: what it says is too long. */
bool cs_front_house_csr(struct cs_front *f, uint64_t ticket,
			const struct cs_msg_house_csr *m,
			struct cs_error *err) CS_MUST_USE;

/*
 * Ask for the house's certificate, if it is wanted and time has come. `front`
 * is the room: the timer `retry` calls it, and whoever changes either.
 */
void cs_front_house_try(void *front);

#endif
