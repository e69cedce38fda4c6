/*
 * OCSP's messages (RFC 6960 4.1, 4.2) as octets: the request of a stranger,
 * read strictly, and our responses, written.
 *
 * A request is DER and nothing else: one that is only BER is malformed. Its
 * signature, its requestor's name and extensions that we do not know are
 * looked at for their form alone and change nothing (RFC 6960 4.1.2), but an
 * extension that is critical and not known makes it malformed. A nonce has 1
 * to 128 octets (RFC 9654 2.1). At most CS_MAX_OCSP_SINGLES certificates are
 * asked about at a time.
 *
 * A response is signed by a struct cs_ocsp_responder (store/ocsp_responder.h),
 * says who that is by the hash of its key, and carries its certificate.
 *
 * Everything read borrows from the request's octets. Nothing here knows what
 * a certificate's status is.
 */
#ifndef CS_STORE_OCSP_DER_H
#define CS_STORE_OCSP_DER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "store/ocsp_responder.h"

/* RFC 6960 4.2.1, OCSPResponseStatus. */
enum cs_ocsp_status {
	CS_OCSP_SUCCESSFUL = 0,
	CS_OCSP_MALFORMED = 1,
	CS_OCSP_INTERNAL = 2,
	CS_OCSP_TRY_LATER = 3,
	CS_OCSP_UNAUTHORIZED = 6
};

/* Which hash names the issuer. */
enum cs_ocsp_hash {
	CS_OCSP_SHA1,
	CS_OCSP_SHA256,
	CS_OCSP_OTHER_HASH
};

/* One CertID. */
struct cs_ocsp_asked {
	struct cs_span id; /* the whole CertID: an answer repeats it */
	enum cs_ocsp_hash hash;
	struct cs_span name_hash, key_hash;
	struct cs_span serial; /* content octets of the INTEGER */
};

struct cs_ocsp_request {
	struct cs_ocsp_asked asked[CS_MAX_OCSP_SINGLES];
	size_t asked_n;	      /* at least 1 */
	struct cs_span nonce; /* its octets; empty: none */
};

/* CS_E_DER or CS_E_FORMAT with a sentence: answer CS_OCSP_MALFORMED. */
bool cs_ocsp_request_read(struct cs_span der,
			  struct cs_ocsp_request *ret_request,
			  struct cs_error *err) CS_MUST_USE;

enum cs_ocsp_cert {
	CS_OCSP_GOOD,
	CS_OCSP_REVOKED,
	CS_OCSP_UNKNOWN
};

/* What is said about one of them. */
struct cs_ocsp_single {
	struct cs_span id; /* as it was asked */
	enum cs_ocsp_cert status;
	int64_t revoked_s; /* CS_OCSP_REVOKED */
	int reason;	   /* CRLReason (RFC 5280 5.3.1), or -1: none said */
};

struct cs_ocsp_answer {
	const struct cs_ocsp_single *singles;
	size_t singles_n;
	int64_t produced_s;
	int64_t this_update_s, next_update_s;
	struct cs_span nonce; /* empty: none */
};

/* A signed OCSPResponse, appended. CS_E_CRYPTO, CS_E_TOO_LARGE. */
bool cs_ocsp_response_write(const struct cs_ocsp_answer *answer,
			    struct cs_ocsp_responder *responder,
			    struct cs_buf *out,
			    struct cs_error *err) CS_MUST_USE;

/* RFC 6960 2.3: an OCSPResponse that says why there is no answer. */
void cs_ocsp_response_refuse(enum cs_ocsp_status status, struct cs_buf *out);

#endif
