/*
 * Policies at a worker: the waits of kinds CHECK and EVALUATE, which go to
 * any worker that is up, one of a dead worker to the next, and to no third.
 *
 * What a wait is for knows the file that made it (api/front_policy.h,
 * api/front_evaluate.h); here are the ways in which it does not come to an
 * answer, and the answer that both give about a set that does not load.
 */
#ifndef CS_API_FRONT_CHECKS_H
#define CS_API_FRONT_CHECKS_H

#include "api/front_room.h"

/* Send those that wait, if a worker is up. */
void cs_front_pump_checks(struct cs_front *f);

/* Those that it had wait again, or are given up. Nothing is sent. */
void cs_front_checks_worker_gone(struct cs_front *f, unsigned worker);

/*
 * It did not come to a set in force: tell who waits, or else the log, and
 * parent if it waits for a set. The wait is the caller's to end.
 */
void cs_front_check_refused(struct cs_front *f, const struct cs_wait *w,
			    enum cs_problem_code code, struct cs_span detail);

/* The answer about a set that does not load: 422 with the worker's report. */
void cs_front_reply_report(struct cs_front *f, const struct cs_wait *w,
			   struct cs_span detail, struct cs_span report);

#endif
