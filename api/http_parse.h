/*
 * The head of an HTTP/1.1 request, read strictly (RFC 9110, RFC 9112).
 *
 * A pure, incremental reader: the caller keeps every byte of the head in one
 * buffer, appends what arrives and calls cs_http_parse() with all of it. No
 * byte is looked at twice, nothing is allocated, nothing is copied, nothing
 * is decoded. The answer depends on the bytes only, never on how they were
 * cut into pieces: the earliest offending byte decides.
 *
 * The subset: methods GET, HEAD, POST, DELETE; origin-form targets of
 * visible ASCII; HTTP/1.1, or 1.0 for clients that take one answer; CRLF
 * line ends only; at most CS_MAX_HTTP_HEADERS fields of visible ASCII, SP
 * and HTAB; exactly one Host; a body only by Content-Length. What RFC 9112
 * lets a recipient tolerate (bare LF, leading empty lines, folded fields,
 * white space before a colon, repeated lengths) is refused: two parsers that
 * repair differently are how requests are smuggled. After a refusal the
 * stream has no known framing any more, so the connection must be closed.
 *
 * What it does not check: which paths exist, what the query means, whether
 * Authorization, Content-Type, Accept, Idempotency-Key and If-None-Match have
 * sensible values, and the body.
 */
#ifndef CS_API_HTTP_PARSE_H
#define CS_API_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/span.h"

enum cs_http_method {
	CS_HTTP_GET,
	CS_HTTP_HEAD,
	CS_HTTP_POST,
	CS_HTTP_DELETE
};

/* A head. Spans point into the caller's buffer; absent: p is NULL. */
struct cs_http_head {
	enum cs_http_method method;
	int minor; /* HTTP/1.minor: 0 or 1 */
	/* Raw bytes 0x21 to 0x7E; begins with '/', holds no '?', '#', and a
	   '%' only behind "/ocsp/". */
	struct cs_span path;
	/* What stands behind the first '?', raw; absent without a '?'. */
	struct cs_span query;
	/* Values without the white space around them; "" is not absent. */
	struct cs_span host;
	struct cs_span authorization;
	struct cs_span content_type;
	struct cs_span accept;
	struct cs_span idempotency_key;
	struct cs_span if_none_match;
	/* Octets of the body, <= CS_MAX_HTTP_BODY; 0 without a length. */
	size_t content_length;
	/* "Connection: close", or HTTP/1.0. */
	bool close;
	/* "Expect: 100-continue" of a 1.1 client. */
	bool expect_continue;
	/* Octets of the head, its empty line included. */
	size_t size;
};

/* Why a head is refused: an HTTP status, and a literal sentence. */
struct cs_http_refusal {
	int status;
	const char *sentence;
};

enum cs_http_progress {
	CS_HTTP_MORE,	/* so far so good; the head is not complete */
	CS_HTTP_DONE,	/* *ret_head is written */
	CS_HTTP_REFUSED /* *ret_refusal is written; close after the answer */
};

/* A part of the head, by offset, because the buffer may move. */
struct cs_http_part {
	uint16_t at; /* 0: absent (no part begins a head) */
	uint16_t n;
};

/* State between calls. Private to http_parse.c; reset by _init. */
struct cs_http_parser {
	size_t seen; /* bytes looked at */
	size_t line; /* where the current line begins */
	unsigned fields;
	unsigned singletons; /* bit by enum in http_parse.c */
	enum cs_http_method method;
	int minor;
	struct cs_http_part path, query, host, authorization, content_type,
		accept, idempotency_key, if_none_match;
	size_t content_length;
	bool close;
	bool expect_continue;
	struct cs_http_refusal refusal; /* status 0: none */
};

/* Begin a new head. */
void cs_http_parser_init(struct cs_http_parser *p);

/*
 * Read on. `all` holds every byte since the head's first one, and may hold
 * bytes behind the head (they are not looked at). After DONE or REFUSED,
 * call _init before the next head. Statuses of a refusal: 400, 404 (a '%'
 * in a path that is not /ocsp/'s), 411, 413, 414, 417, 431, 501, 505.
 */
enum cs_http_progress cs_http_parse(struct cs_http_parser *p,
				    struct cs_span all,
				    struct cs_http_head *ret_head,
				    struct cs_http_refusal *ret_refusal);

/*
 * After DONE: the head once more, with its spans in `all`, which holds the
 * same bytes at another place.
 */
void cs_http_parser_head(const struct cs_http_parser *p, struct cs_span all,
			 struct cs_http_head *ret_head);

#endif
