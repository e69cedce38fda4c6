#include <tests/lib/test.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"

static void agrees_with_the_C_library_about_the_calendar(void **state)
{
	(void)state;
	/* Steps of a prime number of seconds visit every field's values. */
	for (int64_t s = -62135596800; s <= 253402300799; s += 1234577) {
		struct cs_civil c = {0};
		struct tm tm;
		time_t t = (time_t)s;
		int64_t back = 0;

		assert_true(cs_time_to_civil(s, &c));
		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(c.year, tm.tm_year + 1900);
		assert_int_equal(c.month, tm.tm_mon + 1);
		assert_int_equal(c.day, tm.tm_mday);
		assert_int_equal(c.hour, tm.tm_hour);
		assert_int_equal(c.minute, tm.tm_min);
		assert_int_equal(c.second, tm.tm_sec);
		assert_true(cs_time_from_civil(&c, &back));
		assert_int_equal(back, s);
	}
}

static void knows_no_year_before_1_or_after_9999(void **state)
{
	struct cs_civil c = {0};

	(void)state;
	assert_true(cs_time_to_civil(-62135596800, &c));
	assert_int_equal(c.year, 1);
	assert_false(cs_time_to_civil(-62135596801, &c));
	assert_true(cs_time_to_civil(253402300799, &c));
	assert_int_equal(c.second, 59);
	assert_false(cs_time_to_civil(253402300800, &c));
	assert_false(cs_time_to_civil(INT64_MAX, &c));
	assert_false(cs_time_to_civil(INT64_MIN, &c));
}

static void refuses_dates_that_do_not_exist(void **state)
{
	static const struct cs_civil bad[] = {
		{2023, 2, 29, 0, 0, 0}, {1900, 2, 29, 0, 0, 0},
		{2024, 4, 31, 0, 0, 0}, {2024, 0, 1, 0, 0, 0},
		{2024, 13, 1, 0, 0, 0}, {2024, 1, 0, 0, 0, 0},
		{2024, 1, 1, 24, 0, 0}, {2024, 1, 1, 0, 60, 0},
		{2024, 1, 1, 0, 0, 60}, {0, 1, 1, 0, 0, 0},
		{10000, 1, 1, 0, 0, 0}, {2024, 1, 1, -1, 0, 0},
		{2024, 1, 1, 0, -1, 0}, {2024, 1, 1, 0, 0, -1},
	};
	int64_t s = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(cs_time_from_civil(&bad[i], &s));
	assert_true(cs_time_from_civil(&(struct cs_civil){2000, 2, 29, 0, 0, 0},
				       &s));
	assert_int_equal(s, 951782400);
}

static void writes_RFC_3339(void **state)
{
	char text[CS_TIME_TEXT];

	(void)state;
	cs_time_rfc3339(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	cs_time_rfc3339_ms(1795566043123, text);
	assert_string_equal(text, "2026-11-25T00:20:43.123Z");
	cs_time_rfc3339_ms(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999Z");
	cs_time_rfc3339(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	cs_time_rfc3339(INT64_MIN, text);
	assert_string_equal(text, "0001-01-01T00:00:00Z");
	cs_time_rfc3339_ms(INT64_MIN, text);
	assert_int_equal(strlen(text), 24);
}

static void reads_RFC_3339_5_6(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01t00:00:00z", 0},
		{"2026-11-25T00:20:43.123Z", 1795566043123},
		{"2026-11-25T01:20:43.1239999+01:00", 1795566043123},
		{"2026-11-24T22:50:43.1-01:30", 1795566043100},
		{"1969-12-31T23:59:59.999Z", -1},
		{"9999-12-31T23:59:59.999Z", 253402300799999},
		{"0001-01-01T00:00:00-00:00", -62135596800000},
	};
	static const char *const bad[] = {
		"",
		"1970-01-01",
		"1970-01-01T00:00:00",
		"1970-01-01 00:00:00Z",
		"1970-01-01T00:00Z",
		"1970-1-01T00:00:00Z",
		"1970-01-01T00:00:00.Z",
		"1970-01-01T00:00:00Zx",
		"1970-01-01T00:00:00+0100",
		"1970-01-01T00:00:00+24:00",
		"1970-01-01T00:00:00+00:60",
		/* RFC 3339 5.7: fields in their ranges. */
		"1970-02-29T00:00:00Z",
		"1990-12-31T23:59:60Z",
		"9999-12-31T23:59:59-00:01",
		"0001-01-01T00:00:00+00:01",
		"0000-01-01T00:00:00Z",
		"+970-01-01T00:00:00Z",
	};
	struct cs_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t ms = 42;

		assert_true(cs_time_parse_rfc3339(cs_span_str(good[i].text),
						  &ms, &err));
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t ms = 42;

		assert_false(
			cs_time_parse_rfc3339(cs_span_str(bad[i]), &ms, &err));
		assert_int_equal(err.code, CS_E_FORMAT);
		assert_int_equal(ms, 42);
	}
}

static void reads_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {
		{"0s", 0},
		{"90d", 7776000},
		{"24h", 86400},
		{"1h30m", 5400},
		{"15m", 900},
		{"30s", 30},
		{"1000ms", 1},
		{"1s500ms500ms", 2},
		{"1m1h", 3660},
		{"1000000us", 1},
		{"1d1ns999999999ns", 86401},
		{"500ms500000\xc2\xb5s", 1},
	};
	static const char *const bad[] = {
		"",
		"5",
		"s",
		"1.5h",
		"-1h",
		"+1h",
		"1 h",
		"1h ",
		"500ms",
		"1w",
		"1H",
		"1h30",
		"1y",
		"9223372036854775808s",
		"9223372036854775807d",
		"106751991167301d",
		"9223372036854775807s1s",
	};
	struct cs_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t s = 42;

		assert_true(cs_time_parse_duration(cs_span_str(good[i].text),
						   &s, &err));
		assert_int_equal(s, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t s = 42;

		assert_false(
			cs_time_parse_duration(cs_span_str(bad[i]), &s, &err));
		assert_int_equal(err.code, CS_E_FORMAT);
		assert_int_equal(s, 42);
	}
}

static void writes_durations_that_read_back(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{0, "0s"},	   {1, "1s"},	     {60, "1m"},
		{90, "1m30s"},	   {5400, "1h30m"},  {86400, "1d"},
		{129600, "36h"},   {7776000, "90d"}, {3601, "1h1s"},
		{-5400, "-1h30m"}, {-86400, "-1d"},
	};
	char text[CS_TIME_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cs_time_duration(cases[i].seconds, text);
		assert_string_equal(text, cases[i].text);
	}
	for (int64_t s = 0; s < INT64_MAX / 3; s = s * 3 + 7) {
		int64_t back = -1;

		cs_time_duration(s, text);
		assert_true(
			cs_time_parse_duration(cs_span_str(text), &back, NULL));
		assert_int_equal(back, s);
	}
	cs_time_duration(INT64_MIN, text);
	assert_string_equal(text, "-2562047788015215h30m8s");
}

static void reads_ages_in_years_too(void **state)
{
	static const char *const bad[] = {"y",	  "",	    "-1y", "1.5y",
					  "1y1d", "99999y", "2 y", "y2"};
	int64_t s;

	(void)state;
	assert_true(cs_time_parse_age(cs_span_str("2y"), &s, NULL));
	assert_int_equal(s, 2 * 366 * 86400);
	assert_true(cs_time_parse_age(cs_span_str("900d"), &s, NULL));
	assert_int_equal(s, (int64_t)900 * 86400);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (cs_time_parse_age(cs_span_str(bad[i]), &s, NULL))
			fail_msg("taken: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_C_library_about_the_calendar),
		cmocka_unit_test(knows_no_year_before_1_or_after_9999),
		cmocka_unit_test(refuses_dates_that_do_not_exist),
		cmocka_unit_test(writes_RFC_3339),
		cmocka_unit_test(reads_RFC_3339_5_6),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(writes_durations_that_read_back),
		cmocka_unit_test(reads_ages_in_years_too),
	};

	return cs_test_run("base/time", tests);
}
