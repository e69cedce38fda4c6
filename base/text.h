/*
 * What people read: escaped text and aligned tables.
 *
 * Everything that came from outside (names in certificates, reasons, error
 * details) goes through cs_text_put(), so that no octet of it can move a
 * cursor, hide itself or turn the direction of writing: control characters,
 * C1, invisible and bidirectional format characters and what is not UTF-8
 * are written as \xHH or \u{HEX}.
 *
 * A table collects its cells and is written once, each column as wide as
 * its longest cell (in characters; wide ones count as one). The last column
 * is not padded. Cells are copied.
 */
#ifndef CS_BASE_TEXT_H
#define CS_BASE_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/* Columns of one table. */
#define CS_MAX_TABLE_COLUMNS 12
/* Cells of one table: 1000 rows of a page, each column. */
#define CS_MAX_TABLE_CELLS (1024 * CS_MAX_TABLE_COLUMNS)

/* Append s, escaped. Newlines are escaped too. */
void cs_text_put(struct cs_buf *out, struct cs_span s);
void cs_text_put_str(struct cs_buf *out, const char *s);

struct cs_table {
	size_t columns;
	struct cs_arena arena;
	const char **cell; /* owned */
	size_t n, cap;
	bool failed;
};

/* `header` is NULL-terminated; NULL headers give a table without a header. */
void cs_table_init(struct cs_table *t, size_t columns,
		   const char *const *header);
void cs_table_done(struct cs_table *t);

/* The next cell, row by row; NULL is an empty one. */
void cs_table_cell(struct cs_table *t, const char *text);
void cs_table_cell_span(struct cs_table *t, struct cs_span text);

/*
 * Write it, each line behind `indent`; where memory was short, a line that
 * says so. The buffer's sticky error tells of no room.
 */
void cs_table_write(const struct cs_table *t, const char *indent,
		    struct cs_buf *out);

#endif
