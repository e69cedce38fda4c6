/*
 * An issuer's OCSP responder: a key of the house with a short-lived
 * certificate of that issuer for nothing but this (RFC 6960 4.2.2.2), so that
 * no stranger's question ever reaches a CA's key.
 *
 * It is made from two PEM texts, the key and the chain whose first
 * certificate is its own. Checked here: that the key is that certificate's,
 * that it is one for OCSP signing, and that the CA in question has signed it.
 * The key is EC P-256, and its signatures are ecdsa-with-SHA256. The key
 * stands in OpenSSL's secure heap where the process has one.
 */
#ifndef CS_STORE_OCSP_RESPONDER_H
#define CS_STORE_OCSP_RESPONDER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/secret.h"

struct cs_ocsp_responder;

/*
 * `issuer` is the CA's certificate, DER. All are borrowed for the call.
 * NULL: CS_E_KEY or CS_E_CERT with a sentence, CS_E_CRYPTO, CS_E_NO_MEMORY.
 */
void cs_ocsp_responder_free(struct cs_ocsp_responder *r);
struct cs_ocsp_responder *cs_ocsp_responder_new(
	const struct cs_secret *key_pem, struct cs_span chain_pem,
	struct cs_span issuer, struct cs_error *err) CS_MUST_USE;

/* When its certificate begins and ends: seconds since 1970. */
int64_t cs_ocsp_responder_not_before(const struct cs_ocsp_responder *r);
int64_t cs_ocsp_responder_not_after(const struct cs_ocsp_responder *r);

/* Its certificate, DER. */
struct cs_span cs_ocsp_responder_certificate(const struct cs_ocsp_responder *r);

/* RFC 6960 4.2.1, KeyHash: SHA-1 of its public key's bits. */
struct cs_span cs_ocsp_responder_key_hash(const struct cs_ocsp_responder *r);

/* AlgorithmIdentifier and BIT STRING of a signature over data, appended. */
bool cs_ocsp_responder_sign(struct cs_ocsp_responder *r, struct cs_span data,
			    struct cs_buf *out,
			    struct cs_error *err) CS_MUST_USE;

#endif
