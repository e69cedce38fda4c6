#include "api/client.h"

static const struct {
	const char *name;
	enum cs_right right;
} rights[] = {
	{"submit", CS_RIGHT_SUBMIT},   {"approve", CS_RIGHT_APPROVE},
	{"gateway", CS_RIGHT_GATEWAY}, {"audit", CS_RIGHT_AUDIT},
	{"revoke", CS_RIGHT_REVOKE},   {"admin", CS_RIGHT_ADMIN},
};

#define RIGHTS_N (sizeof(rights) / sizeof(rights[0]))

unsigned cs_right_from_name(struct cs_span name)
{
	for (size_t i = 0; i < RIGHTS_N; i++) {
		if (cs_span_equal_str(name, rights[i].name))
			return rights[i].right;
	}
	return 0;
}

const char *cs_right_name(enum cs_right right)
{
	for (size_t i = 0; i < RIGHTS_N; i++) {
		if (rights[i].right == right)
			return rights[i].name;
	}
	return "?";
}

/* Is name in the list? */
static bool contains(const struct cs_span *list, size_t n, struct cs_span name)
{
	for (size_t i = 0; i < n; i++) {
		if (cs_span_equal(list[i], name))
			return true;
	}
	return false;
}

bool cs_client_may(const struct cs_client *c, enum cs_right right,
		   struct cs_span issuer)
{
	return (c->rights & right) != 0 &&
	       (c->all_issuers || contains(c->issuers, c->issuers_n, issuer));
}

bool cs_client_covers_namespace(const struct cs_client *c, struct cs_span name)
{
	return c->all_namespaces ||
	       contains(c->namespaces, c->namespaces_n, name);
}

/* A member that is a list of strings. */
static void write_list(struct cs_json *j, const char *name,
		       const struct cs_span *list, size_t n)
{
	cs_json_name(j, name);
	cs_json_array(j);
	for (size_t i = 0; i < n; i++)
		cs_json_text(j, list[i]);
	cs_json_end(j);
}

static const char *kind_name(enum cs_credential_kind kind)
{
	switch (kind) {
	case CS_CREDENTIAL_TOKEN:
		return "token";
	case CS_CREDENTIAL_PEER:
		return "peer";
	case CS_CREDENTIAL_CERT_FINGERPRINT:
		return "cert-fingerprint";
	case CS_CREDENTIAL_CERT_SAN:
		return "cert-san";
	case CS_CREDENTIAL_CERT_ISSUER:
		return "cert-issuer";
	}
	return "?";
}

/* One credential, without what proves it. */
static void write_credential(struct cs_json *j, const struct cs_credential *c)
{
	cs_json_object(j);
	if (c->ca != NULL)
		cs_json_member_hex(j, "ca_sha256",
				   cs_span_make(c->ca->sha256, 32));
	if (c->expires_ms != INT64_MAX) {
		cs_json_name(j, "expires");
		cs_json_time_ms(j, c->expires_ms);
	}
	if (c->kind == CS_CREDENTIAL_CERT_FINGERPRINT)
		cs_json_member_hex(j, "fingerprint",
				   cs_span_make(c->digest, 32));
	cs_json_member_int(j, "id", (int64_t)c->id);
	cs_json_member_str(j, "kind", kind_name(c->kind));
	if (c->kind == CS_CREDENTIAL_CERT_SAN) {
		cs_json_name(j, "san");
		cs_json_text(j, c->san);
	}
	if (c->kind == CS_CREDENTIAL_TOKEN)
		cs_json_member_str(j, "token_id", c->token_id);
	cs_json_end(j);
}

void cs_client_write(const struct cs_client *c, struct cs_json *j)
{
	bool admin = (c->rights & CS_RIGHT_ADMIN) != 0;

	cs_json_object(j);
	cs_json_name(j, "credentials");
	cs_json_array(j);
	for (size_t i = 0; i < c->credentials_n; i++)
		write_credential(j, &c->credentials[i]);
	cs_json_end(j);
	write_list(j, "groups", c->groups, c->groups_n);
	cs_json_member_int(j, "id", (int64_t)c->id);
	write_list(j, "issuers", c->issuers, c->issuers_n);
	cs_json_name(j, "name");
	cs_json_text(j, c->name);
	write_list(j, "namespaces", c->namespaces, c->namespaces_n);
	cs_json_name(j, "realm");
	cs_json_text(j, c->realm);
	cs_json_name(j, "rights");
	cs_json_array(j);
	for (size_t i = 0; i < RIGHTS_N; i++) {
		if (admin ? rights[i].right == CS_RIGHT_ADMIN
			  : (c->rights & rights[i].right) != 0)
			cs_json_str(j, rights[i].name);
	}
	cs_json_end(j);
	cs_json_end(j);
}
