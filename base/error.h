/*
 * Errors as values: a code, the place that noticed, and one complete
 * sentence in a fixed buffer.
 *
 * A function that can fail returns bool (or a pointer, NULL on failure) and
 * takes `struct cs_error *err` last. On failure it fills *err; on success it
 * leaves *err alone. err may be NULL where the caller needs no words. The
 * sentence is fit to be shown as it stands: it names the field, the value
 * and the clause. Nothing here allocates, logs or keeps state, so running
 * out of memory can be reported too.
 *
 * What it does not do: map codes to HTTP statuses (api/problem.c) or to exit
 * statuses (cli/), or collect more than one error.
 */
#ifndef CS_BASE_ERROR_H
#define CS_BASE_ERROR_H

#include <stdbool.h>

#include "base/attr.h"

enum cs_error_code {
#define CS_ERROR(name, slug, meaning) CS_E_##name,
#include "base/error.def"
#undef CS_ERROR
	CS_E_COUNT
};

/* Bytes of one sentence, the final NUL included. */
#define CS_ERROR_MAX 512

struct cs_error {
	enum cs_error_code code;
	int line;	  /* where it was noticed */
	const char *file; /* string literal */
	char text[CS_ERROR_MAX];
};

/*
 * Always false, and seen to be by whoever reads only this header: a compiler
 * or an analyzer then knows that a failing branch fails.
 */
static inline bool cs_error_no(bool ignored)
{
	(void)ignored;
	return false;
}

/*
 * Fill *err and return false, so that a failing branch is one statement:
 *	return cs_error_set(err, CS_E_DER, "X.690 8.1.3: ...");
 * A sentence longer than the buffer is cut at its end.
 */
#define cs_error_set(err, code, ...)                                           \
	cs_error_no(cs_error_set_at((err), (code), __FILE__, __LINE__,         \
				    __VA_ARGS__))

bool cs_error_set_at(struct cs_error *err, enum cs_error_code code,
		     const char *file, int line, const char *fmt, ...)
	CS_PRINTF(5, 6);

/* As cs_error_set, with ": " and the text of errno value `number` added. */
#define cs_error_set_errno(err, code, number, ...)                             \
	cs_error_no(cs_error_set_errno_at((err), (code), __FILE__, __LINE__,   \
					  (number), __VA_ARGS__))

bool cs_error_set_errno_at(struct cs_error *err, enum cs_error_code code,
			   const char *file, int line, int number,
			   const char *fmt, ...) CS_PRINTF(6, 7);

/* Put "PREFIX: " in front of what *err says. Returns false. */
bool cs_error_prefix(struct cs_error *err, const char *fmt, ...)
	CS_PRINTF(2, 3);

/* The stable slug of a code; never NULL. */
const char *cs_error_slug(enum cs_error_code code);

#endif
