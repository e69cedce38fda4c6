/*
 * The Merkle tree of RFC 6962 2.1 over the log's leaf hashes.
 *
 * The tree grows at its right edge only, so the edge is all that appending
 * needs: the roots of the complete subtrees that the size's one bits stand
 * for, largest first, at most 64. struct cs_tree_edge is a plain value: copy
 * it to keep a state that a failed transaction goes back to.
 *
 * Stored form of the edge (meta.right_edge): these hashes one behind the
 * other, largest subtree first; their number is the number of one bits in
 * the tree's size, which is stored beside it.
 *
 * Proofs are given as ranges of leaves: each element of a proof is the root
 * of one range, which the caller finds by appending the range's leaf hashes
 * to an empty edge, or from tiles. Nothing here reads a database.
 *
 * What it does not check: that a leaf's entry is well-formed (store/leaf.h),
 * or who signed a root (store/note.h).
 */
#ifndef CS_STORE_TREE_H
#define CS_STORE_TREE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"

#define CS_TREE_HASH 32
/* One bits of a 64-bit size: the longest edge, and the longest proof. */
#define CS_TREE_DEPTH 64

struct cs_tree_edge {
	uint64_t size; /* leaves */
	unsigned n;    /* hashes in use: the one bits of size */
	uint8_t hash[CS_TREE_DEPTH][CS_TREE_HASH];
};

/* Leaves [from, to): one element of a proof is their root. */
struct cs_tree_range {
	uint64_t from;
	uint64_t to;
};

/* RFC 6962 2.1: SHA-256 of 0x00 and the entry. */
bool cs_tree_leaf_hash(struct cs_hash *h, struct cs_span entry,
		       uint8_t ret_hash[CS_TREE_HASH],
		       struct cs_error *err) CS_MUST_USE;

/* RFC 6962 2.1: SHA-256 of 0x01, left and right. */
bool cs_tree_node_hash(struct cs_hash *h, const uint8_t left[CS_TREE_HASH],
		       const uint8_t right[CS_TREE_HASH],
		       uint8_t ret_hash[CS_TREE_HASH],
		       struct cs_error *err) CS_MUST_USE;

/* The empty tree. */
void cs_tree_edge_init(struct cs_tree_edge *e);

/* Append one leaf hash; its index is the size before. On error *e is void. */
bool cs_tree_edge_append(struct cs_hash *h, struct cs_tree_edge *e,
			 const uint8_t leaf[CS_TREE_HASH],
			 struct cs_error *err) CS_MUST_USE;

/* The root; of the empty tree, SHA-256 of nothing. */
bool cs_tree_edge_root(struct cs_hash *h, const struct cs_tree_edge *e,
		       uint8_t ret_root[CS_TREE_HASH],
		       struct cs_error *err) CS_MUST_USE;

/* The stored form: borrowed from *e, 32 octets a hash. */
struct cs_span cs_tree_edge_bytes(const struct cs_tree_edge *e);

/* Read the stored form of a tree of this size. CS_E_DB_CORRUPT: its length. */
bool cs_tree_edge_read(uint64_t size, struct cs_span bytes,
		       struct cs_tree_edge *ret_edge,
		       struct cs_error *err) CS_MUST_USE;

/*
 * RFC 6962 2.1.1: the ranges whose roots prove that leaf `index` is in the
 * tree of `size` leaves, lowest first. 0 <= index < size, else no ranges.
 */
unsigned cs_tree_inclusion_ranges(uint64_t index, uint64_t size,
				  struct cs_tree_range ret[CS_TREE_DEPTH]);

/*
 * RFC 6962 2.1.2: the ranges whose roots prove that the tree of `from`
 * leaves is the beginning of the tree of `to` leaves. 0 < from <= to, else
 * (and for from == to) no ranges.
 */
unsigned cs_tree_consistency_ranges(
	uint64_t from, uint64_t to,
	struct cs_tree_range ret[CS_TREE_DEPTH + 1]);

/* RFC 9162 2.1.3.2: CS_E_VERIFY unless the proof leads from leaf to root. */
bool cs_tree_inclusion_verify(struct cs_hash *h, uint64_t index, uint64_t size,
			      const uint8_t leaf[CS_TREE_HASH],
			      const uint8_t (*proof)[CS_TREE_HASH], unsigned n,
			      const uint8_t root[CS_TREE_HASH],
			      struct cs_error *err) CS_MUST_USE;

/* RFC 9162 2.1.4.2: CS_E_VERIFY unless both roots follow from the proof. */
bool cs_tree_consistency_verify(struct cs_hash *h, uint64_t from, uint64_t to,
				const uint8_t (*proof)[CS_TREE_HASH],
				unsigned n,
				const uint8_t from_root[CS_TREE_HASH],
				const uint8_t to_root[CS_TREE_HASH],
				struct cs_error *err) CS_MUST_USE;

#endif
