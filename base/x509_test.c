#include <tests/lib/test.h>

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/x509.h"

/* A self-signed certificate's DER; free with OPENSSL_free(). */
static int make(unsigned char **ret_der)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *cert = X509_new();
	int n;

	assert_non_null(key);
	assert_non_null(cert);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 60);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	n = i2d_X509(cert, ret_der);
	assert_true(n > 0);
	X509_free(cert);
	EVP_PKEY_free(key);
	return n;
}

static void a_certificate_fills_its_octets(void **state)
{
	struct cs_error err = {0};
	unsigned char *der = NULL;
	uint8_t longer[2048];
	size_t n = (size_t)make(&der);
	X509 *cert = cs_x509_decode(cs_span_make(der, n), &err);

	(void)state;
	assert_non_null(cert);
	X509_free(cert);
	assert_true(n < sizeof(longer));
	memcpy(longer, der, n);
	longer[n] = 0;
	assert_null(cs_x509_decode(cs_span_make(longer, n + 1), &err));
	assert_string_equal(err.text, "octets follow it");
	assert_null(cs_x509_decode(cs_span_make(longer, n - 1), &err));
	assert_int_equal(err.code, CS_E_CERT);
	assert_string_equal(err.text, "it cannot be read");
	assert_null(cs_x509_decode(cs_span_make(NULL, 0), NULL));
	assert_int_equal(ERR_peek_error(), 0);
	OPENSSL_free(der);
}

static void times_are_seconds_since_1970(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} times[] = {
		{"700101000000Z", 0},
		{"691231235959Z", -1},
		{"500101000000Z", -631152000},
		{"491231235959Z", 2524607999},
		{"20000229120000Z", 951825600},
		/* RFC 5280 4.1.2.5: no well-defined expiration date. */
		{"99991231235959Z", 253402300799},
	};
	ASN1_TIME *t = ASN1_TIME_new();
	int64_t seconds = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_int_equal(ASN1_TIME_set_string(t, times[i].text), 1);
		assert_true(cs_x509_seconds(t, &seconds));
		assert_true(seconds == times[i].seconds);
	}
	ASN1_TIME_free(t);
}

static void what_is_no_time_is_none(void **state)
{
	ASN1_TIME *t = ASN1_STRING_type_new(V_ASN1_UTCTIME);
	int64_t seconds = 7;

	(void)state;
	/* OpenSSL would take the present. */
	assert_false(cs_x509_seconds(NULL, &seconds));
	ASN1_STRING_set(t, "701301000000Z", -1);
	assert_false(cs_x509_seconds(t, &seconds));
	ASN1_STRING_set(t, "", 0);
	assert_false(cs_x509_seconds(t, &seconds));
	assert_int_equal(seconds, 7);
	assert_int_equal(ERR_peek_error(), 0);
	ASN1_TIME_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_fills_its_octets),
		cmocka_unit_test(times_are_seconds_since_1970),
		cmocka_unit_test(what_is_no_time_is_none),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("base/x509", tests, NULL, NULL));
}
