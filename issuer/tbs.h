/*
 * From a plan to a TBSCertificate (RFC 5280 4.1.2), with our own DER writer.
 *
 * The issuer adds serial, signature algorithm, its name, SKI (RFC 7093 2
 * method 1: the leftmost 160 bits of SHA-256 over the key's BIT STRING, so no
 * SHA-1), AKI (the CA's SKI) and, where it has a base URL, the CRL's
 * distribution point, unless the plan has one or says that there is no
 * revocation information (RFC 9608). Everything else is the plan's.
 *
 * Decided here, because the RFC leaves it open:
 *   basicConstraints  always there and critical, CA:FALSE as the empty
 *                     SEQUENCE (4.2.1.9 allows it; it leaves no verifier
 *                     guessing)
 *   subject strings   UTF8String; PrintableString for countryName,
 *                     serialNumber and dnQualifier; IA5String for
 *                     emailAddress and domainComponent (4.1.2.4, A.1)
 *   extension order   AKI, SKI, KU, BC, EKU, SAN, policies, CRLDP, AIA, then
 *                     the plan's own
 *
 * A plan's own extension may not be one of those above (CS_E_ARGUMENT).
 * Nothing is judged: callers read the TBS again and judge that.
 */
#ifndef CS_ISSUER_TBS_H
#define CS_ISSUER_TBS_H

#include "base/buf.h"
#include "base/hash.h"
#include "issuer/ca.h"
#include "policy/plan.h"

/*
 * Serials: this first octet, the second of issuing in CS_SERIAL_TIME octets,
 * then CS_SERIAL_RANDOM random ones. The time is there so that new serials
 * stand beside each other in the ledger's index.
 */
#define CS_SERIAL_FIRST	 0x5b
#define CS_SERIAL_TIME	 4
#define CS_SERIAL_RANDOM 15
#define CS_SERIAL_SIZE	 (1 + CS_SERIAL_TIME + CS_SERIAL_RANDOM)

/* A fresh serial of CS_SERIAL_SIZE octets (RFC 5280 4.1.2.2). */
bool cs_tbs_serial(int64_t now_s, uint8_t ret_serial[CS_SERIAL_SIZE],
		   struct cs_error *err) CS_MUST_USE;

/* The key identifier of a public key, 20 octets. */
bool cs_tbs_key_id(struct cs_hash *hash, const struct cs_fact_key *key,
		   uint8_t ret_id[20], struct cs_error *err) CS_MUST_USE;

/*
 * Append the TBS to out. `key` is the subject's. CS_E_ARGUMENT: the plan
 * cannot be written (a value that its string type does not hold, a date
 * beyond 9999); CS_E_TOO_LARGE, CS_E_NO_MEMORY: out's.
 */
bool cs_tbs_write(const struct cs_plan *plan, const struct cs_fact_key *key,
		  const struct cs_issuer_ca *ca, struct cs_span serial,
		  struct cs_hash *hash, struct cs_arena *arena,
		  struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

#endif
