/*
 * An issuer's key that stays in a PKCS#11 token: the token signs, this
 * process never has the key. By libp11; a program that was built without it
 * refuses (CS_E_KEY) and says so.
 *
 * The library of the token's maker is loaded into the process, which is the
 * signer's, or the child of `ca import`: after the fork, never before, since
 * such a library need not survive one. Two keys of one token are two loads
 * of the same library.
 *
 * What it cannot do: Ed25519 (libp11 0.4.12 does not know such keys), keys
 * that ask for their PIN at every signature, and a deadline: a library that
 * does not return holds its process (docs/operations.md). libp11 keeps a copy
 * of the PIN in the ordinary heap.
 */
#ifndef CS_ISSUER_TOKEN_H
#define CS_ISSUER_TOKEN_H

#include "issuer/ca.h"
#include "issuer/key.h"

/* The longest URI, with its line end. */
#define CS_MAX_TOKEN_URI 4096

/*
 * The key of `ca` by its URI (issuer/token_uri.h); `pin` may be NULL or
 * empty when the token wants none. It has signed once before it is returned,
 * and the signature is one by the CA's certificate: another key of the same
 * name is found out.
 *
 * CS_E_KEY: the URI, the key or the PIN is wrong, and trying again would not
 * help (a token locks itself after a few PINs); CS_E_UNREACHABLE: the library
 * or its token is not there now.
 */
struct cs_key *cs_token_key(struct cs_span uri, const struct cs_secret *pin,
			    const struct cs_issuer_ca *ca,
			    struct cs_error *err) CS_MUST_USE;

/* The same with the URI from a file (borrowed; from offset 0). */
struct cs_key *cs_token_key_read(int fd, const struct cs_secret *pin,
				 const struct cs_issuer_ca *ca,
				 struct cs_error *err) CS_MUST_USE;

#endif
