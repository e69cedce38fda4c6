#include "store/stored.h"

#include <string.h>

#include "base/approval.h"
#include "base/json.h"
#include "base/limits.h"

static const char *const state_names[] = {
	[CS_STATE_PENDING] = "pending", [CS_STATE_APPROVED] = "approved",
	[CS_STATE_ISSUED] = "issued",	[CS_STATE_REFUSED] = "refused",
	[CS_STATE_DENIED] = "denied",	[CS_STATE_EXPIRED] = "expired",
};

const char *cs_request_state_name(enum cs_request_state state)
{
	return state_names[state];
}

/* The state of a word; false: the row is damaged. */
static bool state_parse(struct cs_span word, enum cs_request_state *ret)
{
	for (int i = CS_STATE_PENDING; i <= CS_STATE_EXPIRED; i++)
		if (cs_span_equal_str(word, state_names[i])) {
			*ret = (enum cs_request_state)i;
			return true;
		}
	return false;
}

/* Copies of text and blob columns, with a sticky failure. */
struct copier {
	struct cs_stmt *s;
	struct cs_arena *arena;
	bool failed;
};

/* One column, copied. */
static struct cs_span copy(struct copier *c, int column)
{
	struct cs_span out = {NULL, 0};

	if (!cs_arena_dup(c->arena, cs_stmt_col(c->s, column), &out))
		c->failed = true;
	return out;
}

/* The approval's columns, from `first` on; none: client 0. */
static void approval_columns(struct copier *c, int first,
			     struct cs_stored_approval *a)
{
	struct cs_stmt *s = c->s;

	if (cs_stmt_is_null(s, first)) {
		a->uid = -1;
		return;
	}
	a->client = (uint64_t)cs_stmt_col_int(s, first);
	a->credential = (uint64_t)cs_stmt_col_int(s, first + 1);
	a->uid = cs_stmt_col_int(s, first + 2);
	if (!cs_stmt_col_fixed(s, first + 3, a->binds, 32))
		c->failed = true;
	a->at_ms = cs_stmt_col_int(s, first + 4);
	a->denies = cs_stmt_col_int(s, first + 5) != 0;
	a->self = cs_stmt_col_int(s, first + 6) != 0;
	a->claimed_by = copy(c, first + 7);
	a->reason = copy(c, first + 8);
	a->message = copy(c, first + 9);
}

/* The current row of a STORED statement. */
static bool columns(struct copier *c, struct cs_stored *r)
{
	struct cs_stmt *s = c->s;

	r->n = cs_stmt_col_int(s, 0);
	r->client = (uint64_t)cs_stmt_col_int(s, 2);
	r->credential = (uint64_t)cs_stmt_col_int(s, 3);
	r->uid = cs_stmt_col_int(s, 4);
	r->client_name = copy(c, 5);
	r->realm = copy(c, 6);
	r->source = copy(c, 7);
	r->idem_key = copy(c, 8);
	r->received_ms = cs_stmt_col_int(s, 10);
	r->flags = (uint32_t)cs_stmt_col_int(s, 11);
	r->issuer = copy(c, 12);
	r->scalars = copy(c, 13);
	r->csr = copy(c, 14);
	r->expires_ms = cs_stmt_col_int(s, 16);
	r->hold = copy(c, 17);
	r->not_before_ms = cs_stmt_col_int(s, 18);
	r->pending_body = copy(c, 19);
	r->pending_terms = copy(c, 20);
	approval_columns(c, 21, &r->approval);
	return cs_stmt_col_fixed(s, 1, r->id, 16) &&
	       cs_stmt_col_fixed(s, 9, r->fingerprint, 32) &&
	       state_parse(cs_stmt_col(s, 15), &r->state) && !c->failed;
}

/* The one row of a started statement, if there is one. */
static bool one(struct cs_stmt *s, struct cs_arena *arena,
		struct cs_stored *ret_stored, bool *ret_found,
		struct cs_error *err)
{
	struct copier c = {.s = s, .arena = arena};
	struct cs_stored r = {0};
	bool row = false;
	bool ok = true;

	if (!cs_stmt_step(s, &row, err))
		return false;
	if (row)
		ok = columns(&c, &r);
	cs_stmt_end(s);
	if (!ok && c.failed)
		return cs_error_set(err, CS_E_NO_MEMORY, "stored request");
	if (!ok)
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "request %lld: a column is damaged",
				    (long long)r.n);
	if (row)
		*ret_stored = r;
	*ret_found = row;
	return true;
}

bool cs_stored_by_id(struct cs_db *db, struct cs_span id,
		     struct cs_arena *arena, struct cs_stored *ret_stored,
		     bool *ret_found, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_STORED_BY_ID);

	cs_stmt_blob(&s, id);
	return one(&s, arena, ret_stored, ret_found, err);
}

bool cs_stored_by_key(struct cs_db *db, uint64_t client, struct cs_span key,
		      struct cs_arena *arena, struct cs_stored *ret_stored,
		      bool *ret_found, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_STORED_BY_KEY);

	cs_stmt_int(&s, (int64_t)client);
	cs_stmt_str(&s, key);
	return one(&s, arena, ret_stored, ret_found, err);
}

bool cs_stored_by_row(struct cs_db *db, int64_t n, struct cs_arena *arena,
		      struct cs_stored *ret_stored, bool *ret_found,
		      struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_STORED_BY_ROW);

	cs_stmt_int(&s, n);
	return one(&s, arena, ret_stored, ret_found, err);
}

bool cs_stored_approval_write(const struct cs_stored_approval *a,
			      struct cs_span by, struct cs_buf *out,
			      struct cs_error *err)
{
	const struct cs_approval said = {
		.at_ms = a->at_ms,
		.by = by,
		.claimed_by = a->claimed_by,
		.reason = a->reason,
		.message = a->message,
		.self = a->self != 0,
		.uid = a->uid,
	};

	return cs_approval_write(&said, out, err);
}

/* A string member, copied; absent: empty. False: of another type. */
static bool text_member(json_t *object, const char *name,
			struct cs_arena *arena, struct cs_span *out)
{
	json_t *v = json_object_get(object, name);

	if (v == NULL)
		return true;
	return json_is_string(v) && json_string_length(v) <= CS_MAX_FREE_TEXT &&
	       cs_arena_dup(arena,
			    cs_span_make(json_string_value(v),
					 json_string_length(v)),
			    out);
}

bool cs_stored_approval_read(struct cs_span said, struct cs_arena *arena,
			     struct cs_stored_approval *a, struct cs_error *err)
{
	json_t *o = cs_json_parse(said, "approval", err);
	json_t *uid;
	bool ok;

	if (o == NULL)
		return false;
	uid = json_object_get(o, "uid");
	ok = json_is_object(o) && json_is_integer(json_object_get(o, "at")) &&
	     (uid == NULL || json_is_integer(uid)) &&
	     text_member(o, "claimed_by", arena, &a->claimed_by) &&
	     text_member(o, "message", arena, &a->message) &&
	     text_member(o, "reason", arena, &a->reason);
	if (ok) {
		a->at_ms = json_integer_value(json_object_get(o, "at"));
		a->uid = uid == NULL ? -1 : json_integer_value(uid);
		a->self = json_is_true(json_object_get(o, "self"));
	}
	json_decref(o);
	if (!ok)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "approval: not what front writes");
	return true;
}

bool cs_stored_request(const struct cs_stored *s, struct cs_span approver,
		       struct cs_buf *scratch, struct cs_msg_request *ret_m,
		       struct cs_error *err)
{
	struct cs_msg_request m = {
		.flags = CS_REQ_KNOWN,
		.client = s->client,
		.credential = s->credential,
		.uid = s->uid,
		.client_name = s->client_name,
		.realm = s->realm,
		.source = s->source,
		.issuer = s->issuer,
		.idem_key = s->idem_key,
		.received_ms = s->received_ms,
		.scalars = s->scalars,
		.csr = s->csr,
	};

	memcpy(m.id, s->id, sizeof(m.id));
	memcpy(m.fingerprint, s->fingerprint, sizeof(m.fingerprint));
	cs_buf_reset(scratch);
	if (s->approval.client != 0) {
		if (!cs_stored_approval_write(&s->approval, approver, scratch,
					      err))
			return false;
		m.flags |= s->approval.denies ? CS_REQ_DENIED : CS_REQ_APPROVED;
		if (s->approval.self)
			m.flags |= CS_REQ_SELF;
		m.approver_client = s->approval.client;
		m.approver_credential = s->approval.credential;
		m.approval = cs_buf_span(scratch);
	}
	*ret_m = m;
	return true;
}

bool cs_stored_client_name(struct cs_db *db, uint64_t client,
			   struct cs_arena *arena, struct cs_span *ret_name,
			   struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(db, CS_SQL_QUERY_CLIENT_NAME);
	bool row = false;
	bool ok = true;

	*ret_name = cs_span_make(NULL, 0);
	cs_stmt_int(&s, (int64_t)client);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row)
		ok = cs_arena_dup(arena, cs_stmt_col(&s, 0), ret_name);
	cs_stmt_end(&s);
	return ok || cs_error_set(err, CS_E_NO_MEMORY, "a client's name");
}
