#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/json.h"
#include "base/sources.h"
#include "store/ledger_room.h"
#include "store/rows.h"

/* The act is done (or not): what ADMIN_DONE says. */
static void done(struct cs_work *w, unsigned ok, const char *code,
		 const char *detail)
{
	w->end = CS_END_ADMIN;
	w->ok = ok != 0;
	w->code = code;
	(void)snprintf(w->detail, sizeof(w->detail), "%.190s", detail);
}

/* What was written to the scratch buffer, kept as long as the batch. */
static bool keep(struct cs_ledger *l, struct cs_json *j, struct cs_span *ret,
		 struct cs_error *err)
{
	if (j != NULL && !cs_json_finish(j, "act", err))
		return false;
	if (!cs_buf_finish(&l->json, "act", err))
		return false;
	if (!cs_arena_dup(&l->batch.arena, cs_buf_span(&l->json), ret))
		return cs_error_set(err, CS_E_NO_MEMORY, "act");
	return true;
}

/* An object in the scratch buffer. */
static void begin(struct cs_ledger *l, struct cs_json *j)
{
	cs_buf_reset(&l->json);
	cs_json_begin(j, &l->json);
	cs_json_object(j);
}

/* Does this credential's owner administer? 0: the house itself (SIGHUP). */
static bool may_administer(struct cs_ledger *l, struct cs_work *w,
			   uint64_t credential)
{
	uint64_t client = cs_roster_owner(l->roster, credential);

	if (credential == 0 ||
	    cs_roster_check(l->roster, client, credential, CS_RIGHT_BIT_ADMIN,
			    CS_SPAN_LIT(""), l->batch.now_ms) == CS_ROSTER_GOOD)
		return true;
	done(w, 0, "FORBIDDEN", "administration: the client does not hold it");
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
		done(w, 0, "BAD_POLICY_FILES", err->text);
		return true;
	}
	d = cs_ledger_draft(l, CS_LEAF_POLICY_APPLIED, err);
	if (d == NULL || !set_row(l, m, epoch, d->rec.index, err) ||
	    !cs_ledger_holds_end(l, err))
		return false;
	begin(l, &j);
	if (!diff_record(l, w, &j, err))
		return false;
	cs_json_member_span(&j, "engine", m->engine);
	cs_json_member_int(&j, "epoch", (int64_t)epoch);
	if (!sources_record(l, &sources, epoch, &j, err))
		return false;
	cs_json_member_hex(&j, "set_sha256", cs_span_make(m->set_sha256, 32));
	cs_json_end(&j);
	if (!keep(l, &j, &d->decision, err))
		return false;
	cs_buf_reset(&l->json);
	if (!cs_rows_policy_set(l->db, l->hash, epoch, &l->json, err) ||
	    !keep(l, NULL, &d->rec.rows, err))
		return false;
	cs_ledger_draft_actor(l, d, cs_roster_owner(l->roster, m->credential),
			      m->credential, m->uid);
	d->rec.epoch = epoch;
	d->rec.set_sha256 = m->set_sha256;
	l->batch.epoch = epoch;
	memcpy(l->batch.set_sha256, m->set_sha256, 32);
	l->batch.set_changed = true;
	done(w, 1, "", "");
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
	begin(l, &j);
	cs_json_name(&j, "report");
	cs_json_raw(&j, m->report.n == 0 ? CS_SPAN_LIT("null") : m->report);
	cs_json_end(&j);
	if (!keep(l, &j, &d->decision, err))
		return false;
	cs_ledger_draft_actor(l, d, cs_roster_owner(l->roster, m->credential),
			      m->credential, m->uid);
	done(w, 0, "POLICY_REJECTED", "the policy set does not load");
	w->reply = m->report;
	return true;
}

/* -- clients ------------------------------------------------------------ */

/* An array of strings, canonical, in the work's arena; absent: []. */
static bool list_member(struct cs_ledger *l, struct cs_work *w, json_t *change,
			const char *name, struct cs_span *ret,
			struct cs_error *err)
{
	json_t *list = json_object_get(change, name);
	json_t *item;
	size_t i;

	*ret = CS_SPAN_LIT("[]");
	if (list == NULL || json_is_null(list))
		return true;
	if (!json_is_array(list))
		return cs_error_set(err, CS_E_FORMAT, "%s: not a list", name);
	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item) || json_string_length(item) == 0 ||
		    json_string_length(item) > CS_MAX_PRINCIPAL)
			return cs_error_set(err, CS_E_FORMAT,
					    "%s: not a list of names", name);
	}
	cs_buf_reset(&l->json);
	if (!cs_json_canonical(list, &l->json, err))
		return false;
	if (!cs_arena_dup(&w->arena, cs_buf_span(&l->json), ret))
		return cs_error_set(err, CS_E_NO_MEMORY, "client");
	return true;
}

/* A string member; absent: empty. */
static struct cs_span text_of(json_t *object, const char *name)
{
	json_t *v = json_object_get(object, name);

	if (!json_is_string(v))
		return cs_span_make(NULL, 0);
	return cs_span_make(json_string_value(v), json_string_length(v));
}

/* A name of ours: letters, digits, "." "-" "_" "@" and ":", none of ours. */
static bool name_is_good(struct cs_span name)
{
	if (name.n == 0 || name.n > CS_MAX_NAME || name.p[0] == '_')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '.' || c == '-' ||
		      c == '_' || c == '@' || c == ':'))
			return false;
	}
	return true;
}

/* Is every right of the list one that we know, and is there one? */
static bool rights_are_good(json_t *change)
{
	json_t *list = json_object_get(change, "rights");
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (cs_roster_right(cs_span_str(json_string_value(item))) == 0)
			return false;
	}
	return json_array_size(list) > 0;
}

/* What an add says. CS_E_FORMAT: what is wrong with it. */
static bool client_read(struct cs_ledger *l, struct cs_work *w, json_t *change,
			struct cs_client_new *c, struct cs_error *err)
{
	c->name = text_of(change, "name");
	c->realm = text_of(change, "realm");
	if (!name_is_good(c->name))
		return cs_error_set(err, CS_E_FORMAT,
				    "name: 1 to %d letters, digits, . - _ @ :",
				    CS_MAX_NAME);
	if (c->realm.n > CS_MAX_NAME)
		return cs_error_set(err, CS_E_FORMAT, "realm: too long");
	if (!rights_are_good(change))
		return cs_error_set(err, CS_E_FORMAT,
				    "rights: some of submit, approve, gateway, "
				    "audit, revoke, admin");
	return list_member(l, w, change, "rights", &c->rights, err) &&
	       list_member(l, w, change, "issuers", &c->issuers, err) &&
	       list_member(l, w, change, "namespaces", &c->namespaces, err) &&
	       list_member(l, w, change, "groups", &c->groups, err);
}

/* The row of a client that is new, or that was removed and comes back. */
static bool client_row(struct cs_ledger *l, const struct cs_client_new *c,
		       uint64_t leaf, uint64_t *ret_id, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CLIENT_INSERT);

	if (c->id != 0 && c->id > CS_ROSTER_HOUSE) {
		s = cs_stmt(l->db, CS_SQL_CLIENT_RESTORE);
		cs_stmt_str(&s, c->realm);
		cs_stmt_str(&s, c->rights);
		cs_stmt_str(&s, c->issuers);
		cs_stmt_str(&s, c->namespaces);
		cs_stmt_str(&s, c->groups);
		cs_stmt_int(&s, (int64_t)leaf);
		cs_stmt_int(&s, (int64_t)c->id);
		*ret_id = c->id;
		return cs_stmt_run(&s, err);
	}
	cs_stmt_int_or_null(&s, (int64_t)c->id);
	cs_stmt_str(&s, c->name);
	cs_stmt_str(&s, c->realm);
	cs_stmt_str(&s, c->rights);
	cs_stmt_str(&s, c->issuers);
	cs_stmt_str(&s, c->namespaces);
	cs_stmt_str(&s, c->groups);
	cs_stmt_int(&s, l->batch.now_ms);
	cs_stmt_int(&s, (int64_t)leaf);
	if (!cs_stmt_run(&s, err))
		return false;
	*ret_id = (uint64_t)cs_db_last_row(l->db);
	return true;
}

/* A credential; digest and token id are empty for a Unix peer. */
static bool credential_row(struct cs_ledger *l, uint64_t id, uint64_t client,
			   const char *kind, struct cs_span token_id,
			   struct cs_span digest, int64_t expires_ms,
			   struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CREDENTIAL_INSERT);

	cs_stmt_int_or_null(&s, (int64_t)id);
	cs_stmt_int(&s, (int64_t)client);
	cs_stmt_str(&s, cs_span_str(kind));
	cs_stmt_str_or_null(&s, token_id);
	cs_stmt_blob_or_null(&s, digest);
	cs_stmt_int(&s, l->batch.now_ms);
	cs_stmt_int_or_null(&s, expires_ms);
	return cs_stmt_run(&s, err);
}

/* What the rows of a client are now, into its leaf. */
static bool client_rows(struct cs_ledger *l, struct cs_draft *d,
			uint64_t client, struct cs_error *err)
{
	cs_buf_reset(&l->json);
	return cs_rows_client(l->db, l->hash, client, &l->json, err) &&
	       keep(l, NULL, &d->rec.rows, err);
}

/* What a client.changed leaf says of an addition. */
static bool client_decision(struct cs_ledger *l, struct cs_draft *d,
			    const struct cs_client_new *c, uint64_t id,
			    struct cs_error *err)
{
	struct cs_json j;

	begin(l, &j);
	cs_json_name(&j, "groups");
	cs_json_raw(&j, c->groups);
	cs_json_member_int(&j, "id", (int64_t)id);
	cs_json_name(&j, "issuers");
	cs_json_raw(&j, c->issuers);
	cs_json_member_span(&j, "name", c->name);
	cs_json_name(&j, "namespaces");
	cs_json_raw(&j, c->namespaces);
	cs_json_member_str(&j, "op", "add");
	cs_json_member_span(&j, "realm", c->realm);
	cs_json_name(&j, "rights");
	cs_json_raw(&j, c->rights);
	cs_json_end(&j);
	return keep(l, &j, &d->decision, err);
}

bool cs_ledger_client_insert(struct cs_ledger *l, const struct cs_client_new *c,
			     uint64_t *ret_id, struct cs_error *err)
{
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_CLIENT_CHANGED, err);

	return d != NULL && client_row(l, c, d->rec.index, ret_id, err) &&
	       credential_row(l, *ret_id, *ret_id, "peer", CS_SPAN_LIT(""),
			      CS_SPAN_LIT(""), 0, err) &&
	       client_decision(l, d, c, *ret_id, err) &&
	       client_rows(l, d, *ret_id, err);
}

/* The credential of an add. CS_E_FORMAT: what is wrong with it. */
static bool credential_add(struct cs_ledger *l, json_t *change, uint64_t client,
			   struct cs_error *err)
{
	json_t *o = json_object_get(change, "credential");
	json_t *expires = json_object_get(o, "expires_ms");
	struct cs_span kind = text_of(o, "kind");
	struct cs_span digest_hex = text_of(o, "digest");
	struct cs_span token_id = text_of(o, "token_id");
	bool token = cs_span_equal_str(kind, "token");
	uint8_t digest[32];

	if (!json_is_object(o) || !(token || cs_span_equal_str(kind, "cert")) ||
	    !cs_codec_hex_fixed(digest_hex, digest, sizeof(digest)) ||
	    (token && (token_id.n == 0 || token_id.n > 32)) ||
	    (expires != NULL && !json_is_integer(expires)))
		return cs_error_set(err, CS_E_FORMAT, "credential: malformed");
	return credential_row(l, 0, client, token ? "token" : "cert",
			      token ? token_id : CS_SPAN_LIT(""),
			      cs_span_make(digest, sizeof(digest)),
			      json_integer_value(expires), err);
}

/* {"op": "add", ...} */
static bool client_add(struct cs_ledger *l, struct cs_work *w, json_t *change,
		       struct cs_error *err)
{
	struct cs_client_new c = {0};
	struct cs_draft *d;
	uint64_t id = 0;

	if (!client_read(l, w, change, &c, err))
		return false;
	c.id = cs_roster_find(l->roster, c.name);
	if (c.id != 0 && !cs_roster_is_removed(l->roster, c.id))
		return cs_error_set(err, CS_E_EXISTS, "%.*s: exists already",
				    CS_SPAN_FMT(c.name));
	if (c.id == 0 && cs_roster_count(l->roster) >= CS_MAX_CLIENTS)
		return cs_error_set(err, CS_E_FORMAT,
				    "there are %d clients already",
				    CS_MAX_CLIENTS);
	d = cs_ledger_draft(l, CS_LEAF_CLIENT_CHANGED, err);
	if (d == NULL || !client_row(l, &c, d->rec.index, &id, err) ||
	    !credential_add(l, change, id, err) ||
	    !client_decision(l, d, &c, id, err) || !client_rows(l, d, id, err))
		return false;
	cs_ledger_draft_actor(
		l, d, cs_roster_owner(l->roster, w->m.client_change.credential),
		w->m.client_change.credential, w->m.client_change.uid);
	done(w, 1, "", "");
	w->reply = d->decision;
	return true;
}

/* What a removed client left open is denied in the same transaction. */
static bool deny_open(struct cs_ledger *l, uint64_t client, unsigned *ret_n,
		      struct cs_error *err)
{
	struct cs_arena *arena = &l->batch.arena;
	size_t n = 0;
	size_t cap = (size_t)l->config.pending_quota + CS_MAX_IN_FLIGHT;
	int64_t *rows = cs_arena_new_array(arena, cap, sizeof(*rows));
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_REQUEST_OPEN_OF_CLIENT);
	bool row = true;

	if (rows == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "open requests");
	cs_stmt_int(&s, (int64_t)client);
	while (row && n < cap) {
		if (!cs_stmt_step(&s, &row, err))
			return false;
		if (row)
			rows[n++] = cs_stmt_col_int(&s, 0);
	}
	cs_stmt_end(&s);
	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		struct cs_stored *r = cs_arena_new(arena, sizeof(*r));
		struct cs_draft *d;
		bool found = false;

		if (r == NULL)
			return cs_error_set(err, CS_E_NO_MEMORY, "request");
		/* What is being signed was decided before the removal. */
		if (cs_ledger_attempt_of(l, rows[i]) != NULL)
			continue;
		if (!cs_stored_by_row(l->db, rows[i], arena, r, &found, err) ||
		    !cs_ledger_refuse_fixed(
			    l, r, CS_LEAF_DENIED, "CLIENT_REMOVED",
			    "the client that submitted it was removed", &d,
			    err))
			return false;
		(*ret_n)++;
	}
	return true;
}

/* Both rows of a removal. */
static bool client_remove_rows(struct cs_ledger *l, uint64_t id, uint64_t leaf,
			       struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CLIENT_REMOVE);

	cs_stmt_int(&s, l->batch.now_ms);
	cs_stmt_int(&s, (int64_t)leaf);
	cs_stmt_int(&s, (int64_t)id);
	if (!cs_stmt_run(&s, err))
		return false;
	s = cs_stmt(l->db, CS_SQL_CREDENTIAL_REVOKE_ALL);
	cs_stmt_int(&s, l->batch.now_ms);
	cs_stmt_int(&s, (int64_t)id);
	return cs_stmt_run(&s, err);
}

/* {"op": "remove", "name": ...} */
static bool client_remove(struct cs_ledger *l, struct cs_work *w,
			  json_t *change, struct cs_error *err)
{
	struct cs_span name = text_of(change, "name");
	uint64_t id = cs_roster_find(l->roster, name);
	unsigned denied = 0;
	struct cs_draft *d;
	struct cs_json j;
	size_t at;

	if (id == 0 || cs_roster_is_removed(l->roster, id))
		return cs_error_set(err, CS_E_NOT_FOUND, "%.*s: no such client",
				    CS_SPAN_FMT(name));
	if (id <= CS_ROSTER_HOUSE)
		return cs_error_set(err, CS_E_FORMAT,
				    "%.*s: belongs to the installation",
				    CS_SPAN_FMT(name));
	at = l->batch.drafts_n;
	d = cs_ledger_draft(l, CS_LEAF_CLIENT_CHANGED, err);
	if (d == NULL || !client_remove_rows(l, id, d->rec.index, err) ||
	    !deny_open(l, id, &denied, err))
		return false;
	d = &l->batch.drafts[at]; /* the array may have moved */
	begin(l, &j);
	cs_json_member_int(&j, "denied", denied);
	cs_json_member_int(&j, "id", (int64_t)id);
	cs_json_member_span(&j, "name", name);
	cs_json_member_str(&j, "op", "remove");
	cs_json_end(&j);
	if (!keep(l, &j, &d->decision, err) || !client_rows(l, d, id, err))
		return false;
	cs_ledger_draft_actor(
		l, d, cs_roster_owner(l->roster, w->m.client_change.credential),
		w->m.client_change.credential, w->m.client_change.uid);
	done(w, 1, "", "");
	w->reply = d->decision;
	return true;
}

/* A change of clients; what is wrong with it undoes it, and only it. */
static bool client_change(struct cs_ledger *l, struct cs_work *w,
			  struct cs_error *err)
{
	size_t drafts = l->batch.drafts_n;
	json_t *change =
		cs_json_parse(w->m.client_change.change, "change", err);
	struct cs_span op = text_of(change, "op");
	bool ok;

	if (!cs_db_exec(l->db, "SAVEPOINT change", err)) {
		json_decref(change);
		return false;
	}
	if (cs_span_equal_str(op, "add"))
		ok = client_add(l, w, change, err);
	else if (cs_span_equal_str(op, "remove"))
		ok = client_remove(l, w, change, err);
	else
		ok = cs_error_set(err, CS_E_FORMAT, "op: add or remove");
	json_decref(change);
	if (ok) {
		l->batch.roster_changed = true;
		return cs_db_exec(l->db, "RELEASE change", err);
	}
	if (err->code != CS_E_FORMAT && err->code != CS_E_NOT_FOUND &&
	    err->code != CS_E_EXISTS)
		return false;
	done(w, 0,
	     err->code == CS_E_NOT_FOUND ? "NOT_FOUND"
	     : err->code == CS_E_EXISTS	 ? "CLIENT_EXISTS"
					 : "BAD_CLIENT",
	     err->text);
	l->batch.drafts_n = drafts;
	return cs_db_exec(l->db, "ROLLBACK TO change", err) &&
	       cs_db_exec(l->db, "RELEASE change", err);
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
		done(w, 1, "", "");
		w->reply = CS_SPAN_LIT("{\"accepted\":false}");
		return true;
	}
	l->batch.clock_accepted = true;
	l->batch.now_ms = cs_clock_wall_ms(&l->config.clock);
	d = cs_ledger_draft(l, CS_LEAF_CLOCK, err);
	if (d == NULL)
		return false;
	begin(l, &j);
	cs_json_name(&j, "accepted");
	cs_json_bool(&j, true);
	cs_json_member_int(&j, "now_ms", l->batch.now_ms);
	cs_json_member_int(&j, "recorded_ms", l->clock_ms);
	cs_json_end(&j);
	if (!keep(l, &j, &d->decision, err))
		return false;
	cs_ledger_draft_actor(l, d, cs_roster_owner(l->roster, m->credential),
			      m->credential, m->uid);
	s = cs_stmt(l->db, CS_SQL_META_ACCEPT);
	cs_stmt_int(&s, l->batch.now_ms);
	done(w, 1, "", "");
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
	     keep(l, NULL, &d->decision, err);
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
		done(w, 0, cs_ledger_closed_code(l), "nothing is recorded now");
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
		return client_change(l, w, err);
	case CS_MSG_CLOCK_ACCEPT:
		return clock_accept(l, w, err);
	case CS_MSG_BACKUP:
		w->end = CS_END_BACKUP;
		return true;
	default:
		return auth_refused(l, w, err);
	}
}
