/*
 * Loading: from YAML trees to the compiled rules (policy/rules.h). Internal
 * to policy/; the public door is cs_policy_set_load() in policy/engine.h.
 *
 * A loader goes on after an error, so that one run reports all of them: it
 * adds the problem and leaves the rule as it was. Whoever calls asks the
 * report at the end. Every function here may be given NULL for a node that
 * is absent, and then does nothing.
 *
 * Texts in rules are copied or borrowed from the YAML tree, which lives in
 * the same arena as the set.
 */
#ifndef CS_POLICY_LOAD_H
#define CS_POLICY_LOAD_H

#include <stdarg.h>

#include "base/yaml.h"
#include "policy/rules.h"

struct cs_load {
	struct cs_arena *arena; /* of the set */
	struct cs_policy_report *report;
	struct cs_span source;	/* "web.yaml" */
	struct cs_span policy;	/* its name, once known */
	const char *path;	/* of the map being read, "san.dns" */
	struct cs_policy *into; /* whose vars and tables paths may name */
	bool no_memory;		/* sticky */
};

/* -- problems ------------------------------------------------------------ */

/* At a node's value; at its key; at the whole source. */
void cs_load_error(struct cs_load *l, const struct cs_yaml *node,
		   const char *fmt, ...) CS_PRINTF(3, 4);
void cs_load_error_key(struct cs_load *l, const struct cs_yaml *node,
		       const char *fmt, ...) CS_PRINTF(3, 4);
void cs_load_warning(struct cs_load *l, const struct cs_yaml *node,
		     const char *fmt, ...) CS_PRINTF(3, 4);
void cs_load_no_memory(struct cs_load *l);

/* A problem of the whole set or source, in its own words. */
void cs_report_add(struct cs_policy_report *report,
		   enum cs_problem_severity severity, struct cs_span source,
		   unsigned line, unsigned column, const char *fmt, ...)
	CS_PRINTF(6, 7);
void cs_report_add_args(struct cs_policy_report *report,
			enum cs_problem_severity severity,
			struct cs_span source, unsigned line, unsigned column,
			const char *fmt, va_list args) CS_PRINTF(6, 0);

/* -- keys ---------------------------------------------------------------- */

/*
 * A key that a map may have; `later`: of the language, but not yet ours. The
 * shape is of its value, for the JSON Schema (policy/schema.c): the name of a
 * definition there; with `+` behind it one or a list that is not empty, with
 * `*` one or any list; `@` is a matcher of what the map is about.
 */
struct cs_load_key {
	const char *name;
	bool later;
	const char *shape; /* NULL: not yet ours */
};

/* The keys of every map of the language, each in the file that loads it. */
extern const struct cs_load_key cs_keys_document[];
extern const struct cs_load_key cs_keys_metadata[];
extern const struct cs_load_key cs_keys_spec[];
extern const struct cs_load_key cs_keys_match[];
extern const struct cs_load_key cs_keys_requester[];
extern const struct cs_load_key cs_keys_attr[];
extern const struct cs_load_key cs_keys_common_name[];
extern const struct cs_load_key cs_keys_san[];
extern const struct cs_load_key cs_keys_san_kind[];
extern const struct cs_load_key cs_keys_san_dns[];
extern const struct cs_load_key cs_keys_san_other[];
extern const struct cs_load_key cs_keys_matcher[];
extern const struct cs_load_key cs_keys_uri[];
extern const struct cs_load_key cs_keys_email[];
extern const struct cs_load_key cs_keys_key[];
extern const struct cs_load_key cs_keys_reuse[];
extern const struct cs_load_key cs_keys_key_ec[];
extern const struct cs_load_key cs_keys_key_rsa[];
extern const struct cs_load_key cs_keys_key_ed25519[];
extern const struct cs_load_key cs_keys_validity[];
extern const struct cs_load_key cs_keys_max[];
extern const struct cs_load_key cs_keys_extensions[];
extern const struct cs_load_key cs_keys_usages[];
extern const struct cs_load_key cs_keys_constraints[];
extern const struct cs_load_key cs_keys_policies[];
extern const struct cs_load_key cs_keys_aia[];
extern const struct cs_load_key cs_keys_pass[];
extern const struct cs_load_key cs_keys_add[];
extern const struct cs_load_key cs_keys_limit[];
extern const struct cs_load_key cs_keys_window[];
extern const struct cs_load_key cs_keys_lint[];
extern const struct cs_load_key cs_keys_test[];
extern const struct cs_load_key cs_keys_expect[];
extern const struct cs_load_key cs_keys_request[];
extern const struct cs_load_key cs_keys_request_requester[];
extern const struct cs_load_key cs_keys_request_other[];
extern const struct cs_load_key cs_keys_guards_spec[];
extern const struct cs_load_key cs_keys_guards_match[];
extern const struct cs_load_key cs_keys_guard[];
extern const struct cs_load_key cs_keys_guard_fields[];

/*
 * Is the node a map, and is each of its keys one of `keys` (ended by a NULL
 * name)? Wrong ones are reported, with the nearest known key as a hint.
 * False when it is no map (which is reported too) or absent.
 */
bool cs_load_map(struct cs_load *l, const struct cs_yaml *node,
		 const struct cs_load_key *keys);

/* The name among keys that is nearest to text; NULL: none is near. */
const char *cs_load_nearest(struct cs_span text,
			    const struct cs_load_key *keys);

/* -- values -------------------------------------------------------------- */

/* "POLICY/PATH" and "SOURCE:LINE" of a node's key (or of the node). */
struct cs_rule cs_load_rule(struct cs_load *l, const char *path,
			    const struct cs_yaml *node);

/*
 * Text without interpolation; numbers and booleans count as text only when
 * quoted. False: absent, or reported.
 */
bool cs_load_text(struct cs_load *l, const struct cs_yaml *node,
		  struct cs_span *ret_text);
/* The same, and {{path}} is text like other text. */
bool cs_load_text_as_it_is(struct cs_load *l, const struct cs_yaml *node,
			   struct cs_span *ret_text);
/*
 * Text in which {{path}} stands for facts, vars and tables. False: absent, or
 * reported. What is loaded becomes `dynamic` by it.
 */
bool cs_load_template(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_template *ret_template);
bool cs_load_bool(struct cs_load *l, const struct cs_yaml *node,
		  bool *ret_value);
bool cs_load_int(struct cs_load *l, const struct cs_yaml *node, int64_t min,
		 int64_t max, int64_t *ret_value);
bool cs_load_duration(struct cs_load *l, const struct cs_yaml *node,
		      int64_t *ret_seconds);
/* One of the words (ended by NULL); its index. */
bool cs_load_word(struct cs_load *l, const struct cs_yaml *node,
		  const char *const *words, unsigned *ret_index);

/* A scalar, or a list that is not empty: how many; 0: reported or absent. */
size_t cs_load_list(struct cs_load *l, const struct cs_yaml *node,
		    const struct cs_yaml **ret_first);

/* A list of texts. */
bool cs_load_texts(struct cs_load *l, const struct cs_yaml *node,
		   struct cs_span **ret_items, size_t *ret_n);

void cs_load_count(struct cs_load *l, const struct cs_yaml *node,
		   const char *path, struct cs_count *count);
/* reject | drop; a key that is absent leaves it. */
void cs_load_on_violation(struct cs_load *l, const struct cs_yaml *node,
			  enum cs_on_violation *action);
/* `unlisted` of a section; at its own place or that of the section. */
void cs_load_unlisted(struct cs_load *l, const struct cs_yaml *section,
		      const char *path, struct cs_unlisted *unlisted);

/* -- matchers and sections ----------------------------------------------- */

/* tables and vars, before anything that may name them. */
void cs_load_tables(struct cs_load *l, const struct cs_yaml *node,
		    struct cs_policy *policy);
void cs_load_vars(struct cs_load *l, const struct cs_yaml *node,
		  struct cs_policy *policy);

/* May this matcher stand in a list about that? */
bool cs_load_matcher_fits(enum cs_match_domain domain, const char *name);
void cs_load_matchers(struct cs_load *l, const struct cs_yaml *node,
		      const char *path, enum cs_match_domain domain,
		      struct cs_matchers *matchers);

void cs_load_match(struct cs_load *l, const struct cs_yaml *node,
		   struct cs_match_rules *match);
void cs_load_subject(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_subject_rules *subject);
void cs_load_san(struct cs_load *l, const struct cs_yaml *node,
		 struct cs_sans_rules *san);
void cs_load_key(struct cs_load *l, const struct cs_yaml *node,
		 struct cs_key_rules *key);
void cs_load_validity(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_validity_rules *validity);
void cs_load_extensions(struct cs_load *l, const struct cs_yaml *node,
			struct cs_ext_rules *ext);
/* The spec of a document of guards. */
void cs_load_guards(struct cs_load *l, const struct cs_yaml *spec,
		    struct cs_policy *document);
/* match.issuer and the like: a list of globs on identifiers. */
void cs_load_globs(struct cs_load *l, const struct cs_yaml *node,
		   struct cs_selector *selector);
/* The attribute nearest to an unknown name; NULL: none is near. */
const char *cs_load_nearest_attribute(struct cs_span name);
/* Which attribute a name means, at its key; `path`: "subject.". */
bool cs_load_attribute(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_span name, struct cs_span *ret_oid);
/*
 * A source whose name ends in ".blocklist": SHA-256 of SubjectPublicKeyInfos
 * in hexadecimal, one a line; "#" begins a comment. Appended, not sorted.
 */
bool cs_load_is_blocklist(struct cs_span name);
void cs_load_blocklist(struct cs_load *l, struct cs_span text,
		       struct cs_blocklist *list);
/* Sort, drop what is there twice, and hash what is left. */
bool cs_load_blocklist_end(struct cs_blocklist *list, struct cs_hash *hash,
			   uint8_t ret_sha256[32],
			   struct cs_error *err) CS_MUST_USE;

/* {oid, critical, der}: an extension that a test's request asks for. */
void cs_load_asked_extension(struct cs_load *l, const struct cs_yaml *node,
			     struct cs_cert_facts *csr);
/*
 * An RFC 3339 time, whose seconds may be left out when it is in UTC. False: it
 * is none, which the caller reports.
 */
bool cs_load_time(struct cs_load *l, struct cs_span text, int64_t *ret_seconds);

/* `id` of an item of the list at l->path: "LIST.ID", or ID alone. */
bool cs_load_id(struct cs_load *l, const struct cs_yaml *node,
		const char *prefix, struct cs_rule *rule);
/* `limits`, `lint` and `windows` of a spec. */
void cs_load_limits(struct cs_load *l, const struct cs_yaml *node,
		    struct cs_timing_rules *timing);
void cs_load_lint(struct cs_load *l, const struct cs_yaml *node,
		  struct cs_timing_rules *timing);
void cs_load_windows(struct cs_load *l, const struct cs_yaml *node,
		     struct cs_timing_rules *timing);
/* Those keys of `extensions` whose content the policy gives or passes on. */
void cs_load_own_extensions(struct cs_load *l, const struct cs_yaml *node,
			    struct cs_ext_rules *ext);
void cs_load_tests(struct cs_load *l, const struct cs_yaml *node,
		   struct cs_policy *policy);

/*
 * Texts joined by " or ", in the arena: what a list would accept. A long
 * list ends in "or N more".
 */
struct cs_span cs_load_join(struct cs_load *l, const struct cs_span *items,
			    size_t n);

/* A document whose `spec` another one extends. */
struct cs_load_parent {
	const struct cs_yaml *spec;
	struct cs_span source;
};

/*
 * One document, of any kind. `base` is the built-in default, whose key,
 * validity and extensions stand in where the document has none; NULL while
 * that one is loaded itself. `parent` (may be NULL) is what the document
 * extends: what stands in its spec, and not in the document's own, is as if
 * it stood there, but for `tests`. NULL: reported.
 */
struct cs_policy *cs_load_document(struct cs_load *l,
				   const struct cs_yaml *document,
				   struct cs_hash *hash,
				   const struct cs_policy *base,
				   const struct cs_load_parent *parent);

#endif
