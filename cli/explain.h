/*
 * Explaining: one request judged here and now by a set in the command's own
 * hands, and everything that a person wants to know of it, as one answer in
 * the manner of a dry run (cli/show.h prints it).
 *
 * With an installation at hand the whole judgement runs, as in a worker
 * (issuer/judge.h); without one it ends behind the policy's rules, and
 * "not_reached" says so. Nothing is sent, signed or recorded, and limits are
 * never looked at: only the ledger knows what was used up.
 *
 * What is not checked here: whether the caller may know other people's
 * policies. Who can read the files may.
 */
#ifndef CS_CLI_EXPLAIN_H
#define CS_CLI_EXPLAIN_H

#include <jansson.h>

#include "base/msg.h"
#include "cli/install.h"
#include "cli/sets.h"

struct cs_explain {
	const struct cs_loaded *policy;	  /* loaded */
	const struct cs_install *install; /* NULL: none at hand */
	struct cs_span request;		  /* encoded REQUEST */
	int64_t now_ms;
	bool is_recorded; /* of an issuer that may be gone */
};

/*
 * The answer, with the members of cli/show.h added. NULL: no memory, or the
 * request cannot be judged at all (*err says why).
 */
json_t *cs_explain_make(const struct cs_explain *e,
			struct cs_error *err) CS_MUST_USE;

#endif
