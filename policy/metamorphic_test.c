#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>

#include "policy/testing.h"

/*
 * Relations between two policies of which one is the other and a rule more:
 * whatever the request, one more deny never lets more pass, one more allow
 * never lets less pass, and the order of rules that have nothing to do with
 * each other changes nothing.
 */

#define ROUNDS	 300
#define REQUESTS 40

/* A small generator of our own: the same documents in every run. */
static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

/* A random name of the labels a, b, c below example; or a wildcard. */
static void random_name(uint32_t *seed, char out[40])
{
	size_t n = next(seed) % 3, at = 0;

	if (next(seed) % 4 == 0) {
		memcpy(out, "*.", 2);
		at = 2;
	}
	for (size_t i = 0; i < n; i++) {
		out[at++] = (char)('a' + next(seed) % 3);
		out[at++] = '.';
	}
	memcpy(out + at, "example", 8);
}

/* A random matcher, as it is written. */
static void random_matcher(uint32_t *seed, char out[64])
{
	static const char *const front[] = {"", ".", "*.", "**."};
	const char *prefix = front[next(seed) % 4];
	char name[40];

	do
		random_name(seed, name);
	while (name[0] == '*');
	(void)snprintf(out, 64, "{dns: '%s%s'}", prefix, name);
}

/* A list of 1 to 3 matchers; `extra` (may be "") goes in front. */
static void random_list(uint32_t *seed, const char *extra, char out[256])
{
	size_t n = 1 + next(seed) % 3;

	(void)snprintf(out, 256, "%s", extra);
	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(out);
		char one[64];

		random_matcher(seed, one);
		(void)snprintf(out + used, 256 - used, "%s%s",
			       used > 0 ? ", " : "", one);
	}
}

/* A set whose policy has these lists, in one of two orders. */
static void load(struct cs_testing *t, const char *allow, const char *deny,
		 bool turned)
{
	char text[2048];

	if (turned)
		(void)snprintf(
			text, sizeof(text),
			CS_TESTING_POLICY(
				"web",
				"  validity: {max: 24h}\n"
				"  san: {dns: {wildcard: leftmost, deny: [%s], "
				"allow: [%s]}}\n"
				"  subject: {unlisted: reject}\n"),
			deny, allow);
	else
		(void)snprintf(text, sizeof(text),
			       CS_TESTING_POLICY(
				       "web",
				       "  subject: {unlisted: reject}\n"
				       "  san: {dns: {allow: [%s], deny: [%s], "
				       "wildcard: leftmost}}\n"
				       "  validity: {max: 24h}\n"),
			       allow, deny);
	cs_testing_load(t, text);
	assert_non_null(t->set);
}

/* A random request of one to three names. */
static void request(struct cs_testing *t, uint32_t *seed, char names[3][40])
{
	size_t n = 1 + next(seed) % 3;

	cs_testing_request(t);
	for (size_t i = 0; i < n; i++) {
		random_name(seed, names[i]);
		cs_testing_dns(t, names[i]);
	}
}

/* Judge the same random requests by both; *ret_a, *ret_b: what passed. */
static void compare(struct cs_testing *a, struct cs_testing *b, uint32_t seed,
		    bool ret_a[REQUESTS], bool ret_b[REQUESTS])
{
	char names[3][40];

	for (size_t i = 0; i < REQUESTS; i++) {
		uint32_t same = seed;

		request(a, &seed, names);
		ret_a[i] = cs_testing_judge(a);
		request(b, &same, names);
		ret_b[i] = cs_testing_judge(b);
	}
}

static void one_more_deny_never_widens(void **state)
{
	uint32_t seed = 11;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char allow[256], deny[256], more[512], one[64];
		bool base[REQUESTS], strict[REQUESTS];
		struct cs_testing a, b;

		random_list(&seed, "", allow);
		random_list(&seed, "", deny);
		random_matcher(&seed, one);
		(void)snprintf(more, sizeof(more), "%s, %s", deny, one);
		cs_testing_init(&a);
		cs_testing_init(&b);
		load(&a, allow, deny, false);
		load(&b, allow, more, false);
		compare(&a, &b, seed, base, strict);
		for (size_t i = 0; i < REQUESTS; i++)
			assert_true(base[i] || !strict[i]);
		cs_testing_done(&a);
		cs_testing_done(&b);
	}
}

static void one_more_allow_never_narrows(void **state)
{
	uint32_t seed = 13;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char allow[256], deny[256], more[512], one[64];
		bool base[REQUESTS], wide[REQUESTS];
		struct cs_testing a, b;

		random_list(&seed, "", allow);
		random_list(&seed, "", deny);
		random_matcher(&seed, one);
		(void)snprintf(more, sizeof(more), "%s, %s", one, allow);
		cs_testing_init(&a);
		cs_testing_init(&b);
		load(&a, allow, deny, false);
		load(&b, more, deny, false);
		compare(&a, &b, seed, base, wide);
		for (size_t i = 0; i < REQUESTS; i++)
			assert_true(!base[i] || wide[i]);
		cs_testing_done(&a);
		cs_testing_done(&b);
	}
}

static void the_order_of_unrelated_rules_changes_nothing(void **state)
{
	uint32_t seed = 17;
	size_t passed = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char allow[256], deny[256];
		bool one[REQUESTS], other[REQUESTS];
		struct cs_testing a, b;

		random_list(&seed, "", allow);
		random_list(&seed, "", deny);
		cs_testing_init(&a);
		cs_testing_init(&b);
		load(&a, allow, deny, false);
		load(&b, allow, deny, true);
		compare(&a, &b, seed, one, other);
		for (size_t i = 0; i < REQUESTS; i++) {
			assert_true(one[i] == other[i]);
			passed += one[i];
		}
		/* The hash is of the data, not of how it is written. */
		assert_memory_equal(cs_policy_set_sha256(a.set),
				    cs_policy_set_sha256(b.set), 32);
		cs_testing_done(&a);
		cs_testing_done(&b);
	}
	/* The generator must not refuse everything. */
	assert_true(passed > ROUNDS);
}

/* Two policies whose lists are the same, by literals and by a table. */
static void load_both(struct cs_testing *a, struct cs_testing *b,
		      uint32_t *seed)
{
	static const char *const front[] = {"", ".", "*.", "**."};
	const char *prefix = front[next(seed) % 4];
	char literals[512] = "", table[512] = "", text[2048];
	size_t n = 1 + next(seed) % 3;

	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(literals), at = strlen(table);
		const char *comma = i > 0 ? ", " : "";
		char name[40];

		do
			random_name(seed, name);
		while (name[0] == '*');
		(void)snprintf(literals + used, sizeof(literals) - used,
			       "%s{dns: '%s%s'}", comma, prefix, name);
		(void)snprintf(table + at, sizeof(table) - at, "%s%s", comma,
			       name);
	}
	load(a, literals, "{dns: a.example}", false);
	(void)snprintf(
		text, sizeof(text),
		CS_TESTING_POLICY(
			"web",
			"  subject: {unlisted: reject}\n"
			"  tables: {zones: {x: [a], alice: [%s]}}\n"
			"  vars: {who: '{{requester.username}}'}\n"
			"  san: {dns: {allow: [{dns: '%s{{zones[who]}}'}],"
			" deny: [{dns: a.example}], wildcard: leftmost}}\n"
			"  validity: {max: 24h}\n"),
		table, prefix);
	cs_testing_load(b, text);
	assert_non_null(b->set);
}

static void a_table_is_as_good_as_literals(void **state)
{
	uint32_t seed = 19;
	size_t passed = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		bool literal[REQUESTS], table[REQUESTS];
		struct cs_testing a, b;

		cs_testing_init(&a);
		cs_testing_init(&b);
		load_both(&a, &b, &seed);
		compare(&a, &b, seed, literal, table);
		for (size_t i = 0; i < REQUESTS; i++) {
			assert_true(literal[i] == table[i]);
			passed += literal[i];
		}
		cs_testing_done(&a);
		cs_testing_done(&b);
	}
	assert_true(passed > ROUNDS);
}

/* The same text, in a mode that warns. */
static void load_warning(struct cs_testing *t, const char *allow,
			 const char *deny)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		       CS_TESTING_POLICY(
			       "web", "  mode: warn\n"
				      "  subject: {unlisted: reject}\n"
				      "  san: {dns: {allow: [%s], deny: [%s], "
				      "wildcard: leftmost}}\n"
				      "  validity: {max: 24h}\n"),
		       allow, deny);
	cs_testing_load(t, text);
	assert_non_null(t->set);
}

static void what_is_enforced_and_issued_has_no_warnings(void **state)
{
	uint32_t seed = 23;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char allow[256], deny[256], names[3][40];
		struct cs_testing a, b;

		random_list(&seed, "", allow);
		random_list(&seed, "", deny);
		cs_testing_init(&a);
		cs_testing_init(&b);
		load(&a, allow, deny, false);
		load_warning(&b, allow, deny);
		for (size_t i = 0; i < REQUESTS; i++) {
			uint32_t same = seed;
			bool issued;

			request(&a, &seed, names);
			issued = cs_testing_judge(&a);
			request(&b, &same, names);
			/* Names are never refused, and all of them stay. */
			assert_true(cs_testing_judge(&b));
			assert_int_equal(b.verdict.plan.names_n,
					 b.facts.csr.names_n);
			assert_true(issued == (b.verdict.warnings.n == 0));
			assert_int_equal(a.verdict.findings.n,
					 b.verdict.warnings.n);
		}
		cs_testing_done(&a);
		cs_testing_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_more_deny_never_widens),
		cmocka_unit_test(one_more_allow_never_narrows),
		cmocka_unit_test(the_order_of_unrelated_rules_changes_nothing),
		cmocka_unit_test(a_table_is_as_good_as_literals),
		cmocka_unit_test(what_is_enforced_and_issued_has_no_warnings),
	};

	return cs_test_run("policy/metamorphic", tests);
}
