/*
 * From the text of a key file to OpenSSL's key, without a detour through the
 * ordinary heap: PEM and DER are taken apart here, in struct cs_secret, and
 * only the numbers are handed over. OpenSSL's own PEM and decoder layers copy
 * the key several times and release the copies as they are.
 *
 * Forms: "PRIVATE KEY" and "ENCRYPTED PRIVATE KEY" (PKCS#8, RFC 5958),
 * "EC PRIVATE KEY" (RFC 5915), "RSA PRIVATE KEY" (RFC 8017 A.1.2). Keys: EC
 * P-256 and P-384, RSA, Ed25519. The first such block of the file counts.
 */
#ifndef CS_ISSUER_KEY_READ_H
#define CS_ISSUER_KEY_READ_H

#include <openssl/evp.h>

#include "base/secret.h"

/* NULL with CS_E_KEY: not such a key, or a passphrase missing or wrong. */
EVP_PKEY *cs_key_read_pem(const struct cs_secret *pem,
			  const struct cs_secret *passphrase,
			  struct cs_error *err) CS_MUST_USE;

#endif
