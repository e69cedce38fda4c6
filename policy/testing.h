/*
 * Help for the tests and the benchmark of the policy: sets from text, and
 * requests in short form. Linked by programs of policy/ only.
 */
#ifndef CS_POLICY_TESTING_H
#define CS_POLICY_TESTING_H

#include "policy/engine.h"

/* One policy's text around a spec; `spec` is indented by two blanks. */
#define CS_TESTING_POLICY(name, spec)                                          \
	"apiVersion: countersign.dev/v1\n"                                     \
	"kind: IssuancePolicy\n"                                               \
	"metadata: {name: " name "}\n"                                         \
	"spec:\n" spec

struct cs_testing {
	struct cs_arena arena; /* report, facts, verdicts */
	struct cs_hash *hash;
	struct cs_policy_report report;
	struct cs_policy_set *set; /* NULL: it did not load */
	struct cs_facts facts;
	struct cs_verdict verdict;
};

void cs_testing_init(struct cs_testing *t);
void cs_testing_done(struct cs_testing *t);

/* Load one text as "web.yaml"; a set from before is released. */
void cs_testing_load(struct cs_testing *t, const char *text);
void cs_testing_load_sources(struct cs_testing *t,
			     const struct cs_source *items, size_t n);

/* Does a problem of the report hold these words? */
bool cs_testing_reports(const struct cs_testing *t, const char *words);

/*
 * A fresh request for EC P-256, issuer `default`, source `api`, requester
 * `alice`; then names and attributes, which must be well-formed.
 */
void cs_testing_request(struct cs_testing *t);
void cs_testing_dns(struct cs_testing *t, const char *name);
void cs_testing_ip(struct cs_testing *t, const char *address);
void cs_testing_name(struct cs_testing *t, enum cs_name_kind kind,
		     const char *text);
/* By the arc of 2.5.4: 3 commonName, 10 organization, 11 its unit. */
void cs_testing_attr(struct cs_testing *t, unsigned arc, const char *value);
void cs_testing_group(struct cs_testing *t, const char *group);
void cs_testing_usage(struct cs_testing *t, const char *word);

/* Judge the request; true: issued. */
bool cs_testing_judge(struct cs_testing *t);

/* Is there a finding with this code (and field, when not NULL)? */
bool cs_testing_found(const struct cs_testing *t, const char *code,
		      const char *field);

/* The diff's line of a field; NULL: there is none. */
const struct cs_diff_entry *cs_testing_diff(const struct cs_testing *t,
					    const char *field);

/* What phase D would read back from a TBS that follows the plan. */
struct cs_cert_facts cs_testing_built(struct cs_testing *t);

#endif
