/*
 * Limits of one decision, as data: the worker says which counters it falls
 * under, the ledger counts inside its transaction, because only there is
 * counting free of races.
 *
 * Encoding, one entry behind the other: u8 disposition, u32 count, u32
 * window in seconds, rule and key each behind a u32 length (base/wire.h).
 * What counts are attempts that were not abandoned, with the same rule and
 * key, no older than the window.
 */
#ifndef CS_BASE_LIMIT_H
#define CS_BASE_LIMIT_H

#include "base/buf.h"

enum cs_limit_disposition {
	CS_LIMIT_REFUSE = 1, /* terminal: the request is refused */
	CS_LIMIT_HOLD = 2    /* not now: it stays approved, retry later */
};

struct cs_limit {
	enum cs_limit_disposition disposition;
	uint32_t count;	     /* so many in a window are still allowed */
	uint32_t window_s;   /* > 0 */
	struct cs_span rule; /* "web/limits.per_name", 1 to 256 octets */
	struct cs_span key;  /* what is counted by; may be empty */
};

/* Rules fit into a name and a path within its document. */
#define CS_MAX_LIMIT_RULE 256

void cs_limit_put(struct cs_buf *out, const struct cs_limit *limit);

/*
 * The next limit of an encoded list: *list moves behind it, spans are
 * borrowed from it. False at the end, and with *ret_bad set when that end is
 * a malformed entry.
 */
bool cs_limit_next(struct cs_span *list, struct cs_limit *ret_limit,
		   bool *ret_bad);

#endif
