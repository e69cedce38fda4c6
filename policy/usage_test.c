#include <tests/lib/test.h>

#include <string.h>

#include "policy/facts.h"
#include "policy/usage.h"

static bool parse(const char *text, struct cs_arena *arena, struct cs_usage *u,
		  struct cs_error *err)
{
	return cs_usage_parse(cs_span_str(text), arena, u, err);
}

static void words_are_bits_or_oids(void **state)
{
	struct cs_arena arena;
	struct cs_usage u;
	struct cs_span word;

	(void)state;
	cs_arena_init(&arena, 100000);
	assert_true(parse("digital signature", &arena, &u, NULL));
	assert_int_equal(u.key_usage, CS_KU_DIGITAL_SIGNATURE);
	assert_true(parse("signing", &arena, &u, NULL));
	assert_int_equal(u.key_usage, CS_KU_DIGITAL_SIGNATURE);
	assert_true(parse("decipher only", &arena, &u, NULL));
	assert_int_equal(u.key_usage, CS_KU_DECIPHER_ONLY);
	assert_true(parse("server auth", &arena, &u, NULL));
	assert_int_equal(u.key_usage, 0);
	assert_true(cs_span_equal(
		u.oid, CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x03\x01")));
	assert_true(parse("1.3.6.1.5.5.7.3.1", &arena, &u, NULL));
	assert_true(cs_usage_oid_word(u.oid, &arena, &word));
	assert_true(cs_span_equal_str(word, "server auth"));
	assert_true(parse("1.3.6.1.4.1.99999.1", &arena, &u, NULL));
	assert_true(cs_usage_oid_word(u.oid, &arena, &word));
	assert_true(cs_span_equal_str(word, "1.3.6.1.4.1.99999.1"));
	assert_true(parse("s/mime", &arena, &u, NULL));
	assert_true(cs_usage_oid_word(u.oid, &arena, &word));
	assert_true(cs_span_equal_str(word, "email protection"));
	cs_arena_done(&arena);
}

static void other_spellings_get_a_hint(void **state)
{
	static const struct {
		const char *text, *hint;
	} wrong[] = {
		{"serverAuth", "`server auth`"},
		{"SERVERAUTH", "`server auth`"},
		{"digitalSignature", "`digital signature`"},
		{"Digital Signature", "`digital signature`"},
		{"nonRepudiation", "`content commitment`"},
		{"keyCertSign", "`cert sign`"},
		{"", "an OID"},
		{"tls", "an OID"},
		{"1.3.6.", ""},
		{"9.9", ""},
		{"1.3.6.1.5.5.7.3.1 ", ""},
	};
	struct cs_arena arena;

	(void)state;
	cs_arena_init(&arena, 100000);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct cs_error err = {0};
		struct cs_usage u;

		if (parse(wrong[i].text, &arena, &u, &err) ||
		    strstr(err.text, wrong[i].hint) == NULL)
			fail_msg("%s: %s", wrong[i].text, err.text);
	}
	cs_arena_done(&arena);
}

static void bits_are_told_in_words(void **state)
{
	struct cs_arena arena;
	struct cs_span text;

	(void)state;
	cs_arena_init(&arena, 100000);
	assert_true(cs_usage_bits_text(
		CS_KU_DIGITAL_SIGNATURE | CS_KU_KEY_AGREEMENT, &arena, &text));
	assert_true(
		cs_span_equal_str(text, "digital signature, key agreement"));
	assert_true(cs_usage_bits_text(0, &arena, &text));
	assert_int_equal(text.n, 0);
	assert_true(cs_usage_bits_text(0x1ff, &arena, &text));
	assert_true(cs_span_ends_with(text, CS_SPAN_LIT("decipher only")));
	cs_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_bits_or_oids),
		cmocka_unit_test(other_spellings_get_a_hint),
		cmocka_unit_test(bits_are_told_in_words),
	};

	return cs_test_run("policy/usage", tests);
}
