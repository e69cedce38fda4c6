#include <tests/lib/test.h>

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
	assert_true(cs_span_equal(read_file(&t, "policies/_ocsp.yaml"),
				  cs_builtin_ocsp()));
	cs_testing_done(&t);
}

/* Every example, and what loads with it. */
static const char *const examples[] = {"copy-through.yaml", "ingress.yaml",
				       "mesh.yaml",	    "override.yaml",
				       "team-web.yaml",	    "zones.yaml"};

#define EXAMPLES (sizeof(examples) / sizeof(examples[0]))

/* Load all of them, and the default. */
static void load_examples(struct cs_testing *t)
{
	struct cs_source all[EXAMPLES + 1];

	for (size_t i = 0; i < EXAMPLES; i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "policies/examples/%s",
			       examples[i]);
		all[i].name = cs_span_str(examples[i]);
		all[i].bytes = read_file(t, path);
	}
	all[EXAMPLES].name = CS_SPAN_LIT("default.yaml");
	all[EXAMPLES].bytes = cs_policy_default_text();
	cs_testing_load_sources(t, all, EXAMPLES + 1);
	if (t->set == NULL)
		show(t);
	assert_non_null(t->set);
}

static void the_examples_load_together_and_pass_their_tests(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load_examples(&t);
	assert_int_equal(cs_policy_set_count(t.set), EXAMPLES + 1);
	for (size_t i = 0; i < EXAMPLES + 1; i++)
		assert_true(cs_policy_set_at(t.set, i)->tests > 0);
	assert_true(
		cs_span_equal_str(cs_policy_set_at(t.set, 3)->name, "ci-vm"));
	assert_true(cs_span_equal_str(cs_policy_set_at(t.set, 3)->owner,
				      "pki@corp.example"));
	cs_testing_done(&t);
}

static void an_example_says_what_it_does_in_25_lines_with_its_tests(
	void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	/* The last one shows more than it has to. */
	for (size_t i = 0; i + 1 < EXAMPLES; i++) {
		char path[128];
		struct cs_span text;
		size_t n = 0;

		(void)snprintf(path, sizeof(path), "policies/examples/%s",
			       examples[i]);
		text = read_file(&t, path);
		for (size_t at = 0; at < text.n; at++)
			n += text.p[at] == '\n';
		assert_in_range(n, 10, 25);
	}
	cs_testing_done(&t);
}

static void no_rule_of_an_example_is_without_a_test(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load_examples(&t);
	cs_policy_set_lint(t.set, &t.report);
	for (size_t i = 0; i < t.report.n; i++) {
		const struct cs_policy_problem *p = &t.report.items[i];

		/* But the default takes any name, as it says. */
		if (!cs_span_equal_str(p->source, "default.yaml"))
			fail_msg("%.*s", CS_SPAN_FMT(p->text));
	}
	assert_int_equal(t.report.n, 1);
	cs_testing_done(&t);
}

/* The policy of the examples that governs the request as it stands. */
static void assert_governed(struct cs_testing *t, const char *name)
{
	(void)cs_testing_judge(t);
	assert_non_null(t->verdict.policy);
	if (!cs_span_equal_str(t->verdict.policy->name, name))
		fail_msg("%.*s governs, not %s",
			 CS_SPAN_FMT(t->verdict.policy->name), name);
}

static void each_example_governs_whom_it_is_for(void **state)
{
	struct cs_fact_pair labels[] = {
		{CS_SPAN_LIT("tier"), CS_SPAN_LIT("web")},
		{CS_SPAN_LIT("team"), CS_SPAN_LIT("shop")},
	};
	struct cs_request_facts *r;
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load_examples(&t);
	cs_testing_request(&t);
	cs_testing_dns(&t, "*.shop.example");
	r = &t.facts.request;
	assert_governed(&t, "default");
	cs_testing_group(&t, "vm-pipeline");
	assert_governed(&t, "ci-vm");
	r->source = CS_SPAN_LIT("kubernetes");
	assert_governed(&t, "default");
	r->labels = labels;
	r->labels_n = 2;
	assert_governed(&t, "team-web");
	assert_true(cs_testing_found(&t, "SAN_DNS_WILDCARD", "san.dns[0]"));
	r->namespace = CS_SPAN_LIT("ingress-shop");
	assert_governed(&t, "team-web-ingress");
	assert_false(cs_verdict_is_refused(&t.verdict));
	/* 2027-04-01: the exception is over. */
	r->now_s = 1806537600;
	assert_governed(&t, "team-web");
	r->issuer = CS_SPAN_LIT("mesh");
	r->requester = CS_SPAN_LIT("system:serviceaccount:shop:cart");
	assert_governed(&t, "mesh");
	cs_testing_done(&t);
}

static void a_responder_has_a_policy_that_nothing_replaces(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(
		&t, CS_TESTING_POLICY("web", "  priority: 1000000\n"
					     "  san: {dns: {allow: [any]}}\n"));
	assert_non_null(t.set);
	cs_testing_request(&t);
	t.facts.request.source = CS_SPAN_LIT("ocsp");
	assert_true(cs_testing_judge(&t));
	assert_true(cs_span_equal_str(t.verdict.policy->name, "_ocsp"));
	assert_int_equal(t.verdict.plan.not_after_s -
				 t.verdict.plan.not_before_s,
			 7 * 86400);
	assert_true(t.verdict.plan.no_rev_avail);
	cs_testing_dns(&t, "ca.corp.example");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "SAN_TOO_MANY", NULL));
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
			an_example_says_what_it_does_in_25_lines_with_its_tests),
		cmocka_unit_test(no_rule_of_an_example_is_without_a_test),
		cmocka_unit_test(each_example_governs_whom_it_is_for),
		cmocka_unit_test(
			the_listener_has_a_policy_that_nothing_replaces),
		cmocka_unit_test(
			a_responder_has_a_policy_that_nothing_replaces),
	};

	return cs_test_run("policy/default", tests);
}
