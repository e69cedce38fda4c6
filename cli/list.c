#include "cli/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/time.h"
#include "cli/show.h"

/* A page, and everything that one call shows. */
#define PAGE_ITEMS 1000
#define MAX_ITEMS  1000000

/* "1h" is an hour ago; else RFC 3339. Milliseconds. */
static bool parse_time(const char *option, const char *text, int64_t *ret,
		       struct cs_error *err)
{
	struct cs_clock clock = cs_clock_system();
	int64_t seconds;

	if (cs_time_parse_duration(cs_span_str(text), &seconds, NULL)) {
		*ret = cs_clock_wall_ms(&clock) - seconds * 1000;
		return true;
	}
	if (cs_time_parse_rfc3339(cs_span_str(text), ret, NULL))
		return true;
	return cs_error_set(err, CS_E_USAGE,
			    "--%s: `%s`: expected a duration as 1h, or a time "
			    "as 2027-01-31T00:00:00Z",
			    option, text);
}

static bool parse_limit(const struct cs_call *call, size_t *ret,
			struct cs_error *err)
{
	const char *text = cs_call_get(call, "limit");
	char *end;
	long n;

	*ret = CS_LIST_DEFAULT;
	if (text == NULL)
		return true;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < 1 || n > MAX_ITEMS)
		return cs_error_set(err, CS_E_USAGE,
				    "--limit: `%s`: expected 1 to %d", text,
				    MAX_ITEMS);
	*ret = (size_t)n;
	return true;
}

/* Filters with values, and flags. */
static void add_filters(const struct cs_call *call, const struct cs_list *list,
			struct cs_question_call *q)
{
	const char *value;

	for (const char *const *f = list->filters; *f != NULL; f++)
		for (size_t i = 0;
		     (value = cs_call_get_nth(call, *f, i)) != NULL; i++)
			cs_question_add(q, (struct cs_ask_param){CS_ASK_LIST,
								 *f, value, 0});
	for (const char *const *f = list->flags; f != NULL && *f != NULL; f++)
		if (cs_call_get(call, *f) != NULL)
			cs_question_add(q, (struct cs_ask_param){CS_ASK_FLAG,
								 *f, NULL, 0});
}

/* The question of the first page, without its limit. */
static bool make_question(const struct cs_call *call,
			  const struct cs_list *list,
			  struct cs_question_call *q, struct cs_error *err)
{
	static const char *const times[] = {"since", "until"};
	const char *order = cs_call_get(call, "order");

	*q = (struct cs_question_call){.kind = list->kind,
				       .target = list->target};
	for (size_t i = 0; i < list->n_fixed; i++)
		cs_question_add(q, list->fixed[i]);
	add_filters(call, list, q);
	for (size_t i = 0; i < 2; i++) {
		struct cs_ask_param p = {CS_ASK_TIME, times[i], NULL, 0};
		const char *value = cs_call_get(call, times[i]);

		if (value == NULL)
			continue;
		if (!parse_time(times[i], value, &p.number, err))
			return false;
		cs_question_add(q, p);
	}
	if (order == NULL)
		return true;
	if (strcmp(order, "asc") != 0 && strcmp(order, "desc") != 0)
		return cs_error_set(err, CS_E_USAGE,
				    "--order: `%s`: expected asc or desc",
				    order);
	cs_question_add(q,
			(struct cs_ask_param){CS_ASK_ONE, "order", order, 0});
	return true;
}

/*
 * Ask for one page and move its items to the list. *ret_next is the cursor
 * of the next one, borrowed from *ret_reply, or NULL.
 */
static bool take_page(const struct cs_call *call,
		      const struct cs_question_call *first, const char *cursor,
		      size_t want, struct cs_reply *ret_reply,
		      struct cs_error *err)
{
	struct cs_question_call q = *first;

	cs_question_add(&q, (struct cs_ask_param){CS_ASK_INT, "limit", NULL,
						  (int64_t)want});
	if (cursor != NULL)
		cs_question_add(&q, (struct cs_ask_param){CS_ASK_ONE, "cursor",
							  cursor, 0});
	return cs_ask_question(call, &q, ret_reply, err);
}

/*
 * Collect pages into `items`. *ret_status is an exit status: when it is not
 * CS_EXIT_DONE, why was printed already.
 */
static bool collect(const struct cs_call *call, const struct cs_list *list,
		    json_t *items, int *ret_status, struct cs_error *err)
{
	struct cs_question_call q;
	struct cs_reply page = {0};
	size_t limit = 0;
	bool ok;

	*ret_status = CS_EXIT_DONE;
	if (!parse_limit(call, &limit, err) ||
	    !make_question(call, list, &q, err))
		return false;
	for (;;) {
		size_t left = limit - json_array_size(items);
		const char *cursor =
			json_string_value(json_object_get(page.body, "next"));
		struct cs_reply next = {0};

		if (left == 0 || (page.body != NULL && cursor == NULL))
			break;
		ok = take_page(call, &q, cursor,
			       left < PAGE_ITEMS ? left : PAGE_ITEMS, &next,
			       err);
		cs_reply_done(&page);
		if (!ok)
			return false;
		page = next;
		if (page.status >= 400) {
			*ret_status = cs_reply_print_problem(call, &page);
			break;
		}
		json_array_extend(items, json_object_get(page.body, "items"));
	}
	cs_reply_done(&page);
	return true;
}

static void print(const struct cs_call *call, const struct cs_list *list,
		  const json_t *items)
{
	const json_t *item;
	size_t i;

	if (cs_call_wants(call, "table")) {
		cs_show_list(items, list->header, list->names, list->columns,
			     call->out);
		return;
	}
	if (cs_call_wants(call, "json")) {
		json_dumpf(items, call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
		fputc('\n', call->out);
		return;
	}
	json_array_foreach(items, i, item)
	{
		json_dumpf(item, call->out, JSON_COMPACT | JSON_SORT_KEYS);
		fputc('\n', call->out);
	}
}

int cs_list_run(const struct cs_call *call, const struct cs_list *list)
{
	struct cs_error err = {0};
	json_t *items = json_array();
	int status = CS_EXIT_REFUSED;

	if (items == NULL)
		cs_error_set(&err, CS_E_NO_MEMORY, "no memory for the list");
	if (items == NULL || !collect(call, list, items, &status, &err))
		status = cs_call_fail(call, &err);
	else if (status == CS_EXIT_DONE)
		print(call, list, items);
	json_decref(items);
	return status;
}
