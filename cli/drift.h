/*
 * Do the policy files say what is in force? With policy_source: files, a
 * start takes the ledger's set, not the directory's, so that the two may
 * differ until somebody applies the files; `status` warns of it.
 */
#ifndef CS_CLI_DRIFT_H
#define CS_CLI_DRIFT_H

#include <jansson.h>

#include "cli/command.h"

/*
 * [{"file", "is": "changed"|"new"|"gone"}], octet by octet; empty when they
 * are the same, when policy does not come from files, or when the files are
 * not for the caller to read. NULL: no memory.
 */
json_t *cs_drift_list(const struct cs_call *call);

/* A warning about what the list holds; nothing when it is empty. */
void cs_drift_print(const json_t *list, FILE *out);

#endif
