/*
 * The certificates of the house itself, which it renews: when, and how their
 * files are replaced. There are the listener's, in DIR/tls, and one for the
 * OCSP responder of each issuer that answers, in DIR/ocsp/NAME.
 *
 * The new key and chain are made in a folder beside (DIR/tls.new); when both
 * are durable the two folders change places in one step (RENAME_EXCHANGE), so
 * that a crash leaves the old pair or the new one, never halves of both. An
 * installation whose tls.key or tls.chain lie elsewhere renews by other
 * means: nothing is due there then. A responder that has no files yet, or has
 * its certificate by another CA than the issuer's present one, is due; that of
 * an issuer whose key is destroyed never is.
 *
 * The certificate goes through the same gate as everybody's: house asks
 * front (HOUSE_CSR), under the policy `_listener` or `_ocsp`.
 */
#ifndef CS_CLI_RENEW_H
#define CS_CLI_RENEW_H

#include "base/limits.h"
#include "cli/install.h"

/* Do the listener's files lie where they are renewed here? */
bool cs_renew_is_ours(const struct cs_install *in);

/* One of them; a plain value. */
struct cs_renew {
	const char *source;	       /* "listener", "ocsp" */
	const char *issuer;	       /* by whom */
	const struct cs_issuer_ca *ca; /* of the issuer */
	bool is_over;		       /* its key is destroyed */
	char folder[CS_MAX_NAME + 8];  /* below DIR */
	char what[CS_MAX_NAME + 64];   /* for sentences */
};

/* How many there may be; and the n-th, false: it is not there, or not ours. */
size_t cs_renew_count(const struct cs_install *in);
bool cs_renew_at(const struct cs_install *in, size_t n,
		 struct cs_renew *ret_renew);

/* Is it the listener's? */
bool cs_renew_is_listener(const struct cs_renew *r);

/* Does it have both of its files? */
bool cs_renew_is_there(const struct cs_install *in, const struct cs_renew *r);

/*
 * Is one missing, or not yet valid, or have two thirds of the certificate's
 * life passed? Where the issuer's key is destroyed, nothing is due any more.
 */
bool cs_renew_is_due(const struct cs_install *in, const struct cs_renew *r,
		     int64_t now_s, bool *ret_due,
		     struct cs_error *err) CS_MUST_USE;

/* A new key beside the old one, made in a child; its CSR (DER) into out. */
bool cs_renew_begin(const struct cs_install *in, const struct cs_renew *r,
		    struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/* The chain has come: put both in their place. */
bool cs_renew_finish(const struct cs_install *in, const struct cs_renew *r,
		     struct cs_span chain_pem,
		     struct cs_error *err) CS_MUST_USE;

/* Open its key and its chain for reading, as they are now. */
bool cs_renew_open(const struct cs_install *in, const struct cs_renew *r,
		   int *ret_key_fd, int *ret_chain_fd,
		   struct cs_error *err) CS_MUST_USE;

/* The chain's text. */
bool cs_renew_chain(const struct cs_install *in, const struct cs_renew *r,
		    struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

#endif
