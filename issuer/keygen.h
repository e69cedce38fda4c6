/*
 * New keys and CAs, for `countersign init` and the house's own keys. The
 * functions with _in_child in their names fork: the child makes the keys,
 * writes the files and dies, so that no private key was ever in the caller's
 * memory (a parsed key leaves copies that later forks would inherit).
 *
 * Certificates are built with our own TBS writer's parts and signed with
 * OpenSSL. Every file is new (O_EXCL), synced, and so is its directory; key
 * files are 0600, certificates 0644. Directories exist already.
 */
#ifndef CS_ISSUER_KEYGEN_H
#define CS_ISSUER_KEYGEN_H

#include "base/buf.h"
#include "issuer/key.h"

/* How long new CAs live, in days: the root 20 years, the issuer 10. */
#define CS_KEYGEN_ROOT_DAYS   7305
#define CS_KEYGEN_ISSUER_DAYS 3652

enum cs_keygen_tiers {
	CS_KEYGEN_TWO_TIERS, /* root, and under it the issuer */
	CS_KEYGEN_SINGLE     /* the root issues */
};

/* Paths are complete; NULL root_key with CS_KEYGEN_SINGLE. */
struct cs_keygen_ca {
	enum cs_keygen_tiers tiers;
	enum cs_key_kind kind;
	struct cs_span name; /* "Example": "Example Root CA", "Example CA 1" */
	int64_t now_s;
	int passphrase_fd;	  /* of the issuer's key; -1: none */
	const char *root_key;	  /* DIR/offline/root.key */
	const char *root_pem;	  /* DIR/root.pem */
	const char *issuer_key;	  /* DIR/issuers/NAME/key.pem */
	const char *issuer_chain; /* DIR/issuers/NAME/chain.pem */
};

bool cs_keygen_ca_in_child(const struct cs_keygen_ca *c,
			   struct cs_error *err) CS_MUST_USE;

enum cs_keygen_purpose {
	CS_KEYGEN_LISTENER, /* a server of these hosts */
	CS_KEYGEN_RESPONDER /* OCSP signing; it has no hosts */
};

/* A key of the house's own, and a CSR (DER, appended to out) for it. */
struct cs_keygen_house {
	enum cs_key_kind kind;
	enum cs_keygen_purpose purpose;
	const struct cs_span *hosts; /* DNS names or IP addresses, as text */
	size_t hosts_n;
	const char *key; /* path of the new key file */
};

bool cs_keygen_house_in_child(const struct cs_keygen_house *c,
			      struct cs_buf *out_csr,
			      struct cs_error *err) CS_MUST_USE;

#endif
