/*
 * Leaves of the log: what exactly is hashed (docs/log-format.md, version 1).
 *
 * An entry is canonical JSON (RFC 8785), at most CS_MAX_LEAF octets:
 *	{"decision":{...},"record":{...},"v":1}
 *
 * `decision` is the body that the worker wrote, or what an act of
 * administration says of itself. `record` is written by the one fixed writer
 * below from plain values that all stand in database columns, so that
 * `audit verify` writes it again from the rows and compares hashes: every
 * column of a decision is a member, or hashed into a member, or the link by
 * which the row is found.
 *
 * Values left out: an empty span, a number 0 (uids: -1), a NULL pointer. So a
 * column must not tell NULL and empty apart.
 *
 * Which members a kind has:
 *	issued		request, approval (if any), issuer, attempt, and the
 *			certificate put together from TBS and signature
 *	refused denied expired	request, approval (if any), and now, epoch,
 *			set, body, terms, inputs of the refusal
 *	attempt.abandoned	id, issuer and attempt; nothing of the
 *			request that may still change
 *	revoked		actor, issuer, seq, serial and not_after of the
 *			attempt, reason, body, terms
 *	ca.created	actor, issuer, attempt (client, id: none), the CA's
 *			certificate (first of the chain), rows: issuer
 *	policy.applied	actor, epoch, set, rows: policy set
 *	client.changed	actor, rows: the client changed
 *	all others	actor
 *
 * `rows` is the canonical JSON of the rows that the act left behind
 * (store/rows.h); the record holds its SHA-256.
 *
 * How rows lead to their leaf: request.leaf and leaf.request, outcome.leaf,
 * refusal.leaf, revocation.leaf, policy_set.leaf, issuer.leaf (ca.created) and
 *client.leaf (the last client.changed of that client or its credentials).
 *
 * Pure functions over borrowed values; a struct cs_hash is used, not kept.
 * What it does not check: that members agree with each other or with any
 * row (store/verify.h).
 */
#ifndef CS_STORE_LEAF_H
#define CS_STORE_LEAF_H

#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"

#define CS_LEAF_VERSION 1
/* How an answer is made from its rows; in every decision's record. */
#define CS_ANSWER_VERSION 1

/* Numbers are stored in leaf.kind: never reuse one. The list is closed. */
enum cs_leaf_kind {
	CS_LEAF_ISSUED = 1,
	CS_LEAF_REFUSED = 2,
	CS_LEAF_DENIED = 3,
	CS_LEAF_EXPIRED = 4,
	CS_LEAF_ATTEMPT_ABANDONED = 5,
	CS_LEAF_REVOKED = 6,
	CS_LEAF_POLICY_APPLIED = 7,
	CS_LEAF_POLICY_REJECTED = 8,
	CS_LEAF_CLIENT_CHANGED = 9,
	CS_LEAF_AUTH_REFUSED = 10,
	CS_LEAF_KEY_USED = 11,
	CS_LEAF_CRL_SIGNED = 12,
	CS_LEAF_CONFIG_APPLIED = 13,
	CS_LEAF_CA_CREATED = 14,
	CS_LEAF_BACKUP = 15,
	CS_LEAF_RESTORE = 16,
	CS_LEAF_CLOCK = 17,
	CS_LEAF_START = 18,
	CS_LEAF_STOP = 19,
	CS_LEAF_PURGED = 20,
	CS_LEAF_LAST = CS_LEAF_PURGED
};

/* The approval (or denial) that stands with a decision: its row. */
struct cs_leaf_approval {
	int64_t at_ms;
	uint64_t client; /* row id and name of who said it; 0: none stands */
	struct cs_span client_name;
	uint64_t credential;
	int64_t uid;	      /* Unix peer; -1: none */
	const uint8_t *binds; /* 32 octets: the fingerprint they saw */
	unsigned denies;      /* 1: it is a denial */
	unsigned self;	      /* 1: approver and requester are one */

	/* Beyond 256 octets a record holds their size and SHA-256 only. */
	struct cs_span claimed_by; /* whom a gateway names */
	struct cs_span reason;
	struct cs_span message;
};

/* Everything that a record can say. cs_leaf_record_init() makes one that says
 * nothing. */
struct cs_leaf_record {
	enum cs_leaf_kind kind;
	uint64_t index;
	int64_t at_ms; /* the ledger's wall clock when it wrote the leaf */

	/* Who: the submitter, or the actor of an act of administration. */
	uint64_t client;
	struct cs_span client_name;
	uint64_t credential;
	int64_t uid; /* Unix peer; -1: none */

	/* The request row. Octets are hashed here, by the writer. */
	const uint8_t *id;	    /* 16 octets */
	uint32_t flags;		    /* CS_REQ_* */
	const uint8_t *fingerprint; /* 32 octets */
	struct cs_span idem_key;
	struct cs_span realm;
	struct cs_span source;
	struct cs_span issuer_asked; /* request.issuer */
	int64_t received_ms;
	int64_t expires_ms;
	struct cs_span hold;
	int64_t not_before_ms;
	struct cs_span pending_body;
	struct cs_span pending_terms;
	struct cs_span csr;
	struct cs_span scalars;

	struct cs_leaf_approval approval;

	/* The issuer's row of the attempt: one CA certificate. */
	uint64_t issuer;
	struct cs_span issuer_name;
	uint64_t generation;

	/* What judged, attempt or refusal. */
	int64_t now_ms;
	uint64_t epoch;
	const uint8_t *set_sha256; /* of that epoch; 32 octets */
	struct cs_span body;
	struct cs_span terms;
	struct cs_span inputs;

	/* The attempt, and the certificate that came of it. */
	uint64_t seq;
	struct cs_span serial;
	const uint8_t *spki_sha256; /* 32 octets */
	const uint8_t *subject_key; /* 32 octets */
	int64_t not_after_s;
	struct cs_span limits; /* INTENT.limits, as it came */
	struct cs_span tbs;
	struct cs_span certificate; /* DER, whole */

	unsigned reason; /* of a revocation: base/revoke.h */

	/* Acts of administration: canonical JSON from store/rows.h. */
	struct cs_span rows;
};

/* The name in api.md's closed list, "attempt.abandoned"; NULL: no such. */
const char *cs_leaf_kind_name(enum cs_leaf_kind kind);

/* The kind of a name; false: there is none. */
bool cs_leaf_kind_parse(struct cs_span name, enum cs_leaf_kind *ret_kind);

/* Is it the terminal decision of a request (issued, refused, ...)? */
bool cs_leaf_kind_is_decision(enum cs_leaf_kind kind);

/*
 * Does a leaf of this kind have search terms, and follow from its rows alone?
 * Those are the decisions, and revocations.
 */
bool cs_leaf_kind_has_terms(enum cs_leaf_kind kind);

/*
 * Is a search term of such a leaf filed in the table `term`? Serials and keys
 * of certificates are not: the tables attempt and key_use find them.
 */
bool cs_leaf_files_term(enum cs_leaf_kind kind, uint8_t field);

/* An empty record of one kind. */
void cs_leaf_record_init(struct cs_leaf_record *r, enum cs_leaf_kind kind,
			 uint64_t index, int64_t at_ms);

/* Append `record` alone, canonical. */
bool cs_leaf_record_write(struct cs_hash *h, const struct cs_leaf_record *r,
			  struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/*
 * Append the whole entry. `decision` is a canonical JSON object; what does
 * not fit CS_MAX_LEAF is shortened by a fixed rule: the longest array among
 * its members becomes {"count":n,"sha256":hex of its canonical form}, then
 * the next, and if that is not enough the whole becomes
 * {"sha256":hex,"size":n}. So the entry of a decision follows from its body
 * column; INTENT.decision and REFUSAL.decision are not used.
 */
bool cs_leaf_entry_write(struct cs_hash *h, struct cs_span decision,
			 const struct cs_leaf_record *r, struct cs_buf *out,
			 struct cs_error *err) CS_MUST_USE;

/* The two objects within a stored entry, borrowed. CS_E_DB_CORRUPT. */
bool cs_leaf_entry_split(struct cs_span entry, struct cs_span *ret_decision,
			 struct cs_span *ret_record,
			 struct cs_error *err) CS_MUST_USE;

#endif
