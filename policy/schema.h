/*
 * The JSON Schema of the documents (draft 07), so that editors complete and
 * check them. It is made from the loader's own tables of keys, and so knows
 * exactly the keys that the loader knows.
 *
 * What it does not check: values beyond their type and their words, and what
 * two keys say of each other. `policy check` does.
 */
#ifndef CS_POLICY_SCHEMA_H
#define CS_POLICY_SCHEMA_H

#include <jansson.h>

#include "base/attr.h"

/* A new reference; NULL: no memory. */
json_t *cs_policy_schema(void) CS_MUST_USE;

#endif
