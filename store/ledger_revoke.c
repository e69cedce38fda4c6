/*
 * Revoking: a row and a leaf, for ever (base/revoke.h). What is revoked is an
 * attempt's serial, whatever became of the attempt: of one that was abandoned
 * or is under way, a signature may exist that nobody has recorded.
 */
#include <stdio.h>

#include "base/failpoint.h"
#include "base/revoke.h"
#include "base/terms.h"
#include "base/time.h"
#include "store/ledger_room.h"
#include "store/schema.h"

/* Columns of REVOCATION_FIND. */
enum {
	T_SEQ,
	T_REQUEST,
	T_ISSUER,
	T_ISSUER_NAME,
	T_GENERATION,
	T_SHARDS,
	T_NOT_AFTER,
	T_TERMS,
	T_REASON,
	T_AT
};

/* What is to be revoked, in the batch's arena. */
struct target {
	uint64_t seq;
	int64_t issuer;
	struct cs_span issuer_name;
	uint64_t generation;
	uint32_t shards;
	int64_t not_after_s;
	struct cs_span terms;
	bool is_ca; /* one of our own CA certificates */
	bool is_revoked;
	unsigned reason; /* then */
	int64_t at_ms;
};

/* The attempt with a serial. *ret_found = false: we have none. */
static bool target_find(struct cs_ledger *l, struct cs_span serial,
			struct target *t, bool *ret_found, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_REVOCATION_FIND);
	bool ok;

	cs_stmt_blob(&s, serial);
	if (!cs_stmt_step(&s, ret_found, err))
		return false;
	*t = (struct target){
		.seq = (uint64_t)cs_stmt_col_int(&s, T_SEQ),
		.issuer = cs_stmt_col_int(&s, T_ISSUER),
		.generation = (uint64_t)cs_stmt_col_int(&s, T_GENERATION),
		.shards = (uint32_t)cs_stmt_col_int(&s, T_SHARDS),
		.not_after_s = cs_stmt_col_int(&s, T_NOT_AFTER),
		.is_ca = cs_stmt_is_null(&s, T_REQUEST),
		.is_revoked = !cs_stmt_is_null(&s, T_REASON),
		.reason = (unsigned)cs_stmt_col_int(&s, T_REASON),
		.at_ms = cs_stmt_col_int(&s, T_AT),
	};
	ok = cs_arena_dup(&l->batch.arena, cs_stmt_col(&s, T_ISSUER_NAME),
			  &t->issuer_name) &&
	     cs_arena_dup(&l->batch.arena, cs_stmt_col(&s, T_TERMS), &t->terms);
	cs_stmt_end(&s);
	return ok || cs_error_set(err, CS_E_NO_MEMORY, "revocation");
}

/* Nothing is revoked: a code, and why. */
static void refuse(struct cs_work *w, const char *code, const char *fmt, ...)
	CS_PRINTF(3, 4);
static void refuse(struct cs_work *w, const char *code, const char *fmt, ...)
{
	char text[CS_ERROR_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cs_ledger_act_done(w, 0, code, text);
}

/* Is anything revoked now? A time that cannot be trusted stays for ever. */
static bool is_open(struct cs_ledger *l, struct cs_work *w)
{
	enum cs_ledger_state state = cs_ledger_state(l);

	if (state == CS_LEDGER_ISSUING || state == CS_LEDGER_NO_POLICY)
		return true;
	refuse(w, cs_ledger_closed_code(l), "nothing is revoked now%s",
	       state == CS_LEDGER_CLOCK
		       ? ": the wall clock is not trusted (countersign clock "
			 "accept)"
		       : "");
	return false;
}

/* May this client revoke for this issuer? */
static bool may_revoke(struct cs_ledger *l, struct cs_work *w,
		       struct cs_span issuer)
{
	uint64_t credential = w->m.revoke.credential;
	enum cs_roster_verdict v = cs_roster_check(
		l->roster, cs_roster_owner(l->roster, credential), credential,
		CS_RIGHT_BIT_REVOKE, issuer, l->batch.now_ms);

	if (v == CS_ROSTER_GOOD)
		return true;
	refuse(w, "FORBIDDEN", "revoke: %s", cs_ledger_roster_says(v));
	return false;
}

/* Can it be revoked, now and for this reason? If not, *w says why. */
static bool can_be(struct cs_ledger *l, struct cs_work *w,
		   const struct target *t)
{
	char at[CS_TIME_TEXT];

	if (t->is_ca) {
		refuse(w, "CA_CERTIFICATE",
		       "it is the certificate of one of our own CAs: whoever "
		       "issued it revokes it");
		return false;
	}
	if (t->is_revoked && t->reason != w->m.revoke.reason) {
		cs_time_rfc3339(t->at_ms / 1000, at);
		refuse(w, "ALREADY_REVOKED",
		       "it was revoked at %s for %s, and that stands", at,
		       cs_reason_name((enum cs_reason)t->reason));
		return false;
	}
	if (!t->is_revoked && t->not_after_s < l->batch.now_ms / 1000) {
		cs_time_rfc3339(t->not_after_s, at);
		refuse(w, "CERTIFICATE_EXPIRED",
		       "it expired at %s: nobody relies on it any more", at);
		return false;
	}
	return true;
}

/* {"message"?, "reason"}, in the batch's arena. */
static bool body_write(struct cs_ledger *l, const struct cs_msg_revoke *m,
		       struct cs_span *ret, struct cs_error *err)
{
	struct cs_json j;

	cs_ledger_act_begin(l, &j);
	if (m->message.n > 0)
		cs_json_member_span(&j, "message", m->message);
	cs_json_member_str(&j, "reason",
			   cs_reason_name((enum cs_reason)m->reason));
	cs_json_end(&j);
	return cs_ledger_act_keep(l, &j, ret, err);
}

/* Does a certificate's search term lead to its revocation, too? */
static bool goes_along(uint8_t field)
{
	return field == CS_TERM_DNS || field == CS_TERM_IP ||
	       field == CS_TERM_URI || field == CS_TERM_EMAIL ||
	       field == CS_TERM_CN || field == CS_TERM_SPKI ||
	       field == CS_TERM_NAMESPACE;
}

/* Search terms: the certificate's names and key, serial, issuer; by whom. */
static bool terms_write(struct cs_ledger *l, const struct cs_work *w,
			const struct target *t, struct cs_span *ret,
			struct cs_error *err)
{
	uint64_t client = cs_roster_owner(l->roster, w->m.revoke.credential);
	struct cs_span left = t->terms;
	struct cs_span value;
	struct cs_terms terms;
	uint8_t field;
	bool ok;

	cs_terms_init(&terms, &l->batch.arena);
	ok = cs_terms_add(&terms, CS_TERM_CLIENT,
			  cs_roster_name(l->roster, client)) &&
	     cs_terms_add(&terms, CS_TERM_ISSUER, t->issuer_name) &&
	     cs_terms_add(&terms, CS_TERM_SERIAL, w->m.revoke.serial);
	while (ok && cs_terms_next(&left, &field, &value, NULL))
		if (goes_along(field))
			ok = cs_terms_add(&terms, (enum cs_term)field, value);
	if (!ok)
		return cs_error_set(err, CS_E_NO_MEMORY, "search terms");
	cs_buf_reset(&l->json);
	cs_terms_encode(&terms, &l->json);
	return cs_ledger_act_keep(l, NULL, ret, err);
}

/* The row; its leaf is written behind it, in this transaction. */
static bool row_insert(struct cs_ledger *l, const struct cs_leaf_record *r,
		       uint32_t shard, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_REVOCATION_INSERT);

	cs_stmt_int(&s, (int64_t)r->seq);
	cs_stmt_int(&s, (int64_t)r->issuer);
	cs_stmt_int(&s, shard);
	cs_stmt_blob(&s, r->serial);
	cs_stmt_int(&s, r->not_after_s);
	cs_stmt_int(&s, r->at_ms);
	cs_stmt_int(&s, r->reason);
	cs_stmt_int(&s, (int64_t)r->client);
	cs_stmt_int(&s, (int64_t)r->credential);
	cs_stmt_int(&s, r->uid);
	cs_stmt_blob(&s, r->body);
	cs_stmt_blob(&s, r->terms);
	cs_stmt_int(&s, (int64_t)r->index);
	return cs_stmt_run(&s, err);
}

bool cs_ledger_compromised_load(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_stmt s;

	if (!cs_db_exec(l->db, cs_schema_compromised, err))
		return false;
	s = cs_stmt(l->db, CS_SQL_COMPROMISED_LOAD);
	return cs_stmt_run(&s, err);
}

/* Its key is certified no more; undone with the transaction. */
static bool compromised_add(struct cs_ledger *l, uint64_t seq,
			    struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_COMPROMISED_ADD);

	cs_stmt_int(&s, (int64_t)seq);
	return cs_stmt_run(&s, err);
}

/* A new revocation: leaf and row. */
static bool record(struct cs_ledger *l, struct cs_work *w,
		   const struct target *t, struct cs_error *err)
{
	const struct cs_msg_revoke *m = &w->m.revoke;
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_REVOKED, err);
	struct cs_leaf_record *r;

	if (d == NULL)
		return false;
	r = &d->rec;
	cs_ledger_draft_actor(l, d, cs_roster_owner(l->roster, m->credential),
			      m->credential, m->uid);
	r->issuer = (uint64_t)t->issuer;
	r->issuer_name = t->issuer_name;
	r->generation = t->generation;
	r->seq = t->seq;
	r->serial = m->serial;
	r->not_after_s = t->not_after_s;
	r->reason = m->reason;
	if (!body_write(l, m, &r->body, err) ||
	    !terms_write(l, w, t, &r->terms, err))
		return false;
	d->decision = r->body;
	return row_insert(l, r, cs_revoke_shard(r->serial, t->shards), err) &&
	       (r->reason != CS_REASON_KEY_COMPROMISE ||
		compromised_add(l, r->seq, err));
}

bool cs_ledger_do_revoke(struct cs_ledger *l, struct cs_work *w,
			 struct cs_error *err)
{
	struct target t;
	bool found = false;

	if (!is_open(l, w))
		return true;
	if (!target_find(l, w->m.revoke.serial, &t, &found, err))
		return false;
	/* Who may revoke nothing at all learns nothing of serials. */
	if (!may_revoke(l, w, found ? t.issuer_name : CS_SPAN_LIT("")))
		return true;
	if (!found) {
		refuse(w, "NOT_FOUND", "There is no such certificate.");
		return true;
	}
	if (!can_be(l, w, &t) || (!t.is_revoked && !record(l, w, &t, err)))
		return w->end == CS_END_ADMIN;
	w->end = CS_END_REVOKED;
	w->revoked = t.seq;
	return true;
}

/* The answer, from the row alone. */
static bool answer_write(struct cs_ledger *l, struct cs_stmt *s,
			 struct cs_error *err)
{
	struct cs_json j;

	cs_buf_reset(&l->json);
	cs_json_begin(&j, &l->json);
	cs_json_object(&j);
	cs_json_member_span(&j, "issuer", cs_stmt_col(s, 6));
	cs_json_name(&j, "log");
	cs_json_object(&j);
	cs_json_member_int(&j, "index", cs_stmt_col_int(s, 3));
	cs_json_member_hex(&j, "leaf_hash", cs_stmt_col(s, 4));
	cs_json_member_int(&j, "tree_size", cs_stmt_col_int(s, 5));
	cs_json_end(&j);
	cs_json_member_str(
		&j, "reason",
		cs_reason_name((enum cs_reason)cs_stmt_col_int(s, 2)));
	cs_json_name(&j, "revoked");
	cs_json_time_ms(&j, cs_stmt_col_int(s, 1));
	cs_json_member_hex(&j, "serial", cs_stmt_col(s, 0));
	cs_json_end(&j);
	return cs_json_finish(&j, "revocation", err);
}

void cs_ledger_revoke_answer(struct cs_ledger *l, struct cs_work *w)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_REVOCATION_ANSWER);
	struct cs_error err = {0};
	bool row = false;

	cs_stmt_int(&s, (int64_t)w->revoked);
	if (cs_stmt_step(&s, &row, &err) && row && answer_write(l, &s, &err)) {
		cs_ledger_act_done(w, 1, "", "");
		w->reply = cs_buf_span(&l->json);
	} else {
		cs_log_error(l->config.log, "answer.failed", &err);
		cs_ledger_act_done(w, 0, "LEDGER_ERROR",
				   "it is revoked, but the row cannot be read");
	}
	(void)cs_failpoint("ledger.before_revoke_answer");
	cs_ledger_send_admin(l, w);
	cs_stmt_end(&s);
}
