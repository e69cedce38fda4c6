#include "api/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/tls_context.h"

/* What a socket call's errno means. */
static enum cs_stream_result of_errno(enum cs_stream_result want)
{
	if (errno == EAGAIN || errno == EINTR)
		return want;
	return CS_STREAM_BROKEN;
}

/* What a failed SSL call means; leaves the error queue empty. */
static enum cs_stream_result of_ssl(const struct cs_stream *s, int returned)
{
	enum cs_stream_result result = CS_STREAM_BROKEN;

	switch (SSL_get_error(s->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
		result = CS_STREAM_WANT_READ;
		break;
	case SSL_ERROR_WANT_WRITE:
		result = CS_STREAM_WANT_WRITE;
		break;
	case SSL_ERROR_ZERO_RETURN:
		result = CS_STREAM_EOF;
		break;
	default:
		break;
	}
	ERR_clear_error();
	return result;
}

void cs_stream_open(struct cs_stream *s, int fd)
{
	*s = (struct cs_stream){.fd = fd};
}

bool cs_stream_open_tls(struct cs_stream *s, int fd, const struct cs_tls *tls,
			struct cs_error *err)
{
	cs_stream_open(s, fd);
	ERR_clear_error();
	s->ssl = SSL_new(cs_tls_context(tls));
	if (s->ssl == NULL || SSL_set_fd(s->ssl, fd) != 1) {
		ERR_clear_error();
		cs_stream_done(s);
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "TLS connection: out of memory");
	}
	SSL_set_accept_state(s->ssl);
	return true;
}

enum cs_stream_result cs_stream_handshake(struct cs_stream *s)
{
	int n;

	if (s->ssl == NULL)
		return CS_STREAM_OK;
	ERR_clear_error();
	n = SSL_do_handshake(s->ssl);
	return n == 1 ? CS_STREAM_OK : of_ssl(s, n);
}

enum cs_stream_result cs_stream_read(struct cs_stream *s, uint8_t *p, size_t n,
				     size_t *ret_n)
{
	ssize_t got;
	int ok;

	if (s->ssl == NULL) {
		got = recv(s->fd, p, n, 0);
		if (got < 0)
			return of_errno(CS_STREAM_WANT_READ);
		*ret_n = (size_t)got;
		return got == 0 ? CS_STREAM_EOF : CS_STREAM_OK;
	}
	ERR_clear_error();
	ok = SSL_read_ex(s->ssl, p, n, ret_n);
	return ok == 1 ? CS_STREAM_OK : of_ssl(s, ok);
}

enum cs_stream_result cs_stream_write(struct cs_stream *s, struct cs_span bytes,
				      size_t *ret_n)
{
	enum cs_stream_result result;
	ssize_t sent;
	int ok;

	if (s->ssl == NULL) {
		sent = send(s->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (sent < 0)
			return of_errno(CS_STREAM_WANT_WRITE);
		*ret_n = (size_t)sent;
		return CS_STREAM_OK;
	}
	ERR_clear_error();
	ok = SSL_write_ex(s->ssl, bytes.p, bytes.n, ret_n);
	if (ok == 1)
		return CS_STREAM_OK;
	result = of_ssl(s, ok);
	/* No renegotiation: after the handshake a write waits for writing. */
	return result == CS_STREAM_WANT_WRITE ? result : CS_STREAM_BROKEN;
}

/* Has a local peer closed its socket, and not only one direction? */
static bool is_hung_up(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

enum cs_stream_result cs_stream_peek(struct cs_stream *s)
{
	enum cs_stream_result result;
	uint8_t byte;
	size_t n;
	ssize_t got;
	int ok;

	if (s->ssl == NULL) {
		got = recv(s->fd, &byte, 1, MSG_PEEK);
		if (got > 0)
			return CS_STREAM_OK;
		if (got < 0)
			return of_errno(CS_STREAM_WANT_READ);
		return is_hung_up(s->fd) ? CS_STREAM_BROKEN : CS_STREAM_EOF;
	}
	ERR_clear_error();
	ok = SSL_peek_ex(s->ssl, &byte, 1, &n);
	if (ok == 1)
		return CS_STREAM_OK;
	result = of_ssl(s, ok);
	/*
	 * No HTTP client goes on reading after its close_notify, and one that
	 * vanished looks the same.
	 */
	return result == CS_STREAM_EOF ? CS_STREAM_BROKEN : result;
}

bool cs_stream_has_pending(const struct cs_stream *s)
{
	return s->ssl != NULL && SSL_has_pending(s->ssl) == 1;
}

void cs_stream_finish(struct cs_stream *s)
{
	if (s->ssl != NULL && SSL_is_init_finished(s->ssl)) {
		ERR_clear_error();
		/* One way only: the peer's close_notify is not waited for. */
		(void)SSL_shutdown(s->ssl);
		ERR_clear_error();
	}
	(void)shutdown(s->fd, SHUT_WR);
}

enum cs_stream_result cs_stream_discard(struct cs_stream *s, size_t n,
					size_t *ret_n)
{
	uint8_t waste[4096];
	ssize_t got =
		recv(s->fd, waste, n < sizeof(waste) ? n : sizeof(waste), 0);

	if (got < 0)
		return of_errno(CS_STREAM_WANT_READ);
	*ret_n = (size_t)got;
	return got == 0 ? CS_STREAM_EOF : CS_STREAM_OK;
}

void cs_stream_done(struct cs_stream *s)
{
	if (s->ssl != NULL)
		SSL_free(s->ssl);
	s->ssl = NULL;
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
	ERR_clear_error();
}
