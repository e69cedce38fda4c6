/*
 * No question reads a whole table: every statement that is run for one is
 * explained, and may scan only what is small.
 */
#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "base/limits.h"
#include "store/query.h"
#include "store/schema.h"
#include <tests/lib/history.h>

#define MAX_STATEMENTS 200

/* What was run. */
static char *statements[MAX_STATEMENTS];
static size_t statements_n;

/* SQLite begins a statement. */
static int on_statement(unsigned type, void *ctx, void *stmt, void *text)
{
	const char *sql = sqlite3_sql(stmt);

	(void)type;
	(void)ctx;
	(void)text;
	for (size_t i = 0; i < statements_n; i++) {
		if (strcmp(statements[i], sql) == 0)
			return 0;
	}
	assert_true(statements_n < MAX_STATEMENTS);
	statements[statements_n++] = strdup(sql);
	return 0;
}

/* Each kind of question with each of its parameters. */
static const struct {
	enum cs_query kind;
	const char *params;
} asked[] = {
	{CS_QUERY_AUDIT, "{}"},
	{CS_QUERY_AUDIT, "{\"order\":\"asc\"}"},
	{CS_QUERY_AUDIT, "{\"after\":3}"},
	{CS_QUERY_AUDIT, "{\"since_ms\":1700000000000}"},
	{CS_QUERY_AUDIT, "{\"until_ms\":1700000000000}"},
	{CS_QUERY_AUDIT, "{\"kind\":[\"refused\"]}"},
	{CS_QUERY_AUDIT, "{\"kind\":[\"start\",\"stop\"]}"},
	{CS_QUERY_AUDIT, "{\"kind\":[\"start\",\"issued\"]}"},
	{CS_QUERY_AUDIT, "{\"verdict\":[\"issued\",\"refused\"]}"},
	{CS_QUERY_AUDIT, "{\"issuer\":[\"x\"],\"realm\":[\"x\"]}"},
	{CS_QUERY_AUDIT, "{\"namespace\":[\"x\"],\"source\":[\"x\"]}"},
	{CS_QUERY_AUDIT, "{\"client\":[\"x\"],\"requester\":[\"x\"]}"},
	{CS_QUERY_AUDIT, "{\"approver\":[\"x\"],\"code\":[\"x\"]}"},
	{CS_QUERY_AUDIT, "{\"rule\":[\"x\"],\"policy\":[\"x\"]}"},
	{CS_QUERY_AUDIT, "{\"field\":[\"x\"],\"disposition\":[\"dropped\"]}"},
	{CS_QUERY_AUDIT, "{\"field\":[\"x\"]}"},
	{CS_QUERY_AUDIT, "{\"flag\":[\"changed\"]}"},
	{CS_QUERY_AUDIT, "{\"name\":[\"a.example\",\".example\"]}"},
	{CS_QUERY_AUDIT, "{\"name\":[\"10.0.0.1\"]}"},
	{CS_QUERY_AUDIT, "{\"covering\":[\"a.example\"]}"},
	{CS_QUERY_AUDIT, "{\"covering\":[\"a.example\"],\"order\":\"asc\"}"},
	{CS_QUERY_AUDIT, "{\"serial\":[\"5b00\"]}"},
	{CS_QUERY_AUDIT, "{\"spki\":[\"00ff\"]}"},
	{CS_QUERY_HISTORY, "{}"},
	{CS_QUERY_HISTORY, "{\"order\":\"asc\"}"},
	{CS_QUERY_HISTORY, "{\"since_ms\":1700000000000,\"issuer\":[\"x\"]}"},
	{CS_QUERY_AUDIT_ENTRY, "{\"index\":6}"},
	{CS_QUERY_CERTIFICATES, "{}"},
	{CS_QUERY_CERTIFICATES, "{\"name\":[\"a.example\"]}"},
	{CS_QUERY_CERTIFICATES, "{\"valid_at_ms\":1700000000000}"},
	{CS_QUERY_CERTIFICATES, "{\"expires_before_ms\":1800000000000}"},
	{CS_QUERY_CERTIFICATES,
	 "{\"expires_before_ms\":1800000000000,\"order\":\"asc\"}"},
	{CS_QUERY_CERTIFICATES, "{\"revoked\":[\"true\"]}"},
	{CS_QUERY_CERTIFICATES, "{\"revoked\":[\"false\"]}"},
	{CS_QUERY_CERTIFICATE, "{\"serial\":\"5b00\"}"},
	{CS_QUERY_REQUESTS, "{}"},
	{CS_QUERY_REQUESTS, "{\"order\":\"asc\"}"},
	{CS_QUERY_REQUESTS, "{\"state\":[\"pending\"]}"},
	{CS_QUERY_REQUESTS, "{\"state\":[\"pending\"],\"order\":\"asc\"}"},
	{CS_QUERY_REQUESTS, "{\"state\":[\"refused\"]}"},
	{CS_QUERY_REQUESTS, "{\"requester\":[\"x\"],\"namespace\":[\"x\"]}"},
	{CS_QUERY_REQUESTS, "{\"issuer\":[\"x\"],\"order\":\"asc\"}"},
	{CS_QUERY_REQUEST, "{\"id\":\"00000000000000000000000000000000\"}"},
	{CS_QUERY_STORED, "{\"id\":\"00000000000000000000000000000000\"}"},
	{CS_QUERY_PROOF, "{\"index\":6}"},
	{CS_QUERY_TILE, "{\"level\":0,\"n\":0,\"width\":9}"},
	{CS_QUERY_ENTRIES, "{\"n\":0,\"width\":9}"},
	{CS_QUERY_CHECKPOINT, "{}"},
	{CS_QUERY_STATUS, "{}"},
};

/* Ask everything, by everybody and by one client. */
static void ask_all(struct cs_db *db)
{
	struct cs_clock clock = cs_clock_system();
	struct cs_questions *q = cs_questions_new(db, &clock, 0, NULL);
	struct cs_question_result result;
	struct cs_buf body;
	struct cs_error err = {0};

	assert_non_null(q);
	cs_buf_init(&body, CS_MAX_MESSAGE);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		for (uint64_t client = 0; client <= 3; client += 3) {
			struct cs_question what = {
				.kind = asked[i].kind,
				.client = client,
				.params = cs_span_str(asked[i].params)};

			cs_buf_reset(&body);
			if (!cs_questions_ask(q, &what, &body, &result, &err))
				fail_msg("%s: %s", asked[i].params, err.text);
			if (strcmp(result.code, "BAD_PARAMETER") == 0)
				fail_msg("%s: %s", asked[i].params,
					 result.detail);
		}
	}
	cs_buf_done(&body);
	cs_questions_free(q);
}

/* Is what is scanned small, or read from its end? */
static bool may_scan(const char *what)
{
	static const char *const small[] = {
		"meta", "m", "client", "c", "credential", "issuer", "policy",
		"policy_set", "policy_source", "s", "p", "CONSTANT", "(",
		"checkpoint",
		/* A row for each shard; of `crl`, not the octets. */
		"crl", "crl_asked",
		/* Partial: the open ones alone. */
		/* Of what was revoked, at a start. */
		"revocation USING COVERING INDEX revocation_crl",
		"request USING COVERING INDEX request_open",
		"request USING INDEX request_open",
		"r USING INDEX request_open"};

	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
		size_t n = strlen(small[i]);

		if (strncmp(what, small[i], n) == 0 &&
		    (small[i][n - 1] == '(' || what[n] == ' ' ||
		     what[n] == '\0'))
			return true;
	}
	return false;
}

/* Explain one statement. */
static void check_plan(struct cs_db *db, const char *sql)
{
	char *text = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	struct cs_stmt s = cs_stmt_text(db, text);
	bool row = true;

	while (row) {
		char detail[300];

		assert_true(cs_stmt_step(&s, &row, NULL));
		if (!row)
			break;
		(void)snprintf(detail, sizeof(detail), "%.*s",
			       CS_SPAN_FMT(cs_stmt_col(&s, 3)));
		if (strncmp(detail, "SCAN ", 5) == 0 && !may_scan(detail + 5))
			fail_msg("%s\nin\n%s", detail, sql);
	}
	cs_stmt_end(&s);
	sqlite3_free(text);
}

/* Everything that is prepared by name, but what reads all on purpose. */
static void no_statement_of_the_ledger_reads_a_whole_table(
	CS_UNUSED void **state)
{
	static const struct {
		const char *name, *sql;
	} all[] = {
#define CS_SQL(name, text) {#name, text},
#include "store/sql.def"
#undef CS_SQL
	};
	struct cs_history h;

	cs_history_make(&h);
	assert_true(cs_db_exec(h.db, cs_schema_compromised, NULL));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strncmp(all[i].name, "VERIFY_", 7) != 0 &&
		    strncmp(all[i].name, "READ_BEGIN", 10) != 0)
			check_plan(h.db, all[i].sql);
	}
	cs_history_done(&h);
}

static void no_question_reads_a_whole_table(CS_UNUSED void **state)
{
	struct cs_history h;
	struct cs_db_config config = {0};
	struct cs_db *db;

	cs_history_make(&h);
	config.path = h.path;
	db = cs_db_open(&config, CS_DB_READ, NULL);
	assert_non_null(db);
	assert_int_equal(sqlite3_trace_v2(cs_db_handle(db), SQLITE_TRACE_STMT,
					  on_statement, NULL),
			 SQLITE_OK);
	ask_all(db);
	(void)sqlite3_trace_v2(cs_db_handle(db), 0, NULL, NULL);
	assert_true(statements_n > 30);
	for (size_t i = 0; i < statements_n; i++) {
		if (strncmp(statements[i], "SELECT", 6) == 0)
			check_plan(db, statements[i]);
		free(statements[i]);
	}
	cs_db_close(db);
	cs_history_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_question_reads_a_whole_table),
		cmocka_unit_test(
			no_statement_of_the_ledger_reads_a_whole_table),
	};

	return cs_test_run("store/query_plan", tests);
}
