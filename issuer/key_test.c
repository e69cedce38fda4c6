#include <tests/lib/test.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/der.h"
#include "base/mem.h"
#include "issuer/crypto.h"
#include "issuer/key.h"
#include "issuer/x509.h"

static const enum cs_key_kind all_kinds[] = {
	CS_KEY_KIND_EC_P256, CS_KEY_KIND_EC_P384, CS_KEY_KIND_RSA_3072,
	CS_KEY_KIND_RSA_4096, CS_KEY_KIND_ED25519};
#define ALL_KINDS (sizeof(all_kinds) / sizeof(all_kinds[0]))

/* A descriptor over these bytes. */
static int file_of(const void *p, size_t n)
{
	int fd = memfd_create("key", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	return fd;
}

static struct cs_key *read_text(const char *text, const char *passphrase,
				struct cs_error *err)
{
	struct cs_secret secret = {0};
	int fd = file_of(text, strlen(text));
	struct cs_key *key;

	if (passphrase != NULL) {
		assert_true(cs_secret_new(strlen(passphrase), &secret, NULL));
		memcpy(secret.p, passphrase, secret.n);
	}
	key = cs_key_read(fd, passphrase == NULL ? NULL : &secret, err);
	cs_secret_done(&secret);
	close(fd);
	return key;
}

/* OpenSSL's PEM of a key in this form. */
static char *openssl_pem(EVP_PKEY *key, bool traditional, const char *pass)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p, *copy;
	long n;

	if (traditional)
		assert_int_equal(PEM_write_bio_PrivateKey_traditional(
					 bio, key, NULL, NULL, 0, NULL, NULL),
				 1);
	else
		assert_int_equal(
			PEM_write_bio_PKCS8PrivateKey(
				bio, key,
				pass == NULL ? NULL : EVP_aes_256_cbc(), pass,
				pass == NULL ? 0 : (int)strlen(pass), NULL,
				NULL),
			1);
	n = BIO_get_mem_data(bio, &p);
	copy = cs_mem_strndup(p, (size_t)n);
	BIO_free(bio);
	return copy;
}

static EVP_PKEY *openssl_key(size_t i)
{
	switch (i) {
	case 0:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	case 1:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	case 2:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	default:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
}

/* Does our key sign what OpenSSL's public half verifies? */
static void assert_same_key(struct cs_key *ours, EVP_PKEY *theirs)
{
	const struct cs_span message = CS_SPAN_LIT("to be signed");
	const char *digest = EVP_PKEY_is_a(theirs, "ED25519") ? NULL : "SHA256";
	enum cs_sig_alg alg = EVP_PKEY_is_a(theirs, "RSA") ? CS_SIG_RSA_SHA256
			      : digest == NULL		   ? CS_SIG_ED25519
					       : CS_SIG_ECDSA_SHA256;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct cs_buf signature;

	cs_buf_init(&signature, 1000);
	assert_true(cs_key_sign(ours, alg, message, &signature, NULL));
	assert_int_equal(EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL,
						 theirs, NULL),
			 1);
	assert_int_equal(EVP_DigestVerify(ctx, signature.p, signature.n,
					  message.p, message.n),
			 1);
	EVP_MD_CTX_free(ctx);
	cs_buf_done(&signature);
}

static void reads_the_keys_that_openssl_writes(void **state)
{
	struct cs_error err = {0};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		EVP_PKEY *theirs = openssl_key(i);

		for (int form = 0; form < 3; form++) {
			bool traditional = form == 1;
			const char *pass = form == 2 ? "secret" : NULL;
			struct cs_key *ours;
			char *pem;

			if (traditional && i == 3)
				continue;
			pem = openssl_pem(theirs, traditional, pass);
			ours = read_text(pem, pass, &err);
			if (ours == NULL)
				fail_msg("%zu/%d: %s", i, form, err.text);
			assert_same_key(ours, theirs);
			cs_key_free(ours);
			cs_mem_free(pem);
		}
		EVP_PKEY_free(theirs);
	}
}

static void reads_back_what_it_writes(void **state)
{
	char path[] = "/tmp/cs-key-XXXXXX";
	struct cs_secret pass = {0};
	struct cs_error err = {0};

	(void)state;
	assert_non_null(mkdtemp(path));
	assert_true(cs_secret_new(3, &pass, NULL));
	memcpy(pass.p, "abc", 3);
	for (size_t i = 0; i < ALL_KINDS; i++) {
		struct cs_key *key = cs_key_generate(all_kinds[i], NULL), *back;
		struct cs_buf a, b;
		char file[64];
		int fd;

		snprintf(file, sizeof(file), "%s/%zu", path, i);
		cs_buf_init(&a, 1000);
		cs_buf_init(&b, 1000);
		assert_true(
			cs_key_write(key, file, i % 2 ? &pass : NULL, &err));
		assert_false(cs_key_write(key, file, NULL, &err));
		assert_int_equal(err.code, CS_E_EXISTS);
		fd = open(file, O_RDONLY);
		back = cs_key_read(fd, i % 2 ? &pass : NULL, &err);
		assert_non_null(back);
		assert_true(cs_key_spki(key, &a, NULL));
		assert_true(cs_key_spki(back, &b, NULL));
		assert_true(cs_span_equal(cs_buf_span(&a), cs_buf_span(&b)));
		cs_key_free(key);
		cs_key_free(back);
		cs_buf_done(&a);
		cs_buf_done(&b);
		close(fd);
		unlink(file);
	}
	cs_secret_done(&pass);
	rmdir(path);
}

static void refuses_what_is_no_key(void **state)
{
	EVP_PKEY *p521 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	EVP_PKEY *p256 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	char *curve = openssl_pem(p521, false, NULL);
	char *locked = openssl_pem(p256, false, "right");
	struct cs_error err = {0};

	(void)state;
	assert_null(read_text("", NULL, &err));
	assert_int_equal(err.code, CS_E_KEY);
	assert_null(read_text("-----BEGIN PRIVATE KEY-----\nAAAA\n"
			      "-----END PRIVATE KEY-----\n",
			      NULL, &err));
	assert_int_equal(err.code, CS_E_KEY);
	assert_null(read_text("-----BEGIN PRIVATE KEY-----\n!!\n"
			      "-----END PRIVATE KEY-----\n",
			      NULL, &err));
	assert_int_equal(err.code, CS_E_KEY);
	assert_null(read_text(curve, NULL, &err));
	assert_non_null(strstr(err.text, "P-384"));
	assert_null(read_text(locked, NULL, &err));
	assert_non_null(strstr(err.text, "passphrase"));
	assert_null(read_text(locked, "wrong", &err));
	assert_non_null(strstr(err.text, "passphrase"));
	cs_mem_free(curve);
	cs_mem_free(locked);
	EVP_PKEY_free(p521);
	EVP_PKEY_free(p256);
}

static void refuses_an_algorithm_of_another_key(void **state)
{
	struct cs_key *key = cs_key_generate(CS_KEY_KIND_EC_P256, NULL);
	struct cs_error err = {0};
	struct cs_buf out;

	(void)state;
	cs_buf_init(&out, 1000);
	assert_false(cs_key_sign(key, CS_SIG_RSA_SHA256, CS_SPAN_LIT("x"), &out,
				 &err));
	assert_int_equal(err.code, CS_E_ARGUMENT);
	cs_buf_done(&out);
	cs_key_free(key);
}

static void verifies_with_a_key_that_was_imported_once(void **state)
{
	struct cs_crypto *crypto = cs_crypto_new(NULL);
	const struct cs_span message = CS_SPAN_LIT("message");

	(void)state;
	for (size_t i = 0; i < ALL_KINDS; i++) {
		struct cs_key *key = cs_key_generate(all_kinds[i], NULL);
		struct cs_findings findings;
		struct cs_verifier *v;
		struct cs_fact_key facts;
		struct cs_arena arena;
		struct cs_buf spki, sig;
		struct cs_x509 x;

		cs_arena_init(&arena, 100000);
		cs_buf_init(&spki, 1000);
		cs_buf_init(&sig, 1000);
		cs_findings_init(&findings, &arena);
		x = (struct cs_x509){&arena, &findings, cs_crypto_hash(crypto)};
		assert_true(cs_key_spki(key, &spki, NULL));
		assert_true(cs_spki_read(&x, cs_buf_span(&spki), &facts, NULL));
		assert_int_equal(findings.n, 0);
		v = cs_verifier_new(crypto, &facts, cs_sigalg_for_key(&facts),
				    NULL);
		assert_non_null(v);
		assert_true(cs_key_sign(key, cs_sigalg_for_key(&facts), message,
					&sig, NULL));
		for (int k = 0; k < 3; k++) {
			assert_true(cs_verifier_check(v, message,
						      cs_buf_span(&sig), NULL));
			assert_false(cs_verifier_check(v, CS_SPAN_LIT("other"),
						       cs_buf_span(&sig),
						       NULL));
		}
		cs_verifier_free(v);
		cs_key_free(key);
		cs_buf_done(&spki);
		cs_buf_done(&sig);
		cs_arena_done(&arena);
	}
	cs_crypto_free(crypto);
}

/*
 * With the private key 1 (so that the public key is the curve's generator),
 * r = -e and s = 1 lead the verification to the point at infinity. That is a
 * bad signature, not a failure of OpenSSL.
 */
static void calls_a_signature_at_infinity_a_bad_one(void **state)
{
	static const char generator[] =
		"\x04\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63"
		"\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39"
		"\x45\xd8\x98\xc2\x96\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e"
		"\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e"
		"\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
	const struct cs_fact_key key = {.alg = CS_KEY_EC,
					.bits = 256,
					.key = cs_span_make(generator, 65)};
	const struct cs_span message = CS_SPAN_LIT("message");
	struct cs_crypto *crypto = cs_crypto_new(NULL);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	const BIGNUM *order = EC_GROUP_get0_order(group);
	BIGNUM *e = BN_new(), *r = BN_new();
	uint8_t digest[64], octets[32];
	struct cs_error err = {0};
	BN_CTX *ctx = BN_CTX_new();
	struct cs_buf sig;
	size_t n, seq;

	(void)state;
	assert_true(cs_crypto_digest(crypto, CS_SIG_ECDSA_SHA256, message,
				     digest, &n, NULL));
	BN_bin2bn(digest, (int)n, e);
	assert_int_equal(BN_mod_sub(r, BN_value_one(), e, order, ctx), 1);
	assert_int_equal(BN_mod_sub(r, r, BN_value_one(), order, ctx), 1);
	BN_bn2binpad(r, octets, sizeof(octets));
	cs_buf_init(&sig, 100);
	seq = cs_der_write_begin(&sig, CS_DER_SEQUENCE);
	cs_der_write_uint_octets(&sig, cs_span_make(octets, sizeof(octets)));
	cs_der_write_uint(&sig, 1);
	cs_der_write_end(&sig, seq);
	assert_false(cs_crypto_verify(crypto, &key, CS_SIG_ECDSA_SHA256,
				      message, cs_buf_span(&sig), &err));
	assert_int_equal(err.code, CS_E_VERIFY);
	BN_CTX_free(ctx);
	BN_free(e);
	BN_free(r);
	EC_GROUP_free(group);
	cs_buf_done(&sig);
	cs_crypto_free(crypto);
}

/* Whatever stands where a signature should: it is a bad one, no failure. */
static void calls_noise_a_bad_signature(void **state)
{
	static const enum cs_sig_alg algs[] = {
		CS_SIG_ECDSA_SHA256, CS_SIG_ECDSA_SHA384, CS_SIG_RSA_SHA256,
		CS_SIG_RSA_SHA256, CS_SIG_ED25519};
	struct cs_crypto *crypto = cs_crypto_new(NULL);
	uint8_t noise[600];

	(void)state;
	for (size_t i = 0; i < ALL_KINDS; i++) {
		struct cs_key *key = cs_key_generate(all_kinds[i], NULL);
		struct cs_findings findings;
		struct cs_fact_key facts;
		struct cs_arena arena;
		struct cs_buf spki;
		struct cs_x509 x;

		cs_arena_init(&arena, 100000);
		cs_buf_init(&spki, 1000);
		cs_findings_init(&findings, &arena);
		x = (struct cs_x509){&arena, &findings, cs_crypto_hash(crypto)};
		assert_true(cs_key_spki(key, &spki, NULL));
		assert_true(cs_spki_read(&x, cs_buf_span(&spki), &facts, NULL));
		for (size_t n = 0; n < sizeof(noise); n += 1 + n / 8) {
			for (int form = 0; form < 4; form++) {
				struct cs_error err = {0};

				memset(noise, form * 85, sizeof(noise));
				if (form == 3)
					memcpy(noise,
					       "\x30\x06\x02\x01\x01\x02"
					       "\x01\x01",
					       8);
				assert_false(cs_crypto_verify(
					crypto, &facts, algs[i],
					CS_SPAN_LIT("message"),
					cs_span_make(noise, n), &err));
				assert_int_equal(err.code, CS_E_VERIFY);
			}
		}
		cs_key_free(key);
		cs_buf_done(&spki);
		cs_arena_done(&arena);
	}
	cs_crypto_free(crypto);
}

static void knows_the_kinds_by_name(void **state)
{
	enum cs_key_kind kind;

	(void)state;
	assert_true(cs_key_kind_parse("rsa-3072", &kind, NULL));
	assert_int_equal(kind, CS_KEY_KIND_RSA_3072);
	assert_false(cs_key_kind_parse("rsa", &kind, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_keys_that_openssl_writes),
		cmocka_unit_test(reads_back_what_it_writes),
		cmocka_unit_test(refuses_what_is_no_key),
		cmocka_unit_test(refuses_an_algorithm_of_another_key),
		cmocka_unit_test(verifies_with_a_key_that_was_imported_once),
		cmocka_unit_test(calls_a_signature_at_infinity_a_bad_one),
		cmocka_unit_test(calls_noise_a_bad_signature),
		cmocka_unit_test(knows_the_kinds_by_name),
	};

	assert_true(cs_secret_heap_init(1 << 18, NULL));
	return cs_test_run("issuer/key", tests);
}
