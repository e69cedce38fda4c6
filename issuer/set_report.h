/*
 * What loading a policy set came to, as JSON: for who checks or applies it
 * (CHECKED, APPLY), and for the log.
 *
 *	{"diff"?, "from"?, "more"?, "ok", "policies", "problems",
 *	 "set_sha256"}
 *
 * "problems" are errors and warnings with their places; "policies" and
 * "diff" are there when it loads: what becomes of each policy when it
 * replaces the set of epoch "from" (policy/doc.h; 0: none was in force). A
 * diff of more than CS_MAX_POLICY_DIFF bytes is told without its keys.
 */
#ifndef CS_ISSUER_SET_REPORT_H
#define CS_ISSUER_SET_REPORT_H

#include "base/buf.h"
#include "policy/engine.h"

/* set NULL: it does not load; now NULL: nothing is in force. */
bool cs_set_report_write(const struct cs_policy_set *set,
			 const struct cs_policy_report *report,
			 const struct cs_policy_set *now, uint64_t epoch,
			 struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

#endif
