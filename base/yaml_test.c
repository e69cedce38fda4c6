#include <tests/lib/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/yaml.h"

/* Parse text in an arena of the test's. */
static struct cs_yaml *parse_n(struct cs_arena *arena, const char *text,
			       size_t n, struct cs_error *err)
{
	cs_arena_init(arena, 64 * 1024 * 1024);
	return cs_yaml_parse(cs_span_make(text, n), "f.yaml", arena, err);
}

/* Parsing must fail at this place, with these words in its sentence. */
static void refused_n(const char *text, size_t n, const char *place,
		      const char *words)
{
	struct cs_arena arena;
	struct cs_error err = {0};

	if (parse_n(&arena, text, n, &err) != NULL)
		fail_msg("accepted: %s", text);
	if (strstr(err.text, place) != err.text ||
	    strstr(err.text, words) == NULL)
		fail_msg("%s: gave %s, not %s %s", text, err.text, place,
			 words);
	assert_int_equal(err.code, CS_E_YAML);
	cs_arena_done(&arena);
}

static void refused(const char *text, const char *place, const char *words)
{
	refused_n(text, strlen(text), place, words);
}

/* The one scalar `v` of "v: TEXT" has this kind. */
static void plain(const char *text, enum cs_yaml_kind kind)
{
	struct cs_arena arena;
	struct cs_error err = {0};
	char doc[200];
	struct cs_yaml *map;
	const struct cs_yaml *v;

	(void)snprintf(doc, sizeof(doc), "v: %s\n", text);
	map = parse_n(&arena, doc, strlen(doc), &err);
	if (map == NULL)
		fail_msg("%s: %s", text, err.text);
	v = cs_yaml_get(map, "v");
	if (v->kind != kind)
		fail_msg("%s: %s", text, cs_yaml_kind_name(v->kind));
	cs_arena_done(&arena);
}

static void a_tree_knows_where_everything_stood(void **state)
{
	static const char text[] = "# a comment\n"
				   "name: web\n"
				   "spec:\n"
				   "  - a\n"
				   "  - {b: 1, c: [true, null]}\n"
				   "---\n"
				   "second: \"\\u00fc\"\n";
	struct cs_arena arena;
	struct cs_error err;
	struct cs_yaml *doc = parse_n(&arena, text, strlen(text), &err);
	const struct cs_yaml *spec, *item;

	(void)state;
	assert_non_null(doc);
	assert_int_equal(doc->n, 2);
	assert_true(cs_span_equal_str(cs_yaml_get(doc, "name")->text, "web"));
	spec = cs_yaml_get(doc, "spec");
	assert_int_equal(spec->kind, CS_YAML_LIST);
	assert_int_equal(spec->key_line, 3);
	assert_int_equal(spec->key_column, 1);
	assert_int_equal(spec->n, 2);
	item = spec->child->next;
	assert_int_equal(item->line, 5);
	assert_int_equal(item->column, 5);
	assert_int_equal(cs_yaml_get(item, "b")->integer, 1);
	assert_true(cs_yaml_get(item, "c")->child->boolean);
	assert_null(cs_yaml_get(item, "d"));
	assert_non_null(doc->next);
	assert_true(cs_span_equal_str(cs_yaml_get(doc->next, "second")->text,
				      "\303\274"));
	assert_null(doc->next->next);
	cs_arena_done(&arena);
}

static void plain_scalars_have_one_reading(void **state)
{
	(void)state;
	plain("null", CS_YAML_NULL);
	plain("", CS_YAML_NULL);
	plain("true", CS_YAML_BOOL);
	plain("false", CS_YAML_BOOL);
	plain("0", CS_YAML_INT);
	plain("-17", CS_YAML_INT);
	plain("9223372036854775807", CS_YAML_INT);
	plain("-9223372036854775808", CS_YAML_INT);
	plain("90d", CS_YAML_TEXT);
	plain("10.20.0.0/16", CS_YAML_TEXT);
	plain("1.3.6.1.5", CS_YAML_TEXT);
	plain("2027-03-31", CS_YAML_TEXT);
	plain("127.0.0.1:8443", CS_YAML_TEXT);
	plain("2001:db8::1", CS_YAML_TEXT);
	plain(".shop.corp.example", CS_YAML_TEXT);
	plain("Example Corp", CS_YAML_TEXT);
	plain("'yes'", CS_YAML_TEXT);
	plain("\"1\"", CS_YAML_TEXT);
	plain("\"*.x\"", CS_YAML_TEXT);
	plain("e5", CS_YAML_TEXT);
	plain("P-256", CS_YAML_TEXT);
	plain("3072..4096", CS_YAML_TEXT);
}

static void what_other_readers_take_for_something_else_is_refused(void **state)
{
	static const char *const texts[] = {
		"yes",	   "No",      "on",    "OFF",
		"y",	   "N",	      "True",  "FALSE",
		"~",	   "Null",    "0777",  "0o777",
		"0x1f",	   "0b11",    "+1",    "1_000",
		"1.5",	   ".5",      "1.",    "1e3",
		"-2.5E-3", ".inf",    "-.INF", ".NaN",
		"12:30",   "1:20:30", "-0777", "9223372036854775808",
		"007",	   "1.5e+10", "+.5",   "00",
	};
	char doc[100];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		(void)snprintf(doc, sizeof(doc), "v: %s\n", texts[i]);
		refused(doc, "f.yaml:1:4: ", "quote this");
	}
}

static void marks_of_yaml_say_quote_this(void **state)
{
	(void)state;
	refused("v: *.x\n", "f.yaml:1:4: ", "quote this");
	refused("v: [a, *.x]\n", "f.yaml:1:8: ", "quote this");
	refused("- !x\n", "f.yaml:1:3: ", "quote this");
	refused("- &x\n", "f.yaml:1:3: ", "quote this");
	refused("- %x\n", "f.yaml:1:3: ", "quote this");
	refused("- @x\n", "f.yaml:1:3: ", "quote this");
	refused("- `x`\n", "f.yaml:1:3: ", "quote this");
	refused("\303\274\303\274: *.x\n", "f.yaml:1:5: ", "quote this");
	refused("when: a ? b : c\n", "f.yaml:1:13: ", "quote this");
}

static void the_clever_parts_of_yaml_are_refused(void **state)
{
	(void)state;
	refused("a: &x 1\n", "f.yaml:1:4: ", "anchor");
	refused("a: &x [1]\n", "f.yaml:1:4: ", "anchor");
	refused("a: &x {b: 1}\n", "f.yaml:1:4: ", "anchor");
	refused("a: *x\n", "f.yaml:1:4: ", "alias");
	refused("a: !!str 1\n", "f.yaml:1:4: ", "tag");
	refused("a: !!seq [1]\n", "f.yaml:1:4: ", "tag");
	refused("a: !t {b: 1}\n", "f.yaml:1:4: ", "tag");
	refused("%YAML 1.1\n---\na: 1\n", "f.yaml:1:1: ", "directive");
	refused("%TAG ! x:\n---\na: 1\n", "f.yaml:1:1: ", "directive");
	refused("a:\n  <<: {b: 1}\n", "f.yaml:2:3: ", "merge key");
	refused("[a, b]: 1\n", "f.yaml:1:1: ", "not a scalar");
	refused("? {a: b}\n: 1\n", "f.yaml:1:3: ", "not a scalar");
}

static void keys_are_text_and_unique(void **state)
{
	(void)state;
	refused("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: ", "`a` stands there twice");
	refused("{\"a\": 1, a: 2}", "f.yaml:1:10: ", "twice");
	refused("yes: 1\n", "f.yaml:1:1: ", "quote this");
	refused("1: 1\n", "f.yaml:1:1: ", "not text");
	refused("null: 1\n", "f.yaml:1:1: ", "not text");
	refused(": 1\n", "f.yaml:1:1: ", "key");
}

static void broken_text_is_refused_with_its_place(void **state)
{
	(void)state;
	refused("a: [1\n", "f.yaml:2:1: ", "");
	refused("a: \"x\n", "f.yaml:2:1: ", "");
	refused("a: 1\n b: 2\n", "f.yaml:2:3: ", "");
	refused("a: \"x\\0y\"\n", "f.yaml:1:4: ", "NUL");
	refused_n("a: x\0y\n", 7, "f.yaml:1:5: ", "control");
	refused("a: 1\nb: \xff\n", "f.yaml:2:4: ", "UTF-8");
	refused_n("\xff\xfe"
		  "a\0",
		  4, "f.yaml:1:1: ", "UTF-8");
}

static void size_and_depth_are_bounded(void **state)
{
	char deep[2 * CS_MAX_YAML_DEPTH + 3] = "";
	char *many = malloc(2 * (CS_MAX_YAML_NODES + 2) + 1);
	struct cs_arena arena;

	(void)state;
	assert_non_null(many);
	memset(deep, '[', CS_MAX_YAML_DEPTH + 1);
	refused(deep, "f.yaml:1:33: ", "nested too deeply");
	deep[CS_MAX_YAML_DEPTH] = '\0';
	memset(deep + CS_MAX_YAML_DEPTH, ']', CS_MAX_YAML_DEPTH);
	assert_non_null(parse_n(&arena, deep, strlen(deep), NULL));
	cs_arena_done(&arena);
	many[0] = '[';
	for (size_t i = 0; i <= CS_MAX_YAML_NODES; i++)
		memcpy(many + 1 + 2 * i, "a,", 3);
	refused(many, "f.yaml:1:", "more nodes");
	free(many);
}

static void an_empty_stream_is_one_empty_document(void **state)
{
	struct cs_arena arena;
	struct cs_yaml *doc = parse_n(&arena, "# nothing\n", 10, NULL);

	(void)state;
	assert_non_null(doc);
	assert_int_equal(doc->kind, CS_YAML_NULL);
	assert_null(doc->next);
	cs_arena_done(&arena);
}

/* An empty file arrives as a span of no octets at no address. */
static void no_text_at_all_is_one_empty_document(void **state)
{
	struct cs_arena arena;
	struct cs_yaml *doc = parse_n(&arena, NULL, 0, NULL);

	(void)state;
	assert_non_null(doc);
	assert_int_equal(doc->kind, CS_YAML_NULL);
	assert_null(doc->next);
	cs_arena_done(&arena);
}

static void a_tree_becomes_json(void **state)
{
	static const char text[] =
		"b: [1, 'x', {}, []]\na: {m: null, t: true}\n";
	struct cs_arena arena;
	struct cs_yaml *doc = parse_n(&arena, text, strlen(text), NULL);
	json_t *json = cs_yaml_to_json(doc);
	char *got = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

	(void)state;
	assert_string_equal(got, "{\"a\":{\"m\":null,\"t\":true},"
				 "\"b\":[1,\"x\",{},[]]}");
	free(got);
	json_decref(json);
	cs_arena_done(&arena);
}

static void json_is_read_as_it_is(void **state)
{
	static const char text[] =
		"{\"a\": {\"b\": [1, \"\\u20ac\", null]}, \"c\":\n\"d/e\"}";
	struct cs_arena arena;
	struct cs_error err;
	struct cs_yaml *doc = parse_n(&arena, text, strlen(text), &err);

	(void)state;
	assert_non_null(doc);
	assert_true(cs_span_equal_str(cs_yaml_get(doc, "c")->text, "d/e"));
	refused("{\"a\": 1.5}", "f.yaml:1:7: ", "float");
	cs_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_knows_where_everything_stood),
		cmocka_unit_test(plain_scalars_have_one_reading),
		cmocka_unit_test(
			what_other_readers_take_for_something_else_is_refused),
		cmocka_unit_test(marks_of_yaml_say_quote_this),
		cmocka_unit_test(the_clever_parts_of_yaml_are_refused),
		cmocka_unit_test(keys_are_text_and_unique),
		cmocka_unit_test(broken_text_is_refused_with_its_place),
		cmocka_unit_test(size_and_depth_are_bounded),
		cmocka_unit_test(an_empty_stream_is_one_empty_document),
		cmocka_unit_test(no_text_at_all_is_one_empty_document),
		cmocka_unit_test(a_tree_becomes_json),
		cmocka_unit_test(json_is_read_as_it_is),
	};

	return cs_test_run("base/yaml", tests);
}
