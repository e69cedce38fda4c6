/*
 * A private key: generated, read from a descriptor, written to a new file,
 * signing. Only the signer's process and the short-lived children of `init`
 * ever hold one; the bytes stand in OpenSSL's secure heap (base/secret.h), of
 * which cs_secret_heap_init() must have made one first.
 *
 * Reading takes the whole file into a struct cs_secret, decodes it from
 * memory and wipes it: no copy is left in the ordinary heap by us. PEM,
 * PKCS#8, encrypted or plain.
 *
 * The signing context is made once and reused. The OpenSSL error queue is
 * empty after each call.
 */
#ifndef CS_ISSUER_KEY_H
#define CS_ISSUER_KEY_H

#include "base/buf.h"
#include "base/secret.h"
#include "issuer/sigalg.h"

enum cs_key_kind {
	CS_KEY_KIND_EC_P256,
	CS_KEY_KIND_EC_P384,
	CS_KEY_KIND_RSA_3072,
	CS_KEY_KIND_RSA_4096,
	CS_KEY_KIND_ED25519
};

/*
 * "ec-p256", "ec-p384", "rsa-3072", "rsa-4096", "ed25519". CS_E_USAGE: none
 * of them.
 */
bool cs_key_kind_parse(const char *text, enum cs_key_kind *ret_kind,
		       struct cs_error *err) CS_MUST_USE;

/* The kind that a key is of, or the one next to it (RSA of other sizes). */
enum cs_key_kind cs_key_kind_of(const struct cs_fact_key *key);

struct cs_key;

void cs_key_free(struct cs_key *key);
struct cs_key *cs_key_generate(enum cs_key_kind kind,
			       struct cs_error *err) CS_MUST_USE;

/*
 * Reads PEM from fd (borrowed; read from offset 0 when it is a file, at most
 * CS_MAX_PEM_FILE). `passphrase` may be NULL. CS_E_KEY: not a key that we
 * use, or the passphrase is missing or wrong.
 */
struct cs_key *cs_key_read(int fd, const struct cs_secret *passphrase,
			   struct cs_error *err) CS_MUST_USE;

/*
 * A passphrase: all of fd (borrowed; from offset 0 when it is a file), at
 * most CS_MAX_PASSPHRASE octets, without one line end behind it.
 */
bool cs_key_passphrase(int fd, struct cs_secret *ret_passphrase,
		       struct cs_error *err) CS_MUST_USE;

/* The same of a key file's text. */
struct cs_key *cs_key_from_pem(const struct cs_secret *pem,
			       const struct cs_secret *passphrase,
			       struct cs_error *err) CS_MUST_USE;

/* The text of a key file: all of fd, as above. */
bool cs_key_read_file(int fd, struct cs_secret *ret_pem,
		      struct cs_error *err) CS_MUST_USE;

/*
 * Writes PKCS#8 PEM to a new file of mode 0600 (issuer/newfile.h). With a
 * passphrase: PBES2 with AES-256-CBC and PBKDF2-HMAC-SHA-256 of 100,000
 * rounds.
 */
bool cs_key_write(const struct cs_key *key, const char *path,
		  const struct cs_secret *passphrase,
		  struct cs_error *err) CS_MUST_USE;

/* The SubjectPublicKeyInfo, DER, appended to out. */
bool cs_key_spki(const struct cs_key *key, struct cs_buf *out,
		 struct cs_error *err) CS_MUST_USE;

/* Is this its SubjectPublicKeyInfo? CS_E_KEY with a sentence: no. */
bool cs_key_check_spki(const struct cs_key *key, struct cs_span spki,
		       struct cs_error *err) CS_MUST_USE;

/*
 * The signature over message by `alg` (which must fit the key), appended to
 * out. ECDSA signatures are Ecdsa-Sig-Value (RFC 3279 2.2.3).
 */
bool cs_key_sign(struct cs_key *key, enum cs_sig_alg alg,
		 struct cs_span message, struct cs_buf *out,
		 struct cs_error *err) CS_MUST_USE;

#endif
