#include <tests/lib/test.h>

#include <string.h>

#include "base/revoke.h"

/*= RFC 5280 5.3.1 */
static void reasons_have_the_names_and_numbers_of_the_standard(void **state)
{
	static const struct {
		const char *name, *words;
		unsigned number;
	} want[] = {
		{"unspecified", "unspecified", 0},
		{"keyCompromise", "key-compromise", 1},
		{"affiliationChanged", "affiliation-changed", 3},
		{"superseded", "superseded", 4},
		{"cessationOfOperation", "cessation-of-operation", 5},
		{"privilegeWithdrawn", "privilege-withdrawn", 9},
	};
	enum cs_reason reason;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(cs_reason_parse(cs_span_str(want[i].name), &reason,
					    NULL));
		assert_int_equal(reason, want[i].number);
		assert_string_equal(cs_reason_name(reason), want[i].name);
		assert_true(cs_reason_parse(cs_span_str(want[i].words), &reason,
					    NULL));
		assert_int_equal(reason, want[i].number);
	}
	assert_null(cs_reason_name((enum cs_reason)7));
}

static void what_could_be_lifted_or_is_a_cas_is_refused(void **state)
{
	static const struct {
		const char *name, *says;
	} want[] = {
		{"certificateHold", "7.2.2"},
		{"certificate-hold", "stays"},
		{"removeFromCRL", "stays"},
		{"remove-from-crl", "stays"},
		{"cACompromise", "authority"},
		{"ca-compromise", "authority"},
		{"aACompromise", "authority"},
		{"", "superseded"},
		{"keyCompromis", "superseded"},
		{"keyCompromise ", "superseded"},
		{"key--compromise", "superseded"},
		{"KeyCompromise", "super"},
		{"1", "superseded"},
	};
	enum cs_reason reason = CS_REASON_SUPERSEDED;
	struct cs_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_false(cs_reason_parse(cs_span_str(want[i].name), &reason,
					     &err));
		assert_int_equal(err.code, CS_E_ARGUMENT);
		assert_int_equal(strncmp(err.text, "RFC 5280 5.3.1: ", 16), 0);
		assert_non_null(strstr(err.text, want[i].says));
	}
	assert_int_equal(reason, CS_REASON_SUPERSEDED);
}

static void a_shard_is_the_serials_low_bits(void **state)
{
	static const uint8_t serial[] = {0x5b, 1, 2, 3, 4, 0x01, 0x00, 0x01, 6};

	(void)state;
	assert_int_equal(cs_revoke_shard(cs_span_make(serial, 9), 1), 0);
	assert_int_equal(cs_revoke_shard(cs_span_make(serial, 9), 4), 2);
	assert_int_equal(cs_revoke_shard(cs_span_make(serial, 9), 65536),
			 0x0106);
	assert_int_equal(cs_revoke_shard(cs_span_make(serial, 1), 16), 11);
}

static void a_key_is_the_serials_end(void **state)
{
	static const uint8_t serial[] = {0x5b, 1, 2, 3, 4, 5, 6, 7, 8};
	uint8_t key[CS_REVOKED_KEY];

	(void)state;
	cs_revoked_key(cs_span_make(serial, 9), key);
	assert_memory_equal(key, serial + 1, 8);
	cs_revoked_key(cs_span_make(serial, 2), key);
	assert_memory_equal(key, "\0\0\0\0\0\0\x5b\x01", 8);
	cs_revoked_key(cs_span_make(NULL, 0), key);
	assert_memory_equal(key, "\0\0\0\0\0\0\0\0", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			reasons_have_the_names_and_numbers_of_the_standard),
		cmocka_unit_test(what_could_be_lifted_or_is_a_cas_is_refused),
		cmocka_unit_test(a_shard_is_the_serials_low_bits),
		cmocka_unit_test(a_key_is_the_serials_end),
	};

	return cs_test_run("base/revoke", tests);
}
