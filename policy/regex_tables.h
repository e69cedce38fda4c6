/*
 * Unicode's classes and simple case folding, as policy/regex needs them.
 * Internal to policy/regex; the tables are written by
 * tools/regex-tables.go.
 */
#ifndef CS_POLICY_REGEX_TABLES_H
#define CS_POLICY_REGEX_TABLES_H

#include <stddef.h>
#include <stdint.h>

/*
 * A general category of two letters, or a script. Its runs of code points
 * are pairs in cs_regex_unicode_runs: how far the first lies behind the end
 * of the run before (or behind 0), and how many follow it.
 */
struct cs_regex_unicode {
	const char *name;
	unsigned first; /* index of the first pair's first number */
	unsigned n;	/* pairs */
};

extern const struct cs_regex_unicode cs_regex_unicode_classes[];
extern const size_t cs_regex_unicode_n;
extern const uint32_t cs_regex_unicode_runs[];

/*
 * A code point, ascending, and the distance to the next one that is equal
 * to it but for case. Following them leads back to the first.
 */
struct cs_regex_fold {
	uint32_t c;
	int32_t next;
};

extern const struct cs_regex_fold cs_regex_folds[];
extern const size_t cs_regex_folds_n;

#endif
