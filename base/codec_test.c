#include <tests/lib/test.h>

#include <string.h>

#include <openssl/evp.h>

#include "base/codec.h"
#include "base/random.h"

static void hexadecimal_reads_back(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	struct cs_error err = {0};
	struct cs_span bytes = {0};
	uint8_t two[2] = {7, 7};

	(void)state;
	cs_buf_init(&out, 100);
	cs_arena_init(&arena, 1000);
	cs_codec_hex(CS_SPAN_LIT("\x00\x9a\xff"), &out);
	assert_string_equal(cs_buf_str(&out), "009aff");
	assert_true(cs_codec_hex_decode(CS_SPAN_LIT("009AfF"), &arena, &bytes,
					&err));
	assert_true(cs_span_equal(bytes, CS_SPAN_LIT("\x00\x9a\xff")));
	assert_true(cs_codec_hex_decode(CS_SPAN_LIT(""), &arena, &bytes, &err));
	assert_int_equal(bytes.n, 0);
	assert_false(
		cs_codec_hex_decode(CS_SPAN_LIT("0"), &arena, &bytes, &err));
	assert_int_equal(err.code, CS_E_FORMAT);
	assert_false(
		cs_codec_hex_decode(CS_SPAN_LIT("0g"), &arena, &bytes, &err));
	assert_false(cs_codec_hex_fixed(CS_SPAN_LIT("0102030"), two, 2));
	assert_false(cs_codec_hex_fixed(CS_SPAN_LIT("010203"), two, 2));
	assert_false(cs_codec_hex_fixed(CS_SPAN_LIT("01 2"), two, 2));
	assert_int_equal(cs_codec_hex_digit('9'), 9);
	assert_int_equal(cs_codec_hex_digit('F'), 15);
	assert_int_equal(cs_codec_hex_digit('a'), 10);
	assert_int_equal(cs_codec_hex_digit('g'), -1);
	assert_int_equal(cs_codec_hex_digit('@'), -1);
	assert_int_equal(cs_codec_hex_digit('`'), -1);
	assert_int_equal(two[0], 7);
	assert_true(cs_codec_hex_fixed(CS_SPAN_LIT("0102"), two, 2));
	assert_memory_equal(two, "\x01\x02", 2);
}

static void base64_agrees_with_OpenSSL_and_reads_back(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	CS_CLEANUP(cs_buf_done) struct cs_buf back;
	uint8_t bytes[100];

	(void)state;
	cs_buf_init(&out, 1000);
	cs_buf_init(&back, 1000);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		unsigned char expected[200];
		int length;

		cs_buf_reset(&out);
		cs_buf_reset(&back);
		assert_true(cs_random_public(bytes, n, NULL));
		length = EVP_EncodeBlock(expected, bytes, (int)n);
		cs_codec_base64(cs_span_make(bytes, n), &out);
		assert_int_equal(out.n, length);
		assert_string_equal(cs_buf_str(&out), (char *)expected);
		assert_true(
			cs_codec_base64_decode(cs_buf_span(&out), &back, NULL));
		assert_true(cs_span_equal(cs_buf_span(&back),
					  cs_span_make(bytes, n)));
	}
}

static void base64_refuses_what_RFC_4648_4_does_not_have(void **state)
{
	/* RFC 4648 3.5: unused bits are zero, as in "AB==" they are not. */
	static const char *const bad[] = {
		"A",	  "AA",	    "AAA",	"AAAAA", "=",	     "====",
		"A===",	  "AA=",    "AA=A",	"AA==A", "AA==AAAA", "AA===",
		"AB==",	  "AAB=",   "AA A",	"AAA\n", "AA-_",     "AAAA=",
		"AA==\n", "AAAA\n", "AA==AA==",
	};
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_error err = {0};

	(void)state;
	cs_buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(cs_codec_base64_decode(cs_span_str(bad[i]), &out,
						    &err));
		assert_int_equal(err.code, CS_E_FORMAT);
	}
	cs_buf_done(&out);
	cs_buf_init(&out, 2);
	assert_false(cs_codec_base64_decode(CS_SPAN_LIT("AAAA"), &out, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
}

static void PEM_has_64_columns_and_reads_back(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	CS_CLEANUP(cs_buf_done) struct cs_buf back;
	uint8_t bytes[150];

	(void)state;
	cs_buf_init(&out, 1000);
	cs_buf_init(&back, 1000);
	cs_codec_pem("X", cs_span_make((const uint8_t[49]){0}, 49), &out);
	assert_string_equal(cs_buf_str(&out),
			    "-----BEGIN X-----\n"
			    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
			    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
			    "AA==\n"
			    "-----END X-----\n");
	for (size_t n = 1; n <= sizeof(bytes); n++) {
		cs_buf_reset(&out);
		cs_buf_reset(&back);
		assert_true(cs_random_public(bytes, n, NULL));
		cs_codec_pem("A LABEL", cs_span_make(bytes, n), &out);
		assert_true(cs_codec_pem_decode("A LABEL", cs_buf_span(&out),
						&back, NULL));
		assert_true(cs_span_equal(cs_buf_span(&back),
					  cs_span_make(bytes, n)));
	}
}

static void PEM_is_one_block_as_in_RFC_7468_3(void **state)
{
	static const struct {
		const char *text;
		const char *why; /* NULL: good */
	} cases[] = {
		{"-----BEGIN X-----\nAAAA\n-----END X-----\n", NULL},
		{"-----BEGIN X-----\nAAAA\n-----END X-----", NULL},
		{" \n-----BEGIN X-----\r\nAAAA\r\n-----END X-----\r\n\n ",
		 NULL},
		{"-----BEGIN X-----\nAA\nA\nA\n-----END X-----\n", NULL},
		{"", "BEGIN X----- is missing"},
		{"AAAA", "BEGIN X----- is missing"},
		{"text\n-----BEGIN X-----\nAAAA\n-----END X-----\n",
		 "BEGIN X----- is missing"},
		{"-----BEGIN Y-----\nAAAA\n-----END Y-----\n",
		 "label is not \"X\""},
		{"-----BEGIN X-----\nAAAA\n-----END Y-----\n",
		 "label is not \"X\""},
		{"-----BEGIN X-----\nAAAA\n", "END X----- is missing"},
		{"-----BEGIN X-----\nAAAA", "END X----- is missing"},
		{"-----BEGIN X-----\nAAAA\n\n-----END X-----\n",
		 "END X----- is missing"},
		{"-----BEGIN X-----\n-----END X-----\n", "is empty"},
		{"-----BEGIN X-----\nAAAA \n-----END X-----\n",
		 "0x20 does not belong"},
		{"-----BEGIN X-----\n AAAA\n-----END X-----\n",
		 "0x20 does not belong"},
		{"-----BEGIN X-----\nAA==\nAAAA\n-----END X-----\n",
		 "does not belong"},
		{"-----BEGIN X-----\nAAA\n-----END X-----\n",
		 "inside a group of four"},
		{"-----BEGIN X-----\nA: b\n\nAAAA\n-----END X-----\n",
		 "RFC 7468 2: header lines"},
		{"-----BEGIN X-----\nAAAA\n-----END X-----\nx", "text behind"},
		{"-----BEGIN X-----\nAAAA\n-----END X-----\n"
		 "-----BEGIN X-----\nAAAA\n-----END X-----\n",
		 "more than one"},
		{"-----BEGIN X-----\nAAAA\n-----END X---", "is missing"},
		{"-----BEGIN -----\nAAAA\n", "label is not \"X\""},
		{"-----BEGIN-----\nAAAA\n", "is missing"},
	};
	CS_CLEANUP(cs_buf_done) struct cs_buf out;

	(void)state;
	cs_buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cs_error err = {0};
		bool ok;

		cs_buf_reset(&out);
		ok = cs_codec_pem_decode("X", cs_span_str(cases[i].text), &out,
					 &err);
		assert_int_equal(ok, cases[i].why == NULL);
		if (ok)
			assert_true(cs_span_equal(cs_buf_span(&out),
						  CS_SPAN_LIT("\0\0\0")));
		else
			assert_non_null(strstr(err.text, cases[i].why));
	}
}

static void PEM_files_give_their_blocks_in_turn(void **state)
{
	struct cs_span text =
		CS_SPAN_LIT("\n-----BEGIN X-----\nAAAA\n-----END X-----\n\n"
			    "-----BEGIN X-----\nAQ==\n-----END X-----\n"
			    "-----BEGIN Y-----\nAQ==\n-----END Y-----\n");
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_span before;
	struct cs_error err = {0};
	bool found = false;

	(void)state;
	cs_buf_init(&out, 1000);
	assert_true(cs_codec_pem_next("X", &text, &out, &found, &err));
	assert_true(found);
	assert_int_equal(out.n, 3);
	assert_true(cs_codec_pem_next("X", &text, &out, &found, &err));
	assert_true(found);
	assert_int_equal(out.n, 1);
	before = text;
	assert_false(cs_codec_pem_next("X", &text, &out, &found, &err));
	assert_true(cs_span_equal(before, text));
	assert_true(cs_codec_pem_next("Y", &text, &out, &found, &err));
	assert_true(found);
	assert_true(cs_codec_pem_next("Y", &text, &out, &found, &err));
	assert_false(found);
	assert_int_equal(text.n, 0);
	text = CS_SPAN_LIT(" \n");
	assert_true(cs_codec_pem_next("Y", &text, &out, &found, &err));
	assert_false(found);
}

static void UTF_8_is_the_table_of_RFC_3629_4(void **state)
{
	static const char *const good[] = {
		"",
		"a",
		"abcdefghijkl",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"abcdefgh\xc3\xa9z",
	};
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc2",
		"\xc2z",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xe2\x82",
		"\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf0\x9f\x98",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"abcdefgh\xff",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(cs_codec_is_utf8(cs_span_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(cs_codec_is_utf8(cs_span_str(bad[i])));
	assert_true(cs_codec_is_utf8(CS_SPAN_LIT("a\0b")));
	assert_int_equal(cs_codec_utf8_first(CS_SPAN_LIT("")), 0);
}

static void UTF_8_is_cut_between_characters(void **state)
{
	static const char text[] = "a\xc3\xb8\xe2\x82\xac\xf0\x9f\x98\x80";
	static const size_t cuts[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		assert_int_equal(cs_codec_utf8_cut(cs_span_str(text), i).n,
				 cuts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hexadecimal_reads_back),
		cmocka_unit_test(base64_agrees_with_OpenSSL_and_reads_back),
		cmocka_unit_test(base64_refuses_what_RFC_4648_4_does_not_have),
		cmocka_unit_test(PEM_has_64_columns_and_reads_back),
		cmocka_unit_test(PEM_is_one_block_as_in_RFC_7468_3),
		cmocka_unit_test(PEM_files_give_their_blocks_in_turn),
		cmocka_unit_test(UTF_8_is_the_table_of_RFC_3629_4),
		cmocka_unit_test(UTF_8_is_cut_between_characters),
	};

	return cs_test_run("base/codec", tests);
}
