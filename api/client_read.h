/*
 * One client of a CLIENT_TABLE, and one CA, from the ledger's JSON
 * (api/clients.h says what it looks like). What is read is copied into the
 * arena; half of one that could not be read is left there.
 *
 * Members that are not known are ignored: the ledger writes it, not a
 * stranger.
 */
#ifndef CS_API_CLIENT_READ_H
#define CS_API_CLIENT_READ_H

#include <jansson.h>

#include "api/client.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"

/* What a client is read into and against. Borrowed. */
struct cs_client_read {
	struct cs_arena *arena;
	const struct cs_client_ca *cas; /* that credentials may name */
	size_t cas_n;
};

/* Errors: FORMAT, TOO_LARGE, NO_MEMORY. *ret_client is zeroed before. */
bool cs_client_read(const struct cs_client_read *r, const json_t *v,
		    struct cs_client *ret_client,
		    struct cs_error *err) CS_MUST_USE;

/* Errors: likewise. ret_ca->ca is the caller's. */
bool cs_client_read_ca(struct cs_arena *arena, const json_t *v,
		       struct cs_client_ca *ret_ca,
		       struct cs_error *err) CS_MUST_USE;

#endif
