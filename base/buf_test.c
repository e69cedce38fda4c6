#include <tests/lib/test.h>

#include <string.h>

#include "base/buf.h"

static void holds_no_more_than_its_maximum(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_error err = {0};

	(void)state;
	cs_buf_init(&b, 4);
	assert_true(cs_buf_add_str(&b, "abcd"));
	assert_string_equal(cs_buf_str(&b), "abcd");
	assert_false(cs_buf_add_byte(&b, 'e'));
	assert_false(cs_buf_ok(&b));
	assert_false(cs_buf_finish(&b, "thing", &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	assert_string_equal(err.text, "thing: longer than 4 bytes");
}

static void stays_failed_until_it_is_reset(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	(void)state;
	cs_buf_init(&b, 2);
	assert_false(cs_buf_add_str(&b, "abc"));
	assert_false(cs_buf_add_str(&b, "a"));
	assert_int_equal(cs_buf_span(&b).n, 0);
	cs_buf_reset(&b);
	assert_true(cs_buf_add_str(&b, "a"));
}

static void inserts_before_an_offset(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	(void)state;
	cs_buf_init(&b, 1000);
	assert_true(cs_buf_add_str(&b, "ad"));
	assert_true(cs_buf_insert(&b, 1, CS_SPAN_LIT("bc")));
	assert_string_equal(cs_buf_str(&b), "abcd");
	assert_false(cs_buf_insert(&b, 9, CS_SPAN_LIT("x")));
}

static void formats_across_a_growth(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	(void)state;
	cs_buf_init(&b, 100000);
	for (int i = 0; i < 1000; i++)
		assert_true(cs_buf_addf(&b, "%04d,", i));
	assert_int_equal(cs_buf_span(&b).n, 5000);
	assert_memory_equal(b.p + 4995, "0999,", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_no_more_than_its_maximum),
		cmocka_unit_test(stays_failed_until_it_is_reset),
		cmocka_unit_test(inserts_before_an_offset),
		cmocka_unit_test(formats_across_a_growth),
	};

	return cs_test_run("base/buf", tests);
}
