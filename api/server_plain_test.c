#include <tests/lib/test.h>

#include <string.h>

#include "tests/lib/http_peers.h"

/* Connections without TLS: what they are, and how many there may be. */

#define GET "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

static void answer_one(struct peer *p, struct house *h)
{
	assert_true(peer_send(p, h, GET));
	assert_int_equal(peer_answers(p, h, 1), 1);
}

static void a_peer_without_tls_is_known_as_one(CS_UNUSED void **state)
{
	struct peer plain, tls, local;
	struct house h;

	house_open(&h, cs_http_limits_default());
	peer_plain(&plain, &h);
	answer_one(&plain, &h);
	assert_true(h.peer.is_clear_text);
	assert_false(h.peer.is_local);
	assert_int_equal(strncmp(h.peer.address, "127.0.0.1:", 10), 0);
	assert_true(peer_tls(&tls, &h, NULL));
	answer_one(&tls, &h);
	assert_false(h.peer.is_clear_text);
	peer_local(&local, &h);
	answer_one(&local, &h);
	assert_false(h.peer.is_clear_text);
	peer_close(&plain);
	peer_close(&tls);
	peer_close(&local);
	house_close(&h);
}

static void a_handshake_to_it_is_a_malformed_request(CS_UNUSED void **state)
{
	struct peer p;
	struct house h;

	house_open(&h, cs_http_limits_default());
	peer_plain(&p, &h);
	(void)peer_send_bytes(&p, &h,
			      CS_SPAN_LIT("\x16\x03\x01\x00\x04\x01\x00\x00\x00"
					  "\r\n\r\n"));
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	assert_int_equal(h.requests, 0);
	peer_close(&p);
	house_close(&h);
}

/* Of eight, three: a quarter, and one so that there is always one. */
static void they_are_a_quarter_of_all_at_most(CS_UNUSED void **state)
{
	struct cs_http_limits limits = cs_http_limits_default();
	struct peer plain[5], tls[5];
	struct house h;

	limits.max_connections = 8;
	house_open(&h, limits);
	assert_true(peer_tls(&tls[0], &h, NULL));
	answer_one(&tls[0], &h);
	for (int i = 0; i < 3; i++) {
		peer_plain(&plain[i], &h);
		answer_one(&plain[i], &h);
		house_turn_ms(&h, 5);
	}
	/* The next one takes the place of one of its kind. */
	peer_plain(&plain[3], &h);
	answer_one(&plain[3], &h);
	peer_await_end(&plain[0], &h);
	assert_int_equal(cs_http_server_stats(h.server).dropped, 1);
	/* Where all of them are at work, it is turned away. */
	h.holds = true;
	for (int i = 1; i < 4; i++)
		assert_true(peer_send(&plain[i], &h, GET));
	await_requests(&h, 8);
	peer_plain(&plain[4], &h);
	peer_await_end(&plain[4], &h);
	assert_int_equal(cs_http_server_stats(h.server).over_cap, 1);
	/* And nobody with TLS noticed any of it. */
	h.holds = false;
	for (int i = 1; i < 5; i++) {
		assert_true(peer_tls(&tls[i], &h, NULL));
		answer_one(&tls[i], &h);
	}
	answer_one(&tls[0], &h);
	assert_int_equal(cs_http_server_stats(h.server).open, 8);
	for (int i = 0; i < 5; i++) {
		peer_close(&plain[i]);
		peer_close(&tls[i]);
	}
	house_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_without_tls_is_known_as_one),
		cmocka_unit_test(a_handshake_to_it_is_a_malformed_request),
		cmocka_unit_test(they_are_a_quarter_of_all_at_most),
	};

	return cs_test_run("api/server_plain", tests);
}
