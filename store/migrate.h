/*
 * Making an installation's database, and bringing an older one up to date.
 *
 * Creating: everything in one transaction on a file beside the final name,
 * which is then renamed and the folder synced, so that a database is either
 * whole or not there. It holds the schema and the row of `meta`; the first
 * rows of clients and issuers come with the ledger's first start, since each
 * needs its leaf.
 *
 * Migrating: PRAGMA user_version says what a file is. Each step runs in one
 * transaction that also raises the version, after a copy of the whole file
 * was put beside it ("ledger.db.v1"). A step that fails leaves the file as
 * it was. The caller holds the instance lock.
 */
#ifndef CS_STORE_MIGRATE_H
#define CS_STORE_MIGRATE_H

#include <stdint.h>

#include "store/db.h"

struct cs_installation {
	const uint8_t *id;	/* 16 octets, random */
	const char *origin;	/* of the log's notes (store/note.h) */
	const uint8_t *log_key; /* 32 octets: public half of the log's key */
	int64_t now_ms;
};

/* CS_E_EXISTS when there is a file already. */
bool cs_store_create(const struct cs_db_config *config,
		     const struct cs_installation *installation,
		     struct cs_error *err) CS_MUST_USE;

/* One step, from version `from` to the next. */
struct cs_migration {
	int from;
	const char *const *statements;
	size_t n;
};

/* The steps of this program, in order (store/schema.c). */
extern const struct cs_migration cs_migrations[];
extern const size_t cs_migrations_n;

/*
 * Take the file to version `target` by these steps. *ret_steps (may be NULL)
 * is how many were needed. Refuses a newer file and a gap between steps.
 */
bool cs_store_migrate(const struct cs_db_config *config,
		      const struct cs_migration *steps, size_t n, int target,
		      size_t *ret_steps, struct cs_error *err) CS_MUST_USE;

#endif
