/*
 * Certificates of TLS peers, as far as they say who somebody is.
 *
 * A struct cs_peer_cert is what one peer showed in its handshake, read once:
 * the certificate and what stood above it. TLS has proved that the peer
 * holds the key, and nothing else: whoever made the certificate may have
 * written anything into it. It is judged for each request anew
 * (api/by_cert.h), because clients are removed and time passes.
 *
 * A struct cs_peer_ca is a CA certificate that the operator named for a
 * client. It is the one anchor that a chain has to end at, whether it is a
 * root or not. No other CA counts: not the system's, not our own issuers'.
 *
 * cs_peer_cert_chains_to() is RFC 5280 6 by OpenSSL, for the purpose of TLS
 * clients, at security level 2 (no SHA-1, RSA of 2048 bits), and asks for
 * the extended key usage clientAuth, stated (RFC 5280 4.2.1.12). A chain
 * that held is remembered with the time within which it holds, so that
 * signatures are not verified for each request of a connection.
 *
 * What it does not check: revocation, by our own issuers (api/auth.h does) or
 * by the lists of foreign CAs: who is to be kept out of those is removed here
 * (`client remove`, `client revoke`).
 */
#ifndef CS_API_PEER_CERT_H
#define CS_API_PEER_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/span.h"

struct cs_peer_ca;
struct cs_peer_cert;
struct ssl_st;

void cs_peer_ca_free(struct cs_peer_ca *ca);
/* From DER. NULL: CS_E_FORMAT, no certificate of a CA; CS_E_NO_MEMORY. */
struct cs_peer_ca *cs_peer_ca_new(struct cs_span der,
				  struct cs_error *err) CS_MUST_USE;

void cs_peer_cert_free(struct cs_peer_cert *c);
/*
 * From DER: the leaf, and the n certificates that came with it. What cannot
 * be read is kept as malformed. NULL: no memory, or the leaf is none at all
 * (CS_E_FORMAT).
 */
struct cs_peer_cert *cs_peer_cert_new(struct cs_span leaf,
				      const struct cs_span *chain, size_t n,
				      struct cs_error *err) CS_MUST_USE;
/* What the peer showed; *ret_cert is NULL when it was nothing. */
bool cs_peer_cert_of(const struct ssl_st *ssl, struct cs_peer_cert **ret_cert,
		     struct cs_error *err) CS_MUST_USE;

/* SHA-256 of its DER, 32 octets. */
const uint8_t *cs_peer_cert_fingerprint(const struct cs_peer_cert *c);

/* The octets of its serial number, without leading zeros. */
struct cs_span cs_peer_cert_serial(const struct cs_peer_cert *c);

enum cs_peer_cert_state {
	CS_PEER_CERT_GOOD,
	CS_PEER_CERT_MALFORMED,
	CS_PEER_CERT_NOT_YET,  /* before its notBefore */
	CS_PEER_CERT_EXPIRED,  /* behind its notAfter */
	CS_PEER_CERT_NO_CLIENT /* its extended key usages leave clients out */
};

/* What it is by itself, at this time. */
enum cs_peer_cert_state cs_peer_cert_state(const struct cs_peer_cert *c,
					   int64_t wall_ms);

/* notAfter; milliseconds since 1970. */
int64_t cs_peer_cert_not_after_ms(const struct cs_peer_cert *c);

/*
 * Its alternative names: "dns:" and the name in lower case, "uri:" and the
 * URI as it stands; names of other forms are left out, and the common name
 * is never one. n < count.
 */
size_t cs_peer_cert_names(const struct cs_peer_cert *c);
struct cs_span cs_peer_cert_name(const struct cs_peer_cert *c, size_t n);

/* False: *ret_why says why, a literal. Needs the certificate to be GOOD. */
bool cs_peer_cert_chains_to(struct cs_peer_cert *c, const struct cs_peer_ca *ca,
			    int64_t wall_ms, const char **ret_why) CS_MUST_USE;

#endif
