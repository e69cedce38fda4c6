/*
 * One transaction: what it begins with, leaves, checkpoint and meta at its
 * end, and what memory and other rooms learn of it after COMMIT.
 */
#include <string.h>

#include "base/mem.h"
#include "store/ledger_room.h"

/* The state that this transaction begins with. */
static void reset(struct cs_ledger *l)
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

bool cs_ledger_batch_begin(struct cs_ledger *l, struct cs_error *err)
{
	reset(l);
	return cs_db_begin(l->db, err);
}

void cs_ledger_batch_undo(struct cs_ledger *l)
{
	cs_db_rollback(l->db);
	l->metrics->undone++;
	while (l->batch.attempts != NULL) {
		struct cs_attempt *a = l->batch.attempts;

		l->batch.attempts = a->next;
		cs_mem_free(a); /* its work is still the queue's */
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

bool cs_ledger_batch_close(struct cs_ledger *l, struct cs_error *err)
{
	return !l->batch.wrote ||
	       (cs_ledger_drafts_write(l, err) && checkpoint_insert(l, err) &&
		meta_update(l, err));
}

bool cs_ledger_batch_take(struct cs_ledger *l, struct cs_error *err)
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

void cs_ledger_batch_tell(struct cs_ledger *l)
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
	for (size_t i = 0; i < l->batch.drafts_n; i++) {
		cs_ledger_metrics_leaf(l->metrics, &l->batch.drafts[i].rec);
		cs_ledger_announce(l, &l->batch.drafts[i]);
		cs_ledger_revoked_tell(l, &l->batch.drafts[i]);
		cs_ledger_crl_leaf(l, &l->batch.drafts[i].rec);
	}
}

void cs_ledger_batch_settle(struct cs_ledger *l)
{
	cs_ledger_attempts_settle(l);
	cs_ledger_state_soon(l);
	cs_ledger_note_write(l, CS_WHEN_DUE);
}

bool cs_ledger_own_batch(struct cs_ledger *l,
			 bool (*fill)(struct cs_ledger *, struct cs_error *),
			 struct cs_error *err)
{
	if (!cs_ledger_batch_begin(l, err))
		return false;
	if (!fill(l, err) || !cs_ledger_batch_close(l, err) ||
	    !cs_db_commit(l->db, err)) {
		cs_ledger_batch_undo(l);
		return false;
	}
	if (!cs_ledger_batch_take(l, err))
		return false;
	cs_ledger_batch_tell(l);
	cs_ledger_batch_settle(l);
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
