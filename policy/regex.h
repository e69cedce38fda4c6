/*
 * Regular expressions in RE2's syntax, in linear time and bounded memory.
 *
 * Syntax: what RE2 (and Go's regexp/syntax) document. Literals, `.`, classes
 * ([a-z], \d \s \w, [:alpha:], \pL, \p{Greek}), the flags i m s U, counted
 * and lazy repetition, groups and named groups, ^ $ \A \z \b \B, \Q..\E, \C.
 * What has no linear time is an error: look-around, back-references, atomic
 * groups, possessive repetition (`x*+`). So is what RE2 refuses: a count
 * above 1000, also as the product of nested ones, and stacked repetition.
 *
 * Lifecycle: cs_regex_compile() makes a program in the caller's arena; it is
 * constant from then on, may be shared, and ends with the arena. Matching
 * allocates nothing: its state stands on the stack, CS_REGEX_STACK bytes at
 * most. A text of n bytes takes at most (n + 1) * cs_regex_size() steps,
 * whatever the pattern; cs_regex_run() tells how many it took.
 *
 * Only whether there is a match is reported, not where, and not the groups.
 * Hence greedy and lazy are the same here, first match and longest, too.
 *
 * Texts are bytes that are read as UTF-8, as RE2 does: a byte that belongs to
 * no code point (RFC 3629) is matched by \C alone, not by `.` or [^a], and
 * positions (for \b and \B) lie between bytes. `$` without the flag m is the
 * end of the text, never a newline before it. \b, \d, \s, \w and [:alpha:]
 * are about ASCII.
 *
 * Not checked: names of groups may repeat; the text's length (whoever has it
 * has bounded it); whether a pattern is a sensible one.
 */
#ifndef CS_POLICY_REGEX_H
#define CS_POLICY_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/span.h"

/* Bytes of stack that a match may use, at most. */
#define CS_REGEX_STACK (12 * CS_MAX_REGEX_STATES + 1024)

/* A compiled pattern; opaque. */
struct cs_regex;

/*
 * Compile. Fails with CS_E_FORMAT for what is not in the syntax,
 * CS_E_TOO_LARGE past CS_MAX_REGEX_PATTERN, _STATES, _RANGES or _DEPTH, and
 * CS_E_NO_MEMORY. The sentence names the place, in bytes from 1: "at byte 3:
 * `(?=` is look-around, ...".
 */
bool cs_regex_compile(struct cs_span pattern, struct cs_arena *arena,
		      const struct cs_regex **ret_regex,
		      struct cs_error *err) CS_MUST_USE;

/*
 * The same for a pattern into which values were put: foreign[i] is not 0 for
 * each byte of one. Values are literals: whatever they hold, they match
 * themselves (in any case, under the flag i), a run of such bytes is one
 * thing to a repetition behind it, and inside of a class, an escape or \Q..\E
 * they are an error. foreign may be NULL: no value is in it.
 */
bool cs_regex_compile_with_values(struct cs_span pattern,
				  const uint8_t *foreign,
				  struct cs_arena *arena,
				  const struct cs_regex **ret_regex,
				  struct cs_error *err) CS_MUST_USE;

/* Does the pattern match all of the text? What matchers ask. */
bool cs_regex_full(const struct cs_regex *re, struct cs_span text);

/* Does it match some part of the text? */
bool cs_regex_search(const struct cs_regex *re, struct cs_span text);

enum cs_regex_how {
	CS_REGEX_FULL,	 /* all of the text */
	CS_REGEX_SEARCH, /* a part of it */
	/*
	 * All of the text, whose first byte, `*`, stands for a set: it is
	 * matched only by a `*` that the pattern spells out (`\*`), not by
	 * `.` or a class of more than it. For "may this wildcard pass": a
	 * pattern such as `.*\.corp` does not take "*.corp".
	 */
	CS_REGEX_STAR_ALL,
	/*
	 * All of LABEL and the text behind its first byte, for any LABEL of
	 * one character or more out of [-_0-9A-Za-z*]: could a member of the
	 * set
	 * "*.corp" match? Exact but for ^, $, \b and \B in and around the
	 * label and for the label's length: they are taken to hold, so that
	 * an answer of false is certain.
	 */
	CS_REGEX_STAR_SOME,
};

struct cs_regex_result {
	bool matched;
	uint64_t steps; /* states that were looked at */
};

struct cs_regex_result cs_regex_run(const struct cs_regex *re,
				    enum cs_regex_how how, struct cs_span text);

/* States of the program: what its time and memory grow with. */
size_t cs_regex_size(const struct cs_regex *re);

/* A set of ASCII characters: bit c. */
struct cs_regex_alphabet {
	uint64_t ascii[2];
};

/*
 * May a text of these characters match as a whole? False is certain; true is
 * not, since assertions count as if they held.
 */
bool cs_regex_may_match(const struct cs_regex *re,
			const struct cs_regex_alphabet *alphabet);

#endif
