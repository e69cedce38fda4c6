#include "store/purge.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/failpoint.h"
#include "base/json.h"
#include "base/limit.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/terms.h"
#include "store/leaf.h"
#include "store/roster.h"
#include "store/rows.h"

/* Copies of a slice's terms and limits; it ends there at the latest. */
#define SLICE_BYTES (16 * 1024 * 1024)
/* The digests' lists: an index and a digest in hexadecimal on each line. */
#define LINE_BYTES 88

/* One leaf that is to be purged. Spans are in the slice's arena. */
struct item {
	uint64_t index;
	enum cs_leaf_kind kind;
	uint8_t hash[CS_TREE_HASH];
	struct cs_span terms, limits;
	int64_t now_ms, seq; /* of its attempt */
	uint64_t octets;
};

/* A purge under way. */
struct purge {
	const struct cs_purge_config *config;
	struct cs_purge_report *report;
	struct cs_db *db;     /* borrowed */
	struct cs_hash *hash; /* owned */
	struct cs_arena arena;
	struct item *items; /* of the slice, `cap` of them */
	size_t n, cap;
	uint64_t after; /* leaves up to here were looked at; +1 */
	bool more;	/* there may be others behind them */
	int64_t now_ms;

	/* meta, when the slice begins. */
	struct cs_tree_edge edge;
	uint64_t terms_done;
	int64_t clock_ms, epoch, seq;

	struct cs_buf removed, kept; /* the lists whose digests the act has */
	struct cs_buf text;	     /* rows, an entry, a note */
	struct cs_purge_report slice;
};

/* -- what is to be purged ------------------------------------------------ */

/* Does a limit count the attempt still? */
static bool still_counts(const struct item *it, int64_t now_ms)
{
	struct cs_span list = it->limits;
	struct cs_limit limit;
	bool bad = false;

	while (cs_limit_next(&list, &limit, &bad))
		if (cs_limit_counts(&limit) &&
		    it->now_ms + (int64_t)limit.window_s * 1000 >= now_ms)
			return true;
	return false;
}

/* Count one that is purged, or would be. */
static void count(struct cs_purge_report *r, const struct item *it)
{
	r->octets += it->octets;
	if (it->kind == CS_LEAF_ISSUED)
		r->certificates++;
	else if (cs_leaf_kind_is_decision(it->kind))
		r->refusals++;
	else if (it->kind == CS_LEAF_ATTEMPT_ABANDONED ||
		 it->kind == CS_LEAF_REVOKED)
		r->others++;
	else
		r->acts++;
}

/* The row of PURGE_NEXT in hand. */
static bool read_item(struct purge *p, struct cs_stmt *s, struct item *it)
{
	*it = (struct item){
		.index = (uint64_t)cs_stmt_col_int(s, 0),
		.kind = (enum cs_leaf_kind)cs_stmt_col_int(s, 1),
		.now_ms = cs_stmt_col_int(s, 5),
		.seq = cs_stmt_col_int(s, 6),
		.octets = (uint64_t)cs_stmt_col_int(s, 7),
	};
	return cs_stmt_col_fixed(s, 2, it->hash, sizeof(it->hash)) &&
	       cs_arena_dup(&p->arena, cs_stmt_col(s, 3), &it->terms) &&
	       cs_arena_dup(&p->arena, cs_stmt_col(s, 4), &it->limits);
}

/* The next leaves that have ended, as many as a slice has. */
static bool gather(struct purge *p, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(p->db, CS_SQL_PURGE_NEXT);
	bool row = false;
	bool ok = true;

	p->n = 0;
	cs_arena_reset(&p->arena);
	cs_stmt_int(&s, (int64_t)p->after - 1);
	cs_stmt_int(&s, (int64_t)p->terms_done);
	cs_stmt_int(&s, p->config->before_ms);
	while (p->n < p->cap && p->arena.used < SLICE_BYTES &&
	       (ok = cs_stmt_step(&s, &row, err)) && row) {
		struct item *it = &p->items[p->n];

		if (!read_item(p, &s, it)) {
			cs_stmt_end(&s);
			return cs_error_set(err, CS_E_NO_MEMORY, "a slice");
		}
		p->after = it->index + 1;
		if (still_counts(it, p->now_ms))
			p->report->counted++;
		else
			p->n++;
	}
	cs_stmt_end(&s);
	p->more = row;
	return ok;
}

/* meta, as it is now. */
static bool read_meta(struct purge *p, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(p->db, CS_SQL_META_GET);
	bool row = false;
	bool ok;

	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (!row)
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "meta: its row is missing");
	p->epoch = cs_stmt_col_int(&s, 2);
	p->seq = cs_stmt_col_int(&s, 3);
	ok = cs_tree_edge_read((uint64_t)cs_stmt_col_int(&s, 4),
			       cs_stmt_col(&s, 5), &p->edge, err);
	p->terms_done = (uint64_t)cs_stmt_col_int(&s, 6);
	p->clock_ms = cs_stmt_col_int(&s, 7);
	cs_stmt_end(&s);
	p->now_ms = cs_clock_wall_ms(&p->config->clock);
	if (ok && p->now_ms < p->clock_ms)
		return cs_error_set(err, CS_E_CLOCK,
				    "the clock is %" PRId64 " s behind the "
				    "last entry of the log",
				    (p->clock_ms - p->now_ms) / 1000);
	return ok;
}

/* -- one leaf ------------------------------------------------------------ */

/* What was filed of it, to be found by. */
static bool drop_terms(struct purge *p, const struct item *it,
		       struct cs_error *err)
{
	struct cs_span terms = it->terms;
	struct cs_span value;
	uint8_t field;

	while (cs_terms_next(&terms, &field, &value, NULL)) {
		struct cs_stmt s = cs_stmt(p->db, CS_SQL_PURGE_TERM);

		cs_stmt_int(&s, field);
		cs_stmt_blob(&s, value);
		cs_stmt_int(&s, (int64_t)it->index);
		if (!cs_stmt_run(&s, err))
			return false;
	}
	return true;
}

/* What no limit counts any more. */
static bool drop_limits(struct purge *p, const struct item *it,
			struct cs_error *err)
{
	struct cs_span list = it->limits;
	struct cs_limit limit;
	bool bad = false;

	while (cs_limit_next(&list, &limit, &bad)) {
		struct cs_stmt s = cs_stmt(p->db, CS_SQL_PURGE_LIMIT_USE);

		cs_stmt_str(&s, limit.rule);
		cs_stmt_blob(&s, limit.key);
		cs_stmt_int(&s, it->now_ms);
		cs_stmt_int(&s, it->seq);
		if (!cs_stmt_run(&s, err))
			return false;
	}
	return true;
}

/* Empty its rows. An approval before the request whose leaf leads to it. */
static bool empty_rows(struct purge *p, const struct item *it,
		       struct cs_error *err)
{
	static const enum cs_sql sql[] = {
		CS_SQL_PURGE_APPROVAL, CS_SQL_PURGE_REQUEST,
		CS_SQL_PURGE_ATTEMPT,  CS_SQL_PURGE_OUTCOME,
		CS_SQL_PURGE_REFUSAL,  CS_SQL_PURGE_REVOCATION,
		CS_SQL_PURGE_LEAF,
	};

	for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		struct cs_stmt s = cs_stmt(p->db, sql[i]);

		cs_stmt_int(&s, (int64_t)it->index);
		if (!cs_stmt_run(&s, err))
			return false;
	}
	return true;
}

/* "INDEX HEX\n" */
static void put_line(struct cs_buf *out, uint64_t index,
		     const uint8_t digest[CS_SHA256_SIZE])
{
	cs_buf_addf(out, "%" PRIu64 " ", index);
	for (size_t i = 0; i < CS_SHA256_SIZE; i++)
		cs_buf_addf(out, "%02x", digest[i]);
	cs_buf_add_byte(out, '\n');
}

/* Note what stays of a leaf, then remove the rest. */
static bool purge_leaf(struct purge *p, const struct item *it,
		       struct cs_error *err)
{
	uint8_t kept[CS_SHA256_SIZE];
	struct cs_stmt s;

	cs_buf_reset(&p->text);
	if (!cs_rows_kept(p->db, p->hash, it->index, &p->text, err) ||
	    !cs_hash_sha256(p->hash, cs_buf_span(&p->text), kept, err))
		return false;
	s = cs_stmt(p->db, CS_SQL_PURGED_INSERT);
	cs_stmt_int(&s, (int64_t)p->edge.size);
	cs_stmt_int(&s, (int64_t)it->index);
	cs_stmt_blob(&s, cs_span_make(kept, sizeof(kept)));
	if (!cs_stmt_run(&s, err) || !drop_terms(p, it, err) ||
	    !drop_limits(p, it, err) || !empty_rows(p, it, err))
		return false;
	put_line(&p->removed, it->index, it->hash);
	put_line(&p->kept, it->index, kept);
	count(&p->slice, it);
	return true;
}

/* -- the act ------------------------------------------------------------- */

/* A member: the digest of a list. */
static bool put_digest(struct purge *p, struct cs_json *j, const char *name,
		       const struct cs_buf *list, struct cs_error *err)
{
	uint8_t digest[CS_SHA256_SIZE];

	if (!cs_hash_sha256(p->hash, cs_buf_span(list), digest, err))
		return false;
	cs_json_member_hex(j, name, cs_span_make(digest, sizeof(digest)));
	return true;
}

/* What the act says of itself. */
static bool write_decision(struct purge *p, struct cs_buf *out,
			   struct cs_error *err)
{
	const struct cs_purge_report *r = &p->slice;
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_member_int(&j, "acts", (int64_t)r->acts);
	cs_json_member_int(&j, "before_ms", p->config->before_ms);
	cs_json_member_int(&j, "certificates", (int64_t)r->certificates);
	cs_json_member_int(&j, "first", (int64_t)p->items[0].index);
	if (!put_digest(p, &j, "kept", &p->kept, err))
		return false;
	cs_json_member_int(&j, "last", (int64_t)p->items[p->n - 1].index);
	cs_json_member_int(&j, "leaves", (int64_t)p->n);
	cs_json_member_int(&j, "octets", (int64_t)r->octets);
	cs_json_member_int(&j, "others", (int64_t)r->others);
	cs_json_member_int(&j, "refusals", (int64_t)r->refusals);
	if (!put_digest(p, &j, "removed", &p->removed, err))
		return false;
	cs_json_member_int(&j, "retention_s", p->config->retention_s);
	cs_json_end(&j);
	return cs_json_finish(&j, "the act", err);
}

/* The leaf's row. */
static bool insert_leaf(struct purge *p, struct cs_span entry,
			const uint8_t hash[CS_TREE_HASH], struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(p->db, CS_SQL_LEAF_INSERT);

	cs_stmt_int(&s, (int64_t)p->edge.size);
	cs_stmt_blob(&s, cs_span_make(hash, CS_TREE_HASH));
	cs_stmt_int(&s, CS_LEAF_PURGED);
	cs_stmt_int(&s, p->now_ms);
	cs_stmt_int(&s, (int64_t)p->edge.size + 1);
	cs_stmt_null(&s);
	cs_stmt_int(&s, CS_ANSWER_VERSION);
	cs_stmt_blob(&s, entry);
	return cs_stmt_run(&s, err);
}

/* Entry, row and place in the tree. */
static bool append_leaf(struct purge *p, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf decision;
	struct cs_leaf_record rec;
	uint8_t hash[CS_TREE_HASH];

	cs_buf_init(&decision, CS_MAX_LEAF);
	cs_leaf_record_init(&rec, CS_LEAF_PURGED, p->edge.size, p->now_ms);
	rec.client = CS_ROSTER_LOCAL;
	rec.client_name = CS_SPAN_LIT("_local");
	rec.credential = CS_ROSTER_LOCAL;
	rec.uid = p->config->uid;
	cs_buf_reset(&p->text);
	return write_decision(p, &decision, err) &&
	       cs_leaf_entry_write(p->hash, cs_buf_span(&decision), &rec,
				   &p->text, err) &&
	       cs_tree_leaf_hash(p->hash, cs_buf_span(&p->text), hash, err) &&
	       insert_leaf(p, cs_buf_span(&p->text), hash, err) &&
	       cs_tree_edge_append(p->hash, &p->edge, hash, err);
}

/* Its checkpoint, which stays in p->text, and meta. */
static bool close_slice(struct purge *p, struct cs_error *err)
{
	uint8_t root[CS_TREE_HASH];
	struct cs_stmt s;

	cs_buf_reset(&p->text);
	if (!cs_tree_edge_root(p->hash, &p->edge, root, err) ||
	    !cs_note_checkpoint_sign(p->config->signer, p->edge.size, root,
				     &p->text, err))
		return false;
	s = cs_stmt(p->db, CS_SQL_CHECKPOINT_INSERT);
	cs_stmt_int(&s, (int64_t)p->edge.size);
	cs_stmt_blob(&s, cs_buf_span(&p->text));
	if (!cs_stmt_run(&s, err))
		return false;
	s = cs_stmt(p->db, CS_SQL_META_BATCH);
	cs_stmt_int(&s, p->epoch);
	cs_stmt_int(&s, p->seq);
	cs_stmt_int(&s, (int64_t)p->edge.size);
	cs_stmt_blob(&s, cs_tree_edge_bytes(&p->edge));
	cs_stmt_int(&s, p->now_ms);
	return cs_stmt_run(&s, err);
}

/* -- slices -------------------------------------------------------------- */

/* Everything of one slice, between BEGIN and COMMIT. */
static bool fill_slice(struct purge *p, struct cs_error *err)
{
	p->slice = (struct cs_purge_report){0};
	cs_buf_reset(&p->removed);
	cs_buf_reset(&p->kept);
	if (!read_meta(p, err) || !gather(p, err))
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (!purge_leaf(p, &p->items[i], err))
			return false;
	if (cs_failpoint("purge.after_rows"))
		return cs_error_set(err, CS_E_DB, "failpoint");
	if (p->n == 0)
		return true;
	return append_leaf(p, err) && close_slice(p, err);
}

/* Add a slice that is durable to the report. */
static void add_slice(struct purge *p)
{
	struct cs_purge_report *r = p->report;

	r->certificates += p->slice.certificates;
	r->refusals += p->slice.refusals;
	r->others += p->slice.others;
	r->acts += p->slice.acts;
	r->octets += p->slice.octets;
	r->last_act = p->edge.size - 1;
	if (r->slices++ == 0)
		r->first_act = r->last_act;
}

/* One slice. The next begins behind it. */
static bool run_slice(struct purge *p, struct cs_error *err)
{
	const struct cs_purge_config *c = p->config;
	bool ok;

	(void)cs_failpoint("purge.before_begin");
	if (!cs_db_begin(p->db, err))
		return false;
	ok = fill_slice(p, err);
	if (ok)
		(void)cs_failpoint("purge.before_commit");
	if (!ok || p->n == 0) {
		cs_db_rollback(p->db);
		return ok;
	}
	if (!cs_db_commit(p->db, err))
		return false;
	(void)cs_failpoint("purge.after_commit");
	add_slice(p);
	if (c->note != NULL && !c->note(c->ctx, cs_buf_span(&p->text), err))
		return false;
	if (c->progress != NULL)
		c->progress(c->ctx,
			    p->report->certificates + p->report->refusals +
				    p->report->others + p->report->acts);
	return true;
}

/* Memory for one purge. */
static bool begin(struct purge *p, struct cs_error *err)
{
	p->cap = p->config->slice == 0 ? CS_PURGE_SLICE : p->config->slice;
	p->after = 0;
	cs_arena_init(&p->arena, 2 * SLICE_BYTES + p->cap * sizeof(*p->items));
	cs_buf_init(&p->removed, p->cap * LINE_BYTES);
	cs_buf_init(&p->kept, p->cap * LINE_BYTES);
	cs_buf_init(&p->text, CS_ROWS_MAX);
	p->hash = cs_hash_new(err);
	p->items = cs_mem_new_array(p->cap, sizeof(*p->items));
	if (p->hash != NULL && p->items == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "a purge");
	return p->hash != NULL;
}

static void end(struct purge *p)
{
	cs_mem_free(p->items);
	cs_hash_free(p->hash);
	cs_buf_done(&p->text);
	cs_buf_done(&p->kept);
	cs_buf_done(&p->removed);
	cs_arena_done(&p->arena);
}

bool cs_purge_count(const struct cs_purge_config *config,
		    struct cs_purge_report *ret_report, struct cs_error *err)
{
	struct purge p = {
		.config = config, .report = ret_report, .db = config->db};
	bool ok;

	*ret_report = (struct cs_purge_report){0};
	ok = begin(&p, err) && read_meta(&p, err);
	do {
		ok = ok && gather(&p, err);
		for (size_t i = 0; ok && i < p.n; i++)
			count(ret_report, &p.items[i]);
	} while (ok && p.more);
	end(&p);
	return ok;
}

bool cs_purge_run(const struct cs_purge_config *config,
		  struct cs_purge_report *ret_report, struct cs_error *err)
{
	struct purge p = {
		.config = config, .report = ret_report, .db = config->db};
	bool ok;

	*ret_report = (struct cs_purge_report){0};
	/* What is removed is overwritten, not only unlinked. */
	ok = begin(&p, err) &&
	     cs_db_exec(p.db, "PRAGMA secure_delete = ON", err);
	do
		ok = ok && run_slice(&p, err);
	while (ok && p.more);
	end(&p);
	return ok;
}
