#include "api/front_look.h"

#include "api/answer.h"
#include "api/decide.h"
#include "api/front_ask.h"
#include "api/front_flights.h"
#include "api/front_life.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "base/json.h"

/* Answer with what is recorded and, if there is one, with `now`. */
static void reply(struct cs_front *f, struct cs_wait *w, struct cs_span now)
{
	enum cs_answer_view view = cs_front_view_of(f, w->asker.client);
	struct cs_answer_http http;
	struct cs_msg_answer m;
	struct cs_error err;

	if (cs_msg_answer_decode(cs_buf_span(&w->request), &m, &err) &&
	    cs_answer_render_now(&m, view, now, cs_front_out(f), &http, &err))
		cs_front_reply_json(f, w->http, http.read_status,
				    cs_buf_span(&f->out));
	else
		cs_front_reply_error(f, w->http, &err);
	cs_waits_end(f->waits, w);
	cs_front_check_stop(f);
}

/* Why it is not known what would become of it. */
static void reply_unknown(struct cs_front *f, struct cs_wait *w,
			  struct cs_span code, struct cs_span detail)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf now;
	struct cs_json j;

	cs_buf_init(&now, CS_MAX_DECISION);
	cs_json_begin(&j, &now);
	cs_json_object(&j);
	cs_json_name(&j, "code");
	cs_json_text(&j, code);
	cs_json_name(&j, "detail");
	cs_json_text(&j, detail);
	cs_json_end(&j);
	reply(f, w,
	      cs_json_finish(&j, "now", NULL) ? cs_buf_span(&now)
					      : cs_span_make(NULL, 0));
}

static void reply_problem(struct cs_front *f, struct cs_wait *w,
			  const struct cs_problem *p)
{
	reply_unknown(f, w, cs_span_str(cs_problem_name(p->code)),
		      cs_span_str(p->detail));
}

/* The question for the stored request of an ANSWER. */
static bool ask_stored(struct cs_front *f, const struct cs_wait *w,
		       const struct cs_msg_answer *m)
{
	struct cs_msg_query q = {.kind = CS_QUERY_STORED};
	struct cs_buf *out = cs_front_out(f);
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_hex(&j, "id", cs_span_make(m->id, sizeof(m->id)));
	cs_json_end(&j);
	if (!cs_json_finish(&j, "the question", NULL))
		return false;
	q.params = cs_buf_span(out);
	return cs_link_send_query(f->reader, w->ticket, &q, NULL);
}

bool cs_front_look(struct cs_front *f, struct cs_wait *w,
		   const struct cs_msg_answer *m, struct cs_span encoded)
{
	struct cs_principal who;

	if (m->outcome != CS_ANSWER_PENDING || w->http == 0 ||
	    !cs_front_find_asker(f, &w->asker, &who) ||
	    (who.client->rights & CS_RIGHT_APPROVE) == 0)
		return false;
	cs_buf_init(&w->request, CS_MAX_MESSAGE);
	if (!cs_buf_add(&w->request, encoded) || !ask_stored(f, w, m))
		return false;
	w->kind = CS_WAIT_LOOK;
	return true;
}

/* May one more look be under way? */
static bool has_room(const struct cs_front *f, struct cs_problem *p)
{
	size_t looks = 0;

	for (size_t i = 0; i < cs_inflight_capacity(f->inflight); i++) {
		const struct cs_flight *flight = cs_inflight_at(f->inflight, i);

		looks += flight != NULL && flight->owner == CS_FLIGHT_LOOK;
	}
	if (looks < CS_MAX_LOOKS)
		return cs_front_has_room(f, p);
	return cs_problem_set(p, CS_PROBLEM_BUSY, "",
			      "%d approvers look already; look again in a"
			      " moment.",
			      CS_MAX_LOOKS);
}

void cs_front_look_stored(struct cs_front *f, struct cs_wait *w,
			  struct cs_span stored)
{
	const struct cs_decide_body yes = {.has_sha256 = false};
	struct cs_problem p = {.code = CS_PROBLEM_NONE};
	struct cs_msg_request old, m;
	struct cs_principal who;
	struct cs_decide d = {
		.who = &who,
		.body = &yes,
		.stored = &old,
		.now_ms = cs_clock_wall_ms(&f->config.clock),
		.issuers = f->config.issuers,
		.issuers_n = f->config.issuers_n,
		.arena = &w->arena,
	};
	bool ok;

	if (!cs_front_find_asker(f, &w->asker, &who) ||
	    !cs_msg_request_decode(stored, &old, NULL) ||
	    !cs_client_may(who.client, CS_RIGHT_APPROVE, old.issuer)) {
		reply(f, w, cs_span_make(NULL, 0));
		return;
	}
	ok = cs_front_check_state(f, &p) && cs_decide_approve(&d, &m, &p) &&
	     has_room(f, &p);
	if (ok) {
		m.flags |= CS_REQ_DRY_RUN;
		ok = cs_front_launch(f, &m, CS_FLIGHT_LOOK, w->ticket, &p);
	}
	if (!ok)
		reply_problem(f, w, &p);
}

void cs_front_looked(struct cs_front *f, uint64_t ticket,
		     const struct cs_msg_answer *m)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf now;
	struct cs_wait *w = cs_waits_find(f->waits, ticket);
	struct cs_answer_http http;

	cs_buf_init(&now, CS_MAX_MESSAGE);
	if (w == NULL || w->kind != CS_WAIT_LOOK)
		return;
	if (m->outcome != CS_ANSWER_DRY_RUN)
		reply_unknown(f, w,
			      m->code.n > 0 ? m->code : CS_SPAN_LIT("BUSY"),
			      m->detail);
	else if (cs_answer_render(m, cs_front_view_of(f, w->asker.client), &now,
				  &http, NULL))
		reply(f, w, cs_buf_span(&now));
	else
		reply(f, w, cs_span_make(NULL, 0));
}
