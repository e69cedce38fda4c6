#include "base/loop.h"

#include <event2/event.h>

#include "base/mem.h"

/* Lower runs first. */
enum {
	PRIORITY_CONTROL,
	PRIORITY_WORK,
	PRIORITY_IDLE,
	PRIORITIES
};

struct cs_loop {
	struct event_base *base;
	int status;
	bool stopped;
};

/* Timers, idle hooks and watches are one event with one callback. */
struct hook {
	struct event *event; /* owned */
	cs_loop_fn *fn;
	void *ctx;
};

struct cs_timer {
	struct hook hook;
};

struct cs_idle {
	struct hook hook;
};

struct cs_watch {
	struct hook hook;
};

void cs_loop_free(struct cs_loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->base != NULL)
		event_base_free(loop->base);
	cs_mem_free(loop);
}

struct cs_loop *cs_loop_new(struct cs_error *err)
{
	struct cs_loop *loop = cs_mem_new(sizeof(*loop));

	if (loop != NULL)
		loop->base = event_base_new();
	if (loop == NULL || loop->base == NULL ||
	    event_base_priority_init(loop->base, PRIORITIES) != 0) {
		cs_loop_free(loop);
		cs_error_set(err, CS_E_NO_MEMORY,
			     "event loop: libevent could not make one");
		return NULL;
	}
	return loop;
}

int cs_loop_run(struct cs_loop *loop)
{
	loop->stopped = false;
	/* A base with no events returns at once; nothing is left to wait for.
	 */
	(void)event_base_dispatch(loop->base);
	return loop->status;
}

void cs_loop_stop(struct cs_loop *loop, int status)
{
	if (loop->stopped)
		return;
	loop->stopped = true;
	loop->status = status;
	(void)event_base_loopbreak(loop->base);
}

struct event_base *cs_loop_base(struct cs_loop *loop)
{
	return loop->base;
}

/* libevent's callback for every kind of hook. */
static void fire(evutil_socket_t fd, short what, void *arg)
{
	const struct hook *hook = arg;

	(void)fd;
	(void)what;
	hook->fn(hook->ctx);
}

/* Make the event of a hook. */
static bool hook_init(struct hook *hook, struct cs_loop *loop, int fd,
		      short what, int priority, cs_loop_fn *fn, void *ctx)
{
	hook->fn = fn;
	hook->ctx = ctx;
	hook->event = event_new(loop->base, fd, what, fire, hook);
	return hook->event != NULL &&
	       event_priority_set(hook->event, priority) == 0;
}

/* Release the event of a hook; a half-made one is allowed. */
static void hook_done(struct hook *hook)
{
	if (hook->event != NULL)
		event_free(hook->event);
	hook->event = NULL;
}

struct cs_timer *cs_timer_new(struct cs_loop *loop, cs_loop_fn *fn, void *ctx,
			      struct cs_error *err)
{
	struct cs_timer *t = cs_mem_new(sizeof(*t));

	if (t == NULL ||
	    !hook_init(&t->hook, loop, -1, 0, PRIORITY_WORK, fn, ctx)) {
		cs_timer_free(t);
		cs_error_set(err, CS_E_NO_MEMORY, "timer: out of memory");
		return NULL;
	}
	return t;
}

void cs_timer_free(struct cs_timer *t)
{
	if (t == NULL)
		return;
	hook_done(&t->hook);
	cs_mem_free(t);
}

void cs_timer_start(struct cs_timer *t, uint32_t ms)
{
	struct timeval tv = {.tv_sec = ms / 1000,
			     .tv_usec = (long)(ms % 1000) * 1000};

	/* Fails only when the event was never made. */
	(void)event_add(t->hook.event, &tv);
}

void cs_timer_stop(struct cs_timer *t)
{
	(void)event_del(t->hook.event);
}

struct cs_idle *cs_idle_new(struct cs_loop *loop, cs_loop_fn *fn, void *ctx,
			    struct cs_error *err)
{
	struct cs_idle *idle = cs_mem_new(sizeof(*idle));

	if (idle == NULL ||
	    !hook_init(&idle->hook, loop, -1, 0, PRIORITY_IDLE, fn, ctx)) {
		cs_idle_free(idle);
		cs_error_set(err, CS_E_NO_MEMORY, "idle hook: out of memory");
		return NULL;
	}
	return idle;
}

void cs_idle_free(struct cs_idle *idle)
{
	if (idle == NULL)
		return;
	hook_done(&idle->hook);
	cs_mem_free(idle);
}

void cs_idle_request(struct cs_idle *idle)
{
	/*
	 * Active at the lowest priority: libevent polls for other events
	 * once more before it gets there.
	 */
	event_active(idle->hook.event, EV_TIMEOUT, 0);
}

/* A watch of any kind, not yet enabled. */
static struct cs_watch *watch_new(struct cs_loop *loop, int fd, short what,
				  int priority, cs_loop_fn *fn, void *ctx,
				  struct cs_error *err)
{
	struct cs_watch *w = cs_mem_new(sizeof(*w));

	if (w == NULL ||
	    !hook_init(&w->hook, loop, fd, what, priority, fn, ctx)) {
		cs_watch_free(w);
		cs_error_set(err, CS_E_NO_MEMORY, "watch: out of memory");
		return NULL;
	}
	return w;
}

struct cs_watch *cs_watch_signal(struct cs_loop *loop, int number,
				 cs_loop_fn *fn, void *ctx,
				 struct cs_error *err)
{
	struct cs_watch *w = watch_new(loop, number, EV_SIGNAL | EV_PERSIST,
				       PRIORITY_CONTROL, fn, ctx, err);

	if (w != NULL)
		cs_watch_enable(w);
	return w;
}

struct cs_watch *cs_watch_readable(struct cs_loop *loop, int fd, cs_loop_fn *fn,
				   void *ctx, struct cs_error *err)
{
	struct cs_watch *w = watch_new(loop, fd, EV_READ | EV_PERSIST,
				       PRIORITY_WORK, fn, ctx, err);

	if (w != NULL)
		cs_watch_enable(w);
	return w;
}

struct cs_watch *cs_watch_writable(struct cs_loop *loop, int fd, cs_loop_fn *fn,
				   void *ctx, struct cs_error *err)
{
	return watch_new(loop, fd, EV_WRITE | EV_PERSIST, PRIORITY_WORK, fn,
			 ctx, err);
}

void cs_watch_enable(struct cs_watch *w)
{
	(void)event_add(w->hook.event, NULL);
}

void cs_watch_disable(struct cs_watch *w)
{
	(void)event_del(w->hook.event);
}

void cs_watch_free(struct cs_watch *w)
{
	if (w == NULL)
		return;
	hook_done(&w->hook);
	cs_mem_free(w);
}
