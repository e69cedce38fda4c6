/*
 * A CA's certification request (PKCS#10, RFC 2986), for an issuer whose
 * certificate shall come from somebody else's root (`ca csr`). Forks
 * (issuer/keygen_parts.h): a child makes the key, or reads the one there is,
 * writes new files (issuer/newfile.h) and dies.
 *
 * What a CA has to have is asked for in the extensionRequest (RFC 2985
 * 5.4.2): basicConstraints with CA and a path length, keyUsage with
 * keyCertSign and cRLSign, both critical, and the subjectKeyIdentifier. What
 * comes back may be another certificate: cs_issuer_ca_new() judges it.
 */
#ifndef CS_ISSUER_CA_REQUEST_H
#define CS_ISSUER_CA_REQUEST_H

#include "base/arena.h"
#include "issuer/ca_make.h"

struct cs_ca_request {
	enum cs_key_kind kind; /* of a new key */
	/* A key that is there instead; fd -1: none, one is made. */
	struct cs_ca_file from;
	struct cs_ca_file before; /* the issuer's key as it is; fd -1: none */
	struct cs_ca_file passphrase; /* encrypts the new key, opens these */

	struct cs_span subject; /* a Name, DER; empty: of these two */
	struct cs_span organization;
	struct cs_span name; /* CN */
	unsigned path_len;

	const char *key; /* complete path of the new key; NULL with `from` */
	const char *request; /* of the CSR, PEM */
};

/* CS_E_USAGE: a name that no certificate can have; CS_E_KEY. */
bool cs_ca_request_in_child(const struct cs_ca_request *c,
			    struct cs_error *err) CS_MUST_USE;

/* What of a CSR of ours is asked about afterwards; all in the arena. */
struct cs_ca_request_facts {
	struct cs_fact_key key;
	struct cs_span subject_text; /* "O=Example, CN=Example CA web" */
};

/* Read `pem` again: its signature holds. CS_E_FORMAT: it is no CSR. */
bool cs_ca_request_read(struct cs_span pem, struct cs_arena *arena,
			struct cs_ca_request_facts *ret_facts,
			struct cs_error *err) CS_MUST_USE;

#endif
