/*
 * A TBSCertificate or a Certificate (RFC 5280 4.1), from DER to facts, by the
 * same strict readers as a CSR: what worker and signer judge is what is
 * signed, never the struct it was made from.
 *
 * Strict means: version 3, no unique identifiers, every extension once, and
 * those below well-formed. A certificate that another CA made may be refused
 * here though other software takes it; chains are read with OpenSSL
 * (issuer/ca.h).
 *
 * Everything borrows from the DER and the arena. Nothing is verified: not the
 * signature, not the dates, not the chain.
 */
#ifndef CS_ISSUER_CERT_FACTS_H
#define CS_ISSUER_CERT_FACTS_H

#include "base/hash.h"
#include "issuer/sigalg.h"
#include "policy/facts.h"
#include "policy/finding.h"

struct cs_tbs_facts {
	/*
	 * Subject, names, key and usages. `extensions` lists what has no
	 * field here or below.
	 */
	struct cs_cert_facts cert;

	struct cs_span tbs;	  /* the whole TBSCertificate */
	struct cs_span serial;	  /* content octets of the INTEGER */
	struct cs_span sig_alg;	  /* AlgorithmIdentifier, DER */
	enum cs_sig_alg alg;	  /* the same, known */
	struct cs_span issuer;	  /* Name, DER */
	struct cs_span subject;	  /* Name, DER */
	int64_t not_before_s;	  /* seconds since 1970 */
	int64_t not_after_s;	  /* the last second of validity */
	struct cs_span ski;	  /* key identifier; empty: none */
	struct cs_span aki;	  /* authority's key identifier; empty: none */
	struct cs_span *policies; /* policy OIDs, content octets */
	size_t policies_n;
	struct cs_span *crl_urls;
	size_t crl_urls_n;
	struct cs_span *ocsp_urls;
	size_t ocsp_urls_n;
	struct cs_span *ca_issuers_urls;
	size_t ca_issuers_urls_n;

	struct cs_span signature; /* of a certificate; empty for a TBS */
};

/*
 * CS_E_DER or CS_E_CERT with the first violation's sentence; CS_E_NO_MEMORY,
 * CS_E_CRYPTO. At most CS_MAX_TBS octets.
 */
bool cs_tbs_facts_read(struct cs_hash *hash, struct cs_span tbs,
		       struct cs_arena *arena, struct cs_tbs_facts *ret_facts,
		       struct cs_error *err) CS_MUST_USE;

/* The same for a certificate; the two signature algorithms must agree. */
bool cs_cert_facts_read(struct cs_hash *hash, struct cs_span certificate,
			struct cs_arena *arena, struct cs_tbs_facts *ret_facts,
			struct cs_error *err) CS_MUST_USE;

#endif
