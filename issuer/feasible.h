/*
 * Would a verifier that trusts our root accept this certificate under our CA?
 * What the CA's own certificate takes away: its dates (RFC 5280 6.1.3), its
 * extKeyUsage (4.2.1.12), its path length (6.1.4) and its name constraints
 * (issuer/constraints.h); each of them as the whole chain leaves it.
 */
#ifndef CS_ISSUER_FEASIBLE_H
#define CS_ISSUER_FEASIBLE_H

#include "issuer/ca.h"
#include "issuer/cert_facts.h"

/* Findings CA_EXPIRY, CA_USAGE and CA_NAME_CONSTRAINT. False: no memory. */
bool cs_feasible_check(const struct cs_issuer_ca *ca,
		       const struct cs_tbs_facts *tbs, int64_t now_s,
		       struct cs_findings *findings,
		       struct cs_error *err) CS_MUST_USE;

#endif
