#include <string.h>

#include "base/limits.h"
#include "base/terms.h"
#include "store/leaf.h"
#include "store/query_internal.h"

/* Leaves are in the order of their times to within this. */
#define SLACK_MS 86400000

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
	L_DECIDED_BY
};

/* The log as the question finds it, and the part that it is about. */
struct range {
	uint64_t low, high; /* [low, high) */
	uint64_t terms_done;
	unsigned clock_accepted; /* 1: times may have been anything */
};

/* Read meta. */
static bool read_range(struct cs_questions *q, struct range *r,
		       struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_META);
	bool row = false;

	*r = (struct range){.low = 0};
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row) {
		r->high = (uint64_t)cs_stmt_col_int(&s, 0);
		r->terms_done = (uint64_t)cs_stmt_col_int(&s, 1);
		r->clock_accepted = cs_stmt_col_int(&s, 2) != 0;
	}
	cs_stmt_end(&s);
	return true;
}

/* The first leaf of the range that is not older than `at`, by bisection. */
static bool bisect(struct cs_questions *q, const struct range *r, int64_t at,
		   uint64_t *ret_index, struct cs_error *err)
{
	uint64_t low = r->low;
	uint64_t high = r->high;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_LEAF_AT);
		bool row = false;
		bool older;

		cs_stmt_int(&s, (int64_t)middle);
		if (!cs_stmt_step(&s, &row, err))
			return false;
		older = row && cs_stmt_col_int(&s, 0) < at;
		cs_stmt_end(&s);
		if (older)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_index = low;
	return true;
}

/* Make the range as small as cursor and times allow. */
static bool narrow(struct cs_questions *q, const struct cs_query_list *l,
		   struct range *r, struct cs_error *err)
{
	uint64_t high = r->high;

	if (l->has_position && l->ascending && l->position + 1 > r->low)
		r->low = l->position + 1;
	if (l->has_position && !l->ascending && l->position < high)
		r->high = l->position;
	if (r->low > r->high)
		r->low = r->high;
	if (r->clock_accepted)
		return true;
	high = r->high;
	if (l->until_ms < INT64_MAX - SLACK_MS &&
	    !bisect(q, r, l->until_ms + SLACK_MS, &high, err))
		return false;
	if (l->since_ms > INT64_MIN + SLACK_MS &&
	    !bisect(q, r, l->since_ms - SLACK_MS, &r->low, err))
		return false;
	r->high = high;
	if (r->low > r->high)
		r->low = r->high;
	return true;
}

/* The filter that the fewest leaves are likely to match; there is one. */
static const struct cs_query_filter *driver(const struct cs_query_list *l)
{
	size_t best = 0;

	for (size_t i = 1; i < l->filters; i++) {
		if (l->filter[i].rank < l->filter[best].rank)
			best = i;
	}
	return &l->filter[best];
}

/* The SQL that finds a filter's leaves in the term index, in order. */
static bool write_index_sql(const struct cs_query_filter *f, unsigned ascending,
			    struct cs_buf *sql, struct cs_error *err)
{
	static const char exact[] =
		"SELECT leaf, NULL, NULL FROM term WHERE field = ?"
		" AND value = ? AND leaf >= ? AND leaf < ?";
	static const char below[] =
		"SELECT leaf, NULL, NULL FROM term WHERE field = ?"
		" AND value > ? AND value < ? AND leaf >= ? AND leaf < ?";

	for (size_t i = 0; i < f->n; i++) {
		if (i > 0)
			cs_buf_add_str(sql, " UNION ");
		cs_buf_add_str(sql, exact);
		if (f->any[i].zone)
			cs_buf_addf(sql, " UNION %s", below);
	}
	cs_buf_addf(sql, " ORDER BY 1%s", ascending ? "" : " DESC");
	return cs_buf_finish(sql, "question", err);
}

/* The value with one octet behind it, in the arena; empty: no memory. */
static struct cs_span value_and(struct cs_questions *q, struct cs_span value,
				uint8_t octet)
{
	uint8_t *p = cs_arena_new(&q->arena, value.n + 1);

	if (p == NULL)
		return cs_span_make(NULL, 0);
	if (value.n > 0)
		memcpy(p, value.p, value.n);
	p[value.n] = octet;
	return cs_span_make(p, value.n + 1);
}

/* Bind what write_index_sql() left open. */
static void bind_index(struct cs_questions *q, struct cs_stmt *s,
		       const struct cs_query_filter *f, const struct range *r)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct cs_query_alternative *a = &f->any[i];

		cs_stmt_int(s, a->field);
		cs_stmt_blob(s, a->value);
		cs_stmt_int(s, (int64_t)r->low);
		cs_stmt_int(s, (int64_t)r->high);
		if (!a->zone)
			continue;
		/* "." is followed by "/": all that begins with "zone." */
		cs_stmt_int(s, a->field);
		cs_stmt_blob(s, value_and(q, a->value, '.'));
		cs_stmt_blob(s, value_and(q, a->value, '/'));
		cs_stmt_int(s, (int64_t)r->low);
		cs_stmt_int(s, (int64_t)r->high);
	}
}

/* Is this leaf's kind and time wanted? */
static bool wanted(const struct cs_query_list *l, int64_t kind, int64_t at_ms)
{
	return kind > 0 && kind < 32 && (l->kinds >> kind & 1) != 0 &&
	       at_ms >= l->since_ms && at_ms < l->until_ms;
}

/* A request's requester: a text, or an object's username. */
static struct cs_span requester_of(const json_t *scalars)
{
	const json_t *requester = json_object_get(scalars, "requester");

	if (json_is_object(requester))
		return cs_query_member(requester, "username");
	return cs_query_member(scalars, "requester");
}

/* A member, unless it is empty. */
static void put_text(struct cs_json *j, const char *name, struct cs_span text)
{
	if (text.n == 0)
		return;
	cs_json_name(j, name);
	cs_json_text(j, text);
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
	struct cs_span client = cs_stmt_col(s, L_CLIENT_NAME);

	if (body != NULL) {
		cs_json_name(j, "changed");
		cs_json_bool(j, json_is_true(json_object_get(body, "changed")));
	}
	put_text(j, "client",
		 client.n > 0 ? client : cs_query_member(record, "client"));
	put_text(j, "code", cs_query_member(body, "code"));
	if (decision.n > 0) {
		cs_json_name(j, "decision");
		cs_json_raw(j, decision);
	}
	if (!cs_stmt_is_null(s, L_ID))
		cs_json_member_hex(j, "id", cs_stmt_col(s, L_ID));
	cs_json_member_int(j, "index", (int64_t)index);
	put_text(j, "issuer",
		 cs_stmt_is_null(s, L_ISSUER)
			 ? cs_query_member(record, "issuer")
			 : cs_stmt_col(s, L_ISSUER));
}

/* An item's members from "kind" on. */
static void put_second_half(struct cs_json *j, struct cs_stmt *s,
			    const json_t *body, const json_t *scalars)
{
	enum cs_leaf_kind kind = (enum cs_leaf_kind)cs_stmt_col_int(s, L_KIND);
	const char *name = cs_leaf_kind_name(kind);

	cs_json_member_str(j, "kind", name == NULL ? "" : name);
	cs_json_member_hex(j, "leaf_hash", cs_stmt_col(s, L_HASH));
	if (!cs_stmt_is_null(s, L_TERMS))
		cs_query_put_names(j, cs_stmt_col(s, L_TERMS));
	if (!cs_stmt_is_null(s, L_NOT_AFTER)) {
		cs_json_name(j, "not_after");
		cs_json_time_ms(j, cs_stmt_col_int(s, L_NOT_AFTER) * 1000);
	}
	put_text(j, "policy",
		 cs_query_member(json_object_get(body, "policy"), "name"));
	put_text(j, "requester", requester_of(scalars));
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

	if (entry.n > 0 && cs_leaf_entry_split(entry, &decision, &record, NULL))
		members = parse(record);
	if (q->what->kind == CS_QUERY_CERTIFICATES)
		decision = cs_span_make(NULL, 0);
	cs_buf_reset(&q->item);
	cs_json_begin(&j, &q->item);
	cs_json_object(&j);
	put_first_half(&j, s, index, body, members, decision);
	put_second_half(&j, s, body, scalars);
	cs_json_end(&j);
	json_decref(body);
	json_decref(scalars);
	json_decref(members);
	return cs_json_finish(&j, "audit entry", err);
}

/* One candidate. *ret_go = false: the page is over. */
static bool consider(struct cs_questions *q, const struct cs_query_list *l,
		     struct cs_query_page *p, uint64_t index, bool *ret_go,
		     struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_LEAF);
	bool row = false;
	bool match;
	bool ok = true;

	cs_stmt_int(&s, (int64_t)index);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	match = row &&
		wanted(l, cs_stmt_col_int(&s, L_KIND),
		       cs_stmt_col_int(&s, L_AT)) &&
		(q->what->client == 0 ||
		 (uint64_t)cs_stmt_col_int(&s, L_CLIENT) == q->what->client) &&
		cs_query_matches(l, cs_stmt_col(&s, L_TERMS));
	/* What an abandoned attempt was to decide, it did not decide. */
	if (match && l->filters > 0 &&
	    cs_stmt_col_int(&s, L_KIND) == CS_LEAF_ATTEMPT_ABANDONED)
		match = false;
	if (match)
		ok = write_item(q, &s, index, err);
	cs_stmt_end(&s);
	if (ok && match)
		*ret_go = cs_query_page_add(q, p, index);
	return ok;
}

/* All candidates of one statement; ends it. */
static bool take(struct cs_questions *q, const struct cs_query_list *l,
		 struct cs_query_page *p, struct cs_stmt *s, bool *ret_go,
		 struct cs_error *err)
{
	bool row = false;
	bool ok = true;

	while (*ret_go && (ok = cs_stmt_step(s, &row, err)) && row) {
		uint64_t index = (uint64_t)cs_stmt_col_int(s, 0);

		*ret_go = cs_query_page_look(p, index);
		if (*ret_go &&
		    (cs_stmt_is_null(s, 1) ||
		     wanted(l, cs_stmt_col_int(s, 1), cs_stmt_col_int(s, 2))))
			ok = consider(q, l, p, index, ret_go, err);
		if (!ok)
			break;
	}
	cs_stmt_end(s);
	return ok;
}

/* Candidates of a part of the range, one leaf after the other. */
static bool scan(struct cs_questions *q, const struct cs_query_list *l,
		 struct cs_query_page *p, uint64_t low, uint64_t high,
		 bool *ret_go, struct cs_error *err)
{
	struct cs_stmt s =
		cs_stmt(q->db, l->ascending ? CS_SQL_QUERY_SCAN_UP
					    : CS_SQL_QUERY_SCAN_DOWN);

	cs_stmt_int(&s, (int64_t)low);
	cs_stmt_int(&s, (int64_t)high);
	return take(q, l, p, &s, ret_go, err);
}

/* Candidates below the watermark, by the term index. */
static bool look_up(struct cs_questions *q, const struct cs_query_list *l,
		    struct cs_query_page *p, const struct range *r,
		    bool *ret_go, struct cs_error *err)
{
	const struct cs_query_filter *f = driver(l);
	CS_CLEANUP(cs_buf_done) struct cs_buf sql;
	struct cs_stmt s;

	cs_buf_init(&sql, CS_MAX_PAGE);
	if (!write_index_sql(f, l->ascending, &sql, err))
		return false;
	s = cs_stmt_text(q->db, cs_buf_str(&sql));
	bind_index(q, &s, f, r);
	return take(q, l, p, &s, ret_go, err);
}

/* The range in its order: index below the watermark, scan above it. */
static bool fill(struct cs_questions *q, const struct cs_query_list *l,
		 struct cs_query_page *p, const struct range *r,
		 struct cs_error *err)
{
	struct range filed = *r;
	uint64_t middle = r->terms_done;
	bool go = true;

	if (middle < r->low)
		middle = r->low;
	if (middle > r->high)
		middle = r->high;
	filed.high = middle;
	if (l->filters == 0)
		return scan(q, l, p, r->low, r->high, &go, err);
	if (l->ascending)
		return look_up(q, l, p, &filed, &go, err) &&
		       scan(q, l, p, middle, r->high, &go, err);
	return scan(q, l, p, middle, r->high, &go, err) &&
	       look_up(q, l, p, &filed, &go, err);
}

bool cs_query_audit(struct cs_questions *q, struct cs_error *err)
{
	struct cs_query_list l;
	struct cs_query_page p;
	struct range r;
	bool ok = false;

	if (!cs_query_list_read(q, &l, &ok, err))
		return false;
	if (!ok)
		return true;
	if (!read_range(q, &r, err) || !narrow(q, &l, &r, err))
		return false;
	cs_query_page_begin(q, &p, &l);
	return fill(q, &l, &p, &r, err) && cs_query_page_end(q, &p, err);
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
	if (!row ||
	    (q->what->client != 0 &&
	     (uint64_t)cs_stmt_col_int(&s, L_CLIENT) != q->what->client))
		cs_query_refuse(q, "NOT_FOUND", "There is no such entry.");
	else
		ok = write_entry(q, &s, (uint64_t)json_integer_value(index),
				 err);
	cs_stmt_end(&s);
	return ok;
}
