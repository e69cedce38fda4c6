/*
 * The pieces of a TBS, for whoever builds one: the issuer's writer (tbs.c)
 * and the makers of CAs and CSRs (keygen.c). Each appends DER to out and
 * leaves errors of memory and size to the buffer.
 */
#ifndef CS_ISSUER_TBS_PARTS_H
#define CS_ISSUER_TBS_PARTS_H

#include "base/buf.h"
#include "policy/plan.h"

enum cs_tbs_critical {
	CS_TBS_NOT_CRITICAL,
	CS_TBS_CRITICAL
};

/* An Extension is begun, its value written, then ended. */
struct cs_tbs_ext_marks {
	size_t outer, value;
};

struct cs_tbs_ext_marks cs_tbs_ext_begin(struct cs_buf *out, struct cs_span oid,
					 enum cs_tbs_critical critical);
void cs_tbs_ext_end(struct cs_buf *out, struct cs_tbs_ext_marks m);

/* RFC 5280 4.2.1.2, 4.2.1.1, 4.2.1.3, 4.2.1.9, 4.2.1.6. */
void cs_tbs_ext_ski(struct cs_buf *out, struct cs_span id);
void cs_tbs_ext_aki(struct cs_buf *out, struct cs_span id);
void cs_tbs_ext_key_usage(struct cs_buf *out, unsigned bits,
			  enum cs_tbs_critical critical);
void cs_tbs_ext_constraints(struct cs_buf *out, const struct cs_plan *plan);
/* Nothing when the plan has no names. */
void cs_tbs_ext_names(struct cs_buf *out, const struct cs_plan *plan);

/* [0] v3 and the serial (big-endian, non-negative; RFC 5280 4.1.2.1-2). */
void cs_tbs_version_and_serial(struct cs_buf *out, struct cs_span serial);

/*
 * A CSR's CertificationRequestInfo (RFC 2986 4.1): begun with its version,
 * then the caller writes the subject, then the key and an extensionRequest
 * (RFC 2985 5.4.2) whose extensions the caller writes, then it is ended.
 */
struct cs_tbs_request_marks {
	size_t outer[5];
};

void cs_tbs_request_begin(struct cs_buf *out, struct cs_tbs_request_marks *m);
void cs_tbs_request_extensions(struct cs_buf *out, struct cs_span spki,
			       struct cs_tbs_request_marks *m);
void cs_tbs_request_end(struct cs_buf *out,
			const struct cs_tbs_request_marks *m);

/*
 * Validity (RFC 5280 4.1.2.5): seconds since 1970, both inclusive.
 * CS_E_ARGUMENT: out of order, or out of what the forms can say.
 */
bool cs_tbs_validity(struct cs_buf *out, int64_t not_before_s,
		     int64_t not_after_s, struct cs_error *err) CS_MUST_USE;

/* A Name; CS_E_ARGUMENT: a value does not fit its string type. */
bool cs_tbs_name(const struct cs_plan_attr *attrs, size_t n, struct cs_buf *out,
		 struct cs_error *err) CS_MUST_USE;

#endif
