#include "cli/list.h"

#include <string.h>
#include <time.h>

#include "api/csv.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/time.h"
#include "cli/show.h"

/* A page, and everything that one call shows. */
#define PAGE_ITEMS 1000
#define MAX_ITEMS  1000000
/* How often a further page is asked for, a second apart. */
#define PAGE_TRIES 10

bool cs_list_parse_time(const char *option, const char *text, int64_t *ret,
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

static bool parse_limit(const struct cs_call *call, const struct cs_list *list,
			size_t *ret, struct cs_error *err)
{
	unsigned n = 0;

	*ret = list->limit != 0 ? list->limit : CS_LIST_DEFAULT;
	if (!cs_call_number(call, "limit", 1, MAX_ITEMS, &n, err))
		return false;
	if (n != 0)
		*ret = n;
	return true;
}

/* Was the flag given? A parameter's `_` is a `-` on the command line. */
static bool has_flag(const struct cs_call *call, const char *parameter)
{
	char option[32];
	size_t n = strlen(parameter);

	if (n >= sizeof(option))
		return false;
	for (size_t i = 0; i <= n; i++)
		option[i] = parameter[i] == '_' ? '-' : parameter[i];
	return cs_call_get(call, option) != NULL;
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
		if (has_flag(call, *f))
			cs_question_add(q, (struct cs_ask_param){CS_ASK_FLAG,
								 *f, NULL, 0});
}

bool cs_list_question(const struct cs_call *call, const struct cs_list *list,
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
		if (!cs_list_parse_time(times[i], value, &p.number, err))
			return false;
		cs_question_add(q, p);
	}
	if (order == NULL)
		order = list->order;
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
 * The same, again when the server has too much to do: what has begun is
 * better finished than begun anew.
 */
static bool take_next_page(const struct cs_call *call,
			   const struct cs_question_call *first,
			   const char *cursor, size_t want,
			   struct cs_reply *ret_reply, struct cs_error *err)
{
	const struct timespec second = {.tv_sec = 1};
	unsigned tries = cursor != NULL ? PAGE_TRIES : 1;

	while (take_page(call, first, cursor, want, ret_reply, err)) {
		if (ret_reply->status != 503 || --tries == 0)
			return true;
		cs_reply_done(ret_reply);
		(void)nanosleep(&second, NULL);
	}
	return false;
}

bool cs_list_pages(const struct cs_call *call, const struct cs_list *list,
		   cs_list_page_fn *fn, void *ctx, int *ret_status,
		   struct cs_error *err)
{
	struct cs_question_call q;
	struct cs_reply page = {0};
	size_t left = 0;
	bool ok;

	*ret_status = CS_EXIT_DONE;
	if (!parse_limit(call, list, &left, err) ||
	    !cs_list_question(call, list, &q, err))
		return false;
	do {
		const char *cursor =
			json_string_value(json_object_get(page.body, "next"));
		bool first = page.body == NULL;
		struct cs_reply next = {0};

		if (!first && cursor == NULL)
			break;
		ok = take_next_page(call, &q, cursor,
				    left < PAGE_ITEMS ? left : PAGE_ITEMS,
				    &next, err);
		cs_reply_done(&page);
		if (!ok)
			return false;
		page = next;
		if (page.status >= 400) {
			/* Items that were printed are no problem's. */
			*ret_status =
				first ? cs_reply_print_problem(call, &page)
				      : cs_reply_tell_problem(call, &page);
			break;
		}
		left -= json_array_size(json_object_get(page.body, "items"));
		ok = fn(ctx, json_object_get(page.body, "items"), err);
		if (!ok) {
			cs_reply_done(&page);
			return false;
		}
	} while (left > 0);
	cs_reply_done(&page);
	return true;
}

/* What is printed, as it comes. */
struct output {
	const struct cs_call *call;
	const struct cs_list *list;
	json_t *items; /* owned: not printed yet */
	bool began;    /* of a table, or of an array */
};

/* The items that have gathered, as a part of the table. */
static void flush_table(struct output *o)
{
	const struct cs_list *l = o->list;

	if (o->began && json_array_size(o->items) == 0)
		return;
	cs_show_list(o->items, o->began ? NULL : l->header, l->names,
		     l->columns, o->call->out);
	json_array_clear(o->items);
	o->began = true;
}

/* Items as a part of the one array of -o json. */
static void print_array(struct output *o, const json_t *items)
{
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		fputs(o->began ? ",\n" : "[\n", o->call->out);
		json_dumpf(item, o->call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
		o->began = true;
	}
}

static bool print_csv(const struct output *o, const json_t *item,
		      struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf line;

	cs_buf_init(&line, CS_MAX_MESSAGE);
	if (item == NULL)
		cs_csv_header(&line, o->list->csv);
	else
		cs_csv_item(&line, o->list->csv, item);
	if (!cs_buf_finish(&line, "a line", err))
		return false;
	fwrite(line.p, 1, line.n, o->call->out);
	return true;
}

/* Items as lines of JSON or CSV. */
static bool print_lines(struct output *o, const json_t *items,
			struct cs_error *err)
{
	bool csv = cs_call_wants(o->call, "csv");
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		if (csv) {
			if (o->list->prepare != NULL)
				o->list->prepare(item);
			if (!print_csv(o, item, err))
				return false;
			continue;
		}
		json_dumpf(item, o->call->out, JSON_COMPACT | JSON_SORT_KEYS);
		fputc('\n', o->call->out);
	}
	fflush(o->call->out);
	return true;
}

/* One page. */
static bool print(void *ctx, json_t *items, struct cs_error *err)
{
	struct output *o = ctx;
	json_t *item;
	size_t i;

	if (cs_call_wants(o->call, "json")) {
		print_array(o, items);
		return true;
	}
	if (!cs_call_wants(o->call, "table"))
		return print_lines(o, items, err);
	json_array_foreach(items, i, item) if (o->list->prepare != NULL)
		o->list->prepare(item);
	if (json_array_extend(o->items, items) != 0)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	if (json_array_size(o->items) >= PAGE_ITEMS)
		flush_table(o);
	return true;
}

/* What comes before all items. */
static bool begin(struct output *o, struct cs_error *err)
{
	if (o->items == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "no memory");
	return !cs_call_wants(o->call, "csv") || print_csv(o, NULL, err);
}

/* And behind them. */
static void end(struct output *o)
{
	if (cs_call_wants(o->call, "table"))
		flush_table(o);
	else if (cs_call_wants(o->call, "json"))
		fputs(o->began ? "\n]\n" : "[]\n", o->call->out);
}

int cs_list_run(const struct cs_call *call, const struct cs_list *list)
{
	struct output o = {.call = call, .list = list, .items = json_array()};
	struct cs_error err = {0};
	int status = CS_EXIT_REFUSED;

	if (!begin(&o, &err) ||
	    !cs_list_pages(call, list, print, &o, &status, &err))
		status = cs_call_fail(call, &err);
	else if (status == CS_EXIT_DONE)
		end(&o);
	json_decref(o.items);
	return status;
}

int cs_list_print(const struct cs_call *call, const struct cs_list *list,
		  json_t *items)
{
	struct output o = {.call = call, .list = list, .items = json_array()};
	struct cs_error err = {0};
	int status = CS_EXIT_DONE;

	if (!begin(&o, &err) || !print(&o, items, &err))
		status = cs_call_fail(call, &err);
	else
		end(&o);
	json_decref(o.items);
	return status;
}
