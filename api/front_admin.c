#include <string.h>

#include <openssl/crypto.h>

#include "api/body.h"
#include "api/front_room.h"
#include "api/openapi.h"
#include "api/params.h"
#include "api/submit.h"
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

	if (code != CS_PROBLEM_NONE)
		return cs_problem_set(c->p, code, "", "%s",
				      f->state.reason[0] != '\0'
					      ? f->state.reason
					      : cs_problem_title(code));
	cs_front_reply_json(f, c->ticket, 200,
			    CS_SPAN_LIT("{\"status\":\"ready\"}"));
	return true;
}

bool cs_front_get_openapi(struct cs_front *f, struct cs_call *c)
{
	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	cs_front_reply_json(f, c->ticket, 200, cs_openapi());
	return true;
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
		cs_json_name(&j, "self_approval");
		cs_json_bool(&j, f->config.issuers[i].self_approval);
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

/* -- issuers ------------------------------------------------------------ */

bool cs_front_list_issuers(struct cs_front *f, struct cs_call *c)
{
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;
	struct cs_json j;

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_name(&j, "items");
	cs_json_array(&j);
	for (size_t i = 0; i < f->config.issuers_n; i++) {
		const struct cs_front_issuer *is = &f->config.issuers[i];

		cs_json_object(&j);
		cs_json_member_span(&j, "ca", is->ca);
		cs_json_member_span(&j, "chain", is->chain);
		cs_json_member_str(&j, "name", is->name);
		cs_json_name(&j, "self_approval");
		cs_json_bool(&j, is->self_approval);
		cs_json_end(&j);
	}
	cs_json_end(&j);
	cs_json_name(&j, "next");
	cs_json_null(&j);
	cs_json_end(&j);
	if (cs_json_finish(&j, "the list of issuers", &err))
		cs_front_reply_json(f, c->ticket, 200, cs_buf_span(out));
	else
		cs_front_reply_error(f, c->ticket, &err);
	return true;
}

bool cs_front_get_chain(struct cs_front *f, struct cs_call *c)
{
	const struct cs_reply r = {
		.status = 200,
		.media_type = "application/pem-certificate-chain",
	};
	const struct cs_front_issuer *is = cs_submit_issuer(
		f->config.issuers, f->config.issuers_n, c->arg);

	if (is == NULL || is->chain.n == 0)
		return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
				      "There is no such issuer.");
	cs_front_reply(f, c->ticket, &r, is->chain);
	return true;
}

/* -- clients ------------------------------------------------------------ */

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

/* What a client is to be. Borrows from the document. */
struct new_client {
	struct cs_span name;
	struct cs_span realm;
	json_t *rights, *issuers, *namespaces, *groups;
	int64_t expires_ms; /* 0: never */
};

/* A name of ours: letters, digits, `.`, `-`, `_`; the house's begin with _. */
static bool is_name(struct cs_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t ch = s.p[i];
		bool plain = (ch >= 'a' && ch <= 'z') ||
			     (ch >= 'A' && ch <= 'Z') ||
			     (ch >= '0' && ch <= '9');

		if (!plain && (i == 0 || (ch != '.' && ch != '-' && ch != '_')))
			return false;
	}
	return s.n > 0;
}

/* Are rights and issuers ones that exist? */
static bool check_scope(const struct cs_front *f, const struct cs_body *b,
			const struct new_client *n)
{
	if (json_array_size(n->rights) == 0)
		return cs_body_refuse(b, "rights",
				      "a client needs one right at least");
	for (size_t i = 0; i < json_array_size(n->rights); i++) {
		struct cs_span s = cs_body_string(json_array_get(n->rights, i));

		if (cs_right_from_name(s) == 0)
			return cs_body_refuse(b, "rights",
					      "there is no right \"%.*s\"",
					      CS_SPAN_FMT(s));
	}
	for (size_t i = 0; i < json_array_size(n->issuers); i++) {
		struct cs_span s =
			cs_body_string(json_array_get(n->issuers, i));

		if (cs_submit_issuer(f->config.issuers, f->config.issuers_n,
				     s) == NULL)
			return cs_body_refuse(b, "issuers",
					      "there is no issuer \"%.*s\"",
					      CS_SPAN_FMT(s));
	}
	return true;
}

/* {name, rights, issuers?, realm?, groups?, namespaces?, expires?}. */
static bool read_client(const struct cs_front *f, const struct cs_body *b,
			struct new_client *n)
{
	static const char *const fields[] = {"expires", "groups",     "issuers",
					     "name",	"namespaces", "realm",
					     "rights",	NULL};
	struct cs_span expires;
	struct cs_error err;
	int64_t seconds = 0;

	if (!cs_body_known(b, fields) ||
	    !cs_body_get_text(b, "name", CS_BODY_LINE, CS_MAX_NAME, &n->name) ||
	    !cs_body_get_text(b, "realm", CS_BODY_LINE, CS_MAX_NAME,
			      &n->realm) ||
	    !cs_body_get_strings(b, "rights", 6, CS_MAX_NAME, &n->rights) ||
	    !cs_body_get_strings(b, "issuers", CS_MAX_ISSUERS, CS_MAX_NAME,
				 &n->issuers) ||
	    !cs_body_get_strings(b, "namespaces", CS_MAX_LABELS, CS_MAX_NAME,
				 &n->namespaces) ||
	    !cs_body_get_strings(b, "groups", CS_MAX_GROUPS, CS_MAX_PRINCIPAL,
				 &n->groups) ||
	    !cs_body_get_text(b, "expires", CS_BODY_LINE, CS_MAX_NAME,
			      &expires))
		return false;
	if (!is_name(n->name))
		return cs_body_refuse(b, "name",
				      "\"%.*s\" is no name: letters, digits,"
				      " '.', '-', '_', beginning with a letter"
				      " or digit",
				      CS_SPAN_FMT(n->name));
	if (expires.p != NULL &&
	    !cs_time_parse_duration(expires, &seconds, &err))
		return cs_body_refuse(b, "expires", "%s", err.text);
	if (expires.p != NULL && (seconds <= 0 || seconds > INT64_C(1) << 33))
		return cs_body_refuse(b, "expires", "\"%.*s\" is no such time",
				      CS_SPAN_FMT(expires));
	if (seconds > 0)
		n->expires_ms =
			cs_clock_wall_ms(&f->config.clock) + seconds * 1000;
	return check_scope(f, b, n);
}

/* A member that is a list of the document, or an empty one. */
static void put_list(struct cs_json *j, const char *name, const json_t *list)
{
	cs_json_name(j, name);
	cs_json_array(j);
	for (size_t i = 0; i < json_array_size(list); i++)
		cs_json_string(j, cs_body_string(json_array_get(list, i)));
	cs_json_end(j);
}

/* The CLIENT_CHANGE that adds it, with the token's digest. */
static bool write_add(const struct new_client *n, const struct cs_auth_token *t,
		      struct cs_buf *out, struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_name(&j, "credential");
	cs_json_object(&j);
	cs_json_member_hex(&j, "digest", cs_span_make(t->digest, 32));
	if (n->expires_ms > 0)
		cs_json_member_int(&j, "expires_ms", n->expires_ms);
	cs_json_member_str(&j, "kind", "token");
	cs_json_member_str(&j, "token_id", t->id);
	cs_json_end(&j);
	put_list(&j, "groups", n->groups);
	put_list(&j, "issuers", n->issuers);
	cs_json_member_span(&j, "name", n->name);
	put_list(&j, "namespaces", n->namespaces);
	cs_json_member_str(&j, "op", "add");
	cs_json_member_span(&j, "realm", n->realm);
	put_list(&j, "rights", n->rights);
	cs_json_end(&j);
	return cs_json_finish(&j, "the client's change", err);
}

/* Send a change; its ADMIN_DONE finds the wait by the ticket. */
static bool send_change(struct cs_front *f, struct cs_call *c,
			const struct cs_wait *w, struct cs_span change)
{
	const struct cs_msg_client_change m = {
		.change = change,
		.credential = c->who.credential,
		.uid = c->who.uid,
	};
	struct cs_error err;

	if (cs_link_send_client_change(f->ledger, w->ticket, &m, &err))
		return true;
	return cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			      err.text);
}

/* Make the token and send the change. */
static bool add_client(struct cs_front *f, struct cs_call *c,
		       const struct new_client *n)
{
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;
	struct cs_wait *w;

	if (!cs_front_wait(f, c, CS_WAIT_CLIENT_ADD, &w))
		return false;
	w->expires_ms = n->expires_ms;
	if (!cs_arena_dup(&w->arena, n->name, &w->name))
		cs_problem_set(c->p, CS_PROBLEM_BUSY, "", "Out of memory.");
	else if (!cs_auth_token_new(f->auth, &w->token, &err) ||
		 !write_add(n, &w->token, out, &err))
		cs_problem_set(c->p, cs_problem_of_error(err.code), "", "%s",
			       err.text);
	else if (send_change(f, c, w, cs_buf_span(out)))
		return true;
	cs_waits_end(f->waits, w);
	return false;
}

bool cs_front_add_client(struct cs_front *f, struct cs_call *c)
{
	struct cs_body b = {.path = "", .p = c->p};
	struct new_client n = {0};
	bool ok;

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	b.object = cs_body_parse(c->request->body, c->p);
	if (b.object == NULL)
		return false;
	ok = read_client(f, &b, &n) && add_client(f, c, &n);
	json_decref(b.object);
	return ok;
}

bool cs_front_remove_client(struct cs_front *f, struct cs_call *c)
{
	struct cs_buf *out = cs_front_out(f);
	struct cs_error err;
	struct cs_wait *w;
	struct cs_json j;

	if (!cs_params_none(c->request->head->query, c->p))
		return false;
	if (!is_name(c->arg) || cs_clients_by_name(f->clients, c->arg) == NULL)
		return cs_problem_set(
			c->p, CS_PROBLEM_NOT_FOUND, "",
			"There is no client \"%.*s\".",
			CS_SPAN_FMT(cs_span_sub(c->arg, 0, CS_MAX_NAME)));
	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_span(&j, "name", c->arg);
	cs_json_member_str(&j, "op", "remove");
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

bool cs_front_accept_clock(struct cs_front *f, struct cs_call *c)
{
	const struct cs_msg_clock_accept m = {
		.credential = c->who.credential,
		.uid = c->who.uid,
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

/* -- what the ledger says ----------------------------------------------- */

/* The new client and its token, which nobody will see again. */
static void reply_token(struct cs_front *f, const struct cs_wait *w,
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

void cs_front_admin_done(struct cs_front *f, uint64_t ticket,
			 const struct cs_msg_admin_done *m)
{
	struct cs_wait *w = cs_waits_find(f->waits, ticket);

	if (w == NULL)
		return;
	if (w->kind == CS_WAIT_CHECK)
		cs_front_policy_done(f, w, m);
	else if (m->ok == 0)
		cs_front_reply_foreign(f, w->http, m->code, m->detail);
	else if (w->kind == CS_WAIT_CLIENT_ADD)
		reply_token(f, w, m->body);
	else
		cs_front_reply_json(f, w->http, 200,
				    m->body.n > 0 ? m->body
						  : CS_SPAN_LIT("{}"));
	cs_waits_end(f->waits, w);
	cs_front_check_stop(f);
}
