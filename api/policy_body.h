/*
 * Policy sources in a request's body: [{"name", "text"}], as the list that
 * travels (base/sources.h). For POST /v1/policies, whose body is
 *	{"sources": [...]}
 * and for POST /v1/policies/evaluate, where they are `policies`.
 *
 * A name is what places are shown with ("web.yaml"); how it ends says what
 * the text is, as with files: .blocklist, or else a document in YAML or JSON.
 * Looked at here: types, names, bounds. What the texts mean is a worker's.
 */
#ifndef CS_API_POLICY_BODY_H
#define CS_API_POLICY_BODY_H

#include "api/body.h"
#include "base/arena.h"
#include "base/buf.h"

/*
 * Append the encoding of the list in `field` to out; *ret_there says whether
 * there is one. An empty list is an empty set, which refuses everything. The
 * arena is for the list while it is read.
 */
bool cs_policy_body_sources(const struct cs_body *b, const char *field,
			    struct cs_arena *arena, struct cs_buf *out,
			    bool *ret_there) CS_MUST_USE;

/* The body of POST /v1/policies. */
bool cs_policy_body_read(struct cs_span body, struct cs_arena *arena,
			 struct cs_buf *out, struct cs_problem *p) CS_MUST_USE;

#endif
