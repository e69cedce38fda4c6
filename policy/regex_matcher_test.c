/* The matcher `regex` in policies; the expressions: policy/regex_test.c. */
#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "policy/testing.h"

#define WEB(spec) CS_TESTING_POLICY("web", spec)

/* Load it; a request of namespace `shop` is next. */
static void start(struct cs_testing *t, const char *spec)
{
	char text[2048];

	(void)snprintf(text, sizeof(text), WEB("%s"), spec);
	cs_testing_init(t);
	cs_testing_load(t, text);
	for (size_t i = 0; i < t->report.n && t->set == NULL; i++)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[i].text));
	assert_non_null(t->set);
}

/* Is a request for that one name issued? */
static bool issues(struct cs_testing *t, enum cs_name_kind kind,
		   const char *name)
{
	cs_testing_request(t);
	t->facts.request.namespace = CS_SPAN_LIT("shop");
	if (kind == CS_NAME_DNS)
		cs_testing_dns(t, name);
	else
		cs_testing_name(t, kind, name);
	return cs_testing_judge(t);
}

/* The same for one attribute of the subject. */
static bool issues_attr(struct cs_testing *t, unsigned arc, const char *value)
{
	cs_testing_request(t);
	t->facts.request.namespace = CS_SPAN_LIT("shop");
	cs_testing_dns(t, "a.example");
	cs_testing_attr(t, arc, value);
	return cs_testing_judge(t);
}

static void a_pattern_is_anchored_at_both_ends(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, "  san:\n"
		  "    dns: {allow: [{regex: '[a-z]+\\d{2}\\.corp'}]}\n"
		  "    email: {allow: [{regex: '[a-z.]+@corp\\.example'}]}\n");
	assert_true(issues(&t, CS_NAME_DNS, "web17.corp"));
	assert_true(issues(&t, CS_NAME_DNS, "WEB17.corp"));
	assert_false(issues(&t, CS_NAME_DNS, "web17.corp.evil"));
	assert_false(issues(&t, CS_NAME_DNS, "x.web17.corp"));
	assert_true(issues(&t, CS_NAME_EMAIL, "a.b@corp.example"));
	assert_false(issues(&t, CS_NAME_EMAIL, "a.b@corp.example.org"));
	assert_false(issues(&t, CS_NAME_EMAIL, "a1@corp.example"));
	cs_testing_done(&t);
}

static void a_subject_is_matched_as_it_is_written(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, "  subject:\n"
		  "    organization:\n"
		  "      allow: [{regex: '(?i)acme( (gmbh|ltd))?'}]\n"
		  "      deny: [{regex: '.*ltd'}]\n"
		  "  san: {dns: {allow: [any]}}\n");
	assert_true(issues_attr(&t, 10, "ACME GmbH"));
	assert_true(issues_attr(&t, 10, "Acme"));
	assert_true(issues_attr(&t, 10, "Acme Ltd"));
	assert_false(issues_attr(&t, 10, "acme ltd"));
	assert_false(issues_attr(&t, 10, "Acme Inc"));
	cs_testing_done(&t);
}

static void a_wildcard_is_allowed_where_it_is_spelt_out(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, "  san:\n"
		  "    dns:\n"
		  "      allow: [{regex: '.*\\.corp'},\n"
		  "        {regex: '(\\*|[a-z]+)\\.shop\\.example'}]\n"
		  "      deny: [{regex: 'admin\\.(corp|shop\\.example)'}]\n"
		  "      wildcard: leftmost\n");
	assert_true(issues(&t, CS_NAME_DNS, "a.corp"));
	assert_false(issues(&t, CS_NAME_DNS, "*.corp"));
	/* `admin` is a member of it. */
	assert_false(issues(&t, CS_NAME_DNS, "*.shop.example"));
	cs_testing_done(&t);
	start(&t, "  san:\n"
		  "    dns:\n"
		  "      allow: [{regex: '(\\*|[a-z]+)\\.shop\\.example'}]\n"
		  "      deny: [{regex: 'admin\\.corp'}]\n"
		  "      wildcard: leftmost\n");
	assert_true(issues(&t, CS_NAME_DNS, "*.shop.example"));
	cs_testing_done(&t);
}

static void a_uri_that_reads_in_two_ways_is_not_allowed(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, "  san:\n"
		  "    uri:\n"
		  "      allow: [{regex: 'spiffe://prod\\.example/.*'}]\n"
		  "      deny: [{regex: 'spiffe://[^/]+/ns/root/.*'}]\n");
	assert_true(issues(&t, CS_NAME_URI, "spiffe://prod.example/ns/shop/a"));
	assert_false(issues(&t, CS_NAME_URI, "spiffe://prod.example/ns/root/"));
	assert_false(issues(&t, CS_NAME_URI,
			    "spiffe://prod.example/ns/x/../root/a"));
	assert_false(
		issues(&t, CS_NAME_URI, "spiffe://prod.example/ns/%72oot/a"));
	cs_testing_done(&t);
}

static void an_interpolated_value_is_no_pattern(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, "  san:\n"
		  "    dns: {allow: [{regex: "
		  "'[a-z]+\\.{{request.namespace}}\\.corp'}]}\n");
	assert_true(issues(&t, CS_NAME_DNS, "a.shop.corp"));
	assert_false(issues(&t, CS_NAME_DNS, "a.pay.corp"));
	cs_testing_request(&t);
	t.facts.request.namespace = CS_SPAN_LIT(".*");
	cs_testing_dns(&t, "a.pay.corp");
	assert_false(cs_testing_judge(&t));
	cs_testing_done(&t);
}

/* Loading must fail at that place, with those words. */
static void refuses(const char *spec, const char *words, unsigned line,
		    unsigned column)
{
	struct cs_testing t;
	char text[2048];

	(void)snprintf(text, sizeof(text), WEB("%s"), spec);
	cs_testing_init(&t);
	cs_testing_load(&t, text);
	if (t.set != NULL || !cs_testing_reports(&t, words)) {
		for (size_t i = 0; i < t.report.n; i++)
			print_error("%.*s\n",
				    CS_SPAN_FMT(t.report.items[i].text));
		fail_msg("wanted: %s", words);
	}
	assert_int_equal(t.report.items[0].line, line);
	assert_int_equal(t.report.items[0].column, column);
	cs_testing_done(&t);
}

static void a_pattern_that_is_wrong_is_an_error_with_its_place(void **state)
{
	(void)state;
	refuses("  san:\n"
		"    dns: {allow: [any, {regex: 'a(?=b)'}]}\n",
		"`a(?=b)`: at byte 2: `(?=` is look-around", 6, 32);
	refuses("  san:\n"
		"    dns: {allow: [{regex: 'a*+'}]}\n",
		"`a*+`: at byte 3: `+` repeats a repetition", 6, 27);
	refuses("  san:\n"
		"    dns: {allow: [{regex: '(?:abcdefghi){1000}'}]}\n",
		"the pattern needs more than 8192 states", 6, 27);
	refuses("  san:\n"
		"    dns: {allow: [{regex: '[{{request.namespace}}]+'}]}\n",
		"a value cannot stand inside of a class", 6, 27);
	refuses("  san:\n"
		"    ip: {allow: [{regex: '10\\..*'}]}\n",
		"`regex` cannot match in `san.ip`", 6, 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_is_anchored_at_both_ends),
		cmocka_unit_test(a_subject_is_matched_as_it_is_written),
		cmocka_unit_test(a_wildcard_is_allowed_where_it_is_spelt_out),
		cmocka_unit_test(a_uri_that_reads_in_two_ways_is_not_allowed),
		cmocka_unit_test(an_interpolated_value_is_no_pattern),
		cmocka_unit_test(
			a_pattern_that_is_wrong_is_an_error_with_its_place),
	};

	return cs_test_run("policy/regex_matcher", tests);
}
