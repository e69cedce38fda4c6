#include "api/clients.h"

#include <stdlib.h>
#include <string.h>

#include "api/client_read.h"
#include "api/peer_cert.h"
#include "base/arena.h"
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

void cs_clients_free(struct cs_clients *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->cas_n; i++)
		cs_peer_ca_free(c->cas[i].ca);
	cs_arena_done(&c->arena);
	cs_mem_free(c);
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
	for (size_t i = 0; i < t->n; i++) {
		const struct cs_client *c = &t->clients[i];

		for (size_t m = 0; m < c->credentials_n; m++)
			t->by_kind[c->credentials[m].kind].n++;
	}
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
		if (!cs_client_read_ca(&t->arena, json_array_get(list, i),
				       &t->cas[i], err))
			return false;
		t->cas_n++;
	}
	return true;
}

/* Read the whole document into a new, empty table. */
static bool read_table(const json_t *root, struct cs_clients *t,
		       struct cs_error *err)
{
	const json_t *list = json_object_get(root, "clients");
	struct cs_client_read r = {.arena = &t->arena, .cas = t->cas};
	size_t n = json_array_size(list);

	if (!json_is_array(list))
		return cs_error_set(err, CS_E_FORMAT,
				    "client table: there is no list"
				    " \"clients\"");
	if (!read_cas(root, t, err))
		return false;
	r.cas_n = t->cas_n;
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
		if (!cs_client_read(&r, json_array_get(list, i), &t->clients[i],
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

bool cs_clients_write(const struct cs_clients *c, struct cs_buf *out,
		      struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_name(&j, "items");
	cs_json_array(&j);
	for (size_t i = 0; i < c->n; i++)
		cs_client_write(&c->clients[i], &j);
	cs_json_end(&j);
	cs_json_name(&j, "next");
	cs_json_null(&j);
	cs_json_end(&j);
	return cs_json_finish(&j, "the list of clients", err);
}
