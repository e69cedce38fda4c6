/*
 * The judgement of one request, without a process around it: a REQUEST
 * message in, an INTENT or a REFUSAL out. The worker (issuer/worker.h) sends
 * what comes out; tests, and later `policy eval` and replay, call it alike.
 *
 * CSR to DER, phase A (issuer/csr.h), phases B and C (policy/engine.h), plan
 * to TBS (issuer/tbs.h), the TBS read again, phase D over what was read
 * (policy's own check of the result, feasibility, ceiling, lint). One serial
 * and one `now` a request, both recorded. Everything that the decision needs
 * and that does not stand in request or policy is in `inputs`.
 *
 * One object a process. What a judgement borrows lives until the next call.
 */
#ifndef CS_ISSUER_JUDGE_H
#define CS_ISSUER_JUDGE_H

#include "base/clock.h"
#include "base/msg.h"
#include "issuer/ca.h"
#include "issuer/ceiling.h"

struct cs_judge_issuer {
	const struct cs_issuer_ca *ca;
	const struct cs_ceiling *ceiling;
	/*
	 * Everything is refused, with ISSUER_RETIRED, but a certificate for
	 * its OCSP responder (source "ocsp"), which relying parties need as
	 * long as they need CRLs.
	 */
	bool is_retired;
};

struct cs_judge;

void cs_judge_free(struct cs_judge *j);
/* The issuers are borrowed for as long as the object lives. */
struct cs_judge *cs_judge_new(const struct cs_judge_issuer *issuers, size_t n,
			      struct cs_clock clock,
			      struct cs_error *err) CS_MUST_USE;

/* Put a set in force (SET). On failure the one before stays. */
bool cs_judge_set(struct cs_judge *j, const struct cs_msg_set *set,
		  struct cs_error *err) CS_MUST_USE;

/* What came of a request: exactly one of the two. */
struct cs_judgement {
	bool issue;
	struct cs_msg_intent intent;   /* issue */
	struct cs_msg_refusal refusal; /* !issue */
};

/*
 * Judge an encoded REQUEST. False: the message is malformed
 * (CS_E_PROTOCOL), no set is in force (CS_E_POLICY), memory ran out, or
 * OpenSSL failed; nothing was decided.
 */
bool cs_judge_request(struct cs_judge *j, struct cs_span request,
		      struct cs_judgement *ret_judgement,
		      struct cs_error *err) CS_MUST_USE;

/*
 * The same for a request that was decided before, under the serial that its
 * certificate got then: by the same policy, at the same time and under the
 * same CA, the TBS is the same to the octet. An empty serial: a new one; one
 * that is not as ours are is refused like any other; one of more than
 * CS_MAX_SERIAL octets: CS_E_ARGUMENT.
 */
bool cs_judge_again(struct cs_judge *j, struct cs_span request,
		    struct cs_span serial, struct cs_judgement *ret_judgement,
		    struct cs_error *err) CS_MUST_USE;

/*
 * What would become of an encoded REQUEST, by the set in force or, when there
 * are files, by these (EVALUATE). Nothing of it is kept: no serial is used.
 * ret->body borrows until the next call, ret->report from `report`.
 */
bool cs_judge_evaluate(struct cs_judge *j, const struct cs_msg_evaluate *m,
		       struct cs_buf *report, struct cs_msg_evaluated *ret,
		       struct cs_error *err) CS_MUST_USE;

/*
 * Load a set to see whether it can be in force (CHECK). The JSON report goes
 * to report; *ret_ok says whether it loads, *ret_sha256 is its hash.
 */
bool cs_judge_check_set(struct cs_judge *j, struct cs_span files, bool *ret_ok,
			uint8_t ret_sha256[32], struct cs_buf *report,
			struct cs_error *err) CS_MUST_USE;

#endif
