#include <tests/lib/test.h>

#include <string.h>

#include "policy/testing.h"

/*
 * Out of memory is an ordinary error: every allocation of a load fails in
 * turn, by wrappers that the linker puts in front of calloc and realloc.
 */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

/* How many allocations succeed before one fails; negative: all do. */
static long left = -1;

void *__wrap_calloc(size_t n, size_t size)
{
	if (left == 0) {
		left = -1;
		return NULL;
	}
	if (left > 0)
		left--;
	return __real_calloc(n, size);
}

/* One policy with most of the language, one that extends it, a shadow. */
#define WEB                                                                    \
	"  match: {issuer: ['a*'], namespaceLabels: {a: b}, requester: "       \
	"{extra: "                                                             \
	"{k: [v, w]}}}\n"                                                      \
	"  tables: {zones: {alice: [a.example, corp.example]}}\n"              \
	"  vars: {z: '{{zones[requester.username]}}'}\n"                       \
	"  subject: {organization: {set: 'Acme {{requester.username}}'}, "     \
	"1.2.3: {default: x}}\n"                                               \
	"  san:\n"                                                             \
	"    dns: {allow: [{dns: '.{{z}}'}]}\n"                                \
	"    ip: {allow: [{cidr: 10.0.0.0/8}]}\n"                              \
	"    uri: {allow: [{uri: {host: a, path: '/{{requester.username}}/*'}" \
	"}]}\n"                                                                \
	"    email: {allow: [{email: {domain: '{{csr.san.dns}}'}}]}\n"         \
	"    directory_name: {allow: [{dn: 'CN={{csr.san.dns}},O=A\\2c,"       \
	"1.2.3=x'}]}\n"                                                        \
	"    registered_id: {allow: [{oid: 1.2.3}]}\n"                         \
	"    other_name: [{oid: 1.2.3, type: utf8, allow: [{glob: 'a*'}]}]\n"  \
	"  key: {allow: [{alg: EC}, {alg: RSA, bits: 3072..}]}\n"              \
	"  extensions: {ext_key_usage: {allow: [server auth]}}\n"              \
	"  tests: [{name: t, request: {dns: [a.corp.example], requester: "     \
	"{username: alice}}, expect: {verdict: issued}}]\n"

#define CHILD                                                                  \
	"  extends: web\n  match: {issuer: ['*b', default]}\n  priority: 1\n"

#define GUARDS                                                                 \
	"apiVersion: countersign.dev/v1\nkind: IssuanceGuards\n"               \
	"metadata: {name: g}\nspec:\n  guards:\n"                              \
	"    - {id: a, deny: {san.dns: {dns: .secret.example}, subject.1.2.3:" \
	" {glob: 'r*'}}, message: 'reserved: {{csr.san.dns}}'}\n"              \
	"    - {id: b, deny: {subject.commonName: {dns: '.{{csr.san.dns}}'}}}" \
	"\n"                                                                   \
	"  tests: [{name: t, request: {dns: [a.secret.example]}, expect: "     \
	"{codes: [GUARD]}}]\n"

static const char text[] =
	CS_TESTING_POLICY("web", WEB) "---\n" CS_TESTING_POLICY(
		"vm", CHILD) "---\n" CS_TESTING_POLICY("beside",
						       "  mode: shadow\n  san: "
						       "{}\n") "---\n" GUARDS;

static void every_allocation_of_a_load_may_fail(void **state)
{
	long n;

	(void)state;
	for (n = 0; n < 10000; n++) {
		struct cs_testing t;

		cs_testing_init(&t);
		/* The report's own memory is there already. */
		assert_non_null(cs_arena_new(&t.arena, 16));
		left = n;
		cs_testing_load(&t, text);
		if (left >= 0) {
			left = -1;
			assert_non_null(t.set);
			cs_testing_done(&t);
			break;
		}
		assert_null(t.set);
		assert_true(t.report.errors > 0);
		cs_testing_done(&t);
	}
	assert_true(n > 5 && n < 10000);
}

/*
 * However little memory a request has, it is judged rightly or not at all.
 */
static void a_judgement_without_memory_decides_nothing(void **state)
{
	size_t max, failed = 0;
	struct cs_testing t;
	struct cs_verdict v;
	bool issued = false;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(&t, text);
	assert_non_null(t.set);
	cs_testing_request(&t);
	cs_testing_dns(&t, "www.corp.example");
	cs_testing_name(&t, CS_NAME_URI, "spiffe://a/alice/x");
	for (max = 16; !issued && max < 1000000; max += 16) {
		struct cs_error err = {0};
		struct cs_arena arena;

		cs_arena_init(&arena, max);
		if (cs_policy_judge(t.set, &t.facts, &arena, &v, &err)) {
			issued = true;
			assert_int_equal(v.findings.n, 0);
			assert_int_equal(v.plan.names_n, 2);
			assert_int_equal(v.plan.subject_n, 2);
			assert_int_equal(v.vars_n, 1);
			assert_int_equal(v.shadows_n, 1);
			assert_true(v.shadows[0].refused);
			/* Two names, each of a kind that is unlisted. */
			assert_int_equal(v.shadows[0].findings.n, 2);
		} else {
			assert_int_equal(err.code, CS_E_NO_MEMORY);
			failed++;
		}
		cs_arena_done(&arena);
	}
	assert_true(issued && failed > 50);
	cs_testing_done(&t);
}

/* The same of a request that two guards refuse. */
static void guards_without_memory_let_nothing_pass(void **state)
{
	struct cs_testing t;
	struct cs_verdict v;
	bool judged = false;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(&t, text);
	assert_non_null(t.set);
	cs_testing_request(&t);
	cs_testing_dns(&t, "a.secret.example");
	cs_testing_attr(&t, 3, "a.secret.example");
	for (size_t max = 16; !judged && max < 1000000; max += 16) {
		struct cs_error err = {0};
		struct cs_arena arena;
		size_t guards = 0;

		cs_arena_init(&arena, max);
		judged = cs_policy_judge(t.set, &t.facts, &arena, &v, &err);
		for (size_t i = 0; judged && i < v.findings.n; i++)
			guards +=
				strcmp(v.findings.items[i].code, "GUARD") == 0;
		assert_true(judged ? guards == 2 : err.code == CS_E_NO_MEMORY);
		cs_arena_done(&arena);
	}
	assert_true(judged);
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_of_a_load_may_fail),
		cmocka_unit_test(a_judgement_without_memory_decides_nothing),
		cmocka_unit_test(guards_without_memory_let_nothing_pass),
	};

	return cs_test_run("policy/memory", tests);
}
