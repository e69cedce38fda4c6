/*
 * Bodies and search terms of decisions that no worker wrote: denied, expired,
 * a request that killed its workers, a TBS that the signer refused, a limit.
 * They have the members of a worker's refusal, in the same order.
 */
#ifndef CS_STORE_FIXED_BODY_H
#define CS_STORE_FIXED_BODY_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/stored.h"

/* Canonical JSON: verdict "refused", "denied" or "expired", code, sentence. */
bool cs_fixed_body_write(const char *verdict, const char *code,
			 struct cs_span detail, struct cs_buf *out,
			 struct cs_error *err) CS_MUST_USE;

/* What only the ledger finds: one violation, in a worker's words. */
struct cs_fixed_finding {
	const char *code;
	struct cs_span field, value, expect, rule, message;
};

/*
 * The same of a judgement that said yes (`judged`: the worker's body): the
 * policy and the set that judged stay in it. Verdict "refused": for good.
 * "held", which only a dry run says: not now, with the diff that it will have.
 */
bool cs_fixed_body_overruled(struct cs_span judged, const char *verdict,
			     const struct cs_fixed_finding *finding,
			     struct cs_span detail, struct cs_buf *out,
			     struct cs_error *err) CS_MUST_USE;

/*
 * Terms (base/terms.h): what the pending judgement found about names and
 * people (if it is there), with this verdict and code in place of its own.
 * A rule of the policy that judged keeps that policy, too; empty: none.
 */
bool cs_fixed_body_terms(const struct cs_stored *r, struct cs_span approver,
			 const char *verdict, const char *code,
			 struct cs_span rule, struct cs_arena *arena,
			 struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

#endif
