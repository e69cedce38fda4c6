/*
 * One client: its rights, what it is limited to, what proves it; and how it is
 * shown to who administers clients. Plain values, whose memory is the table's
 * (api/clients.h).
 *
 * What it does not check: whether a credential is still good.
 */
#ifndef CS_API_CLIENT_H
#define CS_API_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/span.h"

struct cs_peer_ca;

enum cs_right {
	CS_RIGHT_SUBMIT = 1 << 0,
	CS_RIGHT_APPROVE = 1 << 1,
	CS_RIGHT_GATEWAY = 1 << 2,
	CS_RIGHT_AUDIT = 1 << 3,
	CS_RIGHT_REVOKE = 1 << 4,
	CS_RIGHT_ADMIN = 1 << 5
};

#define CS_RIGHTS_ALL ((1u << 6) - 1)

enum cs_credential_kind {
	CS_CREDENTIAL_TOKEN,
	CS_CREDENTIAL_PEER,
	CS_CREDENTIAL_CERT_FINGERPRINT,
	CS_CREDENTIAL_CERT_SAN,
	CS_CREDENTIAL_CERT_ISSUER
};

struct cs_credential {
	uint64_t id;
	enum cs_credential_kind kind;
	char token_id[17];	       /* NUL-terminated; "" unless a token */
	uint8_t digest[32];	       /* of the token, or the fingerprint */
	struct cs_span san;	       /* CERT_SAN */
	const struct cs_client_ca *ca; /* CERT_SAN, CERT_ISSUER */
	int64_t expires_ms;	       /* INT64_MAX: never */
};

/* A CA that certificates of clients come from. */
struct cs_client_ca {
	uint8_t sha256[32];    /* of its DER */
	struct cs_peer_ca *ca; /* NULL: it cannot be read, and binds nobody */
};

struct cs_client {
	uint64_t id;
	struct cs_span name;
	struct cs_span realm;
	unsigned rights; /* CS_RIGHT_*, what admin implies included */
	bool all_issuers;
	struct cs_span *issuers;
	size_t issuers_n;
	bool all_namespaces;
	struct cs_span *namespaces;
	size_t namespaces_n;
	struct cs_span *groups;
	size_t groups_n;
	struct cs_credential *credentials;
	size_t credentials_n;
};

/* Does the client hold this right, and for this issuer? */
bool cs_client_may(const struct cs_client *c, enum cs_right right,
		   struct cs_span issuer);

/* May it speak for this namespace? */
bool cs_client_covers_namespace(const struct cs_client *c, struct cs_span name);

/* The right of that name ("submit"); 0: there is none. */
unsigned cs_right_from_name(struct cs_span name);
const char *cs_right_name(enum cs_right right);

/*
 * As GET /v1/clients gives it: without digests, and with the rights that it
 * was given, not those that admin implies.
 */
void cs_client_write(const struct cs_client *c, struct cs_json *j);

#endif
