#include "base/codec.h"
#include "base/limits.h"
#include "base/time.h"
#include "store/answer_row.h"
#include "store/query_internal.h"
#include "store/stored.h"

/*
 * Refuse what was purged: *ret_gone says so. What is left of it are its leaf,
 * and numbers and digests in its rows.
 */
static bool check_purged(struct cs_questions *q, int64_t leaf, bool *ret_gone,
			 struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_PURGED_BY);
	char at[CS_TIME_TEXT];
	int64_t act = 0;

	cs_stmt_int(&s, leaf);
	if (!cs_stmt_step(&s, ret_gone, err))
		return false;
	if (*ret_gone) {
		act = cs_stmt_col_int(&s, 0);
		cs_time_rfc3339(cs_stmt_col_int(&s, 1) / 1000, at);
		cs_query_refuse(q, "PURGED",
				"What entry %lld of the log decided was purged "
				"on %.10s, by entry %lld.",
				(long long)leaf, at, (long long)act);
	}
	cs_stmt_end(&s);
	return true;
}

static bool no_request(struct cs_questions *q)
{
	return cs_query_refuse(q, "NOT_FOUND", "There is no such request.");
}

/*
 * The id of the question. Empty when the question is refused: the id is
 * malformed, or its request is not there or not the asking client's, or
 * purged.
 */
static bool find_id(struct cs_questions *q, struct cs_span *ret_id,
		    struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_REQUEST_CLIENT);
	struct cs_span id;
	int64_t leaf = -1;
	bool row = false, gone = false;
	bool may;

	*ret_id = cs_span_make(NULL, 0);
	if (!cs_query_hex(q, "id", 16, &id) || id.n != 16)
		return no_request(q);
	cs_stmt_blob(&s, id);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	may = row && cs_query_may_see(q, (uint64_t)cs_stmt_col_int(&s, 0),
				      cs_stmt_col(&s, 1));
	if (may && !cs_stmt_is_null(&s, 2))
		leaf = cs_stmt_col_int(&s, 2);
	cs_stmt_end(&s);
	if (!may)
		return no_request(q);
	if (leaf >= 0 && !check_purged(q, leaf, &gone, err))
		return false;
	if (!gone)
		*ret_id = id;
	return true;
}

/* The answer of a request as its rows give it; not found is a value. */
static bool load_answer(struct cs_questions *q, struct cs_span id,
			struct cs_msg_answer *ret_answer, bool *ret_found,
			struct cs_error *err)
{
	struct cs_answer_row row;

	if (!cs_answer_row_load(q->db, id, &q->arena, &row, ret_found, err))
		return false;
	return !*ret_found ||
	       cs_answer_row_make(&row, &q->item, ret_answer, err);
}

bool cs_query_request(struct cs_questions *q, struct cs_error *err)
{
	struct cs_msg_answer answer;
	struct cs_span id;
	bool found = false;

	if (!find_id(q, &id, err))
		return false;
	if (id.n == 0)
		return true;
	if (!load_answer(q, id, &answer, &found, err))
		return false;
	if (!found)
		return no_request(q);
	cs_msg_answer_encode(&answer, q->body);
	return true;
}

bool cs_query_stored(struct cs_questions *q, struct cs_error *err)
{
	struct cs_msg_request m;
	struct cs_stored stored;
	struct cs_span approver;
	struct cs_span id;
	bool found = false;

	if (!find_id(q, &id, err))
		return false;
	if (id.n == 0)
		return true;
	if (!cs_stored_by_id(q->db, id, &q->arena, &stored, &found, err))
		return false;
	if (!found)
		return no_request(q);
	if (!cs_stored_client_name(q->db, stored.approval.client, &q->arena,
				   &approver, err) ||
	    !cs_stored_request(&stored, approver, &q->item, &m, err))
		return false;
	cs_msg_request_encode(&m, q->body);
	return true;
}

/* "certificate": the leaf, then the chain above it. */
static bool put_chain(struct cs_json *j, const struct cs_msg_answer *a,
		      struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf pem;

	cs_buf_init(&pem, CS_MAX_MESSAGE);
	cs_codec_pem("CERTIFICATE", a->certificate, &pem);
	cs_buf_add(&pem, a->chain);
	cs_json_member_span(j, "certificate", cs_buf_span(&pem));
	return cs_buf_finish(&pem, "certificate", err);
}

/* A certificate's JSON, from its answer and the row of QUERY_SERIAL. */
static bool write_certificate(struct cs_questions *q, struct cs_stmt *s,
			      const struct cs_msg_answer *a,
			      struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, q->body);
	cs_json_object(&j);
	cs_json_member_span(&j, "ca", a->ca);
	if (!put_chain(&j, a, err))
		return false;
	cs_json_member_int(&j, "generation", cs_stmt_col_int(s, 3));
	cs_json_member_hex(&j, "id", cs_span_make(a->id, sizeof(a->id)));
	cs_json_name(&j, "issued");
	cs_json_time_ms(&j, a->decided_ms);
	cs_json_member_span(&j, "issuer", cs_stmt_col(s, 2));
	cs_json_name(&j, "log");
	cs_json_object(&j);
	cs_json_member_int(&j, "index", (int64_t)a->index);
	cs_json_member_hex(&j, "leaf_hash",
			   cs_span_make(a->leaf_hash, sizeof(a->leaf_hash)));
	cs_json_member_int(&j, "tree_size", (int64_t)a->tree_size);
	cs_json_end(&j);
	cs_query_put_names(&j, cs_stmt_col(s, 5));
	cs_json_name(&j, "not_after");
	cs_json_time_ms(&j, cs_stmt_col_int(s, 4) * 1000);
	cs_query_put_revoked(&j, s, 6);
	cs_json_member_hex(&j, "serial", a->serial);
	cs_json_end(&j);
	return cs_json_finish(&j, "certificate", err);
}

/* The certificate of the row in hand. */
static bool found_certificate(struct cs_questions *q, struct cs_stmt *s,
			      struct cs_error *err)
{
	struct cs_msg_answer answer;
	struct cs_span id;
	bool found = false;

	if (!cs_arena_dup(&q->arena, cs_stmt_col(s, 0), &id))
		return cs_error_set(err, CS_E_NO_MEMORY, "certificate");
	if (!load_answer(q, id, &answer, &found, err))
		return false;
	if (!found)
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "the request of a certificate is missing");
	return write_certificate(q, s, &answer, err);
}

bool cs_query_certificate(struct cs_questions *q, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_SERIAL);
	struct cs_span serial;
	bool row = false, gone = false;
	bool ok;

	if (!cs_query_hex(q, "serial", CS_MAX_SERIAL, &serial))
		return cs_query_refuse(q, "NOT_FOUND",
				       "There is no such certificate.");
	cs_stmt_blob(&s, serial);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (!row || !cs_query_may_see(q, (uint64_t)cs_stmt_col_int(&s, 1),
				      cs_stmt_col(&s, 2)))
		ok = cs_query_refuse(q, "NOT_FOUND",
				     "There is no such certificate.");
	else
		ok = check_purged(q, cs_stmt_col_int(&s, 9), &gone, err) &&
		     (gone || found_certificate(q, &s, err));
	cs_stmt_end(&s);
	return ok;
}
