#include <tests/lib/test.h>

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "store/query.h"
#include <tests/lib/history.h>

/* A history, asked over a reading connection. */
struct asked {
	struct cs_history h;
	struct cs_db *db;
	struct cs_questions *q;
	struct cs_buf body;
	struct cs_question_result result;
	const char *issuers; /* that the next question is limited to as well */
};

static void begin(struct asked *a)
{
	struct cs_clock clock = cs_clock_system();
	struct cs_db_config config = {0};

	memset(a, 0, sizeof(*a));
	cs_history_make(&a->h);
	config.path = a->h.path;
	a->db = cs_db_open(&config, CS_DB_READ, NULL);
	assert_non_null(a->db);
	a->q = cs_questions_new(a->db, &clock, 0, NULL);
	assert_non_null(a->q);
	cs_buf_init(&a->body, CS_MAX_MESSAGE);
}

static void end(struct asked *a)
{
	cs_buf_done(&a->body);
	cs_questions_free(a->q);
	cs_db_close(a->db);
	cs_history_done(&a->h);
}

/* Ask; the body is in a->body. */
static bool ask(struct asked *a, enum cs_query kind, uint64_t client,
		const char *params)
{
	struct cs_question what = {kind, client, cs_span_str(a->issuers),
				   cs_span_str(params)};
	struct cs_error err = {0};

	cs_buf_reset(&a->body);
	if (!cs_questions_ask(a->q, &what, &a->body, &a->result, &err))
		fail_msg("%s", err.text);
	return a->result.found != 0;
}

/* Ask for JSON; the caller owns it. */
static json_t *ask_json(struct asked *a, enum cs_query kind, uint64_t client,
			const char *params)
{
	json_t *body;

	if (!ask(a, kind, client, params))
		fail_msg("%s: %s", a->result.code, a->result.detail);
	body = cs_json_parse(cs_buf_span(&a->body), "body", NULL);
	assert_non_null(body);
	return body;
}

/* The indexes of a list in one line, "12 10 6", and next's cursor. */
static const char *indexes(struct asked *a, enum cs_query kind, uint64_t client,
			   const char *params, char cursor[40])
{
	static char line[400];
	json_t *body = ask_json(a, kind, client, params);
	const char *next = json_string_value(json_object_get(body, "next"));
	const json_t *item;
	size_t i;
	int n = 0;

	line[0] = '\0';
	json_array_foreach(json_object_get(body, "items"), i, item)
	{
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%s%lld",
			      i == 0 ? "" : " ",
			      (long long)json_integer_value(
				      json_object_get(item, "index")));
	}
	if (cursor != NULL)
		(void)snprintf(cursor, 40, "%s", next == NULL ? "" : next);
	else
		assert_null(next);
	json_decref(body);
	return line;
}

static void lists_the_log_newest_first_and_in_order(void **state)
{
	struct asked a;

	(void)state;
	begin(&a);
	assert_string_equal(indexes(&a, CS_QUERY_AUDIT, 0, "{}", NULL),
			    "13 12 11 10 9 8 7 6 5 4 3 2 1 0");
	assert_string_equal(
		indexes(&a, CS_QUERY_AUDIT, 0, "{\"order\":\"asc\"}", NULL),
		"0 1 2 3 4 5 6 7 8 9 10 11 12 13");
	assert_string_equal(
		indexes(&a, CS_QUERY_AUDIT, 0, "{\"after\":11}", NULL),
		"12 13");
	assert_string_equal(
		indexes(&a, CS_QUERY_AUDIT, 0, "{\"after\":13}", NULL), "");
	end(&a);
}

static void filters_below_and_above_the_watermark(void **state)
{
	static const struct {
		const char *params;
		const char *indexes;
	} cases[] = {
		{"{\"verdict\":[\"issued\"]}", "12 11 6"},
		{"{\"verdict\":[\"denied\",\"expired\"]}", "9 8"},
		{"{\"requester\":[\"alice\"]}", "11 7 6"},
		{"{\"requester\":[\"alice\"],\"verdict\":[\"issued\"]}",
		 "11 6"},
		{"{\"requester\":[\"nobody\"]}", ""},
		{"{\"name\":[\"www.shop.corp.example\"]}", "6"},
		{"{\"name\":[\"WWW.Shop.Corp.Example\"]}", "6"},
		{"{\"name\":[\"shop.corp.example\"]}", "12"},
		{"{\"name\":[\"*.shop.corp.example\"]}", "11"},
		{"{\"name\":[\".shop.corp.example\"]}", "12 11 9 8 6"},
		{"{\"name\":[\".shop.corp.example\"],\"order\":\"asc\"}",
		 "6 8 9 11 12"},
		{"{\"name\":[\".corp.example\",\"pay.other.example\"]}",
		 "12 11 9 8 7 6"},
		{"{\"name\":[\"op.corp.example\"]}", ""},
		{"{\"name\":[\".op.corp.example\"]}", ""},
		{"{\"name\":[\"192.0.2.1\"]}", ""},
		{"{\"name\":[\"2001:db8::1\"]}", ""},
		{"{\"name\":[\"spiffe://a/b\"]}", ""},
		{"{\"name\":[\"a@b.example\"]}", ""},
		{"{\"code\":[\"REFUSED\"]}", "7"},
		{"{\"client\":[\"portal\"],\"kind\":[\"refused\"]}", "7"},
		{"{\"kind\":[\"start\",\"stop\"]}", "13 5"},
		{"{\"kind\":[\"attempt.abandoned\"]}", "10"},
		{"{\"flag\":[\"changed\"]}", "6"},
		{"{\"serial\":[\"5b\"]}", ""},
		{"{\"verdict\":[\"issued\"],\"kind\":[\"refused\"]}", ""},
		{"{\"kind\":[\"refused\",\"expired\"]}", "9 7"},
		{"{\"kind\":[\"refused\",\"start\"]}", "7 5"},
		{"{\"kind\":[\"start\",\"stop\"],\"order\":\"asc\"}", "5 13"},
		{"{\"covering\":[\"www.shop.corp.example\"]}", "11 6"},
		{"{\"covering\":[\"x.shop.corp.example\"]}", "11"},
		{"{\"covering\":[\"a.b.shop.corp.example\"]}", ""},
		{"{\"covering\":[\"shop.corp.example\"]}", "12"},
		{"{\"covering\":[\"localhost\"]}", ""},
		{"{\"covering\":[\".shop.corp.example\"]}", ""},
		{"{\"name\":[\"%\",\"_\",\"' OR 1=1 --\",\"*\"]}", ""},
		{"{\"requester\":[\"%\",\"al_ce\",\"a'; DROP TABLE leaf\"]}",
		 ""},
		/* Also how it came to be. */
		{"{\"issuer\":[\"default\"]}", "12 11 9 8 7 6 3"},
		{"{\"issuer\":[\"other\"]}", ""},
	};
	struct asked a;

	(void)state;
	begin(&a);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got =
			indexes(&a, CS_QUERY_AUDIT, 0, cases[i].params, NULL);

		if (strcmp(got, cases[i].indexes) != 0)
			fail_msg("%s: %s, want %s", cases[i].params, got,
				 cases[i].indexes);
	}
	end(&a);
}

static void bounds_by_time_since_inclusive_until_exclusive(void **state)
{
	struct asked a;
	char params[100];
	/* The leaf of index n was written n + 1 seconds after the start. */
	const long long start = CS_HISTORY_START_MS * 1000LL;

	(void)state;
	begin(&a);
	(void)snprintf(params, sizeof(params),
		       "{\"since_ms\":%lld,\"until_ms\":%lld}", start + 6000,
		       start + 9000);
	assert_string_equal(indexes(&a, CS_QUERY_AUDIT, 0, params, NULL),
			    "7 6 5");
	(void)snprintf(params, sizeof(params), "{\"since_ms\":%lld}",
		       start + 864000000);
	assert_string_equal(indexes(&a, CS_QUERY_AUDIT, 0, params, NULL), "");
	(void)snprintf(params, sizeof(params), "{\"until_ms\":%lld}",
		       start - 864000000);
	assert_string_equal(indexes(&a, CS_QUERY_AUDIT, 0, params, NULL), "");
	end(&a);
}

static void walks_pages_by_cursor_without_loss_or_repetition(void **state)
{
	static const char *const orders[] = {"asc", "desc"};
	struct asked a;

	(void)state;
	begin(&a);
	for (size_t i = 0; i < 2; i++) {
		char params[200];
		char cursor[40] = "";
		char all[400] = "";

		do {
			const char *page;

			(void)snprintf(params, sizeof(params),
				       "{%s%s%s\"limit\":2,\"name\":[\".shop."
				       "corp.example\"],\"order\":\"%s\"}",
				       cursor[0] ? "\"cursor\":\"" : "", cursor,
				       cursor[0] ? "\"," : "", orders[i]);
			page = indexes(&a, CS_QUERY_AUDIT, 0, params, cursor);
			strcat(all, page);
			strcat(all, ";");
		} while (cursor[0] != '\0');
		assert_string_equal(all,
				    i == 0 ? "6 8;9 11;12;" : "12 11;9 8;6;");
	}
	end(&a);
}

/* Each certificate of the history ends a day after its leaf was written. */
static void lists_certificates_by_the_end_of_validity(void **state)
{
	const long long end_of_6 = CS_HISTORY_START_MS * 1000LL + 86407000;
	struct asked a;
	char params[200], cursor[40];

	(void)state;
	begin(&a);
	(void)snprintf(params, sizeof(params), "{\"expires_before_ms\":%lld}",
		       end_of_6);
	assert_string_equal(indexes(&a, CS_QUERY_CERTIFICATES, 0, params, NULL),
			    "");
	(void)snprintf(params, sizeof(params), "{\"expires_before_ms\":%lld}",
		       end_of_6 + 1);
	assert_string_equal(indexes(&a, CS_QUERY_CERTIFICATES, 0, params, NULL),
			    "6");
	(void)snprintf(params, sizeof(params),
		       "{\"expires_before_ms\":%lld,\"order\":\"asc\","
		       "\"limit\":2}",
		       end_of_6 + 100000);
	assert_string_equal(
		indexes(&a, CS_QUERY_CERTIFICATES, 0, params, cursor), "6 11");
	(void)snprintf(params, sizeof(params),
		       "{\"cursor\":\"%s\",\"expires_before_ms\":%lld,"
		       "\"order\":\"asc\",\"limit\":2}",
		       cursor, end_of_6 + 100000);
	assert_string_equal(indexes(&a, CS_QUERY_CERTIFICATES, 0, params, NULL),
			    "12");
	(void)snprintf(params, sizeof(params),
		       "{\"expires_before_ms\":%lld,\"issuer\":[\"default\"]}",
		       end_of_6 + 100000);
	assert_string_equal(indexes(&a, CS_QUERY_CERTIFICATES, 0, params, NULL),
			    "12 11 6");
	(void)snprintf(params, sizeof(params),
		       "{\"expires_before_ms\":%lld,"
		       "\"name\":[\"shop.corp.example\"]}",
		       end_of_6 + 100000);
	assert_string_equal(indexes(&a, CS_QUERY_CERTIFICATES, 0, params, NULL),
			    "12");
	end(&a);
}

static void refuses_a_cursor_of_another_question(void **state)
{
	struct asked a;
	char cursor[40];
	char params[200];

	(void)state;
	begin(&a);
	indexes(&a, CS_QUERY_AUDIT, 0, "{\"limit\":2}", cursor);
	assert_int_equal(strlen(cursor), 32);
	(void)snprintf(params, sizeof(params),
		       "{\"cursor\":\"%s\",\"limit\":5}", cursor);
	assert_true(ask(&a, CS_QUERY_AUDIT, 0, params));
	assert_false(ask(&a, CS_QUERY_AUDIT, 3, params));
	assert_string_equal(a.result.code, "BAD_CURSOR");
	(void)snprintf(params, sizeof(params),
		       "{\"cursor\":\"%s\",\"verdict\":[\"issued\"]}", cursor);
	assert_false(ask(&a, CS_QUERY_AUDIT, 0, params));
	assert_string_equal(a.result.code, "BAD_CURSOR");
	/* Of this question, but of a leaf that never was. */
	memcpy(cursor, "00000000000000ff", 16);
	(void)snprintf(params, sizeof(params),
		       "{\"cursor\":\"%s\",\"limit\":5}", cursor);
	assert_false(ask(&a, CS_QUERY_AUDIT, 0, params));
	assert_string_equal(a.result.code, "BAD_CURSOR");
	assert_false(ask(&a, CS_QUERY_AUDIT, 0, "{\"cursor\":\"forged\"}"));
	assert_string_equal(a.result.code, "BAD_CURSOR");
	assert_false(ask(&a, CS_QUERY_AUDIT, 0, "{\"cursor\":5}"));
	assert_string_equal(a.result.code, "BAD_CURSOR");
	assert_int_equal(a.body.n, 0);
	end(&a);
}

static void refuses_parameters_that_mean_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"limit\":0}",
		"{\"limit\":1001}",
		"{\"limit\":\"a\"}",
		"{\"order\":\"up\"}",
		"{\"kind\":[\"x\"]}",
		"{\"kind\":[]}",
		"{\"name\":\"x\"}",
		"{\"serial\":[\"zz\"]}",
		"{\"spki\":[\"'\"]}",
		"{\"verdict\":[\"maybe\"]}",
		"{\"disposition\":[\"lost\"]}",
		"{\"since_ms\":9223372036854775807}",
		"{\"valid_at_ms\":-9223372036854775808}",
		"{\"name\":[\"\"]}",
		"{\"name\":[1]}",
		"{\"since_ms\":\"1\"}",
	};
	struct asked a;

	(void)state;
	begin(&a);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(ask(&a, CS_QUERY_AUDIT, 0, bad[i]));
		assert_string_equal(a.result.code, "BAD_PARAMETER");
	}
	assert_false(ask(&a, CS_QUERY_REQUESTS, 0, "{\"state\":[\"x\"]}"));
	assert_string_equal(a.result.code, "BAD_PARAMETER");
	/* A name that no wildcard covers is no reason to fall over. */
	assert_false(ask(&a, CS_QUERY_AUDIT, 0,
			 "{\"covering\":[\"host\"],\"kind\":[\"x\"]}"));
	assert_string_equal(a.result.code, "BAD_PARAMETER");
	assert_false(ask(&a, (enum cs_query)99, 0, "{}"));
	end(&a);
}

static void says_of_a_decision_who_what_and_why(void **state)
{
	struct asked a;
	json_t *body;
	const json_t *item;

	(void)state;
	begin(&a);
	body = ask_json(&a, CS_QUERY_AUDIT, 0,
			"{\"name\":[\"www.shop.corp.example\"]}");
	item = json_array_get(json_object_get(body, "items"), 0);
	assert_true(json_is_true(json_object_get(item, "changed")));
	assert_string_equal(json_string_value(json_object_get(item, "client")),
			    "portal");
	assert_string_equal(
		json_string_value(json_object_get(item, "requester")), "alice");
	assert_string_equal(json_string_value(json_object_get(item, "policy")),
			    "web");
	assert_string_equal(json_string_value(json_array_get(
				    json_object_get(item, "names"), 0)),
			    "www.shop.corp.example");
	assert_int_equal(json_string_length(json_object_get(item, "serial")),
			 34);
	assert_true(json_is_object(json_object_get(item, "decision")));
	assert_string_equal(json_string_value(json_object_get(item, "time")),
			    "2023-11-14T22:13:27.000Z");
	json_decref(body);
	body = ask_json(&a, CS_QUERY_AUDIT_ENTRY, 0, "{\"index\":6}");
	assert_true(json_is_object(
		json_object_get(json_object_get(body, "entry"), "record")));
	assert_int_equal(json_integer_value(json_object_get(body, "tree_size")),
			 7);
	json_decref(body);
	assert_false(ask(&a, CS_QUERY_AUDIT_ENTRY, 0, "{\"index\":14}"));
	assert_string_equal(a.result.code, "NOT_FOUND");
	end(&a);
}

static void history_is_what_was_judged_by_what(void **state)
{
	struct asked a;
	json_t *body;
	const json_t *item;

	(void)state;
	begin(&a);
	/* Decisions alone, in the order that is asked for. */
	assert_string_equal(
		indexes(&a, CS_QUERY_HISTORY, 0, "{\"order\":\"asc\"}", NULL),
		"6 7 8 9 11 12");
	body = ask_json(&a, CS_QUERY_HISTORY, 0,
			"{\"verdict\":[\"issued\"],"
			"\"limit\":1}");
	item = json_array_get(json_object_get(body, "items"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "kind")),
			    "issued");
	assert_true(json_is_object(json_object_get(item, "body")));
	assert_true(json_is_object(json_object_get(item, "scalars")));
	assert_true(json_is_string(json_object_get(item, "csr")));
	assert_true(json_is_string(json_object_get(item, "tbs")));
	assert_int_equal(json_integer_value(json_object_get(item, "epoch")), 1);
	assert_int_equal(json_string_length(json_object_get(item, "ca_sha256")),
			 64);
	json_decref(body);
	body = ask_json(&a, CS_QUERY_HISTORY, 0,
			"{\"verdict\":[\"refused\"],\"limit\":1}");
	item = json_array_get(json_object_get(body, "items"), 0);
	assert_null(json_object_get(item, "tbs"));
	assert_null(json_object_get(item, "ca_sha256"));
	json_decref(body);
	/* Nobody's but its own and its issuers'. */
	assert_string_equal(indexes(&a, CS_QUERY_HISTORY, 1, "{}", NULL), "");
	end(&a);
}

static void shows_a_client_only_its_own(void **state)
{
	struct asked a;

	(void)state;
	begin(&a);
	assert_string_equal(indexes(&a, CS_QUERY_AUDIT, 3, "{}", NULL),
			    "12 11 10 9 8 7 6");
	assert_string_equal(indexes(&a, CS_QUERY_AUDIT, 1, "{}", NULL), "");
	assert_false(ask(&a, CS_QUERY_AUDIT_ENTRY, 1, "{\"index\":6}"));
	assert_true(ask(&a, CS_QUERY_AUDIT_ENTRY, 3, "{\"index\":6}"));
	end(&a);
}

/* The first item's member of a list, copied. */
static void first_member(struct asked *a, enum cs_query kind,
			 const char *params, const char *name, char out[80])
{
	json_t *body = ask_json(a, kind, 0, params);
	const char *s = json_string_value(json_object_get(
		json_array_get(json_object_get(body, "items"), 0), name));

	assert_non_null(s);
	(void)snprintf(out, 80, "%s", s);
	json_decref(body);
}

static void gives_a_request_as_the_answer_of_its_rows(void **state)
{
	struct asked a;
	struct cs_msg_answer m;
	struct cs_msg_request r;
	char id[80];
	char params[100];

	(void)state;
	begin(&a);
	first_member(&a, CS_QUERY_REQUESTS,
		     "{\"order\":\"asc\",\"state\":[\"issued\"]}", "id", id);
	(void)snprintf(params, sizeof(params), "{\"id\":\"%s\"}", id);
	assert_true(ask(&a, CS_QUERY_REQUEST, 0, params));
	assert_true(cs_msg_answer_decode(cs_buf_span(&a.body), &m, NULL));
	assert_int_equal(m.outcome, CS_ANSWER_ISSUED);
	assert_int_equal(m.index, 6);
	assert_int_equal(m.tree_size, 7);
	assert_true(m.certificate.n > 0);
	assert_true(ask(&a, CS_QUERY_STORED, 3, params));
	assert_true(cs_msg_request_decode(cs_buf_span(&a.body), &r, NULL));
	assert_true(cs_span_equal_str(r.client_name, "portal"));
	assert_true((r.flags & CS_REQ_APPROVED) != 0);
	assert_false(ask(&a, CS_QUERY_REQUEST, 2, params));
	assert_false(ask(&a, CS_QUERY_STORED, 2, params));
	assert_false(ask(&a, CS_QUERY_REQUEST, 0, "{\"id\":\"00\"}"));
	assert_false(ask(&a, CS_QUERY_REQUEST, 0,
			 "{\"id\":\"000102030405060708090a0b0c0d0e0f\"}"));
	assert_string_equal(a.result.code, "NOT_FOUND");
	end(&a);
}

static void finds_a_certificate_by_its_serial(void **state)
{
	struct asked a;
	char serial[80];
	char params[100];
	json_t *body;
	const char *pem;

	(void)state;
	begin(&a);
	first_member(&a, CS_QUERY_CERTIFICATES,
		     "{\"name\":[\"shop.corp."
		     "example\"]}",
		     "serial", serial);
	(void)snprintf(params, sizeof(params), "{\"serial\":\"%s\"}", serial);
	body = ask_json(&a, CS_QUERY_CERTIFICATE, 3, params);
	pem = json_string_value(json_object_get(body, "certificate"));
	assert_non_null(pem);
	assert_int_equal(strncmp(pem, "-----BEGIN CERTIFICATE-----\n", 28), 0);
	assert_non_null(strstr(pem, "issuer chain"));
	assert_string_equal(json_string_value(json_object_get(body, "serial")),
			    serial);
	json_decref(body);
	assert_false(ask(&a, CS_QUERY_CERTIFICATE, 2, params));
	assert_false(ask(&a, CS_QUERY_CERTIFICATE, 0, "{\"serial\":\"5b\"}"));
	assert_false(ask(&a, CS_QUERY_CERTIFICATE, 0, "{}"));
	end(&a);
}

static void lists_requests_by_state_and_person(void **state)
{
	struct asked a;
	json_t *body;
	const json_t *item;

	(void)state;
	begin(&a);
	cs_history_pending(
		&a.h, &(struct cs_history_request){.name = "wait.corp.example",
						   .requester = "alice"});
	body = ask_json(&a, CS_QUERY_REQUESTS, 0,
			"{\"requester\":[\"alice\"],\"state\":[\"pending\","
			"\"approved\"]}");
	assert_int_equal(json_array_size(json_object_get(body, "items")), 1);
	item = json_array_get(json_object_get(body, "items"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "state")),
			    "pending");
	assert_int_equal(
		json_string_length(json_object_get(item, "request_sha256")),
		64);
	json_decref(body);
	/* By the search terms of what was decided, and all that is open. */
	body = ask_json(&a, CS_QUERY_REQUESTS, 0,
			"{\"requester\":[\"alice\"]}");
	assert_int_equal(json_array_size(json_object_get(body, "items")), 4);
	json_decref(body);
	body = ask_json(&a, CS_QUERY_REQUESTS, 0,
			"{\"requester\":[\"alice\"],\"limit\":3,"
			"\"order\":\"asc\"}");
	assert_int_equal(json_array_size(json_object_get(body, "items")), 3);
	assert_true(json_is_string(json_object_get(body, "next")));
	json_decref(body);
	body = ask_json(&a, CS_QUERY_REQUESTS, 0, "{\"issuer\":[\"other\"]}");
	assert_int_equal(json_array_size(json_object_get(body, "items")), 0);
	json_decref(body);
	body = ask_json(&a, CS_QUERY_REQUESTS, 0, "{\"limit\":3}");
	assert_int_equal(json_array_size(json_object_get(body, "items")), 3);
	assert_true(json_is_string(json_object_get(body, "next")));
	json_decref(body);
	body = ask_json(&a, CS_QUERY_REQUESTS, 2, "{}");
	assert_int_equal(json_array_size(json_object_get(body, "items")), 0);
	json_decref(body);
	end(&a);
}

static void tells_policy_clients_issuers_and_status(void **state)
{
	struct asked a;
	json_t *body;

	(void)state;
	begin(&a);
	body = ask_json(&a, CS_QUERY_POLICY, 0, "{}");
	assert_int_equal(json_array_size(json_object_get(body, "sources")), 2);
	json_decref(body);
	body = ask_json(&a, CS_QUERY_CLIENTS, 0, "{}");
	assert_int_equal(json_array_size(json_object_get(body, "items")), 3);
	assert_null(strstr(cs_buf_str(&a.body), "digest"));
	json_decref(body);
	body = ask_json(&a, CS_QUERY_ISSUERS, 0, "{}");
	assert_int_equal(json_array_size(json_object_get(body, "items")), 1);
	json_decref(body);
	body = ask_json(&a, CS_QUERY_STATUS, 0, "{}");
	assert_int_equal(json_integer_value(json_object_get(body, "tree_size")),
			 14);
	json_decref(body);
	end(&a);
}

/* A clock that jumps a minute each time somebody looks. */
static int64_t hasty(void *ctx)
{
	int64_t *now = ctx;

	*now += 60000;
	return *now;
}

static void gives_up_a_question_at_its_deadline(void **state)
{
	struct asked a;
	int64_t now = 0;
	struct cs_clock clock = {
		.wall_ms = hasty, .boot_ms = hasty, .ctx = &now};

	(void)state;
	begin(&a);
	cs_questions_free(a.q);
	a.q = cs_questions_new(a.db, &clock, 1000, NULL);
	/* Enough for SQLite to ask whether to go on, too little for a page. */
	assert_true(cs_db_begin(a.h.db, NULL));
	for (int i = 0; i < 350; i++)
		cs_history_act(&a.h, CS_LEAF_STOP, "{}");
	assert_true(cs_db_commit(a.h.db, NULL));
	assert_true(ask(&a, CS_QUERY_STATUS, 0, "{}"));
	assert_false(ask(&a, CS_QUERY_AUDIT, 0,
			 "{\"kind\":[\"start\",\"issued\"]}"));
	assert_string_equal(a.result.code, "BUSY");
	assert_int_equal(a.body.n, 0);
	/* The next question is asked of the same connection. */
	assert_true(ask(&a, CS_QUERY_STATUS, 0, "{}"));
	end(&a);
}

static void a_slow_page_ends_early_and_none_is_lost(void **state)
{
	struct asked a;
	char cursor[40] = "";
	char params[100];
	int64_t now = 0;
	int64_t want = 0;
	size_t pages = 0;
	struct cs_clock clock = {
		.wall_ms = hasty, .boot_ms = hasty, .ctx = &now};

	(void)state;
	begin(&a);
	cs_questions_free(a.q);
	a.q = cs_questions_new(a.db, &clock, 0, NULL);
	assert_true(cs_db_begin(a.h.db, NULL));
	for (int i = 0; i < 1500; i++)
		cs_history_act(&a.h, CS_LEAF_STOP, "{}");
	assert_true(cs_db_commit(a.h.db, NULL));
	do {
		json_t *body;
		const json_t *item;
		size_t i;

		(void)snprintf(params, sizeof(params),
			       cursor[0] == '\0'
				       ? "{\"limit\":1000,\"order\":\"asc\"}"
				       : "{\"cursor\":\"%s\",\"limit\":1000,"
					 "\"order\":\"asc\"}",
			       cursor);
		body = ask_json(&a, CS_QUERY_AUDIT, 0, params);
		json_array_foreach(json_object_get(body, "items"), i, item)
			assert_int_equal(json_integer_value(json_object_get(
						 item, "index")),
					 want++);
		assert_true(i < 500);
		item = json_object_get(body, "next");
		(void)snprintf(cursor, sizeof(cursor), "%s",
			       item == NULL || json_is_null(item)
				       ? ""
				       : json_string_value(item));
		json_decref(body);
		pages++;
	} while (cursor[0] != '\0' && pages < 1000);
	assert_int_equal(want, 1514);
	assert_true(pages > 3);
	end(&a);
}

static void who_is_limited_to_issuers_sees_theirs_and_its_own(void **state)
{
	struct asked a;
	char cursor[40];

	(void)state;
	begin(&a);
	/* Client 1 has asked for nothing itself. */
	a.issuers = "[\"other\"]";
	assert_string_equal(indexes(&a, CS_QUERY_AUDIT, 1, "{}", NULL), "");
	assert_false(ask(&a, CS_QUERY_AUDIT_ENTRY, 1, "{\"index\":6}"));
	a.issuers = "[\"other\",\"default\"]";
	assert_true(ask(&a, CS_QUERY_AUDIT_ENTRY, 1, "{\"index\":6}"));
	/* Acts of administration are not among them: 0 to 5. */
	assert_false(ask(&a, CS_QUERY_AUDIT_ENTRY, 1, "{\"index\":1}"));
	assert_null(strstr(indexes(&a, CS_QUERY_AUDIT, 1, "{}", NULL), " 5"));
	assert_non_null(
		strstr(indexes(&a, CS_QUERY_AUDIT, 1, "{}", NULL), " 6"));
	assert_string_equal(indexes(&a, CS_QUERY_CERTIFICATES, 1, "{}", NULL),
			    "12 11 6");
	/* A cursor is of what was seen then. */
	(void)indexes(&a, CS_QUERY_AUDIT, 1, "{\"limit\":1}", cursor);
	a.issuers = "[\"default\"]";
	{
		char params[80];

		(void)snprintf(params, sizeof(params), "{\"cursor\":\"%s\"}",
			       cursor);
		assert_false(ask(&a, CS_QUERY_AUDIT, 1, params));
	}
	assert_string_equal(a.result.code, "BAD_CURSOR");
	/* What cannot be read limits to nothing. */
	a.issuers = "{}";
	assert_false(ask(&a, CS_QUERY_AUDIT, 1, "{}"));
	end(&a);
}

/* What is revoked: in the order of that; else in the list's own. */
static void lists_certificates_by_whether_they_are_revoked(void **state)
{
	static const struct {
		const char *params, *want;
	} cases[] = {
		{"{\"revoked\":[\"true\"]}", "6 12"},
		{"{\"order\":\"asc\",\"revoked\":[\"true\"]}", "12 6"},
		{"{\"revoked\":[\"false\"]}", "11"},
		{"{\"revoked\":[\"false\",\"true\"]}", "12 11 6"},
		{"{\"expires_before_ms\":1900000000000,\"revoked\":"
		 "[\"true\"]}",
		 "6 12"},
		{"{\"expires_before_ms\":1900000000000,\"revoked\":"
		 "[\"false\"]}",
		 "11"},
		{"{\"requester\":[\"dora\"],\"revoked\":[\"true\"]}", "12"},
		{"{\"requester\":[\"alice\"],\"revoked\":[\"false\"]}", "11"},
		{"{\"issuer\":[\"other\"],\"revoked\":[\"true\"]}", ""},
	};
	struct asked a;
	char cursor[40], params[200];

	(void)state;
	begin(&a);
	cs_history_revoke(&a.h, 5, 4);
	cs_history_revoke(&a.h, 3, 0); /* abandoned: there is no certificate */
	cs_history_revoke(&a.h, 2, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(indexes(&a, CS_QUERY_CERTIFICATES, 0,
					    cases[i].params, NULL),
				    cases[i].want);
	assert_string_equal(indexes(&a, CS_QUERY_CERTIFICATES, 0,
				    "{\"limit\":1,\"revoked\":[\"true\"]}",
				    cursor),
			    "6");
	(void)snprintf(params, sizeof(params),
		       "{\"cursor\":\"%s\",\"revoked\":[\"true\"]}", cursor);
	assert_string_equal(indexes(&a, CS_QUERY_CERTIFICATES, 0, params, NULL),
			    "12");
	assert_false(
		ask(&a, CS_QUERY_CERTIFICATES, 0, "{\"revoked\":[\"yes\"]}"));
	assert_string_equal(a.result.code, "BAD_PARAMETER");
	end(&a);
}

/* Who revoked, of which issuer: that is who sees it. */
static void a_revocation_is_seen_by_whose_it_is(void **state)
{
	struct asked a;
	json_t *body, *item;

	(void)state;
	begin(&a);
	cs_history_revoke(&a.h, 5, 4);
	assert_string_equal(indexes(&a, CS_QUERY_AUDIT, 0,
				    "{\"kind\":[\"revoked\"]}", NULL),
			    "14");
	a.issuers = "[\"default\"]";
	assert_string_equal(indexes(&a, CS_QUERY_AUDIT, 99,
				    "{\"kind\":[\"revoked\"]}", NULL),
			    "14");
	a.issuers = "[\"other\"]";
	assert_string_equal(indexes(&a, CS_QUERY_AUDIT, 99,
				    "{\"kind\":[\"revoked\"]}", NULL),
			    "");
	a.issuers = NULL;
	body = ask_json(&a, CS_QUERY_AUDIT, 0, "{\"kind\":[\"revoked\"]}");
	item = json_array_get(json_object_get(body, "items"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "client")),
			    "portal");
	assert_string_equal(json_string_value(json_object_get(item, "issuer")),
			    "default");
	assert_non_null(json_object_get(item, "serial"));
	json_decref(body);
	end(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			lists_certificates_by_whether_they_are_revoked),
		cmocka_unit_test(a_revocation_is_seen_by_whose_it_is),
		cmocka_unit_test(lists_the_log_newest_first_and_in_order),
		cmocka_unit_test(filters_below_and_above_the_watermark),
		cmocka_unit_test(
			bounds_by_time_since_inclusive_until_exclusive),
		cmocka_unit_test(
			walks_pages_by_cursor_without_loss_or_repetition),
		cmocka_unit_test(lists_certificates_by_the_end_of_validity),
		cmocka_unit_test(refuses_a_cursor_of_another_question),
		cmocka_unit_test(refuses_parameters_that_mean_nothing),
		cmocka_unit_test(says_of_a_decision_who_what_and_why),
		cmocka_unit_test(history_is_what_was_judged_by_what),
		cmocka_unit_test(shows_a_client_only_its_own),
		cmocka_unit_test(gives_a_request_as_the_answer_of_its_rows),
		cmocka_unit_test(finds_a_certificate_by_its_serial),
		cmocka_unit_test(lists_requests_by_state_and_person),
		cmocka_unit_test(tells_policy_clients_issuers_and_status),
		cmocka_unit_test(gives_up_a_question_at_its_deadline),
		cmocka_unit_test(a_slow_page_ends_early_and_none_is_lost),
		cmocka_unit_test(
			who_is_limited_to_issuers_sees_theirs_and_its_own),
	};

	return cs_test_run("store/query", tests);
}
