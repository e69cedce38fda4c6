/*
 * Why a certificate is revoked, and in which CRL it then stands.
 *
 * Reasons are RFC 5280 5.3.1's numbers under its names ("keyCompromise"); on
 * the way in "key-compromise" is the same. Not every reason can be given for
 * a certificate that we have issued:
 *
 *	certificateHold, removeFromCRL	a hold can be lifted, and then nobody
 *		can say whether the certificate was valid on a given day; what
 *		is revoked stays revoked (docs/adr/0014)
 *	cACompromise, aACompromise	are about the certificate of a CA or of
 *		an attribute authority
 *
 * Revocable is every serial of an attempt (store/schema.c): also of one that
 * was abandoned or has no outcome yet, since a signature may exist that was
 * never recorded.
 *
 * Pure functions.
 */
#ifndef CS_BASE_REVOKE_H
#define CS_BASE_REVOKE_H

#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

/*= RFC 5280 5.3.1 */
/* Stored: never another number. */
enum cs_reason {
	CS_REASON_UNSPECIFIED = 0,
	CS_REASON_KEY_COMPROMISE = 1,
	CS_REASON_CA_COMPROMISE = 2,
	CS_REASON_AFFILIATION_CHANGED = 3,
	CS_REASON_SUPERSEDED = 4,
	CS_REASON_CESSATION_OF_OPERATION = 5,
	CS_REASON_CERTIFICATE_HOLD = 6,
	CS_REASON_REMOVE_FROM_CRL = 8,
	CS_REASON_PRIVILEGE_WITHDRAWN = 9,
	CS_REASON_AA_COMPROMISE = 10
};

/* "keyCompromise"; NULL: there is no such reason. */
const char *cs_reason_name(enum cs_reason reason);

/*
 * The reason of a name, for a certificate that is no CA's. CS_E_ARGUMENT: it
 * is none, or one that cannot be given, with the clause.
 */
bool cs_reason_parse(struct cs_span name, enum cs_reason *ret_reason,
		     struct cs_error *err) CS_MUST_USE;

/* Octets of a serial's key. */
#define CS_REVOKED_KEY 8

/*
 * A serial in eight octets: its last ones, zeros before them. Those of ours
 * are random in the last sixteen, so that another certificate's is the same
 * once in 2^64 / n times; who judges by it refuses what it need not, at worst.
 */
void cs_revoked_key(struct cs_span serial, uint8_t ret_key[CS_REVOKED_KEY]);

/*
 * The shard of a serial (its octets): the low 32 bits modulo the issuer's
 * number of shards, which is not 0. Certificates carry it (docs/adr/0009).
 */
uint32_t cs_revoke_shard(struct cs_span serial, uint32_t shards);

#endif
