#include "base/failpoint.h"
#include "store/ledger_room.h"

/* An attempt without an outcome, as its row says; copied into the arena. */
static bool unsettled_draft(struct cs_ledger *l, struct cs_stmt *s,
			    struct cs_error *err)
{
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_ATTEMPT_ABANDONED, err);
	struct cs_arena *arena = &l->batch.arena;
	uint8_t *fixed = cs_arena_new(arena, 16 + 3 * 32);
	struct cs_leaf_record *rec;

	if (d == NULL || fixed == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "attempt");
	rec = &d->rec;
	rec->seq = (uint64_t)cs_stmt_col_int(s, 0);
	rec->issuer = (uint64_t)cs_stmt_col_int(s, 1);
	rec->now_ms = cs_stmt_col_int(s, 5);
	rec->epoch = (uint64_t)cs_stmt_col_int(s, 6);
	rec->not_after_s = cs_stmt_col_int(s, 7);
	rec->generation = (uint64_t)cs_stmt_col_int(s, 16);
	d->request = cs_stmt_col_int(s, 13);
	d->row = CS_DRAFT_OUTCOME;
	rec->id = fixed;
	rec->spki_sha256 = fixed + 16;
	rec->subject_key = fixed + 48;
	rec->set_sha256 =
		cs_stmt_col_fixed(s, 17, fixed + 80, 32) ? fixed + 80 : NULL;
	if (!cs_stmt_col_fixed(s, 14, fixed, 16) ||
	    !cs_stmt_col_fixed(s, 3, fixed + 16, 32) ||
	    !cs_stmt_col_fixed(s, 4, fixed + 48, 32))
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "attempt %llu: a column is damaged",
				    (unsigned long long)rec->seq);
	if (!cs_arena_dup(arena, cs_stmt_col(s, 2), &rec->serial) ||
	    !cs_arena_dup(arena, cs_stmt_col(s, 8), &rec->tbs) ||
	    !cs_arena_dup(arena, cs_stmt_col(s, 9), &rec->body) ||
	    !cs_arena_dup(arena, cs_stmt_col(s, 10), &rec->terms) ||
	    !cs_arena_dup(arena, cs_stmt_col(s, 11), &rec->inputs) ||
	    !cs_arena_dup(arena, cs_stmt_col(s, 12), &rec->limits) ||
	    !cs_arena_dup(arena, cs_stmt_col(s, 15), &rec->issuer_name))
		return cs_error_set(err, CS_E_NO_MEMORY, "attempt");
	d->decision = rec->body;
	return true;
}

/* Every attempt that a crash left open is abandoned, its serial burnt. */
static bool abandon(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_ATTEMPT_UNSETTLED);
	uint64_t span = 2 * CS_LEDGER_UNSETTLED_SPAN;
	size_t n = 0;
	bool row = true;

	cs_stmt_int(&s, l->seq > span ? (int64_t)(l->seq - span) : 0);
	while (row) {
		if (!cs_stmt_step(&s, &row, err))
			return false;
		if (row && !unsettled_draft(l, &s, err)) {
			cs_stmt_end(&s);
			return false;
		}
		n += row;
	}
	cs_stmt_end(&s);
	if (n > 0)
		cs_log_write(l->config.log, CS_LOG_WARNING, "recovery",
			     "%zu attempts were abandoned", n);
	return true;
}

/* What the first transaction of a start does. */
static bool fill(struct cs_ledger *l, struct cs_error *err)
{
	(void)cs_failpoint("ledger.recover_begin");
	if (!cs_ledger_first_rows(l, err) || (!l->split && !abandon(l, err)))
		return false;
	(void)cs_failpoint("ledger.recover_before_commit");
	return true;
}

bool cs_ledger_recover(struct cs_ledger *l, struct cs_error *err)
{
	if (!cs_ledger_own_batch(l, fill, err))
		return false;
	(void)cs_failpoint("ledger.recover_after_commit");
	cs_ledger_restore_done(l);
	cs_ledger_drive_start(l);
	return true;
}
