/*
 * What the parts of one judgement share. Internal to policy/: decide.c runs
 * the phases, each field_*.c knows the rules of one section of the language.
 *
 * Everything is written into the verdict, in the request's arena. Running
 * out of memory is sticky, so that a field's code reads as its rules do;
 * decide.c asks once at the end.
 */
#ifndef CS_POLICY_DECIDE_H
#define CS_POLICY_DECIDE_H

#include "policy/codes.h"
#include "policy/match.h"
#include "policy/rules.h"

/* The usages that were asked for, from the CSR or from the request's body. */
struct cs_asked_usages {
	unsigned key_usage; /* CS_KU_* */
	struct cs_span *oids;
	size_t oids_n;
};

struct cs_decide {
	const struct cs_policy *policy;
	const struct cs_blocklist *blocklist; /* NULL: a test, without one */
	struct cs_policy *const *guards; /* documents; none: a test, a shadow */
	size_t guards_n;
	const struct cs_facts *facts;
	struct cs_arena *arena;
	struct cs_verdict *v;
	struct cs_asked_usages asked;
	struct cs_fact_name *names; /* asked, and those of CN with in_san */
	size_t names_n;
	size_t names_asked; /* how many of them are the CSR's own */
	bool built;	    /* phase D: what is waived was told before */
	bool no_memory;
};

/* One policy alone, without selection: for the tests that it carries. */
bool cs_decide_alone(const struct cs_policy *policy,
		     const struct cs_facts *facts, struct cs_arena *arena,
		     struct cs_verdict *ret_verdict,
		     struct cs_error *err) CS_MUST_USE;

/* -- writing the verdict -------------------------------------------------- */

/* "san.dns[1]" */
struct cs_span cs_decide_field(struct cs_decide *j, struct cs_span prefix,
			       size_t index);

/* A violation, or a warning of it; the sentence by printf. */
void cs_decide_refuse(struct cs_decide *j, enum cs_code code,
		      struct cs_span field, struct cs_span value,
		      const struct cs_rule *rule, struct cs_span expect,
		      const char *fmt, ...) CS_PRINTF(7, 8);

/*
 * Does the policy's mode make a warning of a violation with this code? Then
 * cs_decide_refuse() adds one, and the value stays as it was asked for.
 */
bool cs_decide_waives(const struct cs_decide *j, enum cs_code code);

void cs_decide_kept(struct cs_decide *j, struct cs_span field);

/* A line of the diff; NULL for what was not asked, or is not given. */
void cs_decide_diff(struct cs_decide *j, enum cs_disposition disposition,
		    struct cs_span field, const struct cs_span *asked,
		    const struct cs_span *given, const struct cs_rule *rule);

/* Zeroed memory; NULL: none, noted. */
void *cs_decide_new(struct cs_decide *j, size_t count, size_t size);

/* The rule of what no policy can change. */
const struct cs_rule *cs_decide_builtin(void);

/*
 * Put values in the place of every {{path}}: j->policy becomes a copy without
 * them, and the verdict gets the vars. False: a value is missing (refused
 * with POLICY_ERROR), or memory.
 */
bool cs_decide_instantiate(struct cs_decide *j);

/*
 * The same for one list of matchers of a document of guards, which has paths
 * to facts only. CS_E_POLICY or CS_E_FORMAT: a value is missing, or not what
 * its place wants.
 */
bool cs_decide_matchers(struct cs_decide *j, const struct cs_policy *document,
			struct cs_matchers *list,
			struct cs_error *err) CS_MUST_USE;
/* One text of a template of it; the first where it stands for several. */
bool cs_decide_text(struct cs_decide *j, const struct cs_policy *document,
		    const struct cs_template *template,
		    struct cs_span *ret_text, struct cs_error *err) CS_MUST_USE;

/* -- the sections --------------------------------------------------------- */

/* Merge the usages of CSR and body; contradictions are refused. */
void cs_decide_usages(struct cs_decide *j);

/* Subject first: a common name may add a subject alternative name. */
void cs_decide_subject(struct cs_decide *j);
void cs_decide_san(struct cs_decide *j);
void cs_decide_key(struct cs_decide *j);
void cs_decide_validity(struct cs_decide *j);
void cs_decide_ext_key_usage(struct cs_decide *j);
void cs_decide_key_usage(struct cs_decide *j); /* after the extended ones */
void cs_decide_extensions(struct cs_decide *j);
/* Windows, limits, reuse of keys: refused here, or told to the ledger. */
void cs_decide_timing(struct cs_decide *j);

/*
 * Guards over a request's facts, or over those of what was built: every
 * document that is for the issuer. One document alone: whatever its `match`.
 */
void cs_decide_guards(struct cs_decide *j, const struct cs_cert_facts *facts);
void cs_decide_guard_document(struct cs_decide *j,
			      const struct cs_policy *document,
			      const struct cs_cert_facts *facts);

/* -- single values, for phase C and again for phase D ---------------------- */

/* The rules of an attribute; NULL: unlisted. */
const struct cs_attr_rules *cs_decide_attr_rules(
	const struct cs_subject_rules *subject, struct cs_span oid);

/* What a common name is, decided by parsing it. */
struct cs_cn {
	bool is_name; /* DNS, IP or e-mail; otherwise text */
	enum cs_name_kind kind;
	struct cs_span canonical;
	struct cs_span content; /* as a GeneralName */
};
struct cs_cn cs_decide_cn(struct cs_decide *j, struct cs_span value);

/* "subject.organization" for any OID, "subject.1.2.3" for unknown ones. */
struct cs_span cs_decide_attr_field(struct cs_decide *j, struct cs_span oid);

/* Does at least one member of an attribute's value hit? `cn`: of a CN. */
bool cs_decide_attr_hits(const struct cs_matchers *deny, struct cs_span value,
			 const struct cs_cn *cn);

/* Refuses what deny hits or allow does not hold. True: it stands. */
bool cs_decide_attr_value(struct cs_decide *j, const struct cs_attr_rules *a,
			  struct cs_span field, struct cs_span value,
			  const struct cs_cn *cn, const struct cs_rule **rule);

/* The first rule that a name violates; its code. False: none. */
struct cs_name_violation {
	enum cs_code code;
	const struct cs_rule *rule;
	struct cs_span expect;
	const char *words; /* "is denied", "is a wildcard, ..." */
	struct cs_span phrase;
};
bool cs_decide_name_violation(const struct cs_sans_rules *san,
			      const struct cs_fact_name *name,
			      struct cs_name_violation *ret_violation);

/* "san.dns[1]" */
struct cs_span cs_decide_name_field(struct cs_decide *j,
				    const struct cs_fact_name *name);

/*
 * How matchers see a name. False: as nothing, because it is an otherName that
 * is no text.
 */
bool cs_decide_name_value(const struct cs_fact_name *name,
			  struct cs_match_value *ret_value);

/* A name as people read it, as it was asked; bytes that are no text: empty. */
struct cs_span cs_decide_name_shown(const struct cs_fact_name *name);

/* May these basic constraints be had? */
bool cs_decide_constraints_allowed(const struct cs_constraints_rules *rules,
				   bool ca, bool has_path_len,
				   unsigned path_len);

bool cs_decide_key_allowed(const struct cs_key_rules *rules,
			   const struct cs_fact_key *key);
struct cs_span cs_decide_key_text(struct cs_decide *j,
				  const struct cs_fact_key *key);

#endif
