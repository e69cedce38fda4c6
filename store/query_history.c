/*
 * HISTORY: what was judged, with everything that it was judged by, so that
 * it can be judged once more.
 */
#include "base/codec.h"
#include "base/limits.h"
#include "store/leaf.h"
#include "store/query_internal.h"

/* Columns of QUERY_HISTORY. */
enum {
	H_KIND,
	H_ID,
	H_CLIENT,
	H_CLIENT_NAME,
	H_ISSUER,
	H_REALM,
	H_SOURCE,
	H_SCALARS,
	H_CSR,
	H_NOW,
	H_EPOCH,
	H_BODY,
	H_TERMS,
	H_TBS,
	H_CA,
	H_AT
};

/* Octets as Base64; not there when there are none. */
static bool put_octets(struct cs_json *j, const char *name,
		       struct cs_span octets, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_MESSAGE);
	if (octets.n == 0)
		return true;
	cs_codec_base64(octets, &text);
	cs_json_member_span(j, name, cs_buf_span(&text));
	return cs_buf_finish(&text, "history", err);
}

/* JSON as it is stored; not there when there is none. */
static void put_json(struct cs_json *j, const char *name, struct cs_span text)
{
	if (text.n == 0)
		return;
	cs_json_name(j, name);
	cs_json_raw(j, text);
}

/* The row in hand as an item, in q->item. */
static bool write_item(struct cs_questions *q, struct cs_stmt *s,
		       uint64_t index, struct cs_error *err)
{
	const char *kind = cs_leaf_kind_name(
		(enum cs_leaf_kind)cs_stmt_col_int(s, H_KIND));
	struct cs_json j;

	cs_buf_reset(&q->item);
	cs_json_begin(&j, &q->item);
	cs_json_object(&j);
	put_json(&j, "body", cs_stmt_col(s, H_BODY));
	if (!cs_stmt_is_null(s, H_CA))
		cs_json_member_hex(&j, "ca_sha256", cs_stmt_col(s, H_CA));
	cs_query_put_text(&j, "client", cs_stmt_col(s, H_CLIENT_NAME));
	if (!put_octets(&j, "csr", cs_stmt_col(s, H_CSR), err))
		return false;
	cs_json_member_int(&j, "epoch", cs_stmt_col_int(s, H_EPOCH));
	cs_json_member_hex(&j, "id", cs_stmt_col(s, H_ID));
	cs_json_member_int(&j, "index", (int64_t)index);
	cs_query_put_text(&j, "issuer", cs_stmt_col(s, H_ISSUER));
	cs_json_name(&j, "judged");
	cs_json_time_ms(&j, cs_stmt_is_null(s, H_NOW)
				    ? cs_stmt_col_int(s, H_AT)
				    : cs_stmt_col_int(s, H_NOW));
	cs_json_member_str(&j, "kind", kind == NULL ? "" : kind);
	if (!cs_stmt_is_null(s, H_TERMS))
		cs_query_put_names(&j, cs_stmt_col(s, H_TERMS));
	cs_query_put_text(&j, "realm", cs_stmt_col(s, H_REALM));
	put_json(&j, "scalars", cs_stmt_col(s, H_SCALARS));
	cs_query_put_text(&j, "source", cs_stmt_col(s, H_SOURCE));
	if (!put_octets(&j, "tbs", cs_stmt_col(s, H_TBS), err))
		return false;
	cs_json_end(&j);
	return cs_json_finish(&j, "history", err);
}

/* Does the row in hand match everything that is asked? */
static bool matches(const struct cs_questions *q, const struct cs_query_list *l,
		    struct cs_stmt *s)
{
	return cs_query_wants(l, cs_stmt_col_int(s, H_KIND),
			      cs_stmt_col_int(s, H_AT)) &&
	       cs_query_may_see(q, (uint64_t)cs_stmt_col_int(s, H_CLIENT),
				cs_stmt_col(s, H_ISSUER)) &&
	       cs_query_matches(l, cs_stmt_col(s, H_TERMS));
}

bool cs_query_history_consider(struct cs_questions *q,
			       const struct cs_query_list *l,
			       struct cs_query_page *p, uint64_t index,
			       bool *ret_go, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_HISTORY);
	bool row = false;
	bool match;
	bool ok = true;

	cs_stmt_int(&s, (int64_t)index);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	match = row && matches(q, l, &s);
	if (match)
		ok = write_item(q, &s, index, err);
	cs_stmt_end(&s);
	if (ok && match)
		*ret_go = cs_query_page_add(q, p, index);
	return ok;
}
