/*
 * Front's room (api/front.h): its state, and nothing that is done with it.
 * Only front's own files include this. They stand in storeys, and call
 * downwards alone; on one storey, never round about:
 *
 *	front.c		the room is opened and closed
 *	front_http	a client's call: route, who is it, handler
 *	front_ledger, front_reader, front_parent, front_workers
 *			what the other rooms say
 *	front_answer	what becomes of a flight
 *	front_request, _read, _look, _list, _log, _crl, _ocsp, _issuers,
 *	_revoke, _clients, _admin, _policy, _evaluate, _metrics, _house_ask
 *			the subjects: handlers, and what the answers mean
 *	front_flights, front_checks
 *			REQUESTs, and policies, on their way over workers
 *	front_ask, front_refusal, front_house_tell, front_reply, front_life
 *			what all of them need; these know the state alone
 *
 * What a lower one starts and a higher one goes on with is in the state: a
 * wait (api/waits.h), a flight (api/inflight.h), a timer whose callback
 * front.c gave.
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

#endif
