/*
 * The ceiling of an issuer: what its CA never signs, whatever policy says.
 * It comes from the configuration, not from the policy set, and is enforced
 * twice by this same function: by the worker, so that people get a violation
 * with the code CA_CEILING, and by the signer on its own, which trusts nobody.
 *
 * Checked over a TBS as it was read back (issuer/cert_facts.h): the issuer
 * and the AKI are this CA's, the signature algorithm is the CA's, the serial
 * has our shape, the validity is in order, within the CA's own and not longer
 * than the maximum, the CA bit is set only where that is configured and no
 * usage of a CA's key is in keyUsage without it, extKeyUsage is a subset, and
 * every name stands in a permitted subtree.
 *
 * permitted_dns holds for DNS names, for the hosts of URIs and e-mail
 * addresses and for a common name that is a DNS name; permitted_ip for
 * addresses. An empty list permits every name of its kind. Other kinds of
 * names (otherName, directoryName, registeredID) have no subtrees here: they
 * are beyond a ceiling that does not list their kind.
 *
 * Whoever holds a certificate for OCSP signing speaks for the CA about every
 * certificate of it (RFC 6960 4.2.2.2). So that purpose has to be named; an
 * empty list does not permit it. `ocsp` lets through, without its being named,
 * the certificate of the house's own responder and nothing else: exactly that
 * purpose, one common name, CS_OCSP_RESPONDER_NAME, no alternative names, no
 * other extension but "do not ask about this one", a week at most. Who asks
 * for it the signer cannot see; the worker switches `ocsp` off for every
 * source but "ocsp".
 *
 * A ceiling with the CA bit permits every name: a CA below could be held to
 * subtrees by name constraints only (RFC 5280 4.2.1.10), which nothing here
 * writes. Its list of purposes holds for CAs too, which must then state them.
 */
#ifndef CS_ISSUER_CEILING_H
#define CS_ISSUER_CEILING_H

#include "issuer/ca.h"
#include "issuer/cert_facts.h"

/* The common name of the house's responders, and how long they live at most. */
#define CS_OCSP_RESPONDER_NAME "OCSP responder"
#define CS_OCSP_RESPONDER_LIFE (7 * INT64_C(86400))

struct cs_ceiling_net {
	uint8_t octets[16];
	unsigned octets_n; /* 4 or 16 */
	unsigned prefix;   /* bits */
};

struct cs_ceiling {
	int64_t max_validity_s;	       /* notAfter - notBefore, as durations */
	struct cs_span *ext_key_usage; /* content octets; none: any */
	size_t ext_key_usage_n;
	struct cs_span *permitted_dns; /* "corp.example": it and all below */
	size_t permitted_dns_n;
	struct cs_ceiling_net *permitted_ip;
	size_t permitted_ip_n;
	unsigned kinds; /* 1 << cs_name_kind: others that may be issued */
	bool ca;	/* CAs may be certified */
	bool ocsp;	/* the house's own OCSP responder may be */
};

/* The same as the configuration spells it; lists may be empty. */
struct cs_ceiling_text {
	struct cs_span max_validity;	     /* "398d" */
	const struct cs_span *ext_key_usage; /* "server auth", or an OID */
	size_t ext_key_usage_n;
	const struct cs_span *permitted_dns;
	size_t permitted_dns_n;
	const struct cs_span *permitted_ip; /* "10.0.0.0/8" */
	size_t permitted_ip_n;
	const struct cs_span *permitted_kinds; /* "other_name" */
	size_t permitted_kinds_n;
	bool ca;
	bool ocsp;
};

/* CS_E_CONFIG with a sentence that names the bad entry. In the arena. */
bool cs_ceiling_parse(const struct cs_ceiling_text *text,
		      struct cs_arena *arena, struct cs_ceiling *ret_ceiling,
		      struct cs_error *err) CS_MUST_USE;

/*
 * Adds a finding (CA_CEILING, rule "ceiling") for each way in which the TBS
 * goes beyond. False: no memory.
 */
bool cs_ceiling_check(const struct cs_ceiling *ceiling,
		      const struct cs_issuer_ca *ca,
		      const struct cs_tbs_facts *tbs,
		      struct cs_findings *findings,
		      struct cs_error *err) CS_MUST_USE;

#endif
