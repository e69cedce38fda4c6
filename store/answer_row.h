/*
 * An answer as a pure function of the rows that hold it: what a client is
 * told first, at a replay, and when it asks with GET, is made here and is the
 * same byte for byte (struct cs_msg_answer, but for `replay`).
 *
 * The ledger fills a struct cs_answer_row from memory right after the COMMIT;
 * replays and the reader fill it with cs_answer_row_load(). Version 1
 * (CS_ANSWER_VERSION, kept in leaf.answer_version):
 *
 *	issued	serial, certificate (put together from TBS, the issuer's
 *		algorithm and the signature), chain and CA of the attempt's
 *		issuer row, body, log position
 *	refused denied expired	body, log position
 *	pending	expires_ms, body as it was judged at submission
 *	approved	outcome HELD: code is the hold's, or IN_PROGRESS
 *
 * Plain values: spans are borrowed from whoever filled them.
 */
#ifndef CS_STORE_ANSWER_ROW_H
#define CS_STORE_ANSWER_ROW_H

#include "base/arena.h"
#include "base/msg.h"
#include "store/db.h"

struct cs_answer_row {
	enum cs_answer outcome;
	uint8_t id[16];
	uint8_t fingerprint[32];
	int64_t expires_ms; /* pending only */
	struct cs_span body;
	struct cs_span hold; /* approved only */

	/* Terminal: the leaf. */
	uint64_t index;
	uint64_t tree_size;
	uint8_t leaf_hash[32];
	int64_t decided_ms;
	uint32_t answer_version;

	/* Issued: attempt, outcome, issuer. */
	struct cs_span serial;
	struct cs_span tbs;
	struct cs_span sig_alg;
	struct cs_span signature;
	struct cs_span chain;
	struct cs_span ca;
};

/*
 * Fill *ret_row from the database, spans in the arena. `id` is a request's
 * (16 octets); *ret_found = false when there is none. CS_E_DB_CORRUPT when
 * rows contradict each other.
 */
bool cs_answer_row_load(struct cs_db *db, struct cs_span id,
			struct cs_arena *arena, struct cs_answer_row *ret_row,
			bool *ret_found, struct cs_error *err) CS_MUST_USE;

/*
 * The message. `der` is reset and holds the certificate, from which
 * ret_answer borrows like from the row. `replay` is 0.
 */
bool cs_answer_row_make(const struct cs_answer_row *row, struct cs_buf *der,
			struct cs_msg_answer *ret_answer,
			struct cs_error *err) CS_MUST_USE;

#endif
