#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "store/ledger_room.h"

/* Requests driven again in one go, and the pause between two goes. */
#define DRIVE_SLICE    16
#define DRIVE_PAUSE_MS 200

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

/* Who drives a request again. */
enum driver {
	BY_CLIENT,
	BY_SWEEP
};

/*
 * Does the sweep leave this one alone? Where an issuer's key fails, each
 * attempt burns a serial: one in a while shows whether it is back.
 */
static bool rests(struct cs_ledger *l, const struct cs_stored *r)
{
	int64_t now = cs_clock_boot_ms(&l->config.clock);

	for (size_t i = 0; i < l->issuers_n; i++) {
		struct cs_ledger_issuer_row *issuer = &l->issuers[i];

		if (!issuer->failing ||
		    !cs_span_equal_str(r->issuer, issuer->config->name))
			continue;
		if (now < issuer->rest_boot_ms)
			return true;
		issuer->rest_boot_ms = now + CS_LEDGER_SIGNER_REST_MS;
	}
	return false;
}

/* DRIVE, unless it rests. */
static bool drive_row(struct cs_ledger *l, int64_t n, enum driver by,
		      struct cs_error *err)
{
	struct cs_arena arena;
	struct cs_stored r;
	struct cs_msg_request request;
	struct cs_msg_drive drive;
	bool found = false;
	bool ok;

	cs_arena_init(&arena, CS_MAX_REQUEST_ARENA);
	cs_buf_reset(&l->entry);
	ok = cs_stored_by_row(l->db, n, &arena, &r, &found, err) && found;
	if (ok && by == BY_SWEEP && rests(l, &r)) {
		cs_arena_done(&arena);
		return true;
	}
	ok = ok &&
	     cs_stored_request(&r, cs_roster_name(l->roster, r.approval.client),
			       &l->json, &request, err);
	if (ok) {
		cs_msg_request_encode(&request, &l->entry);
		drive.request = cs_buf_span(&l->entry);
		ok = cs_buf_finish(&l->entry, "DRIVE", err);
	}
	cs_arena_done(&arena);
	if (!ok)
		return false;
	if (l->front == NULL || !cs_link_send_drive(l->front, 0, &drive, err))
		cs_ledger_link_failed(l, err);
	return true;
}

bool cs_ledger_drive_one(struct cs_ledger *l, int64_t n, struct cs_error *err)
{
	return drive_row(l, n, BY_CLIENT, err);
}

void cs_ledger_drive_start(struct cs_ledger *l)
{
	l->drive_after = 0;
	cs_timer_start(l->drive, 1);
}

void cs_ledger_drive_next(void *ctx)
{
	struct cs_ledger *l = ctx;
	struct cs_stmt s;
	struct cs_error err = {0};
	int64_t rows[DRIVE_SLICE];
	size_t n = 0;

	if (cs_ledger_state(l) != CS_LEDGER_ISSUING)
		return;
	s = cs_stmt(l->db, CS_SQL_REQUEST_TO_DRIVE);
	cs_stmt_int(&s, cs_ledger_now(l));
	cs_stmt_int(&s, l->drive_after);
	cs_stmt_int(&s, DRIVE_SLICE);
	if (!cs_stmt_numbers(&s, rows, DRIVE_SLICE, &n, &err)) {
		cs_ledger_fail(l, &err);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		l->drive_after = rows[i];
		(void)cs_failpoint("ledger.recover_drive");
		if (cs_ledger_attempt_of(l, rows[i]) == NULL &&
		    !drive_row(l, rows[i], BY_SWEEP, &err))
			cs_log_error(l->config.log, "drive.failed", &err);
	}
	if (n == DRIVE_SLICE)
		cs_timer_start(l->drive, DRIVE_PAUSE_MS);
}
