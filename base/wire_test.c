#include <tests/lib/test.h>

#include <string.h>

#include "base/wire.h"

static void numbers_are_little_endian(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_wire_reader r;
	uint8_t three[3];

	(void)state;
	cs_buf_init(&out, 100);
	cs_wire_put_u8(&out, 0xfe);
	cs_wire_put_u32(&out, 0x01020304);
	cs_wire_put_u64(&out, UINT64_C(0x0102030405060708));
	cs_wire_put_bytes(&out, CS_SPAN_LIT("ab"));
	cs_buf_add(&out, CS_SPAN_LIT("xyz"));
	assert_true(cs_span_equal(
		cs_buf_span(&out),
		CS_SPAN_LIT("\xfe\4\3\2\1\x8\7\6\5\4\3\2\1\2\0\0\0abxyz")));
	r = cs_wire_reader(cs_buf_span(&out));
	assert_int_equal(cs_wire_get_u8(&r), 0xfe);
	assert_int_equal(cs_wire_get_u32(&r), 0x01020304);
	assert_true(cs_wire_get_u64(&r) == UINT64_C(0x0102030405060708));
	assert_true(cs_span_equal_str(cs_wire_get_bytes(&r), "ab"));
	cs_wire_get_fixed(&r, three, sizeof(three));
	assert_memory_equal(three, "xyz", 3);
	assert_true(cs_wire_finish(&r, "it", NULL));
}

static void a_short_read_gives_zeros_and_sticks(void **state)
{
	struct cs_wire_reader r = cs_wire_reader(CS_SPAN_LIT("\1\2\3"));
	struct cs_error err = {0};
	uint8_t two[2] = {9, 9};

	(void)state;
	assert_int_equal(cs_wire_get_u32(&r), 0);
	assert_int_equal(cs_wire_get_u8(&r), 0);
	assert_int_equal(cs_wire_get_bytes(&r).n, 0);
	cs_wire_get_fixed(&r, two, 2);
	assert_int_equal(two[0] | two[1], 0);
	assert_false(cs_wire_finish(&r, "it", &err));
	assert_string_equal(err.text, "it: the message is too short");
}

static void a_length_beyond_the_end_is_a_short_read(void **state)
{
	struct cs_wire_reader r = cs_wire_reader(CS_SPAN_LIT("\xff\xff\xff\xff"
							     "abc"));
	struct cs_error err = {0};

	(void)state;
	assert_int_equal(cs_wire_get_bytes(&r).n, 0);
	assert_false(cs_wire_finish(&r, "it", &err));
	assert_int_equal(err.code, CS_E_PROTOCOL);
}

static void octets_left_over_are_an_error(void **state)
{
	struct cs_wire_reader r = cs_wire_reader(CS_SPAN_LIT("\1\2"));
	struct cs_error err = {0};

	(void)state;
	assert_int_equal(cs_wire_get_u8(&r), 1);
	assert_false(cs_wire_finish(&r, "it", &err));
	assert_string_equal(err.text, "it: 1 octets behind the message");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_little_endian),
		cmocka_unit_test(a_short_read_gives_zeros_and_sticks),
		cmocka_unit_test(a_length_beyond_the_end_is_a_short_read),
		cmocka_unit_test(octets_left_over_are_an_error),
	};

	return cs_test_run("base/wire", tests);
}
