/*
 * Times as text and back, without the C library's calendar: seconds or
 * milliseconds since 1970-01-01T00:00:00Z, proleptic Gregorian, no leap
 * seconds, years 0001 to 9999.
 *
 *   RFC 3339      2026-11-24T20:20:43.123Z (always UTC when written; offsets
 *                 are accepted when read)
 *   ASN.1         UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280
 *                 4.1.2.5), always with seconds and Z
 *   durations     Go's units and d: 90d, 24h, 1h30m, 15m, 30s, 1000ms; a sum
 *                 of whole non-negative numbers with units (ns us ms s m h d)
 */
#ifndef CS_BASE_TIME_H
#define CS_BASE_TIME_H

#include "base/attr.h"
#include "base/error.h"
#include "base/span.h"

struct cs_civil {
	int year; /* 1..9999 */
	int month, day, hour, minute, second;
};

/* False outside the years 1..9999. */
bool cs_time_to_civil(int64_t seconds, struct cs_civil *ret_civil) CS_MUST_USE;
/* False unless every field is in its range. */
bool cs_time_from_civil(const struct cs_civil *civil,
			int64_t *ret_seconds) CS_MUST_USE;

/* Bytes of the longest text below, NUL included. */
#define CS_TIME_TEXT 32

/*
 * RFC 3339 UTC, with or without milliseconds. NUL-terminated. A time outside
 * the years 1..9999 is written as the nearest one inside.
 */
void cs_time_rfc3339(int64_t seconds, char ret_text[CS_TIME_TEXT]);
void cs_time_rfc3339_ms(int64_t ms, char ret_text[CS_TIME_TEXT]);

/*
 * Reads RFC 3339 (5.6); fractions beyond milliseconds are cut. A 60th second
 * is refused: this calendar has none.
 */
bool cs_time_parse_rfc3339(struct cs_span text, int64_t *ret_ms,
			   struct cs_error *err) CS_MUST_USE;

/* Seconds; a fraction of a second or an overflow is an error. */
bool cs_time_parse_duration(struct cs_span text, int64_t *ret_seconds,
			    struct cs_error *err) CS_MUST_USE;

/* An age: a duration, or years of 366 days, as 2y; no year is longer. */
bool cs_time_parse_age(struct cs_span text, int64_t *ret_seconds,
		       struct cs_error *err) CS_MUST_USE;

/*
 * "90d", "36h", "1h30m", "0s": whole days as days, everything else as hours,
 * minutes and seconds, without the parts that are zero; "-" in front of a
 * negative one. What is not negative reads back as it was.
 */
void cs_time_duration(int64_t seconds, char ret_text[CS_TIME_TEXT]);

#endif
