#include <tests/lib/test.h>

#include <string.h>

#include "base/sources.h"
#include "policy/doc.h"

/* One policy's text around a spec in flow style. */
#define POLICY(name, spec)                                                     \
	"---\napiVersion: countersign.dev/v1\nkind: IssuancePolicy\n"          \
	"metadata: {name: " name "}\nspec: {" spec "}\n"

/* Two sets and what differs. */
struct fixture {
	struct cs_arena arena;
	struct cs_hash *hash;
	struct cs_policy_report report;
};

static int setup(void **state)
{
	static struct fixture f;

	cs_arena_init(&f.arena, 1024 * 1024);
	f.hash = cs_hash_new(NULL);
	cs_policy_report_init(&f.report, &f.arena);
	*state = &f;
	return f.hash != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cs_hash_free(f->hash);
	cs_arena_done(&f->arena);
	return 0;
}

static struct cs_policy_set *load(struct fixture *f, const char *text)
{
	struct cs_source source = {cs_span_str("a.yaml"), cs_span_str(text)};
	struct cs_sources sources = {&source, 1};
	struct cs_policy_set *set =
		cs_policy_set_load(&sources, f->hash, &f->report);

	assert_non_null(set);
	return set;
}

/* The difference of two texts, as compact JSON. */
static char *diff_of(struct fixture *f, const char *now, const char *then)
{
	struct cs_policy_set *a = load(f, now), *b = load(f, then);
	json_t *diff = cs_policy_doc_diff(a, b);
	char *text = json_dumps(diff, JSON_COMPACT | JSON_SORT_KEYS);
	char *copy = cs_arena_str(&f->arena, cs_span_str(text));

	free(text);
	json_decref(diff);
	cs_policy_set_free(a);
	cs_policy_set_free(b);
	return copy;
}

static void tells_what_was_added_removed_and_changed(void **state)
{
	assert_string_equal(
		diff_of(*state,
			POLICY("a", "priority: 1, san: {dns: {allow: [any]}}")
				POLICY("b", "priority: 2"),
			POLICY("a", "priority: 5, san: {dns: {allow: [any], "
				    "min: 1}}") POLICY("c", "priority: 3")),
		"[{\"change\":\"removed\",\"keys\":null,\"name\":\"b\","
		"\"source\":\"a.yaml\"},{\"change\":\"changed\",\"keys\":[{"
		"\"key\":\"priority\",\"new\":\"5\",\"old\":\"1\"},{\"key\":"
		"\"san.dns.min\",\"new\":\"1\",\"old\":null}],\"name\":\"a\","
		"\"source\":\"a.yaml\"},{\"change\":\"added\",\"keys\":null,"
		"\"name\":\"c\",\"source\":\"a.yaml\"}]");
}

static void finds_nothing_in_the_same_set_written_in_another_way(void **state)
{
	assert_string_equal(
		diff_of(*state,
			POLICY("a", "priority: 1, san: {dns: {allow: [any]}}"),
			POLICY("a", "san: {\"dns\": {allow: [any]}}, "
				    "priority: 1")),
		"[]");
}

static void keeps_lists_whole_and_counts_tests(void **state)
{
	struct fixture *f = *state;
	struct cs_policy_set *set = load(
		f, POLICY("a", "san: {dns: {allow: [{dns: .a.example}]}}, "
			       "tests: [{name: t, request: {dns: "
			       "[x.a.example]}, expect: {verdict: issued}}]"));
	json_t *flat = cs_policy_doc_flat(cs_policy_set_at(set, 0)->json);

	assert_string_equal(
		json_string_value(json_object_get(flat, "san.dns.allow")),
		"[{\"dns\":\".a.example\"}]");
	assert_string_equal(json_string_value(json_object_get(flat, "tests")),
			    "1 tests");
	assert_string_equal(
		json_string_value(json_object_get(flat, "metadata.name")), "a");
	json_decref(flat);
	cs_policy_set_free(set);
}

static void fills_in_defaults_and_what_they_give_way_to(void **state)
{
	struct fixture *f = *state;
	struct cs_policy_set *set =
		load(f, POLICY("a", "san: {dns: {allow: [{dns: .a.example}]}}, "
				    "validity: {max: 4m}"));
	json_t *flat = cs_policy_doc_rules(cs_policy_set_at(set, 0));
	static const char *const expected[][2] = {
		{"san.dns.wildcard", "forbid"},
		{"san.unlisted", "reject"},
		{"subject.unlisted", "reject"},
		{"validity.max", "4m"},
		{"validity.min", "4m"},
		{"validity.default", "4m"},
		{"validity.backdate", "30s"},
		{"extensions.key_usage.critical", "true"},
		{"extensions.ext_key_usage.default", "[\"server auth\"]"},
	};

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_string_equal(json_string_value(json_object_get(
					    flat, expected[i][0])),
				    expected[i][1]);
	assert_null(json_object_get(flat, "metadata.name"));
	json_decref(flat);
	cs_policy_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			tells_what_was_added_removed_and_changed, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			finds_nothing_in_the_same_set_written_in_another_way,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			keeps_lists_whole_and_counts_tests, setup, teardown),
		cmocka_unit_test_setup_teardown(
			fills_in_defaults_and_what_they_give_way_to, setup,
			teardown),
	};

	return cs_test_run("policy/doc", tests);
}
