#include "api/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"

static const struct problem_row {
	const char *name;
	unsigned status;
	const char *title;
} problems[CS_PROBLEM_COUNT] = {
	[CS_PROBLEM_NONE] = {"NONE", 200, "No problem"},
#define CS_PROBLEM(name, status, title)                                        \
	[CS_PROBLEM_##name] = {#name, status, title},
#include "api/problem.def"
#undef CS_PROBLEM
};

static const struct outcome_row {
	unsigned status;
	const char *title;
} outcomes[] = {
	[0] = {500, "The outcome is unknown"},
	[CS_ANSWER_ISSUED] = {201, "Issued"},
	[CS_ANSWER_REFUSED] = {422, "The request was refused"},
	[CS_ANSWER_DENIED] = {422, "The request was denied"},
	[CS_ANSWER_EXPIRED] = {422, "The request expired"},
	[CS_ANSWER_PENDING] = {202, "The request waits for an approval"},
	[CS_ANSWER_HELD] = {202, "The request is held by policy"},
	[CS_ANSWER_DRY_RUN] = {200, "What would happen"},
	[CS_ANSWER_CONFLICT] = {409, "The state does not allow this"},
	[CS_ANSWER_FORBIDDEN] = {403, "The client may not do this"},
	[CS_ANSWER_GONE] = {404, "There is no such request"},
	[CS_ANSWER_BUSY] = {503, "Nothing was decided: try again"},
};

/* Error codes that are not plainly our own fault. */
static const struct {
	enum cs_error_code error;
	enum cs_problem_code problem;
} errors[] = {
	{CS_E_FORMAT, CS_PROBLEM_BAD_JSON},
	{CS_E_TOO_LARGE, CS_PROBLEM_BODY_TOO_LARGE},
	{CS_E_ARGUMENT, CS_PROBLEM_BAD_FIELD},
	{CS_E_HTTP, CS_PROBLEM_BAD_REQUEST},
	{CS_E_NOT_FOUND, CS_PROBLEM_NOT_FOUND},
	{CS_E_EXISTS, CS_PROBLEM_CONFLICT},
	{CS_E_POLICY, CS_PROBLEM_POLICY_INVALID},
	{CS_E_YAML, CS_PROBLEM_POLICY_INVALID},
	{CS_E_NO_MEMORY, CS_PROBLEM_BUSY},
	{CS_E_LINK_FULL, CS_PROBLEM_BUSY},
	{CS_E_PEER_GONE, CS_PROBLEM_STOPPING},
	{CS_E_CLOCK, CS_PROBLEM_CLOCK},
	{CS_E_DB_FULL, CS_PROBLEM_FULL},
	{CS_E_SPLIT, CS_PROBLEM_SPLIT_VIEW},
};

/* Cut half a UTF-8 character off the end of a text that was truncated. */
static void cut_at_character(char *text)
{
	size_t n = strlen(text);
	size_t start = n;

	while (start > 0 && ((uint8_t)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start > 0 && (uint8_t)text[start - 1] >= 0xc0)
		text[start - 1] = '\0';
}

bool cs_problem_set(struct cs_problem *p, enum cs_problem_code code,
		    const char *field, const char *fmt, ...)
{
	va_list ap;
	int n;

	p->code = code;
	p->retry_s = problems[code].status == 503 ? 1 : 0;
	(void)snprintf(p->field, sizeof(p->field), "%s", field);
	va_start(ap, fmt);
	n = vsnprintf(p->detail, sizeof(p->detail), fmt, ap);
	va_end(ap);
	if (n < 0)
		p->detail[0] = '\0';
	else if ((size_t)n >= sizeof(p->detail))
		cut_at_character(p->detail);
	return false;
}

const char *cs_problem_name(enum cs_problem_code code)
{
	return problems[code].name;
}

unsigned cs_problem_status(enum cs_problem_code code)
{
	return problems[code].status;
}

const char *cs_problem_title(enum cs_problem_code code)
{
	return problems[code].title;
}

enum cs_problem_code cs_problem_from_name(struct cs_span name)
{
	for (int i = CS_PROBLEM_NONE + 1; i < CS_PROBLEM_COUNT; i++) {
		if (cs_span_equal_str(name, problems[i].name))
			return (enum cs_problem_code)i;
	}
	return CS_PROBLEM_NONE;
}

enum cs_problem_code cs_problem_of_error(enum cs_error_code code)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].error == code)
			return errors[i].problem;
	}
	return CS_PROBLEM_INTERNAL;
}

/* The row of an outcome; that of 0 for one we do not know. */
static const struct outcome_row *outcome_row(enum cs_answer outcome)
{
	size_t i = (size_t)outcome;

	return i < sizeof(outcomes) / sizeof(outcomes[0]) ? &outcomes[i]
							  : &outcomes[0];
}

unsigned cs_problem_outcome_status(enum cs_answer outcome)
{
	return outcome_row(outcome)->status;
}

const char *cs_problem_outcome_title(enum cs_answer outcome)
{
	return outcome_row(outcome)->title;
}

enum cs_problem_code cs_problem_of_state(enum cs_ledger_state state)
{
	switch (state) {
	case CS_LEDGER_ISSUING:
		return CS_PROBLEM_NONE;
	case CS_LEDGER_CLOCK:
		return CS_PROBLEM_CLOCK;
	case CS_LEDGER_FULL:
		return CS_PROBLEM_FULL;
	case CS_LEDGER_SPLIT:
		return CS_PROBLEM_SPLIT_VIEW;
	case CS_LEDGER_NO_POLICY:
		return CS_PROBLEM_NO_POLICY;
	case CS_LEDGER_STOPPING:
		return CS_PROBLEM_STOPPING;
	}
	return CS_PROBLEM_STARTING;
}

void cs_problem_type(struct cs_json *j, struct cs_span code)
{
	char type[CS_PROBLEM_TYPE_MAX];

	(void)snprintf(type, sizeof(type), CS_PROBLEM_TYPE "%.*s",
		       CS_SPAN_FMT(cs_span_sub(code, 0, CS_MAX_NAME)));
	cs_json_text(j, cs_span_str(type));
}

/* The members in their order; `field` may be "". */
static bool write_members(struct cs_span code, struct cs_span detail,
			  const char *field, unsigned status, const char *title,
			  struct cs_buf *out, struct cs_error *err)
{
	struct cs_json j;

	cs_json_begin(&j, out);
	cs_json_object(&j);
	cs_json_name(&j, "code");
	cs_json_text(&j, code);
	cs_json_name(&j, "detail");
	cs_json_text(&j, detail);
	if (field[0] != '\0') {
		cs_json_name(&j, "field");
		cs_json_text(&j, cs_span_str(field));
	}
	cs_json_member_int(&j, "status", status);
	cs_json_member_str(&j, "title", title);
	cs_json_name(&j, "type");
	cs_problem_type(&j, code);
	cs_json_end(&j);
	return cs_json_finish(&j, "the problem", err);
}

bool cs_problem_write(const struct cs_problem *p, struct cs_buf *out,
		      struct cs_error *err)
{
	const struct problem_row *row = &problems[p->code];

	return write_members(cs_span_str(row->name), cs_span_str(p->detail),
			     p->field, row->status, row->title, out, err);
}

bool cs_problem_write_foreign(struct cs_span code, struct cs_span detail,
			      unsigned status, const char *title,
			      struct cs_buf *out, struct cs_error *err)
{
	return write_members(code, detail, "", status, title, out, err);
}
