#include "base/text.h"

#include <string.h>

#include "base/mem.h"

/* Bytes of one escaped line of ours; answers are at most that long. */
#define LINE_BYTES (256 * 1024)
/* Memory of one table. */
#define TABLE_BYTES (16 * 1024 * 1024)

/*
 * The length of the UTF-8 sequence at the head of s (RFC 3629), and its code
 * point; 0 when there is none.
 */
static size_t next_char(struct cs_span s, uint32_t *ret)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = s.p[0];
	size_t n = c < 0x80   ? 1
		   : c < 0xc2 ? 0
		   : c < 0xe0 ? 2
		   : c < 0xf0 ? 3
			      : 4;

	if (n == 0 || c > 0xf4 || n > s.n)
		return 0;
	if (n > 1)
		c &= 0x7fU >> n;
	for (size_t i = 1; i < n; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s.p[i] & 0x3fU);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

/* Would this character change how the others are shown? */
static bool is_hostile(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {
		{0x00, 0x1f},	  {0x7f, 0x9f},	    {0xad, 0xad},
		{0x61c, 0x61c},	  {0x180e, 0x180e}, {0x200b, 0x200f},
		{0x2028, 0x202e}, {0x2060, 0x206f}, {0xfe00, 0xfe0f},
		{0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return false;
}

void cs_text_put(struct cs_buf *out, struct cs_span s)
{
	while (s.n > 0) {
		uint32_t c = 0;
		size_t n = next_char(s, &c);

		if (n == 0) {
			cs_buf_addf(out, "\\x%02x", s.p[0]);
			n = 1;
		} else if (!is_hostile(c)) {
			cs_buf_add(out, cs_span_sub(s, 0, n));
		} else if (c < 0x80) {
			cs_buf_addf(out, "\\x%02x", (unsigned)c);
		} else {
			cs_buf_addf(out, "\\u{%x}", (unsigned)c);
		}
		s = cs_span_sub(s, n, s.n);
	}
}

void cs_text_put_str(struct cs_buf *out, const char *s)
{
	cs_text_put(out, cs_span_str(s));
}

/* Cells behind the last one that has a text are not there to see. */
static void trim(struct cs_buf *out)
{
	while (out->n > 0 && out->p[out->n - 1] == ' ')
		cs_buf_truncate(out, out->n - 1);
}

/* Characters of a cell: what is no continuation byte. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void cs_table_init(struct cs_table *t, size_t columns,
		   const char *const *header)
{
	*t = (struct cs_table){.columns = columns};
	cs_arena_init(&t->arena, TABLE_BYTES);
	for (size_t i = 0; header != NULL && i < columns; i++)
		cs_table_cell(t, header[i]);
}

void cs_table_done(struct cs_table *t)
{
	cs_arena_done(&t->arena);
	cs_mem_free(t->cell);
	*t = (struct cs_table){0};
}

void cs_table_cell_span(struct cs_table *t, struct cs_span text)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, LINE_BYTES);
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 64 : t->cap * 2;
		const char **cell;

		cell = cap > CS_MAX_TABLE_CELLS * 2
			       ? NULL
			       : cs_mem_resize(t->cell, cap, sizeof(*cell));
		if (cell == NULL) {
			t->failed = true;
			return;
		}
		t->cell = cell;
		t->cap = cap;
	}
	cs_text_put(&b, text);
	t->cell[t->n] = cs_arena_str(&t->arena, cs_buf_span(&b));
	if (t->cell[t->n] == NULL || !cs_buf_ok(&b))
		t->failed = true;
	else
		t->n++;
}

void cs_table_cell(struct cs_table *t, const char *text)
{
	cs_table_cell_span(t, cs_span_str(text));
}

void cs_table_write(const struct cs_table *t, const char *indent,
		    struct cs_buf *out)
{
	size_t wide[CS_MAX_TABLE_COLUMNS] = {0};

	if (t->failed || t->columns > CS_MAX_TABLE_COLUMNS) {
		cs_buf_add_str(out, indent);
		cs_buf_add_str(out, "(no memory for the list)\n");
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		if (width(t->cell[i]) > wide[i % t->columns])
			wide[i % t->columns] = width(t->cell[i]);
	for (size_t i = 0; i < t->n; i++) {
		size_t column = i % t->columns;
		size_t pad = wide[column] - width(t->cell[i]);
		bool last = column + 1 == t->columns || i + 1 == t->n;

		cs_buf_add_str(out, column == 0 ? indent : "  ");
		cs_buf_add_str(out, t->cell[i]);
		if (!last) {
			cs_buf_addf(out, "%*s", (int)pad, "");
			continue;
		}
		trim(out);
		cs_buf_add_byte(out, '\n');
	}
}
