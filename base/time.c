#include "base/time.h"

#include <stdio.h>
#include <string.h>

#define DAY ((int64_t)86400)
/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
#define FIRST ((int64_t)-62135596800)
#define LAST  ((int64_t)253402300799)
/* Days from 0000-03-01 to 1970-01-01. */
#define EPOCH_DAYS 719468
/* Days of 400, 100, 4 Gregorian years and 1. */
#define DAYS_400 146097
#define DAYS_100 36524
#define DAYS_4	 1461
#define DAYS_1	 365

/*
 * Years are counted from March here, so that the leap day is the last one
 * and the length of the months before it follows one formula: month m (0 is
 * March) begins (153 m + 2) / 5 days into the year.
 */
bool cs_time_to_civil(int64_t seconds, struct cs_civil *ret_civil)
{
	int64_t days;
	int era, in_era, year, in_year, month, rest;

	if (seconds < FIRST || seconds > LAST)
		return false;
	/* Counted from 0000-03-01, which is before the year 1. */
	seconds += EPOCH_DAYS * DAY;
	days = seconds / DAY;
	rest = (int)(seconds % DAY);
	era = (int)(days / DAYS_400);
	in_era = (int)(days % DAYS_400);
	year = (in_era - in_era / (DAYS_4 - 1) + in_era / DAYS_100 -
		in_era / (DAYS_400 - 1)) /
	       DAYS_1;
	in_year = in_era - (DAYS_1 * year + year / 4 - year / 100);
	month = (5 * in_year + 2) / 153;
	*ret_civil = (struct cs_civil){
		.year = 400 * era + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = in_year - (153 * month + 2) / 5 + 1,
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
	};
	return true;
}

/* Days of a month; the year decides on February. */
static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30,
				   31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

bool cs_time_from_civil(const struct cs_civil *c, int64_t *ret_seconds)
{
	int year, month, in_year;
	int64_t days;

	if (c->year < 1 || c->year > 9999 || c->month < 1 || c->month > 12 ||
	    c->day < 1 || c->day > days_of_month(c->year, c->month) ||
	    c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59 ||
	    c->second < 0 || c->second > 59)
		return false;
	year = c->month > 2 ? c->year : c->year - 1;
	month = c->month > 2 ? c->month - 3 : c->month + 9;
	in_year = (153 * month + 2) / 5 + c->day - 1;
	days = (int64_t)year * DAYS_1 + year / 4 - year / 100 + year / 400 +
	       in_year - EPOCH_DAYS;
	*ret_seconds = days * DAY + c->hour * 3600 + c->minute * 60 + c->second;
	return true;
}

/* Write v as n digits at text; returns the place behind them. */
static char *put_digits(char *text, int v, int n)
{
	for (int i = n - 1; i >= 0; i--) {
		text[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return text + n;
}

/* The date and time without zone; seconds are clamped to what can be told. */
static char *put_date_time(char *text, int64_t seconds)
{
	struct cs_civil c = {.year = 1, .month = 1, .day = 1};

	if (seconds < FIRST)
		seconds = FIRST;
	if (seconds > LAST)
		seconds = LAST;
	if (!cs_time_to_civil(seconds, &c))
		return text;
	text = put_digits(text, c.year, 4);
	*text++ = '-';
	text = put_digits(text, c.month, 2);
	*text++ = '-';
	text = put_digits(text, c.day, 2);
	*text++ = 'T';
	text = put_digits(text, c.hour, 2);
	*text++ = ':';
	text = put_digits(text, c.minute, 2);
	*text++ = ':';
	return put_digits(text, c.second, 2);
}

void cs_time_rfc3339(int64_t seconds, char ret_text[CS_TIME_TEXT])
{
	char *end = put_date_time(ret_text, seconds);

	memcpy(end, "Z", 2);
}

void cs_time_rfc3339_ms(int64_t ms, char ret_text[CS_TIME_TEXT])
{
	int rest = (int)(ms % 1000);
	int64_t seconds = ms / 1000 - (rest < 0);
	char *end = put_date_time(ret_text, seconds);

	*end++ = '.';
	end = put_digits(end, rest < 0 ? rest + 1000 : rest, 3);
	memcpy(end, "Z", 2);
}

/* Take n digits from *s as a number below 10000. */
static bool get_digits(struct cs_span *s, size_t n, int *ret_v)
{
	int v = 0;

	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	*s = cs_span_sub(*s, n, SIZE_MAX);
	*ret_v = v;
	return true;
}

/* Take one of two characters from *s. */
static bool get_char(struct cs_span *s, uint8_t a, uint8_t b)
{
	if (s->n == 0 || (s->p[0] != a && s->p[0] != b))
		return false;
	*s = cs_span_sub(*s, 1, SIZE_MAX);
	return true;
}

/* Take full-date "T" partial-time without its fraction (RFC 3339 5.6). */
static bool get_date_time(struct cs_span *s, struct cs_civil *c)
{
	return get_digits(s, 4, &c->year) && get_char(s, '-', '-') &&
	       get_digits(s, 2, &c->month) && get_char(s, '-', '-') &&
	       get_digits(s, 2, &c->day) && get_char(s, 'T', 't') &&
	       get_digits(s, 2, &c->hour) && get_char(s, ':', ':') &&
	       get_digits(s, 2, &c->minute) && get_char(s, ':', ':') &&
	       get_digits(s, 2, &c->second);
}

/* Take "." and digits if there; milliseconds, the rest is cut. */
static bool get_fraction(struct cs_span *s, int *ret_ms)
{
	int ms = 0;
	int weight = 100;
	int digit = 0;
	size_t n = 0;

	if (get_char(s, '.', '.')) {
		for (; get_digits(s, 1, &digit); n++) {
			ms += digit * weight;
			weight /= 10;
		}
		if (n == 0)
			return false;
	}
	*ret_ms = ms;
	return true;
}

/* Take "Z" or an offset; seconds to subtract. */
static bool get_zone(struct cs_span *s, int *ret_offset)
{
	int sign;
	int hour = 0;
	int minute = 0;

	*ret_offset = 0;
	if (get_char(s, 'Z', 'z'))
		return true;
	sign = s->n > 0 && s->p[0] == '-' ? -1 : 1;
	if (!get_char(s, '+', '-') || !get_digits(s, 2, &hour) ||
	    !get_char(s, ':', ':') || !get_digits(s, 2, &minute))
		return false;
	*ret_offset = sign * (hour * 3600 + minute * 60);
	return hour <= 23 && minute <= 59;
}

bool cs_time_parse_rfc3339(struct cs_span text, int64_t *ret_ms,
			   struct cs_error *err)
{
	struct cs_civil c = {0};
	struct cs_span s = text;
	int64_t seconds = 0;
	int offset = 0;
	int ms = 0;

	if (!get_date_time(&s, &c) || !get_fraction(&s, &ms) ||
	    !get_zone(&s, &offset) || s.n > 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 3339 5.6: not a time like "
				    "2026-11-24T20:20:43Z");
	if (!cs_time_from_civil(&c, &seconds))
		return cs_error_set(err, CS_E_FORMAT,
				    "RFC 3339 5.7: no such date or time of "
				    "day");
	seconds -= offset;
	if (seconds < FIRST || seconds > LAST)
		return cs_error_set(err, CS_E_FORMAT,
				    "the time is outside the years 1 to 9999");
	*ret_ms = seconds * 1000 + ms;
	return true;
}

/* A unit: its name and length; those below a second in nanoseconds. */
static const struct unit {
	const char *name;
	int64_t seconds;
	int64_t ns;
} units[] = {
	/* A name before those it begins with. */
	{"ms", 0, 1000000}, {"m", 60, 0}, {"d", DAY, 0},
	{"h", 3600, 0},	    {"s", 1, 0},  {"\xc2\xb5s", 0, 1000},
	{"us", 0, 1000},    {"ns", 0, 1},
};

/* Take a unit from *s; NULL: none is there. */
static const struct unit *get_unit(struct cs_span *s)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct cs_span name = cs_span_str(units[i].name);

		if (cs_span_starts_with(*s, name)) {
			*s = cs_span_sub(*s, name.n, SIZE_MAX);
			return &units[i];
		}
	}
	return NULL;
}

/* Take the digits of a whole number; false: none, or too many. */
static bool get_number(struct cs_span *s, int64_t *ret_v)
{
	int digit = 0;
	int64_t v = 0;
	size_t n = 0;

	for (; get_digits(s, 1, &digit); n++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*ret_v = v;
	return n > 0;
}

/* Add n units to a sum of seconds and nanoseconds; false: overflow. */
static bool add_unit(int64_t n, const struct unit *unit, int64_t *seconds,
		     int64_t *ns)
{
	int64_t whole, part;

	if (unit->ns == 0)
		return !__builtin_mul_overflow(n, unit->seconds, &whole) &&
		       !__builtin_add_overflow(*seconds, whole, seconds);
	if (__builtin_mul_overflow(n, unit->ns, &part) ||
	    __builtin_add_overflow(*ns, part, ns))
		return false;
	whole = *ns / 1000000000;
	*ns %= 1000000000;
	return !__builtin_add_overflow(*seconds, whole, seconds);
}

bool cs_time_parse_duration(struct cs_span text, int64_t *ret_seconds,
			    struct cs_error *err)
{
	struct cs_span s = text;
	int64_t seconds = 0;
	int64_t ns = 0;

	if (s.n == 0)
		return cs_error_set(err, CS_E_FORMAT, "an empty duration");
	while (s.n > 0) {
		const struct unit *unit;
		int64_t n = 0;

		if (!get_number(&s, &n))
			return cs_error_set(err, CS_E_FORMAT,
					    "not a duration: a whole number "
					    "is expected, as in 90d or 1h30m");
		unit = get_unit(&s);
		if (unit == NULL)
			return cs_error_set(err, CS_E_FORMAT,
					    "not a duration: a number needs "
					    "one of the units d, h, m, s, ms "
					    "and must be whole");
		if (!add_unit(n, unit, &seconds, &ns))
			return cs_error_set(err, CS_E_FORMAT,
					    "the duration is too long");
	}
	if (ns != 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "a duration must be whole seconds");
	*ret_seconds = seconds;
	return true;
}

bool cs_time_parse_age(struct cs_span text, int64_t *ret_seconds,
		       struct cs_error *err)
{
	int64_t years = 0;

	if (text.n < 2 || text.n > 5 || text.p[text.n - 1] != 'y')
		return cs_time_parse_duration(text, ret_seconds, err);
	for (size_t i = 0; i + 1 < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return cs_error_set(err, CS_E_FORMAT,
					    "\"%.*s\" is not an age",
					    CS_SPAN_FMT(text));
		years = years * 10 + (text.p[i] - '0');
	}
	*ret_seconds = years * 366 * 86400;
	return true;
}

void cs_time_duration(int64_t seconds, char ret_text[CS_TIME_TEXT])
{
	const char *sign = seconds < 0 ? "-" : "";
	uint64_t v = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
	uint64_t parts[] = {v / 3600, v / 60 % 60, v % 60};
	size_t n;

	if (v == 0) {
		memcpy(ret_text, "0s", 3);
		return;
	}
	if (v % (uint64_t)DAY == 0) {
		(void)snprintf(ret_text, CS_TIME_TEXT, "%s%llud", sign,
			       (unsigned long long)(v / (uint64_t)DAY));
		return;
	}
	n = (size_t)snprintf(ret_text, CS_TIME_TEXT, "%s", sign);
	for (size_t i = 0; i < 3; i++) {
		if (parts[i] == 0)
			continue;
		n += (size_t)snprintf(ret_text + n, CS_TIME_TEXT - n, "%llu%c",
				      (unsigned long long)parts[i], "hms"[i]);
	}
}
