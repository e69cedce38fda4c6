#include "base/sources.h"

#include "base/codec.h"
#include "base/limits.h"
#include "base/wire.h"

/* Bytes of one source behind its octets: two lengths. */
#define SOURCE_HEAD ((size_t)8)

void cs_sources_encode(const struct cs_sources *sources, struct cs_buf *out)
{
	cs_wire_put_u32(out, (uint32_t)sources->n);
	for (size_t i = 0; i < sources->n; i++) {
		cs_wire_put_bytes(out, sources->items[i].name);
		cs_wire_put_bytes(out, sources->items[i].bytes);
	}
}

bool cs_source_name_is_usable(struct cs_span name)
{
	if (name.n == 0 || name.n > CS_MAX_SOURCE_NAME)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] < 0x20 || name.p[i] == 0x7f)
			return false;
	}
	return cs_codec_is_utf8(name);
}

/* Check source i against the limits and against those before it. */
static bool check(const struct cs_sources *s, size_t i, struct cs_error *err)
{
	const struct cs_source *one = &s->items[i];

	if (!cs_source_name_is_usable(one->name))
		return cs_error_set(err, CS_E_FORMAT,
				    "source %zu has no usable name", i + 1);
	if (one->bytes.n > CS_MAX_POLICY_FILE)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "%.*s: longer than %d bytes",
				    CS_SPAN_FMT(one->name), CS_MAX_POLICY_FILE);
	for (size_t k = 0; k < i; k++) {
		if (cs_span_equal(s->items[k].name, one->name))
			return cs_error_set(err, CS_E_FORMAT,
					    "%.*s: the source is listed twice",
					    CS_SPAN_FMT(one->name));
	}
	return true;
}

bool cs_sources_decode(struct cs_span encoded, struct cs_arena *arena,
		       struct cs_sources *ret_sources, struct cs_error *err)
{
	struct cs_wire_reader r = cs_wire_reader(encoded);
	struct cs_sources s = {.n = cs_wire_get_u32(&r)};
	size_t total = 0;

	if (s.n > CS_MAX_POLICY_FILES)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "sources: more than %d files",
				    CS_MAX_POLICY_FILES);
	if (s.n > encoded.n / SOURCE_HEAD)
		return cs_error_set(err, CS_E_PROTOCOL,
				    "sources: the list is too short");
	s.items = cs_arena_new_array(arena, s.n, sizeof(*s.items));
	if (s.items == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY, "sources: no memory");
	for (size_t i = 0; i < s.n; i++) {
		s.items[i].name = cs_wire_get_bytes(&r);
		s.items[i].bytes = cs_wire_get_bytes(&r);
		if (r.failed)
			break;
		total += s.items[i].bytes.n;
		if (!check(&s, i, err))
			return false;
	}
	if (!cs_wire_finish(&r, "sources", err))
		return false;
	if (total > CS_MAX_POLICY_SET)
		return cs_error_set(err, CS_E_TOO_LARGE,
				    "sources: more than %d bytes in all",
				    CS_MAX_POLICY_SET);
	*ret_sources = s;
	return true;
}
