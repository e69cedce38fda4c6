/*
 * What parent says: STOP, news of workers, the listener's key, the policy
 * files that it read, and the CSR of a certificate of the house's.
 *
 * STOP takes nothing new and finishes what is under way, within its time; but
 * for backups and CRLs, which are asked for again.
 */
#ifndef CS_API_FRONT_PARENT_H
#define CS_API_FRONT_PARENT_H

#include "api/front_room.h"

/*
 * The link's callback; `ctx` is the room. A descriptor that comes along is
 * taken. Errors: PROTOCOL, decoding, no memory.
 */
bool cs_front_on_parent(void *ctx, struct cs_link *link, unsigned number,
			uint64_t ticket, struct cs_span body, int fd,
			struct cs_error *err) CS_MUST_USE;

#endif
