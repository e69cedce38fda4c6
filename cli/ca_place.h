/*
 * The place of an issuer's files, DIR/issuers/NAME, which changes in one
 * step or not at all. What is new is made in DIR/issuers/.NAME.new and takes
 * its place when it is whole; what a crash left there is removed the next
 * time. One maker at a time: a lock on DIR/issuers, taken before anything is
 * read that the change is made from, and held until it is done.
 *
 *	issuers/NAME/key.pem, chain.pem		the present generation
 *	issuers/NAME/key.uri			instead of key.pem: a token's
 *	issuers/NAME/generation-1/key.pem, ..	those before it
 *	issuers/NAME/request.pem		a CSR; while there is no
 *						chain.pem, the issuer waits
 *	issuers/NAME/next/request.pem, key.pem	a CSR for the next generation
 *
 * When root makes it for an installation of another user, it is given to
 * that user.
 */
#ifndef CS_CLI_CA_PLACE_H
#define CS_CLI_CA_PLACE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

enum cs_ca_place_kind {
	CS_CA_PLACE_NEW,      /* issuers/NAME, which must not be there */
	CS_CA_PLACE_NEXT,     /* issuers/NAME/next, likewise */
	CS_CA_PLACE_ROLLOVER, /* issuers/NAME, which changes places */
};

struct cs_ca_place {
	enum cs_ca_place_kind kind;
	int lock_fd;
	const char *name;    /* all below in the arena: "issuers/NAME" */
	const char *staging; /* complete paths */
	const char *final;
	const char *key, *uri, *chain, *request; /* to be made, in staging */
	const char *dir;			 /* DIR, borrowed */
	bool staged;
};

/* The lock. CS_E_LOCKED: another command has it; CS_E_NOT_FOUND, CS_E_IO. */
bool cs_ca_place_lock(const char *dir, struct cs_ca_place *place,
		      struct cs_error *err) CS_MUST_USE;

/*
 * Under the lock. CS_E_EXISTS: what is to be made is there already (or,
 * ROLLOVER, not).
 */
bool cs_ca_place_begin(const char *dir, const char *issuer,
		       enum cs_ca_place_kind kind, struct cs_arena *arena,
		       struct cs_ca_place *place,
		       struct cs_error *err) CS_MUST_USE;

/*
 * Under the lock, for who changes what is there: what an earlier crash left
 * staged, which may be keys, is removed.
 */
bool cs_ca_place_tidy(const char *dir, const char *issuer,
		      struct cs_arena *arena, struct cs_ca_place *place,
		      struct cs_error *err) CS_MUST_USE;

/*
 * ROLLOVER: what stays goes into the new place by links, nothing is moved:
 * the present key and chain into generation-N, whose generation.yaml says
 * `state`; older generations and files of other people as they are. A CSR
 * that waited is left behind. CS_E_FORMAT: something is there that is neither.
 */
bool cs_ca_place_keep(const struct cs_ca_place *place, unsigned generation,
		      struct cs_span state, struct cs_error *err) CS_MUST_USE;

/* ROLLOVER: the new key is one that lies in issuers/NAME: "next/key.pem". */
bool cs_ca_place_take_key(const struct cs_ca_place *place, const char *from,
			  struct cs_error *err) CS_MUST_USE;

/*
 * Into its place, durably. ROLLOVER: the two directories change places in one
 * step (RENAME_EXCHANGE), and what is then the old one is removed.
 */
bool cs_ca_place_commit(struct cs_ca_place *place,
			struct cs_error *err) CS_MUST_USE;

/* NEW, committed: what was made is removed again, since the rest failed. */
void cs_ca_place_take_back(struct cs_ca_place *place);

/* What was not committed is removed, the lock released. */
void cs_ca_place_end(struct cs_ca_place *place);

/* A file that was written in DIR is given to DIR's owner, if root wrote it. */
bool cs_ca_place_give(const char *dir, const char *path,
		      struct cs_error *err) CS_MUST_USE;

#endif
