/*
 * Questions: the query of a URL becomes parameters that the store reads, and
 * the store answers whatever the parameters are, cursors included.
 *
 * The first octet says what the others are: `a`, `r`, `c`: the query of
 * /v1/audit, /v1/requests, /v1/certificates; any other, modulo the number of
 * kinds: parameters of a question of that kind, as JSON. A `$` in a query
 * stands for the cursor of the list's own first page.
 */
#include "tests/lib/test.h"

#include "api/body.h"
#include "api/list_form.h"
#include "api/params.h"
#include "store/query.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/history.h"

static struct {
	struct cs_history history;
	struct cs_db *db;
	struct cs_questions *q;
	struct cs_arena arena;
	struct cs_buf params, body, query;
	struct cs_span detail; /* of the last refusal */
} house;

static void close_house(void)
{
	cs_buf_done(&house.params);
	cs_buf_done(&house.body);
	cs_buf_done(&house.query);
	cs_arena_done(&house.arena);
	cs_questions_free(house.q);
	cs_db_close(house.db);
	cs_history_done(&house.history);
}

/* One small history, for all inputs: questions change nothing. */
static void open_house(void)
{
	struct cs_clock clock = cs_clock_system();
	struct cs_db_config config = {0};

	if (house.q != NULL)
		return;
	cs_history_make(&house.history);
	config.path = house.history.path;
	house.db = cs_db_open(&config, CS_DB_READ, NULL);
	FUZZ_CHECK(house.db != NULL);
	house.q = cs_questions_new(house.db, &clock, 0, NULL);
	FUZZ_CHECK(house.q != NULL);
	cs_arena_init(&house.arena, 1 << 20);
	cs_buf_init(&house.params, CS_MAX_MESSAGE);
	cs_buf_init(&house.body, CS_MAX_MESSAGE);
	cs_buf_init(&house.query, CS_MAX_MESSAGE);
	FUZZ_CHECK(atexit(close_house) == 0);
}

/* Ask. It is answered, or refused with a code. */
static bool ask(enum cs_query kind, struct cs_span params)
{
	struct cs_question what = {.kind = kind, .params = params};
	static struct cs_question_result r;
	struct cs_error err = {0};

	cs_buf_reset(&house.body);
	FUZZ_CHECK(cs_questions_ask(house.q, &what, &house.body, &r, &err));
	FUZZ_CHECK(r.found != 0 || r.code[0] != '\0');
	house.detail = cs_span_str(r.detail);
	return r.found != 0;
}

/* A refusal as it leaves, in house.body: JSON, its sentence clean. */
static void check_rendered(void)
{
	json_t *v = cs_json_parse(cs_buf_span(&house.body), "problem", NULL);

	FUZZ_CHECK(v != NULL);
	FUZZ_CHECK(cs_body_is_clean(
		cs_body_string(json_object_get(v, "detail")), CS_BODY_LINE));
	json_decref(v);
}

/* What a URL's query asks for; its page is in house.body. */
static bool ask_query(enum cs_query kind, const struct cs_param *table,
		      struct cs_span query)
{
	struct cs_problem p = {0};
	struct cs_buf again;
	json_t *v;

	cs_arena_reset(&house.arena);
	cs_buf_reset(&house.params);
	if (!cs_params_write(table, query, &house.arena, &house.params, &p)) {
		FUZZ_CHECK(cs_problem_status(p.code) == 400);
		cs_buf_reset(&house.body);
		FUZZ_CHECK(cs_problem_write(&p, &house.body, NULL));
		check_rendered();
		return false;
	}
	/* They are one canonical object. */
	v = cs_json_parse(cs_buf_span(&house.params), "params", NULL);
	FUZZ_CHECK(json_is_object(v));
	cs_buf_init(&again, CS_MAX_MESSAGE);
	FUZZ_CHECK(cs_json_canonical(v, &again, NULL));
	FUZZ_CHECK(
		cs_span_equal(cs_buf_span(&again), cs_buf_span(&house.params)));
	cs_buf_done(&again);
	json_decref(v);
	if (ask(kind, cs_buf_span(&house.params)))
		return true;
	FUZZ_CHECK(cs_problem_write_foreign(CS_SPAN_LIT("CODE"), house.detail,
					    400, "title", &house.body, NULL));
	check_rendered();
	return false;
}

/* The query with each `$` replaced by a cursor that is good for it. */
static bool with_cursor(enum cs_query kind, const struct cs_param *table,
			struct cs_span query)
{
	struct cs_span cursor;
	size_t at;

	if (!cs_span_find(query, '$', &at))
		return false;
	if (!ask_query(kind, table, cs_span_sub(query, 0, at)))
		return false;
	cursor = cs_list_form_next(cs_buf_span(&house.body));
	if (cursor.n == 0)
		return false;
	cs_buf_reset(&house.query);
	cs_buf_add(&house.query, cs_span_sub(query, 0, at));
	cs_buf_add_str(&house.query, at > 0 ? "&cursor=" : "cursor=");
	cs_buf_add(&house.query, cursor);
	cs_buf_add(&house.query, cs_span_sub(query, at + 1, SIZE_MAX));
	return true;
}

/* What api/http_parse.h lets through: visible ASCII, no '#'. */
static bool is_query(struct cs_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || s.p[i] == '#')
			return false;
	}
	return true;
}

/* A list over its URL; pages are JSON. */
static void list(enum cs_query kind, const struct cs_param *table,
		 struct cs_span query)
{
	json_t *page;

	if (!is_query(query))
		return;
	if (with_cursor(kind, table, query))
		query = cs_buf_span(&house.query);
	if (!ask_query(kind, table, query))
		return;
	page = cs_json_parse(cs_buf_span(&house.body), "page", NULL);
	FUZZ_CHECK(json_is_array(json_object_get(page, "items")));
	FUZZ_CHECK(json_object_get(page, "next") != NULL);
	json_decref(page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_span rest;

	if (size == 0 || size > CS_MAX_HTTP_TARGET)
		return 0;
	open_house();
	rest = cs_span_make(data + 1, size - 1);
	switch (data[0]) {
	case 'a':
		list(CS_QUERY_AUDIT, cs_params_audit, rest);
		break;
	case 'h':
		list(CS_QUERY_HISTORY, cs_params_history, rest);
		break;
	case 'r':
		list(CS_QUERY_REQUESTS, cs_params_requests, rest);
		break;
	case 'c':
		list(CS_QUERY_CERTIFICATES, cs_params_certificates, rest);
		break;
	default:
		(void)ask((enum cs_query)(CS_QUERY_REQUEST +
					  data[0] % CS_QUERY_STATUS),
			  rest);
		break;
	}
	return 0;
}
