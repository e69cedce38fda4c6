/* Clients are added and removed. */
#include <tests/lib/test.h>

#include <string.h>

#include "base/codec.h"
#include "tests/lib/front_room.h"

static void a_token_is_shown_once_and_its_digest_sent(CS_UNUSED void **state)
{
	const struct cs_msg_admin_done done = {.ok = 1,
					       .body = CS_SPAN_LIT("{}")};
	const struct cs_msg_admin_done exists = {
		.code = CS_SPAN_LIT("CLIENT_EXISTS"),
		.detail = CS_SPAN_LIT("gw: exists already")};
	struct cs_msg_client_change m;
	uint64_t t, ticket;
	char token[CS_AUTH_TOKEN_TEXT];
	uint8_t digest[32];
	CS_CLEANUP(cs_buf_done) struct cs_buf hex = {0};
	const char *at;

	open_serving();
	cs_buf_init(&hex, 100);
	t = ask(LOCAL, CS_HTTP_POST, "/v1/clients",
		"{\"name\":\"gw\",\"rights\":[\"submit\"],\"expires\":"
		"\"1d\"}");
	assert_true(cs_msg_client_change_decode(
		last(&house.ledger, CS_MSG_CLIENT_CHANGE, &ticket), &m, NULL));
	assert_int_equal(m.uid, 1000);
	assert_int_equal(m.credential, 1);
	assert_true(cs_link_send_admin_done(house.ledger.link, ticket, &done,
					    NULL));
	turn();
	assert_reply(t, 201, "\"token\":\"cs_");
	at = strstr(reply_to(t)->body, "cs_");
	memcpy(token, at, sizeof(token) - 1);
	token[sizeof(token) - 1] = '\0';
	assert_true(
		cs_hash_sha256(house.hash, cs_span_str(token), digest, NULL));
	cs_codec_hex(cs_span_make(digest, 32), &hex);
	at = (const char *)memmem(m.change.p, m.change.n, cs_buf_str(&hex), 64);
	assert_non_null(at);
	assert_null(memmem(m.change.p, m.change.n, token + 20, 64));
	t = ask(LOCAL, CS_HTTP_POST, "/v1/clients",
		"{\"name\":\"gw\",\"rights\":[\"submit\"]}");
	last(&house.ledger, CS_MSG_CLIENT_CHANGE, &ticket);
	assert_true(cs_link_send_admin_done(house.ledger.link, ticket, &exists,
					    NULL));
	turn();
	assert_reply(t, 409, "gw: exists already");
	t = ask(LOCAL, CS_HTTP_POST, "/v1/clients",
		"{\"name\":\"_x\",\"rights\":[\"fly\"]}");
	assert_reply(t, 400, "name:");
	t = ask(LOCAL, CS_HTTP_DELETE, "/v1/clients/nobody", NULL);
	assert_reply(t, 404, "nobody");
	t = ask(LOCAL, CS_HTTP_DELETE, "/v1/clients/web", NULL);
	last(&house.ledger, CS_MSG_CLIENT_CHANGE, &ticket);
	assert_null(reply_to(t));
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_shown_once_and_its_digest_sent),
	};

	return cs_test_run("api/front_clients", tests);
}
