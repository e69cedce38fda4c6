/*
 * An HTTP server and its peers in one thread, for tests: the server's loop
 * turns whenever a peer waits. Peers are raw sockets, or OpenSSL's client
 * over one, so that they can misbehave.
 *
 * Everything asserts; nothing here returns an error.
 */
#ifndef CS_TESTS_LIB_HTTP_PEERS_H
#define CS_TESTS_LIB_HTTP_PEERS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/server.h"
#include "base/buf.h"
#include "base/loop.h"

#define HELD_MAX 256

/* The house: a server with one TLS, one local and one plain listener. */
struct house {
	struct cs_loop *loop;
	struct cs_http_server *server;
	char path[64]; /* of the Unix socket */
	uint16_t port, plain_port;
	/* What the owner does: answer at once, or keep the tickets. */
	bool holds;
	struct cs_http_answer answer; /* what is answered at once */
	/* What it saw. */
	uint64_t held[HELD_MAX];
	unsigned requests;
	unsigned gone;
	unsigned drained;
	bool replying; /* cs_http_reply() is on the stack */
	uint64_t last_gone;
	uint64_t connection;
	struct cs_http_peer peer;
	enum cs_http_method method;
	struct cs_buf path_seen; /* paths, each behind a space */
	struct cs_buf body_seen;
};

/* Short deadlines: 200 ms each, 400 for a whole body, 100 for lingering. */
struct cs_http_limits quick_limits(void);

void house_open(struct house *h, struct cs_http_limits limits);
void house_close(struct house *h);
/* One pass of the loop, waiting at most some milliseconds. */
void house_turn(struct house *h);
/* Turn for so long. */
void house_turn_ms(struct house *h, int64_t ms);
/* Answer a held ticket with 200 and this text. */
void house_reply(struct house *h, uint64_t ticket, const char *text);

/* A fresh EC key and a certificate for it, as PEM. */
void make_credential(const char *name, struct cs_buf *chain,
		     struct cs_buf *key);
struct cs_tls *make_tls(const char *name);

struct peer {
	int fd;
	SSL *ssl;
	bool ended;  /* the server closed, in whatever way */
	bool proper; /* with FIN, and close_notify where there is TLS */
	struct cs_buf got;
};

void peer_local(struct peer *p, struct house *h);
/* TCP, and nothing said yet. */
void peer_tcp(struct peer *p, struct house *h);
/* TCP without TLS. */
void peer_plain(struct peer *p, struct house *h);
/* A TLS handshake; returns whether it succeeded. ctx may be NULL. */
bool peer_tls(struct peer *p, struct house *h, SSL_CTX *ctx);
void peer_close(struct peer *p);
/* Send all of it. Returns false when the server no longer takes it. */
bool peer_send(struct peer *p, struct house *h, const char *text);
bool peer_send_bytes(struct peer *p, struct house *h, struct cs_span bytes);
/* Turn until n answers are here, or the end; returns how many. */
unsigned peer_answers(struct peer *p, struct house *h, unsigned n);
/* Turn until the server closes, at most some seconds. */
void peer_await_end(struct peer *p, struct house *h);
/* Turn until so many requests have reached the owner. */
void await_requests(struct house *h, unsigned n);
/* Is this text among what was received? */
bool peer_got(struct peer *p, const char *text);

#endif
