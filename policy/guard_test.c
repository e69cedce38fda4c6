#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "policy/testing.h"

#define GUARDS(name, spec)                                                     \
	"apiVersion: countersign.dev/v1\n"                                     \
	"kind: IssuanceGuards\n"                                               \
	"metadata: {name: " name "}\n"                                         \
	"spec:\n" spec

/* Who gets anything, so that only the guards refuse. */
#define ANYTHING                                                               \
	"  subject: {commonName: {allow: [any], in_san: add, max: 5},"         \
	" organization: {allow: [any], max: 5},"                               \
	" 1.2.3.4: {allow: [any]}}\n"                                          \
	"  san: {dns: {allow: [any], wildcard: leftmost}, ip: {allow: [any]}," \
	" uri: {allow: [any]}, email: {allow: [any]},"                         \
	" directory_name: {allow: [any]}, registered_id: {allow: [any]},"      \
	" other_name: [{oid: 1.2.3, type: utf8, allow: [any]}]}\n"

#define ONE(deny)                                                              \
	"  guards:\n"                                                          \
	"    - {id: secret, deny: {" deny "}}\n"

#define SECRET ONE("san.dns: {dns: '**.secret.corp.example'}")

/* Guards behind a policy that takes anything. */
static void load(struct cs_testing *t, const char *mode, const char *guards)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "%s%s%s%s",
		       CS_TESTING_POLICY("web", ANYTHING), mode, "---\n",
		       guards);
	cs_testing_load(t, text);
	if (t->set == NULL)
		print_error("%.*s\n", CS_SPAN_FMT(t->report.items[0].text));
	assert_non_null(t->set);
	cs_testing_request(t);
}

static void errors(const char *spec, const char *words)
{
	struct cs_testing t;
	char text[2048];

	cs_testing_init(&t);
	(void)snprintf(text, sizeof(text), GUARDS("g", "%s"), spec);
	cs_testing_load(&t, text);
	if (!cs_testing_reports(&t, words))
		for (size_t i = 0; i < t.report.n; i++)
			print_error("%.*s\n",
				    CS_SPAN_FMT(t.report.items[i].text));
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, words));
	cs_testing_done(&t);
}

static void refuse_whatever_the_policy_says(void **state)
{
	const struct cs_finding *f;
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, "",
	     GUARDS("g",
		    "  guards:\n"
		    "    - {id: other, deny: {san.ip: {cidr: 10.0.0.0/8}}}\n"
		    "    - id: secret\n"
		    "      deny: {san.dns: {dns: '**.secret.corp.example'}}\n"
		    "      message: secret.corp.example is reserved\n"));
	cs_testing_dns(&t, "www.corp.example");
	cs_testing_dns(&t, "a.secret.corp.example");
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.findings.n, 1);
	f = &t.verdict.findings.items[0];
	assert_string_equal(f->code, "GUARD");
	assert_true(cs_span_equal_str(f->field, "san.dns[1]"));
	assert_true(cs_span_equal_str(f->value, "a.secret.corp.example"));
	assert_true(cs_span_equal_str(f->rule, "guards/secret"));
	assert_true(cs_span_equal_str(f->at, "web.yaml:14"));
	assert_true(cs_span_equal_str(f->message,
				      "secret.corp.example is reserved"));
	/* The policy governs; the guards do not. */
	assert_true(cs_span_equal_str(t.verdict.policy->name, "web"));
	cs_testing_done(&t);
}

static void are_not_waived_by_a_policy_that_only_warns(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, "  mode: warn\n", GUARDS("g", SECRET));
	cs_testing_dns(&t, "a.secret.corp.example");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "GUARD", "san.dns[0]"));
	assert_int_equal(t.verdict.warnings.n, 0);
	cs_testing_done(&t);
}

static void deny_a_wildcard_of_which_one_member_is_hit(void **state)
{
	static const struct {
		const char *name;
		bool issued;
	} names[] = {
		{"*.secret.corp.example", false},
		{"*.a.secret.corp.example", false},
		{"*.corp.example", true},
		{"secret.corp.example", true},
		{"*.other.example", true},
		/* One member of it is admin.corp.example. */
		{"*.admin.example", false},
	};
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, "",
	     GUARDS("g", ONE("san.dns: [{dns: '**.secret.corp.example'},"
			     " {dns: x.admin.example}]")));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cs_testing_request(&t);
		cs_testing_dns(&t, names[i].name);
		if (cs_testing_judge(&t) != names[i].issued)
			fail_msg("%s", names[i].name);
	}
	cs_testing_done(&t);
}

static void deny_in_every_kind_of_field(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, "",
	     GUARDS("g", ONE("san.ip: {cidr: 10.0.0.0/8},"
			     " san.uri: {uri: {scheme: spiffe}},"
			     " san.email: {email: {domain: .corp.example}},"
			     " subject.commonName: {dns: .admin.example},"
			     " subject.organization: {iexact: acme},"
			     " subject.1.2.3.4: any")));
	cs_testing_ip(&t, "10.1.2.3");
	cs_testing_name(&t, CS_NAME_URI, "spiffe://x.example/a");
	cs_testing_name(&t, CS_NAME_EMAIL, "root@a.corp.example");
	cs_testing_attr(&t, 3, "ADMIN.example");
	cs_testing_attr(&t, 10, "Other");
	cs_testing_attr(&t, 10, "ACME");
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.findings.n, 5);
	assert_true(cs_testing_found(&t, "GUARD", "san.ip[0]"));
	assert_true(cs_testing_found(&t, "GUARD", "san.uri[0]"));
	assert_true(cs_testing_found(&t, "GUARD", "san.email[0]"));
	assert_true(cs_testing_found(&t, "GUARD", "subject.commonName[0]"));
	assert_true(cs_testing_found(&t, "GUARD", "subject.organization[1]"));
	cs_testing_done(&t);
}

static void deny_directory_names_and_registered_ids(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, "",
	     GUARDS("g", ONE("san.directory_name: {dn: 'CN=root,O=Acme'},"
			     " san.registered_id: {oid: 1.2.3}")));
	cs_testing_name(&t, CS_NAME_DIRECTORY, "CN=ROOT,O=ACME");
	cs_testing_name(&t, CS_NAME_DIRECTORY, "CN=root");
	cs_testing_name(&t, CS_NAME_REGISTERED_ID, "1.2.3");
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.findings.n, 2);
	assert_true(cs_testing_found(&t, "GUARD", "san.directory_name[0]"));
	assert_true(cs_testing_found(&t, "GUARD", "san.registered_id[0]"));
	cs_testing_done(&t);
}

static void hit_an_other_name_that_cannot_be_read(void **state)
{
	static const struct {
		const char *der;
		bool issued;
	} values[] = {
		{"\x0c\x05root@", false},
		{"\x0c\x05user@", true},
		{"\x02\x01\x05xxxx", false},
	};
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct cs_fact_name *name;

		load(&t, "", GUARDS("g", ONE("san.other_name: {glob: root*}")));
		name = &t.facts.csr.names[t.facts.csr.names_n++];
		*name = (struct cs_fact_name){
			.kind = CS_NAME_OTHER,
			.oid = CS_SPAN_LIT("\x2a\x03"),
			.content = cs_span_make(values[i].der, i < 2 ? 7 : 3)};
		name->asked = name->content;
		if (cs_testing_judge(&t) != values[i].issued)
			fail_msg("value %zu", i);
		assert_true(values[i].issued ||
			    cs_testing_found(&t, "GUARD", "san.other_name[0]"));
	}
	cs_testing_done(&t);
}

static void are_for_the_issuers_that_they_name(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, "", GUARDS("g", "  match: {issuer: [web-*]}\n" SECRET));
	cs_testing_dns(&t, "a.secret.corp.example");
	assert_true(cs_testing_judge(&t));
	cs_testing_request(&t);
	cs_testing_dns(&t, "a.secret.corp.example");
	t.facts.request.issuer = CS_SPAN_LIT("web-1");
	assert_false(cs_testing_judge(&t));
	cs_testing_done(&t);
}

static void stand_over_the_listener_too(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, "", GUARDS("g", SECRET));
	cs_testing_dns(&t, "a.secret.corp.example");
	t.facts.request.source = CS_SPAN_LIT("listener");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "GUARD", "san.dns[0]"));
	cs_testing_done(&t);
}

static void judge_what_was_built_again(void **state)
{
	struct cs_cert_facts built;
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, "", GUARDS("g", SECRET));
	/* The common name becomes a name only in the certificate. */
	cs_testing_attr(&t, 3, "a.secret.corp.example");
	assert_true(cs_testing_judge(&t));
	built = cs_testing_built(&t);
	assert_true(cs_policy_judge_built(
		t.set, &t.facts, &built, t.verdict.plan.not_before_s,
		t.verdict.plan.not_after_s, &t.arena, &t.verdict, NULL));
	assert_int_equal(t.verdict.findings.n, 1);
	assert_true(cs_testing_found(&t, "GUARD", "san.dns[0]"));
	assert_int_equal(t.verdict.reached, CS_PHASE_BUILD);
	cs_testing_done(&t);
}

static void are_told_beside_what_the_policy_refuses(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(
		&t, CS_TESTING_POLICY("web",
				      "  san: {dns: {allow: [{dns: .a.example"
				      "}]}}\n") "---\n" GUARDS("g", SECRET));
	assert_non_null(t.set);
	cs_testing_request(&t);
	cs_testing_dns(&t, "x.secret.corp.example");
	cs_testing_attr(&t, 10, "Acme");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "GUARD", "san.dns[0]"));
	assert_true(cs_testing_found(&t, "SAN_DNS_NOT_ALLOWED", "san.dns[0]"));
	assert_true(cs_testing_found(&t, "SUBJECT_UNLISTED", NULL));
	/* Also beside a variable that has no value. */
	cs_testing_load(
		&t,
		CS_TESTING_POLICY(
			"web",
			"  vars: {x: '{{request.realm}}'}\n"
			"  san: {dns: {allow: [any]}}\n") "---\n" GUARDS("g",
									 SECRET));
	assert_non_null(t.set);
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "GUARD", "san.dns[0]"));
	assert_true(cs_testing_found(&t, "POLICY_ERROR", NULL));
	cs_testing_done(&t);
}

static void are_part_of_the_sets_identity(void **state)
{
	uint8_t without[32], with[32];
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(&t, CS_TESTING_POLICY("web", ANYTHING));
	memcpy(without, cs_policy_set_sha256(t.set), 32);
	load(&t, "", GUARDS("g", SECRET));
	memcpy(with, cs_policy_set_sha256(t.set), 32);
	assert_memory_not_equal(without, with, 32);
	assert_int_equal(cs_policy_set_count(t.set), 2);
	assert_int_equal(cs_policy_set_at(t.set, 0)->kind, CS_DOCUMENT_POLICY);
	assert_int_equal(cs_policy_set_at(t.set, 1)->kind, CS_DOCUMENT_GUARDS);
	load(&t, "", GUARDS("g", ONE("san.dns: {dns: '**.x.example'}")));
	assert_memory_not_equal(with, cs_policy_set_sha256(t.set), 32);
	cs_testing_done(&t);
}

static void without_a_policy_nothing_is_issued_either(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf why;
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(&t, GUARDS("g", SECRET));
	assert_non_null(t.set);
	cs_testing_request(&t);
	cs_testing_dns(&t, "www.corp.example");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "NO_POLICY", NULL));
	cs_buf_init(&why, 4096);
	cs_policy_set_why_not(t.set, &t.facts.request, 0, &why);
	assert_non_null(strstr(cs_buf_str(&why), "guards stand over every"));
	cs_testing_done(&t);
}

static void paths_in_guards_stand_for_facts(void **state)
{
	const struct cs_finding *f;
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, "",
	     GUARDS("g",
		    "  guards:\n"
		    "    - id: realm\n"
		    "      deny: {san.dns: {dns: '.{{request.realm}}.example'}"
		    "}\n"
		    "      message: nobody in {{request.realm}} gets "
		    "{{csr.san.dns}}\n"));
	assert_true(cs_testing_reports(&t, "refuses every request that has "
					   "no value for it"));
	cs_testing_dns(&t, "a.eu.example");
	/* It cannot be asked without a realm, and so refuses. */
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.findings.n, 1);
	f = &t.verdict.findings.items[0];
	assert_string_equal(f->code, "GUARD");
	assert_true(cs_span_equal_str(f->rule, "guards/realm"));
	assert_non_null(strstr((const char *)f->message.p,
			       "the guard cannot be asked: "
			       "{{request.realm}} has no value"));
	t.facts.request.realm = CS_SPAN_LIT("us");
	assert_true(cs_testing_judge(&t));
	t.facts.request.realm = CS_SPAN_LIT("eu");
	assert_false(cs_testing_judge(&t));
	f = &t.verdict.findings.items[0];
	assert_true(cs_span_equal_str(f->message,
				      "nobody in eu gets a.eu.example"));
	/* A value is a literal; what is none there refuses, too. */
	t.facts.request.realm = CS_SPAN_LIT("*");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "GUARD", ""));
	cs_testing_done(&t);
}

static void carry_tests_of_their_own(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	load(&t, "",
	     GUARDS("g",
		    SECRET "  tests:\n"
			   "    - name: refuses the secret zone\n"
			   "      request: {dns: ['*.secret.corp.example']}\n"
			   "      expect: {codes: [GUARD], rules: [secret]}\n"
			   "    - name: leaves the rest to the policies\n"
			   "      request: {dns: [www.corp.example]}\n"
			   "      expect: {verdict: issued}\n"));
	assert_int_equal(cs_policy_set_at(t.set, 1)->tests, 2);
	cs_testing_done(&t);
	errors(SECRET "  tests:\n"
		      "    - name: wrong\n"
		      "      request: {dns: [a.secret.corp.example]}\n"
		      "      expect: {verdict: issued}\n",
	       "test `wrong` failed: it is refused: nobody gets "
	       "a.secret.corp.example");
}

static void errors_have_places_and_hints(void **state)
{
	(void)state;
	errors(ONE("san.dsn: any"),
	       "web.yaml:6:27: `deny.san.dsn` is not known; did you mean "
	       "`san.dns`?");
	errors(ONE("key: any"), "a guard denies in san.dns, san.ip");
	errors(ONE("subject.organisation: any"),
	       "did you mean `organization`?");
	errors(ONE("subject.2.5.4.10: any"), "write `organization`");
	errors(ONE("san.dns: {cidr: 10.0.0.0/8}"),
	       "`cidr` cannot match in `deny`");
	errors(ONE("san.dns: {cel: x}"), "not supported yet");
	errors(ONE("san.dns: {dns: '{{team}}'}"), "there is no `team`");
	errors(ONE("san.dns: []"), "the list is empty");
	errors(ONE(""), "`deny` wants 1 to 32 fields");
	errors("  guards:\n    - {id: x, reject: 'true'}\n",
	       "`guards.reject` is not supported yet by this version");
	errors("  guards:\n    - {id: x, require: 'true'}\n",
	       "`guards.require` is not supported yet by this version");
	errors("  guards:\n    - {deny: {san.dns: any}}\n",
	       "`guards` without `id`");
	errors("  guards:\n    - {id: x}\n", "a guard has `id` and `deny`");
	errors("  guards:\n    - {id: X, deny: {san.dns: any}}\n",
	       "an id has 1 to");
	errors("  match: {issuer: a}\n", "`guards` is missing");
	errors("  match: {namespace: a}\n" SECRET,
	       "`match.namespace` is not known");
	errors("  san: {dns: {allow: [any]}}\n" SECRET,
	       "`spec.san` is not known");
	errors(SECRET "    - {id: secret, deny: {san.ip: any}}\n",
	       "the id is there twice");
}

static void ids_are_unique_in_the_whole_set(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(&t, GUARDS("g", SECRET) "---\n" GUARDS("h", SECRET));
	assert_null(t.set);
	assert_true(cs_testing_reports(
		&t, "web.yaml:8:1: `guards/secret` is at web.yaml:6 already"));
	cs_testing_load(&t, GUARDS("g", SECRET) "---\n" CS_TESTING_POLICY(
				    "g", ANYTHING));
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "the name `g` is taken"));
	cs_testing_load(&t, CS_TESTING_POLICY("guards", ANYTHING));
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "the name `guards` is reserved"));
	cs_testing_load(&t, GUARDS("g", SECRET) "---\n" CS_TESTING_POLICY(
				    "web", "  extends: g\n"));
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "only a policy can be extended"));
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuse_whatever_the_policy_says),
		cmocka_unit_test(are_not_waived_by_a_policy_that_only_warns),
		cmocka_unit_test(deny_a_wildcard_of_which_one_member_is_hit),
		cmocka_unit_test(deny_in_every_kind_of_field),
		cmocka_unit_test(deny_directory_names_and_registered_ids),
		cmocka_unit_test(hit_an_other_name_that_cannot_be_read),
		cmocka_unit_test(are_for_the_issuers_that_they_name),
		cmocka_unit_test(stand_over_the_listener_too),
		cmocka_unit_test(judge_what_was_built_again),
		cmocka_unit_test(are_told_beside_what_the_policy_refuses),
		cmocka_unit_test(are_part_of_the_sets_identity),
		cmocka_unit_test(without_a_policy_nothing_is_issued_either),
		cmocka_unit_test(paths_in_guards_stand_for_facts),
		cmocka_unit_test(carry_tests_of_their_own),
		cmocka_unit_test(errors_have_places_and_hints),
		cmocka_unit_test(ids_are_unique_in_the_whole_set),
	};

	return cs_test_run("policy/guard", tests);
}
