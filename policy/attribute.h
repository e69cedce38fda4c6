/*
 * Subject attributes: the names that policies call them by, their OIDs and
 * their bounds (X.520, RFC 5280 A.1, RFC 4519). For policy/, and for the reader
 * of subjects in issuer/, so that both say the same.
 */
#ifndef CS_POLICY_ATTRIBUTE_H
#define CS_POLICY_ATTRIBUTE_H

#include <stddef.h>

#include "base/error.h"
#include "base/span.h"

struct cs_attribute {
	const char *name;   /* "organization" */
	const char *alias;  /* what others call it: " CN cn " */
	struct cs_span oid; /* content octets */
	size_t max;	    /* characters of a value */
};

/* By the policy's name; NULL: not known. */
const struct cs_attribute *cs_attribute_by_name(struct cs_span name);
/* By what others call it ("O", "organizationName"); NULL: not known. */
const struct cs_attribute *cs_attribute_by_alias(struct cs_span name);
const struct cs_attribute *cs_attribute_by_oid(struct cs_span oid);

/* The i-th of the table, NULL behind the last. */
const struct cs_attribute *cs_attribute_at(size_t i);

/* Is this the OID of commonName, 2.5.4.3? */
bool cs_attribute_is_cn(struct cs_span oid);

/*
 * May this text be issued as a value of the attribute (RFC 5280 Appendix A)?
 * CS_E_FORMAT and a sentence, if not.
 */
bool cs_attribute_check(struct cs_span oid, struct cs_span value,
			struct cs_error *err) CS_MUST_USE;

#endif
