/* Requests that are to be judged again as they are stored: DRIVE to front. */
#include "base/failpoint.h"
#include "store/ledger_room.h"

/* Requests driven again in one go, and the pause between two goes. */
#define DRIVE_SLICE    16
#define DRIVE_PAUSE_MS 200

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
