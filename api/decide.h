/*
 * An approver's decision on a request that is stored: POST .../approve and
 * .../deny, body {request_sha256, reason?, message?, claimed_by?}.
 *
 * Two steps: the body is read at once (400), then, when the reader has
 * brought the stored REQUEST, it becomes a REQUEST that goes through the
 * house as new traffic with the same id (approve), or a DENY for the ledger.
 * Approve needs request_sha256; for deny it may be left out. Another hash
 * than the stored one is HASH_MISMATCH (409): the approver has looked at
 * something else. `claimed_by` is a gateway's, as in api/submit.h.
 *
 * What it does not check: whether the request is still open. The ledger
 * does, in the transaction, and answers with the state or the decision.
 */
#ifndef CS_API_DECIDE_H
#define CS_API_DECIDE_H

#include "api/submit.h"

/* The body, copied into the arena. */
struct cs_decide_body {
	bool has_sha256;
	uint8_t sha256[32];
	struct cs_span reason;
	struct cs_span message;
	struct cs_span claimed_by;
};

enum cs_decision {
	CS_DECIDE_APPROVE,
	CS_DECIDE_DENY
};

/* An empty body is good for deny. */
bool cs_decide_read(struct cs_span body, enum cs_decision decision,
		    struct cs_arena *arena, struct cs_decide_body *ret_body,
		    struct cs_problem *ret_problem) CS_MUST_USE;

struct cs_decide {
	const struct cs_principal *who;
	const struct cs_decide_body *body;
	const struct cs_msg_request *stored;
	int64_t now_ms;
	const struct cs_front_issuer *issuers;
	size_t issuers_n;
	struct cs_arena *arena;
};

/* The results borrow from `stored` and from the arena. */
bool cs_decide_approve(const struct cs_decide *d,
		       struct cs_msg_request *ret_request,
		       struct cs_problem *ret_problem) CS_MUST_USE;
bool cs_decide_deny(const struct cs_decide *d, struct cs_msg_deny *ret_deny,
		    struct cs_problem *ret_problem) CS_MUST_USE;

#endif
