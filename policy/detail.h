/*
 * The `detail` of a refusal: the short form of the one renderer
 * (policy/tell.h), as a pure function of the verdict, for it is recorded.
 *
 * Whoever asked reads it. It tells of the policy that governs and of nobody
 * else's, and of a guard its rule id, place and message, never its source.
 */
#ifndef CS_POLICY_DETAIL_H
#define CS_POLICY_DETAIL_H

#include "base/buf.h"
#include "policy/engine.h"

/* Append the sentence; the buffer's sticky error tells of no room. */
void cs_verdict_detail(const struct cs_verdict *v, struct cs_buf *out);

#endif
