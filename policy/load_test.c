#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "policy/testing.h"

#define HEAD                                                                   \
	"apiVersion: countersign.dev/v1\n"                                     \
	"kind: IssuancePolicy\n"                                               \
	"metadata: {name: web}\n"                                              \
	"spec:\n"

/* Loading must fail with a problem that has these words. */
static void refuses(const char *text, const char *words)
{
	struct cs_testing t;

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

/* The same for the text of a spec (line 5 on). */
static void refuses_spec(const char *spec, const char *words)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), HEAD "%s", spec);
	refuses(text, words);
}

static void loads(const char *spec)
{
	struct cs_testing t;
	char text[4096];

	(void)snprintf(text, sizeof(text), HEAD "%s", spec);
	cs_testing_init(&t);
	cs_testing_load(&t, text);
	for (size_t i = 0; i < t.report.n && t.set == NULL; i++)
		print_error("%.*s\n", CS_SPAN_FMT(t.report.items[i].text));
	assert_non_null(t.set);
	cs_testing_done(&t);
}

static void documents_say_what_they_are(void **state)
{
	(void)state;
	refuses("a: [\n", "web.yaml:2:1: ");
	refuses("- a\n", "web.yaml:1:1: a document is a map, not a list");
	refuses("spec: {}\n", "`apiVersion: countersign.dev/v1`");
	refuses("apiVersion: countersign.dev/v2\nkind: IssuancePolicy\n",
		"web.yaml:1:13: `apiVersion: countersign.dev/v2` is not known; "
		"did you mean `countersign.dev/v1`?");
	refuses("apiVersion: countersign.dev/v1\nkind: IssuerPolicy\n",
		"did you mean `IssuancePolicy`?");
	refuses("apiVersion: countersign.dev/v1\nkind: IssuanceGuard\n",
		"did you mean `IssuanceGuards`?");
	refuses("apiVersion: policy.cert-manager.io/v1alpha1\n"
		"kind: CertificateRequestPolicy\n",
		"`kind: CertificateRequestPolicy` is not supported yet");
	refuses("apiVersion: countersign.dev/v1\nkind: IssuancePolicy\n"
		"spec: {}\n",
		"`metadata.name` is missing");
	refuses("apiVersion: countersign.dev/v1\nkind: IssuancePolicy\n"
		"metadata: {name: web}\n",
		"`spec` is missing");
	refuses(HEAD "  {}\nstatus: {}\n", "`status` is not known");
	refuses("apiVersion: countersign.dev/v1\nkind: IssuancePolicy\n"
		"metadata: {name: _web}\nspec: {}\n",
		"the name `_web` is reserved");
	refuses("apiVersion: countersign.dev/v1\nkind: IssuancePolicy\n"
		"metadata: {name: Web}\nspec: {}\n",
		"a policy's name has");
	refuses("apiVersion: countersign.dev/v1\nkind: IssuancePolicy\n"
		"metadata: {name: web, labels: {}}\nspec: {}\n",
		"`metadata.labels` is not known");
}

static void unknown_keys_come_with_the_nearest_one(void **state)
{
	(void)state;
	refuses_spec("  subjects: {}\n",
		     "web.yaml:5:3: `spec.subjects` is not known; did you mean "
		     "`subject`?");
	refuses_spec("  san: {dns: {alow: [any]}}\n",
		     "web.yaml:5:15: `san.dns.alow` is not known; did you mean "
		     "`allow`?");
	refuses_spec("  zzz: {}\n", "web.yaml:5:3: `spec.zzz` is not known");
	refuses_spec("  validity: {maximum: 90d}\n", "`validity.maximum`");
	refuses_spec("  subject: {O: {set: x}}\n",
		     "did you mean `organization`");
	refuses_spec("  subject: {organisation: {set: x}}\n",
		     "did you mean `organization`");
	refuses_spec("  subject: {shoeSize: {set: x}}\n",
		     "use an attribute's name or its OID");
	refuses_spec("  match: {requester: {username: [alice]}}\n",
		     "`match.requester.username` is not known");
	refuses_spec("  extensions: {keyusage: {}}\n",
		     "did you mean `key_usage`");
}

static void keys_of_the_language_to_come_are_named(void **state)
{
	static const char *const specs[] = {
		"  guards: []\n",
		"  ensure: []\n",
		"  match: {when: 'true'}\n",
		"  san: {dns: {allow: [{cel: x}]}}\n",
		"  san: {dns: {set: [x]}}\n",
		"  subject: {organization: {set: {cel: team}}}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++)
		refuses_spec(specs[i], "is not supported yet by this version");
}

static void values_must_be_of_their_kind(void **state)
{
	(void)state;
	refuses_spec("  priority: high\n",
		     "a whole number is wanted, not text");
	refuses_spec("  priority: 1000001\n", "is not within");
	refuses_spec("  subject: []\n", "`subject` wants a map, not a list");
	refuses_spec("  subject:\n", "`subject` wants a map, not nothing");
	refuses_spec("  subject: {organization: {set: 7}}\n",
		     "text is wanted, not a number; quote this");
	refuses_spec("  subject: {organization: {set: []}}\n",
		     "the list is empty");
	refuses_spec("  subject: {organization: {allow: []}}\n",
		     "the list is empty");
	refuses_spec("  subject: {organization: {max: many}}\n",
		     "whole number");
	refuses_spec("  subject: {commonName: {in_san: maybe}}\n",
		     "`maybe` is not require or add or ignore");
	refuses_spec("  san: {unlisted: warn}\n", "is not reject or drop");
	refuses_spec("  san: {dns: {wildcard: all}}\n",
		     "is not forbid or leftmost");
	refuses_spec("  san: {dns: {min: 3, max: 2}}\n",
		     "`min` is greater than `max`");
	refuses_spec("  match: {}\n", "`match` is empty");
	refuses_spec("  match: {issuer: []}\n", "the list is empty");
	refuses_spec("  match: {issuer: [Web]}\n", "no identifier or glob");
	refuses_spec("  match: {source: [listener]}\n",
		     "has a policy of its own");
	refuses_spec("  match: {source: [ocsp]}\n", "its own, `_ocsp`");
	refuses_spec("  match: {realm: [prod/x]}\n", "no identifier or glob");
	refuses_spec("  match: {namespace: []}\n", "the list is empty");
	refuses_spec("  match: {namespaceLabels: {}}\n", "wants labels");
	refuses_spec("  match: {namespaceLabels: [a]}\n", "wants labels");
	refuses_spec("  match: {namespaceLabels: {tier: 1}}\n", "quote this");
	refuses_spec("  match: {requester: {users: ['*']}}\n",
		     "leave `users` out");
	refuses_spec("  match: {until: tomorrow}\n",
		     "web.yaml:5:18: `tomorrow` is no date");
	refuses_spec("  match: {until: 2027-02-30}\n", "is no date");
	refuses_spec("  match: {until: '2027-02-20T00:00+'}\n", "is no date");
	loads("  match: {until: 2027-03-31T12:00Z, realm: [prod-*], "
	      "namespaceLabels: {tier: web}}\n");
	refuses_spec("  extensions: {key_usage: {critical: 'true'}}\n",
		     "true or false is wanted");
}

static void matchers_are_checked_for_their_field(void **state)
{
	(void)state;
	refuses_spec("  san: {dns: {allow: [www.corp.example]}}\n",
		     "a matcher is `any` or a map such as {dns: "
		     ".corp.example}");
	refuses_spec("  san: {dns: {allow: [{dns: a, exact: b}]}}\n",
		     "a matcher has exactly one key");
	refuses_spec("  san: {dns: {allow: [{}]}}\n", "exactly one key");
	refuses_spec("  san: {dns: {allow: [{any: true}]}}\n", "`any` alone");
	refuses_spec("  san: {dns: {allow: [{cidr: 10.0.0.0/8}]}}\n",
		     "`cidr` cannot match in `san.dns`");
	refuses_spec("  san: {ip: {allow: [{dns: a}]}}\n",
		     "`dns` cannot match in `san.ip`");
	refuses_spec("  subject: {organization: {allow: [{dns: a}]}}\n",
		     "cannot match in `subject.organization`");
	refuses_spec("  san: {dns: {allow: [{dns: a_b.example}]}}\n",
		     "is no DNS name: RFC 1034");
	refuses_spec("  san: {dns: {allow: [{dns: 'a.*.example'}]}}\n",
		     "`*` stands only in front");
	refuses_spec("  san: {dns: {allow: [{dns: '*'}]}}\n", "`*`");
	refuses_spec("  san: {ip: {allow: [{cidr: 10.0.0.1/8}]}}\n",
		     "bits behind its prefix");
	refuses_spec("  san: {ip: {allow: [{cidr: 10.0.0.0/33}]}}\n",
		     "ADDRESS/BITS");
	refuses_spec("  san: {ip: {allow: [{cidr: 10.0.0.0/}]}}\n",
		     "ADDRESS/BITS");
	refuses_spec("  san: {ip: {allow: [{cidr: nonsense}]}}\n",
		     "is no network");
	refuses_spec("  san: {ip: {allow: [{exact: nonsense}]}}\n",
		     "no IP address");
	refuses_spec("  san: {dns: {allow: [{glob: 'a*'}]}}\n",
		     "`glob` cannot match in `san.dns`");
	refuses_spec("  san: {dns: {allow: [{regex: 'x*+'}]}}\n",
		     "web.yaml:5:31: `x*+`: at byte ");
	refuses_spec("  san: {ip: {allow: [{regex: x}]}}\n",
		     "`regex` cannot match in `san.ip`");
	refuses_spec("  subject: {organization: {allow: [{dn: 'CN=a'}]}}\n",
		     "`dn` cannot match in `subject.organization`");
	refuses_spec("  subject: {2.5.4.97: {allow: [{oid: 1.2.x}]}}\n",
		     "write `organizationIdentifier`");
	refuses_spec("  subject: {1.2.3: {allow: [{oid: 1.2.x}]}}\n",
		     "web.yaml:5:35: ");
	refuses_spec("  san: {uri: {allow: [{uri: {}}]}}\n",
		     "`uri` wants scheme, host or path");
	refuses_spec("  san: {uri: {allow: [{uri: {hosst: x}}]}}\n",
		     "did you mean `host`?");
	refuses_spec("  san: {uri: {allow: [{uri: {scheme: HTTPS}}]}}\n",
		     "RFC 3986 3.1");
	refuses_spec("  san: {uri: {allow: [{uri: {host: 'a/b'}}]}}\n",
		     "RFC 3986 3.2.2");
	refuses_spec("  san: {uri: {allow: [{uri: {path: '/a/../b'}}]}}\n",
		     "RFC 3986 5.2.4");
	refuses_spec("  san: {email: {allow: [{email: {}}]}}\n",
		     "`email` wants {domain: DOMAIN}");
	refuses_spec("  san: {email: {allow: [{email: corp.example}]}}\n",
		     "wants a map");
	refuses_spec("  san: {directory_name: {allow: [{exact: CN=a}]}}\n",
		     "`exact` cannot match in `san.directory_name`");
	refuses_spec("  san: {directory_name: {allow: [{dn: a}]}}\n",
		     "`a`: RFC 4514 3: TYPE=VALUE is wanted");
	refuses_spec("  san: {registered_id: {allow: [{dn: CN=a}]}}\n",
		     "`dn` cannot match in `san.registered_id`");
	refuses_spec("  san: {registered_id: {allow: [{oid: 1}]}}\n",
		     "web.yaml:5:");
	refuses_spec("  san: {other_name: [{oid: 1.2.3}]}\n",
		     "has `oid` and `type: utf8`");
	refuses_spec("  san: {other_name: [{oid: 1.2.3, type: ia5}]}\n",
		     "`ia5` is not utf8");
	refuses_spec("  san: {other_name: [{oid: 1.2.3, type: utf8}, "
		     "{oid: 1.2.3, type: utf8}]}\n",
		     "there are rules for 1.2.3 already");
	refuses_spec("  san: {uri: {allow: [{exact: nonsense}]}}\n",
		     "without a scheme");
	loads("  san: {ip: {allow: [{cidr: 10.1.2.3}, {cidr: '2001:db8::/32'}, "
	      "{exact: '2001:DB8:0::1'}]}}\n");
	loads("  san: {dns: {allow: [{dns: WWW.Corp.Example}, {dns: '**.a'}, "
	      "{exact: '*.b'}]}}\n");
}

static void values_that_are_issued_are_checked_at_once(void **state)
{
	(void)state;
	refuses_spec("  subject: {country: {set: DEU}}\n", "RFC 5280 A.1");
	refuses_spec("  subject: {country: {set: D}}\n", "two letters");
	refuses_spec("  subject: {organization: {set: ''}}\n",
		     "an empty value");
	refuses_spec("  subject: {organization: {set: \"a\\tb\"}}\n",
		     "a control character");
	refuses_spec("  subject: {organization: {set: x, default: z}}\n",
		     "exclude each other");
	refuses_spec("  subject: {organization: {set: [x, z], max: 1}}\n",
		     "more values than `max`");
	refuses_spec(
		"  subject: {organization: {set: x, deny: [{exact: x}]}}\n",
		"`deny` of the same attribute hits it");
	refuses_spec("  subject: {2.5.4.10: {set: x}}\n",
		     "write `organization` for 2.5.4.10");
	refuses_spec("  subject: {1.2.: {set: x}}\n", "web.yaml:5:13: ");
	loads("  subject: {1.2.3.4: {set: x}}\n");
}

static void keys_and_validity_are_checked(void **state)
{
	(void)state;
	refuses_spec("  key: {}\n", "`key` without `allow`");
	refuses_spec("  key: {allow: [{alg: DSA}]}\n",
		     "`DSA` is not EC or RSA or Ed25519");
	refuses_spec("  key: {allow: [EC]}\n", "a map such as {alg: EC}");
	refuses_spec("  key: {allow: [{alg: EC, curves: [P-224]}]}\n", "P-224");
	refuses_spec("  key: {allow: [{alg: EC, bits: 256}]}\n",
		     "`key.allow.bits` is not known");
	refuses_spec("  key: {allow: [{alg: RSA, bits: 1024}]}\n",
		     "from 2048 on");
	refuses_spec("  key: {allow: [{alg: RSA, bits: 4096..3072}]}\n",
		     "bits are a number or a range");
	loads("  key: {allow: [{alg: RSA, bits: 3072..4096}, {alg: RSA, bits: "
	      "2048}, {alg: RSA, bits: 2048..}, {alg: RSA}]}\n");
	refuses_spec("  validity: {max: 90}\n", "a duration needs a unit");
	refuses_spec("  validity: {max: 90x}\n", "web.yaml:5:19: ");
	refuses_spec("  validity: {max: {on_violation: clamp}}\n",
		     "without `value`");
	refuses_spec("  validity: {max: {value: 1h, on_violation: drop}}\n",
		     "is not reject or clamp");
	refuses_spec("  validity: {min: 2h, max: 1h}\n",
		     "`min` is longer than `max`");
	refuses_spec("  validity: {default: 2h, max: 1h}\n",
		     "`default` is not within min and max");
	refuses_spec("  validity: {min: 10s}\n", "born expired");
	refuses_spec("  validity: {max: 40000d}\n", "36500d");
	loads("  validity: {max: 24h}\n");
	loads("  validity: {max: 1m}\n");
	loads("  validity: {min: 100d, max: 200d}\n");
}

static void usages_are_checked(void **state)
{
	(void)state;
	refuses_spec("  extensions: {ext_key_usage: {allow: [serverAuth]}}\n",
		     "write `server auth`");
	refuses_spec("  extensions: {ext_key_usage: {allow: [digital "
		     "signature]}}\n",
		     "is a key usage; it goes to `key_usage`");
	refuses_spec("  extensions: {key_usage: {allow: [server auth]}}\n",
		     "it goes to `ext_key_usage`");
	refuses_spec("  extensions: {ext_key_usage: {allow: [any, server "
		     "auth]}}\n",
		     "write 2.5.29.37.0");
	refuses_spec("  extensions: {key_usage: {set: [signing], default: "
		     "[signing]}}\n",
		     "exclude each other");
	loads("  extensions: {ext_key_usage: {allow: [any]}, key_usage: "
	      "{allow: any}}\n");
}

static void all_errors_are_told_at_once(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(&t, HEAD "  zzz: 1\n"
				 "  guards: []\n"
				 "  validity: {max: x}\n"
				 "  san: {dns: {allow: [1]}}\n"
				 "---\n"
				 "kind: x\n");
	assert_null(t.set);
	assert_int_equal(t.report.errors, 5);
	assert_int_equal(t.report.items[0].line, 5);
	assert_int_equal(t.report.items[4].line, 10);
	assert_true(cs_span_equal_str(t.report.items[4].source, "web.yaml"));
	cs_testing_done(&t);
}

static void names_are_unique_and_ties_are_errors(void **state)
{
	struct cs_testing t;
	struct cs_source two[2] = {{.name = CS_SPAN_LIT("a.yaml")},
				   {.name = CS_SPAN_LIT("b.yaml")}};

	(void)state;
	cs_testing_init(&t);
	two[0].bytes = CS_SPAN_LIT(CS_TESTING_POLICY("x", "  priority: 1\n"));
	two[1].bytes = CS_SPAN_LIT(CS_TESTING_POLICY("x", "  priority: 2\n"));
	cs_testing_load_sources(&t, two, 2);
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "b.yaml:1:1: the name `x` is taken "
					   "by the document at a.yaml:1"));
	two[0].bytes = CS_SPAN_LIT(CS_TESTING_POLICY(
		"x",
		"  match: {issuer: ['web-*'], requester: {users: [a]}}\n"));
	two[1].bytes = CS_SPAN_LIT(CS_TESTING_POLICY(
		"z",
		"  match: {issuer: ['*-prod'], requester: {users: [b]}}\n"));
	cs_testing_load_sources(&t, two, 2);
	assert_null(t.set);
	assert_true(cs_testing_reports(&t, "b.yaml:1:1: `z` and `x` (a.yaml:1) "
					   "have the same priority, 0, and can "
					   "both match: issuer `web-prod`, "
					   "source `*`"));
	two[1].bytes = CS_SPAN_LIT(
		CS_TESTING_POLICY("z", "  match: {issuer: [vm]}\n"));
	cs_testing_load_sources(&t, two, 2);
	assert_non_null(t.set);
	two[0].bytes =
		CS_SPAN_LIT(CS_TESTING_POLICY("x", "  match: {source: api}\n"));
	two[1].bytes = CS_SPAN_LIT(CS_TESTING_POLICY(
		"z", "  match: {source: kubernetes, issuer: vm}\n"));
	cs_testing_load_sources(&t, two, 2);
	assert_non_null(t.set);
	cs_testing_done(&t);
}

static void a_set_that_fails_its_own_tests_does_not_load(void **state)
{
#define WITH_TEST(request, expect)                                             \
	"  san: {dns: {allow: [{dns: .corp.example}]}}\n"                      \
	"  subject: {organization: {set: Acme}}\n"                             \
	"  tests:\n"                                                           \
	"    - {name: t, request: " request ", expect: " expect "}\n"

	(void)state;
	loads(WITH_TEST("{dns: [a.corp.example]}", "{verdict: issued}"));
	refuses_spec(WITH_TEST("{dns: [a.corp.example]}", "{verdict: refused}"),
		     "web.yaml:8:7: test `t` failed: it is issued");
	refuses_spec(WITH_TEST("{dns: [a.example]}", "{verdict: issued}"),
		     "test `t` failed: it is refused: a.example is not below "
		     ".corp.example");
	refuses_spec(
		WITH_TEST("{dns: [a.example]}", "{codes: [SAN_DNS_DENIED]}"),
		"it does not give SAN_DNS_DENIED");
	refuses_spec(WITH_TEST("{dns: [a.example]}", "{codes: []}"),
		     "not expected that it gives SAN_DNS_NOT_ALLOWED");
	refuses_spec(WITH_TEST("{dns: [a.example]}", "{rules: [san.dns.deny]}"),
		     "it is not refused by san.dns.deny");
	refuses_spec(WITH_TEST("{dns: [a.corp.example]}", "{changed: false}"),
		     "something was changed");
	refuses_spec(WITH_TEST("{dns: [a.corp.example]}",
			       "{given: {'subject.organization[0]': Other}}"),
		     "subject.organization[0] is Acme, not Other");
	refuses_spec(WITH_TEST("{dns: [a.corp.example]}",
			       "{given: {'san.dns[0]': x}}"),
		     "nothing was changed or added in san.dns[0]");
	refuses_spec(WITH_TEST("{dns: [a.corp.example]}", "{}"),
		     "the test expects nothing");
	refuses_spec(WITH_TEST("{dns: [a.corp.example]}", "{codes: [NO_CODE]}"),
		     "`NO_CODE` is no code");
	refuses_spec(WITH_TEST("{dns: [a_b]}", "{verdict: issued}"),
		     "RFC 1034 3.5");
	refuses_spec(WITH_TEST("{key: RSA 1024}", "{verdict: issued}"),
		     "a test's key is one of");
	refuses_spec("  tests: [{name: t}]\n", "a test has `name`");
	refuses_spec("  tests: {}\n", "`tests` wants a list");
}

static void hashes_do_not_depend_on_how_it_is_written(void **state)
{
	struct cs_testing t;
	uint8_t first[32], set[32];

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(&t, HEAD "  priority: 7\n  validity: {max: 24h}\n");
	memcpy(first, cs_policy_set_at(t.set, 0)->policy_sha256, 32);
	memcpy(set, cs_policy_set_sha256(t.set), 32);
	assert_true(cs_span_equal_str(
		cs_policy_set_at(t.set, 0)->json,
		"{\"apiVersion\":\"countersign.dev/v1\",\"kind\":"
		"\"IssuancePolicy\",\"metadata\":{\"name\":\"web\"},\"spec\":{"
		"\"priority\":7,\"validity\":{\"max\":\"24h\"}}}"));
	cs_testing_load(&t, "{\"spec\": {\"validity\": {\"max\": \"24h\"},\n"
			    "\"priority\": 7}, \"metadata\": {\"name\": "
			    "\"web\"}, \"kind\": \"IssuancePolicy\",\n"
			    "\"apiVersion\": \"countersign.dev/v1\"}");
	assert_memory_equal(cs_policy_set_at(t.set, 0)->policy_sha256, first,
			    32);
	assert_memory_equal(cs_policy_set_sha256(t.set), set, 32);
	cs_testing_load(&t, HEAD "  priority: 7\n  validity: {max: 25h}\n");
	assert_memory_not_equal(cs_policy_set_at(t.set, 0)->policy_sha256,
				first, 32);
	/* SHA-256 of "[]": an empty set. */
	cs_testing_load(&t, "# nothing\n---\n");
	assert_memory_equal(cs_policy_set_sha256(t.set),
			    "\x4f\x53\xcd\xa1\x8c\x2b\xaa\x0c\x03\x54\xbb\x5f"
			    "\x9a\x3e\xcb\xe5\xed\x12\xab\x4d\x8e\x11\xba\x87"
			    "\x3c\x2f\x11\x16\x12\x02\xb9\x45",
			    32);
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_say_what_they_are),
		cmocka_unit_test(unknown_keys_come_with_the_nearest_one),
		cmocka_unit_test(keys_of_the_language_to_come_are_named),
		cmocka_unit_test(values_must_be_of_their_kind),
		cmocka_unit_test(matchers_are_checked_for_their_field),
		cmocka_unit_test(values_that_are_issued_are_checked_at_once),
		cmocka_unit_test(keys_and_validity_are_checked),
		cmocka_unit_test(usages_are_checked),
		cmocka_unit_test(all_errors_are_told_at_once),
		cmocka_unit_test(names_are_unique_and_ties_are_errors),
		cmocka_unit_test(a_set_that_fails_its_own_tests_does_not_load),
		cmocka_unit_test(hashes_do_not_depend_on_how_it_is_written),
	};

	return cs_test_run("policy/load", tests);
}
