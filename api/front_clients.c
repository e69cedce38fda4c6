#include "api/front_clients.h"

#include <string.h>

#include <openssl/crypto.h>

#include "api/body.h"
#include "api/by_cert.h"
#include "api/front_ask.h"
#include "api/front_reply.h"
#include "api/front_room.h"
#include "api/params.h"
#include "api/submit.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/revoke.h"
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

/* What proves a client. Spans are in the call's arena. */
struct new_credential {
	bool is_cert; /* else a token, which is made here */
	uint8_t fingerprint[32];
	struct cs_span san; /* p NULL: whatever its names are */
	struct cs_span ca;  /* DER; p NULL: by fingerprint */
	int64_t expires_ms; /* 0: never */
};

/* What a client is to be. Borrows from the document. */
struct new_client {
	struct cs_span name;
	struct cs_span realm;
	json_t *rights, *issuers, *namespaces, *groups;
	struct new_credential credential;
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

/* "expires": a duration from now; absent: 0. */
static bool read_expires(const struct cs_front *f, const struct cs_body *b,
			 int64_t *ret_ms)
{
	struct cs_span text;
	struct cs_error err;
	int64_t seconds = 0;

	*ret_ms = 0;
	if (!cs_body_get_text(b, "expires", CS_BODY_LINE, CS_MAX_NAME, &text))
		return false;
	if (text.p == NULL)
		return true;
	if (!cs_time_parse_duration(text, &seconds, &err))
		return cs_body_refuse(b, "expires", "%s", err.text);
	if (seconds <= 0 || seconds > INT64_C(1) << 33)
		return cs_body_refuse(b, "expires", "\"%.*s\" is no such time",
				      CS_SPAN_FMT(text));
	*ret_ms = cs_clock_wall_ms(&f->config.clock) + seconds * 1000;
	return true;
}

/* The first certificate of a PEM text, as DER. */
static bool read_pem(const struct cs_body *b, const char *field,
		     struct cs_span pem, struct cs_buf *ret_der)
{
	struct cs_error err = {0};
	bool found = false;

	if (!cs_codec_pem_next("CERTIFICATE", &pem, ret_der, &found, &err))
		return cs_body_refuse(b, field, "%s", err.text);
	return found || cs_body_refuse(b, field,
				       "there is no certificate in it (PEM,"
				       " BEGIN CERTIFICATE)");
}

/* A client's own certificate: its fingerprint, and when it ends. */
static bool read_certificate(const struct cs_front *f, const struct cs_body *b,
			     struct cs_span pem, struct new_credential *c)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der = {0};
	int64_t now = cs_clock_wall_ms(&f->config.clock);
	struct cs_peer_cert *cert;
	enum cs_peer_cert_state state;
	struct cs_error err = {0};
	uint8_t key[CS_REVOKED_KEY];
	int64_t ends;

	cs_buf_init(&der, CS_MAX_CERT);
	if (!read_pem(b, "certificate", pem, &der))
		return false;
	cert = cs_peer_cert_new(cs_buf_span(&der), NULL, 0, &err);
	if (cert == NULL)
		return cs_body_refuse(b, "certificate", "%s", err.text);
	state = cs_peer_cert_state(cert, now);
	ends = cs_peer_cert_not_after_ms(cert);
	memcpy(c->fingerprint, cs_peer_cert_fingerprint(cert), 32);
	cs_revoked_key(cs_peer_cert_serial(cert), key);
	cs_peer_cert_free(cert);
	if (state != CS_PEER_CERT_GOOD && state != CS_PEER_CERT_NOT_YET)
		return cs_body_refuse(b, "certificate", "%s",
				      cs_by_cert_says(state));
	if (cs_revoked_holds(f->revoked, key))
		return cs_body_refuse(b, "certificate", "it is revoked");
	if (c->expires_ms == 0 || c->expires_ms > ends)
		c->expires_ms = ends;
	return true;
}

/* "dns:a.example" or "uri:spiffe://...", as a certificate's is read. */
static bool read_san(struct cs_front *f, const struct cs_body *b,
		     struct cs_span text, struct cs_span *ret_san)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf san = {0};
	bool dns = cs_span_starts_with(text, CS_SPAN_LIT("dns:"));

	if (text.n < 5 ||
	    !(dns || cs_span_starts_with(text, CS_SPAN_LIT("uri:"))))
		return cs_body_refuse(b, "san",
				      "\"%.*s\" is neither dns:HOST nor"
				      " uri:URI",
				      CS_SPAN_FMT(text));
	cs_buf_init(&san, CS_MAX_CLIENT_SAN);
	for (size_t i = 0; i < text.n; i++) {
		uint8_t ch = text.p[i];

		if (ch <= 0x20 || ch >= 0x7f || (dns && ch == '*'))
			return cs_body_refuse(b, "san",
					      "\"%.*s\" is no name that one"
					      " client has: visible ASCII, no"
					      " wildcard",
					      CS_SPAN_FMT(text));
		if (dns && ch >= 'A' && ch <= 'Z')
			ch = (uint8_t)(ch - 'A' + 'a');
		cs_buf_add_byte(&san, ch);
	}
	return cs_arena_dup(&f->arena, cs_buf_span(&san), ret_san) ||
	       cs_problem_set(b->p, CS_PROBLEM_BUSY, "", "Out of memory.");
}

/* The CA whose certificates count. */
static bool read_ca(struct cs_front *f, const struct cs_body *b,
		    struct cs_span pem, struct cs_span *ret_ca)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der = {0};
	struct cs_error err = {0};
	struct cs_peer_ca *ca;

	cs_buf_init(&der, CS_MAX_CLIENT_CA);
	if (!read_pem(b, "ca", pem, &der))
		return false;
	ca = cs_peer_ca_new(cs_buf_span(&der), &err);
	if (ca == NULL)
		return cs_body_refuse(b, "ca", "%s", err.text);
	cs_peer_ca_free(ca);
	return cs_arena_dup(&f->arena, cs_buf_span(&der), ret_ca) ||
	       cs_problem_set(b->p, CS_PROBLEM_BUSY, "", "Out of memory.");
}

/* {certificate?, ca?, san?, expires?}: none of the first three is a token. */
static bool read_credential(struct cs_front *f, const struct cs_body *b,
			    struct new_credential *c)
{
	struct cs_span certificate, ca, san;

	if (!read_expires(f, b, &c->expires_ms) ||
	    !cs_body_get_text(b, "certificate", CS_BODY_LINES, CS_MAX_CSR_PEM,
			      &certificate) ||
	    !cs_body_get_text(b, "ca", CS_BODY_LINES, CS_MAX_CSR_PEM, &ca) ||
	    !cs_body_get_text(b, "san", CS_BODY_LINE, CS_MAX_CLIENT_SAN, &san))
		return false;
	c->is_cert = certificate.p != NULL || ca.p != NULL || san.p != NULL;
	if (certificate.p != NULL && (ca.p != NULL || san.p != NULL))
		return cs_body_refuse(b, "certificate",
				      "a certificate is bound by itself, or by"
				      " its CA; not both at once");
	if (san.p != NULL && ca.p == NULL)
		return cs_body_refuse(b, "san",
				      "a name counts only together with the CA"
				      " (\"ca\") whose word it is");
	if (certificate.p != NULL)
		return read_certificate(f, b, certificate, c);
	return (ca.p == NULL || read_ca(f, b, ca, &c->ca)) &&
	       (san.p == NULL || read_san(f, b, san, &c->san));
}

/*
 * {name, rights, issuers?, realm?, groups?, namespaces?} and what
 * read_credential() takes.
 */
static bool read_client(struct cs_front *f, const struct cs_body *b,
			struct new_client *n)
{
	static const char *const fields[] = {
		"ca",	   "certificate", "expires",	"groups",
		"issuers", "name",	  "namespaces", "realm",
		"rights",  "san",	  NULL};

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
				 &n->groups))
		return false;
	if (!is_name(n->name))
		return cs_body_refuse(b, "name",
				      "\"%.*s\" is no name: letters, digits,"
				      " '.', '-', '_', beginning with a letter"
				      " or digit",
				      CS_SPAN_FMT(n->name));
	return read_credential(f, b, &n->credential) && check_scope(f, b, n);
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

/* The member "credential" of a change; a token's digest, not the token. */
static void put_credential(struct cs_json *j, const struct new_credential *c,
			   const struct cs_auth_token *t)
{
	cs_json_name(j, "credential");
	cs_json_object(j);
	if (c->ca.p != NULL)
		cs_json_member_hex(j, "ca", c->ca);
	if (!c->is_cert)
		cs_json_member_hex(j, "digest", cs_span_make(t->digest, 32));
	if (c->expires_ms > 0)
		cs_json_member_int(j, "expires_ms", c->expires_ms);
	if (c->is_cert && c->ca.p == NULL)
		cs_json_member_hex(j, "fingerprint",
				   cs_span_make(c->fingerprint, 32));
	cs_json_member_str(j, "kind", c->is_cert ? "cert" : "token");
	if (c->san.p != NULL)
		cs_json_member_span(j, "san", c->san);
	if (!c->is_cert)
		cs_json_member_str(j, "token_id", t->id);
	cs_json_end(j);
}

/* The CLIENT_CHANGE that adds a client, or binds a credential to one. */
static bool write_change(const struct new_client *n, const char *op,
			 const struct cs_auth_token *t, struct cs_buf *out,
			 struct cs_error *err)
{
	bool add = strcmp(op, "add") == 0;
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	put_credential(&j, &n->credential, t);
	if (add)
		put_list(&j, "groups", n->groups);
	if (add)
		put_list(&j, "issuers", n->issuers);
	cs_json_member_span(&j, "name", n->name);
	if (add)
		put_list(&j, "namespaces", n->namespaces);
	cs_json_member_str(&j, "op", op);
	if (add) {
		cs_json_member_span(&j, "realm", n->realm);
		put_list(&j, "rights", n->rights);
	}
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
			  const struct new_client *n, const char *op)
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
		 !write_change(n, op, &w->token, out, &err))
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
	ok = read_client(f, &b, &n) && change_client(f, c, &n, "add");
	json_decref(b.object);
	return ok;
}

/* The client that the path names; false: NOT_FOUND. */
static bool find_named(const struct cs_front *f, const struct cs_call *c)
{
	if (is_name(c->arg) && cs_clients_by_name(f->clients, c->arg) != NULL)
		return true;
	return cs_problem_set(c->p, CS_PROBLEM_NOT_FOUND, "",
			      "There is no client \"%.*s\".",
			      CS_SPAN_FMT(cs_span_sub(c->arg, 0, CS_MAX_NAME)));
}

bool cs_front_add_token(struct cs_front *f, struct cs_call *c)
{
	static const char *const fields[] = {"expires", NULL};
	struct cs_body b = {.path = "", .p = c->p};
	struct new_client n = {.name = c->arg};
	bool ok;

	if (!cs_params_none(c->request->head->query, c->p) || !find_named(f, c))
		return false;
	if (c->request->body.n == 0)
		return change_client(f, c, &n, "bind");
	b.object = cs_body_parse(c->request->body, c->p);
	if (b.object == NULL)
		return false;
	ok = cs_body_known(&b, fields) &&
	     read_expires(f, &b, &n.credential.expires_ms) &&
	     change_client(f, c, &n, "bind");
	json_decref(b.object);
	return ok;
}

bool cs_front_add_certificate(struct cs_front *f, struct cs_call *c)
{
	static const char *const fields[] = {"ca", "certificate", "expires",
					     "san", NULL};
	struct cs_body b = {.path = "", .p = c->p};
	struct new_client n = {.name = c->arg};
	bool ok;

	if (!cs_params_none(c->request->head->query, c->p) || !find_named(f, c))
		return false;
	b.object = cs_body_parse(c->request->body, c->p);
	if (b.object == NULL)
		return false;
	ok = cs_body_known(&b, fields) && read_credential(f, &b, &n.credential);
	if (ok && !n.credential.is_cert)
		ok = cs_body_refuse(&b, "certificate",
				    "neither it nor \"ca\" is there");
	ok = ok && change_client(f, c, &n, "bind");
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
