/*
 * The state inside the HTTP server, shared by its files and seen by nobody
 * else. They call downwards alone:
 *
 *	server.c	the object, its timers, its drain
 *	listener	who may come in
 *	http_conn	one connection
 *	http_places	slots, addresses, queues
 *	server_errands	the time, and what is done later
 *
 * Ownership: the server owns its connections by slot. A connection that
 * ends is taken out of its slot and buried at once (descriptor closed, no
 * event left) and released when the loop is back at the top, so every
 * function here may end any connection, its own included, and go on
 * reading it until it returns.
 */
#ifndef CS_API_SERVER_PARTS_H
#define CS_API_SERVER_PARTS_H

#include "api/http_parse.h"
#include "api/http_write.h"
#include "api/server.h"
#include "api/stream.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/loop.h"

/* Where a connection is; moved by http_conn.c alone (api/http_conn.h). */
enum cs_http_state {
	CS_HTTP_STATE_HANDSHAKE,
	CS_HTTP_STATE_IDLE,
	CS_HTTP_STATE_HEAD,
	CS_HTTP_STATE_BODY,
	CS_HTTP_STATE_FLIGHT,
	CS_HTTP_STATE_REPLY,
	CS_HTTP_STATE_LINGER,
	CS_HTTP_STATE_BURIED,
	CS_HTTP_STATES
};

/* Connections that may be dropped to make room, in the order they came. */
struct cs_http_queue {
	struct cs_http_conn *oldest;
	struct cs_http_conn *newest;
};

/* Connections of one address (IPv6: of one /64). */
struct cs_http_address {
	struct cs_http_address *next; /* in its bucket */
	uint8_t key[16];
	uint32_t count;
};

#define CS_HTTP_BUCKETS 1024

struct cs_http_conn {
	struct cs_http_server *server; /* borrowed */
	struct cs_http_conn *next_buried;
	struct cs_http_conn *next_resumed;
	struct cs_http_conn *next_shaking;
	struct cs_http_address *address; /* counted; NULL: local */
	struct cs_http_queue *queue;	 /* it stands in; NULL: in none */
	struct cs_http_conn *older, *newer;
	int64_t since; /* boot clock, ms: when it joined that queue */
	enum cs_http_listen_kind kind;
	uint16_t slot;
	uint64_t id;
	uint64_t ticket; /* of the request in flight; 0: none */
	enum cs_http_state state;
	int64_t deadline; /* boot clock, ms; INT64_MAX: none */
	struct cs_stream stream;
	struct cs_watch *readable;
	struct cs_watch *writable; /* NULL until it is needed */
	bool reads, writes;	   /* which watches are enabled */
	bool wants_write;	   /* TLS reads on only after a write */
	bool muted;	/* in flight, bytes wait: do not watch for more */
	bool pumping;	/* cs_http_conn_pump() is on the stack */
	bool closes;	/* after the answer under way */
	bool resumes;	/* is in the server's list */
	bool shakes;	/* is in the server's other list */
	uint32_t count; /* requests so far */
	size_t wasted;	/* bytes discarded while lingering */
	struct cs_buf in;
	struct cs_buf out;
	size_t sent;		     /* of out */
	struct cs_http_body *shared; /* what follows it; our reference */
	size_t shared_sent;
	struct cs_http_parser parser;
	struct cs_http_head head;
	struct cs_http_request request;
	struct cs_http_peer peer;
};

/* One listening socket. */
struct cs_http_door {
	struct cs_http_server *server;
	int fd; /* owned */
	enum cs_http_listen_kind kind;
	struct cs_watch *watch;
};

struct cs_http_server {
	struct cs_http_server_config config; /* listens: not kept */
	struct cs_tls *tls;
	struct cs_http_door doors[CS_MAX_HTTP_LISTENS];
	size_t doors_n;
	int reserve_fd;		  /* given up for an accept at EMFILE */
	struct cs_timer *reopen;  /* doors, after EMFILE */
	struct cs_timer *sweep;	  /* deadlines */
	struct cs_timer *errands; /* resumed and buried, from the loop */
	struct cs_timer *shakes;  /* handshakes, a few at a time */
	struct cs_timer *drain;
	uint32_t sweep_ms;
	uint32_t sweep_at; /* the slot where it goes on */
	bool sweeping;	   /* the timer runs */
	bool draining;
	bool drained; /* on_drained was called */
	/* By enum cs_http_listen_kind: between requests; before the first. */
	struct cs_http_queue idle[CS_HTTP_LISTEN_KINDS];
	struct cs_http_queue newcomers[CS_HTTP_LISTEN_KINDS];
	struct cs_http_conn **slots; /* slots_n, NULL: free */
	uint16_t *free_slots;	     /* a stack of free_n */
	uint32_t slots_n;
	uint32_t free_n;
	uint32_t open_tcp;   /* of stats.open */
	uint32_t open_plain; /* of open_tcp */
	struct cs_http_conn *buried;
	struct cs_http_conn *resumed;
	struct cs_http_conn *shaking, *shaking_last;
	struct cs_http_address *buckets[CS_HTTP_BUCKETS];
	uint64_t last_id;
	struct cs_http_stats stats;
	int64_t date_s;
	char date[CS_HTTP_DATE];
};

#endif
