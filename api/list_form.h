/*
 * The forms in which a list is given: JSON as the reader wrote it, a line of
 * JSON for each item (application/x-ndjson), or CSV (api/csv.h).
 *
 * A page is {"items":[..],"next":"cursor" or null}, canonical, as the reader
 * writes it (store/query.h). The next page of the other forms stands in a
 * Link header (RFC 8288), which JSON has as well.
 */
#ifndef CS_API_LIST_FORM_H
#define CS_API_LIST_FORM_H

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

enum cs_list_form {
	CS_LIST_JSON,
	CS_LIST_NDJSON,
	CS_LIST_CSV,
	CS_LIST_NONE /* the client takes none of them */
};

/* The media type of a form. */
const char *cs_list_form_type(enum cs_list_form form);

/* The cursor of the next page; empty: there is none. Borrowed. */
struct cs_span cs_list_form_next(struct cs_span page);

/* Has the page no items, and nothing behind it? */
bool cs_list_form_is_over(struct cs_span page);

/* Append the page in this form; `columns` are those of the CSV. */
bool cs_list_form_write(enum cs_list_form form, struct cs_span page,
			const char *const *columns, struct cs_buf *out,
			struct cs_error *err) CS_MUST_USE;

/*
 * Append a Link header's value: `path` with the query, in which the cursor
 * takes the place of the one that was there.
 */
void cs_list_form_link(struct cs_span path, struct cs_span query,
		       struct cs_span cursor, struct cs_buf *out);

#endif
