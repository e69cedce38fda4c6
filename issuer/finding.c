/* Findings of the readers: one place that words and shows values. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "issuer/x509.h"

/* Octets of a value that a finding shows. */
#define SHOWN 96

/* May these octets be shown as text? */
static bool is_printable(struct cs_span value)
{
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < 0x20 || value.p[i] > 0x7e)
			return false;
	}
	return true;
}

/* The value as text: itself, or "0x" and its first octets in hexadecimal. */
static bool show_value(struct cs_arena *arena, struct cs_span value,
		       struct cs_span *ret_shown)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = value.n < SHOWN ? value.n : SHOWN;
	char *text;

	if (is_printable(value)) {
		*ret_shown = value;
		return true;
	}
	text = cs_arena_new(arena, 2 + 2 * n + 1);
	if (text == NULL)
		return false;
	text[0] = '0';
	text[1] = 'x';
	for (size_t i = 0; i < n; i++) {
		text[2 + 2 * i] = digits[value.p[i] >> 4];
		text[3 + 2 * i] = digits[value.p[i] & 15];
	}
	*ret_shown = cs_span_make(text, 2 + 2 * n);
	return true;
}

bool cs_x509_finding(struct cs_x509 *x, enum cs_code code, const char *field,
		     struct cs_span value, struct cs_error *err,
		     const char *fmt, ...)
{
	char text[CS_ERROR_MAX];
	struct cs_span shown, name = {0};
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);

	if (!show_value(x->arena, value, &shown) ||
	    (field != NULL &&
	     !cs_arena_dup(x->arena, cs_span_str(field), &name)) ||
	    !cs_findings_builtin(x->findings, cs_code_name(code), name, shown,
				 "%s", text))
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for a finding");
	return true;
}

bool cs_x509_finding_error(struct cs_x509 *x, enum cs_code code,
			   const char *field, const struct cs_error *why,
			   struct cs_error *err)
{
	if (why->code == CS_E_NO_MEMORY || why->code == CS_E_CRYPTO) {
		if (err != NULL)
			*err = *why;
		return false;
	}
	return cs_x509_finding(x, code, field, (struct cs_span){0}, err, "%s",
			       why->text);
}
