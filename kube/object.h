/*
 * JSON of the cluster, read as it comes: by strangers, through a server that
 * we trust to send whole documents. Other than base/json.h's reader, a NUL in
 * a string is no error, for one request with one in an annotation would keep
 * us from seeing all others; but such a string is no text to us, so that
 * "Approved\0x" is not taken for "Approved".
 */
#ifndef CS_KUBE_OBJECT_H
#define CS_KUBE_OBJECT_H

#include <jansson.h>

#include "base/buf.h"

/* NULL: no JSON, or no memory. The caller owns it. */
json_t *cs_kube_json(struct cs_span text);

/* A member that is text; NULL: none. `object` may be NULL. */
const char *cs_kube_text(const json_t *object, const char *name);

/* The same of its metadata. */
const char *cs_kube_meta(const json_t *object, const char *name);

/* A name as a part of a path, or a value in a query: escaped. */
void cs_kube_put_escaped(struct cs_buf *out, const char *text);

#endif
