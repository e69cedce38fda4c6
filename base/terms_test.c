#include <tests/lib/test.h>

#include <string.h>

#include "base/terms.h"

static void encodes_sorted_and_once(void **state)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_terms t;

	(void)state;
	cs_arena_init(&arena, 100000);
	cs_buf_init(&out, 1000);
	cs_terms_init(&t, &arena);
	assert_true(cs_terms_add(&t, CS_TERM_CN, CS_SPAN_LIT("b")));
	assert_true(cs_terms_add_dns(&t, CS_SPAN_LIT("*.example.com")));
	assert_true(cs_terms_add(&t, CS_TERM_CN, CS_SPAN_LIT("a")));
	assert_true(cs_terms_add(&t, CS_TERM_CN, CS_SPAN_LIT("b")));
	assert_true(cs_terms_add(&t, CS_TERM_CN, CS_SPAN_LIT("")));
	assert_true(cs_terms_add_dns(&t, CS_SPAN_LIT("")));
	cs_terms_encode(&t, &out);
	assert_true(cs_span_equal(cs_buf_span(&out),
				  CS_SPAN_LIT("\x01\x0d\0\0\0com.example.*"
					      "\x05\x01\0\0\0"
					      "a"
					      "\x05\x01\0\0\0"
					      "b")));
}

static void reads_back_every_term(void **state)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_terms t;
	struct cs_span blob, value = {0};
	uint8_t field = 0;
	bool bad = true;

	(void)state;
	cs_arena_init(&arena, 1000000);
	cs_buf_init(&out, 100000);
	cs_terms_init(&t, &arena);
	for (unsigned i = 1000; i-- > 0;) {
		uint8_t v[2] = {(uint8_t)(i >> 8), (uint8_t)i};

		assert_true(cs_terms_add(&t, (enum cs_term)(1 + i / 100),
					 cs_span_make(v, 2)));
	}
	cs_terms_encode(&t, &out);
	blob = cs_buf_span(&out);
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(cs_terms_next(&blob, &field, &value, &bad));
		assert_int_equal(field, 1 + i / 100);
		assert_int_equal(value.p[0] << 8 | value.p[1], i);
	}
	assert_false(cs_terms_next(&blob, &field, &value, &bad));
	assert_false(bad);
}

static void tells_a_malformed_blob_from_its_end(void **state)
{
	static const struct cs_span bad[] = {
		CS_SPAN_INIT("\x01"),
		CS_SPAN_INIT("\x01\x01\0\0"),
		CS_SPAN_INIT("\x01\x02\0\0\0a"),
		CS_SPAN_INIT("\x01\xff\xff\xff\xff"
			     "a"),
		CS_SPAN_INIT("\x01\0\0\0\0"),
		CS_SPAN_INIT("\0\x01\0\0\0a"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cs_span blob = bad[i], value = {0};
		uint8_t field = 0;
		bool is_bad = false;

		assert_false(cs_terms_next(&blob, &field, &value, &is_bad));
		assert_true(is_bad);
		assert_int_equal(blob.n, bad[i].n);
		assert_false(cs_terms_next(&blob, &field, &value, NULL));
	}
}

static void reverses_labels(void **state)
{
	static const struct {
		const char *name;
		const char *reversed;
	} cases[] = {
		{"www.corp.example", "example.corp.www"},
		{"example", "example"},
		{"*.a.b", "b.a.*"},
		{"", ""},
		{"a.", ".a"},
		{".a", "a."},
		{"a..b", "b..a"},
	};
	CS_CLEANUP(cs_buf_done) struct cs_buf out;

	(void)state;
	cs_buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cs_buf_reset(&out);
		cs_terms_reverse_dns(cs_span_str(cases[i].name), &out);
		assert_string_equal(cs_buf_str(&out), cases[i].reversed);
	}
}

static void says_when_the_arena_is_full(void **state)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	struct cs_terms t;

	(void)state;
	cs_arena_init(&arena, 100);
	cs_terms_init(&t, &arena);
	assert_false(cs_terms_add(&t, CS_TERM_CN, CS_SPAN_LIT("a")));
	assert_false(cs_terms_add_dns(&t, CS_SPAN_LIT("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_sorted_and_once),
		cmocka_unit_test(reads_back_every_term),
		cmocka_unit_test(tells_a_malformed_blob_from_its_end),
		cmocka_unit_test(reverses_labels),
		cmocka_unit_test(says_when_the_arena_is_full),
	};

	return cs_test_run("base/terms", tests);
}
