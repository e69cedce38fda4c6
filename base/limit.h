/*
 * Limits of one decision, as data: the worker says which counters it falls
 * under, the ledger counts inside its transaction, because only there is
 * counting free of races. What else only the ledger can tell or do stands in
 * the same list: whether the key was certified before, and holding a request
 * until a window of time is over.
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
	CS_LIMIT_HOLD = 2,   /* not now: it stays approved, retry later */
	/* Held for window_s seconds; nothing is counted. */
	CS_LIMIT_WINDOW = 3,
	/* Refused when the key is in use for another subject; or the same. */
	CS_LIMIT_KEY_OTHER_SUBJECT = 4,
	CS_LIMIT_KEY_SAME_SUBJECT = 5,
	/* Not in a list: the ledger's own, whatever a policy says. */
	CS_LIMIT_KEY_COMPROMISED = 6
};

struct cs_limit {
	enum cs_limit_disposition disposition;
	uint32_t count;	     /* so many in a window are still allowed */
	uint32_t window_s;   /* > 0; of the two about keys: 0 */
	struct cs_span rule; /* "web/limits.per_name", 1 to 256 octets */
	struct cs_span key;  /* what is counted by; may be empty */
};

/* Rules fit into a name and a path within its document. */
#define CS_MAX_LIMIT_RULE 256

/* Is it one that counts, whose uses are recorded? */
bool cs_limit_counts(const struct cs_limit *limit);

void cs_limit_put(struct cs_buf *out, const struct cs_limit *limit);

/*
 * The next limit of an encoded list: *list moves behind it, spans are
 * borrowed from it. False at the end, and with *ret_bad set when that end is
 * a malformed entry.
 */
bool cs_limit_next(struct cs_span *list, struct cs_limit *ret_limit,
		   bool *ret_bad);

#endif
