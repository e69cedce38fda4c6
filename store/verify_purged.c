/*
 * Leaves whose content was purged (store/purge.h): is everything gone that
 * goes, and is the rest as the act that removed it found it?
 */
#include <inttypes.h>

#include "base/codec.h"
#include "store/purge.h"
#include "store/rows.h"
#include "store/verify_internal.h"

/* Octets of content that its rows still have. */
static bool content_of(struct cs_verify *v, uint64_t index, int64_t *ret,
		       struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_PURGED_CONTENT);
	bool row = false;

	cs_stmt_int(&s, (int64_t)index);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	*ret = row ? cs_stmt_col_int(&s, 0) : 0;
	cs_stmt_end(&s);
	return true;
}

bool cs_verify_purged(struct cs_verify *v, const struct cs_verify_row *leaf,
		      struct cs_error *err)
{
	uint8_t kept[CS_SHA256_SIZE];
	int64_t content = 0;

	v->report->purged++;
	cs_buf_reset(&v->rows);
	if (!content_of(v, leaf->index, &content, err) ||
	    !cs_rows_kept(v->db, v->hash, leaf->index, &v->rows, err) ||
	    !cs_hash_sha256(v->hash, cs_buf_span(&v->rows), kept, err))
		return false;
	if (content != 0)
		cs_verify_find(v, leaf->index, "leaf", (int64_t)leaf->index,
			       "entry %" PRId64 " purged it, but %" PRId64
			       " octets of it are there",
			       leaf->act, content);
	if (!cs_span_equal(leaf->kept, cs_span_make(kept, sizeof(kept))))
		cs_verify_find(v, leaf->index, "purged", (int64_t)leaf->index,
			       "what is left of it is not what entry %" PRId64
			       " left",
			       leaf->act);
	return true;
}

/* "INDEX HEX\n" */
static void put_line(struct cs_buf *out, int64_t index, struct cs_span digest)
{
	cs_buf_addf(out, "%" PRId64 " ", index);
	cs_codec_hex(digest, out);
	cs_buf_add_byte(out, '\n');
}

/* Is the member the SHA-256 of the list? */
static bool same_digest(struct cs_verify *v, const json_t *decision,
			const char *name, const struct cs_buf *list)
{
	const json_t *value = json_object_get(decision, name);
	struct cs_span text = cs_span_make(json_string_value(value),
					   json_string_length(value));
	uint8_t want[CS_SHA256_SIZE];
	uint8_t is[CS_SHA256_SIZE];

	return cs_codec_hex_fixed(text, want, sizeof(want)) &&
	       cs_hash_sha256(v->hash, cs_buf_span(list), is, NULL) &&
	       cs_span_equal(cs_span_make(want, sizeof(want)),
			     cs_span_make(is, sizeof(is)));
}

/* The two lists of an act, and how many leaves they have. */
static bool read_lists(struct cs_verify *v, uint64_t act,
		       struct cs_buf *removed, struct cs_buf *kept,
		       json_int_t *ret_n, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_PURGED_OF_ACT);
	bool row = false;
	bool ok;

	*ret_n = 0;
	cs_stmt_int(&s, (int64_t)act);
	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		put_line(removed, cs_stmt_col_int(&s, 0), cs_stmt_col(&s, 2));
		put_line(kept, cs_stmt_col_int(&s, 0), cs_stmt_col(&s, 1));
		++*ret_n;
	}
	cs_stmt_end(&s);
	return ok;
}

/* Did the act keep to the time and the retention that it names? */
static bool check_time(struct cs_verify *v, const struct cs_verify_row *leaf,
		       const json_t *decision, struct cs_error *err)
{
	int64_t before =
		json_integer_value(json_object_get(decision, "before_ms"));
	int64_t retention =
		json_integer_value(json_object_get(decision, "retention_s"));
	struct cs_stmt s = cs_stmt(v->db, CS_SQL_VERIFY_PURGED_EARLY);
	bool row = false;
	bool ok;

	if (before > leaf->at_ms - retention * 1000)
		cs_verify_find(v, leaf->index, "purged", (int64_t)leaf->index,
			       "the act did not keep to its retention");
	cs_stmt_int(&s, (int64_t)leaf->index);
	cs_stmt_int(&s, before);
	while ((ok = cs_stmt_step(&s, &row, err)) && row)
		cs_verify_find(v, (uint64_t)cs_stmt_col_int(&s, 0), "purged",
			       cs_stmt_col_int(&s, 0),
			       "entry %" PRIu64 " purged it before its time",
			       leaf->index);
	cs_stmt_end(&s);
	return ok;
}

bool cs_verify_purge(struct cs_verify *v, const struct cs_verify_row *leaf,
		     const json_t *decision, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf removed;
	CS_CLEANUP(cs_buf_done) struct cs_buf kept;
	json_int_t n = 0;

	cs_buf_init(&removed, CS_PURGE_LIST_MAX);
	cs_buf_init(&kept, CS_PURGE_LIST_MAX);
	if (!read_lists(v, leaf->index, &removed, &kept, &n, err))
		return false;
	if (n != json_integer_value(json_object_get(decision, "leaves")) ||
	    !same_digest(v, decision, "removed", &removed) ||
	    !same_digest(v, decision, "kept", &kept))
		cs_verify_find(v, leaf->index, "purged", (int64_t)leaf->index,
			       "the rows are not those that the act names");
	return check_time(v, leaf, decision, err);
}
