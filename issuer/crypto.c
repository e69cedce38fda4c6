#include "issuer/crypto.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "base/der.h"
#include "base/mem.h"
#include "issuer/x509.h"

struct cs_crypto {
	struct cs_hash *hash;
	EVP_MD *digests[CS_SIG_ALGS]; /* NULL where there is none */
	EVP_MD_CTX *digest;	      /* for messages */
	EVP_MD_CTX *pure;	      /* for Ed25519 */
	EVP_PKEY_CTX *import_ec;
	EVP_PKEY_CTX *import_rsa;
};

struct cs_verifier {
	struct cs_crypto *crypto; /* borrowed */
	enum cs_sig_alg alg;
	EVP_PKEY *key;
	EVP_PKEY_CTX *ctx; /* NULL for Ed25519 */
};

/* OpenSSL failed where it should not: say so, and empty its queue. */
static bool fail(struct cs_error *err, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);

	cs_error_set(err, CS_E_CRYPTO, "OpenSSL: %s: %s", what,
		     reason != NULL ? reason : "no reason given");
	ERR_clear_error();
	return false;
}

void cs_crypto_free(struct cs_crypto *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < CS_SIG_ALGS; i++)
		EVP_MD_free(c->digests[i]);
	EVP_MD_CTX_free(c->digest);
	EVP_MD_CTX_free(c->pure);
	EVP_PKEY_CTX_free(c->import_ec);
	EVP_PKEY_CTX_free(c->import_rsa);
	cs_hash_free(c->hash);
	cs_mem_free(c);
}

/* Fetch what is used again and again. */
static bool fetch(struct cs_crypto *c)
{
	for (size_t i = 0; i < CS_SIG_ALGS; i++) {
		const char *name = cs_sigalg_digest((enum cs_sig_alg)i);

		if (name == NULL)
			continue;
		c->digests[i] = EVP_MD_fetch(NULL, name, NULL);
		if (c->digests[i] == NULL)
			return false;
	}
	c->digest = EVP_MD_CTX_new();
	c->pure = EVP_MD_CTX_new();
	c->import_ec = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	c->import_rsa = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	return c->digest != NULL && c->pure != NULL && c->import_ec != NULL &&
	       c->import_rsa != NULL &&
	       EVP_PKEY_fromdata_init(c->import_ec) == 1 &&
	       EVP_PKEY_fromdata_init(c->import_rsa) == 1;
}

struct cs_crypto *cs_crypto_new(struct cs_error *err)
{
	struct cs_crypto *c = cs_mem_new(sizeof(*c));

	if (c == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for OpenSSL");
		return NULL;
	}
	c->hash = cs_hash_new(err);
	if (c->hash == NULL) {
		cs_crypto_free(c);
		return NULL;
	}
	if (!fetch(c)) {
		fail(err, "fetching algorithms");
		cs_crypto_free(c);
		return NULL;
	}
	return c;
}

struct cs_hash *cs_crypto_hash(struct cs_crypto *c)
{
	return c->hash;
}

static EVP_PKEY *import_ec(struct cs_crypto *c, const struct cs_fact_key *key)
{
	char p256[] = "P-256", p384[] = "P-384";
	uint8_t point[1 + 2 * 48];
	OSSL_PARAM params[3];
	EVP_PKEY *pkey = NULL;

	if (key->key.n > sizeof(point))
		return NULL;
	memcpy(point, key->key.p, key->key.n);
	params[0] = OSSL_PARAM_construct_utf8_string(
		OSSL_PKEY_PARAM_GROUP_NAME, key->bits == 384 ? p384 : p256, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						      point, key->key.n);
	params[2] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_fromdata(c->import_ec, &pkey, EVP_PKEY_PUBLIC_KEY,
			      params) != 1)
		return NULL;
	return pkey;
}

/* A big-endian number as OSSL_PARAM wants it. */
static bool to_native(struct cs_span number, uint8_t *out, size_t size)
{
	BIGNUM *bn;
	bool ok;

	if (number.n > size)
		return false;
	bn = BN_bin2bn(number.p, (int)number.n, NULL);
	ok = bn != NULL && BN_bn2nativepad(bn, out, (int)number.n) >= 0;
	BN_free(bn);
	return ok;
}

static EVP_PKEY *import_rsa(struct cs_crypto *c, const struct cs_fact_key *key)
{
	uint8_t modulus[512], exponent[8];
	OSSL_PARAM params[3];
	EVP_PKEY *pkey = NULL;
	struct cs_span n, e;

	if (!cs_spki_rsa(key->key, &n, &e, NULL) ||
	    !to_native(n, modulus, sizeof(modulus)) ||
	    !to_native(e, exponent, sizeof(exponent)))
		return NULL;
	params[0] =
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, n.n);
	params[1] =
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent, e.n);
	params[2] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_fromdata(c->import_rsa, &pkey, EVP_PKEY_PUBLIC_KEY,
			      params) != 1)
		return NULL;
	return pkey;
}

/* The key as OpenSSL's; NULL with CS_E_KEY: it is none. */
static EVP_PKEY *import(struct cs_crypto *c, const struct cs_fact_key *key,
			struct cs_error *err)
{
	EVP_PKEY *pkey;

	if (key->alg == CS_KEY_EC)
		pkey = import_ec(c, key);
	else if (key->alg == CS_KEY_RSA)
		pkey = import_rsa(c, key);
	else
		pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL,
						      key->key.p, key->key.n);
	if (pkey == NULL) {
		ERR_clear_error();
		if (key->alg == CS_KEY_EC)
			cs_error_set(err, CS_E_KEY,
				     "SEC 1 2.3.4: the public key is not a "
				     "point on its curve");
		else
			cs_error_set(err, CS_E_KEY,
				     "the public key is not usable");
	}
	return pkey;
}

void cs_verifier_free(struct cs_verifier *v)
{
	if (v == NULL)
		return;
	EVP_PKEY_CTX_free(v->ctx);
	EVP_PKEY_free(v->key);
	cs_mem_free(v);
}

/* Fill *v for a key; its key and context are freed by the caller in any case.
 */
static bool verifier_init(struct cs_verifier *v, struct cs_crypto *c,
			  const struct cs_fact_key *key, enum cs_sig_alg alg,
			  struct cs_error *err)
{
	*v = (struct cs_verifier){.crypto = c, .alg = alg};
	if (cs_sigalg_key(alg) != key->alg)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "RFC 5280 4.1.1.2: the signature "
				    "algorithm %s does not belong to the key",
				    cs_sigalg_name(alg));
	v->key = import(c, key, err);
	if (v->key == NULL)
		return false;
	if (alg == CS_SIG_ED25519)
		return true;
	v->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, v->key, NULL);
	if (v->ctx == NULL || EVP_PKEY_verify_init(v->ctx) != 1)
		return fail(err, "preparing a verification");
	if (key->alg == CS_KEY_RSA &&
	    (EVP_PKEY_CTX_set_rsa_padding(v->ctx, RSA_PKCS1_PADDING) != 1 ||
	     EVP_PKEY_CTX_set_signature_md(v->ctx, c->digests[alg]) != 1))
		return fail(err, "preparing an RSA verification");
	return true;
}

struct cs_verifier *cs_verifier_new(struct cs_crypto *c,
				    const struct cs_fact_key *key,
				    enum cs_sig_alg alg, struct cs_error *err)
{
	struct cs_verifier *v = cs_mem_new(sizeof(*v));

	if (v == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for a key");
		return NULL;
	}
	if (!verifier_init(v, c, key, alg, err)) {
		cs_verifier_free(v);
		return NULL;
	}
	return v;
}

bool cs_crypto_digest(struct cs_crypto *c, enum cs_sig_alg alg,
		      struct cs_span message, uint8_t ret_digest[64],
		      size_t *ret_n, struct cs_error *err)
{
	unsigned n = 0;

	if (EVP_DigestInit_ex(c->digest, c->digests[alg], NULL) != 1 ||
	    EVP_DigestUpdate(c->digest, message.p, message.n) != 1 ||
	    EVP_DigestFinal_ex(c->digest, ret_digest, &n) != 1)
		return fail(err, "hashing");
	*ret_n = n;
	return true;
}

bool cs_verifier_check(struct cs_verifier *v, struct cs_span message,
		       struct cs_span signature, struct cs_error *err)
{
	uint8_t digest[64];
	size_t n;
	int r;

	if (v->ctx == NULL) {
		if (EVP_DigestVerifyInit_ex(v->crypto->pure, NULL, NULL, NULL,
					    NULL, v->key, NULL) != 1)
			return fail(err, "preparing a verification");
		r = EVP_DigestVerify(v->crypto->pure, signature.p, signature.n,
				     message.p, message.n);
		EVP_MD_CTX_reset(v->crypto->pure);
	} else {
		if (!cs_crypto_digest(v->crypto, v->alg, message, digest, &n,
				      err))
			return false;
		r = EVP_PKEY_verify(v->ctx, signature.p, signature.n, digest,
				    n);
	}
	ERR_clear_error();
	if (r != 1)
		return cs_error_set(err, CS_E_VERIFY,
				    "the signature does not verify");
	return true;
}

bool cs_crypto_verify(struct cs_crypto *c, const struct cs_fact_key *key,
		      enum cs_sig_alg alg, struct cs_span message,
		      struct cs_span signature, struct cs_error *err)
{
	struct cs_verifier v;
	bool ok;

	ok = verifier_init(&v, c, key, alg, err) &&
	     cs_verifier_check(&v, message, signature, err);
	EVP_PKEY_CTX_free(v.ctx);
	EVP_PKEY_free(v.key);
	return ok;
}
