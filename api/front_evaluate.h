/*
 * POST /v1/policies/evaluate: what would become of a request, by the set in
 * force or by one that comes along.
 *
 * The body is that of POST /v1/requests, with `realm` and `source` and, for a
 * candidate set, `policies`: [{"name", "text"}]. The answer is that of a dry
 * run, with `others`: why each other policy does not govern. Limits and keys
 * in use are not looked at ("not_reached"); a dry run does that.
 *
 * For clients that hold `audit` (or `admin`, which implies it): it tells of
 * everybody's policies, and lets whoever asks pretend to be anybody. Nothing
 * is issued, recorded or counted, so it needs no right to submit.
 *
 * Bounds: a body is at most CS_MAX_HTTP_BODY; a worker loads the candidate as
 * it loads a set to be applied, with the same maxima; one candidate at a time
 * is under way, and whoever comes in between gets 503 with Retry-After.
 */
#ifndef CS_API_FRONT_EVALUATE_H
#define CS_API_FRONT_EVALUATE_H

#include "api/front_room.h"

bool cs_front_evaluate(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

/* EVALUATED: what a worker found. */
void cs_front_evaluated(struct cs_front *f, uint64_t ticket,
			const struct cs_msg_evaluated *m);

#endif
