/*
 * The CRLs that front has sent lately, so that a large one is read once and
 * kept once, however many ask for it: by the name in the path ("web/0.crl"),
 * the least recently used making room.
 *
 * An entry may be given out without a look for a second; afterwards the
 * reader is asked whether it is still the last one, which costs it a row
 * without the octets.
 */
#ifndef CS_API_CRL_CACHE_H
#define CS_API_CRL_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "api/http_body.h"
#include "base/error.h"

/* CRLs kept, and octets of all of them. */
#define CS_CRL_CACHE	   32
#define CS_CRL_CACHE_BYTES ((size_t)32 * 1024 * 1024)

struct cs_crl_cached {
	char *key; /* owned; NULL: free */
	uint8_t sha256[32];
	int64_t this_s, next_s;
	struct cs_http_body *body; /* our reference */
	int64_t seen_ms; /* when the reader last said so, boot clock */
	uint64_t used;
};

struct cs_crl_cache {
	struct cs_crl_cached items[CS_CRL_CACHE];
	uint64_t uses;
};

void cs_crl_cache_done(struct cs_crl_cache *c);

/* NULL: none. Borrowed until the next call. */
struct cs_crl_cached *cs_crl_cache_find(struct cs_crl_cache *c,
					struct cs_span key);

/*
 * What the reader said: store/query.h's CRL, whose octets may be left out for
 * one that is here. NULL: CS_E_PROTOCOL, CS_E_NO_MEMORY.
 */
struct cs_crl_cached *cs_crl_cache_take(struct cs_crl_cache *c,
					struct cs_span key, struct cs_span page,
					int64_t now_ms,
					struct cs_error *err) CS_MUST_USE;

/* Ask the reader the next time: there may be newer ones. */
void cs_crl_cache_expire(struct cs_crl_cache *c);

#endif
