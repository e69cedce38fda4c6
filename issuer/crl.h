/*
 * From the list of what is revoked to a TBSCertList (RFC 5280 5.1.2), with
 * our own DER writer: a complete CRL of one issuer's shard, version 2.
 *
 * The issuer adds its signature algorithm, name, AKI (its SKI) and, where its
 * certificates say where CRLs are, a critical issuingDistributionPoint with
 * the very URL that the certificates of this shard carry. Neither
 * onlyContainsUserCerts nor onlyContainsCACerts is there: the list is of
 * every certificate that the issuer signs, a CA's under it too. An issuer
 * without such a URL has one CRL of everything, and no such extension.
 *
 * Entries stand in ascending order of their serials' octets, however they
 * come, so that equal lists are equal bytes; each with a reasonCode where
 * there is one other than unspecified (5.3.1), and no other extension.
 * Without entries the list is left out (5.1.2.6).
 *
 * The writer checks what it writes: serials, none of them twice, reasons,
 * years. It does not know what is revoked, nor the time.
 */
#ifndef CS_ISSUER_CRL_H
#define CS_ISSUER_CRL_H

#include "base/buf.h"
#include "base/crl.h"
#include "issuer/ca.h"

struct cs_crl {
	uint32_t shard;
	uint64_t number; /* CRLNumber (RFC 5280 5.2.3), above 0 */
	int64_t this_update_s, next_update_s;
	struct cs_span entries; /* encoded (base/crl.h) */
};

/* How many CRLs an issuer has: its shards, or one when it has no URL. */
uint32_t cs_crl_shards(const struct cs_issuer_ca *ca);

/*
 * Append the TBSCertList to out. *ret_n: how many entries it has.
 * CS_E_PROTOCOL: entries are malformed, or one comes twice; CS_E_ARGUMENT: no
 * such shard, dates out of order or beyond 9999; CS_E_TOO_LARGE: more than
 * CS_MAX_CRL_ENTRIES, or out's.
 */
bool cs_crl_tbs_write(const struct cs_issuer_ca *ca, const struct cs_crl *crl,
		      struct cs_buf *out, size_t *ret_n,
		      struct cs_error *err) CS_MUST_USE;

#endif
