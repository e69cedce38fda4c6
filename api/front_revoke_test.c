/* A revocation over HTTP. */
#include <tests/lib/test.h>

#include "base/limits.h"
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

static void strangers_take_no_place_from_it(CS_UNUSED void **state)
{
	uint64_t t = 0, first;

	open_serving();
	first = ask(NOBODY, CS_HTTP_GET, "/crl/web/0.crl", NULL);
	for (int i = 1; i <= CS_MAX_QUESTIONS; i++)
		t = ask(NOBODY, CS_HTTP_GET, "/crl/web/0.crl", NULL);
	assert_reply(t, 503, "Too many questions");
	assert_null(reply_to(first));
	t = ask(LOCAL, CS_HTTP_POST, "/v1/certificates/5b07/revoke", "{}");
	assert_null(reply_to(t));
	(void)last(&house.ledger, CS_MSG_REVOKE, &t);
	close_house();
	/* Nor do clients from them. */
	open_serving();
	for (int i = 0; i <= CS_MAX_QUESTIONS; i++)
		t = ask(LOCAL, CS_HTTP_GET, "/v1/issuers", NULL);
	assert_reply(t, 503, "Too many questions");
	t = ask(NOBODY, CS_HTTP_GET, "/crl/web/0.crl", NULL);
	assert_null(reply_to(t));
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_revocation_goes_to_the_ledger),
		cmocka_unit_test(strangers_take_no_place_from_it),
	};

	return cs_test_run("api/front_revoke", tests);
}
