#include <tests/lib/test.h>

#include <string.h>

#include "base/json.h"

/* A writer over a buffer, for one test. */
struct fixture {
	struct cs_buf out;
	struct cs_json j;
	struct cs_error err;
};

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	cs_buf_init(&f->out, 100000);
	cs_json_begin(&f->j, &f->out);
}

/* The document must be this text. */
static void expect(struct fixture *f, const char *text)
{
	assert_true(cs_json_finish(&f->j, "test", &f->err));
	assert_string_equal(cs_buf_str(&f->out), text);
	cs_buf_done(&f->out);
}

/* The writer must have failed with this in its sentence. */
static void expect_broken(struct fixture *f, const char *why)
{
	assert_false(cs_json_finish(&f->j, "test", &f->err));
	assert_int_equal(f->err.code, CS_E_INTERNAL);
	assert_non_null(strstr(f->err.text, why));
	cs_buf_done(&f->out);
}

static void writes_every_kind_of_value(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	cs_json_object(&f.j);
	cs_json_name(&f.j, "a");
	cs_json_array(&f.j);
	cs_json_int(&f.j, 0);
	cs_json_int(&f.j, -1);
	cs_json_int(&f.j, 9007199254740991);
	cs_json_bool(&f.j, true);
	cs_json_bool(&f.j, false);
	cs_json_null(&f.j);
	cs_json_object(&f.j);
	cs_json_end(&f.j);
	cs_json_array(&f.j);
	cs_json_end(&f.j);
	cs_json_end(&f.j);
	cs_json_member_hex(&f.j, "b", CS_SPAN_LIT("\x00\xff"));
	cs_json_member_int(&f.j, "c", 7);
	cs_json_member_str(&f.j, "d", "x");
	cs_json_name(&f.j, "e");
	cs_json_time_ms(&f.j, 1795566043123);
	cs_json_name(&f.j, "f");
	cs_json_raw(&f.j, CS_SPAN_LIT("[1,2]"));
	cs_json_end(&f.j);
	expect(&f, "{\"a\":[0,-1,9007199254740991,true,false,null,{},[]],"
		   "\"b\":\"00ff\",\"c\":7,\"d\":\"x\","
		   "\"e\":\"2026-11-25T00:20:43.123Z\",\"f\":[1,2]}");
}

static void escapes_as_RFC_8785_3_2_2_2_says(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	cs_json_string(&f.j, CS_SPAN_LIT("\b\t\n\f\r\"\\/\x00\x1f\x7f\xc3\xa9"
					 "\xe2\x80\xa8\xf0\x9f\x92\xa9"));
	expect(&f, "\"\\b\\t\\n\\f\\r\\\"\\\\/\\u0000\\u001f\x7f\xc3\xa9"
		   "\xe2\x80\xa8\xf0\x9f\x92\xa9\"");
}

/* Jansson reads every string back, whichever octet stands where in it. */
static void escapes_each_octet_wherever_it_stands(void **state)
{
	uint8_t text[19];
	struct fixture f;

	(void)state;
	for (unsigned c = 0; c < 0x80; c++) {
		for (size_t at = 0; at < sizeof(text); at++) {
			json_t *back;

			memset(text, 'x', sizeof(text));
			memcpy(text + 9, "\xc3\xa9", 2);
			if (at == 9 || at == 10)
				memset(text + 9, '\\', 2);
			text[at] = (uint8_t)c;
			begin(&f);
			cs_json_string(&f.j, cs_span_make(text, sizeof(text)));
			assert_true(cs_json_finish(&f.j, "text", NULL));
			back = json_loadb((const char *)f.out.p, f.out.n,
					  JSON_DECODE_ANY | JSON_ALLOW_NUL,
					  NULL);
			assert_non_null(back);
			assert_int_equal(json_string_length(back),
					 sizeof(text));
			assert_memory_equal(json_string_value(back), text,
					    sizeof(text));
			json_decref(back);
			cs_buf_done(&f.out);
		}
	}
}

static void replaces_what_is_not_text(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	cs_json_text(&f.j, CS_SPAN_LIT("a\xff\n\"\xc3\xa9\xc2\x85\x7f\xc3"));
	expect(&f, "\"a\xef\xbf\xbd\xef\xbf\xbd\\\"\xc3\xa9\xef\xbf\xbd"
		   "\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void splices_members_of_another_object(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	cs_json_object(&f.j);
	cs_json_members(&f.j, CS_SPAN_LIT("{}"));
	cs_json_member_int(&f.j, "a", 1);
	cs_json_members(&f.j, CS_SPAN_LIT("{\"b\":2,\"z\":3}"));
	cs_json_member_int(&f.j, "c", 4);
	cs_json_members(&f.j, CS_SPAN_LIT("{}"));
	cs_json_end(&f.j);
	expect(&f, "{\"a\":1,\"b\":2,\"z\":3,\"c\":4}");
}

static void keeps_its_promises_or_fails(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	cs_json_object(&f.j);
	cs_json_member_int(&f.j, "b", 1);
	cs_json_member_int(&f.j, "a", 1);
	cs_json_end(&f.j);
	expect_broken(&f, "names out of order");
	begin(&f);
	cs_json_object(&f.j);
	cs_json_member_int(&f.j, "a", 1);
	cs_json_member_int(&f.j, "a", 1);
	expect_broken(&f, "names out of order");
	begin(&f);
	cs_json_string(&f.j, CS_SPAN_LIT("\xff"));
	expect_broken(&f, "not UTF-8");
	begin(&f);
	cs_json_int(&f.j, 9007199254740992);
	expect_broken(&f, "beyond 2^53");
	begin(&f);
	cs_json_object(&f.j);
	cs_json_int(&f.j, 1);
	expect_broken(&f, "a value without a name");
	begin(&f);
	cs_json_array(&f.j);
	cs_json_name(&f.j, "a");
	expect_broken(&f, "a name outside an object");
	begin(&f);
	cs_json_null(&f.j);
	cs_json_null(&f.j);
	expect_broken(&f, "a second value");
	begin(&f);
	cs_json_end(&f.j);
	expect_broken(&f, "an end without");
	begin(&f);
	cs_json_array(&f.j);
	expect_broken(&f, "not ended");
	begin(&f);
	expect_broken(&f, "not ended");
	begin(&f);
	for (int i = 0; i <= CS_JSON_DEPTH; i++)
		cs_json_array(&f.j);
	expect_broken(&f, "too many levels");
}

static void orders_escaped_names_by_what_they_mean(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	cs_json_object(&f.j);
	cs_json_member_int(&f.j, "", 0);
	cs_json_member_int(&f.j, "\x01", 1);
	cs_json_member_int(&f.j, "\n", 2);
	cs_json_member_int(&f.j, "\"", 3);
	cs_json_member_int(&f.j, "A", 4);
	cs_json_member_int(&f.j, "\\", 5);
	cs_json_member_int(&f.j, "a", 6);
	cs_json_member_int(&f.j, "a\n", 7);
	cs_json_member_int(&f.j, "\xf0\x9f\x98\x80", 8); /* d83d de00 */
	cs_json_member_int(&f.j, "\xef\xac\xb3", 9);	 /* fb33 */
	cs_json_end(&f.j);
	expect(&f, "{\"\":0,\"\\u0001\":1,\"\\n\":2,\"\\\"\":3,\"A\":4,"
		   "\"\\\\\":5,\"a\":6,\"a\\n\":7,\"\xf0\x9f\x98\x80\":8,"
		   "\"\xef\xac\xb3\":9}");
}

static void survives_a_full_buffer(void **state)
{
	struct cs_error err = {0};

	(void)state;
	for (size_t max = 0; max < 20; max++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf b;
		struct cs_json j;

		cs_buf_init(&b, max);
		cs_json_begin(&j, &b);
		cs_json_object(&j);
		cs_json_member_str(&j, "aa", "1");
		cs_json_member_str(&j, "bb", "2");
		cs_json_end(&j);
		assert_int_equal(cs_json_finish(&j, "x", &err), max >= 19);
		if (max < 19)
			assert_int_equal(err.code, CS_E_TOO_LARGE);
	}
}

/* Canonical form of a text, or NULL with err. */
static const char *canonical(const char *text, struct cs_buf *out,
			     struct cs_error *err)
{
	json_t *v = cs_json_parse(cs_span_str(text), "test", err);
	bool ok;

	cs_buf_reset(out);
	if (v == NULL)
		return NULL;
	ok = cs_json_canonical(v, out, err);
	json_decref(v);
	return ok ? cs_buf_str(out) : NULL;
}

static void canonical_form_sorts_by_UTF_16_code_units(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_error err = {0};

	(void)state;
	cs_buf_init(&out, 100000);
	/* The example of RFC 8785 3.2.3. */
	assert_string_equal(
		canonical("{\"\\u20ac\": \"Euro Sign\",\"\\r\": \"CR\","
			  "\"\\ufb33\": \"Hebrew\",\"1\": \"One\","
			  "\"\\ud83d\\ude00\": \"Smiley\","
			  "\"\\u0080\": \"Control\",\"\\u00f6\": \"o\"}",
			  &out, &err),
		"{\"\\r\":\"CR\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
		"\"\xc3\xb6\":\"o\",\"\xe2\x82\xac\":\"Euro Sign\","
		"\"\xf0\x9f\x98\x80\":\"Smiley\",\"\xef\xac\xb3\":\"Hebrew\"}");
	assert_string_equal(
		canonical(" [ {\"b\":[ ],\"a\":{ }}, -5, \"x\\u001f\", null,"
			  " true, false ] ",
			  &out, &err),
		"[{\"a\":{},\"b\":[]},-5,\"x\\u001f\",null,true,false]");
	assert_string_equal(canonical("7", &out, &err), "7");
}

static void canonical_form_refuses_what_it_cannot_keep(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_error err = {0};

	(void)state;
	cs_buf_init(&out, 100000);
	assert_null(canonical("[1.5]", &out, &err));
	assert_int_equal(err.code, CS_E_FORMAT);
	assert_null(canonical("{\"a\":[9007199254740992]}", &out, &err));
	assert_non_null(strstr(err.text, "RFC 8785 3.2.2.3"));
	assert_false(cs_json_canonical(NULL, &out, &err));
	cs_buf_done(&out);
	cs_buf_init(&out, 3);
	assert_null(canonical("[1,2,3]", &out, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
}

static void parser_refuses_with_line_and_column(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"{\"a\":1,\"a\":2}",
		"[1] x",
		"[1,]",
		"\"\\u0000\"",
		"[9223372036854775808]",
		"[1e400]",
		"[01]",
		"['a']",
		"\"\xff\"",
		"\"\\ud800\"",
		"[NaN]",
		"\xef\xbb\xbf[]",
	};
	struct cs_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(cs_json_parse(cs_span_str(bad[i]), "body", &err));
		assert_int_equal(err.code, CS_E_FORMAT);
		assert_non_null(strstr(err.text, "body: line "));
	}
	assert_null(cs_json_parse(CS_SPAN_LIT("[\"a\0b\"]"), "body", &err));
	assert_null(cs_json_parse(CS_SPAN_LIT("[]\0"), "body", &err));
}

static void parser_counts_levels_before_it_recurses(void **state)
{
	struct cs_error err = {0};
	char text[200] = "\n";
	json_t *v;

	(void)state;
	memset(text + 1, '[', CS_JSON_READ_DEPTH);
	memset(text + 1 + CS_JSON_READ_DEPTH, ']', CS_JSON_READ_DEPTH);
	v = cs_json_parse(cs_span_str(text), "body", &err);
	assert_non_null(v);
	json_decref(v);
	memset(text + 1, '[', CS_JSON_READ_DEPTH + 1);
	assert_null(cs_json_parse(cs_span_str(text), "body", &err));
	assert_string_equal(err.text,
			    "body: line 2 column 33: more than 32 levels");
	/* Brackets in strings are no levels. */
	memset(text, '[', 100);
	text[0] = '"';
	text[1] = '\\';
	text[2] = '"';
	memcpy(text + 100, "\"", 2);
	v = cs_json_parse(cs_span_str(text), "body", &err);
	assert_non_null(v);
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_every_kind_of_value),
		cmocka_unit_test(escapes_as_RFC_8785_3_2_2_2_says),
		cmocka_unit_test(escapes_each_octet_wherever_it_stands),
		cmocka_unit_test(replaces_what_is_not_text),
		cmocka_unit_test(splices_members_of_another_object),
		cmocka_unit_test(keeps_its_promises_or_fails),
		cmocka_unit_test(orders_escaped_names_by_what_they_mean),
		cmocka_unit_test(survives_a_full_buffer),
		cmocka_unit_test(canonical_form_sorts_by_UTF_16_code_units),
		cmocka_unit_test(canonical_form_refuses_what_it_cannot_keep),
		cmocka_unit_test(parser_refuses_with_line_and_column),
		cmocka_unit_test(parser_counts_levels_before_it_recurses),
	};

	return cs_test_run("base/json", tests);
}
