/*
 * A recorded request for who wants to judge it once more: the REQUEST that
 * was judged, and when and under which set that was.
 *
 * It is read in one go over a connection that reads; nothing is judged here.
 * A request that was judged several times (an attempt that was abandoned, an
 * approval) counts as it was judged last; one that only waits for its
 * approval as it was received.
 */
#ifndef CS_STORE_RECORDED_H
#define CS_STORE_RECORDED_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/stored.h"

struct cs_recorded {
	struct cs_stored stored;
	int64_t now_ms; /* what time it was for who judged it */
	uint64_t epoch; /* of the set that judged it; 0: unknown */
	bool has_leaf;
	int64_t leaf;		 /* index of its decision */
	struct cs_span serial;	 /* issued; in the arena */
	struct cs_span approver; /* the client's name; empty: none */
};

/*
 * By id, 16 octets. The encoded REQUEST is appended to `request`; spans are
 * in the arena. *ret_found = false: there is none.
 */
bool cs_recorded_load(struct cs_db *db, struct cs_span id,
		      struct cs_arena *arena, struct cs_buf *request,
		      struct cs_recorded *ret_recorded, bool *ret_found,
		      struct cs_error *err) CS_MUST_USE;

#endif
