/*
 * A worker: the process that parses strangers' DER and runs policy. It holds
 * three links and the policy set in force; no key, no file, no database.
 *
 *   SET      from the ledger: the set in force; the old one stays when the
 *            new one does not load
 *   REQUEST  from front: judged (issuer/judge.h), then INTENT or REFUSAL to
 *            the ledger with the same ticket
 *   EPOCH    from front: judge what follows under that set or a later one
 *   CHECK    from front: load a candidate; where only a report was asked,
 *            CHECKED back to front; where it is to be applied, APPLY to the
 *            ledger, whether it loaded or not: the ledger records it and
 *            tells front
 *   EVALUATE from front: judge a request without a trace, maybe by a set that
 *            comes along; EVALUATED back to front
 *
 * A request that comes before the SET it needs waits for it. Any link that ends
 * ends the process: with 0 when front or ledger closed theirs, as they do in
 * an orderly stop, else with 75. A request that cannot be judged at all (no
 * memory, OpenSSL failed, a malformed message) ends it too: front sends it to
 * another worker, once. READY goes to parent at once.
 */
#ifndef CS_ISSUER_WORKER_H
#define CS_ISSUER_WORKER_H

#include "base/log.h"
#include "issuer/judge.h"

struct cs_worker_config {
	unsigned number;
	int parent_fd; /* links; the worker owns them */
	int front_fd;
	int ledger_fd;
	const struct cs_judge_issuer *issuers; /* inherited, borrowed */
	size_t issuers_n;
	struct cs_clock clock;
	struct cs_log *log; /* inherited, borrowed */
};

/* Runs until the end; returns the process's exit status. */
int cs_worker_run(const struct cs_worker_config *config);

#endif
