#include "api/waits.h"

#include "base/limits.h"
#include "base/mem.h"

#define TOP_BIT (UINT64_C(1) << 63)
/* What one wait remembers: an approver's words, a name. */
#define MAX_REMEMBERED CS_MAX_HTTP_BODY

struct cs_waits {
	struct cs_wait *slots;
	size_t capacity;
	size_t count;
};

void cs_waits_free(struct cs_waits *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; w->slots != NULL && i < w->capacity; i++) {
		cs_arena_done(&w->slots[i].arena);
		cs_buf_done(&w->slots[i].request);
		cs_buf_done(&w->slots[i].sources);
		cs_auth_token_done(&w->slots[i].token);
	}
	cs_mem_free(w->slots);
	cs_mem_free(w);
}

struct cs_waits *cs_waits_new(size_t capacity, struct cs_error *err)
{
	struct cs_waits *w = cs_mem_new(sizeof(*w));

	if (w != NULL)
		w->slots = cs_mem_new_array(capacity, sizeof(*w->slots));
	if (w == NULL || w->slots == NULL) {
		cs_waits_free(w);
		cs_error_set(err, CS_E_NO_MEMORY, "out of memory");
		return NULL;
	}
	w->capacity = capacity;
	for (size_t i = 0; i < capacity; i++) {
		w->slots[i].ticket = TOP_BIT + capacity + i;
		cs_arena_init(&w->slots[i].arena, MAX_REMEMBERED);
	}
	return w;
}

size_t cs_waits_count(const struct cs_waits *w)
{
	return w->count;
}

size_t cs_waits_capacity(const struct cs_waits *w)
{
	return w->capacity;
}

size_t cs_waits_of(const struct cs_waits *w, enum cs_wait_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < w->capacity; i++)
		n += w->slots[i].kind == kind;
	return n;
}

size_t cs_waits_polls(const struct cs_waits *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->capacity; i++)
		n += w->slots[i].kind == CS_WAIT_LIST && w->slots[i].list.polls;
	return n;
}

size_t cs_waits_strangers(const struct cs_waits *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->capacity; i++)
		n += w->slots[i].kind != CS_WAIT_FREE &&
		     w->slots[i].of_stranger;
	return n;
}

bool cs_waits_owns(uint64_t ticket)
{
	return (ticket & TOP_BIT) != 0;
}

struct cs_wait *cs_waits_add(struct cs_waits *w, enum cs_wait_kind kind,
			     uint64_t http)
{
	for (size_t i = 0; i < w->capacity; i++) {
		struct cs_wait *wait = &w->slots[i];

		if (wait->kind != CS_WAIT_FREE)
			continue;
		wait->kind = kind;
		wait->http = http;
		w->count++;
		return wait;
	}
	return NULL;
}

struct cs_wait *cs_waits_find(struct cs_waits *w, uint64_t ticket)
{
	struct cs_wait *wait;

	if (!cs_waits_owns(ticket))
		return NULL;
	wait = &w->slots[(ticket - TOP_BIT) % w->capacity];
	return wait->ticket == ticket && wait->kind != CS_WAIT_FREE ? wait
								    : NULL;
}

struct cs_wait *cs_waits_at(struct cs_waits *w, size_t n)
{
	return w->slots[n].kind == CS_WAIT_FREE ? NULL : &w->slots[n];
}

void cs_waits_end(struct cs_waits *w, struct cs_wait *wait)
{
	uint64_t next = wait->ticket + w->capacity;
	struct cs_arena arena = wait->arena;

	cs_arena_reset(&arena);
	cs_buf_done(&wait->request);
	cs_buf_done(&wait->sources);
	cs_auth_token_done(&wait->token);
	*wait = (struct cs_wait){.ticket = next, .arena = arena};
	w->count--;
}
