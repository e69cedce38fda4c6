/*
 * Signature algorithms that we accept in CSRs and sign with: a closed table.
 *
 *   ecdsa-with-SHA256/384/512   RFC 5758 3.2, parameters absent
 *   sha256/384/512WithRSA       RFC 4055 5, parameters NULL
 *   Ed25519                     RFC 8410 3, parameters absent
 *
 * SHA-1, MD5, RSA-PSS and DSA are not in it and are refused by name.
 */
#ifndef CS_ISSUER_SIGALG_H
#define CS_ISSUER_SIGALG_H

#include "base/der.h"
#include "policy/facts.h"

enum cs_sig_alg {
	CS_SIG_ECDSA_SHA256,
	CS_SIG_ECDSA_SHA384,
	CS_SIG_ECDSA_SHA512,
	CS_SIG_RSA_SHA256,
	CS_SIG_RSA_SHA384,
	CS_SIG_RSA_SHA512,
	CS_SIG_ED25519,
	CS_SIG_ALGS
};

/*
 * Reads an AlgorithmIdentifier (RFC 5280 4.1.1.2) that the table knows.
 * CS_E_DER: malformed; CS_E_NOT_FOUND: well-formed and not in the table. In
 * both cases *r stays where it was.
 */
bool cs_sigalg_read(struct cs_der *r, enum cs_sig_alg *ret_alg,
		    struct cs_error *err) CS_MUST_USE;

/* The AlgorithmIdentifier, DER; static. */
struct cs_span cs_sigalg_der(enum cs_sig_alg alg);

/* The kind of key that it belongs to. */
enum cs_key_alg cs_sigalg_key(enum cs_sig_alg alg);

/* OpenSSL's name of its digest, NULL for Ed25519; its own name for people. */
const char *cs_sigalg_digest(enum cs_sig_alg alg);
const char *cs_sigalg_name(enum cs_sig_alg alg);

/*
 * What an issuer with this key signs with: P-256 and RSA take SHA-256, P-384
 * takes SHA-384, Ed25519 itself.
 */
enum cs_sig_alg cs_sigalg_for_key(const struct cs_fact_key *key);

#endif
