#include "api/front_evaluate.h"

#include "api/answer.h"
#include "api/front_ask.h"
#include "api/front_checks.h"
#include "api/front_life.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/params.h"
#include "api/policy_body.h"
#include "api/submit.h"

/* The REQUEST and, where there are any, the sources, into the wait. */
static bool read(struct cs_front *f, struct cs_call *c, json_t *root,
		 struct cs_wait *w, bool *ret_candidate)
{
	const struct cs_body b = {root, "", c->p};
	const struct cs_submit s = {
		.who = &c->who,
		.flags = CS_SUBMIT_DRY_RUN | CS_SUBMIT_EVALUATE,
		.now_ms = cs_clock_wall_ms(&f->config.clock),
		.issuers = f->config.issuers,
		.issuers_n = f->config.issuers_n,
		.hash = f->hash,
		.arena = &f->arena,
	};
	struct cs_msg_request m;
	struct cs_error err;

	cs_buf_init(&w->request, CS_MAX_REQUEST_MESSAGE);
	cs_buf_init(&w->sources, CS_MAX_MESSAGE);
	if (!cs_policy_body_sources(&b, "policies", &w->arena, &w->sources,
				    ret_candidate) ||
	    !cs_submit_document(&s, root, &m, c->p))
		return false;
	cs_msg_request_encode(&m, &w->request);
	return cs_buf_finish(&w->request, "the request", &err) ||
	       cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			      err.text);
}

/* Is another candidate under way? */
static bool is_busy(const struct cs_front *f, const struct cs_wait *mine)
{
	for (size_t i = 0; i < cs_waits_capacity(f->waits); i++) {
		const struct cs_wait *w = cs_waits_at(f->waits, i);

		if (w != NULL && w != mine && w->kind == CS_WAIT_EVALUATE &&
		    cs_buf_span(&w->sources).n > 0)
			return true;
	}
	return false;
}

bool cs_front_evaluate(struct cs_front *f, struct cs_call *c)
{
	bool candidate = false;
	struct cs_wait *w;
	json_t *root;
	bool ok;

	if (!cs_params_none(c->request->head->query, c->p) ||
	    !cs_front_wait(f, c, CS_WAIT_EVALUATE, &w))
		return false;
	root = cs_body_parse(c->request->body, c->p);
	ok = root != NULL && read(f, c, root, w, &candidate);
	json_decref(root);
	if (ok && candidate && is_busy(f, w))
		ok = cs_problem_set(c->p, CS_PROBLEM_BUSY, "",
				    "Another set of policies is being"
				    " evaluated; try again in a moment.");
	if (!ok) {
		cs_waits_end(f->waits, w);
		return false;
	}
	cs_front_pump_checks(f);
	return true;
}

void cs_front_evaluated(struct cs_front *f, uint64_t ticket,
			const struct cs_msg_evaluated *m)
{
	const struct cs_msg_answer answer = {
		.outcome = CS_ANSWER_DRY_RUN,
		.body = m->body,
	};
	struct cs_wait *w = cs_waits_find(f->waits, ticket);
	struct cs_answer_http http;
	struct cs_error err;

	if (w == NULL || w->kind != CS_WAIT_EVALUATE)
		return;
	if (m->ok == 0 && m->report.n > 0)
		cs_front_reply_report(f, w,
				      CS_SPAN_LIT("The policies do not load."),
				      m->report);
	else if (m->ok == 0)
		cs_front_reply_foreign(f, w->http, m->code, m->detail);
	else if (cs_answer_render(&answer, CS_VIEW_AUDIT, cs_front_out(f),
				  &http, &err))
		cs_front_reply_json(f, w->http, http.status,
				    cs_buf_span(&f->out));
	else
		cs_front_reply_error(f, w->http, &err);
	cs_waits_end(f->waits, w);
	cs_front_check_stop(f);
}
