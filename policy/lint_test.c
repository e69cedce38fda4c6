#include <tests/lib/test.h>

#include <stdio.h>
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
	if (cs_testing_reports(&t, words))
		for (size_t i = 0; i < t.report.n; i++)
			print_error("%.*s\n",
				    CS_SPAN_FMT(t.report.items[i].text));
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
	warns(WEB("  match: {namespaceLabels: {a: b}}\n")
		      BEHIND("{namespaceLabels: {a: b, c: d}}"),
	      "never governs");
	silent(WEB("  match: {namespaceLabels: {a: b, c: d}}\n")
		       BEHIND("{namespaceLabels: {a: b}}"),
	       "never governs");
	/* Globs that take what others stand for. */
	warns(WEB("  match: {namespace: [shop-*]}\n")
		      BEHIND("{namespace: [shop-a, shop-b-*]}"),
	      "never governs");
	silent(WEB("  match: {namespace: [shop-*]}\n")
		       BEHIND("{namespace: [shop*]}"),
	       "never governs");
	warns(WEB("  match: {requester: {users: ['a:*']}}\n")
		      BEHIND("{requester: {users: ['a:b*c']}}"),
	      "never governs");
	silent(WEB("  match: {requester: {users: ['a:*']}}\n")
		       BEHIND("{requester: {users: ['a:b:c']}}"),
	       "never governs");
	warns(WEB("  match: {requester: {extra: {a: [b, c]}}}\n")
		      BEHIND("{requester: {extra: {a: b, d: e}}}"),
	      "never governs");
	silent(WEB("  match: {requester: {extra: {a: [b]}}}\n")
		       BEHIND("{requester: {extra: {a: [b, c]}}}"),
	       "never governs");
	warns(WEB("  match: {until: 2027-01-01}\n")
		      BEHIND("{until: 2026-12-31}"),
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
	warns(WEB("  san: {email: {allow: [{email: {domain: .a.example}}],"
		  " deny: [{email: {domain: .example}}]}}\n"),
	      "`*@.a.example` of `allow` is inside `deny`");
	warns(WEB("  san: {uri: {allow: [{exact: 'spiffe://a.example/x'}],"
		  " deny: [{uri: {host: .example}}]}}\n"),
	      "`spiffe://a.example/x` of `allow` is inside `deny`");
	warns(WEB("  subject: {organization: {allow: [{exact: Acme}],"
		  " deny: [{iexact: ACME}]}}\n"),
	      "`Acme` of `allow` is inside `deny`");
	warns(WEB("  san: {other_name: {oid: 1.2.3, type: utf8, allow: "
		  "[{glob: a*}], deny: [any]}}\n"),
	      "`a*` of `allow` is inside `deny`");
	silent(WEB("  san: {email: {allow: [{email: {domain: .example}}],"
		   " deny: [{email: {domain: .a.example}}]}}\n"),
	       "inside `deny`");
	silent(WEB("  subject: {organization: {allow: [{iexact: Acme}],"
		   " deny: [{exact: ACME}]}}\n"),
	       "inside `deny`");
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
	      "web.yaml:5:1: `*.a.example` never matches: `wildcard` is "
	      "forbid");
	silent(DNS("allow: [{exact: \"*.a.example\"}], wildcard: leftmost"),
	       "never matches");
}

static void a_matcher_that_nothing_can_match(void **state)
{
	static const char words[] = "never matches";

	(void)state;
	warns(DNS("allow: [{regex: '[A-Z]+[.]example'}, {dns: .a.example}]"),
	      "web.yaml:5:1: `[A-Z]+[.]example` never matches: names are "
	      "compared in lower case");
	warns(DNS("allow: [any], deny: [{regex: 'a@b'}]"), words);
	silent(DNS("allow: [{regex: '(?i)WWW[.]example'}]"), words);
	silent(DNS("allow: [{regex: 'X?[^A]*|[*][.]a'}]"), words);
	silent(WEB("  san: {email: {allow: [{regex: 'X@a[.]example'}]}}\n"),
	       words);
	warns(WEB("  subject: {country: {allow: [{exact: Germany}]}}\n"),
	      "`Germany` never matches: RFC 5280 A.1");
	silent(WEB("  subject: {country: {allow: [{exact: DE}]}}\n"), words);
	warns(WEB("  subject: {commonName: {allow: [{dns: "
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		  "bbbbbbbbbbbbb}]}}\n"),
	      "never matches: RFC 5280 A.1: longer than 64 characters");
	warns(WEB("  key: {allow: [{alg: RSA, bits: '8192..'}]}\n"),
	      "RSA of 8192..16384 bits never matches");
	warns(WEB("  key: {allow: [{alg: RSA, bits: 2050..2055}]}\n"), words);
	silent(WEB("  key: {allow: [{alg: RSA, bits: '4096..'}]}\n"), words);
	warns(DNS("allow: [any], max: 0"), "`max: 0` lets nothing pass");
	warns("apiVersion: countersign.dev/v1\nkind: IssuanceGuards\n"
	      "metadata: {name: g}\nspec:\n  guards:\n    - {id: x, deny: "
	      "{san.dns: {regex: '[A-Z]'}}}\n",
	      "web.yaml:6:1: `[A-Z]` never matches");
}

static void a_rule_that_is_never_asked(void **state)
{
	(void)state;
	warns(WEB("  subject: {organization: {set: Acme, deny: [{exact: "
		  "x}]}}\n"),
	      "web.yaml:5:1: `deny` beside `set` without `allow`");
	warns(WEB("  subject: {organization: {deny: [{exact: x}]}}\n"),
	      "`deny` without `allow`");
	silent(WEB("  subject: {organization: {set: Acme, allow: [any], deny: "
		   "[{exact: x}]}}\n"),
	       "`deny`");
}

static void rules_of_what_nothing_can_pass(void **state)
{
	static const char words[] = "has no `allow`: nothing passes";

	(void)state;
	warns(WEB("  subject: {commonName: {in_san: add}}\n"),
	      "web.yaml:5:1: `web/subject.commonName` has no `allow`: nothing "
	      "passes");
	warns(WEB("  subject: {organization: {max: 1}}\n"), words);
	warns(WEB("  subject: {locality: {min: 1}}\n"), words);
	warns(DNS("max: 5"),
	      "web.yaml:5:1: `web/san.dns` has no `allow`: nothing "
	      "passes");
	warns(WEB("  san: {ip: {min: 1}}\n"), "`web/san.ip` has no `allow`");
	/* Nothing is to pass, and one value is there without being asked. */
	silent(DNS("max: 0"), words);
	silent(WEB("  san: {dns: {allow: [any]}, ip: {}}\n"), words);
	silent(WEB("  subject: {organization: {}}\n"), words);
	silent(WEB("  subject: {organization: {default: Acme, max: 1}}\n"),
	       words);
	silent(WEB("  subject: {organization: {set: Acme, max: 1}}\n"), words);
	silent(WEB("  subject: {organization: {max: 1, on_violation: drop}}\n"),
	       words);
	silent(DNS("max: 1, deny: [any]"), words);
}

static void keys_that_mean_cert_manager(void **state)
{
	static const char words[] = "is cert-manager itself";

	(void)state;
	warns(WEB("  match: {source: kubernetes, requester: {groups: [a]}}\n"),
	      "web.yaml:5:42: for requests that a Certificate made, the "
	      "requester is cert-manager itself");
	warns(WEB("  match: {source: kube*, requester: {groups: [a]}}\n"),
	      words);
	silent(WEB("  match: {source: api, requester: {groups: [a]}}\n"),
	       words);
	silent(WEB("  match: {requester: {groups: [a]}}\n"), words);
	warns(WEB("  match: {source: kubernetes}\n"
		  "  limits: [{id: a, key: '{{requester.username}}', rate: "
		  "6/1h}]\n"),
	      "web.yaml:6:1: for requests that a Certificate made, "
	      "`requester` is cert-manager itself");
	warns(WEB("  match: {source: kubernetes}\n"
		  "  vars: {ns: '{{requester.namespace}}'}\n"),
	      words);
	silent(WEB("  match: {source: kubernetes}\n"
		   "  vars: {ns: '{{request.namespace}}'}\n"),
	       words);
	silent(WEB("  match: {source: api}\n"
		   "  vars: {ns: '{{requester.username}}'}\n"),
	       words);
}

static void what_is_suspicious_where_it_is_written(void **state)
{
	(void)state;
	warns(DNS("allow: [any], on_violation: drop"),
	      "web.yaml:5:43: names that are dropped surprise");
	warns(WEB("  san: {unlisted: drop}\n"),
	      "names that are dropped surprise");
	silent(WEB("  subject: {unlisted: drop}\n"), "surprise");
	warns(WEB("  vars: {t: '{{request.attributes[\"team\"]}}'}\n"),
	      "request.attributes are claims that");
	warns(WEB("  san: {dns: {allow: [any]}}\n"),
	      "`web` accepts any name from anybody");
	silent(WEB("  match: {issuer: a}\n  san: {dns: {allow: [any]}}\n"),
	       "accepts any name");
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

#define ALL_RULES                                                              \
	"  subject: {organization: {default: Acme, allow: [{exact: Acme}],"    \
	" max: 1}}\n"                                                          \
	"  san:\n    min_total: 1\n"                                           \
	"    dns: {min: 1, allow: [{dns: .example}]}\n"                        \
	"    other_name: {oid: 1.2.3, type: utf8, allow: [{exact: x}]}\n"      \
	"  key: {allow: [{alg: RSA}], reject: [roca, blocklist]}\n"            \
	"  validity: {default: 1h, min: 10m, max: 2h}\n"                       \
	"  extensions: {add: [{oid: 1.2.3.4, der: '0500'}]}\n"                 \
	"  limits: [{id: a, key: '{{request.realm}}', rate: 6/1h}]\n"          \
	"  windows: [{id: b, deny: "                                           \
	"2026-12-20T00:00Z/2027-01-03T00:00Z}]\n"                              \
	"  tests:\n"

static void every_kind_of_rule_wants_a_test(void **state)
{
	static const char *const rules[] = {
		"subject.organization.default",
		"subject.organization.allow",
		"subject.organization.max",
		"san.min_total",
		"san.dns.min",
		"san.dns.allow",
		"san.other_name.1.2.3.allow",
		"key.allow",
		"key.reject",
		"validity.default",
		"validity.min",
		"validity.max",
		"extensions.add",
		"windows.b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		char words[96];

		(void)snprintf(words, sizeof(words),
			       "no test is decided by `web/%s`", rules[i]);
		warns(WEB(ALL_RULES
			  "    - name: refuses a CA without a realm\n"
			  "      request: {dns: [a.example], is_ca: true}\n"
			  "      expect: {codes: [POLICY_ERROR]}\n"),
		      words);
	}
	silent(WEB(ALL_RULES
		   "    - name: held at Christmas, with what is not said\n"
		   "      request: {dns: [a.example], key: RSA 2048, realm: a, "
		   "now: 2026-12-24T00:00Z}\n"
		   "      expect: {verdict: held, rules: [windows.b]}\n"
		   "    - name: refuses all the rest\n"
		   "      request: {subject: {organization: [x, z]}, key: EC "
		   "P-256, duration: 3h, realm: a, other_name: [{oid: 1.2.3, "
		   "value: z}]}\n"
		   "      expect: {verdict: refused}\n"
		   "    - name: refuses five minutes, nothing, a weak key\n"
		   "      request: {key: RSA 2048, weak: [roca], duration: 5m, "
		   "realm: a}\n"
		   "      expect: {codes: [VALIDITY_TOO_SHORT, SAN_REQUIRED, "
		   "SAN_DNS_REQUIRED, KEY_WEAK]}\n"
		   "    - name: refuses another zone\n"
		   "      request: {dns: [a.test], key: RSA 2048, realm: a}\n"
		   "      expect: {codes: [SAN_DNS_NOT_ALLOWED]}\n"),
	       "no test is decided");
}

static void a_guard_wants_a_test_too(void **state)
{
	(void)state;
	warns("apiVersion: countersign.dev/v1\nkind: IssuanceGuards\n"
	      "metadata: {name: g}\nspec:\n  guards:\n"
	      "    - {id: v, deny: {san.dns: {dns: .v}}}\n"
	      "    - {id: z, deny: {san.dns: {dns: .z}}}\n"
	      "  tests:\n    - {name: t, request: {dns: [a.v]}, expect: "
	      "{codes: [GUARD]}}\n",
	      "web.yaml:7:1: no test is decided by `guards/z`");
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
		cmocka_unit_test(a_matcher_that_nothing_can_match),
		cmocka_unit_test(a_rule_that_is_never_asked),
		cmocka_unit_test(rules_of_what_nothing_can_pass),
		cmocka_unit_test(keys_that_mean_cert_manager),
		cmocka_unit_test(what_is_suspicious_where_it_is_written),
		cmocka_unit_test(
			a_clamp_that_cert_manager_runs_in_circles_over),
		cmocka_unit_test(rules_that_no_test_reaches),
		cmocka_unit_test(every_kind_of_rule_wants_a_test),
		cmocka_unit_test(a_guard_wants_a_test_too),
		cmocka_unit_test(
			a_rule_that_is_extended_has_the_place_where_it_stands),
	};

	return cs_test_run("policy/lint", tests);
}
