#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/regex.h"

static struct cs_arena arena;

/* How many allocations succeed before one fails; negative: all do. */
static long left = -1;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

/* Is it the turn of this one to fail? */
static bool fails(void)
{
	return left >= 0 && left-- == 0;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

/* A pattern that must compile. */
static const struct cs_regex *compile(const char *pattern)
{
	struct cs_error err = {0};
	const struct cs_regex *re = NULL;

	cs_arena_reset(&arena);
	if (!cs_regex_compile(cs_span_str(pattern), &arena, &re, &err))
		fail_msg("%s: %s", pattern, err.text);
	return re;
}

/* All of the text, and a part of it. */
static void expect(const char *pattern, const char *text, bool full,
		   bool search)
{
	const struct cs_regex *re = compile(pattern);

	if (cs_regex_full(re, cs_span_str(text)) != full ||
	    cs_regex_search(re, cs_span_str(text)) != search)
		fail_msg("%s on %s", pattern, text);
}

static void expect_error(const char *pattern, enum cs_error_code code,
			 const char *words)
{
	struct cs_error err = {0};
	const struct cs_regex *re = NULL;

	cs_arena_reset(&arena);
	if (cs_regex_compile(cs_span_str(pattern), &arena, &re, &err))
		fail_msg("%s compiles", pattern);
	if (err.code != code || strstr(err.text, words) == NULL)
		fail_msg("%s: %s", pattern, err.text);
	assert_null(re);
}

static void a_full_match_is_anchored_at_both_ends(void **state)
{
	(void)state;
	expect("[a-z0-9.]+@corp\\.example", "a.b@corp.example", true, true);
	expect("[a-z0-9.]+@corp\\.example", "a.b@corp.example.org", false,
	       true);
	expect("[a-z0-9.]+@corp\\.example", "A b@corp.example", false, true);
	expect("a|ab", "ab", true, true);
	expect("a|b", "xa", false, true);
	expect("^a$", "a\n", false, false);
	expect("(?m)^a$", "x\na\ny", false, true);
	expect("", "", true, true);
	expect("", "x", false, true);
	expect("a.c", "a\nc", false, false);
	expect("(?s)a.c", "a\nc", true, true);
	expect("a*?", "aaa", true, true);
	expect("(?U)a+", "aaa", true, true);
	expect("\\Qa.b|\\E+", "a.b||", true, true);
	expect("\\Qa.b", "a.b", true, true);
	expect("\\bfoo\\b", "a foo b", false, true);
	expect("\\Boo", "foo", false, true);
}

static void counted_repetition_has_exact_bounds(void **state)
{
	char text[1002];

	(void)state;
	expect("a{2,3}", "a", false, false);
	expect("a{2,3}", "aa", true, true);
	expect("a{2,3}", "aaaa", false, true);
	expect("(ab){0}c", "c", true, true);
	expect("(ab){0}c", "abc", false, true);
	expect("(?:a|bc){3}", "abca", true, true);
	expect("(a?){3}", "aaaa", false, true);
	expect("(a{2}){2,}", "aaaaaa", true, true);
	expect("(a{2}){2,}", "aaaaa", false, true);
	expect("a{,2}", "a{,2}", true, true);
	expect("x{", "x{", true, true);
	expect("()*", "", true, true);
	expect("(a*)*b", "aab", true, true);
	expect("(|a)+", "aaa", true, true);
	memset(text, 'a', sizeof(text));
	text[1001] = '\0';
	expect("a{1000}", text, false, true);
	text[1000] = '\0';
	expect("a{1000}", text, true, true);
	/* Nothing is repeated here; RE2 counts so, too. */
	expect("(?:(?:a{500}){0}b){3}", "bbb", true, true);
}

static void flags_end_with_their_group(void **state)
{
	(void)state;
	expect("(?i)web", "WeB", true, true);
	expect("(?i:w)eb", "Web", true, true);
	expect("(?i:w)eb", "WEB", false, false);
	expect("(a(?i)b)c", "aBc", true, true);
	expect("(a(?i)b)c", "aBC", false, false);
	expect("(?i)a(?-i)b", "Ab", true, true);
	expect("(?i)a(?-i)b", "AB", false, false);
	expect("a(?i)b|c", "C", true, true);
	expect("a(?i)*", "aaa", true, true);
	expect("(?is-m:A.)", "a\n", true, true);
	expect("(?P<name>a)(?<other>b)", "ab", true, true);
}

static void case_folding_is_unicode_s(void **state)
{
	(void)state;
	expect("(?i)k", "\u212a", true, true);
	expect("(?i)[a-z]", "\u017f", true, true);
	expect("(?i)\u03c3", "\u03c2", true, true);
	expect("(?i)\u00df", "\u1e9e", true, true);
	expect("(?i)[^k]", "\u212a", false, false);
	expect("(?i)\\pLu", "au", true, true);
	expect("(?i)\\p{Lu}", "a", true, true);
	expect("(?i)\\P{Lu}", "A", false, false);
	expect("(?i)\\W", "\u017f", false, false);
	expect("(?i)\U00010400", "\U00010428", true, true);
}

static void classes_have_their_members(void **state)
{
	(void)state;
	expect("[]a]+", "]a", true, true);
	expect("[^]a]", "]", false, false);
	expect("[a-]+", "-a", true, true);
	expect("[\\d\\-x]+", "4-x", true, true);
	expect("[^\\D]", "7", true, true);
	expect("[^\\s\\S]", "x", false, false);
	expect("[[:alpha:]_]+", "aZ_", true, true);
	expect("[[:^alpha:]]", "a", false, false);
	expect("[[:word:]]", "-", false, false);
	expect("[[:a]+", "[:a", true, true);
	expect("[[:punct:]]", "`", true, true);
	expect("\\pN", "\u0663", true, true);
	expect("\\pL+", "aä\u4e2d", true, true);
	expect("\\p{Greek}+", "\u03b1\u03b2", true, true);
	expect("\\p{^Greek}", "\u03b1", false, false);
	expect("\\P{Greek}", "a", true, true);
	expect("[\\p{Lu}\\p{Nd}]+", "A4", true, true);
	expect("\\p{Any}", "\U0010ffff", true, true);
	expect("\\p{Cn}", "\u0378", true, true);
	expect("\\pZ", " ", true, true);
	expect("[\\x{e0}-\\x{ff}]", "\u00e4", true, true);
	expect("\\x41\\101\\x{1F600}\\0", "AA\U0001f600", false, false);
	expect("\\x41\\101\\x{1F600}", "AA\U0001f600", true, true);
	expect("[\\n\\t\\f\\r\\v\\a]+", "\n\t\f\r\v\a", true, true);
	expect("\\_\\-\\.", "_-.", true, true);
}

static void what_is_not_utf_8_is_matched_by_bytes_alone(void **state)
{
	static const char *const bad[] = {
		"\x80",		"\xc0\x80",	    "\xe0\x80\x80",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff",
		"\xe4\xb8",	"\xf0\x8f\xbf\xbf",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		expect(".", bad[i], false, false);
		expect("(?s).", bad[i], false, false);
		expect("[^a]", bad[i], false, false);
		expect("\\C*", bad[i], true, true);
	}
	expect("\\C\\C\\C", "\u4e2d", true, true);
	expect("..", "\u4e2d", false, false);
	expect_error("a\xff", CS_E_FORMAT, "at byte 2: this is not UTF-8");
	expect_error("[a\xc0\x80]", CS_E_FORMAT, "at byte 3: this is not");
}

static void what_has_no_linear_time_is_an_error_with_its_place(void **state)
{
	(void)state;
	expect_error("ab(?=c)", CS_E_FORMAT, "at byte 3: `(?=` is look-around");
	expect_error("(?!c)", CS_E_FORMAT, "at byte 1: `(?!` is look-around");
	expect_error("(?<=c)", CS_E_FORMAT, "at byte 1: `(?<=` is look-around");
	expect_error("(?<!c)", CS_E_FORMAT, "at byte 1: `(?<!` is look-around");
	expect_error("(?>a)", CS_E_FORMAT, "atomic");
	expect_error("(a)\\1", CS_E_FORMAT, "at byte 4: `\\1` is a back-");
	expect_error("(?P<n>a)(?P=n)", CS_E_FORMAT, "at byte 9: `(?P=` is a");
	expect_error("(?P<n>a)\\k<n>", CS_E_FORMAT, "at byte 9: `\\k` refers");
	expect_error("x*+", CS_E_FORMAT, "at byte 3: `+` repeats a");
	expect_error("x**", CS_E_FORMAT, "at byte 3");
	expect_error("x{2}{3}", CS_E_FORMAT, "at byte 5: `{3}` repeats");
	expect_error("x+?+", CS_E_FORMAT, "at byte 4");
}

static void what_is_not_in_the_syntax_is_an_error_with_its_place(void **state)
{
	(void)state;
	expect_error("*", CS_E_FORMAT, "at byte 1: `*` has nothing to repeat");
	expect_error("a|*", CS_E_FORMAT, "at byte 3");
	expect_error("(+", CS_E_FORMAT, "at byte 2");
	expect_error("(?i)?", CS_E_FORMAT, "at byte 5");
	expect_error("a(b", CS_E_FORMAT, "at byte 2: this `(` is not closed");
	expect_error("a)", CS_E_FORMAT, "at byte 2: `)` closes nothing");
	expect_error("a[b", CS_E_FORMAT, "at byte 2: this `[` is not closed");
	expect_error("a[]", CS_E_FORMAT, "at byte 2: this `[` is not closed");
	expect_error("[z-a]", CS_E_FORMAT, "at byte 2: `z-a` ends before");
	expect_error("[[:alfa:]]", CS_E_FORMAT, "at byte 2: `[:alfa:]`");
	expect_error("\\p{Greec}", CS_E_FORMAT, "at byte 1: `Greec` is no");
	expect_error("\\pX", CS_E_FORMAT, "at byte 1: `X` is no general");
	expect_error("\\p", CS_E_FORMAT, "at byte 1");
	expect_error("\\p{Greek", CS_E_FORMAT, "at byte 1: `\\p{` is not");
	expect_error("a\\", CS_E_FORMAT, "at byte 2: a backslash at the end");
	expect_error("\\y", CS_E_FORMAT, "at byte 1: `\\y` is no escape");
	expect_error("a\\Z", CS_E_FORMAT, "at byte 2: `\\Z` is not in");
	expect_error("[\\b]", CS_E_FORMAT, "at byte 2: `\\b` is no escape");
	expect_error("\\x4", CS_E_FORMAT, "at byte 1");
	expect_error("\\x{110000}", CS_E_FORMAT, "at byte 1");
	expect_error("\\x{}", CS_E_FORMAT, "at byte 1");
	expect_error("(?x)a", CS_E_FORMAT, "at byte 3: no flag");
	expect_error("(?i-)a", CS_E_FORMAT, "at byte 5: no flag");
	expect_error("(?i", CS_E_FORMAT, "at byte 1: `(?` is not closed");
	expect_error("(?P<>a)", CS_E_FORMAT, "at byte 5: a group's name");
	expect_error("(?<a-b>a)", CS_E_FORMAT, "at byte 4: a group's name");
	expect_error("a{1001}", CS_E_FORMAT, "at byte 2: `{1001}`");
	expect_error("a{99999999999999999999}", CS_E_FORMAT, "at byte 2");
	expect_error("a{2,1}", CS_E_FORMAT, "at byte 2: `{2,1}`");
	expect_error("(a{100}){11}", CS_E_FORMAT, "at byte 9: nested counts");
	expect_error("((a{10}b{2}){10}){11}", CS_E_FORMAT, "at byte 18");
}

/* count times a text. */
static char *times(const char *text, size_t count)
{
	size_t n = strlen(text);
	char *all = malloc(n * count + 1);

	assert_non_null(all);
	for (size_t i = 0; i < count; i++)
		memcpy(all + i * n, text, n);
	all[n * count] = '\0';
	return all;
}

static void each_limit_is_an_error_of_its_own(void **state)
{
	char *text;

	(void)state;
	text = times("a", CS_MAX_REGEX_PATTERN + 1);
	expect_error(text, CS_E_TOO_LARGE, "a pattern of 4097 bytes");
	text[CS_MAX_REGEX_PATTERN] = '\0';
	expect(text, text, true, true);
	free(text);
	text = times("(", CS_MAX_REGEX_DEPTH + 1);
	expect_error(text, CS_E_TOO_LARGE, "groups nest deeper than 1000");
	free(text);
	expect_error("(?:abcdefghi){1000}", CS_E_TOO_LARGE, "8192 states");
	expect_error("(?:(?:abcdefghi){0,1000})", CS_E_TOO_LARGE, "states");
	expect_error("[\\pL0][\\pL1][\\pL2][\\pL3][\\pL4][\\pL5][\\pL6][\\pL7]"
		     "[\\pL8][\\pL9][\\pL!][\\pL#][\\pL%][\\pL&][\\pL/][\\pL=]"
		     "[\\pL:][\\pL;][\\pL,][\\pL~][\\pL'][\\pL\"][\\pL@][\\pL-]"
		     "[\\pL0-1][\\pL0-2][\\pL0-3][\\pL0-4]",
		     CS_E_TOO_LARGE, "16384 ranges");
	/* The same class again costs nothing. */
	text = times("\\pL", 1000);
	(void)compile(text);
	free(text);
	text = times("(?i:\\pL\\PL)", 300);
	(void)compile(text);
	free(text);
}

static void time_is_bounded_by_states_times_length(void **state)
{
	static const char *const patterns[] = {
		"(a*)*b",	 "(a|a)*b",	    "(a|aa)+$",
		"(.*)*(.*)*x",	 "((a?){30}){30}z", "(a?){1000}a{1000}",
		"(.*a){20}b",	 "(?:.*.*)*=.*",    "([a-z]+)*\\d",
		"(\\pL\\pL?)*!", "\\C*\\C*\\C*b",
	};
	char *text = times("a", 2048);

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		const struct cs_regex *re = compile(patterns[i]);
		struct cs_regex_result r =
			cs_regex_run(re, CS_REGEX_SEARCH, cs_span_str(text));

		assert_true(r.steps <= 2049 * cs_regex_size(re));
		r = cs_regex_run(re, CS_REGEX_FULL, cs_span_str(text));
		assert_true(r.steps <= 2049 * cs_regex_size(re));
	}
	free(text);
}

/* Would the pattern take the wildcard as allow, and hit it as deny? */
static void expect_star(const char *pattern, const char *wildcard, bool all,
			bool some)
{
	const struct cs_regex *re = compile(pattern);
	struct cs_span text = cs_span_str(wildcard);

	if (cs_regex_run(re, CS_REGEX_STAR_ALL, text).matched != all ||
	    cs_regex_run(re, CS_REGEX_STAR_SOME, text).matched != some)
		fail_msg("%s on %s", pattern, wildcard);
}

static void a_wildcard_is_taken_where_it_is_spelt_out(void **state)
{
	(void)state;
	expect_star("\\*\\.corp", "*.corp", true, true);
	expect_star("[*]\\.corp", "*.corp", true, true);
	expect_star("(\\*|[a-z]+)\\.corp", "*.corp", true, true);
	expect_star(".*\\.corp", "*.corp", false, true);
	expect_star(".\\.corp", "*.corp", false, true);
	expect_star("\\C\\.corp", "*.corp", false, true);
	expect_star("[^.]+\\.corp", "*.corp", false, true);
	expect_star("admin\\.corp", "*.corp", false, true);
	expect_star("(?i)ADMIN\\.corp", "*.corp", false, true);
	expect_star("admin\\.other", "*.corp", false, false);
	expect_star("x\\.admin\\.corp", "*.corp", false, false);
	expect_star("x\\.admin\\.corp", "*.admin.corp", false, true);
	expect_star("corp", "*.corp", false, false);
	expect_star("^[a-z]{3}\\b\\.corp$", "*.corp", false, true);
	expect_star("[A-Z]+\\.corp", "*.corp", false, true);
	expect_star("[%~]+\\.corp", "*.corp", false, false);
	expect_star(".*\\.corp\\.x", "*.corp", false, false);
}

/* Each pattern, and a text that decides about it. */
static void the_label_question_agrees_with_its_members(void **state)
{
	static const char *const patterns[] = {
		"[ab]+\\.c", "a?b\\.c|d", "(ab|ba)*\\.c", "a{2}\\.[cd]",
		"[^a]\\.c",  "b.*c",	  "\\w\\w\\.d",	  "..\\.c",
		"a\\.c|b",   "[ab.]+c",
	};
	static const char *const zones[] = {".c", ".d", ".a.c"};

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		const struct cs_regex *re = compile(patterns[i]);

		for (size_t z = 0; z < 3; z++) {
			char text[16] = "*";
			bool some = false;

			strcat(text, zones[z]);
			for (unsigned m = 2; m < 64; m++) {
				char name[16];
				size_t n = 0;

				/* Below its first bit: a and b. */
				for (unsigned k = m; k > 1; k /= 2)
					name[n++] = k % 2 ? 'a' : 'b';
				strcpy(name + n, zones[z]);
				some = some ||
				       cs_regex_full(re, cs_span_str(name));
			}
			if (cs_regex_run(re, CS_REGEX_STAR_SOME,
					 cs_span_str(text))
				    .matched != some)
				fail_msg("%s on %s", patterns[i], text);
		}
	}
}

/* A pattern in which `<` and `>` stand around values. */
static bool compile_values(const char *marked, const struct cs_regex **ret,
			   struct cs_error *err)
{
	uint8_t foreign[128] = {0};
	char pattern[128];
	size_t n = 0;
	bool inside = false;

	for (const char *p = marked; *p != '\0'; p++) {
		if (*p == '<' || *p == '>') {
			inside = *p == '<';
			continue;
		}
		foreign[n] = inside;
		pattern[n++] = *p;
	}
	cs_arena_reset(&arena);
	return cs_regex_compile_with_values(cs_span_make(pattern, n), foreign,
					    &arena, ret, err);
}

static void values_in_a_pattern_are_literals(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool full;
	} cases[] = {
		{"<a.*>\\.corp", "a.*.corp", true},
		{"<a.*>\\.corp", "abc.corp", false},
		{"<.>", "x", false},
		{"<a|b>", "a", false},
		{"<a|b>", "a|b", true},
		{"x<ab>{2}", "xabab", true},
		{"x<ab>{2}", "xabb", false},
		{"(?i)<Team>-\\d", "tEAM-1", true},
		{"<\\E.>", "\\E.", true},
		{"(<)>)", ")", true},
		{"<*>*", "***", true},
		{"a<+>", "aa", false},
		{"a<+>", "a+", true},
	};
	const struct cs_regex *re = NULL;
	struct cs_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (!compile_values(cases[i].pattern, &re, &err))
			fail_msg("%s: %s", cases[i].pattern, err.text);
		if (cs_regex_full(re, cs_span_str(cases[i].text)) !=
		    cases[i].full)
			fail_msg("%s on %s", cases[i].pattern, cases[i].text);
	}
}

static void values_inside_of_something_are_an_error(void **state)
{
	static const char *const patterns[] = {
		"[<a>]",   "[a-<z>]",	    "a{<2>}",	 "\\<d>",
		"\\x4<1>", "\\p{<Lu>}",	    "\\Q<a>\\E", "(?P<n<x>>a)",
		"(?<i>)a", "[[:<alpha>:]]",
	};
	const struct cs_regex *re = NULL;
	struct cs_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		if (compile_values(patterns[i], &re, &err))
			fail_msg("%s compiles", patterns[i]);
		assert_int_equal(err.code, CS_E_FORMAT);
	}
	/* A value does not stop a brace from being one. */
	assert_true(compile_values("a{<x>}", &re, &err));
	assert_true(cs_regex_full(re, CS_SPAN_LIT("a{x}")));
}

static void a_small_arena_is_an_error(void **state)
{
	struct cs_error err = {0};
	const struct cs_regex *re = NULL;
	struct cs_arena small;

	(void)state;
	for (size_t max = 0; max < 600; max += 16) {
		cs_arena_init(&small, max);
		if (!cs_regex_compile(CS_SPAN_LIT("[a-z]+x"), &small, &re,
				      &err)) {
			assert_int_equal(err.code, CS_E_NO_MEMORY);
			assert_null(re);
		}
		cs_arena_done(&small);
		re = NULL;
	}
}

static void every_allocation_may_fail(void **state)
{
	static const char pattern[] =
		"((((((((((a))))))))))|(?i)\\pL[^\\pL0][1a][2b][3c][4d][5e]"
		"[6f][7g][8h]x{100}";
	struct cs_error err = {0};
	const struct cs_regex *re = NULL;
	long n = 0;

	(void)state;
	for (; n < 1000 && re == NULL; n++) {
		struct cs_arena fresh;

		cs_arena_init(&fresh, 1 << 20);
		left = n;
		if (!cs_regex_compile(cs_span_str(pattern), &fresh, &re, &err))
			assert_int_equal(err.code, CS_E_NO_MEMORY);
		left = -1;
		cs_arena_done(&fresh);
	}
	assert_true(n > 20 && n < 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_match_is_anchored_at_both_ends),
		cmocka_unit_test(counted_repetition_has_exact_bounds),
		cmocka_unit_test(flags_end_with_their_group),
		cmocka_unit_test(case_folding_is_unicode_s),
		cmocka_unit_test(classes_have_their_members),
		cmocka_unit_test(what_is_not_utf_8_is_matched_by_bytes_alone),
		cmocka_unit_test(
			what_has_no_linear_time_is_an_error_with_its_place),
		cmocka_unit_test(
			what_is_not_in_the_syntax_is_an_error_with_its_place),
		cmocka_unit_test(each_limit_is_an_error_of_its_own),
		cmocka_unit_test(time_is_bounded_by_states_times_length),
		cmocka_unit_test(a_wildcard_is_taken_where_it_is_spelt_out),
		cmocka_unit_test(the_label_question_agrees_with_its_members),
		cmocka_unit_test(values_in_a_pattern_are_literals),
		cmocka_unit_test(values_inside_of_something_are_an_error),
		cmocka_unit_test(a_small_arena_is_an_error),
		cmocka_unit_test(every_allocation_may_fail),
	};
	int failed;

	cs_arena_init(&arena, 1 << 20);
	failed = cs_test_run("policy/regex", tests);
	cs_arena_done(&arena);
	return failed;
}
