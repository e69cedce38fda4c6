/*
 * The body of an answer that many connections send at once, kept once: a
 * large file that anybody may read must not cost memory for each who does.
 *
 * Counted references, one thread. Whoever makes it has the first; a
 * connection takes its own while it sends.
 */
#ifndef CS_API_HTTP_BODY_H
#define CS_API_HTTP_BODY_H

#include "base/attr.h"
#include "base/span.h"

struct cs_http_body;

/* A copy of these bytes. NULL: no memory. */
struct cs_http_body *cs_http_body_new(struct cs_span bytes) CS_MUST_USE;

/* One reference more; NULL stays NULL. */
struct cs_http_body *cs_http_body_keep(struct cs_http_body *b);
/* One fewer; with the last, it is released. NULL is allowed. */
void cs_http_body_drop(struct cs_http_body *b);

/* Valid as long as the caller's reference. NULL: empty. */
struct cs_span cs_http_body_span(const struct cs_http_body *b);

#endif
