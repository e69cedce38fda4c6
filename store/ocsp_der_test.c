#include <tests/lib/test.h>

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/der.h"
#include "tests/lib/ocsp_maker.h"

#define SERIAL                                                                 \
	"\x5b\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"

/* 2026-11-25T02:00:00Z */
#define NOW_S 1795572000

static struct ocsp_maker maker;
static struct cs_ocsp_responder *responder;

static OCSP_REQUEST *new_request(const EVP_MD *md, size_t n)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	uint8_t serial[sizeof(SERIAL) - 1];

	for (size_t i = 0; i < n; i++) {
		memcpy(serial, SERIAL, sizeof(serial));
		serial[1] = (uint8_t)i;
		assert_non_null(OCSP_request_add0_id(
			request,
			ocsp_maker_id(&maker, md,
				      cs_span_make(serial, sizeof(serial)))));
	}
	return request;
}

/* The request's DER, read by us. */
static bool read_back(OCSP_REQUEST *request, struct cs_buf *der,
		      struct cs_ocsp_request *ret, struct cs_error *err)
{
	cs_buf_init(der, 2 * CS_MAX_OCSP_REQUEST);
	ocsp_maker_encode(request, der);
	OCSP_REQUEST_free(request);
	return cs_ocsp_request_read(cs_buf_span(der), ret, err);
}

static void what_openssl_asks_is_read(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	const EVP_MD *md[] = {EVP_sha1(), EVP_sha256(), EVP_sha512()};
	const enum cs_ocsp_hash hash[] = {CS_OCSP_SHA1, CS_OCSP_SHA256,
					  CS_OCSP_OTHER_HASH};
	const size_t size[] = {20, 32, 64};
	struct cs_ocsp_request r;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n;

	(void)state;
	cs_buf_init(&der, CS_MAX_OCSP_REQUEST);
	for (size_t i = 0; i < 3; i++) {
		cs_buf_done(&der);
		assert_true(read_back(new_request(md[i], 3), &der, &r, NULL));
		assert_int_equal(r.asked_n, 3);
		assert_int_equal(r.nonce.n, 0);
		assert_int_equal(r.asked[2].hash, hash[i]);
		assert_int_equal(r.asked[2].serial.n, sizeof(SERIAL) - 1);
		assert_int_equal(r.asked[2].serial.p[1], 2);
		assert_int_equal(r.asked[2].name_hash.n, size[i]);
		X509_NAME_digest(X509_get_subject_name(maker.ca), md[i], digest,
				 &n);
		assert_memory_equal(r.asked[2].name_hash.p, digest, n);
		X509_pubkey_digest(maker.ca, md[i], digest, &n);
		assert_memory_equal(r.asked[2].key_hash.p, digest, n);
	}
}

static void a_signed_request_and_a_named_requestor_are_read(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	OCSP_REQUEST *request = new_request(EVP_sha1(), 1);
	struct cs_ocsp_request r;
	struct cs_error err = {0};

	(void)state;
	assert_int_equal(OCSP_request_sign(request, maker.ca, maker.ca_key,
					   EVP_sha256(), NULL, 0),
			 1);
	assert_true(read_back(request, &der, &r, &err));
	assert_int_equal(r.asked_n, 1);
}

/*= RFC 9654 2.1 */
static void a_nonce_has_1_to_128_octets(void **state)
{
	uint8_t nonce[129] = {0x80};

	(void)state;
	for (size_t n = 0; n <= sizeof(nonce); n++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf der, inner;
		OCSP_REQUEST *request = new_request(EVP_sha1(), 1);
		ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
		struct cs_ocsp_request r;
		bool ok;

		/* OpenSSL takes the extension's value as it will be. */
		cs_buf_init(&inner, 256);
		cs_der_write(&inner, CS_DER_OCTET_STRING,
			     cs_span_make(nonce, n));
		ASN1_OCTET_STRING_set(value, inner.p, (int)inner.n);
		assert_int_equal(
			OCSP_REQUEST_add1_ext_i2d(
				request, NID_id_pkix_OCSP_Nonce, value, 0, 0),
			1);
		ASN1_OCTET_STRING_free(value);
		ok = read_back(request, &der, &r, NULL);
		assert_int_equal(ok, n >= 1 && n <= 128);
		if (ok)
			assert_true(
				cs_span_equal(r.nonce, cs_span_make(nonce, n)));
	}
}

static void more_certificates_than_the_limit_are_refused(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der, more;
	struct cs_ocsp_request r;
	struct cs_error err = {0};

	(void)state;
	cs_buf_init(&more, 1);
	assert_true(read_back(new_request(EVP_sha256(), CS_MAX_OCSP_SINGLES),
			      &der, &r, NULL));
	assert_int_equal(r.asked_n, CS_MAX_OCSP_SINGLES);
	assert_false(
		read_back(new_request(EVP_sha256(), CS_MAX_OCSP_SINGLES + 1),
			  &more, &r, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
}

/*= RFC 6960 4.4 */
static void an_unknown_extension_is_ignored_unless_it_is_critical(void **state)
{
	(void)state;
	for (int where = 0; where < 2; where++) {
		for (int critical = 0; critical < 2; critical++) {
			CS_CLEANUP(cs_buf_done) struct cs_buf der;
			OCSP_REQUEST *request = new_request(EVP_sha1(), 1);
			ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
			struct cs_error err = {0};
			struct cs_ocsp_request r;

			ASN1_OCTET_STRING_set(value, (const uint8_t *)"x", 1);
			if (where == 0)
				OCSP_REQUEST_add1_ext_i2d(request,
							  NID_netscape_comment,
							  value, critical, 0);
			else
				OCSP_ONEREQ_add1_ext_i2d(
					OCSP_request_onereq_get0(request, 0),
					NID_netscape_comment, value, critical,
					0);
			ASN1_OCTET_STRING_free(value);
			assert_int_equal(read_back(request, &der, &r, &err),
					 !critical);
			if (critical)
				assert_non_null(
					strstr(err.text, "RFC 6960 4.4"));
		}
	}
}

/*
 * Every octet of a request changed in every bit: we never crash, and what we
 * still read, OpenSSL reads too and says the same of.
 */
static void a_mutated_request_is_refused_or_read_as_openssl_does(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der;
	OCSP_REQUEST *request = new_request(EVP_sha1(), 2);
	struct cs_ocsp_request r;
	unsigned refused = 0;

	(void)state;
	OCSP_request_add1_nonce(request, NULL, 16);
	assert_true(read_back(request, &der, &r, NULL));
	ERR_clear_error();
	for (size_t i = 0; i < 8 * der.n; i++) {
		const unsigned char *p = der.p;
		ASN1_INTEGER *serial;
		OCSP_REQUEST *theirs;

		der.p[i / 8] ^= (uint8_t)(1 << i % 8);
		if (!cs_ocsp_request_read(cs_buf_span(&der), &r, NULL)) {
			refused++;
		} else {
			theirs = d2i_OCSP_REQUEST(NULL, &p, (long)der.n);
			assert_non_null(theirs);
			assert_int_equal(OCSP_request_onereq_count(theirs),
					 r.asked_n);
			OCSP_id_get0_info(
				NULL, NULL, NULL, &serial,
				OCSP_onereq_get0_id(
					OCSP_request_onereq_get0(theirs, 0)));
			/* OpenSSL drops a sign octet, and a sign. */
			assert_true(
				cs_span_ends_with(
					r.asked[0].serial,
					cs_span_make(
						ASN1_STRING_get0_data(serial) +
							1,
						(size_t)ASN1_STRING_length(
							serial) -
							1)) ||
				r.asked[0].serial.p[0] >= 0x80);
			OCSP_REQUEST_free(theirs);
		}
		assert_int_equal(ERR_peek_error(), 0);
		der.p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	/* Digests, serials and the nonce may be anything; the rest not. */
	assert_true(refused > 400);
	for (size_t n = 0; n < der.n; n++)
		assert_false(cs_ocsp_request_read(
			cs_span_sub(cs_buf_span(&der), 0, n), &r, NULL));
}

/* -- responses ------------------------------------------------------------ */

static void read_time(const ASN1_GENERALIZEDTIME *t, const char *text)
{
	assert_string_equal((const char *)ASN1_STRING_get0_data(t), text);
}

static void openssl_verifies_and_reads_a_response(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf der, out;
	struct cs_ocsp_single singles[3] = {
		{.status = CS_OCSP_GOOD},
		{.status = CS_OCSP_REVOKED,
		 .revoked_s = NOW_S - 60,
		 .reason = 4},
		{.status = CS_OCSP_UNKNOWN},
	};
	struct cs_ocsp_answer answer = {.singles = singles,
					.singles_n = 3,
					.produced_s = NOW_S,
					.this_update_s = NOW_S,
					.next_update_s = NOW_S + 3600};
	OCSP_REQUEST *request = new_request(EVP_sha256(), 3);
	ASN1_GENERALIZEDTIME *revoked, *this, *next;
	struct cs_ocsp_request r;
	OCSP_BASICRESP *basic;
	int status, reason;

	(void)state;
	OCSP_request_add1_nonce(request, NULL, 32);
	cs_buf_init(&der, CS_MAX_OCSP_REQUEST);
	ocsp_maker_encode(request, &der);
	assert_true(cs_ocsp_request_read(cs_buf_span(&der), &r, NULL));
	for (size_t i = 0; i < 3; i++)
		singles[i].id = r.asked[i].id;
	answer.nonce = r.nonce;
	cs_buf_init(&out, CS_MAX_OCSP_RESPONSE);
	assert_true(cs_ocsp_response_write(&answer, responder, &out, NULL));
	basic = ocsp_maker_verify(&maker, cs_buf_span(&out));
	assert_int_equal(OCSP_check_nonce(request, basic), 1);
	read_time(OCSP_resp_get0_produced_at(basic), "20261125020000Z");
	for (int i = 0; i < 3; i++) {
		OCSP_CERTID *id = OCSP_onereq_get0_id(
			OCSP_request_onereq_get0(request, i));

		assert_int_equal(OCSP_resp_find_status(basic, id, &status,
						       &reason, &revoked, &this,
						       &next),
				 1);
		assert_int_equal(status, i == 0	  ? V_OCSP_CERTSTATUS_GOOD
					 : i == 1 ? V_OCSP_CERTSTATUS_REVOKED
						  : V_OCSP_CERTSTATUS_UNKNOWN);
		read_time(this, "20261125020000Z");
		read_time(next, "20261125030000Z");
		if (i == 1) {
			assert_int_equal(reason, 4);
			read_time(revoked, "20261125015900Z");
		}
	}
	OCSP_BASICRESP_free(basic);
	OCSP_REQUEST_free(request);
}

static void a_full_response_fits_its_limit(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_ocsp_single singles[CS_MAX_OCSP_SINGLES];
	struct cs_ocsp_answer answer = {.singles = singles,
					.singles_n = CS_MAX_OCSP_SINGLES};
	uint8_t id[CS_MAX_OCSP_CERT_ID] = {0x30, 0x81, CS_MAX_OCSP_CERT_ID - 3};
	uint8_t nonce[128] = {0};

	(void)state;
	for (size_t i = 0; i < CS_MAX_OCSP_SINGLES; i++)
		singles[i] = (struct cs_ocsp_single){
			.id = cs_span_make(id, sizeof(id)),
			.status = CS_OCSP_REVOKED,
			.reason = 1};
	answer.nonce = cs_span_make(nonce, sizeof(nonce));
	cs_buf_init(&out, CS_MAX_OCSP_RESPONSE - CS_MAX_CERT);
	assert_true(cs_ocsp_response_write(&answer, responder, &out, NULL));
}

/*= RFC 6960 2.3 */
static void a_refusal_is_an_answer_without_a_signature(void **state)
{
	const enum cs_ocsp_status all[] = {CS_OCSP_MALFORMED, CS_OCSP_INTERNAL,
					   CS_OCSP_TRY_LATER,
					   CS_OCSP_UNAUTHORIZED};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out;
		const unsigned char *p;
		OCSP_RESPONSE *r;

		cs_buf_init(&out, 16);
		cs_ocsp_response_refuse(all[i], &out);
		p = out.p;
		r = d2i_OCSP_RESPONSE(NULL, &p, (long)out.n);
		assert_non_null(r);
		assert_int_equal(OCSP_response_status(r), all[i]);
		OCSP_RESPONSE_free(r);
	}
}

/* -- responders ----------------------------------------------------------- */

static void a_responder_that_nobody_would_trust_is_refused(void **state)
{
	static const struct {
		enum ocsp_maker_fault fault;
		const char *sentence;
	} cases[] = {
		{OCSP_MAKER_NO_PURPOSE, "not one for OCSP signing"},
		{OCSP_MAKER_OTHER_KEY, "not its key's"},
		{OCSP_MAKER_OTHER_CA, "not by the issuer itself"},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct cs_error err = {0};
		struct ocsp_maker bad;

		ocsp_maker_init(&bad, cases[i].fault);
		assert_null(cs_ocsp_responder_new(
			&bad.key_pem, cs_buf_span(&bad.chain_pem),
			cs_buf_span(&bad.ca_der), &err));
		assert_non_null(strstr(err.text, cases[i].sentence));
		assert_int_equal(ERR_peek_error(), 0);
		ocsp_maker_done(&bad);
	}
}

static void what_is_no_key_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < maker.key_pem.n; i++) {
		struct cs_secret key = {0};
		struct cs_error err = {0};
		struct cs_ocsp_responder *r;

		assert_true(cs_secret_new(maker.key_pem.n, &key, NULL));
		memcpy(key.p, maker.key_pem.p, key.n);
		key.p[i] = '!';
		r = cs_ocsp_responder_new(&key, cs_buf_span(&maker.chain_pem),
					  cs_buf_span(&maker.ca_der), &err);
		assert_null(r);
		assert_int_equal(err.code, CS_E_KEY);
		cs_secret_done(&key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_openssl_asks_is_read),
		cmocka_unit_test(
			a_signed_request_and_a_named_requestor_are_read),
		cmocka_unit_test(a_nonce_has_1_to_128_octets),
		cmocka_unit_test(more_certificates_than_the_limit_are_refused),
		cmocka_unit_test(
			an_unknown_extension_is_ignored_unless_it_is_critical),
		cmocka_unit_test(
			a_mutated_request_is_refused_or_read_as_openssl_does),
		cmocka_unit_test(openssl_verifies_and_reads_a_response),
		cmocka_unit_test(a_full_response_fits_its_limit),
		cmocka_unit_test(a_refusal_is_an_answer_without_a_signature),
		cmocka_unit_test(
			a_responder_that_nobody_would_trust_is_refused),
		cmocka_unit_test(what_is_no_key_is_refused),
	};
	int status;

	ocsp_maker_init(&maker, OCSP_MAKER_GOOD);
	responder = ocsp_maker_responder(&maker);
	status = cs_test_run("store/ocsp_der", tests);
	cs_ocsp_responder_free(responder);
	ocsp_maker_done(&maker);
	return status;
}
