/*
 * A request comes in: the server's callbacks, and the way of a call to the
 * handler of its route.
 *
 *	path -> route -> who is it, may it -> media type -> handler
 *
 * A handler (api/front_request.h, api/front_read.h and so on) gets a struct
 * cs_call and either answers it, or arranges that somebody will, and returns
 * true; or it returns false with the problem set, which is answered here.
 */
#ifndef CS_API_FRONT_HTTP_H
#define CS_API_FRONT_HTTP_H

#include "api/front_room.h"

/* The server's callback; `ctx` is the room. */
void cs_front_on_request(void *ctx, const struct cs_http_request *request);

/*
 * Likewise: nobody waits for this ticket's answer any more. What is under way
 * goes on without; a poll that only waits is over.
 */
void cs_front_on_gone(void *ctx, uint64_t ticket);

#endif
