/*
 * What becomes of a flight: the ledger's ANSWER, said to whoever waits for it
 * (a client, an approver, one who looks, the house, nobody), and REJUDGE. An
 * ANSWER to a denial comes under a wait's ticket.
 *
 * How an ANSWER reads over HTTP stands in api/answer.h.
 */
#ifndef CS_API_FRONT_ANSWER_H
#define CS_API_FRONT_ANSWER_H

#include "api/front_room.h"

/* An ANSWER to a ticket that is not known any more is dropped. */
void cs_front_answer(struct cs_front *f, uint64_t ticket,
		     const struct cs_msg_answer *m);

/* Judge again under `epoch`; answered BUSY where that was too often. */
void cs_front_rejudge(struct cs_front *f, uint64_t ticket, uint64_t epoch);

#endif
