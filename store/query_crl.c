/* CRLs: the last one of a shard, and a list of all. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/time.h"
#include "base/wire.h"
#include "store/query_internal.h"

/* A number parameter, 0 to max; false: it is none. */
static bool read_number(const struct cs_questions *q, const char *name,
			json_int_t max, int64_t *ret)
{
	const json_t *v = json_object_get(q->params, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    json_integer_value(v) > max)
		return false;
	*ret = json_integer_value(v);
	return true;
}

/* The octets of a row. */
static bool put_der(struct cs_questions *q, int64_t id, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_CRL_DER);
	bool row = false;

	cs_stmt_int(&s, id);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	cs_wire_put_bytes(q->body, cs_stmt_col(&s, 0));
	cs_stmt_end(&s);
	return true;
}

/* The row in hand, encoded; without its octets when these are known. */
static bool put_crl(struct cs_questions *q, struct cs_stmt *s,
		    struct cs_error *err)
{
	struct cs_span sha256 = cs_stmt_col(s, 3), have = {0};
	bool known = cs_query_hex(q, "have", 32, &have) &&
		     cs_span_equal(have, sha256);

	cs_wire_put_u64(q->body, (uint64_t)cs_stmt_col_int(s, 1));
	cs_wire_put_u64(q->body, (uint64_t)cs_stmt_col_int(s, 2));
	cs_wire_put_bytes(q->body, sha256);
	if (!known)
		return put_der(q, cs_stmt_col_int(s, 0), err);
	cs_wire_put_bytes(q->body, cs_span_make(NULL, 0));
	return true;
}

bool cs_query_crl(struct cs_questions *q, struct cs_error *err)
{
	struct cs_span issuer = cs_query_text(q, "issuer");
	struct cs_stmt s;
	int64_t generation = 0, shard = 0;
	bool row = false;
	bool ok = true;

	if (issuer.n == 0 ||
	    !read_number(q, "generation", UINT32_MAX, &generation) ||
	    !read_number(q, "shard", CS_MAX_CRL_SHARDS - 1, &shard))
		return cs_query_refuse(
			q, "BAD_PARAMETER",
			"issuer, generation, shard: want a CRL.");
	s = cs_stmt(q->db, CS_SQL_QUERY_CRL);
	cs_stmt_str(&s, issuer);
	cs_stmt_int(&s, generation);
	cs_stmt_int(&s, shard);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (row)
		ok = put_crl(q, &s, err);
	cs_stmt_end(&s);
	if (!ok)
		return false;
	if (!row)
		return cs_query_refuse(q, "NOT_FOUND", "There is no such CRL.");
	return true;
}

/* One item of the list. */
static void put_item(struct cs_json *j, struct cs_stmt *s)
{
	char text[CS_TIME_TEXT];

	cs_json_object(j);
	cs_json_member_int(j, "entries", cs_stmt_col_int(s, 6));
	cs_json_member_int(j, "generation", cs_stmt_col_int(s, 2));
	cs_json_member_int(j, "index", cs_stmt_col_int(s, 7));
	cs_json_member_span(j, "issuer", cs_stmt_col(s, 1));
	cs_time_rfc3339(cs_stmt_col_int(s, 5), text);
	cs_json_member_str(j, "next_update", text);
	cs_json_member_int(j, "number", cs_stmt_col_int(s, 9));
	cs_json_member_hex(j, "sha256", cs_stmt_col(s, 8));
	cs_json_member_int(j, "shard", cs_stmt_col_int(s, 3));
	cs_json_member_int(j, "size", cs_stmt_col_int(s, 10));
	cs_time_rfc3339(cs_stmt_col_int(s, 4), text);
	cs_json_member_str(j, "this_update", text);
	cs_json_end(j);
}

/* Is the row's issuer one of those that were asked for, or its label? */
static bool is_wanted(const struct cs_questions *q, struct cs_stmt *s)
{
	struct cs_span name = cs_stmt_col(s, 1);
	char label[CS_MAX_LABEL + 1];
	const json_t *issuers = json_object_get(q->params, "issuer"), *item;
	size_t i;

	(void)snprintf(label, sizeof(label), "%.*s@%u", CS_SPAN_FMT(name),
		       (unsigned)cs_stmt_col_int(s, 2));
	json_array_foreach(issuers, i, item)
	{
		if (strcmp(label, json_string_value(item)) == 0 ||
		    cs_span_equal_str(name, json_string_value(item)))
			return true;
	}
	return json_array_size(issuers) == 0;
}

/* Behind which row the page begins; false: it is no cursor. */
static bool read_cursor(const struct cs_questions *q, int64_t *ret_after)
{
	struct cs_span text = cs_query_text(q, "cursor");
	int64_t n = 0;

	if (json_object_get(q->params, "cursor") == NULL) {
		*ret_after = 0;
		return true;
	}
	if (text.n == 0 || text.n > 18)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (text.p[i] - '0');
	}
	*ret_after = n;
	return true;
}

/* Items and where they end; *ret_more: there are more. */
static bool put_items(struct cs_questions *q, struct cs_json *j, int64_t limit,
		      int64_t *after, bool *ret_more, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_CRLS);
	int64_t n = 0;
	bool row = false;
	bool ok;

	*ret_more = false;
	cs_stmt_int(&s, *after);
	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		if (!is_wanted(q, &s))
			continue;
		*ret_more = n == limit;
		if (*ret_more)
			break;
		put_item(j, &s);
		*after = cs_stmt_col_int(&s, 0);
		n++;
	}
	cs_stmt_end(&s);
	return ok;
}

bool cs_query_crls(struct cs_questions *q, struct cs_error *err)
{
	int64_t limit = 100, after = 0;
	char cursor[24];
	struct cs_json j;
	bool more;

	(void)read_number(q, "limit", CS_MAX_PAGE_ITEMS, &limit);
	if (!read_cursor(q, &after))
		return cs_query_refuse(q, "BAD_CURSOR",
				       "cursor: it is not one of this list; "
				       "begin without one.");
	cs_json_begin(&j, q->body);
	cs_json_object(&j);
	cs_json_name(&j, "items");
	cs_json_array(&j);
	if (!put_items(q, &j, limit, &after, &more, err))
		return false;
	cs_json_end(&j);
	(void)snprintf(cursor, sizeof(cursor), "%lld", (long long)after);
	cs_json_name(&j, "next");
	if (more)
		cs_json_string(&j, cs_span_str(cursor));
	else
		cs_json_null(&j);
	cs_json_end(&j);
	return cs_json_finish(&j, "CRLs", err);
}
