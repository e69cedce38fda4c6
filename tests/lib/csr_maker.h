/*
 * Certification requests for tests, good ones and bad ones: built with our
 * DER writer from parts that a test replaces, signed with OpenSSL.
 *
 * A zeroed struct with a key makes a good CSR: CN=web.corp.example, SAN
 * dns:web.corp.example. Whatever goes wrong in here fails the test.
 */
#ifndef CS_TESTS_LIB_CSR_MAKER_H
#define CS_TESTS_LIB_CSR_MAKER_H

#include "base/buf.h"
#include "issuer/key.h"

struct csr_maker {
	struct cs_key *key;
	enum cs_sig_alg alg;	   /* for signing; must fit the key */
	struct cs_span version;	   /* content octets; empty: 0 */
	struct cs_span subject;	   /* Name, DER */
	struct cs_span spki;	   /* DER; empty: the key's */
	struct cs_span extensions; /* content of Extensions */
	struct cs_span attributes; /* content of [0] */
	bool no_attributes;	   /* leave [0] out */
	bool no_extensions;	   /* [0] stays empty */
	struct cs_span sig_alg;	   /* AlgorithmIdentifier; empty: by `alg` */
	bool break_signature;
};

void csr_make(const struct csr_maker *m, struct cs_buf *out);

/* One Extension with this value, appended. */
void csr_ext(struct cs_buf *out, struct cs_span oid, bool critical,
	     struct cs_span value);

/* A subjectAltName Extension of one GeneralName. */
void csr_ext_san(struct cs_buf *out, uint8_t tag, struct cs_span content);

/* One RDN of one attribute, appended; a Name around them. */
void csr_rdn(struct cs_buf *out, struct cs_span oid, uint8_t tag,
	     struct cs_span value);
void csr_name(struct cs_buf *out, struct cs_span rdns);

/* One Attribute of one value, appended. */
void csr_attribute(struct cs_buf *out, struct cs_span oid,
		   struct cs_span value);

/* The extensions' content as the value of an extensionRequest. */
void csr_sequence(struct cs_buf *out, struct cs_span content);

#endif
