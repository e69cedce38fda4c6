#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "policy/testing.h"

#define WEB(spec) CS_TESTING_POLICY("web", spec)

/* Loading must fail with these words. */
static void refuses(const char *spec, const char *words)
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
		fail_msg("wanted: %s\nof:\n%s", words, text);
	}
	cs_testing_done(&t);
}

/* Load it, and ask for nothing yet, in the namespace `shop`. */
static void start(struct cs_testing *t, const char *text)
{
	cs_testing_init(t);
	cs_testing_load(t, text);
	for (size_t i = 0; i < t->report.n && t->set == NULL; i++)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[i].text));
	assert_non_null(t->set);
	cs_testing_request(t);
	t->facts.request.namespace = CS_SPAN_LIT("shop");
}

/* Give the namespace one label. */
static void label(struct cs_testing *t, const char *key, const char *value)
{
	struct cs_fact_pair *pair = cs_arena_new(&t->arena, sizeof(*pair));

	assert_non_null(pair);
	*pair = (struct cs_fact_pair){cs_span_str(key), cs_span_str(value)};
	t->facts.request.labels = pair;
	t->facts.request.labels_n = 1;
}

/* Refused with POLICY_ERROR and these words, and no other code. */
static void assert_error(struct cs_testing *t, const char *words)
{
	const struct cs_findings *f = &t->verdict.findings;

	assert_false(cs_testing_judge(t));
	assert_string_equal(t->verdict.code, "POLICY_ERROR");
	for (size_t i = 0; i < f->n; i++)
		assert_string_equal(f->items[i].code, "POLICY_ERROR");
	if (strstr((const char *)f->items[0].message.p, words) == NULL)
		fail_msg("%.*s", CS_SPAN_FMT(f->items[0].message));
}

#define ZONES                                                                  \
	"  tables: {zones: {shop: [shop.corp.example, shop.example], "         \
	"pay: [pay.example]}}\n"                                               \
	"  vars: {team: '{{request.namespace_labels[\"team\"]}}'}\n"           \
	"  san: {dns: {allow: [{dns: '.{{zones[team]}}'}]}}\n"

static void a_list_means_any_of_its_members(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB(ZONES));
	label(&t, "team", "shop");
	cs_testing_dns(&t, "a.shop.corp.example");
	cs_testing_dns(&t, "shop.example");
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.vars_n, 1);
	assert_true(cs_span_equal_str(t.verdict.vars[0].name, "team"));
	assert_true(cs_span_equal_str(t.verdict.vars[0].items[0], "shop"));
	cs_testing_dns(&t, "pay.example");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "SAN_DNS_NOT_ALLOWED", "san.dns[2]"));
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].expect,
				      ".shop.corp.example or .shop.example"));
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].rule,
				      "web/san.dns.allow"));
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].at,
				      "web.yaml:7"));
	cs_testing_done(&t);
}

static void a_missing_or_empty_value_refuses(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB(ZONES));
	cs_testing_dns(&t, "a.shop.corp.example");
	assert_error(&t, "{{request.namespace_labels[\"team\"]}} has no value: "
			 "there is no `team`");
	assert_int_equal(t.verdict.reached, CS_PHASE_FIELDS);
	label(&t, "team", "");
	assert_error(&t, "has no value");
	label(&t, "team", "other");
	assert_error(&t, "{{zones[team]}} has no value: there is no `other`");
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].rule,
				      "web/san.dns.allow"));
	cs_testing_done(&t);
	start(&t,
	      WEB("  san: {dns: {allow: [{exact: '{{request.owner}}'}]}}\n"));
	cs_testing_dns(&t, "a.example");
	assert_error(&t, "{{request.owner}} has no value");
	cs_testing_done(&t);
}

static void interpolated_values_are_never_patterns(void **state)
{
	static const struct {
		const char *matcher, *value, *words;
	} rows[] = {
		{"dns: {allow: [{dns: '%s'}]}", "*.example", "`*`"},
		{"dns: {allow: [{dns: '%s'}]}", "**.example", "`*`"},
		{"dns: {allow: [{dns: '%s'}]}", ".example", "no DNS name"},
		{"dns: {allow: [{dns: '.%s'}]}", "*.example", "`*`"},
		{"dns: {allow: [{dns: '.%s.example'}]}", "a..b", "no DNS name"},
		{"dns: {allow: [{exact: '%s'}]}", "*.example", "cannot hold"},
		{"ip: {allow: [{cidr: '%s'}]}", "0.0.0.0/0", "cannot hold `/`"},
		{"uri: {allow: [{uri: {path: '/ns/%s/*'}}]}", "a/b",
		 "a path's segment cannot hold `/`"},
		{"uri: {allow: [{uri: {path: '/ns/%s/*'}}]}", "a%2fb",
		 "cannot hold `%`"},
		{"uri: {allow: [{uri: {path: '/ns/%s/*'}}]}", "..",
		 "RFC 3986 5.2.4"},
		{"uri: {allow: [{uri: {path: '/ns/%s/*'}}]}", "a?b",
		 "cannot hold `?`"},
		{"uri: {allow: [{uri: {host: '%s'}}]}", "*.example",
		 "no host of a URI"},
		{"uri: {allow: [{exact: 'spiffe://a/%s'}]}", "a/b",
		 "cannot hold `/`"},
		{"email: {allow: [{email: {domain: '%s'}}]}", ".example",
		 "no DNS name"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cs_testing t;
		const char *at = strstr(rows[i].matcher, "%s");
		char text[1024];

		assert_non_null(at);
		(void)snprintf(text, sizeof(text),
			       WEB("  san: {%.*s{{request.namespace_labels.x}}"
				   "%s}\n"),
			       (int)(at - rows[i].matcher), rows[i].matcher,
			       at + 2);
		start(&t, text);
		label(&t, "x", rows[i].value);
		assert_error(&t, rows[i].words);
		cs_testing_done(&t);
	}
}

static void a_star_in_a_value_of_a_glob_is_a_star(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  subject: {organizationalUnit: {allow: [{glob: "
		      "'{{request.namespace_labels.x}}-*'}]}}\n"
		      "  san: {dns: {allow: [any]}}\n"));
	label(&t, "x", "a*");
	cs_testing_dns(&t, "a.example");
	cs_testing_attr(&t, 11, "a*-1");
	assert_true(cs_testing_judge(&t));
	cs_testing_attr(&t, 11, "ab-1");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "SUBJECT_NOT_ALLOWED",
				     "subject.organizationalUnit[1]"));
	cs_testing_done(&t);
}

static void a_value_in_a_regular_expression_is_a_literal(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  subject: {organizationalUnit: {allow: [{regex: "
		      "'{{request.namespace_labels.x}}-[0-9]+'}]}}\n"
		      "  san: {dns: {allow: [any]}}\n"));
	label(&t, "x", "a.*|b");
	cs_testing_dns(&t, "a.example");
	cs_testing_attr(&t, 11, "a.*|b-1");
	assert_true(cs_testing_judge(&t));
	cs_testing_attr(&t, 11, "b-1");
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.findings.n, 1);
	cs_testing_done(&t);
}

static void values_are_set_and_defaulted_as_they_are(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  vars: {unit: 'ns {{request.namespace}}'}\n"
		      "  subject:\n"
		      "    organization: {set: '{{unit}} of {{ "
		      "requester.username }}'}\n"
		      "    organizationalUnit: {default: '{{unit}}', "
		      "allow: [any], deny: [{exact: ns root}]}\n"
		      "  san: {dns: {allow: [any]}}\n"));
	cs_testing_dns(&t, "a.example");
	assert_true(cs_testing_judge(&t));
	assert_true(cs_span_equal_str(
		cs_testing_diff(&t, "subject.organization[0]")->given,
		"ns shop of alice"));
	assert_true(cs_span_equal_str(
		cs_testing_diff(&t, "subject.organizationalUnit[0]")->given,
		"ns shop"));
	/* deny holds for what the policy gives, too. */
	t.facts.request.namespace = CS_SPAN_LIT("root");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "SUBJECT_DENIED",
				     "subject.organizationalUnit[0]"));
	/* And what cannot be issued is refused: RFC 5280 Appendix A. */
	t.facts.request.namespace = CS_SPAN_LIT("s");
	t.facts.request.requester =
		CS_SPAN_LIT("a user name of more than sixty-four characters, "
			    "which no organization has");
	assert_error(&t, "longer than 64 characters");
	cs_testing_done(&t);
}

static void a_service_account_makes_its_own_names(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  san:\n"
		      "    uri: {allow: [{uri: {scheme: spiffe, host: "
		      "prod.example, path: '/ns/{{requester.namespace}}/sa/"
		      "{{requester.service_account}}'}}]}\n"));
	cs_testing_name(&t, CS_NAME_URI,
			"spiffe://prod.example/ns/shop/sa/web");
	assert_error(&t, "{{requester.namespace}} has no value");
	t.facts.request.requester =
		CS_SPAN_LIT("system:serviceaccount:shop:web");
	assert_true(cs_testing_judge(&t));
	t.facts.request.requester =
		CS_SPAN_LIT("system:serviceaccount:pay:web");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "SAN_URI_NOT_ALLOWED", "san.uri[0]"));
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].expect,
				      "spiffe://prod.example/ns/pay/sa/web"));
	cs_testing_done(&t);
}

static void a_limit_counts_by_the_request(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  san: {dns: {allow: [any]}}\n"
		      "  limits: [{id: per-owner, key: '{{request.namespace}}/"
		      "{{request.owner}}', rate: 6/1h}, {id: all, key: all, "
		      "rate: 9/1h}]\n"));
	cs_testing_dns(&t, "a.example");
	assert_error(&t, "{{request.owner}} has no value");
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].rule,
				      "web/limits.per-owner"));
	t.facts.request.owner = CS_SPAN_LIT("shop-tls");
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.limits_n, 2);
	assert_true(
		cs_span_equal_str(t.verdict.limits[0].key, "shop/shop-tls"));
	assert_true(cs_span_equal_str(t.verdict.limits[1].key, "all"));
	cs_testing_done(&t);
	refuses("  limits: [{id: a, key: '{{requester.groups}}', rate: 1/1h}]"
		"\n",
		"a list cannot be the key of a limit");
}

static void phase_d_judges_by_the_same_values(void **state)
{
	struct cs_cert_facts built;
	struct cs_testing t;

	(void)state;
	start(&t, WEB(ZONES));
	label(&t, "team", "shop");
	cs_testing_dns(&t, "a.shop.example");
	assert_true(cs_testing_judge(&t));
	built = cs_testing_built(&t);
	assert_true(cs_policy_judge_built(
		t.set, &t.facts, &built, t.verdict.plan.not_before_s,
		t.verdict.plan.not_after_s, &t.arena, &t.verdict, NULL));
	assert_int_equal(t.verdict.findings.n, 0);
	built.names[0].canonical = CS_SPAN_LIT("a.pay.example");
	assert_true(cs_policy_judge_built(
		t.set, &t.facts, &built, t.verdict.plan.not_before_s,
		t.verdict.plan.not_after_s, &t.arena, &t.verdict, NULL));
	assert_true(cs_testing_found(&t, "SAN_DNS_NOT_ALLOWED", "san.dns[0]"));
	cs_testing_done(&t);
}

static void paths_are_checked_when_they_are_loaded(void **state)
{
	static const struct {
		const char *path, *words;
	} rows[] = {
		{"teamm", "there is no `teamm`; did you mean `team`?"},
		{"zzz", "there is no `zzz`; a path begins with `request`"},
		{"request.namspace", "`request` has no `namspace`; did you mean"
				     " `namespace`?"},
		{"request", "`request` has no ``"},
		{"requester.name", "`requester` has no `name`"},
		{"csr", "`csr` has `subject` and `san`"},
		{"csr.key", "`csr` has `subject` and `san`"},
		{"csr.subject", "`csr.subject` wants .ATTRIBUTE or"},
		{"csr.subject[\"x\"]", "`csr.subject` wants .ATTRIBUTE or"},
		{"csr.subject[team]", "`csr.subject` wants .ATTRIBUTE or"},
		{"csr.subject.organisation", "did you mean `organization`?"},
		{"csr.subject.O", "did you mean `organization`?"},
		{"csr.san.dsn", "`csr.san` has `dns`, `ip`, `uri`, `email`, "},
		{"zones[csr.san.dns]", "must be one text, not a list"},
		{"csr.subject.commonName.x", "only tables, labels"},
		{"cert.san.dns", "not supported yet by this version"},
		{"now", "not supported yet by this version"},
		{"zones", "this is a map; name one of its members"},
		{"zones[team", "a `]` is missing"},
		{"zones[\"a\"", "a `]` is missing"},
		{"zones[\"a]", "a `\"` is missing"},
		{"zones[team]]", "a path is NAME, then"},
		{"zones[]", "a name is wanted"},
		{"zones.", "a name is wanted behind `.`"},
		{"", "a name is wanted"},
		{"team.x", "only tables, labels, attributes and extra"},
		{"zones[requester.groups]", "must be one text, not a list"},
		{"zones[zones]", "must be one text, not a map"},
		{"request.namespace shop", "a path is NAME, then"},
		{"later", "there is no `later`"},
		{"zones[zones2[zones2[zones2[zones2[zones2[zones2[zones2["
		 "zones2[zones2[team]]]]]]]]]]",
		 "too many brackets in brackets"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char spec[1024];

		(void)snprintf(spec, sizeof(spec),
			       "  tables: {zones: {shop: [a.example]}, zones2: "
			       "{a: b}}\n"
			       "  vars: {team: a, x: '{{%s}}', later: b}\n",
			       rows[i].path);
		refuses(spec, rows[i].words);
	}
	refuses("  subject: {organization: {set: '{{team'}}\n",
		"web.yaml:5:33: `{{` without `}}`");
	refuses("  subject: {organization: {set: '{{requester.groups}}'}}\n",
		"a list cannot be set");
	refuses("  validity: {max: '{{request.owner}}'}\n",
		"{{path}} cannot stand here");
	refuses("  match: {issuer: ['{{request.owner}}']}\n",
		"{{path}} cannot stand here");
	refuses("  san: {dns: {allow: [{dns: 'a.*.{{request.owner}}'}]}}\n",
		"`*` stands only in front");
}

static void tables_and_vars_are_checked(void **state)
{
	(void)state;
	refuses("  tables: []\n", "`tables` wants a map");
	refuses("  tables: {a: b}\n", "a table is a map");
	refuses("  tables: {a: {}}\n", "a table is a map");
	refuses("  tables: {a: {b: ''}}\n", "an empty text");
	refuses("  tables: {a: {b: {c: d}}}\n", "text is wanted");
	refuses("  tables: {request: {a: b}}\n", "`request` is taken");
	refuses("  tables: {a: {b: c}}\n  vars: {a: b}\n", "`a` is taken");
	refuses("  vars: {1a: b}\n", "begins with a letter");
	refuses("  vars: {a: 1}\n", "quote this");
	refuses("  vars: {a: {cel: b}}\n",
		"`cel` is not supported yet by this version");
}

static void claims_are_a_warning(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  san: {dns: {allow: [{dns: '{{request.attributes."
		      "name}}'}]}}\n"));
	assert_true(cs_testing_reports(&t, "claims that nobody verified"));
	cs_testing_done(&t);
}

static void the_csr_itself_is_a_fact(void **state)
{
	struct cs_testing t;

	(void)state;
	/* A unit must be among the names, with the zone of the organization. */
	start(&t, WEB("  tables: {zones: {Acme: a.example, Initech: i.example}"
		      "}\n"
		      "  subject:\n"
		      "    commonName: {allow: [{exact: '{{csr.san.dns}}'}], "
		      "in_san: ignore}\n"
		      "    organization: {allow: [any]}\n"
		      "    1.2.3.4: {allow: [any]}\n"
		      "  san:\n"
		      "    dns: {allow: [{dns: '.{{zones["
		      "csr.subject.organization]}}'}]}\n"
		      "    uri: {allow: [{exact: 'urn:x:{{csr.subject["
		      "\"1.2.3.4\"]}}'}]}\n"));
	cs_testing_attr(&t, 10, "Acme");
	cs_testing_attr(&t, 3, "b.a.example");
	t.facts.csr.subject[2] =
		(struct cs_fact_attr){.oid = CS_SPAN_LIT("\x2a\x03\x04"),
				      .value = CS_SPAN_LIT("own"),
				      .tag = 0x0c};
	t.facts.csr.subject_n = 3;
	cs_testing_dns(&t, "B.a.example");
	cs_testing_dns(&t, "c.a.example");
	cs_testing_name(&t, CS_NAME_URI, "urn:x:own");
	assert_true(cs_testing_judge(&t));
	cs_testing_dns(&t, "c.i.example");
	t.facts.csr.subject[1].value = CS_SPAN_LIT("d.a.example");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "SAN_DNS_NOT_ALLOWED", "san.dns[2]"));
	assert_true(cs_testing_found(&t, "CN_NOT_ALLOWED", NULL));
	assert_int_equal(t.verdict.findings.n, 2);
	/* Nobody could say which of two is meant. */
	cs_testing_attr(&t, 10, "Initech");
	assert_error(&t, "{{zones[csr.subject.organization]}} has more than "
			 "one value");
	t.facts.csr.subject_n = 0;
	assert_error(&t, "has no value");
	cs_testing_done(&t);
}

static void a_wildcard_in_the_csr_is_no_pattern(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  subject: {organization: {allow: [{glob: "
		      "'{{csr.san.dns}}'}]}}\n"
		      "  san: {dns: {allow: [any], wildcard: leftmost}}\n"));
	cs_testing_dns(&t, "*.example");
	cs_testing_attr(&t, 10, "*.example");
	assert_true(cs_testing_judge(&t));
	cs_testing_attr(&t, 10, "a.example");
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.findings.n, 1);
	cs_testing_done(&t);
	start(&t, WEB("  san: {dns: {allow: [any], wildcard: leftmost}, "
		      "email: {allow: [{email: {domain: '{{csr.san.dns}}'}}]}}"
		      "\n"));
	cs_testing_dns(&t, "*.example");
	assert_error(&t, "`*` stands only in front");
	cs_testing_done(&t);
}

static void too_many_values_refuse(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, WEB("  san: {dns: {allow: [{dns: "
		      "'{{requester.groups}}.{{requester.groups}}.example'}]}}"
		      "\n"));
	for (int i = 0; i < 16; i++)
		cs_testing_group(&t, "a");
	cs_testing_dns(&t, "a.a.example");
	assert_true(cs_testing_judge(&t));
	t.facts.request.groups =
		cs_arena_new_array(&t.arena, 17, sizeof(struct cs_span));
	for (size_t i = 0; i < 17; i++)
		t.facts.request.groups[i] = CS_SPAN_LIT("a");
	t.facts.request.groups_n = 17;
	assert_error(&t, "makes more than 256 values");
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_means_any_of_its_members),
		cmocka_unit_test(a_missing_or_empty_value_refuses),
		cmocka_unit_test(interpolated_values_are_never_patterns),
		cmocka_unit_test(a_star_in_a_value_of_a_glob_is_a_star),
		cmocka_unit_test(a_value_in_a_regular_expression_is_a_literal),
		cmocka_unit_test(values_are_set_and_defaulted_as_they_are),
		cmocka_unit_test(a_service_account_makes_its_own_names),
		cmocka_unit_test(a_limit_counts_by_the_request),
		cmocka_unit_test(phase_d_judges_by_the_same_values),
		cmocka_unit_test(paths_are_checked_when_they_are_loaded),
		cmocka_unit_test(tables_and_vars_are_checked),
		cmocka_unit_test(claims_are_a_warning),
		cmocka_unit_test(the_csr_itself_is_a_fact),
		cmocka_unit_test(a_wildcard_in_the_csr_is_no_pattern),
		cmocka_unit_test(too_many_values_refuse),
	};

	return cs_test_run("policy/template", tests);
}
