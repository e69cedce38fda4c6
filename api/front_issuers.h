/*
 * Issuers: what the configuration says of them, and what is recorded; their
 * chains.
 */
#ifndef CS_API_FRONT_ISSUERS_H
#define CS_API_FRONT_ISSUERS_H

#include "api/front_room.h"

bool cs_front_list_issuers(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_get_issuer(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_get_chain(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

/* The reader said what is recorded of the issuers. */
void cs_front_reply_issuers(struct cs_front *f, const struct cs_wait *w,
			    struct cs_span recorded);

#endif
