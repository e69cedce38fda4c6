#include <tests/lib/test.h>

#include "base/span.h"

static void orders_by_bytes_and_then_by_length(void **state)
{
	(void)state;
	assert_true(cs_span_compare(CS_SPAN_LIT("a"), CS_SPAN_LIT("b")) < 0);
	assert_true(cs_span_compare(CS_SPAN_LIT("ab"), CS_SPAN_LIT("a")) > 0);
	assert_int_equal(cs_span_compare(CS_SPAN_LIT("a"), CS_SPAN_LIT("a")),
			 0);
	assert_int_equal(cs_span_compare(cs_span_str(NULL), CS_SPAN_LIT("")),
			 0);
}

static void clamps_a_part_to_what_there_is(void **state)
{
	struct cs_span s = CS_SPAN_LIT("hello");

	(void)state;
	assert_true(cs_span_equal_str(cs_span_sub(s, 1, 3), "ell"));
	assert_true(cs_span_equal_str(cs_span_sub(s, 3, 99), "lo"));
	assert_int_equal(cs_span_sub(s, 9, 1).n, 0);
}

static void ignores_ascii_case_only(void **state)
{
	(void)state;
	assert_true(
		cs_span_equal_icase(CS_SPAN_LIT("AbZ"), CS_SPAN_LIT("aBz")));
	assert_false(cs_span_equal_icase(CS_SPAN_LIT("["), CS_SPAN_LIT("{")));
	assert_false(
		cs_span_equal_icase(CS_SPAN_LIT("\xc4"), CS_SPAN_LIT("\xe4")));
}

static void compares_secrets_whole(void **state)
{
	(void)state;
	assert_true(
		cs_span_equal_secret(CS_SPAN_LIT("abc"), CS_SPAN_LIT("abc")));
	assert_false(
		cs_span_equal_secret(CS_SPAN_LIT("abc"), CS_SPAN_LIT("abd")));
	assert_false(
		cs_span_equal_secret(CS_SPAN_LIT("abc"), CS_SPAN_LIT("ab")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_by_bytes_and_then_by_length),
		cmocka_unit_test(clamps_a_part_to_what_there_is),
		cmocka_unit_test(ignores_ascii_case_only),
		cmocka_unit_test(compares_secrets_whole),
	};

	return cs_test_run("base/span", tests);
}
