/*
 * What the ledger counts, and its text for /metrics (METRICS to front, once a
 * second). Counters are since the process's start; a scraper knows what to do
 * when they begin again.
 *
 * Who makes label values: issuers by the configuration, policies by the set
 * in force, codes by policies. Beyond a maximum each goes to "_other", so
 * that no requester can make series.
 */
#ifndef CS_STORE_LEDGER_METRICS_H
#define CS_STORE_LEDGER_METRICS_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/metrics.h"
#include "base/revoke.h"
#include "base/span.h"
#include "store/leaf.h"

struct cs_ledger_metrics {
	struct cs_ledger_decisions {
		enum cs_leaf_kind kind;
		char issuer[CS_MAX_NAME + 1];
		char policy[CS_MAX_NAME + 1];
		uint64_t n;
	} decisions[CS_MAX_METRIC_SERIES];
	size_t decisions_n;

	struct cs_ledger_codes {
		char code[CS_MAX_NAME + 1];
		uint64_t n;
	} codes[CS_MAX_METRIC_SERIES];
	size_t codes_n;

	struct cs_ledger_revocations {
		char issuer[CS_MAX_NAME + 1];
		enum cs_reason reason;
		uint64_t n;
	} revocations[CS_MAX_METRIC_SERIES];
	size_t revocations_n;

	uint64_t kinds[CS_LEAF_LAST + 1]; /* leaves by kind */
	uint64_t batches;		  /* committed with something in them */
	uint64_t undone;		  /* rolled back, and tried again */
	uint64_t full;			  /* no space was left */

	struct cs_histogram batch_size; /* pieces of work */
	struct cs_histogram batch_time; /* from BEGIN to the end of COMMIT */
	struct cs_histogram commit_time;
	struct cs_histogram sync_time;
	struct cs_histogram sign_time; /* from SIGN to SIGNED */

	/* The present. */
	uint64_t open_pending, open_approved; /* counted up to a maximum */
	uint64_t database_bytes, wal_bytes;
	uint64_t disk_free_bytes, disk_bytes;
	int64_t checkpoint_ms; /* wall clock of the last one signed */
	int64_t backup_ms;     /* and of the last backup's leaf; 0: none */

	struct cs_buf text;
};

/* A leaf that was committed: its kind, and what a decision says. */
void cs_ledger_metrics_leaf(struct cs_ledger_metrics *m,
			    const struct cs_leaf_record *rec);

#endif
