/*
 * The plan: the certificate that policy decided on, field by field. The
 * worker turns it into a TBS (issuer/tbs.h); nothing that is not in the plan
 * gets into a certificate, except what the issuer itself adds (serial,
 * signature algorithm, issuer name, SKI, AKI).
 *
 * Plain values in the request's arena, as facts are.
 */
#ifndef CS_POLICY_PLAN_H
#define CS_POLICY_PLAN_H

#include "policy/facts.h"

/* One subject attribute; each becomes an RDN of its own, in this order. */
struct cs_plan_attr {
	struct cs_span oid;   /* content octets */
	struct cs_span value; /* UTF-8 */
};

struct cs_plan_name {
	enum cs_name_kind kind;
	struct cs_span content; /* content octets of the GeneralName */
	struct cs_span oid;	/* OTHER: type-id, content octets */
};

struct cs_plan_ext {
	struct cs_span oid;
	struct cs_span value; /* becomes the content of extnValue */
	bool critical;
};

struct cs_plan {
	struct cs_plan_attr *subject;
	size_t subject_n;
	struct cs_plan_name *names;
	size_t names_n;
	/*
	 * Whether the SAN extension is critical follows from the subject:
	 * RFC 5280 4.2.1.6 wants it when the subject is empty.
	 */

	int64_t not_before_s; /* seconds since 1970 */
	int64_t not_after_s;  /* the last second in which it is valid */

	unsigned key_usage; /* CS_KU_*; 0: no extension */
	bool key_usage_critical;
	struct cs_span *ext_key_usage; /* content octets of OIDs */
	size_t ext_key_usage_n;
	bool ext_key_usage_critical;

	bool ca;
	bool has_path_len;
	unsigned path_len;

	struct cs_span *policies; /* certificate policies, OIDs */
	size_t policies_n;
	struct cs_span *ocsp_urls;
	size_t ocsp_urls_n;
	struct cs_span *ca_issuers_urls;
	size_t ca_issuers_urls_n;
	/*
	 * None: the issuer's own distribution point, if it has any; with
	 * no_rev_avail (RFC 9608) not even that.
	 */
	struct cs_span *crl_urls;
	size_t crl_urls_n;
	bool no_rev_avail; /* the extension itself is among those below */

	struct cs_plan_ext *extensions; /* further ones, in order */
	size_t extensions_n;
};

#endif
