#include "api/front_request.h"

#include "api/decide.h"
#include "api/front_ask.h"
#include "api/front_flights.h"
#include "api/front_refusal.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/params.h"
#include "api/submit.h"

/* A right that a handler refused is told to the ledger like a route's. */
static bool refuse(struct cs_front *f, struct cs_call *c)
{
	if (cs_problem_status(c->p->code) == 403)
		cs_front_note_refusal(f, c);
	return false;
}

bool cs_front_submit(struct cs_front *f, struct cs_call *c)
{
	const struct cs_http_head *head = c->request->head;
	struct cs_submit s = {
		.who = &c->who,
		.body = c->request->body,
		.idempotency_key = head->idempotency_key,
		.now_ms = cs_clock_wall_ms(&f->config.clock),
		.issuers = f->config.issuers,
		.issuers_n = f->config.issuers_n,
		.hash = f->hash,
		.arena = &f->arena,
	};
	struct cs_msg_request m;
	bool dry_run;

	/* When there is too much, its body is not worth the time. */
	if (!cs_front_has_room(f, c->p) ||
	    !cs_params_flag("dry_run", head->query, &f->arena, &dry_run, c->p))
		return false;
	s.flags = dry_run ? CS_SUBMIT_DRY_RUN : 0;
	if (!cs_submit_request(&s, &m, c->p))
		return refuse(f, c);
	return cs_front_check_state(f, c->p) &&
	       cs_front_launch(f, &m, CS_FLIGHT_CLIENT, c->ticket, c->p);
}

/* Ask the reader for the stored request that is to be decided about. */
static bool ask_stored(struct cs_front *f, struct cs_call *c, struct cs_wait *w)
{
	struct cs_span params;

	return cs_front_hex_params(f, c, "id", 16, &params) &&
	       cs_front_ask(f, c, w, CS_QUERY_STORED, &cs_front_everything,
			    params);
}

/* Both decisions begin alike: read the body, fetch what is decided about. */
static bool begin(struct cs_front *f, struct cs_call *c,
		  enum cs_decision decision, enum cs_wait_kind kind)
{
	struct cs_wait *w;

	if (!cs_params_none(c->request->head->query, c->p) ||
	    !cs_front_check_state(f, c->p) || !cs_front_wait(f, c, kind, &w))
		return false;
	/* For the log, in case that it is refused when the request is here. */
	if (!cs_arena_dup(&w->arena, cs_front_host(c->request->peer),
			  &w->address) ||
	    !cs_arena_dup(&w->arena, c->request->head->path, &w->path))
		cs_problem_set(c->p, CS_PROBLEM_BUSY, "", "Out of memory.");
	else if (cs_decide_read(c->request->body, decision, &w->arena,
				&w->decision, c->p) &&
		 ask_stored(f, c, w))
		return true;
	cs_waits_end(f->waits, w);
	return false;
}

bool cs_front_approve(struct cs_front *f, struct cs_call *c)
{
	return begin(f, c, CS_DECIDE_APPROVE, CS_WAIT_APPROVE);
}

bool cs_front_deny(struct cs_front *f, struct cs_call *c)
{
	return begin(f, c, CS_DECIDE_DENY, CS_WAIT_DENY);
}

/* The DENY for the ledger; its ANSWER comes under a new wait's ticket. */
static bool send_denial(struct cs_front *f, struct cs_wait *w,
			const struct cs_decide *d, struct cs_problem *p)
{
	struct cs_msg_deny m;
	struct cs_error err;

	if (!cs_decide_deny(d, &m, p))
		return false;
	if (!cs_link_send_deny(f->ledger, w->ticket, &m, &err))
		return cs_problem_set(p, cs_problem_of_error(err.code), "",
				      "%s", err.text);
	w->kind = CS_WAIT_DENIED;
	return true;
}

/* A decision that was refused is told to the ledger, like a route's. */
static void note(struct cs_front *f, const struct cs_wait *w,
		 const struct cs_principal *who, enum cs_problem_code code)
{
	const struct cs_front_refusal r = {
		.address = w->address,
		.client = who->client->name,
		.code = code,
		.path = w->path,
		.uid = w->asker.uid,
	};

	cs_front_note(f, &r);
}

void cs_front_decide(struct cs_front *f, struct cs_wait *w,
		     struct cs_span stored)
{
	struct cs_msg_request old, m;
	struct cs_problem p = {.code = CS_PROBLEM_NONE};
	struct cs_principal who;
	struct cs_decide d = {
		.who = &who,
		.body = &w->decision,
		.stored = &old,
		.now_ms = cs_clock_wall_ms(&f->config.clock),
		.issuers = f->config.issuers,
		.issuers_n = f->config.issuers_n,
		.arena = &w->arena,
	};
	struct cs_error err;
	bool ok;

	if (!cs_msg_request_decode(stored, &old, &err)) {
		cs_front_reply_error(f, w->http, &err);
		cs_waits_end(f->waits, w);
		return;
	}
	if (!cs_front_find_asker(f, &w->asker, &who)) {
		ok = cs_problem_set(&p, CS_PROBLEM_UNAUTHENTICATED, "",
				    "The credential was taken away meanwhile.");
	} else if (w->kind == CS_WAIT_DENY) {
		ok = send_denial(f, w, &d, &p);
		if (ok)
			return;
	} else {
		ok = cs_decide_approve(&d, &m, &p) &&
		     cs_front_launch(f, &m, CS_FLIGHT_APPROVER, w->http, &p);
	}
	if (!ok && cs_problem_status(p.code) == 403)
		note(f, w, &who, p.code);
	if (!ok)
		cs_front_reply_problem(f, w->http, &p);
	cs_waits_end(f->waits, w);
}
