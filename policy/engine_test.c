#include <tests/lib/test.h>

#include <string.h>

#include "policy/testing.h"

/* A policy `web` for everybody, from its spec's text. */
#define WEB(spec) CS_TESTING_POLICY("web", spec)
#define SAN_ANY	  "  san: {dns: {allow: [any]}}\n"

/* Load, and start a request for www.corp.example. */
static void start(struct cs_testing *t, const char *text)
{
	if (t->hash == NULL)
		cs_testing_init(t);
	cs_testing_load(t, text);
	for (size_t i = 0; t->set == NULL && i < t->report.n; i++)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[i].text));
	assert_non_null(t->set);
	cs_testing_request(t);
	cs_testing_dns(t, "www.corp.example");
}

/* The request must be issued; what refuses it is shown. */
static void issued(struct cs_testing *t)
{
	if (cs_testing_judge(t))
		return;
	for (size_t i = 0; i < t->verdict.findings.n; i++)
		print_error("%s: %.*s\n", t->verdict.findings.items[i].code,
			    CS_SPAN_FMT(t->verdict.findings.items[i].message));
	fail_msg("refused");
}

/* It must be refused by exactly n findings, this one among them. */
static void refused(struct cs_testing *t, size_t n, const char *code,
		    const char *field)
{
	if (!cs_testing_judge(t) && t->verdict.findings.n == n &&
	    cs_testing_found(t, code, field))
		return;
	for (size_t i = 0; i < t->verdict.findings.n; i++)
		print_error("%s %.*s: %.*s\n",
			    t->verdict.findings.items[i].code,
			    CS_SPAN_FMT(t->verdict.findings.items[i].field),
			    CS_SPAN_FMT(t->verdict.findings.items[i].message));
	fail_msg("not refused by %zu findings with %s", n, code);
}

/* The diff's line of a field: "ASKED>GIVEN" ("-": none), disposition, rule. */
static void diff_is(const struct cs_testing *t, const char *field,
		    const char *disposition, const char *asked,
		    const char *given, const char *rule)
{
	const struct cs_diff_entry *e = cs_testing_diff(t, field);

	if (e == NULL)
		fail_msg("no line about %s", field);
	assert_string_equal(cs_disposition_name(e->disposition), disposition);
	assert_true(e->has_asked == (asked != NULL));
	assert_true(e->has_given == (given != NULL));
	if (asked != NULL)
		assert_true(cs_span_equal_str(e->asked, asked));
	if (given != NULL)
		assert_true(cs_span_equal_str(e->given, given));
	if (!cs_span_equal_str(e->rule, rule))
		fail_msg("%s: rule %.*s", field, CS_SPAN_FMT(e->rule));
}

static bool kept(const struct cs_testing *t, const char *field)
{
	for (size_t i = 0; i < t->verdict.kept_n; i++) {
		if (cs_span_equal_str(t->verdict.kept[i], field))
			return true;
	}
	return false;
}

/* -- selection ------------------------------------------------------------ */

static void the_highest_priority_that_matches_governs(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t,
	      CS_TESTING_POLICY(
		      "low",
		      "  priority: -5\n" SAN_ANY) "---"
						  "\n" CS_TESTING_POLICY(
							  "adm"
							  "in"
							  "s",
							  "  "
							  "pri"
							  "ori"
							  "ty:"
							  " 10"
							  "\n"
							  "  "
							  "mat"
							  "ch:"
							  " {"
							  "req"
							  "ues"
							  "ter"
							  ": "
							  "{gr"
							  "oup"
							  "s: "
							  "[ad"
							  "min"
							  "s]}"
							  "}"
							  "\n" SAN_ANY) "---"
									"\n" CS_TESTING_POLICY(
										"vm",
										"  priority: 5\n"
										"  match: {issuer: 'vm-*', source: [api, kube*]}\n" SAN_ANY) "---\n" CS_TESTING_POLICY("bob",
																				       "  priority: 3\n"
																				       "  match: {requester: {users: [bob], groups: [dev]}}\n" SAN_ANY));
	issued(&t);
	assert_true(cs_span_equal_str(t.verdict.policy->name, "low"));
	t.facts.request.issuer = CS_SPAN_LIT("vm-1");
	issued(&t);
	assert_true(cs_span_equal_str(t.verdict.policy->name, "vm"));
	cs_testing_group(&t, "users");
	cs_testing_group(&t, "admins");
	issued(&t);
	assert_true(cs_span_equal_str(t.verdict.policy->name, "admins"));
	t.facts.request.groups_n = 1;
	t.facts.request.source = CS_SPAN_LIT("est");
	t.facts.request.requester = CS_SPAN_LIT("bob");
	issued(&t);
	assert_true(cs_span_equal_str(t.verdict.policy->name, "low"));
	cs_testing_group(&t, "dev");
	issued(&t);
	assert_true(cs_span_equal_str(t.verdict.policy->name, "bob"));
	cs_testing_done(&t);
}

static void no_policy_says_why_not(void **state)
{
	struct cs_testing t = {0};
	const struct cs_finding *f;

	(void)state;
	start(
		&t, CS_TESTING_POLICY("vm", "  match: {issuer: vm}\n" SAN_ANY) "---\n" CS_TESTING_POLICY(
			    "adm", "  priority: 1\n  match: {requester: "
				   "{groups: [admins]}}\n" SAN_ANY));
	refused(&t, 1, "NO_POLICY", "");
	f = &t.verdict.findings.items[0];
	/* Policies are other people's: they stand beside the sentence. */
	assert_true(
		cs_span_equal_str(f->message, "no policy matches the request"));
	assert_int_equal(t.verdict.others_n, 2);
	assert_true(cs_span_equal_str(t.verdict.others[0].policy, "adm"));
	assert_true(cs_span_equal_str(t.verdict.others[0].why,
				      "lists no group of `alice` (admins)"));
	assert_true(cs_span_equal_str(t.verdict.others[1].policy, "vm"));
	assert_true(
		cs_span_equal_str(t.verdict.others[1].why,
				  "is for other issuers than `default` (vm)"));
	assert_int_equal(t.verdict.reached, CS_PHASE_SELECT);
	assert_null(t.verdict.policy);
	cs_testing_done(&t);
}

/* -- absent and unlisted -------------------------------------------------- */

static void absent_sections_allow_nothing_or_are_the_default(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB("  priority: 1\n"));
	cs_testing_attr(&t, 3, "www.corp.example");
	cs_testing_attr(&t, 10, "Acme");
	cs_testing_ip(&t, "10.0.0.1");
	refused(&t, 4, "SAN_DNS_UNLISTED", "san.dns[0]");
	assert_true(cs_testing_found(&t, "SAN_IP_UNLISTED", "san.ip[0]"));
	assert_true(
		cs_testing_found(&t, "CN_UNLISTED", "subject.commonName[0]"));
	assert_true(cs_testing_found(&t, "SUBJECT_UNLISTED",
				     "subject.organization[0]"));
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].rule,
				      "web/subject.unlisted"));
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].at,
				      "web.yaml:4"));
	start(&t, WEB(SAN_ANY));
	issued(&t);
	assert_int_equal(t.verdict.plan.key_usage, CS_KU_DIGITAL_SIGNATURE);
	assert_true(t.verdict.plan.key_usage_critical);
	diff_is(&t, "validity", "defaulted", NULL, "90d",
		"built-in/validity.default");
	diff_is(&t, "extensions.ext_key_usage[0]", "defaulted", NULL,
		"server auth", "built-in/extensions.ext_key_usage.default");
	assert_false(cs_verdict_is_changed(&t.verdict));
	assert_true(kept(&t, "key") && kept(&t, "san.dns[0]"));
	t.facts.csr.key.bits = 521;
	refused(&t, 1, "KEY_NOT_ALLOWED", "key");
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].rule,
				      "built-in/key.allow"));
	assert_int_equal(t.verdict.findings.items[0].at.n, 0);
	cs_testing_done(&t);
}

static void unlisted_is_refused_or_dropped_as_the_policy_says(void **state)
{
	static const struct cs_fact_ext ext = {
		.oid = {(const uint8_t *)"\x2a\x03\x04", 3}};
	struct cs_fact_ext exts[1] = {ext};
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY));
	t.facts.csr.extensions = exts;
	t.facts.csr.extensions_n = 1;
	cs_testing_name(&t, CS_NAME_DIRECTORY, "CN=x");
	refused(&t, 2, "EXTENSION_UNLISTED", "extensions.1.2.3.4");
	assert_true(cs_testing_found(&t, "SAN_DIRECTORY_UNLISTED",
				     "san.directory_name[0]"));
	start(&t, WEB("  subject: {unlisted: drop}\n"
		      "  san: {unlisted: drop, dns: {allow: [any]}}\n"
		      "  extensions: {unlisted: drop}\n"));
	t.facts.csr.extensions = exts;
	t.facts.csr.extensions_n = 1;
	cs_testing_attr(&t, 10, "Acme");
	cs_testing_ip(&t, "10.0.0.1");
	issued(&t);
	diff_is(&t, "subject.organization[0]", "dropped", "Acme", NULL,
		"web/subject.unlisted");
	diff_is(&t, "san.ip[0]", "dropped", "10.0.0.1", NULL,
		"web/san.unlisted");
	diff_is(&t, "extensions.1.2.3.4", "dropped", "", NULL,
		"web/extensions.unlisted");
	assert_true(cs_verdict_is_changed(&t.verdict));
	assert_int_equal(t.verdict.plan.names_n, 1);
	assert_int_equal(t.verdict.plan.subject_n, 0);
	cs_testing_done(&t);
}

/* -- the order in one field ----------------------------------------------- */

static void set_without_allow_ignores_what_was_asked(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY "  subject: {organization: {set: Example Corp}, "
			      "country: {set: DE}}\n"));
	cs_testing_attr(&t, 10, "Acme");
	cs_testing_attr(&t, 10, "Second");
	issued(&t);
	diff_is(&t, "subject.organization[0]", "overridden", "Acme",
		"Example Corp", "web/subject.organization.set");
	diff_is(&t, "subject.organization[1]", "overridden", "Second", NULL,
		"web/subject.organization.set");
	diff_is(&t, "subject.country[0]", "overridden", NULL, "DE",
		"web/subject.country.set");
	assert_int_equal(t.verdict.plan.subject_n, 2);
	assert_true(cs_span_equal_str(t.verdict.plan.subject[0].value,
				      "Example Corp"));
	assert_true(cs_verdict_is_changed(&t.verdict));
	cs_testing_request(&t);
	cs_testing_dns(&t, "a.example");
	cs_testing_attr(&t, 10, "Example Corp");
	cs_testing_attr(&t, 6, "DE");
	issued(&t);
	assert_true(kept(&t, "subject.organization[0]"));
	assert_false(cs_verdict_is_changed(&t.verdict));
	cs_testing_done(&t);
}

static void set_with_allow_judges_what_was_asked_first(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY "  subject: {organization: {set: Example Corp, "
			      "allow: [{exact: Acme}]}}\n"));
	cs_testing_attr(&t, 10, "Acme");
	issued(&t);
	diff_is(&t, "subject.organization[0]", "overridden", "Acme",
		"Example Corp", "web/subject.organization.set");
	cs_testing_attr(&t, 10, "Evil");
	refused(&t, 1, "SUBJECT_NOT_ALLOWED", "subject.organization[1]");
	cs_testing_done(&t);
}

static void neither_allow_nor_set_lets_nothing_pass(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t,
	      WEB("  san: {dns: {}}\n  subject: {organization: {max: 1}}\n"));
	cs_testing_attr(&t, 10, "Acme");
	refused(&t, 2, "SAN_DNS_NOT_ALLOWED", "san.dns[0]");
	assert_true(cs_testing_found(&t, "SUBJECT_NOT_ALLOWED", NULL));
	cs_testing_done(&t);
}

static void an_attribute_may_be_required(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY "  subject:\n"
			      "    commonName: {min: 1, allow: [any], in_san: "
			      "ignore}\n"
			      "    organization: {min: 2, allow: [{exact: "
			      "Acme}]}\n"));
	refused(&t, 2, "CN_REQUIRED", "subject.commonName");
	assert_true(cs_testing_found(&t, "SUBJECT_REQUIRED",
				     "subject.organization"));
	cs_testing_attr(&t, 3, "www");
	cs_testing_attr(&t, 10, "Acme");
	refused(&t, 1, "SUBJECT_REQUIRED", "subject.organization");
	/* What is not allowed is told once. */
	cs_testing_attr(&t, 10, "Evil");
	refused(&t, 1, "SUBJECT_NOT_ALLOWED", "subject.organization[1]");
	t.facts.csr.subject[2].value = CS_SPAN_LIT("Acme");
	issued(&t);
	cs_testing_load(&t, WEB(SAN_ANY "  subject: {organization: {min: 1, "
					"set: Example Corp}}\n"));
	cs_testing_request(&t);
	cs_testing_dns(&t, "www.corp.example");
	issued(&t);
	cs_testing_load(&t, WEB(SAN_ANY "  subject: {organization: {min: 2, "
					"max: 1}}\n"));
	assert_true(cs_testing_reports(&t, "`min` is greater than `max`"));
	cs_testing_done(&t);
}

static void deny_wins_and_each_value_has_one_violation(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB("  san:\n"
		      "    dns:\n"
		      "      allow: [{dns: .corp.example}]\n"
		      "      deny: [{dns: secret.corp.example}]\n"));
	cs_testing_dns(&t, "secret.corp.example");
	cs_testing_dns(&t, "*.corp.example");
	cs_testing_dns(&t, "*.a.corp.example");
	cs_testing_dns(&t, "other.example");
	refused(&t, 4, "SAN_DNS_DENIED", "san.dns[1]");
	assert_true(cs_testing_found(&t, "SAN_DNS_DENIED", "san.dns[2]"));
	assert_true(cs_testing_found(&t, "SAN_DNS_WILDCARD", "san.dns[3]"));
	assert_true(cs_testing_found(&t, "SAN_DNS_NOT_ALLOWED", "san.dns[4]"));
	assert_true(cs_span_equal_str(t.verdict.findings.items[3].at,
				      "web.yaml:7"));
	assert_true(cs_span_equal_str(t.verdict.findings.items[3].expect,
				      ".corp.example"));
	assert_true(
		cs_span_equal_str(t.verdict.findings.items[3].message,
				  "other.example is not below .corp.example"));
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].at,
				      "web.yaml:8"));
	cs_testing_done(&t);
}

static void default_fills_what_is_empty(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY
		      "  subject:\n"
		      "    organizationalUnit: {default: Web, allow: [{iexact: "
		      "dev}], on_violation: drop}\n"));
	issued(&t);
	diff_is(&t, "subject.organizationalUnit[0]", "defaulted", NULL, "Web",
		"web/subject.organizationalUnit.default");
	cs_testing_attr(&t, 11, "DEV");
	issued(&t);
	assert_true(kept(&t, "subject.organizationalUnit[0]"));
	assert_int_equal(t.verdict.plan.subject_n, 1);
	t.facts.csr.subject[0].value = CS_SPAN_LIT("Other");
	issued(&t);
	diff_is(&t, "subject.organizationalUnit[0]", "dropped", "Other", NULL,
		"web/subject.organizationalUnit.allow");
	assert_int_equal(t.verdict.diff_n, 5);
	assert_true(cs_span_equal_str(t.verdict.plan.subject[0].value, "Web"));
	cs_testing_done(&t);
}

static void counts_are_of_what_stands(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB("  san: {max_total: 3, min_total: 2, dns: {min: 1, max: "
		      "2, allow: [{dns: .corp.example}], on_violation: drop}, "
		      "ip: {allow: [any]}}\n"));
	refused(&t, 1, "SAN_TOO_FEW", "san");
	cs_testing_dns(&t, "a.corp.example");
	issued(&t);
	cs_testing_dns(&t, "b.example");
	issued(&t);
	diff_is(&t, "san.dns[2]", "dropped", "b.example", NULL,
		"web/san.dns.allow");
	cs_testing_dns(&t, "c.corp.example");
	refused(&t, 1, "SAN_DNS_TOO_MANY", "san.dns");
	cs_testing_ip(&t, "10.0.0.1");
	refused(&t, 2, "SAN_TOO_MANY", "san");
	cs_testing_request(&t);
	cs_testing_dns(&t, "b.example");
	refused(&t, 2, "SAN_DNS_REQUIRED", "san.dns");
	assert_true(cs_testing_found(&t, "SAN_REQUIRED", "san"));
	cs_testing_done(&t);
}

/* -- common names ---------------------------------------------------------- */

static void a_common_name_must_be_a_san_unless_told_otherwise(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY "  subject: {commonName: {allow: [any]}}\n"));
	cs_testing_attr(&t, 3, "www.corp.example");
	issued(&t);
	assert_true(kept(&t, "subject.commonName[0]"));
	t.facts.csr.subject[0].value = CS_SPAN_LIT("WWW.Corp.example");
	issued(&t);
	diff_is(&t, "subject.commonName[0]", "normalized", "WWW.Corp.example",
		"www.corp.example", "built-in");
	t.facts.csr.subject[0].value = CS_SPAN_LIT("other.corp.example");
	refused(&t, 1, "CN_CONFLICT", "subject.commonName[0]");
	t.facts.csr.subject[0].value = CS_SPAN_LIT("Shop of Corp");
	refused(&t, 1, "CN_MALFORMED", "subject.commonName[0]");
	t.facts.csr.subject[0].value = CS_SPAN_LIT("www.corp.example");
	cs_testing_attr(&t, 3, "www.corp.example");
	refused(&t, 1, "CN_TOO_MANY", "subject.commonName");
	start(&t, WEB(SAN_ANY "  subject: {commonName: {allow: [any], in_san: "
			      "ignore}}\n"));
	cs_testing_attr(&t, 3, "Shop of Corp");
	issued(&t);
	assert_true(kept(&t, "subject.commonName[0]"));
	cs_testing_done(&t);
}

static void a_common_name_can_be_added_to_the_sans(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB("  subject: {commonName: {allow: [any], in_san: add}}\n"
		      "  san: {dns: {allow: [{dns: .corp.example}]}, ip: "
		      "{allow: [any]}}\n"));
	cs_testing_attr(&t, 3, "a.corp.example");
	issued(&t);
	diff_is(&t, "san.dns[1]", "added", NULL, "a.corp.example",
		"web/subject.commonName.in_san");
	assert_int_equal(t.verdict.plan.names_n, 2);
	t.facts.csr.subject[0].value = CS_SPAN_LIT("10.0.0.1");
	issued(&t);
	assert_int_equal(t.verdict.plan.names[1].kind, CS_NAME_IP);
	assert_int_equal(t.verdict.plan.names[1].content.n, 4);
	t.facts.csr.subject[0].value = CS_SPAN_LIT("a@corp.example");
	refused(&t, 1, "SAN_EMAIL_UNLISTED", "san.email[0]");
	t.facts.csr.subject[0].value = CS_SPAN_LIT("a.other.example");
	refused(&t, 1, "SAN_DNS_NOT_ALLOWED", "san.dns[1]");
	t.facts.csr.subject[0].value = CS_SPAN_LIT("www.corp.example");
	issued(&t);
	assert_int_equal(t.verdict.plan.names_n, 1);
	cs_testing_done(&t);
}

static void a_common_name_is_matched_as_what_it_is(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY "  subject: {commonName: {allow: [{dns: "
			      ".corp.example}, {exact: Shop}], deny: [{exact: "
			      "admin.corp.example}], in_san: ignore}}\n"));
	cs_testing_attr(&t, 3, "A.Corp.Example");
	issued(&t);
	assert_true(kept(&t, "subject.commonName[0]"));
	t.facts.csr.subject[0].value = CS_SPAN_LIT("Shop");
	issued(&t);
	t.facts.csr.subject[0].value = CS_SPAN_LIT("shop");
	refused(&t, 1, "CN_NOT_ALLOWED", NULL);
	t.facts.csr.subject[0].value = CS_SPAN_LIT("ADMIN.corp.example");
	refused(&t, 1, "CN_DENIED", NULL);
	t.facts.csr.subject[0].value = CS_SPAN_LIT("*.corp.example");
	refused(&t, 1, "CN_DENIED", NULL);
	t.facts.csr.subject[0].value = CS_SPAN_LIT("a.corp.example.evil");
	refused(&t, 1, "CN_NOT_ALLOWED", NULL);
	cs_testing_done(&t);
}

/* -- the other fields ------------------------------------------------------ */

static void names_are_issued_in_their_one_spelling(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY));
	cs_testing_dns(&t, "Web1.Corp.Example.");
	issued(&t);
	diff_is(&t, "san.dns[1]", "normalized", "Web1.Corp.Example.",
		"web1.corp.example", "built-in");
	assert_true(cs_span_equal_str(t.verdict.plan.names[1].content,
				      "web1.corp.example"));
	assert_true(cs_verdict_is_changed(&t.verdict));
	cs_testing_done(&t);
}

static void validity_is_defaulted_clamped_or_refused(void **state)
{
	struct cs_testing t = {0};
	struct cs_request_facts *r = &t.facts.request;

	(void)state;
	start(&t, WEB(SAN_ANY "  validity: {default: 7d, min: 1h, max: {value: "
			      "30d, on_violation: clamp}, backdate: 1m, "
			      "ca_expiry: clamp}\n"));
	issued(&t);
	assert_int_equal(t.verdict.plan.not_before_s, r->now_s - 60);
	assert_int_equal(t.verdict.plan.not_after_s, r->now_s - 60 + 7 * 86400);
	r->has_duration = true;
	r->duration_s = 24 * 3600;
	issued(&t);
	assert_true(kept(&t, "validity"));
	r->duration_s = 365 * 86400;
	issued(&t);
	diff_is(&t, "validity", "clamped", "365d", "30d", "web/validity.max");
	r->duration_s = 60;
	refused(&t, 1, "VALIDITY_TOO_SHORT", "validity");
	r->duration_s = INT64_MIN;
	refused(&t, 1, "VALIDITY_TOO_SHORT", "validity");
	r->duration_s = 24 * 3600;
	r->issuer_not_after_s = r->now_s + 3600;
	issued(&t);
	assert_int_equal(t.verdict.plan.not_after_s, r->now_s + 3600);
	diff_is(&t, "validity", "clamped", "1d", "1h1m",
		"web/validity.ca_expiry");
	start(&t, WEB(SAN_ANY "  validity: {max: 24h}\n"));
	issued(&t);
	diff_is(&t, "validity", "defaulted", NULL, "1d", "web/validity.max");
	r->has_duration = true;
	r->duration_s = INT64_MAX;
	refused(&t, 1, "VALIDITY_TOO_LONG", "validity");
	r->duration_s = 24 * 3600;
	r->issuer_not_after_s = r->now_s + 3600;
	refused(&t, 1, "CA_EXPIRY", "validity");
	cs_testing_done(&t);
}

static void keys_are_allowed_by_algorithm_and_size(void **state)
{
	struct cs_testing t = {0};
	struct cs_fact_key *key = &t.facts.csr.key;

	(void)state;
	start(&t, WEB(SAN_ANY "  key: {allow: [{alg: EC, curves: [P-384]}, "
			      "{alg: RSA, bits: 3072..4096}]}\n"));
	refused(&t, 1, "KEY_NOT_ALLOWED", "key");
	assert_true(cs_span_equal_str(t.verdict.findings.items[0].message,
				      "the key EC P-256 is not EC P-384 or "
				      "RSA 3072..4096"));
	key->bits = 384;
	issued(&t);
	key->alg = CS_KEY_RSA;
	key->bits = 2048;
	refused(&t, 1, "KEY_NOT_ALLOWED", "key");
	key->bits = 3072;
	issued(&t);
	key->bits = 4104;
	refused(&t, 1, "KEY_NOT_ALLOWED", "key");
	key->alg = CS_KEY_ED25519;
	key->bits = 256;
	refused(&t, 1, "KEY_NOT_ALLOWED", "key");
	cs_testing_done(&t);
}

static void usages_are_kept_dropped_defaulted_or_set(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY
		      "  extensions:\n"
		      "    key_usage: {allow: [signing], on_violation: drop, "
		      "critical: false}\n"
		      "    ext_key_usage: {allow: [client auth], default: "
		      "[server auth], on_violation: drop}\n"));
	cs_testing_usage(&t, "key encipherment");
	cs_testing_usage(&t, "client auth");
	cs_testing_usage(&t, "code signing");
	issued(&t);
	assert_int_equal(t.verdict.plan.key_usage, 0);
	assert_false(t.verdict.plan.key_usage_critical);
	assert_int_equal(t.verdict.plan.ext_key_usage_n, 1);
	diff_is(&t, "extensions.key_usage", "dropped", "key encipherment", NULL,
		"web/extensions.key_usage.allow");
	diff_is(&t, "extensions.ext_key_usage[1]", "dropped", "code signing",
		NULL, "web/extensions.ext_key_usage.allow");
	assert_true(kept(&t, "extensions.ext_key_usage[0]"));
	t.facts.request.usages[1] = CS_SPAN_LIT("code signing");
	issued(&t);
	assert_int_equal(t.verdict.plan.ext_key_usage_n, 1);
	diff_is(&t, "extensions.ext_key_usage[0]", "dropped", "code signing",
		NULL, "web/extensions.ext_key_usage.allow");
	start(&t, WEB(SAN_ANY "  extensions:\n"
			      "    key_usage: {set: [signing]}\n"
			      "    ext_key_usage: {set: [1.2.3]}\n"));
	cs_testing_usage(&t, "cert sign");
	cs_testing_usage(&t, "client auth");
	cs_testing_usage(&t, "server auth");
	issued(&t);
	diff_is(&t, "extensions.key_usage", "overridden", "cert sign",
		"digital signature", "web/extensions.key_usage.set");
	diff_is(&t, "extensions.ext_key_usage[0]", "overridden", "client auth",
		"1.2.3", "web/extensions.ext_key_usage.set");
	diff_is(&t, "extensions.ext_key_usage[1]", "overridden", "server auth",
		NULL, "web/extensions.ext_key_usage.set");
	start(&t, WEB(SAN_ANY));
	cs_testing_usage(&t, "cert sign");
	cs_testing_usage(&t, "code signing");
	refused(&t, 2, "KEY_USAGE_NOT_ALLOWED", "extensions.key_usage");
	assert_true(cs_testing_found(&t, "EXT_KEY_USAGE_NOT_ALLOWED",
				     "extensions.ext_key_usage[0]"));
	cs_testing_done(&t);
}

static void what_no_purpose_has_a_use_for_is_dropped(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY
		      "  extensions:\n"
		      "    key_usage: {allow: [signing, key encipherment, cert "
		      "sign]}\n"
		      "    ext_key_usage: {allow: [any]}\n"));
	t.facts.csr.key.alg = CS_KEY_RSA;
	t.facts.csr.key.bits = 2048;
	cs_testing_usage(&t, "signing");
	cs_testing_usage(&t, "key encipherment");
	cs_testing_usage(&t, "client auth");
	issued(&t);
	assert_int_equal(t.verdict.plan.key_usage, CS_KU_DIGITAL_SIGNATURE);
	diff_is(&t, "extensions.key_usage", "dropped", "key encipherment", NULL,
		"built-in");
	cs_testing_usage(&t, "server auth");
	issued(&t);
	assert_int_equal(t.verdict.plan.key_usage,
			 CS_KU_DIGITAL_SIGNATURE | CS_KU_KEY_ENCIPHERMENT);
	assert_true(kept(&t, "extensions.key_usage"));
	t.facts.request.usages[3] = CS_SPAN_LIT("cert sign");
	issued(&t);
	assert_int_equal(t.verdict.plan.key_usage & CS_KU_CERT_SIGN,
			 CS_KU_CERT_SIGN);
	cs_testing_done(&t);
}

static void body_and_csr_must_state_the_same(void **state)
{
	struct cs_span eku[1] = {
		CS_SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x03\x02")};
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY));
	t.facts.csr.has_ext_key_usage = true;
	t.facts.csr.ext_key_usage = eku;
	t.facts.csr.ext_key_usage_n = 1;
	t.facts.csr.has_key_usage = true;
	t.facts.csr.key_usage = CS_KU_DIGITAL_SIGNATURE;
	issued(&t);
	assert_true(kept(&t, "extensions.ext_key_usage[0]") &&
		    kept(&t, "extensions.key_usage"));
	cs_testing_usage(&t, "signing");
	refused(&t, 1, "USAGES_CONFLICT", "extensions.ext_key_usage");
	assert_string_equal(t.verdict.code, "USAGES_CONFLICT");
	assert_int_equal(t.verdict.reached, CS_PHASE_PARSE);
	cs_testing_usage(&t, "client auth");
	issued(&t);
	cs_testing_usage(&t, "key agreement");
	refused(&t, 1, "USAGES_CONFLICT", "extensions.key_usage");
	cs_testing_usage(&t, "serverAuth");
	refused(&t, 1, "USAGES_MALFORMED", "request.usages[3]");
	cs_testing_done(&t);
}

static void ca_certificates_are_refused(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY));
	t.facts.csr.has_basic_constraints = true;
	issued(&t);
	assert_true(kept(&t, "extensions.basic_constraints"));
	t.facts.csr.ca = true;
	refused(&t, 1, "BASIC_CONSTRAINTS_NOT_ALLOWED",
		"extensions.basic_constraints");
	t.facts.request.has_is_ca = true;
	refused(&t, 1, "BASIC_CONSTRAINTS_CONFLICT",
		"extensions.basic_constraints");
	t.facts.csr.has_basic_constraints = t.facts.csr.ca = false;
	t.facts.request.is_ca = true;
	refused(&t, 1, "BASIC_CONSTRAINTS_NOT_ALLOWED", NULL);
	cs_testing_done(&t);
}

static void the_order_of_the_subject_is_the_order_asked(void **state)
{
	struct cs_testing t = {0};

	(void)state;
	start(&t, WEB(SAN_ANY "  subject:\n"
			      "    organization: {set: Example Corp}\n"
			      "    commonName: {allow: [any]}\n"
			      "    country: {default: DE}\n"));
	cs_testing_attr(&t, 3, "www.corp.example");
	cs_testing_attr(&t, 10, "Acme");
	issued(&t);
	assert_int_equal(t.verdict.plan.subject_n, 3);
	assert_true(cs_span_equal_str(t.verdict.plan.subject[0].value,
				      "www.corp.example"));
	assert_true(cs_span_equal_str(t.verdict.plan.subject[1].value,
				      "Example Corp"));
	assert_true(cs_span_equal_str(t.verdict.plan.subject[2].value, "DE"));
	cs_testing_done(&t);
}

static void running_out_of_memory_is_an_error_not_a_verdict(void **state)
{
	struct cs_testing t = {0};
	struct cs_error err = {0};
	size_t max;

	(void)state;
	start(&t, WEB(SAN_ANY "  subject: {organization: {set: Acme}}\n"));
	cs_testing_dns(&t, "WWW.Corp.example");
	for (max = 0; max < 100000; max += 16) {
		struct cs_arena arena;
		struct cs_verdict v;
		bool ok;

		cs_arena_init(&arena, max);
		ok = cs_policy_judge(t.set, &t.facts, &arena, &v, &err);
		cs_arena_done(&arena);
		if (ok)
			break;
		assert_int_equal(err.code, CS_E_NO_MEMORY);
	}
	assert_true(max > 1000 && max < 100000);
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_highest_priority_that_matches_governs),
		cmocka_unit_test(no_policy_says_why_not),
		cmocka_unit_test(
			absent_sections_allow_nothing_or_are_the_default),
		cmocka_unit_test(
			unlisted_is_refused_or_dropped_as_the_policy_says),
		cmocka_unit_test(set_without_allow_ignores_what_was_asked),
		cmocka_unit_test(set_with_allow_judges_what_was_asked_first),
		cmocka_unit_test(neither_allow_nor_set_lets_nothing_pass),
		cmocka_unit_test(an_attribute_may_be_required),
		cmocka_unit_test(deny_wins_and_each_value_has_one_violation),
		cmocka_unit_test(default_fills_what_is_empty),
		cmocka_unit_test(counts_are_of_what_stands),
		cmocka_unit_test(
			a_common_name_must_be_a_san_unless_told_otherwise),
		cmocka_unit_test(a_common_name_can_be_added_to_the_sans),
		cmocka_unit_test(a_common_name_is_matched_as_what_it_is),
		cmocka_unit_test(names_are_issued_in_their_one_spelling),
		cmocka_unit_test(validity_is_defaulted_clamped_or_refused),
		cmocka_unit_test(keys_are_allowed_by_algorithm_and_size),
		cmocka_unit_test(usages_are_kept_dropped_defaulted_or_set),
		cmocka_unit_test(what_no_purpose_has_a_use_for_is_dropped),
		cmocka_unit_test(body_and_csr_must_state_the_same),
		cmocka_unit_test(ca_certificates_are_refused),
		cmocka_unit_test(the_order_of_the_subject_is_the_order_asked),
		cmocka_unit_test(
			running_out_of_memory_is_an_error_not_a_verdict),
	};

	return cs_test_run("policy/engine", tests);
}
