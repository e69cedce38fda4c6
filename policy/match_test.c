#include <tests/lib/test.h>

#include <string.h>

#include "policy/match.h"

/* A small generator of our own: the same names in every run. */
static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

static struct cs_matcher dns(enum cs_match_kind kind, const char *text)
{
	return (struct cs_matcher){.kind = kind, .text = cs_span_str(text)};
}

/* Does the matcher take the plain or wildcard name, as allow and as deny? */
static void expect(enum cs_match_kind kind, const char *text, const char *name,
		   bool all, bool some)
{
	struct cs_matcher m = dns(kind, text);
	struct cs_match_value v = cs_match_dns(cs_span_str(name));

	if (cs_matcher_all(&m, &v) != all || cs_matcher_some(&m, &v) != some)
		fail_msg("%s against %s", name, text);
}

static void dns_matchers_count_labels(void **state)
{
	(void)state;
	expect(CS_MATCH_DNS_HOST, "a.corp", "a.corp", true, true);
	expect(CS_MATCH_DNS_HOST, "a.corp", "b.corp", false, false);
	expect(CS_MATCH_DNS_HOST, "a.corp", "x.a.corp", false, false);
	expect(CS_MATCH_DNS_ONE, "corp", "a.corp", true, true);
	expect(CS_MATCH_DNS_ONE, "corp", "corp", false, false);
	expect(CS_MATCH_DNS_ONE, "corp", "b.a.corp", false, false);
	expect(CS_MATCH_DNS_ONE, "corp", "xcorp", false, false);
	expect(CS_MATCH_DNS_BELOW, "corp", "a.corp", true, true);
	expect(CS_MATCH_DNS_BELOW, "corp", "b.a.corp", true, true);
	expect(CS_MATCH_DNS_BELOW, "corp", "corp", false, false);
	expect(CS_MATCH_DNS_BELOW, "corp", "xcorp", false, false);
	expect(CS_MATCH_DNS_WITHIN, "corp", "corp", true, true);
	expect(CS_MATCH_DNS_WITHIN, "corp", "b.a.corp", true, true);
	expect(CS_MATCH_DNS_WITHIN, "corp", "a.xcorp", false, false);
}

static void a_wildcard_is_the_set_of_its_members(void **state)
{
	(void)state;
	expect(CS_MATCH_DNS_HOST, "a.corp", "*.corp", false, true);
	expect(CS_MATCH_DNS_HOST, "*.corp", "*.corp", true, true);
	expect(CS_MATCH_DNS_HOST, "b.a.corp", "*.corp", false, false);
	expect(CS_MATCH_DNS_ONE, "corp", "*.corp", true, true);
	expect(CS_MATCH_DNS_ONE, "a.corp", "*.corp", false, false);
	expect(CS_MATCH_DNS_BELOW, "secret.corp", "*.corp", false, false);
	expect(CS_MATCH_DNS_BELOW, "corp", "*.corp", true, true);
	expect(CS_MATCH_DNS_WITHIN, "secret.corp", "*.corp", false, true);
	expect(CS_MATCH_DNS_WITHIN, "corp", "*.a.corp", true, true);
	expect(CS_MATCH_DNS_WITHIN, "corp", "*.other", false, false);
	/* `exact` text in a deny list must hit the wildcard, too. */
	expect(CS_MATCH_EXACT, "admin.corp", "*.corp", false, true);
	expect(CS_MATCH_IEXACT, "Admin.Corp", "*.corp", false, true);
}

/* Labels that names and zones of the property are made of. */
static const char *const labels[] = {"a", "b", "c"};
#define LABELS (sizeof(labels) / sizeof(*labels))

/* A name of 1 to n random labels. */
static void random_name(uint32_t *seed, size_t n, char out[32])
{
	size_t count = 1 + next(seed) % n;

	out[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(out);

		out[used] = labels[next(seed) % LABELS][0];
		out[used + 1] = i + 1 < count ? '.' : '\0';
		out[used + 2] = '\0';
	}
}

/*
 * The property: asking about "*.ZONE" is asking about each of its members,
 * all of them for allow, any of them for deny. A label outside the alphabet
 * stands for the members that no pattern names.
 */
static void the_wildcard_rule_is_membership_by_brute_force(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		static const enum cs_match_kind kinds[] = {
			CS_MATCH_DNS_HOST, CS_MATCH_DNS_ONE, CS_MATCH_DNS_BELOW,
			CS_MATCH_DNS_WITHIN};
		char zone[32], text[32], wildcard[40] = "*.", member[40];
		struct cs_matcher m;
		struct cs_match_value v;
		bool all = true, some = false;

		random_name(&seed, 3, zone);
		random_name(&seed, 4, text);
		m = dns(kinds[next(&seed) % 4], text);
		memcpy(wildcard + 2, zone, strlen(zone) + 1);
		for (size_t k = 0; k <= LABELS; k++) {
			member[0] = k < LABELS ? labels[k][0] : 'z';
			member[1] = '.';
			memcpy(member + 2, zone, strlen(zone) + 1);
			v = cs_match_dns(cs_span_str(member));
			all = all && cs_matcher_all(&m, &v);
			some = some || cs_matcher_some(&m, &v);
		}
		v = cs_match_dns(cs_span_str(wildcard));
		if (cs_matcher_all(&m, &v) != all ||
		    cs_matcher_some(&m, &v) != some)
			fail_msg("%s against %d %s", wildcard, m.kind, text);
	}
}

static void networks_hold_their_addresses(void **state)
{
	static const uint8_t net4[] = {10, 20, 0, 0}, in4[] = {10, 20, 3, 4},
			     out4[] = {10, 21, 0, 0}, edge[] = {10, 20, 128, 0};
	static const uint8_t net6[16] = {0x20, 1, 0x0d, 0xb8};
	static const uint8_t in6[16] = {0x20, 1, 0x0d, 0xb8, 1};
	struct cs_matcher m = {
		.kind = CS_MATCH_CIDR, .net = {net4, 4}, .prefix = 16};
	struct cs_match_value v =
		cs_match_ip(cs_span_str("x"), cs_span_make(in4, 4));

	(void)state;
	assert_true(cs_matcher_all(&m, &v));
	v.octets = cs_span_make(out4, 4);
	assert_false(cs_matcher_all(&m, &v));
	v.octets = cs_span_make(in6, 16);
	assert_false(cs_matcher_all(&m, &v));
	v.octets = cs_span_make(edge, 4);
	assert_true(cs_matcher_all(&m, &v));
	m.prefix = 17;
	assert_false(cs_matcher_all(&m, &v));
	m.prefix = 0;
	v.octets = cs_span_make(out4, 4);
	assert_true(cs_matcher_all(&m, &v));
	m.net = cs_span_make(net6, 16);
	m.prefix = 32;
	v.octets = cs_span_make(in6, 16);
	assert_true(cs_matcher_all(&m, &v));
	m.prefix = 40;
	assert_false(cs_matcher_all(&m, &v));
	/* What is no address is in no network, not even in 0.0.0.0/0. */
	m = (struct cs_matcher){.kind = CS_MATCH_CIDR};
	v = cs_match_text(cs_span_str("x"));
	assert_false(cs_matcher_all(&m, &v));
}

static void text_matchers_compare_bytes(void **state)
{
	struct cs_matcher exact = dns(CS_MATCH_EXACT, "Acme");
	struct cs_matcher iexact = dns(CS_MATCH_IEXACT, "Acme");
	struct cs_matcher any = {.kind = CS_MATCH_ANY};
	struct cs_match_value v = cs_match_text(cs_span_str("acme"));

	(void)state;
	assert_false(cs_matcher_all(&exact, &v));
	assert_true(cs_matcher_all(&iexact, &v));
	assert_true(cs_matcher_all(&any, &v));
	v = cs_match_text(cs_span_make("Acme\0", 5));
	assert_false(cs_matcher_all(&exact, &v));
	assert_false(cs_matcher_all(&iexact, &v));
	/* A text is no DNS name, whatever it looks like. */
	exact = dns(CS_MATCH_DNS_HOST, "acme");
	v = cs_match_text(cs_span_str("acme"));
	assert_false(cs_matcher_all(&exact, &v));
	assert_false(cs_matcher_some(&exact, &v));
}

static void globs_match_and_meet(void **state)
{
	static const struct {
		const char *a, *b;
		bool meet;
	} pairs[] = {
		{"web", "web", true},	   {"web", "vm", false},
		{"web-*", "*-prod", true}, {"web-*", "vm-*", false},
		{"*", "x", true},	   {"a*b", "*c", false},
		{"a*b", "*cb", true},	   {"*a*", "b*b", true},
		{"ab*", "a", false},	   {"", "*", true},
		{"*x*y*", "*y*x*", true},
	};
	struct cs_arena arena;

	(void)state;
	cs_arena_init(&arena, 10000000);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct cs_span a = cs_span_str(pairs[i].a);
		struct cs_span b = cs_span_str(pairs[i].b), w;
		bool meet = cs_match_globs_meet(a, b, &arena, &w);

		if (meet != pairs[i].meet)
			fail_msg("%s %s", pairs[i].a, pairs[i].b);
		if (meet && (!cs_match_glob(a, w) || !cs_match_glob(b, w)))
			fail_msg("%s %s: %.*s is no witness", pairs[i].a,
				 pairs[i].b, CS_SPAN_FMT(w));
	}
	assert_true(cs_match_glob(CS_SPAN_LIT("a*c"), CS_SPAN_LIT("abcbc")));
	assert_false(cs_match_glob(CS_SPAN_LIT("a*c"), CS_SPAN_LIT("abcb")));
	cs_arena_done(&arena);
}

/* Globs that meet have a witness; a text that both match makes them meet. */
static void meeting_globs_agree_with_what_they_match(void **state)
{
	static const char alphabet[] = "ab*";
	uint32_t seed = 3;
	struct cs_arena arena;

	(void)state;
	cs_arena_init(&arena, 10000000);
	for (int i = 0; i < 3000; i++) {
		char g[2][8] = {"", ""}, text[8] = "";
		struct cs_span a, b, w, t;
		bool meet;

		for (size_t k = 0; k < 2; k++)
			for (size_t n = next(&seed) % 6; n > 0; n--)
				g[k][n - 1] = alphabet[next(&seed) % 3];
		for (size_t n = next(&seed) % 6; n > 0; n--)
			text[n - 1] = alphabet[next(&seed) % 2];
		a = cs_span_str(g[0]);
		b = cs_span_str(g[1]);
		t = cs_span_str(text);
		cs_arena_reset(&arena);
		meet = cs_match_globs_meet(a, b, &arena, &w);
		if (meet)
			assert_true(cs_match_glob(a, w) && cs_match_glob(b, w));
		else
			assert_false(cs_match_glob(a, t) &&
				     cs_match_glob(b, t));
	}
	cs_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dns_matchers_count_labels),
		cmocka_unit_test(a_wildcard_is_the_set_of_its_members),
		cmocka_unit_test(
			the_wildcard_rule_is_membership_by_brute_force),
		cmocka_unit_test(networks_hold_their_addresses),
		cmocka_unit_test(text_matchers_compare_bytes),
		cmocka_unit_test(globs_match_and_meet),
		cmocka_unit_test(meeting_globs_agree_with_what_they_match),
	};

	return cs_test_run("policy/match", tests);
}
