#include <stdlib.h>

#include "base/terms.h"
#include "store/ledger_room.h"

/* One term of one leaf. */
struct item {
	struct cs_span value;
	int64_t leaf;
	uint8_t field;
};

struct items {
	struct item *items; /* arena */
	size_t n, cap;
	uint64_t done; /* leaves below are filed with this slice */
};

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
static bool add(struct cs_arena *arena, struct items *list, struct item item)
{
	if (list->n == list->cap) {
		size_t cap = list->cap == 0 ? 512 : list->cap * 2;
		struct item *more =
			cs_arena_new_array(arena, cap, sizeof(*more));

		if (more == NULL)
			return false;
		for (size_t i = 0; i < list->n; i++)
			more[i] = list->items[i];
		list->items = more;
		list->cap = cap;
	}
	list->items[list->n++] = item;
	return true;
}

/* The terms of one leaf. */
static bool leaf_read(struct cs_stmt *s, struct cs_arena *arena,
		      struct items *list)
{
	int64_t leaf = cs_stmt_col_int(s, 0);
	struct cs_span blob;
	struct item item = {.leaf = leaf};

	if (!cs_arena_dup(arena, cs_stmt_col(s, 1), &blob))
		return false;
	while (cs_terms_next(&blob, &item.field, &item.value, NULL))
		if (!add(arena, list, item))
			return false;
	list->done = (uint64_t)leaf + 1;
	return true;
}

/* The next slice of leaves. */
static bool slice_read(struct cs_ledger *l, struct items *list,
		       struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_TERMS_OF_LEAVES);
	bool row = true;

	cs_stmt_int(&s, (int64_t)l->terms_done);
	cs_stmt_int(&s, CS_LEDGER_TERMS_SLICE);
	while (row) {
		if (!cs_stmt_step(&s, &row, err))
			return false;
		if (row && !leaf_read(&s, &l->batch.arena, list)) {
			cs_stmt_end(&s);
			return cs_error_set(err, CS_E_NO_MEMORY,
					    "search terms");
		}
	}
	cs_stmt_end(&s);
	return true;
}

/* The slice and the new watermark, in one transaction. */
static bool slice_write(struct cs_ledger *l, const struct items *list,
			struct cs_error *err)
{
	struct cs_stmt s;

	for (size_t i = 0; i < list->n; i++) {
		s = cs_stmt(l->db, CS_SQL_TERM_INSERT);
		cs_stmt_int(&s, list->items[i].field);
		cs_stmt_blob(&s, list->items[i].value);
		cs_stmt_int(&s, list->items[i].leaf);
		if (!cs_stmt_run(&s, err))
			return false;
	}
	s = cs_stmt(l->db, CS_SQL_META_TERMS);
	cs_stmt_int(&s, (int64_t)list->done);
	return cs_stmt_run(&s, err) && cs_db_commit(l->db, err);
}

void cs_ledger_terms_slice(void *ctx)
{
	struct cs_ledger *l = ctx;
	struct items list = {.done = l->terms_done};
	struct cs_error err = {0};

	if (l->over || l->split || l->full || l->terms_done >= l->edge.size)
		return;
	/* Decisions go first, unless filing has fallen far behind. */
	if (l->first != NULL &&
	    l->edge.size - l->terms_done <= CS_LEDGER_TERMS_LAG)
		return;
	cs_arena_reset(&l->batch.arena);
	if (!slice_read(l, &list, &err)) {
		cs_ledger_fail(l, &err);
		return;
	}
	if (list.n > 1)
		qsort(list.items, list.n, sizeof(list.items[0]), compare);
	if (cs_db_begin(l->db, &err) && slice_write(l, &list, &err)) {
		l->terms_done = list.done;
		if (l->terms_done < l->edge.size && l->first == NULL)
			cs_idle_request(l->terms);
		return;
	}
	cs_db_rollback(l->db);
	if (err.code == CS_E_DB_FULL)
		l->full = true;
	else
		cs_ledger_fail(l, &err);
}
