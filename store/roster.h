/*
 * The roster: every client with its rights and credentials, as the ledger
 * holds it in memory. The ledger is the only writer of these rows, so that a
 * check against the roster is a check inside the transaction.
 *
 * An immutable copy of the tables `client` and `credential`, removed ones
 * included (names of old decisions are looked up in it); after a change was
 * committed the ledger loads a new one. The table that front gets
 * (CLIENT_TABLE, api/clients.h) is written from it.
 *
 * Not checked here: secrets. Front compares those; the ledger trusts the row
 * ids that front names, and only asks whether they still hold.
 */
#ifndef CS_STORE_ROSTER_H
#define CS_STORE_ROSTER_H

#include "base/buf.h"
#include "base/limits.h"
#include "store/db.h"

/* Rows that every installation has. */
#define CS_ROSTER_LOCAL 1 /* the administrator over the Unix socket */
#define CS_ROSTER_HOUSE 2 /* the installation itself */

enum {
	CS_RIGHT_BIT_SUBMIT = 1 << 0,
	CS_RIGHT_BIT_APPROVE = 1 << 1,
	CS_RIGHT_BIT_GATEWAY = 1 << 2,
	CS_RIGHT_BIT_AUDIT = 1 << 3,
	CS_RIGHT_BIT_REVOKE = 1 << 4,
	CS_RIGHT_BIT_ADMIN = 1 << 5
};

struct cs_roster;

void cs_roster_free(struct cs_roster *r);
/* The most that CLIENT_TABLE's JSON may be, its message's other fields aside.
 */
#define CS_ROSTER_MAX (CS_MAX_MESSAGE - 1024)

/* A credential as it is made. Spans are empty where they do not apply. */
struct cs_credential_new {
	uint64_t id; /* 0: the next */
	struct cs_span kind;
	struct cs_span token_id, digest; /* token */
	struct cs_span fingerprint;	 /* cert, by itself */
	struct cs_span san, ca;		 /* cert, by who issued it */
	int64_t expires_ms;		 /* 0: never */
};

/* Read both tables. */
struct cs_roster *cs_roster_new(struct cs_db *db,
				struct cs_error *err) CS_MUST_USE;

/* CLIENT_TABLE, canonical JSON: those that are neither removed nor revoked. */
bool cs_roster_write(const struct cs_roster *r, struct cs_buf *out,
		     struct cs_error *err) CS_MUST_USE;

size_t cs_roster_count(const struct cs_roster *r);

/* Whose credential it is; 0: there is no such credential. */
uint64_t cs_roster_owner(const struct cs_roster *r, uint64_t credential);
/* The row of a name, removed or not; 0: there is none. */
uint64_t cs_roster_find(const struct cs_roster *r, struct cs_span name);
bool cs_roster_is_removed(const struct cs_roster *r, uint64_t client);
/* Empty: no such row. */
struct cs_span cs_roster_name(const struct cs_roster *r, uint64_t client);
/* Credentials of a client that are not revoked. */
size_t cs_roster_credentials(const struct cs_roster *r, uint64_t client);

/* A credential of this client that is not revoked; borrows from the roster. */
bool cs_roster_credential(const struct cs_roster *r, uint64_t client,
			  uint64_t id, struct cs_credential_new *ret);
/*
 * To whom a certificate is bound, by its fingerprint, or by san and ca; 0:
 * to nobody.
 */
uint64_t cs_roster_bound(const struct cs_roster *r, struct cs_span fingerprint,
			 struct cs_span san, struct cs_span ca);

/* The bit of a right's name; 0: there is no such right. */
unsigned cs_roster_right(struct cs_span name);

enum cs_roster_verdict {
	CS_ROSTER_GOOD,
	CS_ROSTER_REMOVED,   /* no such client, or it was removed */
	CS_ROSTER_REVOKED,   /* the credential, or it is not the client's */
	CS_ROSTER_EXPIRED,   /* the credential */
	CS_ROSTER_NO_RIGHT,  /* the client does not hold the right */
	CS_ROSTER_NO_ISSUER, /* not for this issuer */
};

/*
 * May this client with this credential do that, for that issuer, now?
 * `right` is one bit; admin implies all others. An empty issuer: whichever.
 */
enum cs_roster_verdict cs_roster_check(const struct cs_roster *r,
				       uint64_t client, uint64_t credential,
				       unsigned right, struct cs_span issuer,
				       int64_t now_ms);

#endif
