#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "base/failpoint.h"
#include "base/limit.h"
#include "base/mem.h"
#include "store/ledger_room.h"

/* When clients come again after a signature that could not be made. */
#define UNSIGNED_RETRY_S 10

void cs_ledger_attempt_free(struct cs_attempt *a)
{
	if (a == NULL)
		return;
	cs_ledger_work_free(a->work);
	cs_mem_free(a);
}

struct cs_attempt *cs_ledger_attempt_of(const struct cs_ledger *l, int64_t n)
{
	for (struct cs_attempt *a = l->attempts; a != NULL; a = a->next)
		if (a->work->row.n == n)
			return a;
	for (struct cs_attempt *a = l->batch.attempts; a != NULL; a = a->next)
		if (a->work->row.n == n)
			return a;
	return NULL;
}

/* The attempt's row. */
static bool row_insert(struct cs_ledger *l, const struct cs_attempt *a,
		       struct cs_error *err)
{
	const struct cs_msg_intent *m = &a->work->m.intent;
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_ATTEMPT_INSERT);

	cs_stmt_int(&s, (int64_t)a->seq);
	cs_stmt_int(&s, a->work->row.n);
	cs_stmt_int(&s, l->issuers[a->issuer].id);
	cs_stmt_blob(&s, m->serial);
	cs_stmt_blob(&s, cs_span_make(m->spki_sha256, 32));
	cs_stmt_blob(&s, cs_span_make(m->subject_key, 32));
	cs_stmt_int(&s, m->now_ms);
	cs_stmt_int(&s, (int64_t)m->epoch);
	cs_stmt_int(&s, m->not_after_s);
	cs_stmt_blob(&s, m->tbs);
	cs_stmt_blob(&s, m->body);
	cs_stmt_blob(&s, m->terms);
	cs_stmt_blob(&s, m->inputs);
	cs_stmt_blob(&s, m->limits);
	return cs_stmt_run(&s, err);
}

/* Which key was certified for whom. */
static bool key_use_insert(struct cs_ledger *l, const struct cs_attempt *a,
			   struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_KEY_USE_INSERT);

	cs_stmt_blob(&s, cs_span_make(a->work->m.intent.spki_sha256, 32));
	cs_stmt_blob(&s, cs_span_make(a->work->m.intent.subject_key, 32));
	cs_stmt_int(&s, (int64_t)a->seq);
	return cs_stmt_run(&s, err);
}

/* One use for each limit that counts. */
static bool limit_use_insert(struct cs_ledger *l, const struct cs_attempt *a,
			     struct cs_error *err)
{
	struct cs_span list = a->work->m.intent.limits;
	struct cs_limit limit;
	bool bad = false;

	while (cs_limit_next(&list, &limit, &bad)) {
		struct cs_stmt s;

		if (!cs_limit_counts(&limit))
			continue;
		s = cs_stmt(l->db, CS_SQL_LIMIT_USE_INSERT);
		cs_stmt_str(&s, limit.rule);
		cs_stmt_blob(&s, limit.key);
		cs_stmt_int(&s, a->work->m.intent.now_ms);
		cs_stmt_int(&s, (int64_t)a->seq);
		if (!cs_stmt_run(&s, err))
			return false;
	}
	return true;
}

bool cs_ledger_attempt_insert(struct cs_ledger *l, struct cs_work *w,
			      struct cs_error *err)
{
	const struct cs_ledger_issuer_row *issuer =
		cs_ledger_issuer(l, w->row.issuer);
	struct cs_attempt *a = cs_mem_new(sizeof(*a));
	bool ok;

	if (a == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "attempt");
	a->seq = l->batch.seq + 1;
	a->work = w;
	a->issuer = (size_t)(issuer - l->issuers);
	memcpy(a->set_sha256, l->batch.set_sha256, sizeof(a->set_sha256));
	ok = row_insert(l, a, err);
	/* The one unique value that a worker chose: begin again without. */
	if (!ok && err->code == CS_E_EXISTS)
		w->serial_taken = true;
	if (!ok || !key_use_insert(l, a, err) || !limit_use_insert(l, a, err)) {
		cs_mem_free(a);
		return false;
	}
	l->batch.seq = a->seq;
	a->next = l->batch.attempts;
	l->batch.attempts = a;
	l->batch.wrote = true;
	w->attempt = a;
	w->end = CS_END_SIGN;
	return true;
}

/*
 * Did the signer fail, rather than find fault with the TBS? Then nothing is
 * decided. Every other code, and one that we do not know, is a refusal: so is
 * a signature that does not verify, since a key that makes such ones is not to
 * be asked for more.
 */
static bool is_failure(struct cs_span code)
{
	static const enum cs_error_code failures[] = {
		CS_E_CRYPTO, CS_E_NO_MEMORY, CS_E_IO, CS_E_UNREACHABLE};

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (cs_span_equal_str(code, cs_error_slug(failures[i])))
			return true;
	return false;
}

/* What this answer says of the issuer's key. */
static void note_health(struct cs_ledger *l, const struct cs_attempt *a)
{
	struct cs_ledger_issuer_row *issuer = &l->issuers[a->issuer];

	if (a->good)
		issuer->failing = false;
	if (!a->undecided)
		return;
	issuer->failing = true;
	issuer->rest_boot_ms =
		cs_clock_boot_ms(&l->config.clock) + CS_LEDGER_SIGNER_REST_MS;
}

bool cs_ledger_signed(struct cs_ledger *l, const struct cs_msg_signed *m,
		      struct cs_error *err)
{
	struct cs_attempt *a = l->attempts;

	while (a != NULL && a->seq != m->seq)
		a = a->next;
	if (a == NULL || a->answered)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "SIGNED: sequence %llu was not asked for",
				    (unsigned long long)m->seq);
	cs_histogram_add(
		&l->metrics->sign_time, CS_HISTOGRAM_TIMES,
		(uint64_t)(cs_clock_boot_us(&l->config.clock) - a->sent_us));
	if (m->ok != 0 &&
	    (m->signature.n == 0 || m->signature.n > sizeof(a->signature)))
		return cs_error_set(err, CS_E_PROTOCOL,
				    "SIGNED: a signature of %zu octets",
				    m->signature.n);
	(void)cs_failpoint("ledger.after_signed");
	a->answered = true;
	a->good = m->ok != 0;
	if (a->good) {
		memcpy(a->signature, m->signature.p, m->signature.n);
		a->signature_n = m->signature.n;
	} else {
		a->undecided = is_failure(m->code);
		(void)snprintf(a->why, sizeof(a->why), "%.*s: %.*s",
			       (int)(m->code.n > 40 ? 40 : m->code.n),
			       (const char *)m->code.p,
			       (int)(m->detail.n > 150 ? 150 : m->detail.n),
			       (const char *)m->detail.p);
	}
	note_health(l, a);
	a->next_signed = NULL;
	*l->signed_last = a;
	l->signed_last = &a->next_signed;
	l->signed_n++;
	cs_idle_request(l->commit);
	return true;
}

/* The certificate is there: issued. */
static bool outcome_issued(struct cs_ledger *l, struct cs_attempt *a,
			   struct cs_error *err)
{
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_ISSUED, err);

	if (d == NULL)
		return false;
	d->row = CS_DRAFT_OUTCOME;
	d->decides = true;
	d->update = true;
	d->state = CS_STATE_ISSUED;
	d->attempt = a;
	d->signature = cs_span_make(a->signature, a->signature_n);
	d->has_ticket = !a->told;
	d->ticket = a->work->ticket;
	d->decision = a->work->m.intent.body;
	cs_ledger_draft_request(l, d, &a->work->row);
	cs_ledger_draft_attempt(l, d, a);
	cs_buf_reset(&l->der);
	cs_der_write_signed(&l->der, d->rec.tbs, l->issuers[a->issuer].sig_alg,
			    d->signature);
	if (!cs_buf_finish(&l->der, "certificate", err))
		return false;
	if (!cs_arena_dup(&l->batch.arena, cs_buf_span(&l->der),
			  &d->rec.certificate))
		return cs_error_set(err, CS_E_NO_MEMORY, "certificate");
	return true;
}

/*
 * The serial is burnt, as after a crash; the request stays as it is, and its
 * uses of limits and keys count no more.
 */
static bool outcome_abandoned(struct cs_ledger *l, struct cs_attempt *a,
			      struct cs_error *err)
{
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_ATTEMPT_ABANDONED, err);

	if (d == NULL)
		return false;
	d->row = CS_DRAFT_OUTCOME;
	d->request = a->work->row.n;
	d->rec.id = a->work->row.id;
	cs_ledger_draft_attempt(l, d, a);
	d->decision = d->rec.body;
	return true;
}

/* The signer would not: the serial is burnt, the request refused. */
static bool outcome_refused(struct cs_ledger *l, struct cs_attempt *a,
			    struct cs_error *err)
{
	struct cs_draft *d;

	if (!outcome_abandoned(l, a, err) ||
	    !cs_ledger_refuse_fixed(l, &a->work->row, CS_LEAF_REFUSED,
				    "SIGNER_REFUSED", a->why, &d, err))
		return false;
	d->has_ticket = !a->told;
	d->ticket = a->work->ticket;
	return true;
}

/* One outcome, whichever it is. */
static bool outcome(struct cs_ledger *l, struct cs_attempt *a,
		    struct cs_error *err)
{
	if (a->good)
		return outcome_issued(l, a, err);
	return a->undecided ? outcome_abandoned(l, a, err)
			    : outcome_refused(l, a, err);
}

bool cs_ledger_do_signed(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_attempt *a = l->signed_first;

	for (; a != NULL && l->batch.settled_n < CS_MAX_BATCH;
	     a = a->next_signed) {
		if (!outcome(l, a, err))
			return false;
		l->batch.settled[l->batch.settled_n++] = a;
	}
	return true;
}

/* Take an attempt out of the list of those under way. */
static void unlink_attempt(struct cs_ledger *l, struct cs_attempt *a)
{
	struct cs_attempt **at = &l->attempts;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
}

/* Nothing was decided: whoever waits is told to come again. */
static void tell_unsigned(struct cs_ledger *l, const struct cs_attempt *a)
{
	struct cs_msg_answer m = {
		.outcome = CS_ANSWER_BUSY,
		.code = CS_SPAN_LIT("SIGNER_UNAVAILABLE"),
		.detail = CS_SPAN_LIT("the issuer's key could not be used; "
				      "nothing was decided"),
		.retry_s = UNSIGNED_RETRY_S,
	};

	memcpy(m.id, a->work->row.id, sizeof(m.id));
	if (!a->told)
		cs_ledger_send_answer(l, a->work->ticket, &m);
	cs_ledger_tell_waiters(l, a->work->row.n, &m);
}

void cs_ledger_attempts_settle(struct cs_ledger *l)
{
	for (size_t i = 0; i < l->batch.settled_n; i++) {
		struct cs_attempt *a = l->batch.settled[i];

		l->signed_first = a->next_signed;
		l->signed_n--;
		unlink_attempt(l, a);
		if (a->undecided)
			tell_unsigned(l, a);
		cs_ledger_attempt_free(a);
	}
	if (l->signed_first == NULL)
		l->signed_last = &l->signed_first;
	l->batch.settled_n = 0;
}

void cs_ledger_attempts_start(struct cs_ledger *l)
{
	struct cs_attempt *newest = l->batch.attempts;
	struct cs_attempt *in_order = NULL;
	struct cs_attempt **at = &l->attempts;

	l->batch.attempts = NULL;
	while (newest != NULL) {
		struct cs_attempt *next = newest->next;

		newest->next = in_order;
		in_order = newest;
		newest = next;
	}
	while (*at != NULL)
		at = &(*at)->next;
	*at = in_order;
	for (struct cs_attempt *a = in_order; a != NULL; a = a->next) {
		const struct cs_ledger_issuer *c = l->issuers[a->issuer].config;
		struct cs_msg_sign m = {
			.seq = a->seq,
			.issuer = cs_span_str(c->label != NULL ? c->label
							       : c->name),
			.tbs = a->work->m.intent.tbs,
		};
		struct cs_link *signer = l->signers[a->seq % l->signers_n];
		struct cs_error err = {0};

		(void)cs_failpoint("ledger.before_sign");
		a->sent_us = cs_clock_boot_us(&l->config.clock);
		if (signer == NULL || !cs_link_send_sign(signer, 0, &m, &err))
			cs_ledger_link_failed(l, &err);
	}
}
