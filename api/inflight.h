/*
 * Requests in flight: front keeps each encoded REQUEST until its ANSWER, so
 * that it can be sent again when a worker dies or the policy changes.
 *
 *	         add            assign           worker dies, 2nd time
 *	FREE ----------> WAITING -------> SENT -------------------> CONDEMNED
 *	  ^                 ^  worker dies |                             |
 *	  |                 +--------------+                             |
 *	  |                    rejudge     |                             |
 *	  +---------------------- end -----+-----------------------------+
 *
 * (end from every state but FREE.) A flight that saw a worker die is a
 * suspect: a worker has at most one suspect at a time, so that the second
 * death is blamed on it and not on its neighbours. A third REJUDGE is one too
 * many.
 *
 * Pure bookkeeping: nothing is sent here, and no loop, link or clock is
 * known. Tickets name flights; they are never 0, have their top bit clear and
 * are not used twice. The table is bounded by its capacity; what a flight
 * keeps is bounded by CS_MAX_REQUEST_MESSAGE.
 */
#ifndef CS_API_INFLIGHT_H
#define CS_API_INFLIGHT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum cs_flight_state {
	CS_FLIGHT_FREE,
	CS_FLIGHT_WAITING,   /* for a worker */
	CS_FLIGHT_SENT,	     /* to `worker` */
	CS_FLIGHT_CONDEMNED, /* the ledger was told to refuse it */
	CS_FLIGHT_STATES
};

/* Who waits for the answer. */
enum cs_flight_owner {
	CS_FLIGHT_NOBODY,   /* DRIVE, or the client has gone */
	CS_FLIGHT_CLIENT,   /* who submitted; `waiter` is the server's ticket */
	CS_FLIGHT_APPROVER, /* who approved it; likewise */
	CS_FLIGHT_LOOK,	    /* an approver looks; `waiter` is its wait */
	CS_FLIGHT_HOUSE	    /* `waiter` is parent's ticket */
};

#define CS_MAX_DEATHS	2
#define CS_MAX_REJUDGES 2

struct cs_flight {
	uint64_t ticket;
	enum cs_flight_state state;
	enum cs_flight_owner owner;
	uint64_t waiter;
	struct cs_buf request; /* encoded; empty when FREE */
	uint64_t order;	       /* of those that wait, the least goes first */
	unsigned worker;       /* SENT: its number */
	unsigned deaths;
	unsigned rejudges;
	int64_t begun_us; /* the caller's; 0 at first */
	bool reported;	  /* CONDEMNED: the ledger was told */
};

struct cs_inflight;

void cs_inflight_free(struct cs_inflight *t);
struct cs_inflight *cs_inflight_new(size_t capacity,
				    struct cs_error *err) CS_MUST_USE;

size_t cs_inflight_count(const struct cs_inflight *t);
size_t cs_inflight_capacity(const struct cs_inflight *t);

/* A new flight, WAITING. NULL: the table is full, or no memory. */
struct cs_flight *cs_inflight_add(struct cs_inflight *t, struct cs_span request,
				  enum cs_flight_owner owner, uint64_t waiter);

/* NULL: no such flight (any more). */
struct cs_flight *cs_inflight_find(struct cs_inflight *t, uint64_t ticket);

/* The n-th slot, n < capacity; NULL when it is free. */
struct cs_flight *cs_inflight_at(struct cs_inflight *t, size_t n);

/* A worker came, number < CS_MAX_WORKERS. */
void cs_inflight_worker_up(struct cs_inflight *t, unsigned worker);
size_t cs_inflight_workers(const struct cs_inflight *t);

/*
 * The next flight to send and the least loaded worker to send it to; it is
 * SENT from here on. NULL: nothing can be sent now.
 */
struct cs_flight *cs_inflight_assign(struct cs_inflight *t);

/*
 * A worker went: its flights are WAITING again, ahead of what came later, or
 * CONDEMNED. Counted are those that became condemned.
 */
size_t cs_inflight_worker_down(struct cs_inflight *t, unsigned worker);

/* The policy changed: WAITING again; false: once too often, end it. */
bool cs_inflight_rejudge(struct cs_inflight *t,
			 struct cs_flight *f) CS_MUST_USE;

/* It has its answer. The pointer is dead afterwards. */
void cs_inflight_end(struct cs_inflight *t, struct cs_flight *f);

#endif
