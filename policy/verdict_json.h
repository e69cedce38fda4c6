/*
 * The verdict as JSON: the members of an answer that policy decides, as one
 * canonical object, written in one pass.
 *
 *   issued   {"changed", "diff", "kept", "not_reached"?, "others"?, "policy",
 *             "set_sha256", "verdict", "warnings"?}
 *   refused  {"changed", "code", "detail", "diff", "final", "names"?,
 *             "not_reached", "others"?, "policy", "set_sha256", "verdict",
 *             "violations"}
 *
 * "policy" is {"name", "owner"?, "sha256", "source"} or null; "set_sha256"
 * hex or null; "names" how many names the CSR has, common names too. A very
 * long list of violations is told in fewer words towards its end, and what
 * still does not fit is the number "violations_more", behind "violations".
 *
 * "not_reached" of an issued one stands where no ledger looks at limits. What
 * does not fit of "others" is the number "others_more".
 *
 * "others" stands where no policy governs, and in an evaluation: [{"policy",
 * "why"}] in order of priority. It is recorded, but not for everybody's eyes:
 * front gives it to those who hold `audit` (api/answer.h).
 */
#ifndef CS_POLICY_VERDICT_JSON_H
#define CS_POLICY_VERDICT_JSON_H

#include "base/buf.h"
#include "policy/engine.h"

/* Append the object to out. CS_E_TOO_LARGE or CS_E_NO_MEMORY by its buffer. */
bool cs_verdict_json(const struct cs_verdict *v, struct cs_buf *out,
		     struct cs_error *err) CS_MUST_USE;

#endif
