/*
 * The place of a new issuer: DIR/issuers/NAME, which comes into being with
 * key and chain in it, or not at all. They are made in DIR/issuers/.NAME.new,
 * which is renamed when it is whole; what a crash left there is removed the
 * next time. One maker at a time: a lock on DIR/issuers.
 *
 * When root makes it for an installation of another user, it is given to
 * that user.
 */
#ifndef CS_CLI_CA_PLACE_H
#define CS_CLI_CA_PLACE_H

#include "base/arena.h"
#include "base/error.h"

struct cs_ca_place {
	int lock_fd;
	const char *name;    /* all below in the arena: "issuers/NAME" */
	const char *staging; /* complete paths */
	const char *final;
	const char *key, *chain; /* to be made, in staging */
	const char *dir;	 /* DIR, borrowed */
	bool staged;
};

/* CS_E_EXISTS: the issuer has a directory already. */
bool cs_ca_place_begin(const char *dir, const char *issuer,
		       struct cs_arena *arena, struct cs_ca_place *place,
		       struct cs_error *err) CS_MUST_USE;

/* Into its place, durably. */
bool cs_ca_place_commit(struct cs_ca_place *place,
			struct cs_error *err) CS_MUST_USE;

/* What was not committed is removed, the lock released. */
void cs_ca_place_end(struct cs_ca_place *place);

#endif
