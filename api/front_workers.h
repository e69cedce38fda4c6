/*
 * Workers' links: made when parent brings one, ended where it dies
 * (api/front_flights.h), and what comes over them. A worker says nothing to
 * front about a REQUEST, which it hands to the ledger; only its reports about
 * policies come back.
 */
#ifndef CS_API_FRONT_WORKERS_H
#define CS_API_FRONT_WORKERS_H

#include "api/front_room.h"

/*
 * WORKER_LINK: worker `number` is at `fd`, which is taken. The one before it
 * is gone. Errors: no such number, no descriptor, no memory.
 */
bool cs_front_worker_link(struct cs_front *f, unsigned number, int fd,
			  struct cs_error *err) CS_MUST_USE;

#endif
