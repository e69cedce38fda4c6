#include <unistd.h>

#include "api/answer.h"
#include "api/front_life.h"
#include "api/front_refusal.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/submit.h"
#include "base/codec.h"
#include "base/failpoint.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/random.h"

/* How often, and how long apart, a certificate of the house is asked for. */
#define HOUSE_TRIES    100
#define HOUSE_RETRY_MS 200

/* -- workers ------------------------------------------------------------ */

/* Messages of a worker: reports about policy sets, and evaluations. */
static bool on_worker_message(void *ctx, struct cs_link *link, unsigned number,
			      uint64_t ticket, struct cs_span body, int fd,
			      struct cs_error *err)
{
	struct cs_front_worker *w = ctx;
	struct cs_msg_evaluated evaluated;
	struct cs_msg_checked checked;

	(void)link;
	if (fd >= 0)
		close(fd);
	switch (number) {
	case CS_MSG_CHECKED:
		if (!cs_msg_checked_decode(body, &checked, err))
			return false;
		cs_front_checked(w->front, ticket, &checked);
		return true;
	case CS_MSG_EVALUATED:
		if (!cs_msg_evaluated_decode(body, &evaluated, err))
			return false;
		cs_front_evaluated(w->front, ticket, &evaluated);
		return true;
	default:
		return cs_error_set(err, CS_E_PROTOCOL, "unexpected %s",
				    cs_msg_name(number));
	}
}

static void on_worker_gone(void *ctx, struct cs_link *link,
			   const struct cs_error *why)
{
	struct cs_front_worker *w = ctx;

	(void)link;
	if (why->code != CS_E_PEER_GONE)
		cs_log_error(w->front->config.log, "front.worker", why);
	cs_front_worker_gone(w->front, w->number);
}

bool cs_front_worker_link(struct cs_front *f, unsigned number, int fd,
			  struct cs_error *err)
{
	struct cs_front_worker *w;

	if (number >= CS_MAX_WORKERS || fd < 0) {
		if (fd >= 0)
			close(fd);
		return cs_error_set(err, CS_E_PROTOCOL,
				    "WORKER_LINK without a link");
	}
	w = &f->workers[number];
	cs_front_worker_gone(f, number);
	w->front = f;
	w->number = number;
	w->link = cs_link_new(f->loop, fd, CS_ROOM_F, CS_ROOM_W,
			      on_worker_message, on_worker_gone, w, err);
	if (w->link == NULL)
		return false;
	cs_inflight_worker_up(f->inflight, number);
	cs_front_pump(f);
	cs_front_pump_checks(f);
	return true;
}

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

/* -- flights ------------------------------------------------------------ */

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

bool cs_front_has_room(const struct cs_front *f, struct cs_problem *p)
{
	if (cs_inflight_count(f->inflight) < CS_MAX_IN_FLIGHT)
		return true;
	return cs_problem_set(p, CS_PROBLEM_BUSY, "",
			      "%d requests are under way; nothing was decided"
			      " about this one.",
			      CS_MAX_IN_FLIGHT);
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

/* A flight is over. */
static void land(struct cs_front *f, struct cs_flight *flight)
{
	if (flight->begun_us != 0)
		cs_histogram_add(&f->metrics.request_time, CS_HISTOGRAM_TIMES,
				 (uint64_t)(cs_clock_boot_us(&f->config.clock) -
					    flight->begun_us));
	cs_inflight_end(f->inflight, flight);
	refill(f);
	cs_front_check_stop(f);
}

/* -- answers ------------------------------------------------------------ */

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

/* Why it was not issued: the answer's sentence, or that of its body. */
static struct cs_span house_why(struct cs_front *f,
				const struct cs_msg_answer *m)
{
	struct cs_span why = m->detail.n > 0 ? m->detail : m->body;
	struct cs_error err;
	const char *detail;
	json_t *body;

	if (m->detail.n > 0 || m->body.n == 0)
		return why;
	body = cs_json_parse(m->body, "the answer", &err);
	detail = json_string_value(json_object_get(body, "detail"));
	if (detail != NULL)
		(void)!cs_arena_dup(&f->arena, cs_span_str(detail), &why);
	json_decref(body);
	return why;
}

/* To parent: the chain, leaf first, or why there is none. */
static void reply_house(struct cs_front *f, uint64_t ticket,
			const struct cs_msg_answer *m)
{
	struct cs_msg_house_cert cert = {
		.ok = 1,
		.detail = house_why(f, m),
	};
	struct cs_error err;

	if (m->outcome == CS_ANSWER_BUSY && f->house.tries < HOUSE_TRIES) {
		f->house.wanted = true;
		cs_timer_start(f->retry, HOUSE_RETRY_MS);
		return;
	}
	if (m->outcome == CS_ANSWER_ISSUED) {
		struct cs_buf *out = cs_front_out(f);

		cs_codec_pem("CERTIFICATE", m->certificate, out);
		cs_buf_add(out, m->chain);
		cert.chain = cs_buf_span(out);
		cert.detail = (struct cs_span){0};
		cert.ok = cs_buf_ok(out) ? 1 : 0;
	} else {
		cert.ok = 0;
	}
	if (!cs_link_send_house_cert(f->parent, ticket, &cert, &err))
		cs_log_error(f->config.log, "front.house", &err);
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
		reply_house(f, flight->waiter, m);
	else if (flight->owner == CS_FLIGHT_LOOK)
		cs_front_looked(f, flight->waiter, m);
	else if (flight->owner == CS_FLIGHT_APPROVER)
		reply_decision(f, flight->waiter, m, CS_FLIGHT_APPROVER,
			       reader_of(flight));
	else
		cs_front_reply_answer(f, flight->waiter, m, flight->owner,
				      reader_of(flight));
	land(f, flight);
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

/* -- the house's own certificates --------------------------------------- */

/* What stands beside its CSR, and the house's own approval. */
static bool house_words(struct cs_front *f, struct cs_msg_request *m,
			struct cs_error *err)
{
	const struct cs_approval a = {
		.at_ms = m->received_ms,
		.by = m->client_name,
		.self = true,
		.uid = -1,
	};
	struct cs_buf *out = cs_front_out(f);
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_span(&j, "issuer", m->issuer);
	cs_json_member_span(&j, "requester", m->client_name);
	cs_json_end(&j);
	if (!cs_json_finish(&j, "the scalars", err))
		return false;
	if (!cs_arena_dup(&f->arena, cs_buf_span(out), &m->scalars))
		return cs_error_set(err, CS_E_NO_MEMORY, "out of memory");
	out = cs_front_out(f);
	if (!cs_approval_write(&a, out, err))
		return false;
	if (!cs_arena_dup(&f->arena, cs_buf_span(out), &m->approval))
		return cs_error_set(err, CS_E_NO_MEMORY, "out of memory");
	return true;
}

/* Its REQUEST: asked for and approved by the house itself. */
static bool house_request(struct cs_front *f, struct cs_msg_request *ret_m,
			  struct cs_error *err)
{
	const struct cs_client *house =
		cs_clients_by_id(f->clients, CS_CLIENT_HOUSE);
	struct cs_msg_request m = {
		.flags = CS_REQ_APPROVED | CS_REQ_SELF,
		.client = CS_CLIENT_HOUSE,
		.uid = -1,
		.client_name = CS_SPAN_LIT("_house"),
		.source = cs_buf_span(&f->house.source),
		.issuer = cs_buf_span(&f->house.issuer),
		.received_ms = cs_clock_wall_ms(&f->config.clock),
		.csr = cs_buf_span(&f->house.csr),
		.approver_client = CS_CLIENT_HOUSE,
	};
	struct cs_span parts[2];

	if (house != NULL && house->credentials_n > 0)
		m.credential = house->credentials[0].id;
	m.approver_credential = m.credential;
	if (!house_words(f, &m, err))
		return false;
	/* Nobody approves it by its hash, and it has no key to replay. */
	parts[0] = m.scalars;
	parts[1] = m.csr;
	if (!cs_random_public(m.id, sizeof(m.id), err) ||
	    !cs_hash_sha256_parts(f->hash, parts, 2, m.fingerprint, err))
		return false;
	*ret_m = m;
	return true;
}

void cs_front_house_try(void *front)
{
	struct cs_front *f = front;
	struct cs_msg_request m;
	struct cs_problem p;
	struct cs_error err;

	if (!f->house.wanted || f->life != CS_FRONT_SERVING ||
	    f->state.state != CS_LEDGER_ISSUING)
		return;
	cs_arena_reset(&f->arena);
	f->house.wanted = false;
	f->house.tries++;
	if (!house_request(f, &m, &err)) {
		cs_front_house_failed(f, cs_span_str(err.text));
		return;
	}
	if (!cs_front_launch(f, &m, CS_FLIGHT_HOUSE, f->house.ticket, &p)) {
		f->house.wanted = true;
		cs_timer_start(f->retry, HOUSE_RETRY_MS);
	}
}

bool cs_front_house_csr(struct cs_front *f, uint64_t ticket,
			const struct cs_msg_house_csr *m, struct cs_error *err)
{
	struct cs_front_house *l = &f->house;

	cs_buf_reset(&l->source);
	cs_buf_reset(&l->issuer);
	cs_buf_reset(&l->csr);
	cs_buf_add(&l->source, m->source);
	cs_buf_add(&l->issuer, m->issuer);
	cs_buf_add(&l->csr, m->csr);
	if (!cs_buf_finish(&l->source, "HOUSE_CSR", err) ||
	    !cs_buf_finish(&l->issuer, "HOUSE_CSR", err) ||
	    !cs_buf_finish(&l->csr, "HOUSE_CSR", err))
		return false;
	l->ticket = ticket;
	l->wanted = true;
	l->tries = 0;
	cs_front_house_try(f);
	return true;
}

void cs_front_house_failed(struct cs_front *f, struct cs_span detail)
{
	const struct cs_msg_house_cert cert = {.ok = 0, .detail = detail};
	struct cs_error err;

	f->house.wanted = false;
	if (!cs_link_send_house_cert(f->parent, f->house.ticket, &cert, &err))
		cs_log_error(f->config.log, "front.house", &err);
}
