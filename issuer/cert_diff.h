/*
 * What is different between two certificates, for people and for who counts
 * changes by field: the one that was issued, and the one that would be.
 *
 * Both are facts of a TBS (issuer/cert_facts.h). A field goes by the policy
 * language's word: "subject", "san.dns", "validity", "key_usage",
 * "ext_key_usage", "basic_constraints", "certificate_policies", "crl_urls",
 * "ocsp_urls", "ca_issuers_urls", "extensions"; and what the issuer adds:
 * "key", "serial", "issuer" (its name, key identifier and algorithm). Where
 * the octets differ and no field does, it is the "encoding". What it was and
 * is stands beside it as text; empty: it was or is not there.
 *
 * Texts live in the arena. What is not checked here: whether any of it is
 * right.
 */
#ifndef CS_ISSUER_CERT_DIFF_H
#define CS_ISSUER_CERT_DIFF_H

#include "issuer/cert_facts.h"

/* More than there are fields. */
#define CS_MAX_CERT_CHANGES 24

struct cs_cert_change {
	const char *field;
	struct cs_span was, now;
};

struct cs_cert_diff {
	struct cs_cert_change items[CS_MAX_CERT_CHANGES];
	size_t n;
};

/* None: the octets are the same. CS_E_NO_MEMORY. */
bool cs_cert_diff_make(const struct cs_tbs_facts *was,
		       const struct cs_tbs_facts *now, struct cs_arena *arena,
		       struct cs_cert_diff *ret_diff,
		       struct cs_error *err) CS_MUST_USE;

#endif
