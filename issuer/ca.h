/*
 * One issuer's CA, as far as it is public: what is taken from its chain of
 * certificates and what the configuration says beside it. Parent loads it
 * before it forks; worker, ledger and signer inherit it, read-only.
 *
 * The chain file is PEM: the issuing CA first, each next one its issuer's,
 * the self-signed root last (a single-tier installation has only the root).
 * Loading checks, with OpenSSL, that it is that: subjects and issuers, every
 * signature, CA bits and key usage (RFC 5280 4.2.1.9, 4.2.1.3), path lengths,
 * a subject key identifier (4.2.1.2), signatures by the algorithms of
 * issuer/sigalg.h (but for the root's own), and that no CA's own names are
 * outside the name constraints of those above it (4.2.1.10). The constraints
 * themselves are kept, for issuer/feasible.h.
 *
 * What the whole chain leaves counts, the root included: verifiers apply its
 * path length, extended key usages and name constraints too, although RFC
 * 5280 6.1 does not make them.
 *
 * Dates are not checked here: an expired CA still answers questions, and
 * issuer/feasible.h refuses to issue under it.
 *
 * Plain values in an arena of their own: cs_issuer_ca_free() releases all.
 */
#ifndef CS_ISSUER_CA_H
#define CS_ISSUER_CA_H

#include "base/arena.h"
#include "issuer/constraints.h"
#include "issuer/sigalg.h"
#include "policy/facts.h"

struct cs_issuer_ca {
	struct cs_arena arena;
	struct cs_span name;	     /* "default" */
	struct cs_span certificate;  /* of the issuing CA, DER */
	struct cs_span chain_pem;    /* without the root: what clients send
					behind the leaf; may be empty */
	struct cs_span root_pem;     /* what clients trust */
	struct cs_span full_pem;     /* all of it, issuing CA first */
	struct cs_span subject;	     /* Name, DER: our certificates' issuer */
	struct cs_span subject_text; /* the same for people: RFC 4514 */
	struct cs_span serial;	     /* content octets of the CA's own serial */
	struct cs_fact_key key;
	struct cs_span ski;   /* key identifier: our certificates' AKI */
	int64_t not_before_s; /* latest of the chain's */
	int64_t not_after_s;  /* earliest of the chain's */
	bool signs_crls;      /* its key usage has cRLSign (4.2.1.3) */
	bool has_path_len;    /* of any of the chain's */
	unsigned path_len;    /* CAs that may still stand below this one */
	enum cs_sig_alg alg;
	struct cs_span sig_alg; /* AlgorithmIdentifier, DER */
	/* Name constraints of the chain, one set a CA that has them. */
	struct cs_constraints *constraints;
	size_t constraints_n;
	/* The chain's extKeyUsage limits ours; none: no limit. */
	struct cs_span *ext_key_usage;
	size_t ext_key_usage_n;

	/*
	 * Which of the issuer's CA certificates this is, from 1. The label
	 * names one of them: "web" is the first generation, "web@2" the
	 * second; an issuer's name has no `@`.
	 */
	unsigned generation;
	struct cs_span label;

	/*
	 * Where revocation is asked about, frozen when the certificate is
	 * made: base URL and number of shards. Empty: no CRLDP. From the
	 * second generation on, the URL's last segment is the label: the
	 * name at the end of the configured URL is replaced by it, or it is
	 * put behind (http://crl.example/crl/web becomes .../crl/web@2).
	 */
	struct cs_span crl_url;
	unsigned crl_shards;
	/* Where OCSP answers, as it is configured now. Empty: no AIA. */
	struct cs_span ocsp_url;
};

struct cs_issuer_ca_source {
	struct cs_span name;
	struct cs_span chain_pem; /* the file's text, at most CS_MAX_PEM_FILE */
	unsigned generation;	  /* 0: the first */
	struct cs_span crl_url;	  /* as configured; may be empty */
	bool crl_url_is_whole;	  /* the label stands in it already */
	unsigned crl_shards;	  /* 0: one shard */
	struct cs_span ocsp_url;  /* may be empty */
};

/*
 * The OCSP locations of a certificate: the plan's, or where it has none, and
 * does not say no_rev_avail, the issuer's. Borrows from both.
 */
struct cs_plan;
const struct cs_span *cs_issuer_ca_ocsp_urls(const struct cs_issuer_ca *ca,
					     const struct cs_plan *plan,
					     size_t *ret_n);

void cs_issuer_ca_free(struct cs_issuer_ca *ca);
struct cs_issuer_ca *cs_issuer_ca_new(const struct cs_issuer_ca_source *source,
				      struct cs_error *err) CS_MUST_USE;

/*
 * The CRL of a serial: base URL, '/', the shard's number in decimal, ".crl".
 * The shard is the serial's low bits modulo the number of shards (the last
 * four octets as a big-endian number). Into the arena.
 */
bool cs_issuer_ca_crl_url(const struct cs_issuer_ca *ca, struct cs_span serial,
			  struct cs_arena *arena, struct cs_span *ret_url,
			  struct cs_error *err) CS_MUST_USE;
/* The same of a shard. */
bool cs_issuer_ca_shard_url(const struct cs_issuer_ca *ca, uint32_t shard,
			    struct cs_arena *arena, struct cs_span *ret_url,
			    struct cs_error *err) CS_MUST_USE;

#endif
