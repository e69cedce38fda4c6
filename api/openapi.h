/*
 * The description of the HTTP API that /openapi.json serves: OpenAPI 3.1,
 * api/openapi.json as it is (tools/embed).
 *
 * api/openapi_test.c holds it against the tables that decide: every route,
 * who may use it, the parameters of every list. tests/e2e/openapi_test.py
 * holds bodies and answers against it.
 */
#ifndef CS_API_OPENAPI_H
#define CS_API_OPENAPI_H

#include "base/span.h"

struct cs_span cs_openapi(void);

#endif
