/*
 * What was answered, and how every command says so.
 *
 * A reply is a status as HTTP has it and a JSON body. From 400 on the body is
 * a problem (api/problem.h), which is told the same way by every command: a
 * sentence on standard error (a refusal: its violations, a line each), and
 * where -o is json or ndjson the problem itself on standard output, so that
 * a script reads its code where it reads an answer. The exit status is the
 * status's in both cases.
 *
 * Not checked here: that a reply's body is what its command expects.
 */
#ifndef CS_CLI_REPLY_H
#define CS_CLI_REPLY_H

#include <jansson.h>

#include "cli/command.h"

struct cs_reply {
	int status;
	json_t *body; /* never NULL after success; null when there was none */
	bool stopped; /* it comes from files, no server runs */
};

/* Safe on a zeroed struct. */
void cs_reply_done(struct cs_reply *r);

/* The exit status of an HTTP status. */
int cs_exit_of_status(int status);

/*
 * What a command does first with a reply: a problem is told, an answer is
 * printed where -o is json or ndjson. True: there is nothing left to print.
 * *ret_status is the status's exit status in any case.
 */
bool cs_reply_print(const struct cs_call *call, const struct cs_reply *r,
		    int *ret_status);

/*
 * The body as JSON to standard output, on one line where -o is ndjson. For a
 * body that is not as the server sent it; else cs_reply_print().
 */
int cs_reply_print_json(const struct cs_call *call, const struct cs_reply *r);

/* Tell a problem, in both places. For a question on the way to an answer. */
int cs_reply_print_problem(const struct cs_call *call,
			   const struct cs_reply *r);

/* The same on standard error only: part of an answer was printed already. */
int cs_reply_tell_problem(const struct cs_call *call, const struct cs_reply *r);

/* A member's text, or "" when there is none (numbers are not texts). */
const char *cs_reply_text(const json_t *object, const char *name);

#endif
