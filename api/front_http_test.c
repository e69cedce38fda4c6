/* Who may call what, and who is told of a refusal. */
#include <tests/lib/test.h>

#include <string.h>

#include "tests/lib/front_room.h"

static void who_it_is_decides(CS_UNUSED void **state)
{
	struct cs_msg_auth_refused m;
	uint64_t t;

	open_serving();
	t = ask(NOBODY, CS_HTTP_GET, "/v1/audit", NULL);
	assert_reply(t, 401, "UNAUTHENTICATED");
	assert_non_null(strstr(reply_to(t)->headers, "WWW-Authenticate"));
	assert_int_equal(house.ledger.n, 0);
	t = ask(GUESSER, CS_HTTP_GET, "/v1/audit", NULL);
	assert_reply(t, 401, "UNAUTHENTICATED");
	assert_true(cs_msg_auth_refused_decode(
		last(&house.ledger, CS_MSG_AUTH_REFUSED, &t), &m, NULL));
	assert_true(cs_span_equal_str(
		m.what, "{\"address\":\"192.0.2.1\",\"code\":"
			"\"UNAUTHENTICATED\",\"path\":\"/v1/audit\"}"));
	t = ask(WEB, CS_HTTP_GET, "/v1/audit", NULL);
	assert_reply(t, 403, "right audit");
	t = ask(WEB, CS_HTTP_GET, "/v1/clients", NULL);
	assert_reply(t, 403, "LOCAL_ONLY");
	t = ask(LOCAL, CS_HTTP_GET, "/v1/clients", NULL);
	assert_reply(t, 200, "\"name\":\"_local\"");
	t = ask(WEB, CS_HTTP_DELETE, "/v1/requests", NULL);
	assert_reply(t, 405, "METHOD_NOT_ALLOWED");
	assert_string_equal(reply_to(t)->headers, "Allow: POST, GET, HEAD\n");
	t = ask(WEB, CS_HTTP_GET, "/v2", NULL);
	assert_reply(t, 404, "NOT_FOUND");
	t = ask(NOBODY, CS_HTTP_GET, "/v1/issuers/default/chain.pem", NULL);
	assert_reply(t, 200, "PEM\n");
	close_house();
}

static void a_right_that_only_the_ledger_misses_is_told_it(
	CS_UNUSED void **state)
{
	const struct cs_msg_admin_done done = {
		.code = CS_SPAN_LIT("FORBIDDEN"),
		.detail = CS_SPAN_LIT("administration")};
	struct cs_msg_auth_refused m;
	uint64_t t, ticket;

	open_serving();
	t = submit();
	(void)last(&house.worker[0], CS_MSG_REQUEST, &ticket);
	answer(ticket, CS_ANSWER_FORBIDDEN, "");
	assert_reply(t, 403, "\"code\"");
	assert_true(cs_msg_auth_refused_decode(
		last(&house.ledger, CS_MSG_AUTH_REFUSED, &ticket), &m, NULL));
	assert_true(cs_span_equal_str(
		m.what, "{\"address\":\"192.0.2.1\",\"client\":\"web\","
			"\"code\":\"FORBIDDEN\"}"));
	/* An administrator's, whose credential was ended meanwhile. */
	house.now_ms += 60000;
	t = ask(LOCAL, CS_HTTP_DELETE, "/v1/clients/web", NULL);
	(void)last(&house.ledger, CS_MSG_CLIENT_CHANGE, &ticket);
	assert_true(cs_link_send_admin_done(house.ledger.link, ticket, &done,
					    NULL));
	turn();
	assert_reply(t, 403, "administration");
	assert_true(cs_msg_auth_refused_decode(
		last(&house.ledger, CS_MSG_AUTH_REFUSED, &ticket), &m, NULL));
	assert_non_null(memmem(m.what.p, m.what.n, "\"uid\":1000", 10));
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_it_is_decides),
		cmocka_unit_test(
			a_right_that_only_the_ledger_misses_is_told_it),
	};

	return cs_test_run("api/front_http", tests);
}
