#include "api/client_body.h"

#include <string.h>

#include "api/by_cert.h"
#include "api/client.h"
#include "api/peer_cert.h"
#include "api/submit.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/revoke.h"
#include "base/time.h"

bool cs_client_is_name(struct cs_span s)
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
static bool check_scope(const struct cs_client_body *r,
			const struct cs_new_client *n)
{
	const struct cs_body *b = r->body;

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

		if (cs_submit_issuer(r->issuers, r->issuers_n, s) == NULL)
			return cs_body_refuse(b, "issuers",
					      "there is no issuer \"%.*s\"",
					      CS_SPAN_FMT(s));
	}
	return true;
}

/* "expires": a duration from now; absent: 0. */
static bool read_expires(const struct cs_client_body *r, int64_t *ret_ms)
{
	const struct cs_body *b = r->body;
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
	*ret_ms = r->now_ms + seconds * 1000;
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
static bool read_certificate(const struct cs_client_body *r, struct cs_span pem,
			     struct cs_new_credential *c)
{
	const struct cs_body *b = r->body;
	CS_CLEANUP(cs_buf_done) struct cs_buf der = {0};
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
	state = cs_peer_cert_state(cert, r->now_ms);
	ends = cs_peer_cert_not_after_ms(cert);
	memcpy(c->fingerprint, cs_peer_cert_fingerprint(cert), 32);
	cs_revoked_key(cs_peer_cert_serial(cert), key);
	cs_peer_cert_free(cert);
	if (state != CS_PEER_CERT_GOOD && state != CS_PEER_CERT_NOT_YET)
		return cs_body_refuse(b, "certificate", "%s",
				      cs_by_cert_says(state));
	if (cs_revoked_holds(r->revoked, key))
		return cs_body_refuse(b, "certificate", "it is revoked");
	if (c->expires_ms == 0 || c->expires_ms > ends)
		c->expires_ms = ends;
	return true;
}

/* "dns:a.example" or "uri:spiffe://...", as a certificate's is read. */
static bool read_san(const struct cs_client_body *r, struct cs_span text,
		     struct cs_span *ret_san)
{
	const struct cs_body *b = r->body;
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
	return cs_arena_dup(r->arena, cs_buf_span(&san), ret_san) ||
	       cs_problem_set(b->p, CS_PROBLEM_BUSY, "", "Out of memory.");
}

/* The CA whose certificates count. */
static bool read_ca(const struct cs_client_body *r, struct cs_span pem,
		    struct cs_span *ret_ca)
{
	const struct cs_body *b = r->body;
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
	return cs_arena_dup(r->arena, cs_buf_span(&der), ret_ca) ||
	       cs_problem_set(b->p, CS_PROBLEM_BUSY, "", "Out of memory.");
}

/* {certificate?, ca?, san?, expires?}: none of the first three is a token. */
static bool read_credential(const struct cs_client_body *r,
			    struct cs_new_credential *c)
{
	const struct cs_body *b = r->body;
	struct cs_span certificate, ca, san;

	if (!read_expires(r, &c->expires_ms) ||
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
		return read_certificate(r, certificate, c);
	return (ca.p == NULL || read_ca(r, ca, &c->ca)) &&
	       (san.p == NULL || read_san(r, san, &c->san));
}

bool cs_client_body_read(const struct cs_client_body *r,
			 struct cs_new_client *n)
{
	const struct cs_body *b = r->body;
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
	if (!cs_client_is_name(n->name))
		return cs_body_refuse(b, "name",
				      "\"%.*s\" is no name: letters, digits,"
				      " '.', '-', '_', beginning with a letter"
				      " or digit",
				      CS_SPAN_FMT(n->name));
	return read_credential(r, &n->credential) && check_scope(r, n);
}

bool cs_client_body_token(const struct cs_client_body *r,
			  struct cs_new_credential *ret)
{
	static const char *const fields[] = {"expires", NULL};

	return cs_body_known(r->body, fields) &&
	       read_expires(r, &ret->expires_ms);
}

bool cs_client_body_certificate(const struct cs_client_body *r,
				struct cs_new_credential *ret)
{
	static const char *const fields[] = {"ca", "certificate", "expires",
					     "san", NULL};

	if (!cs_body_known(r->body, fields) || !read_credential(r, ret))
		return false;
	return ret->is_cert || cs_body_refuse(r->body, "certificate",
					      "neither it nor \"ca\" is there");
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
static void put_credential(struct cs_json *j, const struct cs_new_credential *c,
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

bool cs_client_change_write(const struct cs_new_client *n, const char *op,
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
