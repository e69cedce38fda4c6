#include "api/params.h"

#include <string.h>

#include "api/body.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/time.h"

/* Parameters of one target, which has CS_MAX_HTTP_TARGET bytes at most. */
#define MAX_PARAMS 64
/* Items of one page. */
#define DEFAULT_LIMIT 100
#define MAX_LIMIT     1000
/* Seconds that one poll may wait. */
#define MAX_WAIT 60

const struct cs_param cs_params_audit[] = {
	{"after", "after", CS_PARAM_COUNT},
	{"approver", "approver", CS_PARAM_LIST},
	{"client", "client", CS_PARAM_LIST},
	{"code", "code", CS_PARAM_LIST},
	{"covering", "covering", CS_PARAM_LIST},
	{"cursor", "cursor", CS_PARAM_TEXT},
	{"disposition", "disposition", CS_PARAM_LIST},
	{"field", "field", CS_PARAM_LIST},
	{"changed", "flag", CS_PARAM_FLAG},
	{"self_approved", "flag", CS_PARAM_FLAG},
	{"warned", "flag", CS_PARAM_FLAG},
	{"issuer", "issuer", CS_PARAM_LIST},
	{"kind", "kind", CS_PARAM_LIST},
	{"limit", "limit", CS_PARAM_LIMIT},
	{"name", "name", CS_PARAM_LIST},
	{"namespace", "namespace", CS_PARAM_LIST},
	{"order", "order", CS_PARAM_ORDER},
	{"policy", "policy", CS_PARAM_LIST},
	{"realm", "realm", CS_PARAM_LIST},
	{"requester", "requester", CS_PARAM_LIST},
	{"rule", "rule", CS_PARAM_LIST},
	{"serial", "serial", CS_PARAM_LIST},
	{"since", "since_ms", CS_PARAM_TIME},
	{"source", "source", CS_PARAM_LIST},
	{"spki", "spki", CS_PARAM_LIST},
	{"until", "until_ms", CS_PARAM_TIME},
	{"verdict", "verdict", CS_PARAM_LIST},
	{"wait", "wait", CS_PARAM_WAIT},
	{NULL, NULL, CS_PARAM_LIST},
};

const struct cs_param cs_params_history[] = {
	{"client", "client", CS_PARAM_LIST},
	{"cursor", "cursor", CS_PARAM_TEXT},
	{"issuer", "issuer", CS_PARAM_LIST},
	{"limit", "limit", CS_PARAM_LIMIT},
	{"namespace", "namespace", CS_PARAM_LIST},
	{"order", "order", CS_PARAM_ORDER},
	{"policy", "policy", CS_PARAM_LIST},
	{"realm", "realm", CS_PARAM_LIST},
	{"requester", "requester", CS_PARAM_LIST},
	{"since", "since_ms", CS_PARAM_TIME},
	{"source", "source", CS_PARAM_LIST},
	{"until", "until_ms", CS_PARAM_TIME},
	{"verdict", "verdict", CS_PARAM_LIST},
	{NULL, NULL, CS_PARAM_LIST},
};

const struct cs_param cs_params_crls[] = {
	{"cursor", "cursor", CS_PARAM_TEXT},
	{"issuer", "issuer", CS_PARAM_LIST},
	{"limit", "limit", CS_PARAM_LIMIT},
	{NULL, NULL, CS_PARAM_LIST},
};

const struct cs_param cs_params_requests[] = {
	{"cursor", "cursor", CS_PARAM_TEXT},
	{"issuer", "issuer", CS_PARAM_LIST},
	{"limit", "limit", CS_PARAM_LIMIT},
	{"namespace", "namespace", CS_PARAM_LIST},
	{"order", "order", CS_PARAM_ORDER},
	{"requester", "requester", CS_PARAM_LIST},
	{"state", "state", CS_PARAM_LIST},
	{NULL, NULL, CS_PARAM_LIST},
};

const struct cs_param cs_params_certificates[] = {
	{"client", "client", CS_PARAM_LIST},
	{"covering", "covering", CS_PARAM_LIST},
	{"cursor", "cursor", CS_PARAM_TEXT},
	{"expires_before", "expires_before_ms", CS_PARAM_TIME},
	{"issuer", "issuer", CS_PARAM_LIST},
	{"limit", "limit", CS_PARAM_LIMIT},
	{"holding", "name", CS_PARAM_LIST},
	{"name", "name", CS_PARAM_LIST},
	{"namespace", "namespace", CS_PARAM_LIST},
	{"order", "order", CS_PARAM_ORDER},
	{"policy", "policy", CS_PARAM_LIST},
	{"requester", "requester", CS_PARAM_LIST},
	{"revoked", "revoked", CS_PARAM_LIST},
	{"since", "since_ms", CS_PARAM_TIME},
	{"spki", "spki", CS_PARAM_LIST},
	{"until", "until_ms", CS_PARAM_TIME},
	{"valid_at", "valid_at_ms", CS_PARAM_TIME},
	{NULL, NULL, CS_PARAM_LIST},
};

/* One parameter, decoded; `row` is its place in the table. */
struct value {
	struct cs_span name;
	struct cs_span text;
	const struct cs_param *row;
};

struct parsed {
	struct value values[MAX_PARAMS];
	size_t n;
};

/* Percent-decode; false: a broken escape, or not the text that we take. */
static bool decode(struct cs_span s, struct cs_arena *arena,
		   struct cs_span *ret_text)
{
	uint8_t *p = cs_arena_new(arena, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; p != NULL && i < s.n; i++) {
		int high, low;

		if (s.p[i] != '%') {
			p[n++] = s.p[i];
			continue;
		}
		if (i + 2 >= s.n)
			return false;
		high = cs_codec_hex_digit(s.p[i + 1]);
		low = cs_codec_hex_digit(s.p[i + 2]);
		if (high < 0 || low < 0)
			return false;
		p[n++] = (uint8_t)(high << 4 | low);
		i += 2;
	}
	if (p == NULL)
		return false;
	*ret_text = cs_span_make(p, n);
	return cs_codec_is_utf8(*ret_text) &&
	       cs_body_is_clean(*ret_text, CS_BODY_LINE);
}

/* The part of *rest before the separator, which is taken away with it. */
static struct cs_span cut(struct cs_span *rest, uint8_t separator)
{
	struct cs_span part = *rest;
	size_t at;

	if (!cs_span_find(*rest, separator, &at)) {
		*rest = (struct cs_span){0};
		return part;
	}
	*rest = cs_span_sub(*rest, at + 1, SIZE_MAX);
	return cs_span_sub(part, 0, at);
}

/* Take the query apart: a=b&c=d. */
static bool parse(struct cs_span query, struct cs_arena *arena,
		  struct parsed *out, struct cs_problem *p)
{
	while (query.n > 0) {
		struct cs_span text = cut(&query, '&');
		struct cs_span name = cut(&text, '=');
		struct value *v = &out->values[out->n];

		if (out->n == MAX_PARAMS)
			return cs_problem_set(p, CS_PROBLEM_BAD_PARAMETER, "",
					      "More than %d query parameters.",
					      MAX_PARAMS);
		*v = (struct value){0};
		if (!decode(name, arena, &v->name) ||
		    !decode(text, arena, &v->text))
			return cs_problem_set(p, CS_PROBLEM_BAD_PARAMETER, "",
					      "The query parameter \"%.*s\" is"
					      " not percent-encoded UTF-8"
					      " without control characters.",
					      CS_SPAN_FMT(name));
		out->n++;
	}
	return true;
}

/* Refuse a parameter, naming it and showing its value. */
static bool refuse(struct cs_problem *p, const struct value *v, const char *why)
{
	char name[sizeof(p->field)];
	struct cs_span n = cs_codec_utf8_cut(v->name, sizeof(name) - 1);

	memcpy(name, n.p, n.n);
	name[n.n] = '\0';
	return cs_problem_set(p, CS_PROBLEM_BAD_PARAMETER, name,
			      "%s: \"%.*s\" %s", name,
			      CS_SPAN_FMT(cs_codec_utf8_cut(v->text, 80)), why);
}

/* Decimal digits of a number below 2^53. */
static bool number(struct cs_span s, int64_t *ret_v)
{
	int64_t v = 0;

	if (s.n == 0 || s.n > 15)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*ret_v = v;
	return true;
}

/* Find every parameter's row; what takes one value has one. */
static bool assign_rows(const struct cs_param *table, struct parsed *in,
			struct cs_problem *p)
{
	for (size_t i = 0; i < in->n; i++) {
		struct value *v = &in->values[i];

		for (const struct cs_param *r = table; r->query != NULL; r++) {
			if (cs_span_equal_str(v->name, r->query))
				v->row = r;
		}
		if (v->row == NULL)
			return refuse(p, v,
				      "belongs to no parameter that this"
				      " list has");
		for (size_t k = 0; k < i; k++) {
			if (in->values[k].row == v->row &&
			    v->row->kind != CS_PARAM_LIST)
				return refuse(p, v,
					      "is a second value, where"
					      " one is taken");
		}
	}
	return true;
}

/* A value that is one, by its kind. */
static bool put_one(struct cs_json *j, const struct value *v,
		    struct cs_problem *p)
{
	struct cs_error err;
	int64_t n;

	switch (v->row->kind) {
	case CS_PARAM_COUNT:
		if (!number(v->text, &n))
			return refuse(p, v, "is no count");
		cs_json_int(j, n);
		return true;
	case CS_PARAM_LIMIT:
		if (!number(v->text, &n) || n < 1 || n > MAX_LIMIT)
			return refuse(p, v, "is no number from 1 to 1000");
		cs_json_int(j, n);
		return true;
	case CS_PARAM_ORDER:
		if (!cs_span_equal_str(v->text, "asc") &&
		    !cs_span_equal_str(v->text, "desc"))
			return refuse(p, v, "is neither asc nor desc");
		cs_json_string(j, v->text);
		return true;
	case CS_PARAM_TIME:
		if (!cs_time_parse_rfc3339(v->text, &n, &err))
			return refuse(p, v, "is no RFC 3339 time");
		cs_json_int(j, n);
		return true;
	case CS_PARAM_TEXT:
	case CS_PARAM_LIST:
	case CS_PARAM_FLAG:
	case CS_PARAM_WAIT:
		break;
	}
	cs_json_string(j, v->text);
	return true;
}

/* Every item of a list member, which several rows may feed. */
static bool put_items(struct cs_json *j, const char *member,
		      const struct parsed *in, struct cs_problem *p)
{
	cs_json_name(j, member);
	cs_json_array(j);
	for (size_t i = 0; i < in->n; i++) {
		const struct value *v = &in->values[i];

		if (strcmp(v->row->json, member) != 0)
			continue;
		if (v->row->kind == CS_PARAM_LIST) {
			cs_json_string(j, v->text);
			continue;
		}
		if (!cs_span_equal_str(v->text, "true"))
			return refuse(p, v,
				      "is not true, the one value that"
				      " can be asked for");
		cs_json_str(j, v->row->query);
	}
	cs_json_end(j);
	return true;
}

/* The value that feeds a member, or NULL. */
static const struct value *feeding(const struct parsed *in, const char *member)
{
	for (size_t i = 0; i < in->n; i++) {
		if (strcmp(in->values[i].row->json, member) == 0)
			return &in->values[i];
	}
	return NULL;
}

/* One member of the object, if it is stated or has a default. */
static bool put_member(struct cs_json *j, const struct cs_param *row,
		       const struct parsed *in, struct cs_problem *p)
{
	const struct value *v = feeding(in, row->json);

	if (row->kind == CS_PARAM_WAIT)
		return true;
	if (v == NULL) {
		if (row->kind == CS_PARAM_LIMIT)
			cs_json_member_int(j, row->json, DEFAULT_LIMIT);
		if (row->kind == CS_PARAM_ORDER)
			cs_json_member_str(j, row->json, "desc");
		return true;
	}
	if (row->kind == CS_PARAM_LIST || row->kind == CS_PARAM_FLAG)
		return put_items(j, row->json, in, p);
	cs_json_name(j, row->json);
	return put_one(j, v, p);
}

bool cs_params_write(const struct cs_param *table, struct cs_span query,
		     struct cs_arena *arena, struct cs_buf *out,
		     struct cs_problem *p)
{
	struct parsed in = {.n = 0};
	struct cs_error err;
	struct cs_json j;

	if (!parse(query, arena, &in, p) || !assign_rows(table, &in, p))
		return false;
	cs_json_begin(&j, out);
	cs_json_object(&j);
	for (const struct cs_param *r = table; r->query != NULL; r++) {
		if (r != table && strcmp(r->json, r[-1].json) == 0)
			continue;
		if (!put_member(&j, r, &in, p))
			return false;
	}
	cs_json_end(&j);
	if (!cs_json_finish(&j, "the question", &err))
		return cs_problem_set(p, cs_problem_of_error(err.code), "",
				      "%s", err.text);
	return true;
}

bool cs_params_wait(struct cs_span query, struct cs_arena *arena,
		    uint32_t *ret_seconds, struct cs_problem *p)
{
	struct parsed in = {.n = 0};
	bool has_after = false;
	const struct value *wait = NULL;
	int64_t n = 0;

	if (!parse(query, arena, &in, p))
		return false;
	for (size_t i = 0; i < in.n; i++) {
		if (cs_span_equal_str(in.values[i].name, "wait"))
			wait = &in.values[i];
		if (cs_span_equal_str(in.values[i].name, "after"))
			has_after = true;
	}
	if (wait != NULL && (!number(wait->text, &n) || n > MAX_WAIT))
		return refuse(p, wait, "is no number of seconds from 0 to 60");
	if (wait != NULL && !has_after)
		return refuse(p, wait,
			      "says how long to wait, but no `after`"
			      " behind what");
	*ret_seconds = (uint32_t)n;
	return true;
}

bool cs_params_flag(const char *flag, struct cs_span query,
		    struct cs_arena *arena, bool *ret_value,
		    struct cs_problem *p)
{
	const struct cs_param table[] = {{flag, flag, CS_PARAM_TEXT},
					 {NULL, NULL, CS_PARAM_LIST}};
	struct parsed in = {.n = 0};

	if (!parse(query, arena, &in, p) || !assign_rows(table, &in, p))
		return false;
	*ret_value = in.n > 0 && cs_span_equal_str(in.values[0].text, "true");
	if (in.n > 0 && !*ret_value &&
	    !cs_span_equal_str(in.values[0].text, "false"))
		return refuse(p, &in.values[0], "is neither true nor false");
	return true;
}

bool cs_params_none(struct cs_span query, struct cs_problem *p)
{
	if (query.n == 0)
		return true;
	return cs_problem_set(p, CS_PROBLEM_BAD_PARAMETER, "",
			      "This takes no query parameters.");
}
