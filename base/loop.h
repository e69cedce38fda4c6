/*
 * The event loop of one process, over libevent. Rooms see timers, signals,
 * descriptors and one idle hook through this header; only base/, api/ and
 * cli/ ever include <event2/...>.
 *
 * Three priorities: signals and control first, then links and sockets, then
 * idle work. An idle hook runs only when no link or socket is ready, after
 * one more look at them: that is how the ledger's COMMIT comes last and a
 * batch is whatever had queued.
 *
 * Everything belongs to one thread. Callbacks may free any object but the
 * loop. Times are milliseconds on the monotonic clock.
 */
#ifndef CS_BASE_LOOP_H
#define CS_BASE_LOOP_H

#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct cs_loop;
struct cs_idle;
struct cs_timer;
struct cs_watch;
struct event_base;

void cs_loop_free(struct cs_loop *loop);
struct cs_loop *cs_loop_new(struct cs_error *err) CS_MUST_USE;

/* Run until cs_loop_stop(); returns the status given there. */
int cs_loop_run(struct cs_loop *loop);

/* End the loop after the current callback. The first status stays. */
void cs_loop_stop(struct cs_loop *loop, int status);

/* For api/ and cli/, which use libevent's own objects. Borrowed. */
struct event_base *cs_loop_base(struct cs_loop *loop);

typedef void cs_loop_fn(void *ctx);

/* A one-shot timer: start it (again) whenever it is wanted. */
struct cs_timer *cs_timer_new(struct cs_loop *loop, cs_loop_fn *fn, void *ctx,
			      struct cs_error *err) CS_MUST_USE;
void cs_timer_free(struct cs_timer *t);
void cs_timer_start(struct cs_timer *t, uint32_t ms);
void cs_timer_stop(struct cs_timer *t);

/*
 * Idle work: after cs_idle_request(), fn runs once when nothing else is ready.
 * Asking again before it ran changes nothing.
 */
struct cs_idle *cs_idle_new(struct cs_loop *loop, cs_loop_fn *fn, void *ctx,
			    struct cs_error *err) CS_MUST_USE;
void cs_idle_free(struct cs_idle *idle);
void cs_idle_request(struct cs_idle *idle);

/* Call fn whenever signal `number` arrives. */
struct cs_watch *cs_watch_signal(struct cs_loop *loop, int number,
				 cs_loop_fn *fn, void *ctx,
				 struct cs_error *err) CS_MUST_USE;

/* Call fn while fd is readable (borrowed). */
struct cs_watch *cs_watch_readable(struct cs_loop *loop, int fd, cs_loop_fn *fn,
				   void *ctx, struct cs_error *err) CS_MUST_USE;

/* Call fn while fd is writable (borrowed), once enabled. */
struct cs_watch *cs_watch_writable(struct cs_loop *loop, int fd, cs_loop_fn *fn,
				   void *ctx, struct cs_error *err) CS_MUST_USE;
void cs_watch_enable(struct cs_watch *w);
void cs_watch_disable(struct cs_watch *w);
void cs_watch_free(struct cs_watch *w);

#endif
