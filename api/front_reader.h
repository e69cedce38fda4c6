/*
 * What the reader says: a PAGE to a question (api/front_ask.h), an answer of
 * OCSP, a responder's end. Each goes to the file of its subject, and a PAGE by
 * the kind of the wait that it finds; one without a wait is dropped.
 */
#ifndef CS_API_FRONT_READER_H
#define CS_API_FRONT_READER_H

#include "api/front_room.h"

/* The link's callback; `ctx` is the room. Errors: PROTOCOL, decoding. */
bool cs_front_on_reader(void *ctx, struct cs_link *link, unsigned number,
			uint64_t ticket, struct cs_span body, int fd,
			struct cs_error *err) CS_MUST_USE;

#endif
