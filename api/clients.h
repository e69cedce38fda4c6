/*
 * The client table: who may speak to us, as the ledger last pushed it.
 *
 * An immutable snapshot made from one CLIENT_TABLE message; front replaces
 * the whole of it and nothing keeps a pointer into it beyond the handling of
 * one request. The message is JSON by the ledger:
 *
 *	{"cas": [{"der": hex, "sha256": 64 hex digits}],
 *	 "clients": [{
 *		"id": 3,                        row id in the ledger
 *		"name": "gw", "realm": "prod",  realm may be ""
 *		"rights": ["submit", "gateway"],
 *		"issuers": ["default"],         absent, null or []: all of them
 *		"namespaces": ["shop"],         absent, null or []: all of them
 *		"groups": ["ops"],              of the client as a requester
 *		"credentials": [{
 *			"id": 7, "kind": "token",     or "peer" (Unix), "cert"
 *			"token_id": "16 hex digits",  token only
 *			"digest": "64 hex digits",    token: SHA-256, see auth.h
 *			"fingerprint": "64 hex ..",   cert: SHA-256 of its DER
 *			"ca_sha256": "64 hex ..",     cert: or one that this
 *			"san": "dns:a.example",       issued, with this name
 *			"expires_ms": 1790000000000   absent: never
 *		}]
 *	}]}
 *
 * Removed clients and revoked credentials are not in it. Members that this
 * version does not know are ignored: the ledger writes it, not a stranger.
 *
 * A certificate binds in one of three ways, the narrower before the wider:
 * by fingerprint; by an alternative name, of a certificate that the named CA
 * has issued; by that CA alone (api/by_cert.h).
 *
 * What it does not check: whether a credential is still good at the moment
 * of recording. The ledger does, in the transaction.
 */
#ifndef CS_API_CLIENTS_H
#define CS_API_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/client.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

/* Rows that every installation has: the Unix socket's, the house's own. */
#define CS_CLIENT_LOCAL 1
#define CS_CLIENT_HOUSE 2

struct cs_clients;

/* A credential and whose it is. */
struct cs_bound {
	const struct cs_credential *credential;
	const struct cs_client *client;
};

void cs_clients_free(struct cs_clients *c);

/* Read one CLIENT_TABLE. NULL: not such a table (CS_E_FORMAT), no memory. */
struct cs_clients *cs_clients_new(struct cs_span table,
				  struct cs_error *err) CS_MUST_USE;

size_t cs_clients_count(const struct cs_clients *c);

/* The n-th client, in order of names; n < count. */
const struct cs_client *cs_clients_at(const struct cs_clients *c, size_t n);

/* NULL: no such client. */
const struct cs_client *cs_clients_by_id(const struct cs_clients *c,
					 uint64_t id);
const struct cs_client *cs_clients_by_name(const struct cs_clients *c,
					   struct cs_span name);

/*
 * The token with this id and its client, or NULL. The id is public: nothing
 * here needs constant time.
 */
const struct cs_credential *cs_clients_token(
	const struct cs_clients *c, struct cs_span token_id,
	const struct cs_client **ret_client);

/* Who is bound to this certificate by its fingerprint; NULL: nobody. */
const struct cs_bound *cs_clients_fingerprint(const struct cs_clients *c,
					      const uint8_t sha256[32]);
/* Who is bound to this alternative name, by whichever CA: n of them. */
const struct cs_bound *cs_clients_san(const struct cs_clients *c,
				      struct cs_span san, size_t *ret_n);
/* Who is bound to all that some CA has issued: n of them. */
const struct cs_bound *cs_clients_issued(const struct cs_clients *c,
					 size_t *ret_n);

/*
 * The table as GET /v1/clients gives it, canonical JSON, without digests:
 * {"items": [...], "next": null}.
 */
bool cs_clients_write(const struct cs_clients *c, struct cs_buf *out,
		      struct cs_error *err) CS_MUST_USE;

#endif
