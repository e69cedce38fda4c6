#include "api/crl_cache.h"

#include <string.h>

#include "base/mem.h"
#include "base/wire.h"

/* Let go of one. */
static void drop(struct cs_crl_cached *e)
{
	cs_mem_free(e->key);
	cs_http_body_drop(e->body);
	*e = (struct cs_crl_cached){0};
}

void cs_crl_cache_done(struct cs_crl_cache *c)
{
	for (size_t i = 0; i < CS_CRL_CACHE; i++)
		drop(&c->items[i]);
}

void cs_crl_cache_expire(struct cs_crl_cache *c)
{
	for (size_t i = 0; i < CS_CRL_CACHE; i++)
		c->items[i].seen_ms = INT64_MIN / 2;
}

struct cs_crl_cached *cs_crl_cache_find(struct cs_crl_cache *c,
					struct cs_span key)
{
	for (size_t i = 0; i < CS_CRL_CACHE; i++) {
		struct cs_crl_cached *e = &c->items[i];

		if (e->key == NULL || !cs_span_equal_str(key, e->key))
			continue;
		e->used = ++c->uses;
		return e;
	}
	return NULL;
}

/* The one that was used longest ago, or a free place. */
static struct cs_crl_cached *oldest(struct cs_crl_cache *c)
{
	struct cs_crl_cached *e = &c->items[0];

	for (size_t i = 1; i < CS_CRL_CACHE && e->key != NULL; i++)
		if (c->items[i].key == NULL || c->items[i].used < e->used)
			e = &c->items[i];
	return e;
}

/* Until so many octets more have room. */
static void make_room(struct cs_crl_cache *c, size_t n)
{
	for (;;) {
		struct cs_crl_cached *first = NULL;
		size_t sum = n;

		for (size_t i = 0; i < CS_CRL_CACHE; i++) {
			struct cs_crl_cached *e = &c->items[i];

			sum += cs_http_body_span(e->body).n;
			if (e->key != NULL &&
			    (first == NULL || e->used < first->used))
				first = e;
		}
		if (sum <= CS_CRL_CACHE_BYTES || first == NULL)
			return;
		drop(first);
	}
}

/* A place for these octets under this name. */
static struct cs_crl_cached *place(struct cs_crl_cache *c, struct cs_span key,
				   struct cs_span der, struct cs_error *err)
{
	struct cs_crl_cached *e = cs_crl_cache_find(c, key);

	if (e != NULL)
		drop(e);
	make_room(c, der.n);
	e = oldest(c);
	drop(e);
	e->key = cs_mem_strndup((const char *)key.p, key.n);
	e->body = cs_http_body_new(der);
	e->used = ++c->uses;
	if (e->key != NULL && e->body != NULL)
		return e;
	drop(e);
	cs_error_set(err, CS_E_NO_MEMORY, "no memory for a CRL");
	return NULL;
}

struct cs_crl_cached *cs_crl_cache_take(struct cs_crl_cache *c,
					struct cs_span key, struct cs_span page,
					int64_t now_ms, struct cs_error *err)
{
	struct cs_wire_reader r = cs_wire_reader(page);
	struct cs_crl_cached *e;
	int64_t this_s = (int64_t)cs_wire_get_u64(&r);
	int64_t next_s = (int64_t)cs_wire_get_u64(&r);
	struct cs_span sha256 = cs_wire_get_bytes(&r);
	struct cs_span der = cs_wire_get_bytes(&r);

	if (!cs_wire_finish(&r, "CRL", err))
		return NULL;
	e = der.n > 0 ? place(c, key, der, err) : cs_crl_cache_find(c, key);
	if (e == NULL && der.n > 0)
		return NULL;
	if (e == NULL || sha256.n != sizeof(e->sha256) ||
	    (der.n == 0 && memcmp(e->sha256, sha256.p, sha256.n) != 0)) {
		cs_error_set(err, CS_E_PROTOCOL, "CRL: not the one we have");
		return NULL;
	}
	memcpy(e->sha256, sha256.p, sha256.n);
	e->this_s = this_s;
	e->next_s = next_s;
	e->seen_ms = now_ms;
	return e;
}
