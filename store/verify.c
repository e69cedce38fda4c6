#include "store/verify.h"

#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "store/rows.h"
#include "store/subtree.h"
#include "store/verify_internal.h"

/* Leaves between two calls of `progress`. */
#define PROGRESS 4096

/* The row of `meta`, and where the pass stands. */
struct pass {
	struct cs_verify *v;
	struct cs_tree_edge edge;
	struct cs_tree_edge block; /* of the leaves since the last subtree */
	unsigned broken; /* 1: a gap; roots behind it cannot be known */

	uint64_t meta_size;
	struct cs_tree_edge meta_edge;
	unsigned meta_edge_good;
	int64_t meta_clock_ms;

	/* The checkpoint that covers the leaf in hand. */
	struct cs_stmt checkpoints;
	bool checkpoint;
	uint64_t checkpoint_size;
	uint64_t last_checkpoint;

	struct cs_checkpoint outside;
	unsigned outside_known;
	int64_t latest_ms;
};

/* The next checkpoint row; p->checkpoint says whether there is one. */
static bool next_checkpoint(struct pass *p, struct cs_error *err)
{
	if (!cs_stmt_step(&p->checkpoints, &p->checkpoint, err))
		return false;
	if (p->checkpoint)
		p->checkpoint_size =
			(uint64_t)cs_stmt_col_int(&p->checkpoints, 0);
	return true;
}

/* The checkpoint outside, where the tree has its size. */
static bool compare_outside(struct pass *p, const uint8_t root[CS_TREE_HASH])
{
	if (!p->outside_known || p->outside.size != p->edge.size)
		return true;
	p->v->report->outside = 1;
	if (memcmp(p->outside.root, root, CS_TREE_HASH) == 0)
		return true;
	p->v->report->split = 1;
	cs_verify_find(p->v, CS_VERIFY_NO_INDEX, "checkpoint outside", 0,
		       "split view: the checkpoint outside has another root at "
		       "size %" PRIu64,
		       p->edge.size);
	return true;
}

/* Open the checkpoint in hand and compare it with the tree. */
static void check_checkpoint(struct pass *p, const uint8_t root[CS_TREE_HASH])
{
	struct cs_verify *v = p->v;
	struct cs_checkpoint c;
	struct cs_error why = {0};

	v->report->checkpoints++;
	if (!cs_note_checkpoint_open(
		    &v->verifier, cs_stmt_col(&p->checkpoints, 1), &c, &why)) {
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "checkpoint",
			       (int64_t)p->checkpoint_size, "%s", why.text);
		return;
	}
	if (c.size != p->checkpoint_size)
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "checkpoint",
			       (int64_t)p->checkpoint_size,
			       "the note says size %" PRIu64, c.size);
	else if (!p->broken && memcmp(c.root, root, CS_TREE_HASH) != 0)
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "checkpoint",
			       (int64_t)p->checkpoint_size,
			       "the note's root is not that of the leaves "
			       "below %" PRIu64,
			       c.size);
}

/* Everything that is due at the tree's present size. */
static bool at_size(struct pass *p, struct cs_error *err)
{
	bool due = p->checkpoint && p->checkpoint_size == p->edge.size;
	uint8_t root[CS_TREE_HASH] = {0};

	if (!due && !(p->outside_known && p->outside.size == p->edge.size))
		return true;
	if (!p->broken &&
	    (!cs_tree_edge_root(p->v->hash, &p->edge, root, err) ||
	     !compare_outside(p, root)))
		return false;
	if (!due)
		return true;
	check_checkpoint(p, root);
	p->last_checkpoint = p->checkpoint_size;
	return next_checkpoint(p, err);
}

/* The columns of the leaf row in hand. */
static void read_leaf(struct cs_stmt *s, struct cs_verify_row *leaf)
{
	*leaf = (struct cs_verify_row){
		.index = (uint64_t)cs_stmt_col_int(s, 0),
		.hash = cs_stmt_col(s, 1),
		.kind = cs_stmt_col_int(s, 2),
		.at_ms = cs_stmt_col_int(s, 3),
		.tree_size = cs_stmt_col_int(s, 4),
		.request = cs_stmt_col_int(s, 5),
		.answer_version = cs_stmt_col_int(s, 6),
		.entry = cs_stmt_col(s, 7),
		.act = cs_stmt_col_int(s, 8),
		.kept = cs_stmt_col(s, 9),
	};
}

/* Is the leaf where it must be, and under which checkpoint? */
static void check_place(struct pass *p, const struct cs_verify_row *leaf)
{
	struct cs_verify *v = p->v;

	if (leaf->index != p->edge.size) {
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "leaves %" PRIu64 " to %" PRIu64 " are missing",
			       p->edge.size, leaf->index - 1);
		p->broken = 1;
		p->edge.size = leaf->index;
	}
	if (!p->checkpoint)
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "no checkpoint covers it");
	else if (leaf->tree_size != (int64_t)p->checkpoint_size)
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "tree_size is %" PRId64 ", but the checkpoint "
			       "that covers it first is %" PRIu64,
			       leaf->tree_size, p->checkpoint_size);
	if (leaf->answer_version != CS_ANSWER_VERSION)
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "answer_version is %" PRId64 ", not %d",
			       leaf->answer_version, CS_ANSWER_VERSION);
	/* Accepting the clock is the one way back. */
	if (leaf->at_ms > p->latest_ms || leaf->kind == CS_LEAF_CLOCK)
		p->latest_ms = leaf->at_ms;
}

/* The leaf's part of its subtree; a complete one is compared with its row. */
static bool check_subtree(struct pass *p, const struct cs_verify_row *leaf,
			  struct cs_error *err)
{
	struct cs_verify *v = p->v;
	uint64_t n = leaf->index / CS_SUBTREE;
	uint8_t root[CS_TREE_HASH];
	struct cs_stmt s;
	bool row = false;

	if (!cs_tree_edge_append(v->hash, &p->block, leaf->hash.p, err))
		return false;
	if (p->block.size < CS_SUBTREE)
		return true;
	if (!cs_tree_edge_root(v->hash, &p->block, root, err))
		return false;
	cs_tree_edge_init(&p->block);
	s = cs_stmt(v->db, CS_SQL_SUBTREE_GET);
	cs_stmt_int(&s, (int64_t)n);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	v->subtrees += row;
	if (row && !cs_span_equal(cs_stmt_col(&s, 0),
				  cs_span_make(root, sizeof(root))))
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "subtree", (int64_t)n,
			       "it is not the root of its leaves");
	cs_stmt_end(&s);
	return true;
}

/* One leaf: its place, its content, the tree. */
static bool check_leaf(struct pass *p, const struct cs_verify_row *leaf,
		       struct cs_error *err)
{
	struct cs_verify *v = p->v;
	enum cs_leaf_kind kind = (enum cs_leaf_kind)leaf->kind;
	bool decided = cs_leaf_kind_has_terms(kind) ||
		       kind == CS_LEAF_ATTEMPT_ABANDONED;

	check_place(p, leaf);
	if (leaf->hash.n != CS_TREE_HASH || cs_leaf_kind_name(kind) == NULL) {
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "its hash or kind is not one of ours");
		p->broken = 1;
		p->edge.size++;
		return true;
	}
	v->kinds[kind]++;
	v->report->leaves++;
	if (leaf->act != 0 ? !cs_verify_purged(v, leaf, err)
	    : decided	   ? !cs_verify_decision(v, leaf, err)
			   : !cs_verify_admin(v, leaf, err))
		return false;
	if (p->broken)
		p->edge.size++;
	else if (!cs_tree_edge_append(v->hash, &p->edge, leaf->hash.p, err) ||
		 !check_subtree(p, leaf, err))
		return false;
	return at_size(p, err);
}

/* All leaves in order, with the checkpoints beside them. */
static bool check_leaves(struct pass *p, struct cs_error *err)
{
	const struct cs_verify_config *config = p->v->config;
	struct cs_stmt s = cs_stmt(p->v->db, CS_SQL_VERIFY_LEAVES);
	struct cs_verify_row leaf;
	bool row = false;
	bool ok;

	p->checkpoints = cs_stmt(p->v->db, CS_SQL_VERIFY_CHECKPOINTS);
	ok = next_checkpoint(p, err) && at_size(p, err);
	while (ok && (ok = cs_stmt_step(&s, &row, err)) && row) {
		read_leaf(&s, &leaf);
		ok = check_leaf(p, &leaf, err);
		if (ok && config->progress != NULL &&
		    p->v->report->leaves % PROGRESS == 0)
			config->progress(config->ctx, p->v->report->leaves,
					 p->meta_size);
	}
	cs_stmt_end(&s);
	if (ok && p->checkpoint)
		cs_verify_find(p->v, CS_VERIFY_NO_INDEX, "checkpoint",
			       (int64_t)p->checkpoint_size,
			       "stands beyond the last leaf, or twice");
	cs_stmt_end(&p->checkpoints);
	return ok;
}

/* Whose signatures count: the key that was given, or meta's own. */
static bool choose_verifier(struct cs_verify *v, struct cs_stmt *meta)
{
	const struct cs_note_verifier *given = v->config->verifier;
	struct cs_span origin = cs_stmt_col(meta, 0);
	struct cs_span key = cs_stmt_col(meta, 1);
	struct cs_error why = {0};

	if (given != NULL) {
		v->verifier = *given;
		if (!cs_span_equal_str(origin, given->name) ||
		    !cs_span_equal(key, cs_span_make(given->public_key,
						     CS_NOTE_PUBLIC)))
			cs_verify_find(v, CS_VERIFY_NO_INDEX, "meta", 1,
				       "origin or log_key is another log's");
		return true;
	}
	if (key.n == CS_NOTE_PUBLIC &&
	    cs_note_verifier_make(origin, key.p, &v->verifier, &why))
		return true;
	cs_verify_find(v, CS_VERIFY_NO_INDEX, "meta", 1, "origin: %s",
		       why.text);
	return false;
}

/* Read meta and what it claims. *ret_row = false: there is nothing to do. */
static bool read_meta(struct pass *p, bool *ret_row, struct cs_error *err)
{
	struct cs_verify *v = p->v;
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_META);
	struct cs_error why = {0};

	if (!cs_stmt_step(&s, ret_row, err))
		return false;
	if (!*ret_row) {
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "meta", 1,
			       "its row is missing");
		cs_stmt_end(&s);
		return true;
	}
	(void)choose_verifier(v, &s);
	p->meta_size = (uint64_t)cs_stmt_col_int(&s, 2);
	p->meta_edge_good = cs_tree_edge_read(p->meta_size, cs_stmt_col(&s, 3),
					      &p->meta_edge, &why);
	if (!p->meta_edge_good)
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "meta", 1, "%s",
			       why.text);
	v->terms_done = (uint64_t)cs_stmt_col_int(&s, 4);
	p->meta_clock_ms = cs_stmt_col_int(&s, 5);
	(void)cs_stmt_col_fixed(&s, 6, v->meta.config_sha256, 32);
	(void)cs_stmt_col_fixed(&s, 7, v->meta.installation, 16);
	v->meta.created_ms = cs_stmt_col_int(&s, 8);
	cs_stmt_end(&s);
	return true;
}

/* Meta against what the leaves came to. */
static void compare_meta(struct pass *p)
{
	struct cs_verify *v = p->v;

	if (p->meta_size != p->edge.size)
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "meta", 1,
			       "tree_size is %" PRIu64 ", but there are "
			       "%" PRIu64 " leaves",
			       p->meta_size, p->edge.size);
	else if (!p->broken && p->meta_edge_good &&
		 !cs_span_equal(cs_tree_edge_bytes(&p->meta_edge),
				cs_tree_edge_bytes(&p->edge)))
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "meta", 1,
			       "right_edge is not that of the leaves");
	if (p->edge.size != p->last_checkpoint)
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "checkpoint",
			       (int64_t)p->edge.size,
			       "the last checkpoint is missing");
	if (p->meta_clock_ms < p->latest_ms)
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "meta", 1,
			       "clock_ms is older than a leaf");
	if (v->config_differs)
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "meta", 1,
			       "config_sha256 is not what the last leaf says "
			       "that speaks of it");
}

/* What is known of the checkpoint outside before the pass. */
static void open_outside(struct pass *p)
{
	struct cs_verify *v = p->v;
	struct cs_error why = {0};

	if (v->config->outside.n == 0)
		return;
	if (!cs_note_checkpoint_open(&v->verifier, v->config->outside,
				     &p->outside, &why)) {
		cs_verify_find(v, CS_VERIFY_NO_INDEX, "checkpoint outside", 0,
			       "%s", why.text);
		return;
	}
	p->outside_known = 1;
}

/* Is the checkpoint outside newer than everything here? */
static void compare_size_outside(struct pass *p)
{
	if (!p->outside_known || p->outside.size <= p->edge.size)
		return;
	p->v->report->split = 1;
	p->v->report->outside = 1;
	cs_verify_find(p->v, CS_VERIFY_NO_INDEX, "checkpoint outside", 0,
		       "split view: the checkpoint outside has size %" PRIu64
		       ", the log %" PRIu64,
		       p->outside.size, p->edge.size);
}

/* The whole pass, inside one read transaction. */
static bool run(struct pass *p, struct cs_error *err)
{
	struct cs_verify *v = p->v;
	bool row = false;

	if (!read_meta(p, &row, err))
		return false;
	if (!row)
		return true;
	open_outside(p);
	/* Behind a gap no subtree can be computed; nor is it counted. */
	if (!check_leaves(p, err) || !cs_verify_coverage(v, err) ||
	    (!p->broken && !cs_verify_subtrees(v, err)) ||
	    !cs_verify_clients(v, err))
		return false;
	compare_meta(p);
	compare_size_outside(p);
	v->report->tree_size = p->edge.size;
	return p->broken ||
	       cs_tree_edge_root(v->hash, &p->edge, v->report->root, err);
}

bool cs_verify_run(const struct cs_verify_config *config,
		   struct cs_verify_report *ret_report, struct cs_error *err)
{
	struct cs_verify v = {
		.config = config, .report = ret_report, .db = config->db};
	struct pass p = {.v = &v};
	struct cs_stmt begin = cs_stmt(config->db, CS_SQL_READ_BEGIN);
	bool ok;

	*ret_report = (struct cs_verify_report){.tree_size = 0};
	v.hash = cs_hash_new(err);
	if (v.hash == NULL)
		return false;
	cs_buf_init(&v.entry, CS_MAX_LEAF);
	cs_buf_init(&v.der, CS_MAX_MESSAGE);
	cs_buf_init(&v.rows, CS_ROWS_MAX);
	cs_tree_edge_init(&p.edge);
	cs_tree_edge_init(&p.block);
	ok = cs_stmt_run(&begin, err) && run(&p, err);
	cs_db_rollback(config->db);
	cs_buf_done(&v.entry);
	cs_buf_done(&v.der);
	cs_buf_done(&v.rows);
	cs_hash_free(v.hash);
	return ok;
}
