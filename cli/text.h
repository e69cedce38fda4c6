/*
 * base/text.h on streams: what commands print.
 */
#ifndef CS_CLI_TEXT_H
#define CS_CLI_TEXT_H

#include <stdio.h>

#include "base/text.h"

/* s, escaped. */
void cs_text_print(FILE *out, const char *s);

/* The table, each line behind `indent`. Fails when memory was short. */
bool cs_table_print(const struct cs_table *t, const char *indent, FILE *out,
		    struct cs_error *err) CS_MUST_USE;

#endif
