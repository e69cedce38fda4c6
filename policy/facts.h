/*
 * Facts: what a request says, parsed strictly and made canonical, and
 * nothing else. The policy reads only these; they are made in issuer/ from
 * the CSR (and once more from the TBS that was built) and from the request's
 * scalars.
 *
 * Plain values. Every span borrows from the request's arena or from the CSR
 * itself; nothing here is freed on its own. Counts are bounded by
 * base/limits.h. Text is valid UTF-8 without control characters.
 *
 * What facts do not say: whether the CSR's signature was good or its key
 * acceptable as a key at all. A request that fails there never becomes facts
 * (see issuer/csr.h).
 */
#ifndef CS_POLICY_FACTS_H
#define CS_POLICY_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/span.h"

/* The GeneralName alternatives of RFC 5280 4.2.1.6 that we tell apart. */
enum cs_name_kind {
	CS_NAME_DNS,
	CS_NAME_IP,
	CS_NAME_URI,
	CS_NAME_EMAIL,
	CS_NAME_DIRECTORY,
	CS_NAME_REGISTERED_ID,
	CS_NAME_OTHER,
	CS_NAME_KINDS
};

/* One subject attribute (RFC 5280 4.1.2.4), in the order of the RDNs. */
struct cs_fact_attr {
	struct cs_span oid;   /* content octets of the OID */
	struct cs_span value; /* UTF-8, as asked */
	uint8_t tag;	      /* the string type's DER tag, as asked */
	unsigned index;	      /* n-th attribute with this OID, from 0 */
};

/* One subject alternative name. */
struct cs_fact_name {
	enum cs_name_kind kind;
	struct cs_span asked;	  /* content octets in the CSR */
	struct cs_span canonical; /* text: see policy/name.h; not OTHER */
	struct cs_span content;	  /* content octets that we would issue */
	struct cs_span oid;	  /* OTHER: content octets of its type-id */
	bool normalized;	  /* content differs from asked */
	unsigned index;		  /* n-th name of its kind, from 0 */
};

enum cs_key_alg {
	CS_KEY_EC,
	CS_KEY_RSA,
	CS_KEY_ED25519
};

/* Why a key is weak: an RSA key by its arithmetic (issuer/weak_key.h). */
enum {
	CS_WEAK_ROCA = 1 << 0,
	CS_WEAK_FERMAT = 1 << 1,
	CS_WEAK_SMALL_FACTORS = 1 << 2,
	/* On the operator's blocklist: only a policy's own tests say so. */
	CS_WEAK_LISTED = 1 << 3
};

struct cs_fact_key {
	enum cs_key_alg alg;
	unsigned bits;	     /* modulus or field size; 256 for Ed25519 */
	struct cs_span spki; /* SubjectPublicKeyInfo, DER */
	struct cs_span key;  /* content of its BIT STRING, without the unused
				bits octet: what SHA-1 runs over for a key id */
	uint8_t spki_sha256[32];
	unsigned weak; /* CS_WEAK_*; of a CSR's key */
};

/* An extension that has no field of its own below. */
struct cs_fact_ext {
	struct cs_span oid;   /* content octets */
	struct cs_span value; /* content of extnValue */
	bool critical;
};

/* Key usage bits (RFC 5280 4.2.1.3): bit n of the BIT STRING is 1 << n. */
enum {
	CS_KU_DIGITAL_SIGNATURE = 1 << 0,
	CS_KU_CONTENT_COMMITMENT = 1 << 1,
	CS_KU_KEY_ENCIPHERMENT = 1 << 2,
	CS_KU_DATA_ENCIPHERMENT = 1 << 3,
	CS_KU_KEY_AGREEMENT = 1 << 4,
	CS_KU_CERT_SIGN = 1 << 5,
	CS_KU_CRL_SIGN = 1 << 6,
	CS_KU_ENCIPHER_ONLY = 1 << 7,
	CS_KU_DECIPHER_ONLY = 1 << 8
};

/* What a CSR asks for, or what a TBS says. */
struct cs_cert_facts {
	struct cs_fact_attr *subject;
	size_t subject_n;
	struct cs_fact_name *names;
	size_t names_n;
	bool san_critical;
	struct cs_fact_key key;

	bool has_key_usage;
	bool key_usage_critical;
	unsigned key_usage; /* CS_KU_* */

	bool has_ext_key_usage;
	bool ext_key_usage_critical;
	struct cs_span *ext_key_usage; /* content octets of OIDs, as asked */
	size_t ext_key_usage_n;

	bool has_basic_constraints;
	bool basic_constraints_critical;
	bool ca;
	bool has_path_len;
	unsigned path_len;

	struct cs_fact_ext *extensions; /* all others */
	size_t extensions_n;
};

/* A label, or an attribute of a request. */
struct cs_fact_pair {
	struct cs_span key;
	struct cs_span value;
};

/* One extra attribute of a requester, with its values. */
struct cs_fact_extra {
	struct cs_span key;
	struct cs_span *values;
	size_t n;
};

/* What stands beside the CSR: the request's scalars (design of the API). */
struct cs_request_facts {
	struct cs_span id; /* 32 hex digits */
	struct cs_span issuer;
	struct cs_span source; /* "api", "listener", "ocsp", "kubernetes" */
	struct cs_span client; /* name of the client that submitted */
	struct cs_span realm;
	struct cs_span namespace;
	struct cs_fact_pair *labels; /* of the namespace */
	size_t labels_n;
	struct cs_fact_pair *attributes; /* claims that nobody verified */
	size_t attributes_n;
	struct cs_span owner;
	struct cs_span requester; /* user name */
	struct cs_span *groups;	  /* of the requester */
	size_t groups_n;
	struct cs_fact_extra *extra; /* of the requester */
	size_t extra_n;
	struct cs_span *usages; /* cert-manager's words or OIDs, or none */
	size_t usages_n;
	bool has_usages;
	bool has_is_ca;
	bool is_ca;
	bool has_duration;
	int64_t duration_s;
	bool renewal;
	int64_t now_s; /* seconds since 1970, drawn once, recorded */
	int64_t issuer_not_after_s; /* end of the CA certificate; 0: unknown */
};

struct cs_facts {
	struct cs_cert_facts csr;
	struct cs_request_facts request;
};

#endif
