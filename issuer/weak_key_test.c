#include <tests/lib/test.h>

#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>

#include "base/codec.h"
#include "issuer/weak_key.h"
#include "policy/facts.h"

/*
 * Moduli of 2048 bits. Both primes of the first are k * M + (65537^a mod M)
 * for the product M of the first 126 primes, as Infineon's library made them;
 * those of the second are found in the 96th round of Fermat's method, those
 * of the third in the 171st; those of the last are ordinary.
 */
static const char roca[] =
	"ca4bc3020ea11835d8d992747418a8de53e3bdbaaca599c332c496553088703e"
	"195533023c4f81fa4f882907c600d71e5e708054a5d7aff924feee668b7e8021"
	"2c77dc16dc3d97143309c49a6ef7182c74ca906b3decdefec1e7397442e40d6a"
	"04e8bf52263951abb0bd98b2eb2ce6bb750921ba5484aaf98cb35c63c2bb1e6b"
	"130029bc9995b94db4d065d90f4139438062d96467d7037d38df86212bc087e0"
	"380524d9a42a75b3b66684274e753be98be06ffbb8d5e636d6053df8cb15c477"
	"98f45813ffb28e21f3b1e2ffe9fa1bd3b79dba29a39902422d71cb0b8ceb4e18"
	"e2bccc416b5aaeec2935dd6d1b641cf6e812d353998f0f252f6ee7aa02fefbb9";
static const char close_primes[] =
	"9000015ef1eb67957e9e7fa7daeba9e91188bef50d44a54fc277e1e346209853"
	"04251df9f70c774663754703a73663176106eaf9fa895875fec6550413ce2f64"
	"2e8525450a43173e880d9b535d77eea57b0196458ad1e0f6afda43a0b058330f"
	"3b9343110098f84f5333c8c0c387ee5b01605678552697e0bb87668fff0d2a23"
	"f2e0778739a74a7414f378f27ac6ce39302b59d4bec470a1b4299a490daeea70"
	"de3d5a53837ff842b2a8fc41da2133262b593836268865e3cfc4760ec20c093b"
	"8744bd75fbc008bcf8edc93000ce291cebc15f65303c303a7667b4d85bfa25c9"
	"3bfd7ed72b5499b74664345d27b69c69871f8a704090bfd73292648b69948185";
static const char not_so_close[] =
	"9000015ef1eb67957e9e7fa7daeba9e91188bef50d44a54fc277e1e346209853"
	"04251df9f70c774663754703a73663176106eaf9fa895875fec6550413ce2f6a"
	"2e852c94bf2620a20a26a890d261d611a348face23b2afc053da28d3dcb36bd1"
	"f931b426e05399552e864890c5202415099d63113c2671853d71768a475e9c9f"
	"a1376c81dcab2931b978c9fd87d7a64e8a706e02e1ae617b04346957ad05a339"
	"c0aea2f1cebff2be58e71aa6e5d594a9a1c02f3c08a07b07ae3741f7cd78bfbf"
	"ffa2837300e7acfc48cb3db272da12557637e240699d81195289376accf48836"
	"1bcef33febb677f8e4109d221ee297332a79ae0301330c823c4410f22b6309f7";
static const char good[] =
	"99a51a5cdc00ac6820e313d1aab9b017dfccd24501fdd1001779da16fe64521a"
	"b673cb0cda0e7fa90717e6f578fcf1f91670d716ee4132be92664cd7c24f144c"
	"8094e3983cf23de5b7ab07c47d2384279cfc1c3894ee7cf04f3f43f0c1708962"
	"beac224bc1536a195d7e7b76ef2b40d0795f3d61d82262d633eaa75107b38f54"
	"6666135f9888221e6dd58c12366d2f6a3219fdee8b5539688bb1470c65a6e85f"
	"6da7b344812b0fd7e2722c3d1bcdf9364e87318fd982980fb9557523c5d967d6"
	"481242238f64a0bf796a5f8ca8676b5da7aad6dcd6d59cd48b0f0a300e7f336e"
	"f19b07d92d013e0cf34d3cbef8e28a7b53728c19459d23153a165c7bf4893e6d";

/* What is found in a modulus, given in hexadecimal. */
static unsigned look_at(const char *hex)
{
	struct cs_weak_keys *w = cs_weak_keys_new(NULL);
	uint8_t bytes[256];
	unsigned weak = 77;

	assert_non_null(w);
	assert_true(cs_codec_hex_fixed(cs_span_str(hex), bytes, sizeof(bytes)));
	assert_true(cs_weak_keys_check(w, cs_span_make(bytes, sizeof(bytes)),
				       &weak, NULL));
	cs_weak_keys_free(w);
	assert_int_equal(ERR_peek_error(), 0);
	return weak;
}

static void an_ordinary_modulus_has_no_weakness(void **state)
{
	(void)state;
	assert_int_equal(look_at(good), 0);
}

static void the_fingerprint_of_roca_is_seen(void **state)
{
	(void)state;
	assert_int_equal(look_at(roca), CS_WEAK_ROCA);
}

static void primes_within_110_rounds_of_fermat_are_too_close(void **state)
{
	(void)state;
	assert_int_equal(look_at(close_primes), CS_WEAK_FERMAT);
	assert_int_equal(look_at(not_so_close), 0);
}

/* 2048 bits: a small prime, and the next odd number that no prime divides. */
static unsigned look_at_multiple(struct cs_weak_keys *w, BN_ULONG small)
{
	uint8_t bytes[512];
	unsigned weak = 0;
	BIGNUM *n = NULL;
	int len;

	assert_true(BN_hex2bn(&n, good) > 0);
	/* Times the prime, one octet or two longer than before. */
	assert_int_equal(BN_mul_word(n, small), 1);
	len = BN_bn2bin(n, bytes);
	assert_true(cs_weak_keys_check(w, cs_span_make(bytes, (size_t)len),
				       &weak, NULL));
	BN_free(n);
	return weak;
}

static void every_prime_below_65536_is_found(void **state)
{
	struct cs_weak_keys *w = cs_weak_keys_new(NULL);
	size_t primes = 0;

	(void)state;
	for (BN_ULONG p = 3; p < 65536; p += 2) {
		bool is_prime = true;

		for (BN_ULONG d = 3; is_prime && d * d <= p; d += 2)
			is_prime = p % d != 0;
		if (!is_prime)
			continue;
		primes++;
		/* Each of the small ones, and a sample of the others. */
		if (p < 2000 || p > 65000 || primes % 37 == 0)
			assert_int_equal(look_at_multiple(w, p),
					 CS_WEAK_SMALL_FACTORS);
	}
	assert_int_equal(primes, 6541);
	/* The next prime is not small any more. */
	assert_int_equal(look_at_multiple(w, 65537), 0);
	cs_weak_keys_free(w);
}

static void a_square_is_the_closest_of_all(void **state)
{
	struct cs_weak_keys *w = cs_weak_keys_new(NULL);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_new(), *n = BN_new();
	uint8_t bytes[512];
	unsigned weak = 0;
	int len;

	(void)state;
	/* 2^1023 + 1155, a prime. */
	assert_int_equal(BN_set_bit(p, 1023), 1);
	assert_int_equal(BN_add_word(p, 1155), 1);
	assert_int_equal(BN_sqr(n, p, ctx), 1);
	len = BN_bn2bin(n, bytes);
	assert_true(cs_weak_keys_check(w, cs_span_make(bytes, (size_t)len),
				       &weak, NULL));
	assert_int_equal(weak & CS_WEAK_FERMAT, CS_WEAK_FERMAT);
	BN_free(p);
	BN_free(n);
	BN_CTX_free(ctx);
	cs_weak_keys_free(w);
}

static void the_size_is_bounded(void **state)
{
	struct cs_weak_keys *w = cs_weak_keys_new(NULL);
	uint8_t bytes[513];
	struct cs_error err = {0};
	unsigned weak = 0;

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	assert_false(
		cs_weak_keys_check(w, cs_span_make(bytes, 513), &weak, &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
	assert_false(
		cs_weak_keys_check(w, cs_span_make(bytes, 0), &weak, &err));
	assert_true(
		cs_weak_keys_check(w, cs_span_make(bytes, 512), &weak, &err));
	cs_weak_keys_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_modulus_has_no_weakness),
		cmocka_unit_test(the_fingerprint_of_roca_is_seen),
		cmocka_unit_test(
			primes_within_110_rounds_of_fermat_are_too_close),
		cmocka_unit_test(every_prime_below_65536_is_found),
		cmocka_unit_test(a_square_is_the_closest_of_all),
		cmocka_unit_test(the_size_is_bounded),
	};

	return cs_test_run("issuer/weak_key", tests);
}
