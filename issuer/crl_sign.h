/*
 * What the signer does for a CRL: it builds the TBSCertList itself, from the
 * list that the ledger recorded that it would ask for (issuer/crl.h), signs
 * it and verifies the signature. Nothing that came from elsewhere is signed.
 *
 * Judged on its own, whatever the ledger says: that the CA's key usage has
 * cRLSign (RFC 5280 4.2.1.3) and the CA is valid by the signer's clock; that
 * thisUpdate is near that clock; that nextUpdate is within CS_MAX_CRL_DAYS;
 * that the number is above every one that was tried in this run for the same
 * shard, a refused one included. What is revoked it cannot know.
 *
 * One object for each issuer; it borrows everything.
 */
#ifndef CS_ISSUER_CRL_SIGN_H
#define CS_ISSUER_CRL_SIGN_H

#include "issuer/crl.h"
#include "issuer/crypto.h"
#include "issuer/key.h"

/* Seconds that thisUpdate may be from the signer's clock. */
#define CS_CRL_TOLERANCE_S 60

struct cs_crl_signer {
	const struct cs_issuer_ca *ca;
	struct cs_key *key;
	struct cs_verifier *verifier;
	uint64_t *last; /* owned: the last number by shard; NULL: none yet */
};

void cs_crl_signer_done(struct cs_crl_signer *s);

/*
 * The CRL in DER, appended to out, and how many entries it has. CS_E_KEY: the
 * CA does not sign CRLs; CS_E_CEILING: a time that is not allowed;
 * CS_E_EXISTS: the number is not above the last; CS_E_PROTOCOL, CS_E_ARGUMENT
 * and CS_E_TOO_LARGE as cs_crl_tbs_write().
 */
bool cs_crl_signer_sign(struct cs_crl_signer *s, const struct cs_crl *crl,
			int64_t now_s, struct cs_buf *out, size_t *ret_n,
			struct cs_error *err) CS_MUST_USE;

#endif
