/*
 * What the parts of store/verify.c share. Not for anybody else.
 */
#ifndef CS_STORE_VERIFY_INTERNAL_H
#define CS_STORE_VERIFY_INTERNAL_H

#include <jansson.h>

#include "base/hash.h"
#include "store/leaf.h"
#include "store/verify.h"

struct cs_verify {
	const struct cs_verify_config *config;
	struct cs_verify_report *report;
	struct cs_db *db;     /* borrowed */
	struct cs_hash *hash; /* owned */
	struct cs_note_verifier verifier;
	struct cs_buf entry; /* the leaf in hand, computed again */
	struct cs_buf der;   /* its certificate */
	struct cs_buf rows;  /* what an administrative act left behind */
	uint64_t kinds[CS_LEAF_LAST + 1]; /* leaves of each kind */
	uint64_t terms;			  /* that the leaves call for */
	uint64_t terms_done;		  /* meta's watermark */
	uint64_t limits;		  /* uses that they call for */
	uint64_t subtrees;		  /* whose row was found */

	/* What meta says of itself, and start and config.applied of it. */
	struct cs_verify_claims {
		uint8_t config_sha256[32];
		uint8_t installation[16];
		int64_t created_ms;
	} meta;
	unsigned config_differs; /* 1: the last leaf that says it says other */
};

/* A row of `leaf`; octets are borrowed from the statement. */
struct cs_verify_row {
	uint64_t index;
	struct cs_span hash;
	int64_t kind;
	int64_t at_ms;
	int64_t tree_size;
	int64_t request; /* 0: NULL */
	int64_t answer_version;
	struct cs_span entry; /* empty: purged, or it should not be */
	int64_t act;	      /* that purged it; 0: none */
	struct cs_span kept;  /* the digest of what is left */
};

/* verify_find.c: count a finding, and give it out while there are few. */
void cs_verify_find(struct cs_verify *v, uint64_t index, const char *where,
		    int64_t row, const char *fmt, ...) CS_PRINTF(5, 6);
/*
 * Is this error about what was read (then it becomes a finding), and not
 * about reading?
 */
bool cs_verify_is_finding(const struct cs_error *err);

/*
 * Compute one leaf again and compare. verify_leaf.c: decisions, abandoned
 * attempts and revocations, from their rows. verify_admin.c: acts of
 * administration, from their entries and what these left behind.
 */
bool cs_verify_decision(struct cs_verify *v, const struct cs_verify_row *leaf,
			struct cs_error *err) CS_MUST_USE;
/*
 * verify_leaf.c: a CA's own certificate, an attempt without a request. `r`
 * has the actor and v->rows; `record` is the stored one.
 */
bool cs_verify_ca(struct cs_verify *v, const struct cs_verify_row *leaf,
		  struct cs_leaf_record *r, struct cs_span record,
		  struct cs_error *err) CS_MUST_USE;
bool cs_verify_admin(struct cs_verify *v, const struct cs_verify_row *leaf,
		     struct cs_error *err) CS_MUST_USE;

/* verify_admin.c: does each client's row name its leaf, and that leaf it? */
bool cs_verify_clients(struct cs_verify *v, struct cs_error *err) CS_MUST_USE;

/*
 * verify_purged.c: a leaf whose content is gone; and the act itself, whose
 * entry says what it removed (`decision`).
 */
bool cs_verify_purged(struct cs_verify *v, const struct cs_verify_row *leaf,
		      struct cs_error *err) CS_MUST_USE;
bool cs_verify_purge(struct cs_verify *v, const struct cs_verify_row *leaf,
		     const json_t *decision, struct cs_error *err) CS_MUST_USE;

/*
 * verify_rows.c: rows that no leaf led to, counts, and what is derived from
 * the rows. After all leaves were seen.
 */
bool cs_verify_coverage(struct cs_verify *v, struct cs_error *err) CS_MUST_USE;
/* And: is every row of `subtree` one of those that were compared? */
bool cs_verify_subtrees(struct cs_verify *v, struct cs_error *err) CS_MUST_USE;

#endif
