#include <tests/lib/test.h>

#include <string.h>

#include "api/revoked.h"

/* The key of a number, spread as random ones are. */
static void key_of(uint64_t n, uint8_t key[8])
{
	n *= 0x9e3779b97f4a7c15;
	for (int i = 0; i < 8; i++)
		key[i] = (uint8_t)(n >> (56 - 8 * i));
}

static void take(struct cs_revoked *r, uint64_t n)
{
	uint8_t key[8];
	struct cs_msg_revoked m = {.beyond = 0};

	key_of(n, key);
	m.keys = cs_span_make(key, sizeof(key));
	assert_true(cs_revoked_take(r, &m, NULL));
}

static bool holds(const struct cs_revoked *r, uint64_t n)
{
	uint8_t key[8];

	key_of(n, key);
	return cs_revoked_holds(r, key);
}

static void holds_what_it_was_told_and_nothing_else(void **state)
{
	struct cs_revoked *r = cs_revoked_new(100000, NULL);

	(void)state;
	assert_false(holds(r, 0));
	for (uint64_t n = 0; n < 10000; n += 2)
		take(r, n);
	take(r, 4);
	for (uint64_t n = 0; n < 10000; n++)
		assert_int_equal(holds(r, n), n % 2 == 0);
	assert_false(cs_revoked_is_beyond(r));
	cs_revoked_free(r);
}

static void takes_all_for_revoked_when_it_cannot_know(void **state)
{
	static const uint8_t two[16] = {1, [15] = 2};
	struct cs_revoked *r = cs_revoked_new(3, NULL);
	struct cs_msg_revoked m = {.keys = cs_span_make(two, 16)};
	struct cs_error err = {0};

	(void)state;
	for (uint64_t n = 1; n <= 3; n++)
		take(r, n);
	take(r, 2);
	assert_false(cs_revoked_is_beyond(r));
	assert_false(holds(r, 9));
	take(r, 4);
	assert_true(cs_revoked_is_beyond(r));
	assert_true(holds(r, 9));
	cs_revoked_free(r);

	r = cs_revoked_new(100, NULL);
	m.beyond = 1;
	assert_true(cs_revoked_take(r, &m, NULL));
	assert_true(holds(r, 9));
	m.keys.n = 15;
	assert_false(cs_revoked_take(r, &m, &err));
	assert_int_equal(err.code, CS_E_PROTOCOL);
	cs_revoked_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_what_it_was_told_and_nothing_else),
		cmocka_unit_test(takes_all_for_revoked_when_it_cannot_know),
	};

	return cs_test_run("api/revoked", tests);
}
