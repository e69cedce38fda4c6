/*
 * The query part of a target as the parameters of a question.
 *
 * A constant table for each list says which names there are and what each
 * becomes in QUERY.params (store's names, in ascending order). Names and
 * values are percent-decoded (RFC 3986 2.1) to valid UTF-8 without control
 * characters; `+` is a plus. A name that the table does not have, a value of
 * the wrong form, or a second value where one is taken is a problem (400)
 * that names the parameter. A repeated list parameter is OR.
 */
#ifndef CS_API_PARAMS_H
#define CS_API_PARAMS_H

#include "api/problem.h"
#include "base/arena.h"

enum cs_param_kind {
	CS_PARAM_LIST,	/* any text, repeatable: an array of strings */
	CS_PARAM_TEXT,	/* one text */
	CS_PARAM_COUNT, /* one non-negative integer */
	CS_PARAM_LIMIT, /* 1 to 1000; 100 when absent */
	CS_PARAM_ORDER, /* asc or desc; desc when absent */
	CS_PARAM_TIME,	/* RFC 3339: milliseconds */
	CS_PARAM_WAIT,	/* seconds; not part of the question */
	CS_PARAM_FLAG	/* `true`: the parameter's own name, as a list's item */
};

struct cs_param {
	const char *query; /* the parameter's name */
	const char *json;  /* the member's; rows of one member are together */
	enum cs_param_kind kind;
};

/* Tables in ascending order of `json`, ended by a NULL name. */
extern const struct cs_param cs_params_audit[];
extern const struct cs_param cs_params_crls[];
extern const struct cs_param cs_params_history[];
extern const struct cs_param cs_params_requests[];
extern const struct cs_param cs_params_certificates[];

/* Append the canonical JSON object. */
bool cs_params_write(const struct cs_param *table, struct cs_span query,
		     struct cs_arena *arena, struct cs_buf *out,
		     struct cs_problem *p) CS_MUST_USE;

/*
 * `wait` of a list that can be waited at, 0 to 60 seconds; absent: 0. It is
 * refused without `after`.
 */
bool cs_params_wait(struct cs_span query, struct cs_arena *arena,
		    uint32_t *ret_seconds, struct cs_problem *p) CS_MUST_USE;

/* Of a route that takes `flag=true|false` at most; absent: false. */
bool cs_params_flag(const char *flag, struct cs_span query,
		    struct cs_arena *arena, bool *ret_value,
		    struct cs_problem *p) CS_MUST_USE;

/* Of a route that takes none. */
bool cs_params_none(struct cs_span query, struct cs_problem *p) CS_MUST_USE;

#endif
