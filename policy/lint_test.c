#include <tests/lib/test.h>

#include <string.h>

#include "policy/testing.h"

/* A set that loads, and what is suspicious in it. */
static void lint(struct cs_testing *t, const char *text)
{
	cs_testing_init(t);
	cs_testing_load(t, text);
	if (t->set == NULL)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[0].text));
	assert_non_null(t->set);
	cs_policy_set_lint(t->set, &t->report);
}

/* Is this warned of? */
static void warns(const char *text, const char *words)
{
	struct cs_testing t;

	lint(&t, text);
	if (!cs_testing_reports(&t, words))
		for (size_t i = 0; i < t.report.n; i++)
			print_error("%.*s\n",
				    CS_SPAN_FMT(t.report.items[i].text));
	assert_true(cs_testing_reports(&t, words));
	cs_testing_done(&t);
}

static void silent(const char *text, const char *words)
{
	struct cs_testing t;

	lint(&t, text);
	assert_false(cs_testing_reports(&t, words));
	cs_testing_done(&t);
}

#define WEB(spec)  CS_TESTING_POLICY("web", spec)
#define DNS(rules) WEB("  san: {dns: {" rules "}}\n")
#define BEHIND(match)                                                          \
	"---\n" CS_TESTING_POLICY("behind",                                    \
				  "  priority: -5\n  match: " match "\n")

static void a_policy_that_another_always_goes_before(void **state)
{
	(void)state;
	warns(WEB("  match: {issuer: [a, b]}\n") BEHIND("{issuer: [a]}"),
	      "web.yaml:7:1: `behind` never governs: `web` (web.yaml:1) goes "
	      "before it and matches all that it matches");
	warns(WEB("  priority: 1\n") BEHIND("{namespace: [x]}"),
	      "never governs");
	silent(WEB("  match: {issuer: [a]}\n") BEHIND("{issuer: [a, b]}"),
	       "never governs");
	silent(WEB("  match: {issuer: [a], until: 2027-01-01}\n")
		       BEHIND("{issuer: [a]}"),
	       "never governs");
	silent(WEB("  match: {namespaceLabels: {a: b}}\n")
		       BEHIND("{issuer: [a]}"),
	       "never governs");
}

static void an_allow_inside_deny(void **state)
{
	(void)state;
	warns(DNS("allow: [{dns: .a.example}, {dns: .b.example}], "
		  "deny: [{dns: .a.example}]"),
	      "web.yaml:5:1: `.a.example` of `allow` is inside `deny`");
	warns(DNS("allow: [{dns: x.a.example}, {dns: .b.example}], deny: "
		  "[{dns: \"**.a.example\"}]"),
	      "`x.a.example` of `allow` is inside `deny`");
	warns(WEB("  san: {ip: {allow: [{cidr: 10.1.0.0/16}], deny: [{cidr: "
		  "10.0.0.0/8}]}}\n"),
	      "`10.1.0.0/16` of `allow` is inside `deny`");
	/* The apex stays allowed. */
	silent(DNS("allow: [{dns: .a.example}], deny: [{dns: "
		   "\"**.a.example\"}]"),
	       "inside `deny`");
	silent(DNS("allow: [{dns: \"**.a.example\"}], deny: [{dns: "
		   "\"*.a.example\"}]"),
	       "inside `deny`");
}

static void a_matcher_that_never_decides(void **state)
{
	(void)state;
	warns(DNS("allow: [{dns: .a.example}], deny: [{dns: .b.example}]"),
	      "`.b.example` of `deny` hits nothing that `allow` takes");
	silent(DNS("allow: [{dns: .a.example}], deny: [{dns: x.a.example}]"),
	       "hits nothing");
	silent(DNS("allow: [any], deny: [{dns: .b.example}]"), "hits nothing");
	warns(DNS("deny: [{dns: .b.example}]"),
	      "`deny` without `allow`: nothing is allowed anyway");
	warns(DNS("allow: [{exact: \"*.a.example\"}]"),
	      "`*.a.example` of `allow` never matches");
	silent(DNS("allow: [{exact: \"*.a.example\"}], wildcard: leftmost"),
	       "never matches");
}

static void a_clamp_that_cert_manager_runs_in_circles_over(void **state)
{
	static const char words[] = "makes cert-manager renew without end";

	(void)state;
	warns(WEB("  validity: {max: {value: 7d, on_violation: clamp}}\n"),
	      words);
	silent(WEB("  match: {source: api}\n"
		   "  validity: {max: {value: 7d, on_violation: clamp}}\n"),
	       words);
	silent(WEB("  validity: {max: {value: 60d, on_violation: clamp}}\n"),
	       words);
	silent(WEB("  validity: {max: 7d}\n"), words);
}

#define TESTED                                                                 \
	"  san: {dns: {allow: [{dns: .a.example}], deny: [{dns: "              \
	"x.a.example}]}}\n  tests:\n    - name: t\n      request: {dns: "      \
	"[b.example]}\n      expect: {verdict: refused}\n"

static void rules_that_no_test_reaches(void **state)
{
	(void)state;
	warns(WEB("  priority: 1\n"), "`web` carries no tests");
	warns(WEB(TESTED),
	      "web.yaml:5:1: no test is decided by `web/san.dns.deny`");
	silent(WEB(TESTED), "`web/san.dns.allow`");
	silent(WEB(TESTED), "carries no tests");
}

static void a_rule_that_is_extended_has_the_place_where_it_stands(void **state)
{
	const struct cs_source items[] = {
		{CS_SPAN_LIT("a.yaml"),
		 CS_SPAN_LIT(CS_TESTING_POLICY(
			 "a", "  priority: 1\n  san: {dns: {allow: [{dns: "
			      ".a.example}], max: 3}}\n"))},
		{CS_SPAN_LIT("b.yaml"),
		 CS_SPAN_LIT(CS_TESTING_POLICY(
			 "b", "  extends: a\n  priority: 2\n  match: {issuer: "
			      "x}\n  tests:\n    - name: t\n      request: "
			      "{dns: [b.example]}\n      expect: {verdict: "
			      "refused}\n"))},
	};
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load_sources(&t, items, 2);
	assert_non_null(t.set);
	cs_policy_set_lint(t.set, &t.report);
	assert_true(cs_testing_reports(
		&t, "a.yaml:6:1: no test is decided by `b/san.dns.max`"));
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_that_another_always_goes_before),
		cmocka_unit_test(an_allow_inside_deny),
		cmocka_unit_test(a_matcher_that_never_decides),
		cmocka_unit_test(
			a_clamp_that_cert_manager_runs_in_circles_over),
		cmocka_unit_test(rules_that_no_test_reaches),
		cmocka_unit_test(
			a_rule_that_is_extended_has_the_place_where_it_stands),
	};

	return cs_test_run("policy/lint", tests);
}
