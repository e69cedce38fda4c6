#include "api/revoked.h"

#include <string.h>

#include "base/mem.h"
#include "base/revoke.h"

/* Slots at first; a power of two, as all later sizes. */
#define SLOTS 256

struct cs_revoked {
	uint64_t *slots; /* owned; 0: free */
	size_t slots_n;
	size_t n, max;
	bool beyond;
};

void cs_serial_key_set(struct cs_serial_key *k, struct cs_span serial)
{
	*k = (struct cs_serial_key){.whole_n = 0};
	cs_revoked_key(serial, k->octets);
	if (serial.n == 0 || serial.n > sizeof(k->whole))
		return;
	memcpy(k->whole, serial.p, serial.n);
	k->whole_n = (uint8_t)serial.n;
}

struct cs_span cs_serial_key_whole(const struct cs_serial_key *k)
{
	return cs_span_make(k->whole, k->whole_n);
}

void cs_revoked_free(struct cs_revoked *r)
{
	if (r == NULL)
		return;
	cs_mem_free(r->slots);
	cs_mem_free(r);
}

struct cs_revoked *cs_revoked_new(size_t max, struct cs_error *err)
{
	struct cs_revoked *r = cs_mem_new(sizeof(*r));

	if (r != NULL) {
		r->max = max;
		r->slots_n = SLOTS;
		r->slots = cs_mem_new(SLOTS * sizeof(*r->slots));
	}
	if (r == NULL || r->slots == NULL) {
		cs_revoked_free(r);
		cs_error_set(err, CS_E_NO_MEMORY, "revoked certificates");
		return NULL;
	}
	return r;
}

/* A key as a number that is not 0. */
static uint64_t number_of(const uint8_t key[CS_REVOKED_KEY])
{
	uint64_t v = 0;

	for (size_t i = 0; i < CS_REVOKED_KEY; i++)
		v = v << 8 | key[i];
	return v == 0 ? 1 : v;
}

/* Where it is, or would be. Its low bits are as random as any. */
static uint64_t *slot_of(uint64_t *slots, size_t n, uint64_t number)
{
	size_t at = (size_t)number & (n - 1);

	while (slots[at] != 0 && slots[at] != number)
		at = (at + 1) & (n - 1);
	return &slots[at];
}

/* Twice as many slots; false: no memory. */
static bool grow(struct cs_revoked *r)
{
	size_t n = 2 * r->slots_n;
	uint64_t *slots = cs_mem_new(n * sizeof(*slots));

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < r->slots_n; i++)
		if (r->slots[i] != 0)
			*slot_of(slots, n, r->slots[i]) = r->slots[i];
	cs_mem_free(r->slots);
	r->slots = slots;
	r->slots_n = n;
	return true;
}

/* One more. */
static void add(struct cs_revoked *r, uint64_t number)
{
	uint64_t *slot = slot_of(r->slots, r->slots_n, number);

	if (*slot == number)
		return;
	if (r->n == r->max || (2 * (r->n + 1) > r->slots_n && !grow(r))) {
		r->beyond = true;
		return;
	}
	*slot_of(r->slots, r->slots_n, number) = number;
	r->n++;
}

bool cs_revoked_take(struct cs_revoked *r, const struct cs_msg_revoked *m,
		     struct cs_error *err)
{
	if (m->keys.n % CS_REVOKED_KEY != 0)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "REVOKED: no whole number of keys");
	for (size_t i = 0; i < m->keys.n && !r->beyond; i += CS_REVOKED_KEY)
		add(r, number_of(m->keys.p + i));
	r->beyond = r->beyond || m->beyond != 0;
	return true;
}

bool cs_revoked_holds(const struct cs_revoked *r,
		      const uint8_t key[CS_REVOKED_KEY])
{
	uint64_t number = number_of(key);

	return r->beyond || *slot_of(r->slots, r->slots_n, number) == number;
}

bool cs_revoked_is_beyond(const struct cs_revoked *r)
{
	return r->beyond;
}
