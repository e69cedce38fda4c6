/*
 * Who is it? From what a connection and its Authorization header prove to a
 * client of the table (api/clients.h).
 *
 * Three proofs are known. A bearer token (RFC 6750 2.1) is
 *	cs_<16 hex digits>_<64 hex digits>
 * a public id and 256 random bits; stored is SHA-256 of the whole text, and
 * the comparison takes constant time. Over the Unix socket, a peer whose uid
 * the configuration lists is the local administrator, client `_local`; a
 * token, where one is sent, goes first there too. Over TLS, a client
 * certificate is judged by api/by_cert.h.
 *
 * A certificate that was shown has to be good, whatever stands beside it: a
 * token does not make up for one that has expired, is unknown or was
 * revoked, and a token of another client is refused with it. Who means to
 * come by token alone shows no certificate. One of our own issuers that is
 * revoked (api/revoked.h) is refused from that moment on.
 *
 * Guessing is slowed down: after CS_AUTH_FREE_FAILURES wrong secrets from
 * one address (IPv6: /64) each further one bars that address for a growing
 * while, up to CS_AUTH_MAX_BAR_MS, in which it gets 429 unlooked at. What is
 * barred is the pair of address and token id, so that nobody can lock out a
 * neighbour's token. The table has a fixed size, for some thousand of such
 * pairs; beyond that those are forgotten that have been quiet for longest.
 *
 * cs_auth_refusal() says which refusals are worth a leaf of the log: a
 * bucket that holds CS_AUTH_REFUSAL_BURST and regains one in
 * CS_AUTH_REFUSAL_MS; the rest is counted and told with the next one.
 *
 * What it does not check: rights (api/routes.h, api/submit.h), and whether
 * credential and certificate still stand when the decision is recorded (the
 * ledger, which is told both).
 */
#ifndef CS_API_AUTH_H
#define CS_API_AUTH_H

#include <stdint.h>
#include <sys/types.h>

#include "api/clients.h"
#include "api/http_call.h"
#include "api/problem.h"
#include "api/revoked.h"
#include "base/hash.h"

#define CS_AUTH_FREE_FAILURES 5
#define CS_AUTH_MAX_BAR_MS    60000
#define CS_AUTH_REFUSAL_BURST 10
#define CS_AUTH_REFUSAL_MS    6000

/* Bytes of a token's text, NUL included. */
#define CS_AUTH_TOKEN_TEXT 85

/* Who was recognised. The client is the table's, for one request's time. */
struct cs_principal {
	const struct cs_client *client;
	uint64_t credential; /* row id */
	int64_t uid;	     /* Unix peer, or -1 */
	/* SHA-256 of the certificate that was shown; NULL: none was. */
	const uint8_t *certificate;
	struct cs_serial_key serial_key; /* of that certificate */
	bool is_local;			 /* came over the Unix socket */
};

struct cs_auth;

void cs_auth_free(struct cs_auth *a);

/* hash and admin_uids are borrowed. */
struct cs_auth *cs_auth_new(struct cs_hash *hash, const uid_t *admin_uids,
			    size_t admin_uids_n,
			    struct cs_error *err) CS_MUST_USE;

/* What is revoked, from now on; borrowed. Without it, nothing is. */
void cs_auth_revoked(struct cs_auth *a, const struct cs_revoked *r);

/*
 * wall_ms decides about expiry, boot_ms about barring. False: *ret_problem
 * is UNAUTHENTICATED, BAD_CERTIFICATE or SLOW_DOWN; *ret_presented says
 * whether a credential was shown at all.
 */
bool cs_auth_identify(struct cs_auth *a, const struct cs_clients *clients,
		      const struct cs_http_peer *peer,
		      struct cs_span authorization, int64_t wall_ms,
		      int64_t boot_ms, struct cs_principal *ret_principal,
		      bool *ret_presented,
		      struct cs_problem *ret_problem) CS_MUST_USE;

/*
 * Does the text of a token stand in it, whole? Not whether it is anybody's:
 * what looks like one is treated as one.
 */
bool cs_auth_holds_token(struct cs_span text);

/*
 * May this refusal be logged now? If so, *ret_suppressed is how many were
 * not since the last one.
 */
bool cs_auth_refusal(struct cs_auth *a, int64_t boot_ms,
		     uint64_t *ret_suppressed) CS_MUST_USE;

/* A new token: its public id, its digest, and its text, to be shown once. */
struct cs_auth_token {
	char id[17];
	uint8_t digest[32];
	char text[CS_AUTH_TOKEN_TEXT]; /* secret; _done wipes it */
};

bool cs_auth_token_new(struct cs_auth *a, struct cs_auth_token *ret_token,
		       struct cs_error *err) CS_MUST_USE;
void cs_auth_token_done(struct cs_auth_token *t);

#endif
