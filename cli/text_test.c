#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

static const char *escaped(struct cs_buf *b, const char *s)
{
	cs_buf_reset(b);
	cs_text_put_str(b, s);
	return cs_buf_str(b);
}

static void escapes_what_would_move_a_cursor_or_hide(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	(void)state;
	cs_buf_init(&b, 1000);
	assert_string_equal(escaped(&b, "plain äöü €"), "plain äöü €");
	assert_string_equal(escaped(&b, "a\x1b[2Jb\r\n"),
			    "a\\x1b[2Jb\\x0d\\x0a");
	assert_string_equal(escaped(&b, "\xff\xc0\x80"), "\\xff\\xc0\\x80");
	assert_string_equal(escaped(&b, "\xe2\x80\xaetxt"), "\\u{202e}txt");
	assert_string_equal(escaped(&b, "\xc2\x9b"
					"31m"),
			    "\\u{9b}31m");
	assert_string_equal(escaped(&b, "\xed\xa0\x80"), "\\xed\\xa0\\x80");
	assert_string_equal(escaped(&b, "\xe2\x82"), "\\xe2\\x82");
}

static void aligns_columns_by_characters(void **state)
{
	static const char *const header[] = {"NAME", "N", "LAST"};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct cs_error err;
	struct cs_table t;

	(void)state;
	cs_table_init(&t, 3, header);
	cs_table_cell(&t, "é");
	cs_table_cell(&t, "10000");
	cs_table_cell(&t, "x y");
	cs_table_cell(&t, "longer");
	cs_table_cell(&t, NULL);
	cs_table_cell(&t, "\x1b");
	assert_true(cs_table_print(&t, "  ", out, &err));
	fclose(out);
	assert_string_equal(text, "  NAME    N      LAST\n"
				  "  é       10000  x y\n"
				  "  longer         \\x1b\n");
	cs_table_done(&t);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_what_would_move_a_cursor_or_hide),
		cmocka_unit_test(aligns_columns_by_characters),
	};

	return cs_test_run("cli/text", tests);
}
