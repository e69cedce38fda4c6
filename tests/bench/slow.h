/*
 * Slow and greedy clients by the thousand, and a good one beside them.
 *
 * A crowd is peers on one epoll loop; each comes from one of many loopback
 * addresses, so that the server's cap for one address does not stop it. The
 * good client is a process of its own: the crowd's work is not in its times.
 */
#ifndef CS_TESTS_BENCH_SLOW_H
#define CS_TESTS_BENCH_SLOW_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

CS_OWNS_BANNED

#define NS_S 1000000000LL

enum peer_kind {
	PEER_SILENT, /* TCP, and not a byte */
	PEER_HELLO,  /* one octet of a ClientHello a second */
	PEER_HEAD,   /* TLS, and one octet of a head a second */
	PEER_SHAKE   /* TLS, and gone again */
};

struct peer {
	int fd; /* -1: closed */
	enum peer_kind kind;
	SSL *ssl;
	bool shaken;
	int64_t since; /* ns: connected, or its handshake's end */
	int64_t next;  /* ns: when its next octet is due */
	size_t sent;   /* octets of its slow message */
};

struct crowd {
	const char *host;
	int port;
	SSL_CTX *ctx;
	struct peer *peers;
	size_t n;
	int epoll;
	/* what came of it */
	size_t open, open_max;	    /* of which TLS is up, where it is to be */
	size_t shaking;		    /* handshakes under way */
	size_t opened;		    /* in all */
	size_t cut;		    /* by the server, after they were up */
	size_t refused;		    /* before: no place, or reset */
	int64_t life_min, life_max; /* ns, of those that were cut */
};

/* So many places for peers of this server; none is open. */
void crowd_init(struct crowd *c, const char *host, int port, size_t n);
void crowd_done(struct crowd *c);
/* Fill place i with a new peer. */
void crowd_open(struct crowd *c, size_t i, enum peer_kind kind);
/* Close place i from our side. */
void crowd_close(struct crowd *c, size_t i);
/* Send what is due, notice what the server did, for at most so long. */
void crowd_turn(struct crowd *c, int64_t ns);

/* What the good client saw. It is in shared memory. */
#define GOOD_MAX 65536
struct good {
	volatile bool stop;
	volatile bool failed;
	char why[160];
	size_t issued_n, fresh_n;
	int64_t issued[GOOD_MAX]; /* ns: POST /v1/requests, keep-alive */
	int64_t fresh[GOOD_MAX];  /* ns: connect, handshake, GET */
};

/* Begin a good client in a process of its own; its id. */
int good_start(const char *host, int port, const char *ca_file,
	       const char *token, struct good **ret);
/* End it, print what it saw behind `what`; 0: it was served in time. */
int good_end(int pid, struct good *g, const char *what, int64_t p99_ns);

#endif
