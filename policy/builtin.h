/*
 * The documents that are compiled into the program, made from policies/ at
 * build time (tools/embed). Internal to policy/.
 */
#ifndef CS_POLICY_BUILTIN_H
#define CS_POLICY_BUILTIN_H

#include "base/span.h"

/* policies/default.yaml and policies/_listener.yaml, as they are. */
struct cs_span cs_builtin_default(void);
struct cs_span cs_builtin_listener(void);

#endif
