/*
 * The queue's work: cut into batches, each one transaction, and what became of
 * it sent after COMMIT.
 */
#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "store/ledger_room.h"

#define NO_SPACE "no space is left for the ledger"

/* One piece of work, within the transaction. */
static bool work_do(struct cs_ledger *l, struct cs_work *w,
		    struct cs_error *err)
{
	bool stands;

	if (!cs_ledger_shown_stands(l, w, &stands, err))
		return false;
	if (!stands)
		return true;
	switch (w->number) {
	case CS_MSG_INTENT:
	case CS_MSG_REFUSAL:
	case CS_MSG_WORKER_KILLER:
		return cs_ledger_do_request(l, w, err);
	case CS_MSG_DENY:
		return cs_ledger_do_deny(l, w, err);
	case CS_MSG_REVOKE:
		return cs_ledger_do_revoke(l, w, err);
	default:
		return cs_ledger_do_admin(l, w, err);
	}
}

/* Does the batch end behind this work? What follows must see its effect. */
static bool is_barrier(const struct cs_work *w)
{
	return w->number == CS_MSG_APPLY || w->number == CS_MSG_CLIENT_CHANGE ||
	       w->number == CS_MSG_CLOCK_ACCEPT;
}

/* Cut the queue: the works of one batch, in order. */
static struct cs_work *batch_cut(struct cs_ledger *l)
{
	struct cs_work *first = l->first;
	struct cs_work **at = &l->first;
	size_t n = 0;

	while (*at != NULL && n < CS_MAX_BATCH) {
		struct cs_work *w = *at;

		/* A new time, so by itself. */
		if (n > 0 && w->number == CS_MSG_CLOCK_ACCEPT)
			break;
		at = &w->next;
		n++;
		if (is_barrier(w))
			break;
	}
	l->first = *at;
	*at = NULL;
	if (l->first == NULL)
		l->last = &l->first;
	l->queued -= n;
	return n == 0 ? NULL : first;
}

/* Leaves and COMMIT. */
static bool batch_commit(struct cs_ledger *l, struct cs_error *err)
{
	int64_t begin;

	(void)cs_failpoint("ledger.after_intent_rows");
	if (!cs_ledger_batch_close(l, err))
		return false;
	if (cs_failpoint("ledger.before_commit"))
		return cs_error_set(err, CS_E_DB, "failpoint");
	if (cs_failpoint("ledger.commit_full"))
		return cs_error_set(err, CS_E_DB_FULL, "failpoint");
	if (cs_failpoint("ledger.commit_unknown"))
		return cs_error_set(err, CS_E_DB_UNKNOWN, "failpoint");
	begin = cs_clock_boot_us(&l->config.clock);
	if (!cs_db_commit(l->db, err))
		return false;
	cs_histogram_add(
		&l->metrics->commit_time, CS_HISTOGRAM_TIMES,
		(uint64_t)(cs_clock_boot_us(&l->config.clock) - begin));
	(void)cs_failpoint("ledger.after_commit");
	return true;
}

/* Nothing of the transaction happened; the work can be done again. */
static void undo(struct cs_ledger *l, struct cs_work *first)
{
	cs_ledger_batch_undo(l);
	for (struct cs_work *w = first; w != NULL; w = w->next) {
		w->end = CS_END_NONE;
		w->attempt = NULL;
		memset(&w->row, 0, sizeof(w->row));
	}
}

/* Rows of everything; again, where a conflict taught something. */
static bool batch_fill(struct cs_ledger *l, struct cs_work *first,
		       struct cs_error *err)
{
	struct cs_work *w = NULL;
	bool learned;

	do {
		learned = false;
		(void)cs_failpoint("ledger.before_begin");
		if (!cs_ledger_batch_begin(l, err) ||
		    !cs_ledger_do_signed(l, err))
			return false;
		for (w = first; w != NULL; w = w->next) {
			bool knew = w->look_up;
			bool taken = w->serial_taken;

			if (work_do(l, w, err))
				continue;
			learned = err->code == CS_E_EXISTS &&
				  (w->look_up != knew ||
				   w->serial_taken != taken);
			if (!learned)
				return false;
			if (w->serial_taken)
				cs_log_write(l->config.log, CS_LOG_ERROR,
					     "serial.collision",
					     "a worker drew a serial that "
					     "was used before");
			undo(l, first);
			break;
		}
	} while (learned);
	return true;
}

/* The end of one piece of work that needs the database after COMMIT. */
static void send_row(struct cs_ledger *l, struct cs_work *w)
{
	struct cs_answer_row row;
	struct cs_msg_answer m;
	struct cs_error err = {0};
	bool found = false;

	if (!cs_answer_row_load(l->db, cs_span_make(w->row.id, 16), &w->arena,
				&row, &found, &err) ||
	    !found || !cs_answer_row_make(&row, &l->der, &m, &err)) {
		cs_log_error(l->config.log, "answer.failed", &err);
		cs_ledger_send_busy(l, w->ticket, w->request.id, "LEDGER_ERROR",
				    "the stored answer cannot be read");
		return;
	}
	m.replay = w->replay;
	cs_ledger_send_answer(l, w->ticket, &m);
}

/* Nothing was recorded: why. */
static void send_plain(struct cs_ledger *l, const struct cs_work *w)
{
	struct cs_msg_answer m = {
		.outcome = (uint8_t)w->outcome,
		.body = w->reply,
		.code = cs_span_str(w->code),
		.detail = cs_span_str(w->detail),
		.retry_s = w->retry_s,
		.answer_version = CS_ANSWER_VERSION,
	};
	bool deny = w->number == CS_MSG_DENY;

	memcpy(m.id, deny ? w->m.deny.id : w->request.id, sizeof(m.id));
	memcpy(m.fingerprint,
	       deny ? w->m.deny.fingerprint : w->request.fingerprint,
	       sizeof(m.fingerprint));
	/* A known request keeps the id that it was given first. */
	if (w->row.n != 0)
		memcpy(m.id, w->row.id, sizeof(m.id));
	if (w->outcome == CS_ANSWER_HELD)
		m.expires_ms = w->row.expires_ms;
	cs_ledger_send_answer(l, w->ticket, &m);
	if (w->outcome == CS_ANSWER_HELD)
		cs_ledger_tell_waiters(l, w->row.n, &m);
}

/* Wait for the decision of a request. */
static void wait_for(struct cs_ledger *l, const struct cs_work *w)
{
	struct cs_waiter *waiter = cs_mem_new(sizeof(*waiter));

	if (waiter == NULL || l->waiters_n >= CS_MAX_LINK_QUEUE) {
		cs_mem_free(waiter);
		cs_ledger_send_busy(l, w->ticket, w->row.id, "BUSY",
				    "too many wait for decisions");
		return;
	}
	waiter->n = w->row.n;
	waiter->ticket = w->ticket;
	waiter->next = l->waiters;
	l->waiters = waiter;
	l->waiters_n++;
}

/* Send what became of one piece of work. */
static void work_end(struct cs_ledger *l, struct cs_work *w)
{
	struct cs_msg_rejudge rejudge = {.epoch = l->epoch};
	struct cs_error err = {0};

	switch (w->end) {
	case CS_END_ANSWER:
		send_plain(l, w);
		break;
	case CS_END_ROW:
	case CS_END_PENDING:
		send_row(l, w);
		break;
	case CS_END_DRIVE:
		if (!cs_ledger_drive_one(l, w->row.n, &err))
			cs_log_error(l->config.log, "drive.failed", &err);
		break;
	case CS_END_REJUDGE:
		if (l->front == NULL ||
		    !cs_link_send_rejudge(l->front, w->ticket, &rejudge, &err))
			cs_ledger_link_failed(l, &err);
		break;
	case CS_END_ADMIN:
		cs_ledger_send_admin(l, w);
		break;
	case CS_END_REVOKED:
		cs_ledger_revoke_answer(l, w);
		break;
	case CS_END_BACKUP:
		cs_ledger_backup_start(l, w);
		break;
	case CS_END_CRL:
		cs_ledger_crl_publish(l, w);
		break;
	default:
		break;
	}
}

/* Everything that waited for this COMMIT leaves. */
static void batch_send(struct cs_ledger *l, struct cs_work *first)
{
	/* What is waited for may have been decided by this very batch. */
	for (struct cs_work *w = first; w != NULL; w = w->next)
		if (w->end == CS_END_WAIT || w->end == CS_END_DRIVE)
			wait_for(l, w);
	cs_ledger_batch_tell(l);
	while (first != NULL) {
		struct cs_work *w = first;

		first = w->next;
		work_end(l, w);
		/* An intent's work lives on in its attempt. */
		if (w->end != CS_END_SIGN)
			cs_ledger_work_free(w);
	}
	cs_ledger_batch_settle(l);
}

/*
 * Nobody waits for space: who had a TBS recorded is told to come again. The
 * signatures stay, and the same key finds its certificate later.
 */
static void tell_undecided(struct cs_ledger *l)
{
	for (struct cs_attempt *a = l->attempts; a != NULL; a = a->next) {
		if (!a->told)
			cs_ledger_send_busy(l, a->work->ticket, a->work->row.id,
					    "LEDGER_FULL", NO_SPACE);
		a->told = true;
	}
	while (l->waiters != NULL) {
		static const uint8_t none[16];
		struct cs_waiter *w = l->waiters;

		l->waiters = w->next;
		l->waiters_n--;
		cs_ledger_send_busy(l, w->ticket, none, "LEDGER_FULL",
				    NO_SPACE);
		cs_mem_free(w);
	}
}

/* No space: signatures stay, all work is answered, a timer tries again. */
static void batch_full(struct cs_ledger *l, struct cs_work *first)
{
	cs_ledger_is_full(l);
	tell_undecided(l);
	while (first != NULL) {
		struct cs_work *w = first;

		first = w->next;
		if (w->number == CS_MSG_APPLY ||
		    w->number == CS_MSG_CLIENT_CHANGE ||
		    w->number == CS_MSG_CLOCK_ACCEPT ||
		    w->number == CS_MSG_BACKUP || w->number == CS_MSG_REVOKE ||
		    w->number == CS_MSG_CRL_PUBLISH) {
			w->ok = 0;
			w->code = "LEDGER_FULL";
			(void)snprintf(w->detail, sizeof(w->detail), "%s",
				       NO_SPACE);
			cs_ledger_send_admin(l, w);
		} else if (w->number != CS_MSG_AUTH_REFUSED) {
			(void)cs_ledger_is_open(l, w);
			send_plain(l, w);
		}
		cs_ledger_work_free(w);
	}
}

/* A transaction with something in it has been committed. */
static void batch_count(struct cs_ledger *l, const struct cs_work *first,
			int64_t begin_us)
{
	struct cs_ledger_metrics *m = l->metrics;
	uint64_t n = l->batch.settled_n;

	for (; first != NULL; first = first->next)
		n++;
	if (n == 0)
		return;
	m->batches++;
	cs_histogram_add(&m->batch_size, CS_HISTOGRAM_SIZES, n);
	cs_histogram_add(
		&m->batch_time, CS_HISTOGRAM_TIMES,
		(uint64_t)(cs_clock_boot_us(&l->config.clock) - begin_us));
}

void cs_ledger_commit(void *ctx)
{
	struct cs_ledger *l = ctx;
	struct cs_error err = {0};
	struct cs_work *first;
	int64_t begin;

	if (l->over)
		return;
	cs_ledger_clock_check(l);
	first = batch_cut(l);
	begin = cs_clock_boot_us(&l->config.clock);
	/* While there is no space, the tick alone tries again. */
	if (batch_fill(l, first, &err) && batch_commit(l, &err)) {
		if (l->full && l->batch.wrote) {
			l->full = false;
			cs_log_write(l->config.log, CS_LOG_INFO, "ledger.space",
				     "there is space again");
		}
		if (!cs_ledger_batch_take(l, &err)) {
			cs_ledger_fail(l, &err);
			return;
		}
		batch_count(l, first, begin);
		batch_send(l, first);
	} else {
		undo(l, first);
		if (err.code == CS_E_DB_FULL) {
			batch_full(l, first);
		} else {
			*l->last = first; /* so that they are told */
			cs_ledger_fail(l, &err);
			return;
		}
	}
	if (l->first != NULL || (l->signed_n > 0 && !l->full))
		cs_idle_request(l->commit);
	else if (l->edge.size - l->terms_done > CS_LEDGER_TERMS_LAG)
		cs_idle_request(l->terms);
	cs_ledger_finish_if_drained(l);
}
