/*
 * The program's own log: one JSON line an event on a descriptor that is
 * never waited for. What does not fit is dropped and counted; the count is
 * told with the next line that fits. This is not the audit log (store/).
 *
 * Library modules never log; who handles an error logs it, once. No secret,
 * CSR or token is ever an argument here. Text from outside is escaped, and
 * cut at CS_LOG_TEXT bytes, so that a line fits into PIPE_BUF and lines of
 * several processes on one pipe do not mix.
 *
 * A line: {"at":RFC 3339,"code"?,"dropped"?,"event","level","message","pid",
 * "place"?,"room"}.
 */
#ifndef CS_BASE_LOG_H
#define CS_BASE_LOG_H

#include "base/attr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/span.h"

/* Bytes of one message, the NUL included. */
#define CS_LOG_TEXT 1024

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

struct cs_log {
	int fd;		  /* borrowed; set non-blocking by its owner */
	const char *room; /* "front", "ledger", ... */
	enum cs_log_level level;
	struct cs_clock clock;
	uint64_t dropped;      /* lines, since the last one that was written */
	uint64_t dropped_ever; /* the same since the start */
	bool torn;	       /* the last write ended inside a line */
};

/*
 * `event` is a stable word, "client.refused"; the rest is for people. A NULL
 * log, or a level that is not wanted, writes nothing. errno is kept.
 */
void cs_log_write(struct cs_log *log, enum cs_log_level level,
		  const char *event, const char *fmt, ...) CS_PRINTF(4, 5);

/* An error, with its code and place. */
void cs_log_error(struct cs_log *log, const char *event,
		  const struct cs_error *err);

#endif
