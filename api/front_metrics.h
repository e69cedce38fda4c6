/*
 * /metrics: what front counts itself, and behind it what the ledger sent
 * last. Nobody is asked for a scrape: a ledger that hangs must not hide.
 */
#ifndef CS_API_FRONT_METRICS_H
#define CS_API_FRONT_METRICS_H

#include "api/front_room.h"

bool cs_front_get_metrics(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

/* What the ledger counts; it takes the place of what it said before. */
void cs_front_metrics_take(struct cs_front *f, struct cs_span text);

/* Does the peer's address suffice for /metrics? */
bool cs_front_may_scrape(const struct cs_front *f,
			 const struct cs_http_peer *peer) CS_MUST_USE;

#endif
