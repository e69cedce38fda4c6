#include "api/http_places.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include "api/server_errands.h"
#include "base/mem.h"

/* -- slots ---------------------------------------------------------------- */

bool cs_http_slots_make(struct cs_http_server *s)
{
	uint32_t i;

	s->slots_n = s->config.limits.max_connections + CS_MAX_HTTP_LOCAL;
	s->slots = cs_mem_new_array(s->slots_n, sizeof(*s->slots));
	s->free_slots = cs_mem_new_array(s->slots_n, sizeof(*s->free_slots));
	if (s->slots == NULL || s->free_slots == NULL)
		return false;
	/* The lowest first, so that a sweep touches little. */
	for (i = 0; i < s->slots_n; i++)
		s->free_slots[i] = (uint16_t)(s->slots_n - 1 - i);
	s->free_n = s->slots_n;
	return true;
}

void cs_http_slots_free(struct cs_http_server *s)
{
	cs_mem_free(s->slots);
	cs_mem_free(s->free_slots);
	s->slots = NULL;
	s->free_slots = NULL;
}

void cs_http_slot_take(struct cs_http_conn *c)
{
	struct cs_http_server *s = c->server;

	assert(s->free_n > 0);
	c->slot = s->free_slots[--s->free_n];
	s->slots[c->slot] = c;
	s->stats.open++;
}

void cs_http_slot_leave(struct cs_http_conn *c)
{
	struct cs_http_server *s = c->server;

	s->slots[c->slot] = NULL;
	s->free_slots[s->free_n++] = c->slot;
	s->stats.open--;
}

struct cs_http_conn *cs_http_slot_find(const struct cs_http_server *s,
				       uint64_t ticket)
{
	uint32_t slot = (uint32_t)(ticket & 0xFFFF);
	struct cs_http_conn *c = slot < s->slots_n ? s->slots[slot] : NULL;

	return ticket != 0 && c != NULL && c->ticket == ticket ? c : NULL;
}

/* -- addresses ------------------------------------------------------------ */

/* What counts as one address: IPv4 as it is, IPv6 its /64. */
static void address_key(const struct sockaddr_storage *from, uint8_t key[16])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;

	memset(key, 0, 16);
	if (from->ss_family == AF_INET) {
		memcpy(key, &v4->sin_addr, 4);
		key[15] = 4;
	} else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		memcpy(key, v6->sin6_addr.s6_addr + 12, 4);
		key[15] = 4;
	} else {
		memcpy(key, &v6->sin6_addr, 8);
		key[15] = 6;
	}
}

/* FNV-1a: a peer that owns many addresses can only slow its own bucket. */
static size_t bucket_of(const uint8_t key[16])
{
	uint32_t h = 2166136261u;
	int i;

	for (i = 0; i < 16; i++)
		h = (h ^ key[i]) * 16777619u;
	return h % CS_HTTP_BUCKETS;
}

struct cs_http_address *cs_http_address_enter(
	struct cs_http_server *s, enum cs_http_listen_kind kind,
	const struct sockaddr_storage *from)
{
	struct cs_http_address **bucket;
	struct cs_http_address *a;
	uint8_t key[16];

	address_key(from, key);
	bucket = &s->buckets[bucket_of(key)];
	a = *bucket;
	while (a != NULL && memcmp(a->key, key, 16) != 0)
		a = a->next;
	if (a == NULL) {
		a = cs_mem_new(sizeof(*a));
		if (a == NULL)
			return NULL;
		memcpy(a->key, key, 16);
		a->next = *bucket;
		*bucket = a;
	} else if (a->count >= s->config.limits.max_per_address) {
		s->stats.over_address_cap++;
		return NULL;
	}
	a->count++;
	s->open_tcp++;
	s->open_plain += kind == CS_HTTP_LISTEN_PLAIN;
	return a;
}

void cs_http_address_leave(struct cs_http_server *s,
			   enum cs_http_listen_kind kind,
			   struct cs_http_address *a)
{
	struct cs_http_address **at;

	if (a == NULL)
		return;
	s->open_tcp--;
	s->open_plain -= kind == CS_HTTP_LISTEN_PLAIN;
	if (--a->count > 0)
		return;
	at = &s->buckets[bucket_of(a->key)];
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	cs_mem_free(a);
}

/* -- queues --------------------------------------------------------------- */

void cs_http_queue_move(struct cs_http_conn *c, struct cs_http_queue *to)
{
	struct cs_http_queue *from = c->queue;

	if (to == from)
		return;
	if (from != NULL) {
		*(c->older == NULL ? &from->oldest : &c->older->newer) =
			c->newer;
		*(c->newer == NULL ? &from->newest : &c->newer->older) =
			c->older;
	}
	c->queue = to;
	c->older = c->newer = NULL;
	if (to == NULL)
		return;
	c->since = cs_http_server_now(c->server);
	c->older = to->newest;
	*(to->newest == NULL ? &to->oldest : &to->newest->newer) = c;
	to->newest = c;
}
