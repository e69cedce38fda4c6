/*
 * Items of a list as CSV (RFC 4180), for people with a spreadsheet.
 *
 * A column is a member of the item, "a.b" one of a member; lists are joined
 * by blanks. Two columns are made from what a decision says: `changes`, what
 * was given for what was asked, and `violations`, each code with field and
 * value. A text that a spreadsheet could take for a formula (it begins with
 * = + - @, a tab or a carriage return) has an apostrophe in front of it and
 * stands in quotes. Lines end with CRLF.
 */
#ifndef CS_API_CSV_H
#define CS_API_CSV_H

#include <jansson.h>

#include "base/buf.h"

/* One cell's text, quoted where it must be. */
void cs_csv_cell(struct cs_buf *out, struct cs_span text);

/* The line of the columns' names; `columns` ends with NULL. */
void cs_csv_header(struct cs_buf *out, const char *const *columns);

/* The line of one item. */
void cs_csv_item(struct cs_buf *out, const char *const *columns,
		 const json_t *item);

/*
 * What a decision overrode, "FIELD: ASKED -> GIVEN (DISPOSITION, RULE)", or
 * violated, "CODE FIELD=VALUE", joined by "; ". Nothing where there is none.
 */
void cs_csv_put_changes(struct cs_buf *out, const json_t *decision);
void cs_csv_put_violations(struct cs_buf *out, const json_t *decision);

/* The columns of the lists that the API has. */
extern const char *const cs_csv_audit[];
extern const char *const cs_csv_certificates[];
extern const char *const cs_csv_crls[];
extern const char *const cs_csv_history[];
extern const char *const cs_csv_requests[];

#endif
