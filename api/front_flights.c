#include "api/front_flights.h"

#include "api/front_checks.h"
#include "api/front_life.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "base/failpoint.h"
#include "base/ipc.h"
#include "base/mem.h"

/* -- to workers --------------------------------------------------------- */

/* Tell the ledger to refuse what has killed two workers. */
static void condemn(struct cs_front *f)
{
	for (size_t i = 0; i < cs_inflight_capacity(f->inflight); i++) {
		struct cs_flight *flight = cs_inflight_at(f->inflight, i);
		struct cs_msg_worker_killer m;
		struct cs_error err;

		if (flight == NULL || flight->state != CS_FLIGHT_CONDEMNED ||
		    flight->reported)
			continue;
		flight->reported = true;
		m.request = cs_buf_span(&flight->request);
		cs_log_write(f->config.log, CS_LOG_WARNING,
			     "front.worker_killer",
			     "a request has seen two workers die; it is"
			     " refused");
		if (!cs_link_send_worker_killer(f->ledger, flight->ticket, &m,
						&err))
			cs_log_error(f->config.log, "front.worker_killer",
				     &err);
	}
}

void cs_front_worker_gone(struct cs_front *f, unsigned number)
{
	struct cs_front_worker *w = &f->workers[number];

	if (number >= CS_MAX_WORKERS || w->link == NULL)
		return;
	cs_link_free(w->link);
	w->link = NULL;
	w->epoch = 0;
	f->metrics.worker_deaths++;
	if (cs_inflight_worker_down(f->inflight, number) > 0)
		condemn(f);
	cs_front_checks_worker_gone(f, number);
	cs_front_pump(f);
	cs_front_pump_checks(f);
}

/* Before a worker gets a request: which policy it has to wait for. */
static bool send_epoch(struct cs_front *f, struct cs_front_worker *w,
		       struct cs_error *err)
{
	const struct cs_msg_epoch m = {.epoch = f->epoch};

	if (w->epoch == f->epoch)
		return true;
	w->epoch = f->epoch;
	return cs_link_send_epoch(w->link, 0, &m, err);
}

void cs_front_pump(struct cs_front *f)
{
	struct cs_flight *flight;

	while ((flight = cs_inflight_assign(f->inflight)) != NULL) {
		struct cs_front_worker *w = &f->workers[flight->worker];
		struct cs_error err;

		if (cs_failpoint("front.before_send")) {
			cs_front_worker_gone(f, w->number);
			return;
		}
		if (send_epoch(f, w, &err) &&
		    cs_link_send(w->link, CS_MSG_REQUEST, flight->ticket,
				 cs_buf_span(&flight->request), -1, &err))
			continue;
		/* A worker that does not read is as good as dead. */
		cs_log_error(f->config.log, "front.worker", &err);
		cs_front_worker_gone(f, w->number);
		return;
	}
}

/* -- begin and end ------------------------------------------------------ */

bool cs_front_has_room(const struct cs_front *f, struct cs_problem *p)
{
	if (cs_inflight_count(f->inflight) < CS_MAX_IN_FLIGHT)
		return true;
	return cs_problem_set(p, CS_PROBLEM_BUSY, "",
			      "%d requests are under way; nothing was decided"
			      " about this one.",
			      CS_MAX_IN_FLIGHT);
}

bool cs_front_check_state(const struct cs_front *f, struct cs_problem *p)
{
	enum cs_problem_code code = cs_problem_of_state(f->state.state);

	if (code == CS_PROBLEM_NONE)
		return true;
	return cs_problem_set(p, code, "", "Nothing is issued now: %s",
			      f->state.reason[0] != '\0'
				      ? f->state.reason
				      : cs_problem_title(code));
}

bool cs_front_launch(struct cs_front *f, const struct cs_msg_request *m,
		     enum cs_flight_owner owner, uint64_t waiter,
		     struct cs_problem *p)
{
	struct cs_buf *out = cs_front_out(f);
	struct cs_flight *flight = NULL;
	struct cs_error err;

	cs_msg_request_encode(m, out);
	if (!cs_buf_finish(out, "the request", &err))
		return cs_problem_set(p, cs_problem_of_error(err.code), "",
				      "%s", err.text);
	if (!cs_front_has_room(f, p))
		return false;
	flight = cs_inflight_add(f->inflight, cs_buf_span(out), owner, waiter);
	if (flight == NULL)
		return cs_problem_set(p, CS_PROBLEM_BUSY, "", "Out of memory.");
	flight->begun_us = cs_clock_boot_us(&f->config.clock);
	cs_front_pump(f);
	return true;
}

/* A slot is free: what the ledger wants driven comes first. */
static void refill(struct cs_front *f)
{
	while (f->driven_n > 0) {
		struct cs_front_driven *first = &f->driven[f->driven_first];

		if (cs_inflight_add(f->inflight,
				    cs_span_make(first->p, first->n),
				    CS_FLIGHT_NOBODY, 0) == NULL)
			break;
		cs_mem_free(first->p);
		*first = (struct cs_front_driven){0};
		f->driven_first = (f->driven_first + 1) % CS_MAX_DRIVEN;
		f->driven_n--;
	}
	cs_front_pump(f);
}

void cs_front_drive(struct cs_front *f, struct cs_span request)
{
	size_t at = (f->driven_first + f->driven_n) % CS_MAX_DRIVEN;
	uint8_t *copy = NULL;

	if (f->driven_n < CS_MAX_DRIVEN)
		copy = cs_mem_dup(request.p, request.n);
	if (copy == NULL) {
		cs_log_write(f->config.log, CS_LOG_WARNING, "front.drive",
			     "%zu requests wait to be driven again; one more"
			     " is left to the next start",
			     f->driven_n);
		return;
	}
	f->driven[at] = (struct cs_front_driven){copy, request.n};
	f->driven_n++;
	refill(f);
}

void cs_front_drop_driven(struct cs_front *f)
{
	for (size_t i = 0; i < CS_MAX_DRIVEN; i++) {
		cs_mem_free(f->driven[i].p);
		f->driven[i].p = NULL;
	}
	f->driven_n = 0;
}

void cs_front_land(struct cs_front *f, struct cs_flight *flight)
{
	if (flight->begun_us != 0)
		cs_histogram_add(&f->metrics.request_time, CS_HISTOGRAM_TIMES,
				 (uint64_t)(cs_clock_boot_us(&f->config.clock) -
					    flight->begun_us));
	cs_inflight_end(f->inflight, flight);
	refill(f);
	cs_front_check_stop(f);
}
