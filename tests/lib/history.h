/*
 * A small history in a database of its own: what the ledger would have
 * written, row by row and leaf by leaf, for tests of what reads it. Every
 * nullable column is set in some row, and every kind of decision is there.
 *
 * A failing step fails the test. Not the ledger: nothing is checked here.
 */
#ifndef CS_TESTS_LIB_HISTORY_H
#define CS_TESTS_LIB_HISTORY_H

#include "base/hash.h"
#include "store/db.h"
#include "store/leaf.h"
#include "store/note.h"
#include "store/tree.h"

struct cs_history {
	char dir[64];
	char path[80];
	struct cs_db *db; /* the writer; NULL once closed */
	struct cs_hash *hash;
	struct cs_note_signer *signer;
	struct cs_tree_edge edge;
	int64_t now_ms;
	uint64_t seq;
	uint64_t next_size; /* of the checkpoint that covers the next leaf */
	int64_t requests;
	char checkpoint[CS_MAX_NOTE]; /* the last note */
};

enum {
	CS_HISTORY_START_MS = 1700000000
};

/* What a request of the history is like. NULL, 0: nothing is stated. */
struct cs_history_request {
	const char *name;      /* DNS name */
	const char *requester; /* "alice" */
	const char *key;       /* idempotency key */
	const char *code;      /* of a refusal */
	unsigned approved;     /* 1: an approval stands */
	unsigned changed;      /* 1: something was overridden */
};

/* A new installation with clients, an issuer and a policy: leaves 0 to 4. */
void cs_history_open(struct cs_history *h);
void cs_history_done(struct cs_history *h);

/* Close the writer, so that the file is whole in itself. */
void cs_history_close(struct cs_history *h);

/* One decision each; its request's row number. */
int64_t cs_history_issue(struct cs_history *h,
			 const struct cs_history_request *r);
int64_t cs_history_refuse(struct cs_history *h, enum cs_leaf_kind kind,
			  const struct cs_history_request *r);
/* A request that waits; and one whose attempt has no outcome. */
int64_t cs_history_pending(struct cs_history *h,
			   const struct cs_history_request *r);
/* An attempt for an approved request that is abandoned, then issued. */
int64_t cs_history_abandon_and_issue(struct cs_history *h,
				     const struct cs_history_request *r);
/* Retire the issuer. */
void cs_history_retire(struct cs_history *h);
/* Revoke an attempt's certificate, `reason` of RFC 5280 5.3.1. */
void cs_history_revoke(struct cs_history *h, uint64_t seq, unsigned reason);
/* A CRL of the first shard with this number (history_crl.c). */
void cs_history_crl(struct cs_history *h, int64_t number);
/* An act without rows. */
void cs_history_act(struct cs_history *h, enum cs_leaf_kind kind,
		    const char *decision);
/* Leaves from here on share a checkpoint until the tree has this size. */
void cs_history_batch(struct cs_history *h, uint64_t size);
/* File all search terms. */
void cs_history_file_terms(struct cs_history *h);

/* A history with all of it, terms filed up to the last but two leaves. */
void cs_history_make(struct cs_history *h);

/*
 * A record at the next index, and the leaf of an act that left these rows:
 * for what makes leaves of its own, within a transaction.
 */
void cs_history_begin(struct cs_history *h, struct cs_leaf_record *r,
		      enum cs_leaf_kind kind);
void cs_history_act_write(struct cs_history *h, struct cs_leaf_record *r,
			  const char *decision, const struct cs_buf *rows);

#endif
