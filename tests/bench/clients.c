/* Many TLS keep-alive connections on one epoll loop, one request each. */
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

/* Head and body of one request, or of one answer. */
#define BUFFER 32768
/* Of a crowd, so many come from one address. */
#define PER_ADDRESS 60

struct connection {
	SSL *ssl;
	int fd;
	char out[BUFFER];
	size_t out_n, out_done;
	char in[BUFFER];
	size_t in_n;
	int64_t started;
	int64_t wake; /* ns: when it may ask again; 0: it does not wait */
	bool busy;
	bool ends; /* the answer said so */
};

struct state {
	struct bench_round *round;
	struct connection *all;
	SSL_CTX *ctx;
	int epoll;
	size_t next;	/* body */
	size_t open;	/* requests under way */
	size_t waiting; /* connections that were told to come back */
	int64_t last;	/* ns: of the last answer that was wanted */
	int64_t start;
};

/* A crowd's n-th connection comes from 127.1.0.0/16. */
static void come_from(const struct bench_round *r, int fd, size_t n)
{
	struct sockaddr_in from = {.sin_family = AF_INET};

	from.sin_addr.s_addr =
		htonl(0x7f010000u + 1 + (uint32_t)(n / PER_ADDRESS));
	if (r->crowds && bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0)
		bench_die("bind: %s", strerror(errno));
}

/* Connect and finish the handshake, blocking; then non-blocking. */
static void open_connection(struct connection *c, struct bench_round *r,
			    SSL_CTX *ctx, size_t n)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)r->port)};
	int one = 1;

	if (inet_pton(AF_INET, r->host, &to.sin_addr) != 1)
		bench_die("%s is not an IPv4 address", r->host);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	come_from(r, c->fd, n);
	if (c->fd < 0 ||
	    connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		bench_die("connect: %s", strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->ssl = SSL_new(ctx);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 ||
	    SSL_connect(c->ssl) != 1)
		bench_die("TLS handshake failed: %s",
			  ERR_reason_error_string(ERR_peek_last_error()));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

/* Put the next request into a connection's buffer; false: no more. */
static bool next_request(struct state *s, struct connection *c)
{
	struct bench_round *r = s->round;
	const char *body;
	int n;

	c->busy = false;
	if ((!r->crowds && s->next == r->bodies_n) ||
	    bench_ns(CLOCK_MONOTONIC) - s->start > r->max_ns)
		return false;
	body = r->bodies[s->next++ % r->bodies_n];
	if (body[0] == '/')
		n = snprintf(c->out, sizeof(c->out),
			     "GET %s HTTP/1.1\r\nHost: %s\r\n"
			     "Authorization: Bearer %s\r\n\r\n",
			     body, r->host, r->token);
	else
		n = snprintf(c->out, sizeof(c->out),
			     "POST /v1/requests HTTP/1.1\r\nHost: %s\r\n"
			     "Authorization: Bearer %s\r\n"
			     "Content-Type: application/json\r\n"
			     "Content-Length: %zu\r\n\r\n%s",
			     r->host, r->token, strlen(body), body);
	c->out_n = (size_t)n;
	c->out_done = 0;
	c->in_n = 0;
	c->busy = true;
	c->started = bench_ns(CLOCK_MONOTONIC);
	s->open++;
	return true;
}

/* Is the answer in c->in complete? Its status, 0: not yet. */
static int complete(struct connection *c)
{
	char *end, *length;
	size_t body;

	c->in[c->in_n] = '\0';
	end = strstr(c->in, "\r\n\r\n");
	if (end == NULL)
		return 0;
	length = strcasestr(c->in, "\r\nContent-Length:");
	if (length == NULL || length > end)
		bench_die("an answer without Content-Length: %.80s", c->in);
	body = strtoul(length + 17, NULL, 10);
	if (c->in_n < (size_t)(end + 4 - c->in) + body)
		return 0;
	*end = '\0';
	c->ends = strcasestr(c->in, "\r\nConnection: close") != NULL;
	*end = '\r';
	return atoi(c->in + 9);
}

/* Write what is left, read what is there. False: it is in trouble. */
static bool pump(struct connection *c)
{
	int n;

	while (c->out_done < c->out_n) {
		n = SSL_write(c->ssl, c->out + c->out_done,
			      (int)(c->out_n - c->out_done));
		if (n <= 0)
			break;
		c->out_done += (size_t)n;
	}
	for (;;) {
		if (c->in_n == sizeof(c->in) - 1)
			return false;
		n = SSL_read(c->ssl, c->in + c->in_n,
			     (int)(sizeof(c->in) - 1 - c->in_n));
		if (n <= 0)
			break;
		c->in_n += (size_t)n;
	}
	n = SSL_get_error(c->ssl, n);
	ERR_clear_error();
	return n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE;
}

/*
 * The server ends a connection after a thousand requests. The handshake of
 * the next one is in the server's processor time, as it would be in life.
 */
static void renew(struct state *s, struct connection *c)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};

	SSL_free(c->ssl);
	close(c->fd);
	open_connection(c, s->round, s->ctx, (size_t)(c - s->all));
	epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->fd, &e);
}

/* Keep the serial that an answer names. */
static void keep_serial(struct bench_serials *serials, const char *answer)
{
	static const char name[] = "\"serial\":\"";
	const char *at = strstr(answer, name);

	if (serials == NULL)
		return;
	if (at == NULL)
		bench_die("a certificate without serial: %.200s", answer);
	if (serials->n == serials->cap) {
		serials->cap = serials->cap == 0 ? 1024 : serials->cap * 2;
		serials->hex = realloc(serials->hex,
				       serials->cap * sizeof(*serials->hex));
		if (serials->hex == NULL)
			bench_die("out of memory");
	}
	at += sizeof(name) - 1;
	snprintf(serials->hex[serials->n++], sizeof(*serials->hex), "%.*s",
		 (int)strspn(at, "0123456789abcdef"), at);
}

/* An answer that is no certificate. True: it says when to come back. */
static bool is_told_to_wait(struct state *s, struct connection *c, int status)
{
	const char *retry = strcasestr(c->in, "\r\nRetry-After: ");
	long seconds = retry == NULL ? 0 : strtol(retry + 15, NULL, 10);

	if (!s->round->crowds || status != 503 || seconds < 1) {
		if (s->round->failed++ == 0)
			fprintf(stderr, "first failure: %.600s\n", c->in);
		return false;
	}
	s->round->busy++;
	s->waiting++;
	c->busy = false;
	c->wake = bench_ns(CLOCK_MONOTONIC) + seconds * 1000000000;
	return true;
}

/* One that was answered as it wanted. */
static void keep_answer(struct state *s, struct connection *c, int status)
{
	struct bench_round *r = s->round;

	s->last = bench_ns(CLOCK_MONOTONIC);
	if (r->done < r->bodies_n)
		r->latency_ns[r->done] = s->last - c->started;
	r->done++;
	if (status == 201)
		keep_serial(r->serials, c->in);
}

/* A connection is ready: go on until it waits for the server. */
static void serve(struct state *s, struct connection *c)
{
	int status;

	for (;;) {
		bool alive = pump(c);

		status = c->busy ? complete(c) : 0;
		if (status == 0 && alive)
			return;
		if (status == 0)
			bench_die("the server closed a connection");
		s->open--;
		if (status == 200 || status == 201)
			keep_answer(s, c, status);
		else if (is_told_to_wait(s, c, status)) {
			if (c->ends)
				renew(s, c);
			return;
		}
		if (c->ends)
			renew(s, c);
		if (!next_request(s, c))
			return;
	}
}

/* Who was told to come back comes back. */
static void wake(struct state *s)
{
	int64_t now = bench_ns(CLOCK_MONOTONIC);

	for (size_t i = 0; i < s->round->clients && s->waiting > 0; i++) {
		struct connection *c = &s->all[i];

		if (c->wake == 0 || c->wake > now)
			continue;
		c->wake = 0;
		s->waiting--;
		if (next_request(s, c))
			serve(s, c);
	}
}

/* A descriptor for each connection, and some. */
static void make_descriptors(size_t n)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_cur < n + 64)
		bench_die("NOT RUN: %zu connections, %llu descriptors", n,
			  (unsigned long long)l.rlim_cur);
}

void bench_run(struct bench_round *r)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct connection *c = calloc(r->clients, sizeof(*c));
	struct state s = {.round = r,
			  .ctx = ctx,
			  .all = c,
			  .epoll = epoll_create1(EPOLL_CLOEXEC)};
	struct epoll_event events[256];

	if (ctx == NULL || c == NULL ||
	    SSL_CTX_load_verify_locations(ctx, r->ca_file, NULL) != 1)
		bench_die("cannot load %s", r->ca_file);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	make_descriptors(r->clients);
	for (size_t i = 0; i < r->clients; i++)
		open_connection(&c[i], r, ctx, i);
	s.start = bench_ns(CLOCK_MONOTONIC);
	for (size_t i = 0; i < r->clients; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = &c[i]};

		epoll_ctl(s.epoll, EPOLL_CTL_ADD, c[i].fd, &e);
		if (next_request(&s, &c[i]))
			serve(&s, &c[i]);
	}
	while (s.open > 0 || s.waiting > 0) {
		int n = epoll_wait(s.epoll, events, 256,
				   s.waiting > 0 ? 20 : 20000);

		if (n == 0 && s.waiting == 0)
			bench_die("no answer for 20 s");
		for (int i = 0; i < n; i++)
			serve(&s, events[i].data.ptr);
		if (s.waiting > 0)
			wake(&s);
	}
	/* Who still waits when time is up has nothing more to do. */
	r->elapsed_ns = (r->crowds && r->done > 0 ? s.last
						  : bench_ns(CLOCK_MONOTONIC)) -
			s.start;
	for (size_t i = 0; i < r->clients; i++) {
		SSL_free(c[i].ssl);
		close(c[i].fd);
	}
	close(s.epoll);
	free(c);
	SSL_CTX_free(ctx);
}
