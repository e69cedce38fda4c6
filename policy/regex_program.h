/*
 * The inside of policy/regex: the program, and what builds it. Internal to
 * regex_*.c.
 *
 * A program is an array of instructions; each falls through to the next or
 * jumps by a distance, so a fragment can be moved and copied as it stands.
 * That is why parsing needs no tree: regex_parse.c reads the pattern from
 * left to right and calls regex_compile.c, which appends to the program,
 * wraps its tail in a repetition or an alternative, or copies it.
 *
 * Everything in struct cs_regex_build is on the heap until
 * cs_regex_build_finish() copies the program into the arena.
 */
#ifndef CS_POLICY_REGEX_PROGRAM_H
#define CS_POLICY_REGEX_PROGRAM_H

#include "policy/regex.h"

enum cs_regex_op {
	CS_REGEX_MATCH,
	CS_REGEX_CHAR,	     /* arg: a code point */
	CS_REGEX_CLASS,	     /* arg: index of a class */
	CS_REGEX_ANY,	     /* any code point */
	CS_REGEX_ANY_NOT_NL, /* any but \n */
	CS_REGEX_BYTE,	     /* any byte, \C */
	CS_REGEX_SPLIT,	     /* on to the next, and by arg */
	CS_REGEX_JUMP,	     /* by arg */
	CS_REGEX_ASSERT,     /* arg: enum cs_regex_assert */
};

enum cs_regex_assert {
	CS_REGEX_TEXT_BEGIN = 1,
	CS_REGEX_TEXT_END = 2,
	CS_REGEX_LINE_BEGIN = 4,
	CS_REGEX_LINE_END = 8,
	CS_REGEX_WORD = 16,
	CS_REGEX_NOT_WORD = 32,
};

struct cs_regex_inst {
	enum cs_regex_op op;
	int32_t arg;
};

struct cs_regex_range {
	uint32_t lo, hi;
};

/* Ascending ranges with gaps between them: ranges[first..first+n). */
struct cs_regex_class {
	uint64_t ascii[2]; /* a bit for each of the first 128 */
	size_t first, n;
};

struct cs_regex {
	const struct cs_regex_inst *insts;
	size_t n;
	const struct cs_regex_class *classes;
	const struct cs_regex_range *ranges;
};

/* A list of ranges that grows; in any order until it is cleaned. */
struct cs_regex_set {
	struct cs_regex_range *r; /* owned */
	size_t n, cap;
};

enum cs_regex_flag {
	CS_REGEX_FOLD = 1,  /* i */
	CS_REGEX_LINES = 2, /* m */
	CS_REGEX_DOTNL = 4, /* s */
	CS_REGEX_LAZY = 8,  /* U */
};

#define CS_REGEX_NONE SIZE_MAX

/*
 * A group, and outside of all of them the whole pattern. `copies` count how
 * often the innermost thing is repeated, as the product of nested counts.
 */
struct cs_regex_group {
	size_t at;	 /* of its "(" in the pattern */
	size_t branch;	 /* start of its last alternative */
	size_t jumps;	 /* its last open jump, which leads to the others */
	size_t atom;	 /* start of what a repetition would repeat, or NONE */
	uint32_t copies; /* of the atom */
	uint32_t most;	 /* of all before the atom */
	unsigned flags;	 /* enum cs_regex_flag, outside of the group */
};

struct cs_regex_build {
	struct cs_span pattern;
	const uint8_t *foreign; /* a flag per byte; NULL: none */
	size_t at;		/* what was read of it */
	unsigned flags;
	struct cs_error *err;
	bool failed; /* *err says why */

	struct cs_regex_inst *insts;
	size_t n, cap;
	struct cs_regex_class *classes;
	size_t classes_n, classes_cap;
	struct cs_regex_set ranges; /* of all classes */
	struct cs_regex_set set;    /* the class that is being read */
	struct cs_regex_set part;   /* a named class in it */
	struct cs_regex_group *groups;
	size_t groups_cap;
	size_t depth; /* groups[depth] is the innermost */
};

/* -- the pattern (regex_pattern.c) --------------------------------------- */

/* Fail at a byte of the pattern. False, always. Only the first error stays. */
bool cs_regex_fail(struct cs_regex_build *b, size_t at, const char *fmt, ...)
	CS_PRINTF(3, 4);
bool cs_regex_fail_as(struct cs_regex_build *b, enum cs_error_code code,
		      const char *fmt, ...) CS_PRINTF(3, 4);

/* Does the rest of the pattern start so? */
bool cs_regex_looking_at(const struct cs_regex_build *b, const char *text);

/* The next code point of the pattern, which is consumed. */
bool cs_regex_next(struct cs_regex_build *b, uint32_t *ret_c) CS_MUST_USE;

/* -- classes (regex_set.c, regex_class.c, regex_escape.c) ---------------- */

void cs_regex_set_add(struct cs_regex_build *b, struct cs_regex_set *set,
		      uint32_t lo, uint32_t hi);
/* The range, and all that is equal to its members but for case. */
void cs_regex_set_add_folded(struct cs_regex_build *b, struct cs_regex_set *set,
			     uint32_t lo, uint32_t hi);
/* All of a cleaned one; all that is not in it. */
void cs_regex_set_add_set(struct cs_regex_build *b, struct cs_regex_set *set,
			  const struct cs_regex_set *from);
void cs_regex_set_add_others(struct cs_regex_build *b, struct cs_regex_set *set,
			     const struct cs_regex_set *from);
/* Sort and merge. */
void cs_regex_set_clean(struct cs_regex_set *set);
void cs_regex_set_done(struct cs_regex_set *set);

/* At "[": read a class and append it. */
bool cs_regex_read_class(struct cs_regex_build *b) CS_MUST_USE;

/*
 * At a backslash: if it begins a class (\d, \pL), add that to b->set and set
 * *ret_found; else consume nothing.
 */
bool cs_regex_read_named(struct cs_regex_build *b, bool *ret_found) CS_MUST_USE;

/* At a backslash: one code point, as \n, \x41, \. */
bool cs_regex_read_escape(struct cs_regex_build *b,
			  uint32_t *ret_c) CS_MUST_USE;

/* -- code (regex_compile.c) ---------------------------------------------- */

/* The next atom of the innermost group. */
bool cs_regex_emit(struct cs_regex_build *b, enum cs_regex_op op,
		   int32_t arg) CS_MUST_USE;
/* A code point, with the flag i in mind. */
bool cs_regex_emit_char(struct cs_regex_build *b, uint32_t c) CS_MUST_USE;
/* b->set as it stands; it is cleaned. */
bool cs_regex_emit_set(struct cs_regex_build *b) CS_MUST_USE;

/* The group around all; first of all. */
bool cs_regex_begin(struct cs_regex_build *b) CS_MUST_USE;
bool cs_regex_open(struct cs_regex_build *b, size_t at) CS_MUST_USE;
bool cs_regex_alternative(struct cs_regex_build *b) CS_MUST_USE;
bool cs_regex_close(struct cs_regex_build *b) CS_MUST_USE;

/* Repeat the atom min to max times; max CS_REGEX_NONE: without end. */
bool cs_regex_repeat(struct cs_regex_build *b, size_t min,
		     size_t max) CS_MUST_USE;

bool cs_regex_build_finish(struct cs_regex_build *b, struct cs_arena *arena,
			   const struct cs_regex **ret_regex) CS_MUST_USE;
void cs_regex_build_done(struct cs_regex_build *b);

#endif
