/*
 * A certification request (PKCS#10, RFC 2986), from DER to facts.
 *
 * This is phase A of a decision: the strict reading and the invariants that
 * no policy can switch off. All violations are reported where reading can go
 * on behind them: structure, version, subject, key, attributes, requested
 * extensions, signature algorithm, and (only when the key and the algorithm
 * stand) the signature itself. Sizes and exponents are checked before any
 * mathematics, so a hostile key costs no more than reading it.
 *
 * Facts borrow from the DER and the arena. They are whole only when nothing
 * was found; with findings they hold what could be read (for search terms).
 *
 * What it does not do: decode PEM (issuer/judge.h), or judge whether anything
 * asked for may be had. That a key is weak is such a fact (facts.h).
 */
#ifndef CS_ISSUER_CSR_H
#define CS_ISSUER_CSR_H

#include "issuer/crypto.h"
#include "policy/finding.h"

/*
 * Reads `der` (at most CS_MAX_CSR_DER octets, or CSR_TOO_LARGE). False only
 * when memory ran out or OpenSSL failed; look at findings->n otherwise.
 */
bool cs_csr_read(struct cs_crypto *crypto, struct cs_span der,
		 struct cs_arena *arena, struct cs_cert_facts *ret_facts,
		 struct cs_findings *findings,
		 struct cs_error *err) CS_MUST_USE;

#endif
