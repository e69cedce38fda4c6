#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "policy/testing.h"

#define POLICY(name, spec) CS_TESTING_POLICY(name, spec)

/* Load it; ask for a name of the zone. */
static void start(struct cs_testing *t, const char *text)
{
	cs_testing_init(t);
	cs_testing_load(t, text);
	for (size_t i = 0; i < t->report.n && t->set == NULL; i++)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[i].text));
	assert_non_null(t->set);
	cs_testing_request(t);
	cs_testing_dns(t, "a.corp.example");
}

/* Is there a warning with this code and field? */
static bool warned(const struct cs_testing *t, const char *code,
		   const char *field)
{
	for (size_t i = 0; i < t->verdict.warnings.n; i++) {
		const struct cs_finding *f = &t->verdict.warnings.items[i];

		if (strcmp(f->code, code) == 0 &&
		    cs_span_equal_str(f->field, field))
			return true;
	}
	return false;
}

/* Is the field kept as it was asked for? */
static bool kept(const struct cs_testing *t, const char *field)
{
	for (size_t i = 0; i < t->verdict.kept_n; i++) {
		if (cs_span_equal_str(t->verdict.kept[i], field))
			return true;
	}
	return false;
}

/* A strict policy in this mode, with every rule of fields. */
#define STRICT(mode)                                                           \
	POLICY("web", mode                                                     \
	       "  subject:\n"                                                  \
	       "    commonName: {allow: [{dns: .corp.example}], in_san: "      \
	       "require}\n"                                                    \
	       "    organization: {allow: [{exact: Corp}], on_violation: "     \
	       "drop}\n"                                                       \
	       "  san:\n"                                                      \
	       "    max_total: 2\n"                                            \
	       "    dns: {min: 2, allow: [{dns: .corp.example}], deny: "       \
	       "[{dns: root.corp.example}], on_violation: drop}\n"             \
	       "    ip: {max: 0, allow: [any]}\n"                              \
	       "  key: {allow: [{alg: Ed25519}]}\n"                            \
	       "  validity: {max: {value: 90d, on_violation: clamp}}\n"        \
	       "  extensions:\n"                                               \
	       "    key_usage: {allow: [key agreement]}\n"                     \
	       "    ext_key_usage: {allow: [server auth], on_violation: "      \
	       "drop}\n")

/* A request that violates all of them. */
static void ask(struct cs_testing *t)
{
	cs_testing_dns(t, "root.corp.example");
	cs_testing_dns(t, "*.corp.example");
	cs_testing_dns(t, "other.example");
	cs_testing_ip(t, "10.0.0.1");
	cs_testing_attr(t, 3, "elsewhere.example");
	cs_testing_attr(t, 10, "Acme");
	cs_testing_attr(t, 11, "Unit");
	cs_testing_usage(t, "digital signature");
	cs_testing_usage(t, "client auth");
	t->facts.request.has_duration = true;
	t->facts.request.duration_s = 365 * 86400;
}

static void warn_keeps_values_as_asked_and_tells(void **state)
{
	static const char *const told[][2] = {
		{"CN_NOT_ALLOWED", "subject.commonName[0]"},
		{"CN_CONFLICT", "subject.commonName[0]"},
		{"SUBJECT_NOT_ALLOWED", "subject.organization[0]"},
		{"SUBJECT_UNLISTED", "subject.organizationalUnit[0]"},
		{"SAN_DNS_DENIED", "san.dns[1]"},
		{"SAN_DNS_DENIED", "san.dns[2]"},
		{"SAN_DNS_NOT_ALLOWED", "san.dns[3]"},
		{"SAN_IP_TOO_MANY", "san.ip"},
		{"SAN_TOO_MANY", "san"},
		{"KEY_NOT_ALLOWED", "key"},
		{"VALIDITY_TOO_LONG", "validity"},
		{"KEY_USAGE_NOT_ALLOWED", "extensions.key_usage"},
		{"EXT_KEY_USAGE_NOT_ALLOWED", "extensions.ext_key_usage[0]"},
	};
	struct cs_cert_facts built;
	struct cs_testing t;

	(void)state;
	start(&t, STRICT("  mode: warn\n"));
	ask(&t);
	if (!cs_testing_judge(&t))
		fail_msg("%.*s",
			 CS_SPAN_FMT(t.verdict.findings.items[0].message));
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
		if (!warned(&t, told[i][0], told[i][1]))
			fail_msg("no %s at %s", told[i][0], told[i][1]);
	}
	assert_int_equal(t.verdict.warnings.n, sizeof(told) / sizeof(*told));
	assert_false(cs_verdict_is_changed(&t.verdict));
	assert_int_equal(t.verdict.plan.subject_n, 3);
	assert_int_equal(t.verdict.plan.names_n, 5);
	assert_int_equal(t.verdict.plan.not_after_s -
				 t.verdict.plan.not_before_s,
			 365 * 86400);
	assert_true(kept(&t, "key") && kept(&t, "san.dns[1]") &&
		    kept(&t, "validity") &&
		    kept(&t, "extensions.ext_key_usage[0]"));
	/* Phase D waives the same, and tells nothing twice. */
	built = cs_testing_built(&t);
	assert_true(cs_policy_judge_built(
		t.set, &t.facts, &built, t.verdict.plan.not_before_s,
		t.verdict.plan.not_after_s, &t.arena, &t.verdict, NULL));
	assert_int_equal(t.verdict.findings.n, 0);
	assert_int_equal(t.verdict.warnings.n, sizeof(told) / sizeof(*told));
	/* The same request is refused, or changed, when it is enforced. */
	cs_testing_load(&t, STRICT(""));
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.warnings.n, 0);
	cs_testing_done(&t);
}

static void warn_waives_nothing_else(void **state)
{
	static const struct cs_fact_ext ext = {
		.oid = {(const uint8_t *)"\x2a\x03\x04", 3}};
	struct cs_fact_ext exts[1] = {ext};
	struct cs_testing t;

	(void)state;
	start(&t, STRICT("  mode: warn\n"));
	t.facts.csr.key.alg = CS_KEY_ED25519;
	cs_testing_dns(&t, "b.corp.example");
	t.facts.csr.extensions = exts;
	t.facts.csr.extensions_n = 1;
	t.facts.csr.ca = true;
	t.facts.csr.has_basic_constraints = true;
	cs_testing_name(&t, CS_NAME_OTHER, "x");
	/* Kinds of names that are unlisted are no rules of fields. */
	cs_testing_name(&t, CS_NAME_URI, "https://a.example/");
	t.facts.request.issuer_not_after_s = t.facts.request.now_s + 86400;
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "EXTENSION_UNLISTED", NULL));
	assert_true(
		cs_testing_found(&t, "BASIC_CONSTRAINTS_NOT_ALLOWED", NULL));
	assert_true(cs_testing_found(&t, "SAN_OTHER_UNLISTED", NULL));
	assert_true(cs_testing_found(&t, "SAN_URI_UNLISTED", NULL));
	assert_true(cs_testing_found(&t, "CA_EXPIRY", NULL));
	assert_int_equal(t.verdict.findings.n, 5);
	/* Nor a policy that cannot be evaluated. */
	cs_testing_load(&t, POLICY("web", "  mode: warn\n"
					  "  san: {dns: {allow: [{exact: "
					  "'{{request.owner}}'}]}}\n"));
	assert_non_null(t.set);
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "POLICY_ERROR", NULL));
	/* Nor that nobody governs. */
	cs_testing_load(&t, POLICY("web", "  mode: warn\n"
					  "  match: {issuer: [other]}\n"));
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "NO_POLICY", NULL));
	cs_testing_done(&t);
}

#define ENFORCED POLICY("web", "  san: {dns: {allow: [any]}}\n")

static void shadows_are_judged_and_change_nothing(void **state)
{
	struct cs_testing t;
	const struct cs_policy_shadow *s;

	(void)state;
	start(&t,
	      ENFORCED "---\n" POLICY(
		      "new",
		      "  priority: 100\n"
		      "  mode: shadow\n"
		      "  subject: {organization: {set: Corp}}\n"
		      "  san: {dns: {allow: [{dns: .new.example}]}}"
		      "\n") "---\n" POLICY("fine",
					   "  mode: shadow\n"
					   "  subject: "
					   "{organization: {set: "
					   "Corp}}\n"
					   "  san: {dns: {allow: "
					   "[any]}}\n") "---\n" POLICY("far",
								       "  "
								       "mode: "
								       "shadow"
								       "\n"
								       "  "
								       "match: "
								       "{issuer"
								       ": "
								       "[other]"
								       "}\n"));
	assert_true(cs_testing_judge(&t));
	assert_true(cs_span_equal_str(t.verdict.policy->name, "web"));
	assert_int_equal(t.verdict.plan.subject_n, 0);
	assert_int_equal(t.verdict.findings.n + t.verdict.warnings.n, 0);
	assert_int_equal(t.verdict.shadows_n, 2);
	s = t.verdict.shadows;
	assert_true(cs_span_equal_str(s[0].policy->name, "new"));
	assert_true(s[0].refused && !s[0].changed);
	assert_string_equal(s[0].findings.items[0].code, "SAN_DNS_NOT_ALLOWED");
	assert_true(cs_span_equal_str(s[1].policy->name, "fine"));
	assert_true(!s[1].refused && s[1].changed);
	cs_testing_done(&t);
}

static void a_shadow_alone_governs_nothing(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, POLICY("new", "  mode: shadow\n"
				"  san: {dns: {allow: [any]}}\n"));
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "NO_POLICY", NULL));
	assert_int_equal(t.verdict.others_n, 1);
	assert_true(cs_span_equal_str(t.verdict.others[0].why,
				      "matches, but is in shadow"));
	assert_int_equal(t.verdict.shadows_n, 1);
	assert_false(t.verdict.shadows[0].refused);
	cs_testing_done(&t);
}

static void there_are_only_so_many_shadows(void **state)
{
	struct cs_testing t;
	char text[8192] = "";

	(void)state;
	cs_testing_init(&t);
	for (int i = 0; i < CS_MAX_POLICY_SHADOWS + 1; i++) {
		size_t used = strlen(text);

		(void)snprintf(text + used, sizeof(text) - used,
			       "---\napiVersion: countersign.dev/v1\n"
			       "kind: IssuancePolicy\n"
			       "metadata: {name: p%d}\n"
			       "spec: {mode: shadow}\n",
			       i);
	}
	cs_testing_load(&t, text);
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "more than 16 policies are in "
					   "shadow"));
	cs_testing_load(&t, POLICY("web", "  mode: watch\n"));
	assert_true(cs_testing_reports(&t, "web.yaml:5:9: `watch` is not "
					   "enforce or warn or shadow"));
	cs_testing_done(&t);
}

static void a_policys_tests_can_expect_warnings(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t,
	      POLICY("web", "  mode: warn\n"
			    "  san: {dns: {allow: [{dns: .corp.example}]}}\n"
			    "  tests:\n"
			    "    - name: x\n"
			    "      request: {dns: [other.example]}\n"
			    "      expect: {verdict: issued, codes: [], "
			    "warnings: [SAN_DNS_NOT_ALLOWED]}\n"));
	cs_testing_load(&t,
			POLICY("web", "  mode: warn\n"
				      "  san: {dns: {allow: [{dns: "
				      ".corp.example}]}}\n"
				      "  tests:\n"
				      "    - name: x\n"
				      "      request: {dns: [a.corp.example]}\n"
				      "      expect: {warnings: "
				      "[SAN_DNS_NOT_ALLOWED]}\n"));
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "it does not give "
					   "SAN_DNS_NOT_ALLOWED"));
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(warn_keeps_values_as_asked_and_tells),
		cmocka_unit_test(warn_waives_nothing_else),
		cmocka_unit_test(shadows_are_judged_and_change_nothing),
		cmocka_unit_test(a_shadow_alone_governs_nothing),
		cmocka_unit_test(there_are_only_so_many_shadows),
		cmocka_unit_test(a_policys_tests_can_expect_warnings),
	};

	return cs_test_run("policy/mode", tests);
}
