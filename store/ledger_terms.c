#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/terms.h"
#include "store/ledger_room.h"
#include "store/subtree.h"

/*
 * Filing goes in runs. The terms of up to RUN_PIECES * PIECE leaves are read
 * and sorted piece by piece, then merged into the table in slices, each a
 * transaction of its own; the watermark moves with the last one. So a page
 * of the table is written for many leaves at once, however large the table
 * is, and no slice keeps decisions waiting for long. A run that a crash cut
 * short is begun again: what it has filed is there already.
 *
 * The roots of subtrees are filed beside them, one with each slice.
 */
#define PIECE	   256	/* leaves */
#define RUN_PIECES 16	/* pieces */
#define SLICE	   1024 /* terms, about 2 ms */
/* A run of long lists of names is a shorter one. */
#define RUN_BYTES ((size_t)8 * 1024 * 1024)
/* With room for the last leaf, and for a piece that grows by doubling. */
#define RUN_ARENA (8 * RUN_BYTES)

/* One term of one leaf. */
struct item {
	struct cs_span value;
	int64_t leaf;
	uint8_t field;
};

/* Terms of some leaves, sorted; those before `at` are filed. */
struct piece {
	struct item *items; /* arena */
	size_t n, cap, at;
};

struct cs_ledger_terms {
	struct cs_arena arena;
	struct piece pieces[RUN_PIECES];
	size_t pieces_n;
	uint64_t done; /* leaves below are filed with this run */
	bool merging;  /* everything is read */
};

struct cs_ledger_terms *cs_ledger_terms_new(void)
{
	struct cs_ledger_terms *t = cs_mem_new(sizeof(*t));

	if (t != NULL)
		cs_arena_init(&t->arena, RUN_ARENA);
	return t;
}

void cs_ledger_terms_free(struct cs_ledger_terms *t)
{
	if (t == NULL)
		return;
	cs_arena_done(&t->arena);
	cs_mem_free(t);
}

/* In the order of the table, so that inserting walks it once. */
static int compare(const void *pa, const void *pb)
{
	const struct item *a = pa;
	const struct item *b = pb;
	int c;

	if (a->field != b->field)
		return a->field < b->field ? -1 : 1;
	c = cs_span_compare(a->value, b->value);
	if (c != 0)
		return c;
	return a->leaf < b->leaf ? -1 : a->leaf > b->leaf;
}

/* One more item; false: no memory. */
static bool add(struct cs_arena *arena, struct piece *list, struct item item)
{
	if (list->n == list->cap) {
		size_t cap = list->cap == 0 ? 512 : list->cap * 2;
		struct item *more =
			cs_arena_new_array(arena, cap, sizeof(*more));

		if (more == NULL)
			return false;
		if (list->n > 0)
			memcpy(more, list->items, list->n * sizeof(*more));
		list->items = more;
		list->cap = cap;
	}
	list->items[list->n++] = item;
	return true;
}

/* The terms of one leaf. */
static bool leaf_read(struct cs_stmt *s, struct cs_ledger_terms *t,
		      struct piece *list)
{
	int64_t leaf = cs_stmt_col_int(s, 0);
	enum cs_leaf_kind kind = (enum cs_leaf_kind)cs_stmt_col_int(s, 2);
	struct cs_span blob;
	struct item item = {.leaf = leaf};

	if (!cs_arena_dup(&t->arena, cs_stmt_col(s, 1), &blob))
		return false;
	while (cs_terms_next(&blob, &item.field, &item.value, NULL))
		if (cs_leaf_files_term(kind, item.field) &&
		    !add(&t->arena, list, item))
			return false;
	t->done = (uint64_t)leaf + 1;
	return true;
}

/* The next piece of the run. */
static bool piece_read(struct cs_ledger *l, struct cs_ledger_terms *t,
		       struct cs_error *err)
{
	struct piece *list = &t->pieces[t->pieces_n++];
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_TERMS_OF_LEAVES);
	size_t leaves = 0;
	bool row = false;

	*list = (struct piece){0};
	cs_stmt_int(&s, (int64_t)t->done);
	cs_stmt_int(&s, PIECE);
	while (t->arena.used < RUN_BYTES) {
		if (!cs_stmt_step(&s, &row, err))
			return false;
		if (!row)
			break;
		if (!leaf_read(&s, t, list)) {
			cs_stmt_end(&s);
			return cs_error_set(err, CS_E_NO_MEMORY,
					    "search terms");
		}
		leaves++;
	}
	cs_stmt_end(&s);
	/* The last leaves are acts of administration, or none. */
	if (!row && leaves < PIECE)
		t->done = l->edge.size;
	if (list->n > 1)
		qsort(list->items, list->n, sizeof(list->items[0]), compare);
	t->merging = t->pieces_n == RUN_PIECES || t->done >= l->edge.size ||
		     t->arena.used >= RUN_BYTES;
	return true;
}

/* Nothing is read, nothing filed: the next run. */
static void run_begin(struct cs_ledger *l, struct cs_ledger_terms *t)
{
	cs_arena_reset(&t->arena);
	t->pieces_n = 0;
	t->merging = false;
	t->done = l->terms_done;
}

/* The piece with the smallest term that is not filed; NULL: none is left. */
static struct piece *smallest(struct cs_ledger_terms *t)
{
	struct piece *first = NULL;

	for (size_t i = 0; i < t->pieces_n; i++) {
		struct piece *p = &t->pieces[i];

		if (p->at < p->n &&
		    (first == NULL ||
		     compare(&p->items[p->at], &first->items[first->at]) < 0))
			first = p;
	}
	return first;
}

/* Are there 256 leaves more whose root is not filed? */
static bool subtree_due(const struct cs_ledger *l)
{
	return (l->subtrees + 1) * CS_SUBTREE <= l->edge.size;
}

bool cs_ledger_terms_due(const struct cs_ledger *l)
{
	return l->terms_done < l->edge.size || subtree_due(l);
}

/* The next subtree's root, inside the transaction. */
static bool subtree_write(struct cs_ledger *l, struct cs_error *err)
{
	uint8_t root[CS_TREE_HASH];
	struct cs_stmt s;

	if (!cs_subtree_of_leaves(l->db, l->hash, l->subtrees * CS_SUBTREE,
				  (l->subtrees + 1) * CS_SUBTREE, root, err))
		return false;
	s = cs_stmt(l->db, CS_SQL_SUBTREE_INSERT);
	cs_stmt_int(&s, (int64_t)l->subtrees);
	cs_stmt_blob(&s, cs_span_make(root, sizeof(root)));
	return cs_stmt_run(&s, err);
}

/* One slice of terms; the last one moves the watermark. */
static bool slice_write(struct cs_ledger *l, struct cs_ledger_terms *t,
			bool *ret_last, struct cs_error *err)
{
	struct piece *p = NULL;
	struct cs_stmt s;

	for (size_t i = 0; i < SLICE; i++) {
		const struct item *item;

		p = smallest(t);
		if (p == NULL)
			break;
		item = &p->items[p->at++];
		s = cs_stmt(l->db, CS_SQL_TERM_INSERT);
		cs_stmt_int(&s, item->field);
		cs_stmt_blob(&s, item->value);
		cs_stmt_int(&s, item->leaf);
		if (!cs_stmt_run(&s, err))
			return false;
	}
	*ret_last = p == NULL;
	if (*ret_last) {
		s = cs_stmt(l->db, CS_SQL_META_TERMS);
		cs_stmt_int(&s, (int64_t)t->done);
		if (!cs_stmt_run(&s, err))
			return false;
	}
	return true;
}

/* A slice of the run, if there is one, and a subtree, in one transaction. */
static bool write(struct cs_ledger *l, struct cs_ledger_terms *t,
		  struct cs_error *err)
{
	bool with_subtree = subtree_due(l);
	bool last = false;

	if (!cs_db_begin(l->db, err) ||
	    (t->merging && !slice_write(l, t, &last, err)) ||
	    (with_subtree && !subtree_write(l, err)) ||
	    !cs_db_commit(l->db, err)) {
		cs_db_rollback(l->db);
		t->pieces_n = 0;
		t->merging = false;
		return false;
	}
	l->subtrees += with_subtree;
	if (last) {
		l->terms_done = t->done;
		t->pieces_n = 0;
		t->merging = false;
	}
	return true;
}

void cs_ledger_terms_slice(void *ctx)
{
	struct cs_ledger *l = ctx;
	struct cs_ledger_terms *t = l->terms_run;
	struct cs_error err = {0};

	if (l->over || l->split || l->full || !cs_ledger_terms_due(l))
		return;
	/* Decisions go first, unless filing has fallen far behind. */
	if (l->first != NULL &&
	    l->edge.size - l->terms_done <= CS_LEDGER_TERMS_LAG)
		return;
	if (l->terms_done < l->edge.size && !t->merging) {
		if (t->pieces_n == 0)
			run_begin(l, t);
		if (!piece_read(l, t, &err)) {
			cs_ledger_fail(l, &err);
			return;
		}
	}
	if ((t->merging || l->terms_done >= l->edge.size) &&
	    !write(l, t, &err)) {
		if (err.code == CS_E_DB_FULL)
			cs_ledger_is_full(l);
		else
			cs_ledger_fail(l, &err);
		return;
	}
	if (cs_ledger_terms_due(l) && l->first == NULL)
		cs_idle_request(l->terms);
}
