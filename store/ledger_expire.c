#include "store/ledger_room.h"

/* Requests that expire in one transaction. */
#define SLICE 64

/* What it waited for in vain. */
static const char *why(const struct cs_stored *r)
{
	if (r->hold.n == 0)
		return "nobody approved it in time";
	if (cs_span_equal_str(r->hold, "NO_POLICY"))
		return "no policy matched it in time";
	if (cs_span_equal_str(r->hold, "WINDOW"))
		return "its time was up before the window was";
	return "its time was up before the limit was free again";
}

/* Pending and held requests whose time is up. */
static bool fill(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_REQUEST_EXPIRED);
	int64_t rows[SLICE];
	size_t n = 0;

	cs_stmt_int(&s, l->batch.now_ms);
	cs_stmt_int(&s, SLICE);
	if (!cs_stmt_numbers(&s, rows, SLICE, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct cs_stored *r = cs_arena_new(&l->batch.arena, sizeof(*r));
		struct cs_draft *d;
		bool found = false;

		if (r == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "request");
		if (cs_ledger_attempt_of(l, rows[i]) != NULL)
			continue;
		if (!cs_stored_by_row(l->db, rows[i], &l->batch.arena, r,
				      &found, err) ||
		    !cs_ledger_refuse_fixed(l, r, CS_LEAF_EXPIRED, "EXPIRED",
					    why(r), &d, err))
			return false;
	}
	return true;
}

void cs_ledger_expire(struct cs_ledger *l)
{
	struct cs_error err = {0};

	if (cs_ledger_state(l) != CS_LEDGER_ISSUING)
		return;
	if (cs_ledger_own_batch(l, fill, &err))
		return;
	if (err.code == CS_E_DB_FULL)
		cs_ledger_is_full(l);
	else
		cs_ledger_fail(l, &err);
}
