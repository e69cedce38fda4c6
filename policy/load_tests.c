#include <string.h>

#include "policy/codes.h"
#include "policy/self_test.h"

const struct cs_load_key cs_keys_test[] = {
	{"name", false, "text"},
	{"request", false, "request"},
	{"expect", false, "expect"},
	{NULL, false, NULL},
};

const struct cs_load_key cs_keys_expect[] = {
	{"verdict", false, "verdict"},
	{"codes", false, "text*"},
	{"rules", false, "text*"},
	{"changed", false, "boolean"},
	{"given", false, "texts_by_name"},
	{"warnings", false, "text*"},
	{NULL, false, NULL},
};

/* A list of texts, which may be empty here. */
static bool load_list(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_span **ret_items, size_t *ret_n)
{
	*ret_n = 0;
	if (node == NULL)
		return false;
	if (node->kind == CS_YAML_LIST && node->n == 0)
		return true;
	return cs_load_texts(l, node, ret_items, ret_n);
}

/* given: {"subject.organization[0]": Example Corp} */
static void load_given(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_policy_test *t)
{
	if (node == NULL)
		return;
	if (node->kind != CS_YAML_MAP) {
		cs_load_error(l, node, "`given` wants a map of fields");
		return;
	}
	t->given = cs_arena_new_array(l->arena, node->n, sizeof(*t->given));
	if (t->given == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next) {
		struct cs_test_given *g = &t->given[t->given_n];

		g->field = c->key;
		if (cs_load_text(l, c, &g->value))
			t->given_n++;
	}
}

/* Codes, each of which must be in the table. */
static bool load_codes(struct cs_load *l, const struct cs_yaml *node,
		       struct cs_span **ret_codes, size_t *ret_n)
{
	bool there = load_list(l, node, ret_codes, ret_n);

	for (size_t k = 0; k < *ret_n; k++) {
		struct cs_span text = (*ret_codes)[k];
		char code[64] = "";

		if (text.n < sizeof(code))
			memcpy(code, text.p, text.n);
		if (!cs_code_is_known(code))
			cs_load_error(l, node, "`%.*s` is no code",
				      CS_SPAN_FMT(text));
	}
	return there;
}

static void load_expect(struct cs_load *l, const struct cs_yaml *node,
			struct cs_policy_test *t)
{
	static const char *const verdicts[] = {"issued", "refused", "held",
					       NULL};
	const struct cs_yaml *verdict = cs_yaml_get(node, "verdict");
	unsigned i = 0;

	l->path = "expect";
	if (!cs_load_map(l, node, cs_keys_expect))
		return;
	t->has_verdict =
		verdict != NULL && cs_load_word(l, verdict, verdicts, &i);
	t->refused = i == 1;
	t->held = i == 2;
	t->has_changed =
		cs_load_bool(l, cs_yaml_get(node, "changed"), &t->changed);
	t->has_codes = load_codes(l, cs_yaml_get(node, "codes"), &t->codes,
				  &t->codes_n);
	t->has_warnings = load_codes(l, cs_yaml_get(node, "warnings"),
				     &t->warnings, &t->warnings_n);
	t->has_rules = load_list(l, cs_yaml_get(node, "rules"), &t->rules,
				 &t->rules_n);
	load_given(l, cs_yaml_get(node, "given"), t);
	if (!t->has_verdict && !t->has_codes && !t->has_rules &&
	    !t->has_changed && !t->has_warnings && t->given_n == 0)
		cs_load_error(l, node, "the test expects nothing");
}

/* One test. */
static void load_test(struct cs_load *l, const struct cs_yaml *node,
		      struct cs_policy_test *t)
{
	const struct cs_yaml *request = cs_yaml_get(node, "request");
	const struct cs_yaml *expect = cs_yaml_get(node, "expect");
	const struct cs_yaml *name = cs_yaml_get(node, "name");

	l->path = "tests";
	t->node = node;
	if (!cs_load_map(l, node, cs_keys_test))
		return;
	if (name == NULL || request == NULL || expect == NULL) {
		cs_load_error(l, node,
			      "a test has `name`, `request` and `expect`");
		return;
	}
	(void)cs_load_text(l, name, &t->name);
	cs_load_test_request(l, request, &t->facts);
	load_expect(l, expect, t);
}

void cs_load_tests(struct cs_load *l, const struct cs_yaml *node,
		   struct cs_policy *policy)
{
	if (node == NULL)
		return;
	if (node->kind != CS_YAML_LIST) {
		cs_load_error(l, node, "`tests` wants a list, not %s",
			      cs_yaml_kind_name(node->kind));
		return;
	}
	policy->tests =
		cs_arena_new_array(l->arena, node->n, sizeof(*policy->tests));
	if (policy->tests == NULL) {
		cs_load_no_memory(l);
		return;
	}
	for (const struct cs_yaml *c = node->child; c != NULL; c = c->next)
		load_test(l, c, &policy->tests[policy->tests_n++]);
	policy->info.tests = policy->tests_n;
}
