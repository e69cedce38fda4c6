/*
 * Purging: the content of what has ended long ago is removed, the log stays
 * whole (docs/adr/0020).
 *
 * What goes, of each leaf that is purged: its entry; of a request the CSR,
 * what was stated beside it, the idempotency key and what was judged at
 * submission; of an approval its words; of an attempt the TBS, the decision,
 * search terms, inputs and limits, with what was filed and counted of them,
 * and the signature; of a refusal and a revocation what was said and its
 * search terms. What stays: the leaf's hash, kind and time, and all columns
 * that are numbers, digests, serials and states (store/rows.h). So a serial
 * is taken for ever, a key stays known, revoked stays revoked, and every
 * proof and checkpoint is as it was.
 *
 * What is purged, for a time T: certificates that expired before T, with what
 * revoked them; what was refused, denied or expired before T; attempts that
 * were abandoned; and of acts of administration those that nobody reads
 * again, if there is a later one of the kind: start, stop, backup, key.used,
 * policy.rejected, auth.refused, and of a CRL, of its shard: crl.signed. Never
 * what is not decided, what a limit still counts, or what has no search terms
 * filed yet.
 *
 * A slice is one transaction: rows of `purged`, which alone let the triggers
 * pass, the rows emptied, the leaf `purged` of the act, and its checkpoint. A
 * crash leaves a slice done or not begun. The act says which leaves there
 * were (a digest of their hashes, so that an older copy of them can be proved
 * to be what was removed) and what is left of them.
 *
 * The caller holds the instance lock, has verified the whole (purging what
 * was tampered with would hide it), keeps to the retention, and opens the
 * database for writing. What was removed is overwritten in the file; space is
 * given back by cs_purge_compact() only.
 */
#ifndef CS_STORE_PURGE_H
#define CS_STORE_PURGE_H

#include <stdint.h>

#include "base/clock.h"
#include "store/db.h"
#include "store/note.h"

/* Leaves of one slice, unless the caller says. */
#define CS_PURGE_SLICE 1000
/* Octets of the lists that an act has digests of: a line for each leaf. */
#define CS_PURGE_LIST_MAX ((size_t)16 * 1024 * 1024)

struct cs_purge_report {
	uint64_t certificates; /* issued, and expired since */
	uint64_t refusals;     /* refused, denied, expired */
	uint64_t others;       /* abandoned attempts and revocations */
	uint64_t acts;	       /* of administration */
	uint64_t octets;       /* of content */
	uint64_t counted;      /* not purged: a limit still counts them */
	uint64_t slices;       /* leaves `purged` that were written */
	uint64_t first_act, last_act;
};

struct cs_purge_config {
	struct cs_db *db;	       /* CS_DB_WRITE, borrowed */
	struct cs_note_signer *signer; /* the log's key; NULL to count only */
	struct cs_clock clock;
	int64_t before_ms;   /* T */
	int64_t retention_s; /* that the act tells of */
	int64_t uid;	     /* whose act it is: a user of this machine */
	size_t slice;	     /* 0: CS_PURGE_SLICE */

	/* After each slice: the note for DIR/checkpoint. May be NULL. */
	bool (*note)(void *ctx, struct cs_span note, struct cs_error *err);
	/* And how far it is. May be NULL. */
	void (*progress)(void *ctx, uint64_t leaves);
	void *ctx;
};

/* What would be purged; nothing is changed. */
bool cs_purge_count(const struct cs_purge_config *config,
		    struct cs_purge_report *ret_report,
		    struct cs_error *err) CS_MUST_USE;

/*
 * Purge. False: an error; slices that were done before it stay done and are
 * in *ret_report. CS_E_CLOCK: the clock is behind what was recorded.
 */
bool cs_purge_run(const struct cs_purge_config *config,
		  struct cs_purge_report *ret_report,
		  struct cs_error *err) CS_MUST_USE;

/*
 * Write the database at `path` anew beside it, without what is unused, and
 * put it in its place. Nobody has it open. CS_E_DB_FULL: there is no space
 * for the copy, and the file is as it was.
 */
bool cs_purge_compact(const char *path, struct cs_error *err) CS_MUST_USE;

/* Was it cut short before, so that what it wrote lies about? */
bool cs_purge_was_cut(const char *path);

#endif
