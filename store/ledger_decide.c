#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "store/fixed_body.h"
#include "store/ledger_room.h"

struct cs_draft *cs_ledger_draft(struct cs_ledger *l, enum cs_leaf_kind kind,
				 struct cs_error *err)
{
	struct cs_batch *b = &l->batch;
	struct cs_draft *d;

	if (b->drafts_n == b->drafts_cap) {
		size_t cap = b->drafts_cap == 0 ? 64 : b->drafts_cap * 2;
		struct cs_draft *more =
			cs_mem_resize(b->drafts, cap, sizeof(*more));

		if (more == NULL) {
			cs_error_set(err, CS_E_NO_MEMORY, "leaves of a batch");
			return NULL;
		}
		b->drafts = more;
		b->drafts_cap = cap;
	}
	d = &b->drafts[b->drafts_n];
	memset(d, 0, sizeof(*d));
	cs_leaf_record_init(&d->rec, kind, b->edge.size + b->drafts_n,
			    b->now_ms);
	d->decision = CS_SPAN_LIT("{}");
	b->drafts_n++;
	b->wrote = true;
	return d;
}

void cs_ledger_draft_actor(struct cs_ledger *l, struct cs_draft *d,
			   uint64_t client, uint64_t credential, int64_t uid)
{
	d->rec.client = client;
	d->rec.client_name = cs_roster_name(l->roster, client);
	d->rec.credential = credential;
	d->rec.uid = uid;
}

/* The approval that stands with a request. */
static void draft_approval(struct cs_ledger *l, struct cs_leaf_approval *to,
			   const struct cs_stored_approval *a)
{
	if (a->client == 0)
		return;
	to->at_ms = a->at_ms;
	to->client = a->client;
	to->client_name = cs_roster_name(l->roster, a->client);
	to->credential = a->credential;
	to->uid = a->uid;
	to->binds = a->binds;
	to->denies = a->denies;
	to->self = a->self;
	to->claimed_by = a->claimed_by;
	to->reason = a->reason;
	to->message = a->message;
}

void cs_ledger_draft_request(struct cs_ledger *l, struct cs_draft *d,
			     const struct cs_stored *r)
{
	struct cs_leaf_record *rec = &d->rec;

	cs_ledger_draft_actor(l, d, r->client, r->credential, r->uid);
	rec->id = r->id;
	rec->flags = r->flags;
	rec->fingerprint = r->fingerprint;
	rec->idem_key = r->idem_key;
	rec->realm = r->realm;
	rec->source = r->source;
	rec->issuer_asked = r->issuer;
	rec->received_ms = r->received_ms;
	rec->expires_ms = r->expires_ms;
	rec->hold = r->hold;
	rec->not_before_ms = r->not_before_ms;
	rec->pending_body = r->pending_body;
	rec->pending_terms = r->pending_terms;
	rec->csr = r->csr;
	rec->scalars = r->scalars;
	draft_approval(l, &rec->approval, &r->approval);
	d->request = r->n;
}

void cs_ledger_draft_attempt(struct cs_ledger *l, struct cs_draft *d,
			     const struct cs_attempt *a)
{
	const struct cs_msg_intent *m = &a->work->m.intent;
	struct cs_leaf_record *rec = &d->rec;
	const struct cs_ledger_issuer_row *issuer = &l->issuers[a->issuer];

	rec->issuer = (uint64_t)issuer->id;
	rec->issuer_name = cs_span_str(issuer->config->name);
	rec->generation = issuer->generation;
	rec->now_ms = m->now_ms;
	rec->epoch = m->epoch;
	rec->set_sha256 = a->set_sha256;
	rec->body = m->body;
	rec->terms = m->terms;
	rec->inputs = m->inputs;
	rec->seq = a->seq;
	rec->serial = m->serial;
	rec->spki_sha256 = m->spki_sha256;
	rec->subject_key = m->subject_key;
	rec->not_after_s = m->not_after_s;
	rec->limits = m->limits;
	rec->tbs = m->tbs;
}

bool cs_ledger_request_insert(struct cs_ledger *l, struct cs_stored *r,
			      enum cs_request_state state, int64_t leaf,
			      struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_REQUEST_INSERT);

	cs_stmt_blob(&s, cs_span_make(r->id, sizeof(r->id)));
	cs_stmt_int(&s, (int64_t)r->client);
	cs_stmt_int(&s, (int64_t)r->credential);
	cs_stmt_int(&s, r->uid);
	cs_stmt_str(&s, r->realm);
	cs_stmt_str(&s, r->source);
	cs_stmt_str_or_null(&s, r->idem_key);
	cs_stmt_blob(&s, cs_span_make(r->fingerprint, 32));
	cs_stmt_int(&s, r->received_ms);
	cs_stmt_int(&s, r->flags);
	cs_stmt_str(&s, r->issuer);
	cs_stmt_blob(&s, r->scalars);
	cs_stmt_blob(&s, r->csr);
	cs_stmt_str(&s, cs_span_str(cs_request_state_name(state)));
	cs_stmt_int_or_null(&s, r->expires_ms);
	cs_stmt_str_or_null(&s, r->hold);
	cs_stmt_int_or_null(&s, r->not_before_ms);
	cs_stmt_blob_or_null(&s, r->pending_body);
	cs_stmt_blob_or_null(&s, r->pending_terms);
	if (leaf < 0)
		cs_stmt_null(&s);
	else
		cs_stmt_int(&s, leaf);
	if (!cs_stmt_run(&s, err))
		return false;
	r->n = cs_db_last_row(l->db);
	r->state = state;
	l->batch.wrote = true;
	return true;
}

bool cs_ledger_approval_insert(struct cs_ledger *l, const struct cs_stored *r,
			       struct cs_error *err)
{
	const struct cs_stored_approval *a = &r->approval;
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_APPROVAL_INSERT);

	cs_stmt_int(&s, r->n);
	cs_stmt_int(&s, (int64_t)a->client);
	cs_stmt_int(&s, (int64_t)a->credential);
	cs_stmt_int(&s, a->uid);
	cs_stmt_blob(&s, cs_span_make(a->binds, 32));
	cs_stmt_int(&s, a->at_ms);
	cs_stmt_int(&s, a->denies);
	cs_stmt_int(&s, a->self);
	cs_stmt_str_or_null(&s, a->claimed_by);
	cs_stmt_str_or_null(&s, a->reason);
	cs_stmt_str_or_null(&s, a->message);
	l->batch.wrote = true;
	return cs_stmt_run(&s, err);
}

/* The state in which a decision leaves its request. */
static enum cs_request_state state_after(enum cs_leaf_kind kind)
{
	switch (kind) {
	case CS_LEAF_ISSUED:
		return CS_STATE_ISSUED;
	case CS_LEAF_DENIED:
		return CS_STATE_DENIED;
	case CS_LEAF_EXPIRED:
		return CS_STATE_EXPIRED;
	default:
		return CS_STATE_REFUSED;
	}
}

bool cs_ledger_refuse(struct cs_ledger *l, struct cs_stored *r,
		      const struct cs_verdict *v, struct cs_draft **ret_draft,
		      struct cs_error *err)
{
	struct cs_draft *d = cs_ledger_draft(l, v->kind, err);

	if (d == NULL)
		return false;
	d->row = CS_DRAFT_REFUSAL;
	d->decides = true;
	d->state = state_after(v->kind);
	d->update = r->n != 0;
	if (!d->update) {
		if (!cs_ledger_request_insert(l, r, d->state,
					      (int64_t)d->rec.index, err))
			return false;
		if (r->approval.client != 0 &&
		    !cs_ledger_approval_insert(l, r, err))
			return false;
	}
	cs_ledger_draft_request(l, d, r);
	d->decision = v->body;
	d->rec.body = v->body;
	d->rec.terms = v->terms;
	d->rec.inputs = v->inputs;
	d->rec.now_ms = v->now_ms;
	d->rec.epoch = v->epoch;
	d->rec.set_sha256 = v->epoch == 0 ? NULL : l->batch.set_sha256;
	*ret_draft = d;
	return true;
}

bool cs_ledger_refuse_fixed(struct cs_ledger *l, struct cs_stored *r,
			    enum cs_leaf_kind kind, const char *code,
			    const char *detail, struct cs_draft **ret_draft,
			    struct cs_error *err)
{
	struct cs_verdict v = {
		.kind = kind,
		.inputs = CS_SPAN_LIT("{}"),
		.now_ms = l->batch.now_ms,
	};
	const char *verdict = cs_request_state_name(state_after(kind));
	struct cs_span approver = cs_roster_name(l->roster, r->approval.client);
	struct cs_arena *arena = &l->batch.arena;

	cs_buf_reset(&l->json);
	if (!cs_fixed_body_write(verdict, code, cs_span_str(detail), &l->json,
				 err))
		return false;
	if (!cs_arena_dup(arena, cs_buf_span(&l->json), &v.body))
		return cs_error_set(err, CS_E_NO_MEMORY, "body");
	cs_buf_reset(&l->json);
	if (!cs_fixed_body_terms(r, approver, verdict, code,
				 cs_span_make(NULL, 0), arena, &l->json, err))
		return false;
	if (!cs_arena_dup(arena, cs_buf_span(&l->json), &v.terms))
		return cs_error_set(err, CS_E_NO_MEMORY, "search terms");
	return cs_ledger_refuse(l, r, &v, ret_draft, err);
}

void cs_work_decided(struct cs_work *w, struct cs_draft *d)
{
	d->has_ticket = true;
	d->ticket = w->ticket;
	w->end = CS_END_DECIDED;
}

/* The leaf itself. */
static bool leaf_insert(struct cs_ledger *l, const struct cs_draft *d,
			uint64_t tree_size, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_LEAF_INSERT);

	cs_stmt_int(&s, (int64_t)d->rec.index);
	cs_stmt_blob(&s, cs_span_make(d->hash, sizeof(d->hash)));
	cs_stmt_int(&s, d->rec.kind);
	cs_stmt_int(&s, d->rec.at_ms);
	cs_stmt_int(&s, (int64_t)tree_size);
	cs_stmt_int_or_null(&s, d->request);
	cs_stmt_int(&s, CS_ANSWER_VERSION);
	cs_stmt_blob(&s, cs_buf_span(&l->entry));
	return cs_stmt_run(&s, err);
}

/* The row of outcome or refusal. */
static bool row_insert(struct cs_ledger *l, const struct cs_draft *d,
		       struct cs_error *err)
{
	struct cs_stmt s;

	if (d->row == CS_DRAFT_PLAIN)
		return true;
	if (d->row == CS_DRAFT_OUTCOME) {
		s = cs_stmt(l->db, CS_SQL_OUTCOME_INSERT);
		cs_stmt_int(&s, (int64_t)d->rec.seq);
		cs_stmt_blob_or_null(&s, d->signature);
		cs_stmt_int(&s, (int64_t)d->rec.index);
		return cs_stmt_run(&s, err);
	}
	s = cs_stmt(l->db, CS_SQL_REFUSAL_INSERT);
	cs_stmt_int(&s, (int64_t)d->rec.index);
	cs_stmt_int(&s, d->request);
	cs_stmt_int(&s, d->rec.now_ms);
	cs_stmt_int(&s, (int64_t)d->rec.epoch);
	cs_stmt_blob(&s, d->rec.body);
	cs_stmt_blob(&s, d->rec.terms);
	cs_stmt_blob(&s, d->rec.inputs);
	return cs_stmt_run(&s, err);
}

/* The request's terminal state, when its row was there before. */
static bool request_decide(struct cs_ledger *l, const struct cs_draft *d,
			   struct cs_error *err)
{
	struct cs_stmt s;

	if (!d->decides || !d->update)
		return true;
	s = cs_stmt(l->db, CS_SQL_REQUEST_DECIDE);
	cs_stmt_str(&s, cs_span_str(cs_request_state_name(d->state)));
	cs_stmt_int(&s, (int64_t)d->rec.index);
	cs_stmt_int(&s, d->request);
	return cs_stmt_run(&s, err);
}

bool cs_ledger_drafts_write(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_batch *b = &l->batch;
	/* Only now is it known how far this batch takes the tree. */
	uint64_t tree_size = b->edge.size + b->drafts_n;

	for (size_t i = 0; i < b->drafts_n; i++) {
		struct cs_draft *d = &b->drafts[i];

		cs_buf_reset(&l->entry);
		if (!cs_leaf_entry_write(l->hash, d->decision, &d->rec,
					 &l->entry, err) ||
		    !cs_tree_leaf_hash(l->hash, cs_buf_span(&l->entry), d->hash,
				       err) ||
		    !cs_tree_edge_append(l->hash, &b->edge, d->hash, err) ||
		    !leaf_insert(l, d, tree_size, err) ||
		    !row_insert(l, d, err) || !request_decide(l, d, err))
			return false;
	}
	return true;
}

/* The answer's row, from memory. */
static void answer_row(const struct cs_ledger *l, const struct cs_draft *d,
		       struct cs_answer_row *row)
{
	static const enum cs_answer outcomes[] = {
		[CS_STATE_ISSUED] = CS_ANSWER_ISSUED,
		[CS_STATE_REFUSED] = CS_ANSWER_REFUSED,
		[CS_STATE_DENIED] = CS_ANSWER_DENIED,
		[CS_STATE_EXPIRED] = CS_ANSWER_EXPIRED,
	};

	*row = (struct cs_answer_row){
		.outcome = outcomes[d->state],
		.body = d->rec.body,
		.index = d->rec.index,
		.tree_size = l->edge.size,
		.decided_ms = d->rec.at_ms,
		.answer_version = CS_ANSWER_VERSION,
	};
	memcpy(row->id, d->rec.id, sizeof(row->id));
	memcpy(row->fingerprint, d->rec.fingerprint, sizeof(row->fingerprint));
	memcpy(row->leaf_hash, d->hash, sizeof(row->leaf_hash));
	if (d->attempt != NULL) {
		const struct cs_ledger_issuer_row *issuer =
			&l->issuers[d->attempt->issuer];

		row->serial = d->rec.serial;
		row->tbs = d->rec.tbs;
		row->sig_alg = issuer->sig_alg;
		row->signature = d->signature;
		row->chain = issuer->chain;
		row->ca = issuer->ca;
	}
}

void cs_ledger_tell_waiters(struct cs_ledger *l, int64_t n,
			    const struct cs_msg_answer *m)
{
	struct cs_waiter **at = &l->waiters;

	while (*at != NULL) {
		struct cs_waiter *waiter = *at;

		if (waiter->n != n) {
			at = &waiter->next;
			continue;
		}
		*at = waiter->next;
		l->waiters_n--;
		cs_ledger_send_answer(l, waiter->ticket, m);
		cs_mem_free(waiter);
	}
}

void cs_ledger_announce(struct cs_ledger *l, const struct cs_draft *d)
{
	struct cs_answer_row row;
	struct cs_msg_answer m;
	struct cs_error err = {0};

	if (!d->decides)
		return;
	answer_row(l, d, &row);
	if (!cs_answer_row_make(&row, &l->der, &m, &err)) {
		cs_log_error(l->config.log, "answer.failed", &err);
		return;
	}
	if (d->has_ticket) {
		(void)cs_failpoint("ledger.before_answer");
		cs_ledger_send_answer(l, d->ticket, &m);
	}
	m.replay = 1;
	cs_ledger_tell_waiters(l, d->request, &m);
}
