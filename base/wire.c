#include "base/wire.h"

#include <string.h>

/* Append v's n low octets, least significant first. */
static void put_le(struct cs_buf *out, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	cs_buf_add(out, cs_span_make(bytes, n));
}

void cs_wire_put_u8(struct cs_buf *out, uint8_t v)
{
	put_le(out, v, 1);
}

void cs_wire_put_u32(struct cs_buf *out, uint32_t v)
{
	put_le(out, v, 4);
}

void cs_wire_put_u64(struct cs_buf *out, uint64_t v)
{
	put_le(out, v, 8);
}

void cs_wire_put_bytes(struct cs_buf *out, struct cs_span s)
{
	put_le(out, s.n, 4);
	cs_buf_add(out, s);
}

struct cs_wire_reader cs_wire_reader(struct cs_span body)
{
	return (struct cs_wire_reader){.rest = body};
}

/* The next n octets, or the empty span and a sticky failure. */
static struct cs_span take(struct cs_wire_reader *r, size_t n)
{
	struct cs_span s;

	if (r->failed || r->rest.n < n) {
		r->failed = true;
		return cs_span_make(NULL, 0);
	}
	s = cs_span_sub(r->rest, 0, n);
	r->rest = cs_span_sub(r->rest, n, SIZE_MAX);
	return s;
}

/* The next n octets as a number. */
static uint64_t get_le(struct cs_wire_reader *r, size_t n)
{
	struct cs_span s = take(r, n);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v |= (uint64_t)s.p[i] << (8 * i);
	return v;
}

uint8_t cs_wire_get_u8(struct cs_wire_reader *r)
{
	return (uint8_t)get_le(r, 1);
}

uint32_t cs_wire_get_u32(struct cs_wire_reader *r)
{
	return (uint32_t)get_le(r, 4);
}

uint64_t cs_wire_get_u64(struct cs_wire_reader *r)
{
	return get_le(r, 8);
}

struct cs_span cs_wire_get_bytes(struct cs_wire_reader *r)
{
	return take(r, cs_wire_get_u32(r));
}

void cs_wire_get_fixed(struct cs_wire_reader *r, uint8_t *out, size_t n)
{
	struct cs_span s = take(r, n);

	memset(out, 0, n);
	if (s.n == n && n > 0)
		memcpy(out, s.p, n);
}

bool cs_wire_finish(const struct cs_wire_reader *r, const char *what,
		    struct cs_error *err)
{
	if (r->failed)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "%s: the message is too short", what);
	if (r->rest.n > 0)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "%s: %zu octets behind the message", what,
				    r->rest.n);
	return true;
}
