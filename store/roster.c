#include "store/roster.h"

#include <jansson.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"

/* One row of `client`. */
struct party {
	uint64_t id;
	char *name; /* owned, as all of these */
	char *realm, *rights, *issuers, *namespaces, *groups; /* JSON arrays */
	unsigned bits;
	json_t *issuer_list;
	bool removed;
};

/* One row of `credential`. */
struct credential {
	uint64_t id;
	uint64_t client;
	char kind[8];
	char token_id[40];
	uint8_t digest[32];
	bool has_digest;
	uint8_t fingerprint[32];
	bool has_fingerprint;
	char *san;   /* owned; NULL: none */
	uint8_t *ca; /* owned; NULL: none */
	size_t ca_n;
	uint8_t ca_sha256[32];
	bool expires;
	int64_t expires_ms;
	bool revoked;
};

struct cs_roster {
	struct party *parties; /* ascending names */
	size_t parties_n;
	struct credential *credentials; /* ascending ids */
	size_t credentials_n;
	/* Parties by row id: index + 1, 0 for none. */
	uint32_t *by_id;
	size_t by_id_n;
	struct cs_hash *hash;
};

static const struct {
	const char *name;
	unsigned bit;
} rights[] = {
	{"submit", CS_RIGHT_BIT_SUBMIT},   {"approve", CS_RIGHT_BIT_APPROVE},
	{"gateway", CS_RIGHT_BIT_GATEWAY}, {"audit", CS_RIGHT_BIT_AUDIT},
	{"revoke", CS_RIGHT_BIT_REVOKE},   {"admin", CS_RIGHT_BIT_ADMIN},
};

unsigned cs_roster_right(struct cs_span name)
{
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		if (cs_span_equal_str(name, rights[i].name))
			return rights[i].bit;
	return 0;
}

void cs_roster_free(struct cs_roster *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->parties_n; i++) {
		struct party *p = &r->parties[i];

		cs_mem_free(p->name);
		cs_mem_free(p->realm);
		cs_mem_free(p->rights);
		cs_mem_free(p->issuers);
		cs_mem_free(p->namespaces);
		cs_mem_free(p->groups);
		json_decref(p->issuer_list);
	}
	for (size_t i = 0; i < r->credentials_n; i++) {
		cs_mem_free(r->credentials[i].san);
		cs_mem_free(r->credentials[i].ca);
	}
	cs_mem_free(r->parties);
	cs_mem_free(r->credentials);
	cs_hash_free(r->hash);
	cs_mem_free(r->by_id);
	cs_mem_free(r);
}

/* A column as a C string of our own; NULL: no memory. */
static char *column_text(struct cs_stmt *s, int column)
{
	struct cs_span v = cs_stmt_col(s, column);

	return cs_mem_strndup(v.n == 0 ? "" : (const char *)v.p, v.n);
}

/* The bits of a JSON array of names of rights. */
static bool rights_read(struct party *p, struct cs_error *err)
{
	json_t *list = cs_json_parse(cs_span_str(p->rights), p->name, err);
	json_t *item;
	size_t i;

	if (list == NULL)
		return false;
	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(item);

		if (name != NULL)
			p->bits |= cs_roster_right(cs_span_str(name));
	}
	json_decref(list);
	if (p->bits & CS_RIGHT_BIT_ADMIN)
		for (i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
			p->bits |= rights[i].bit;
	return true;
}

/* One more element of an array; NULL: no memory. The array may move. */
static void *grow(void *array_at, size_t *n, size_t size)
{
	void *p;
	void *old;

	memcpy(&old, array_at, sizeof(old));
	/* Doubling at powers of two. */
	if ((*n & (*n - 1)) == 0) {
		p = cs_mem_resize(old, *n == 0 ? 1 : *n * 2, size);
		if (p == NULL)
			return NULL;
		memcpy(array_at, &p, sizeof(p));
		old = p;
	}
	p = (uint8_t *)old + *n * size;
	memset(p, 0, size);
	(*n)++;
	return p;
}

/* The current row of CLIENTS. */
static bool party_read(struct cs_roster *r, struct cs_stmt *s,
		       struct cs_error *err)
{
	struct party *p = grow(&r->parties, &r->parties_n, sizeof(*p));

	if (p == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "roster");
	p->id = (uint64_t)cs_stmt_col_int(s, 0);
	p->name = column_text(s, 1);
	p->realm = column_text(s, 2);
	p->rights = column_text(s, 3);
	p->issuers = column_text(s, 4);
	p->namespaces = column_text(s, 5);
	p->groups = column_text(s, 6);
	p->removed = !cs_stmt_is_null(s, 7);
	if (p->name == NULL || p->realm == NULL || p->rights == NULL ||
	    p->issuers == NULL || p->namespaces == NULL || p->groups == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "roster");
	p->issuer_list = cs_json_parse(cs_span_str(p->issuers), p->name, err);
	return p->issuer_list != NULL && rights_read(p, err);
}

/* What a credential says of certificates. */
static bool binding_read(struct cs_roster *r, struct credential *c,
			 struct cs_stmt *s, struct cs_error *err)
{
	struct cs_span san = cs_stmt_col(s, 8);
	struct cs_span ca = cs_stmt_col(s, 9);

	c->has_fingerprint = cs_stmt_col_fixed(s, 7, c->fingerprint, 32);
	if (san.n > 0) {
		c->san = cs_mem_strndup((const char *)san.p, san.n);
		if (c->san == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "roster");
	}
	if (ca.n == 0)
		return true;
	c->ca = cs_mem_dup(ca.p, ca.n);
	if (c->ca == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "roster");
	c->ca_n = ca.n;
	return cs_hash_sha256(r->hash, ca, c->ca_sha256, err);
}

/* The current row of CREDENTIALS. */
static bool credential_read(struct cs_roster *r, struct cs_stmt *s,
			    struct cs_error *err)
{
	struct credential *c =
		grow(&r->credentials, &r->credentials_n, sizeof(*c));
	struct cs_span kind, token;

	if (c == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "roster");
	c->id = (uint64_t)cs_stmt_col_int(s, 0);
	c->client = (uint64_t)cs_stmt_col_int(s, 1);
	kind = cs_stmt_col(s, 2);
	token = cs_stmt_col(s, 3);
	if (kind.n >= sizeof(c->kind) || token.n >= sizeof(c->token_id))
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "credential %llu: too long",
				    (unsigned long long)c->id);
	memcpy(c->kind, kind.p, kind.n);
	if (token.n > 0)
		memcpy(c->token_id, token.p, token.n);
	c->has_digest = cs_stmt_col_fixed(s, 4, c->digest, 32);
	c->expires = !cs_stmt_is_null(s, 5);
	c->expires_ms = cs_stmt_col_int(s, 5);
	c->revoked = !cs_stmt_is_null(s, 6);
	return binding_read(r, c, s, err);
}

/* Every row of one table. */
static bool table_read(struct cs_roster *r, struct cs_db *db, enum cs_sql name,
		       bool (*read)(struct cs_roster *, struct cs_stmt *,
				    struct cs_error *),
		       struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, name);
	bool row = false;

	for (;;) {
		if (!cs_stmt_step(&s, &row, err))
			return false;
		if (!row)
			break;
		if (!read(r, &s, err)) {
			cs_stmt_end(&s);
			return false;
		}
	}
	cs_stmt_end(&s);
	return true;
}

/* The index by row id. Ids are small: they count clients ever added. */
static bool index_make(struct cs_roster *r, struct cs_error *err)
{
	uint64_t max = 0;

	for (size_t i = 0; i < r->parties_n; i++)
		if (r->parties[i].id > max)
			max = r->parties[i].id;
	if (max > CS_MAX_CLIENTS)
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "client %llu: beyond %d clients",
				    (unsigned long long)max, CS_MAX_CLIENTS);
	r->by_id_n = (size_t)max + 1;
	r->by_id = cs_mem_new_array(r->by_id_n, sizeof(*r->by_id));
	if (r->by_id == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "roster");
	for (size_t i = 0; i < r->parties_n; i++)
		r->by_id[r->parties[i].id] = (uint32_t)i + 1;
	return true;
}

struct cs_roster *cs_roster_new(struct cs_db *db, struct cs_error *err)
{
	struct cs_roster *r = cs_mem_new(sizeof(*r));

	if (r == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "roster");
		return NULL;
	}
	r->hash = cs_hash_new(err);
	if (r->hash == NULL ||
	    !table_read(r, db, CS_SQL_CLIENTS, party_read, err) ||
	    !table_read(r, db, CS_SQL_CREDENTIALS, credential_read, err) ||
	    !index_make(r, err)) {
		cs_roster_free(r);
		return NULL;
	}
	return r;
}

/* The row of an id; NULL: none. */
static const struct party *party_of(const struct cs_roster *r, uint64_t id)
{
	if (id >= r->by_id_n || r->by_id[id] == 0)
		return NULL;
	return &r->parties[r->by_id[id] - 1];
}

size_t cs_roster_count(const struct cs_roster *r)
{
	return r->parties_n;
}

uint64_t cs_roster_find(const struct cs_roster *r, struct cs_span name)
{
	for (size_t i = 0; i < r->parties_n; i++)
		if (cs_span_equal_str(name, r->parties[i].name))
			return r->parties[i].id;
	return 0;
}

bool cs_roster_is_removed(const struct cs_roster *r, uint64_t client)
{
	const struct party *p = party_of(r, client);

	return p == NULL || p->removed;
}

struct cs_span cs_roster_name(const struct cs_roster *r, uint64_t client)
{
	const struct party *p = party_of(r, client);

	return cs_span_str(p == NULL ? NULL : p->name);
}

size_t cs_roster_credentials(const struct cs_roster *r, uint64_t client)
{
	size_t n = 0;

	for (size_t i = 0; i < r->credentials_n; i++)
		if (r->credentials[i].client == client &&
		    !r->credentials[i].revoked)
			n++;
	return n;
}

/* The credential with this id; NULL: none. Ids ascend. */
static const struct credential *credential_of(const struct cs_roster *r,
					      uint64_t id)
{
	size_t low = 0;
	size_t high = r->credentials_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->credentials[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == r->credentials_n || r->credentials[low].id != id)
		return NULL;
	return &r->credentials[low];
}

uint64_t cs_roster_owner(const struct cs_roster *r, uint64_t credential)
{
	const struct credential *c = credential_of(r, credential);

	return c == NULL ? 0 : c->client;
}

/* Is this issuer in the client's list? An empty list holds all. */
static bool covers(const struct party *p, struct cs_span issuer)
{
	json_t *item;
	size_t i;

	if (issuer.n == 0 || json_array_size(p->issuer_list) == 0)
		return true;
	json_array_foreach(
		p->issuer_list, i,
		item) if (cs_span_equal_str(issuer,
					    json_string_value(
						    item))) return true;
	return false;
}

enum cs_roster_verdict cs_roster_check(const struct cs_roster *r,
				       uint64_t client, uint64_t credential,
				       unsigned right, struct cs_span issuer,
				       int64_t now_ms)
{
	const struct party *p = party_of(r, client);
	const struct credential *c = credential_of(r, credential);

	if (p == NULL || p->removed)
		return CS_ROSTER_REMOVED;
	if (c == NULL || c->revoked || c->client != client)
		return CS_ROSTER_REVOKED;
	if (c->expires && c->expires_ms <= now_ms)
		return CS_ROSTER_EXPIRED;
	if ((p->bits & right) == 0)
		return CS_ROSTER_NO_RIGHT;
	if (!covers(p, issuer))
		return CS_ROSTER_NO_ISSUER;
	return CS_ROSTER_GOOD;
}

bool cs_roster_credential(const struct cs_roster *r, uint64_t client,
			  uint64_t id, struct cs_credential_new *ret)
{
	const struct credential *c = credential_of(r, id);

	if (c == NULL || c->revoked || c->client != client)
		return false;
	*ret = (struct cs_credential_new){
		.id = c->id,
		.kind = cs_span_str(c->kind),
		.token_id = cs_span_str(c->token_id),
		.digest = cs_span_make(c->digest, c->has_digest ? 32 : 0),
		.fingerprint = cs_span_make(c->fingerprint,
					    c->has_fingerprint ? 32 : 0),
		.san = cs_span_str(c->san),
		.ca = cs_span_make(c->ca, c->ca_n),
		.expires_ms = c->expires ? c->expires_ms : 0,
	};
	return true;
}

uint64_t cs_roster_bound(const struct cs_roster *r, struct cs_span fingerprint,
			 struct cs_span san, struct cs_span ca)
{
	for (size_t i = 0; i < r->credentials_n; i++) {
		const struct credential *c = &r->credentials[i];

		if (c->revoked)
			continue;
		if (fingerprint.n > 0
			    ? c->has_fingerprint &&
				      memcmp(c->fingerprint, fingerprint.p,
					     32) == 0
			    : ca.n > 0 && c->ca_n == ca.n &&
				      memcmp(c->ca, ca.p, ca.n) == 0 &&
				      cs_span_equal_str(san, c->san))
			return c->client;
	}
	return 0;
}

/* Credentials of one client that still count. */
static void credentials_write(const struct cs_roster *r, uint64_t client,
			      struct cs_json *j)
{
	cs_json_array(j);
	for (size_t i = 0; i < r->credentials_n; i++) {
		const struct credential *c = &r->credentials[i];

		if (c->client != client || c->revoked)
			continue;
		cs_json_object(j);
		if (c->ca_n > 0)
			cs_json_member_hex(j, "ca_sha256",
					   cs_span_make(c->ca_sha256, 32));
		if (c->has_digest)
			cs_json_member_hex(j, "digest",
					   cs_span_make(c->digest, 32));
		if (c->expires)
			cs_json_member_int(j, "expires_ms", c->expires_ms);
		if (c->has_fingerprint)
			cs_json_member_hex(j, "fingerprint",
					   cs_span_make(c->fingerprint, 32));
		cs_json_member_int(j, "id", (int64_t)c->id);
		cs_json_member_str(j, "kind", c->kind);
		if (c->san != NULL)
			cs_json_member_str(j, "san", c->san);
		if (c->token_id[0] != '\0')
			cs_json_member_str(j, "token_id", c->token_id);
		cs_json_end(j);
	}
	cs_json_end(j);
}

/* Is this one of the first n digests? */
static bool is_among(const uint8_t *const *digests, size_t n, const uint8_t *d)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(digests[i], d, 32) == 0)
			return true;
	return false;
}

/* Each CA certificate that a credential names, once. */
static bool cas_write(const struct cs_roster *r, struct cs_json *j,
		      struct cs_error *err)
{
	const uint8_t *seen[CS_MAX_CLIENT_CAS];
	size_t n = 0;

	cs_json_name(j, "cas");
	cs_json_array(j);
	for (size_t i = 0; i < r->credentials_n; i++) {
		const struct credential *c = &r->credentials[i];

		if (c->revoked || c->ca_n == 0 ||
		    is_among(seen, n, c->ca_sha256))
			continue;
		if (n == CS_MAX_CLIENT_CAS)
			return cs_error_set(err, CS_E_FORMAT,
					    "clients are bound to %d CAs"
					    " already",
					    CS_MAX_CLIENT_CAS);
		seen[n++] = c->ca_sha256;
		cs_json_object(j);
		cs_json_member_hex(j, "der", cs_span_make(c->ca, c->ca_n));
		cs_json_member_hex(j, "sha256", cs_span_make(c->ca_sha256, 32));
		cs_json_end(j);
	}
	cs_json_end(j);
	return true;
}

bool cs_roster_write(const struct cs_roster *r, struct cs_buf *out,
		     struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	if (!cas_write(r, &j, err))
		return false;
	cs_json_name(&j, "clients");
	cs_json_array(&j);
	for (size_t i = 0; i < r->parties_n; i++) {
		const struct party *p = &r->parties[i];

		if (p->removed)
			continue;
		cs_json_object(&j);
		cs_json_name(&j, "credentials");
		credentials_write(r, p->id, &j);
		cs_json_name(&j, "groups");
		cs_json_raw(&j, cs_span_str(p->groups));
		cs_json_member_int(&j, "id", (int64_t)p->id);
		cs_json_name(&j, "issuers");
		cs_json_raw(&j, cs_span_str(p->issuers));
		cs_json_member_str(&j, "name", p->name);
		cs_json_name(&j, "namespaces");
		cs_json_raw(&j, cs_span_str(p->namespaces));
		cs_json_member_str(&j, "realm", p->realm);
		cs_json_name(&j, "rights");
		cs_json_raw(&j, cs_span_str(p->rights));
		cs_json_end(&j);
	}
	cs_json_end(&j);
	cs_json_end(&j);
	return cs_json_finish(&j, "client table", err);
}
