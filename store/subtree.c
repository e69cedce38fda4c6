#include "store/subtree.h"

#include <inttypes.h>

bool cs_subtree_of_leaves(struct cs_db *db, struct cs_hash *h, uint64_t from,
			  uint64_t to, uint8_t ret_root[CS_TREE_HASH],
			  struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_SUBTREE_LEAVES);
	struct cs_tree_edge edge;
	bool row = false;
	bool ok;

	cs_tree_edge_init(&edge);
	cs_stmt_int(&s, (int64_t)from);
	cs_stmt_int(&s, (int64_t)to);
	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		uint8_t hash[CS_TREE_HASH];

		(void)cs_stmt_col_fixed(&s, 0, hash, sizeof(hash));
		ok = cs_tree_edge_append(h, &edge, hash, err);
		if (!ok)
			break;
	}
	cs_stmt_end(&s);
	if (ok && edge.size != to - from)
		ok = cs_error_set(err, CS_E_DB_CORRUPT,
				  "of leaves %" PRIu64 " to %" PRIu64
				  " some are missing",
				  from, to);
	return ok && cs_tree_edge_root(h, &edge, ret_root, err);
}

/* The root of the row, or of its leaves while there is none. */
static bool of_row(struct cs_db *db, struct cs_hash *h, uint64_t n,
		   uint8_t ret_root[CS_TREE_HASH], struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_SUBTREE_GET);
	bool row = false;

	cs_stmt_int(&s, (int64_t)n);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row)
		row = cs_stmt_col_fixed(&s, 0, ret_root, CS_TREE_HASH);
	cs_stmt_end(&s);
	return row || cs_subtree_of_leaves(db, h, n * CS_SUBTREE,
					   (n + 1) * CS_SUBTREE, ret_root, err);
}

/*
 * RFC 6962 2.1 splits at powers of two, so that above CS_SUBTREE leaves the
 * tree is one over these parts, the last of which may be shorter.
 */
bool cs_subtree_of_range(struct cs_db *db, struct cs_hash *h,
			 const struct cs_tree_range *range,
			 uint8_t ret_root[CS_TREE_HASH], struct cs_error *err)
{
	struct cs_tree_edge edge;
	uint8_t root[CS_TREE_HASH];
	uint64_t at = range->from;

	if (range->to - range->from < CS_SUBTREE || at % CS_SUBTREE != 0)
		return cs_subtree_of_leaves(db, h, at, range->to, ret_root,
					    err);
	cs_tree_edge_init(&edge);
	for (; range->to - at >= CS_SUBTREE; at += CS_SUBTREE) {
		if (!of_row(db, h, at / CS_SUBTREE, root, err) ||
		    !cs_tree_edge_append(h, &edge, root, err))
			return false;
	}
	if (at < range->to &&
	    (!cs_subtree_of_leaves(db, h, at, range->to, root, err) ||
	     !cs_tree_edge_append(h, &edge, root, err)))
		return false;
	return cs_tree_edge_root(h, &edge, ret_root, err);
}
