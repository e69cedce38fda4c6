#include <tests/lib/test.h>

#include <string.h>

#include "policy/match.h"
#include "policy/requester.h"
#include "policy/testing.h"

/* A policy with this match, and everything allowed that a test asks for. */
#define WEB(match)                                                             \
	CS_TESTING_POLICY("web", match "  san: {dns: {allow: [any]}}\n")

/* Two policies of one priority. */
#define TWO(one, other)                                                        \
	CS_TESTING_POLICY("one", "  match: " one "\n")                         \
	"---\n" CS_TESTING_POLICY("other", "  match: " other "\n")

/* Load it, and ask for a name. */
static void start(struct cs_testing *t, const char *text)
{
	cs_testing_init(t);
	cs_testing_load(t, text);
	if (t->set == NULL)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[0].text));
	assert_non_null(t->set);
	cs_testing_request(t);
	cs_testing_dns(t, "a.example");
}

/* No policy may govern, and the sentence must have these words. */
static void assert_why_not(struct cs_testing *t, const char *words)
{
	assert_false(cs_testing_judge(t));
	assert_true(cs_testing_found(t, "NO_POLICY", NULL));
	assert_int_equal(t->verdict.others_n, 1);
	assert_true(cs_span_equal_str(t->verdict.others[0].policy, "web"));
	if (strstr((const char *)t->verdict.others[0].why.p, words) == NULL)
		fail_msg("%.*s", CS_SPAN_FMT(t->verdict.others[0].why));
}

static void realm_and_namespace_are_globs_on_what_is_stated(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  match: {realm: [prod-*], namespace: ['*', x]}\n"));
	assert_why_not(&t,
		       "wants a realm, and the request states none (prod-*)");
	t.facts.request.realm = CS_SPAN_LIT("test-eu");
	assert_why_not(&t, "is for other realms than `test-eu`");
	t.facts.request.realm = CS_SPAN_LIT("prod-eu");
	assert_why_not(&t, "wants a namespace, and the request states none");
	t.facts.request.namespace = CS_SPAN_LIT("shop");
	assert_true(cs_testing_judge(&t));
	cs_testing_done(&t);
}

static void a_namespace_must_have_every_label(void **state)
{
	struct cs_fact_pair labels[] = {
		{CS_SPAN_LIT("tier"), CS_SPAN_LIT("web")},
		{CS_SPAN_LIT("team"), CS_SPAN_LIT("pay")},
		{CS_SPAN_LIT("other"), CS_SPAN_LIT("shop")},
	};
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  match: {namespaceLabels: {tier: web, team: shop}}\n"));
	assert_why_not(&t, "wants other labels of the namespace (");
	t.facts.request.labels = labels;
	t.facts.request.labels_n = 3;
	assert_why_not(&t, "wants other labels of the namespace");
	labels[1].value = CS_SPAN_LIT("shop");
	assert_true(cs_testing_judge(&t));
	t.facts.request.labels_n = 1;
	assert_false(cs_testing_judge(&t));
	cs_testing_done(&t);
}

static void an_exception_ends_with_its_last_day(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  match: {until: 2026-03-31}\n"));
	/* 2026-04-01T00:00:00Z */
	t.facts.request.now_s = 1775001599;
	assert_true(cs_testing_judge(&t));
	t.facts.request.now_s = 1775001600;
	assert_why_not(&t, "ended at 2026-04-01T00:00:00Z");
	cs_testing_load(&t, WEB("  match: {until: 2026-03-31T12:00Z}\n"));
	t.facts.request.now_s = 1775001600 - 12 * 3600 - 1;
	assert_true(cs_testing_judge(&t));
	t.facts.request.now_s++;
	assert_false(cs_testing_judge(&t));
	cs_testing_done(&t);
}

static void users_are_globs_that_stay_between_colons(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  match: {requester: {users: [bob, "
		      "'system:serviceaccount:shop:*']}}\n"));
	assert_why_not(&t, "does not list the user `alice`");
	t.facts.request.requester = CS_SPAN_LIT("bob");
	assert_true(cs_testing_judge(&t));
	t.facts.request.requester =
		CS_SPAN_LIT("system:serviceaccount:shop:default");
	assert_true(cs_testing_judge(&t));
	t.facts.request.requester =
		CS_SPAN_LIT("system:serviceaccount:shop:a:b");
	assert_false(cs_testing_judge(&t));
	t.facts.request.requester =
		CS_SPAN_LIT("system:serviceaccount:pay:default");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_match_user_glob(CS_SPAN_LIT("a*:*c:*"),
				       CS_SPAN_LIT("abb:bcc:")));
	assert_false(
		cs_match_user_glob(CS_SPAN_LIT("a*c"), CS_SPAN_LIT("ab:c")));
	assert_true(cs_match_user_glob(CS_SPAN_LIT("*:b"), CS_SPAN_LIT("a:b")));
	cs_testing_done(&t);
}

static void service_accounts_are_told_by_their_user_name_only(void **state)
{
	static const char *const others[] = {
		"alice",
		"system:serviceaccount:",
		"system:serviceaccount:shop",
		"system:serviceaccount:shop:",
		"system:serviceaccount::default",
		"system:serviceaccount:shop:a:b",
		"system:serviceaccount:shop/x:a",
		"system:serviceaccount:Shop:a",
		"Xsystem:serviceaccount:shop:a",
	};
	struct cs_span namespace = {0}, name = {0};
	struct cs_testing t;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(cs_requester_service_account(
			cs_span_str(others[i]), &namespace, &name));
	assert_int_equal(namespace.n + name.n, 0);
	start(&t, WEB("  match: {requester: {namespace: [sh*], "
		      "service_account: [web]}}\n"));
	/* What a request states of a namespace is not the requester's. */
	t.facts.request.namespace = CS_SPAN_LIT("shop");
	assert_why_not(&t, "is for other service accounts than `alice`");
	t.facts.request.requester =
		CS_SPAN_LIT("system:serviceaccount:shop:web");
	assert_true(cs_testing_judge(&t));
	t.facts.request.requester =
		CS_SPAN_LIT("system:serviceaccount:pay:web");
	assert_false(cs_testing_judge(&t));
	cs_testing_done(&t);
}

static void a_tie_is_an_error_with_a_witness(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(&t, TWO("{realm: [prod-*], namespace: [shop-*]}",
				"{realm: ['*-eu'], namespace: [x, '*-web']}"));
	assert_null(t.set);
	assert_true(cs_testing_reports(
		&t, "web.yaml:7:1: `other` and `one` (web.yaml:1) have the "
		    "same priority, 0, and can both match: issuer `*`, source "
		    "`*`, realm `prod-eu`, namespace `shop-web`; give one of "
		    "them another priority"));
	/* These prove nothing. */
	cs_testing_load(&t, TWO("{namespaceLabels: {a: b}, until: 2026-01-01}",
				"{namespaceLabels: {a: c}, issuer: web}"));
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "issuer `web`, source `*`; give"));
	cs_testing_done(&t);
}

static void globs_that_cannot_meet_are_no_tie(void **state)
{
	static const char *const texts[] = {
		TWO("{realm: [prod-*]}", "{realm: [test-*, dev]}"),
		TWO("{namespace: [a, b]}", "{namespace: ['c*']}"),
		TWO("{realm: [a], namespace: [a]}",
		    "{realm: [a], namespace: [b]}"),
	};
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		cs_testing_load(&t, texts[i]);
		assert_non_null(t.set);
	}
	cs_testing_done(&t);
}

static void cert_managers_own_requester_is_a_warning(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  match: {source: [kubernetes], requester: {groups: "
		      "[web]}}\n"));
	assert_true(cs_testing_reports(&t, "the requester is cert-manager "
					   "itself"));
	cs_testing_done(&t);
}

static void extra_of_the_requester_has_one_value_of_each_key(void **state)
{
	struct cs_span node[] = {CS_SPAN_LIT("x"), CS_SPAN_LIT("node-1")};
	struct cs_fact_extra extra[] = {
		{CS_SPAN_LIT("example.com/node"), node, 2},
		{CS_SPAN_LIT("scopes"), node, 1},
	};
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  match: {requester: {extra: {example.com/node: "
		      "[node-1, node-2], scopes: x}}}\n"));
	assert_why_not(&t, "wants other `extra` of `alice`");
	t.facts.request.extra = extra;
	t.facts.request.extra_n = 1;
	assert_why_not(&t, "wants other `extra`");
	t.facts.request.extra_n = 2;
	assert_true(cs_testing_judge(&t));
	node[1] = CS_SPAN_LIT("node-*");
	assert_why_not(&t, "wants other `extra`");
	cs_testing_load(&t, WEB("  match: {requester: {extra: {}}}\n"));
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "wants keys with values"));
	cs_testing_load(&t, WEB("  match: {requester: {extra: {a: []}}}\n"));
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "the list is empty"));
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			realm_and_namespace_are_globs_on_what_is_stated),
		cmocka_unit_test(a_namespace_must_have_every_label),
		cmocka_unit_test(an_exception_ends_with_its_last_day),
		cmocka_unit_test(users_are_globs_that_stay_between_colons),
		cmocka_unit_test(
			service_accounts_are_told_by_their_user_name_only),
		cmocka_unit_test(a_tie_is_an_error_with_a_witness),
		cmocka_unit_test(globs_that_cannot_meet_are_no_tie),
		cmocka_unit_test(cert_managers_own_requester_is_a_warning),
		cmocka_unit_test(
			extra_of_the_requester_has_one_value_of_each_key),
	};

	return cs_test_run("policy/select", tests);
}
