#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limit.h"
#include "base/time.h"
#include "store/ledger_room.h"

/* Clients retry after this; front may say more. */
#define RETRY_S	     1
#define RETRY_FULL_S 10
#define RETRY_CA_S   300

void cs_work_answer(struct cs_work *w, enum cs_answer outcome, const char *code,
		    const char *fmt, ...)
{
	va_list args;

	w->end = CS_END_ANSWER;
	w->outcome = outcome;
	w->code = code;
	w->retry_s = outcome == CS_ANSWER_BUSY ? RETRY_S : 0;
	va_start(args, fmt);
	(void)vsnprintf(w->detail, sizeof(w->detail), fmt, args);
	va_end(args);
}

/* Why nothing is decided, by state. */
static const struct {
	enum cs_ledger_state state;
	const char *code, *detail;
} closed[] = {
	{CS_LEDGER_SPLIT, "SPLIT_VIEW",
	 "the checkpoint outside is newer than the log: nothing is decided"},
	{CS_LEDGER_STOPPING, "STOPPING", "the server is stopping"},
	{CS_LEDGER_FULL, "LEDGER_FULL", "no space is left for the ledger"},
	{CS_LEDGER_CLOCK, "CLOCK_NOT_TRUSTED",
	 "the wall clock is not trusted: countersign clock accept"},
	{CS_LEDGER_NO_POLICY, "NO_POLICY_SET", "no policy was ever applied"},
};

const char *cs_ledger_closed_code(const struct cs_ledger *l)
{
	enum cs_ledger_state state = cs_ledger_state(l);

	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		if (closed[i].state == state)
			return closed[i].code;
	return NULL;
}

bool cs_ledger_is_open(struct cs_ledger *l, struct cs_work *w)
{
	enum cs_ledger_state state = cs_ledger_state(l);

	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
		if (closed[i].state != state)
			continue;
		cs_work_answer(w, CS_ANSWER_BUSY, closed[i].code, "%s",
			       closed[i].detail);
		if (state == CS_LEDGER_FULL)
			w->retry_s = RETRY_FULL_S;
		return false;
	}
	return true;
}

bool cs_ledger_is_current(struct cs_ledger *l, struct cs_work *w,
			  uint64_t epoch, int64_t now_ms)
{
	int64_t ahead = now_ms - l->batch.now_ms;

	if (epoch != l->batch.epoch) {
		w->end = CS_END_REJUDGE;
		return false;
	}
	if (ahead > CS_LEDGER_NOW_TOLERANCE_MS ||
	    ahead < -CS_LEDGER_NOW_TOLERANCE_MS) {
		cs_work_answer(w, CS_ANSWER_BUSY, "JUDGED_TOO_LONG_AGO",
			       "judged %lld ms away from the ledger's clock",
			       (long long)ahead);
		return false;
	}
	return true;
}

bool cs_ledger_ca_is_valid(struct cs_ledger *l, struct cs_work *w)
{
	const struct cs_ledger_issuer_row *row =
		cs_ledger_issuer(l, w->request.issuer);
	const struct cs_ledger_issuer *c = row != NULL ? row->config : NULL;
	int64_t now_s = l->batch.now_ms / 1000;
	char text[CS_TIME_TEXT];

	if (c == NULL || c->not_after_s == 0)
		return true;
	/*= RFC 5280 6.1.3 */
	if (now_s > c->not_after_s) {
		cs_time_rfc3339(c->not_after_s, text);
		cs_work_answer(w, CS_ANSWER_BUSY, "CA_EXPIRED",
			       "issuer %s: its CA expired at %s", c->name,
			       text);
	} else if (now_s < c->not_before_s) {
		cs_time_rfc3339(c->not_before_s, text);
		cs_work_answer(w, CS_ANSWER_BUSY, "CA_NOT_YET_VALID",
			       "issuer %s: its CA is valid from %s only",
			       c->name, text);
	} else {
		return true;
	}
	w->retry_s = RETRY_CA_S;
	return false;
}

const char *cs_ledger_roster_says(enum cs_roster_verdict v)
{
	switch (v) {
	case CS_ROSTER_REMOVED:
		return "the client was removed";
	case CS_ROSTER_REVOKED:
		return "the credential was revoked";
	case CS_ROSTER_EXPIRED:
		return "the credential has expired";
	case CS_ROSTER_NO_RIGHT:
		return "the client does not hold the right";
	case CS_ROSTER_NO_ISSUER:
		return "the client's right does not cover this issuer";
	default:
		return "good";
	}
}

/* The serial of the certificate that was shown; empty: none was. */
static struct cs_span shown_of(const struct cs_work *w)
{
	switch (w->number) {
	case CS_MSG_INTENT:
	case CS_MSG_REFUSAL:
	case CS_MSG_WORKER_KILLER:
		return w->request.shown;
	case CS_MSG_DENY:
		return w->m.deny.shown;
	case CS_MSG_APPLY:
		return w->m.apply.shown;
	case CS_MSG_CLIENT_CHANGE:
		return w->m.client_change.shown;
	case CS_MSG_CLOCK_ACCEPT:
		return w->m.clock_accept.shown;
	case CS_MSG_BACKUP:
		return w->m.backup.shown;
	case CS_MSG_REVOKE:
		return w->m.revoke.shown;
	case CS_MSG_CRL_PUBLISH:
		return w->m.crl_publish.shown;
	default:
		return cs_span_make(NULL, 0);
	}
}

/* Is it about a request, which ANSWER answers? */
static bool is_about_request(const struct cs_work *w)
{
	return w->number == CS_MSG_INTENT || w->number == CS_MSG_REFUSAL ||
	       w->number == CS_MSG_WORKER_KILLER || w->number == CS_MSG_DENY;
}

bool cs_ledger_shown_stands(struct cs_ledger *l, struct cs_work *w,
			    bool *ret_stands, struct cs_error *err)
{
	static const char why[] = "the client's certificate was revoked";
	struct cs_span serial = shown_of(w);
	struct cs_stmt s;
	bool row = false;

	*ret_stands = true;
	if (serial.n == 0)
		return true;
	s = cs_stmt(l->db, CS_SQL_REVOCATION_OF_SERIAL);
	cs_stmt_blob(&s, serial);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	cs_stmt_end(&s);
	*ret_stands = !row;
	if (row && is_about_request(w))
		cs_work_answer(w, CS_ANSWER_FORBIDDEN, "FORBIDDEN", "%s", why);
	else if (row)
		cs_ledger_act_done(w, 0, "FORBIDDEN", why);
	return true;
}

bool cs_ledger_may_submit(struct cs_ledger *l, struct cs_work *w)
{
	const struct cs_msg_request *r = &w->request;
	enum cs_roster_verdict v = cs_roster_check(
		l->roster, r->client, r->credential, CS_RIGHT_BIT_SUBMIT,
		r->issuer, l->batch.now_ms);

	if (v == CS_ROSTER_GOOD)
		return true;
	cs_work_answer(w, CS_ANSWER_FORBIDDEN, "FORBIDDEN", "submit: %s",
		       cs_ledger_roster_says(v));
	return false;
}

bool cs_ledger_may_approve(struct cs_ledger *l, struct cs_work *w,
			   struct cs_span issuer, uint64_t client,
			   uint64_t credential)
{
	const struct cs_ledger_issuer_row *row = cs_ledger_issuer(l, issuer);
	enum cs_roster_verdict v =
		cs_roster_check(l->roster, client, credential,
				CS_RIGHT_BIT_APPROVE, issuer, l->batch.now_ms);

	if (v != CS_ROSTER_GOOD) {
		cs_work_answer(w, CS_ANSWER_FORBIDDEN, "FORBIDDEN",
			       "approve: %s", cs_ledger_roster_says(v));
		return false;
	}
	/* The installation's own listener has nobody else to ask. */
	if ((w->request.flags & CS_REQ_SELF) != 0 && row != NULL &&
	    !row->config->self_approval && client != CS_ROSTER_HOUSE) {
		cs_work_answer(w, CS_ANSWER_FORBIDDEN, "SELF_APPROVAL",
			       "requester and approver are one, and issuer "
			       "%s does not allow that",
			       row->config->name);
		return false;
	}
	return true;
}

const struct cs_ledger_issuer_row *cs_ledger_issuer(const struct cs_ledger *l,
						    struct cs_span name)
{
	for (size_t i = 0; i < l->issuers_n; i++)
		if (cs_span_equal_str(name, l->issuers[i].config->name))
			return &l->issuers[i];
	return NULL;
}

bool cs_ledger_quota(struct cs_ledger *l, struct cs_work *w, bool *ret_room,
		     struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_REQUEST_OPEN_COUNT);
	int64_t n = 0;
	bool row = false;

	cs_stmt_int(&s, (int64_t)w->row.client);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row)
		n = cs_stmt_col_int(&s, 0);
	cs_stmt_end(&s);
	*ret_room = n < l->config.pending_quota;
	if (!*ret_room)
		cs_work_answer(w, CS_ANSWER_BUSY, "PENDING_QUOTA",
			       "the client has %lld open requests already",
			       (long long)n);
	return true;
}

/* How many uses of one limit stand, and when the oldest of them was. */
static bool limit_count(struct cs_ledger *l, const struct cs_limit *limit,
			int64_t *ret_n, int64_t *ret_oldest_ms,
			struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_LIMIT_USE_COUNT);
	bool row = false;

	cs_stmt_str(&s, limit->rule);
	cs_stmt_blob(&s, limit->key);
	cs_stmt_int(&s, l->batch.now_ms - (int64_t)limit->window_s * 1000);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	*ret_n = row ? cs_stmt_col_int(&s, 0) : 0;
	*ret_oldest_ms = row ? cs_stmt_col_int(&s, 1) : 0;
	cs_stmt_end(&s);
	return true;
}

/* Is the intent's key in use, for another subject or for the same? */
static bool key_is_used(struct cs_ledger *l, const struct cs_msg_intent *m,
			enum cs_limit_disposition which, bool *ret_used,
			struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, which == CS_LIMIT_KEY_SAME_SUBJECT
						  ? CS_SQL_KEY_USE_SAME
						  : CS_SQL_KEY_USE_OTHER);

	cs_stmt_blob(&s, cs_span_make(m->spki_sha256, 32));
	cs_stmt_blob(&s, cs_span_make(m->subject_key, 32));
	*ret_used = false;
	if (!cs_stmt_step(&s, ret_used, err))
		return false;
	cs_stmt_end(&s);
	return true;
}

/* Was a certificate of the intent's key revoked for its compromise? */
static bool key_is_compromised(struct cs_ledger *l,
			       const struct cs_msg_intent *m, bool *ret_is,
			       struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_KEY_COMPROMISED);

	cs_stmt_blob(&s, cs_span_make(m->spki_sha256, 32));
	if (!cs_stmt_step(&s, ret_is, err))
		return false;
	cs_stmt_end(&s);
	return true;
}

/* Is one of the list broken, and when will it not be? */
static bool check_limit(struct cs_ledger *l, const struct cs_msg_intent *m,
			const struct cs_limit *limit, bool *ret_broken,
			int64_t *ret_free_ms, struct cs_error *err)
{
	int64_t n = 0, oldest = 0;
	int64_t window_ms = (int64_t)limit->window_s * 1000;

	*ret_free_ms = 0;
	if (limit->disposition == CS_LIMIT_WINDOW) {
		*ret_broken = true;
		*ret_free_ms = m->now_ms + window_ms;
		return true;
	}
	if (!cs_limit_counts(limit))
		return key_is_used(l, m, limit->disposition, ret_broken, err);
	if (!limit_count(l, limit, &n, &oldest, err))
		return false;
	*ret_broken = n >= limit->count;
	*ret_free_ms = (n == 0 ? l->batch.now_ms : oldest) + window_ms;
	return true;
}

bool cs_ledger_limits(struct cs_ledger *l, const struct cs_msg_intent *m,
		      struct cs_limit *ret_broken, int64_t *ret_free_ms,
		      struct cs_error *err)
{
	struct cs_span list = m->limits;
	struct cs_limit limit = {.disposition = CS_LIMIT_KEY_COMPROMISED,
				 .rule = CS_SPAN_LIT("_house/key.compromised")};
	int64_t free_ms = 0;
	bool bad = false, broken = false;

	if (!key_is_compromised(l, m, &broken, err))
		return false;
	while (!broken && cs_limit_next(&list, &limit, &bad)) {
		if (!check_limit(l, m, &limit, &broken, &free_ms, err))
			return false;
	}
	*ret_broken = broken ? limit : (struct cs_limit){.rule = {NULL, 0}};
	*ret_free_ms = broken ? free_ms : 0;
	return true;
}
