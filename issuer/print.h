/*
 * Certificates and CRLs as text for people, as openssl shows them. Only
 * for looking: nothing parses it, and nothing is decided by it.
 *
 * OpenSSL prints values of extensions as it finds them; whoever shows the
 * text on a terminal escapes it.
 */
#ifndef CS_ISSUER_PRINT_H
#define CS_ISSUER_PRINT_H

#include "base/buf.h"

/* A CRL in DER, as `openssl crl -text` shows it. CS_E_CERT: it is none. */
bool cs_crl_print(struct cs_span der, struct cs_buf *out,
		  struct cs_error *err) CS_MUST_USE;

/* The first certificate of a PEM text. CS_E_CERT: there is none. */
bool cs_cert_print(struct cs_span pem, struct cs_buf *out,
		   struct cs_error *err) CS_MUST_USE;

#endif
