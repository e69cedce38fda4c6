#include <tests/lib/test.h>

#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>

#include "base/hash.h"
#include "base/random.h"

static void agrees_with_OpenSSL_again_and_again(void **state)
{
	struct cs_error err = {0};
	struct cs_hash *h = cs_hash_new(&err);
	uint8_t data[300], ours[32], theirs[32];

	(void)state;
	assert_non_null(h);
	assert_true(cs_random_private(data, sizeof(data), &err));
	for (size_t n = 0; n <= sizeof(data); n++) {
		struct cs_span parts[] = {
			cs_span_make(data, n / 3), cs_span_make(NULL, 0),
			cs_span_make(data + n / 3, n - n / 3)};

		SHA256(data, n, theirs);
		assert_true(
			cs_hash_sha256(h, cs_span_make(data, n), ours, &err));
		assert_memory_equal(ours, theirs, 32);
		assert_true(cs_hash_sha256_parts(h, parts, 3, ours, &err));
		assert_memory_equal(ours, theirs, 32);
		SHA1(data, n, theirs);
		assert_true(cs_hash_sha1(h, cs_span_make(data, n), ours, &err));
		assert_memory_equal(ours, theirs, 20);
	}
	assert_true(cs_hash_sha256_parts(h, NULL, 0, ours, &err));
	SHA256(data, 0, theirs);
	assert_memory_equal(ours, theirs, 32);
	assert_int_equal(ERR_peek_error(), 0);
	cs_hash_free(h);
	cs_hash_free(NULL);
}

static void randomness_differs_each_time(void **state)
{
	uint8_t a[16] = {0}, b[16] = {0};

	(void)state;
	assert_true(cs_random_public(a, sizeof(a), NULL));
	assert_true(cs_random_public(b, sizeof(b), NULL));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_true(cs_random_private(b, sizeof(b), NULL));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_true(cs_random_public(a, 0, NULL));
}

static void randomness_beyond_what_OpenSSL_counts_is_an_error(void **state)
{
	struct cs_error err = {0};
	uint8_t a[1] = {0};

	(void)state;
	assert_false(cs_random_public(a, (size_t)INT32_MAX + 1, &err));
	assert_int_equal(err.code, CS_E_CRYPTO);
	assert_false(cs_random_private(a, SIZE_MAX, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_OpenSSL_again_and_again),
		cmocka_unit_test(randomness_differs_each_time),
		cmocka_unit_test(
			randomness_beyond_what_OpenSSL_counts_is_an_error),
	};

	return cs_test_run("base/hash", tests);
}
