/* The crowd of tests/bench/slow.h. */
#include "tests/bench/slow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "tests/bench/bench.h"

/* Peers of one address; the server's default allows 64. */
#define PER_ADDRESS 60

/* A record header and a ClientHello that never comes to its end. */
static const uint8_t hello[] = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01,
				0x00, 0x01, 0xfc, 0x03, 0x03, 0x11,
				0x11, 0x11, 0x11, 0x11, 0x11, 0x11};
static const char head[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";

void crowd_init(struct crowd *c, const char *host, int port, size_t n)
{
	*c = (struct crowd){.host = host,
			    .port = port,
			    .ctx = SSL_CTX_new(TLS_client_method()),
			    .peers = calloc(n, sizeof(*c->peers)),
			    .n = n,
			    .epoll = epoll_create1(EPOLL_CLOEXEC),
			    .life_min = INT64_MAX};
	if (c->ctx == NULL || c->peers == NULL || c->epoll < 0)
		bench_die("out of memory");
	/* An attacker does not look at certificates. */
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(c->ctx, SSL_MODE_RELEASE_BUFFERS);
	for (size_t i = 0; i < n; i++)
		c->peers[i].fd = -1;
}

void crowd_close(struct crowd *c, size_t i)
{
	struct peer *p = &c->peers[i];

	if (p->fd < 0)
		return;
	SSL_free(p->ssl);
	p->ssl = NULL;
	close(p->fd);
	p->fd = -1;
	if (p->shaken)
		c->open--;
	else
		c->shaking--;
}

void crowd_done(struct crowd *c)
{
	for (size_t i = 0; i < c->n; i++)
		crowd_close(c, i);
	free(c->peers);
	SSL_CTX_free(c->ctx);
	close(c->epoll);
}

/* The server's end of a connection has come. */
static void lose(struct crowd *c, struct peer *p)
{
	int64_t life = bench_ns(CLOCK_MONOTONIC) - p->since;

	if (!p->shaken) {
		c->refused++;
	} else {
		c->cut++;
		if (life > c->life_max)
			c->life_max = life;
		if (life < c->life_min)
			c->life_min = life;
	}
	crowd_close(c, (size_t)(p - c->peers));
}

/* A peer is where it wants to be. */
static void settle(struct crowd *c, struct peer *p)
{
	p->shaken = true;
	p->since = bench_ns(CLOCK_MONOTONIC);
	/* Spread over the second. */
	p->next = p->since + (int64_t)(p - c->peers) % 1000 * (NS_S / 1000);
	c->shaking--;
	c->open++;
	if (c->open > c->open_max)
		c->open_max = c->open;
}

/* One step of a TLS handshake. */
static void shake(struct crowd *c, struct peer *p)
{
	int n = SSL_connect(p->ssl);
	int e = SSL_get_error(p->ssl, n);

	ERR_clear_error();
	if (n == 1) {
		settle(c, p);
		if (p->kind == PEER_SHAKE)
			crowd_close(c, (size_t)(p - c->peers));
	} else if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) {
		lose(c, p);
	}
}

void crowd_open(struct crowd *c, size_t i, enum peer_kind kind)
{
	struct peer *p = &c->peers[i];
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)c->port)};
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct epoll_event e = {.data.ptr = p};
	int one = 1;

	/* 127.1.0.0/16: loopback, and none of it is the good client's. */
	from.sin_addr.s_addr =
		htonl(0x7f010000u + 1 + (uint32_t)(i / PER_ADDRESS));
	inet_pton(AF_INET, c->host, &to.sin_addr);
	*p = (struct peer){.kind = kind, .fd = -1};
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		bench_die("socket: %s", strerror(errno));
	/* The port is chosen at connect: there are enough for each address. */
	setsockopt(p->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
		   sizeof(one));
	if (bind(p->fd, (struct sockaddr *)&from, sizeof(from)) != 0)
		bench_die("bind: %s", strerror(errno));
	c->opened++;
	c->shaking++;
	if (connect(p->fd, (struct sockaddr *)&to, sizeof(to)) != 0 &&
	    errno != EINPROGRESS) {
		lose(c, p);
		return;
	}
	e.events = EPOLLIN | EPOLLRDHUP;
	if (kind == PEER_HEAD || kind == PEER_SHAKE) {
		p->ssl = SSL_new(c->ctx);
		if (p->ssl == NULL || SSL_set_fd(p->ssl, p->fd) != 1)
			bench_die("out of memory");
		SSL_set_connect_state(p->ssl);
	}
	epoll_ctl(c->epoll, EPOLL_CTL_ADD, p->fd, &e);
	/* On loopback a connection is there at once, or is refused. */
	if (p->ssl == NULL)
		settle(c, p);
	else
		shake(c, p);
}

/* The server has something to say, or nothing any more. */
static void hear(struct crowd *c, struct peer *p)
{
	char bytes[512];
	int n, e;

	if (p->fd < 0)
		return;
	if (!p->shaken) {
		shake(c, p);
		return;
	}
	if (p->ssl == NULL) {
		n = (int)recv(p->fd, bytes, sizeof(bytes), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			lose(c, p);
		return;
	}
	do {
		n = SSL_read(p->ssl, bytes, sizeof(bytes));
	} while (n > 0);
	e = SSL_get_error(p->ssl, n);
	ERR_clear_error();
	if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
		lose(c, p);
}

/* The next octet of a slow message; its last one is never sent. */
static void dribble(struct peer *p, int64_t now)
{
	p->next = now + NS_S;
	if (p->kind == PEER_HELLO && p->sent < sizeof(hello))
		(void)!send(p->fd, &hello[p->sent++], 1, MSG_NOSIGNAL);
	else if (p->kind == PEER_HEAD && p->sent < sizeof(head) - 1)
		(void)SSL_write(p->ssl, &head[p->sent++], 1);
	ERR_clear_error();
}

void crowd_turn(struct crowd *c, int64_t ns)
{
	struct epoll_event events[512];
	int64_t now = bench_ns(CLOCK_MONOTONIC);
	int64_t end = now + ns;

	do {
		int n = epoll_wait(c->epoll, events, 512, 2);

		for (int i = 0; i < n; i++)
			hear(c, events[i].data.ptr);
		now = bench_ns(CLOCK_MONOTONIC);
		for (size_t i = 0; i < c->n; i++) {
			struct peer *p = &c->peers[i];

			if (p->fd >= 0 && p->shaken && p->kind != PEER_SILENT &&
			    p->next <= now)
				dribble(p, now);
		}
	} while (now < end);
}
