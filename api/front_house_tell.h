/*
 * HOUSE_CERT to parent: the certificate that it asked for with HOUSE_CSR
 * (api/front_house_ask.h), or why there is none.
 *
 * Where the ledger is busy, parent hears nothing yet: the CSR is wanted again,
 * and the room's timer `retry` asks once more.
 */
#ifndef CS_API_FRONT_HOUSE_TELL_H
#define CS_API_FRONT_HOUSE_TELL_H

#include "api/front_room.h"

/* Between two tries. */
#define CS_FRONT_HOUSE_RETRY_MS 200

/*
 * The ledger's ANSWER about it: the chain, leaf first, or why there is none.
 * `ticket` is parent's.
 */
void cs_front_house_answer(struct cs_front *f, uint64_t ticket,
			   const struct cs_msg_answer *m);

/* It will not be issued: not wanted any more, and parent is told why. */
void cs_front_house_failed(struct cs_front *f, struct cs_span detail);

#endif
