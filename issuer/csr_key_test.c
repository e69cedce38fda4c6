#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "issuer/oids.h"
#include <tests/lib/csr_fixture.h>

/* -- keys ----------------------------------------------------------------- */

/* An SPKI of these parts into f->more. */
static struct cs_span make_spki(struct csr_fixture *f, struct cs_span alg,
				struct cs_span key)
{
	size_t seq;

	cs_buf_reset(&f->more);
	seq = cs_der_write_begin(&f->more, CS_DER_SEQUENCE);
	cs_der_write(&f->more, CS_DER_SEQUENCE, alg);
	cs_der_write_bit_string_octets(&f->more, key);
	cs_der_write_end(&f->more, seq);
	return cs_buf_span(&f->more);
}

static void read_key(struct csr_fixture *f, struct cs_span alg,
		     struct cs_span key)
{
	struct csr_maker m = {.key = f->ec, .spki = make_spki(f, alg, key)};

	csr_read_made(f, &m);
}

#define ALG_P256 "\x06\x07" CS_OID_EC_PUBLIC_KEY "\x06\x08" CS_OID_P256
#define ALG_P521 "\x06\x07" CS_OID_EC_PUBLIC_KEY "\x06\x05" CS_OID_P521
#define ALG_RSA	 "\x06\x09" CS_OID_RSA "\x05\0"

static void refuses_ec_keys_in_other_forms(void **state)
{
	struct csr_fixture *f = *state;
	uint8_t point[133] = {0x04};

	/* Not on the curve. */
	read_key(f, CS_SPAN_LIT(ALG_P256), cs_span_make(point, 65));
	csr_assert_found(f, "CSR_KEY", "SEC 1 2.3.4");
	/* The point at infinity, a compressed one, a short one. */
	read_key(f, CS_SPAN_LIT(ALG_P256), CS_SPAN_LIT("\0"));
	csr_assert_found(f, "CSR_KEY", "RFC 5480 2.2");
	point[0] = 0x02;
	read_key(f, CS_SPAN_LIT(ALG_P256), cs_span_make(point, 33));
	csr_assert_found(f, "CSR_KEY", "RFC 5480 2.2");
	point[0] = 0x04;
	read_key(f, CS_SPAN_LIT(ALG_P256), cs_span_make(point, 64));
	csr_assert_found(f, "CSR_KEY", "RFC 5480 2.2");
	read_key(f, CS_SPAN_LIT(ALG_P521), cs_span_make(point, 131));
	csr_assert_found(f, "CSR_KEY", "0x04 and 132 octets");
	read_key(f, CS_SPAN_LIT(ALG_P521), cs_span_make(point, 133));
	csr_assert_found(f, "CSR_KEY", "SEC 1 2.3.4");
	/* secp256k1 */
	read_key(f,
		 CS_SPAN_LIT("\x06\x07" CS_OID_EC_PUBLIC_KEY
			     "\x06\x05\x2b\x81\x04\x00\x0a"),
		 cs_span_make(point, 65));
	csr_assert_found(f, "CSR_KEY", "an unknown curve");
	/* Explicit parameters, implicit ones, none. */
	read_key(f, CS_SPAN_LIT("\x06\x07" CS_OID_EC_PUBLIC_KEY "\x30\0"),
		 cs_span_make(point, 65));
	csr_assert_found(f, "CSR_KEY", "named curve");
	read_key(f, CS_SPAN_LIT("\x06\x07" CS_OID_EC_PUBLIC_KEY "\x05\0"),
		 cs_span_make(point, 65));
	csr_assert_found(f, "CSR_KEY", "named curve");
	read_key(f, CS_SPAN_LIT("\x06\x07" CS_OID_EC_PUBLIC_KEY),
		 cs_span_make(point, 65));
	csr_assert_found(f, "CSR_KEY", "named curve");
}

/* An RSAPublicKey with a modulus of `octets` octets and this exponent. */
static void read_rsa(struct csr_fixture *f, size_t octets, uint8_t last,
		     struct cs_span exponent)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf key;
	uint8_t modulus[2048];
	size_t seq;

	memset(modulus, 0xc3, sizeof(modulus));
	modulus[octets - 1] = last;
	cs_buf_init(&key, 10000);
	seq = cs_der_write_begin(&key, CS_DER_SEQUENCE);
	cs_der_write_uint_octets(&key, cs_span_make(modulus, octets));
	cs_der_write_uint_octets(&key, exponent);
	cs_der_write_end(&key, seq);
	read_key(f, CS_SPAN_LIT(ALG_RSA), cs_buf_span(&key));
}

static void refuses_rsa_keys_by_size_before_any_mathematics(void **state)
{
	const struct cs_span e = CS_SPAN_LIT("\x01\0\x01");
	struct csr_fixture *f = *state;
	uint8_t huge[375];

	memset(huge, 0xff, sizeof(huge));
	read_rsa(f, 128, 0xc3, e);
	csr_assert_found(f, "CSR_KEY", "1024 bits");
	read_rsa(f, 255, 0xc3, e);
	csr_assert_found(f, "CSR_KEY", "2040 bits");
	read_rsa(f, 2048, 0xc3, e);
	csr_assert_found(f, "CSR_KEY", "16384 bits");
	read_rsa(f, 256, 0xc2, e);
	csr_assert_found(f, "CSR_KEY", "even");
	read_rsa(f, 384, 0xc3, cs_span_make(huge, sizeof(huge)));
	csr_assert_found(f, "CSR_KEY", "exponent");
	read_rsa(f, 256, 0xc3, CS_SPAN_LIT("\x01"));
	csr_assert_found(f, "CSR_KEY", "exponent");
	read_rsa(f, 256, 0xc3, CS_SPAN_LIT("\x03"));
	csr_assert_found(f, "CSR_KEY", "exponent");
	read_rsa(f, 256, 0xc3, CS_SPAN_LIT("\x01\0\x02"));
	csr_assert_found(f, "CSR_KEY", "exponent");
	read_rsa(f, 256, 0xc3, CS_SPAN_LIT("\x01\0\0\0\x01"));
	csr_assert_found(f, "CSR_KEY", "exponent");
}

static void refuses_malformed_and_unknown_keys(void **state)
{
	struct csr_fixture *f = *state;

	read_key(f, CS_SPAN_LIT(ALG_RSA), CS_SPAN_LIT("\x30\0"));
	csr_assert_found(f, "CSR_KEY", "");
	read_key(f, CS_SPAN_LIT(ALG_RSA),
		 CS_SPAN_LIT("\x30\x06\x02\x01\xff\x02\x01\x03"));
	csr_assert_found(f, "CSR_KEY", "negative");
	read_key(f, CS_SPAN_LIT("\x06\x09" CS_OID_RSA),
		 CS_SPAN_LIT("\x30\x06\x02\x01\x7f\x02\x01\x03"));
	csr_assert_found(f, "CSR_KEY", "RFC 3279");
	read_key(f, CS_SPAN_LIT("\x06\x03" CS_OID_ED25519), CS_SPAN_LIT("abc"));
	csr_assert_found(f, "CSR_KEY", "RFC 8032");
	read_key(f, CS_SPAN_LIT("\x06\x03" CS_OID_ED25519 "\x05\0"),
		 CS_SPAN_LIT("abc"));
	csr_assert_found(f, "CSR_KEY", "RFC 8410");
	/* DSA (1.2.840.10040.4.1). */
	read_key(f, CS_SPAN_LIT("\x06\x07\x2a\x86\x48\xce\x38\x04\x01"),
		 CS_SPAN_LIT("\x02\x01\x01"));
	csr_assert_found(f, "CSR_KEY", "none of EC, RSA and Ed25519");
}

/* -- signatures ----------------------------------------------------------- */

static void refuses_a_signature_that_does_not_verify(void **state)
{
	struct csr_fixture *f = *state;
	const struct csr_maker all[] = {
		{.key = f->ec, .break_signature = true},
		{.key = f->rsa,
		 .alg = CS_SIG_RSA_SHA256,
		 .break_signature = true},
		{.key = f->ed, .alg = CS_SIG_ED25519, .break_signature = true},
	};
	struct csr_maker other = {.key = f->ec};
	struct cs_buf spki;

	for (size_t i = 0; i < 3; i++) {
		csr_make(&all[i], &f->der);
		csr_read_der(f);
		assert_int_not_equal(f->findings.n, 0);
	}
	/* Somebody else's key. */
	cs_buf_init(&spki, 1000);
	assert_true(cs_key_spki(f->p384, &spki, NULL));
	other.spki = cs_buf_span(&spki);
	csr_read_made(f, &other);
	csr_assert_found(f, "CSR_SIGNATURE", "RFC 2986 3");
	cs_buf_done(&spki);
}

static void refuses_weak_and_unknown_signature_algorithms(void **state)
{
	static const struct cs_span algs[] = {
		/* ecdsa-with-SHA1, sha1WithRSA, md5WithRSA, RSASSA-PSS */
		CS_SPAN_INIT("\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"),
		CS_SPAN_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
			     "\x05\x05\0"),
		CS_SPAN_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
			     "\x04\x05\0"),
		CS_SPAN_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
			     "\x0a\x30\0"),
		/* sha256WithRSA without NULL, ecdsa-with-SHA256 with it */
		CS_SPAN_INIT("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
			     "\x0b"),
		CS_SPAN_INIT("\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
			     "\x05\0"),
	};
	struct csr_fixture *f = *state;
	struct csr_maker m = {.key = f->ec};

	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		m.sig_alg = algs[i];
		csr_read_made(f, &m);
		csr_assert_found(f, "CSR_ALGORITHM", "");
	}
	m.sig_alg = cs_sigalg_der(CS_SIG_RSA_SHA256);
	csr_read_made(f, &m);
	csr_assert_found(f, "CSR_ALGORITHM", "does not belong to the key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_ec_keys_in_other_forms),
		cmocka_unit_test(
			refuses_rsa_keys_by_size_before_any_mathematics),
		cmocka_unit_test(refuses_malformed_and_unknown_keys),
		cmocka_unit_test(refuses_a_signature_that_does_not_verify),
		cmocka_unit_test(refuses_weak_and_unknown_signature_algorithms),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/csr_key", tests, csr_set_up,
					    csr_tear_down));
}
