#include "issuer/crypto.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "base/der.h"
#include "base/mem.h"
#include "issuer/weak_key.h"
#include "issuer/x509.h"

struct cs_crypto {
	struct cs_hash *hash;
	EVP_MD *digests[CS_SIG_ALGS]; /* NULL where there is none */
	EVP_MD_CTX *digest;	      /* for messages */
	EVP_MD_CTX *pure;	      /* for Ed25519 */
	EVP_PKEY_CTX *import_ec;
	EVP_PKEY_CTX *import_rsa;
	struct ec_seat {
		EVP_PKEY *key; /* NULL until a key of this curve came */
		EVP_PKEY_CTX *ctx;
	} seats[3]; /* P-256, P-384, P-521 */
	struct cs_weak_keys *weak;
};

struct cs_verifier {
	struct cs_crypto *crypto; /* borrowed */
	enum cs_sig_alg alg;
	EVP_PKEY *key;
	EVP_PKEY_CTX *ctx; /* NULL for Ed25519 */
};

/*
 * From OpenSSL 3.4 on EVP says this of every verification that was no "yes",
 * for whatever reason; 3.0 has no name for it.
 */
#ifndef EVP_R_PROVIDER_SIGNATURE_FAILURE
#define EVP_R_PROVIDER_SIGNATURE_FAILURE 234
#endif

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

/* What OpenSSL's queue says, once it is empty. */
struct reasons {
	bool any;
	bool memory;
	bool named;	/* EC, RSA or ASN.1 say exactly what is wrong */
	bool bad_point; /* octets that are no point of the curve */
};

/*
 * Empty the queue. A key or a signature must never be called bad because
 * there was no memory to look at it, and OpenSSL does not always say that it
 * was memory. So what is wrong must be named: a reason that all libraries
 * share ("EC lib", "malloc failure") names nothing.
 */
static struct reasons take_reasons(void)
{
	struct reasons r = {0};
	unsigned long code;

	while ((code = ERR_get_error()) != 0) {
		int lib = ERR_GET_LIB(code), reason = ERR_GET_REASON(code);

		if (lib == ERR_LIB_EVP &&
		    reason == EVP_R_PROVIDER_SIGNATURE_FAILURE)
			continue;
		r.any = true;
		r.memory = r.memory || reason == ERR_R_MALLOC_FAILURE;
		if (!ERR_COMMON_ERROR(code) &&
		    (lib == ERR_LIB_EC || lib == ERR_LIB_RSA ||
		     lib == ERR_LIB_ASN1))
			r.named = true;
		if (lib != ERR_LIB_EC)
			continue;
		r.bad_point = r.bad_point ||
			      reason == EC_R_POINT_IS_NOT_ON_CURVE ||
			      reason == EC_R_INVALID_ENCODING ||
			      reason == EC_R_COORDINATES_OUT_OF_RANGE;
	}
	/* Releases what the entries still hold. */
	ERR_clear_error();
	return r;
}

/* Empty a seat. */
static void seat_clear(struct ec_seat *seat)
{
	EVP_PKEY_CTX_free(seat->ctx);
	EVP_PKEY_free(seat->key);
	*seat = (struct ec_seat){NULL, NULL};
}

void cs_crypto_free(struct cs_crypto *c)
{
	if (c == NULL)
		return;
	seat_clear(&c->seats[0]);
	seat_clear(&c->seats[1]);
	seat_clear(&c->seats[2]);
	for (size_t i = 0; i < CS_SIG_ALGS; i++)
		EVP_MD_free(c->digests[i]);
	EVP_MD_CTX_free(c->digest);
	EVP_MD_CTX_free(c->pure);
	EVP_PKEY_CTX_free(c->import_ec);
	EVP_PKEY_CTX_free(c->import_rsa);
	cs_weak_keys_free(c->weak);
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
	if (c->hash != NULL)
		c->weak = cs_weak_keys_new(err);
	if (c->weak == NULL) {
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

bool cs_crypto_weakness(struct cs_crypto *c, const struct cs_fact_key *key,
			unsigned *ret_weak, struct cs_error *err)
{
	struct cs_span n, e;

	*ret_weak = 0;
	if (key->alg != CS_KEY_RSA)
		return true;
	return cs_spki_rsa(key->key, &n, &e, err) &&
	       cs_weak_keys_check(c->weak, n, ret_weak, err);
}

static EVP_PKEY *from_params(EVP_PKEY_CTX *ctx, OSSL_PARAM *params)
{
	EVP_PKEY *pkey = NULL;

	if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return pkey;
}

static EVP_PKEY *import_ec(struct cs_crypto *c, const struct cs_fact_key *key)
{
	char p256[] = "P-256", p384[] = "P-384", p521[] = "P-521";
	char *curve = key->bits == 256 ? p256 : p384;
	uint8_t point[1 + 2 * 66];
	OSSL_PARAM params[3];

	if (key->key.n > sizeof(point))
		return NULL;
	memcpy(point, key->key.p, key->key.n);
	if (key->bits == 521)
		curve = p521;
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						     curve, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						      point, key->key.n);
	params[2] = OSSL_PARAM_construct_end();
	return from_params(c->import_ec, params);
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
	return from_params(c->import_rsa, params);
}

/* The key as OpenSSL's; NULL with CS_E_KEY (it is none) or CS_E_CRYPTO. */
static EVP_PKEY *import(struct cs_crypto *c, const struct cs_fact_key *key,
			struct cs_error *err)
{
	struct reasons why;
	EVP_PKEY *pkey;

	if (key->alg == CS_KEY_EC)
		pkey = import_ec(c, key);
	else if (key->alg == CS_KEY_RSA)
		pkey = import_rsa(c, key);
	else
		pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL,
						      key->key.p, key->key.n);
	if (pkey != NULL)
		return pkey;
	why = take_reasons();
	if (why.bad_point && !why.memory)
		cs_error_set(err, CS_E_KEY,
			     "SEC 1 2.3.4: the public key is not a point on "
			     "its curve");
	else
		cs_error_set(err, CS_E_CRYPTO,
			     "OpenSSL: a public key could not be imported");
	return NULL;
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
	if (v->ctx == NULL)
		return fail(err, "preparing a verification");
	if (key->alg == CS_KEY_RSA &&
	    (EVP_PKEY_verify_recover_init(v->ctx) != 1 ||
	     EVP_PKEY_CTX_set_rsa_padding(v->ctx, RSA_NO_PADDING) != 1))
		return fail(err, "preparing an RSA verification");
	if (key->alg == CS_KEY_EC && EVP_PKEY_verify_init(v->ctx) != 1)
		return fail(err, "preparing an EC verification");
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

/* OpenSSL's answer for Ed25519; *ret_r as that of EVP_PKEY_verify. */
static bool verify_pure(struct cs_verifier *v, struct cs_span message,
			struct cs_span signature, int *ret_r,
			struct cs_error *err)
{
	EVP_MD_CTX *ctx = v->crypto->pure;

	/*
	 * OpenSSL 3.0 says "no" without a word when it finds no memory for
	 * the hash within, so a "no" is asked for twice.
	 */
	*ret_r = 0;
	for (int i = 0; i < 2 && *ret_r != 1; i++) {
		if (EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, v->key,
					    NULL) != 1)
			return fail(err, "preparing a verification");
		*ret_r = EVP_DigestVerify(ctx, signature.p, signature.n,
					  message.p, message.n);
		EVP_MD_CTX_reset(ctx);
	}
	return true;
}

/*= RFC 8017 9.2: EMSA-PKCS1-v1_5 of a digest, in n octets */
static void encode_block(enum cs_sig_alg alg, struct cs_span digest,
			 uint8_t *out, size_t n)
{
	/* DigestInfo up to the digest; the last arc of the OID is free. */
	uint8_t info[] = {0x30, 0,    0x30, 0x0d, 0x06, 0x09, 0x60,
			  0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
			  0,	0x05, 0x00, 0x04, 0};
	size_t tail = sizeof(info) + digest.n;

	info[1] = (uint8_t)(tail - 2);
	info[14] = (uint8_t)(alg == CS_SIG_RSA_SHA256	? 1
			     : alg == CS_SIG_RSA_SHA384 ? 2
							: 3);
	info[18] = (uint8_t)digest.n;
	memset(out, 0xff, n);
	out[0] = 0;
	out[1] = 1;
	out[n - tail - 1] = 0;
	memcpy(out + n - tail, info, sizeof(info));
	memcpy(out + n - digest.n, digest.p, digest.n);
}

/*
 * RFC 8017 8.2.2: the block that the signature hides must be the one that the
 * digest gives; nothing in it is parsed. OpenSSL's own comparison is not
 * used because for some blocks it fails without a reason, as it does without
 * memory. *ret_r as that of EVP_PKEY_verify.
 */
static void verify_rsa(struct cs_verifier *v, struct cs_span digest,
		       struct cs_span signature, int *ret_r)
{
	size_t n = (size_t)EVP_PKEY_get_size(v->key), got = 512;
	uint8_t block[512], wanted[512];

	*ret_r = 0;
	/* 2048 to 4096 bits: room for every digest. */
	if (signature.n != n || n < 256 || n > sizeof(block))
		return;
	if (EVP_PKEY_verify_recover(v->ctx, block, &got, signature.p,
				    signature.n) != 1)
		return;
	encode_block(v->alg, digest, wanted, n);
	*ret_r = got == n && memcmp(block, wanted, n) == 0;
}

/*= RFC 3279 2.2.3: Ecdsa-Sig-Value, a SEQUENCE of two INTEGERs */
static bool is_ecdsa_value(struct cs_span signature)
{
	struct cs_der r = cs_der_reader(signature), in;
	struct cs_span n[2];

	if (!cs_der_enter(&r, CS_DER_SEQUENCE, "Ecdsa-Sig-Value", &in, NULL) ||
	    !cs_der_end(&r, "Ecdsa-Sig-Value", NULL) ||
	    !cs_der_integer(&in, "r", &n[0], NULL) ||
	    !cs_der_integer(&in, "s", &n[1], NULL) ||
	    !cs_der_end(&in, "Ecdsa-Sig-Value", NULL))
		return false;
	return (n[0].p[0] & 0x80) == 0 && (n[1].p[0] & 0x80) == 0;
}

/*
 * OpenSSL says the same of octets that are no signature as when it has no
 * memory to look at them: less than 0, from 3.4 on without a reason. So the
 * octets are looked at here, and *ret_r below 0 means that it could not tell.
 */
static void verify_dsa(struct cs_verifier *v, struct cs_span digest,
		       struct cs_span signature, int *ret_r)
{
	*ret_r = 0;
	if (is_ecdsa_value(signature))
		*ret_r = EVP_PKEY_verify(v->ctx, signature.p, signature.n,
					 digest.p, digest.n);
}

bool cs_verifier_check(struct cs_verifier *v, struct cs_span message,
		       struct cs_span signature, struct cs_error *err)
{
	struct reasons why;
	uint8_t digest[64];
	size_t n;
	int r;

	if (v->ctx == NULL) {
		if (!verify_pure(v, message, signature, &r, err))
			return false;
	} else {
		if (!cs_crypto_digest(v->crypto, v->alg, message, digest, &n,
				      err))
			return false;
		if (cs_sigalg_key(v->alg) == CS_KEY_RSA)
			verify_rsa(v, cs_span_make(digest, n), signature, &r);
		else
			verify_dsa(v, cs_span_make(digest, n), signature, &r);
	}
	why = take_reasons();
	if (r == 1)
		return true;
	if (why.memory || ((why.any || r < 0) && !why.named))
		return cs_error_set(err, CS_E_CRYPTO,
				    "OpenSSL: a signature could not be "
				    "verified");
	return cs_error_set(err, CS_E_VERIFY, "the signature does not verify");
}

/*
 * An EC key takes the seat of its curve: its point replaces the last one's in
 * a key that is there already. Importing it as a key of its own would set up
 * the curve again, which costs a quarter of the verification. Off the curve:
 * CS_E_KEY, and the seat is empty.
 */
static bool seat_take(struct cs_crypto *c, struct ec_seat *seat,
		      const struct cs_fact_key *key, struct cs_error *err)
{
	if (seat->ctx != NULL &&
	    EVP_PKEY_set1_encoded_public_key(seat->key, key->key.p,
					     key->key.n) == 1)
		return true;
	ERR_clear_error();
	seat_clear(seat);
	seat->key = import(c, key, err);
	if (seat->key == NULL)
		return false;
	seat->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, seat->key, NULL);
	if (seat->ctx != NULL && EVP_PKEY_verify_init(seat->ctx) == 1)
		return true;
	seat_clear(seat);
	return fail(err, "preparing a verification");
}

/* cs_crypto_verify() for EC. */
static bool verify_ec(struct cs_crypto *c, const struct cs_fact_key *key,
		      enum cs_sig_alg alg, struct cs_span message,
		      struct cs_span signature, struct cs_error *err)
{
	struct ec_seat *seat =
		&c->seats[(key->bits >= 384) + (key->bits > 384)];
	struct cs_verifier v = {.crypto = c, .alg = alg};

	if (!seat_take(c, seat, key, err))
		return false;
	v.key = seat->key;
	v.ctx = seat->ctx;
	return cs_verifier_check(&v, message, signature, err);
}

bool cs_crypto_verify(struct cs_crypto *c, const struct cs_fact_key *key,
		      enum cs_sig_alg alg, struct cs_span message,
		      struct cs_span signature, struct cs_error *err)
{
	struct cs_verifier v;
	bool ok;

	if (key->alg == CS_KEY_EC && cs_sigalg_key(alg) == CS_KEY_EC)
		return verify_ec(c, key, alg, message, signature, err);
	ok = verifier_init(&v, c, key, alg, err) &&
	     cs_verifier_check(&v, message, signature, err);
	EVP_PKEY_CTX_free(v.ctx);
	EVP_PKEY_free(v.key);
	return ok;
}
