#include <tests/lib/test.h>

#include "policy/codes.h"
#include "policy/finding.h"

static void more_than_the_maximum_is_only_counted(void **state)
{
	struct cs_findings f;
	struct cs_arena arena;

	(void)state;
	cs_arena_init(&arena, 1000000);
	cs_findings_init(&f, &arena);
	for (int i = 0; i < CS_MAX_FINDINGS + 3; i++)
		assert_true(cs_findings_builtin(
			&f, cs_code_name(CS_CODE_CSR_SAN), CS_SPAN_LIT("san"),
			CS_SPAN_LIT("x"), "number %d", i));
	assert_int_equal(f.n, CS_MAX_FINDINGS);
	assert_int_equal(f.more, 3);
	assert_true(cs_span_equal_str(f.items[9].message, "number 9"));
	assert_true(cs_span_equal_str(f.items[9].rule, "built-in"));
	cs_arena_done(&arena);
}

static void no_memory_is_told(void **state)
{
	struct cs_findings f;
	struct cs_arena arena;

	(void)state;
	cs_arena_init(&arena, 64);
	cs_findings_init(&f, &arena);
	assert_false(
		cs_findings_add(&f, &(struct cs_finding){.code = "GUARD"}));
	assert_int_equal(f.n, 0);
	cs_arena_done(&arena);
}

static void codes_are_a_closed_table(void **state)
{
	(void)state;
	assert_true(cs_code_is_known("SAN_DNS_NOT_ALLOWED"));
	assert_false(cs_code_is_known("SAN_DNS_NOT_ALLOWEDX"));
	assert_false(cs_code_is_known(""));
	assert_string_equal(cs_code_name(CS_CODE_GUARD), "GUARD");
	assert_string_equal(cs_code_meaning(CS_CODE_GUARD), "a guard refuses");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_than_the_maximum_is_only_counted),
		cmocka_unit_test(no_memory_is_told),
		cmocka_unit_test(codes_are_a_closed_table),
	};

	return cs_test_run("policy/finding", tests);
}
