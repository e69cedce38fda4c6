#include <tests/lib/test.h>

#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/der.h"
#include "issuer/crypto.h"
#include "issuer/key.h"

/* A key, its public half as a CSR's facts have it, and a signature by it. */
struct owner {
	struct cs_key *key;
	struct cs_buf spki, signature;
	struct cs_fact_key facts;
};

struct fixture {
	struct cs_crypto *crypto;
	struct owner a, b, p384;
};

#define MESSAGE CS_SPAN_LIT("what is signed")

static void owner_init(struct owner *o, enum cs_key_kind kind)
{
	size_t n = kind == CS_KEY_KIND_EC_P384 ? 97 : 65;

	cs_buf_init(&o->spki, 1024);
	cs_buf_init(&o->signature, 1024);
	o->key = cs_key_generate(kind, NULL);
	assert_non_null(o->key);
	assert_true(cs_key_spki(o->key, &o->spki, NULL));
	assert_true(cs_key_sign(o->key, CS_SIG_ECDSA_SHA256, MESSAGE,
				&o->signature, NULL));
	o->facts = (struct cs_fact_key){
		.alg = CS_KEY_EC,
		.bits = kind == CS_KEY_KIND_EC_P384 ? 384 : 256,
		.key = cs_span_sub(cs_buf_span(&o->spki), o->spki.n - n, n),
	};
}

static void owner_done(struct owner *o)
{
	cs_key_free(o->key);
	cs_buf_done(&o->spki);
	cs_buf_done(&o->signature);
}

static int set_up(void **state)
{
	static struct fixture f;

	f.crypto = cs_crypto_new(NULL);
	owner_init(&f.a, CS_KEY_KIND_EC_P256);
	owner_init(&f.b, CS_KEY_KIND_EC_P256);
	owner_init(&f.p384, CS_KEY_KIND_EC_P384);
	*state = &f;
	return f.crypto == NULL;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cs_crypto_free(f->crypto);
	owner_done(&f->a);
	owner_done(&f->b);
	owner_done(&f->p384);
	return 0;
}

/* What verifying by's signature with the key of `of` says. */
static enum cs_error_code verify(struct fixture *f, const struct owner *of,
				 const struct owner *by)
{
	struct cs_error err = {0};

	if (cs_crypto_verify(f->crypto, &of->facts, CS_SIG_ECDSA_SHA256,
			     MESSAGE, cs_buf_span(&by->signature), &err))
		return CS_E_NONE;
	return err.code;
}

static void each_key_verifies_what_it_signed_itself(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(verify(f, &f->a, &f->a), CS_E_NONE);
		assert_int_equal(verify(f, &f->b, &f->a), CS_E_VERIFY);
		assert_int_equal(verify(f, &f->b, &f->b), CS_E_NONE);
		assert_int_equal(verify(f, &f->p384, &f->b), CS_E_VERIFY);
		assert_int_equal(verify(f, &f->a, &f->b), CS_E_VERIFY);
		assert_int_equal(verify(f, &f->p384, &f->p384), CS_E_NONE);
		assert_int_equal(verify(f, &f->a, &f->p384), CS_E_VERIFY);
	}
}

static void a_point_off_its_curve_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct owner bad = f->b;
	uint8_t point[65];

	memcpy(point, f->b.facts.key.p, sizeof(point));
	point[64] ^= 1;
	bad.facts.key = cs_span_make(point, sizeof(point));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(verify(f, &f->a, &f->a), CS_E_NONE);
		assert_int_equal(verify(f, &bad, &f->a), CS_E_KEY);
		assert_int_equal(verify(f, &bad, &f->b), CS_E_KEY);
		assert_int_equal(verify(f, &f->b, &f->b), CS_E_NONE);
		assert_int_equal(verify(f, &f->b, &f->a), CS_E_VERIFY);
	}
}

static void an_algorithm_of_another_kind_of_key_is_refused(void **state)
{
	struct fixture *f = *state;
	struct cs_error err = {0};

	assert_false(cs_crypto_verify(f->crypto, &f->a.facts, CS_SIG_RSA_SHA256,
				      MESSAGE, cs_buf_span(&f->a.signature),
				      &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
}

/* What the owner of an RSA key makes of any block by its private half. */
static void sign_block(EVP_PKEY *key, const uint8_t block[256],
		       uint8_t ret_signature[256])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t n = 256;

	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, ret_signature, &n, block, 256), 1);
	EVP_PKEY_CTX_free(ctx);
}

/* Verify a signature that is this block. */
static enum cs_error_code verify_block(struct fixture *f, EVP_PKEY *key,
				       const uint8_t block[256])
{
	struct cs_fact_key facts = {.alg = CS_KEY_RSA, .bits = 2048};
	unsigned char *public = NULL;
	struct cs_error err = {0};
	uint8_t signature[256];
	int n = i2d_PublicKey(key, &public);
	bool ok;

	facts.key = cs_span_make(public, (size_t)n);
	sign_block(key, block, signature);
	ok = cs_crypto_verify(f->crypto, &facts, CS_SIG_RSA_SHA256, MESSAGE,
			      cs_span_make(signature, 256), &err);
	OPENSSL_free(public);
	return ok ? CS_E_NONE : err.code;
}

/*
 * Whatever the owner of a key lets come out of the public operation, it is a
 * signature or it is none: never an error of ours.
 */
static void every_rsa_block_is_judged(void **state)
{
	static const uint8_t info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
				       0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
				       0x01, 0x05, 0x00, 0x04, 0x20};
	EVP_PKEY *key = EVP_RSA_gen(2048);
	struct fixture *f = *state;
	uint8_t block[256], digest[64];
	size_t n;

	assert_true(cs_crypto_digest(f->crypto, CS_SIG_RSA_SHA256, MESSAGE,
				     digest, &n, NULL));
	memset(block, 0xff, sizeof(block));
	block[0] = 0;
	block[1] = 1;
	block[204] = 0;
	memcpy(block + 205, info, sizeof(info));
	memcpy(block + 224, digest, 32);
	assert_int_equal(verify_block(f, key, block), CS_E_NONE);
	for (size_t i = 1; i < sizeof(block); i++) {
		block[i] ^= 1;
		assert_int_equal(verify_block(f, key, block), CS_E_VERIFY);
		block[i] ^= 1;
	}
	/* Padding with nothing behind it, or with no end. */
	memset(block + 2, 0xff, 254);
	assert_int_equal(verify_block(f, key, block), CS_E_VERIFY);
	block[255] = 0;
	assert_int_equal(verify_block(f, key, block), CS_E_VERIFY);
	memset(block, 0, sizeof(block));
	assert_int_equal(verify_block(f, key, block), CS_E_VERIFY);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_verifies_what_it_signed_itself),
		cmocka_unit_test(every_rsa_block_is_judged),
		cmocka_unit_test(a_point_off_its_curve_leaves_nothing_behind),
		cmocka_unit_test(
			an_algorithm_of_another_kind_of_key_is_refused),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/crypto", tests, set_up,
					    tear_down));
}
