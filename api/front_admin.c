#include "api/front_admin.h"

#include "api/front_ask.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/openapi.h"
#include "api/params.h"
#include "base/json.h"
#include "base/time.h"

/* -- health ------------------------------------------------------------- */

bool cs_front_healthz(struct cs_front *f, struct cs_call *c)
{
	cs_front_reply_json(f, c->ticket, 200,
			    CS_SPAN_LIT("{\"status\":\"ok\"}"));
	return true;
}

/* Why nothing is issued now; NONE when it is. */
static enum cs_problem_code not_ready(const struct cs_front *f)
{
	if (f->life == CS_FRONT_STARTING)
		return CS_PROBLEM_STARTING;
	if (f->life >= CS_FRONT_STOPPING)
		return CS_PROBLEM_STOPPING;
	return cs_problem_of_state(f->state.state);
}

bool cs_front_readyz(struct cs_front *f, struct cs_call *c)
{
	enum cs_problem_code code = not_ready(f);
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;
	struct cs_json j;

	if (code != CS_PROBLEM_NONE)
		return cs_problem_set(c->p, code, "", "%s",
				      f->state.reason[0] != '\0'
					      ? f->state.reason
					      : cs_problem_title(code));
	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_str(&j, "status", "ready");
	if (f->state.reason[0] != '\0') {
		cs_json_name(&j, "warning");
		cs_json_text(&j, cs_span_str(f->state.reason));
	}
	cs_json_end(&j);
	if (cs_json_finish(&j, "readiness", &err))
		cs_front_reply_json(f, c->ticket, 200, cs_buf_span(out));
	else
		cs_front_reply_error(f, c->ticket, &err);
	return true;
}

bool cs_front_get_openapi(struct cs_front *f, struct cs_call *c)
{
	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	cs_front_reply_json(f, c->ticket, 200, cs_openapi());
	return true;
}

/* Does it answer OCSP, and until when with the responder that it has? */
static void put_ocsp(const struct cs_front *f, size_t i, struct cs_json *j)
{
	cs_json_name(j, "ocsp");
	cs_json_bool(j, f->config.issuers[i].ocsp);
	cs_json_name(j, "ocsp_responder_not_after");
	if (f->responder_not_after_s[i] > 0)
		cs_json_time_ms(j, f->responder_not_after_s[i] * 1000);
	else
		cs_json_null(j);
}

void cs_front_reply_status(struct cs_front *f, uint64_t ticket,
			   struct cs_span reader)
{
	enum cs_problem_code code = not_ready(f);
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_int(&j, "clients",
			   (int64_t)cs_clients_count(f->clients));
	cs_json_member_int(&j, "epoch", (int64_t)f->state.epoch);
	cs_json_member_int(&j, "in_flight",
			   (int64_t)cs_inflight_count(f->inflight));
	cs_json_name(&j, "issuers");
	cs_json_array(&j);
	for (size_t i = 0; i < f->config.issuers_n; i++) {
		cs_json_object(&j);
		cs_json_member_str(&j, "name", f->config.issuers[i].name);
		put_ocsp(f, i, &j);
		cs_json_name(&j, "self_approval");
		cs_json_bool(&j, f->config.issuers[i].self_approval);
		cs_json_member_str(&j, "state",
				   f->config.issuers[i].is_retired ? "retired"
								   : "active");
		cs_json_end(&j);
	}
	cs_json_end(&j);
	cs_json_name(&j, "ledger");
	cs_json_raw(&j, reader);
	cs_json_name(&j, "reason");
	cs_json_text(&j, cs_span_str(f->state.reason));
	cs_json_member_hex(&j, "set_sha256",
			   cs_span_make(f->state.set_sha256, 32));
	cs_json_member_str(&j, "state",
			   code == CS_PROBLEM_NONE ? "ISSUING"
						   : cs_problem_name(code));
	cs_json_member_int(&j, "tree_size", (int64_t)f->state.tree_size);
	cs_json_member_int(&j, "workers",
			   (int64_t)cs_inflight_workers(f->inflight));
	cs_json_end(&j);
	if (cs_json_finish(&j, "the status", &err))
		cs_front_reply_json(f, ticket, 200, cs_buf_span(out));
	else
		cs_front_reply_error(f, ticket, &err);
}

/* -- the clock ---------------------------------------------------------- */

bool cs_front_accept_clock(struct cs_front *f, struct cs_call *c)
{
	const struct cs_msg_clock_accept m = {
		.credential = c->who.credential,
		.uid = c->who.uid,
		.shown = cs_serial_key_whole(&c->who.serial_key),
	};
	struct cs_error err;
	struct cs_wait *w;

	if (!cs_params_none(c->request->head->query, c->p) ||
	    !cs_front_wait(f, c, CS_WAIT_ADMIN, &w))
		return false;
	if (cs_link_send_clock_accept(f->ledger, w->ticket, &m, &err))
		return true;
	cs_waits_end(f->waits, w);
	return cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			      err.text);
}

bool cs_front_backup(struct cs_front *f, struct cs_call *c)
{
	const struct cs_msg_backup m = {
		.credential = c->who.credential,
		.uid = c->who.uid,
		.shown = cs_serial_key_whole(&c->who.serial_key),
	};
	struct cs_error err;
	struct cs_wait *w;

	if (!cs_params_none(c->request->head->query, c->p) ||
	    !cs_front_wait(f, c, CS_WAIT_BACKUP, &w))
		return false;
	if (cs_link_send_backup(f->ledger, w->ticket, &m, &err))
		return true;
	cs_waits_end(f->waits, w);
	return cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			      err.text);
}
