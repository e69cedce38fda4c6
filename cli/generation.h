/*
 * generation.yaml, beside the key and the chain of one generation of an
 * issuer: what is true of this CA certificate for good, and what was done
 * about it. The program writes it, nobody else has to. Without the file the
 * generation is the first, and nothing was done.
 *
 *	generation: 2
 *	crl_url: "http://crl.example/crl/web@2"	  frozen when a next one came
 *	crl_shards: 1
 *	retired: "2026-11-25T09:00:00Z"
 *	key_destroyed: "2027-11-25T09:00:00Z"
 *
 * It is read at start; what has changed since is recorded then, and cannot
 * be taken back: a house whose log knows of more than the file says does not
 * start (store/ledger.h).
 */
#ifndef CS_CLI_GENERATION_H
#define CS_CLI_GENERATION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define CS_GENERATION_FILE "generation.yaml"

/* Beyond what an issuer can live through. */
#define CS_MAX_GENERATION 1000

struct cs_generation {
	unsigned number;     /* from 1 */
	bool has_crl;	     /* the two below say where its CRLs are */
	const char *crl_url; /* NULL: nowhere; in the arena */
	uint32_t crl_shards;
	bool is_retired, key_is_destroyed;
	int64_t retired_s, key_destroyed_s; /* since 1970 */
};

/* Read folder/generation.yaml in DIR. CS_E_CONFIG, CS_E_YAML, CS_E_IO. */
bool cs_generation_read(const char *dir, const char *folder,
			struct cs_arena *arena, struct cs_generation *ret,
			struct cs_error *err) CS_MUST_USE;

/* The same as text, with a comment that says what it is. */
bool cs_generation_write(const struct cs_generation *g, struct cs_buf *out,
			 struct cs_error *err) CS_MUST_USE;

#endif
