#include "cli/text.h"

/* Bytes of one escaped line of ours; answers are at most that long. */
#define LINE_BYTES (256 * 1024)
/* Bytes of one table. */
#define TABLE_BYTES (32 * 1024 * 1024)

void cs_text_print(FILE *out, const char *s)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, LINE_BYTES);
	cs_text_put_str(&b, s);
	fputs(cs_buf_ok(&b) ? cs_buf_str(&b) : "(too long to show)", out);
}

bool cs_table_print(const struct cs_table *t, const char *indent, FILE *out,
		    struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	cs_buf_init(&b, TABLE_BYTES);
	if (t->failed)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for the table");
	cs_table_write(t, indent, &b);
	if (!cs_buf_finish(&b, "the table", err))
		return false;
	fputs(cs_buf_str(&b), out);
	return true;
}
