/*
 * Regular expressions: PATTERN NUL TEXT; in the pattern \x01 stands around
 * values. Whatever all are, a match takes at most states * (length + 1)
 * steps, the ways of asking agree, and a value matches itself.
 */
#include <string.h>

#include "policy/regex.h"
#include "tests/fuzz/fuzz.h"

/* Ask, and hold the bound. */
static bool matches(const struct cs_regex *re, enum cs_regex_how how,
		    struct cs_span text)
{
	struct cs_regex_result r = cs_regex_run(re, how, text);

	FUZZ_CHECK(r.steps <= (text.n + 1) * (uint64_t)cs_regex_size(re));
	return r.matched;
}

/* Searching for the anchored pattern is matching all of the text. */
static void check_anchored(struct cs_span pattern, struct cs_span text,
			   bool full, struct cs_arena *arena)
{
	const struct cs_regex *re;
	char *anchored =
		cs_arena_printf(arena, "\\A(?:%.*s)\\z", CS_SPAN_FMT(pattern));
	struct cs_error err = {0};

	/* An open \Q would take the end in. */
	if (anchored == NULL || strstr(anchored, "\\Q") != NULL)
		return;
	if (cs_regex_compile(cs_span_str(anchored), arena, &re, &err))
		FUZZ_CHECK(matches(re, CS_REGEX_SEARCH, text) == full);
	else
		FUZZ_CHECK(err.code != CS_E_FORMAT);
}

/* "*" in front: a set of names, of which a few are tried. */
static void check_star(const struct cs_regex *re, struct cs_span text,
		       struct cs_arena *arena)
{
	static const char *const labels[] = {"a", "0", "-x", "web-1", "_"};
	bool all = matches(re, CS_REGEX_STAR_ALL, text);
	bool some = matches(re, CS_REGEX_STAR_SOME, text);

	if (text.n == 0 || text.p[0] != '*')
		return;
	FUZZ_CHECK(!all || matches(re, CS_REGEX_FULL, text));
	FUZZ_CHECK(!all || some);
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		size_t n = strlen(labels[i]);
		uint8_t *name = cs_arena_new(arena, n + text.n);

		if (name == NULL)
			return;
		memcpy(name, labels[i], n);
		memcpy(name + n, text.p + 1, text.n - 1);
		FUZZ_CHECK(some ||
			   !matches(re, CS_REGEX_FULL,
				    cs_span_make(name, n + text.n - 1)));
	}
}

/* The pattern as one with values in it, and as one that is a value. */
static void check_values(struct cs_span marked, struct cs_span text,
			 struct cs_arena *arena)
{
	uint8_t *pattern = cs_arena_new(arena, marked.n + 1);
	uint8_t *foreign = cs_arena_new(arena, marked.n + 1);
	const struct cs_regex *re;
	struct cs_span all;
	uint8_t inside = 0;
	size_t n = 0;

	if (pattern == NULL || foreign == NULL)
		return;
	for (size_t i = 0; i < marked.n; i++) {
		if (marked.p[i] == 1) {
			inside = !inside;
			continue;
		}
		foreign[n] = inside;
		pattern[n++] = marked.p[i];
	}
	all = cs_span_make(pattern, n);
	if (cs_regex_compile_with_values(all, foreign, arena, &re, NULL))
		(void)matches(re, CS_REGEX_FULL, text);
	memset(foreign, 1, n);
	if (cs_regex_compile_with_values(all, foreign, arena, &re, NULL)) {
		FUZZ_CHECK(matches(re, CS_REGEX_FULL, all));
		FUZZ_CHECK(matches(re, CS_REGEX_FULL, text) ==
			   cs_span_equal(all, text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_span input = cs_span_make(data, size), pattern, text;
	const struct cs_regex *re = NULL;
	struct cs_error err = {0};
	struct cs_arena arena;
	size_t nul;

	if (!cs_span_find(input, 0, &nul))
		return 0;
	pattern = cs_span_sub(input, 0, nul);
	text = cs_span_sub(input, nul + 1, CS_MAX_URI);
	cs_arena_init(&arena, CS_MAX_REQUEST_ARENA);
	if (cs_regex_compile(pattern, &arena, &re, &err)) {
		bool full = matches(re, CS_REGEX_FULL, text);

		FUZZ_CHECK(!full || matches(re, CS_REGEX_SEARCH, text));
		FUZZ_CHECK(cs_regex_size(re) <= CS_MAX_REGEX_STATES);
		check_anchored(pattern, text, full, &arena);
		check_star(re, text, &arena);
	} else {
		FUZZ_CHECK(re == NULL && err.text[0] != '\0');
	}
	check_values(pattern, text, &arena);
	cs_arena_done(&arena);
	return 0;
}
