/*
 * What judging costs: a policy of 30 rules over a CSR of 20 names, phases B
 * and C, phase D, and the verdict as JSON. Prints microseconds of CPU and
 * the calls of the heap for each judgement (`make bench-policy`). Fails when
 * judging takes a heap call at all, once its arena is warm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "policy/testing.h"
#include "policy/verdict_json.h"

#define ROUNDS 20000

/* Thirty rules: what a large team's policy looks like. */
static const char policy[] = CS_TESTING_POLICY(
	"bench",
	"  priority: 10\n"
	"  match: {issuer: ['web', 'def*'], source: [api, kubernetes],\n"
	"    requester: {groups: [web-admins, vm-admins]}}\n"
	"  subject:\n"
	"    commonName: {max: 1, allow: [{dns: .corp.example}], in_san: add}\n"
	"    organization: {set: Example Corp}\n"
	"    organizationalUnit: {default: Web, allow: [{exact: Web}]}\n"
	"    country: {set: DE}\n"
	"  san:\n"
	"    max_total: 50\n"
	"    dns:\n"
	"      min: 1\n"
	"      max: 40\n"
	"      deny: [{dns: '**.secret.corp.example'}, {exact: "
	"a.corp.example},\n"
	"        {dns: '*.pay.corp.example'}, {dns: .hr.corp.example},\n"
	"        {dns: admin.corp.example}, {dns: root.corp.example}]\n"
	"      allow: [{dns: .blog.example}, {dns: .shop.example},\n"
	"        {dns: '*.vm.example'}, {dns: '**.ci.example'},\n"
	"        {dns: www.example}, {dns: .shop.corp.example}]\n"
	"      wildcard: leftmost\n"
	"    ip: {max: 5, allow: [{cidr: 10.1.0.0/16}, {cidr: 10.2.0.0/16},\n"
	"      {cidr: 10.20.0.0/16}], deny: [{cidr: 10.20.30.0/24}]}\n"
	"  key: {allow: [{alg: EC, curves: [P-256, P-384]},\n"
	"    {alg: RSA, bits: 3072..4096}]}\n"
	"  validity: {default: 30d, max: {value: 90d, on_violation: clamp}}\n"
	"  extensions:\n"
	"    key_usage: {set: [digital signature]}\n"
	"    ext_key_usage: {allow: [server auth], on_violation: drop}\n");

/* Calls of the heap, counted by the wrappers below. */
static unsigned long heap_calls;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
	heap_calls++;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	heap_calls++;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	heap_calls++;
	return __real_realloc(p, n);
}

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
		unsigned long before = heap_calls;
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
		calls += i > 0 ? heap_calls - before : 0;
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

int main(void)
{
	struct cs_testing t;
	bool ok;

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
