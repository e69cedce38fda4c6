#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "store/file.h"
#include "store/ledger_room.h"

/* DIR/checkpoint is written no more often than this. */
#define NOTE_EVERY_MS 1000

/* The state that this transaction begins with. */
static void batch_reset(struct cs_ledger *l)
{
	struct cs_batch *b = &l->batch;

	cs_arena_reset(&b->arena);
	b->drafts_n = 0;
	b->settled_n = 0;
	b->wrote = false;
	b->edge = l->edge;
	b->seq = l->seq;
	b->epoch = l->epoch;
	memcpy(b->set_sha256, l->set_sha256, sizeof(b->set_sha256));
	b->attempts = NULL;
	b->roster_changed = false;
	b->set_changed = false;
	b->clock_accepted = false;
	b->now_ms = cs_ledger_now(l);
}

/* Undo in memory what the batch would have done. */
static void batch_undo(struct cs_ledger *l, struct cs_work *first)
{
	cs_db_rollback(l->db);
	l->metrics->undone++;
	while (l->batch.attempts != NULL) {
		struct cs_attempt *a = l->batch.attempts;

		l->batch.attempts = a->next;
		cs_mem_free(a); /* its work is still the queue's */
	}
	for (struct cs_work *w = first; w != NULL; w = w->next) {
		w->end = CS_END_NONE;
		w->attempt = NULL;
		memset(&w->row, 0, sizeof(w->row));
	}
}

/* One checkpoint a batch, if it has leaves. */
static bool checkpoint_insert(struct cs_ledger *l, struct cs_error *err)
{
	uint8_t root[CS_TREE_HASH];
	struct cs_stmt s;

	if (l->batch.drafts_n == 0)
		return true;
	cs_buf_reset(&l->json);
	if (!cs_tree_edge_root(l->hash, &l->batch.edge, root, err) ||
	    !cs_note_checkpoint_sign(l->signer_of_notes, l->batch.edge.size,
				     root, &l->json, err))
		return false;
	s = cs_stmt(l->db, CS_SQL_CHECKPOINT_INSERT);
	cs_stmt_int(&s, (int64_t)l->batch.edge.size);
	cs_stmt_blob(&s, cs_buf_span(&l->json));
	return cs_stmt_run(&s, err);
}

/* meta, as this batch leaves it. */
static bool meta_update(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_META_BATCH);

	cs_stmt_int(&s, (int64_t)l->batch.epoch);
	cs_stmt_int(&s, (int64_t)l->batch.seq);
	cs_stmt_int(&s, (int64_t)l->batch.edge.size);
	cs_stmt_blob(&s, cs_tree_edge_bytes(&l->batch.edge));
	cs_stmt_int(&s, l->batch.now_ms);
	return cs_stmt_run(&s, err);
}

/* Everything behind the rows of single pieces of work. */
static bool batch_close(struct cs_ledger *l, struct cs_error *err)
{
	return !l->batch.wrote ||
	       (cs_ledger_drafts_write(l, err) && checkpoint_insert(l, err) &&
		meta_update(l, err));
}

/* The same and COMMIT, for work that came from others. */
static bool batch_commit(struct cs_ledger *l, struct cs_error *err)
{
	int64_t begin;

	(void)cs_failpoint("ledger.after_intent_rows");
	if (!batch_close(l, err))
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

/* What was committed is what memory says from now on. */
static bool batch_take(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_batch *b = &l->batch;

	l->edge = b->edge;
	l->seq = b->seq;
	l->epoch = b->epoch;
	memcpy(l->set_sha256, b->set_sha256, sizeof(l->set_sha256));
	if (b->wrote)
		l->clock_ms = b->now_ms;
	if (b->clock_accepted) {
		l->clock_bad = false;
		cs_ledger_clock_start(l);
		if (!cs_ledger_revoked_tell_all(l, err))
			return false;
	}
	if (b->drafts_n > 0) {
		cs_buf_reset(&l->note);
		cs_buf_add(&l->note, cs_buf_span(&l->json));
		l->note_unwritten = true;
		l->metrics->checkpoint_ms = b->now_ms;
	}
	if (b->roster_changed) {
		struct cs_roster *roster = cs_roster_new(l->db, err);

		if (roster == NULL)
			return false;
		cs_roster_free(l->roster);
		l->roster = roster;
	}
	return !b->set_changed || cs_ledger_set_load(l, err);
}

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

/* Rows of everything; again, where a conflict taught something. */
static bool batch_fill(struct cs_ledger *l, struct cs_work *first,
		       struct cs_error *err)
{
	struct cs_work *w = NULL;
	bool learned;

	do {
		learned = false;
		(void)cs_failpoint("ledger.before_begin");
		batch_reset(l);
		if (!cs_db_begin(l->db, err) || !cs_ledger_do_signed(l, err))
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
			batch_undo(l, first);
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

void cs_ledger_send_admin(struct cs_ledger *l, const struct cs_work *w)
{
	struct cs_msg_admin_done m = {
		.ok = w->ok,
		.code = cs_span_str(w->code),
		.detail = cs_span_str(w->detail),
		.body = w->reply,
	};
	struct cs_error err = {0};

	if (l->front == NULL ||
	    !cs_link_send_admin_done(l->front, w->ticket, &m, &err))
		cs_ledger_link_failed(l, &err);
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
	if (l->batch.set_changed) {
		cs_ledger_drive_start(l);
		for (size_t i = 0; i < l->workers_n; i++)
			cs_ledger_send_set(l, l->workers[i].link);
	}
	if (l->batch.roster_changed)
		cs_ledger_send_clients(l);
	/* The signer first: it works while we talk. */
	cs_ledger_attempts_start(l);
	/* What is waited for may have been decided by this very batch. */
	for (struct cs_work *w = first; w != NULL; w = w->next)
		if (w->end == CS_END_WAIT || w->end == CS_END_DRIVE)
			wait_for(l, w);
	for (size_t i = 0; i < l->batch.drafts_n; i++) {
		cs_ledger_metrics_leaf(l->metrics, &l->batch.drafts[i].rec);
		cs_ledger_announce(l, &l->batch.drafts[i]);
		cs_ledger_revoked_tell(l, &l->batch.drafts[i]);
		cs_ledger_crl_leaf(l, &l->batch.drafts[i].rec);
	}
	while (first != NULL) {
		struct cs_work *w = first;

		first = w->next;
		work_end(l, w);
		/* An intent's work lives on in its attempt. */
		if (w->end != CS_END_SIGN)
			cs_ledger_work_free(w);
	}
	cs_ledger_attempts_settle(l);
	cs_ledger_state_soon(l);
	cs_ledger_note_write(l, CS_WHEN_DUE);
}

#define NO_SPACE "no space is left for the ledger"

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
	if (!l->full)
		cs_log_write(l->config.log, CS_LOG_ERROR, "ledger.full",
			     NO_SPACE);
	l->full = true;
	l->metrics->full++;
	tell_undecided(l);
	cs_ledger_state_soon(l);
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
	first = batch_cut(l);
	begin = cs_clock_boot_us(&l->config.clock);
	/* While there is no space, the tick alone tries again. */
	if (batch_fill(l, first, &err) && batch_commit(l, &err)) {
		if (l->full && l->batch.wrote) {
			l->full = false;
			cs_log_write(l->config.log, CS_LOG_INFO, "ledger.space",
				     "there is space again");
		}
		if (!batch_take(l, &err)) {
			cs_ledger_fail(l, &err);
			return;
		}
		batch_count(l, first, begin);
		batch_send(l, first);
	} else {
		batch_undo(l, first);
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

bool cs_ledger_own_batch(struct cs_ledger *l,
			 bool (*fill)(struct cs_ledger *, struct cs_error *),
			 struct cs_error *err)
{
	batch_reset(l);
	if (!cs_db_begin(l->db, err))
		return false;
	if (!fill(l, err) || !batch_close(l, err) ||
	    !cs_db_commit(l->db, err)) {
		batch_undo(l, NULL);
		return false;
	}
	if (!batch_take(l, err))
		return false;
	batch_send(l, NULL);
	return true;
}

/* Nothing but meta: enough to need a page of the disk. */
static bool probe_fill(struct cs_ledger *l, struct cs_error *err)
{
	(void)err;
	l->batch.wrote = true;
	return true;
}

void cs_ledger_probe(struct cs_ledger *l)
{
	struct cs_error err = {0};

	if (l->signed_n > 0) {
		cs_idle_request(l->commit);
		return;
	}
	if (cs_ledger_own_batch(l, probe_fill, &err)) {
		l->full = false;
		cs_log_write(l->config.log, CS_LOG_INFO, "ledger.space",
			     "there is space again");
	} else if (err.code != CS_E_DB_FULL) {
		cs_ledger_fail(l, &err);
	}
}

void cs_ledger_note_write(struct cs_ledger *l, enum cs_when when)
{
	int64_t now = cs_clock_boot_ms(&l->config.clock);
	struct cs_error err = {0};
	char *path;

	if (!l->note_unwritten ||
	    (when == CS_WHEN_DUE &&
	     now - l->note_written_boot_ms < NOTE_EVERY_MS))
		return;
	path = cs_arena_printf(&l->batch.arena, "%s/checkpoint", l->config.dir);
	if (l->ready)
		(void)cs_failpoint("ledger.before_checkpoint_file");
	else
		(void)cs_failpoint("ledger.recover_checkpoint_file");
	if (path == NULL ||
	    !cs_file_replace(path, 0644, cs_buf_span(&l->note), &err)) {
		/* The database has it; the next second tries again. */
		cs_log_error(l->config.log, "checkpoint.file", &err);
		l->note_written_boot_ms = now;
		return;
	}
	l->note_unwritten = false;
	l->note_written_boot_ms = now;
}
