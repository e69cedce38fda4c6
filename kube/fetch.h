/*
 * HTTPS transfers on the loop, by libcurl's multi interface. Nothing but this
 * file sees libcurl.
 *
 * A transfer is started, and ends by one call of on_done, or by
 * cs_fetch_cancel() without one. Everything that a struct cs_fetch_ask or
 * a struct cs_fetch_peer points to is copied by cs_fetch_start(). on_done is
 * called from the loop, never from inside cs_fetch_start(); in it, the
 * transfer is over already and other ones may be started or cancelled. on_data
 * is called from inside libcurl: it may look, keep and cancel (what is
 * cancelled there is released a moment later), but start nothing.
 *
 * Only https, no redirects, no proxy, no cookies, HTTP/1.1, and only the CA
 * certificates that the peer names, never the system's. An answer of any
 * status is an answer; what is behind max_body ends the transfer.
 *
 * What it does not do: try again, know about tokens that expire, read JSON.
 */
#ifndef CS_KUBE_FETCH_H
#define CS_KUBE_FETCH_H

#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/span.h"

struct cs_fetch;
struct cs_fetch_call;

/* Who is at the other end, and who we are to it. */
struct cs_fetch_peer {
	struct cs_span ca;	 /* PEM; empty only with insecure */
	struct cs_span cert;	 /* PEM of a client certificate, or empty */
	struct cs_span key;	 /* PEM of its key, or empty */
	const char *bearer;	 /* a token, or NULL */
	const char *server_name; /* instead of the URL's host, or NULL */
	bool insecure;		 /* verify nothing: a kubeconfig may say so */
};

struct cs_fetch_result {
	int status;		 /* 0: there was no whole answer, see why */
	uint32_t retry_s;	 /* Retry-After, in seconds; 0: none */
	struct cs_span body;	 /* what came, unless on_data took it */
	enum cs_error_code code; /* NONE, UNREACHABLE, TLS, HTTP, TOO_LARGE.. */
	const char *why;	 /* a few words without figures; "" */
};

struct cs_fetch_ask {
	const char *method;
	const char *url;
	const struct cs_fetch_peer *peer;
	struct cs_span body;
	const char *content_type; /* of the body; NULL: there is none */
	uint32_t timeout_ms;	  /* for everything; not 0 */
	size_t max_body;
	/* NULL: the body is collected. False ends the transfer. */
	bool (*on_data)(void *ctx, int status, struct cs_span data);
	void (*on_done)(void *ctx, const struct cs_fetch_result *result);
	void *ctx;
};

/* `loop` is borrowed and outlives it. */
struct cs_fetch *cs_fetch_new(struct cs_loop *loop,
			      struct cs_error *err) CS_MUST_USE;
/* Ends every transfer without a callback. NULL is allowed. */
void cs_fetch_free(struct cs_fetch *f);

/* NULL: out of memory, or an URL that libcurl does not take. */
struct cs_fetch_call *cs_fetch_start(struct cs_fetch *f,
				     const struct cs_fetch_ask *ask,
				     struct cs_error *err) CS_MUST_USE;
/* No callback comes any more. NULL is allowed. */
void cs_fetch_cancel(struct cs_fetch_call *call);
/* The status of the answer that is coming; 0: there is no head of one yet. */
int cs_fetch_status(const struct cs_fetch_call *call);

/* Is it an https URL with a host, without a user, a query or a fragment? */
bool cs_fetch_is_base(const char *url);

#endif
