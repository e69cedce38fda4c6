/* The good client of tests/bench/slow.h. */
#include "tests/bench/slow.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/* One certificate every so often, and a new connection with every fifth. */
#define EVERY_NS (NS_S / 50)
#define FRESH	 5
/* Requests made beforehand; they are used again and again. */
#define BODIES 500
/* The server ends a connection after a thousand requests. */
#define RENEW 900

struct client {
	const char *host, *token;
	int port;
	SSL_CTX *ctx;
	SSL *ssl;
	unsigned count;
	struct good *g;
};

/* It was not served as it should be: the end of the measurement. */
static void fail(struct client *c, const char *why)
{
	snprintf(c->g->why, sizeof(c->g->why), "%s", why);
	c->g->failed = true;
	_exit(1);
}

static void hang_up(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

static SSL *dial(struct client *c)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)c->port)};
	struct timeval patience = {.tv_sec = 20};
	SSL *ssl = SSL_new(c->ctx);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	inet_pton(AF_INET, c->host, &to.sin_addr);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (fd < 0 || ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		fail(c, "no socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail(c, "it could not connect");
	if (SSL_connect(ssl) != 1)
		fail(c, "its handshake failed");
	return ssl;
}

/* One request and its answer; fails if the status is another. */
static void ask(struct client *c, SSL *ssl, const char *text, int status)
{
	static char in[65536];
	size_t n = 0;

	if (SSL_write(ssl, text, (int)strlen(text)) <= 0)
		fail(c, "its request was not taken");
	for (;;) {
		int got = SSL_read(ssl, in + n, (int)(sizeof(in) - 1 - n));
		char *end, *length;

		if (got <= 0)
			fail(c, "it got no answer");
		n += (size_t)got;
		in[n] = '\0';
		end = strstr(in, "\r\n\r\n");
		length = strcasestr(in, "\r\nContent-Length:");
		if (end == NULL || length == NULL)
			continue;
		if (n >=
		    (size_t)(end + 4 - in) + strtoul(length + 17, NULL, 10))
			break;
	}
	if (atoi(in + 9) != status)
		fail(c, in);
}

/* Connect, handshake, one answer. */
static void once(struct client *c)
{
	int64_t start = bench_ns(CLOCK_MONOTONIC);
	SSL *ssl = dial(c);

	ask(c, ssl, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200);
	if (c->g->fresh_n < GOOD_MAX)
		c->g->fresh[c->g->fresh_n++] =
			bench_ns(CLOCK_MONOTONIC) - start;
	hang_up(ssl);
}

/* A certificate over the connection that it keeps. */
static void issue(struct client *c, const char *body)
{
	static char text[32768];
	int64_t start;

	if (c->count++ % RENEW == 0) {
		if (c->ssl != NULL)
			hang_up(c->ssl);
		c->ssl = dial(c);
	}
	snprintf(text, sizeof(text),
		 "POST /v1/requests HTTP/1.1\r\nHost: localhost\r\n"
		 "Authorization: Bearer %s\r\n"
		 "Content-Type: application/json\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 c->token, strlen(body), body);
	start = bench_ns(CLOCK_MONOTONIC);
	ask(c, c->ssl, text, 201);
	if (c->g->issued_n < GOOD_MAX)
		c->g->issued[c->g->issued_n++] =
			bench_ns(CLOCK_MONOTONIC) - start;
}

static void work(struct client *c, char **bodies)
{
	int64_t next = bench_ns(CLOCK_MONOTONIC);
	size_t i;

	for (i = 0; !c->g->stop; i++) {
		int64_t left = next - bench_ns(CLOCK_MONOTONIC);

		if (left > 0)
			usleep((useconds_t)(left / 1000));
		next = bench_ns(CLOCK_MONOTONIC) + EVERY_NS;
		issue(c, bodies[i % BODIES]);
		if (i % FRESH == 0)
			once(c);
	}
}

int good_start(const char *host, int port, const char *ca_file,
	       const char *token, struct good **ret)
{
	struct good *g = mmap(NULL, sizeof(*g), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct client c = {.host = host, .port = port, .token = token, .g = g};
	char **bodies;
	int pid;

	if (g == MAP_FAILED)
		bench_die("out of memory");
	bodies = bench_bodies(BODIES, "default");
	pid = fork();
	if (pid < 0)
		bench_die("fork failed");
	if (pid > 0) {
		for (size_t i = 0; i < BODIES; i++)
			free(bodies[i]);
		free(bodies);
		*ret = g;
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	c.ctx = SSL_CTX_new(TLS_client_method());
	if (c.ctx == NULL ||
	    SSL_CTX_load_verify_locations(c.ctx, ca_file, NULL) != 1)
		fail(&c, "no CA file");
	SSL_CTX_set_verify(c.ctx, SSL_VERIFY_PEER, NULL);
	work(&c, bodies);
	_exit(0);
}

int good_end(int pid, struct good *g, const char *what, int64_t p99_ns)
{
	int64_t issued, fresh;
	int bad = 0;

	g->stop = true;
	waitpid(pid, NULL, 0);
	if (g->failed) {
		printf("%s: the good client FAILED: %.120s\n", what, g->why);
		munmap(g, sizeof(*g));
		return 1;
	}
	if (g->issued_n == 0 || g->fresh_n == 0) {
		printf("%s: the good client measured nothing\n", what);
		munmap(g, sizeof(*g));
		return 1;
	}
	issued = bench_quantile(g->issued, g->issued_n, 990);
	fresh = bench_quantile(g->fresh, g->fresh_n, 990);
	bad = issued > p99_ns || fresh > p99_ns;
	printf("%s: good client: %zu certificates, p50 %.2f ms, p99 %.2f ms; "
	       "%zu new connections, p50 %.2f ms, p99 %.2f ms; wanted p99 < "
	       "%.0f ms: %s\n",
	       what, g->issued_n,
	       (double)bench_quantile(g->issued, g->issued_n, 500) / 1e6,
	       (double)issued / 1e6, g->fresh_n,
	       (double)bench_quantile(g->fresh, g->fresh_n, 500) / 1e6,
	       (double)fresh / 1e6, (double)p99_ns / 1e6,
	       bad ? "TOO SLOW" : "held");
	munmap(g, sizeof(*g));
	return bad;
}
