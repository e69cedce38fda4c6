/*
 * Policy documents as data, for people who compare them: a document's spec
 * as a flat object from key path to value, and two sets compared by it.
 *
 * A path is "san.dns.allow"; a list is one value, as compact JSON. The tests
 * of a document are one value, how many there are.
 */
#ifndef CS_POLICY_DOC_H
#define CS_POLICY_DOC_H

#include <jansson.h>

#include "policy/engine.h"

/*
 * {"san.dns.allow": "[{\"dns\":\".shop.example\"}]", ...} of a document's
 * canonical JSON (struct cs_policy_info), with "metadata.owner" and the like.
 * NULL: no memory.
 */
json_t *cs_policy_doc_flat(struct cs_span json);

/*
 * What becomes of each policy when `then` replaces `now`:
 * [{"change": "added"|"changed"|"removed", "keys": [{"key", "new", "old"}],
 * "name", "source"}], what goes and changes first; keys are null but for
 * "changed", old and new null where there is none. A policy that is the same
 * is not in it. All blocklists together are one more document, "blocklist",
 * with the key "hashes", how many. now NULL: there was nothing. NULL: no
 * memory.
 */
json_t *cs_policy_doc_diff(const struct cs_policy_set *now,
			   const struct cs_policy_set *then);

/*
 * The rules of a policy's effective form (policy/effective.h), flat: without
 * metadata, match, priority and tests. NULL: no memory.
 */
json_t *cs_policy_doc_rules(const struct cs_policy_info *policy);

#endif
