/*
 * The verdict in one sentence for people, one renderer for every door:
 *
 *   2 names: pay.other.example is not below .shop.corp.example
 *   (web/san.dns.allow, web.yaml:21); *.shop.corp.example is a wildcard, ...
 *
 * (in one line). At most CS_DETAIL_FINDINGS violations are told; the rest is
 * "and N more". Not for programs: they read "violations".
 */
#ifndef CS_POLICY_DETAIL_H
#define CS_POLICY_DETAIL_H

#include "base/buf.h"
#include "policy/engine.h"

/* Violations that a detail tells in words. */
#define CS_DETAIL_FINDINGS 5

/* Append the sentence; the buffer's sticky error tells of no room. */
void cs_verdict_detail(const struct cs_verdict *v, struct cs_buf *out);

#endif
