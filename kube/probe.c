#include "kube/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/metrics.h"

#define HEAD_BYTES  2048
#define PATIENCE_MS 5000
#define BACKLOG	    64

struct peer {
	struct cs_probe *p;
	int fd;
	struct cs_watch *readable, *writable;
	struct cs_timer *timer;
	char head[HEAD_BYTES];
	size_t head_n;
	struct cs_buf answer;
	size_t sent;
	struct peer *next;
};

struct cs_probe {
	struct cs_probe_config c;
	int fd;
	unsigned port;
	struct cs_watch *listening;
	struct peer *peers;
	size_t n;
};

static void peer_free(struct peer *peer)
{
	struct peer **at = &peer->p->peers;

	while (*at != NULL && *at != peer)
		at = &(*at)->next;
	if (*at == peer) {
		*at = peer->next;
		peer->p->n--;
	}
	cs_watch_free(peer->readable);
	cs_watch_free(peer->writable);
	cs_timer_free(peer->timer);
	cs_buf_done(&peer->answer);
	close(peer->fd);
	cs_mem_free(peer);
}

static void on_late(void *ctx)
{
	peer_free(ctx);
}

static void on_writable(void *ctx)
{
	struct peer *peer = ctx;
	struct cs_span rest =
		cs_span_sub(cs_buf_span(&peer->answer), peer->sent, SIZE_MAX);
	ssize_t n = send(peer->fd, rest.p, rest.n, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		peer->sent += (size_t)n;
	if (n <= 0 || peer->sent == peer->answer.n)
		peer_free(peer);
}

/* The line of the request: "GET /path" is all of it that counts. */
static bool asks(const struct peer *peer, const char *path, bool *ret_head)
{
	const size_t n = strlen(path);
	const char *at = peer->head;

	*ret_head = strncmp(at, "HEAD ", 5) == 0;
	if (!*ret_head && strncmp(at, "GET ", 4) != 0)
		return false;
	at += *ret_head ? 5 : 4;
	return strncmp(at, path, n) == 0 && at[n] == ' ';
}

/* The head is whole: write the answer. */
static void answer(struct peer *peer)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf body = {0};
	const struct cs_probe_config *c = &peer->p->c;
	const char *status = "200 OK";
	const char *type = "text/plain; charset=utf-8";
	bool head = false;

	cs_buf_init(&body, CS_MAX_METRICS);
	if (asks(peer, "/healthz", &head)) {
		cs_buf_add_str(&body, "ok\n");
	} else if (asks(peer, "/readyz", &head)) {
		if (!c->ready(c->ctx, &body))
			status = "503 Service Unavailable";
	} else if (asks(peer, "/metrics", &head)) {
		type = CS_METRICS_MEDIA_TYPE;
		c->metrics(c->ctx, &body);
	} else {
		status = "404 Not Found";
	}
	cs_buf_addf(&peer->answer,
		    "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		    "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
		    status, type, cs_buf_span(&body).n);
	if (!head)
		cs_buf_add(&peer->answer, cs_buf_span(&body));
	cs_watch_disable(peer->readable);
	cs_watch_enable(peer->writable);
}

static void on_readable(void *ctx)
{
	struct peer *peer = ctx;
	size_t room = HEAD_BYTES - 1 - peer->head_n;
	ssize_t n = recv(peer->fd, peer->head + peer->head_n, room, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || room == 0) {
		peer_free(peer);
		return;
	}
	peer->head_n += (size_t)n;
	peer->head[peer->head_n] = '\0';
	if (strstr(peer->head, "\r\n\r\n") != NULL)
		answer(peer);
}

static void on_connection(void *ctx)
{
	struct cs_probe *p = ctx;
	int fd = accept4(p->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct peer *peer;

	if (fd < 0)
		return;
	peer = p->n < CS_MAX_KUBE_PROBES ? cs_mem_new(sizeof(*peer)) : NULL;
	if (peer == NULL) {
		close(fd);
		return;
	}
	peer->p = p;
	peer->fd = fd;
	peer->next = p->peers;
	p->peers = peer;
	p->n++;
	cs_buf_init(&peer->answer, CS_MAX_METRICS + HEAD_BYTES);
	peer->readable =
		cs_watch_readable(p->c.loop, fd, on_readable, peer, NULL);
	peer->writable =
		cs_watch_writable(p->c.loop, fd, on_writable, peer, NULL);
	peer->timer = cs_timer_new(p->c.loop, on_late, peer, NULL);
	if (peer->readable == NULL || peer->writable == NULL ||
	    peer->timer == NULL) {
		peer_free(peer);
		return;
	}
	cs_timer_start(peer->timer, PATIENCE_MS);
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* "ADDR:PORT" or "[ADDR]:PORT". */
static bool parse(const char *text, union address *ret, socklen_t *ret_n)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	unsigned long port = 0;
	size_t n = colon != NULL ? (size_t)(colon - text) : 0;
	char *end;

	if (n == 0 || n >= sizeof(host) || colon[1] < '0' || colon[1] > '9')
		return false;
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port > 65535)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	*ret = (union address){0};
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons((uint16_t)port);
		*ret_n = sizeof(ret->v6);
		return inet_pton(AF_INET6, host + 1, &ret->v6.sin6_addr) == 1;
	}
	ret->v4.sin_family = AF_INET;
	ret->v4.sin_port = htons((uint16_t)port);
	*ret_n = sizeof(ret->v4);
	return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1;
}

static bool bind_to(struct cs_probe *p, struct cs_error *err)
{
	const int on = 1;
	union address a;
	socklen_t n = 0;

	if (!parse(p->c.address, &a, &n))
		return cs_error_set(err, CS_E_USAGE,
				    "--probe: \"%s\" is not of the form"
				    " ADDRESS:PORT",
				    p->c.address);
	p->fd = socket(a.any.sa_family,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0 ||
	    setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(p->fd, &a.any, n) != 0 || listen(p->fd, BACKLOG) != 0 ||
	    getsockname(p->fd, &a.any, &n) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "%s",
					  p->c.address);
	p->port = ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port
						    : a.v4.sin_port);
	return true;
}

unsigned cs_probe_port(const struct cs_probe *p)
{
	return p->port;
}

void cs_probe_free(struct cs_probe *p)
{
	if (p == NULL)
		return;
	while (p->peers != NULL)
		peer_free(p->peers);
	cs_watch_free(p->listening);
	if (p->fd >= 0)
		close(p->fd);
	cs_mem_free(p);
}

struct cs_probe *cs_probe_new(const struct cs_probe_config *config,
			      struct cs_error *err)
{
	struct cs_probe *p = cs_mem_new(sizeof(*p));

	if (p == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for probes");
		return NULL;
	}
	p->c = *config;
	p->fd = -1;
	if (bind_to(p, err))
		p->listening = cs_watch_readable(config->loop, p->fd,
						 on_connection, p, err);
	if (p->listening != NULL)
		return p;
	cs_probe_free(p);
	return NULL;
}
