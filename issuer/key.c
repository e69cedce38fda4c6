#include "issuer/key.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "issuer/key_parts.h"
#include "issuer/key_read.h"
#include "issuer/newfile.h"

/*
 * Of a passphrase's guesser, for each guess; and of every signer at start,
 * for each key: some tens of milliseconds.
 */
#define PBKDF2_ITERATIONS 100000

struct cs_key {
	EVP_PKEY *pkey;
	enum cs_sig_alg ready;	    /* what ctx is prepared for */
	EVP_PKEY_CTX *ctx;	    /* NULL: not prepared */
	EVP_MD *digest;		    /* of `ready`; NULL for Ed25519 */
	EVP_MD_CTX *digest_ctx;	    /* for messages, or all of Ed25519 */
	void (*release)(void *ctx); /* of what stands behind pkey */
	void *release_ctx;
};

static const struct {
	const char *name;
	enum cs_key_kind kind;
} kinds[] = {
	{"ec-p256", CS_KEY_KIND_EC_P256},   {"ec-p384", CS_KEY_KIND_EC_P384},
	{"rsa-3072", CS_KEY_KIND_RSA_3072}, {"rsa-4096", CS_KEY_KIND_RSA_4096},
	{"ed25519", CS_KEY_KIND_ED25519},
};

bool cs_key_kind_parse(const char *text, enum cs_key_kind *ret_kind,
		       struct cs_error *err)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, text) == 0) {
			*ret_kind = kinds[i].kind;
			return true;
		}
	}
	return cs_error_set(err, CS_E_USAGE,
			    "unknown kind of key \"%s\": ec-p256, ec-p384, "
			    "rsa-3072, rsa-4096 or ed25519",
			    text);
}

enum cs_key_kind cs_key_kind_of(const struct cs_fact_key *key)
{
	if (key->alg == CS_KEY_ED25519)
		return CS_KEY_KIND_ED25519;
	if (key->alg == CS_KEY_RSA)
		return key->bits > 3072 ? CS_KEY_KIND_RSA_4096
					: CS_KEY_KIND_RSA_3072;
	return key->bits == 384 ? CS_KEY_KIND_EC_P384 : CS_KEY_KIND_EC_P256;
}

/* OpenSSL failed: say so, and empty its queue. */
static bool fail(struct cs_error *err, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	cs_error_set(err, CS_E_CRYPTO, "OpenSSL: %s: %s", what,
		     reason != NULL ? reason : "no reason given");
	ERR_clear_error();
	return false;
}

void cs_key_free(struct cs_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_CTX_free(key->ctx);
	EVP_MD_CTX_free(key->digest_ctx);
	EVP_MD_free(key->digest);
	EVP_PKEY_free(key->pkey);
	if (key->release != NULL)
		key->release(key->release_ctx);
	cs_mem_free(key);
}

/* Takes pkey, also on failure; NULL is OpenSSL's failure. */
static struct cs_key *wrap_take(EVP_PKEY *pkey, struct cs_error *err)
{
	struct cs_key *key;

	if (pkey == NULL) {
		fail(err, "making a key");
		return NULL;
	}
	key = cs_mem_new(sizeof(*key));
	if (key == NULL) {
		EVP_PKEY_free(pkey);
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for a key");
		return NULL;
	}
	key->pkey = pkey;
	key->digest_ctx = EVP_MD_CTX_new();
	if (key->digest_ctx == NULL) {
		cs_key_free(key);
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for a key");
		return NULL;
	}
	return key;
}

struct cs_key *cs_key_wrap(EVP_PKEY *pkey, void (*release)(void *ctx),
			   void *ctx, struct cs_error *err)
{
	struct cs_key *key = wrap_take(pkey, err);

	if (key != NULL) {
		key->release = release;
		key->release_ctx = ctx;
	}
	return key;
}

struct cs_key *cs_key_generate(enum cs_key_kind kind, struct cs_error *err)
{
	EVP_PKEY *pkey = NULL;

	switch (kind) {
	case CS_KEY_KIND_EC_P256:
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		break;
	case CS_KEY_KIND_EC_P384:
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
		break;
	case CS_KEY_KIND_RSA_3072:
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072);
		break;
	case CS_KEY_KIND_RSA_4096:
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)4096);
		break;
	case CS_KEY_KIND_ED25519:
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		break;
	}
	return wrap_take(pkey, err);
}

bool cs_key_passphrase(int fd, struct cs_secret *ret_passphrase,
		       struct cs_error *err)
{
	struct cs_secret s = {0};

	if (!cs_secret_read_file(fd, CS_MAX_PASSPHRASE, &s, err))
		return false;
	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	*ret_passphrase = s;
	return true;
}

bool cs_key_read_file(int fd, struct cs_secret *ret_pem, struct cs_error *err)
{
	return cs_secret_read_file(fd, CS_MAX_PEM_FILE, ret_pem, err);
}

struct cs_key *cs_key_from_pem(const struct cs_secret *pem,
			       const struct cs_secret *passphrase,
			       struct cs_error *err)
{
	EVP_PKEY *pkey = cs_key_read_pem(pem, passphrase, err);

	ERR_clear_error();
	return pkey == NULL ? NULL : wrap_take(pkey, err);
}

struct cs_key *cs_key_read(int fd, const struct cs_secret *passphrase,
			   struct cs_error *err)
{
	struct cs_secret pem = {0};
	struct cs_key *key;

	if (!cs_key_read_file(fd, &pem, err))
		return NULL;
	key = cs_key_from_pem(&pem, passphrase, err);
	cs_secret_done(&pem);
	return key;
}

/* The key as PKCS#8, encrypted. RFC 8018 6.2, RFC 5958 3 */
static bool put_encrypted(const struct cs_key *key,
			  const struct cs_secret *passphrase, BIO *bio)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key->pkey);
	X509_SIG *sealed = NULL;
	bool ok;

	if (cipher != NULL && plain != NULL)
		sealed = PKCS8_encrypt(-1, cipher, (const char *)passphrase->p,
				       (int)passphrase->n, NULL, 0,
				       PBKDF2_ITERATIONS, plain);
	ok = sealed != NULL && PEM_write_bio_PKCS8(bio, sealed) == 1;
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(plain); /* wipes it */
	EVP_CIPHER_free(cipher);
	return ok;
}

/* The key as PKCS#8 PEM in a memory BIO of the secure heap. */
static BIO *to_pem(const struct cs_key *key, const struct cs_secret *passphrase)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	bool ok;

	if (bio == NULL)
		return NULL;
	if (passphrase != NULL && passphrase->n > 0)
		ok = put_encrypted(key, passphrase, bio);
	else
		ok = PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL,
						   0, NULL, NULL) == 1;
	if (!ok) {
		BIO_free(bio);
		return NULL;
	}
	return bio;
}

bool cs_key_write(const struct cs_key *key, const char *path,
		  const struct cs_secret *passphrase, struct cs_error *err)
{
	BIO *bio = to_pem(key, passphrase);
	char *p = NULL;
	long n;
	bool ok;

	if (bio == NULL)
		return fail(err, "writing a key");
	n = BIO_get_mem_data(bio, &p);
	ok = n > 0 ? cs_newfile_write(path, 0600, cs_span_make(p, (size_t)n),
				      err)
		   : fail(err, "writing a key");
	BIO_free(bio);
	return ok;
}

bool cs_key_spki(const struct cs_key *key, struct cs_buf *out,
		 struct cs_error *err)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key->pkey, &der);

	if (n <= 0)
		return fail(err, "writing a public key");
	cs_buf_add(out, cs_span_make(der, (size_t)n));
	OPENSSL_free(der);
	return cs_buf_finish(out, "public key", err);
}

bool cs_key_check_spki(const struct cs_key *key, struct cs_span spki,
		       struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf own;

	cs_buf_init(&own, CS_MAX_CERT);
	if (!cs_key_spki(key, &own, err))
		return false;
	return cs_span_equal(cs_buf_span(&own), spki) ||
	       cs_error_set(err, CS_E_KEY,
			    "the key is not that of the CA's certificate");
}

/* Make the context for this algorithm, once. */
static bool prepare(struct cs_key *key, enum cs_sig_alg alg,
		    struct cs_error *err)
{
	const char *digest = cs_sigalg_digest(alg);

	if (key->ctx != NULL && key->ready == alg)
		return true;
	EVP_PKEY_CTX_free(key->ctx);
	EVP_MD_free(key->digest);
	key->digest = EVP_MD_fetch(NULL, digest, NULL);
	key->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (key->digest == NULL || key->ctx == NULL ||
	    EVP_PKEY_sign_init(key->ctx) != 1)
		return fail(err, "preparing a signature");
	if (cs_sigalg_key(alg) == CS_KEY_RSA &&
	    (EVP_PKEY_CTX_set_rsa_padding(key->ctx, RSA_PKCS1_PADDING) != 1 ||
	     EVP_PKEY_CTX_set_signature_md(key->ctx, key->digest) != 1))
		return fail(err, "preparing an RSA signature");
	key->ready = alg;
	return true;
}

/* Does the algorithm belong to this kind of key? */
static bool alg_fits(const struct cs_key *key, enum cs_sig_alg alg)
{
	switch (cs_sigalg_key(alg)) {
	case CS_KEY_EC:
		return EVP_PKEY_is_a(key->pkey, "EC") == 1;
	case CS_KEY_RSA:
		return EVP_PKEY_is_a(key->pkey, "RSA") == 1;
	default:
		return EVP_PKEY_is_a(key->pkey, "ED25519") == 1;
	}
}

static bool sign_ed25519(struct cs_key *key, struct cs_span message,
			 uint8_t *signature, size_t *n, struct cs_error *err)
{
	bool ok = EVP_DigestSignInit_ex(key->digest_ctx, NULL, NULL, NULL, NULL,
					key->pkey, NULL) == 1 &&
		  EVP_DigestSign(key->digest_ctx, signature, n, message.p,
				 message.n) == 1;

	EVP_MD_CTX_reset(key->digest_ctx);
	return ok || fail(err, "signing");
}

bool cs_key_sign(struct cs_key *key, enum cs_sig_alg alg,
		 struct cs_span message, struct cs_buf *out,
		 struct cs_error *err)
{
	uint8_t signature[CS_MAX_SIGNATURE], digest[EVP_MAX_MD_SIZE];
	size_t n = sizeof(signature);
	unsigned digest_n;

	if (!alg_fits(key, alg))
		return cs_error_set(err, CS_E_ARGUMENT,
				    "%s does not belong to this key",
				    cs_sigalg_name(alg));
	if (alg == CS_SIG_ED25519) {
		if (!sign_ed25519(key, message, signature, &n, err))
			return false;
	} else {
		if (!prepare(key, alg, err))
			return false;
		if (EVP_DigestInit_ex(key->digest_ctx, key->digest, NULL) !=
			    1 ||
		    EVP_DigestUpdate(key->digest_ctx, message.p, message.n) !=
			    1 ||
		    EVP_DigestFinal_ex(key->digest_ctx, digest, &digest_n) !=
			    1 ||
		    EVP_PKEY_sign(key->ctx, signature, &n, digest, digest_n) !=
			    1)
			return fail(err, "signing");
	}
	cs_buf_add(out, cs_span_make(signature, n));
	return cs_buf_finish(out, "signature", err);
}
