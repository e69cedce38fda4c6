/*
 * The listener's TLS credential: a private key and its chain in an SSL_CTX
 * with the only settings that this server speaks: TLS 1.2 and 1.3, ECDHE
 * with AEAD, ALPN "http/1.1", no tickets, no session cache, no
 * renegotiation, no compression. A client certificate is asked for; one of
 * whatever issuer is let through, with at most CS_MAX_PEER_CHAIN bytes of
 * chain, and is nobody's yet (api/peer_cert.h). Nothing is ever resumed, so
 * that each connection shows its certificate anew.
 *
 * A credential is reference-counted by OpenSSL underneath: connections that
 * were made with it keep what they need when it is freed, so a running
 * server can be given a new one (api/server.h). The key's bytes are parsed
 * by OpenSSL and stay in this process; whoever holds the PEM wipes it.
 *
 * What it does not check: that the chain leads to somebody's root, names the
 * host, or is within its validity. A browser would; the house renews it.
 */
#ifndef CS_API_TLS_H
#define CS_API_TLS_H

#include "base/attr.h"
#include "base/error.h"
#include "base/span.h"

struct cs_tls;

/*
 * From PEM: the chain, leaf first, and an unencrypted private key that must
 * belong to the leaf. Errors: FORMAT, KEY (no key, or another one's), TLS,
 * NO_MEMORY, TOO_LARGE (over CS_MAX_PEM_FILE).
 */
struct cs_tls *cs_tls_new(struct cs_span chain_pem, struct cs_span key_pem,
			  struct cs_error *err) CS_MUST_USE;

/*
 * The same from two descriptors (borrowed), read from where they stand to
 * their end; the key's bytes pass through struct cs_secret. Error also: IO.
 */
struct cs_tls *cs_tls_new_from_fds(int chain_fd, int key_fd,
				   struct cs_error *err) CS_MUST_USE;

/* The leaf's notAfter, in seconds since 1970. */
int64_t cs_tls_not_after(const struct cs_tls *tls);

void cs_tls_free(struct cs_tls *tls);

#endif
