#include "base/der.h"
#include "base/terms.h"
#include "store/query_internal.h"

/* Columns of QUERY_LEAF. */
enum {
	L_HASH,
	L_KIND,
	L_AT,
	L_TREE_SIZE,
	L_ENTRY,
	L_ID,
	L_CLIENT,
	L_CLIENT_NAME,
	L_ISSUER,
	L_SCALARS,
	L_BODY,
	L_TERMS,
	L_SERIAL,
	L_NOT_AFTER,
	L_DECIDED_BY,
	L_TBS,
	L_REVOKED_MS,
	L_REVOKED_REASON,
	L_REVOKED_LEAF,
	L_BY, /* a revocation's client, its name, and the issuer's */
	L_BY_NAME,
	L_BY_ISSUER,
	L_PURGED_BY, /* the act that purged it, and when */
	L_PURGED_AT,
	L_SPKI
};

/* Whose it is, or whose act. */
static uint64_t client_of(struct cs_stmt *s)
{
	return (uint64_t)cs_stmt_col_int(
		s, cs_stmt_is_null(s, L_CLIENT) ? L_BY : L_CLIENT);
}

/* For which issuer it was asked, or of which it revokes a certificate. */
static struct cs_span issuer_of(struct cs_stmt *s)
{
	return cs_stmt_col(s, cs_stmt_is_null(s, L_ISSUER) ? L_BY_ISSUER
							   : L_ISSUER);
}

/* A request's requester: a text, or an object's username. */
static struct cs_span requester_of(const json_t *scalars)
{
	const json_t *requester = json_object_get(scalars, "requester");

	if (json_is_object(requester))
		return cs_query_member(requester, "username");
	return cs_query_member(scalars, "requester");
}

/* Parse stored JSON; NULL when there is none, or it is not JSON. */
static json_t *parse(struct cs_span text)
{
	return text.n == 0 ? NULL : cs_json_parse(text, "stored", NULL);
}

/* An item's members up to "kind". */
static void put_first_half(struct cs_json *j, struct cs_stmt *s, uint64_t index,
			   const json_t *body, const json_t *record,
			   struct cs_span decision)
{
	bool by = !cs_stmt_is_null(s, L_BY_NAME);
	struct cs_span client = cs_stmt_col(s, by ? L_BY_NAME : L_CLIENT_NAME);
	struct cs_span issuer = issuer_of(s);

	if (body != NULL) {
		cs_json_name(j, "changed");
		cs_json_bool(j, json_is_true(json_object_get(body, "changed")));
	}
	cs_query_put_text(j, "client",
			  client.n > 0 ? client
				       : cs_query_member(record, "client"));
	cs_query_put_text(j, "code", cs_query_member(body, "code"));
	if (decision.n > 0) {
		cs_json_name(j, "decision");
		cs_json_raw(j, decision);
	}
	if (!cs_stmt_is_null(s, L_ID))
		cs_json_member_hex(j, "id", cs_stmt_col(s, L_ID));
	cs_json_member_int(j, "index", (int64_t)index);
	cs_query_put_text(j, "issuer",
			  issuer.n > 0 ? issuer
				       : cs_query_member(record, "issuer"));
}

bool cs_query_not_before(struct cs_span tbs, int64_t *ret_seconds)
{
	struct cs_der r = cs_der_reader(tbs);
	struct cs_der in, validity;
	bool there = false;
	struct cs_span skip;

	/* version, serialNumber, signature, issuer, validity */
	return cs_der_enter(&r, CS_DER_SEQUENCE, "tbs", &in, NULL) &&
	       cs_der_enter_optional(&in, CS_DER_CONTEXT_CONSTRUCTED(0),
				     "version", &validity, &there, NULL) &&
	       cs_der_integer(&in, "serialNumber", &skip, NULL) &&
	       cs_der_element(&in, CS_DER_SEQUENCE, "signature", &skip, NULL,
			      NULL) &&
	       cs_der_element(&in, CS_DER_SEQUENCE, "issuer", &skip, NULL,
			      NULL) &&
	       cs_der_enter(&in, CS_DER_SEQUENCE, "validity", &validity,
			    NULL) &&
	       cs_der_time(&validity, "notBefore", ret_seconds, NULL);
}

/* "purged": when, and which entry says so. */
static void put_purged(struct cs_json *j, struct cs_stmt *s)
{
	cs_json_name(j, "purged");
	cs_json_object(j);
	cs_json_member_int(j, "by", cs_stmt_col_int(s, L_PURGED_BY));
	cs_json_name(j, "time");
	cs_json_time_ms(j, cs_stmt_col_int(s, L_PURGED_AT));
	cs_json_end(j);
}

/* An item's members from "kind" on. */
static void put_second_half(struct cs_questions *q, struct cs_json *j,
			    struct cs_stmt *s, const json_t *body,
			    const json_t *scalars)
{
	bool certificates = q->what->kind == CS_QUERY_CERTIFICATES;
	enum cs_leaf_kind kind = (enum cs_leaf_kind)cs_stmt_col_int(s, L_KIND);
	const json_t *policy = json_object_get(body, "policy");
	const char *name = cs_leaf_kind_name(kind);
	int64_t not_before;

	cs_json_member_str(j, "kind", name == NULL ? "" : name);
	cs_json_member_hex(j, "leaf_hash", cs_stmt_col(s, L_HASH));
	if (!cs_stmt_is_null(s, L_TERMS))
		cs_query_put_names(j, cs_stmt_col(s, L_TERMS));
	if (!cs_stmt_is_null(s, L_NOT_AFTER)) {
		cs_json_name(j, "not_after");
		cs_json_time_ms(j, cs_stmt_col_int(s, L_NOT_AFTER) * 1000);
	}
	if (!cs_stmt_is_null(s, L_TBS) &&
	    cs_query_not_before(cs_stmt_col(s, L_TBS), &not_before)) {
		cs_json_name(j, "not_before");
		cs_json_time_ms(j, not_before * 1000);
	}
	cs_query_put_text(j, "policy", cs_query_member(policy, "name"));
	cs_query_put_text(j, "policy_sha256",
			  cs_query_member(policy, "sha256"));
	if (!cs_stmt_is_null(s, L_PURGED_BY))
		put_purged(j, s);
	cs_query_put_text(j, "requester", requester_of(scalars));
	if (certificates)
		cs_query_put_revoked(j, s, L_REVOKED_MS);
	if (!cs_stmt_is_null(s, L_SERIAL))
		cs_json_member_hex(j, "serial", cs_stmt_col(s, L_SERIAL));
	cs_json_name(j, "time");
	cs_json_time_ms(j, cs_stmt_col_int(s, L_AT));
	if (cs_leaf_kind_is_decision(kind))
		cs_json_member_str(j, "verdict", name);
}

/* The row in hand as an item, in q->item. */
static bool write_item(struct cs_questions *q, struct cs_stmt *s,
		       uint64_t index, struct cs_error *err)
{
	struct cs_span decision = {NULL, 0};
	struct cs_span record = {NULL, 0};
	struct cs_span entry = cs_stmt_col(s, L_ENTRY);
	json_t *body = parse(cs_stmt_col(s, L_BODY));
	json_t *scalars = parse(cs_stmt_col(s, L_SCALARS));
	json_t *members = NULL;
	struct cs_json j;

	/* Of what was asked, the request's row says client and issuer. */
	if (entry.n > 0 &&
	    cs_leaf_entry_split(entry, &decision, &record, NULL) &&
	    cs_stmt_is_null(s, L_ID) && cs_stmt_is_null(s, L_BY))
		members = parse(record);
	if (q->what->kind == CS_QUERY_CERTIFICATES)
		decision = cs_span_make(NULL, 0);
	cs_buf_reset(&q->item);
	cs_json_begin(&j, &q->item);
	cs_json_object(&j);
	put_first_half(&j, s, index, body, members, decision);
	put_second_half(q, &j, s, body, scalars);
	cs_json_end(&j);
	json_decref(body);
	json_decref(scalars);
	json_decref(members);
	return cs_json_finish(&j, "audit entry", err);
}

/* Was its certificate valid then, and does it end before that? */
static bool is_valid(const struct cs_query_list *l, struct cs_stmt *s)
{
	int64_t not_after = cs_stmt_col_int(s, L_NOT_AFTER);
	int64_t at = l->valid_at_ms / 1000;
	int64_t not_before;

	if (l->expires_before_s != INT64_MAX &&
	    (cs_stmt_is_null(s, L_NOT_AFTER) ||
	     not_after >= l->expires_before_s))
		return false;
	/* RFC 5280 4.1.2.5: both ends belong to the period. */
	return !l->has_valid_at ||
	       (at <= not_after &&
		cs_query_not_before(cs_stmt_col(s, L_TBS), &not_before) &&
		not_before <= at);
}

/* Is it revoked, or not, as is asked? Of others than certificates: both. */
static bool is_revoked(const struct cs_query_list *l, struct cs_stmt *s)
{
	bool revoked = !cs_stmt_is_null(s, L_REVOKED_MS);

	return (l->revoked & (revoked ? CS_QUERY_REVOKED : CS_QUERY_STANDS)) !=
	       0;
}

/* By what the row in hand is found. A purged one still by number and key. */
static struct cs_span terms_of(struct cs_questions *q, struct cs_stmt *s)
{
	struct cs_terms terms;

	if (cs_stmt_is_null(s, L_PURGED_BY))
		return cs_stmt_col(s, L_TERMS);
	cs_terms_init(&terms, &q->arena);
	cs_buf_reset(&q->item);
	if (cs_terms_add(&terms, CS_TERM_SPKI, cs_stmt_col(s, L_SPKI)) &&
	    cs_terms_add(&terms, CS_TERM_SERIAL, cs_stmt_col(s, L_SERIAL)))
		cs_terms_encode(&terms, &q->item);
	return cs_buf_span(&q->item);
}

/* Does the row in hand match everything that is asked? */
static bool matches(struct cs_questions *q, const struct cs_query_list *l,
		    struct cs_stmt *s)
{
	int64_t kind = cs_stmt_col_int(s, L_KIND);

	/* What an abandoned attempt was to decide, it did not decide. */
	return cs_query_wants(l, kind, cs_stmt_col_int(s, L_AT)) &&
	       (l->filters == 0 || kind != CS_LEAF_ATTEMPT_ABANDONED) &&
	       cs_query_may_see(q, client_of(s), issuer_of(s)) &&
	       is_valid(l, s) && is_revoked(l, s) &&
	       cs_query_matches(l, terms_of(q, s));
}

bool cs_query_leaf_consider(struct cs_questions *q,
			    const struct cs_query_list *l,
			    struct cs_query_page *p, uint64_t index,
			    bool *ret_go, struct cs_error *err)
{
	struct cs_stmt s;
	bool row = false;
	bool match;
	bool ok = true;

	if (q->what->kind == CS_QUERY_HISTORY)
		return cs_query_history_consider(q, l, p, index, ret_go, err);
	s = cs_stmt(q->db, CS_SQL_QUERY_LEAF);
	cs_stmt_int(&s, (int64_t)index);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	match = row && matches(q, l, &s);
	if (match)
		ok = write_item(q, &s, index, err);
	cs_stmt_end(&s);
	if (ok && match)
		*ret_go = cs_query_page_add(q, p, index);
	return ok;
}

/* The note that covers a leaf first, as text. */
static bool put_checkpoint(struct cs_questions *q, struct cs_json *j,
			   int64_t tree_size, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_CHECKPOINT);
	bool row = false;

	cs_stmt_int(&s, tree_size);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row)
		cs_query_put_lines(j, "checkpoint", cs_stmt_col(&s, 0));
	cs_stmt_end(&s);
	return true;
}

/* The whole entry and where it stands. */
static bool write_entry(struct cs_questions *q, struct cs_stmt *s,
			uint64_t index, struct cs_error *err)
{
	struct cs_span entry = cs_stmt_col(s, L_ENTRY);
	const char *kind = cs_leaf_kind_name(
		(enum cs_leaf_kind)cs_stmt_col_int(s, L_KIND));
	struct cs_json j;

	cs_json_begin(&j, q->body);
	cs_json_object(&j);
	if (!put_checkpoint(q, &j, cs_stmt_col_int(s, L_TREE_SIZE), err))
		return false;
	cs_json_name(&j, "entry");
	if (entry.n > 0)
		cs_json_raw(&j, entry);
	else
		cs_json_null(&j); /* purged */
	cs_json_member_int(&j, "index", (int64_t)index);
	cs_json_member_str(&j, "kind", kind == NULL ? "" : kind);
	cs_json_member_hex(&j, "leaf_hash", cs_stmt_col(s, L_HASH));
	if (!cs_stmt_is_null(s, L_TERMS))
		cs_query_put_names(&j, cs_stmt_col(s, L_TERMS));
	if (!cs_stmt_is_null(s, L_PURGED_BY))
		put_purged(&j, s);
	cs_json_name(&j, "time");
	cs_json_time_ms(&j, cs_stmt_col_int(s, L_AT));
	cs_json_member_int(&j, "tree_size", cs_stmt_col_int(s, L_TREE_SIZE));
	cs_json_end(&j);
	return cs_json_finish(&j, "audit entry", err);
}

bool cs_query_audit_entry(struct cs_questions *q, struct cs_error *err)
{
	const json_t *index = json_object_get(q->params, "index");
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_LEAF);
	bool row = false;
	bool ok = true;

	if (!json_is_integer(index) || json_integer_value(index) < 0)
		return cs_query_refuse(q, "BAD_PARAMETER",
				       "index: want a number.");
	cs_stmt_int(&s, json_integer_value(index));
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (!row || !cs_query_may_see(q, client_of(&s), issuer_of(&s)))
		cs_query_refuse(q, "NOT_FOUND", "There is no such entry.");
	else
		ok = write_entry(q, &s, (uint64_t)json_integer_value(index),
				 err);
	cs_stmt_end(&s);
	return ok;
}
