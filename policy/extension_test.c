#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "policy/testing.h"

#define EXT(text)                                                              \
	CS_TESTING_POLICY("web", "  san: {dns: {allow: [any]}}\n"              \
				 "  extensions: " text "\n")

/* TLS feature, RFC 7633: status_request. */
#define OID_FEATURE "\x2b\x06\x01\x05\x05\x07\x01\x18"
#define FEATURE	    "\x30\x03\x02\x01\x05"

/* Load, and start a request for www.corp.example. */
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

/* The CSR asks for one extension. */
static void ask(struct cs_testing *t, struct cs_fact_ext *ext,
		struct cs_span oid, struct cs_span value)
{
	*ext = (struct cs_fact_ext){.oid = oid, .value = value};
	t->facts.csr.extensions = ext;
	t->facts.csr.extensions_n = 1;
}

static void diff_is(const struct cs_testing *t, const char *field,
		    const char *disposition, const char *given,
		    const char *rule)
{
	const struct cs_diff_entry *e = cs_testing_diff(t, field);

	if (e == NULL)
		fail_msg("no line about %s", field);
	assert_string_equal(cs_disposition_name(e->disposition), disposition);
	assert_true(e->has_given == (given != NULL));
	if (given != NULL)
		assert_true(cs_span_equal_str(e->given, given));
	assert_true(cs_span_equal_str(e->rule, rule));
}

static void lists_of_the_policy_are_given_and_told(void **state)
{
	struct cs_testing t;
	const struct cs_plan *p = &t.verdict.plan;

	(void)state;
	start(&t,
	      EXT("{policies: {set: [2.23.140.1.2.1, 1.3.6.1.4.1.99999.7]}, "
		  "aia: {ocsp: [\"http://ocsp.example/\"], ca_issuers: "
		  "[\"http://ca.example/ca.crt\"]}, crl_dp: "
		  "[\"http://crl.example/1.crl\"]}"));
	assert_true(cs_testing_judge(&t));
	assert_int_equal(p->policies_n, 2);
	assert_true(cs_span_equal(p->policies[0],
				  CS_SPAN_LIT("\x67\x81\x0c\x01\x02\x01")));
	assert_int_equal(p->ocsp_urls_n, 1);
	assert_true(cs_span_equal_str(p->ocsp_urls[0], "http://ocsp.example/"));
	assert_int_equal(p->ca_issuers_urls_n, 1);
	assert_int_equal(p->crl_urls_n, 1);
	assert_int_equal(p->extensions_n, 0);
	diff_is(&t, "extensions.policies", "added",
		"2.23.140.1.2.1, 1.3.6.1.4.1.99999.7",
		"web/extensions.policies");
	diff_is(&t, "extensions.aia", "added",
		"http://ocsp.example/, http://ca.example/ca.crt",
		"web/extensions.aia");
	diff_is(&t, "extensions.crl_dp", "added", "http://crl.example/1.crl",
		"web/extensions.crl_dp");
	assert_true(cs_verdict_is_changed(&t.verdict));
	cs_testing_done(&t);
}

static void what_was_asked_gives_way_to_what_the_policy_gives(void **state)
{
	struct cs_testing t;
	struct cs_fact_ext e;

	(void)state;
	start(&t, EXT("{policies: {set: [1.2.3]}}"));
	ask(&t, &e, CS_SPAN_LIT("\x55\x1d\x20"), CS_SPAN_LIT("\x30\x00"));
	assert_true(cs_testing_judge(&t));
	diff_is(&t, "extensions.policies", "overridden", "1.2.3",
		"web/extensions.policies");
	/* What is not mentioned is refused, as ever. */
	ask(&t, &e, CS_SPAN_LIT("\x55\x1d\x1f"), CS_SPAN_LIT("\x30\x00"));
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "EXTENSION_UNLISTED",
				     "extensions.2.5.29.31"));
	cs_testing_done(&t);
}

static void added_extensions_are_der_from_hexadecimal(void **state)
{
	struct cs_testing t;
	struct cs_fact_ext e;
	const struct cs_plan *p = &t.verdict.plan;

	(void)state;
	start(&t, EXT("{add: [{oid: 1.2.3.4, critical: true, der: "
		      "\"0c02486A\"}, {oid: 1.2.3.5, der: \"0500\"}]}"));
	assert_true(cs_testing_judge(&t));
	assert_int_equal(p->extensions_n, 2);
	assert_true(p->extensions[0].critical);
	assert_true(cs_span_equal_str(p->extensions[0].value, "\x0c\x02Hj"));
	assert_false(p->extensions[1].critical);
	diff_is(&t, "extensions.1.2.3.4", "added", "0c02486A",
		"web/extensions.add");
	/* The same bytes were asked for: nothing changes. */
	ask(&t, &e, CS_SPAN_LIT("\x2a\x03\x05"), CS_SPAN_LIT("\x05\x00"));
	assert_true(cs_testing_judge(&t));
	assert_int_equal(p->extensions_n, 2);
	assert_null(cs_testing_diff(&t, "extensions.1.2.3.5"));
	ask(&t, &e, CS_SPAN_LIT("\x2a\x03\x05"), CS_SPAN_LIT("\x30\x00"));
	assert_true(cs_testing_judge(&t));
	diff_is(&t, "extensions.1.2.3.5", "overridden", "0500",
		"web/extensions.add");
	cs_testing_done(&t);
}

static void named_extensions_pass_when_short_and_well_formed(void **state)
{
	struct cs_testing t;
	struct cs_fact_ext e;
	const struct cs_span oid = CS_SPAN_LIT(OID_FEATURE);
	const struct cs_plan *p = &t.verdict.plan;

	(void)state;
	start(&t, EXT("{pass: [{oid: 1.3.6.1.5.5.7.1.24, max_bytes: 5}]}"));
	assert_true(cs_testing_judge(&t));
	assert_int_equal(p->extensions_n, 0);
	ask(&t, &e, oid, CS_SPAN_LIT(FEATURE));
	e.critical = true;
	assert_true(cs_testing_judge(&t));
	assert_int_equal(p->extensions_n, 1);
	assert_true(p->extensions[0].critical);
	assert_true(
		cs_span_equal(p->extensions[0].value, CS_SPAN_LIT(FEATURE)));
	assert_false(cs_verdict_is_changed(&t.verdict));
	ask(&t, &e, oid, CS_SPAN_LIT("\x30\x06\x02\x01\x05\x02\x01\x11"));
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.findings.n, 1);
	assert_true(cs_testing_found(&t, "EXTENSION_TOO_LONG",
				     "extensions.1.3.6.1.5.5.7.1.24"));
	ask(&t, &e, oid, CS_SPAN_LIT("\x30\x03\x02\x02\x05"));
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "EXTENSION_MALFORMED", NULL));
	ask(&t, &e, oid, CS_SPAN_LIT("\x05\x00\x05\x00"));
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "EXTENSION_MALFORMED", NULL));
	cs_testing_done(&t);
}

static void a_test_may_ask_for_an_extension(void **state)
{
	/* As documents look; the tool would cut them into pieces. */
	/* clang-format off */
	static const char document[] =
		EXT("{pass: [{oid: 1.3.6.1.5.5.7.1.24, max_bytes: 5}]}")
		"  tests:\n"
		"    - name: passes the TLS feature on\n"
		"      request:\n"
		"        dns: [a.example]\n"
		"        extensions:\n"
		"          - {oid: 1.3.6.1.5.5.7.1.24, der: \"3003020105\"}\n"
		"      expect: {verdict: issued, changed: false}\n"
		"    - name: refuses a longer one and another one\n"
		"      request:\n"
		"        dns: [a.example]\n"
		"        extensions:\n"
		"          - {oid: 1.3.6.1.5.5.7.1.24,\n"
		"             der: \"300602010502010A\"}\n"
		"          - {oid: 1.2.3, critical: true, der: \"0500\"}\n"
		"      expect:\n"
		"        codes: [EXTENSION_TOO_LONG, EXTENSION_UNLISTED]\n"
		"        rules: [extensions.pass, extensions.unlisted]\n";
	static const char lacking[] =
		EXT("{}")
		"  tests:\n"
		"    - name: nothing\n"
		"      request: {dns: [a.example], extensions: [{oid: 1.2.3}]}\n"
		"      expect: {verdict: issued}\n";
	/* clang-format on */
	struct cs_testing t;

	(void)state;
	start(&t, document);
	assert_int_equal(cs_policy_set_at(t.set, 0)->tests, 2);
	cs_testing_load(&t, lacking);
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "an extension has `oid` and"));
	cs_testing_done(&t);
}

static void no_rev_avail_is_an_extension_and_a_mark(void **state)
{
	struct cs_testing t;

	(void)state;
	start(&t, EXT("{no_rev_avail: true}"));
	assert_true(cs_testing_judge(&t));
	assert_true(t.verdict.plan.no_rev_avail);
	assert_int_equal(t.verdict.plan.extensions_n, 1);
	assert_true(cs_span_equal(t.verdict.plan.extensions[0].value,
				  CS_SPAN_LIT("\x05\x00")));
	diff_is(&t, "extensions.no_rev_avail", "added", "true",
		"web/extensions.no_rev_avail");
	cs_testing_done(&t);
	start(&t, EXT("{no_rev_avail: false}"));
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.plan.extensions_n, 0);
	cs_testing_done(&t);
}

static void a_ca_may_be_asked_for_up_to_the_path_length(void **state)
{
	struct cs_testing t;
	const struct cs_plan *p = &t.verdict.plan;

	(void)state;
	start(&t, EXT("{basic_constraints: {ca: true, path_len: 1}}"));
	assert_true(cs_testing_judge(&t));
	assert_false(p->ca);
	t.facts.csr.ca = t.facts.csr.has_basic_constraints = true;
	assert_true(cs_testing_judge(&t));
	assert_true(p->ca && p->has_path_len);
	assert_int_equal(p->path_len, 1);
	diff_is(&t, "extensions.basic_constraints", "defaulted",
		"CA:TRUE, pathlen:1",
		"web/extensions.basic_constraints.path_len");
	t.facts.csr.has_path_len = true;
	assert_true(cs_testing_judge(&t));
	assert_int_equal(p->path_len, 0);
	t.facts.csr.path_len = 2;
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "BASIC_CONSTRAINTS_NOT_ALLOWED",
				     "extensions.basic_constraints"));
	cs_testing_done(&t);
	start(&t, EXT("{basic_constraints: {ca: true}}"));
	assert_true(cs_testing_reports(&t, "whose ceiling says `ca: true`"));
	t.facts.request.has_is_ca = t.facts.request.is_ca = true;
	assert_true(cs_testing_judge(&t));
	assert_true(p->ca && !p->has_path_len);
	cs_testing_done(&t);
}

static void what_was_decided_must_be_in_the_certificate(void **state)
{
	struct cs_fact_ext added = {.oid = CS_SPAN_LIT("\x2a\x03\x04"),
				    .value = CS_SPAN_LIT("\x05\x00")};
	struct cs_cert_facts built;
	struct cs_testing t;

	(void)state;
	start(&t, EXT("{add: [{oid: 1.2.3.4, der: \"0500\"}]}"));
	assert_true(cs_testing_judge(&t));
	built = cs_testing_built(&t);
	built.extensions = &added;
	built.extensions_n = 1;
	assert_true(cs_policy_judge_built(
		t.set, &t.facts, &built, t.verdict.plan.not_before_s,
		t.verdict.plan.not_after_s, &t.arena, &t.verdict, NULL));
	assert_int_equal(t.verdict.findings.n, 0);
	built.extensions_n = 0;
	assert_true(cs_policy_judge_built(
		t.set, &t.facts, &built, t.verdict.plan.not_before_s,
		t.verdict.plan.not_after_s, &t.arena, &t.verdict, NULL));
	assert_int_equal(t.verdict.findings.n, 1);
	assert_true(cs_testing_found(&t, "BUILD_CONFLICT", "extensions"));
	cs_testing_done(&t);
}

/* What does not load, and the words of why. */
static const struct {
	const char *text, *words;
} refused[] = {
	{"{policies: {}}", "`policies` without `set`"},
	{"{policies: {set: []}}", "the list is empty"},
	{"{policies: {set: [\"1.2.x\"]}}", "`1.2.x` is no OID"},
	{"{policies: {set: [1.2.3, 1.2.3]}}", "`1.2.3` is there twice"},
	{"{policies: {allow: [1.2.3]}}", "`extensions.policies.allow` is not"},
	{"{aia: {}}", "`aia` without `ocsp` and `ca_issuers`"},
	{"{aia: {ocsp: [\"ldap://x.example/\"]}}", "no http or https URL"},
	{"{aia: {ca_issuer: [\"http://x.example/\"]}}",
	 "did you mean `ca_issuers`"},
	{"{crl_dp: []}", "the list is empty"},
	{"{crl_dp: [\"no url\"]}", "web.yaml:6:25"},
	{"{no_rev_avail: \"true\"}", "true or false is wanted"},
	{"{no_rev_avail: true, crl_dp: [\"http://x.example/\"]}",
	 "RFC 9608 3: `no_rev_avail` excludes"},
	{"{no_rev_avail: true, aia: {ocsp: [\"http://x.example/\"]}}",
	 "RFC 9608 3: `no_rev_avail` excludes"},
	{"{no_rev_avail: true, basic_constraints: {ca: true}}",
	 "RFC 9608 2: `no_rev_avail` is not for CAs"},
	{"{basic_constraints: {path_len: 1}}", "RFC 5280 4.2.1.9: `path_len`"},
	{"{basic_constraints: {ca: true, path_len: -1}}", "is not within"},
	{"{pass: []}", "the list is empty"},
	{"{pass: [{max_bytes: 4}]}", "`extensions.pass` without `oid`"},
	{"{pass: [{oid: 1.2.3}]}", "`pass` without `max_bytes`"},
	{"{pass: [{oid: 1.2.3, max_bytes: 0}]}", "is not within 1..4096"},
	{"{pass: [{oid: 2.5.29.17, max_bytes: 9}]}", "has the section `san`"},
	{"{pass: [{oid: 2.5.29.14, max_bytes: 9}]}", "written by the issuer"},
	{"{pass: [{oid: 1.2.3, max_bytes: 9}, {oid: 1.2.3, max_bytes: 8}]}",
	 "the extension is there twice"},
	{"{add: [{oid: 1.2.3}]}", "`add` without `der`"},
	{"{add: [{oid: 1.2.3, der: \"0500\", value: x}]}", "is not known"},
	{"{add: [{oid: 1.2.3, der: \"05\"}]}", "one DER element"},
	{"{add: [{oid: 1.2.3, der: \"050\"}]}", "even number of hexadecimal"},
	{"{add: [{oid: 1.2.3, der: \"\"}]}", "one DER element"},
	{"{add: [{oid: 1.2.3, der: \"05000500\"}]}", "octets behind its end"},
	{"{add: [{oid: 1.2.3, der: \"3003020205\"}]}", "one DER element"},
	{"{add: [{oid: 1.2.3, der: {cel: x}}]}", "is not supported yet"},
	{"{add: [{oid: 2.5.29.31, der: \"3000\"}]}", "has the key `crl_dp`"},
	{"{add: [{oid: 1.2.3, der: \"0500\"}, {oid: 1.2.3, der: \"0500\"}]}",
	 "the extension is there twice"},
	{"{pass: [{oid: 1.2.3, max_bytes: 9}], add: [{oid: 1.2.3, der: "
	 "\"0500\"}]}",
	 "the extension is in `pass` as well"},
};

static void what_cannot_be_meant_does_not_load(void **state)
{
	struct cs_testing t;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		(void)snprintf(text, sizeof(text), EXT("%s"), refused[i].text);
		cs_testing_init(&t);
		cs_testing_load(&t, text);
		if (t.set != NULL ||
		    !cs_testing_reports(&t, refused[i].words)) {
			for (size_t k = 0; k < t.report.n; k++)
				print_error(
					"%.*s\n",
					CS_SPAN_FMT(t.report.items[k].text));
			fail_msg("%s: no `%s`", refused[i].text,
				 refused[i].words);
		}
		cs_testing_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_the_policy_are_given_and_told),
		cmocka_unit_test(
			what_was_asked_gives_way_to_what_the_policy_gives),
		cmocka_unit_test(added_extensions_are_der_from_hexadecimal),
		cmocka_unit_test(
			named_extensions_pass_when_short_and_well_formed),
		cmocka_unit_test(a_test_may_ask_for_an_extension),
		cmocka_unit_test(no_rev_avail_is_an_extension_and_a_mark),
		cmocka_unit_test(a_ca_may_be_asked_for_up_to_the_path_length),
		cmocka_unit_test(what_was_decided_must_be_in_the_certificate),
		cmocka_unit_test(what_cannot_be_meant_does_not_load),
	};

	return cs_test_run("policy/extension", tests);
}
