#include <tests/lib/test.h>

#include <string.h>

#include "base/limits.h"
#include "base/sources.h"
#include "base/wire.h"

/* Encode a list of two and give back what decoding says. */
static bool round_trip(struct cs_source *two, struct cs_arena *arena,
		       struct cs_sources *ret, struct cs_error *err)
{
	struct cs_sources list = {.items = two, .n = 2};
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_span copy;

	cs_buf_init(&b, 100000);
	cs_sources_encode(&list, &b);
	assert_true(cs_buf_ok(&b));
	assert_true(cs_arena_dup(arena, cs_buf_span(&b), &copy));
	return cs_sources_decode(copy, arena, ret, err);
}

static void what_was_encoded_is_decoded(void **state)
{
	struct cs_source two[] = {
		{CS_SPAN_LIT("a.yaml"), CS_SPAN_LIT("x: 1\n")},
		{CS_SPAN_LIT("b.yaml"), CS_SPAN_LIT("")},
	};
	struct cs_sources got = {0};
	struct cs_arena arena;

	(void)state;
	cs_arena_init(&arena, 100000);
	assert_true(round_trip(two, &arena, &got, NULL));
	assert_int_equal(got.n, 2);
	assert_true(cs_span_equal_str(got.items[0].name, "a.yaml"));
	assert_true(cs_span_equal_str(got.items[0].bytes, "x: 1\n"));
	assert_true(cs_span_equal_str(got.items[1].name, "b.yaml"));
	assert_int_equal(got.items[1].bytes.n, 0);
	cs_arena_done(&arena);
}

static void names_are_unique_and_printable(void **state)
{
	struct cs_source same[] = {
		{CS_SPAN_LIT("a.yaml"), CS_SPAN_LIT("")},
		{CS_SPAN_LIT("a.yaml"), CS_SPAN_LIT("")},
	};
	struct cs_source control[] = {
		{CS_SPAN_LIT("a\nyaml"), CS_SPAN_LIT("")},
		{CS_SPAN_LIT("b.yaml"), CS_SPAN_LIT("")},
	};
	struct cs_error err = {0};
	struct cs_sources got;
	struct cs_arena arena;

	(void)state;
	cs_arena_init(&arena, 100000);
	assert_false(round_trip(same, &arena, &got, &err));
	assert_int_equal(err.code, CS_E_FORMAT);
	assert_false(round_trip(control, &arena, &got, &err));
	assert_int_equal(err.code, CS_E_FORMAT);
	control[0].name = CS_SPAN_LIT("a\xff.yaml");
	assert_false(round_trip(control, &arena, &got, &err));
	assert_int_equal(err.code, CS_E_FORMAT);
	control[0].name = CS_SPAN_LIT("\xc3\xa4.yaml");
	assert_true(round_trip(control, &arena, &got, &err));
	cs_arena_done(&arena);
}

static void a_malformed_list_is_refused(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_error err = {0};
	struct cs_sources got;
	struct cs_arena arena;

	(void)state;
	cs_arena_init(&arena, 100000);
	cs_buf_init(&b, 100);
	assert_false(cs_sources_decode(cs_buf_span(&b), &arena, &got, &err));
	cs_wire_put_u32(&b, 200);
	assert_false(cs_sources_decode(cs_buf_span(&b), &arena, &got, &err));
	assert_int_equal(err.code, CS_E_PROTOCOL);
	cs_buf_reset(&b);
	cs_wire_put_u32(&b, CS_MAX_POLICY_FILES + 1);
	assert_false(cs_sources_decode(cs_buf_span(&b), &arena, &got, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	cs_buf_reset(&b);
	cs_wire_put_u32(&b, 0);
	assert_true(cs_sources_decode(cs_buf_span(&b), &arena, &got, &err));
	assert_int_equal(got.n, 0);
	cs_buf_add_byte(&b, 0);
	assert_false(cs_sources_decode(cs_buf_span(&b), &arena, &got, &err));
	assert_int_equal(err.code, CS_E_PROTOCOL);
	cs_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_encoded_is_decoded),
		cmocka_unit_test(names_are_unique_and_printable),
		cmocka_unit_test(a_malformed_list_is_refused),
	};

	return cs_test_run("base/sources", tests);
}
