/*
 * The one renderer of answers: a verdict, and what is known around it, in
 * words for people. It has a long form (the command line) and a short one
 * (the `detail` of a 422, which is recorded; a message in Kubernetes), made
 * of the same words:
 *
 *   REFUSED  1 of 2 names   policy web (sha 3f9a12, web.yaml)   log #7
 *     ✗ san.dns[1]  pay.example  SAN_DNS_NOT_ALLOWED  expected .shop.example
 *       web/san.dns.allow  web.yaml:21            (one line, in columns)
 *     not reached: build, lint, limits
 *     final for this request. Fix the CSR, or ask the policy's owner; then:
 *     submit it again
 *
 *   1 of 2 names: pay.example is not below .shop.example (web/san.dns.allow,
 *   web.yaml:21); not reached: build, lint, limits. Fix the CSR, or ask the
 *   policy's owner; then: submit it again
 *
 * Pure: the same struct gives the same bytes. Everything that a stranger
 * wrote is escaped (base/text.h). Whoever fills the struct decides what its
 * reader may see: only what is there is told, and what a sentence needs and
 * is not there is left out of it.
 *
 * Not for programs: they read the members of the JSON (policy/verdict_json.h).
 */
#ifndef CS_POLICY_TELL_H
#define CS_POLICY_TELL_H

#include "base/buf.h"
#include "policy/finding.h"

/* Findings that the short form tells: in a detail, and in Kubernetes. */
#define CS_TELL_DETAIL_FINDINGS	    5
#define CS_TELL_KUBERNETES_FINDINGS 3

/* A line of the diff. */
struct cs_tell_change {
	struct cs_span field, asked, given, disposition, rule, at;
	bool has_asked, has_given;
};

/* A rule of the governing policy, with its value and what it came to. */
struct cs_tell_rule {
	struct cs_span rule, value, outcome; /* holds, applied, violated */
};

/* A policy that does not govern. */
struct cs_tell_other {
	struct cs_span policy, why;
};

struct cs_tell_texts {
	const struct cs_span *items;
	size_t n;
};

/* Zeroed is a refusal about which nothing is known. Everything borrows. */
struct cs_tell {
	bool issued;
	bool held;    /* not issued yet, for the reason in `detail` */
	bool would;   /* a dry run: nothing was recorded */
	bool changed; /* issued, and otherwise than it was asked for */
	bool final;
	struct cs_span code;
	struct cs_span detail; /* told when there are no violations */
	struct cs_span serial;
	bool has_log;
	int64_t log;

	/* The policy that governs; the name is empty: none. */
	struct cs_span policy, policy_sha256, policy_source, policy_owner;
	struct cs_tell_texts because, vars;
	const struct cs_tell_other *others;
	size_t others_n;

	/* The request. */
	struct cs_span source, namespace, owner;
	struct cs_span requested, approved, approval; /* who, and why */
	size_t names; /* of the CSR, common names too; 0: not known */

	const struct cs_finding *violations, *warnings;
	size_t violations_n, violations_more, warnings_n;
	const struct cs_tell_change *changes;
	size_t changes_n;
	bool has_kept;
	struct cs_tell_texts kept, not_reached;
	const struct cs_tell_rule *rules;
	size_t rules_n;
	bool all; /* tell every rule */
};

/* The long form: lines. */
void cs_tell_long(const struct cs_tell *t, struct cs_buf *out);

/*
 * The short form of a refusal: one line, with the first `most` findings. What
 * is behind them is counted; `id`, unless it is empty, says where to read it:
 * "and 9 more: countersign request show ID". With an id, each finding also has
 * its field in front.
 */
void cs_tell_short(const struct cs_tell *t, size_t most, struct cs_span id,
		   struct cs_buf *out);

#endif
