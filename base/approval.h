/*
 * What somebody said who approved or denied a request, in the canonical JSON
 * (RFC 8785) that front sends to the ledger in REQUEST and DENY, and that the
 * ledger writes again from its columns when it drives a request.
 *
 * Not checked here: whether it may be said (api/submit.h, the ledger), and
 * lengths.
 */
#ifndef CS_BASE_APPROVAL_H
#define CS_BASE_APPROVAL_H

#include "base/buf.h"

/* Spans are borrowed, and may be empty but for `by`. */
struct cs_approval {
	int64_t at_ms;
	struct cs_span by; /* a client's name */
	struct cs_span claimed_by;
	struct cs_span reason;
	struct cs_span message;
	bool self;
	int64_t uid; /* -1: none */
};

/* Append its JSON; members that are empty are not there. */
bool cs_approval_write(const struct cs_approval *a, struct cs_buf *out,
		       struct cs_error *err) CS_MUST_USE;

#endif
