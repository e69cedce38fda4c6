/* Approvals and denials. */
#include <tests/lib/test.h>

#include "tests/lib/front_room.h"

#define REQUEST_PATH "/v1/requests/07000000000000000000000000000000"
#define AB4	     "abababab"
#define AB32	     AB4 AB4 AB4 AB4 AB4 AB4 AB4 AB4

static void an_approval_drives_the_stored_request(CS_UNUSED void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf request = {0};
	struct cs_msg_query q;
	struct cs_msg_request m;
	uint64_t t, ticket;

	open_serving();
	stored(&request);
	t = ask(WEB, CS_HTTP_POST, REQUEST_PATH "/approve",
		"{\"request_sha256\":\"" AB32 "\",\"reason\":\"fine\"}");
	assert_true(cs_msg_query_decode(
		last(&house.reader, CS_MSG_QUERY, &ticket), &q, NULL));
	assert_int_equal(q.kind, CS_QUERY_STORED);
	assert_true(cs_span_equal_str(
		q.params, "{\"id\":\"07000000000000000000000000000000\"}"));
	page(1, cs_buf_span(&request), "");
	assert_true(cs_msg_request_decode(
		last(&house.worker[0], CS_MSG_REQUEST, &ticket), &m, NULL));
	assert_int_equal(m.flags, CS_REQ_KNOWN | CS_REQ_APPROVED);
	assert_int_equal(m.client, 4);
	assert_int_equal(m.approver_client, 3);
	answer(ticket, CS_ANSWER_ISSUED, "");
	/* The request's new state, not a new certificate. */
	assert_reply(t, 200, "\"state\":\"issued\"");
	/* One that was denied before is not approved any more. */
	t = ask(WEB, CS_HTTP_POST, REQUEST_PATH "/approve",
		"{\"request_sha256\":\"" AB32 "\"}");
	page(1, cs_buf_span(&request), "");
	last(&house.worker[0], CS_MSG_REQUEST, &ticket);
	answer(ticket, CS_ANSWER_DENIED, "");
	assert_reply(t, 409, "The request is denied already.");
	t = ask(WEB, CS_HTTP_POST, REQUEST_PATH "/approve",
		"{\"request_sha256\":\"" AB32 "\"}");
	page(0, (struct cs_span){0}, "");
	assert_reply(t, 404, "NOT_FOUND");
	close_house();
}

static void a_denial_goes_to_the_ledger(CS_UNUSED void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf request = {0};
	struct cs_msg_deny m;
	uint64_t t, ticket;

	open_serving();
	stored(&request);
	t = ask(WEB, CS_HTTP_POST, REQUEST_PATH "/deny", NULL);
	page(1, cs_buf_span(&request), "");
	assert_true(cs_msg_deny_decode(
		last(&house.ledger, CS_MSG_DENY, &ticket), &m, NULL));
	assert_int_equal(m.client, 3);
	assert_int_equal(m.id[0], 7);
	answer(ticket, CS_ANSWER_DENIED, "");
	assert_reply(t, 200, "\"state\":\"denied\"");
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_approval_drives_the_stored_request),
		cmocka_unit_test(a_denial_goes_to_the_ledger),
	};

	return cs_test_run("api/front_request", tests);
}
