/*
 * The database of one installation, DIR/ledger.db: its tables, version by
 * version, and what version this program writes. The statements stand in
 * schema.c and are the documentation of every column; docs/log-format.md says
 * which of them a leaf covers.
 *
 * Rules that every version keeps: STRICT tables; blobs only in tables whose
 * key is the order of insertion (a random key with the blob beside it costs
 * more than twice); rows of the record (attempt, outcome, refusal, approval,
 * revocation, leaf, checkpoint, policy_*) are never changed or removed, which
 * triggers refuse; a request changes in state, hold and leaf only; of CRLs the
 * last one of each shard is kept. A row refers only to rows that are older
 * than itself, except columns `leaf`, which are written a moment before their
 * leaf in the same transaction (and so are no foreign keys, but for those of
 * outcome, refusal, revocation and crl).
 *
 * The triggers hinder accidents. They do not stop whoever owns the file:
 * that is what the log and the checkpoint outside are for.
 */
#ifndef CS_STORE_SCHEMA_H
#define CS_STORE_SCHEMA_H

#include <stddef.h>

/* PRAGMA application_id: "cslg". A file with another one is not ours. */
#define CS_SCHEMA_APPLICATION_ID 0x63736c67
/* PRAGMA user_version of what this program reads and writes. */
#define CS_SCHEMA_VERSION 3

/*
 * The statements that make version 1, in order. A new database then goes
 * through every step of store/migrate.h, which stand in schema.c too.
 */
extern const char *const cs_schema_v1[];
extern const size_t cs_schema_v1_n;

/*
 * Beside the file, as long as the ledger's connection: the keys of what was
 * revoked for keyCompromise. One look-up for each intent, where a key's uses
 * may be thousands.
 */
extern const char cs_schema_compromised[];

#endif
