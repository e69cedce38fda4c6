#include <string.h>

#include "base/limit.h"
#include "base/time.h"
#include "store/ledger_room.h"

/* Does the message carry this flag (CS_REQ_*)? */
static bool has(const struct cs_work *w, unsigned flag)
{
	return (w->request.flags & flag) != 0;
}

/* The CSR as the worker read it, or as it came. */
static struct cs_span csr_of(const struct cs_work *w)
{
	if (w->number == CS_MSG_INTENT)
		return w->m.intent.csr;
	if (w->number == CS_MSG_REFUSAL)
		return w->m.refusal.csr;
	return w->request.csr;
}

/* The row as the message says it. */
static void row_from_message(struct cs_ledger *l, struct cs_work *w)
{
	const struct cs_msg_request *m = &w->request;
	struct cs_stored r = {
		.client = m->client,
		.credential = m->credential,
		.uid = m->uid,
		.client_name = cs_roster_name(l->roster, m->client),
		.realm = m->realm,
		.source = m->source,
		.idem_key = m->idem_key,
		.received_ms = m->received_ms,
		.flags = m->flags &
			 (CS_REQ_APPROVED | CS_REQ_DENIED | CS_REQ_SELF),
		.issuer = m->issuer,
		.scalars = m->scalars,
		.csr = csr_of(w),
	};

	memcpy(r.id, m->id, sizeof(r.id));
	memcpy(r.fingerprint, m->fingerprint, sizeof(r.fingerprint));
	r.approval.uid = -1;
	w->row = r;
}

/* Let what the message says of an approval or denial stand with the row. */
static void take_approval(struct cs_work *w)
{
	w->row.approval = w->said;
	w->row.approval.client = w->request.approver_client;
	w->row.approval.credential = w->request.approver_credential;
	w->row.approval.denies = has(w, CS_REQ_DENIED);
	w->row.approval.self |= has(w, CS_REQ_SELF);
	if (w->row.approval.at_ms == 0)
		w->row.approval.at_ms = w->request.received_ms;
	memcpy(w->row.approval.binds, w->request.fingerprint, 32);
}

/*
 * Denied=True among the conditions: whoever says no to a request of its own
 * needs no right for it.
 */
static void take_own_denial(struct cs_ledger *l, struct cs_work *w)
{
	struct cs_stored_approval *a = &w->row.approval;

	take_approval(w);
	if (a->client != 0 &&
	    cs_roster_owner(l->roster, a->credential) == a->client)
		return;
	a->client = w->row.client;
	a->credential = w->row.credential;
}

/* Denied for good: by whom, and why if it was said. */
static bool deny(struct cs_ledger *l, struct cs_work *w, struct cs_error *err)
{
	const struct cs_stored_approval *a = &w->row.approval;
	struct cs_span by = cs_roster_name(l->roster, a->client);
	struct cs_draft *d;
	const char *detail = cs_arena_printf(
		&l->batch.arena, "%.*s denied it%s%.*s%s%.*s", CS_SPAN_FMT(by),
		a->reason.n > 0 ? ": " : "", CS_SPAN_FMT(a->reason),
		a->message.n > 0 ? ": " : "", CS_SPAN_FMT(a->message));

	if (detail == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "a denial");
	if (!cs_ledger_refuse_fixed(l, &w->row, CS_LEAF_DENIED, "DENIED",
				    detail, &d, err))
		return false;
	cs_work_decided(w, d);
	return true;
}

/* Policy said no, or the CSR killed its workers. */
static bool refuse(struct cs_ledger *l, struct cs_work *w, struct cs_error *err)
{
	bool wait = false;

	const struct cs_msg_refusal *m = &w->m.refusal;
	struct cs_verdict v = {
		.kind = CS_LEAF_REFUSED,
		.body = m->body,
		.terms = m->terms,
		.inputs = m->inputs,
		.now_ms = m->now_ms,
		.epoch = m->epoch,
	};
	struct cs_draft *d;

	if (!cs_ledger_waits_for_policy(l, w, &wait, err))
		return false;
	if (wait)
		return cs_ledger_hold_for_policy(l, w, err);
	if (w->number == CS_MSG_WORKER_KILLER) {
		if (!cs_ledger_refuse_fixed(
			    l, &w->row, CS_LEAF_REFUSED, "CSR_WORKER_FAILED",
			    "the CSR made two workers fail", &d, err))
			return false;
	} else if (!cs_ledger_refuse(l, &w->row, &v, &d, err)) {
		return false;
	}
	cs_work_decided(w, d);
	return true;
}

/* Can the list be read to its end? */
static bool limits_are_whole(struct cs_span list)
{
	struct cs_limit limit;
	bool bad = false;

	while (cs_limit_next(&list, &limit, &bad))
		;
	return !bad;
}

static void malformed_limits(struct cs_work *w)
{
	cs_work_answer(w, CS_ANSWER_BUSY, "INTENT_MALFORMED",
		       "the limits of the judgement are malformed");
}

/* An approved INTENT: limits, rows, attempt. */
static bool attempt(struct cs_ledger *l, struct cs_work *w,
		    struct cs_error *err)
{
	struct cs_limit broken;
	int64_t free_ms = 0;

	if (cs_ledger_issuer(l, w->row.issuer) == NULL) {
		cs_work_answer(w, CS_ANSWER_BUSY, "UNKNOWN_ISSUER",
			       "the ledger has no issuer %.*s",
			       CS_SPAN_FMT(w->row.issuer));
		return true;
	}
	/* Recovery looks no further back than this. */
	if (l->attempts != NULL &&
	    l->batch.seq - l->attempts->seq >= CS_LEDGER_UNSETTLED_SPAN) {
		cs_work_answer(w, CS_ANSWER_BUSY, "SIGNER_BEHIND",
			       "the signer has not answered for long");
		return true;
	}
	if (!limits_are_whole(w->m.intent.limits)) {
		malformed_limits(w);
		return true;
	}
	if (!cs_ledger_limits(l, &w->m.intent, &broken, &free_ms, err))
		return false;
	if (broken.rule.n > 0)
		return cs_ledger_limited(l, w, &broken, free_ms, err);
	if (w->row.n == 0 && (!cs_ledger_request_insert(
				      l, &w->row, CS_STATE_APPROVED, -1, err) ||
			      !cs_ledger_approval_insert(l, &w->row, err)))
		return false;
	return cs_ledger_attempt_insert(l, w, err);
}

/* Recorded as waiting for an approval. */
static bool keep_pending(struct cs_ledger *l, struct cs_work *w,
			 struct cs_error *err)
{
	bool room = false;

	if (!cs_ledger_quota(l, w, &room, err))
		return false;
	if (!room)
		return true;
	w->row.pending_body = w->number == CS_MSG_INTENT ? w->m.intent.body
							 : w->m.refusal.body;
	w->row.pending_terms = w->number == CS_MSG_INTENT ? w->m.intent.terms
							  : w->m.refusal.terms;
	w->row.expires_ms = l->batch.now_ms + l->config.pending_ttl_ms;
	w->end = CS_END_PENDING;
	return cs_ledger_request_insert(l, &w->row, CS_STATE_PENDING, -1, err);
}

/* Does the judgement still hold? A killer's is the ledger's own. */
static bool is_current(struct cs_ledger *l, struct cs_work *w)
{
	if (w->number == CS_MSG_INTENT)
		return cs_ledger_is_current(l, w, w->m.intent.epoch,
					    w->m.intent.now_ms) &&
		       cs_ledger_ca_is_valid(l, w);
	if (w->number == CS_MSG_REFUSAL)
		return cs_ledger_is_current(l, w, w->m.refusal.epoch,
					    w->m.refusal.now_ms) &&
		       cs_ledger_ca_is_valid(l, w);
	return true;
}

/* It was judged, and may be submitted and approved as it is. */
static bool fresh_judged(struct cs_ledger *l, struct cs_work *w,
			 struct cs_error *err)
{
	bool wait = false;

	if (w->number == CS_MSG_INTENT)
		return has(w, CS_REQ_APPROVED) ? attempt(l, w, err)
					       : keep_pending(l, w, err);
	if (!cs_ledger_waits_for_policy(l, w, &wait, err))
		return false;
	return wait && !has(w, CS_REQ_APPROVED) ? keep_pending(l, w, err)
						: refuse(l, w, err);
}

/* A request that the ledger has not seen. */
static bool fresh(struct cs_ledger *l, struct cs_work *w, struct cs_error *err)
{
	bool approved = has(w, CS_REQ_APPROVED);
	bool ok;

	row_from_message(l, w);
	if (!cs_ledger_may_submit(l, w))
		return true;
	if (has(w, CS_REQ_DENIED)) {
		take_own_denial(l, w);
		ok = deny(l, w, err);
	} else if (!is_current(l, w)) {
		return true;
	} else if (approved &&
		   !cs_ledger_may_approve(l, w, w->row.issuer,
					  w->request.approver_client,
					  w->request.approver_credential)) {
		return true;
	} else {
		if (approved)
			take_approval(w);
		ok = fresh_judged(l, w, err);
	}
	/* The id is there already: begin the batch again and look it up. */
	if (!ok && err->code == CS_E_EXISTS && !w->serial_taken)
		w->look_up = true;
	return ok;
}

/* The stored row, judged as it stands in the message, goes on its way. */
static bool proceed(struct cs_ledger *l, struct cs_work *w,
		    struct cs_error *err)
{
	if (w->number == CS_MSG_INTENT)
		return attempt(l, w, err);
	return refuse(l, w, err);
}

/* Was it judged as it is stored? The rest comes from the first submission. */
static bool judged_as_stored(const struct cs_work *w)
{
	return has(w, CS_REQ_KNOWN) ||
	       (cs_span_equal(w->row.scalars, w->request.scalars) &&
		cs_span_equal(w->row.csr, csr_of(w)));
}

/* An approval for a pending request: its row, then as approved. */
static bool approve(struct cs_ledger *l, struct cs_work *w,
		    struct cs_error *err)
{
	bool as_stored = judged_as_stored(w);
	struct cs_stmt s;

	if (!cs_ledger_may_approve(l, w, w->row.issuer,
				   w->request.approver_client,
				   w->request.approver_credential))
		return true;
	if (as_stored && !is_current(l, w))
		return true;
	take_approval(w);
	if (!cs_ledger_approval_insert(l, &w->row, err))
		return false;
	if (as_stored && w->number != CS_MSG_INTENT)
		return refuse(l, w, err);
	s = cs_stmt(l->db, CS_SQL_REQUEST_APPROVE);
	cs_stmt_int(&s, w->row.n);
	if (!cs_stmt_run(&s, err))
		return false;
	w->row.state = CS_STATE_APPROVED;
	if (as_stored)
		return attempt(l, w, err);
	w->end = CS_END_DRIVE;
	return true;
}

/* A pending request, met again. */
static bool known_pending(struct cs_ledger *l, struct cs_work *w,
			  struct cs_error *err)
{
	if (has(w, CS_REQ_DENIED)) {
		take_own_denial(l, w);
		return cs_ledger_approval_insert(l, &w->row, err) &&
		       deny(l, w, err);
	}
	if (has(w, CS_REQ_APPROVED))
		return approve(l, w, err);
	if (w->number == CS_MSG_WORKER_KILLER)
		return refuse(l, w, err);
	w->end = CS_END_ROW;
	w->replay = 1;
	return true;
}

/* The submitter is gone: what it left open is denied. */
static bool orphan(struct cs_ledger *l, struct cs_work *w, struct cs_error *err)
{
	struct cs_draft *d;

	if (!cs_ledger_refuse_fixed(
		    l, &w->row, CS_LEAF_DENIED, "CLIENT_REMOVED",
		    "the client that submitted it was removed", &d, err))
		return false;
	cs_work_decided(w, d);
	return true;
}

/* A request that stands in the database. */
static bool known(struct cs_ledger *l, struct cs_work *w, struct cs_error *err)
{
	struct cs_attempt *under_way;

	if (memcmp(w->row.fingerprint, w->request.fingerprint, 32) != 0) {
		cs_work_answer(w, CS_ANSWER_CONFLICT, "IDEMPOTENCY_CONFLICT",
			       has(w, CS_REQ_KNOWN)
				       ? "another request than the one that "
					 "was asked about"
				       : "the key belongs to another request");
		return true;
	}
	if (w->row.state > CS_STATE_APPROVED) {
		w->end = CS_END_ROW;
		w->replay = memcmp(w->row.id, w->request.id, 16) != 0;
		return true;
	}
	under_way = cs_ledger_attempt_of(l, w->row.n);
	if (under_way != NULL) {
		/* A second opinion, after a worker's death, is dropped. */
		w->end = under_way->work->ticket == w->ticket ? CS_END_DROP
							      : CS_END_WAIT;
		return true;
	}
	if (!cs_ledger_is_open(l, w))
		return true;
	if (cs_roster_is_removed(l->roster, w->row.client))
		return orphan(l, w, err);
	if (w->row.state == CS_STATE_PENDING)
		return known_pending(l, w, err);
	if (!judged_as_stored(w)) {
		w->end = CS_END_DRIVE;
		return true;
	}
	if (!is_current(l, w))
		return true;
	return proceed(l, w, err);
}

/* Find the row that this work is about, if there is one. */
static bool find(struct cs_ledger *l, struct cs_work *w, bool *ret_found,
		 struct cs_error *err)
{
	struct cs_span id = cs_span_make(w->request.id, 16);

	*ret_found = false;
	if (has(w, CS_REQ_KNOWN) || w->look_up)
		return cs_stored_by_id(l->db, id, &w->arena, &w->row, ret_found,
				       err);
	if (w->request.idem_key.n == 0)
		return true;
	return cs_stored_by_key(l->db, w->request.client, w->request.idem_key,
				&w->arena, &w->row, ret_found, err);
}

/* A dry run: the same checks, and nothing stays. */
static bool dry_run(struct cs_ledger *l, struct cs_work *w,
		    struct cs_error *err)
{
	bool found = false;

	if (!find(l, w, &found, err))
		return false;
	if (found && memcmp(w->row.fingerprint, w->request.fingerprint, 32)) {
		cs_work_answer(w, CS_ANSWER_CONFLICT, "IDEMPOTENCY_CONFLICT",
			       "the key belongs to another request");
		return true;
	}
	row_from_message(l, w);
	if (!cs_ledger_may_submit(l, w) || !is_current(l, w))
		return true;
	if (w->number == CS_MSG_INTENT &&
	    !limits_are_whole(w->m.intent.limits)) {
		malformed_limits(w);
		return true;
	}
	return cs_ledger_dry_run(l, w, err);
}

bool cs_ledger_do_request(struct cs_ledger *l, struct cs_work *w,
			  struct cs_error *err)
{
	bool found = false;

	if (w->serial_taken) {
		cs_work_answer(w, CS_ANSWER_BUSY, "SERIAL_COLLISION",
			       "the serial was used before");
		return true;
	}
	if (has(w, CS_REQ_DRY_RUN))
		return !cs_ledger_is_open(l, w) || dry_run(l, w, err);
	if (!find(l, w, &found, err))
		return false;
	if (found)
		return known(l, w, err);
	if (has(w, CS_REQ_KNOWN)) {
		cs_work_answer(w, CS_ANSWER_GONE, "NOT_FOUND",
			       "there is no such request");
		return true;
	}
	return !cs_ledger_is_open(l, w) || fresh(l, w, err);
}

/* The denier's words and row ids. */
static void take_denial(struct cs_work *w)
{
	w->row.approval = w->said;
	w->row.approval.client = w->m.deny.client;
	w->row.approval.credential = w->m.deny.credential;
	w->row.approval.uid = w->m.deny.uid;
	w->row.approval.denies = 1;
	memcpy(w->row.approval.binds, w->row.fingerprint, 32);
}

bool cs_ledger_do_deny(struct cs_ledger *l, struct cs_work *w,
		       struct cs_error *err)
{
	static const uint8_t unstated[32];
	const struct cs_msg_deny *m = &w->m.deny;
	bool found = false;

	if (!cs_stored_by_id(l->db, cs_span_make(m->id, 16), &w->arena, &w->row,
			     &found, err))
		return false;
	if (!found) {
		cs_work_answer(w, CS_ANSWER_GONE, "NOT_FOUND",
			       "there is no such request");
		return true;
	}
	if (memcmp(m->fingerprint, unstated, 32) != 0 &&
	    memcmp(m->fingerprint, w->row.fingerprint, 32) != 0) {
		cs_work_answer(w, CS_ANSWER_CONFLICT, "REQUEST_CHANGED",
			       "request_sha256 is that of another request");
		return true;
	}
	if (w->row.state == CS_STATE_DENIED) {
		w->end = CS_END_ROW;
		w->replay = 1;
		return true;
	}
	if (w->row.state != CS_STATE_PENDING) {
		cs_work_answer(w, CS_ANSWER_CONFLICT, "STATE_CONFLICT",
			       "the request is %s",
			       cs_request_state_name(w->row.state));
		return true;
	}
	if (!cs_ledger_is_open(l, w) ||
	    !cs_ledger_may_approve(l, w, w->row.issuer, m->client,
				   m->credential))
		return true;
	take_denial(w);
	return cs_ledger_approval_insert(l, &w->row, err) && deny(l, w, err);
}
