/*
 * What we know about subject attributes (RFC 5280 A.1): names for people,
 * string types for writing. The reader of subjects stands in issuer/x509.h.
 */
#ifndef CS_ISSUER_SUBJECT_H
#define CS_ISSUER_SUBJECT_H

#include <stdbool.h>

#include "base/span.h"

/* The policy language's word for an attribute; NULL: it has none. */
const char *cs_subject_attr_name(struct cs_span oid);

/* The DER tag of the string type in which we write it. */
uint8_t cs_subject_attr_tag(struct cs_span oid);

/* Is every octet of PrintableString's alphabet (X.680 41.4), of ASCII? */
bool cs_subject_is_printable_string(struct cs_span s);
bool cs_subject_is_ia5(struct cs_span s);

#endif
