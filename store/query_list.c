#include <string.h>

#include "store/note.h"
#include "store/query_internal.h"

/* What looking at a request costs, and parsing what was said with it. */
#define COST_ROW    2
#define COST_PARSED 6

/* Columns of QUERY_REQUESTS_* and QUERY_OPEN_*. */
enum {
	R_N,
	R_ID,
	R_CLIENT,
	R_CLIENT_NAME,
	R_ISSUER,
	R_SCALARS,
	R_STATE,
	R_RECEIVED,
	R_EXPIRES,
	R_HOLD,
	R_FINGERPRINT,
	R_LEAF,
	R_TERMS
};

/* A time member; null when the column is NULL. */
static void put_time(struct cs_json *j, const char *name, struct cs_stmt *s,
		     int column)
{
	cs_json_name(j, name);
	if (cs_stmt_is_null(s, column))
		cs_json_null(j);
	else
		cs_json_time_ms(j, cs_stmt_col_int(s, column));
}

/* The same, left out when the column is NULL. */
static void put_if_there(struct cs_json *j, const char *name, struct cs_stmt *s,
			 int column)
{
	if (!cs_stmt_is_null(s, column))
		put_time(j, name, s, column);
}

/* A column that holds canonical JSON. */
static void put_raw(struct cs_json *j, const char *name, struct cs_span json)
{
	cs_json_name(j, name);
	cs_json_raw(j, json);
}

/* {"items":[...],"next":null}: begin, and end. */
static void begin_items(struct cs_questions *q, struct cs_json *j)
{
	cs_json_begin(j, q->body);
	cs_json_object(j);
	cs_json_name(j, "items");
	cs_json_array(j);
}

static bool end_items(struct cs_json *j, struct cs_error *err)
{
	cs_json_end(j);
	cs_json_name(j, "next");
	cs_json_null(j);
	cs_json_end(j);
	return cs_json_finish(j, "list", err);
}

/* -- requests ------------------------------------------------------------ */

/* A request's requester: a text, or an object's username. */
static struct cs_span requester_of(const json_t *scalars)
{
	const json_t *requester = json_object_get(scalars, "requester");

	if (json_is_object(requester))
		return cs_query_member(requester, "username");
	return cs_query_member(scalars, "requester");
}

/* The request in hand as an item, in q->item. */
static bool write_request(struct cs_questions *q, struct cs_stmt *s,
			  const json_t *scalars, struct cs_error *err)
{
	struct cs_json j;

	cs_buf_reset(&q->item);
	cs_json_begin(&j, &q->item);
	cs_json_object(&j);
	cs_query_put_text(&j, "client", cs_stmt_col(s, R_CLIENT_NAME));
	put_time(&j, "expires", s, R_EXPIRES);
	cs_query_put_text(&j, "hold", cs_stmt_col(s, R_HOLD));
	cs_json_member_hex(&j, "id", cs_stmt_col(s, R_ID));
	if (!cs_stmt_is_null(s, R_LEAF))
		cs_json_member_int(&j, "index", cs_stmt_col_int(s, R_LEAF));
	cs_query_put_text(&j, "issuer", cs_stmt_col(s, R_ISSUER));
	if (!cs_stmt_is_null(s, R_TERMS))
		cs_query_put_names(&j, cs_stmt_col(s, R_TERMS));
	cs_query_put_text(&j, "namespace",
			  cs_query_member(scalars, "namespace"));
	if (cs_stmt_col(s, R_SCALARS).n == 0) { /* never empty before that */
		cs_json_name(&j, "purged");
		cs_json_bool(&j, true);
	}
	put_time(&j, "received", s, R_RECEIVED);
	cs_json_member_hex(&j, "request_sha256", cs_stmt_col(s, R_FINGERPRINT));
	cs_query_put_text(&j, "requester", requester_of(scalars));
	cs_query_put_text(&j, "state", cs_stmt_col(s, R_STATE));
	cs_json_end(&j);
	return cs_json_finish(&j, "request", err);
}

/*
 * Can this JSON hold one of the parameter's values? Sooner asked than parsed;
 * a value that JSON escapes may always be there.
 */
static bool may_hold(const struct cs_questions *q, const char *name,
		     struct cs_span json)
{
	const json_t *values = json_object_get(q->params, name);
	const json_t *value;
	size_t i;

	json_array_foreach(values, i, value)
	{
		const char *text = json_string_value(value);
		size_t n = json_string_length(value);
		bool escaped = text == NULL;

		for (size_t k = 0; k < n && !escaped; k++)
			escaped = text[k] == '"' || text[k] == '\\' ||
				  (uint8_t)text[k] < 0x20;
		if (escaped ||
		    (json.n > 0 && memmem(json.p, json.n, text, n) != NULL))
			return true;
	}
	return values == NULL;
}

/* One candidate. *ret_go = false: the page is over. */
static bool consider_request(struct cs_questions *q, struct cs_query_page *p,
			     struct cs_stmt *s, bool *ret_go,
			     struct cs_error *err)
{
	uint64_t n = (uint64_t)cs_stmt_col_int(s, R_N);
	struct cs_span text = cs_stmt_col(s, R_SCALARS);
	bool may = may_hold(q, "requester", text) &&
		   may_hold(q, "namespace", text);
	json_t *scalars;
	bool ok = true;

	*ret_go = cs_query_page_look(p, n, may ? COST_PARSED : COST_ROW);
	if (!*ret_go || !may ||
	    !cs_query_one_of(q, "state", cs_stmt_col(s, R_STATE)) ||
	    !cs_query_one_of(q, "issuer", cs_stmt_col(s, R_ISSUER)) ||
	    !cs_query_may_see(q, (uint64_t)cs_stmt_col_int(s, R_CLIENT),
			      cs_stmt_col(s, R_ISSUER)))
		return true;
	scalars = cs_json_parse(text, "scalars", NULL);
	if (cs_query_one_of(q, "requester", requester_of(scalars)) &&
	    cs_query_one_of(q, "namespace",
			    cs_query_member(scalars, "namespace"))) {
		ok = write_request(q, s, scalars, err);
		*ret_go = ok && cs_query_page_add(q, p, n);
	}
	json_decref(scalars);
	return ok;
}

/* All states that a request can have. */
#define STATES "pending approved issued refused denied expired"

/* Are only open requests asked for? */
static bool only_open(const struct cs_questions *q)
{
	const json_t *states = json_object_get(q->params, "state");
	const json_t *state;
	size_t i;

	if (!json_is_array(states) || json_array_size(states) == 0)
		return false;
	json_array_foreach(states, i, state)
	{
		const char *name = json_string_value(state);

		if (name == NULL || (strcmp(name, "pending") != 0 &&
				     strcmp(name, "approved") != 0))
			return false;
	}
	return true;
}

/* Rows of a statement, each a candidate; ends it. */
static bool take_requests(struct cs_questions *q, struct cs_query_page *p,
			  struct cs_stmt *s, bool *ret_go, struct cs_error *err)
{
	bool row = false;
	bool ok = true;

	while (*ret_go && (ok = cs_stmt_step(s, &row, err)) && row) {
		ok = consider_request(q, p, s, ret_go, err);
		if (!ok)
			break;
	}
	cs_stmt_end(s);
	return ok;
}

/* Candidates by their numbers, from where the cursor is on; ends the list. */
static bool take_numbers(struct cs_questions *q, const struct cs_query_list *l,
			 struct cs_query_page *p, struct cs_stmt *numbers,
			 struct cs_error *err)
{
	bool row = false;
	bool go = true;
	bool ok = true;

	while (go && (ok = cs_stmt_step(numbers, &row, err)) && row) {
		int64_t n = cs_stmt_col_int(numbers, 0);
		struct cs_stmt s;

		if (n == 0 || (l->has_position &&
			       (l->ascending ? n <= (int64_t)l->position
					     : n >= (int64_t)l->position)))
			continue;
		s = cs_stmt(q->db, CS_SQL_QUERY_REQUESTS_UP);
		cs_stmt_int(&s, n - 1);
		cs_stmt_int(&s, n + 1);
		ok = take_requests(q, p, &s, &go, err);
		if (!ok)
			break;
	}
	cs_stmt_end(numbers);
	return ok;
}

bool cs_query_requests(struct cs_questions *q, struct cs_error *err)
{
	static const enum cs_sql sql[2][2] = {
		{CS_SQL_QUERY_REQUESTS_DOWN, CS_SQL_QUERY_REQUESTS_UP},
		{CS_SQL_QUERY_OPEN_DOWN, CS_SQL_QUERY_OPEN_UP},
	};
	struct cs_query_list l;
	struct cs_query_page p;
	struct cs_stmt s;
	bool go = true;
	bool ok = false;

	if (!cs_query_list_read(q, &l, &ok, err))
		return false;
	if (!ok || !cs_query_check_words(q, "state", STATES))
		return true;
	cs_query_page_begin(q, &p, &l);
	ok = false;
	if (!only_open(q) && !cs_query_lead_requests(q, &l, &s, &ok, err))
		return false;
	if (ok)
		return take_numbers(q, &l, &p, &s, err) &&
		       cs_query_page_end(q, &p, err);
	s = cs_stmt(q->db, sql[only_open(q)][l.ascending]);
	cs_stmt_int(&s,
		    l.has_position && l.ascending ? (int64_t)l.position : -1);
	cs_stmt_int(&s, l.has_position && !l.ascending ? (int64_t)l.position
						       : INT64_MAX);
	return take_requests(q, &p, &s, &go, err) &&
	       cs_query_page_end(q, &p, err);
}

/* -- clients, issuers ---------------------------------------------------- */

/* Columns of QUERY_CREDENTIALS. */
enum {
	C_ID,
	C_KIND,
	C_TOKEN_ID,
	C_CREATED,
	C_EXPIRES,
	C_REVOKED,
	C_FINGERPRINT,
	C_SAN,
	C_CA
};

/* What a credential is called outside: a certificate, by what it is known. */
static struct cs_span kind_of(struct cs_stmt *s)
{
	struct cs_span kind = cs_stmt_col(s, C_KIND);

	if (!cs_span_equal_str(kind, "cert"))
		return kind;
	return cs_span_str(!cs_stmt_is_null(s, C_FINGERPRINT)
				   ? "cert-fingerprint"
			   : !cs_stmt_is_null(s, C_SAN) ? "cert-san"
							: "cert-issuer");
}

/* One credential; nothing that proves a token leaves the database. */
static bool put_credential(struct cs_questions *q, struct cs_json *j,
			   struct cs_stmt *s, struct cs_error *err)
{
	uint8_t digest[CS_SHA256_SIZE];

	cs_json_object(j);
	if (!cs_stmt_is_null(s, C_CA)) {
		if (!cs_hash_sha256(q->hash, cs_stmt_col(s, C_CA), digest, err))
			return false;
		cs_json_member_hex(j, "ca_sha256",
				   cs_span_make(digest, sizeof(digest)));
	}
	put_time(j, "created", s, C_CREATED);
	put_time(j, "expires", s, C_EXPIRES);
	if (!cs_stmt_is_null(s, C_FINGERPRINT))
		cs_json_member_hex(j, "fingerprint",
				   cs_stmt_col(s, C_FINGERPRINT));
	cs_json_member_int(j, "id", cs_stmt_col_int(s, C_ID));
	cs_query_put_text(j, "kind", kind_of(s));
	put_time(j, "revoked", s, C_REVOKED);
	cs_query_put_text(j, "san", cs_stmt_col(s, C_SAN));
	cs_query_put_text(j, "token_id", cs_stmt_col(s, C_TOKEN_ID));
	cs_json_end(j);
	return true;
}

/* The credentials of one client. */
static bool put_credentials(struct cs_questions *q, struct cs_json *j,
			    int64_t client, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_CREDENTIALS);
	bool row = false;
	bool ok;

	cs_json_name(j, "credentials");
	cs_json_array(j);
	cs_stmt_int(&s, client);
	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		ok = put_credential(q, j, &s, err);
		if (!ok)
			break;
	}
	cs_stmt_end(&s);
	cs_json_end(j);
	return ok;
}

bool cs_query_clients(struct cs_questions *q, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_CLIENTS);
	struct cs_json j;
	bool row = false;
	bool ok;

	begin_items(q, &j);
	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		cs_json_object(&j);
		put_time(&j, "created", &s, 7);
		ok = put_credentials(q, &j, cs_stmt_col_int(&s, 0), err);
		if (!ok)
			break;
		put_raw(&j, "groups", cs_stmt_col(&s, 6));
		cs_json_member_int(&j, "id", cs_stmt_col_int(&s, 0));
		put_raw(&j, "issuers", cs_stmt_col(&s, 4));
		cs_query_put_text(&j, "name", cs_stmt_col(&s, 1));
		put_raw(&j, "namespaces", cs_stmt_col(&s, 5));
		cs_query_put_text(&j, "realm", cs_stmt_col(&s, 2));
		put_time(&j, "removed", &s, 8);
		put_raw(&j, "rights", cs_stmt_col(&s, 3));
		cs_json_end(&j);
	}
	cs_stmt_end(&s);
	return ok && end_items(&j, err);
}

bool cs_query_issuers(struct cs_questions *q, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_ISSUERS);
	struct cs_json j;
	bool row = false;
	bool ok;

	begin_items(q, &j);
	while ((ok = cs_stmt_step(&s, &row, err)) && row) {
		cs_json_object(&j);
		cs_query_put_lines(&j, "ca", cs_stmt_col(&s, 5));
		cs_query_put_lines(&j, "chain", cs_stmt_col(&s, 4));
		put_time(&j, "created", &s, 8);
		cs_query_put_text(&j, "crl_base", cs_stmt_col(&s, 6));
		cs_json_member_int(&j, "crl_shards", cs_stmt_col_int(&s, 7));
		cs_json_member_int(&j, "generation", cs_stmt_col_int(&s, 2));
		put_if_there(&j, "key_destroyed", &s, 12);
		cs_query_put_text(&j, "name", cs_stmt_col(&s, 1));
		cs_json_name(&j, "not_after");
		cs_json_time_ms(&j, cs_stmt_col_int(&s, 9) * 1000);
		put_if_there(&j, "retired", &s, 11);
		cs_json_member_hex(&j, "serial", cs_stmt_col(&s, 10));
		cs_json_member_hex(&j, "sha256", cs_stmt_col(&s, 3));
		cs_json_end(&j);
	}
	cs_stmt_end(&s);
	return ok && end_items(&j, err);
}

/* -- policy, status ------------------------------------------------------ */

/* A list that is the member `name`: an object for each row; ends the rows. */
static bool put_rows(struct cs_json *j, const char *name, struct cs_stmt *s,
		     void (*put)(struct cs_json *j, struct cs_stmt *s),
		     struct cs_error *err)
{
	bool row = false;
	bool ok;

	cs_json_name(j, name);
	cs_json_array(j);
	while ((ok = cs_stmt_step(s, &row, err)) && row) {
		cs_json_object(j);
		put(j, s);
		cs_json_end(j);
	}
	cs_stmt_end(s);
	cs_json_end(j);
	return ok;
}

/* One source of a set, whole. */
static void put_source(struct cs_json *j, struct cs_stmt *s)
{
	cs_query_put_text(j, "name", cs_stmt_col(s, 0));
	cs_json_member_hex(j, "sha256", cs_stmt_col(s, 1));
	cs_query_put_lines(j, "text", cs_stmt_col(s, 2));
}

bool cs_query_policy(struct cs_questions *q, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_POLICY_SET);
	struct cs_stmt sources;
	struct cs_span hash = {0};
	struct cs_json j;
	bool row = false;
	bool ok;

	(void)cs_query_hex(q, "set_sha256", 32, &hash);
	cs_stmt_blob_or_null(&s, hash);
	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (!row) {
		cs_stmt_end(&s);
		return cs_query_refuse(
			q, "NOT_FOUND",
			hash.n > 0 ? "No policy set with this hash was ever "
				     "applied; it is the set_sha256 of a "
				     "decision that leads to one."
				   : "No policy set was ever applied.");
	}
	cs_json_begin(&j, q->body);
	cs_json_object(&j);
	put_time(&j, "applied", &s, 3);
	cs_query_put_text(&j, "engine", cs_stmt_col(&s, 2));
	cs_json_member_int(&j, "epoch", cs_stmt_col_int(&s, 0));
	cs_json_member_int(&j, "index", cs_stmt_col_int(&s, 4));
	cs_json_member_hex(&j, "set_sha256", cs_stmt_col(&s, 1));
	sources = cs_stmt(q->db, CS_SQL_QUERY_POLICY_SOURCES);
	cs_stmt_int(&sources, cs_stmt_col_int(&s, 0));
	cs_stmt_end(&s);
	ok = put_rows(&j, "sources", &sources, put_source, err);
	cs_json_end(&j);
	return ok && cs_json_finish(&j, "policy", err);
}

/* The public form of the log's key. */
static void put_log_key(struct cs_json *j, struct cs_stmt *s)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_note_verifier v;
	struct cs_span key = cs_stmt_col(s, 3);

	cs_buf_init(&text, CS_MAX_NOTE);
	if (key.n != CS_NOTE_PUBLIC ||
	    !cs_note_verifier_make(cs_stmt_col(s, 2), key.p, &v, NULL))
		return;
	cs_note_verifier_write(&v, &text);
	cs_query_put_text(j, "log_key", cs_buf_span(&text));
}

/* One of an issuer's generations. */
static void put_generation(struct cs_json *j, struct cs_stmt *s)
{
	cs_json_member_int(j, "generation", cs_stmt_col_int(s, 2));
	cs_query_put_text(j, "name", cs_stmt_col(s, 1));
}

bool cs_query_status(struct cs_questions *q, struct cs_error *err)
{
	struct cs_stmt s = cs_stmt(q->db, CS_SQL_QUERY_STATUS);
	struct cs_stmt issuers;
	struct cs_json j;
	bool row = false;

	if (!cs_stmt_step(&s, &row, err))
		return false;
	if (!row) {
		cs_stmt_end(&s);
		return cs_error_set(err, CS_E_DB_CORRUPT,
				    "meta: its row is missing");
	}
	cs_json_begin(&j, q->body);
	cs_json_object(&j);
	cs_json_member_int(&j, "approved", cs_stmt_col_int(&s, 11));
	put_time(&j, "created", &s, 1);
	cs_json_member_int(&j, "epoch", cs_stmt_col_int(&s, 4));
	cs_json_member_hex(&j, "installation", cs_stmt_col(&s, 0));
	issuers = cs_stmt(q->db, CS_SQL_QUERY_ISSUERS);
	if (!put_rows(&j, "issuers", &issuers, put_generation, err)) {
		cs_stmt_end(&s);
		return false;
	}
	put_log_key(&j, &s);
	cs_query_put_text(&j, "origin", cs_stmt_col(&s, 2));
	cs_json_member_int(&j, "pending", cs_stmt_col_int(&s, 10));
	put_time(&j, "recorded", &s, 8);
	cs_json_member_int(&j, "seq", cs_stmt_col_int(&s, 5));
	if (!cs_stmt_is_null(&s, 9))
		cs_json_member_hex(&j, "set_sha256", cs_stmt_col(&s, 9));
	cs_json_member_int(&j, "terms_done", cs_stmt_col_int(&s, 7));
	cs_json_member_int(&j, "tree_size", cs_stmt_col_int(&s, 6));
	cs_json_end(&j);
	cs_stmt_end(&s);
	return cs_json_finish(&j, "status", err);
}
