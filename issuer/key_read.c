#include "issuer/key_read.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/codec.h"
#include "base/der.h"
#include "issuer/oids.h"
#include "issuer/token_uri.h"

/* What a block of PEM holds. */
enum form {
	FORM_PKCS8,
	FORM_ENCRYPTED,
	FORM_SEC1,
	FORM_PKCS1,
	FORMS
};

static const char *const labels[FORMS] = {
	[FORM_PKCS8] = "PRIVATE KEY",
	[FORM_ENCRYPTED] = "ENCRYPTED PRIVATE KEY",
	[FORM_SEC1] = "EC PRIVATE KEY",
	[FORM_PKCS1] = "RSA PRIVATE KEY",
};

static EVP_PKEY *refuse(struct cs_error *err, const char *why)
{
	cs_error_set(err, CS_E_KEY, "%s", why);
	ERR_clear_error();
	return NULL;
}

/* Offset of `needle` in s from `from` on; s.n if it is not there. */
static size_t find_text(struct cs_span s, size_t from, const char *needle)
{
	size_t n = strlen(needle);

	for (size_t i = from; i + n <= s.n; i++) {
		if (memcmp(s.p + i, needle, n) == 0)
			return i;
	}
	return s.n;
}

/* The first block with one of our labels: its Base64 text. */
static bool find_block(struct cs_span pem, enum form *ret_form,
		       struct cs_span *ret_text)
{
	char line[64];
	size_t best = pem.n, begin, end;

	for (unsigned f = 0; f < FORMS; f++) {
		snprintf(line, sizeof(line), "-----BEGIN %s-----", labels[f]);
		begin = find_text(pem, 0, line);
		if (begin >= best)
			continue;
		snprintf(line, sizeof(line), "-----END %s-----", labels[f]);
		end = find_text(pem, begin, line);
		if (end == pem.n)
			continue;
		best = begin;
		begin += strlen("-----BEGIN -----") + strlen(labels[f]);
		*ret_form = (enum form)f;
		*ret_text = cs_span_sub(pem, begin, end - begin);
	}
	return best < pem.n;
}

/* Base64 with line ends, into the secure heap. */
static bool decode(struct cs_span text, struct cs_secret *ret_der,
		   struct cs_error *err)
{
	struct cs_secret der = {0};
	size_t n = 0, digits = 0;
	uint32_t acc = 0;
	int v;

	if (!cs_secret_new(text.n + 1, &der, err))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '\n' || c == '\r' || c == '=')
			continue;
		v = cs_codec_base64_digit(c);
		if (v < 0) {
			cs_secret_done(&der);
			return cs_error_set(err, CS_E_KEY,
					    "its PEM is not Base64");
		}
		acc = acc << 6 | (uint32_t)v;
		if (++digits % 4 == 0) {
			der.p[n++] = (uint8_t)(acc >> 16);
			der.p[n++] = (uint8_t)(acc >> 8);
			der.p[n++] = (uint8_t)acc;
			acc = 0;
		}
	}
	if (digits % 4 == 3) {
		der.p[n++] = (uint8_t)(acc >> 10);
		der.p[n++] = (uint8_t)(acc >> 2);
	} else if (digits % 4 == 2) {
		der.p[n++] = (uint8_t)(acc >> 4);
	}
	memset(der.p + n, 0, der.n - n);
	*ret_der = der;
	ret_der->n = n;
	return true;
}

/* A private number in the byte order that OSSL_PARAM wants. */
static bool to_secure_native(struct cs_span number, struct cs_secret *ret,
			     struct cs_error *err)
{
	const uint16_t probe = 1;
	bool little = *(const uint8_t *)&probe == 1;

	if (!cs_secret_new(number.n > 0 ? number.n : 1, ret, err))
		return false;
	for (size_t i = 0; i < number.n; i++)
		ret->p[i] = little ? number.p[number.n - 1 - i] : number.p[i];
	return true;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* The public point that belongs to a scalar: it may be absent in the file. */
static bool derive_point(const char *group, struct cs_span scalar,
			 uint8_t *point, size_t *n)
{
	int nid = strcmp(group, "P-384") == 0 ? NID_secp384r1
					      : NID_X9_62_prime256v1;
	EC_GROUP *g = EC_GROUP_new_by_curve_name(nid);
	EC_POINT *q = g != NULL ? EC_POINT_new(g) : NULL;
	BIGNUM *d = BN_secure_new();
	bool ok = false;

	if (q != NULL && d != NULL &&
	    BN_bin2bn(scalar.p, (int)scalar.n, d) != NULL) {
		BN_set_flags(d, BN_FLG_CONSTTIME);
		ok = !BN_is_zero(d) && BN_cmp(d, EC_GROUP_get0_order(g)) < 0 &&
		     EC_POINT_mul(g, q, d, NULL, NULL, NULL) == 1;
		*n = ok ? EC_POINT_point2oct(g, q,
					     POINT_CONVERSION_UNCOMPRESSED,
					     point, *n, NULL)
			: 0;
	}
	BN_clear_free(d);
	EC_POINT_free(q);
	EC_GROUP_free(g);
	return ok && *n > 0;
}

static EVP_PKEY *make_ec(const char *group, struct cs_span scalar,
			 struct cs_error *err)
{
	struct cs_secret native = {0};
	uint8_t point[1 + 2 * 48];
	size_t n = sizeof(point);
	OSSL_PARAM params[4];
	EVP_PKEY *pkey = NULL;
	char name[8];

	if (!derive_point(group, scalar, point, &n))
		return refuse(err, "SEC 1 3.2.1: the private key is not in the "
				   "range of its curve");
	if (!to_secure_native(scalar, &native, err))
		return NULL;
	snprintf(name, sizeof(name), "%s", group);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						     name, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						      point, n);
	params[2] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native.p,
					    native.n);
	params[3] = OSSL_PARAM_construct_end();
	pkey = from_params("EC", params);
	cs_secret_done(&native);
	return pkey != NULL ? pkey : refuse(err, "the EC key is not usable");
}

/* The curve's OID as OpenSSL's name; NULL: not one of ours. */
static const char *group_name(struct cs_span oid)
{
	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_P256)))
		return "P-256";
	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_P384)))
		return "P-384";
	return NULL;
}

/* RFC 5915 3; `curve` is from PKCS#8, or empty: then it must be inside. */
static EVP_PKEY *read_ec(struct cs_span der, struct cs_span curve,
			 struct cs_error *err)
{
	struct cs_der outer = cs_der_reader(der), r, params;
	struct cs_span scalar, inside = curve;
	uint64_t version;
	bool there;

	if (!cs_der_enter(&outer, CS_DER_SEQUENCE, "ECPrivateKey", &r, NULL) ||
	    !cs_der_uint(&r, "version", &version, NULL) || version != 1 ||
	    !cs_der_element(&r, CS_DER_OCTET_STRING, "privateKey", &scalar,
			    NULL, NULL) ||
	    !cs_der_enter_optional(&r, CS_DER_CONTEXT_CONSTRUCTED(0),
				   "parameters", &params, &there, NULL) ||
	    (there && !cs_der_oid(&params, "namedCurve", &inside, NULL)))
		return refuse(err, "RFC 5915 3: not an ECPrivateKey of a named "
				   "curve");
	if (curve.n > 0 && !cs_span_equal(curve, inside))
		return refuse(err, "RFC 5915 3: two different curves");
	if (group_name(inside) == NULL)
		return refuse(err, "RFC 5480 2.1.1.1: the curve is neither "
				   "P-256 nor P-384");
	return make_ec(group_name(inside), scalar, err);
}

/* The numbers of an RSA key in the order of RFC 8017 A.1.2. */
static const char *const rsa_names[] = {
	OSSL_PKEY_PARAM_RSA_N,	       OSSL_PKEY_PARAM_RSA_E,
	OSSL_PKEY_PARAM_RSA_D,	       OSSL_PKEY_PARAM_RSA_FACTOR1,
	OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
	OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

#define RSA_NUMBERS (sizeof(rsa_names) / sizeof(rsa_names[0]))

static EVP_PKEY *read_rsa(struct cs_span der, struct cs_error *err)
{
	struct cs_secret numbers[RSA_NUMBERS] = {{0}};
	OSSL_PARAM params[RSA_NUMBERS + 1];
	struct cs_der outer = cs_der_reader(der), r;
	EVP_PKEY *pkey = NULL;
	struct cs_span number;
	uint64_t version;
	bool ok;

	ok = cs_der_enter(&outer, CS_DER_SEQUENCE, "RSAPrivateKey", &r, NULL) &&
	     cs_der_uint(&r, "version", &version, NULL) && version == 0;
	for (size_t i = 0; ok && i < RSA_NUMBERS; i++) {
		ok = cs_der_integer(&r, rsa_names[i], &number, NULL) &&
		     (number.p[0] & 0x80) == 0 &&
		     to_secure_native(number, &numbers[i], NULL);
		if (ok)
			params[i] = OSSL_PARAM_construct_BN(
				rsa_names[i], numbers[i].p, numbers[i].n);
	}
	if (ok) {
		params[RSA_NUMBERS] = OSSL_PARAM_construct_end();
		pkey = from_params("RSA", params);
	}
	for (size_t i = 0; i < RSA_NUMBERS; i++)
		cs_secret_done(&numbers[i]);
	if (pkey == NULL)
		return refuse(err, "RFC 8017 A.1.2: not a usable "
				   "RSAPrivateKey");
	return pkey;
}

/*= RFC 8410 7: CurvePrivateKey is an OCTET STRING within one */
static EVP_PKEY *read_ed25519(struct cs_span der, struct cs_error *err)
{
	struct cs_der r = cs_der_reader(der);
	struct cs_span seed;
	EVP_PKEY *pkey = NULL;

	if (cs_der_element(&r, CS_DER_OCTET_STRING, "CurvePrivateKey", &seed,
			   NULL, NULL) &&
	    seed.n == 32)
		pkey = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL,
						       seed.p, seed.n);
	if (pkey == NULL)
		return refuse(err, "RFC 8410 7: not an Ed25519 private key");
	return pkey;
}

/*= RFC 5958 2: OneAsymmetricKey; attributes and public key are skipped */
static EVP_PKEY *read_pkcs8(struct cs_span der, struct cs_error *err)
{
	struct cs_der outer = cs_der_reader(der), r, alg;
	struct cs_span oid, curve = {0}, key;
	uint64_t version;

	if (!cs_der_enter(&outer, CS_DER_SEQUENCE, "PrivateKeyInfo", &r,
			  NULL) ||
	    !cs_der_uint(&r, "version", &version, NULL) || version > 1 ||
	    !cs_der_enter(&r, CS_DER_SEQUENCE, "privateKeyAlgorithm", &alg,
			  NULL) ||
	    !cs_der_oid(&alg, "privateKeyAlgorithm", &oid, NULL) ||
	    !cs_der_element(&r, CS_DER_OCTET_STRING, "privateKey", &key, NULL,
			    NULL))
		return refuse(err, "RFC 5958 2: not a PrivateKeyInfo");
	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_RSA)))
		return read_rsa(key, err);
	if (cs_span_equal(oid, CS_SPAN_LIT(CS_OID_ED25519)))
		return read_ed25519(key, err);
	if (!cs_span_equal(oid, CS_SPAN_LIT(CS_OID_EC_PUBLIC_KEY)))
		return refuse(err, "the key is none of EC, RSA and Ed25519");
	if (!cs_der_oid(&alg, "namedCurve", &curve, NULL))
		return refuse(err, "RFC 5480 2.1.1: the EC parameters are not "
				   "a named curve");
	return read_ec(key, curve, err);
}

/* Decrypt a PKCS#8 into the secure heap; OpenSSL wipes its own copies. */
static EVP_PKEY *read_encrypted(struct cs_span der,
				const struct cs_secret *passphrase,
				struct cs_error *err)
{
	const unsigned char *p = der.p;
	PKCS8_PRIV_KEY_INFO *info = NULL;
	struct cs_secret plain = {0};
	EVP_PKEY *pkey = NULL;
	unsigned char *to;
	X509_SIG *sig;
	int n = 0;

	if (passphrase == NULL || passphrase->n == 0)
		return refuse(err, "it is encrypted and no passphrase was "
				   "given");
	sig = d2i_X509_SIG(NULL, &p, (long)der.n);
	if (sig != NULL)
		info = PKCS8_decrypt(sig, (const char *)passphrase->p,
				     (int)passphrase->n);
	X509_SIG_free(sig);
	if (info == NULL)
		return refuse(err, "the passphrase is wrong, or the encryption "
				   "is unknown");
	n = i2d_PKCS8_PRIV_KEY_INFO(info, NULL);
	if (n > 0 && cs_secret_new((size_t)n, &plain, err)) {
		to = plain.p;
		i2d_PKCS8_PRIV_KEY_INFO(info, &to);
		pkey = read_pkcs8(cs_span_make(plain.p, plain.n), err);
		cs_secret_done(&plain);
	}
	PKCS8_PRIV_KEY_INFO_free(info);
	return pkey;
}

EVP_PKEY *cs_key_read_pem(const struct cs_secret *pem,
			  const struct cs_secret *passphrase,
			  struct cs_error *err)
{
	struct cs_secret der = {0};
	struct cs_span text, bytes;
	EVP_PKEY *pkey = NULL;
	enum form form = FORM_PKCS8;

	if (cs_span_starts_with(cs_span_make(pem->p, pem->n),
				CS_SPAN_LIT(CS_TOKEN_URI_SCHEME)))
		return refuse(err, "it is the URI of a key in a PKCS#11 token, "
				   "by which the server alone signs");
	if (!find_block(cs_span_make(pem->p, pem->n), &form, &text))
		return refuse(err, "no private key in PEM");
	if (!decode(text, &der, err))
		return NULL;
	bytes = cs_span_make(der.p, der.n);
	switch (form) {
	case FORM_PKCS8:
		pkey = read_pkcs8(bytes, err);
		break;
	case FORM_ENCRYPTED:
		pkey = read_encrypted(bytes, passphrase, err);
		break;
	case FORM_SEC1:
		pkey = read_ec(bytes, (struct cs_span){0}, err);
		break;
	default:
		pkey = read_rsa(bytes, err);
		break;
	}
	cs_secret_done(&der);
	return pkey;
}
