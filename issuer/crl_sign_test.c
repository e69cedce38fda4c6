#include <tests/lib/test.h>

#include <string.h>

#include <openssl/x509.h>

#include "issuer/crl_sign.h"
#include <tests/lib/ca_maker.h>

#define NOW CA_MAKER_NOW

struct fixture {
	struct ca_maker maker;
	struct cs_crypto *crypto;
	struct cs_crl_signer signer;
	struct cs_buf entries, der;
	struct cs_crl crl; /* a good one */
};

static int set_up(void **state)
{
	static struct fixture f;
	const struct cs_crl_entry e = {CS_SPAN_LIT("\x5b\x01"), NOW, 1};

	memset(&f, 0, sizeof(f));
	ca_make(&f.maker, CS_KEY_KIND_EC_P256, CS_KEYGEN_SINGLE);
	f.crypto = cs_crypto_new(NULL);
	f.signer.ca = f.maker.ca;
	f.signer.key = ca_key(&f.maker);
	f.signer.verifier = cs_verifier_new(f.crypto, &f.maker.ca->key,
					    f.maker.ca->alg, NULL);
	cs_buf_init(&f.entries, 1000);
	cs_buf_init(&f.der, CS_MAX_CRL);
	cs_crl_entry_put(&f.entries, &e);
	f.crl = (struct cs_crl){.shard = 3,
				.number = 10,
				.this_update_s = NOW,
				.next_update_s = NOW + 86400,
				.entries = cs_buf_span(&f.entries)};
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cs_crl_signer_done(&f->signer);
	cs_verifier_free(f->signer.verifier);
	cs_key_free(f->signer.key);
	cs_crypto_free(f->crypto);
	cs_buf_done(&f->entries);
	cs_buf_done(&f->der);
	ca_done(&f->maker);
	return 0;
}

/* Sign what f->crl says; CS_E_NONE: it did. */
static enum cs_error_code sign(struct fixture *f)
{
	struct cs_error err = {0};
	size_t n = 0;

	cs_buf_reset(&f->der);
	if (cs_crl_signer_sign(&f->signer, &f->crl, NOW, &f->der, &n, &err)) {
		assert_int_equal(n, 1);
		return CS_E_NONE;
	}
	assert_int_equal(f->der.n, 0);
	return err.code;
}

static void a_crl_is_signed_and_its_signature_good(void **state)
{
	struct fixture *f = *state;
	const uint8_t *p;
	X509_CRL *x;
	X509 *ca;

	assert_int_equal(sign(f), CS_E_NONE);
	p = f->der.p;
	x = d2i_X509_CRL(NULL, &p, (long)f->der.n);
	p = f->maker.ca->certificate.p;
	ca = d2i_X509(NULL, &p, (long)f->maker.ca->certificate.n);
	assert_int_equal(X509_CRL_verify(x, X509_get0_pubkey(ca)), 1);
	X509_free(ca);
	X509_CRL_free(x);
}

/* RFC 5280 5.2.3 */
static void a_number_is_signed_once_and_only_upwards(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sign(f), CS_E_NONE);
	assert_int_equal(sign(f), CS_E_EXISTS);
	f->crl.number = 9;
	assert_int_equal(sign(f), CS_E_EXISTS);
	/* Another shard counts by itself. */
	f->crl.shard = 4;
	assert_int_equal(sign(f), CS_E_NONE);
	f->crl.shard = 3;
	f->crl.number = 11;
	assert_int_equal(sign(f), CS_E_NONE);
	/* One that was refused is used up, too. */
	f->crl.number = 12;
	f->crl.next_update_s = f->crl.this_update_s;
	assert_int_equal(sign(f), CS_E_CEILING);
	f->crl.next_update_s = NOW + 86400;
	assert_int_equal(sign(f), CS_E_EXISTS);
	f->crl.shard = 16;
	assert_int_equal(sign(f), CS_E_ARGUMENT);
}

/* RFC 5280 5.1.2.4, 5.1.2.5 */
static void its_times_are_near_the_signers_clock(void **state)
{
	static const struct {
		int64_t since, until;
		bool good;
	} times[] = {
		{-60, 86400, true},
		{60, 86400, true},
		{-61, 86400, false},
		{61, 86400, false},
		{0, 0, false},
		{0, -1, false},
		{0, CS_MAX_CRL_DAYS * INT64_C(86400), true},
		{0, CS_MAX_CRL_DAYS * INT64_C(86400) + 1, false},
		{INT64_MIN / 2, 0, false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		f->crl.number++;
		f->crl.this_update_s = NOW + times[i].since;
		f->crl.next_update_s = NOW + times[i].until;
		assert_int_equal(sign(f),
				 times[i].good ? CS_E_NONE : CS_E_CEILING);
	}
}

static void a_ca_that_is_not_valid_signs_none(void **state)
{
	struct fixture *f = *state;

	f->maker.ca->not_after_s = NOW - 1;
	assert_int_equal(sign(f), CS_E_CEILING);
	f->crl.number++;
	f->maker.ca->not_after_s = NOW;
	assert_int_equal(sign(f), CS_E_NONE);
	f->crl.number++;
	f->maker.ca->not_before_s = NOW + 1;
	assert_int_equal(sign(f), CS_E_CEILING);
}

/* RFC 5280 4.2.1.3 */
static void a_ca_without_the_key_usage_signs_none(void **state)
{
	struct fixture *f = *state;

	assert_true(f->maker.ca->signs_crls);
	f->maker.ca->signs_crls = false;
	assert_int_equal(sign(f), CS_E_KEY);
}

static void a_list_that_is_none_is_not_signed(void **state)
{
	struct fixture *f = *state;

	f->crl.entries.n--;
	assert_int_equal(sign(f), CS_E_PROTOCOL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_crl_is_signed_and_its_signature_good),
		TEST(a_number_is_signed_once_and_only_upwards),
		TEST(its_times_are_near_the_signers_clock),
		TEST(a_ca_that_is_not_valid_signs_none),
		TEST(a_ca_without_the_key_usage_signs_none),
		TEST(a_list_that_is_none_is_not_signed),
	};

	return cs_test_run("issuer/crl_sign", tests);
}
