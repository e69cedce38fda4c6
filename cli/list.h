/*
 * Commands that list: filters, pages and forms of output are alike.
 *
 * The server gives pages; a list command asks for one after another until it
 * has --limit items. Filters are options of the same name as the parameter;
 * a repeated one is OR.
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
};

/* Run the whole command: an enum cs_exit. */
int cs_list_run(const struct cs_call *call, const struct cs_list *list);

#endif
