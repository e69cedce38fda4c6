/* Questions to the reader. */
#include <tests/lib/test.h>

#include "tests/lib/front_room.h"

static void questions_are_limited_to_ones_own(CS_UNUSED void **state)
{
	struct cs_msg_query q;
	uint64_t t, ticket;

	open_serving();
	t = ask(WEB, CS_HTTP_GET, "/v1/certificates/5b00", NULL);
	assert_true(cs_msg_query_decode(
		last(&house.reader, CS_MSG_QUERY, &ticket), &q, NULL));
	assert_int_equal(q.kind, CS_QUERY_CERTIFICATE);
	assert_int_equal(q.client, 3);
	assert_true(cs_span_equal_str(q.params, "{\"serial\":\"5b00\"}"));
	page(1, CS_SPAN_LIT("{\"serial\":\"5b00\"}"), "");
	assert_reply(t, 200, "{\"serial\":\"5b00\"}");
	t = ask(LOCAL, CS_HTTP_GET, "/v1/audit?cursor=x&limit=2", NULL);
	assert_true(cs_msg_query_decode(
		last(&house.reader, CS_MSG_QUERY, &ticket), &q, NULL));
	assert_int_equal(q.client, 0);
	assert_true(cs_span_equal_str(q.params, "{\"cursor\":\"x\",\"limit\":2,"
						"\"order\":\"desc\"}"));
	page(0, (struct cs_span){0}, "BAD_CURSOR");
	assert_reply(t, 400, "a sentence");
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_limited_to_ones_own),
	};

	return cs_test_run("api/front_read", tests);
}
