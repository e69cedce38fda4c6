#include "api/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http_conn.h"
#include "api/http_places.h"
#include "api/server_errands.h"
#include "base/failpoint.h"

/* Accepted in one go before the loop looks at other things. */
#define BURST 64
/* How long the doors stay shut when descriptors have run out. */
#define REOPEN_MS 100

/* "192.0.2.7:4711", "[2001:db8::1]:4711". */
static void write_address(const struct sockaddr_storage *from,
			  struct cs_http_peer *peer)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	char text[INET6_ADDRSTRLEN] = "";

	if (from->ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		(void)snprintf(peer->address, sizeof(peer->address), "%s:%u",
			       text, ntohs(v4->sin_port));
	} else {
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		(void)snprintf(peer->address, sizeof(peer->address), "[%s]:%u",
			       text, ntohs(v6->sin6_port));
	}
}

/* The kernel's word on who connected to the Unix socket. */
static bool read_credentials(int fd, struct cs_http_peer *peer)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 ||
	    n != sizeof(cred))
		return false;
	peer->is_local = true;
	peer->uid = cred.uid;
	peer->gid = cred.gid;
	peer->pid = cred.pid;
	(void)snprintf(peer->address, sizeof(peer->address), "local");
	return true;
}

/*
 * Somebody makes room: who has been idle longest, else who has been there
 * longest without a request. The time a newcomer has for itself is what a
 * flood must outrun to keep an honest one from its first request.
 */
static void make_room(struct cs_http_server *s, enum cs_http_listen_kind kind)
{
	struct cs_http_conn *c = s->idle[kind].oldest;

	/* What has sent its next request already is about to be read. */
	while (c != NULL && c->in.n > 0)
		c = c->newer;
	if (c != NULL) {
		cs_stream_finish(&c->stream);
	} else {
		c = s->newcomers[kind].oldest;
		if (c == NULL || cs_http_server_now(s) - c->since <
					 s->config.limits.grace_ms)
			return;
	}
	s->stats.dropped++;
	cs_http_conn_cut(c);
}

/* Are there too many, of this kind or in all? */
static bool is_full(const struct cs_http_server *s,
		    enum cs_http_listen_kind kind)
{
	uint32_t max = s->config.limits.max_connections;

	return s->open_tcp > max ||
	       (kind == CS_HTTP_LISTEN_PLAIN && s->open_plain > max / 4 + 1);
}

/* Who has to make room for one of this kind? */
static enum cs_http_listen_kind crowd(const struct cs_http_server *s,
				      enum cs_http_listen_kind kind)
{
	return s->open_tcp > s->config.limits.max_connections &&
			       s->open_plain < s->open_tcp
		       ? CS_HTTP_LISTEN_TLS
		       : kind;
}

/* Let a TCP peer in, within the caps. Takes fd. */
static void admit_tcp(struct cs_http_door *d, int fd,
		      const struct sockaddr_storage *from)
{
	struct cs_http_server *s = d->server;
	struct cs_http_peer peer = {.uid = UINT32_MAX, .gid = UINT32_MAX};
	struct cs_http_address *address = NULL;

	/* Who has its share already makes nobody else give way. */
	if (d->kind != CS_HTTP_LISTEN_TLS || s->tls != NULL)
		address = cs_http_address_enter(s, d->kind, from);
	if (address == NULL) {
		(void)close(fd);
		return;
	}
	if (is_full(s, d->kind))
		make_room(s, crowd(s, d->kind));
	if (is_full(s, d->kind)) {
		s->stats.over_cap++;
		cs_http_address_leave(s, d->kind, address);
		(void)close(fd);
		return;
	}
	write_address(from, &peer);
	peer.is_clear_text = d->kind == CS_HTTP_LISTEN_PLAIN;
	if (!cs_http_conn_start(s, fd, d->kind, &peer, address)) {
		s->stats.over_cap++;
		cs_http_address_leave(s, d->kind, address);
	}
}

/* Let a local peer in: slots are kept for them. Takes fd. */
static void admit_local(struct cs_http_door *d, int fd)
{
	struct cs_http_server *s = d->server;
	struct cs_http_peer peer = {0};

	if (s->stats.open - s->open_tcp >= CS_MAX_HTTP_LOCAL)
		make_room(s, CS_HTTP_LISTEN_LOCAL);
	if (s->free_n == 0 ||
	    s->stats.open - s->open_tcp >= CS_MAX_HTTP_LOCAL) {
		s->stats.over_cap++;
		(void)close(fd);
		return;
	}
	if (!read_credentials(fd, &peer)) {
		(void)close(fd);
		return;
	}
	if (!cs_http_conn_start(s, fd, d->kind, &peer, NULL))
		s->stats.over_cap++;
}

/*
 * Descriptors have run out: a connection that waits would wake us for ever.
 * Give up the reserve, take the connection and close it, so that its peer
 * knows; then leave the doors shut for a while.
 */
static void turn_away(struct cs_http_door *d)
{
	struct cs_http_server *s = d->server;
	size_t i;
	int fd;

	s->stats.no_descriptor++;
	if (s->reserve_fd >= 0) {
		(void)close(s->reserve_fd);
		fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			(void)close(fd);
		s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	for (i = 0; i < s->doors_n; i++)
		cs_watch_disable(s->doors[i].watch);
	cs_timer_start(s->reopen, REOPEN_MS);
}

/* The loop's callback: open the doors again. */
static void on_reopen(void *ctx)
{
	struct cs_http_server *s = ctx;
	size_t i;

	if (s->reserve_fd < 0)
		s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (i = 0; i < s->doors_n; i++)
		cs_watch_enable(s->doors[i].watch);
}

/* The loop's callback: somebody knocks. */
static void on_knock(void *ctx)
{
	struct cs_http_door *d = ctx;
	struct sockaddr_storage from = {0};
	socklen_t n;
	int burst;
	int fd;

	for (burst = 0; burst < BURST; burst++) {
		n = sizeof(from);
		fd = accept4(d->fd, (struct sockaddr *)&from, &n,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE ||
			       errno == ENOBUFS || errno == ENOMEM)) {
			turn_away(d);
			return;
		}
		/* Nobody, or somebody who has gone again (accept(2)). */
		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd < 0)
			continue;
		(void)cs_failpoint("front.after_accept");
		if (d->kind == CS_HTTP_LISTEN_LOCAL)
			admit_local(d, fd);
		else
			admit_tcp(d, fd, &from);
	}
}

/* Make one listening socket ready. */
static bool door_open(struct cs_http_door *d, struct cs_error *err)
{
	int on = 1;
	int flags = fcntl(d->fd, F_GETFL);

	if (flags < 0 || fcntl(d->fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno,
					  "listening socket %d", d->fd);
	/*
	 * Inherited by what is accepted (Linux). Without it Nagle's delay and
	 * the peer's delayed acknowledgement cost 40 ms an answer.
	 */
	if (d->kind != CS_HTTP_LISTEN_LOCAL &&
	    setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno,
					  "listening socket %d: TCP_NODELAY",
					  d->fd);
	d->watch = cs_watch_readable(d->server->config.loop, d->fd, on_knock, d,
				     err);
	return d->watch != NULL;
}

bool cs_http_doors_open(struct cs_http_server *s, struct cs_error *err)
{
	size_t i;

	s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (s->reserve_fd < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "/dev/null");
	s->reopen = cs_timer_new(s->config.loop, on_reopen, s, err);
	if (s->reopen == NULL)
		return false;
	for (i = 0; i < s->doors_n; i++) {
		if (!door_open(&s->doors[i], err))
			return false;
	}
	return true;
}

void cs_http_doors_close(struct cs_http_server *s)
{
	size_t i;

	for (i = 0; i < s->doors_n; i++) {
		cs_watch_free(s->doors[i].watch);
		(void)close(s->doors[i].fd);
	}
	s->doors_n = 0;
	cs_timer_free(s->reopen);
	s->reopen = NULL;
	if (s->reserve_fd >= 0)
		(void)close(s->reserve_fd);
	s->reserve_fd = -1;
}
