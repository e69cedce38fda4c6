/*
 * A small blocking HTTP/1.1 client over the installation's Unix socket, for
 * the commands that talk to a running server.
 *
 * One call: connect, send one request, read one answer with a
 * Content-Length, close. Nothing is kept between calls. One deadline covers
 * all of it. The peer is our own server, yet its answer is read as strictly
 * as a stranger's: limits on head and body, no chunked coding, no bytes
 * behind the body.
 *
 * What it does not do: TLS, redirects, retries, keep-alive, interpreting
 * statuses.
 */
#ifndef CS_API_HTTP_CLIENT_H
#define CS_API_HTTP_CLIENT_H

#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

struct cs_http_call {
	const char *dir;	  /* installation: DIR/run/countersign.sock */
	const char *method;	  /* "GET", "POST", "DELETE" */
	const char *target;	  /* path and query, escaped already */
	const char *accept;	  /* NULL: none */
	const char *content_type; /* of the body; NULL: none */
	const char *idempotency_key; /* NULL: none */
	struct cs_span body;	     /* at most CS_MAX_HTTP_BODY */
	uint32_t timeout_ms;	     /* for everything; 0: 60 seconds */
};

/* _init is done by the call; release with cs_http_result_done(). */
struct cs_http_result {
	int status;
	struct cs_buf head; /* raw: status line and fields, for _header */
	struct cs_buf body;
};

/* Safe on a zeroed struct. */
void cs_http_result_done(struct cs_http_result *r);

/*
 * Value of the first field `name` (case is ignored) without the white space
 * around it; p is NULL when there is none. Valid as long as the result.
 */
struct cs_span cs_http_result_header(const struct cs_http_result *r,
				     const char *name);

/*
 * Errors: UNREACHABLE (no socket, nobody listens, no right to connect, no
 * answer in time, closed before an answer), HTTP (an answer that breaks the
 * rules), TOO_LARGE, ARGUMENT (path too long for a socket, control
 * characters in a field), NO_MEMORY, IO. An answer of any status is success.
 */
bool cs_http_call(const struct cs_http_call *call,
		  struct cs_http_result *ret_result,
		  struct cs_error *err) CS_MUST_USE;

#endif
