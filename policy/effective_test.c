#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "policy/effective.h"
#include "policy/testing.h"

/* What `key` ("validity.min") is in a document; "": absent. */
static const char *value(json_t *doc, const char *key, char text[256])
{
	json_t *at = json_object_get(doc, "spec");
	char path[128];
	char *part, *rest = path, *dump;

	(void)snprintf(path, sizeof(path), "%s", key);
	while ((part = strsep(&rest, ".")) != NULL)
		at = json_object_get(at, part);
	dump = json_dumps(at, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
	(void)snprintf(text, 256, "%s", dump != NULL ? dump : "");
	free(dump);
	return text;
}

/* The effective form of the first policy of a spec. */
static json_t *effective(struct cs_testing *t, const char *spec)
{
	char text[4096];
	json_t *doc;

	(void)snprintf(text, sizeof(text), CS_TESTING_POLICY("web", "%s"),
		       spec);
	cs_testing_load(t, text);
	if (t->set == NULL)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[0].text));
	assert_non_null(t->set);
	doc = cs_policy_effective(cs_policy_set_at(t->set, 0));
	assert_non_null(doc);
	return doc;
}

static void every_default_is_told(void **state)
{
	static const char *const expected[][2] = {
		{"mode", "\"enforce\""},
		{"priority", "0"},
		{"subject.unlisted", "\"reject\""},
		{"subject.commonName.max", "1"},
		{"subject.commonName.in_san", "\"require\""},
		{"subject.commonName.on_violation", "\"reject\""},
		{"subject.organization.on_violation", "\"reject\""},
		{"subject.organization.max", ""},
		{"san.unlisted", "\"reject\""},
		{"san.dns.wildcard", "\"forbid\""},
		{"san.dns.on_violation", "\"reject\""},
		{"san.other_name", "{\"allow\":[\"any\"],\"oid\":\"1.2.3\","
				   "\"on_violation\":\"reject\","
				   "\"type\":\"utf8\"}"},
		{"key.reject", "[\"roca\",\"fermat\",\"small-factors\"]"},
		{"key.reuse.other_subject", "\"allow\""},
		{"validity.default", "\"4m\""},
		{"validity.min", "\"4m\""},
		{"validity.max", "{\"on_violation\":\"reject\",\"value\":"
				 "\"4m\"}"},
		{"validity.backdate", "\"30s\""},
		{"validity.ca_expiry", "\"reject\""},
		{"extensions.unlisted", "\"reject\""},
		{"extensions.key_usage.critical", "true"},
		{"extensions.key_usage.on_violation", "\"reject\""},
		{"extensions.key_usage.default", "[\"digital signature\"]"},
		{"extensions.ext_key_usage.critical", "false"},
		{"extensions.ext_key_usage.default", "[\"server auth\"]"},
		{"extensions.basic_constraints.ca", "false"},
		{"extensions.no_rev_avail", "false"},
		{"limits", "{\"id\":\"a\",\"key\":\"\",\"on_violation\":"
			   "\"reject\",\"rate\":\"6/1h\"}"},
		{"windows", "[{\"deny\":\"2026-12-20T00:00Z/"
			    "2027-01-03T00:00Z\",\"id\":\"b\","
			    "\"on_violation\":\"hold\"}]"},
		{"lint.fail", "[\"error\"]"},
	};
	struct cs_testing t;
	char text[256];
	json_t *doc;

	(void)state;
	cs_testing_init(&t);
	doc = effective(&t,
			"  subject: {commonName: {allow: [any]},"
			" organization: {allow: [any]}}\n"
			"  san: {dns: {allow: [any]}, other_name: {oid: 1.2.3,"
			" type: utf8, allow: [any]}}\n"
			"  validity: {max: {value: 4m}}\n"
			"  limits: {id: a, key: '', rate: 6/1h}\n"
			"  windows: [{id: b, deny: "
			"2026-12-20T00:00Z/2027-01-03T00:00Z}]\n");
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (strcmp(value(doc, expected[i][0], text), expected[i][1]) !=
		    0)
			fail_msg("%s is %s", expected[i][0], text);
	json_decref(doc);
	cs_testing_done(&t);
}

/* Specs of many kinds, and what is asked of each. */
static const char *const specs[] = {
	"  priority: 1\n",
	"  san: {dns: {allow: [any]}}\n",
	"  subject: {commonName: {allow: [any]}}\n"
	"  san: {unlisted: drop, dns: {allow: [{dns: .example}],"
	" wildcard: leftmost, on_violation: drop}}\n",
	"  mode: warn\n"
	"  san: {dns: {allow: [{dns: .a.example}], max: 1}}\n"
	"  key: {allow: [{alg: RSA, bits: 3072}], reuse: {same_subject: "
	"reject}}\n",
	"  subject: {organization: {set: Acme}, unlisted: drop,"
	" commonName: {allow: [any], in_san: add, max: 2}}\n"
	"  san: {min_total: 1, dns: {allow: [any]}, ip: {allow: [any]}}\n"
	"  validity: {default: 1h, max: {value: 2h, on_violation: clamp},"
	" ca_expiry: clamp}\n",
	"  san: {dns: {allow: [any], min: 1}}\n"
	"  validity: {min: 100d, max: 200d}\n"
	"  extensions: {key_usage: {set: [digital signature], critical: "
	"false}, basic_constraints: {ca: true, path_len: 0}, unlisted: drop,"
	" add: [{oid: 1.2.3, der: '0500'}]}\n"
	"  lint: {fail: [error, warning]}\n",
	"  san: {dns: {allow: [any]}}\n"
	"  extensions: {ext_key_usage: {allow: [client auth], on_violation: "
	"drop}, no_rev_avail: true}\n"
	"  limits: [{id: a, key: x, rate: 6/1h, on_violation: hold}]\n",
};

#define SPECS (sizeof(specs) / sizeof(specs[0]))

/* Request number k of several. */
static void request(struct cs_testing *t, unsigned k)
{
	cs_testing_request(t);
	if ((k & 1) != 0)
		cs_testing_dns(t, "*.A.example");
	if ((k & 2) != 0) {
		cs_testing_attr(t, 3, "www.other.test");
		cs_testing_attr(t, 10, "Initech");
	}
	if ((k & 4) != 0) {
		cs_testing_usage(t, "client auth");
		cs_testing_ip(t, "10.1.2.3");
	}
	if ((k & 8) != 0) {
		t->facts.request.has_duration = true;
		t->facts.request.duration_s = 100 * 86400;
		cs_testing_dns(t, "b.example");
	}
	if ((k & 16) != 0) {
		t->facts.request.has_is_ca = t->facts.request.is_ca = true;
		t->facts.csr.key.alg = CS_KEY_RSA;
		t->facts.csr.key.bits = 3072;
	}
}

/* Codes and fields, diff, plan: the same but for where the rule stands. */
static void assert_same(const struct cs_verdict *a, const struct cs_verdict *b)
{
	assert_int_equal(a->findings.n, b->findings.n);
	for (size_t i = 0; i < a->findings.n; i++) {
		assert_string_equal(a->findings.items[i].code,
				    b->findings.items[i].code);
		assert_true(cs_span_equal(a->findings.items[i].message,
					  b->findings.items[i].message));
	}
	assert_int_equal(a->warnings.n, b->warnings.n);
	assert_int_equal(a->diff_n, b->diff_n);
	for (size_t i = 0; i < a->diff_n; i++) {
		assert_int_equal(a->diff[i].disposition,
				 b->diff[i].disposition);
		assert_true(cs_span_equal(a->diff[i].field, b->diff[i].field));
		assert_true(cs_span_equal(a->diff[i].given, b->diff[i].given));
	}
	assert_int_equal(a->limits_n, b->limits_n);
	assert_int_equal(a->lint_warnings_refuse, b->lint_warnings_refuse);
	assert_int_equal(a->plan.not_before_s, b->plan.not_before_s);
	assert_int_equal(a->plan.not_after_s, b->plan.not_after_s);
	assert_int_equal(a->plan.key_usage, b->plan.key_usage);
	assert_int_equal(a->plan.key_usage_critical,
			 b->plan.key_usage_critical);
	assert_int_equal(a->plan.extensions_n, b->plan.extensions_n);
}

static void the_effective_form_judges_as_the_policy_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPECS; i++) {
		struct cs_testing a, b;
		json_t *doc, *twice;
		char *text;

		cs_testing_init(&a);
		cs_testing_init(&b);
		doc = effective(&a, specs[i]);
		text = json_dumps(doc, JSON_INDENT(2));
		cs_testing_load(&b, text);
		if (b.set == NULL)
			fail_msg("spec %zu: %.*s", i,
				 CS_SPAN_FMT(b.report.items[0].text));
		twice = cs_policy_effective(cs_policy_set_at(b.set, 0));
		assert_true(json_equal(doc, twice));
		for (unsigned k = 0; k < 32; k++) {
			request(&a, k);
			request(&b, k);
			(void)cs_testing_judge(&a);
			(void)cs_testing_judge(&b);
			assert_same(&a.verdict, &b.verdict);
		}
		free(text);
		json_decref(doc);
		json_decref(twice);
		cs_testing_done(&b);
		cs_testing_done(&a);
	}
}

static void what_differs_in_effect_differs_in_the_effective_form(void **state)
{
	json_t *docs[SPECS];

	(void)state;
	for (size_t i = 0; i < SPECS; i++) {
		struct cs_testing t;

		cs_testing_init(&t);
		docs[i] = effective(&t, specs[i]);
		for (size_t k = 0; k < i; k++)
			assert_false(json_equal(docs[k], docs[i]));
		cs_testing_done(&t);
	}
	for (size_t i = 0; i < SPECS; i++)
		json_decref(docs[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default_is_told),
		cmocka_unit_test(
			the_effective_form_judges_as_the_policy_itself),
		cmocka_unit_test(
			what_differs_in_effect_differs_in_the_effective_form),
	};

	return cs_test_run("policy/effective", tests);
}
