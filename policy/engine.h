/*
 * The policy engine: a set of documents, compiled once, that judges requests.
 *
 * Life of a set: cs_policy_set_load() from sources (base/sources.h) at start,
 * at each APPLY and in `policy check`; then any number of judgements; then
 * cs_policy_set_free(). A set is immutable: several requests may be judged by
 * one set, one after another, each with an arena of its own. It owns all its
 * memory; verdicts borrow from the set (rule ids, places, names), from the
 * facts and from the request's arena, so both outlive the verdict's use.
 *
 * Pure: no I/O, no clock, no global state. Time is facts->request.now_s.
 * Judging reads no YAML and no JSON, and allocates from the arena only.
 *
 * Every set holds, besides its documents, the policies `_listener` and `_ocsp`
 * (for sources "listener" and "ocsp", which no document can match), compiled
 * into the program. Guards stand over every policy, those too: they are judged
 * beside the policy that governs, and again on what was built, and no mode
 * waives them.
 *
 * What the engine does not check: signatures and the quality of keys
 * (issuer/csr.h), the issuer's ceiling (issuer/ceiling.h). Limits, windows
 * that hold and the reuse of keys it only states, as a list for the ledger's
 * transaction (base/limit.h).
 */
#ifndef CS_POLICY_ENGINE_H
#define CS_POLICY_ENGINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/limit.h"
#include "base/sources.h"
#include "policy/facts.h"
#include "policy/finding.h"
#include "policy/plan.h"

/* -- loading ------------------------------------------------------------ */

/* Something that `policy check` tells: an error, or only a warning. */
enum cs_problem_severity {
	CS_PROBLEM_ERROR,
	CS_PROBLEM_WARNING
};

struct cs_policy_problem {
	enum cs_problem_severity severity;
	struct cs_span source; /* "web.yaml"; empty: the whole set */
	unsigned line, column; /* from 1; 0: the whole source */
	struct cs_span text;   /* "web.yaml:14:3: sentence; hint" */
};

/* All problems of one load, in the order in which they were found. */
struct cs_policy_report {
	struct cs_arena *arena; /* borrowed; holds the texts */
	struct cs_policy_problem *items;
	size_t n;
	size_t cap;
	size_t errors; /* how many are errors, kept or not */
	size_t more;   /* not kept: beyond CS_MAX_POLICY_PROBLEMS */
};

struct cs_policy_set;

void cs_policy_report_init(struct cs_policy_report *report,
			   struct cs_arena *arena);

void cs_policy_set_free(struct cs_policy_set *set);

/*
 * Compile a set and run the tests that its documents carry. NULL when there
 * is any error; all of them are in *report (which may hold warnings also on
 * success). A set without documents loads, and refuses everything.
 */
struct cs_policy_set *cs_policy_set_load(
	const struct cs_sources *sources, struct cs_hash *hash,
	struct cs_policy_report *report) CS_MUST_USE;

/*
 * What is suspicious in a set that loads, as warnings: policies that another
 * always goes before, matchers that decide nothing, a clamp that cert-manager
 * would run in circles over, rules that no test reaches. Runs the tests again;
 * for who checks a set, not for who puts it in force.
 */
void cs_policy_set_lint(const struct cs_policy_set *set,
			struct cs_policy_report *report);

/*
 * The identity of the set's documents: SHA-256 over the canonical JSON (RFC
 * 8785) array of their hashes in lower-case hex, sorted; all blocklists
 * together are one more document, their sorted octets. `_listener` and
 * `_ocsp` belong to the program, not to the set: not in it. 32 octets.
 */
const uint8_t *cs_policy_set_sha256(const struct cs_policy_set *set);

/*
 * How a policy takes part. `warn`: violations of its field rules are warnings
 * and the value stays as asked; what is never waived still refuses. `shadow`:
 * it never governs; each one that matches is judged beside, for the record.
 */
enum cs_policy_mode {
	CS_MODE_ENFORCE,
	CS_MODE_WARN,
	CS_MODE_SHADOW
};

/* What a document is (its `kind`). */
enum cs_document_kind {
	CS_DOCUMENT_POLICY, /* IssuancePolicy */
	CS_DOCUMENT_GUARDS  /* IssuanceGuards: what nobody gets */
};

/* "IssuancePolicy", "IssuanceGuards". */
const char *cs_document_kind_name(enum cs_document_kind kind);

/* One document of a set. */
struct cs_policy_info {
	enum cs_document_kind kind;
	struct cs_span name;	    /* metadata.name */
	struct cs_span source;	    /* "web.yaml" */
	unsigned line;		    /* where its document begins */
	struct cs_span owner;	    /* metadata.owner, may be empty */
	struct cs_span ticket;	    /* metadata.ticket, may be empty */
	int64_t priority;	    /* of a policy */
	enum cs_policy_mode mode;   /* of a policy */
	size_t tests;		    /* how many it carries */
	struct cs_span json;	    /* canonical JSON of the document */
	uint8_t policy_sha256[32];  /* of json */
	struct cs_span sha256_text; /* the same in hex */
};

/*
 * Policies in order of priority, `_listener` and `_ocsp` not among them; behind
 * them the documents of guards, by name.
 */
size_t cs_policy_set_count(const struct cs_policy_set *set);
const struct cs_policy_info *cs_policy_set_at(const struct cs_policy_set *set,
					      size_t i);

/*
 * Why document number i does not govern the request, in words without its
 * name; "matches, but another goes before it" when its `match` is met, and for
 * guards that they never do.
 */
void cs_policy_set_why_not(const struct cs_policy_set *set,
			   const struct cs_request_facts *request, size_t i,
			   struct cs_buf *out);

struct cs_verdict;
/*
 * Put into the verdict why each other policy of the set that judged does not
 * govern, for who explains it. CS_E_NO_MEMORY.
 */
bool cs_policy_explain_others(const struct cs_policy_set *set,
			      struct cs_arena *arena,
			      struct cs_verdict *verdict,
			      struct cs_error *err) CS_MUST_USE;

/* The text of policies/default.yaml, which `init` writes. */
struct cs_span cs_policy_default_text(void);

/* -- judging ------------------------------------------------------------ */

/* What became of one field of the certificate. Numbers are not stored. */
enum cs_disposition {
	CS_DISPOSITION_KEPT,
	CS_DISPOSITION_NORMALIZED,
	CS_DISPOSITION_DEFAULTED,
	CS_DISPOSITION_OVERRIDDEN,
	CS_DISPOSITION_CLAMPED,
	CS_DISPOSITION_DROPPED,
	CS_DISPOSITION_ADDED,
	CS_DISPOSITION_GENERATED
};

const char *cs_disposition_name(enum cs_disposition d);

/* One line of the diff: everything but what was kept. */
struct cs_diff_entry {
	enum cs_disposition disposition;
	struct cs_span field; /* "subject.organization[0]" */
	bool has_asked;
	struct cs_span asked; /* as asked, printable */
	bool has_given;
	struct cs_span given;
	struct cs_span rule; /* "web/subject.organization.set" */
	struct cs_span at;   /* "web.yaml:14"; empty for built-in */
};

/* The phases of a judgement, in order (design of the policy). */
enum cs_phase {
	CS_PHASE_PARSE,	 /* A: CSR and invariants */
	CS_PHASE_SELECT, /* B: which policy governs */
	CS_PHASE_FIELDS, /* C: its rules */
	CS_PHASE_BUILD,	 /* D: what is built, judged again; ceiling, lint */
	CS_PHASE_LIMITS, /* E: in the ledger's transaction */
	CS_PHASES
};

/* "parse", "select", "fields", "build", "limits". */
const char *cs_phase_name(enum cs_phase p);

/* A var of the policy that governs: what it stood for. */
struct cs_policy_value {
	struct cs_span name;
	const struct cs_span *items;
	size_t n;
	bool is_list; /* one of several; otherwise n is 1 */
};

/* What a policy in shadow would have done. */
struct cs_policy_shadow {
	const struct cs_policy_info *policy;
	bool refused;
	bool changed;
	struct cs_findings findings;
};

/* A policy that does not govern, and why, in words without its name. */
struct cs_policy_other {
	struct cs_span policy;
	struct cs_span why;
};

/* What the issuer does when the CA's certificate ends before the leaf's. */
enum cs_ca_expiry {
	CS_CA_EXPIRY_REJECT,
	CS_CA_EXPIRY_CLAMP
};

/*
 * What came of it. `reached` is the phase that ended the judgement: with
 * findings, those of that phase; without, CS_PHASE_FIELDS, and the plan
 * stands. Later phases add their findings and move `reached` on. For a
 * refusal in phase A, start from cs_verdict_init() and fill `findings`.
 */
struct cs_verdict {
	enum cs_phase reached;
	const char *code; /* of the refusal: "REFUSED", "CSR_MALFORMED" */
	const uint8_t *set_sha256; /* 32 octets; NULL: no set at hand */
	const struct cs_policy_info *policy; /* governs; NULL: none did */
	const void *rules;		     /* the engine's: for phase D */
	const struct cs_policy_value *vars;  /* of the policy, for the record */
	size_t vars_n;
	struct cs_policy_shadow *shadows; /* for the record only */
	size_t shadows_n;
	struct cs_plan plan;
	struct cs_diff_entry *diff;
	size_t diff_n;
	size_t diff_cap;
	struct cs_span *kept; /* fields that are as asked */
	size_t kept_n;
	size_t kept_cap;
	struct cs_limit *limits; /* for the ledger's transaction, in order */
	size_t limits_n;
	bool lint_warnings_refuse;   /* in phase D, as errors of lint do */
	struct cs_findings findings; /* not empty: refused */
	struct cs_findings warnings;
	/* Around it, for people: */
	const struct cs_request_facts *request; /* borrowed; NULL: not read */
	size_t names;			      /* of the CSR, common names too */
	const struct cs_policy_other *others; /* when none governs */
	size_t others_n;
	bool explained; /* `others` are all; no ledger looks at limits */
};

/* Nothing judged yet: phase A, no policy, code "REFUSED". */
void cs_verdict_init(struct cs_verdict *v, struct cs_arena *arena);

/* What people are told of the request beside the verdict; borrows. */
void cs_verdict_request(struct cs_verdict *v, const struct cs_facts *facts);

/* Refused, that is: are there findings? */
bool cs_verdict_is_refused(const struct cs_verdict *v);

/*
 * Is the certificate other than what was asked for: a line of the diff that
 * is not `defaulted` or `generated`?
 */
bool cs_verdict_is_changed(const struct cs_verdict *v);

/*
 * Phases B and C. False only when memory ran out or a promise was broken; a
 * refusal is a verdict. *ret_verdict is initialised here.
 */
bool cs_policy_judge(const struct cs_policy_set *set,
		     const struct cs_facts *facts, struct cs_arena *arena,
		     struct cs_verdict *ret_verdict,
		     struct cs_error *err) CS_MUST_USE;

/*
 * Phase D, the policy's half: the governing policy's rules over what was
 * built and will be signed, read back from its TBS, and that it is what the
 * plan says; and the guards over it. Violations are appended to
 * verdict->findings and `reached` becomes CS_PHASE_BUILD. Times are in seconds
 * since 1970.
 */
bool cs_policy_judge_built(const struct cs_policy_set *set,
			   const struct cs_facts *facts,
			   const struct cs_cert_facts *built,
			   int64_t not_before_s, int64_t not_after_s,
			   struct cs_arena *arena, struct cs_verdict *verdict,
			   struct cs_error *err) CS_MUST_USE;

#endif
