#include "api/front_clients.h"

#include <openssl/crypto.h>

#include "api/body.h"
#include "api/client_body.h"
#include "api/front_ask.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/params.h"
#include "base/json.h"
#include "base/time.h"

bool cs_front_list_clients(struct cs_front *f, struct cs_call *c)
{
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	if (cs_clients_write(f->clients, out, &err))
		cs_front_reply_json(f, c->ticket, 200, cs_buf_span(out));
	else
		cs_front_reply_error(f, c->ticket, &err);
	return true;
}

/* Send a change; its ADMIN_DONE finds the wait by the ticket. */
static bool send_change(struct cs_front *f, struct cs_call *c,
			const struct cs_wait *w, struct cs_span change)
{
	const struct cs_msg_client_change m = {
		.change = change,
		.credential = c->who.credential,
		.uid = c->who.uid,
		.shown = cs_serial_key_whole(&c->who.serial_key),
	};
	struct cs_error err;

	if (cs_link_send_client_change(f->ledger, w->ticket, &m, &err))
		return true;
	return cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			      err.text);
}

/* Make the token, if one is wanted, and send the change. */
static bool change_client(struct cs_front *f, struct cs_call *c,
			  const struct cs_new_client *n, const char *op)
{
	bool token = !n->credential.is_cert;
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;
	struct cs_wait *w;

	if (!cs_front_wait(f, c, token ? CS_WAIT_CLIENT_ADD : CS_WAIT_ADMIN,
			   &w))
		return false;
	w->status = 201;
	w->expires_ms = n->credential.expires_ms;
	if (!cs_arena_dup(&w->arena, n->name, &w->name))
		cs_problem_set(c->p, CS_PROBLEM_BUSY, "", "Out of memory.");
	else if ((token && !cs_auth_token_new(f->auth, &w->token, &err)) ||
		 !cs_client_change_write(n, op, &w->token, out, &err))
		cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			       err.text);
	else if (send_change(f, c, w, cs_buf_span(out)))
		return true;
	cs_waits_end(f->waits, w);
	return false;
}

/* What the call's body is read against. */
static struct cs_client_body against(struct cs_front *f,
				     const struct cs_body *b)
{
	return (struct cs_client_body){
		.body = b,
		.issuers = f->config.issuers,
		.issuers_n = f->config.issuers_n,
		.revoked = f->revoked,
		.now_ms = cs_clock_wall_ms(&f->config.clock),
		.arena = &f->arena,
	};
}

bool cs_front_add_client(struct cs_front *f, struct cs_call *c)
{
	struct cs_body b = {.path = "", .p = c->p};
	const struct cs_client_body r = against(f, &b);
	struct cs_new_client n = {0};
	bool ok;

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	b.object = cs_body_parse(c->request->body, c->p);
	if (b.object == NULL)
		return false;
	ok = cs_client_body_read(&r, &n) && change_client(f, c, &n, "add");
	json_decref(b.object);
	return ok;
}

/* The client that the path names; false: NOT_FOUND. */
static bool find_named(const struct cs_front *f, const struct cs_call *c)
{
	if (cs_client_is_name(c->arg) &&
	    cs_clients_by_name(f->clients, c->arg) != NULL)
		return true;
	return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
			      "There is no client \"%.*s\".",
			      CS_SPAN_FMT(cs_span_sub(c->arg, 0, CS_MAX_NAME)));
}

bool cs_front_add_token(struct cs_front *f, struct cs_call *c)
{
	struct cs_body b = {.path = "", .p = c->p};
	const struct cs_client_body r = against(f, &b);
	struct cs_new_client n = {.name = c->arg};
	bool ok;

	if (!cs_params_none(c->request->head->query, c->p) || !find_named(f, c))
		return false;
	if (c->request->body.n == 0)
		return change_client(f, c, &n, "bind");
	b.object = cs_body_parse(c->request->body, c->p);
	if (b.object == NULL)
		return false;
	ok = cs_client_body_token(&r, &n.credential) &&
	     change_client(f, c, &n, "bind");
	json_decref(b.object);
	return ok;
}

bool cs_front_add_certificate(struct cs_front *f, struct cs_call *c)
{
	struct cs_body b = {.path = "", .p = c->p};
	const struct cs_client_body r = against(f, &b);
	struct cs_new_client n = {.name = c->arg};
	bool ok;

	if (!cs_params_none(c->request->head->query, c->p) || !find_named(f, c))
		return false;
	b.object = cs_body_parse(c->request->body, c->p);
	if (b.object == NULL)
		return false;
	ok = cs_client_body_certificate(&r, &n.credential) &&
	     change_client(f, c, &n, "bind");
	json_decref(b.object);
	return ok;
}

/* A change that names a client, and one of its credentials if not 0. */
static bool end_something(struct cs_front *f, struct cs_call *c, const char *op,
			  int64_t credential)
{
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;
	struct cs_wait *w;
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	if (credential != 0)
		cs_json_member_int(&j, "credential_id", credential);
	cs_json_member_span(&j, "name", c->arg);
	cs_json_member_str(&j, "op", op);
	cs_json_end(&j);
	if (!cs_json_finish(&j, "the client's change", &err))
		return cs_problem_set(c->p, cs_problem_of_error(err.code), "",
				      "%s", err.text);
	if (!cs_front_wait(f, c, CS_WAIT_ADMIN, &w))
		return false;
	if (send_change(f, c, w, cs_buf_span(out)))
		return true;
	cs_waits_end(f->waits, w);
	return false;
}

bool cs_front_remove_client(struct cs_front *f, struct cs_call *c)
{
	return cs_params_none(c->request->head->query, c->p) &&
	       find_named(f, c) && end_something(f, c, "remove", 0);
}

bool cs_front_revoke_credential(struct cs_front *f, struct cs_call *c)
{
	int64_t id = 0;

	if (!cs_params_none(c->request->head->query, c->p) || !find_named(f, c))
		return false;
	for (size_t i = 0; i < c->arg2.n && id >= 0; i++) {
		uint8_t ch = c->arg2.p[i];

		id = ch < '0' || ch > '9' || c->arg2.n > 15
			     ? -1
			     : id * 10 + (ch - '0');
	}
	if (id <= 0)
		return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
				      "There is no such credential.");
	return end_something(f, c, "revoke", id);
}

void cs_front_reply_token(struct cs_front *f, const struct cs_wait *w,
			  struct cs_span change)
{
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	if (change.n > 0) {
		cs_json_name(&j, "change");
		cs_json_raw(&j, change);
	}
	cs_json_name(&j, "expires");
	if (w->expires_ms > 0)
		cs_json_time_ms(&j, w->expires_ms);
	else
		cs_json_null(&j);
	cs_json_member_span(&j, "name", w->name);
	cs_json_member_str(&j, "token", w->token.text);
	cs_json_member_str(&j, "token_id", w->token.id);
	cs_json_end(&j);
	if (cs_json_finish(&j, "the new client", &err))
		cs_front_reply_json(f, w->http, 201, cs_buf_span(out));
	else
		cs_front_reply_error(f, w->http, &err);
	if (out->p != NULL)
		OPENSSL_cleanse(out->p, out->cap);
}
