#include <tests/lib/test.h>

#include <string.h>

#include "policy/testing.h"

#define POLICY(name, spec) CS_TESTING_POLICY(name, spec)

/* Two sources: what is extended, and what extends. */
static void load(struct cs_testing *t, const char *base, const char *child)
{
	const struct cs_source two[] = {
		{CS_SPAN_LIT("child.yaml"), cs_span_str(child)},
		{CS_SPAN_LIT("base.yaml"), cs_span_str(base)},
	};

	cs_testing_load_sources(t, two, 2);
}

static void show(const struct cs_testing *t)
{
	for (size_t i = 0; i < t->report.n && t->set == NULL; i++)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[i].text));
}

/* Loading must fail with these words. */
static void refuses(const char *base, const char *child, const char *words)
{
	struct cs_testing t;

	cs_testing_init(&t);
	load(&t, base, child);
	if (t.set != NULL || !cs_testing_reports(&t, words)) {
		show(&t);
		fail_msg("wanted: %s", words);
	}
	cs_testing_done(&t);
}

#define BASE                                                                   \
	POLICY("team", "  priority: 10\n"                                      \
		       "  match: {namespace: [shop]}\n"                        \
		       "  subject: {organization: {set: Corp}}\n"              \
		       "  san: {dns: {allow: [{dns: .shop.example}]}}\n"       \
		       "  tests:\n"                                            \
		       "    - name: refuses a wildcard\n"                      \
		       "      request: {dns: ['*.shop.example']}\n"            \
		       "      expect: {codes: [SAN_DNS_WILDCARD]}\n")

static void keys_replace_and_the_rest_is_taken(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, BASE,
	     POLICY("ingress",
		    "  extends: team\n"
		    "  priority: 20\n"
		    "  match: {namespace: [shop], requester: {groups: [in]}}\n"
		    "  san: {dns: {allow: [{dns: .shop.example}], wildcard: "
		    "leftmost}}\n"));
	show(&t);
	assert_non_null(t.set);
	cs_testing_request(&t);
	t.facts.request.namespace = CS_SPAN_LIT("shop");
	cs_testing_dns(&t, "*.shop.example");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_span_equal_str(t.verdict.policy->name, "team"));
	cs_testing_group(&t, "in");
	assert_true(cs_testing_judge(&t));
	assert_true(cs_span_equal_str(t.verdict.policy->name, "ingress"));
	/* What is taken has the child's name, and the parent's place. */
	assert_true(cs_span_equal_str(
		cs_testing_diff(&t, "subject.organization[0]")->rule,
		"ingress/subject.organization.set"));
	assert_true(cs_span_equal_str(
		cs_testing_diff(&t, "subject.organization[0]")->at,
		"base.yaml:7"));
	cs_testing_done(&t);
}

static void what_is_hashed_is_the_flattened_form(void **state)
{
	struct cs_testing one, other;
	const struct cs_policy_info *a, *b;

	(void)state;
	cs_testing_init(&one);
	cs_testing_init(&other);
	load(&one, BASE,
	     POLICY("ingress", "  extends: team\n"
			       "  priority: 20\n"
			       "  san: {dns: {allow: [any]}}\n"));
	load(&other, BASE,
	     POLICY("ingress", "  priority: 20\n"
			       "  san: {dns: {allow: [any]}}\n"
			       "  subject: {organization: {set: Corp}}\n"
			       "  match: {namespace: [shop]}\n"));
	assert_non_null(one.set);
	assert_non_null(other.set);
	a = cs_policy_set_at(one.set, 0);
	b = cs_policy_set_at(other.set, 0);
	assert_true(cs_span_equal_str(a->name, "ingress"));
	assert_true(cs_span_equal(a->sha256_text, b->sha256_text));
	assert_true(cs_span_equal(a->json, b->json));
	assert_null(strstr((const char *)a->json.p, "extends"));
	/* Another parent, another policy. */
	load(&other,
	     POLICY("team", "  priority: 10\n"
			    "  subject: {organization: {set: Other}}\n"),
	     POLICY("ingress", "  extends: team\n"
			       "  priority: 20\n"
			       "  san: {dns: {allow: [any]}}\n"));
	assert_non_null(other.set);
	assert_false(cs_span_equal(
		a->sha256_text, cs_policy_set_at(other.set, 0)->sha256_text));
	cs_testing_done(&other);
	cs_testing_done(&one);
}

static void there_is_one_level_and_it_must_exist(void **state)
{
	(void)state;
	refuses(BASE, POLICY("a", "  extends: teams\n"),
		"child.yaml:5:12: there is no policy `teams` to extend; did "
		"you mean `team`?");
	refuses(BASE, POLICY("a", "  extends: nothing-like-it\n"),
		"there is no policy `nothing-like-it` to extend");
	refuses(BASE, POLICY("a", "  extends: a\n"),
		"`a` extends another policy itself; only one level");
	refuses(POLICY("b", "  extends: a\n"), POLICY("a", "  extends: b\n"),
		"base.yaml:5:12: `a` extends another policy itself");
	refuses(BASE,
		POLICY("a", "  extends: b\n") "---\n" POLICY(
			"b", "  extends: team\n  priority: 5\n"),
		"`b` extends another policy itself; only one level");
	refuses(BASE, POLICY("a", "  extends: [team]\n"), "text is wanted");
	/* The same match and priority is a tie like any other. */
	refuses(BASE, POLICY("a", "  extends: team\n"), "same priority, 10");
	/* A parent's errors are told once, at the parent. */
	refuses(POLICY("team", "  san: {dsn: {}}\n"),
		POLICY("a", "  extends: team\n"),
		"base.yaml:5:9: `san.dsn` is not known");
}

static void a_parents_section_sees_the_childs_tables(void **state)
{
	static const char base[] =
		POLICY("team", "  priority: 1\n"
			       "  tables: {zones: {x: a.example}}\n"
			       "  san: {dns: {allow: [{dns: "
			       "'{{zones[\"x\"]}}'}]}}\n");
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, base,
	     POLICY("a", "  extends: team\n"
			 "  priority: 2\n"
			 "  tables: {zones: {x: b.example}}\n"));
	show(&t);
	assert_non_null(t.set);
	cs_testing_request(&t);
	cs_testing_dns(&t, "b.example");
	assert_true(cs_testing_judge(&t));
	cs_testing_done(&t);
	refuses(base,
		POLICY("a", "  extends: team\n"
			    "  priority: 2\n"
			    "  tables: {other: {x: b.example}}\n"),
		"base.yaml:7:29: {{zones[\"x\"]}}: there is no `zones`");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_replace_and_the_rest_is_taken),
		cmocka_unit_test(what_is_hashed_is_the_flattened_form),
		cmocka_unit_test(there_is_one_level_and_it_must_exist),
		cmocka_unit_test(a_parents_section_sees_the_childs_tables),
	};

	return cs_test_run("policy/extends", tests);
}
