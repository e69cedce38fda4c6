#include "tests/lib/test.h"

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

static const char text[] = CS_TESTING_POLICY(
	"web",
	"  match: {issuer: ['a*']}\n"
	"  subject: {organization: {set: Acme}, 1.2.3: {default: x}}\n"
	"  san: {dns: {allow: [{dns: .corp.example}]}, ip: {allow: "
	"[{cidr: 10.0.0.0/8}]}}\n"
	"  key: {allow: [{alg: EC}, {alg: RSA, bits: 3072..}]}\n"
	"  extensions: {ext_key_usage: {allow: [server auth]}}\n"
	"  tests: [{name: t, request: {dns: [a.corp.example]}, expect: "
	"{verdict: issued}}]\n") "---\n" CS_TESTING_POLICY("vm", "  match: "
								 "{issuer: "
								 "['*b']}\n"
								 "  priority: "
								 "1\n");

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_of_a_load_may_fail),
	};

	return cs_test_run("policy/memory", tests);
}
