/*
 * POST /v1/requests: from a JSON body and the client who sent it to the
 * REQUEST that a worker judges, or to the problem that answers it.
 *
 * Pure but for randomness (the request's id). It decides what front decides:
 * the body's form (400 naming the field), which issuer, what the client may
 * state beside the CSR (403 naming the field), whether an approval stands
 * and who gave it. The CSR's text is not looked into.
 *
 * Approval: `Denied=True` wins over everything and needs no right.
 * `Approved=True` counts when the client holds `approve` for the issuer;
 * else 403. A gateway may say who approved upstream (`approval.claimed_by`).
 * Requester and approver are one when the requester is the client itself or
 * is who is claimed to have approved; the issuer must allow that.
 *
 * The fingerprint is SHA-256 over the RFC 8785 form of
 *	{csr, duration?, isCA?, issuer, namespace?, owner?, requester, usages?}
 * where csr, duration and usages are as sent, and issuer and requester are
 * what they came to be when they were left out. It is what an approver
 * repeats (request_sha256) and what tells a replay from another request.
 */
#ifndef CS_API_SUBMIT_H
#define CS_API_SUBMIT_H

#include <jansson.h>

#include "api/auth.h"
#include "api/front.h"
#include "base/approval.h"
#include "base/arena.h"
#include "base/msg.h"

/*
 * EVALUATE: nothing is submitted, so nobody is kept from stating anything:
 * what only a gateway may state, what an approver says, `realm` and `source`.
 * The right that is needed is `audit` for the issuer.
 */
enum {
	CS_SUBMIT_DRY_RUN = 1 << 0,
	CS_SUBMIT_EVALUATE = 1 << 1
};

struct cs_submit {
	const struct cs_principal *who;
	unsigned flags; /* CS_SUBMIT_* */
	struct cs_span body;
	struct cs_span idempotency_key; /* the header; p NULL: none */
	int64_t now_ms;
	const struct cs_front_issuer *issuers;
	size_t issuers_n;
	struct cs_hash *hash;
	struct cs_arena *arena; /* what the result borrows from */
};

/* The same from a document that is parsed already; s->body is not read. */
bool cs_submit_document(const struct cs_submit *s, json_t *root,
			struct cs_msg_request *ret_request,
			struct cs_problem *ret_problem) CS_MUST_USE;

/* False: *ret_problem says why; ids and rights in it are safe to show. */
bool cs_submit_request(const struct cs_submit *s,
		       struct cs_msg_request *ret_request,
		       struct cs_problem *ret_problem) CS_MUST_USE;

/* Has a principal of this name approved its own request? */
enum cs_self {
	CS_SELF_NO,
	CS_SELF_ALLOWED,
	CS_SELF_REFUSED
};

/*
 * requester, approver, claimed_by: names; claimed_by may be empty. An issuer
 * that is not configured (NULL) allows nothing.
 */
enum cs_self cs_submit_self(const struct cs_front_issuer *issuer,
			    struct cs_span requester, struct cs_span approver,
			    struct cs_span claimed_by);

/* The issuer of that name, or NULL. */
const struct cs_front_issuer *cs_submit_issuer(
	const struct cs_front_issuer *issuers, size_t n, struct cs_span name);

#endif
