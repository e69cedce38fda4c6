/*
 * The bytes of one connection, over a non-blocking socket, with TLS or
 * without: the only file beside tls.c that talks to OpenSSL's SSL object.
 *
 * Owns descriptor and SSL object, from _open to _done. Never waits. A call
 * that cannot go on says what it waits for; it is repeated when the socket
 * is ready. OpenSSL's error queue is empty before and after every call.
 *
 * The end of a TLS stream is CS_STREAM_EOF only after the peer's
 * close_notify; a bare FIN is CS_STREAM_BROKEN, because it could be an
 * attacker's truncation (RFC 8446 6.1). After BROKEN only _done may follow.
 *
 * A peer costs a descriptor and nothing else before its first record is
 * whole: cs_stream_await_hello() leaves the bytes in the kernel until then.
 *
 * What it does not know: HTTP, deadlines, the loop.
 */
#ifndef CS_API_STREAM_H
#define CS_API_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/span.h"

struct cs_peer_cert;
struct cs_tls;
struct ssl_st;

struct cs_stream {
	int fd;		    /* owned; -1: done */
	struct ssl_st *ssl; /* owned; NULL: no TLS, or not yet */
	uint8_t looks;	    /* at a hello that was not whole */
	bool bad_cert; /* the handshake failed for the peer's certificate */
};

enum cs_stream_result {
	CS_STREAM_OK,
	CS_STREAM_WANT_READ,
	CS_STREAM_WANT_WRITE,
	CS_STREAM_EOF,
	CS_STREAM_BROKEN
};

/* Take fd. */
void cs_stream_open(struct cs_stream *s, int fd);

/*
 * OK: a whole TLS record waits, or something that will never be one; _start
 * comes next. Until then the socket is readable for the kernel only when
 * what is missing has come. Consumes nothing.
 */
enum cs_stream_result cs_stream_await_hello(struct cs_stream *s) CS_MUST_USE;

/* From here on TLS; the server's side of a handshake comes next. */
bool cs_stream_start_tls(struct cs_stream *s, const struct cs_tls *tls,
			 struct cs_error *err) CS_MUST_USE;

/* OK: the handshake is complete. Nothing to do without TLS. */
enum cs_stream_result cs_stream_handshake(struct cs_stream *s) CS_MUST_USE;

/*
 * Behind the handshake: what the peer showed, which the caller owns; NULL:
 * nothing, or no TLS.
 */
bool cs_stream_peer_cert(const struct cs_stream *s,
			 struct cs_peer_cert **ret_cert,
			 struct cs_error *err) CS_MUST_USE;

/* Some bytes, 1..n, on OK. */
enum cs_stream_result cs_stream_read(struct cs_stream *s, uint8_t *p, size_t n,
				     size_t *ret_n) CS_MUST_USE;

/* OK: some bytes went, 1..bytes.n (bytes.n > 0). Never EOF. */
enum cs_stream_result cs_stream_write(struct cs_stream *s, struct cs_span bytes,
				      size_t *ret_n) CS_MUST_USE;

/*
 * Has the peer anything to say? OK: bytes wait. EOF: it will send no more
 * but may still read. BROKEN: nobody reads any more. Consumes no bytes of
 * the stream.
 */
enum cs_stream_result cs_stream_peek(struct cs_stream *s) CS_MUST_USE;

/* Does TLS hold bytes that the socket will not announce? */
bool cs_stream_has_pending(const struct cs_stream *s);

/* No more writes: close_notify if it fits, and FIN. */
void cs_stream_finish(struct cs_stream *s);

/*
 * Behind _finish: read and forget up to n raw bytes. EOF: the peer has
 * closed. OK: *ret_n bytes went.
 */
enum cs_stream_result cs_stream_discard(struct cs_stream *s, size_t n,
					size_t *ret_n) CS_MUST_USE;

/* Close. Safe twice. */
void cs_stream_done(struct cs_stream *s);

#endif
