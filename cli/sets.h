/*
 * Policy sets in the command's own hands: loaded from files that a person
 * named, or from what is in force, so that they can be listed, compared and
 * explained. Loading runs the tests that the documents carry.
 *
 * A set owns everything that it refers to. What is in force is asked for as
 * any question is (cli/ask.h): the running server, else the stopped one's
 * files.
 *
 * What is not checked here: whether the set in force is the recorded one;
 * `audit verify` does that.
 */
#ifndef CS_CLI_SETS_H
#define CS_CLI_SETS_H

#include <jansson.h>

#include "base/arena.h"
#include "base/sources.h"
#include "cli/command.h"
#include "policy/engine.h"

struct cs_loaded {
	struct cs_arena arena; /* sources and report */
	struct cs_hash *hash;
	struct cs_sources sources;
	struct cs_policy_report report;
	struct cs_policy_set *set; /* NULL: it does not load, see report */
	int64_t epoch;		   /* of what is in force; 0: of files */
};

/* Safe on a zeroed struct. */
void cs_loaded_done(struct cs_loaded *l);

/*
 * Load files and directories. False: they could not be read, or memory ran
 * out; a set that does not load is a value.
 */
bool cs_loaded_files(const char *const *paths, size_t n,
		     struct cs_loaded *ret_loaded,
		     struct cs_error *err) CS_MUST_USE;

/* Load what is at hand already; it must outlive the set. */
bool cs_loaded_sources(const struct cs_sources *sources,
		       struct cs_loaded *ret_loaded,
		       struct cs_error *err) CS_MUST_USE;

/* DIR/policies. */
bool cs_loaded_dir(const struct cs_call *call, struct cs_loaded *ret_loaded,
		   struct cs_error *err) CS_MUST_USE;

/*
 * Load what is in force. CS_E_NOT_FOUND: nothing was ever applied;
 * CS_E_POLICY: it does not load in this version, with the first reason.
 */
bool cs_loaded_in_force(const struct cs_call *call,
			struct cs_loaded *ret_loaded,
			struct cs_error *err) CS_MUST_USE;

/* The same of a set that is or was in force, by its hash, 64 digits. */
bool cs_loaded_recorded(const struct cs_call *call, const char *sha256,
			struct cs_loaded *ret_loaded,
			struct cs_error *err) CS_MUST_USE;

/* CS_E_POLICY with the first problem, when the set did not load. */
bool cs_loaded_check(const struct cs_loaded *l, const char *what,
		     struct cs_error *err) CS_MUST_USE;

/*
 * A set's documents as [{"kind", "match", "name", "owner", "priority",
 * "sha256", "source", "tests", "ticket"}], highest priority first. NULL: no
 * memory.
 */
json_t *cs_loaded_list(const struct cs_loaded *l);

/* The same as a table, with short hashes. */
void cs_loaded_show(const struct cs_loaded *l, FILE *out);

#endif
