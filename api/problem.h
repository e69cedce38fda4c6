/*
 * Problems: RFC 9457 application/problem+json, and the only mapping from
 * codes and outcomes to HTTP statuses.
 *
 * A problem is plain values: a code, a status, a title, a sentence, and
 * where it applies the field that it is about and when to try again.
 * Rendered, it has the members
 *	{"code", "detail", "field"?, "status", "title", "type"}
 * in ascending order. `type` is CS_PROBLEM_TYPE and the code.
 *
 * What it does not do: choose the sentence. Sentences are fit to be shown
 * as they stand and hold no secret.
 */
#ifndef CS_API_PROBLEM_H
#define CS_API_PROBLEM_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/msg.h"
#include "base/span.h"

#define CS_PROBLEM_TYPE "https://countersign.dev/problems/"
/* Bytes of a whole `type`, NUL included: a code has CS_MAX_NAME at most. */
#define CS_PROBLEM_TYPE_MAX   (sizeof(CS_PROBLEM_TYPE) + CS_MAX_NAME)
#define CS_PROBLEM_MEDIA_TYPE "application/problem+json"

enum cs_problem_code {
	CS_PROBLEM_NONE,
#define CS_PROBLEM(name, status, title) CS_PROBLEM_##name,
#include "api/problem.def"
#undef CS_PROBLEM
	CS_PROBLEM_COUNT
};

struct cs_problem {
	enum cs_problem_code code;
	uint32_t retry_s;	   /* Retry-After; 0: none */
	char field[64];		   /* "conditions[1].status" or "" */
	char detail[CS_ERROR_MAX]; /* a sentence */
};

/*
 * Fill *p and return false, so that a failing branch is one statement. A
 * sentence that is too long is cut at a character's end.
 */
bool cs_problem_set(struct cs_problem *p, enum cs_problem_code code,
		    const char *field, const char *fmt, ...) CS_PRINTF(4, 5);

/* The stable name of a code ("BAD_FIELD"), its status, its title. */
const char *cs_problem_name(enum cs_problem_code code);
unsigned cs_problem_status(enum cs_problem_code code);
const char *cs_problem_title(enum cs_problem_code code);

/* The code of that name; NONE: it is not one of front's. */
enum cs_problem_code cs_problem_from_name(struct cs_span name);

/* What an error of ours means to a client. */
enum cs_problem_code cs_problem_of_error(enum cs_error_code code);

/* The status and title of an ANSWER's outcome when it is first given. */
unsigned cs_problem_outcome_status(enum cs_answer outcome);
const char *cs_problem_outcome_title(enum cs_answer outcome);

/* Why the ledger does not issue; NONE when it does. */
enum cs_problem_code cs_problem_of_state(enum cs_ledger_state state);

/* The value of a problem's `type`. */
void cs_problem_type(struct cs_json *j, struct cs_span code);

/* The body of a problem. */
bool cs_problem_write(const struct cs_problem *p, struct cs_buf *out,
		      struct cs_error *err) CS_MUST_USE;

/* The same for a code and a sentence that came from another room. */
bool cs_problem_write_foreign(struct cs_span code, struct cs_span detail,
			      unsigned status, const char *title,
			      struct cs_buf *out,
			      struct cs_error *err) CS_MUST_USE;

#endif
