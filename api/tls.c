#include "api/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "api/tls_context.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/x509.h"

/* Intermediates behind the leaf: deeper chains are somebody's mistake. */
#define MAX_CHAIN 8

/* RFC 7301 3.1: one protocol name with its length. */
static const unsigned char alpn_ours[] = "\x08http/1.1";

struct cs_tls {
	SSL_CTX *ctx; /* owned reference */
};

/* Set *err with OpenSSL's own reason, and empty its queue. */
static bool fail(struct cs_error *err, enum cs_error_code code,
		 const char *what)
{
	unsigned long number = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(number);

	ERR_clear_error();
	if (reason == NULL)
		return cs_error_set(err, code, "listener TLS: %s", what);
	return cs_error_set(err, code, "listener TLS: %s: %s", what, reason);
}

/* RFC 7301 3.2: http/1.1, or the alert no_application_protocol. */
static int choose_alpn(SSL *ssl, const unsigned char **out,
		       unsigned char *out_n, const unsigned char *in,
		       unsigned in_n, void *ctx)
{
	unsigned char *chosen = NULL;

	(void)ssl;
	(void)ctx;
	if (SSL_select_next_proto(&chosen, out_n, alpn_ours,
				  sizeof(alpn_ours) - 1, in,
				  in_n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* Never ask a terminal for a passphrase. */
static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return 0;
}

/*
 * Any certificate is read: TLS proves that its key is there, and front judges
 * for each request whose it is (api/by_cert.h).
 */
static int take_any(X509_STORE_CTX *store, void *ctx)
{
	(void)ctx;
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

/* Everything that does not depend on the credential. */
static bool set_rules(SSL_CTX *ctx)
{
	int groups[] = {NID_X25519, NID_X9_62_prime256v1, NID_secp384r1};

	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
					       SSL_OP_NO_COMPRESSION |
					       SSL_OP_CIPHER_SERVER_PREFERENCE |
					       SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_mode(
		ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* One read() for a record and not two. */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	/* RFC 8446 4.3.2: a certificate is asked for, and may be left out. */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, take_any, NULL);
	SSL_CTX_set_max_cert_list(ctx, CS_MAX_PEER_CHAIN);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") ==
		       1 &&
	       SSL_CTX_set1_groups(ctx, groups,
				   sizeof(groups) / sizeof(groups[0])) == 1;
}

/* Leaf and intermediates. */
static bool load_chain(SSL_CTX *ctx, struct cs_span pem, struct cs_error *err)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	unsigned count = 0;
	bool fine = true;
	X509 *cert;

	while (bio != NULL && fine) {
		cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (cert == NULL)
			break;
		if (count == 0)
			fine = SSL_CTX_use_certificate(ctx, cert) == 1;
		else
			fine = count <= MAX_CHAIN &&
			       SSL_CTX_add1_chain_cert(ctx, cert) == 1;
		count++;
		X509_free(cert);
	}
	BIO_free(bio);
	if (!fine)
		return fail(err, CS_E_TLS, "a certificate is not usable");
	/* Reading ends with "no start line"; anything else was a bad block. */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE ||
	    count == 0)
		return fail(err, CS_E_FORMAT, "the chain is not PEM");
	ERR_clear_error();
	return true;
}

/* The key, which must be the leaf's. */
static bool load_key(SSL_CTX *ctx, struct cs_span pem, struct cs_error *err)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = NULL;
	bool fine;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (key == NULL)
		return fail(err, CS_E_KEY, "the key cannot be read");
	fine = SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
	       SSL_CTX_check_private_key(ctx) == 1;
	EVP_PKEY_free(key);
	if (!fine)
		return fail(err, CS_E_KEY, "the key is not the leaf's");
	return true;
}

struct cs_tls *cs_tls_new(struct cs_span chain_pem, struct cs_span key_pem,
			  struct cs_error *err)
{
	struct cs_tls *tls;

	if (chain_pem.n > CS_MAX_PEM_FILE || key_pem.n > CS_MAX_PEM_FILE) {
		cs_error_set(err, CS_E_TOO_LARGE,
			     "listener TLS: longer than %d bytes",
			     CS_MAX_PEM_FILE);
		return NULL;
	}
	ERR_clear_error();
	tls = cs_mem_new(sizeof(*tls));
	if (tls != NULL)
		tls->ctx = SSL_CTX_new(TLS_server_method());
	if (tls == NULL || tls->ctx == NULL) {
		fail(err, CS_E_NO_MEMORY, "out of memory");
		cs_tls_free(tls);
		return NULL;
	}
	if (!set_rules(tls->ctx)) {
		fail(err, CS_E_TLS, "OpenSSL refuses our settings");
		cs_tls_free(tls);
		return NULL;
	}
	if (!load_chain(tls->ctx, chain_pem, err) ||
	    !load_key(tls->ctx, key_pem, err)) {
		cs_tls_free(tls);
		return NULL;
	}
	return tls;
}

struct cs_tls *cs_tls_new_from_fds(int chain_fd, int key_fd,
				   struct cs_error *err)
{
	CS_CLEANUP(cs_secret_done) struct cs_secret chain = {0};
	CS_CLEANUP(cs_secret_done) struct cs_secret key = {0};

	if (!cs_secret_read(chain_fd, CS_MAX_PEM_FILE, &chain, err) ||
	    !cs_secret_read(key_fd, CS_MAX_PEM_FILE, &key, err))
		return NULL;
	return cs_tls_new(cs_span_make(chain.p, chain.n),
			  cs_span_make(key.p, key.n), err);
}

void cs_tls_free(struct cs_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->ctx);
	cs_mem_free(tls);
}

int64_t cs_tls_not_after(const struct cs_tls *tls)
{
	const X509 *leaf = SSL_CTX_get0_certificate(tls->ctx);
	int64_t seconds = 0;

	return leaf != NULL && cs_x509_seconds(X509_get0_notAfter(leaf),
					       &seconds)
		       ? seconds
		       : 0;
}

struct ssl_ctx_st *cs_tls_context(const struct cs_tls *tls)
{
	return tls->ctx;
}
