#include "base/msg.h"

#include <string.h>

#include "base/limits.h"
#include "base/wire.h"

/* The table's words for its last column. */
enum {
	DESCRIPTOR_NO = 0,
	DESCRIPTOR_YES = 1
};

static const struct row {
	unsigned number;
	const char *name;
	enum cs_room from;
	enum cs_room to;
	int descriptor;
} rows[] = {
#define CS_MSG(NAME, name, number, from, to, descriptor)                       \
	{number, #NAME, CS_ROOM_##from, CS_ROOM_##to, DESCRIPTOR_##descriptor},
#include "base/msg.def"
#undef CS_MSG
};

/* The row of a number, or NULL. */
static const struct row *find(unsigned number)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].number == number)
			return &rows[i];
	}
	return NULL;
}

const char *cs_msg_name(unsigned number)
{
	const struct row *row = find(number);

	return row == NULL ? "?" : row->name;
}

bool cs_msg_allowed(unsigned number, enum cs_room from, enum cs_room to)
{
	const struct row *row = find(number);

	return row != NULL && (row->from == from || row->from == CS_ROOM_ANY) &&
	       (row->to == to || row->to == CS_ROOM_ANY);
}

bool cs_msg_carries_descriptor(unsigned number)
{
	const struct row *row = find(number);

	return row != NULL && row->descriptor == DESCRIPTOR_YES;
}

#define PUT(type, field) CS_WIRE_PUT_##type(out, m->field)
#define GET(type, field) CS_WIRE_GET_##type(&r, ret_m->field)

#define CS_WIRE_PUT_u8(out, v)	  cs_wire_put_u8((out), (v));
#define CS_WIRE_PUT_u32(out, v)	  cs_wire_put_u32((out), (v));
#define CS_WIRE_PUT_u64(out, v)	  cs_wire_put_u64((out), (v));
#define CS_WIRE_PUT_i64(out, v)	  cs_wire_put_u64((out), (uint64_t)(v));
#define CS_WIRE_PUT_id(out, v)	  cs_buf_add((out), cs_span_make((v), 16));
#define CS_WIRE_PUT_hash(out, v)  cs_buf_add((out), cs_span_make((v), 32));
#define CS_WIRE_PUT_bytes(out, v) cs_wire_put_bytes((out), (v));

#define CS_WIRE_GET_u8(r, v)	(v) = cs_wire_get_u8(r);
#define CS_WIRE_GET_u32(r, v)	(v) = cs_wire_get_u32(r);
#define CS_WIRE_GET_u64(r, v)	(v) = cs_wire_get_u64(r);
#define CS_WIRE_GET_i64(r, v)	(v) = (int64_t)cs_wire_get_u64(r);
#define CS_WIRE_GET_id(r, v)	cs_wire_get_fixed((r), (v), 16);
#define CS_WIRE_GET_hash(r, v)	cs_wire_get_fixed((r), (v), 32);
#define CS_WIRE_GET_bytes(r, v) (v) = cs_wire_get_bytes(r);

#define CS_MSG(NAME, name, number, from, to, descriptor)                       \
	void cs_msg_##name##_encode(const struct cs_msg_##name *m,             \
				    struct cs_buf *out)                        \
	{                                                                      \
		CS_MSG_FIELDS_##NAME(PUT)                                      \
	}                                                                      \
                                                                               \
	bool cs_msg_##name##_decode(struct cs_span body,                       \
				    struct cs_msg_##name *ret_m,               \
				    struct cs_error *err)                      \
	{                                                                      \
		struct cs_wire_reader r = cs_wire_reader(body);                \
                                                                               \
		CS_MSG_FIELDS_##NAME(GET) return cs_wire_finish(&r, #NAME,     \
								err);          \
	}
#include "base/msg.def"
#undef CS_MSG
