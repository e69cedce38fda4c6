/*
 * Answers as people read them: a verdict with its diff, a refusal with every
 * violation. From the JSON of an answer (api/answer.h), escaped.
 */
#ifndef CS_CLI_SHOW_H
#define CS_CLI_SHOW_H

#include <jansson.h>

#include "cli/text.h"

/*
 * An answer may hold more than the server gives, which `policy explain` adds
 * and which is shown where it is there:
 *
 *	policy.source, policy.owner	where the policy stands, whom to ask
 *	because				list of texts: why this policy governs
 *	others				[{"policy", "why"}]: why another does
 *not names				how many names the request has rules
 *[{"rule", "value", "outcome"}], outcome holds, applied or violated request
 *{"source", "namespace", "owner"}
 */

/* REFUSED and its violations, one line each, and what was not reached. */
void cs_show_refusal(const json_t *answer, FILE *out);

/* ISSUED, its diff and what was kept; for a dry run, what would be. */
void cs_show_issued(const json_t *answer, FILE *out);

/* Any answer about a request: issued, refused, pending, a dry run. */
void cs_show_answer(const json_t *answer, FILE *out);

/* The difference of two policy sets (policy/doc.h), key by key. */
void cs_show_policy_diff(const json_t *diff, FILE *out);

/* Any object, a line for each member, "log.index  7". */
void cs_show_object(json_t *object, FILE *out);

/*
 * A list of objects as a table: a column for each name; "a.b" is a member of
 * a member, "a|b" the first of two that is there.
 */
void cs_show_list(const json_t *items, const char *const *header,
		  const char *const *names, size_t n, FILE *out);

/* A JSON value in one cell: text as it is, objects by name, lists joined. */
void cs_show_value(const json_t *value, struct cs_buf *out);

#endif
