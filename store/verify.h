/*
 * `audit verify`: does the database say what its log says?
 *
 * Everything is computed again from the rows: each leaf of a decision from
 * every stored column (request, approval, client, issuer, attempt, outcome
 * or refusal, policy set), the certificate put together and hashed, each
 * leaf of an administrative act from its entry and the rows it left behind;
 * then the tree, every checkpoint's root and signature, the right edge and
 * size in `meta`, and the checkpoint outside the database. Rows without a
 * leaf, leaves without rows, gaps, counts, states, serials, key uses, limit
 * uses and filed search terms are compared as well.
 * Of a leaf that was purged (store/purge.h) the hash is in the tree as ever;
 * what its rows still say must be what the act of purging left, and nothing
 * else be there. Content that is missing without such an act is a finding.
 *
 * Whoever owns both database and log key can write another history; only a
 * checkpoint that somebody else has kept shows that. What is not checked:
 * certificates' signatures and contents (they are hashed, not parsed), and
 * rows of requests that are not decided yet beyond their form.
 *
 * One pass over the history in its order, in constant memory, in one read
 * transaction: a running server goes on, its WAL grows meanwhile.
 */
#ifndef CS_STORE_VERIFY_H
#define CS_STORE_VERIFY_H

#include <stdint.h>

#include "base/buf.h"
#include "store/db.h"
#include "store/note.h"

/* One contradiction. `index` is a leaf's, or CS_VERIFY_NO_INDEX. */
#define CS_VERIFY_NO_INDEX UINT64_MAX

struct cs_verify_finding {
	uint64_t index;
	const char *where; /* literal: a table or "checkpoint outside" */
	int64_t row;	   /* its key there; 0: none */
	char text[CS_ERROR_MAX];
};

struct cs_verify_report {
	uint64_t tree_size;
	uint64_t leaves;       /* recomputed */
	uint64_t checkpoints;  /* opened */
	uint64_t certificates; /* put together */
	uint64_t purged;       /* whose content is gone, by an act in the log */
	uint8_t root[CS_TREE_HASH];
	unsigned split;	   /* 1: the checkpoint outside is newer or another */
	unsigned outside;  /* 1: it was compared with the tree */
	uint64_t findings; /* in all; given out: at most the maximum */
};

struct cs_verify_config {
	struct cs_db *db; /* CS_DB_READ, borrowed */
	/* NULL: the key that stands in meta (no use against its owner). */
	const struct cs_note_verifier *verifier;
	struct cs_span outside; /* bytes of DIR/checkpoint; empty: none */
	uint64_t max_findings;	/* given out; 0: 100 */

	/* Called for each finding that is given out, in order. */
	void (*finding)(void *ctx, const struct cs_verify_finding *f);
	/* Called now and then with leaves done; may be NULL. */
	void (*progress)(void *ctx, uint64_t done, uint64_t of);
	void *ctx;
};

/*
 * True when verification ran to its end, whatever it found: see
 * ret_report->findings. False when reading failed.
 */
bool cs_verify_run(const struct cs_verify_config *config,
		   struct cs_verify_report *ret_report,
		   struct cs_error *err) CS_MUST_USE;

#endif
