/*
 * Readers of the parts that CSRs and certificates have in common, over
 * base/der.h: Name, SubjectPublicKeyInfo, GeneralNames, Extensions.
 *
 * They report into a list of findings and go on where going on has a meaning,
 * so that a requester sees every violation at once; each function returns
 * false only when memory ran out or OpenSSL failed (err). Whoever calls looks
 * at the number of findings.
 *
 * What is refused, beyond malformed DER, stands with each function; none of
 * it can be switched off by a policy. What is merely unwelcome (a kind of
 * name, a key usage, a size) becomes a fact, and policy judges it.
 */
#ifndef CS_ISSUER_X509_H
#define CS_ISSUER_X509_H

#include "base/der.h"
#include "base/hash.h"
#include "policy/codes.h"
#include "policy/facts.h"
#include "policy/finding.h"

/* Where the readers put what they find; everything borrowed. */
struct cs_x509 {
	struct cs_arena *arena;
	struct cs_findings *findings;
	struct cs_hash *hash;
};

/*
 * Add a finding: `field` "san.dns[1]" or NULL.
 * The value is shown as text where it is printable, else in hexadecimal.
 */
bool cs_x509_finding(struct cs_x509 *x, enum cs_code code, const char *field,
		     struct cs_span value, struct cs_error *err,
		     const char *fmt, ...) CS_PRINTF(6, 7) CS_MUST_USE;

/* As above, with the sentence of `why`. */
bool cs_x509_finding_error(struct cs_x509 *x, enum cs_code code,
			   const char *field, const struct cs_error *why,
			   struct cs_error *err) CS_MUST_USE;

/*
 * A Name (RFC 5280 4.1.2.4), its content entered already. Refused: more than
 * one attribute in an RDN, string types other than UTF8String and
 * PrintableString (IA5String for emailAddress and domainComponent), control
 * characters, invalid UTF-8, empty values, more than CS_MAX_RDNS, values
 * beyond the upper bounds of RFC 5280 A.1.
 */
bool cs_subject_read(struct cs_x509 *x, struct cs_der name,
		     struct cs_cert_facts *facts,
		     struct cs_error *err) CS_MUST_USE;

/*
 * A SubjectPublicKeyInfo (RFC 5280 4.1.2.7), all its bytes. Accepted: EC on
 * the named curves P-256, P-384 and P-521 with an uncompressed point (RFC
 * 5480 2), RSA of 2048 to 4096 bits, a multiple of 8, with an odd exponent
 * from 65537 to 2^32 (RFC 8017 3.1), Ed25519 (RFC 8410 4). No arithmetic
 * happens here.
 */
bool cs_spki_read(struct cs_x509 *x, struct cs_span spki,
		  struct cs_fact_key *key, struct cs_error *err) CS_MUST_USE;

/* The two integers of an RSAPublicKey, big-endian and without sign octets. */
bool cs_spki_rsa(struct cs_span key, struct cs_span *ret_modulus,
		 struct cs_span *ret_exponent,
		 struct cs_error *err) CS_MUST_USE;

/*
 * A subjectAltName's value (RFC 5280 4.2.1.6). Refused: none or more than
 * CS_MAX_NAMES names, names that are not of their kind's grammar
 * (policy/name.h), IP addresses of neither 4 nor 16 octets, kinds that we do
 * not know (x400Address, ediPartyName), the same name twice.
 */
bool cs_names_read(struct cs_x509 *x, struct cs_span value,
		   struct cs_cert_facts *facts,
		   struct cs_error *err) CS_MUST_USE;

/* One extension, as RFC 5280 4.1.2.9 spells it. */
struct cs_x509_ext {
	struct cs_span oid;
	struct cs_span value; /* content of extnValue */
	bool critical;
};

/*
 * The content of Extensions: at most CS_MAX_EXTENSIONS, no OID twice
 * (RFC 5280 4.2). The array is in the arena.
 */
bool cs_extensions_list(struct cs_x509 *x, struct cs_der extensions,
			struct cs_x509_ext **ret_items, size_t *ret_n,
			struct cs_error *err) CS_MUST_USE;

/*
 * Sort the extensions into facts: subjectAltName, keyUsage, extKeyUsage and
 * basicConstraints are read, every other one is listed.
 */
bool cs_extensions_facts(struct cs_x509 *x, const struct cs_x509_ext *items,
			 size_t n, struct cs_cert_facts *facts,
			 struct cs_error *err) CS_MUST_USE;

#endif
