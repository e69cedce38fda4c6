#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/builtin.h"
#include "policy/testing.h"

/* Everything that a report says, for a test that expects nothing. */
static void show(const struct cs_testing *t)
{
	for (size_t i = 0; i < t->report.n; i++)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[i].text));
}

static void the_default_loads_and_warns_that_it_takes_any_name(void **state)
{
	struct cs_testing t;
	struct cs_source one = {CS_SPAN_LIT("default.yaml"),
				cs_policy_default_text()};

	(void)state;
	cs_testing_init(&t);
	cs_testing_load_sources(&t, &one, 1);
	if (t.set == NULL)
		show(&t);
	assert_non_null(t.set);
	assert_int_equal(t.report.n, 1);
	assert_true(cs_testing_reports(&t, "accepts any name from anybody"));
	assert_int_equal(cs_policy_set_count(t.set), 1);
	assert_true(
		cs_span_equal_str(cs_policy_set_at(t.set, 0)->name, "default"));
	assert_int_equal(cs_policy_set_at(t.set, 0)->priority, -1000);
	cs_testing_done(&t);
}

/* A file of the source tree, read whole. */
static struct cs_span read_file(struct cs_testing *t, const char *path)
{
	static const char *const roots[] = {".", "..", "../.."};
	char name[512];
	FILE *f = NULL;
	uint8_t *bytes = cs_arena_new(&t->arena, 65536);
	size_t n;

	for (size_t i = 0; f == NULL && i < 3; i++) {
		const char *srcdir = getenv("srcdir");

		(void)snprintf(name, sizeof(name), "%s/%s",
			       srcdir != NULL && i == 0 ? srcdir : roots[i],
			       path);
		f = fopen(name, "rb");
	}
	assert_non_null(f);
	n = fread(bytes, 1, 65536, f);
	(void)fclose(f);
	return cs_span_make(bytes, n);
}

static void what_is_compiled_in_is_the_file(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	assert_true(cs_span_equal(read_file(&t, "policies/default.yaml"),
				  cs_builtin_default()));
	assert_true(cs_span_equal(read_file(&t, "policies/_listener.yaml"),
				  cs_builtin_listener()));
	cs_testing_done(&t);
}

static void the_examples_load_together_and_pass_their_tests(void **state)
{
	struct cs_testing t;
	struct cs_source three[3];

	(void)state;
	cs_testing_init(&t);
	three[0].name = CS_SPAN_LIT("override.yaml");
	three[0].bytes = read_file(&t, "policies/examples/override.yaml");
	three[1].name = CS_SPAN_LIT("zones.yaml");
	three[1].bytes = read_file(&t, "policies/examples/zones.yaml");
	three[2].name = CS_SPAN_LIT("default.yaml");
	three[2].bytes = cs_policy_default_text();
	cs_testing_load_sources(&t, three, 3);
	if (t.set == NULL)
		show(&t);
	assert_non_null(t.set);
	assert_int_equal(cs_policy_set_count(t.set), 3);
	assert_true(
		cs_span_equal_str(cs_policy_set_at(t.set, 0)->name, "ci-vm"));
	assert_true(cs_span_equal_str(cs_policy_set_at(t.set, 0)->owner,
				      "pki@corp.example"));
	cs_testing_done(&t);
}

static void the_listener_has_a_policy_that_nothing_replaces(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(
		&t, CS_TESTING_POLICY("web", "  priority: 1000000\n"
					     "  san: {dns: {allow: [any]}}\n"));
	assert_non_null(t.set);
	cs_testing_request(&t);
	t.facts.request.source = CS_SPAN_LIT("listener");
	cs_testing_dns(&t, "ca.corp.example");
	cs_testing_ip(&t, "10.0.0.1");
	assert_true(cs_testing_judge(&t));
	assert_true(cs_span_equal_str(t.verdict.policy->name, "_listener"));
	assert_int_equal(t.verdict.plan.not_after_s -
				 t.verdict.plan.not_before_s,
			 90 * 86400);
	cs_testing_load(&t, "");
	assert_non_null(t.set);
	assert_true(cs_testing_judge(&t));
	t.facts.request.source = CS_SPAN_LIT("api");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "NO_POLICY", NULL));
	assert_string_equal(t.verdict.code, "NO_POLICY");
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_default_loads_and_warns_that_it_takes_any_name),
		cmocka_unit_test(what_is_compiled_in_is_the_file),
		cmocka_unit_test(
			the_examples_load_together_and_pass_their_tests),
		cmocka_unit_test(
			the_listener_has_a_policy_that_nothing_replaces),
	};

	return cs_test_run("policy/default", tests);
}
