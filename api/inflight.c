#include "api/inflight.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

/* Allowed moves: moves[from] has the bit of each `to`. */
#define TO(state) (1u << CS_FLIGHT_##state)
static const unsigned moves[CS_FLIGHT_STATES] = {
	[CS_FLIGHT_FREE] = TO(WAITING),
	[CS_FLIGHT_WAITING] = TO(SENT) | TO(FREE),
	[CS_FLIGHT_SENT] = TO(WAITING) | TO(CONDEMNED) | TO(FREE),
	[CS_FLIGHT_CONDEMNED] = TO(FREE),
};

struct worker {
	bool up;
	size_t flights;	 /* SENT to it */
	size_t suspects; /* of these; at most one */
};

struct cs_inflight {
	struct cs_flight *flights;
	size_t capacity;
	size_t count;
	uint64_t order;
	struct worker workers[CS_MAX_WORKERS];
};

void cs_inflight_free(struct cs_inflight *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; t->flights != NULL && i < t->capacity; i++)
		cs_buf_done(&t->flights[i].request);
	cs_mem_free(t->flights);
	cs_mem_free(t);
}

struct cs_inflight *cs_inflight_new(size_t capacity, struct cs_error *err)
{
	struct cs_inflight *t = cs_mem_new(sizeof(*t));

	if (t != NULL)
		t->flights = cs_mem_new_array(capacity, sizeof(*t->flights));
	if (t == NULL || t->flights == NULL) {
		cs_inflight_free(t);
		cs_error_set(err, CS_E_NO_MEMORY, "out of memory");
		return NULL;
	}
	t->capacity = capacity;
	for (size_t i = 0; i < capacity; i++) {
		t->flights[i].ticket = capacity + i;
		cs_buf_init(&t->flights[i].request, CS_MAX_REQUEST_MESSAGE);
	}
	return t;
}

size_t cs_inflight_count(const struct cs_inflight *t)
{
	return t->count;
}

size_t cs_inflight_capacity(const struct cs_inflight *t)
{
	return t->capacity;
}

/* What is true of a flight whenever nobody is moving it. */
static bool invariant(const struct cs_inflight *t, const struct cs_flight *f)
{
	if (f->state == CS_FLIGHT_FREE)
		return f->request.n == 0 && f->owner == CS_FLIGHT_NOBODY;
	if (f->request.n == 0 || f->deaths > CS_MAX_DEATHS ||
	    f->rejudges > CS_MAX_REJUDGES)
		return false;
	if (f->state == CS_FLIGHT_SENT)
		return t->workers[f->worker].up &&
		       t->workers[f->worker].flights > 0 &&
		       t->workers[f->worker].suspects <= 1;
	return (f->state == CS_FLIGHT_CONDEMNED) ==
	       (f->deaths == CS_MAX_DEATHS);
}

/* Move a flight; the caller has changed everything else by then. */
static void move(struct cs_inflight *t, struct cs_flight *f,
		 enum cs_flight_state to)
{
	assert((moves[f->state] & (1u << to)) != 0);
	f->state = to;
	assert(invariant(t, f));
	(void)t;
}

struct cs_flight *cs_inflight_add(struct cs_inflight *t, struct cs_span request,
				  enum cs_flight_owner owner, uint64_t waiter)
{
	struct cs_flight *f = NULL;

	for (size_t i = 0; i < t->capacity && f == NULL; i++) {
		if (t->flights[i].state == CS_FLIGHT_FREE)
			f = &t->flights[i];
	}
	if (f == NULL)
		return NULL;
	cs_buf_reset(&f->request);
	if (!cs_buf_add(&f->request, request)) {
		cs_buf_reset(&f->request);
		return NULL;
	}
	f->owner = owner;
	f->waiter = waiter;
	f->order = t->order++;
	f->deaths = 0;
	f->rejudges = 0;
	f->begun_us = 0;
	f->reported = false;
	t->count++;
	move(t, f, CS_FLIGHT_WAITING);
	return f;
}

struct cs_flight *cs_inflight_find(struct cs_inflight *t, uint64_t ticket)
{
	struct cs_flight *f = &t->flights[ticket % t->capacity];

	return f->ticket == ticket && f->state != CS_FLIGHT_FREE ? f : NULL;
}

struct cs_flight *cs_inflight_at(struct cs_inflight *t, size_t n)
{
	return t->flights[n].state == CS_FLIGHT_FREE ? NULL : &t->flights[n];
}

void cs_inflight_worker_up(struct cs_inflight *t, unsigned worker)
{
	assert(worker < CS_MAX_WORKERS && !t->workers[worker].up);
	t->workers[worker].up = true;
}

size_t cs_inflight_workers(const struct cs_inflight *t)
{
	size_t n = 0;

	for (unsigned w = 0; w < CS_MAX_WORKERS; w++)
		n += t->workers[w].up;
	return n;
}

/* The least loaded worker that may have this flight; NULL: none. */
static struct worker *choose(struct cs_inflight *t, const struct cs_flight *f)
{
	struct worker *best = NULL;

	for (unsigned i = 0; i < CS_MAX_WORKERS; i++) {
		struct worker *w = &t->workers[i];

		if (!w->up || (f->deaths > 0 && w->suspects > 0))
			continue;
		if (best == NULL || w->flights < best->flights)
			best = w;
	}
	return best;
}

struct cs_flight *cs_inflight_assign(struct cs_inflight *t)
{
	struct cs_flight *first = NULL;
	struct worker *to = NULL;

	for (size_t i = 0; i < t->capacity; i++) {
		struct cs_flight *f = &t->flights[i];
		struct worker *w;

		if (f->state != CS_FLIGHT_WAITING ||
		    (first != NULL && first->order < f->order))
			continue;
		w = choose(t, f);
		if (w == NULL)
			continue;
		first = f;
		to = w;
	}
	if (first == NULL)
		return NULL;
	first->worker = (unsigned)(to - t->workers);
	to->flights++;
	to->suspects += first->deaths > 0;
	move(t, first, CS_FLIGHT_SENT);
	return first;
}

/* Its worker has it no longer. */
static void leave_worker(struct cs_inflight *t, const struct cs_flight *f)
{
	struct worker *w = &t->workers[f->worker];

	if (f->state != CS_FLIGHT_SENT)
		return;
	w->flights--;
	w->suspects -= f->deaths > 0;
}

size_t cs_inflight_worker_down(struct cs_inflight *t, unsigned worker)
{
	size_t condemned = 0;

	for (size_t i = 0; i < t->capacity; i++) {
		struct cs_flight *f = &t->flights[i];

		if (f->state != CS_FLIGHT_SENT || f->worker != worker)
			continue;
		leave_worker(t, f);
		f->deaths++;
		if (f->deaths < CS_MAX_DEATHS) {
			move(t, f, CS_FLIGHT_WAITING);
			continue;
		}
		move(t, f, CS_FLIGHT_CONDEMNED);
		condemned++;
	}
	t->workers[worker].up = false;
	return condemned;
}

bool cs_inflight_rejudge(struct cs_inflight *t, struct cs_flight *f)
{
	/* The opinion that was stale may be a dead worker's: it waits already.
	   A condemned one is refused whatever the policy. */
	if (f->state != CS_FLIGHT_SENT)
		return true;
	if (f->rejudges == CS_MAX_REJUDGES)
		return false;
	leave_worker(t, f);
	f->rejudges++;
	move(t, f, CS_FLIGHT_WAITING);
	return true;
}

void cs_inflight_end(struct cs_inflight *t, struct cs_flight *f)
{
	leave_worker(t, f);
	cs_buf_reset(&f->request);
	f->owner = CS_FLIGHT_NOBODY;
	f->waiter = 0;
	/* Never in front of the top bit: 2^63 / 128 uses of a slot. */
	f->ticket += t->capacity;
	t->count--;
	move(t, f, CS_FLIGHT_FREE);
}
