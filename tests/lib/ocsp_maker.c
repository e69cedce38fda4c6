#include <tests/lib/test.h>

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/codec.h"
#include "tests/lib/ocsp_maker.h"

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	assert_non_null(key);
	return key;
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

/* A certificate of a day; not signed yet. */
static X509 *new_certificate(const char *name, X509 *issuer, EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_NAME_new();

	assert_non_null(cert);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_subject_name(cert, subject);
	X509_set_issuer_name(
		cert, issuer == NULL ? subject : X509_get_subject_name(issuer));
	X509_set_pubkey(cert, key);
	X509_NAME_free(subject);
	return cert;
}

static void make_ca(struct ocsp_maker *m)
{
	unsigned char *der = NULL;
	int n;

	m->ca_key = new_key();
	m->ca = new_certificate("OCSP test CA", NULL, m->ca_key);
	add_extension(m->ca, m->ca, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(m->ca, m->ca, NID_key_usage,
		      "critical,keyCertSign,cRLSign");
	add_extension(m->ca, m->ca, NID_subject_key_identifier, "hash");
	assert_true(X509_sign(m->ca, m->ca_key, EVP_sha256()) > 0);
	n = i2d_X509(m->ca, &der);
	assert_true(n > 0);
	cs_buf_init(&m->ca_der, CS_MAX_CERT);
	cs_buf_add(&m->ca_der, cs_span_make(der, (size_t)n));
	OPENSSL_free(der);
}

static void write_key(struct ocsp_maker *m, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0,
						       NULL, NULL),
			 1);
	n = BIO_get_mem_data(bio, &p);
	assert_true(cs_secret_new((size_t)n, &m->key_pem, NULL));
	memcpy(m->key_pem.p, p, (size_t)n);
	BIO_free(bio);
}

void ocsp_maker_init(struct ocsp_maker *m, enum ocsp_maker_fault fault)
{
	EVP_PKEY *key = new_key();
	EVP_PKEY *other = new_key();
	unsigned char *der = NULL;
	X509 *cert;
	int n;

	memset(m, 0, sizeof(*m));
	make_ca(m);
	cert = new_certificate("OCSP responder", m->ca,
			       fault == OCSP_MAKER_OTHER_KEY ? other : key);
	add_extension(cert, m->ca, NID_ext_key_usage,
		      fault == OCSP_MAKER_NO_PURPOSE ? "serverAuth"
						     : "OCSPSigning");
	add_extension(cert, m->ca, NID_id_pkix_OCSP_noCheck, "ignored");
	assert_true(X509_sign(cert,
			      fault == OCSP_MAKER_OTHER_CA ? other : m->ca_key,
			      EVP_sha256()) > 0);
	n = i2d_X509(cert, &der);
	assert_true(n > 0);
	cs_buf_init(&m->chain_pem, CS_MAX_PEM_FILE);
	cs_codec_pem("CERTIFICATE", cs_span_make(der, (size_t)n),
		     &m->chain_pem);
	write_key(m, key);
	OPENSSL_free(der);
	X509_free(cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

void ocsp_maker_done(struct ocsp_maker *m)
{
	X509_free(m->ca);
	EVP_PKEY_free(m->ca_key);
	cs_buf_done(&m->ca_der);
	cs_buf_done(&m->chain_pem);
	cs_secret_done(&m->key_pem);
}

struct cs_ocsp_responder *ocsp_maker_responder(struct ocsp_maker *m)
{
	struct cs_error err = {0};
	struct cs_ocsp_responder *r =
		cs_ocsp_responder_new(&m->key_pem, cs_buf_span(&m->chain_pem),
				      cs_buf_span(&m->ca_der), &err);

	assert_string_equal(err.text, "");
	assert_non_null(r);
	return r;
}

OCSP_CERTID *ocsp_maker_id(const struct ocsp_maker *m, const EVP_MD *md,
			   struct cs_span serial)
{
	ASN1_INTEGER *number = NULL;
	BIGNUM *bn = BN_bin2bn(serial.p, (int)serial.n, NULL);
	OCSP_CERTID *id;

	number = BN_to_ASN1_INTEGER(bn, NULL);
	id = OCSP_cert_id_new(md, X509_get_subject_name(m->ca),
			      X509_get0_pubkey_bitstr(m->ca), number);
	assert_non_null(id);
	ASN1_INTEGER_free(number);
	BN_free(bn);
	return id;
}

void ocsp_maker_encode(OCSP_REQUEST *request, struct cs_buf *out)
{
	unsigned char *der = NULL;
	int n = i2d_OCSP_REQUEST(request, &der);

	assert_true(n > 0);
	cs_buf_reset(out);
	cs_buf_add(out, cs_span_make(der, (size_t)n));
	OPENSSL_free(der);
	assert_true(cs_buf_ok(out));
}

OCSP_BASICRESP *ocsp_maker_verify(const struct ocsp_maker *m,
				  struct cs_span response)
{
	const unsigned char *p = response.p;
	OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)response.n);
	X509_STORE *trusted = X509_STORE_new();
	unsigned char *again = NULL;
	OCSP_BASICRESP *basic;
	int n;

	assert_non_null(r);
	assert_ptr_equal(p, response.p + response.n);
	/* What it writes is what we wrote: DER. */
	n = i2d_OCSP_RESPONSE(r, &again);
	assert_true(cs_span_equal(cs_span_make(again, (size_t)n), response));
	OPENSSL_free(again);
	assert_int_equal(OCSP_response_status(r),
			 OCSP_RESPONSE_STATUS_SUCCESSFUL);
	basic = OCSP_response_get1_basic(r);
	assert_non_null(basic);
	X509_STORE_add_cert(trusted, m->ca);
	assert_int_equal(OCSP_basic_verify(basic, NULL, trusted, 0), 1);
	X509_STORE_free(trusted);
	OCSP_RESPONSE_free(r);
	ERR_clear_error();
	return basic;
}
