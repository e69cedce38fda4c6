/*
 * CRLs, as the ledger sees them: which of them are due, what stands on them,
 * and what is kept. The signer makes and signs them (issuer/crl_sign.h).
 *
 * A CRL is due when an issuer has a URL for them and none was signed yet,
 * `refresh` seconds after the last one, soon after something was revoked, and
 * when somebody says so. An issuer without a URL has none before one of the
 * last two. Each generation of an issuer has its own. Nothing is signed while
 * the ledger's clock is not trusted, its disk full or its log split, nor
 * outside the CA's validity, nor when the key is gone.
 *
 * They are made in rounds of a few at a time:
 *
 *	REST	 nothing is due
 *	COLLECT	 the lists are read, some rows at a time when nothing else is
 *		 to be done
 *	SIGN	 their numbers were committed (table crl_asked), CRL_SIGN sent
 *	RECORD	 all have come back; they go into the table `crl` with a leaf
 *		 each, and from that COMMIT on can be read
 *
 * A round that a crash cuts short leaves its numbers used, and nothing else.
 * A number is the second of its signing or, if that was used, the next one:
 * so it also goes up over a database that was restored.
 *
 * What stands on a CRL: whatever was revoked of the shard, until it has been
 * on a regular one that was signed after its certificate's end (RFC 5280
 * 3.3). Regular is the first, and the first that comes `refresh` seconds or
 * more after the last regular one.
 *
 * A CRL is of a CA, not of one of its certificates: where the rows of several
 * have one name, key and URL (a certificate that was exchanged by hand, a
 * rollover with --same-key and without a URL), each one's CRL has what was
 * revoked of all.
 *
 * A clock that was ahead may have left a CRL from the future: once the right
 * time is accepted, a new one is due at once, and nothing is off it that has
 * not ended by that time.
 */
#ifndef CS_STORE_LEDGER_CRL_H
#define CS_STORE_LEDGER_CRL_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/loop.h"

/* CRLs of one round, and publications that may wait at once. */
#define CS_CRL_JOBS    16
#define CS_CRL_WAITERS 16
/* CA certificates: generations of issuers. */
#define CS_CRL_ISSUERS (CS_MAX_ISSUERS + CS_MAX_OLDER)

/* One CRL of an issuer: the last one that was recorded, and what is due. */
struct cs_crl_shard {
	uint64_t number; /* the last that was used */
	uint64_t signed_number;
	/*
	 * Of the recorded one. regular_s without one: of another certificate's
	 * of the same CA, or 0.
	 */
	int64_t this_s, next_s, regular_s;
	uint64_t covers; /* every revocation in the leaves below is on it */
	uint32_t count;	 /* entries */
	bool stored;	 /* there is one */
	bool dirty;	 /* something was revoked since */
	bool busy;	 /* it is in the round under way */
	uint64_t wanted; /* the last publication that asked for it */
	uint64_t done;	 /* the last one that it was signed for */
	int64_t rest_ms; /* not again before; boot clock */
};

/* A row whose certificates stand on an issuer's CRLs. */
struct cs_crl_source {
	int64_t id;
	uint32_t shards; /* of the table */
};

struct cs_crl_issuer {
	struct cs_crl_shard *shards; /* owned; index: the number */
	uint32_t n;
	struct cs_crl_source *sources; /* owned; its own row first */
	size_t sources_n;
	char trouble[CS_ERROR_MAX]; /* why the last one failed; or empty */
	uint64_t failures;
};

/* One CRL on its way. */
struct cs_crl_job {
	size_t issuer; /* index */
	uint32_t shard;
	/* Where reading is: source, shards of the table, expiry, serial. */
	size_t source;
	uint32_t from_shard, last_shard;
	int64_t from_s; /* what ended earlier is off the list */
	int64_t at_s;
	uint8_t at_serial[CS_MAX_SERIAL];
	size_t at_serial_n;
	struct cs_buf entries; /* base/crl.h */
	size_t count;

	uint64_t number, covers, wanted;
	int64_t begun_s; /* what is revoked later may not be on the list */
	int64_t this_s, next_s, regular_s;

	bool answered, good;
	struct cs_buf der;
	char code[40], why[CS_ERROR_MAX];
};

enum cs_crl_phase {
	CS_CRL_REST,
	CS_CRL_COLLECT,
	CS_CRL_SIGN,
	CS_CRL_RECORD
};

/* Who waits for a publication. */
struct cs_crl_waiter {
	uint64_t ticket;
	uint64_t publication;
	char name[CS_MAX_LABEL + 1]; /* an issuer, a label; empty: all */
};

struct cs_ledger_crl {
	struct cs_idle *idle; /* owned */
	/* One for each CA certificate: the present ones, then the older. */
	struct cs_crl_issuer issuers[CS_CRL_ISSUERS];
	enum cs_crl_phase phase;
	struct cs_crl_job jobs[CS_CRL_JOBS];
	size_t jobs_n, reading;
	size_t next_issuer; /* where the search for what is due goes on */
	uint32_t next_shard;
	uint64_t rounds;
	bool stirred;	    /* look whether something is due */
	int64_t earliest_s; /* else not before */
	uint64_t publications;
	struct cs_crl_waiter waiters[CS_CRL_WAITERS];
	size_t waiters_n;
};

#endif
