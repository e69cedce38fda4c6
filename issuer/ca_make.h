/*
 * A further issuer for an installation that is there: its key and its CA
 * certificate made anew (`ca create`), or taken over from elsewhere (`ca
 * import`). Both fork (issuer/keygen_parts.h): a child reads or makes the
 * keys, writes two new files (issuer/newfile.h; key 0600, chain 0644) into a
 * directory that is there and empty, and dies.
 *
 * A certificate under another CA is judged before it is signed, as every
 * other one is: what was written is read again, must be feasible under that
 * CA (issuer/feasible.h) and within its ceiling, when it has one. The new
 * chain is then loaded as the house will load it (issuer/ca.h).
 *
 * What is not done here: nothing is recorded. The ledger does it when the
 * house starts with the new issuer in its configuration (`ca.created`).
 */
#ifndef CS_ISSUER_CA_MAKE_H
#define CS_ISSUER_CA_MAKE_H

#include "issuer/ca.h"
#include "issuer/ceiling.h"
#include "issuer/key.h"

/* A file and where it was opened; fd -1: none. Borrowed. */
struct cs_ca_file {
	int fd;
	const char *name; /* for sentences */
};

struct cs_ca_create {
	enum cs_key_kind kind;
	struct cs_span issuer; /* the new one's name: "web" */
	struct cs_span name;   /* its CN; empty: "ORGANIZATION CA web" */
	/*
	 * At a rollover: the generation before, whose subject it keeps when
	 * `name` is empty; and that one's key, which it keeps, too, when
	 * `key` below is NULL. An encrypted one has to open with `passphrase`
	 * in any case. NULL, fd -1: it is the first.
	 */
	const struct cs_issuer_ca *before;
	struct cs_ca_file before_key;
	int64_t now_s;
	unsigned days;		      /* of life, a day at least */
	unsigned path_len;	      /* CAs that may stand below it */
	struct cs_ca_file passphrase; /* encrypts the new key */

	/*
	 * Who signs: the one of these CAs to which parent_key belongs; none:
	 * the new one itself. A certificate that would outlive them ends with
	 * them.
	 */
	struct cs_issuer_ca *const *parents;
	size_t parents_n;
	const struct cs_ceiling *parent_ceiling; /* NULL: none (a root's) */
	struct cs_ca_file parent_key, parent_passphrase;

	const char *key; /* complete paths of new files */
	const char *chain;
};

/*
 * CS_E_CERT: the subject of the generation before is not one that we write;
 * CS_E_KEY: the parent's key is none of the parents', or cannot be read;
 * CS_E_CEILING: the parent may not sign this, with the first reason.
 */
bool cs_ca_create_in_child(const struct cs_ca_create *c,
			   struct cs_error *err) CS_MUST_USE;

/*
 * The key is taken over: an encrypted one as the file has it, so that its
 * protection stays what its owner chose; a plain one as PKCS#8, encrypted
 * when a passphrase is given. One in a token stays there: it is tried, the
 * passphrase being its PIN, and its URI is what the new file holds.
 */
struct cs_ca_import {
	const struct cs_issuer_ca *ca; /* loaded from the chain file */
	struct cs_ca_file from;	       /* the key */
	const char *uri; /* NULL; or where it is instead, in a token */
	struct cs_ca_file passphrase;
	struct cs_ca_file before_key; /* of the generation before, as above */
	const char *key;
	const char *chain;
};

/* CS_E_KEY: the key cannot be read, or is not that of the certificate. */
bool cs_ca_import_in_child(const struct cs_ca_import *c,
			   struct cs_error *err) CS_MUST_USE;

#endif
