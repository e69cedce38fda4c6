#include "api/client_read.h"

#include <string.h>

#include "api/peer_cert.h"
#include "base/codec.h"
#include "base/limits.h"

/* A string member copied into the arena; absent or null: empty. */
static bool get_text(const json_t *object, const char *name,
		     struct cs_arena *arena, struct cs_span *ret_text,
		     struct cs_error *err)
{
	const json_t *v = json_object_get(object, name);
	struct cs_span text;

	if (v == NULL || json_is_null(v)) {
		*ret_text = (struct cs_span){0};
		return true;
	}
	if (!json_is_string(v))
		return cs_error_set(err, CS_E_FORMAT,
				    "client table: \"%s\" is no string", name);
	text = cs_span_make(json_string_value(v), json_string_length(v));
	if (!cs_arena_dup(arena, text, ret_text))
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "out of memory for the client table");
	return true;
}

/* A list of strings; absent or null: empty. */
static bool get_list(const json_t *object, const char *name,
		     struct cs_arena *arena, struct cs_span **ret_list,
		     size_t *ret_n, struct cs_error *err)
{
	const json_t *v = json_object_get(object, name);
	size_t n = json_array_size(v);
	struct cs_span *list;

	if (v != NULL && !json_is_null(v) && !json_is_array(v))
		return cs_error_set(err, CS_E_FORMAT,
				    "client table: \"%s\" is no list", name);
	list = cs_arena_new_array(arena, n, sizeof(*list));
	if (list == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "out of memory for the client table");
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(v, i);

		if (!json_is_string(item))
			return cs_error_set(err, CS_E_FORMAT,
					    "client table: \"%s\" has an item"
					    " that is no string",
					    name);
		if (!cs_arena_dup(arena,
				  cs_span_make(json_string_value(item),
					       json_string_length(item)),
				  &list[i]))
			return cs_error_set(err, CS_E_NO_MEMORY,
					    "out of memory for the client"
					    " table");
	}
	*ret_list = list;
	*ret_n = n;
	return true;
}

/* A row id: a positive integer. */
static bool get_id(const json_t *object, uint64_t *ret_id, struct cs_error *err)
{
	const json_t *v = json_object_get(object, "id");

	if (!json_is_integer(v) || json_integer_value(v) <= 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "client table: \"id\" is no row id");
	*ret_id = (uint64_t)json_integer_value(v);
	return true;
}

/* The members that only a token has. */
static bool read_token(const json_t *v, struct cs_credential *c,
		       struct cs_arena *arena, struct cs_error *err)
{
	struct cs_span id;
	struct cs_span digest;

	if (!get_text(v, "token_id", arena, &id, err) ||
	    !get_text(v, "digest", arena, &digest, err))
		return false;
	if (id.n != sizeof(c->token_id) - 1)
		return cs_error_set(err, CS_E_FORMAT,
				    "client table: a token's id has %zu"
				    " characters, not 16",
				    id.n);
	if (!cs_codec_hex_fixed(digest, c->digest, sizeof(c->digest)))
		return cs_error_set(err, CS_E_FORMAT,
				    "client table: a token's digest is no"
				    " SHA-256 in hexadecimal");
	memcpy(c->token_id, id.p, id.n);
	return true;
}

/* 32 octets in hexadecimal. */
static bool get_digest(const json_t *v, const char *name,
		       struct cs_arena *arena, uint8_t ret_digest[32],
		       struct cs_error *err)
{
	struct cs_span text;

	if (!get_text(v, name, arena, &text, err))
		return false;
	return cs_codec_hex_fixed(text, ret_digest, 32) ||
	       cs_error_set(err, CS_E_FORMAT,
			    "client table: \"%s\" is no SHA-256 in hexadecimal",
			    name);
}

/* The members that only a certificate has: which of the three ways it is. */
static bool read_cert(const json_t *v, const struct cs_client_read *r,
		      struct cs_credential *c, struct cs_error *err)
{
	uint8_t ca[32];

	c->kind = CS_CREDENTIAL_CERT_FINGERPRINT;
	if (json_object_get(v, "fingerprint") != NULL)
		return get_digest(v, "fingerprint", r->arena, c->digest, err);
	if (!get_digest(v, "ca_sha256", r->arena, ca, err) ||
	    !get_text(v, "san", r->arena, &c->san, err))
		return false;
	c->kind = c->san.n > 0 ? CS_CREDENTIAL_CERT_SAN
			       : CS_CREDENTIAL_CERT_ISSUER;
	for (size_t i = 0; i < r->cas_n; i++) {
		if (memcmp(r->cas[i].sha256, ca, sizeof(ca)) == 0)
			c->ca = &r->cas[i];
	}
	return c->ca != NULL ||
	       cs_error_set(err, CS_E_FORMAT,
			    "client table: a credential's CA is not there");
}

/* One credential of a client. */
static bool read_credential(const json_t *v, const struct cs_client_read *r,
			    struct cs_credential *c, struct cs_error *err)
{
	const json_t *expires = json_object_get(v, "expires_ms");
	struct cs_span kind;

	if (!get_id(v, &c->id, err) ||
	    !get_text(v, "kind", r->arena, &kind, err))
		return false;
	c->expires_ms = json_is_integer(expires) ? json_integer_value(expires)
						 : INT64_MAX;
	if (cs_span_equal_str(kind, "token")) {
		c->kind = CS_CREDENTIAL_TOKEN;
		return read_token(v, c, r->arena, err);
	}
	if (cs_span_equal_str(kind, "cert"))
		return read_cert(v, r, c, err);
	c->kind = CS_CREDENTIAL_PEER;
	return cs_span_equal_str(kind, "peer") ||
	       cs_error_set(err, CS_E_FORMAT,
			    "client table: there is no kind of credential"
			    " \"%.*s\"",
			    CS_SPAN_FMT(kind));
}

/* All credentials of a client. */
static bool read_credentials(const json_t *v, const struct cs_client_read *r,
			     struct cs_client *c, struct cs_error *err)
{
	const json_t *list = json_object_get(v, "credentials");
	size_t n = json_array_size(list);

	if (n > CS_MAX_CREDENTIALS)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "client table: a client has %zu"
				    " credentials; the maximum is %d",
				    n, CS_MAX_CREDENTIALS);
	c->credentials =
		cs_arena_new_array(r->arena, n, sizeof(*c->credentials));
	if (c->credentials == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "out of memory for the client table");
	for (size_t i = 0; i < n; i++) {
		struct cs_credential *credential = &c->credentials[i];

		if (!read_credential(json_array_get(list, i), r, credential,
				     err))
			return false;
	}
	c->credentials_n = n;
	return true;
}

/* Rights by name; admin implies the others. */
static bool read_rights(const json_t *v, struct cs_arena *arena,
			unsigned *ret_rights, struct cs_error *err)
{
	struct cs_span *list;
	size_t n;
	unsigned all = 0;

	if (!get_list(v, "rights", arena, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned right = cs_right_from_name(list[i]);

		if (right == 0)
			return cs_error_set(err, CS_E_FORMAT,
					    "client table: there is no right"
					    " \"%.*s\"",
					    CS_SPAN_FMT(list[i]));
		all |= right;
	}
	*ret_rights = (all & CS_RIGHT_ADMIN) != 0 ? CS_RIGHTS_ALL : all;
	return true;
}

bool cs_client_read(const struct cs_client_read *r, const json_t *v,
		    struct cs_client *ret_client, struct cs_error *err)
{
	struct cs_client *c = ret_client;
	struct cs_arena *a = r->arena;

	if (!get_id(v, &c->id, err) || !get_text(v, "name", a, &c->name, err) ||
	    !get_text(v, "realm", a, &c->realm, err) ||
	    !read_rights(v, a, &c->rights, err) ||
	    !get_list(v, "issuers", a, &c->issuers, &c->issuers_n, err) ||
	    !get_list(v, "namespaces", a, &c->namespaces, &c->namespaces_n,
		      err) ||
	    !get_list(v, "groups", a, &c->groups, &c->groups_n, err) ||
	    !read_credentials(v, r, c, err))
		return false;
	if (c->name.n == 0 || c->name.n > CS_MAX_NAME)
		return cs_error_set(err, CS_E_FORMAT,
				    "client table: a name has %zu bytes",
				    c->name.n);
	c->all_issuers = c->issuers_n == 0;
	c->all_namespaces = c->namespaces_n == 0;
	return true;
}

bool cs_client_read_ca(struct cs_arena *arena, const json_t *v,
		       struct cs_client_ca *ret_ca, struct cs_error *err)
{
	struct cs_span hex, der;
	struct cs_error why = {0};

	if (!get_digest(v, "sha256", arena, ret_ca->sha256, err) ||
	    !get_text(v, "der", arena, &hex, err) ||
	    !cs_codec_hex_decode(hex, arena, &der, err))
		return false;
	/* One that a newer OpenSSL does not take binds nobody. */
	ret_ca->ca = cs_peer_ca_new(der, &why);
	return ret_ca->ca != NULL || why.code == CS_E_FORMAT ||
	       cs_error_set(err, why.code, "%s", why.text);
}
