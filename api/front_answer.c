#include "api/front_answer.h"

#include "api/front_flights.h"
#include "api/front_house_tell.h"
#include "api/front_life.h"
#include "api/front_look.h"
#include "api/front_refusal.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "base/failpoint.h"

/* Has the decision that somebody wanted been taken otherwise before? */
static bool came_too_late(const struct cs_msg_answer *m,
			  enum cs_flight_owner owner)
{
	switch (m->outcome) {
	case CS_ANSWER_ISSUED:
		return owner == CS_FLIGHT_NOBODY;
	case CS_ANSWER_DENIED:
		return owner == CS_FLIGHT_APPROVER;
	case CS_ANSWER_REFUSED:
	case CS_ANSWER_EXPIRED:
		return owner == CS_FLIGHT_NOBODY || m->replay != 0;
	default:
		return false;
	}
}

/* Who reads the flight's answer; 0: nobody that is known. */
static uint64_t reader_of(const struct cs_flight *flight)
{
	struct cs_msg_request m;

	if (!cs_msg_request_decode(cs_buf_span(&flight->request), &m, NULL))
		return 0;
	return flight->owner == CS_FLIGHT_APPROVER ? m.approver_client
						   : m.client;
}

/* To an approver or denier: the new state, or that it came too late. */
static void reply_decision(struct cs_front *f, uint64_t ticket,
			   const struct cs_msg_answer *m,
			   enum cs_flight_owner owner, uint64_t reader)
{
	struct cs_problem p;

	if (!came_too_late(m, owner)) {
		cs_front_reply_answer(f, ticket, m, owner, reader);
		return;
	}
	cs_problem_set(&p, CS_PROBLEM_CONFLICT, "",
		       "The request is %s already.",
		       cs_answer_state((enum cs_answer)m->outcome));
	cs_front_reply_problem(f, ticket, &p);
}

void cs_front_answer(struct cs_front *f, uint64_t ticket,
		     const struct cs_msg_answer *m)
{
	struct cs_wait *w = cs_waits_find(f->waits, ticket);
	struct cs_flight *flight;
	struct cs_error err;

	if (w != NULL && w->kind == CS_WAIT_DENIED) {
		if (m->outcome == CS_ANSWER_FORBIDDEN)
			cs_front_note_late(f, w->http, w->asker.client,
					   m->code);
		reply_decision(f, w->http, m, CS_FLIGHT_NOBODY,
			       w->asker.client);
		cs_waits_end(f->waits, w);
		cs_front_check_stop(f);
		return;
	}
	/* A second opinion of a worker that died late has no flight. */
	flight = cs_waits_owns(ticket) ? NULL
				       : cs_inflight_find(f->inflight, ticket);
	if (flight == NULL)
		return;
	if (cs_failpoint("front.before_answer")) {
		cs_error_set(&err, CS_E_INTERNAL, "failpoint");
		cs_front_fail(f, "front.before_answer", &err);
		return;
	}
	if (m->outcome == CS_ANSWER_FORBIDDEN &&
	    (flight->owner == CS_FLIGHT_CLIENT ||
	     flight->owner == CS_FLIGHT_APPROVER))
		cs_front_note_late(f, flight->waiter, reader_of(flight),
				   m->code);
	if (flight->owner == CS_FLIGHT_HOUSE)
		cs_front_house_answer(f, flight->waiter, m);
	else if (flight->owner == CS_FLIGHT_LOOK)
		cs_front_looked(f, flight->waiter, m);
	else if (flight->owner == CS_FLIGHT_APPROVER)
		reply_decision(f, flight->waiter, m, CS_FLIGHT_APPROVER,
			       reader_of(flight));
	else
		cs_front_reply_answer(f, flight->waiter, m, flight->owner,
				      reader_of(flight));
	cs_front_land(f, flight);
}

void cs_front_rejudge(struct cs_front *f, uint64_t ticket, uint64_t epoch)
{
	struct cs_flight *flight =
		cs_waits_owns(ticket) ? NULL
				      : cs_inflight_find(f->inflight, ticket);
	struct cs_msg_answer busy = {
		.outcome = CS_ANSWER_BUSY,
		.code = CS_SPAN_LIT("POLICY_CHANGED"),
		.detail = CS_SPAN_LIT("The policy changed each time that it"
				      " was judged."),
		.retry_s = 1,
	};

	if (flight == NULL)
		return;
	if (epoch > f->epoch)
		f->epoch = epoch;
	if (cs_inflight_rejudge(f->inflight, flight)) {
		cs_front_pump(f);
		return;
	}
	cs_front_answer(f, ticket, &busy);
}
