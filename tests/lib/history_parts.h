/* For history.c and history_requests.c only: how both write. */
#ifndef CS_TESTS_LIB_HISTORY_PARTS_H
#define CS_TESTS_LIB_HISTORY_PARTS_H

#include "tests/lib/history.h"

enum {
	HISTORY_CLIENT_LOCAL = 1,
	HISTORY_CLIENT_HOUSE = 2,
	HISTORY_CLIENT_PORTAL = 3,
	HISTORY_ISSUER = 1,
	HISTORY_EPOCH = 1
};

/* ecdsa-with-SHA256, RFC 5758 3.2. */
#define HISTORY_SIG_ALG "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
/* What the digest of the policy set is of. */
#define HISTORY_SET "the set"

/* Run a statement; format: i int64_t, s C string or NULL, b span. */
void history_run(struct cs_history *h, const char *sql, const char *format,
		 ...);
/* 32 octets that only these words give. */
const uint8_t *history_digest(struct cs_history *h, const char *what,
			      uint64_t number, uint8_t out[32]);
/* The leaf of a record; a request's row, or 0. */
void history_leaf(struct cs_history *h, struct cs_leaf_record *r,
		  struct cs_span decision, int64_t request);

#endif
