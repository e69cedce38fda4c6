/*
 * Roots of parts of the log's tree, from what the database holds.
 *
 * A row of `subtree` is the root of 256 leaves, so that the root of any range
 * costs a row for each 256 of them and at most 256 leaf hashes. The ledger
 * fills the table behind the leaves (store/ledger_terms.c); where a row is
 * missing yet, its leaves are read instead.
 *
 * What it does not check: that the rows are those of the leaves (audit verify
 * does), or that the leaves are there beyond being as many as asked for.
 */
#ifndef CS_STORE_SUBTREE_H
#define CS_STORE_SUBTREE_H

#include "base/hash.h"
#include "store/db.h"
#include "store/tree.h"

/* Leaves of one row. */
#define CS_SUBTREE 256

/*
 * The root of leaves [from, to), to - from <= CS_SUBTREE, from their hashes.
 * CS_E_DB_CORRUPT: one is missing.
 */
bool cs_subtree_of_leaves(struct cs_db *db, struct cs_hash *h, uint64_t from,
			  uint64_t to, uint8_t ret_root[CS_TREE_HASH],
			  struct cs_error *err) CS_MUST_USE;

/*
 * The root of any range that stands in a proof (store/tree.h): one longer
 * than CS_SUBTREE begins at a multiple of it.
 */
bool cs_subtree_of_range(struct cs_db *db, struct cs_hash *h,
			 const struct cs_tree_range *range,
			 uint8_t ret_root[CS_TREE_HASH],
			 struct cs_error *err) CS_MUST_USE;

#endif
