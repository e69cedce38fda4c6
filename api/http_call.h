/*
 * One request and its answer, as values: who is at the other end, what came,
 * what goes. Whoever serves gives the first two (api/server.h) and takes the
 * third; whoever handles needs to know no more of HTTP than this.
 *
 * All of it is borrowed. Nothing here is judged: not the peer's certificate,
 * not a media type, not a right.
 */
#ifndef CS_API_HTTP_CALL_H
#define CS_API_HTTP_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/http_parse.h"
#include "base/span.h"

struct cs_http_body;
struct cs_peer_cert;

/* Who is at the other end. */
struct cs_http_peer {
	bool is_local;	    /* came over the Unix socket */
	bool is_clear_text; /* came over TCP without TLS */
	uint32_t uid;	    /* SO_PEERCRED, local only; else UINT32_MAX */
	uint32_t gid;	    /* likewise */
	int32_t pid;	    /* likewise; else 0. May be another's by now */
	char address[56]; /* "192.0.2.7:4711", "[2001:db8::1]:4711", "local" */
	/* What it showed in its TLS handshake, judged by nobody yet; NULL:
	   nothing. The connection's, also where it is not const. */
	struct cs_peer_cert *cert;
};

/*
 * One request. It and all its spans are valid until the ticket's reply or
 * on_gone. HEAD arrives as such; answer as to GET: the body is left out
 * here.
 */
struct cs_http_request {
	uint64_t ticket;
	uint64_t connection; /* id; never used twice by one server */
	const struct cs_http_peer *peer;
	const struct cs_http_head *head;
	struct cs_span body;
};

/* One more header of an answer: a literal name, a value. */
struct cs_http_header {
	const char *name;
	struct cs_span value;
};

/*
 * An answer. Content-Length, Connection, Date, Cache-Control (no-store unless
 * it says else) and X-Content-Type-Options: nosniff are added here. All of it
 * is copied before cs_http_reply() returns, but for a shared body, of which
 * the connection keeps a reference while it sends.
 */
struct cs_http_answer {
	int status;		     /* 200..599 */
	const char *content_type;    /* NULL: none */
	struct cs_span body;	     /* at most CS_MAX_HTTP_ANSWER; none with
					204 and 304 */
	struct cs_http_body *shared; /* instead of it, and of any size;
					borrowed */
	const struct cs_http_header *headers;
	size_t headers_n;
	bool close;		   /* end the connection after it */
	const char *cache_control; /* NULL: no-store */
};

#endif
