/*
 * A policy with every default filled in, for people: what is absent is told
 * from what was compiled, so that it is what judging goes by. Policies only
 * (a document of guards has no defaults).
 */
#ifndef CS_POLICY_EFFECTIVE_H
#define CS_POLICY_EFFECTIVE_H

#include <jansson.h>

#include "policy/engine.h"

/*
 * The document of a set, flattened, as a document that loads to the same
 * rules. `info` is one that cs_policy_set_at() or a verdict gave. A new
 * reference; NULL: no memory.
 */
json_t *cs_policy_effective(const struct cs_policy_info *info) CS_MUST_USE;

#endif
