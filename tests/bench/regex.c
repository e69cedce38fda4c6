/*
 * What regular expressions cost: to compile, and to match all of a text with
 * them. Prints microseconds of CPU for a pattern and nanoseconds for a byte
 * (`make bench-regex`). Fails when matching takes a heap call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/regex.h"
#include "tests/bench/heap.h"

CS_OWNS_BANNED

#define SECONDS 0.2

struct row {
	const char *what, *pattern, *text;
	size_t copies; /* of the text; 0: 1 */
};

static const struct row rows[] = {
	{"host name", "[a-z0-9-]+\\.shop\\.corp\\.example",
	 "web-frontend-17.shop.corp.example", 0},
	{"mailbox", "[a-z0-9.]+@corp\\.example", "first.last@corp.example", 0},
	{"spiffe", "spiffe://prod\\.example/ns/[^/]+/sa/[^/]+",
	 "spiffe://prod.example/ns/shop/sa/web", 0},
	{"labels", "(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.){1,5}example",
	 "web-frontend-17.shop.corp.example", 0},
	{"unicode", "\\p{Lu}\\pL+( \\p{Lu}\\pL+)*", "Zürich Ümläute Größe", 0},
	{"folded", "(?i)acme (gmbh|ltd|inc)", "ACME GmbH", 0},
	{"refused", "[a-z0-9-]+\\.shop\\.corp\\.example",
	 "web-frontend-17.blog.corp.example", 0},
	{"(a*)*b", "(a*)*b", "a", 2048},
	{"(.*a){20}b", "(.*a){20}b", "a", 2048},
	{"(a?){500}", "(a?){500}a{500}", "a", 1000},
};

/* Seconds of CPU that this process used. */
static double cpu(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Compile it again and again; microseconds for one. 0: it fails. */
static double compile(const struct row *row, struct cs_arena *arena,
		      const struct cs_regex **ret_re)
{
	struct cs_span pattern = cs_span_str(row->pattern);
	double start = cpu(), used = 0;
	unsigned long n = 0;

	while (used < SECONDS) {
		for (int i = 0; i < 100; i++, n++) {
			cs_arena_reset(arena);
			if (!cs_regex_compile(pattern, arena, ret_re, NULL))
				return 0;
		}
		used = cpu() - start;
	}
	return used * 1e6 / (double)n;
}

/* One row of the table. */
static bool measure(const struct row *row, struct cs_arena *arena)
{
	size_t n = strlen(row->text), copies = row->copies ? row->copies : 1;
	const struct cs_regex *re = NULL;
	double us = compile(row, arena, &re), start, used = 0;
	struct cs_regex_result r = {0};
	unsigned long runs = 0, calls;
	char *text;

	if (us <= 0)
		return false;
	text = malloc(n * copies);
	if (text == NULL)
		return false;
	for (size_t i = 0; i < copies; i++)
		memcpy(text + i * n, row->text, n);
	n *= copies;
	calls = bench_heap_calls();
	start = cpu();
	while (used < SECONDS) {
		for (int i = 0; i < 10; i++, runs++)
			r = cs_regex_run(re, CS_REGEX_FULL,
					 cs_span_make(text, n));
		used = cpu() - start;
	}
	printf("%-12s %6zu %9.2f %6zu %-5s %10.3f %9.2f %10.2f\n", row->what,
	       cs_regex_size(re), us, n, r.matched ? "yes" : "no",
	       used * 1e6 / (double)runs, used * 1e9 / (double)runs / (double)n,
	       (double)r.steps / (double)n);
	free(text);
	return bench_heap_calls() == calls;
}

int main(void)
{
	struct cs_arena arena;
	bool ok = true;

	cs_arena_init(&arena, 1 << 20);
	printf("%-12s %6s %9s %6s %-5s %10s %9s %10s\n", "", "states",
	       "compile/us", "bytes", "match", "us", "ns/byte", "steps/byte");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ok = measure(&rows[i], &arena) && ok;
	cs_arena_done(&arena);
	return !ok;
}
