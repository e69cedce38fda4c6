/*
 * The log for a verifier: inclusion proofs, the last checkpoint, and tiles
 * (C2SP tlog-tiles).
 */
#include <inttypes.h>

#include "base/limits.h"
#include "store/query_internal.h"
#include "store/subtree.h"

/* Hashes of one whole tile; the tree's levels that tiles can have. */
#define TILE	  256
#define MAX_LEVEL 5

/* The last checkpoint: *ret_size leaves; 0: there is none. */
static bool last_checkpoint(struct cs_questions *q, uint64_t *ret_size,
			    struct cs_span *ret_note, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_CHECKPOINT_LAST);
	bool row = false;
	bool ok = true;

	*ret_size = 0;
	*ret_note = cs_span_make(NULL, 0);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row) {
		*ret_size = (uint64_t)cs_stmt_col_int(&s, 0);
		ok = cs_arena_dup(&q->arena, cs_stmt_col(&s, 1), ret_note);
	}
	cs_stmt_end(&s);
	return ok || cs_error_set(err, CS_E_NO_MEMORY, "checkpoint");
}

bool cs_query_checkpoint(struct cs_questions *q, struct cs_error *err)
{
	struct cs_span note;
	uint64_t size;

	if (!last_checkpoint(q, &size, &note, err))
		return false;
	if (note.n == 0)
		return cs_query_refuse(q, "NOT_FOUND",
				       "There is no checkpoint yet.");
	cs_buf_add(q->body, note);
	return cs_buf_finish(q->body, "checkpoint", err);
}

/* A non-negative number parameter; false: it is none. */
static bool read_index(const struct cs_questions *q, const char *name,
		       uint64_t *ret)
{
	const json_t *v = json_object_get(q->params, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(v);
	return true;
}

/* -- proofs --------------------------------------------------------------- */

/* "proof": the roots of the ranges, lowest leaf first as RFC 6962 has it. */
static bool put_proof(struct cs_questions *q, struct cs_json *j, uint64_t index,
		      uint64_t size, struct cs_error *err)
{
	struct cs_tree_range ranges[CS_TREE_DEPTH];
	unsigned n = cs_tree_inclusion_ranges(index, size, ranges);
	uint8_t root[CS_TREE_HASH];

	cs_json_name(j, "proof");
	cs_json_array(j);
	for (unsigned i = 0; i < n; i++) {
		if (!cs_subtree_of_range(q->db, q->hash, &ranges[i], root, err))
			return false;
		cs_json_hex(j, cs_span_make(root, sizeof(root)));
	}
	cs_json_end(j);
	return true;
}

/* The hash of a leaf. *ret_found = false: there is none. */
static bool leaf_hash(struct cs_questions *q, uint64_t index,
		      uint8_t ret_hash[CS_TREE_HASH], bool *ret_found,
		      struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_SUBTREE_LEAVES);

	cs_stmt_int(&s, (int64_t)index);
	cs_stmt_int(&s, (int64_t)index + 1);
	if (!cs_stmt_step(&s, ret_found, err))
		return false;
	(void)cs_stmt_col_fixed(&s, 0, ret_hash, CS_TREE_HASH);
	cs_stmt_end(&s);
	return true;
}

bool cs_query_proof(struct cs_questions *q, struct cs_error *err)
{
	uint8_t hash[CS_TREE_HASH] = {0};
	struct cs_span note;
	struct cs_json j;
	uint64_t index = 0, size;
	bool found = false;

	if (!read_index(q, "index", &index) || index >= (uint64_t)1 << 53)
		return cs_query_refuse(q, "BAD_PARAMETER",
				       "index: want a number.");
	if (!last_checkpoint(q, &size, &note, err))
		return false;
	if (index < size && !leaf_hash(q, index, hash, &found, err))
		return false;
	if (!found)
		return cs_query_refuse(q, "NOT_FOUND",
				       "There is no such entry.");
	cs_json_begin(&j, q->body);
	cs_json_object(&j);
	cs_query_put_lines(&j, "checkpoint", note);
	cs_json_member_int(&j, "index", (int64_t)index);
	cs_json_member_hex(&j, "leaf_hash", cs_span_make(hash, sizeof(hash)));
	if (!put_proof(q, &j, index, size, err))
		return false;
	cs_json_member_int(&j, "tree_size", (int64_t)size);
	cs_json_end(&j);
	return cs_json_finish(&j, "proof", err);
}

/* -- tiles ---------------------------------------------------------------- */

/* What a tile is made of: [first, first + width) of things of `each` leaves. */
struct tile {
	uint64_t first, width, each;
};

/* Read the parameters; *ret_ok = false: refused. */
static bool read_tile(struct cs_questions *q, unsigned level, struct tile *t,
		      bool *ret_ok, struct cs_error *err)
{
	struct cs_span note;
	uint64_t n = 0, size;

	*t = (struct tile){.each = 1};
	*ret_ok = read_index(q, "n", &n) && read_index(q, "width", &t->width) &&
		  t->width >= 1 && t->width <= TILE && n < (uint64_t)1 << 40;
	if (!last_checkpoint(q, &size, &note, err))
		return false;
	for (unsigned i = 0; i < level; i++)
		t->each *= TILE;
	t->first = n * TILE;
	if (*ret_ok && t->first + t->width <= size / t->each)
		return true;
	*ret_ok = false;
	return cs_query_refuse(q, "NOT_FOUND", "There is no such tile.");
}

bool cs_query_tile(struct cs_questions *q, struct cs_error *err)
{
	uint64_t level = 0;
	struct tile t;
	bool ok = false;

	if (!read_index(q, "level", &level) || level > MAX_LEVEL)
		return cs_query_refuse(q, "NOT_FOUND",
				       "There is no such tile.");
	if (!read_tile(q, (unsigned)level, &t, &ok, err))
		return false;
	for (uint64_t i = t.first; ok && i < t.first + t.width; i++) {
		struct cs_tree_range range = {i * t.each, (i + 1) * t.each};
		uint8_t root[CS_TREE_HASH];

		if (!cs_subtree_of_range(q->db, q->hash, &range, root, err))
			return false;
		cs_buf_add(q->body, cs_span_make(root, sizeof(root)));
	}
	return !ok || cs_buf_finish(q->body, "tile", err);
}

bool cs_query_entries(struct cs_questions *q, struct cs_error *err)
{
	struct cs_stmt s;
	struct tile t;
	bool row = false;
	bool ok = false;

	if (!read_tile(q, 0, &t, &ok, err))
		return false;
	if (!ok)
		return true;
	s = cs_stmt(q->db, CS_SQL_QUERY_ENTRIES);
	cs_stmt_int(&s, (int64_t)t.first);
	cs_stmt_int(&s, (int64_t)(t.first + t.width));
	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		struct cs_span entry = cs_stmt_col(&s, 0);

		if (entry.n == 0) {
			cs_query_refuse(q, "PURGED",
					"Entries of it were purged; their "
					"hashes are in /tile/0.");
			break;
		}
		/* CS_MAX_LEAF is less than two octets can say. */
		cs_buf_add_byte(q->body, (uint8_t)(entry.n >> 8));
		cs_buf_add_byte(q->body, (uint8_t)entry.n);
		cs_buf_add(q->body, entry);
	}
	cs_stmt_end(&s);
	return ok &&
	       (!q->result->found || cs_buf_finish(q->body, "entries", err));
}
