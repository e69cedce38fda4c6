#include <tests/lib/test.h>

#include <openssl/err.h>

#include "tests/lib/ocsp_maker.h"
#include "tests/lib/oom.h"

/* A response is written whole or not at all, whichever allocation fails. */
static struct ocsp_maker maker;
static struct cs_ocsp_responder *responder;

static bool write_one(void *ctx, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	const uint8_t id[] = {0x30, 0x00};
	const struct cs_ocsp_single single = {.id = {id, sizeof(id)},
					      .status = CS_OCSP_GOOD};
	const struct cs_ocsp_answer answer = {.singles = &single,
					      .singles_n = 1,
					      .next_update_s = 3600,
					      .nonce = {id, sizeof(id)}};

	(void)ctx;
	cs_buf_init(&out, CS_MAX_OCSP_RESPONSE);
	return cs_ocsp_response_write(&answer, responder, &out, err);
}

static void a_response_without_memory_is_none(CS_UNUSED void **state)
{
	oom_sweep(write_one, NULL);
}

static int set_up(CS_UNUSED void **state)
{
	ocsp_maker_init(&maker, OCSP_MAKER_GOOD);
	responder = ocsp_maker_responder(&maker);
	/* What OpenSSL fetches once stays. */
	assert_true(write_one(NULL, NULL));
	ERR_clear_error();
	return 0;
}

static int tear_down(CS_UNUSED void **state)
{
	cs_ocsp_responder_free(responder);
	ocsp_maker_done(&maker);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_response_without_memory_is_none),
	};

	if (!oom_init())
		return 1;
	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("store/ocsp_oom", tests, set_up,
					    tear_down));
}
