/*
 *	policy FILE.yaml
 *
 * What judging costs: a policy of 30 rules (tests/bench/thirty-rules.yaml) over
 *a CSR of 20 names, phases B and C, phase D, and the verdict as JSON. Prints
 *microseconds of CPU and the calls of the heap for each judgement (`make
 *bench-policy`). Fails when judging takes a heap call at all, once its arena is
 *warm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "policy/testing.h"
#include "policy/verdict_json.h"
#include "tests/bench/heap.h"

#define ROUNDS 20000
/* Octets of the file. */
#define POLICY_MAX 8192

/* Microseconds of CPU that this process used. */
static double cpu_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* 17 host names, a wildcard, two addresses; or 20 names that are refused. */
static void request(struct cs_testing *t, const char *zone)
{
	cs_testing_request(t);
	cs_testing_group(t, "web-admins");
	cs_testing_usage(t, "digital signature");
	cs_testing_usage(t, "server auth");
	cs_testing_usage(t, "client auth");
	cs_testing_attr(t, 3, "host0.shop.corp.example");
	cs_testing_attr(t, 10, "Acme");
	for (int i = 0; i < 17; i++) {
		char *name = cs_arena_printf(&t->arena, "host%d.%s", i, zone);

		cs_testing_dns(t, name != NULL ? name : "no.memory");
	}
	cs_testing_dns(t, "*.shop.corp.example");
	cs_testing_ip(t, "10.20.1.1");
	cs_testing_ip(t, "10.20.1.2");
}

/* One row of the table; the sum of three parts. */
static bool measure(struct cs_testing *t, const char *what, bool built_too)
{
	struct cs_cert_facts built = {0};
	struct cs_arena arena;
	struct cs_buf out;
	double judge = 0, phase_d = 0, json = 0, at;
	unsigned long calls = 0;
	bool ok = true;

	cs_arena_init(&arena, CS_MAX_REQUEST_ARENA);
	cs_buf_init(&out, CS_MAX_DECISION);
	if (built_too) {
		(void)cs_testing_judge(t);
		built = cs_testing_built(t);
	}
	for (int i = 0; i < ROUNDS && ok; i++) {
		struct cs_verdict v;
		unsigned long before = bench_heap_calls();
		const struct cs_plan *p = &v.plan;

		at = cpu_us();
		ok = cs_policy_judge(t->set, &t->facts, &arena, &v, NULL);
		judge += cpu_us() - at;
		at = cpu_us();
		if (built_too)
			ok = ok &&
			     cs_policy_judge_built(
				     t->set, &t->facts, &built, p->not_before_s,
				     p->not_after_s, &arena, &v, NULL);
		phase_d += cpu_us() - at;
		/* The first round warms the arena. */
		calls += i > 0 ? bench_heap_calls() - before : 0;
		ok = ok && cs_verdict_is_refused(&v) == !built_too;
		at = cpu_us();
		ok = ok && cs_verdict_json(&v, &out, NULL);
		json += cpu_us() - at;
		cs_buf_reset(&out);
		cs_arena_reset(&arena);
	}
	printf("%-10s %8.2f %8.2f %8.2f %12.3f\n", what, judge / ROUNDS,
	       phase_d / ROUNDS, json / ROUNDS, (double)calls / ROUNDS);
	cs_buf_done(&out);
	cs_arena_done(&arena);
	return ok && calls == 0;
}

/* The file's text, with a NUL behind it. */
static bool read_file(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = f == NULL ? 0 : fread(out, 1, size - 1, f);
	bool ok = f != NULL && feof(f) && !ferror(f);

	out[n] = '\0';
	if (f != NULL)
		(void)fclose(f);
	return ok;
}

int main(int argc, char **argv)
{
	static char policy[POLICY_MAX];
	struct cs_testing t;
	bool ok;

	if (argc != 2 || !read_file(argv[1], policy, sizeof(policy))) {
		(void)fprintf(stderr, "usage: policy FILE.yaml\n");
		return 2;
	}
	cs_testing_init(&t);
	cs_testing_load(&t, policy);
	if (t.set == NULL) {
		(void)fprintf(stderr, "%.*s\n",
			      CS_SPAN_FMT(t.report.items[0].text));
		return 1;
	}
	printf("policy of 30 rules, CSR of 20 names; microseconds of CPU, %d "
	       "rounds\n%-10s %8s %8s %8s %12s\n",
	       ROUNDS, "verdict", "B+C", "D", "JSON", "heap calls");
	request(&t, "shop.corp.example");
	ok = measure(&t, "issued", true);
	request(&t, "other.example");
	ok = measure(&t, "refused", false) && ok;
	cs_testing_done(&t);
	if (!ok)
		(void)fprintf(stderr, "judging took the heap, or went wrong\n");
	return ok ? 0 : 1;
}
