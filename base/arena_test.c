#include <tests/lib/test.h>

#include <string.h>

#include "base/arena.h"

static void memory_is_zeroed_and_aligned(void **state)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena a;

	(void)state;
	cs_arena_init(&a, 1000000);
	for (size_t n = 0; n < 300; n++) {
		uint8_t *p = cs_arena_new(&a, n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
}

static void memory_is_zeroed_again_after_a_reset(void **state)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena a;

	(void)state;
	cs_arena_init(&a, 1000000);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 50; i++) {
			uint8_t *p = cs_arena_new(&a, 1000);

			assert_non_null(p);
			for (size_t k = 0; k < 1000; k++)
				assert_int_equal(p[k], 0);
			memset(p, 0xff, 1000);
		}
		cs_arena_reset(&a);
		assert_int_equal(a.used, 0);
	}
}

static void gives_no_more_than_its_maximum(void **state)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena a;

	(void)state;
	cs_arena_init(&a, 100);
	assert_null(cs_arena_new(&a, 101));
	assert_null(cs_arena_new(&a, SIZE_MAX));
	assert_null(cs_arena_new_array(&a, SIZE_MAX / 2, 3));
	for (int i = 0; i < 6; i++)
		assert_non_null(cs_arena_new(&a, 16));
	assert_null(cs_arena_new(&a, 16));
	assert_null(cs_arena_new(&a, 0));
	cs_arena_reset(&a);
	assert_non_null(cs_arena_new(&a, 1));
}

static void a_large_piece_has_a_block_of_its_own(void **state)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena a;
	char *small, *large;

	(void)state;
	cs_arena_init(&a, 1000000);
	small = cs_arena_str(&a, CS_SPAN_LIT("small"));
	large = cs_arena_new(&a, 500000);
	assert_non_null(small);
	assert_non_null(large);
	memset(large, 'x', 500000);
	assert_string_equal(small, "small");
}

static void copies_live_on_their_own(void **state)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena a;
	char text[] = "abc";
	struct cs_span copy = {0};
	char *s;

	(void)state;
	cs_arena_init(&a, 1000);
	assert_true(cs_arena_dup(&a, cs_span_str(text), &copy));
	s = cs_arena_str(&a, cs_span_str(text));
	text[0] = 'x';
	assert_true(cs_span_equal_str(copy, "abc"));
	assert_string_equal(s, "abc");
	assert_string_equal(cs_arena_printf(&a, "%s-%d", "x", 7), "x-7");
	assert_true(cs_arena_dup(&a, cs_span_make(NULL, 0), &copy));
	assert_int_equal(copy.n, 0);
	assert_string_equal(cs_arena_str(&a, cs_span_make(NULL, 0)), "");
	assert_null(cs_arena_printf(&a, "%02000d", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(memory_is_zeroed_again_after_a_reset),
		cmocka_unit_test(gives_no_more_than_its_maximum),
		cmocka_unit_test(a_large_piece_has_a_block_of_its_own),
		cmocka_unit_test(copies_live_on_their_own),
	};

	return cs_test_run("base/arena", tests);
}
