/*
 * The HTTP server of the front process: listeners, connections, deadlines.
 * It turns bytes from strangers into struct cs_http_request, and answers
 * into bytes. It knows no route, no client and no JSON.
 *
 * Lifecycle: _new with listening sockets that somebody else bound; then
 * on_request for each request; cs_http_reply() for each, at once or later,
 * exactly once; _drain to finish; on_drained; _free. Everything runs on the
 * one loop and thread. Callbacks may call any function here but _free.
 *
 * A request is named by its ticket. Tickets are never used twice by one
 * server. When the connection dies before the reply (the peer has gone, or
 * the drain's time is up), on_gone is called once with the ticket; a reply
 * to such a ticket, or a second reply, does nothing. on_gone is not called
 * for requests that were replied to, and not from inside cs_http_reply().
 *
 * When all places are taken, the peer that has been idle longest makes room
 * for the next; if nobody is idle, the one that has been there longest
 * without a whole request, once its grace is over. So a peer that is slow on
 * purpose keeps nobody out, and one that works is never dropped.
 *
 * Connections without TLS are a quarter of all at most: strangers who ask
 * what is public do not crowd out clients.
 *
 * One request of a connection is in flight at a time; nothing behind it is
 * parsed before its reply. Deadlines are absolute: a byte now and then buys
 * no time. A malformed, oversize or late request is answered here, with a
 * problem of its own (RFC 9457), and its connection is closed.
 *
 * SIGPIPE is set to be ignored by _new: a peer that closes is an ordinary
 * error of a write.
 *
 * What it does not check: rights, routes, media types, rates of requests.
 */
#ifndef CS_API_SERVER_H
#define CS_API_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/http_call.h"
#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"

struct cs_http_server;
struct cs_loop;
struct cs_tls;

enum cs_http_listen_kind {
	CS_HTTP_LISTEN_TLS,   /* TCP; each connection begins with TLS */
	CS_HTTP_LISTEN_LOCAL, /* Unix stream socket; no TLS */
	CS_HTTP_LISTEN_PLAIN, /* TCP without TLS: for what is public */
	CS_HTTP_LISTEN_KINDS
};

/* A bound and listening stream socket. */
struct cs_http_listen {
	int fd;
	enum cs_http_listen_kind kind;
};

/* Milliseconds and counts; cs_http_limits_default() has the real ones. */
struct cs_http_limits {
	uint32_t handshake_ms; /* TLS handshake, from accept */
	uint32_t head_ms;      /* a head, from its first byte; the first one
				  from the handshake's end */
	uint32_t body_ms;      /* a body, from its head's end */
	uint32_t reply_ms;     /* until the peer took the whole answer */
	uint32_t idle_ms;      /* between requests */
	uint32_t linger_ms;    /* reading away what comes after the last
				  answer, so that it is not lost to a reset */
	uint32_t drain_ms;     /* cs_http_server_drain(), in all */
	uint32_t grace_ms;     /* a peer without a request yet is not
				  dropped for another one before this */
	uint32_t max_connections;
	uint32_t max_per_address; /* TCP; IPv6 by /64 */
	uint32_t max_requests;	  /* of one connection */
};

struct cs_http_limits cs_http_limits_default(void);

struct cs_http_server_config {
	struct cs_loop *loop; /* borrowed; outlives the server */
	struct cs_clock clock;
	/* Copied; the descriptors are owned by the server from _new on,
	   also when _new fails. */
	const struct cs_http_listen *listens;
	size_t listens_n;
	/* Taken by _new, also when it fails. NULL: TLS listeners accept and
	   close until cs_http_server_set_tls(). */
	struct cs_tls *tls;
	struct cs_http_limits limits;
	void (*on_request)(void *ctx, const struct cs_http_request *request);
	void (*on_gone)(void *ctx, uint64_t ticket);
	void (*on_drained)(void *ctx); /* may be NULL */
	/* A handshake failed for what the peer showed as its certificate;
	   NULL: nobody wants to know. */
	void (*on_bad_certificate)(void *ctx, const struct cs_http_peer *peer);
	void *ctx;
};

/* Counters since _new, for the metrics page; `open` is the present. */
struct cs_http_stats {
	uint64_t open;
	uint64_t accepted;
	uint64_t over_cap;	   /* closed: max_connections, no memory */
	uint64_t dropped;	   /* closed to make room for another */
	uint64_t over_address_cap; /* closed: max_per_address */
	uint64_t no_descriptor;	   /* closed: EMFILE or ENFILE */
	uint64_t tls_failed;	   /* handshakes that failed or were late */
	uint64_t requests;	   /* given to on_request */
	uint64_t refused;	   /* answered here: malformed or late */
	uint64_t timed_out;	   /* connections cut by a deadline */
	uint64_t gone;		   /* died with a request in flight */
};

/* Begins to accept when the loop runs. Errors: ARGUMENT, IO, NO_MEMORY. */
struct cs_http_server *cs_http_server_new(
	const struct cs_http_server_config *config,
	struct cs_error *err) CS_MUST_USE;

/* Closes whatever is open, without a callback. NULL is allowed. */
void cs_http_server_free(struct cs_http_server *server);

/* For connections accepted from now on. Takes tls (not NULL). */
void cs_http_server_set_tls(struct cs_http_server *server, struct cs_tls *tls);

/*
 * Answer a ticket. An answer that cannot be sent as it is (a header's value
 * with a control character, a body above the maximum, no memory) becomes a
 * 500 that closes, or the end of the connection.
 */
void cs_http_reply(struct cs_http_server *server, uint64_t ticket,
		   const struct cs_http_answer *answer);

/*
 * Stop accepting and close the listening sockets; close idle connections;
 * let requests finish, each with Connection: close; after limits.drain_ms
 * cut what is left (on_gone where a request is in flight). on_drained is
 * called once, from the loop, when no connection is left.
 */
void cs_http_server_drain(struct cs_http_server *server);

/* Who waits for the answer to a ticket; NULL: nobody any more. Borrowed. */
const struct cs_http_peer *cs_http_server_peer(
	const struct cs_http_server *server, uint64_t ticket);

struct cs_http_stats cs_http_server_stats(const struct cs_http_server *server);

#endif
