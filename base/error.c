#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Append formatted text to the fixed buffer, cutting what does not fit. */
static CS_PRINTF(2, 0) void append(char *text, const char *fmt, va_list ap)
{
	size_t used = strlen(text);

	(void)vsnprintf(text + used, CS_ERROR_MAX - used, fmt, ap);
}

/* Append a plain string, cutting what does not fit. */
static void append_text(char *text, const char *more)
{
	size_t used = strlen(text);
	size_t n = strlen(more);

	if (n > CS_ERROR_MAX - 1 - used)
		n = CS_ERROR_MAX - 1 - used;
	memcpy(text + used, more, n);
	text[used + n] = '\0';
}

/* Start a fresh error at a place. */
static void begin(struct cs_error *err, enum cs_error_code code,
		  const char *file, int line)
{
	err->code = code;
	err->file = file;
	err->line = line;
	err->text[0] = '\0';
}

bool cs_error_set_at(struct cs_error *err, enum cs_error_code code,
		     const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return false;
	begin(err, code, file, line);
	va_start(ap, fmt);
	append(err->text, fmt, ap);
	va_end(ap);
	return false;
}

bool cs_error_set_errno_at(struct cs_error *err, enum cs_error_code code,
			   const char *file, int line, int number,
			   const char *fmt, ...)
{
	char reason[128] = "";
	va_list ap;

	if (err == NULL)
		return false;
	begin(err, code, file, line);
	va_start(ap, fmt);
	append(err->text, fmt, ap);
	va_end(ap);
	append_text(err->text, ": ");
	/* GNU strerror_r may return a string of its own. */
	append_text(err->text, strerror_r(number, reason, sizeof(reason)));
	return false;
}

bool cs_error_prefix(struct cs_error *err, const char *fmt, ...)
{
	char before[CS_ERROR_MAX];
	va_list ap;

	if (err == NULL)
		return false;
	memcpy(before, err->text, sizeof(before));
	err->text[0] = '\0';
	va_start(ap, fmt);
	append(err->text, fmt, ap);
	va_end(ap);
	append_text(err->text, ": ");
	append_text(err->text, before);
	return false;
}

const char *cs_error_slug(enum cs_error_code code)
{
	static const char *const slugs[] = {
#define CS_ERROR(name, slug, meaning) [CS_E_##name] = (slug),
#include "base/error.def"
#undef CS_ERROR
	};

	if ((unsigned)code >= CS_E_COUNT)
		return "internal";
	return slugs[code];
}
