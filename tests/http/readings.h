/*
 * What four readers of HTTP/1.1 make of the same bytes: ours (api/
 * http_parse.h), llhttp and picohttpparser in this process, h11 in its own.
 * `make check-http` builds it with the others' sources, which tests/http/
 * check fetches.
 *
 * A reading borrows from the bytes that were read.
 */
#ifndef CS_TESTS_HTTP_READINGS_H
#define CS_TESTS_HTTP_READINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/span.h"

struct field {
	struct cs_span name;
	struct cs_span value; /* without white space around it */
};

struct reading {
	/* Why the request is refused; NULL: it is accepted. */
	const char *refusal;
	struct cs_span method;
	struct cs_span target;
	int minor;
	/* Ours has those that the server reads, in an order of its own. */
	struct field fields[CS_MAX_HTTP_HEADERS + 1];
	size_t fields_n;
	size_t head_n;	 /* octets of the head; 0: the reader does not say */
	size_t body_n;	 /* octets of the body */
	bool keep_alive; /* may another request follow? */
};

/* The bytes hold a whole head and perhaps more. */
void read_ours(struct cs_span all, struct reading *ret);

/* The bytes hold exactly one head and the body that ours made out. */
void read_llhttp(struct cs_span all, struct reading *ret);

/* Reads the head only. */
void read_pico(struct cs_span all, struct reading *ret);

#endif
