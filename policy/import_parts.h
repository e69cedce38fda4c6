/*
 * What the importers share. Internal to policy/import*.c.
 *
 * A draft is a native document in the making: its spec as JSON, section by
 * section, and its lines of the report. Helpers may be given NULL for what is
 * absent. Memory that runs out is sticky (`no_memory`) and asked once, at the
 * end; JSON belongs to the draft.
 */
#ifndef CS_POLICY_IMPORT_PARTS_H
#define CS_POLICY_IMPORT_PARTS_H

#include <jansson.h>

#include "base/limits.h"
#include "base/yaml.h"
#include "policy/import.h"

struct cs_draft {
	struct cs_import_policy *policy;
	json_t *spec; /* owned; sections in any order */
	bool shadow;  /* it must not decide */
	bool is_step; /* of step-ca */
	int weight;   /* how narrow its selection is */
	struct cs_import_line **last;
	struct cs_draft *next;
};

struct cs_importing {
	struct cs_arena *arena;
	const struct cs_import_options *options;
	struct cs_import *result;
	struct cs_import_line **last; /* of result->lines */
	struct cs_span source;	      /* of the document being read */
	const char *file;	      /* the same, as a C string */
	struct cs_draft *drafts, **last_draft;
	size_t drafts_n;	/* at most CS_MAX_POLICIES */
	struct cs_draft *draft; /* the one being made; NULL: none */
	bool told, told_crp;	/* what is always so */
	size_t step_n;		/* policies of step-ca so far */
	size_t shadows_n;
	bool no_memory;
	struct cs_error *err; /* of what cannot be read; set: `failed` */
	bool failed;
};

/* -- the report ----------------------------------------------------------- */

/* A line of the draft, or without one of the whole import. */
void cs_import_tell(struct cs_importing *i, enum cs_import_grade grade,
		    const struct cs_yaml *at, const char *field,
		    const char *fmt, ...) CS_PRINTF(5, 6);
/* The same, and the draft is in shadow: something restricts all of it. */
void cs_import_shadow(struct cs_importing *i, const struct cs_yaml *at,
		      const char *field, const char *fmt, ...) CS_PRINTF(4, 5);
/* What cannot be read: the import fails, at this place. */
void cs_import_fail(struct cs_importing *i, const struct cs_yaml *at,
		    const char *field, const char *fmt, ...) CS_PRINTF(4, 5);

/* What is so for every policy, once. */
void cs_import_always(struct cs_importing *i, const struct cs_yaml *at);

/* "PATH.NAME" or "PATH[N]" in the arena; "" without memory. */
const char *cs_import_path(struct cs_importing *i, const char *path,
			   const char *name);
const char *cs_import_item(struct cs_importing *i, const char *path, size_t n);
/* A map's key behind a path. */
const char *cs_import_key(struct cs_importing *i, const char *path,
			  const struct cs_yaml *child);

/* -- reading -------------------------------------------------------------- */

/* A map (absent is fine); false: absent or failed. */
bool cs_import_is_map(struct cs_importing *i, const struct cs_yaml *node,
		      const char *field);
/* A list, or null or absent for none; false: none or failed. */
bool cs_import_is_list(struct cs_importing *i, const struct cs_yaml *node,
		       const char *field);
/* Is the node there and not null? */
bool cs_import_has(const struct cs_yaml *node);
bool cs_import_text(struct cs_importing *i, const struct cs_yaml *node,
		    const char *field, struct cs_span *ret_text);
bool cs_import_bool(struct cs_importing *i, const struct cs_yaml *node,
		    const char *field, bool *ret_value);
bool cs_import_int(struct cs_importing *i, const struct cs_yaml *node,
		   const char *field, int64_t *ret_value);

/* A key of a foreign map, and what is told of one that decides nothing. */
struct cs_import_key {
	const char *name; /* NULL ends a table */
	const char *note; /* NULL: it is translated, and told there */
};

/*
 * Each key of the map that is not in the table puts the draft in shadow:
 * nobody knows what it restricts. Those with a note are told.
 */
void cs_import_known(struct cs_importing *i, const struct cs_yaml *map,
		     const char *path, const struct cs_import_key *keys);

/* -- the draft ------------------------------------------------------------- */

/* The source's name without its ending: what has no name is called so. */
struct cs_span cs_import_stem(const struct cs_importing *i);

/* A new draft with a name made of the foreign one. */
bool cs_import_begin(struct cs_importing *i, const struct cs_yaml *at,
		     struct cs_span foreign_name);

/* spec.SECTION of the draft, made when it is absent. Borrowed. */
json_t *cs_import_section(struct cs_importing *i, const char *name);
/* spec.SECTION.NAME likewise. */
json_t *cs_import_field(struct cs_importing *i, const char *section,
			const char *name);

/* Set a member; takes the value. */
void cs_import_set(struct cs_importing *i, json_t *object, const char *name,
		   json_t *value);
void cs_import_set_text(struct cs_importing *i, json_t *object,
			const char *name, struct cs_span text);
/* Append to the list that is the member; takes the value. */
void cs_import_add(struct cs_importing *i, json_t *object, const char *name,
		   json_t *value);
void cs_import_add_text(struct cs_importing *i, json_t *object,
			const char *name, struct cs_span text);

/* match.issuer and match.requester.users of the options. */
void cs_import_match_options(struct cs_importing *i);

/* key.reject as the built-in default has it. */
void cs_import_key_reject(struct cs_importing *i);

/* A duration as it is written. */
void cs_import_set_seconds(struct cs_importing *i, json_t *object,
			   const char *name, int64_t seconds);

/* -- patterns -------------------------------------------------------------- */

enum cs_pattern {
	CS_PATTERN_MADE,
	CS_PATTERN_NEVER, /* it takes nothing that can be issued */
	CS_PATTERN_NOT	  /* the language cannot say it */
};

/* What values the pattern is about. */
enum cs_pattern_kind {
	CS_PATTERN_TEXT, /* subject attributes, otherNames */
	CS_PATTERN_DNS,
	CS_PATTERN_IP,
	CS_PATTERN_URI,
	CS_PATTERN_EMAIL
};

/*
 * A glob whose `*` takes any characters, also none, to a matcher that takes
 * the same canonical values (new reference). *ret_why is a reason in words
 * when there is none.
 */
enum cs_pattern cs_import_glob(struct cs_importing *i,
			       enum cs_pattern_kind kind, struct cs_span glob,
			       json_t **ret_matcher, const char **ret_why);

/*
 * A network or an address as Go reads it, whose bits behind the prefix may
 * stand; to a matcher for addresses.
 */
enum cs_pattern cs_import_network(struct cs_importing *i, struct cs_span text,
				  json_t **ret_matcher, const char **ret_why);

/* A copy with ASCII in lower case; empty without memory. */
struct cs_span cs_import_lower(struct cs_importing *i, struct cs_span text);

/* The text as it matches itself in a regular expression, appended. */
void cs_import_quote(struct cs_buf *b, struct cs_span text);

/* Is it a dotted OID? *ret_der (in the arena) is its content octets. */
bool cs_import_oid(struct cs_importing *i, struct cs_span text,
		   struct cs_span *ret_der);

/* Is there a `{{` in it, which begins a path in native literals? */
bool cs_import_has_path(struct cs_span text);

/* Is it a DNS name in its canonical form, and no wildcard? */
bool cs_import_is_host(struct cs_importing *i, struct cs_span name);

/* Does such a glob take the text? */
bool cs_import_glob_takes(struct cs_span glob, struct cs_span text);

/* {KEY: TEXT}, new reference. */
json_t *cs_import_matcher(struct cs_importing *i, const char *key,
			  struct cs_span text);

/* -- durations ------------------------------------------------------------- */

/*
 * Go's time.ParseDuration, in nanoseconds; or, as Vault takes it, a number of
 * seconds. False: it is none.
 */
bool cs_import_go_duration(struct cs_span text, int64_t *ret_ns);

/* -- the foreign systems --------------------------------------------------- */

void cs_import_crp(struct cs_importing *i, const struct cs_yaml *doc);
void cs_import_step(struct cs_importing *i, const struct cs_yaml *doc);
void cs_import_vault(struct cs_importing *i, const struct cs_yaml *doc);

/* -- the end --------------------------------------------------------------- */

/* Priorities, and where selections overlap. */
void cs_import_rank(struct cs_importing *i);
/* The draft's text. */
void cs_import_write(struct cs_importing *i, struct cs_draft *d);

#endif
