#include "policy/self_test.h"

#include "policy/decide.h"

/* Memory of one test's judgement. */
#define TEST_ARENA ((size_t)CS_MAX_REQUEST_ARENA)

/* A test failed: at its place, with its name. */
static void fail(struct cs_load *l, const struct cs_policy_test *t,
		 const char *sentence, struct cs_span more)
{
	cs_load_error(l, t->node, "test `%.*s` failed: %s%.*s",
		      CS_SPAN_FMT(t->name), sentence, CS_SPAN_FMT(more));
}

/* A rule's path, without the policy's name. */
static struct cs_span path_of(struct cs_span id)
{
	size_t slash;

	if (!cs_span_find(id, '/', &slash))
		return id;
	return cs_span_sub(id, slash + 1, SIZE_MAX);
}

/* Is text one of the n? */
static bool among(const struct cs_span *items, size_t n, struct cs_span text)
{
	for (size_t i = 0; i < n; i++) {
		if (cs_span_equal(items[i], text))
			return true;
	}
	return false;
}

/* The codes of a list of findings must be those of the test, as sets. */
static void check_codes(struct cs_load *l, const struct cs_policy_test *t,
			const struct cs_findings *f,
			const struct cs_span *codes, size_t codes_n)
{
	for (size_t i = 0; i < f->n; i++) {
		struct cs_span code = cs_span_str(f->items[i].code);

		if (!among(codes, codes_n, code))
			fail(l, t, "it was not expected that it gives ", code);
	}
	for (size_t i = 0; i < codes_n; i++) {
		bool found = false;

		for (size_t k = 0; k < f->n; k++)
			found = found ||
				cs_span_equal_str(codes[i], f->items[k].code);
		if (!found)
			fail(l, t, "it does not give ", codes[i]);
	}
}

/* Is this one of what the ledger is told because now is in a window? */
static bool holds(const struct cs_limit *limit)
{
	return limit->disposition == CS_LIMIT_WINDOW;
}

/* Is it held by a window, and not refused? */
static bool is_held(const struct cs_verdict *v)
{
	for (size_t i = 0; i < v->limits_n; i++) {
		if (holds(&v->limits[i]) && !cs_verdict_is_refused(v))
			return true;
	}
	return false;
}

/* A rule decided: it must be one of the test's. */
static void expect_rule(struct cs_load *l, const struct cs_policy_test *t,
			struct cs_span id)
{
	struct cs_span rule = path_of(id);

	if (!among(t->rules, t->rules_n, rule))
		fail(l, t, "it was not expected to be refused by ", rule);
}

/* Did it refuse or hold? */
static bool decided(const struct cs_verdict *v, struct cs_span rule)
{
	for (size_t i = 0; i < v->findings.n; i++) {
		if (cs_span_equal(rule, path_of(v->findings.items[i].rule)))
			return true;
	}
	for (size_t i = 0; i < v->limits_n; i++) {
		if (holds(&v->limits[i]) &&
		    cs_span_equal(rule, path_of(v->limits[i].rule)))
			return true;
	}
	return false;
}

/* The rules that refused or held must be those of the test, as sets. */
static void check_rules(struct cs_load *l, const struct cs_policy_test *t,
			const struct cs_verdict *v)
{
	for (size_t i = 0; i < v->findings.n; i++)
		expect_rule(l, t, v->findings.items[i].rule);
	for (size_t i = 0; i < v->limits_n; i++) {
		if (holds(&v->limits[i]))
			expect_rule(l, t, v->limits[i].rule);
	}
	for (size_t i = 0; i < t->rules_n; i++) {
		if (!decided(v, t->rules[i]))
			fail(l, t, "it is not refused by ", t->rules[i]);
	}
}

/* Issued, refused or held? */
static void check_verdict(struct cs_load *l, const struct cs_policy_test *t,
			  const struct cs_verdict *v)
{
	const struct cs_span none = CS_SPAN_LIT("");
	bool refused = cs_verdict_is_refused(v);

	if (!t->has_verdict)
		return;
	if (!t->refused && refused)
		fail(l, t, "it is refused: ", v->findings.items[0].message);
	else if (t->refused && !refused)
		fail(l, t, "it is issued, not refused", none);
	else if (!t->refused && t->held != is_held(v))
		fail(l, t, t->held ? "no window holds it" : "a window holds it",
		     none);
}

/* A field of the diff must have been given this value. */
static void check_given(struct cs_load *l, const struct cs_policy_test *t,
			const struct cs_verdict *v,
			const struct cs_test_given *g)
{
	for (size_t i = 0; i < v->diff_n; i++) {
		const struct cs_diff_entry *e = &v->diff[i];

		if (!cs_span_equal(e->field, g->field) || !e->has_given)
			continue;
		if (cs_span_equal(e->given, g->value))
			return;
		cs_load_error(l, t->node,
			      "test `%.*s` failed: %.*s is %.*s, not %.*s",
			      CS_SPAN_FMT(t->name), CS_SPAN_FMT(g->field),
			      CS_SPAN_FMT(e->given), CS_SPAN_FMT(g->value));
		return;
	}
	fail(l, t, "nothing was changed or added in ", g->field);
}

/* One test in an arena of its own. */
static void run(struct cs_load *l, const struct cs_policy *policy,
		const struct cs_policy_test *t, struct cs_arena *arena)
{
	const struct cs_span none = CS_SPAN_LIT("");
	struct cs_error err = {0};
	struct cs_verdict v;
	bool refused;

	if (!cs_decide_alone(policy, &t->facts, arena, &v, &err)) {
		fail(l, t, "", cs_span_str(err.text));
		return;
	}
	refused = cs_verdict_is_refused(&v);
	check_verdict(l, t, &v);
	if (t->has_changed && !refused && t->changed &&
	    !cs_verdict_is_changed(&v))
		fail(l, t, "nothing was changed", none);
	if (t->has_changed && !t->changed && cs_verdict_is_changed(&v))
		fail(l, t, "something was changed", none);
	if (t->has_codes)
		check_codes(l, t, &v.findings, t->codes, t->codes_n);
	if (t->has_warnings)
		check_codes(l, t, &v.warnings, t->warnings, t->warnings_n);
	if (t->has_rules)
		check_rules(l, t, &v);
	for (size_t i = 0; i < t->given_n && !refused; i++)
		check_given(l, t, &v, &t->given[i]);
	if (t->given_n > 0 && refused && !t->has_verdict)
		fail(l, t, "it is refused: ", v.findings.items[0].message);
}

void cs_self_test_run(struct cs_load *l, const struct cs_policy *policy)
{
	struct cs_arena arena;

	cs_arena_init(&arena, TEST_ARENA);
	for (size_t i = 0; i < policy->tests_n; i++) {
		run(l, policy, &policy->tests[i], &arena);
		cs_arena_reset(&arena);
	}
	cs_arena_done(&arena);
}
