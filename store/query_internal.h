/*
 * What the parts of store/query.c share. Not for anybody else.
 */
#ifndef CS_STORE_QUERY_INTERNAL_H
#define CS_STORE_QUERY_INTERNAL_H

#include <jansson.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "store/query.h"

struct cs_questions {
	struct cs_db *db; /* borrowed */
	struct cs_clock clock;
	uint32_t deadline_ms;
	int64_t until_ms; /* of the question under way, boot time; 0: none */
	struct cs_hash *hash;  /* owned */
	struct cs_arena arena; /* of the question under way */
	struct cs_buf item;    /* one item of a list, or one certificate */

	/* The question under way. */
	const struct cs_question *what;
	json_t *params; /* owned */
	struct cs_buf *body;
	struct cs_question_result *result;
};

/* Refuse the question: found = 0, a code and a sentence. Returns true. */
bool cs_query_refuse(struct cs_questions *q, const char *code, const char *fmt,
		     ...) CS_PRINTF(3, 4);

/* -- query_params.c ----------------------------------------------------- */

/* A text parameter; empty when it is not there. */
struct cs_span cs_query_text(const struct cs_questions *q, const char *name);

/* Octets of a hexadecimal parameter, 1 to max. False: it is none. */
bool cs_query_hex(struct cs_questions *q, const char *name, size_t max,
		  struct cs_span *ret_octets);

/* One way in which a leaf can match a filter. */
struct cs_query_alternative {
	uint8_t field; /* enum cs_term */
	struct cs_span value;
	unsigned zone; /* 1: the value, and all below it */
};

/* Any of the alternatives must match. */
struct cs_query_filter {
	const struct cs_query_alternative *any; /* in the arena */
	size_t n;
	unsigned rank; /* lower: fewer leaves are likely to match */
};

#define CS_QUERY_FILTERS 20

/* What is common to the lists. */
struct cs_query_list {
	struct cs_query_filter filter[CS_QUERY_FILTERS]; /* all must match */
	size_t filters;
	uint32_t kinds; /* bit n: kind n is wanted */
	int64_t since_ms, until_ms;
	size_t limit;
	unsigned ascending;
	unsigned has_position; /* 1: only what comes behind it */
	uint64_t position;
	uint8_t question[8]; /* hash of the question, for the cursor */
};

/*
 * Read the parameters of a list. *ret_ok = false: the question was refused,
 * and q->result says why.
 */
bool cs_query_list_read(struct cs_questions *q, struct cs_query_list *l,
			bool *ret_ok, struct cs_error *err) CS_MUST_USE;

/* Does a decision with these search terms match all filters? */
bool cs_query_matches(const struct cs_query_list *l, struct cs_span terms);

/* Is this text one of the parameter's values (or is there no parameter)? */
bool cs_query_one_of(const struct cs_questions *q, const char *name,
		     struct cs_span text);

/* -- query_page.c: writing lists ---------------------------------------- */

struct cs_query_page {
	struct cs_json json;
	struct cs_query_list *list;
	size_t items;
	size_t scanned;
	uint64_t last;	    /* position looked at last */
	uint64_t last_item; /* position of the last item written */
	unsigned more;	    /* 1: there is more, behind `last` or `last_item` */
	unsigned full;	    /* 1: more than fits was there */
};

void cs_query_page_begin(struct cs_questions *q, struct cs_query_page *p,
			 struct cs_query_list *list);
/* Note that a row is looked at; false: enough of them for one page. */
bool cs_query_page_look(struct cs_query_page *p, uint64_t position);
/* Add q->item as it stands; false: it does not fit, the page is over. */
bool cs_query_page_add(struct cs_questions *q, struct cs_query_page *p,
		       uint64_t position);
bool cs_query_page_end(struct cs_questions *q, struct cs_query_page *p,
		       struct cs_error *err) CS_MUST_USE;

/* The members "names" of an item: the first few, from search terms. */
void cs_query_put_names(struct cs_json *j, struct cs_span terms);

/* A member of several lines: line ends stay, unless it is no UTF-8. */
void cs_query_put_lines(struct cs_json *j, const char *name,
			struct cs_span text);

/* A member of an object that is a string; empty when it is not there. */
struct cs_span cs_query_member(const json_t *object, const char *name);

/* -- the kinds ----------------------------------------------------------- */

bool cs_query_audit(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_audit_entry(struct cs_questions *q,
			  struct cs_error *err) CS_MUST_USE;
bool cs_query_requests(struct cs_questions *q,
		       struct cs_error *err) CS_MUST_USE;
bool cs_query_request(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_stored(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_certificate(struct cs_questions *q,
			  struct cs_error *err) CS_MUST_USE;
bool cs_query_policy(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_clients(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_issuers(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;
bool cs_query_status(struct cs_questions *q, struct cs_error *err) CS_MUST_USE;

#endif
