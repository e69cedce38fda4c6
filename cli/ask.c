#include "cli/ask.h"

#include <string.h>

#include "api/answer.h"
#include "api/http_client.h"
#include "api/problem.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "store/db.h"
#include "store/query.h"

/* Memory of one question's texts. */
#define ARENA_BYTES (4 * 1024 * 1024)

void cs_ask_escape(struct cs_buf *out, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	for (; *s != '\0'; s++) {
		if (strchr(plain, *s) != NULL)
			cs_buf_add_byte(out, (uint8_t)*s);
		else
			cs_buf_addf(out, "%%%02X", (unsigned char)*s);
	}
}

/* The body of an HTTP answer as JSON. */
static json_t *parse_body(const struct cs_http_result *r, struct cs_error *err)
{
	struct cs_span type = cs_http_result_header(r, "Content-Type");
	struct cs_span body = cs_buf_span(&r->body);

	if (body.n == 0)
		return json_null();
	if (!cs_span_starts_with(type, CS_SPAN_LIT("application/json")) &&
	    !cs_span_starts_with(type,
				 CS_SPAN_LIT("application/problem+json"))) {
		cs_error_set(err, CS_E_HTTP, "the server answered with `%.*s`",
			     CS_SPAN_FMT(type));
		return NULL;
	}
	return cs_json_parse(body, "the server's answer", err);
}

/* One call, its answer read as JSON. */
static bool ask(const struct cs_http_call *http, struct cs_reply *ret_reply,
		struct cs_error *err)
{
	struct cs_http_result result = {0};
	json_t *json;

	if (!cs_http_call(http, &result, err))
		return false;
	json = parse_body(&result, err);
	if (json != NULL)
		*ret_reply = (struct cs_reply){.status = result.status,
					       .body = json};
	cs_http_result_done(&result);
	return json != NULL;
}

/* A JSON body, written into `text`; NULL: none. */
static bool put_body(struct cs_http_call *http, const json_t *body,
		     struct cs_buf *text, struct cs_error *err)
{
	if (body == NULL)
		return true;
	if (!cs_json_canonical(body, text, err) ||
	    !cs_buf_finish(text, "the request", err))
		return false;
	http->content_type = "application/json";
	http->body = cs_buf_span(text);
	return true;
}

/* One call with a JSON body; NULL: none. */
static bool ask_with(struct cs_http_call *http, const json_t *body,
		     struct cs_reply *ret_reply, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;

	cs_buf_init(&text, CS_MAX_HTTP_BODY);
	return put_body(http, body, &text, err) && ask(http, ret_reply, err);
}

bool cs_ask_long(const struct cs_call *call, const char *method,
		 const char *target, const json_t *body, uint32_t patience_ms,
		 struct cs_reply *ret_reply, struct cs_error *err)
{
	struct cs_http_call http = {
		.dir = call->dir,
		.method = method,
		.target = target,
		.accept = "application/json",
		.timeout_ms = patience_ms,
	};

	return ask_with(&http, body, ret_reply, err);
}

bool cs_ask(const struct cs_call *call, const char *method, const char *target,
	    const json_t *body, const char *key, struct cs_reply *ret_reply,
	    struct cs_error *err)
{
	struct cs_http_call http = {
		.dir = call->dir,
		.method = method,
		.target = target,
		.accept = "application/json",
		.idempotency_key = key,
	};

	return ask_with(&http, body, ret_reply, err);
}

void cs_question_add(struct cs_question_call *q, struct cs_ask_param param)
{
	if (q->n_params < CS_MAX_QUESTION_PARAMS)
		q->param[q->n_params++] = param;
}

/* The target with its query. */
static bool write_target(const struct cs_question_call *q, struct cs_buf *out,
			 struct cs_error *err)
{
	char time[CS_TIME_TEXT];

	cs_buf_add_str(out, q->target);
	for (size_t i = 0; i < q->n_params; i++) {
		const struct cs_ask_param *p = &q->param[i];

		cs_buf_addf(out, "%c%s=", i == 0 ? '?' : '&', p->name);
		switch (p->kind) {
		case CS_ASK_INT:
			cs_buf_addf(out, "%lld", (long long)p->number);
			break;
		case CS_ASK_TIME:
			cs_time_rfc3339_ms(p->number, time);
			cs_ask_escape(out, time);
			break;
		case CS_ASK_FLAG:
			cs_buf_add_str(out, "true");
			break;
		case CS_ASK_ONE:
		case CS_ASK_LIST:
			cs_ask_escape(out, p->text);
			break;
		}
	}
	return cs_buf_finish(out, "the question", err);
}

/* Append a text to the list of that name. */
static bool append_text(json_t *params, const char *name, const char *text)
{
	json_t *list = json_object_get(params, name);

	if (list == NULL) {
		list = json_array();
		if (json_object_set_new(params, name, list) != 0)
			return false;
	}
	return json_array_append_new(list, json_string(text)) == 0;
}

/* One parameter as store/query.h wants it. */
static bool add_param(json_t *params, const struct cs_ask_param *p)
{
	char name[CS_MAX_NAME];

	if (p->name == NULL)
		return true;
	switch (p->kind) {
	case CS_ASK_ONE:
		return json_object_set_new(params, p->name,
					   json_string(p->text)) == 0;
	case CS_ASK_INT:
		return json_object_set_new(params, p->name,
					   json_integer(p->number)) == 0;
	case CS_ASK_TIME:
		snprintf(name, sizeof(name), "%s_ms", p->name);
		return json_object_set_new(params, name,
					   json_integer(p->number)) == 0;
	case CS_ASK_FLAG:
		return append_text(params, "flag", p->name);
	case CS_ASK_LIST:
		return append_text(params, p->name, p->text);
	}
	return false;
}

static bool write_params(const struct cs_question_call *q, struct cs_buf *out,
			 struct cs_error *err)
{
	json_t *params = json_object();
	bool ok = params != NULL && add_param(params, &q->in_path);

	for (size_t i = 0; ok && i < q->n_params; i++)
		ok = add_param(params, &q->param[i]);
	ok = ok ? cs_json_canonical(params, out, err)
		: cs_error_set(err, CS_E_NO_MEMORY,
			       "no memory for the question");
	json_decref(params);
	return ok;
}

/* A request's page is an encoded ANSWER; render it as front does. */
static bool render_request(struct cs_buf *body, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf json;
	struct cs_answer_http http;
	struct cs_msg_answer m;

	cs_buf_init(&json, CS_MAX_MESSAGE);
	if (!cs_msg_answer_decode(cs_buf_span(body), &m, err) ||
	    !cs_answer_render(&m, CS_VIEW_AUDIT, &json, &http, err))
		return false;
	cs_buf_reset(body);
	cs_buf_add(body, cs_buf_span(&json));
	return cs_buf_finish(body, "the request", err);
}

/* The problem of a question that has no answer, as the server renders it. */
static bool no_page(const struct cs_question_result *result,
		    struct cs_reply *ret, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf body;
	const char *name = result->code[0] != '\0' ? result->code : "NOT_FOUND";
	const char *detail = result->detail[0] != '\0'
				     ? result->detail
				     : "There is no such thing.";
	enum cs_problem_code code = cs_problem_from_name(cs_span_str(name));

	cs_buf_init(&body, CS_MAX_MESSAGE);
	if (code == CS_PROBLEM_NONE)
		code = CS_PROBLEM_CONFLICT;
	ret->status = (int)cs_problem_status(code);
	if (!cs_problem_write_foreign(cs_span_str(name), cs_span_str(detail),
				      cs_problem_status(code),
				      cs_problem_title(code), &body, err))
		return false;
	ret->body = cs_json_parse(cs_buf_span(&body), "a problem", err);
	return ret->body != NULL;
}

/* Ask an open database; the answer's octets are appended to body. */
static bool ask_db(struct cs_db *db, const struct cs_question_call *q,
		   struct cs_buf *body, struct cs_question_result *result,
		   struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf params;
	struct cs_clock clock = cs_clock_system();
	struct cs_questions *questions = cs_questions_new(db, &clock, 0, err);
	struct cs_question question = {.kind = q->kind};
	bool ok;

	cs_buf_init(&params, CS_MAX_HTTP_BODY);
	ok = questions != NULL && write_params(q, &params, err);
	question.params = cs_buf_span(&params);
	ok = ok && cs_questions_ask(questions, &question, body, result, err);
	cs_questions_free(questions);
	return ok;
}

/* What came of it, as the server would have replied. */
static bool take_result(const struct cs_question_call *q, struct cs_buf *body,
			const struct cs_question_result *result,
			struct cs_buf *octets, struct cs_reply *ret,
			struct cs_error *err)
{
	struct cs_reply r = {.stopped = true};

	if (result->found && q->kind == CS_QUERY_REQUEST &&
	    !render_request(body, err))
		return false;
	r.status = 200;
	if (!result->found) {
		if (!no_page(result, &r, err))
			return false;
	} else if (octets == NULL) {
		r.body = cs_json_parse(cs_buf_span(body), "the ledger's answer",
				       err);
	} else {
		r.body = cs_buf_add(octets, cs_buf_span(body)) ? json_null()
							       : NULL;
		if (r.body == NULL)
			cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	}
	if (r.body == NULL)
		return false;
	*ret = r;
	return true;
}

/* Ask the files of a stopped installation. `unreachable` says why. */
static bool ask_files(const struct cs_call *call,
		      const struct cs_question_call *q, struct cs_buf *octets,
		      struct cs_reply *ret, const struct cs_error *unreachable,
		      struct cs_error *err)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	CS_CLEANUP(cs_buf_done) struct cs_buf body = {0};
	struct cs_question_result result;
	struct cs_db_config config = {0};
	struct cs_error why = {0};
	struct cs_db *db;
	bool ok;

	cs_arena_init(&arena, ARENA_BYTES);
	cs_buf_init(&body, CS_MAX_MESSAGE);
	config.path = cs_arena_printf(&arena, "%s/ledger.db", call->dir);
	if (config.path == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	db = cs_db_open(&config, CS_DB_READ, &why);
	if (db == NULL)
		return cs_error_set(
			err, CS_E_UNREACHABLE,
			"%s; nor are there a stopped one's files: %s",
			unreachable->text, why.text);
	ok = ask_db(db, q, &body, &result, err) &&
	     take_result(q, &body, &result, octets, ret, err);
	cs_db_close(db);
	return ok;
}

bool cs_ask_question(const struct cs_call *call,
		     const struct cs_question_call *q,
		     struct cs_reply *ret_reply, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf target;
	struct cs_error why = {0};

	cs_buf_init(&target, CS_MAX_HTTP_BODY);
	if (!write_target(q, &target, err))
		return false;
	if (cs_ask(call, "GET", cs_buf_str(&target), NULL, NULL, ret_reply,
		   &why))
		return true;
	if (why.code == CS_E_UNREACHABLE)
		return ask_files(call, q, NULL, ret_reply, &why, err);
	if (err != NULL)
		*err = why;
	return false;
}

/* Octets of the server. */
static bool octets_of_server(const struct cs_call *call, const char *target,
			     struct cs_buf *out, struct cs_reply *ret,
			     struct cs_error *err)
{
	const struct cs_http_call http = {
		.dir = call->dir,
		.method = "GET",
		.target = target,
		.accept = "*/*",
	};
	struct cs_http_result result = {0};
	json_t *body = NULL;

	if (!cs_http_call(&http, &result, err))
		return false;
	if (result.status >= 400)
		body = parse_body(&result, err);
	else if (cs_buf_add(out, cs_buf_span(&result.body)))
		body = json_null();
	else
		cs_error_set(err, CS_E_TOO_LARGE, "the answer is too large");
	*ret = (struct cs_reply){.status = result.status, .body = body};
	cs_http_result_done(&result);
	return body != NULL;
}

bool cs_ask_octets(const struct cs_call *call, const struct cs_question_call *q,
		   struct cs_buf *out, struct cs_reply *ret_reply,
		   struct cs_error *err)
{
	struct cs_error why = {0};

	if (octets_of_server(call, q->target, out, ret_reply, &why))
		return true;
	if (why.code == CS_E_UNREACHABLE)
		return ask_files(call, q, out, ret_reply, &why, err);
	if (err != NULL)
		*err = why;
	return false;
}
