/*
 * Signature verification with everything that OpenSSL 3.0 makes slow done
 * once: algorithms are fetched and contexts made when the object is made, and
 * each request reuses them. One object for each process (a worker's, the
 * signer's); not for threads.
 *
 * A public key is imported from its facts (EVP_PKEY_fromdata, or the raw form
 * for Ed25519): no decoder ever sees a CSR. Sizes and exponents were checked
 * by issuer/spki.h before; this module only does the mathematics. An EC point
 * that is not on its curve is found here (SEC 1 2.3.4).
 *
 * The OpenSSL error queue is empty after each call.
 */
#ifndef CS_ISSUER_CRYPTO_H
#define CS_ISSUER_CRYPTO_H

#include "base/error.h"
#include "base/hash.h"
#include "base/span.h"
#include "issuer/sigalg.h"
#include "policy/facts.h"

struct cs_crypto;

void cs_crypto_free(struct cs_crypto *c);
struct cs_crypto *cs_crypto_new(struct cs_error *err) CS_MUST_USE;

/* The object's SHA-256 and SHA-1. Borrowed. */
struct cs_hash *cs_crypto_hash(struct cs_crypto *c);

/*
 * Which of CS_WEAK_* hold for a key whose signature verified (0 for what is
 * not RSA). CS_E_CRYPTO.
 */
bool cs_crypto_weakness(struct cs_crypto *c, const struct cs_fact_key *key,
			unsigned *ret_weak, struct cs_error *err) CS_MUST_USE;

/*
 * Is `signature` that of `key` over `message`, by `alg`? CS_E_VERIFY: no;
 * CS_E_KEY: the key is none (a point off its curve); CS_E_ARGUMENT: the
 * algorithm does not fit the key; CS_E_CRYPTO: OpenSSL could not tell.
 */
bool cs_crypto_verify(struct cs_crypto *c, const struct cs_fact_key *key,
		      enum cs_sig_alg alg, struct cs_span message,
		      struct cs_span signature,
		      struct cs_error *err) CS_MUST_USE;

/* The digest that `alg` signs (not Ed25519), at most 64 octets. */
bool cs_crypto_digest(struct cs_crypto *c, enum cs_sig_alg alg,
		      struct cs_span message, uint8_t ret_digest[64],
		      size_t *ret_n, struct cs_error *err) CS_MUST_USE;

/* A key that is verified with often, imported once. Borrows the crypto. */
struct cs_verifier;

void cs_verifier_free(struct cs_verifier *v);
struct cs_verifier *cs_verifier_new(struct cs_crypto *c,
				    const struct cs_fact_key *key,
				    enum cs_sig_alg alg,
				    struct cs_error *err) CS_MUST_USE;

/* As cs_crypto_verify: CS_E_VERIFY or CS_E_CRYPTO. */
bool cs_verifier_check(struct cs_verifier *v, struct cs_span message,
		       struct cs_span signature,
		       struct cs_error *err) CS_MUST_USE;

#endif
