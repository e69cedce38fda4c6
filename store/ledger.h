/*
 * The ledger: the one process that writes, and the one order of everything
 * that was decided.
 *
 * Work comes from workers (INTENT, REFUSAL, APPLY) and front (DENY,
 * WORKER_KILLER, CLIENT_CHANGE, CLOCK_ACCEPT, CRL_PUBLISH, AUTH_REFUSED);
 *signatures come from the signer. All of it queues until nothing else is
 *readable, and then goes into one transaction: outcomes of the attempts whose
 *signatures have come, then the new work in its order, then the leaves of both,
 *the tree and one signed checkpoint. Only when its COMMIT has returned does
 *anything leave: SIGN for the new intents, ANSWER for what was decided.
 *
 *	ledger.c		start and end, links, dispatch
 *	ledger_intake.c		what a message must be to become work
 *	ledger_batch.c		the transaction
 *	ledger_request.c	requests: INTENT, REFUSAL, DENY, WORKER_KILLER
 *	ledger_check.c		who may, limits
 *	ledger_decide.c		decisions and their leaves
 *	ledger_sign.c		attempts under way, signatures
 *	ledger_admin.c		policy sets, clients, clock
 *	ledger_backup.c		a copy of the database, between transactions
 *	ledger_crl.c		CRLs: which are due, and what stands on them
 *	ledger_crl_metrics.c	CRLs in /metrics
 *	ledger_crl_round.c	and how they are signed and recorded
 *	ledger_restore.c	going on after `countersign restore`
 *	ledger_start.c		first rows, issuers, the checkpoint outside
 *	ledger_ends.c		issuers that are retired, keys that are gone
 *	ledger_recover.c	abandoned attempts, requests driven again
 *	ledger_clock.c, ledger_state.c, ledger_terms.c, ledger_expire.c
 *
 * In which states nothing is decided (STATE, base/msg.h): the clock is not
 * trusted, no space, the checkpoint outside is newer (split view), no policy
 * yet, stopping. Work is answered BUSY with a code then.
 *
 * Errors of SQLite: no space is definite, so signatures stay in memory and
 * the transaction is tried again each second. Every other error, and a COMMIT
 * whose outcome is unknown, ends the process with 75 after answering BUSY to
 * all that is under way; the next start reconciles.
 *
 * What it does not do: judge, parse CSRs, verify signatures (the signer
 * does), read for others (the reader does), know HTTP.
 */
#ifndef CS_STORE_LEDGER_H
#define CS_STORE_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/span.h"

/* An issuer as configured: one CA certificate. All borrowed. */
struct cs_ledger_issuer {
	const char *name;
	const char *label; /* what the signer calls it; NULL: as the name */
	/*
	 * Which generation the files say it is. A row that says otherwise is
	 * an error at the start; 0 and 1 say nothing (a CA certificate that
	 * was exchanged by hand is a next generation, too).
	 */
	uint32_t generation;
	struct cs_span chain;	    /* PEM, its own certificate first */
	struct cs_span ca;	    /* PEM of the root; may be empty */
	struct cs_span certificate; /* DER of its own certificate */
	struct cs_span sig_alg;	    /* DER AlgorithmIdentifier it signs with */
	const char *crl_base;	    /* URL; NULL: none */
	uint32_t crl_shards;	    /* 1..65536 */
	bool self_approval;	    /* requester and approver may be one */
	/*
	 * When its whole chain is valid; both 0: whenever. Outside of it
	 * nothing is decided (503 CA_EXPIRED, CA_NOT_YET_VALID).
	 */
	int64_t not_before_s, not_after_s;
	bool hold_no_policy; /* hold what no policy matches */
	/*
	 * What the files say was done about this CA certificate for good. A
	 * start records what it finds anew; where the log knows of more than
	 * the files say, it fails.
	 */
	bool is_retired;  /* it signs no certificates any more */
	bool key_is_gone; /* its key is destroyed: no CRLs any more */
};

struct cs_ledger_worker {
	unsigned number;
	int fd;
};

struct cs_ledger_config {
	const char *dir;    /* the installation; ledger.db stands in it */
	const char *vfs;    /* SQLite VFS; NULL: its default */
	uint32_t max_pages; /* of the database; 0: no bound */
	int log_key_fd;	    /* PEM of the log's key; closed at start */
	struct cs_clock clock;
	struct cs_log *log; /* borrowed */

	/* Links; the ledger owns them. */
	int parent_fd;
	int front_fd;
	int reader_fd;
	int signer_fd;
	const int *signer_fds; /* instead of it, when there are several */
	size_t signer_fds_n;
	const struct cs_ledger_worker *workers;
	size_t workers_n;

	const struct cs_ledger_issuer *issuers;
	size_t issuers_n;
	/* Generations before those, oldest first; they get their rows. */
	const struct cs_ledger_issuer *older;
	size_t older_n;

	const char *engine;	      /* "countersign 0.1.0" */
	const uint8_t *config_sha256; /* 32 octets; NULL: not recorded */
	uint32_t pending_quota;	      /* open requests of a client; 0: 1000 */
	int64_t pending_ttl_ms; /* until a pending one expires; 0: 7 days */
	/*
	 * For how long a CRL is in force (0: 7 days), and how long after it
	 * the next one is signed at the latest (0: a day).
	 */
	int64_t crl_validity_s, crl_refresh_s;
};

/* Runs until the house stops; the process's exit status (0 or 75). */
int cs_ledger_run(const struct cs_ledger_config *config);

/*
 * The same on a loop of the caller's: for tests. A new ledger has recovered,
 * has said READY, and works as the loop turns; it stops the loop when it is
 * done. Freeing it without that is what a crash leaves behind.
 */
struct cs_ledger;
void cs_ledger_free(struct cs_ledger *l);
struct cs_ledger *cs_ledger_new(struct cs_loop *loop,
				const struct cs_ledger_config *config,
				struct cs_error *err) CS_MUST_USE;

#endif
