#include "store/recorded.h"

#include "base/limits.h"

/* When and under what it was judged, and what it came to. */
static bool load_judged(struct cs_db *db, struct cs_arena *arena,
			struct cs_recorded *r, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_RECORDED_JUDGED);
	bool row = false;
	bool ok = true;

	cs_stmt_int(&s, r->stored.n);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row) {
		r->now_ms = cs_stmt_col_int(&s, 0);
		r->epoch = (uint64_t)cs_stmt_col_int(&s, 1);
		r->has_leaf = !cs_stmt_is_null(&s, 2);
		r->leaf = cs_stmt_col_int(&s, 2);
		ok = cs_arena_dup(arena, cs_stmt_col(&s, 3), &r->serial);
	}
	cs_stmt_end(&s);
	if (!ok)
		return cs_error_set(err, CS_E_NO_MEMORY, "a request");
	return row || cs_error_set(err, CS_E_DB_CORRUPT,
				   "a request went while it was read");
}

bool cs_recorded_load(struct cs_db *db, struct cs_span id,
		      struct cs_arena *arena, struct cs_buf *request,
		      struct cs_recorded *ret_recorded, bool *ret_found,
		      struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf approval;
	struct cs_recorded r = {0};
	struct cs_msg_request m;
	bool found = false;

	cs_buf_init(&approval, CS_MAX_SCALARS);
	if (!cs_stored_by_id(db, id, arena, &r.stored, &found, err))
		return false;
	if (found) {
		if (!load_judged(db, arena, &r, err) ||
		    !cs_stored_client_name(db, r.stored.approval.client, arena,
					   &r.approver, err) ||
		    !cs_stored_request(&r.stored, r.approver, &approval, &m,
				       err))
			return false;
		cs_msg_request_encode(&m, request);
		if (!cs_buf_finish(request, "the request", err))
			return false;
		*ret_recorded = r;
	}
	*ret_found = found;
	return true;
}
