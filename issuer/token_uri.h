/*
 * The URI of a private key in a PKCS#11 token (RFC 7512), as a key.uri file
 * or `ca import --key-uri` has it:
 *
 *	pkcs11:token=Issuing;object=web;type=private?module-path=/usr/lib/p.so
 *
 * What is taken: the attributes token, serial, manufacturer and model of a
 * token, id and object of a key, type=private; and module-path, which must be
 * there and be absolute: nothing is looked for, and the process that holds
 * keys loads no library but the one that is named. A token must be named by
 * token or serial, a key by id or object.
 *
 * What is refused, by name: every other attribute (RFC 7512 2.3 lets a reader
 * do that, and one that is passed over would widen what matches), twice the
 * same one, and pin-value and pin-source: a PIN comes the way of a passphrase
 * (cli/passphrase.h) and from nowhere else.
 *
 * No I/O: whether such a key is there, issuer/token.h finds out. Texts are
 * percent-decoded into the arena and end with a NUL that none of them has
 * inside.
 */
#ifndef CS_ISSUER_TOKEN_URI_H
#define CS_ISSUER_TOKEN_URI_H

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

#define CS_TOKEN_URI_SCHEME "pkcs11:"

/* NULL: the URI does not say it. */
struct cs_token_uri {
	const char *token, *serial, *manufacturer, *model;
	const char *object;
	struct cs_span id; /* octets; empty: not said */
	const char *module_path;
};

/*
 * Reads text, one line end behind it allowed. CS_E_KEY with a sentence; a
 * PIN that stands in it is not repeated there.
 */
bool cs_token_uri_parse(struct cs_span text, struct cs_arena *arena,
			struct cs_token_uri *ret_uri,
			struct cs_error *err) CS_MUST_USE;

#endif
