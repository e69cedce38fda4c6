/*
 * A certificate as text for people, as `openssl x509 -text` shows it. Only
 * for looking: nothing parses it, and nothing is decided by it.
 *
 * OpenSSL prints values of extensions as it finds them; whoever shows the
 * text on a terminal escapes it.
 */
#ifndef CS_ISSUER_PRINT_H
#define CS_ISSUER_PRINT_H

#include "base/buf.h"

/* The first certificate of a PEM text. CS_E_CERT: there is none. */
bool cs_cert_print(struct cs_span pem, struct cs_buf *out,
		   struct cs_error *err) CS_MUST_USE;

#endif
