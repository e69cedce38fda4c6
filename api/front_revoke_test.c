/* A revocation over HTTP. */
#include <tests/lib/test.h>

#include "tests/lib/front_room.h"

static void a_revocation_goes_to_the_ledger(CS_UNUSED void **state)
{
	const struct cs_msg_admin_done done = {.ok = 1,
					       .body = CS_SPAN_LIT("{}")};
	struct cs_msg_revoke m;
	uint64_t t, ticket;

	open_serving();
	t = ask(WEB, CS_HTTP_POST, "/v1/certificates/5b07/revoke", NULL);
	assert_reply(t, 403, "right revoke");
	t = ask(LOCAL, CS_HTTP_POST, "/v1/certificates/5b07/revoke",
		"{\"reason\":\"certificateHold\"}");
	assert_reply(t, 400, "RFC 5280 5.3.1");
	t = ask(LOCAL, CS_HTTP_POST, "/v1/certificates/5b07/revoke",
		"{\"reason\":\"superseded\",\"message\":\"m\"}");
	assert_true(cs_msg_revoke_decode(
		last(&house.ledger, CS_MSG_REVOKE, &ticket), &m, NULL));
	assert_true(cs_span_equal(m.serial, CS_SPAN_LIT("\x5b\x07")));
	assert_true(m.reason == 4 && m.credential == 1 && m.uid == 1000);
	assert_true(cs_span_equal_str(m.message, "m"));
	assert_null(reply_to(t));
	assert_true(cs_link_send_admin_done(house.ledger.link, ticket, &done,
					    NULL));
	turn();
	assert_reply(t, 200, "{}");
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_revocation_goes_to_the_ledger),
	};

	return cs_test_run("api/front_revoke", tests);
}
