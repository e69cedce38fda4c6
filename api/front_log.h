/*
 * The log for whoever verifies it: one entry, its proof, the checkpoint, tiles
 * of hashes and of entries (C2SP tlog-tiles). What the checkpoint and tiles
 * say, the reader wrote; it is given on as it is.
 */
#ifndef CS_API_FRONT_LOG_H
#define CS_API_FRONT_LOG_H

#include "api/front_room.h"

bool cs_front_get_audit(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_get_proof(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_get_checkpoint(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_get_tile(struct cs_front *f, struct cs_call *c) CS_MUST_USE;
bool cs_front_get_entries(struct cs_front *f, struct cs_call *c) CS_MUST_USE;

/* A checkpoint or a tile has come. */
void cs_front_reply_octets(struct cs_front *f, const struct cs_wait *w,
			   struct cs_span body);

#endif
