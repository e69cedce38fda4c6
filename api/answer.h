/*
 * An ANSWER as HTTP: a pure function from the message to a status, a media
 * type and JSON bytes. The same function renders a first answer, a replay
 * and GET /v1/requests/{id}, so the same row gives the same bytes for ever,
 * to everybody who may see as much of it (enum cs_answer_view).
 *
 * The JSON is one canonical object: the members that policy decided (the
 * message's `body`: changed, diff, kept, policy, violations, ...) and ours,
 * merged in ascending order; where both have a name, ours stands:
 *
 *	ca certificate serial          issued: PEM of the root; PEM of the
 *	                               leaf, then intermediates; hex
 *	id request_sha256 state        what is recorded
 *	decided log verdict            what is terminal
 *	code detail status title type  what is a problem (RFC 9457)
 *	expires                        pending, held
 *	would                          pending, held, dry run: the verdict
 *	                               that policy gives now
 *
 * `others` of the body (why other policies do not govern, which are other
 * people's) is left out for whoever does not hold `audit`.
 *
 * `code` and `detail` are the body's where it has them (a refusal's), else
 * the message's, else the outcome's own.
 *
 * What it does not check: that the body says what the policy decided; its
 * values are spliced in as they are, after a look at their outline.
 */
#ifndef CS_API_ANSWER_H
#define CS_API_ANSWER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/msg.h"

/* A rendered answer's outside; the bytes are in the buffer beside it. */
struct cs_answer_http {
	unsigned status;	/* as the answer to POST */
	unsigned read_status;	/* as the answer to GET */
	const char *media_type; /* literal */
	uint32_t retry_s;	/* Retry-After; 0: none */
	bool replay;		/* Idempotent-Replay: true */
};

/* Whose eyes an answer is for. */
enum cs_answer_view {
	CS_VIEW_OWN,  /* who asked for it, or decides about it */
	CS_VIEW_AUDIT /* who holds `audit`, and the files' owner */
};

/*
 * Append the JSON to out. Errors: PROTOCOL (a body that is no canonical
 * object), TOO_LARGE, NO_MEMORY.
 */
bool cs_answer_render(const struct cs_msg_answer *m, enum cs_answer_view view,
		      struct cs_buf *out, struct cs_answer_http *ret_http,
		      struct cs_error *err) CS_MUST_USE;

/*
 * The same for an approver of a pending request: `now`, canonical JSON, is
 * what would become of it now; empty: that is not told.
 */
bool cs_answer_render_now(const struct cs_msg_answer *m,
			  enum cs_answer_view view, struct cs_span now,
			  struct cs_buf *out, struct cs_answer_http *ret_http,
			  struct cs_error *err) CS_MUST_USE;

/* The name of a state or verdict: "issued", "pending"; "" when it has none. */
const char *cs_answer_state(enum cs_answer outcome);

#endif
