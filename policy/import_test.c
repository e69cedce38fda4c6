#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>

#include "policy/import_parts.h"
#include "policy/testing.h"

/*
 * Memory may run out: every allocation in turn, ours by a wrapper that the
 * linker puts in front of calloc, and Jansson's by its own hooks.
 */
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

/* How many allocations succeed before one fails; negative: all do. */
static long left = -1;

static bool fails(void)
{
	if (left == 0) {
		left = -1;
		return true;
	}
	if (left > 0)
		left--;
	return false;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

static void *json_malloc(size_t n)
{
	return fails() ? NULL : __real_calloc(1, n);
}

/* -- patterns -------------------------------------------------------------- */

static void globs_take_any_characters_and_nothing_else(void **state)
{
	static const struct {
		const char *glob, *text;
		bool takes;
	} cases[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a.b/c@d", true},
		{"a*", "a", true},
		{"*a", "ba", true},
		{"*a", "ab", false},
		{"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXbYbZ", false},
		{"**", "x", true},
		{"A", "a", false},
		{"?", "a", false},
		{"*.a", "b.a", true},
		{"*.a", ".a", true},
		{"*.a", "a", false},
		{"[a]", "a", false},
		{"a*a", "a", false},
		{"*a*a*a*!", "aaaaaaaa", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			cs_import_glob_takes(cs_span_str(cases[i].glob),
					     cs_span_str(cases[i].text)),
			cases[i].takes);
}

/* What a glob becomes, as JSON; or "never" or "not". */
static void becomes(enum cs_pattern_kind kind, const char *glob,
		    const char *want)
{
	struct cs_arena arena;
	struct cs_importing i = {.arena = &arena};
	const char *why = "";
	json_t *m = NULL;
	char *text = NULL;
	enum cs_pattern got;

	cs_arena_init(&arena, CS_MAX_POLICY_FILE);
	got = cs_import_glob(&i, kind, cs_span_str(glob), &m, &why);
	if (got == CS_PATTERN_MADE)
		text = json_dumps(m, JSON_ENCODE_ANY | JSON_COMPACT);
	else
		assert_int_not_equal(strlen(why), 0);
	assert_string_equal(text != NULL	      ? text
			    : got == CS_PATTERN_NEVER ? "never"
						      : "not",
			    want);
	free(text);
	json_decref(m);
	cs_arena_done(&arena);
}

static void a_glob_becomes_a_matcher_of_its_kind(void **state)
{
	(void)state;
	becomes(CS_PATTERN_DNS, "*", "\"any\"");
	becomes(CS_PATTERN_DNS, "***", "\"any\"");
	becomes(CS_PATTERN_DNS, "", "never");
	becomes(CS_PATTERN_DNS, "www.Example.com",
		"{\"dns\":\"www.example.com\"}");
	becomes(CS_PATTERN_DNS, "*.example.com",
		"{\"dns\":\"**.example.com\"}");
	becomes(CS_PATTERN_DNS, "**.example.com",
		"{\"dns\":\"**.example.com\"}");
	becomes(CS_PATTERN_DNS, "*example.com",
		"{\"regex\":\"\\\\*?.*example\\\\.com\"}");
	becomes(CS_PATTERN_DNS, "w*.com", "{\"regex\":\"w.*\\\\.com\"}");
	becomes(CS_PATTERN_DNS, "a_b.example", "never");
	becomes(CS_PATTERN_DNS, "a..b", "never");
	becomes(CS_PATTERN_DNS, "a.b.", "never");
	becomes(CS_PATTERN_IP, "10.*", "{\"cidr\":\"10.0.0.0/8\"}");
	becomes(CS_PATTERN_IP, "10.2.3.*", "{\"cidr\":\"10.2.3.0/24\"}");
	becomes(CS_PATTERN_IP, "10.2.3.4.*", "not");
	becomes(CS_PATTERN_IP, "010.*", "not");
	becomes(CS_PATTERN_IP, "300.*", "not");
	becomes(CS_PATTERN_IP, "10*", "not");
	becomes(CS_PATTERN_IP, "*.1", "not");
	becomes(CS_PATTERN_IP, "10.0.0.1", "{\"exact\":\"10.0.0.1\"}");
	becomes(CS_PATTERN_IP, "fd00:0::1", "never");
	becomes(CS_PATTERN_IP, "fd00:*", "{\"cidr\":\"fd00::/16\"}");
	becomes(CS_PATTERN_IP, "fd00:1:*", "{\"cidr\":\"fd00:1::/32\"}");
	becomes(CS_PATTERN_IP, "1:2:3:4:5:6:7:*",
		"{\"cidr\":\"1:2:3:4:5:6:7:0/112\"}");
	becomes(CS_PATTERN_IP, "fd00::*", "not");
	becomes(CS_PATTERN_IP, "fd00:0:*", "not");
	becomes(CS_PATTERN_IP, "FD00:*", "not");
	becomes(CS_PATTERN_URI, "Spiffe://A.B/C/*",
		"{\"regex\":\"spiffe://a\\\\.b/C/.*\"}");
	becomes(CS_PATTERN_URI, "urn:x", "{\"exact\":\"urn:x\"}");
	becomes(CS_PATTERN_URI, "no scheme", "never");
	becomes(CS_PATTERN_URI, "urn:{{x}}*", "never");
	becomes(CS_PATTERN_EMAIL, "*@Example.com",
		"{\"email\":{\"domain\":\"example.com\"}}");
	becomes(CS_PATTERN_EMAIL, "*@*.example.com",
		"{\"email\":{\"domain\":\"**.example.com\"}}");
	becomes(CS_PATTERN_EMAIL, "Bob@Example.com",
		"{\"exact\":\"Bob@example.com\"}");
	becomes(CS_PATTERN_EMAIL, "Bob*COM", "{\"regex\":\"Bob.*com\"}");
	becomes(CS_PATTERN_EMAIL, "BOB*", "{\"regex\":\"BOB.*\"}");
	becomes(CS_PATTERN_EMAIL, "Bob", "never");
	becomes(CS_PATTERN_EMAIL, "{{x}}*", "not");
	becomes(CS_PATTERN_TEXT, "a*", "{\"glob\":\"a*\"}");
	becomes(CS_PATTERN_TEXT, "a", "{\"exact\":\"a\"}");
	becomes(CS_PATTERN_TEXT, "{{a", "not");
	becomes(CS_PATTERN_TEXT, "a\nb", "never");
}

static void durations_are_those_of_go(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {{"0", 0},
		    {"0s", 0},
		    {"1h", 3600000000000},
		    {"1h30m", 5400000000000},
		    {"1.5h", 5400000000000},
		    {".5s", 500000000},
		    {"1.s", 1000000000},
		    {"100ms", 100000000},
		    {"2\xc2\xb5s", 2000},
		    {"7d", 604800000000000},
		    {"2562047h", 9223369200000000000}};
	static const char *const bad[] = {"",
					  "h",
					  "1",
					  "-1h",
					  "1x",
					  "1h 1m",
					  "1..h",
					  "9999999999h",
					  "2562048h",
					  "1h1",
					  "99999999999999999999s"};
	int64_t ns = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(
			cs_import_go_duration(cs_span_str(good[i].text), &ns));
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(cs_import_go_duration(cs_span_str(bad[i]), &ns));
}

/* -- memory ---------------------------------------------------------------- */

static const char crp[] =
	"apiVersion: policy.cert-manager.io/v1alpha1\n"
	"kind: CertificateRequestPolicy\n"
	"metadata: {name: A b}\n"
	"spec:\n"
	"  allowed:\n"
	"    commonName: {value: '*', required: true}\n"
	"    dnsNames: {values: ['*.example.com', 'a*.b']}\n"
	"    ipAddresses: {values: ['10.*']}\n"
	"    uris: {validations: [{rule: a}]}\n"
	"    emailAddresses: {values: ['*@a.example']}\n"
	"    otherNames: [{oid: 1.2.3, values: ['*']}]\n"
	"    isCA: true\n"
	"    usages: ['*']\n"
	"    subject: {organizations: {values: [a]}, otherAttributes: [{oid: "
	"1.2.3, values: [a]}]}\n"
	"  constraints: {maxDuration: 1h, privateKey: {algorithm: RSA}}\n"
	"  selector: {issuerRef: {name: a}, namespace: {matchNames: [a], "
	"matchLabels: {a: b}}}\n"
	"---\n"
	"apiVersion: policy.cert-manager.io/v1alpha1\n"
	"kind: CertificateRequestPolicy\n"
	"metadata: {name: a-b}\n"
	"spec: {plugins: {x: {}}, selector: {issuerRef: {}}}\n";

/* Import them; with a set, what is made must load. */
static bool import(const char *const *texts, size_t n, struct cs_testing *t,
		   struct cs_error *err)
{
	static const struct cs_import_options options;
	struct cs_source items[4] = {0};
	const struct cs_sources sources = {items, n};
	struct cs_import result = {0};
	struct cs_arena arena;
	bool ok;

	for (size_t k = 0; k < n; k++)
		items[k] = (struct cs_source){CS_SPAN_LIT("a.yaml"),
					      cs_span_str(texts[k])};
	cs_arena_init(&arena, CS_MAX_POLICY_SET_ARENA);
	ok = cs_import_read(&sources, &options, &arena, &result, err);
	if (ok && t != NULL) {
		struct cs_source made[8];
		size_t k = 0;

		for (struct cs_import_policy *p = result.policies; p != NULL;
		     p = p->next)
			made[k++] = (struct cs_source){p->name, p->text};
		assert_int_equal(k, result.n);
		cs_testing_load_sources(t, made, k);
	}
	cs_arena_done(&arena);
	return ok;
}

static const char step[] =
	"{authority: {backdate: 1m, claims: {maxTLSCertDuration: 48h}, policy: "
	"{x509: {allow: {dns: ['*.a.example'], cn: [x], email: ['@a.example'], "
	"uri: [a.example], ip: [10.0.0.1/8]}, deny: {dns: [b.a.example], uri: "
	"['*.b.example']}}}, provisioners: [{name: x, options: {x509: "
	"{template: "
	"text}}}]}}";

static const char vault[] =
	"{data: {allowed_domains: 'a.example,b*.example,*.c.example', "
	"allow_bare_domains: true, allow_subdomains: true, allow_glob_domains: "
	"true, cn_validations: [email], allowed_uri_sans: ['urn:*'], "
	"allowed_other_sans: ['1.2.3;utf8:*'], allowed_serial_numbers: ['1*'], "
	"organization: [A], key_type: any, ttl: 1h, max_ttl: 2h, key_usage: "
	"[DigitalSignature], ext_key_usage_oids: [1.2.3], policy_identifiers: "
	"[1.2.3]}}";

static const char *const all[] = {crp, step, vault};
#define ALL_N (sizeof(all) / sizeof(all[0]))

static void what_is_made_loads(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	assert_true(import(all, ALL_N, &t, NULL));
	if (t.set == NULL)
		print_error("%.*s\n", CS_SPAN_FMT(t.report.items[0].text));
	assert_non_null(t.set);
	cs_testing_done(&t);
}

/* Change, double or drop a byte of the text, here and there. */
static void damage(char *text, size_t max, uint32_t *seed)
{
	static const char bytes[] = " *.:,{}[]'\"-\nax0/@\xc3\x1b";

	for (unsigned k = 0; k < 3; k++) {
		size_t n = strlen(text), at;

		*seed = *seed * 1664525u + 1013904223u;
		at = (*seed >> 8) % n;
		if ((*seed >> 4) % 3 == 0)
			memmove(text + at, text + at + 1, n - at);
		else if ((*seed >> 4) % 3 == 1 && n + 1 < max)
			memmove(text + at + 1, text + at, n - at + 1);
		else
			text[at] = bytes[(*seed >> 20) % (sizeof(bytes) - 1)];
	}
}

static void a_damaged_document_is_refused_or_what_is_made_loads(void **state)
{
	uint32_t seed = 1;
	size_t made = 0;

	(void)state;
	for (unsigned n = 0; n < 3000; n++) {
		struct cs_error err = {0};
		struct cs_testing t;
		char text[4096];
		const char *one = text;

		(void)snprintf(text, sizeof(text), "%s", all[n % ALL_N]);
		damage(text, sizeof(text), &seed);
		cs_testing_init(&t);
		if (!import(&one, 1, &t, &err)) {
			assert_true(err.code == CS_E_YAML ||
				    err.code == CS_E_FORMAT);
			assert_true(strncmp(err.text, "a.yaml:", 7) == 0);
		} else {
			if (t.set == NULL)
				print_error(
					"%s\n%.*s\n", text,
					CS_SPAN_FMT(t.report.items[0].text));
			assert_non_null(t.set);
			made++;
		}
		cs_testing_done(&t);
	}
	assert_in_range(made, 300, 2900);
}

static void every_allocation_of_an_import_may_fail(void **state)
{
	long n;

	(void)state;
	for (n = 0; n < 10000; n++) {
		struct cs_error err = {0};
		bool ok;

		left = n;
		ok = import(all, ALL_N, NULL, &err);
		if (left >= 0) {
			assert_true(ok);
			break;
		}
		if (ok || err.code != CS_E_NO_MEMORY)
			print_error("allocation %ld: %s\n", n, err.text);
		assert_false(ok);
		assert_int_equal(err.code, CS_E_NO_MEMORY);
	}
	left = -1;
	assert_in_range(n, 50, 9999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globs_take_any_characters_and_nothing_else),
		cmocka_unit_test(a_glob_becomes_a_matcher_of_its_kind),
		cmocka_unit_test(durations_are_those_of_go),
		cmocka_unit_test(what_is_made_loads),
		cmocka_unit_test(
			a_damaged_document_is_refused_or_what_is_made_loads),
		cmocka_unit_test(every_allocation_of_an_import_may_fail),
	};

	json_set_alloc_funcs(json_malloc, free);
	return cs_test_run("policy/import", tests);
}
