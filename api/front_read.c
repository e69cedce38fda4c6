#include "api/front_read.h"

#include "api/accept.h"
#include "api/front_ask.h"
#include "api/front_look.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/params.h"
#include "base/codec.h"
#include "base/json.h"

bool cs_front_get_request(struct cs_front *f, struct cs_call *c)
{
	const struct cs_front_view view = cs_front_view(
		f, c->who.client, CS_RIGHT_AUDIT | CS_RIGHT_APPROVE);
	struct cs_span params;

	return cs_params_none(c->request->head->query, c->p) &&
	       cs_front_hex_params(f, c, "id", 16, &params) &&
	       cs_front_ask_new(f, c, CS_WAIT_REQUEST, CS_QUERY_REQUEST, &view,
				params);
}

bool cs_front_get_certificate(struct cs_front *f, struct cs_call *c)
{
	enum cs_certificate_form form =
		cs_accept_certificate(c->request->head->accept);
	const struct cs_front_view view =
		cs_front_view(f, c->who.client, CS_RIGHT_AUDIT);
	struct cs_span params;
	struct cs_wait *w;

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	if (form == CS_FORM_NONE)
		return cs_problem_set(
			c->p, CS_PROBLEM_NOT_ACCEPTABLE, "Accept",
			"Accept: a certificate is given as application/json,"
			" application/pem-certificate-chain or"
			" application/pkix-cert.");
	if (!cs_front_hex_params(f, c, "serial", CS_MAX_SERIAL, &params) ||
	    !cs_front_wait(f, c, CS_WAIT_CERTIFICATE, &w))
		return false;
	w->form = form;
	if (cs_front_ask(f, c, w, CS_QUERY_CERTIFICATE, &view, params))
		return true;
	cs_waits_end(f->waits, w);
	return false;
}

bool cs_front_get_policies(struct cs_front *f, struct cs_call *c)
{
	return cs_params_none(c->request->head->query, c->p) &&
	       cs_front_ask_new(f, c, CS_WAIT_PAGE, CS_QUERY_POLICY,
				&cs_front_everything, CS_SPAN_LIT("{}"));
}

bool cs_front_get_policy_set(struct cs_front *f, struct cs_call *c)
{
	struct cs_span params;

	return cs_params_none(c->request->head->query, c->p) &&
	       cs_front_hex_params(f, c, "set_sha256", 32, &params) &&
	       cs_front_ask_new(f, c, CS_WAIT_PAGE, CS_QUERY_POLICY,
				&cs_front_everything, params);
}

bool cs_front_get_status(struct cs_front *f, struct cs_call *c)
{
	return cs_params_none(c->request->head->query, c->p) &&
	       cs_front_ask_new(f, c, CS_WAIT_STATUS, CS_QUERY_STATUS,
				&cs_front_everything, CS_SPAN_LIT("{}"));
}

/* -- what the reader says ----------------------------------------------- */

bool cs_front_reply_request(struct cs_front *f, struct cs_wait *w,
			    struct cs_span body)
{
	struct cs_msg_answer m;
	struct cs_error err;

	if (!cs_msg_answer_decode(body, &m, &err)) {
		cs_front_reply_error(f, w->http, &err);
		return false;
	}
	if (cs_front_look(f, w, &m, body))
		return true;
	cs_front_reply_answer(f, w->http, &m, CS_FLIGHT_NOBODY,
			      w->asker.client);
	return false;
}

/* The chain's first certificate, as DER. */
static bool first_der(struct cs_span pem, struct cs_buf *out,
		      struct cs_error *err)
{
	bool found = false;

	if (!cs_codec_pem_next("CERTIFICATE", &pem, out, &found, err))
		return false;
	if (!found)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "the reader's certificate is no PEM");
	return true;
}

void cs_front_reply_certificate(struct cs_front *f, const struct cs_wait *w,
				struct cs_span body)
{
	struct cs_buf *out = cs_front_out(f);
	struct cs_reply r = {.status = 200};
	struct cs_error err;
	const json_t *pem;
	json_t *root;
	bool ok = true;

	if (w->form == CS_FORM_JSON) {
		cs_front_reply_json(f, w->http, 200, body);
		return;
	}
	root = cs_json_parse(body, "the reader's page", &err);
	pem = json_object_get(root, "certificate");
	if (!json_is_string(pem)) {
		ok = cs_error_set(&err, CS_E_PROTOCOL,
				  "the reader's page has no certificate");
	} else if (w->form == CS_FORM_PEM_CHAIN) {
		r.media_type = "application/pem-certificate-chain";
		cs_buf_add(out, cs_span_str(json_string_value(pem)));
	} else {
		r.media_type = "application/pkix-cert";
		ok = first_der(cs_span_str(json_string_value(pem)), out, &err);
	}
	json_decref(root);
	if (ok)
		cs_front_reply(f, w->http, &r, cs_buf_span(out));
	else
		cs_front_reply_error(f, w->http, &err);
}
