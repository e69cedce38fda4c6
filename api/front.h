/*
 * Front: the process that talks to strangers, and the only driver.
 *
 * It terminates TLS and HTTP, knows who is asking (api/auth.h), turns what
 * was asked into a REQUEST for a worker (api/submit.h), keeps that until the
 * ledger's ANSWER, and renders it (api/answer.h). It holds no CA key and no
 * database, and never looks into a CSR.
 *
 * It answers READY once its links are open and the ledger's client table and
 * first STATE have come; it stops at STOP (what is under way is finished,
 * for at most drain_ms) and when a link other than a worker's closes.
 *
 * What front says to the other rooms in JSON (canonical, members only where
 * they apply):
 *
 * CLIENT_CHANGE.change, to the ledger:
 *	{"credential": {"digest": hex, "expires_ms": n?, "kind": "token",
 *	  "token_id": hex}, "groups": [..], "issuers": [..], "name": "gw",
 *	 "namespaces": [..], "op": "add", "realm": "prod", "rights": [..]}
 *	{"name": "gw", "op": "remove"}
 *   Empty lists of issuers and namespaces mean all. ADMIN_DONE comes after
 *   the CLIENT_TABLE that shows the change; front adds the token to what its
 *   body says.
 *
 * AUTH_REFUSED.what, to the ledger, at most one in six seconds:
 *	{"address": "192.0.2.1", "client": name?, "code": "BAD_TOKEN",
 *	 "path": "/v1/requests", "suppressed": n?, "uid": n?}
 *
 * QUERY.params, to the reader; QUERY.client limits requests, certificates
 * and audit entries to those that client submitted (0: no limit):
 *   by kind as store/query.h has them; what a list's parameters are called
 *   over HTTP stands in api/params.c. PAGE.body is the answer's JSON, but for
 *   REQUEST an encoded ANSWER, for STORED an encoded REQUEST as DRIVE carries
 *   it, for CHECKPOINT, TILE and ENTRIES what HTTP gives as it is.
 *
 *   A list is given as JSON, NDJSON or CSV (api/list_form.h). A poll of the
 *   audit log (`after` and `wait`) that finds nothing is kept, asked again
 *   when STATE says that the log has grown, and ends with its client, its
 *   time, or the house; polls have places of their own (CS_MAX_POLLS).
 *   CERTIFICATE's JSON has "certificate": PEM, the leaf first. PAGE with
 *   found = 0 and a code is a refused question (BAD_CURSOR: 400, NOT_FOUND
 *   or no code: 404).
 */
#ifndef CS_API_FRONT_H
#define CS_API_FRONT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "api/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/net.h"
#include "base/span.h"

/* What front has to know of an issuer. All borrowed. */
struct cs_front_issuer {
	const char *name;
	bool self_approval;   /* requester and approver may be one */
	bool ocsp;	      /* it answers OCSP */
	bool is_retired;      /* it signs no certificates any more */
	struct cs_span chain; /* PEM: the issuer's certificate, intermediates */
	struct cs_span ca;    /* PEM of the root; may be empty */
	struct cs_span about; /* JSON of what is public (api/issuers.h) */
};

struct cs_front_config {
	struct cs_clock clock;
	struct cs_log *log; /* borrowed */

	/* Links; front owns them. */
	int parent_fd;
	int ledger_fd;
	int reader_fd;

	/* Listening sockets; front owns the descriptors. 0 at init. */
	const struct cs_http_listen *listens;
	size_t listens_n;
	uint32_t max_connections; /* 0: the default */
	uint32_t max_per_address; /* likewise */
	/* PEM of the listener's key and chain; closed at start; -1: none. */
	int tls_key_fd;
	int tls_chain_fd;

	const struct cs_front_issuer *issuers; /* borrowed */
	size_t issuers_n;
	bool policy_by_api; /* sets come with POST /v1/policies, not files */
	const uid_t *admin_uids; /* who is `_local` on the Unix socket */
	size_t admin_uids_n;
	/* Who may read /metrics without a credential. Borrowed. */
	const struct cs_net *scrapers;
	size_t scrapers_n;
};

/* Runs until the house stops; the process's exit status (0 or 75). */
int cs_front_run(const struct cs_front_config *config);

/*
 * The same on a loop of the caller's: for tests. It stops the loop when it
 * is done.
 */
struct cs_front;
void cs_front_free(struct cs_front *f);
struct cs_front *cs_front_new(struct cs_loop *loop,
			      const struct cs_front_config *config,
			      struct cs_error *err) CS_MUST_USE;

#endif
