/*
 * A request is submitted, approved or denied. A submission goes on its way at
 * once (api/front_flights.h); for a decision the reader is asked for what is
 * decided about, and whoever decides is looked up again when that is here.
 */
#ifndef CS_API_FRONT_REQUEST_H
#define CS_API_FRONT_REQUEST_H

#include "api/front_room.h"

bool cs_front_submit(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_approve(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_deny(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

/* The reader brought the stored request of a decision. Ends the wait, or
   sends it on to the ledger. */
void cs_front_decide(struct cs_front *f, struct cs_wait *w,
		     struct cs_span stored);

#endif
