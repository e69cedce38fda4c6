/*
 * Randomness: OpenSSL's per-process DRBG, reseeded after fork. A failure is
 * an error, never a weaker source.
 */
#ifndef CS_BASE_RANDOM_H
#define CS_BASE_RANDOM_H

#include "base/attr.h"
#include "base/error.h"
#include "base/span.h"

/* For what may be seen: serials, ids. */
bool cs_random_public(uint8_t *out, size_t n, struct cs_error *err) CS_MUST_USE;
/* For what must stay secret: tokens. */
bool cs_random_private(uint8_t *out, size_t n,
		       struct cs_error *err) CS_MUST_USE;

#endif
