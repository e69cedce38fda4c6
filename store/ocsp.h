/*
 * What /ocsp says: a request's octets in, a response's octets out.
 *
 * One object in the reader, with the issuers that answer and, as soon as it
 * has one, the responder of each. A request is about certificates of one
 * issuer, which it names by the SHA-1 or SHA-256 hashes of the name and key
 * of its CA as it is now. Whatever the record has under that name and key is
 * the same CA to whoever asks, whichever certificate it had then; those of
 * another key are not ours to answer for, since only that key could have let a
 * responder do so.
 *
 *	good	  a certificate that the record says was issued by this CA, and
 *		  not revoked
 *	revoked	  revoked in the record, with its time and reason: also a
 *		  serial of which nobody knows whether it was signed
 *	unknown	  every other serial: never drawn, drawn and abandoned, under
 *		  way, or another issuer's (RFC 6960 2.2 allows "revoked" for
 *		  those; whoever must be sure takes neither)
 *
 * No response but "successful" is signed: malformedRequest; unauthorized for
 * issuers that are not ours or do not answer, or for several in one request
 * (RFC 5019 2.2.3); tryLater while an issuer has no responder in force;
 * internalError.
 *
 * What is not checked here: who asks, and whether the record may be relied
 * upon (the caller knows the ledger's state).
 */
#ifndef CS_STORE_OCSP_H
#define CS_STORE_OCSP_H

#include "base/clock.h"
#include "store/db.h"
#include "store/ocsp_der.h"

/* An issuer that answers. Plain, inherited; the descriptors are handed on. */
struct cs_ocsp_issuer {
	const char *name;
	struct cs_span certificate; /* of its CA, DER */
	int64_t validity_s;	    /* how long an answer holds */
	/* The files of its responder, PEM; -1: there is none yet. */
	int key_fd, chain_fd;
};

struct cs_ocsp;

/* The issuers' names and certificates are borrowed; no descriptor is used. */
void cs_ocsp_free(struct cs_ocsp *o);
struct cs_ocsp *cs_ocsp_new(const struct cs_ocsp_issuer *issuers, size_t n,
			    const struct cs_clock *clock,
			    struct cs_error *err) CS_MUST_USE;

/*
 * Put a responder in force: its key's file (borrowed) and its chain. On
 * failure the one before stays. CS_E_NOT_FOUND: no such issuer answers.
 */
bool cs_ocsp_take(struct cs_ocsp *o, struct cs_span issuer, int key_fd,
		  struct cs_span chain_pem, int64_t *ret_not_after_s,
		  struct cs_error *err) CS_MUST_USE;

/* What came of a request, for counting and for caches. */
struct cs_ocsp_result {
	enum cs_ocsp_status status;
	unsigned good, revoked, unknown;
	int64_t produced_s;
	/* When it ends for a cache; 0: it is nobody else's (a nonce, or no
	   success). */
	int64_t next_update_s;
};

/*
 * Answer a request from the database; the response is appended to out. False:
 * the database, a signature or memory failed; out then has internalError.
 */
bool cs_ocsp_answer(struct cs_ocsp *o, struct cs_db *db, struct cs_span request,
		    struct cs_buf *out, struct cs_ocsp_result *ret_result,
		    struct cs_error *err) CS_MUST_USE;

#endif
