/*
 * The pattern under the readers: what comes next in it, and where in it an
 * error is.
 */
#include <stdarg.h>
#include <stdio.h>

#include "policy/regex_program.h"
#include "policy/regex_text.h"

bool cs_regex_fail_as(struct cs_regex_build *b, enum cs_error_code code,
		      const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (b->failed)
		return false;
	b->failed = true;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cs_error_set(b->err, code, "%s", text);
}

bool cs_regex_fail(struct cs_regex_build *b, size_t at, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cs_regex_fail_as(b, CS_E_FORMAT, "at byte %zu: %s", at + 1,
				text);
}

bool cs_regex_looking_at(const struct cs_regex_build *b, const char *text)
{
	return cs_span_starts_with(cs_span_sub(b->pattern, b->at, SIZE_MAX),
				   cs_span_str(text));
}

bool cs_regex_next(struct cs_regex_build *b, uint32_t *ret_c)
{
	size_t n = cs_regex_decode(b->pattern, b->at, ret_c);

	if (n == 0)
		return cs_regex_fail(b, b->at, "this is not UTF-8");
	b->at += n;
	return true;
}
