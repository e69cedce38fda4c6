/*
 * SHA-256 with a fetched algorithm and a reused context: one object for each
 * process, handed to whoever hashes. Fetching for every call costs more than
 * the hash of a short message (OpenSSL 3.0).
 */
#ifndef CS_BASE_HASH_H
#define CS_BASE_HASH_H

#include "base/attr.h"
#include "base/error.h"
#include "base/span.h"

#define CS_SHA256_SIZE 32
#define CS_SHA1_SIZE   20

struct cs_hash;

void cs_hash_free(struct cs_hash *h);
struct cs_hash *cs_hash_new(struct cs_error *err) CS_MUST_USE;

/* SHA-256 of one span; of the concatenation of n spans. */
bool cs_hash_sha256(struct cs_hash *h, struct cs_span data,
		    uint8_t ret_digest[CS_SHA256_SIZE],
		    struct cs_error *err) CS_MUST_USE;
bool cs_hash_sha256_parts(struct cs_hash *h, const struct cs_span *parts,
			  size_t n, uint8_t ret_digest[CS_SHA256_SIZE],
			  struct cs_error *err) CS_MUST_USE;

/* SHA-1, only for key identifiers (RFC 5280 4.2.1.2 method 1). */
bool cs_hash_sha1(struct cs_hash *h, struct cs_span data,
		  uint8_t ret_digest[CS_SHA1_SIZE],
		  struct cs_error *err) CS_MUST_USE;

#endif
