#include "api/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/peer_cert.h"
#include "api/tls_context.h"

/* RFC 8446 5.1: the head of a record, and the most that may follow it. */
#define RECORD_HEAD 5
#define RECORD_MAX  16640
/* Looks at a ClientHello that is not whole; two are usual. */
#define MAX_LOOKS 16

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

/* Does the other end send no more? */
static bool has_ended(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) > 0;
}

/* Be woken when so many octets are there, and not by each of them. */
static bool wake_at(int fd, int octets)
{
	return setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &octets,
			  sizeof(octets)) == 0;
}

/*
 * RFC 8446 5.1: type, version, length of a record, from its first octets. How
 * many there must be before OpenSSL is bothered; it refuses what is no
 * handshake or too long, with the alert that belongs to it.
 */
static int hello_size(const uint8_t *head, ssize_t got)
{
	int length;

	if (head[0] != 0x16)
		return 1;
	if (got < RECORD_HEAD)
		return RECORD_HEAD;
	length = head[3] << 8 | head[4];
	return length > RECORD_MAX ? RECORD_HEAD : RECORD_HEAD + length;
}

enum cs_stream_result cs_stream_await_hello(struct cs_stream *s)
{
	uint8_t head[RECORD_HEAD] = {0};
	ssize_t got = recv(s->fd, head, sizeof(head), MSG_PEEK);
	int have = 0;
	int need;

	if (got < 0)
		return of_errno(CS_STREAM_WANT_READ);
	if (got == 0)
		return CS_STREAM_EOF;
	need = hello_size(head, got);
	if (ioctl(s->fd, FIONREAD, &have) != 0)
		return CS_STREAM_BROKEN;
	if (have < need && has_ended(s->fd))
		return CS_STREAM_EOF;
	/* A kernel that wakes us for less is not asked for ever. */
	if (have < need && s->looks < MAX_LOOKS) {
		s->looks++;
		return wake_at(s->fd, need) ? CS_STREAM_WANT_READ
					    : CS_STREAM_BROKEN;
	}
	if (s->looks > 0 && !wake_at(s->fd, 1))
		return CS_STREAM_BROKEN;
	return CS_STREAM_OK;
}

bool cs_stream_start_tls(struct cs_stream *s, const struct cs_tls *tls,
			 struct cs_error *err)
{
	ERR_clear_error();
	s->ssl = SSL_new(cs_tls_context(tls));
	if (s->ssl == NULL || SSL_set_fd(s->ssl, s->fd) != 1) {
		SSL_free(s->ssl);
		s->ssl = NULL;
		ERR_clear_error();
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "TLS connection: out of memory");
	}
	SSL_set_accept_state(s->ssl);
	return true;
}

/* Is an error of a handshake one of what a client may show there? */
static bool is_about_certificate(unsigned long error)
{
	if (ERR_GET_LIB(error) != ERR_LIB_SSL)
		return false;
	switch (ERR_GET_REASON(error)) {
	case SSL_R_EXCESSIVE_MESSAGE_SIZE:
	case SSL_R_CERT_LENGTH_MISMATCH:
	case SSL_R_BAD_SIGNATURE:
	case SSL_R_WRONG_SIGNATURE_TYPE:
	case SSL_R_UNKNOWN_CERTIFICATE_TYPE:
	case SSL_R_EE_KEY_TOO_SMALL:
		return true;
	default:
		return false;
	}
}

enum cs_stream_result cs_stream_handshake(struct cs_stream *s)
{
	int n;

	if (s->ssl == NULL)
		return CS_STREAM_OK;
	ERR_clear_error();
	n = SSL_do_handshake(s->ssl);
	if (n == 1)
		return CS_STREAM_OK;
	s->bad_cert = is_about_certificate(ERR_peek_error());
	return of_ssl(s, n);
}

bool cs_stream_peer_cert(const struct cs_stream *s,
			 struct cs_peer_cert **ret_cert, struct cs_error *err)
{
	*ret_cert = NULL;
	return s->ssl == NULL || cs_peer_cert_of(s->ssl, ret_cert, err);
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
