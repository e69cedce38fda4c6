#include <tests/lib/test.h>

#include <string.h>

#include "base/codec.h"
#include "base/der.h"
#include "base/limits.h"

/* What one function of the reader makes of some bytes. */
enum reads {
	ANY,
	SEQUENCE,
	BOOLEAN,
	INTEGER,
	UINT,
	OID,
	OCTETS,
	NAMED,
	TIME
};

/* Call it; whatever it gives back is dropped. */
static bool read_as(enum reads how, struct cs_der *r, struct cs_error *err)
{
	struct cs_span span = {0};
	struct cs_der inner;
	uint32_t bits;
	uint64_t u;
	int64_t s;
	uint8_t tag;
	bool b;

	switch (how) {
	case ANY:
		return cs_der_any(r, &tag, &span, NULL, err);
	case SEQUENCE:
		return cs_der_enter(r, CS_DER_SEQUENCE, "it", &inner, err);
	case BOOLEAN:
		return cs_der_boolean(r, "it", &b, err);
	case INTEGER:
		return cs_der_integer(r, "it", &span, err);
	case UINT:
		return cs_der_uint(r, "it", &u, err);
	case OID:
		return cs_der_oid(r, "it", &span, err);
	case OCTETS:
		return cs_der_bit_string_octets(r, "it", &span, err);
	case NAMED:
		return cs_der_named_bits(r, "it", &bits, err);
	default:
		return cs_der_time(r, "it", &s, err);
	}
}

static const struct refusal {
	enum reads how;
	const char *hex;
	const char *clause;
} refusals[] = {
	/* Identifier octets. */
	{ANY, "", "X.690 8.1.1"},
	{SEQUENCE, "", "X.690 8.1.1"},
	{ANY, "1f0100", "X.690 8.1.2.4"},
	{ANY, "bf818100", "X.690 8.1.2.4"},
	{ANY, "0000", "X.690 8.1.5"},
	{ANY, "2400", "X.690 10.2"},
	{ANY, "230403020000", "X.690 10.2"},
	{ANY, "2203020101", "X.690 10.2"},
	{ANY, "1000", "X.690 8.9.1"},
	{ANY, "1100", "X.690 8.9.1"},
	{SEQUENCE, "3100", "X.690 8.1.2"},
	{INTEGER, "0400", "X.690 8.1.2"},
	{BOOLEAN, "8101ff", "X.690 8.1.2"},
	/* Lengths. */
	{ANY, "30", "X.690 8.1.3"},
	{SEQUENCE, "30800000", "X.690 10.1"},
	{ANY, "308000000000", "X.690 10.1"},
	{ANY, "04810101", "X.690 10.1"},
	{ANY, "04817f", "X.690 10.1"},
	{ANY, "0482000101", "X.690 10.1"},
	{ANY, "048500000000010a", "X.690 10.1"},
	{ANY, "0481", "X.690 8.1.3"},
	{ANY, "048201", "X.690 8.1.3"},
	{ANY, "0402aa", "X.690 8.1.3"},
	{ANY, "0481ff", "X.690 8.1.3"},
	{ANY, "0484ffffffff", "X.690 8.1.3"},
	{ANY, "0488ffffffffffffffff", "X.690 8.1.3"},
	{ANY, "04ff", "X.690 8.1.3"},
	/* Values. */
	{BOOLEAN, "010101", "X.690 11.1"},
	{BOOLEAN, "0101fe", "X.690 11.1"},
	{BOOLEAN, "0100", "X.690 8.2.1"},
	{BOOLEAN, "0102ffff", "X.690 8.2.1"},
	{INTEGER, "0200", "X.690 8.3.1"},
	{INTEGER, "02020001", "X.690 8.3.2"},
	{INTEGER, "0202007f", "X.690 8.3.2"},
	{INTEGER, "0202ff80", "X.690 8.3.2"},
	{INTEGER, "0202ffff", "X.690 8.3.2"},
	{INTEGER, "02020000", "X.690 8.3.2"},
	{UINT, "0200", "X.690 8.3.1"},
	{UINT, "02020001", "X.690 8.3.2"},
	{UINT, "0201ff", "X.690 8.3.3"},
	{UINT, "020180", "X.690 8.3.3"},
	{UINT, "0209010000000000000000", "X.690 8.3.3"},
	{UINT, "020a00ff0000000000000000", "X.690 8.3.3"},
	{OID, "0600", "X.690 8.19.1"},
	{OID, "060180", "X.690 8.19.2"},
	{OID, "06028001", "X.690 8.19.2"},
	{OID, "06032a8001", "X.690 8.19.2"},
	{OID, "06022a86", "X.690 8.19.2"},
	{OID, "060186", "X.690 8.19.2"},
	{OCTETS, "0300", "X.690 8.6.2.1"},
	{OCTETS, "03020800", "X.690 8.6.2.2"},
	{OCTETS, "03020180", "X.690 8.6.2.2"},
	{OCTETS, "030101", "X.690 8.6.2.3"},
	{OCTETS, "03020181", "X.690 11.2.1"},
	{NAMED, "0300", "X.690 8.6.2.1"},
	{NAMED, "030101", "X.690 8.6.2.3"},
	{NAMED, "030207ff", "X.690 11.2.1"},
	{NAMED, "03020601", "X.690 11.2.1"},
	{NAMED, "03020000", "X.690 11.2.2"},
	{NAMED, "03020500", "X.690 11.2.2"},
	{NAMED, "03020680", "X.690 11.2.2"},
	{NAMED, "0303078000", "X.690 11.2.2"},
	{NAMED, "0306000000000001", "X.690 8.6"},
};

/* Bytes of hexadecimal text. */
static struct cs_span bytes_of(const char *hex, uint8_t *room, size_t max)
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= max);
	assert_true(cs_codec_hex_fixed(cs_span_str(hex), room, n));
	return cs_span_make(room, n);
}

static void refuses_what_X_690_forbids_and_stays_where_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *c = &refusals[i];
		struct cs_error err = {0};
		uint8_t room[64];
		struct cs_span before = bytes_of(c->hex, room, sizeof(room));
		struct cs_der r = cs_der_reader(before);

		assert_false(read_as(c->how, &r, &err));
		assert_int_equal(err.code, CS_E_DER);
		if (strstr(err.text, c->clause) == NULL)
			fail_msg("%s: %s", c->hex, err.text);
		assert_true(cs_span_equal(r.rest, before));
		assert_ptr_equal(r.rest.p, before.p);
	}
}

static void refuses_times_that_RFC_5280_4_1_2_5_does_not_allow(void **state)
{
	static const struct {
		uint8_t tag;
		const char *text;
		const char *clause;
	} cases[] = {
		{0x17, "2611242020Z", "RFC 5280 4.1.2.5.1:"},
		{0x17, "261124202043", "RFC 5280 4.1.2.5.1:"},
		{0x17, "261124202043+0000", "RFC 5280 4.1.2.5.1:"},
		{0x17, "261124202043-0100", "RFC 5280 4.1.2.5.1:"},
		{0x17, "261124202060Z", "RFC 5280 4.1.2.5.1:"},
		{0x17, "261324202043Z", "RFC 5280 4.1.2.5.1:"},
		{0x17, "260229202043Z", "RFC 5280 4.1.2.5.1:"},
		{0x17, "261124242043Z", "RFC 5280 4.1.2.5.1:"},
		{0x17, "26112420204.Z", "RFC 5280 4.1.2.5.1:"},
		{0x17, "-61124202043Z", "RFC 5280 4.1.2.5.1:"},
		{0x17, "2611242020 3Z", "RFC 5280 4.1.2.5.1:"},
		{0x17, "261124202043z", "RFC 5280 4.1.2.5.1:"},
		{0x17, "20261124202043Z", "RFC 5280 4.1.2.5.1:"},
		{0x17, "", "RFC 5280 4.1.2.5.1:"},
		{0x18, "20501124202043.5Z", "RFC 5280 4.1.2.5.2:"},
		{0x18, "20501124202043", "RFC 5280 4.1.2.5.2:"},
		{0x18, "20501124202043.Z", "RFC 5280 4.1.2.5.2:"},
		{0x18, "205011242020Z", "RFC 5280 4.1.2.5.2:"},
		{0x18, "501124202043Z", "RFC 5280 4.1.2.5.2:"},
		{0x18, "20501124202043+0000", "RFC 5280 4.1.2.5.2:"},
		{0x18, "20501124202043z", "RFC 5280 4.1.2.5.2:"},
		{0x18, "20500230202043Z", "RFC 5280 4.1.2.5.2:"},
		{0x18, "2x501124202043Z", "RFC 5280 4.1.2.5.2:"},
		{0x18, "00001124202043Z", "RFC 5280 4.1.2.5.2:"},
		{0x18, "20491231235959Z", "RFC 5280 4.1.2.5:"},
		{0x18, "19491231235959Z", "RFC 5280 4.1.2.5:"},
		{0x16, "261124202043Z", "X.690 8.1.2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out;
		struct cs_error err = {0};
		struct cs_der r;
		int64_t s = 42;

		cs_buf_init(&out, 100);
		cs_der_write(&out, cases[i].tag, cs_span_str(cases[i].text));
		r = cs_der_reader(cs_buf_span(&out));
		assert_false(cs_der_time(&r, "notAfter", &s, &err));
		if (strstr(err.text, cases[i].clause) == NULL)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(s, 42);
		assert_int_equal(r.rest.n, out.n);
	}
}

static void reads_what_is_there(void **state)
{
	uint8_t room[64];
	struct cs_der r = cs_der_reader(bytes_of("3019"
						 "0101ff"
						 "020200ff"
						 "0203008000"
						 "06022a03"
						 "0303000102"
						 "03020780"
						 "a100"
						 "0500",
						 room, sizeof(room)));
	struct cs_der in, inner;
	struct cs_span span = {0}, whole = {0};
	struct cs_error err = {0};
	uint32_t bits = 0;
	uint64_t u = 0;
	uint8_t tag = 0;
	bool b = false, there = true;

	(void)state;
	assert_true(cs_der_enter(&r, CS_DER_SEQUENCE, "all", &in, &err));
	assert_true(cs_der_boolean(&in, "b", &b, &err));
	assert_true(b);
	assert_true(cs_der_uint(&in, "u", &u, &err));
	assert_int_equal(u, 255);
	assert_true(cs_der_integer(&in, "i", &span, &err));
	assert_true(cs_span_equal(span, CS_SPAN_LIT("\0\x80\0")));
	assert_true(cs_der_next_is(&in, CS_DER_OID));
	assert_true(cs_der_oid(&in, "o", &span, &err));
	assert_true(cs_span_equal(span, CS_SPAN_LIT("\x2a\x03")));
	assert_true(cs_der_bit_string_octets(&in, "s", &span, &err));
	assert_true(cs_span_equal(span, CS_SPAN_LIT("\x01\x02")));
	assert_false(cs_der_end(&in, "all", &err));
	assert_non_null(strstr(err.text, "all: X.690 8.1.1: 4 octets"));
	assert_true(cs_der_named_bits(&in, "n", &bits, &err));
	assert_int_equal(bits, 1);
	assert_true(cs_der_at_end(&in));
	assert_false(cs_der_next_is(&in, CS_DER_OID));
	assert_true(
		cs_der_enter_optional(&in, 0xa0, "x", &inner, &there, &err));
	assert_false(there);
	assert_true(cs_der_end(&in, "all", &err));
	assert_true(cs_der_enter_optional(&r, 0xa0, "x", &inner, &there, &err));
	assert_false(there);
	assert_true(cs_der_enter_optional(&r, 0xa1, "x", &inner, &there, &err));
	assert_true(there);
	assert_true(cs_der_at_end(&inner));
	assert_true(cs_der_any(&r, &tag, &span, &whole, &err));
	assert_int_equal(tag, CS_DER_NULL);
	assert_int_equal(span.n, 0);
	assert_int_equal(whole.n, 2);
	assert_true(cs_der_at_end(&r));
}

static void writes_lengths_of_every_size(void **state)
{
	static const size_t sizes[] = {0,   1,	 127,	128,   129,
				       255, 256, 65535, 65536, 70000};
	static uint8_t zeros[70000];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out;
		struct cs_span content = {0}, inside = {0};
		struct cs_error err = {0};
		struct cs_der r;
		size_t outer, inner;

		cs_buf_init(&out, 100000);
		assert_true(cs_buf_add_str(&out, "before"));
		outer = cs_der_write_begin(&out, CS_DER_SEQUENCE);
		inner = cs_der_write_begin(&out, CS_DER_CONTEXT(0));
		cs_buf_add(&out, cs_span_make(zeros, sizes[i]));
		cs_der_write_end(&out, inner);
		cs_der_write_end(&out, outer);
		r = cs_der_reader(cs_span_sub(cs_buf_span(&out), 6, SIZE_MAX));
		assert_true(cs_der_enter(&r, CS_DER_SEQUENCE, "o", &r, &err));
		assert_true(cs_der_element(&r, CS_DER_CONTEXT(0), "i", &content,
					   &inside, &err));
		assert_int_equal(content.n, sizes[i]);
		assert_true(cs_der_at_end(&r));
		cs_buf_reset(&out);
		cs_der_write(&out, CS_DER_CONTEXT(0),
			     cs_span_make(zeros, sizes[i]));
		assert_int_equal(out.n, inside.n);
	}
}

static void writer_fails_its_buffer_and_nothing_else(void **state)
{
	(void)state;
	for (size_t max = 0; max < 12; max++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out;
		size_t a, b;

		cs_buf_init(&out, max);
		a = cs_der_write_begin(&out, CS_DER_SEQUENCE);
		b = cs_der_write_begin(&out, CS_DER_SEQUENCE);
		cs_der_write_uint(&out, 0x8000);
		cs_der_write_boolean_true(&out);
		cs_der_write_end(&out, b);
		cs_der_write_end(&out, a);
		assert_int_equal(cs_buf_ok(&out), max >= 12);
	}
	for (size_t i = 0; i < 2; i++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out;

		cs_buf_init(&out, 100);
		cs_der_write_end(&out, i);
		assert_false(cs_buf_ok(&out));
	}
}

static void writes_and_reads_numbers_at_their_edges(void **state)
{
	static const struct {
		uint64_t v;
		const char *hex;
	} cases[] = {
		{0, "020100"},
		{1, "020101"},
		{127, "02017f"},
		{128, "02020080"},
		{255, "020200ff"},
		{256, "02020100"},
		{32768, "0203008000"},
		{UINT64_C(1) << 63, "0209008000000000000000"},
		{UINT64_MAX, "020900ffffffffffffffff"},
		{INT64_MAX, "02087fffffffffffffff"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out;
		uint8_t room[16];
		struct cs_der r;
		uint64_t v = 0;

		cs_buf_init(&out, 100);
		cs_der_write_uint(&out, cases[i].v);
		assert_true(cs_span_equal(
			cs_buf_span(&out),
			bytes_of(cases[i].hex, room, sizeof(room))));
		r = cs_der_reader(cs_buf_span(&out));
		assert_true(cs_der_uint(&r, "v", &v, NULL));
		assert_true(v == cases[i].v);
		cs_buf_reset(&out);
		cs_der_write_uint_octets(&out, CS_SPAN_LIT(""));
		assert_true(cs_span_equal(cs_buf_span(&out),
					  CS_SPAN_LIT("\x02\x01\0")));
	}
}

static void named_bits_read_back_for_every_set_of_ten(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 1024 + 32; bits++) {
		/* The last ones are the single bits of all 32. */
		uint32_t set =
			bits < 1024 ? bits : UINT32_C(1) << (bits - 1024);
		CS_CLEANUP(cs_buf_done) struct cs_buf out;
		struct cs_der r;
		uint32_t back = 0;

		cs_buf_init(&out, 100);
		cs_der_write_named_bits(&out, set);
		r = cs_der_reader(cs_buf_span(&out));
		assert_true(cs_der_named_bits(&r, "bits", &back, NULL));
		assert_int_equal(back, set);
		assert_true(cs_der_at_end(&r));
	}
}

static void times_read_back_from_1950_to_9999(void **state)
{
	(void)state;
	for (int64_t s = -631152000; s <= 253402300799;
	     s += 86400 * 91 + 4711) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out;
		struct cs_der r;
		int64_t back = 0;

		cs_buf_init(&out, 100);
		cs_der_write_time(&out, s);
		r = cs_der_reader(cs_buf_span(&out));
		assert_int_equal(r.rest.p[0], s < 2524608000 ? 0x17 : 0x18);
		assert_true(cs_der_time(&r, "t", &back, NULL));
		assert_int_equal(back, s);
	}
}

static void a_time_without_a_form_fails_the_buffer(void **state)
{
	static const int64_t bad[] = {-631152001, 253402300800, INT64_MIN,
				      INT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out;

		cs_buf_init(&out, 100);
		cs_der_write_time(&out, bad[i]);
		assert_false(cs_buf_ok(&out));
	}
}

static void object_identifiers_read_back(void **state)
{
	static const struct {
		const char *text;
		const char *hex;
	} cases[] = {
		{"1.2.840.113549", "2a864886f70d"},
		{"0.0", "00"},
		{"0.39", "27"},
		{"1.0", "28"},
		{"1.39", "4f"},
		{"2.0", "50"},
		{"2.47", "7f"},
		{"2.48", "8100"},
		/* X.690 8.19.4: two arcs in one subidentifier. */
		{"2.999.3", "883703"},
		{"2.5.29.17", "551d11"},
		{"2.25.340282366920938463463374607431768211455",
		 "6983ffffffffffffffffffffffffffffffffff7f"},
	};
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	uint8_t room[64];
	struct cs_error err = {0};

	(void)state;
	cs_buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cs_span content =
			bytes_of(cases[i].hex, room, sizeof(room));

		cs_buf_reset(&out);
		cs_der_oid_text(content, &out);
		assert_string_equal(cs_buf_str(&out), cases[i].text);
		cs_buf_reset(&out);
		assert_true(cs_der_oid_parse(cs_span_str(cases[i].text), &out,
					     &err));
		assert_true(cs_span_equal(cs_buf_span(&out), content));
	}
	cs_buf_reset(&out);
	cs_der_oid_text(CS_SPAN_LIT("\x86"), &out);
	cs_der_oid_text(CS_SPAN_LIT(""), &out);
	assert_string_equal(cs_buf_str(&out), "??");
}

static void refuses_text_that_is_no_object_identifier(void **state)
{
	static const char *const bad[] = {
		"",
		"1",
		"1.",
		".1",
		"1..2",
		"1.2.",
		"3.1",
		"0.40",
		"1.40",
		"1.02",
		"01.2",
		"1.2a",
		"1.2 ",
		" 1.2",
		"-1.2",
		"1.-2",
		"130.1",
		"1.2.3.999999999999999999999999999999999999999999999999999999"
		"99999999999999999999999999",
		"1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1."
		"1.1.1.1",
	};
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_error err = {0};
	char longest[80] = "";

	(void)state;
	cs_buf_init(&out, 1000);
	assert_true(cs_buf_add_str(&out, "kept"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(cs_der_oid_parse(cs_span_str(bad[i]), &out, &err));
		assert_int_equal(err.code, CS_E_FORMAT);
		assert_string_equal(cs_buf_str(&out), "kept");
	}
	memset(longest, '1', 2 * CS_MAX_OID + 1);
	for (size_t i = 1; i < 2 * CS_MAX_OID + 1; i += 2)
		longest[i] = '.';
	cs_buf_reset(&out);
	assert_true(cs_der_oid_parse(cs_span_str(longest), &out, &err));
	assert_int_equal(out.n, CS_MAX_OID);
}

static void refuses_an_object_identifier_beyond_the_maximum(void **state)
{
	uint8_t bytes[2 + CS_MAX_OID + 1] = {CS_DER_OID, CS_MAX_OID + 1};
	struct cs_der r = cs_der_reader(cs_span_make(bytes, sizeof(bytes)));
	struct cs_span oid = {0};
	struct cs_error err = {0};

	(void)state;
	assert_false(cs_der_oid(&r, "oid", &oid, &err));
	assert_non_null(strstr(err.text, "33 octets"));
	bytes[1] = CS_MAX_OID;
	assert_true(cs_der_oid(&r, "oid", &oid, &err));
	assert_int_equal(oid.n, CS_MAX_OID);
}

static void one_element_is_checked_in_all_its_depth(void **state)
{
	uint8_t nested[2 * (CS_MAX_DER_DEPTH + 2)];
	struct cs_error err = {0};
	size_t n = 2 * ((size_t)CS_MAX_DER_DEPTH + 1);

	(void)state;
	assert_true(cs_der_check(
		CS_SPAN_LIT("\x30\x06\x30\x00\xa1\x02\x05\x00"), "it", NULL));
	assert_true(cs_der_check(CS_SPAN_LIT("\x04\x01\x30"), "it", NULL));
	assert_false(cs_der_check(CS_SPAN_LIT(""), "it", NULL));
	assert_false(cs_der_check(CS_SPAN_LIT("\x05\x00\x05\x00"), "it", &err));
	assert_non_null(strstr(err.text, "it: X.690 8.1.1: 2 octets"));
	assert_false(cs_der_check(CS_SPAN_LIT("\x30\x80\x00\x00"), "it", NULL));
	assert_false(
		cs_der_check(CS_SPAN_LIT("\x30\x03\xa1\x02\x05"), "it", NULL));
	/* As many levels as allowed, then one more. */
	for (size_t i = 0; i < n; i += 2) {
		nested[i] = CS_DER_SEQUENCE;
		nested[i + 1] = (uint8_t)(n - i - 2);
	}
	assert_false(cs_der_check(cs_span_make(nested, n), "it", &err));
	assert_non_null(strstr(err.text, "levels deep"));
	assert_true(cs_der_check(cs_span_make(nested + 2, n - 2), "it", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			refuses_what_X_690_forbids_and_stays_where_it_was),
		cmocka_unit_test(
			refuses_times_that_RFC_5280_4_1_2_5_does_not_allow),
		cmocka_unit_test(reads_what_is_there),
		cmocka_unit_test(writes_lengths_of_every_size),
		cmocka_unit_test(writer_fails_its_buffer_and_nothing_else),
		cmocka_unit_test(writes_and_reads_numbers_at_their_edges),
		cmocka_unit_test(named_bits_read_back_for_every_set_of_ten),
		cmocka_unit_test(times_read_back_from_1950_to_9999),
		cmocka_unit_test(a_time_without_a_form_fails_the_buffer),
		cmocka_unit_test(object_identifiers_read_back),
		cmocka_unit_test(refuses_text_that_is_no_object_identifier),
		cmocka_unit_test(
			refuses_an_object_identifier_beyond_the_maximum),
		cmocka_unit_test(one_element_is_checked_in_all_its_depth),
	};

	return cs_test_run("base/der", tests);
}
