#include "store/ocsp_responder.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>

#include "base/codec.h"
#include "base/der.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/x509.h"

#define PEM_BEGIN "-----BEGIN PRIVATE KEY-----\n"
#define PEM_END	  "-----END PRIVATE KEY-----\n"

#define OID_EC_KEY "\x2a\x86\x48\xce\x3d\x02\x01"
#define OID_P256   "\x2a\x86\x48\xce\x3d\x03\x01\x07"

/* RFC 5758 3.2: ecdsa-with-SHA256, without parameters. */
#define ECDSA_SHA256 "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
/* RFC 3279 2.2.3: two INTEGERs of up to 33 octets. */
#define MAX_ECDSA 72

#define SCALAR 32
#define POINT  65

struct cs_ocsp_responder {
	EVP_PKEY *key;		   /* owned */
	EVP_MD_CTX *ctx;	   /* owned */
	struct cs_buf certificate; /* DER */
	uint8_t key_hash[CS_SHA1_SIZE];
	int64_t not_before_s, not_after_s;
};

void cs_ocsp_responder_free(struct cs_ocsp_responder *r)
{
	if (r == NULL)
		return;
	EVP_PKEY_free(r->key);
	EVP_MD_CTX_free(r->ctx);
	cs_buf_done(&r->certificate);
	cs_mem_free(r);
}

static bool crypto_error(const char *what, struct cs_error *err)
{
	ERR_clear_error();
	return cs_error_set(err, CS_E_CRYPTO, "OCSP responder: %s failed",
			    what);
}

/* One sentence for every file that is not such a key. */
static bool no_key(struct cs_error *err)
{
	ERR_clear_error();
	return cs_error_set(err, CS_E_KEY,
			    "OCSP responder: not one EC P-256 private key in "
			    "PEM (RFC 5958 2), unencrypted");
}

static bool no_certificate(const char *why, struct cs_error *err)
{
	ERR_clear_error();
	return cs_error_set(err, CS_E_CERT, "OCSP responder: %s", why);
}

/* -- the key -------------------------------------------------------------- */

/*
 * The DER of a PEM text. Decoded here and not by OpenSSL's PEM reader, which
 * leaves copies in the ordinary heap.
 */
static bool decode_pem(struct cs_span pem, struct cs_secret *ret_der,
		       struct cs_error *err)
{
	struct cs_secret text = {0}, der = {0};
	struct cs_span inside;
	size_t n = 0;
	int size;

	if (!cs_span_starts_with(pem, CS_SPAN_LIT(PEM_BEGIN)) ||
	    !cs_span_ends_with(pem, CS_SPAN_LIT(PEM_END)) ||
	    pem.n < sizeof(PEM_BEGIN PEM_END) - 1)
		return no_key(err);
	inside = cs_span_sub(pem, sizeof(PEM_BEGIN) - 1,
			     pem.n - (sizeof(PEM_BEGIN PEM_END) - 1));
	if (!cs_secret_new(inside.n, &text, err))
		return false;
	if (!cs_secret_new(inside.n, &der, err)) {
		cs_secret_done(&text);
		return false;
	}
	for (size_t i = 0; i < inside.n; i++)
		if (inside.p[i] != '\n')
			text.p[n++] = inside.p[i];
	size = EVP_DecodeBlock(der.p, text.p, (int)n);
	/* It counts padding as octets. */
	for (size_t i = n; size > 0 && i > 0 && text.p[i - 1] == '='; i--)
		size--;
	cs_secret_done(&text);
	if (size <= 0) {
		cs_secret_done(&der);
		return no_key(err);
	}
	der.n = (size_t)size;
	*ret_der = der;
	return true;
}

/*= RFC 5915 3: scalar and point, both there */
static bool read_ec(struct cs_span der, struct cs_span *ret_scalar,
		    struct cs_span *ret_point)
{
	struct cs_der outer = cs_der_reader(der), r, public_key;
	uint64_t version;

	return cs_der_enter(&outer, CS_DER_SEQUENCE, "ECPrivateKey", &r,
			    NULL) &&
	       cs_der_uint(&r, "version", &version, NULL) && version == 1 &&
	       cs_der_element(&r, CS_DER_OCTET_STRING, "privateKey", ret_scalar,
			      NULL, NULL) &&
	       cs_der_enter(&r, CS_DER_CONTEXT_CONSTRUCTED(1), "publicKey",
			    &public_key, NULL) &&
	       cs_der_bit_string_octets(&public_key, "publicKey", ret_point,
					NULL) &&
	       ret_scalar->n == SCALAR && ret_point->n == POINT;
}

/*= RFC 5958 2: with the parameters of RFC 5480 2.1.1 */
static bool read_pkcs8(struct cs_span der, struct cs_span *ret_scalar,
		       struct cs_span *ret_point)
{
	struct cs_der outer = cs_der_reader(der), r, alg;
	struct cs_span oid, curve, key;
	uint64_t version;

	return cs_der_enter(&outer, CS_DER_SEQUENCE, "PrivateKeyInfo", &r,
			    NULL) &&
	       cs_der_uint(&r, "version", &version, NULL) && version == 0 &&
	       cs_der_enter(&r, CS_DER_SEQUENCE, "privateKeyAlgorithm", &alg,
			    NULL) &&
	       cs_der_oid(&alg, "privateKeyAlgorithm", &oid, NULL) &&
	       cs_span_equal(oid, CS_SPAN_LIT(OID_EC_KEY)) &&
	       cs_der_oid(&alg, "namedCurve", &curve, NULL) &&
	       cs_span_equal(curve, CS_SPAN_LIT(OID_P256)) &&
	       cs_der_element(&r, CS_DER_OCTET_STRING, "privateKey", &key, NULL,
			      NULL) &&
	       read_ec(key, ret_scalar, ret_point);
}

static EVP_PKEY *make_key(struct cs_span scalar, struct cs_span point)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	BIGNUM *d = BN_secure_new();
	EVP_PKEY *key = NULL;

	/* A secure number makes secure parameters. */
	if (ctx != NULL && build != NULL && d != NULL &&
	    BN_bin2bn(scalar.p, (int)scalar.n, d) != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
					    "P-256", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
					     point.p, point.n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_clear_free(d);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return key;
}

static bool take_key(struct cs_ocsp_responder *r, const struct cs_secret *pem,
		     struct cs_error *err)
{
	struct cs_secret der = {0};
	struct cs_span scalar, point;

	if (!decode_pem(cs_span_make(pem->p, pem->n), &der, err))
		return false;
	if (read_pkcs8(cs_span_make(der.p, der.n), &scalar, &point))
		r->key = make_key(scalar, point);
	cs_secret_done(&der);
	return r->key != NULL || no_key(err);
}

/* -- the certificate ------------------------------------------------------ */

/* What a client will check too (RFC 6960 4.2.2.2). */
static bool check(struct cs_ocsp_responder *r, X509 *own, X509 *issuer,
		  struct cs_error *err)
{
	const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(own);

	if (EVP_PKEY_eq(X509_get0_pubkey(own), r->key) != 1)
		return no_certificate("the certificate is not its key's", err);
	if ((X509_get_extension_flags(own) & EXFLAG_XKUSAGE) == 0 ||
	    (X509_get_extended_key_usage(own) & XKU_OCSP_SIGN) == 0)
		return no_certificate("RFC 6960 4.2.2.2: the certificate is "
				      "not one for OCSP signing",
				      err);
	if (X509_NAME_cmp(X509_get_issuer_name(own),
			  X509_get_subject_name(issuer)) != 0 ||
	    X509_verify(own, X509_get0_pubkey(issuer)) != 1)
		return no_certificate("RFC 6960 4.2.2.2: the certificate is "
				      "not by the issuer itself",
				      err);
	if (!cs_x509_seconds(X509_get0_notBefore(own), &r->not_before_s) ||
	    !cs_x509_seconds(X509_get0_notAfter(own), &r->not_after_s))
		return no_certificate("the certificate's dates cannot be read",
				      err);
	if (EVP_Digest(bits->data, (size_t)bits->length, r->key_hash, NULL,
		       EVP_sha1(), NULL) != 1)
		return crypto_error("SHA-1", err);
	return true;
}

static bool take_certificate(struct cs_ocsp_responder *r, struct cs_span pem,
			     struct cs_span issuer_der, struct cs_error *err)
{
	X509 *own, *issuer;
	bool found;
	bool ok;

	if (!cs_codec_pem_next("CERTIFICATE", &pem, &r->certificate, &found,
			       err))
		return cs_error_prefix(err, "OCSP responder");
	own = found ? cs_x509_decode(cs_buf_span(&r->certificate), NULL) : NULL;
	issuer = cs_x509_decode(issuer_der, NULL);
	ok = own != NULL && issuer != NULL
		     ? check(r, own, issuer, err)
		     : no_certificate("no certificate can be read", err);
	X509_free(own);
	X509_free(issuer);
	ERR_clear_error();
	return ok;
}

struct cs_ocsp_responder *cs_ocsp_responder_new(const struct cs_secret *key_pem,
						struct cs_span chain_pem,
						struct cs_span issuer,
						struct cs_error *err)
{
	struct cs_ocsp_responder *r = cs_mem_new(sizeof(*r));

	if (r == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "OCSP responder: no memory");
		return NULL;
	}
	cs_buf_init(&r->certificate, CS_MAX_CERT);
	r->ctx = EVP_MD_CTX_new();
	if (r->ctx == NULL)
		crypto_error("a context", err);
	else if (take_key(r, key_pem, err) &&
		 take_certificate(r, chain_pem, issuer, err))
		return r;
	cs_ocsp_responder_free(r);
	return NULL;
}

int64_t cs_ocsp_responder_not_before(const struct cs_ocsp_responder *r)
{
	return r->not_before_s;
}

int64_t cs_ocsp_responder_not_after(const struct cs_ocsp_responder *r)
{
	return r->not_after_s;
}

struct cs_span cs_ocsp_responder_certificate(const struct cs_ocsp_responder *r)
{
	return cs_buf_span(&r->certificate);
}

struct cs_span cs_ocsp_responder_key_hash(const struct cs_ocsp_responder *r)
{
	return cs_span_make(r->key_hash, sizeof(r->key_hash));
}

bool cs_ocsp_responder_sign(struct cs_ocsp_responder *r, struct cs_span data,
			    struct cs_buf *out, struct cs_error *err)
{
	uint8_t signature[MAX_ECDSA];
	size_t n = sizeof(signature);

	if (EVP_MD_CTX_reset(r->ctx) != 1 ||
	    EVP_DigestSignInit_ex(r->ctx, NULL, "SHA256", NULL, NULL, r->key,
				  NULL) != 1 ||
	    EVP_DigestSign(r->ctx, signature, &n, data.p, data.n) != 1 ||
	    /* Without memory OpenSSL 3.0 succeeds with a length of -1. */
	    n == 0 || n > sizeof(signature))
		return crypto_error("signing", err);
	/* A signature can succeed and still leave one. */
	ERR_clear_error();
	cs_der_write_raw(out, CS_SPAN_LIT(ECDSA_SHA256));
	cs_der_write_bit_string_octets(out, cs_span_make(signature, n));
	return cs_buf_finish(out, "a signature", err);
}
