/*
 * What the makers of keys share: `init` and the listener (keygen.c), further
 * issuers (ca_make.c). For those files only.
 *
 * All of it happens in a short-lived child: cs_keygen_in_child() forks, the
 * child makes a secure heap, forbids core dumps, works and dies, so that no
 * private key was ever in the caller's memory.
 */
#ifndef CS_ISSUER_KEYGEN_PARTS_H
#define CS_ISSUER_KEYGEN_PARTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "issuer/key.h"
#include "policy/facts.h"

#define CS_KEYGEN_DAY_S ((int64_t)86400)
/* How much older than now a new CA says it is: clocks differ. */
#define CS_KEYGEN_BACKDATE_S ((int64_t)3600)

/* The child's work; what it appends to out comes back to the caller. */
typedef bool cs_keygen_fn(const void *what, struct cs_buf *out,
			  struct cs_error *err);

/*
 * Run make(what) in a child and collect what it says (out may be NULL; at
 * most CS_MAX_CSR_DER octets); the child's error becomes the caller's.
 */
bool cs_keygen_in_child(cs_keygen_fn *make, const void *what,
			struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/* What a child needs while it works. */
struct cs_keygen_work {
	struct cs_arena arena;
	struct cs_hash *hash;
};

bool cs_keygen_work_init(struct cs_keygen_work *w,
			 struct cs_error *err) CS_MUST_USE;
void cs_keygen_work_done(struct cs_keygen_work *w);

/*
 * A fresh key with the facts that the strict reader has of it. *ret_key is
 * the caller's as soon as it is not NULL, also on failure.
 */
bool cs_keygen_key(struct cs_keygen_work *w, enum cs_key_kind kind,
		   struct cs_key **ret_key, struct cs_fact_key *ret_facts,
		   struct cs_error *err) CS_MUST_USE;

/* The facts of a key that is there; CS_E_KEY: not one that we use. */
bool cs_keygen_facts(struct cs_keygen_work *w, const struct cs_key *key,
		     struct cs_fact_key *ret_facts,
		     struct cs_error *err) CS_MUST_USE;

/* Sign bytes, and wrap them as certificates and CSRs are (RFC 5280 4.1.1). */
bool cs_keygen_sign(struct cs_key *key, enum cs_sig_alg alg, struct cs_span tbs,
		    struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/* A passphrase, which must not be empty; fd -1: *ret stays as it is. */
bool cs_keygen_passphrase(int fd, struct cs_secret *ret,
			  struct cs_error *err) CS_MUST_USE;

/* Does a key file say of itself that it is encrypted? */
bool cs_keygen_is_encrypted(const struct cs_secret *pem);

/*
 * Is a new key protected as the one in fd (-1: there is none) is? An
 * encrypted one has to open with this passphrase, CS_E_KEY: so that one
 * passphrase is for all generations, and none loses it unnoticed.
 */
bool cs_keygen_same_protection(int fd, const struct cs_secret *passphrase,
			       struct cs_error *err) CS_MUST_USE;

#endif
