#include <tests/lib/test.h>

#include <string.h>

#include "policy/match.h"
#include "policy/template.h"
#include "policy/testing.h"

/* A matcher from its words; path may be NULL. */
static struct cs_matcher make(struct cs_arena *arena, enum cs_matcher_word word,
			      enum cs_match_domain domain, const char *value,
			      const char *path)
{
	struct cs_matcher_source s = {
		.word = word, .domain = domain, .has_path = path != NULL};
	struct cs_resolved v = {cs_span_str(value), NULL};
	struct cs_resolved p = {cs_span_str(path != NULL ? path : ""), NULL};
	struct cs_matcher m;
	struct cs_error err = {0};

	if (!cs_matcher_make(&s, &v, &p, arena, &m, &err))
		fail_msg("%s", err.text);
	return m;
}

/* Does a path take this URI, as allow and as deny? */
static void expect_uri(const char *host, const char *path, const char *uri,
		       bool all, bool some)
{
	struct cs_match_value v = cs_match_text(cs_span_str(uri));
	struct cs_arena arena;
	struct cs_matcher m;

	cs_arena_init(&arena, 100000);
	m = make(&arena, CS_WORD_URI, CS_DOMAIN_URI, host, path);
	m.scheme = CS_SPAN_LIT("spiffe");
	if (cs_matcher_all(&m, &v) != all || cs_matcher_some(&m, &v) != some)
		fail_msg("%s with %s %s", uri, host, path);
	cs_arena_done(&arena);
}

static void a_star_stays_in_its_segment_and_two_cross_it(void **state)
{
	(void)state;
	expect_uri("p", "/ns/a/sa/*", "spiffe://p/ns/a/sa/web", true, true);
	expect_uri("p", "/ns/a/sa/*", "spiffe://p/ns/a/sa/", false, false);
	expect_uri("p", "/ns/a/sa/*", "spiffe://p/ns/a/sa/b/c", false, false);
	expect_uri("p", "/ns/a/sa/w*", "spiffe://p/ns/a/sa/w", true, true);
	expect_uri("p", "/ns/*/sa/*", "spiffe://p/ns/x/sa/y", true, true);
	expect_uri("p", "/ns/*/sa/*", "spiffe://p/ns/x/z/sa/y", false, false);
	expect_uri("p", "/ns/**", "spiffe://p/ns/x/sa/y", true, true);
	expect_uri("p", "/**/sa/*", "spiffe://p/a/sa/b/sa/c", true, true);
	expect_uri("p", "/**/sa/*", "spiffe://p/a/sa/b/c", false, false);
	expect_uri("p", NULL, "spiffe://p/whatever", true, true);
	expect_uri("p", "/a", "spiffe://q/a", false, false);
	expect_uri("p", "/a", "https://p/a", false, false);
	expect_uri(".corp", "/a", "spiffe://x.corp/a", true, true);
	expect_uri("*.corp", "/a", "spiffe://corp/a", false, false);
	expect_uri("P.corp", "/a", "spiffe://p.corp/a", true, true);
	expect_uri("", "/a", "spiffe://anything/a", true, true);
}

static void what_a_uri_matcher_does_not_name_must_not_be_there(void **state)
{
	(void)state;
	expect_uri("p", "/a", "spiffe://p/a?x=1", false, true);
	expect_uri("p", "/a", "spiffe://p/a#x", false, true);
	expect_uri("p", "/a", "spiffe://u@p/a", false, true);
	expect_uri("p", "/a", "spiffe://p:1/a", false, true);
	expect_uri("p", NULL, "spiffe://p:1/a", false, true);
	expect_uri("p", "/a", "spiffe:p/a", false, false);
	expect_uri("p", "/a", "spiffe://p@q/a", false, false);
}

static void paths_with_two_readings_are_inside_nothing(void **state)
{
	static const char *const paths[] = {
		"/ns/a/../b", "/ns/./b",   "/ns//b",	 "/ns/%61",
		"/ns/a%2Fb",  "/ns/a%2fb", "/ns/%2e%2e", "/ns/..",
		"/ns/a%5cb",  "/ns/%zz",   "/ns/%4",	 "/ns/a%00",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		char uri[64] = "spiffe://p";

		memcpy(uri + 10, paths[i], strlen(paths[i]) + 1);
		expect_uri("p", "/ns/**", uri, false, true);
		expect_uri("p", "/other", uri, false, true);
		expect_uri("q", "/ns/**", uri, false, false);
		expect_uri("p", NULL, uri, true, true);
	}
	expect_uri("p", "/ns/*", "spiffe://p/ns/a%20b", true, true);
}

static void mailboxes_match_by_their_domain(void **state)
{
	struct cs_arena arena;
	struct cs_matcher host, below;
	struct cs_match_value a = cs_match_text(CS_SPAN_LIT("a@corp.example"));
	struct cs_match_value b =
		cs_match_text(CS_SPAN_LIT("a@x.corp.example"));
	struct cs_match_value c = cs_match_text(CS_SPAN_LIT("corp.example"));

	(void)state;
	cs_arena_init(&arena, 100000);
	host = make(&arena, CS_WORD_EMAIL, CS_DOMAIN_EMAIL, "Corp.example",
		    NULL);
	below = make(&arena, CS_WORD_EMAIL, CS_DOMAIN_EMAIL, "*.corp.example",
		     NULL);
	assert_true(cs_matcher_all(&host, &a));
	assert_false(cs_matcher_all(&host, &b));
	assert_false(cs_matcher_all(&host, &c));
	assert_false(cs_matcher_all(&below, &a));
	assert_true(cs_matcher_all(&below, &b));
	cs_arena_done(&arena);
}

/* A small generator of our own: the same texts in every run. */
static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

/*
 * The plain truth about short globs: which positions of the text are
 * reachable in front of each item.
 */
static bool slow_match(const struct cs_glob *g, struct cs_span text)
{
	bool row[16] = {true};

	for (size_t i = 0; i < g->n; i++) {
		bool next_row[16] = {false};
		uint16_t item = g->items[i];

		for (size_t t = 0; t <= text.n; t++) {
			bool slash = t < text.n && text.p[t] == '/';

			if (!row[t])
				continue;
			if (item == CS_GLOB_ANY || item == CS_GLOB_SEGMENT) {
				next_row[t] = true;
				if (t < text.n &&
				    (item == CS_GLOB_ANY || !slash))
					row[t + 1] = true;
			} else if (t < text.n &&
				   (item == text.p[t] ||
				    (item == CS_GLOB_ONE && !slash))) {
				next_row[t + 1] = true;
			}
		}
		memcpy(row, next_row, sizeof(row));
	}
	return row[text.n];
}

static void globs_agree_with_the_plain_truth(void **state)
{
	static const uint16_t items[] = {
		'a', 'b', '/', 'a', CS_GLOB_ANY, CS_GLOB_SEGMENT, CS_GLOB_ONE};
	static const char alphabet[] = "ab/";
	uint32_t seed = 5;
	size_t hits = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint16_t g[8];
		char text[12];
		struct cs_glob glob = {g, next(&seed) % 8};
		struct cs_span s = {(const uint8_t *)text, next(&seed) % 12};

		for (size_t k = 0; k < glob.n; k++)
			g[k] = items[next(&seed) % 7];
		for (size_t k = 0; k < s.n; k++)
			text[k] = alphabet[next(&seed) % 3];
		assert_int_equal(cs_match_items(&glob, s),
				 slow_match(&glob, s));
		hits += cs_match_items(&glob, s);
	}
	assert_true(hits > 1000);
}

static void a_glob_that_hits_a_member_hits_the_wildcard(void **state)
{
	static const uint16_t items[] = {'a', 'b', '.', CS_GLOB_ANY};
	uint32_t seed = 7;
	size_t hits = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint16_t g[7];
		char wild[8] = "*.", member[12];
		struct cs_glob glob = {g, next(&seed) % 7};
		size_t zone = 1 + next(&seed) % 5, label = 1 + next(&seed) % 3;

		for (size_t k = 0; k < glob.n; k++)
			g[k] = items[next(&seed) % 4];
		for (size_t k = 0; k < zone; k++)
			wild[2 + k] = "ab."[next(&seed) % 3];
		for (size_t k = 0; k < label; k++)
			member[k] = "ab"[next(&seed) % 2];
		memcpy(member + label, wild + 1, zone + 1);
		if (!cs_match_items(&glob,
				    cs_span_make(member, label + zone + 1)))
			continue;
		hits++;
		assert_true(cs_match_items_meet(&glob,
						cs_span_make(wild, zone + 2)));
	}
	assert_true(hits > 1000);
}

/* An otherName with this DER in it. */
static void other(struct cs_testing *t, const char *oid, struct cs_span der)
{
	struct cs_cert_facts *csr = &t->facts.csr;
	struct cs_fact_name *name = &csr->names[csr->names_n];

	*name = (struct cs_fact_name){.kind = CS_NAME_OTHER,
				      .oid = cs_span_str(oid),
				      .asked = der,
				      .content = der};
	for (size_t i = 0; i < csr->names_n; i++)
		name->index += csr->names[i].kind == CS_NAME_OTHER;
	csr->names_n++;
}

static void other_names_match_by_type_and_text(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(
		&t, CS_TESTING_POLICY("web",
				      "  san: {other_name: [{oid: 1.2.3, type: "
				      "utf8, allow: [{glob: '*@corp'}], deny: "
				      "[{exact: root@corp}], max: 1}]}\n"));
	assert_non_null(t.set);
	cs_testing_request(&t);
	other(&t, "\x2a\x03",
	      CS_SPAN_LIT("\x0c\x06"
			  "a@corp"));
	assert_true(cs_testing_judge(&t));
	assert_int_equal(t.verdict.plan.names_n, 1);
	assert_int_equal(t.verdict.plan.names[0].content.n, 8);
	other(&t, "\x2a\x04",
	      CS_SPAN_LIT("\x0c\x06"
			  "a@corp"));
	other(&t, "\x2a\x03",
	      CS_SPAN_LIT("\x16\x06"
			  "a@corp"));
	other(&t, "\x2a\x03",
	      CS_SPAN_LIT("\x0c\x06"
			  "a@evil"));
	other(&t, "\x2a\x03",
	      CS_SPAN_LIT("\x0c\x09"
			  "root@corp"));
	other(&t, "\x2a\x03",
	      CS_SPAN_LIT("\x0c\x06"
			  "b@corp\x0c\x01x"));
	other(&t, "\x2a\x03", CS_SPAN_LIT("\x0c\x01\xff"));
	other(&t, "\x2a\x03", CS_SPAN_LIT("\x0c\x01\n"));
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "SAN_OTHER_UNLISTED",
				     "san.other_name[1]"));
	assert_true(cs_testing_found(&t, "SAN_OTHER_MALFORMED",
				     "san.other_name[2]"));
	assert_true(cs_testing_found(&t, "SAN_OTHER_NOT_ALLOWED",
				     "san.other_name[3]"));
	assert_true(
		cs_testing_found(&t, "SAN_OTHER_DENIED", "san.other_name[4]"));
	for (int i = 5; i < 8; i++) {
		char field[] = "san.other_name[0]";

		field[15] = (char)('0' + i);
		assert_true(cs_testing_found(&t, "SAN_OTHER_MALFORMED", field));
	}
	assert_true(
		cs_testing_found(&t, "SAN_OTHER_TOO_MANY", "san.other_name"));
	cs_testing_name(&t, CS_NAME_REGISTERED_ID, "x");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "SAN_REGISTERED_ID_UNLISTED",
				     "san.registered_id[0]"));
	cs_testing_done(&t);
}

static void regular_expressions_are_anchored_and_know_sets(void **state)
{
	struct cs_match_value plain = cs_match_dns(CS_SPAN_LIT("a.corp"));
	struct cs_match_value longer = cs_match_dns(CS_SPAN_LIT("xa.corp"));
	struct cs_match_value star = cs_match_dns(CS_SPAN_LIT("*.corp"));
	struct cs_arena arena;
	struct cs_matcher host, any, spelt;

	(void)state;
	cs_arena_init(&arena, 1000000);
	host = make(&arena, CS_WORD_REGEX, CS_DOMAIN_DNS, "[a-c]\\.corp", NULL);
	any = make(&arena, CS_WORD_REGEX, CS_DOMAIN_DNS, ".*\\.corp", NULL);
	spelt = make(&arena, CS_WORD_REGEX, CS_DOMAIN_DNS, "\\*\\.corp", NULL);
	assert_true(cs_matcher_all(&host, &plain));
	assert_false(cs_matcher_all(&host, &longer));
	assert_false(cs_matcher_some(&host, &longer));
	/* Allow needs the whole set, deny one member. */
	assert_false(cs_matcher_all(&host, &star));
	assert_true(cs_matcher_some(&host, &star));
	assert_false(cs_matcher_all(&any, &star));
	assert_true(cs_matcher_some(&any, &star));
	assert_true(cs_matcher_all(&spelt, &star));
	cs_arena_done(&arena);
}

/* A policy whose only list is this. */
#define SAN(rules) CS_TESTING_POLICY("web", "  san:\n    " rules "\n")

static void directory_names_match_by_their_canonical_text(void **state)
{
	static const struct {
		const char *name, *code;
	} names[] = {
		{"CN=WWW,O=Example  Corp", NULL},
		{"O=Example Corp,CN=www", "SAN_DIRECTORY_NOT_ALLOWED"},
		{"CN=www", "SAN_DIRECTORY_NOT_ALLOWED"},
		{"CN=x\\,O=y,O=Acme", NULL},
		{"CN=admin,O=Acme", "SAN_DIRECTORY_DENIED"},
	};
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(
		&t, SAN("directory_name:\n"
			"      max: 1\n"
			"      allow: [{dn: 'cn=www,o=example corp'}, {dn: "
			"'CN=admin,O=acme'},\n"
			"        {dn: 'CN={{requester.username}},O=Acme'}]\n"
			"      deny: [{dn: 'CN=Admin,O=Acme'}]"));
	assert_non_null(t.set);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool issued;

		cs_testing_request(&t);
		/* No comma of it separates anything. */
		t.facts.request.requester = CS_SPAN_LIT("x,O=y");
		cs_testing_name(&t, CS_NAME_DIRECTORY, names[i].name);
		issued = cs_testing_judge(&t);
		if (issued != (names[i].code == NULL))
			fail_msg("%s", names[i].name);
		if (!issued)
			assert_true(cs_testing_found(&t, names[i].code,
						     "san.directory_name[0]"));
	}
	cs_testing_name(&t, CS_NAME_DIRECTORY, "CN=other");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "SAN_DIRECTORY_TOO_MANY",
				     "san.directory_name"));
	cs_testing_done(&t);
}

static void registered_ids_match_by_oid(void **state)
{
	struct cs_testing t;

	(void)state;
	cs_testing_init(&t);
	cs_testing_load(&t, SAN("registered_id: {min: 2, allow: [{oid: 1.2.3}, "
				"{oid: 1.2.4}], deny: [{oid: 1.2.4}]}"));
	assert_non_null(t.set);
	cs_testing_request(&t);
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "SAN_REGISTERED_ID_REQUIRED", NULL));
	cs_testing_name(&t, CS_NAME_REGISTERED_ID, "1.2.3");
	assert_false(cs_testing_judge(&t));
	assert_true(cs_testing_found(&t, "SAN_REGISTERED_ID_TOO_FEW", NULL));
	cs_testing_name(&t, CS_NAME_REGISTERED_ID, "1.2.4");
	cs_testing_name(&t, CS_NAME_REGISTERED_ID, "1.2.5");
	assert_false(cs_testing_judge(&t));
	assert_int_equal(t.verdict.findings.n, 2);
	assert_true(cs_testing_found(&t, "SAN_REGISTERED_ID_DENIED",
				     "san.registered_id[1]"));
	assert_true(cs_testing_found(&t, "SAN_REGISTERED_ID_NOT_ALLOWED",
				     "san.registered_id[2]"));
	cs_testing_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_star_stays_in_its_segment_and_two_cross_it),
		cmocka_unit_test(
			what_a_uri_matcher_does_not_name_must_not_be_there),
		cmocka_unit_test(paths_with_two_readings_are_inside_nothing),
		cmocka_unit_test(mailboxes_match_by_their_domain),
		cmocka_unit_test(globs_agree_with_the_plain_truth),
		cmocka_unit_test(a_glob_that_hits_a_member_hits_the_wildcard),
		cmocka_unit_test(other_names_match_by_type_and_text),
		cmocka_unit_test(directory_names_match_by_their_canonical_text),
		cmocka_unit_test(registered_ids_match_by_oid),
		cmocka_unit_test(
			regular_expressions_are_anchored_and_know_sets),
	};

	return cs_test_run("policy/matcher_make", tests);
}
