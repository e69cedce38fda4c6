#include <tests/lib/test.h>

#include "policy/tell.h"

#define CHECK "\xe2\x9c\x93"
#define CROSS "\xe2\x9c\x97"
#define L     CS_SPAN_LIT

static const struct cs_finding findings[] = {
	{.code = "SAN_DNS_NOT_ALLOWED",
	 .field = CS_SPAN_INIT("san.dns[1]"),
	 .value = CS_SPAN_INIT("pay.other.example"),
	 .expect = CS_SPAN_INIT(".shop.corp.example or .shop.example"),
	 .rule = CS_SPAN_INIT("team-web/san.dns.allow"),
	 .at = CS_SPAN_INIT("team-web.yaml:21"),
	 .message = CS_SPAN_INIT("pay.other.example is not below "
				 ".shop.corp.example or .shop.example")},
	{.code = "SAN_DNS_WILDCARD",
	 .field = CS_SPAN_INIT("san.dns[2]"),
	 .value = CS_SPAN_INIT("*.shop.corp.example"),
	 .rule = CS_SPAN_INIT("team-web/san.dns.wildcard"),
	 .at = CS_SPAN_INIT("team-web.yaml:21"),
	 .message = CS_SPAN_INIT("wildcards are forbidden by this policy")},
	{.code = "GUARD",
	 .field = CS_SPAN_INIT("san.dns[4]"),
	 .value = CS_SPAN_INIT("*.corp.example"),
	 .rule = CS_SPAN_INIT("guards/reserved"),
	 .at = CS_SPAN_INIT("guards.yaml:8"),
	 .message = CS_SPAN_INIT("admin.corp.example is reserved")},
	{.code = "KEY_NOT_ALLOWED",
	 .field = CS_SPAN_INIT("key"),
	 .value = CS_SPAN_INIT("EC P-521"),
	 .expect = CS_SPAN_INIT("EC P-256/P-384, RSA 3072..4096, Ed25519"),
	 .rule = CS_SPAN_INIT("team-web/key.allow"),
	 .at = CS_SPAN_INIT("team-web.yaml:28"),
	 .message = CS_SPAN_INIT("EC P-521 is not allowed")},
};

static const struct cs_span because[] = {
	CS_SPAN_INIT("issuer web"),
	CS_SPAN_INIT("realm prod-eu"),
	CS_SPAN_INIT("namespace shop"),
};
static const struct cs_span vars[] = {CS_SPAN_INIT("team = shop")};
static const struct cs_span not_reached[] = {CS_SPAN_INIT("build"),
					     CS_SPAN_INIT("limits")};
static const struct cs_span kept[] = {
	CS_SPAN_INIT("subject.commonName[0]"),
	CS_SPAN_INIT("san.dns[0]"),
	CS_SPAN_INIT("san.dns[3]"),
};
static const struct cs_tell_rule rules[] = {
	{CS_SPAN_INIT("team-web/key.allow"), CS_SPAN_INIT("[]"),
	 CS_SPAN_INIT("violated")},
	{CS_SPAN_INIT("team-web/san.max_total"), CS_SPAN_INIT("50"),
	 CS_SPAN_INIT("holds")},
};

/* The refusal that the design shows. */
static struct cs_tell refusal(void)
{
	return (struct cs_tell){
		.final = true,
		.code = L("REFUSED"),
		.has_log = true,
		.log = 48213,
		.policy = L("team-web"),
		.policy_sha256 = L("3f9a120000"),
		.policy_source = L("team-web.yaml"),
		.policy_owner = L("pki@corp.example"),
		.because = {because, 3},
		.vars = {vars, 1},
		.source = L("kubernetes"),
		.namespace = L("shop"),
		.owner = L("shop-tls"),
		.names = 5,
		.violations = findings,
		.violations_n = 4,
		.has_kept = true,
		.kept = {kept, 3},
		.not_reached = {not_reached, 2},
		.rules = rules,
		.rules_n = 2,
	};
}

static void a_refusal_is_told_from_who_decided_to_what_to_do(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_tell t = refusal();

	(void)state;
	cs_buf_init(&b, 65536);
	cs_tell_long(&t, &b);
	assert_string_equal(
		cs_buf_str(&b),
		"REFUSED  3 of 5 names, and the key   policy team-web (sha "
		"3f9a12, team-web.yaml, owner pki@corp.example)   log #48213\n"
		"  why this policy   issuer web, realm prod-eu, namespace shop"
		"          vars  team = shop\n"
		"  " CROSS " san.dns[1]  pay.other.example    "
		"SAN_DNS_NOT_ALLOWED  expected .shop.corp.example or "
		".shop.example      team-web/san.dns.allow     "
		"team-web.yaml:21\n"
		"  " CROSS " san.dns[2]  *.shop.corp.example  SAN_DNS_WILDCARD"
		"     wildcards are forbidden by this policy            "
		"team-web/san.dns.wildcard  team-web.yaml:21\n"
		"  " CROSS " san.dns[4]  *.corp.example       GUARD           "
		"     admin.corp.example is reserved                    "
		"guards/reserved            guards.yaml:8\n"
		"  " CROSS " key         EC P-521             KEY_NOT_ALLOWED "
		"     expected EC P-256/P-384, RSA 3072..4096, Ed25519  "
		"team-web/key.allow         team-web.yaml:28\n"
		"  " CHECK " 2 names, CN, 1 other rule (--all)      not "
		"reached: build, lint, limits\n"
		"  final for this request. Fix the CSR, or ask the owner; "
		"then: cmctl renew shop-tls -n shop\n");
}

static void the_short_form_is_the_same_in_one_line(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_tell t = refusal();

	(void)state;
	cs_buf_init(&b, 65536);
	cs_tell_short(&t, CS_TELL_DETAIL_FINDINGS, L(""), &b);
	assert_string_equal(
		cs_buf_str(&b),
		"3 of 5 names, and the key: pay.other.example is not below "
		".shop.corp.example or .shop.example (team-web/san.dns.allow, "
		"team-web.yaml:21); wildcards are forbidden by this policy "
		"(team-web/san.dns.wildcard, team-web.yaml:21); "
		"admin.corp.example is reserved (guards/reserved, "
		"guards.yaml:8); EC P-521 is not allowed (team-web/key.allow, "
		"team-web.yaml:28); not reached: build, lint, limits. Fix the "
		"CSR, or ask pki@corp.example; then: cmctl renew shop-tls -n "
		"shop");
}

static void kubernetes_gets_three_findings_and_where_the_rest_is(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_tell t = refusal();

	(void)state;
	t.violations_more = 8;
	cs_buf_init(&b, 65536);
	cs_tell_short(&t, CS_TELL_KUBERNETES_FINDINGS, L("00ff"), &b);
	assert_non_null(strstr(cs_buf_str(&b),
			       "guards.yaml:8); and 9 more: countersign "
			       "request show 00ff; not reached: "));
	assert_non_null(strstr(cs_buf_str(&b),
			       ": san.dns[1]: pay.other.example is not "));
	assert_null(strstr(cs_buf_str(&b), "P-521"));
}

static void a_change_is_told_by_what_was_asked_and_given(void **state)
{
	static const struct cs_tell_change changes[] = {
		{.field = CS_SPAN_INIT("subject.organization[0]"),
		 .has_asked = true,
		 .asked = CS_SPAN_INIT("Acme"),
		 .has_given = true,
		 .given = CS_SPAN_INIT("Example Corp"),
		 .disposition = CS_SPAN_INIT("overridden"),
		 .rule = CS_SPAN_INIT("ci-vm/subject.organization.set"),
		 .at = CS_SPAN_INIT("ci-vm.yaml:12")},
		{.field = CS_SPAN_INIT("extensions.ext_key_usage[1]"),
		 .has_asked = true,
		 .asked = CS_SPAN_INIT("client auth"),
		 .disposition = CS_SPAN_INIT("dropped"),
		 .rule = CS_SPAN_INIT("ci-vm/extensions.ext_key_usage.allow"),
		 .at = CS_SPAN_INIT("ci-vm.yaml:23")},
	};
	const struct cs_tell t = {
		.issued = true,
		.changed = true,
		.serial = L("5b1c9e"),
		.policy = L("ci-vm"),
		.policy_sha256 = L("77e0c1aa"),
		.policy_source = L("ci-vm.yaml"),
		.requested = L("ci-vm"),
		.approved = L("release-bot"),
		.approval = L("ticket 4711"),
		.has_log = true,
		.log = 48214,
		.changes = changes,
		.changes_n = 2,
		.kept = {kept, 2},
	};
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	(void)state;
	cs_buf_init(&b, 65536);
	cs_tell_long(&t, &b);
	assert_string_equal(
		cs_buf_str(&b),
		"ISSUED, CHANGED  serial 5b1c9e  policy ci-vm (sha 77e0c1)  "
		"requested ci-vm, approved release-bot (ticket 4711)  log "
		"#48214\n"
		"  subject.organization[0]      asked \"Acme\"       given "
		"\"Example Corp\"  overridden  ci-vm/subject.organization.set"
		"        ci-vm.yaml:12\n"
		"  extensions.ext_key_usage[1]  asked client auth  given "
		"\xe2\x80\x93               dropped     "
		"ci-vm/extensions.ext_key_usage.allow  ci-vm.yaml:23\n"
		"  kept: subject.commonName[0], san.dns[0]; added: SKI, AKI, "
		"serial\n");
}

static void nobody_moves_the_cursor(void **state)
{
	static const struct cs_finding hostile = {
		.code = "CSR_MALFORMED",
		.value = CS_SPAN_INIT("a\x1b[2J"),
		.message = CS_SPAN_INIT("b\n\xe2\x80\xae"),
		.rule = CS_SPAN_INIT("built-in"),
	};
	const struct cs_tell t = {
		.violations = &hostile,
		.violations_n = 1,
		.others = (const struct cs_tell_other[]){{L("\x07"), L("\r")}},
		.others_n = 1,
	};
	CS_CLEANUP(cs_buf_done) struct cs_buf b, s;

	(void)state;
	cs_buf_init(&b, 65536);
	cs_buf_init(&s, 65536);
	cs_tell_long(&t, &b);
	assert_non_null(strstr(cs_buf_str(&b), "not \\x07  \\x0d\n"));
	assert_non_null(strstr(cs_buf_str(&b), "- " /* no field */));
	assert_non_null(strstr(cs_buf_str(&b), "a\\x1b[2J"));
	cs_tell_short(&t, 1, L(""), &s);
	assert_string_equal(cs_buf_str(&s), "b\\x0a\\u{202e}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_refusal_is_told_from_who_decided_to_what_to_do),
		cmocka_unit_test(the_short_form_is_the_same_in_one_line),
		cmocka_unit_test(
			kubernetes_gets_three_findings_and_where_the_rest_is),
		cmocka_unit_test(a_change_is_told_by_what_was_asked_and_given),
		cmocka_unit_test(nobody_moves_the_cursor),
	};

	return cs_test_run("policy/tell", tests);
}
