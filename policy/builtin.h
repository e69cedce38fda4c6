/*
 * The documents that are compiled into the program, made from policies/ at
 * build time (tools/embed). Internal to policy/.
 */
#ifndef CS_POLICY_BUILTIN_H
#define CS_POLICY_BUILTIN_H

#include "base/span.h"

/* Of policies/: default.yaml, _listener.yaml, _ocsp.yaml, as they are. */
struct cs_span cs_builtin_default(void);
struct cs_span cs_builtin_listener(void);
struct cs_span cs_builtin_ocsp(void);

#endif
