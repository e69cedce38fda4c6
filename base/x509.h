/*
 * The two things that everybody who holds a certificate of OpenSSL's asks
 * first: is it one, and when does it begin and end. What stands in it is read
 * with base/der.h (issuer/x509.h), not with OpenSSL.
 *
 * OpenSSL's error queue is empty behind both. Not checked here: signatures,
 * names, extensions, and whether a period is the present one.
 */
#ifndef CS_BASE_X509_H
#define CS_BASE_X509_H

#include <openssl/x509.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/span.h"

/*
 * One certificate that fills its DER; X509_free() it. NULL: CS_E_CERT, "it
 * cannot be read" or "octets follow it".
 */
X509 *cs_x509_decode(struct cs_span der, struct cs_error *err) CS_MUST_USE;

/*
 * A time in seconds since 1970. False: it is none, or outside the years 1 to
 * 9999. NULL is no time, and not the present, as OpenSSL has it.
 */
bool cs_x509_seconds(const ASN1_TIME *t, int64_t *ret_seconds) CS_MUST_USE;

#endif
