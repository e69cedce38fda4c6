/*
 * GET /v1/requests/{id} of a pending request, by somebody who may approve it:
 * beside what is recorded, what would become of it now. "now" is the answer
 * of a dry run of the stored request with this approver's approval, by the
 * policy in force and with the limits as they stand: {"would": issued,
 * refused or held, ...}. Nothing is recorded or counted.
 *
 *	REQUEST (the answer) -> STORED -> a flight -> ANSWER
 *
 * Where it cannot be had, "now" is {"code", "detail"}: the approver and the
 * requester are one, nothing is issued now, or too much is under way. Looks
 * have few flights of their own (CS_MAX_LOOKS), which are taken only while
 * there is room for requests beside them.
 *
 * Everybody else sees what is recorded, as before.
 */
#ifndef CS_API_FRONT_LOOK_H
#define CS_API_FRONT_LOOK_H

#include "api/front_room.h"

/*
 * Is the reader's ANSWER, `encoded`, about what the wait's client could
 * approve? Then the wait goes on to find out what would become of it now.
 */
bool cs_front_look(struct cs_front *f, struct cs_wait *w,
		   const struct cs_msg_answer *m,
		   struct cs_span encoded) CS_MUST_USE;

/* The reader brought the stored request. */
void cs_front_look_stored(struct cs_front *f, struct cs_wait *w,
			  struct cs_span stored);

/* The dry run is over; `ticket` is the wait's. */
void cs_front_looked(struct cs_front *f, uint64_t ticket,
		     const struct cs_msg_answer *m);

#endif
