#include <string.h>

#include "base/codec.h"
#include "base/json.h"
#include "store/ledger_room.h"
#include "store/rows.h"

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
static struct cs_span text_of(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

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

/* A credential's row; all of what proves it is empty for a Unix peer. */
static bool credential_row(struct cs_ledger *l, struct cs_credential_new *c,
			   uint64_t client, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(l->db, CS_SQL_CREDENTIAL_INSERT);

	cs_stmt_int_or_null(&s, (int64_t)c->id);
	cs_stmt_int(&s, (int64_t)client);
	cs_stmt_str(&s, c->kind);
	cs_stmt_str_or_null(&s, c->token_id);
	cs_stmt_blob_or_null(&s, c->digest);
	cs_stmt_int(&s, l->batch.now_ms);
	cs_stmt_int_or_null(&s, c->expires_ms);
	cs_stmt_blob_or_null(&s, c->fingerprint);
	cs_stmt_str_or_null(&s, c->san);
	cs_stmt_blob_or_null(&s, c->ca);
	if (!cs_stmt_run(&s, err))
		return false;
	c->id = (uint64_t)cs_db_last_row(l->db);
	return true;
}

/* What the rows of a client are now, into its leaf. */
static bool client_rows(struct cs_ledger *l, struct cs_draft *d,
			uint64_t client, struct cs_error *err)
{
	cs_buf_reset(&l->json);
	return cs_rows_client(l->db, l->hash, client, &l->json, err) &&
	       cs_ledger_act_keep(l, NULL, &d->rec.rows, err);
}

/* The member "credential": what it is, and what it binds, but no secret. */
static bool put_credential(struct cs_ledger *l, struct cs_json *j,
			   const struct cs_credential_new *c,
			   struct cs_error *err)
{
	uint8_t digest[CS_SHA256_SIZE];

	cs_json_name(j, "credential");
	cs_json_object(j);
	if (c->ca.n > 0) {
		if (!cs_hash_sha256(l->hash, c->ca, digest, err))
			return false;
		cs_json_member_hex(j, "ca_sha256",
				   cs_span_make(digest, sizeof(digest)));
	}
	if (c->expires_ms != 0)
		cs_json_member_int(j, "expires_ms", c->expires_ms);
	if (c->fingerprint.n > 0)
		cs_json_member_hex(j, "fingerprint", c->fingerprint);
	cs_json_member_int(j, "id", (int64_t)c->id);
	cs_json_member_span(j, "kind", c->kind);
	if (c->san.n > 0)
		cs_json_member_span(j, "san", c->san);
	if (c->token_id.n > 0)
		cs_json_member_span(j, "token_id", c->token_id);
	cs_json_end(j);
	return true;
}

/* What a client.changed leaf says of an addition. */
static bool client_decision(struct cs_ledger *l, struct cs_draft *d,
			    const struct cs_client_new *c,
			    const struct cs_credential_new *credential,
			    uint64_t id, struct cs_error *err)
{
	struct cs_json j;

	cs_ledger_act_begin(l, &j);
	if (!put_credential(l, &j, credential, err))
		return false;
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
	return cs_ledger_act_keep(l, &j, &d->decision, err);
}

bool cs_ledger_client_insert(struct cs_ledger *l, const struct cs_client_new *c,
			     uint64_t *ret_id, struct cs_error *err)
{
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_CLIENT_CHANGED, err);
	struct cs_credential_new peer = {.kind = CS_SPAN_LIT("peer")};

	if (d == NULL || !client_row(l, c, d->rec.index, ret_id, err))
		return false;
	peer.id = *ret_id;
	return credential_row(l, &peer, *ret_id, err) &&
	       client_decision(l, d, c, &peer, *ret_id, err) &&
	       client_rows(l, d, *ret_id, err);
}

/* Octets of a hexadecimal member; absent: empty. False: it is none. */
static bool hex_of(struct cs_work *w, const json_t *object, const char *name,
		   size_t max, struct cs_span *ret_octets)
{
	struct cs_span text = text_of(object, name);

	*ret_octets = cs_span_make(NULL, 0);
	return text.n == 0 ||
	       (text.n <= 2 * max &&
		cs_codec_hex_decode(text, &w->arena, ret_octets, NULL));
}

/* Does it prove what its kind has to, and nothing else? */
static bool credential_is_whole(const struct cs_credential_new *c)
{
	bool token = cs_span_equal_str(c->kind, "token");
	bool san = cs_span_starts_with(c->san, CS_SPAN_LIT("dns:")) ||
		   cs_span_starts_with(c->san, CS_SPAN_LIT("uri:"));

	if (token)
		return c->digest.n == 32 && c->token_id.n > 0 &&
		       c->token_id.n <= 32 && c->fingerprint.n == 0 &&
		       c->san.n == 0 && c->ca.n == 0;
	if (!cs_span_equal_str(c->kind, "cert") || c->digest.n > 0 ||
	    c->token_id.n > 0)
		return false;
	if (c->fingerprint.n > 0)
		return c->fingerprint.n == 32 && c->san.n == 0 && c->ca.n == 0;
	return c->ca.n > 0 &&
	       (c->san.n == 0 ||
		(san && c->san.n > 4 && c->san.n <= CS_MAX_CLIENT_SAN));
}

/* The member "credential". CS_E_FORMAT: what is wrong with it. */
static bool credential_read(struct cs_work *w, const json_t *change,
			    struct cs_credential_new *c, struct cs_error *err)
{
	const json_t *o = json_object_get(change, "credential");
	const json_t *expires = json_object_get(o, "expires_ms");

	c->kind = text_of(o, "kind");
	c->token_id = text_of(o, "token_id");
	c->san = text_of(o, "san");
	c->expires_ms = json_integer_value(expires);
	if ((expires != NULL && !json_is_integer(expires)) ||
	    c->expires_ms < 0 || !hex_of(w, o, "digest", 32, &c->digest) ||
	    !hex_of(w, o, "fingerprint", 32, &c->fingerprint) ||
	    !hex_of(w, o, "ca", CS_MAX_CLIENT_CA, &c->ca) ||
	    !credential_is_whole(c))
		return cs_error_set(err, CS_E_FORMAT, "credential: malformed");
	return true;
}

/* One more credential of this client: is there room, and is it nobody's? */
static bool credential_may_be(struct cs_ledger *l, uint64_t client,
			      const struct cs_credential_new *c,
			      struct cs_error *err)
{
	uint64_t other =
		cs_roster_bound(l->roster, c->fingerprint, c->san, c->ca);

	if (cs_roster_credentials(l->roster, client) >= CS_MAX_CREDENTIALS)
		return cs_error_set(err, CS_E_FORMAT,
				    "the client has %d credentials already",
				    CS_MAX_CREDENTIALS);
	if (other == 0)
		return true;
	return cs_error_set(err, CS_E_EXISTS,
			    "the certificate is bound already, to %.*s",
			    CS_SPAN_FMT(cs_roster_name(l->roster, other)));
}

/* The change's end: who did it, and what ADMIN_DONE says. */
static void changed(struct cs_ledger *l, struct cs_work *w, struct cs_draft *d)
{
	const struct cs_msg_client_change *m = &w->m.client_change;

	cs_ledger_draft_actor(l, d, cs_roster_owner(l->roster, m->credential),
			      m->credential, m->uid);
	cs_ledger_act_done(w, 1, "", "");
	w->reply = d->decision;
}

/* {"op": "add", ...} */
static bool client_add(struct cs_ledger *l, struct cs_work *w, json_t *change,
		       struct cs_error *err)
{
	struct cs_client_new c = {0};
	struct cs_credential_new credential = {0};
	struct cs_draft *d;
	uint64_t id = 0;

	if (!client_read(l, w, change, &c, err) ||
	    !credential_read(w, change, &credential, err))
		return false;
	c.id = cs_roster_find(l->roster, c.name);
	if (c.id != 0 && !cs_roster_is_removed(l->roster, c.id))
		return cs_error_set(err, CS_E_EXISTS, "%.*s: exists already",
				    CS_SPAN_FMT(c.name));
	if (c.id == 0 && cs_roster_count(l->roster) >= CS_MAX_CLIENTS)
		return cs_error_set(err, CS_E_FORMAT,
				    "there are %d clients already",
				    CS_MAX_CLIENTS);
	if (!credential_may_be(l, c.id, &credential, err))
		return false;
	d = cs_ledger_draft(l, CS_LEAF_CLIENT_CHANGED, err);
	if (d == NULL || !client_row(l, &c, d->rec.index, &id, err) ||
	    !credential_row(l, &credential, id, err) ||
	    !client_decision(l, d, &c, &credential, id, err) ||
	    !client_rows(l, d, id, err))
		return false;
	changed(l, w, d);
	return true;
}

/* A client that is there and not the installation's own. */
static bool client_find(struct cs_ledger *l, struct cs_span name,
			uint64_t *ret_id, struct cs_error *err)
{
	uint64_t id = cs_roster_find(l->roster, name);

	if (id == 0 || cs_roster_is_removed(l->roster, id))
		return cs_error_set(err, CS_E_NOT_FOUND, "%.*s: no such client",
				    CS_SPAN_FMT(name));
	if (id <= CS_ROSTER_HOUSE)
		return cs_error_set(err, CS_E_FORMAT,
				    "%.*s: belongs to the installation",
				    CS_SPAN_FMT(name));
	*ret_id = id;
	return true;
}

/* A leaf about one credential of a client. */
static bool credential_leaf(struct cs_ledger *l, struct cs_work *w,
			    uint64_t client, const char *op,
			    struct cs_credential_new *c, struct cs_error *err)
{
	struct cs_draft *d = cs_ledger_draft(l, CS_LEAF_CLIENT_CHANGED, err);
	struct cs_stmt s;
	struct cs_json j;

	if (d == NULL || (c->id == 0 && !credential_row(l, c, client, err)))
		return false;
	s = cs_stmt(l->db, CS_SQL_CLIENT_TOUCH);
	cs_stmt_int(&s, (int64_t)d->rec.index);
	cs_stmt_int(&s, (int64_t)client);
	if (!cs_stmt_run(&s, err))
		return false;
	cs_ledger_act_begin(l, &j);
	if (!put_credential(l, &j, c, err))
		return false;
	cs_json_member_int(&j, "id", (int64_t)client);
	cs_json_member_span(&j, "name", cs_roster_name(l->roster, client));
	cs_json_member_str(&j, "op", op);
	cs_json_end(&j);
	if (!cs_ledger_act_keep(l, &j, &d->decision, err) ||
	    !client_rows(l, d, client, err))
		return false;
	changed(l, w, d);
	return true;
}

/* {"op": "bind", "name": ..., "credential": {...}} */
static bool credential_bind(struct cs_ledger *l, struct cs_work *w,
			    json_t *change, struct cs_error *err)
{
	struct cs_credential_new c = {0};
	uint64_t client = 0;

	return client_find(l, text_of(change, "name"), &client, err) &&
	       credential_read(w, change, &c, err) &&
	       credential_may_be(l, client, &c, err) &&
	       credential_leaf(l, w, client, "bind", &c, err);
}

/* {"op": "revoke", "name": ..., "credential_id": ...} */
static bool credential_revoke(struct cs_ledger *l, struct cs_work *w,
			      json_t *change, struct cs_error *err)
{
	json_int_t id =
		json_integer_value(json_object_get(change, "credential_id"));
	struct cs_credential_new c = {0};
	uint64_t client = 0;
	struct cs_stmt s;

	if (!client_find(l, text_of(change, "name"), &client, err))
		return false;
	if (id <= 0 ||
	    !cs_roster_credential(l->roster, client, (uint64_t)id, &c))
		return cs_error_set(
			err, CS_E_NOT_FOUND, "%.*s has no credential %lld",
			CS_SPAN_FMT(text_of(change, "name")), (long long)id);
	s = cs_stmt(l->db, CS_SQL_CREDENTIAL_REVOKE);
	cs_stmt_int(&s, l->batch.now_ms);
	cs_stmt_int(&s, (int64_t)id);
	return cs_stmt_run(&s, err) &&
	       credential_leaf(l, w, client, "revoke", &c, err);
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

	if (rows == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "open requests");
	cs_stmt_int(&s, (int64_t)client);
	if (!cs_stmt_numbers(&s, rows, cap, &n, err))
		return false;
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
	uint64_t id = 0;
	unsigned denied = 0;
	struct cs_draft *d;
	struct cs_json j;
	size_t at;

	if (!client_find(l, name, &id, err))
		return false;
	at = l->batch.drafts_n;
	d = cs_ledger_draft(l, CS_LEAF_CLIENT_CHANGED, err);
	if (d == NULL || !client_remove_rows(l, id, d->rec.index, err) ||
	    !deny_open(l, id, &denied, err))
		return false;
	d = &l->batch.drafts[at]; /* the array may have moved */
	cs_ledger_act_begin(l, &j);
	cs_json_member_int(&j, "denied", denied);
	cs_json_member_int(&j, "id", (int64_t)id);
	cs_json_member_span(&j, "name", name);
	cs_json_member_str(&j, "op", "remove");
	cs_json_end(&j);
	if (!cs_ledger_act_keep(l, &j, &d->decision, err) ||
	    !client_rows(l, d, id, err))
		return false;
	changed(l, w, d);
	return true;
}

/* Does the table that front will get still fit into its message? */
static bool table_fits(struct cs_ledger *l, struct cs_error *err)
{
	struct cs_roster *r = cs_roster_new(l->db, err);
	CS_CLEANUP(cs_buf_done) struct cs_buf table = {0};
	bool ok;

	if (r == NULL)
		return false;
	cs_buf_init(&table, CS_ROSTER_MAX);
	ok = cs_roster_write(r, &table, err);
	cs_roster_free(r);
	if (!ok && err->code == CS_E_TOO_LARGE)
		return cs_error_set(err, CS_E_FORMAT,
				    "all clients together would take more than"
				    " %d bytes",
				    CS_ROSTER_MAX);
	return ok;
}

/* One change, by its name. */
static bool change_by_op(struct cs_ledger *l, struct cs_work *w, json_t *change,
			 struct cs_error *err)
{
	struct cs_span op = text_of(change, "op");

	if (cs_span_equal_str(op, "add"))
		return client_add(l, w, change, err) && table_fits(l, err);
	if (cs_span_equal_str(op, "bind"))
		return credential_bind(l, w, change, err) && table_fits(l, err);
	if (cs_span_equal_str(op, "revoke"))
		return credential_revoke(l, w, change, err);
	if (cs_span_equal_str(op, "remove"))
		return client_remove(l, w, change, err);
	return cs_error_set(err, CS_E_FORMAT,
			    "op: add, bind, revoke or remove");
}

/* What ADMIN_DONE calls a change that cannot be. */
static const char *refusal_code(struct cs_ledger *l, const json_t *change,
				enum cs_error_code code)
{
	uint64_t id = cs_roster_find(l->roster, text_of(change, "name"));

	if (code == CS_E_NOT_FOUND)
		return "NOT_FOUND";
	if (code != CS_E_EXISTS)
		return "BAD_CLIENT";
	return cs_span_equal_str(text_of(change, "op"), "add") && id != 0 &&
			       !cs_roster_is_removed(l->roster, id)
		       ? "CLIENT_EXISTS"
		       : "CERTIFICATE_BOUND";
}

bool cs_ledger_do_client_change(struct cs_ledger *l, struct cs_work *w,
				struct cs_error *err)
{
	size_t drafts = l->batch.drafts_n;
	json_t *change =
		cs_json_parse(w->m.client_change.change, "change", err);
	const char *code = "";
	bool ok;

	if (change == NULL)
		return false;
	if (!cs_db_exec(l->db, "SAVEPOINT change", err)) {
		json_decref(change);
		return false;
	}
	ok = change_by_op(l, w, change, err);
	if (!ok)
		code = refusal_code(l, change, err->code);
	json_decref(change);
	if (ok) {
		l->batch.roster_changed = true;
		return cs_db_exec(l->db, "RELEASE change", err);
	}
	if (err->code != CS_E_FORMAT && err->code != CS_E_NOT_FOUND &&
	    err->code != CS_E_EXISTS)
		return false;
	cs_ledger_act_done(w, 0, code, err->text);
	l->batch.drafts_n = drafts;
	return cs_db_exec(l->db, "ROLLBACK TO change", err) &&
	       cs_db_exec(l->db, "RELEASE change", err);
}
