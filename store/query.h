/*
 * Questions about what was recorded: pure reading over one connection.
 *
 * The reader process asks on behalf of front, the command line asks a
 * stopped installation's files directly; both call cs_questions_ask(). Each
 * question is one short read transaction; none takes more than the deadline
 * (a question that would is answered with a code, not an error).
 *
 * Parameters are canonical JSON, by kind (base/msg.h, enum cs_query):
 *
 *	REQUEST, STORED	{"id": 32 hex}
 *	REQUESTS	{"cursor"?, "issuer"?: [..], "limit"?: n,
 *			 "namespace"?: [..], "order"?: "asc"|"desc",
 *			 "requester"?: [..], "state"?: [..]}
 *	CERTIFICATE	{"serial": hex}
 *	AUDIT		{"after"?: n, "cursor"?, "limit"?: n, "order"?,
 *			 "since_ms"?: n, "until_ms"?: n, and of strings, each
 *			 [..]: "kind", "verdict", "issuer", "client",
 *			 "requester", "approver", "namespace", "realm",
 *			 "source", "name", "covering", "serial", "spki",
 *			 "rule", "code", "policy", "field", "disposition",
 *			 "flag"}
 *	HISTORY		the same without "after" and "kind", of decisions
	CERTIFICATES	the same, of issued certificates, and "valid_at_ms"?,
 *			"expires_before_ms"?
 *	AUDIT_ENTRY	{"index": n}
 *	POLICY		{"set_sha256"?: 64 hex}; the newest of these, or of all
 *	PROOF		{"index": n}
 *	TILE		{"level": n, "n": n, "width": n}
 *	ENTRIES		{"n": n, "width": n}
 *	CRL		{"generation": n, "have"?: 64 hex, "issuer", "shard": n}
 *	CRLS		{"cursor"?, "issuer"?: [..], "limit"?: n}
 *	CHECKPOINT CLIENTS ISSUERS STATUS	{}
 *
 * A list of values is OR, members are AND. `name` is a canonical name, exact
 * over common name and alternative names; ".zone" is the zone and all below
 * it. `covering` asks for whatever could be shown for a name: the name, the
 * wildcard that it matches, and every CA's certificate. `field` takes its
 * elements with it ("san.dns": "san.dns[2]"); `policy` is a policy's name, or
 * its SHA-256 for that version of it. since_ms is inclusive, until_ms
 * exclusive, on the leaf's time.
 *
 * Lists are in the order of the log, newest first unless `order` is "asc" or
 * there is an `after`. With expires_before_ms, and without a parameter that
 * narrows more (query_params.c), CERTIFICATES is in the order of the end of
 * validity instead.
 *
 * HISTORY's items are {"body": the answer's members that policy decided,
 * "ca_sha256"?: of the CA's certificate, "client", "csr": Base64, "epoch",
 * "id", "index", "issuer", "judged": time, "kind", "names", "realm"?,
 * "scalars", "source", "tbs"?: Base64}; what was purged is not there.
 *
 * PROOF is about the last checkpoint, which it holds; a tile (C2SP
 * tlog-tiles) has `width` of 256 hashes, from number 256 * n of its level on.
 *
 * CRL is the last one of a shard: thisUpdate and nextUpdate (u64 seconds), the
 * SHA-256 and the octets, each behind a u32 length (base/wire.h); when `have`
 * is that SHA-256, no octets. Generation 1 is also a later one whose URL is
 * the same as the first's.
 *
 * Bodies are JSON, but CRL's, CHECKPOINT's the signed note, TILE's and ENTRIES'
 * octets, REQUEST's an encoded ANSWER and STORED's an encoded
 * REQUEST (base/msg.h). A list is {"items":[..],"next":cursor or null}; a
 * page ends at `limit` (default 100, at most 1000), at CS_MAX_PAGE octets, or
 * when CS_MAX_SCAN rows were looked at, or fewer in CS_MAX_PAGE_MS, so that it
 * may hold fewer items, even none, and still have a next. The cursor is opaque:
 * it carries the position and a hash of the question, and another question
 * refuses it (BAD_CURSOR).
 *
 * Leaves below the terms watermark are found by the term index, newer ones
 * by reading their terms. Times narrow the search by bisection with a
 * minute's slack, unless an operator ever accepted a clock; then all is looked
 * at.
 *
 * `client`, when not 0, limits every kind to what that client submitted and
 * what was asked of the `issuers`, a JSON list of names; empty: none. Acts of
 * administration are for those alone who are not limited, and so are, from
 * lists with `issuers`, abandoned attempts.
 * What is not checked here: whether the caller may ask at all.
 */
#ifndef CS_STORE_QUERY_H
#define CS_STORE_QUERY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/msg.h"
#include "store/db.h"

struct cs_questions;

struct cs_question {
	enum cs_query kind;
	uint64_t client;	/* 0: no limit */
	struct cs_span issuers; /* beside that client's own */
	struct cs_span params;
};

/* What came of one; `body` is the buffer that was given. */
struct cs_question_result {
	unsigned found;	  /* 1: body is the answer */
	const char *code; /* literal; "" or BAD_CURSOR, BAD_PARAMETER, ... */
	char detail[CS_ERROR_MAX];
};

/*
 * `db` is open with CS_DB_READ and borrowed; no statement of it may be used
 * by others meanwhile. deadline_ms 0: none. NULL: no memory.
 */
void cs_questions_free(struct cs_questions *q);
struct cs_questions *cs_questions_new(struct cs_db *db,
				      const struct cs_clock *clock,
				      uint32_t deadline_ms,
				      struct cs_error *err) CS_MUST_USE;

/*
 * Ask one; the body is appended to `body`. False only when the database or
 * memory fails; the connection may be used again afterwards.
 */
bool cs_questions_ask(struct cs_questions *q, const struct cs_question *what,
		      struct cs_buf *body,
		      struct cs_question_result *ret_result,
		      struct cs_error *err) CS_MUST_USE;

#endif
