/*
 * Single things of the record: a request, a certificate, policies, the house's
 * status. Each is a question to the reader about what the client may see.
 */
#ifndef CS_API_FRONT_READ_H
#define CS_API_FRONT_READ_H

#include "api/front_room.h"

bool cs_front_get_request(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_get_certificate(struct cs_front *f,
			      struct cs_call *c) CS_MUST_USE;
bool cs_front_get_policies(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_get_policy_set(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_get_status(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

/* The reader's ANSWER about a request. True: an approver looks further. */
bool cs_front_reply_request(struct cs_front *f, struct cs_wait *w,
			    struct cs_span body) CS_MUST_USE;

/* What was asked for of a certificate's JSON. */
void cs_front_reply_certificate(struct cs_front *f, const struct cs_wait *w,
				struct cs_span body);

#endif
