/*
 * What front's files share (api/front.h). Nobody else includes this.
 *
 *	front_life.h	the room's life
 *	front_reply.h	what is said to clients
 *	front_refusal.h	refusals, told to the ledger
 *	front_ask.h	waits and questions
 *	front.c		start and end, links
 *	front_http.c	a request comes in: route, who is it
 *	front_flights.h	REQUESTs out, and DRIVE
 *	front_checks.h	policies at a worker
 *	front_house_tell.h, front_house_ask.h
 *			the house's own certificates
 *	front_answer.h	ANSWERs in
 *	front_workers.h	workers' links
 *	front_request.c	submit, approve, deny
 *	front_read.c	questions to the reader
 *	front_look.c	an approver looks at what would become of a request
 *	front_ocsp.c	OCSP, for strangers
 *	front_log.c	the log for a verifier: proofs, checkpoint, tiles
 *	front_list.c	lists, their forms, and waiting for what comes
 *	front_admin.c	clock, health, status
 *	front_revoke.c	revoking a certificate
 *	front_crl.c	CRLs
 *	front_clients.c	clients and their credentials
 *	front_policy.c	policy sets
 *	front_evaluate.c	what would become of a request
 *	front_metrics.c	/metrics
 *
 * A handler gets a struct cs_call and either answers it (or arranges that
 * somebody will) and returns true, or returns false with the problem set.
 */
#ifndef CS_API_FRONT_ROOM_H
#define CS_API_FRONT_ROOM_H

#include "api/answer.h"
#include "api/auth.h"
#include "api/clients.h"
#include "api/front.h"
#include "api/inflight.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/waits.h"
#include "base/ipc.h"
#include "base/limits.h"
#include "base/loop.h"
#include "base/metrics.h"

/* Moved by front_life.c alone. */
enum cs_front_life {
	CS_FRONT_STARTING, /* no client table, or no STATE yet */
	CS_FRONT_SERVING,
	CS_FRONT_STOPPING, /* finishing what is under way */
	CS_FRONT_STOPPED,
	CS_FRONT_LIVES
};

/* A worker's link; the array's index is its number. */
struct cs_front_worker {
	struct cs_front *front;
	struct cs_link *link; /* NULL: there is none */
	unsigned number;
	uint64_t epoch; /* that it was told to judge under; 0: none */
};

/* The ledger's last STATE. */
struct cs_front_state {
	bool known;
	enum cs_ledger_state state;
	char reason[CS_ERROR_MAX];
	uint64_t tree_size;
	uint64_t epoch;
	uint8_t set_sha256[32];
};

/* What parent wants a certificate for; kept until it can be asked for. */
struct cs_front_house {
	bool wanted;
	uint64_t ticket; /* parent's */
	struct cs_buf source;
	struct cs_buf issuer;
	struct cs_buf csr;
	unsigned tries;
};

/* An encoded REQUEST that waits for a slot. */
struct cs_front_driven {
	uint8_t *p; /* owned */
	size_t n;
};

/* Statuses of OCSP responses: 0 to 6. */
#define CS_FRONT_OCSP_STATUSES 7

/* HTTP statuses that are counted. */
#define CS_FRONT_STATUSES 600

/* What front counts, and the ledger's part of /metrics. */
struct cs_front_metrics {
	uint64_t responses[CS_FRONT_STATUSES];
	uint64_t worker_deaths;
	uint64_t auth_refusals;
	struct cs_histogram request_time;
	struct cs_histogram question_time; /* as the reader says */
	uint64_t questions_failed;
	int64_t start_ms; /* wall clock */
	int64_t listener_not_after_s;
	/* OCSP, by status (RFC 6960 4.2.1), and what was said. */
	uint64_t ocsp_responses[CS_FRONT_OCSP_STATUSES];
	uint64_t ocsp_good, ocsp_revoked, ocsp_unknown;
	struct cs_buf ledger;
	int64_t ledger_ms; /* boot clock of its coming; 0: never */
};

struct cs_front {
	struct cs_front_config config;
	struct cs_loop *loop; /* borrowed */
	enum cs_front_life life;

	struct cs_link *parent, *ledger, *reader;
	struct cs_front_worker workers[CS_MAX_WORKERS];

	struct cs_http_server *server; /* NULL: nothing to listen at */
	bool drained;
	struct cs_timer *drain;
	struct cs_timer *retry; /* the next try of `house` */
	struct cs_timer *tails; /* the next look at polls that wait */

	struct cs_hash *hash;
	struct cs_auth *auth;
	struct cs_clients *clients; /* NULL: not yet */
	struct cs_revoked *revoked; /* certificates; whole before `clients` */
	struct cs_front_state state;
	struct cs_inflight *inflight;
	uint64_t epoch; /* the latest that a REJUDGE named */
	struct cs_waits *waits;
	struct cs_front_house house;
	/* When an issuer's OCSP responder ends, as the reader told; 0: none. */
	int64_t responder_not_after_s[CS_MAX_ISSUERS];

	/* DRIVE'd requests that wait for a slot: a ring. */
	struct cs_front_driven driven[CS_MAX_DRIVEN];
	size_t driven_first, driven_n;

	struct cs_crl_cache *crls; /* owned */
	struct cs_front_metrics metrics;
	struct cs_arena arena; /* of the call at hand */
	struct cs_buf out;     /* the body or message at hand */
	struct cs_buf view;    /* issuers that the call's client sees */
};

/* One HTTP request on its way to a handler. */
struct cs_call {
	uint64_t ticket;
	const struct cs_http_request *request;
	struct cs_span arg;  /* what the path named */
	struct cs_span arg2; /* and behind that */
	struct cs_principal who;
	struct cs_problem *p;
};

/* -- front_http.c ------------------------------------------------------- */

void cs_front_on_request(void *ctx, const struct cs_http_request *request);
void cs_front_on_gone(void *ctx, uint64_t ticket);

/* -- handlers ----------------------------------------------------------- */

bool cs_front_submit(struct cs_front *f, struct cs_call *c);
bool cs_front_approve(struct cs_front *f, struct cs_call *c);
bool cs_front_deny(struct cs_front *f, struct cs_call *c);
/* The reader brought the stored request. */
void cs_front_decide(struct cs_front *f, struct cs_wait *w,
		     struct cs_span stored);

/*
 * front_list.c: a page of a list has come; true: the poll waits on, and so
 * does its wait. _tails_look: ask again for those behind which the log has
 * grown, and end those whose time is up; a timer's. _tails_end: all of them,
 * with an empty page.
 */
bool cs_front_list_page(struct cs_front *f, struct cs_wait *w,
			struct cs_span page) CS_MUST_USE;
void cs_front_tails_look(void *front);
void cs_front_tails_end(struct cs_front *f);

bool cs_front_get_request(struct cs_front *f, struct cs_call *c);
bool cs_front_list_requests(struct cs_front *f, struct cs_call *c);
bool cs_front_get_certificate(struct cs_front *f, struct cs_call *c);
bool cs_front_list_certificates(struct cs_front *f, struct cs_call *c);
bool cs_front_list_history(struct cs_front *f, struct cs_call *c);
bool cs_front_list_audit(struct cs_front *f, struct cs_call *c);
bool cs_front_get_audit(struct cs_front *f, struct cs_call *c);
bool cs_front_get_proof(struct cs_front *f, struct cs_call *c);
bool cs_front_get_checkpoint(struct cs_front *f, struct cs_call *c);
bool cs_front_get_tile(struct cs_front *f, struct cs_call *c);
bool cs_front_get_entries(struct cs_front *f, struct cs_call *c);
bool cs_front_get_policies(struct cs_front *f, struct cs_call *c);
bool cs_front_get_policy_set(struct cs_front *f, struct cs_call *c);
bool cs_front_evaluate(struct cs_front *f, struct cs_call *c);
bool cs_front_get_status(struct cs_front *f, struct cs_call *c);
bool cs_front_get_metrics(struct cs_front *f, struct cs_call *c);
void cs_front_page(struct cs_front *f, uint64_t ticket,
		   const struct cs_msg_page *m);

bool cs_front_healthz(struct cs_front *f, struct cs_call *c);
bool cs_front_readyz(struct cs_front *f, struct cs_call *c);
bool cs_front_get_openapi(struct cs_front *f, struct cs_call *c);
/* front_crl.c */
bool cs_front_get_crl(struct cs_front *f, struct cs_call *c);
bool cs_front_list_crls(struct cs_front *f, struct cs_call *c);
bool cs_front_publish_crls(struct cs_front *f, struct cs_call *c);
/* The reader said which CRL is the last one. */
void cs_front_reply_crl(struct cs_front *f, const struct cs_wait *w,
			struct cs_span page);

bool cs_front_list_issuers(struct cs_front *f, struct cs_call *c);
bool cs_front_get_issuer(struct cs_front *f, struct cs_call *c);
/* The reader said what is recorded of the issuers. */
void cs_front_reply_issuers(struct cs_front *f, const struct cs_wait *w,
			    struct cs_span recorded);
bool cs_front_get_chain(struct cs_front *f, struct cs_call *c);
bool cs_front_list_clients(struct cs_front *f, struct cs_call *c);
bool cs_front_add_client(struct cs_front *f, struct cs_call *c);
bool cs_front_remove_client(struct cs_front *f, struct cs_call *c);
bool cs_front_add_token(struct cs_front *f, struct cs_call *c);
bool cs_front_add_certificate(struct cs_front *f, struct cs_call *c);
bool cs_front_revoke_credential(struct cs_front *f, struct cs_call *c);
/* The token that was made, which nobody will see again. */
void cs_front_reply_token(struct cs_front *f, const struct cs_wait *w,
			  struct cs_span change);
bool cs_front_revoke(struct cs_front *f, struct cs_call *c);
bool cs_front_accept_clock(struct cs_front *f, struct cs_call *c);
bool cs_front_backup(struct cs_front *f, struct cs_call *c);
void cs_front_reply_status(struct cs_front *f, uint64_t ticket,
			   struct cs_span reader);
void cs_front_admin_done(struct cs_front *f, uint64_t ticket,
			 const struct cs_msg_admin_done *m);

/* front_ocsp.c */
bool cs_front_post_ocsp(struct cs_front *f, struct cs_call *c);
bool cs_front_get_ocsp(struct cs_front *f, struct cs_call *c);
void cs_front_ocsp_answer(struct cs_front *f, uint64_t ticket,
			  const struct cs_msg_ocsp_answer *m);
void cs_front_ocsp_responder(struct cs_front *f,
			     const struct cs_msg_ocsp_responder *m);
void cs_front_ocsp_metrics(const struct cs_front *f, struct cs_buf *out);

void cs_front_metrics_take(struct cs_front *f, struct cs_span text);
/* Does the peer's address suffice for /metrics? */
bool cs_front_may_scrape(const struct cs_front *f,
			 const struct cs_http_peer *peer);

bool cs_front_apply_policies(struct cs_front *f, struct cs_call *c);
bool cs_front_policy_files(struct cs_front *f, uint64_t ticket,
			   const struct cs_msg_policy_files *m,
			   struct cs_error *err) CS_MUST_USE;
void cs_front_evaluated(struct cs_front *f, uint64_t ticket,
			const struct cs_msg_evaluated *m);
void cs_front_checked(struct cs_front *f, uint64_t ticket,
		      const struct cs_msg_checked *m);
void cs_front_policy_done(struct cs_front *f, struct cs_wait *w,
			  const struct cs_msg_admin_done *m);

#endif
