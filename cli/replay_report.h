/*
 * What a replay (cli/replay.h) came to: counts, and the requests that are
 * different in groups, by what became of them and which rule caused it, with
 * one witness each: the request with the fewest violations or changes, then
 * the fewest names, then the smallest CSR.
 *
 * A request counts once, under its first violation or its first field that
 * is different. Memory is bounded by the groups (CS_MAX_REPLAY_GROUPS; what
 * comes beyond is counted), not by the history.
 *
 *	{"candidate": {"set_sha256", "what"}, "classes": {CLASS: n},
 *	 "decisions": n, "first"?, "groups": [GROUP], "groups_more"?: n,
 *	 "issuers": [{"issuer", "replayed", CLASS: n}], "last"?,
 *	 "not_replayed": {REASON: n}, "other_ca"?: n,
 *	 "policies": [{"policy", "replayed", CLASS: n}], "replayed": n}
 *
 * "policies" are those that decided then. GROUP: {"at", "class", "code",
 * "count", "field", "policy", "rule", "witness": {"answer"?: as of a dry run,
 * "changes"?: [{"field", "now", "was"}], "error"?, "id", "index", "issuer",
 * "judged", "names", "requester", "was"?: what was said then}}.
 */
#ifndef CS_CLI_REPLAY_REPORT_H
#define CS_CLI_REPLAY_REPORT_H

#include "cli/replay.h"

/* Rules times what can become of a request: more is no report any more. */
#define CS_MAX_REPLAY_GROUPS 1000

struct cs_replay_report;

void cs_replay_report_free(struct cs_replay_report *r);
struct cs_replay_report *cs_replay_report_new(struct cs_error *err) CS_MUST_USE;

/* Count one. CS_E_NO_MEMORY. */
bool cs_replay_report_add(struct cs_replay_report *r, const json_t *item,
			  const struct cs_replay_result *result,
			  struct cs_error *err) CS_MUST_USE;

/* How many of a class. */
size_t cs_replay_report_count(const struct cs_replay_report *r,
			      enum cs_replay_class c);

/*
 * The whole report, groups by class and then by count. `what` says by what it
 * was judged, `set_sha256` is its set's or NULL. NULL: no memory.
 */
json_t *cs_replay_report_json(const struct cs_replay_report *r,
			      const char *what, const uint8_t *set_sha256);

/* The same for people. */
void cs_replay_report_show(const json_t *report, FILE *out);

#endif
