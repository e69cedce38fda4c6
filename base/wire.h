/*
 * The scalar encoding of messages: little-endian numbers, and octets behind
 * a u32 length. The writer is a struct cs_buf (sticky errors); the reader is
 * sticky too: after a short read every further one gives zero or the empty
 * span, and cs_wire_finish() says what was wrong.
 */
#ifndef CS_BASE_WIRE_H
#define CS_BASE_WIRE_H

#include "base/buf.h"

void cs_wire_put_u8(struct cs_buf *out, uint8_t v);
void cs_wire_put_u32(struct cs_buf *out, uint32_t v);
void cs_wire_put_u64(struct cs_buf *out, uint64_t v);
void cs_wire_put_bytes(struct cs_buf *out, struct cs_span s);

struct cs_wire_reader {
	struct cs_span rest;
	bool failed;
};

struct cs_wire_reader cs_wire_reader(struct cs_span body);
uint8_t cs_wire_get_u8(struct cs_wire_reader *r);
uint32_t cs_wire_get_u32(struct cs_wire_reader *r);
uint64_t cs_wire_get_u64(struct cs_wire_reader *r);
/* Borrowed from the body. */
struct cs_span cs_wire_get_bytes(struct cs_wire_reader *r);
/* Copies n octets to out; zeros when the body is too short. */
void cs_wire_get_fixed(struct cs_wire_reader *r, uint8_t *out, size_t n);

/* Was everything there, and nothing left? `what` names the message. */
bool cs_wire_finish(const struct cs_wire_reader *r, const char *what,
		    struct cs_error *err) CS_MUST_USE;

#endif
