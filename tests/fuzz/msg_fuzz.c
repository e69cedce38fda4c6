/* Messages: what a decoder accepts, the encoder writes again byte for byte. */
#include "base/limits.h"
#include "base/msg.h"
#include "tests/fuzz/fuzz.h"

#define CS_MSG(NAME, name, number, from, to, descriptor)                       \
	static void try_##name(struct cs_span body, struct cs_buf *out)        \
	{                                                                      \
		struct cs_msg_##name m;                                        \
                                                                               \
		if (!cs_msg_##name##_decode(body, &m, NULL))                   \
			return;                                                \
		cs_msg_##name##_encode(&m, out);                               \
		FUZZ_CHECK(cs_span_equal(cs_buf_span(out), body));             \
	}
#include "base/msg.def"
#undef CS_MSG

/* The first byte says which message. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cs_span body = cs_span_sub(cs_span_make(data, size), 1, size);
	struct cs_buf out;

	if (size == 0)
		return 0;
	cs_buf_init(&out, CS_MAX_MESSAGE);
	switch (data[0]) {
#define CS_MSG(NAME, name, number, from, to, descriptor)                       \
	case (number):                                                         \
		try_##name(body, &out);                                        \
		break;
#include "base/msg.def"
#undef CS_MSG
	default:
		break;
	}
	cs_buf_done(&out);
	return 0;
}
