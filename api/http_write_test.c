#include <tests/lib/test.h>

#include <string.h>

#include "api/http_write.h"
#include "base/limits.h"
#include "base/mem.h"

static const struct cs_http_frame frame = {.date = "(date)"};

/* RFC 9110 5.6.7: the example there, and the calendar's edges. */
static void writes_dates(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
		{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
		{86399, "Thu, 01 Jan 1970 23:59:59 GMT"},
		{951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
		{1798761599, "Thu, 31 Dec 2026 23:59:59 GMT"},
		{4102444800, "Fri, 01 Jan 2100 00:00:00 GMT"},
		{253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
		{-1, "Thu, 01 Jan 1970 00:00:00 GMT"},
	};
	char text[CS_HTTP_DATE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cs_http_write_date(cases[i].seconds, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void writes_an_answer_byte_for_byte(void **state)
{
	static const struct cs_http_header fields[] = {
		{"Retry-After", {(const uint8_t *)"1", 1}},
		{"Idempotent-Replay", {(const uint8_t *)"true", 4}},
	};
	struct cs_http_answer a = {.status = 503,
				   .content_type = "application/problem+json",
				   .body = CS_SPAN_LIT("{}"),
				   .headers = fields,
				   .headers_n = 2};
	struct cs_http_frame closing = frame;
	CS_CLEANUP(cs_buf_done) struct cs_buf out;

	(void)state;
	cs_buf_init(&out, CS_MAX_HTTP_ANSWER);
	closing.close = true;
	assert_true(cs_http_write_answer(&a, &closing, &out, NULL));
	assert_string_equal(cs_buf_str(&out),
			    "HTTP/1.1 503 Service Unavailable\r\n"
			    "Date: (date)\r\n"
			    "Cache-Control: no-store\r\n"
			    "X-Content-Type-Options: nosniff\r\n"
			    "Connection: close\r\n"
			    "Content-Type: application/problem+json\r\n"
			    "Retry-After: 1\r\n"
			    "Idempotent-Replay: true\r\n"
			    "Content-Length: 2\r\n\r\n{}");
}

/* RFC 9110 8.6: no Content-Length in 204. RFC 9112 4: any phrase will do. */
static void knows_when_there_is_no_body(void **state)
{
	struct cs_http_answer a = {.status = 204, .body = CS_SPAN_LIT("never")};
	CS_CLEANUP(cs_buf_done) struct cs_buf out;

	(void)state;
	cs_buf_init(&out, CS_MAX_HTTP_ANSWER);
	assert_true(cs_http_write_answer(&a, &frame, &out, NULL));
	assert_null(strstr(cs_buf_str(&out), "Content-Length"));
	assert_null(strstr(cs_buf_str(&out), "never"));
	cs_buf_reset(&out);
	a.status = 299;
	assert_true(cs_http_write_answer(&a, &frame, &out, NULL));
	assert_memory_equal(cs_buf_str(&out), "HTTP/1.1 299 \r\n", 15);
}

static void refuses_what_would_break_an_answer(void **state)
{
	static const int statuses[] = {0, 100, 199, 600, -200};
	static const char *const values[] = {"a\r\nX: b", "a\nb", "a\rb",
					     "\x1B",	  "\x7F", "\xC3\xA4"};
	struct cs_http_header field = {"Location", {NULL, 0}};
	struct cs_http_answer a = {.status = 200};
	struct cs_error err = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	char *large = cs_mem_new(CS_MAX_HTTP_ANSWER_HEAD);
	size_t i;

	(void)state;
	cs_buf_init(&out, 4 * CS_MAX_HTTP_ANSWER);
	cs_buf_add_str(&out, "before");
	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		a.status = statuses[i];
		assert_false(cs_http_write_answer(&a, &frame, &out, &err));
	}
	a = (struct cs_http_answer){
		.status = 200, .headers = &field, .headers_n = 1};
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		field.value = cs_span_str(values[i]);
		assert_false(cs_http_write_answer(&a, &frame, &out, &err));
		assert_int_equal(err.code, CS_E_ARGUMENT);
	}
	memset(large, 'x', CS_MAX_HTTP_ANSWER_HEAD);
	field.value = cs_span_make(large, CS_MAX_HTTP_ANSWER_HEAD);
	assert_false(cs_http_write_answer(&a, &frame, &out, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	a.headers_n = 0;
	a.body = cs_span_make(large, (size_t)CS_MAX_HTTP_ANSWER + 1);
	assert_false(cs_http_write_answer(&a, &frame, &out, &err));
	assert_int_equal(err.code, CS_E_TOO_LARGE);
	assert_string_equal(cs_buf_str(&out), "before");
	cs_mem_free(large);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_dates),
		cmocka_unit_test(writes_an_answer_byte_for_byte),
		cmocka_unit_test(knows_when_there_is_no_body),
		cmocka_unit_test(refuses_what_would_break_an_answer),
	};

	return cs_test_run("api/http_write", tests);
}
