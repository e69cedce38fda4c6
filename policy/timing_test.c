#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "policy/testing.h"

#define WEB(spec)                                                              \
	CS_TESTING_POLICY("web", "  san: {dns: {allow: [any]}}\n" spec)

/* 2026-12-24T00:00:00Z, within the window below. */
#define CHRISTMAS ((int64_t)1798070400)
#define FREEZE	  "{id: freeze, deny: 2026-12-20T00:00Z/2027-01-03T00:00:00+00:00"

static void start(struct cs_testing *t, const char *text)
{
	cs_testing_init(t);
	cs_testing_load(t, text);
	for (size_t i = 0; t->set == NULL && i < t->report.n; i++)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[i].text));
	assert_non_null(t->set);
	cs_testing_request(t);
	cs_testing_dns(t, "www.corp.example");
}

/* The verdict's n-th for the ledger. */
static void limit_is(const struct cs_testing *t, size_t i,
		     enum cs_limit_disposition disposition, uint32_t count,
		     uint32_t window_s, const char *rule, const char *key)
{
	const struct cs_limit *l = &t->verdict.limits[i];

	assert_true(i < t->verdict.limits_n);
	assert_int_equal(l->disposition, disposition);
	assert_int_equal(l->count, count);
	assert_int_equal(l->window_s, window_s);
	assert_true(cs_span_equal_str(l->rule, rule));
	assert_true(cs_span_equal_str(l->key, key));
}

static void limits_are_told_to_the_ledger(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  limits:\n"
		      "    - {id: all, key: \"\", rate: 100/24h}\n"
		      "    - {id: per-team, key: shop, rate: 6/1h, "
		      "on_violation: hold}\n"));
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 2);
	limit_is(&t, 0, CS_LIMIT_REFUSE, 100, 86400, "web/limits.all", "");
	limit_is(&t, 1, CS_LIMIT_HOLD, 6, 3600, "web/limits.per-team", "shop");
	cs_testing_done(&t);
}

static void a_window_holds_by_default_while_it_lasts(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  windows: [" FREEZE "}]\n"));
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 0);
	t.facts.request.now_s = CHRISTMAS;
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 1);
	limit_is(&t, 0, CS_LIMIT_WINDOW, 0, 10 * 86400, "web/windows.freeze",
		 "");
	/* Its first second is in it, its end is not. */
	t.facts.request.now_s = CHRISTMAS - 4 * 86400;
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 1);
	t.facts.request.now_s--;
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 0);
	t.facts.request.now_s = CHRISTMAS + 10 * 86400;
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 0);
	cs_testing_done(&t);
}

static void a_window_may_refuse(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  windows: [" FREEZE ", on_violation: reject}]\n"));
	assert_true(cs_testing_judge(&t));
	t.facts.request.now_s = CHRISTMAS;
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.findings.n, 1);
	assert_true(cs_testing_found(&t, "WINDOW", ""));
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].message,
				      "nothing is issued before "
				      "2027-01-03T00:00:00Z"));
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].rule,
				      "web/windows.freeze"));
	cs_testing_done(&t);
}

static void warnings_of_lint_refuse_where_the_policy_says_so(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  lint: {fail: [error]}\n"));
	assert_true(cs_testing_judge(&t));
	assert_false(t.verdict.lint_warnings_refuse);
	cs_testing_done(&t);
	start(&t, WEB("  lint: {fail: [error, warning]}\n"));
	assert_true(cs_testing_judge(&t));
	assert_true(t.verdict.lint_warnings_refuse);
	cs_testing_done(&t);
}

static void storms_of_one_owner_are_held_unless_the_policy_has_limits(
	void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB(""));
	t.facts.request.owner = CS_SPAN_LIT("shop-tls");
	t.facts.request.namespace = CS_SPAN_LIT("shop");
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 0);
	t.facts.request.source = CS_SPAN_LIT("kubernetes");
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 1);
	limit_is(&t, 0, CS_LIMIT_HOLD, 10, 3600, "built-in/limits.storm",
		 "/shop/shop-tls");
	t.facts.request.owner = CS_SPAN_LIT("");
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 0);
	cs_testing_done(&t);
	start(&t, WEB("  limits: {id: all, key: '', rate: 1000/1h}\n"));
	t.facts.request.owner = CS_SPAN_LIT("shop-tls");
	t.facts.request.source = CS_SPAN_LIT("kubernetes");
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 1);
	assert_true(
		cs_span_equal_str(t.verdict.limits[0].rule, "web/limits.all"));
	cs_testing_done(&t);
}

static void a_test_may_say_when_it_is(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t,
	      WEB("  windows: [" FREEZE ", on_violation: reject}]\n"
		  "  tests:\n"
		  "    - name: refuses at Christmas\n"
		  "      request: {dns: [a.example], now: 2026-12-24T12:00Z}\n"
		  "      expect: {codes: [WINDOW], rules: [windows.freeze]}\n"
		  "    - name: issues afterwards\n"
		  "      request: {dns: [a.example], now: 2027-01-03T00:00Z}\n"
		  "      expect: {verdict: issued}\n"));
	cs_testing_load(&t, WEB("  tests:\n"
				"    - name: never\n"
				"      request: {dns: [a.example], now: noon}\n"
				"      expect: {verdict: issued}\n"));
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "`noon` is no time"));
	cs_testing_done(&t);
}

static void a_test_may_say_that_a_window_holds(void **state)
{
	static const struct {
		const char *when, *expect, *words;
	} wrong[] = {
		{"2026-12-24T12:00Z", "verdict: issued", "a window holds it"},
		{"2027-01-03T00:00Z", "verdict: held", "no window holds it"},
		{"2026-12-24T12:00Z", "verdict: held, rules: []",
		 "it was not expected to be refused by windows.freeze"},
		{"2026-12-24T12:00Z", "verdict: refused", "it is issued"},
	};
	struct cs_testing t;

	(void)state;
	start(&t,
	      WEB("  windows: [" FREEZE "}]\n"
		  "  tests:\n"
		  "    - name: holds at Christmas\n"
		  "      request: {dns: [a.example], now: 2026-12-24T12:00Z}\n"
		  "      expect: {verdict: held, rules: [windows.freeze]}\n"));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[1024];

		(void)snprintf(text, sizeof(text),
			       WEB("  windows: [" FREEZE "}]\n"
				   "  tests:\n    - {name: t, request: {dns: "
				   "[a.example], now: %s}, expect: {%s}}\n"),
			       wrong[i].when, wrong[i].expect);
		cs_testing_load(&t, text);
		assert_null(t.set);
		assert_true(cs_testing_reports(&t, wrong[i].words));
	}
	cs_testing_done(&t);
}

static void reuse_of_a_key_is_for_the_ledger_to_see(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  key: {allow: [{alg: EC}], reuse: {other_subject: "
		      "reject, same_subject: allow}}\n"
		      "  windows: [" FREEZE "}]\n"));
	t.facts.request.now_s = CHRISTMAS;
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 2);
	limit_is(&t, 0, CS_LIMIT_KEY_OTHER_SUBJECT, 0, 0,
		 "web/key.reuse.other_subject", "");
	limit_is(&t, 1, CS_LIMIT_WINDOW, 0, 10 * 86400, "web/windows.freeze",
		 "");
	cs_testing_done(&t);
	start(&t, WEB("  key: {allow: [{alg: EC}], reuse: {same_subject: "
		      "reject}}\n"));
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 1);
	limit_is(&t, 0, CS_LIMIT_KEY_SAME_SUBJECT, 0, 0,
		 "web/key.reuse.same_subject", "");
	cs_testing_done(&t);
}

/* What does not load, and the words of why. */
static const struct {
	const char *spec, *words;
} refused[] = {
	{"limits: []", "the list is empty"},
	{"limits: [{key: a, rate: 1/1h}]", "`limits` without `id`"},
	{"limits: [{id: A, key: a, rate: 1/1h}]", "an id has 1 to 64"},
	{"limits: [{id: a, rate: 1/1h}]", "`id`, `key` and `rate`"},
	{"limits: [{id: a, key: a}]", "`id`, `key` and `rate`"},
	{"limits: [{id: a, key: a, rate: 1}]", "text is wanted"},
	{"limits: [{id: a, key: a, rate: 0/1h}]", "a rate is a count"},
	{"limits: [{id: a, key: a, rate: 1/0s}]", "a rate is a count"},
	{"limits: [{id: a, key: a, rate: 1/h}]", "a rate is a count"},
	{"limits: [{id: a, key: a, rate: x/1h}]", "a rate is a count"},
	{"limits: [{id: a, key: a, rate: 1/4000d}]", "a rate is a count"},
	{"limits: [{id: a, key: a, rate: 1/1h, on_violation: drop}]",
	 "`drop` is not reject or hold"},
	{"limits: [{id: a, key: a, rate: 1/1h}, {id: a, key: b, rate: 1/1h}]",
	 "the id is there twice"},
	{"limits: [{id: a, key: {cel: x}, rate: 1/1h}]", "not supported yet"},
	{"windows: [{id: a}]", "`id` and `deny`"},
	{"windows: [{id: a, deny: 2026-12-20T00:00Z}]", "two times"},
	{"windows: [{id: a, deny: 2026-12-20/2026-12-21}]", "two times"},
	{"windows: [{id: a, deny: 2026-12-20T00:00Z/2026-12-20T00:00Z}]",
	 "ends before it begins"},
	{"windows: [{id: a, deny: 2026-12-20T00:00Z/2026-12-21T00:00Z, "
	 "unless: 'true'}]",
	 "`windows.unless` is not supported yet"},
	{"lint: {}", "`lint` without `fail`"},
	{"lint: {fail: []}", "the list is empty"},
	{"lint: {fail: [warning]}", "errors always fail"},
	{"lint: {fail: [notice]}", "`notice` is not error or warning"},
	{"key: {allow: [{alg: EC}], reuse: {}}", "`key.reuse` is empty"},
	{"key: {allow: [{alg: EC}], reuse: {other_subject: maybe}}",
	 "`maybe` is not allow or reject"},
};

static void what_cannot_be_meant_does_not_load(void **state)
{
	struct cs_testing t;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		(void)snprintf(text, sizeof(text), WEB("  %s\n"),
			       refused[i].spec);
		cs_testing_init(&t);
		cs_testing_load(&t, text);
		if (t.set != NULL ||
		    !cs_testing_reports(&t, refused[i].words)) {
			for (size_t k = 0; k < t.report.n; k++)
				print_error(
					"%.*s\n",
					CS_SPAN_FMT(t.report.items[k].text));
			fail_msg("%s: no `%s`", refused[i].spec,
				 refused[i].words);
		}
		cs_testing_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_told_to_the_ledger),
		cmocka_unit_test(a_window_holds_by_default_while_it_lasts),
		cmocka_unit_test(a_window_may_refuse),
		cmocka_unit_test(
			warnings_of_lint_refuse_where_the_policy_says_so),
		cmocka_unit_test(
			storms_of_one_owner_are_held_unless_the_policy_has_limits),
		cmocka_unit_test(a_test_may_say_when_it_is),
		cmocka_unit_test(a_test_may_say_that_a_window_holds),
		cmocka_unit_test(reuse_of_a_key_is_for_the_ledger_to_see),
		cmocka_unit_test(what_cannot_be_meant_does_not_load),
	};

	return cs_test_run("policy/timing", tests);
}
