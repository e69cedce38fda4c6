#include <tests/lib/test.h>

#include "api/accept.h"
#include "api/csv.h"
#include "api/list_form.h"
#include "base/json.h"

#define PAGE                                                                   \
	"{\"items\":[{\"a\":\"}\\\"]{\",\"index\":7},{\"b\":[{\"c\":[]}]}],"   \
	"\"next\":\"00ff\"}"

/* The page in a form, as text. */
static void assert_form(enum cs_list_form form, const char *page,
			const char *const *columns, const char *want)
{
	struct cs_buf out;
	struct cs_error err = {0};

	cs_buf_init(&out, 4096);
	if (!cs_list_form_write(form, cs_span_str(page), columns, &out, &err))
		fail_msg("%s", err.text);
	assert_string_equal(cs_buf_str(&out), want);
	cs_buf_done(&out);
}

static void a_page_becomes_a_line_for_each_item(CS_UNUSED void **state)
{
	static const char *const columns[] = {"index", "a", NULL};

	assert_form(CS_LIST_JSON, PAGE, NULL, PAGE);
	assert_form(CS_LIST_NDJSON, PAGE, NULL,
		    "{\"a\":\"}\\\"]{\",\"index\":7}\n{\"b\":[{\"c\":[]}]}\n");
	assert_form(CS_LIST_CSV, PAGE, columns,
		    "index,a\r\n7,\"}\"\"]{\"\r\n,\r\n");
	assert_form(CS_LIST_NDJSON, "{\"items\":[],\"next\":null}", NULL, "");
	assert_form(CS_LIST_CSV, "{\"items\":[],\"next\":null}", columns,
		    "index,a\r\n");
}

static void what_is_no_page_is_refused(CS_UNUSED void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"items\":[",
		"{\"items\":[]}",
		"{\"items\":[],\"last\":null}",
	};
	struct cs_buf out;

	cs_buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(cs_list_form_write(
			CS_LIST_NDJSON, cs_span_str(bad[i]), NULL, &out, NULL));
	cs_buf_done(&out);
}

static void the_next_page_is_a_link(CS_UNUSED void **state)
{
	struct cs_buf out;

	assert_true(cs_span_equal_str(cs_list_form_next(CS_SPAN_LIT(PAGE)),
				      "00ff"));
	assert_int_equal(
		cs_list_form_next(CS_SPAN_LIT("{\"items\":[],\"next\":null}"))
			.n,
		0);
	assert_true(cs_list_form_is_over(
		CS_SPAN_LIT("{\"items\":[],\"next\":null}")));
	assert_false(cs_list_form_is_over(CS_SPAN_LIT(PAGE)));
	cs_buf_init(&out, 4096);
	cs_list_form_link(CS_SPAN_LIT("/v1/audit"),
			  CS_SPAN_LIT("code=A&cursor=0011&limit=2"),
			  CS_SPAN_LIT("00ff"), &out);
	assert_string_equal(
		cs_buf_str(&out),
		"</v1/audit?code=A&limit=2&cursor=00ff>; rel=\"next\"");
	cs_buf_done(&out);
}

/* Reliability case X05. */
static void a_spreadsheet_finds_no_formula(CS_UNUSED void **state)
{
	static const struct {
		const char *text, *cell;
	} cases[] = {
		{"plain", "plain"},
		{"", ""},
		{"=1+1", "\"'=1+1\""},
		{"+1", "\"'+1\""},
		{"-1", "\"'-1\""},
		{"@SUM(A1)", "\"'@SUM(A1)\""},
		{"\tx", "\"'\tx\""},
		{"\rx", "\"'\rx\""},
		{"a=b", "a=b"},
		{"a,b", "\"a,b\""},
		{"a;b", "\"a;b\""},
		{"say \"x\"", "\"say \"\"x\"\"\""},
		{"two\nlines", "\"two\nlines\""},
		{"=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cs_buf out;

		cs_buf_init(&out, 100);
		cs_csv_cell(&out, cs_span_str(cases[i].text));
		assert_string_equal(cs_buf_str(&out), cases[i].cell);
		cs_buf_done(&out);
	}
}

static void a_decision_is_told_in_a_cell(CS_UNUSED void **state)
{
	static const char *const columns[] = {"names", "changes", "violations",
					      "log.index", NULL};
	static const char text[] =
		"{\"decision\":{\"diff\":[{\"asked\":null,\"disposition\":"
		"\"overridden\",\"field\":\"subject.organization[0]\","
		"\"given\":\"Example\",\"rule\":\"web/o.set\"}],"
		"\"violations\":[{\"code\":\"NO\",\"field\":\"san.dns[0]\","
		"\"value\":\"x\"}]},\"log\":{\"index\":3},"
		"\"names\":[\"=a\",\"b\"]}";
	json_t *item = cs_json_parse(CS_SPAN_LIT(text), "item", NULL);
	struct cs_buf out;

	cs_buf_init(&out, 1000);
	cs_csv_item(&out, columns, item);
	assert_string_equal(cs_buf_str(&out),
			    "\"'=a b\",\"subject.organization[0]:  -> Example "
			    "(overridden, web/o.set)\",NO san.dns[0]=x,3\r\n");
	cs_buf_done(&out);
	json_decref(item);
}

static void accept_chooses_the_form(CS_UNUSED void **state)
{
	assert_int_equal(cs_accept_list(CS_SPAN_LIT("")), CS_LIST_JSON);
	assert_int_equal(cs_accept_list(CS_SPAN_LIT("*/*")), CS_LIST_JSON);
	assert_int_equal(cs_accept_list(CS_SPAN_LIT("text/csv")), CS_LIST_CSV);
	assert_int_equal(cs_accept_list(CS_SPAN_LIT(
				 "text/csv;q=0.1, application/x-ndjson")),
			 CS_LIST_NDJSON);
	assert_int_equal(cs_accept_list(CS_SPAN_LIT("image/png")),
			 CS_LIST_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_becomes_a_line_for_each_item),
		cmocka_unit_test(what_is_no_page_is_refused),
		cmocka_unit_test(the_next_page_is_a_link),
		cmocka_unit_test(a_spreadsheet_finds_no_formula),
		cmocka_unit_test(a_decision_is_told_in_a_cell),
		cmocka_unit_test(accept_chooses_the_form),
	};

	return cs_test_run("api/list_form", tests);
}
