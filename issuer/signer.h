/*
 * The signer: the process that holds the CA keys, and nothing else. It speaks
 * only to the ledger, so nothing can be signed that is not recorded.
 *
 * At start it locks itself down (no core dumps, not dumpable), makes a secure
 * heap, reads each key from the descriptor that parent opened, checks that it
 * is the key of the CA's certificate, and closes the descriptors. A key in a
 * token is opened and tried here, its PIN being the passphrase. Then:
 *
 *   SIGN_SEED  once, first: the highest sequence ever used
 *   SIGN       for a generation that still issues; seq above the last one and
 * its own, when there are several signers, else refused. The TBS is read again
 *              with the strict reader; it must be this issuer's and within
 *              the ceiling (issuer/ceiling.h), and the CA not expired by the
 *              signer's own clock; then it is signed and the signature
 *              verified
 *   CRL_SIGN   a list of serials, of which it makes a CRL itself
 *              (issuer/crl_sign.h); one of several signers is asked
 *   SIGNED     the signature, or the slug of an error and a sentence
 *
 * A refusal is an answer, not the end of the link; a malformed message, or a
 * SIGN before SIGN_SEED, ends the process with 75. STOP, and the ledger's
 * closing of its link (which it does in an orderly stop), end it with 0. A
 * sequence that was refused is used up too.
 */
#ifndef CS_ISSUER_SIGNER_H
#define CS_ISSUER_SIGNER_H

#include "base/clock.h"
#include "base/log.h"
#include "issuer/ca.h"
#include "issuer/ceiling.h"

/* What a key is for. */
enum cs_signer_duty {
	CS_SIGNER_CERTIFICATES, /* and CRLs */
	CS_SIGNER_SUPERSEDED,	/* CRLs: a later generation issues */
	CS_SIGNER_RETIRED	/* CRLs, its OCSP responder: it is retired */
};

/*
 * One generation of an issuer; SIGN names it by its label (issuer/ca.h), so
 * that no TBS of one generation meets the key of another.
 */
struct cs_signer_issuer {
	enum cs_signer_duty duty;
	const struct cs_issuer_ca *ca;	  /* inherited, borrowed */
	const struct cs_ceiling *ceiling; /* inherited, borrowed */
	int key_fd;	 /* PEM file, open for reading; closed by the signer */
	bool key_is_uri; /* it is a URI of a token (issuer/token.h) */
	const char *key_name; /* its path, for sentences */
	/* Of an encrypted key of its own; -1: the one for all; closed. */
	int passphrase_fd;
	const char *passphrase_name; /* where it is from, for sentences */
};

struct cs_signer_config {
	int parent_fd; /* links; the signer owns them */
	int ledger_fd;
	int passphrase_fd; /* for encrypted keys; -1: none; closed */
	struct cs_signer_issuer *issuers; /* older generations, too */
	size_t issuers_n;
	/*
	 * This signer's number and how many there are (0: it is alone). Each
	 * has its share of the sequences, number modulo count, so that still
	 * none is signed twice.
	 */
	unsigned number, count;
	struct cs_clock clock;
	struct cs_log *log; /* inherited, borrowed */
};

/*
 * Runs until the end; returns the process's exit status: 0, 75, or 1 when a
 * key cannot be used, which another start does not mend.
 */
int cs_signer_run(const struct cs_signer_config *config);

#endif
