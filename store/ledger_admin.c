#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/json.h"
#include "base/sources.h"
#include "store/ledger_room.h"
#include "store/rows.h"

/* Does this credential's owner administer? 0: the house itself (SIGHUP). */
static bool may_administer(struct cs_ledger *l, struct cs_work *w,
			   uint64_t credential)
{
	uint64_t client = cs_roster_owner(l->roster, credential);

	if (credential == 0 ||
	    cs_roster_check(l->roster, client, credential, CS_RIGHT_BIT_ADMIN,
			    CS_SPAN_LIT(""), l->batch.now_ms) == CS_ROSTER_GOOD)
		return true;
	cs_ledger_act_done(w, 0, "FORBIDDEN",
			   "administration: the client does not hold it");
	return false;
}

/* -- policy sets -------------------------------------------------------- */

/* The row of one source; made if it is not there. */
static bool source_row(struct cs_ledger *l, const struct cs_source *source,
		       const uint8_t sha256[32], int64_t *ret_n,
		       struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_POLICY_SOURCE_FIND);
	bool row = false;

	cs_stmt_blob(&s, cs_span_make(sha256, 32));
	cs_stmt_str(&s, source->name);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row)
		*ret_n = cs_stmt_col_int(&s, 0);
	cs_stmt_end(&s);
	if (row)
		return true;
	s = cs_stmt(l->db, CS_SQL_POLICY_SOURCE_INSERT);
	cs_stmt_blob(&s, cs_span_make(sha256, 32));
	cs_stmt_str(&s, source->name);
	cs_stmt_blob(&s, source->bytes);
	if (!cs_stmt_run(&s, err))
		return false;
	*ret_n = cs_db_last_row(l->db);
	return true;
}

/* The set's row. */
static bool set_row(struct cs_ledger *l, const struct cs_msg_apply *m,
		    uint64_t epoch, uint64_t leaf, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_POLICY_SET_INSERT);

	cs_stmt_int(&s, (int64_t)epoch);
	cs_stmt_blob(&s, cs_span_make(m->set_sha256, 32));
	cs_stmt_str(&s, m->engine);
	cs_stmt_int(&s, l->batch.now_ms);
	cs_stmt_int(&s, (int64_t)leaf);
	return cs_stmt_run(&s, err);
}

/* All sources of the set, and "files" of its leaf as they are met. */
static bool sources_record(struct cs_ledger *l,
			   const struct cs_sources *sources, uint64_t epoch,
			   struct cs_json *j, struct cs_error *err)
{
	cs_json_name(j, "files");
	cs_json_array(j);
	for (size_t i = 0; i < sources->n; i++) {
		const struct cs_source *source = &sources->items[i];
		uint8_t sha256[32];
		int64_t row = 0;
		struct cs_stmt s;

		if (!cs_hash_sha256(l->hash, source->bytes, sha256, err) ||
		    !source_row(l, source, sha256, &row, err))
			return false;
		s = cs_stmt(l->db, CS_SQL_POLICY_SET_SOURCE_INSERT);
		cs_stmt_int(&s, (int64_t)epoch);
		cs_stmt_int(&s, (int64_t)i);
		cs_stmt_int(&s, row);
		if (!cs_stmt_run(&s, err))
			return false;
		cs_json_object(j);
		cs_json_member_span(j, "name", source->name);
		cs_json_member_hex(j, "sha256", cs_span_make(sha256, 32));
		cs_json_end(j);
	}
	cs_json_end(j);
	return true;
}

/*
 * "diff" of the worker's report: what the set changes. Left out when another
 * set was in force by now than the worker compared with.
 */
static bool diff_record(struct cs_ledger *l, struct cs_work *w,
			struct cs_json *j, struct cs_error *err)
{
	json_t *report = cs_json_parse(w->m.apply.report, "report", NULL);
	json_t *diff = json_object_get(report, "diff");
	json_t *from = json_object_get(report, "from");
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	bool ok = true;

	cs_buf_init(&text, CS_MAX_POLICY_REPORT);
	if (diff != NULL &&
	    json_integer_value(from) == (json_int_t)l->batch.epoch) {
		ok = cs_json_canonical(diff, &text, err);
		cs_json_name(j, "diff");
		cs_json_raw(j, cs_buf_span(&text));
	}
	json_decref(report);
	return ok;
}

/* A set that loaded: one more epoch. */
static bool policy_applied(struct cs_ledger *l, struct cs_work *w,
			   struct cs_error *err)
{
	const struct cs_msg_apply *m = &w->m.apply;
	struct cs_sources sources;
	struct cs_json j;
	struct cs_draft *d;
	uint64_t epoch = l->batch.epoch + 1;

	if (!cs_sources_decode(m->files, &w->arena, &sources, err)) {
		cs_ledger_act_done(w, 0, "BAD_POLICY_FILES", err->text);
		return true;
	}
	d = cs_ledger_draft(l, CS_LEAF_POLICY_APPLIED, err);
	if (d == NULL || !set_row(l, m, epoch, d->rec.index, err) ||
	    !cs_ledger_holds_end(l, err))
		return false;
	cs_ledger_act_begin(l, &j);
	if (!diff_record(l, w, &j, err))
		return false;
	cs_json_member_span(&j, "engine", m->engine);
	cs_json_member_int(&j, "epoch", (int64_t)epoch);
	if (!sources_record(l, &sources, epoch, &j, err))
		return false;
	cs_json_member_hex(&j, "set_sha256", cs_span_make(m->set_sha256, 32));
	cs_json_end(&j);
	if (!cs_ledger_act_keep(l, &j, &d->decision, err))
		return false;
	cs_buf_reset(&l->json);
	if (!cs_rows_policy_set(l->db, l->hash, epoch, &l->json, err) ||
	    !cs_ledger_act_keep(l, NULL, &d->rec.rows, err))
		return false;
	cs_ledger_draft_actor(l, d, cs_roster_owner(l->roster, m->credential),
			      m->credential, m->uid);
	d->rec.epoch = epoch;
	d->rec.set_sha256 = m->set_sha256;
	l->batch.epoch = epoch;
	memcpy(l->batch.set_sha256, m->set_sha256, 32);
	l->batch.set_changed = true;
	cs_ledger_act_done(w, 1, "", "");
	w->reply = d->decision;
	return true;
}

/* A set that did not load, for the record. */
static bool policy_rejected(struct cs_ledger *l, struct cs_work *w,
			    struct cs_error *err)
{
	const struct cs_msg_apply *m = &w->m.apply;
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_POLICY_REJECTED, err);
	struct cs_json j;

	if (d == NULL)
		return false;
	cs_ledger_act_begin(l, &j);
	cs_json_name(&j, "report");
	cs_json_raw(&j, m->report.n == 0 ? CS_SPAN_LIT("null") : m->report);
	cs_json_end(&j);
	if (!cs_ledger_act_keep(l, &j, &d->decision, err))
		return false;
	cs_ledger_draft_actor(l, d, cs_roster_owner(l->roster, m->credential),
			      m->credential, m->uid);
	cs_ledger_act_done(w, 0, "POLICY_REJECTED",
			   "the policy set does not load");
	w->reply = m->report;
	return true;
}

/* -- clock, refusals of rights ------------------------------------------ */

/* The operator takes the wall clock as it is. */
static bool clock_accept(struct cs_ledger *l, struct cs_work *w,
			 struct cs_error *err)
{
	const struct cs_msg_clock_accept *m = &w->m.clock_accept;
	struct cs_draft *d;
	struct cs_json j;
	struct cs_stmt s;

	if (!l->clock_bad) {
		cs_ledger_act_done(w, 1, "", "");
		w->reply = CS_SPAN_LIT("{\"accepted\":false}");
		return true;
	}
	l->batch.clock_accepted = true;
	l->batch.now_ms = cs_clock_wall_ms(&l->config.clock);
	d = cs_ledger_draft(l, CS_LEAF_CLOCK, err);
	if (d == NULL)
		return false;
	cs_ledger_act_begin(l, &j);
	cs_json_name(&j, "accepted");
	cs_json_bool(&j, true);
	cs_json_member_int(&j, "now_ms", l->batch.now_ms);
	cs_json_member_int(&j, "recorded_ms", l->clock_ms);
	cs_json_end(&j);
	if (!cs_ledger_act_keep(l, &j, &d->decision, err))
		return false;
	cs_ledger_draft_actor(l, d, cs_roster_owner(l->roster, m->credential),
			      m->credential, m->uid);
	s = cs_stmt(l->db, CS_SQL_META_ACCEPT);
	cs_stmt_int(&s, l->batch.now_ms);
	cs_ledger_act_done(w, 1, "", "");
	w->reply = d->decision;
	return cs_stmt_run(&s, err);
}

/* A right was refused; front has limited how often it says so. */
static bool auth_refused(struct cs_ledger *l, struct cs_work *w,
			 struct cs_error *err)
{
	json_t *what = cs_json_parse(w->m.auth_refused.what, "refusal", err);
	struct cs_draft *d;
	bool ok;

	w->end = CS_END_DROP;
	if (!json_is_object(what)) {
		json_decref(what);
		return true;
	}
	d = cs_ledger_draft(l, CS_LEAF_AUTH_REFUSED, err);
	cs_buf_reset(&l->json);
	ok = d != NULL && cs_json_canonical(what, &l->json, err) &&
	     cs_ledger_act_keep(l, NULL, &d->decision, err);
	json_decref(what);
	return ok;
}

/* The credential that an act of administration comes with. */
static uint64_t credential_of(const struct cs_work *w)
{
	switch (w->number) {
	case CS_MSG_APPLY:
		return w->m.apply.credential;
	case CS_MSG_CLIENT_CHANGE:
		return w->m.client_change.credential;
	case CS_MSG_CLOCK_ACCEPT:
		return w->m.clock_accept.credential;
	case CS_MSG_BACKUP:
		return w->m.backup.credential;
	case CS_MSG_CRL_PUBLISH:
		return w->m.crl_publish.credential;
	default:
		return 0;
	}
}

bool cs_ledger_do_admin(struct cs_ledger *l, struct cs_work *w,
			struct cs_error *err)
{
	enum cs_ledger_state state = cs_ledger_state(l);

	if (state == CS_LEDGER_SPLIT || state == CS_LEDGER_FULL ||
	    state == CS_LEDGER_STOPPING) {
		cs_ledger_act_done(w, 0, cs_ledger_closed_code(l),
				   "nothing is recorded now");
		if (w->number == CS_MSG_AUTH_REFUSED)
			w->end = CS_END_DROP;
		return true;
	}
	if (!may_administer(l, w, credential_of(w)))
		return true;
	switch (w->number) {
	case CS_MSG_APPLY:
		return w->m.apply.ok ? policy_applied(l, w, err)
				     : policy_rejected(l, w, err);
	case CS_MSG_CLIENT_CHANGE:
		return cs_ledger_do_client_change(l, w, err);
	case CS_MSG_CLOCK_ACCEPT:
		return clock_accept(l, w, err);
	case CS_MSG_BACKUP:
		w->end = CS_END_BACKUP;
		return true;
	case CS_MSG_CRL_PUBLISH:
		return cs_ledger_do_crl_publish(l, w);
	default:
		return auth_refused(l, w, err);
	}
}
