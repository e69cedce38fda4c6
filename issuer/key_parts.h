/* A key that another module has made an EVP_PKEY of. For issuer/token.c. */
#ifndef CS_ISSUER_KEY_PARTS_H
#define CS_ISSUER_KEY_PARTS_H

#include <openssl/evp.h>

#include "issuer/key.h"

/*
 * Takes pkey, also on failure. When the key is freed, release(ctx) is called
 * after pkey is released; on failure it is not called.
 */
struct cs_key *cs_key_wrap(EVP_PKEY *pkey, void (*release)(void *ctx),
			   void *ctx, struct cs_error *err) CS_MUST_USE;

#endif
