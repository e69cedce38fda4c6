/*
 * The program's own log: one JSON line an event on a descriptor that is
 * never waited for. What does not fit is dropped and counted; the count is
 * told with the next line that fits. This is not the audit log (store/).
 *
 * Library modules never log; who handles an error logs it, once. No secret,
 * CSR or token is ever an argument here. Text from outside is escaped as for
 * people (base/text.h), in messages and in fields, and cut, so that a line
 * fits into PIPE_BUF and lines of several processes on one pipe do not mix.
 *
 * Who can cause events can not flood: of one event, so many lines are written
 * in ten seconds as CS_LOG_BURST says; the others are counted, and the count
 * stands in the next line of that event.
 *
 * A line: {"at":RFC 3339,"code"?,"dropped"?,"event","fields"?:{name:text or
 * number},"level","message","pid","place"?,"room","suppressed"?}.
 */
#ifndef CS_BASE_LOG_H
#define CS_BASE_LOG_H

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/span.h"

/* Bytes of one message, the NUL included; also after escaping. */
#define CS_LOG_TEXT 1024
/* Fields of one line, and bytes of one of them after escaping. */
#define CS_LOG_FIELDS	  4
#define CS_LOG_FIELD_TEXT 192
/* Lines of one event within ten seconds, and of one at level debug. */
#define CS_LOG_BURST	   50
#define CS_LOG_BURST_DEBUG 2000
/* Events that are told apart; the program has fewer. */
#define CS_LOG_EVENTS 64

enum cs_log_level {
	CS_LOG_ERROR,
	CS_LOG_WARNING,
	CS_LOG_INFO,
	CS_LOG_DEBUG
};

/* "error", "warning", "info", "debug". */
const char *cs_log_level_name(enum cs_log_level level);
/* False: it is none of them. */
bool cs_log_level_parse(struct cs_span name, enum cs_log_level *ret_level);

/* One more thing to say: a text, or a number where text.p is NULL. */
struct cs_log_field {
	const char *name; /* fields stand in ascending order of names */
	struct cs_span text;
	int64_t number;
};

struct cs_log {
	int fd;		  /* borrowed; set non-blocking by its owner */
	const char *room; /* "front", "ledger", ... */
	enum cs_log_level level;
	struct cs_clock clock;
	uint64_t dropped;      /* lines, since the last one that was written */
	uint64_t dropped_ever; /* the same since the start */
	uint64_t suppressed_ever; /* lines beyond CS_LOG_BURST */
	struct cs_log_event {
		const char *name; /* a literal */
		int64_t since_ms; /* of these ten seconds */
		uint32_t n;	  /* lines in them */
		uint64_t held;	  /* suppressed since the last line */
	} events[CS_LOG_EVENTS];
	bool torn; /* the last write ended inside a line */
};

/*
 * `event` is a stable word, "client.refused"; the rest is for people. A NULL
 * log, or a level that is not wanted, writes nothing. errno is kept.
 */
void cs_log_write(struct cs_log *log, enum cs_log_level level,
		  const char *event, const char *fmt, ...) CS_PRINTF(4, 5);

/* The same with fields. */
void cs_log_fields(struct cs_log *log, enum cs_log_level level,
		   const char *event, const struct cs_log_field *fields,
		   size_t n, const char *fmt, ...) CS_PRINTF(6, 7);

/* An error, with its code and place. */
void cs_log_error(struct cs_log *log, const char *event,
		  const struct cs_error *err);

#endif
