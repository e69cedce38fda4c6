#include <tests/lib/test.h>

#include <string.h>

#include "base/msg.h"

/* What the fields of one message are filled with, and compared by. */
struct filler {
	uint8_t next;
	uint8_t octets[300];
};

static uint8_t octet(struct filler *f)
{
	return f->next += 37;
}

static uint64_t number(struct filler *f)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | octet(f);
	return v;
}

/* Spans of different lengths, the empty one included. */
static struct cs_span span(struct filler *f)
{
	return cs_span_make(f->octets, octet(f) % 7 == 0 ? 0 : octet(f));
}

#define FILL(type, field) FILL_##type(m.field)
#define FILL_u8(v)	  (v) = octet(f);
#define FILL_u32(v)	  (v) = (uint32_t)number(f);
#define FILL_u64(v)	  (v) = number(f);
#define FILL_i64(v)	  (v) = (int64_t)number(f);
#define FILL_id(v)	  memset((v), octet(f), 16);
#define FILL_hash(v)	  memset((v), octet(f), 32);
#define FILL_bytes(v)	  (v) = span(f);

#define SAME(type, field) SAME_##type(m.field, back.field)
#define SAME_u8(a, b)	  assert_int_equal((a), (b));
#define SAME_u32(a, b)	  assert_int_equal((a), (b));
#define SAME_u64(a, b)	  assert_true((a) == (b));
#define SAME_i64(a, b)	  assert_true((a) == (b));
#define SAME_id(a, b)	  assert_memory_equal((a), (b), 16);
#define SAME_hash(a, b)	  assert_memory_equal((a), (b), 32);
#define SAME_bytes(a, b)  assert_true(cs_span_equal((a), (b)));

/*
 * One function for each message: it reads back as it was, and neither a
 * truncation nor an octet behind it is taken.
 */
#define CS_MSG(NAME, name, number, from, to, descriptor)                       \
	static void check_##name(struct filler *f)                             \
	{                                                                      \
		CS_CLEANUP(cs_buf_done) struct cs_buf out;                     \
		struct cs_msg_##name m = {0};                                  \
		struct cs_msg_##name back = {0};                               \
		struct cs_error err = {0};                                     \
		size_t n;                                                      \
                                                                               \
		cs_buf_init(&out, 100000);                                     \
		CS_MSG_FIELDS_##NAME(FILL) cs_msg_##name##_encode(&m, &out);   \
		n = out.n;                                                     \
		assert_true(cs_msg_##name##_decode(cs_buf_span(&out), &back,   \
						   &err));                     \
		CS_MSG_FIELDS_##NAME(SAME) for (size_t i = 0; i < n; i++)      \
		{                                                              \
			assert_false(cs_msg_##name##_decode(                   \
				cs_span_sub(cs_buf_span(&out), 0, i), &back,   \
				&err));                                        \
			assert_int_equal(err.code, CS_E_PROTOCOL);             \
			assert_non_null(strstr(err.text, #NAME));              \
		}                                                              \
		cs_buf_add_byte(&out, 0);                                      \
		assert_false(cs_msg_##name##_decode(cs_buf_span(&out), &back,  \
						    &err));                    \
		assert_int_equal(err.code, CS_E_PROTOCOL);                     \
	}
#include "base/msg.def"
#undef CS_MSG

static void every_message_reads_back_and_only_whole(void **state)
{
	struct filler f = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(f.octets); i++)
		f.octets[i] = (uint8_t)(i * 7);
	for (int round = 0; round < 8; round++) {
#define CS_MSG(NAME, name, number, from, to, descriptor) check_##name(&f);
#include "base/msg.def"
#undef CS_MSG
	}
}

static void numbers_are_unique_and_named(void **state)
{
	static const unsigned numbers[] = {
#define CS_MSG(NAME, name, number, from, to, descriptor) (number),
#include "base/msg.def"
#undef CS_MSG
	};
	const size_t n = sizeof(numbers) / sizeof(numbers[0]);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_string_not_equal(cs_msg_name(numbers[i]), "?");
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(numbers[i], numbers[k]);
	}
	assert_string_equal(cs_msg_name(0), "?");
	assert_string_equal(cs_msg_name(9999), "?");
	assert_string_equal(cs_msg_name(CS_MSG_ANSWER), "ANSWER");
}

static void travel_only_as_the_table_says(void **state)
{
	(void)state;
	assert_true(cs_msg_allowed(CS_MSG_SIGN, CS_ROOM_L, CS_ROOM_S));
	assert_false(cs_msg_allowed(CS_MSG_SIGN, CS_ROOM_S, CS_ROOM_L));
	assert_false(cs_msg_allowed(CS_MSG_SIGN, CS_ROOM_W, CS_ROOM_S));
	assert_false(cs_msg_allowed(CS_MSG_SIGN, CS_ROOM_F, CS_ROOM_S));
	assert_true(cs_msg_allowed(CS_MSG_READY, CS_ROOM_W, CS_ROOM_P));
	assert_true(cs_msg_allowed(CS_MSG_STOP, CS_ROOM_P, CS_ROOM_S));
	assert_false(cs_msg_allowed(CS_MSG_STOP, CS_ROOM_F, CS_ROOM_S));
	assert_false(cs_msg_allowed(9999, CS_ROOM_P, CS_ROOM_F));
	assert_true(cs_msg_carries_descriptor(CS_MSG_WORKER_LINK));
	assert_false(cs_msg_carries_descriptor(CS_MSG_REQUEST));
	assert_false(cs_msg_carries_descriptor(9999));
}

static void a_message_never_outgrows_its_buffer(void **state)
{
	struct cs_msg_sign m = {.seq = 1, .tbs = CS_SPAN_LIT("0123456789")};

	(void)state;
	for (size_t max = 0; max <= 26; max++) {
		CS_CLEANUP(cs_buf_done) struct cs_buf out;

		cs_buf_init(&out, max);
		cs_msg_sign_encode(&m, &out);
		assert_int_equal(cs_buf_ok(&out), max >= 26);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_reads_back_and_only_whole),
		cmocka_unit_test(numbers_are_unique_and_named),
		cmocka_unit_test(travel_only_as_the_table_says),
		cmocka_unit_test(a_message_never_outgrows_its_buffer),
	};

	return cs_test_run("base/msg", tests);
}
