/*
 * Commands that list: filters, pages and forms of output are alike.
 *
 * The server gives pages; a list command asks for one after another until it
 * has --limit items. Filters are options of the same name as the parameter;
 * a repeated one is OR. Lines of JSON or CSV (api/csv.h) are printed page by
 * page, and so is a table, in parts of a thousand rows.
 */
#ifndef CS_CLI_LIST_H
#define CS_CLI_LIST_H

#include "cli/ask.h"

/* Items that a list shows unless --limit says otherwise. */
#define CS_LIST_DEFAULT 100

/* Options of every list, for its table. */
#define CS_LIST_OPTIONS                                                        \
	{"limit", 0, "N", "at most so many (100)"},                            \
	{                                                                      \
		"order", 0, "asc|desc", "oldest or newest first (desc)"        \
	}

/* Options of lists that have times. */
#define CS_LIST_TIME_OPTIONS                                                   \
	{"since", 0, "TIME",                                                   \
	 "from then on: 1h, 30d, or 2027-01-31T00:00:00Z"},                    \
	{                                                                      \
		"until", 0, "TIME", "before then, in the same forms"           \
	}

struct cs_list {
	enum cs_query kind;
	const char *target;
	const char *const *filters; /* NULL-terminated names of options */
	const char *const *flags;   /* the same of those without a value */
	const struct cs_ask_param *fixed; /* always asked for; may be NULL */
	size_t n_fixed;
	const char *const *header; /* columns of the table */
	const char *const *names;  /* their members, as cs_show_list() */
	size_t columns;
	const char *const *csv; /* columns of -o csv; NULL: it has none */
	/* Before it is a row of the table or of CSV; may be NULL. */
	void (*prepare)(json_t *item);
	const char *order; /* unless --order says; NULL: server's */
	size_t limit;	   /* unless --limit says; 0: 100 */
};

/* More than any list has: for a list that is whole unless --limit says. */
#define CS_LIST_ALL SIZE_MAX

/*
 * Milliseconds of an option's time: "1h" is an hour ago, else RFC 3339.
 * CS_E_USAGE.
 */
bool cs_list_parse_time(const char *option, const char *text, int64_t *ret,
			struct cs_error *err) CS_MUST_USE;

/* The question of the first page, without its limit. CS_E_USAGE. */
bool cs_list_question(const struct cs_call *call, const struct cs_list *list,
		      struct cs_question_call *ret,
		      struct cs_error *err) CS_MUST_USE;

/* Items of one page, which may be none. False: no further page is asked for. */
typedef bool cs_list_page_fn(void *ctx, json_t *items, struct cs_error *err);

/*
 * Page by page. *ret_status is an exit status: when it is not CS_EXIT_DONE,
 * why was printed already.
 */
bool cs_list_pages(const struct cs_call *call, const struct cs_list *list,
		   cs_list_page_fn *fn, void *ctx, int *ret_status,
		   struct cs_error *err) CS_MUST_USE;

/* Run the whole command: an enum cs_exit. */
int cs_list_run(const struct cs_call *call, const struct cs_list *list);

/*
 * A list that is here already, in the form that is asked for: of `list`, what
 * says how it looks. Items are changed by its `prepare`. An enum cs_exit.
 */
int cs_list_print(const struct cs_call *call, const struct cs_list *list,
		  json_t *items);

#endif
