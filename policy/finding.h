/*
 * Findings: why a request was refused (or warned about), one entry for each
 * violation of a phase. Codes are a closed table, policy/codes.def; the
 * documentation and the API's enum are made from it.
 *
 * Everything lives in the request's arena. A list holds at most
 * CS_MAX_FINDINGS; what comes after is counted in `more`.
 */
#ifndef CS_POLICY_FINDING_H
#define CS_POLICY_FINDING_H

#include "base/arena.h"
#include "base/span.h"

#define CS_MAX_FINDINGS 256

struct cs_finding {
	const char *code;	/* "SAN_DNS_NOT_ALLOWED", from codes.def */
	struct cs_span field;	/* "san.dns[1]"; empty: the whole request */
	struct cs_span value;	/* as asked, printable; may be empty */
	struct cs_span expect;	/* what would have been accepted */
	struct cs_span rule;	/* "web/san.dns.allow", or "built-in" */
	struct cs_span at;	/* "web.yaml:21"; empty for built-in */
	struct cs_span message; /* one sentence; cites its clause */
};

struct cs_findings {
	struct cs_arena *arena; /* borrowed */
	struct cs_finding *items;
	size_t n;
	size_t cap;
	size_t more; /* not kept: beyond the maximum */
};

void cs_findings_init(struct cs_findings *f, struct cs_arena *arena);

/* Adds a copy of *finding. False: no memory. */
bool cs_findings_add(struct cs_findings *f,
		     const struct cs_finding *finding) CS_MUST_USE;

/*
 * Adds a finding of the built-in rules: code, field, value, and a sentence
 * by printf. False: no memory.
 */
bool cs_findings_builtin(struct cs_findings *f, const char *code,
			 struct cs_span field, struct cs_span value,
			 const char *fmt, ...) CS_PRINTF(5, 6) CS_MUST_USE;

#endif
