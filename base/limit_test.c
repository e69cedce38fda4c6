#include <tests/lib/test.h>

#include "base/limit.h"

static void reads_what_it_wrote(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_limit one = {CS_LIMIT_REFUSE, 5, 3600,
			       CS_SPAN_LIT("web/limits.per_name"),
			       CS_SPAN_LIT("www.example.com")};
	struct cs_limit two = {CS_LIMIT_HOLD, 1, 60, CS_SPAN_LIT("r"),
			       CS_SPAN_LIT("")};
	struct cs_limit got;
	struct cs_span list;
	bool bad = true;

	(void)state;
	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &one);
	cs_limit_put(&b, &two);
	list = cs_buf_span(&b);
	assert_true(cs_limit_next(&list, &got, &bad));
	assert_int_equal(got.count, 5);
	assert_int_equal(got.window_s, 3600);
	assert_true(cs_span_equal(got.key, one.key));
	assert_true(cs_limit_next(&list, &got, &bad));
	assert_int_equal(got.disposition, CS_LIMIT_HOLD);
	assert_false(cs_limit_next(&list, &got, &bad));
	assert_false(bad);
}

static void other_checks_travel_with_them(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_limit window = {CS_LIMIT_WINDOW, 0, 60, CS_SPAN_LIT("w"),
				  CS_SPAN_LIT("")};
	struct cs_limit key = {CS_LIMIT_KEY_OTHER_SUBJECT, 0, 0,
			       CS_SPAN_LIT("k"), CS_SPAN_LIT("")};
	struct cs_limit got;
	struct cs_span list;
	bool bad = true;

	(void)state;
	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &window);
	cs_limit_put(&b, &key);
	list = cs_buf_span(&b);
	assert_true(cs_limit_next(&list, &got, &bad));
	assert_int_equal(got.disposition, CS_LIMIT_WINDOW);
	assert_false(cs_limit_counts(&got));
	assert_true(cs_limit_next(&list, &got, &bad));
	assert_int_equal(got.disposition, CS_LIMIT_KEY_OTHER_SUBJECT);
	assert_false(cs_limit_counts(&got));
	assert_false(cs_limit_next(&list, &got, &bad));
	assert_false(bad);
	/* A window without an end is none, and neither is a seventh kind. */
	for (int i = 0; i < 2; i++) {
		cs_buf_reset(&b);
		window.window_s = i == 0 ? 0 : 60;
		window.disposition = i == 0 ? CS_LIMIT_WINDOW : 6;
		cs_limit_put(&b, &window);
		list = cs_buf_span(&b);
		assert_false(cs_limit_next(&list, &got, &bad));
		assert_true(bad);
	}
}

static void tells_a_malformed_end_from_the_end(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	struct cs_limit one = {CS_LIMIT_REFUSE, 5, 3600, CS_SPAN_LIT("rule"),
			       CS_SPAN_LIT("key")};
	struct cs_limit got;

	(void)state;
	cs_buf_init(&b, 1000);
	cs_limit_put(&b, &one);
	for (size_t n = 1; n < b.n; n++) {
		struct cs_span list = cs_span_make(b.p, n);
		bool bad = false;

		assert_false(cs_limit_next(&list, &got, &bad));
		assert_true(bad);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_wrote),
		cmocka_unit_test(other_checks_travel_with_them),
		cmocka_unit_test(tells_a_malformed_end_from_the_end),
	};

	return cs_test_run("base/limit", tests);
}
