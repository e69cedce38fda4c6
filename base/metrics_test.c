#include <tests/lib/test.h>

#include <string.h>

#include "base/metrics.h"

/* What was written, as a string. */
static const char *text(struct cs_buf *b)
{
	assert_true(cs_buf_ok(b));
	return cs_buf_str(b);
}

static void a_family_has_help_and_type_before_its_sample(void **state)
{
	struct cs_buf b;

	(void)state;
	cs_buf_init(&b, 4096);
	cs_metrics_counter(&b, "x_total", "Things done.", 7);
	assert_string_equal(text(&b), "# HELP x_total Things done.\n"
				      "# TYPE x_total counter\nx_total 7\n");
	cs_buf_done(&b);
}

static void a_label_cannot_end_its_line_or_its_quotes(void **state)
{
	const struct cs_metric_label labels[] = {
		{"policy", CS_SPAN_LIT("a\"b\\c\nd\re\x1b")},
		{"issuer", CS_SPAN_LIT("\xff\xfe")},
		{"name", CS_SPAN_LIT("\xc3\xa4")},
	};
	struct cs_buf b;

	(void)state;
	cs_buf_init(&b, 4096);
	cs_metrics_sample(&b, "x", labels, 3, 1);
	assert_string_equal(text(&b),
			    "x{policy=\"a\\\"b\\\\c\\nd?e?\",issuer=\"??\","
			    "name=\"\xc3\xa4\"} 1\n");
	cs_buf_done(&b);
}

static void thousandths_keep_their_sign_and_zeros(void **state)
{
	struct cs_buf b;

	(void)state;
	cs_buf_init(&b, 4096);
	cs_metrics_sample_milli(&b, "x", NULL, 0, -1005);
	cs_metrics_sample_milli(&b, "x", NULL, 0, 20);
	cs_metrics_sample_milli(&b, "x", NULL, 0, INT64_MIN);
	assert_string_equal(text(&b), "x -1.005\nx 0.020\n"
				      "x -9223372036854775.808\n");
	cs_buf_done(&b);
}

static void a_histogram_cumulates_and_ends_with_infinity(void **state)
{
	struct cs_histogram h = {0};
	struct cs_buf b;

	(void)state;
	cs_buf_init(&b, 4096);
	cs_histogram_add(&h, CS_HISTOGRAM_SIZES, 1);
	cs_histogram_add(&h, CS_HISTOGRAM_SIZES, 2);
	cs_histogram_add(&h, CS_HISTOGRAM_SIZES, 3);
	cs_histogram_add(&h, CS_HISTOGRAM_SIZES, 1000);
	cs_metrics_histogram(&b, "n", "Sizes.", CS_HISTOGRAM_SIZES, &h);
	assert_non_null(strstr(text(&b), "n_bucket{le=\"1\"} 1\n"));
	assert_non_null(strstr(text(&b), "n_bucket{le=\"2\"} 2\n"));
	assert_non_null(strstr(text(&b), "n_bucket{le=\"4\"} 3\n"));
	assert_non_null(strstr(text(&b), "n_bucket{le=\"256\"} 3\n"));
	assert_non_null(strstr(text(&b), "n_bucket{le=\"+Inf\"} 4\n"
					 "n_sum 1006\nn_count 4\n"));
	cs_buf_done(&b);
}

static void times_are_told_in_seconds(void **state)
{
	struct cs_histogram h = {0};
	struct cs_buf b;

	(void)state;
	cs_buf_init(&b, 4096);
	cs_histogram_add(&h, CS_HISTOGRAM_TIMES, 100);
	cs_histogram_add(&h, CS_HISTOGRAM_TIMES, 101);
	cs_histogram_add(&h, CS_HISTOGRAM_TIMES, 99000000);
	cs_metrics_histogram(&b, "t_seconds", "T.", CS_HISTOGRAM_TIMES, &h);
	assert_non_null(
		strstr(text(&b), "t_seconds_bucket{le=\"0.0001\"} 1\n"));
	assert_non_null(
		strstr(text(&b), "t_seconds_bucket{le=\"0.00025\"} 2\n"));
	assert_non_null(strstr(text(&b), "t_seconds_bucket{le=\"10\"} 2\n"));
	assert_non_null(strstr(text(&b), "t_seconds_sum 99.000201\n"));
	cs_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_family_has_help_and_type_before_its_sample),
		cmocka_unit_test(a_label_cannot_end_its_line_or_its_quotes),
		cmocka_unit_test(thousandths_keep_their_sign_and_zeros),
		cmocka_unit_test(a_histogram_cumulates_and_ends_with_infinity),
		cmocka_unit_test(times_are_told_in_seconds),
	};

	return cs_test_run("base/metrics", tests);
}
