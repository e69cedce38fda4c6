/*
 * For tests of OCSP: a CA with OpenSSL, a responder's key and certificate by
 * it, and requests as OpenSSL's client makes them.
 */
#ifndef CS_TESTS_LIB_OCSP_MAKER_H
#define CS_TESTS_LIB_OCSP_MAKER_H

#include <openssl/ocsp.h>
#include <openssl/x509.h>

#include "base/secret.h"
#include "store/ocsp_der.h"

struct ocsp_maker {
	EVP_PKEY *ca_key;
	X509 *ca;
	struct cs_buf ca_der;
	struct cs_secret key_pem; /* the responder's */
	struct cs_buf chain_pem;
};

/* What a responder's certificate may have wrong. */
enum ocsp_maker_fault {
	OCSP_MAKER_GOOD,
	OCSP_MAKER_NO_PURPOSE,
	OCSP_MAKER_OTHER_KEY,
	OCSP_MAKER_OTHER_CA
};

void ocsp_maker_init(struct ocsp_maker *m, enum ocsp_maker_fault fault);
void ocsp_maker_done(struct ocsp_maker *m);

/* Its responder; asserts that there is one. */
struct cs_ocsp_responder *ocsp_maker_responder(struct ocsp_maker *m);

/* A CertID of the CA and a serial, by OpenSSL's client. */
OCSP_CERTID *ocsp_maker_id(const struct ocsp_maker *m, const EVP_MD *md,
			   struct cs_span serial);

/* The DER of a request, into out. */
void ocsp_maker_encode(OCSP_REQUEST *request, struct cs_buf *out);

/*
 * What OpenSSL's client makes of a response: it must be successful and signed
 * by somebody whom the CA lets do so. The caller frees it.
 */
OCSP_BASICRESP *ocsp_maker_verify(const struct ocsp_maker *m,
				  struct cs_span response);

#endif
