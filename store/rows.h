/*
 * Rows as canonical JSON: what an act of administration left behind, in the
 * form whose SHA-256 stands in its leaf ("rows") and which `audit verify`
 * reads again.
 *
 * One object: a member for each table, an array of row objects with every
 * column by its name, in ascending order. NULL columns are left out; octets
 * are hexadecimal, those longer than 64 their "sha256:" and digest.
 *
 * The ledger calls these on its own connection, in the transaction that
 * changed the rows and after it has set their `leaf` column to the index of
 * the leaf that is about to be written.
 */
#ifndef CS_STORE_ROWS_H
#define CS_STORE_ROWS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "store/db.h"

/* Bytes of the JSON of one act: a client with all its credentials. */
#define CS_ROWS_MAX (4 * 1024 * 1024)

/* One client and its credentials. Nothing there: empty arrays. */
bool cs_rows_client(struct cs_db *db, struct cs_hash *h, uint64_t client,
		    struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/* One policy set with its sources. */
bool cs_rows_policy_set(struct cs_db *db, struct cs_hash *h, uint64_t epoch,
			struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/* One shard's CRL. */
bool cs_rows_crl(struct cs_db *db, struct cs_hash *h, uint64_t id,
		 struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/* One issuer row, that is one CA certificate. */
bool cs_rows_issuer(struct cs_db *db, struct cs_hash *h, uint64_t issuer,
		    struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/*
 * What the rows of one leaf still say when it is purged (store/purge.h): the
 * columns that stay, of approval, attempt, leaf, outcome, refusal, request and
 * revocation; of an outcome, whether the attempt was abandoned. The same
 * before and after its content is removed.
 */
bool cs_rows_kept(struct cs_db *db, struct cs_hash *h, uint64_t leaf,
		  struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

/* What was done about a CA certificate in this leaf. */
bool cs_rows_issuer_end(struct cs_db *db, struct cs_hash *h, uint64_t leaf,
			struct cs_buf *out, struct cs_error *err) CS_MUST_USE;

#endif
