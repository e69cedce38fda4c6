/*
 * Flights: REQUESTs on their way, from a client, an approver, the house, or
 * the ledger's DRIVE, over a worker to the ledger. api/inflight.h keeps the
 * books; here they are sent, and sent again when a worker dies.
 *
 *	launch, drive -> (slot) -> pump -> worker -> ledger -> ANSWER -> land
 *
 * What is said when an ANSWER comes stands in api/front_answer.h. Links of
 * workers are made in api/front_workers.h, and ended here: a worker that does
 * not read is as good as dead.
 */
#ifndef CS_API_FRONT_FLIGHTS_H
#define CS_API_FRONT_FLIGHTS_H

#include "api/front_room.h"

/* May one more request be under way? False: *p is BUSY. */
bool cs_front_has_room(const struct cs_front *f,
		       struct cs_problem *p) CS_MUST_USE;

/* Does the ledger decide anything now? If not, nothing is sent to it. */
bool cs_front_check_state(const struct cs_front *f,
			  struct cs_problem *p) CS_MUST_USE;

/* Put a REQUEST on its way; false: BUSY. */
bool cs_front_launch(struct cs_front *f, const struct cs_msg_request *m,
		     enum cs_flight_owner owner, uint64_t waiter,
		     struct cs_problem *p) CS_MUST_USE;

/* DRIVE: the same for nobody, now or when a slot is free. */
void cs_front_drive(struct cs_front *f, struct cs_span request);

/* Forget what DRIVE brought and waits for a slot. */
void cs_front_drop_driven(struct cs_front *f);

/* Send what waits to whom there is. */
void cs_front_pump(struct cs_front *f);

/* A flight is over; it is not there any more. */
void cs_front_land(struct cs_front *f, struct cs_flight *flight);

/* A worker has died, or is held for dead: end its link, send anew. */
void cs_front_worker_gone(struct cs_front *f, unsigned number);

#endif
