/*
 * Pieces of issuer/judge.h that are pure functions of their arguments: what
 * a REQUEST says as facts, and what a decision leaves for the record.
 */
#ifndef CS_ISSUER_JUDGE_PARTS_H
#define CS_ISSUER_JUDGE_PARTS_H

#include "base/msg.h"
#include "issuer/ca.h"
#include "issuer/cert_facts.h"
#include "policy/engine.h"
#include "policy/finding.h"

/*
 * The CSR's DER: itself, or decoded from PEM ("CERTIFICATE REQUEST", and
 * "NEW CERTIFICATE REQUEST" as RFC 7468 7 allows). False with CS_E_FORMAT or
 * CS_E_TOO_LARGE and a sentence; CS_E_NO_MEMORY.
 */
bool cs_judge_csr_der(struct cs_span csr, struct cs_buf *scratch,
		      struct cs_span *ret_der,
		      struct cs_error *err) CS_MUST_USE;

/*
 * What stands beside the CSR. CS_E_PROTOCOL: front wrote scalars that are
 * none; CS_E_NO_MEMORY.
 */
bool cs_judge_request_facts(const struct cs_msg_request *request,
			    int64_t now_ms, struct cs_arena *arena,
			    struct cs_request_facts *ret_facts,
			    struct cs_error *err) CS_MUST_USE;

/* Search terms of a decision; `tbs` and `serial` are of an issued one. */
bool cs_judge_terms(const struct cs_msg_request *request,
		    const struct cs_facts *facts,
		    const struct cs_verdict *verdict,
		    const struct cs_tbs_facts *tbs, struct cs_arena *arena,
		    struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/* Volatile inputs, as JSON: engine, epoch, now, and the policy's vars. */
bool cs_judge_inputs(uint64_t epoch, int64_t now_ms,
		     const struct cs_verdict *verdict, struct cs_buf *out,
		     struct cs_error *err) CS_MUST_USE;

/*
 * What a key is bound to: SHA-256 over the subject's DER and the names in
 * ascending order of kind and content, each behind its kind and length. The
 * order in which a CSR lists names does not matter.
 */
bool cs_judge_subject_key(struct cs_hash *hash, const struct cs_tbs_facts *tbs,
			  struct cs_arena *arena, uint8_t ret_key[32],
			  struct cs_error *err) CS_MUST_USE;

/*
 * What the CSR has no fields for, read back from the TBS: policies, access
 * locations, distribution points. They are the plan's; where it has no point,
 * or no OCSP location, the issuer's own, unless the plan says no_rev_avail. A
 * finding BUILD_CONFLICT for each that is not. False: no memory.
 */
bool cs_judge_locations(const struct cs_plan *plan,
			const struct cs_issuer_ca *ca,
			const struct cs_tbs_facts *tbs, struct cs_arena *arena,
			struct cs_findings *findings,
			struct cs_error *err) CS_MUST_USE;

/* "countersign 0.1.0": what judged. */
const char *cs_judge_engine(void);

#endif
