/*
 * A CA for tests, made as `init` makes one: in a directory of its own below
 * the system's place for temporary files, removed again at the end.
 */
#ifndef CS_TESTS_LIB_CA_MAKER_H
#define CS_TESTS_LIB_CA_MAKER_H

#include "issuer/ca.h"
#include "issuer/ceiling.h"
#include "issuer/keygen.h"

/* When the CAs of tests are made: 2026-11-24T12:00:00Z. */
#define CA_MAKER_NOW INT64_C(1795521600)

struct ca_maker {
	char dir[64];
	char root_key[96], root_pem[96], key[96], chain[96];
	struct cs_issuer_ca *ca; /* named "default" */
	struct cs_arena arena;
	struct cs_ceiling ceiling; /* 398 days, TLS purposes */
};

/* Fails the test when anything goes wrong. */
void ca_make(struct ca_maker *m, enum cs_key_kind kind,
	     enum cs_keygen_tiers tiers);
void ca_done(struct ca_maker *m);

/* The issuer's private key, to be freed by the caller. */
struct cs_key *ca_key(const struct ca_maker *m);

/* A file's whole text, NUL-terminated; cs_mem_free() it. */
char *ca_read_file(const char *path);

#endif
