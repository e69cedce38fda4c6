/*
 * Talking to the installation: to the running server over its Unix socket,
 * and for questions, where no server runs, to the files of the stopped one.
 *
 * A reply (cli/reply.h) is the same from both, problems too. A question
 * (struct cs_question_call) is stated once, as names and values; it becomes
 * a GET for the server, or parameters of store/query.h for the files, which
 * only their owner can open.
 *
 * What is not checked here: whether the values mean anything. Server and
 * store/query.h do.
 */
#ifndef CS_CLI_ASK_H
#define CS_CLI_ASK_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/msg.h"
#include "cli/reply.h"

/*
 * One call to the server. `body` is borrowed, NULL for none; `key` is an
 * Idempotency-Key or NULL. CS_E_UNREACHABLE: no server runs.
 */
bool cs_ask(const struct cs_call *call, const char *method, const char *target,
	    const json_t *body, const char *key, struct cs_reply *ret_reply,
	    struct cs_error *err) CS_MUST_USE;

/* The same for what takes the server long: wait for so many milliseconds. */
bool cs_ask_long(const struct cs_call *call, const char *method,
		 const char *target, const json_t *body, uint32_t patience_ms,
		 struct cs_reply *ret_reply, struct cs_error *err) CS_MUST_USE;

/* Parameters of one question. */
#define CS_MAX_QUESTION_PARAMS 80

enum cs_ask_kind {
	CS_ASK_ONE,  /* {"id": "..."} */
	CS_ASK_LIST, /* {"name": ["..."]}; a repeated one is OR */
	CS_ASK_FLAG, /* changed=true; {"flag": ["changed"]} */
	CS_ASK_INT,  /* {"limit": 100} */
	CS_ASK_TIME  /* since: {"since_ms": n}, since=RFC 3339 */
};

struct cs_ask_param {
	enum cs_ask_kind kind;
	const char *name;
	const char *text; /* ONE, LIST */
	int64_t number;	  /* INT, TIME (ms) */
};

struct cs_question_call {
	enum cs_query kind;
	const char *target; /* of the GET, without a query; escaped */
	/* Parameters that stand in the target's path are for files only. */
	struct cs_ask_param in_path;
	struct cs_ask_param param[CS_MAX_QUESTION_PARAMS];
	size_t n_params;
};

void cs_question_add(struct cs_question_call *q, struct cs_ask_param param);

/* Ask the server or, when none runs, the files. */
bool cs_ask_question(const struct cs_call *call,
		     const struct cs_question_call *q,
		     struct cs_reply *ret_reply,
		     struct cs_error *err) CS_MUST_USE;

/*
 * The same for an answer that is no JSON: its octets are appended to out, and
 * the reply's body is null. A status of 400 and above has its problem there.
 */
bool cs_ask_octets(const struct cs_call *call, const struct cs_question_call *q,
		   struct cs_buf *out, struct cs_reply *ret_reply,
		   struct cs_error *err) CS_MUST_USE;

/* Append s so that it can stand in a path or a query (RFC 3986 2.3). */
void cs_ask_escape(struct cs_buf *out, const char *s);

#endif
