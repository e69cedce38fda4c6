#include "api/clients.h"

#include <stdlib.h>
#include <string.h>

#include "api/peer_cert.h"
#include "base/arena.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"

/* The credentials of one kind, in the order in which they are looked up. */
struct index {
	struct cs_bound *items;
	size_t n;
};

#define KINDS (CS_CREDENTIAL_CERT_ISSUER + 1)

struct cs_clients {
	struct cs_arena arena;
	struct cs_client *clients; /* sorted by name */
	size_t n;
	const struct cs_client **by_id; /* sorted by id */
	struct index by_kind[KINDS];
	struct cs_client_ca cas[CS_MAX_CLIENT_CAS];
	size_t cas_n;
};

static const struct {
	const char *name;
	enum cs_right right;
} rights[] = {
	{"submit", CS_RIGHT_SUBMIT},   {"approve", CS_RIGHT_APPROVE},
	{"gateway", CS_RIGHT_GATEWAY}, {"audit", CS_RIGHT_AUDIT},
	{"revoke", CS_RIGHT_REVOKE},   {"admin", CS_RIGHT_ADMIN},
};

#define RIGHTS_N   (sizeof(rights) / sizeof(rights[0]))
#define ALL_RIGHTS ((1u << RIGHTS_N) - 1)

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

void cs_clients_free(struct cs_clients *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->cas_n; i++)
		cs_peer_ca_free(c->cas[i].ca);
	cs_arena_done(&c->arena);
	cs_mem_free(c);
}

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
static bool read_cert(const json_t *v, struct cs_clients *t,
		      struct cs_credential *c, struct cs_error *err)
{
	uint8_t ca[32];

	c->kind = CS_CREDENTIAL_CERT_FINGERPRINT;
	if (json_object_get(v, "fingerprint") != NULL)
		return get_digest(v, "fingerprint", &t->arena, c->digest, err);
	if (!get_digest(v, "ca_sha256", &t->arena, ca, err) ||
	    !get_text(v, "san", &t->arena, &c->san, err))
		return false;
	c->kind = c->san.n > 0 ? CS_CREDENTIAL_CERT_SAN
			       : CS_CREDENTIAL_CERT_ISSUER;
	for (size_t i = 0; i < t->cas_n; i++) {
		if (memcmp(t->cas[i].sha256, ca, sizeof(ca)) == 0)
			c->ca = &t->cas[i];
	}
	return c->ca != NULL ||
	       cs_error_set(err, CS_E_FORMAT,
			    "client table: a credential's CA is not there");
}

/* One credential of a client. */
static bool read_credential(const json_t *v, struct cs_clients *t,
			    struct cs_credential *c, struct cs_error *err)
{
	const json_t *expires = json_object_get(v, "expires_ms");
	struct cs_span kind;

	if (!get_id(v, &c->id, err) ||
	    !get_text(v, "kind", &t->arena, &kind, err))
		return false;
	c->expires_ms = json_is_integer(expires) ? json_integer_value(expires)
						 : INT64_MAX;
	if (cs_span_equal_str(kind, "token")) {
		c->kind = CS_CREDENTIAL_TOKEN;
		return read_token(v, c, &t->arena, err);
	}
	if (cs_span_equal_str(kind, "cert"))
		return read_cert(v, t, c, err);
	c->kind = CS_CREDENTIAL_PEER;
	return cs_span_equal_str(kind, "peer") ||
	       cs_error_set(err, CS_E_FORMAT,
			    "client table: there is no kind of credential"
			    " \"%.*s\"",
			    CS_SPAN_FMT(kind));
}

/* All credentials of a client; counts them by kind. */
static bool read_credentials(const json_t *v, struct cs_clients *t,
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
		cs_arena_new_array(&t->arena, n, sizeof(*c->credentials));
	if (c->credentials == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "out of memory for the client table");
	for (size_t i = 0; i < n; i++) {
		struct cs_credential *credential = &c->credentials[i];

		if (!read_credential(json_array_get(list, i), t, credential,
				     err))
			return false;
		t->by_kind[credential->kind].n++;
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
	*ret_rights = (all & CS_RIGHT_ADMIN) != 0 ? ALL_RIGHTS : all;
	return true;
}

/* One client. */
static bool read_client(const json_t *v, struct cs_clients *t,
			struct cs_client *c, struct cs_error *err)
{
	struct cs_arena *a = &t->arena;

	if (!get_id(v, &c->id, err) || !get_text(v, "name", a, &c->name, err) ||
	    !get_text(v, "realm", a, &c->realm, err) ||
	    !read_rights(v, a, &c->rights, err) ||
	    !get_list(v, "issuers", a, &c->issuers, &c->issuers_n, err) ||
	    !get_list(v, "namespaces", a, &c->namespaces, &c->namespaces_n,
		      err) ||
	    !get_list(v, "groups", a, &c->groups, &c->groups_n, err) ||
	    !read_credentials(v, t, c, err))
		return false;
	if (c->name.n == 0 || c->name.n > CS_MAX_NAME)
		return cs_error_set(err, CS_E_FORMAT,
				    "client table: a name has %zu bytes",
				    c->name.n);
	c->all_issuers = c->issuers_n == 0;
	c->all_namespaces = c->namespaces_n == 0;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct cs_client *x = a;
	const struct cs_client *y = b;

	return cs_span_compare(x->name, y->name);
}

static int compare_ids(const void *a, const void *b)
{
	const struct cs_client *x = *(const struct cs_client *const *)a;
	const struct cs_client *y = *(const struct cs_client *const *)b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int compare_tokens(const void *a, const void *b)
{
	const struct cs_bound *x = a;
	const struct cs_bound *y = b;

	return strcmp(x->credential->token_id, y->credential->token_id);
}

static int compare_digests(const void *a, const void *b)
{
	const struct cs_bound *x = a;
	const struct cs_bound *y = b;

	return memcmp(x->credential->digest, y->credential->digest, 32);
}

static int compare_sans(const void *a, const void *b)
{
	const struct cs_bound *x = a;
	const struct cs_bound *y = b;

	return cs_span_compare(x->credential->san, y->credential->san);
}

/* Room for the credentials of each kind. */
static bool make_room(struct cs_clients *t)
{
	for (size_t k = 0; k < KINDS; k++) {
		struct index *x = &t->by_kind[k];

		x->items =
			cs_arena_new_array(&t->arena, x->n, sizeof(*x->items));
		if (x->items == NULL)
			return false;
		x->n = 0;
	}
	return true;
}

/* The orders in which clients are looked up. */
static bool make_indexes(struct cs_clients *t, struct cs_error *err)
{
	struct index *kinds = t->by_kind;

	qsort(t->clients, t->n, sizeof(*t->clients), compare_names);
	t->by_id = cs_arena_new_array(&t->arena, t->n, sizeof(*t->by_id));
	if (t->by_id == NULL || !make_room(t))
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "out of memory for the client table");
	for (size_t i = 0; i < t->n; i++) {
		const struct cs_client *c = &t->clients[i];

		t->by_id[i] = c;
		for (size_t m = 0; m < c->credentials_n; m++) {
			const struct cs_credential *one = &c->credentials[m];
			struct index *x = &kinds[one->kind];

			x->items[x->n++] = (struct cs_bound){one, c};
		}
	}
	qsort(t->by_id, t->n, sizeof(*t->by_id), compare_ids);
	qsort(kinds[CS_CREDENTIAL_TOKEN].items, kinds[CS_CREDENTIAL_TOKEN].n,
	      sizeof(struct cs_bound), compare_tokens);
	qsort(kinds[CS_CREDENTIAL_CERT_FINGERPRINT].items,
	      kinds[CS_CREDENTIAL_CERT_FINGERPRINT].n, sizeof(struct cs_bound),
	      compare_digests);
	qsort(kinds[CS_CREDENTIAL_CERT_SAN].items,
	      kinds[CS_CREDENTIAL_CERT_SAN].n, sizeof(struct cs_bound),
	      compare_sans);
	return true;
}

/* The CAs that certificates are bound to. */
static bool read_cas(const json_t *root, struct cs_clients *t,
		     struct cs_error *err)
{
	const json_t *list = json_object_get(root, "cas");
	size_t n = json_array_size(list);

	if (n > CS_MAX_CLIENT_CAS)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "client table: %zu CAs; the maximum is %d",
				    n, CS_MAX_CLIENT_CAS);
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);
		struct cs_client_ca *ca = &t->cas[i];
		struct cs_span hex, der;
		struct cs_error why = {0};

		if (!get_digest(v, "sha256", &t->arena, ca->sha256, err) ||
		    !get_text(v, "der", &t->arena, &hex, err) ||
		    !cs_codec_hex_decode(hex, &t->arena, &der, err))
			return false;
		/* One that a newer OpenSSL does not take binds nobody. */
		ca->ca = cs_peer_ca_new(der, &why);
		if (ca->ca == NULL && why.code != CS_E_FORMAT)
			return cs_error_set(err, why.code, "%s", why.text);
		t->cas_n++;
	}
	return true;
}

/* Read the whole document into a new, empty table. */
static bool read_table(const json_t *root, struct cs_clients *t,
		       struct cs_error *err)
{
	const json_t *list = json_object_get(root, "clients");
	size_t n = json_array_size(list);

	if (!json_is_array(list))
		return cs_error_set(err, CS_E_FORMAT,
				    "client table: there is no list"
				    " \"clients\"");
	if (!read_cas(root, t, err))
		return false;
	if (n > CS_MAX_CLIENTS)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "client table: %zu clients; the maximum"
				    " is %d",
				    n, CS_MAX_CLIENTS);
	t->clients = cs_arena_new_array(&t->arena, n, sizeof(*t->clients));
	if (t->clients == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "out of memory for the client table");
	for (size_t i = 0; i < n; i++) {
		if (!read_client(json_array_get(list, i), t, &t->clients[i],
				 err))
			return false;
		t->n++;
	}
	return make_indexes(t, err);
}

struct cs_clients *cs_clients_new(struct cs_span table, struct cs_error *err)
{
	json_t *root = cs_json_parse(table, "the client table", err);
	struct cs_clients *t;
	bool ok;

	if (root == NULL)
		return NULL;
	t = cs_mem_new(sizeof(*t));
	if (t == NULL) {
		json_decref(root);
		cs_error_set(err, CS_E_NO_MEMORY,
			     "out of memory for the client table");
		return NULL;
	}
	cs_arena_init(&t->arena, 4 * CS_MAX_MESSAGE);
	ok = read_table(root, t, err);
	json_decref(root);
	if (ok)
		return t;
	cs_clients_free(t);
	return NULL;
}

size_t cs_clients_count(const struct cs_clients *c)
{
	return c->n;
}

const struct cs_client *cs_clients_at(const struct cs_clients *c, size_t n)
{
	return &c->clients[n];
}

const struct cs_client *cs_clients_by_id(const struct cs_clients *c,
					 uint64_t id)
{
	const struct cs_client key = {.id = id};
	const struct cs_client *p = &key;
	const struct cs_client **found =
		bsearch(&p, c->by_id, c->n, sizeof(*c->by_id), compare_ids);

	return found == NULL ? NULL : *found;
}

const struct cs_client *cs_clients_by_name(const struct cs_clients *c,
					   struct cs_span name)
{
	const struct cs_client key = {.name = name};

	return bsearch(&key, c->clients, c->n, sizeof(*c->clients),
		       compare_names);
}

const struct cs_credential *cs_clients_token(
	const struct cs_clients *c, struct cs_span token_id,
	const struct cs_client **ret_client)
{
	const struct index *x = &c->by_kind[CS_CREDENTIAL_TOKEN];
	struct cs_credential wanted = {0};
	const struct cs_bound key = {&wanted, NULL};
	const struct cs_bound *found;

	if (token_id.n != sizeof(wanted.token_id) - 1)
		return NULL;
	memcpy(wanted.token_id, token_id.p, token_id.n);
	found = bsearch(&key, x->items, x->n, sizeof(*x->items),
			compare_tokens);
	if (found == NULL)
		return NULL;
	*ret_client = found->client;
	return found->credential;
}

const struct cs_bound *cs_clients_fingerprint(const struct cs_clients *c,
					      const uint8_t sha256[32])
{
	const struct index *x = &c->by_kind[CS_CREDENTIAL_CERT_FINGERPRINT];
	struct cs_credential wanted = {0};
	const struct cs_bound key = {&wanted, NULL};

	memcpy(wanted.digest, sha256, sizeof(wanted.digest));
	return bsearch(&key, x->items, x->n, sizeof(*x->items),
		       compare_digests);
}

const struct cs_bound *cs_clients_san(const struct cs_clients *c,
				      struct cs_span san, size_t *ret_n)
{
	const struct index *x = &c->by_kind[CS_CREDENTIAL_CERT_SAN];
	const struct cs_credential wanted = {.san = san};
	const struct cs_bound key = {&wanted, NULL};
	const struct cs_bound *end = x->items + x->n;
	const struct cs_bound *first =
		bsearch(&key, x->items, x->n, sizeof(*x->items), compare_sans);
	const struct cs_bound *last = first;

	*ret_n = 0;
	if (first == NULL)
		return NULL;
	while (first > x->items && compare_sans(first - 1, &key) == 0)
		first--;
	while (last < end && compare_sans(last, &key) == 0)
		last++;
	*ret_n = (size_t)(last - first);
	return first;
}

const struct cs_bound *cs_clients_issued(const struct cs_clients *c,
					 size_t *ret_n)
{
	*ret_n = c->by_kind[CS_CREDENTIAL_CERT_ISSUER].n;
	return c->by_kind[CS_CREDENTIAL_CERT_ISSUER].items;
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

/* One client. The rights that it was given, not those that admin implies. */
static void write_client(struct cs_json *j, const struct cs_client *c)
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

bool cs_clients_write(const struct cs_clients *c, struct cs_buf *out,
		      struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_name(&j, "items");
	cs_json_array(&j);
	for (size_t i = 0; i < c->n; i++)
		write_client(&j, &c->clients[i]);
	cs_json_end(&j);
	cs_json_name(&j, "next");
	cs_json_null(&j);
	cs_json_end(&j);
	return cs_json_finish(&j, "the list of clients", err);
}
