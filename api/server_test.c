#include <tests/lib/test.h>

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include <tests/lib/http_peers.h>

#define H    "Host: localhost\r\n"
#define GET  "GET /a HTTP/1.1\r\n" H "\r\n"
#define POST "POST /b HTTP/1.1\r\n" H

static void answers_a_local_peer_and_knows_who_it_is(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	peer_local(&p, &h);
	peer_send(&p, &h, POST "Content-Length: 3\r\n\r\nabc");
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	assert_true(peer_got(&p, "HTTP/1.1 200 OK\r\nDate: "));
	assert_true(peer_got(&p, "Content-Length: 5\r\n\r\nhello"));
	assert_true(peer_got(&p, "Cache-Control: no-store\r\n"));
	assert_false(peer_got(&p, "Connection: close"));
	assert_true(h.peer.is_local);
	assert_int_equal(h.peer.uid, getuid());
	assert_int_equal(h.peer.gid, getgid());
	assert_int_equal(h.peer.pid, getpid());
	assert_string_equal(h.peer.address, "local");
	assert_string_equal(cs_buf_str(&h.path_seen), " /b");
	assert_string_equal(cs_buf_str(&h.body_seen), "abc");
	assert_false(p.ended);
	peer_close(&p);
	house_close(&h);
}

static void keeps_a_connection_and_its_id_but_not_the_ticket(void **state)
{
	struct house h;
	struct peer p;
	uint64_t connection;

	(void)state;
	house_open(&h, cs_http_limits_default());
	peer_local(&p, &h);
	peer_send(&p, &h, GET);
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	connection = h.connection;
	peer_send(&p, &h, GET);
	assert_int_equal(peer_answers(&p, &h, 2), 2);
	assert_int_equal(h.connection, connection);
	assert_true(h.held[0] != h.held[1]);
	peer_close(&p);
	peer_local(&p, &h);
	peer_send(&p, &h, GET);
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	assert_true(h.connection != connection);
	peer_close(&p);
	house_close(&h);
}

static void reads_a_request_byte_by_byte(void **state)
{
	static const char text[] = POST "Content-Length: 3\r\n\r\nabc" GET;
	struct house h;
	struct peer p;
	size_t i;

	(void)state;
	house_open(&h, cs_http_limits_default());
	peer_local(&p, &h);
	for (i = 0; i < sizeof(text) - 1; i++)
		peer_send_bytes(&p, &h, cs_span_make(text + i, 1));
	assert_int_equal(peer_answers(&p, &h, 2), 2);
	assert_string_equal(cs_buf_str(&h.path_seen), " /b /a");
	peer_close(&p);
	house_close(&h);
}

static void reads_the_largest_head_and_body(void **state)
{
	struct house h;
	struct peer p;
	char head[CS_MAX_HTTP_HEAD + 1];
	char *body = cs_mem_new(CS_MAX_HTTP_BODY);
	int n;

	(void)state;
	n = snprintf(head, sizeof(head),
		     POST "Content-Length: %d\r\nX: ", CS_MAX_HTTP_BODY);
	memset(head + n, 'x', sizeof(head) - 1 - (size_t)n);
	memcpy(head + sizeof(head) - 5, "\r\n\r\n", 4);
	memset(body, 'b', CS_MAX_HTTP_BODY);
	house_open(&h, cs_http_limits_default());
	peer_local(&p, &h);
	peer_send_bytes(&p, &h, cs_span_make(head, sizeof(head) - 1));
	peer_send_bytes(&p, &h, cs_span_make(body, CS_MAX_HTTP_BODY));
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	assert_int_equal(h.body_seen.n, CS_MAX_HTTP_BODY);
	assert_memory_equal(h.body_seen.p, body, CS_MAX_HTTP_BODY);
	peer_close(&p);
	house_close(&h);
	cs_mem_free(body);
}

static void answers_100_pipelined_requests_in_order(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf all;
	CS_CLEANUP(cs_buf_done) struct cs_buf paths;
	struct house h;
	struct peer p;
	int i;

	(void)state;
	cs_buf_init(&all, 65536);
	cs_buf_init(&paths, 65536);
	for (i = 0; i < 100; i++) {
		cs_buf_addf(&all, "GET /%d HTTP/1.1\r\n" H "\r\n", i);
		cs_buf_addf(&paths, " /%d", i);
	}
	house_open(&h, cs_http_limits_default());
	peer_local(&p, &h);
	peer_send_bytes(&p, &h, cs_buf_span(&all));
	assert_int_equal(peer_answers(&p, &h, 100), 100);
	assert_string_equal(cs_buf_str(&h.path_seen), cs_buf_str(&paths));
	peer_close(&p);
	house_close(&h);
}

static void parses_the_next_request_only_after_the_reply(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	h.holds = true;
	peer_local(&p, &h);
	peer_send(&p, &h, GET GET);
	await_requests(&h, 1);
	peer_send(&p, &h, GET);
	house_turn_ms(&h, 20);
	assert_int_equal(h.requests, 1);
	house_reply(&h, h.held[0], "one");
	await_requests(&h, 2);
	house_turn_ms(&h, 20);
	assert_int_equal(h.requests, 2);
	house_reply(&h, h.held[1], "two");
	await_requests(&h, 3);
	house_reply(&h, h.held[2], "three");
	assert_int_equal(peer_answers(&p, &h, 3), 3);
	assert_int_equal(h.gone, 0);
	peer_close(&p);
	house_close(&h);
}

static void answers_a_peer_that_has_closed_its_half(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	h.holds = true;
	peer_local(&p, &h);
	peer_send(&p, &h, GET);
	assert_int_equal(shutdown(p.fd, SHUT_WR), 0);
	await_requests(&h, 1);
	house_turn_ms(&h, 20);
	assert_int_equal(h.gone, 0);
	house_reply(&h, h.held[0], "late");
	peer_await_end(&p, &h);
	assert_true(p.proper);
	assert_true(peer_got(&p, "\r\n\r\nlate"));
	peer_close(&p);
	house_close(&h);
}

static void tells_the_owner_when_a_peer_is_gone(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	h.holds = true;
	peer_local(&p, &h);
	peer_send(&p, &h, GET);
	await_requests(&h, 1);
	peer_close(&p);
	house_turn_ms(&h, 20);
	assert_int_equal(h.gone, 1);
	assert_int_equal(h.last_gone, h.held[0]);
	house_reply(&h, h.held[0], "to nobody");
	house_turn_ms(&h, 20);
	assert_int_equal(h.gone, 1);
	assert_int_equal(cs_http_server_stats(h.server).open, 0);
	house_close(&h);
}

static void ignores_a_second_reply_and_a_made_up_ticket(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	h.holds = true;
	peer_local(&p, &h);
	peer_send(&p, &h, GET);
	await_requests(&h, 1);
	house_reply(&h, 0, "x");
	house_reply(&h, h.held[0] + 1, "x");
	house_reply(&h, UINT64_MAX, "x");
	house_reply(&h, h.held[0], "one");
	house_reply(&h, h.held[0], "two");
	peer_send(&p, &h, GET);
	await_requests(&h, 2);
	house_reply(&h, h.held[0], "three");
	house_reply(&h, h.held[1], "four");
	assert_int_equal(peer_answers(&p, &h, 2), 2);
	assert_true(peer_got(&p, "\r\n\r\none"));
	assert_true(peer_got(&p, "\r\n\r\nfour"));
	assert_false(peer_got(&p, "two"));
	assert_false(peer_got(&p, "three"));
	peer_close(&p);
	house_close(&h);
}

static void cuts_a_head_that_dribbles(void **state)
{
	struct house h;
	struct peer p;
	int i;

	(void)state;
	house_open(&h, quick_limits());
	peer_local(&p, &h);
	peer_send(&p, &h, "GET /a HTTP/1.1\r\nX: ");
	for (i = 0; i < 12 && peer_send(&p, &h, "x"); i++)
		house_turn_ms(&h, 30);
	peer_await_end(&p, &h);
	assert_true(peer_got(&p, "HTTP/1.1 408 "));
	assert_true(peer_got(&p, "Connection: close\r\n"));
	assert_true(peer_got(&p, "\"code\":\"REQUEST_TIMEOUT\""));
	assert_int_equal(h.requests, 0);
	assert_int_equal(cs_http_server_stats(h.server).timed_out, 1);
	peer_close(&p);
	house_close(&h);
}

static void cuts_a_body_that_dribbles(void **state)
{
	struct house h;
	struct peer p;
	int i;

	(void)state;
	house_open(&h, quick_limits());
	peer_local(&p, &h);
	peer_send(&p, &h, POST "Content-Length: 1000\r\n\r\n");
	for (i = 0; i < 20 && peer_send(&p, &h, "x"); i++)
		house_turn_ms(&h, 30);
	peer_await_end(&p, &h);
	assert_true(peer_got(&p, "HTTP/1.1 408 "));
	assert_int_equal(h.requests, 0);
	peer_close(&p);
	house_close(&h);
}

static void closes_silent_peers_without_a_word(void **state)
{
	struct house h;
	struct peer fresh;
	struct peer idle;

	(void)state;
	house_open(&h, quick_limits());
	peer_local(&fresh, &h);
	peer_local(&idle, &h);
	peer_send(&idle, &h, GET);
	assert_int_equal(peer_answers(&idle, &h, 1), 1);
	peer_await_end(&fresh, &h);
	peer_await_end(&idle, &h);
	assert_true(fresh.proper && idle.proper);
	assert_int_equal(fresh.got.n, 0);
	assert_int_equal(peer_answers(&idle, &h, 2), 1);
	peer_close(&fresh);
	peer_close(&idle);
	house_close(&h);
}

static void cuts_a_peer_that_does_not_read_its_answer(void **state)
{
	struct house h;
	struct peer p;
	void *body = cs_mem_new(CS_MAX_HTTP_ANSWER);

	(void)state;
	house_open(&h, quick_limits());
	h.answer.body = cs_span_make(body, CS_MAX_HTTP_ANSWER);
	peer_local(&p, &h);
	peer_send(&p, &h, GET GET GET);
	house_turn_ms(&h, 400);
	assert_int_equal(cs_http_server_stats(h.server).open, 0);
	assert_int_equal(h.requests, 1);
	assert_int_equal(h.gone, 0);
	peer_close(&p);
	house_close(&h);
	cs_mem_free(body);
}

static void sends_the_largest_answer_and_no_larger(void **state)
{
	struct house h;
	struct peer p;
	void *body = cs_mem_new(CS_MAX_HTTP_ANSWER + 1);

	(void)state;
	memset(body, 'x', CS_MAX_HTTP_ANSWER + 1);
	house_open(&h, cs_http_limits_default());
	h.answer.body = cs_span_make(body, CS_MAX_HTTP_ANSWER);
	peer_local(&p, &h);
	peer_send(&p, &h, GET);
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	assert_true(p.got.n > CS_MAX_HTTP_ANSWER);
	h.answer.body.n++;
	cs_buf_reset(&p.got);
	peer_send(&p, &h, GET);
	peer_await_end(&p, &h);
	assert_true(peer_got(&p, "HTTP/1.1 500 "));
	peer_close(&p);
	house_close(&h);
	cs_mem_free(body);
}

static void lets_no_header_of_the_owner_break_the_head(void **state)
{
	static const struct cs_http_header bad = {
		"Location", {(const uint8_t *)"/a\r\nX: y", 8}};
	static const struct cs_http_header good = {
		"Location", {(const uint8_t *)"/v1/requests/1", 14}};
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	h.answer.headers = &good;
	h.answer.headers_n = 1;
	peer_local(&p, &h);
	peer_send(&p, &h, GET);
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	assert_true(peer_got(&p, "\r\nLocation: /v1/requests/1\r\n"));
	h.answer.headers = &bad;
	cs_buf_reset(&p.got);
	peer_send(&p, &h, GET);
	peer_await_end(&p, &h);
	assert_true(peer_got(&p, "HTTP/1.1 500 "));
	assert_false(peer_got(&p, "X: y"));
	assert_false(peer_got(&p, "hello"));
	peer_close(&p);
	house_close(&h);
}

static void leaves_the_body_out_for_head_and_204(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	peer_local(&p, &h);
	peer_send(&p, &h, "HEAD / HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
	peer_await_end(&p, &h);
	assert_int_equal(h.method, CS_HTTP_HEAD);
	assert_true(peer_got(&p, "Content-Length: 5\r\n\r\n"));
	assert_false(peer_got(&p, "hello"));
	peer_close(&p);
	h.answer = (struct cs_http_answer){.status = 204};
	peer_local(&p, &h);
	peer_send(&p, &h, GET);
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	assert_true(peer_got(&p, "HTTP/1.1 204 No Content\r\n"));
	assert_false(peer_got(&p, "Content-Length"));
	peer_close(&p);
	house_close(&h);
}

/* Send, and expect this status, an end, and nothing at the owner. */
static void expect_refusal(const char *text, const char *status)
{
	struct house h;
	struct peer p;

	house_open(&h, cs_http_limits_default());
	peer_local(&p, &h);
	peer_send(&p, &h, text);
	peer_await_end(&p, &h);
	assert_true(p.proper);
	assert_true(peer_got(&p, status));
	assert_true(peer_got(&p, "Connection: close\r\n"));
	assert_true(peer_got(&p, "Content-Type: application/problem+json\r\n"));
	assert_int_equal(peer_answers(&p, &h, 2), 1);
	assert_int_equal(h.requests, 0);
	peer_close(&p);
	/* The next one is served as if nothing had been. */
	peer_local(&p, &h);
	peer_send(&p, &h, GET);
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	assert_int_equal(cs_http_server_stats(h.server).refused, 1);
	peer_close(&p);
	house_close(&h);
}

static void refuses_and_parses_nothing_behind_a_refusal(void **state)
{
	(void)state;
	expect_refusal("GET /a HTTP/1.1\n" H "\r\n" GET GET, "HTTP/1.1 400 ");
	expect_refusal(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET,
		       "HTTP/1.1 501 ");
	expect_refusal(POST "Content-Length: 99999\r\n\r\n" GET,
		       "HTTP/1.1 413 ");
	expect_refusal("GET /%61 HTTP/1.1\r\n" H "\r\n" GET, "HTTP/1.1 404 ");
	expect_refusal(POST "\r\n" GET, "HTTP/1.1 411 ");
	expect_refusal("BREW / HTTP/1.1\r\n" H "\r\n", "HTTP/1.1 501 ");
	expect_refusal("GET / HTTP/3.0\r\n" H "\r\n", "HTTP/1.1 505 ");
	expect_refusal(POST "Expect: x\r\n\r\n", "HTTP/1.1 417 ");
}

static void refuses_a_client_hello_on_the_unix_socket(void **state)
{
	(void)state;
	expect_refusal("\x16\x03\x01\x02", "HTTP/1.1 400 ");
}

static void refuses_an_endless_line_without_keeping_it(void **state)
{
	struct house h;
	struct peer p;
	char *text = cs_mem_new(1024 * 1024);

	(void)state;
	memset(text, 'a', 1024 * 1024);
	house_open(&h, cs_http_limits_default());
	peer_local(&p, &h);
	peer_send(&p, &h, "GET / HTTP/1.1\r\n");
	peer_send_bytes(&p, &h, cs_span_make(text, 1024 * 1024));
	peer_await_end(&p, &h);
	assert_int_equal(h.requests, 0);
	house_turn_ms(&h, 10);
	assert_int_equal(cs_http_server_stats(h.server).open, 0);
	peer_close(&p);
	house_close(&h);
	cs_mem_free(text);
}

static void refuses_an_early_end_of_the_body(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	peer_local(&p, &h);
	peer_send(&p, &h, POST "Content-Length: 5\r\n\r\nhell");
	assert_int_equal(shutdown(p.fd, SHUT_WR), 0);
	peer_await_end(&p, &h);
	assert_int_equal(h.requests, 0);
	peer_close(&p);
	house_close(&h);
}

static void asks_for_an_expected_body_once(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	peer_local(&p, &h);
	peer_send(&p, &h,
		  POST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	house_turn_ms(&h, 10);
	assert_int_equal(peer_answers(&p, &h, 0), 0);
	peer_send(&p, &h, "abc");
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	assert_true(cs_span_starts_with(
		cs_buf_span(&p.got),
		CS_SPAN_LIT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")));
	/* It came with its body: nothing to ask for. */
	cs_buf_reset(&p.got);
	peer_send(&p, &h,
		  POST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	assert_false(peer_got(&p, "100 Continue"));
	peer_close(&p);
	house_close(&h);
}

static void does_not_ask_for_a_body_that_is_too_large(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, cs_http_limits_default());
	peer_local(&p, &h);
	peer_send(&p, &h,
		  POST "Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n");
	peer_await_end(&p, &h);
	assert_true(peer_got(&p, "HTTP/1.1 413 "));
	assert_false(peer_got(&p, "100 Continue"));
	peer_close(&p);
	house_close(&h);
}

static void closes_after_http_1_0_and_after_close(void **state)
{
	static const char *const texts[] = {
		"GET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n" GET,
	};
	struct house h;
	struct peer p;
	size_t i;

	(void)state;
	house_open(&h, cs_http_limits_default());
	for (i = 0; i < 3; i++) {
		peer_local(&p, &h);
		peer_send(&p, &h, texts[i]);
		peer_await_end(&p, &h);
		assert_true(p.proper);
		assert_int_equal(peer_answers(&p, &h, 2), 1);
		assert_true(peer_got(&p, "Connection: close\r\n"));
		peer_close(&p);
	}
	assert_int_equal(h.requests, 3);
	house_close(&h);
}

static void ends_a_connection_after_its_share_of_requests(void **state)
{
	struct cs_http_limits limits = cs_http_limits_default();
	struct house h;
	struct peer p;

	(void)state;
	limits.max_requests = 3;
	house_open(&h, limits);
	peer_local(&p, &h);
	peer_send(&p, &h, GET GET);
	assert_int_equal(peer_answers(&p, &h, 2), 2);
	assert_false(peer_got(&p, "Connection: close"));
	peer_send(&p, &h, GET GET);
	peer_await_end(&p, &h);
	assert_int_equal(peer_answers(&p, &h, 4), 3);
	assert_true(peer_got(&p, "Connection: close"));
	peer_close(&p);
	house_close(&h);
}

static void limits_the_connections_of_one_address(void **state)
{
	struct cs_http_limits limits = cs_http_limits_default();
	struct house h;
	struct peer p[3];
	struct peer local;

	(void)state;
	limits.max_per_address = 2;
	house_open(&h, limits);
	assert_true(peer_tls(&p[0], &h, NULL));
	assert_true(peer_tls(&p[1], &h, NULL));
	assert_false(peer_tls(&p[2], &h, NULL));
	assert_int_equal(cs_http_server_stats(h.server).over_address_cap, 1);
	/* The Unix socket has no address. */
	peer_local(&local, &h);
	peer_send(&local, &h, GET);
	assert_int_equal(peer_answers(&local, &h, 1), 1);
	/* One goes, one may come. */
	peer_close(&p[0]);
	peer_close(&p[2]);
	house_turn_ms(&h, 10);
	assert_true(peer_tls(&p[2], &h, NULL));
	peer_close(&p[1]);
	peer_close(&p[2]);
	peer_close(&local);
	house_close(&h);
}

static void makes_room_by_dropping_the_oldest_idle_peer(void **state)
{
	struct cs_http_limits limits = cs_http_limits_default();
	struct house h;
	struct peer p[4];
	int i;

	(void)state;
	limits.max_connections = 2;
	house_open(&h, limits);
	for (i = 0; i < 2; i++) {
		assert_true(peer_tls(&p[i], &h, NULL));
		peer_send(&p[i], &h, GET);
		assert_int_equal(peer_answers(&p[i], &h, 1), 1);
		house_turn_ms(&h, 5);
	}
	h.holds = true;
	assert_true(peer_tls(&p[2], &h, NULL));
	peer_await_end(&p[0], &h);
	assert_true(p[0].proper);
	/* Those at work are not dropped. */
	peer_send(&p[1], &h, GET);
	await_requests(&h, 3);
	peer_send(&p[2], &h, GET);
	await_requests(&h, 4);
	assert_false(peer_tls(&p[3], &h, NULL));
	assert_int_equal(cs_http_server_stats(h.server).over_cap, 1);
	assert_int_equal(cs_http_server_stats(h.server).open, 2);
	for (i = 0; i < 4; i++)
		peer_close(&p[i]);
	house_close(&h);
}

static void makes_room_by_dropping_who_never_said_a_request(void **state)
{
	struct cs_http_limits limits = cs_http_limits_default();
	struct house h;
	struct peer p[4];
	struct peer late;
	int i;

	(void)state;
	limits.grace_ms = 1000;
	limits.max_connections = 3;
	house_open(&h, limits);
	peer_tcp(&p[0], &h); /* nothing */
	house_turn_ms(&h, 5);
	assert_true(peer_tls(&p[1], &h, NULL)); /* half a head */
	peer_send(&p[1], &h, "GET / HT");
	assert_true(peer_tls(&p[2], &h, NULL)); /* a request in flight */
	h.holds = true;
	peer_send(&p[2], &h, GET);
	await_requests(&h, 1);
	/* Within their grace nobody is dropped: the next is refused. */
	assert_false(peer_tls(&p[3], &h, NULL));
	assert_int_equal(cs_http_server_stats(h.server).over_cap, 1);
	peer_close(&p[3]);
	house_turn_ms(&h, 1100);
	/* The oldest one first, then the other; never the one at work. */
	assert_true(peer_tls(&p[3], &h, NULL));
	peer_await_end(&p[0], &h);
	assert_false(p[1].ended);
	peer_send(&p[3], &h, GET);
	await_requests(&h, 2);
	assert_true(peer_tls(&late, &h, NULL));
	peer_await_end(&p[1], &h);
	assert_int_equal(cs_http_server_stats(h.server).dropped, 2);
	assert_int_equal(cs_http_server_stats(h.server).open, 3);
	assert_int_equal(cs_http_server_stats(h.server).gone, 0);
	house_reply(&h, h.held[0], "done");
	assert_int_equal(peer_answers(&p[2], &h, 1), 1);
	for (i = 0; i < 4; i++)
		peer_close(&p[i]);
	peer_close(&late);
	house_close(&h);
}

static void slow_local_peers_do_not_keep_others_out(void **state)
{
	struct house h;
	struct peer p[CS_MAX_HTTP_LOCAL];
	struct peer late;
	int i;

	(void)state;
	house_open(&h, cs_http_limits_default());
	for (i = 0; i < CS_MAX_HTTP_LOCAL; i++) {
		peer_local(&p[i], &h);
		peer_send(&p[i], &h, "G");
	}
	house_turn_ms(&h, 1100);
	peer_local(&late, &h);
	peer_send(&late, &h, GET);
	assert_int_equal(peer_answers(&late, &h, 1), 1);
	peer_await_end(&p[0], &h);
	assert_false(p[1].ended);
	for (i = 0; i < CS_MAX_HTTP_LOCAL; i++)
		peer_close(&p[i]);
	peer_close(&late);
	house_close(&h);
}

static void who_has_its_share_makes_nobody_give_way(void **state)
{
	struct cs_http_limits limits = cs_http_limits_default();
	struct house h;
	struct peer p[2];
	struct peer late;
	int i;

	(void)state;
	limits.max_connections = 2;
	limits.max_per_address = 2;
	house_open(&h, limits);
	for (i = 0; i < 2; i++) {
		assert_true(peer_tls(&p[i], &h, NULL));
		peer_send(&p[i], &h, GET);
		assert_int_equal(peer_answers(&p[i], &h, 1), 1);
	}
	assert_false(peer_tls(&late, &h, NULL));
	assert_int_equal(cs_http_server_stats(h.server).over_address_cap, 1);
	assert_int_equal(cs_http_server_stats(h.server).dropped, 0);
	assert_int_equal(cs_http_server_stats(h.server).open, 2);
	for (i = 0; i < 2; i++)
		peer_close(&p[i]);
	peer_close(&late);
	house_close(&h);
}

static void survives_the_end_of_descriptors(void **state)
{
	struct house h;
	struct peer p;
	struct rlimit old;
	struct rlimit low;

	(void)state;
	house_open(&h, cs_http_limits_default());
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	/* Room for the peer's own descriptor, none for the server's. */
	low = old;
	low.rlim_cur = (rlim_t)dup(0) + 1;
	close((int)low.rlim_cur - 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	peer_local(&p, &h);
	peer_await_end(&p, &h);
	peer_close(&p);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(cs_http_server_stats(h.server).no_descriptor > 0);
	assert_int_equal(cs_http_server_stats(h.server).accepted, 0);
	/* The doors open again by themselves. */
	peer_local(&p, &h);
	peer_send(&p, &h, GET);
	assert_int_equal(peer_answers(&p, &h, 1), 1);
	peer_close(&p);
	house_close(&h);
}

static void drains_what_is_under_way(void **state)
{
	struct house h;
	struct peer idle;
	struct peer busy;
	struct peer half;

	(void)state;
	house_open(&h, cs_http_limits_default());
	h.holds = true;
	peer_local(&idle, &h);
	peer_local(&busy, &h);
	peer_local(&half, &h);
	peer_send(&busy, &h, GET);
	await_requests(&h, 1);
	peer_send(&half, &h, "GET /half HTTP/1.1\r\n");
	house_turn(&h);
	cs_http_server_drain(h.server);
	peer_await_end(&idle, &h);
	assert_true(idle.proper);
	assert_int_equal(h.drained, 0);
	house_reply(&h, h.held[0], "done");
	peer_await_end(&busy, &h);
	assert_true(peer_got(&busy, "Connection: close\r\n"));
	assert_true(peer_got(&busy, "done"));
	peer_close(&busy);
	peer_send(&half, &h, H "\r\n");
	await_requests(&h, 2);
	house_reply(&h, h.held[1], "done too");
	peer_await_end(&half, &h);
	assert_true(peer_got(&half, "done too"));
	peer_close(&half);
	house_turn_ms(&h, 20);
	assert_int_equal(h.drained, 1);
	assert_int_equal(h.gone, 0);
	peer_close(&idle);
	house_close(&h);
}

static void cuts_what_a_drain_waited_for_too_long(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, quick_limits());
	h.holds = true;
	peer_local(&p, &h);
	peer_send(&p, &h, GET);
	await_requests(&h, 1);
	cs_http_server_drain(h.server);
	house_turn_ms(&h, 400);
	assert_int_equal(h.gone, 1);
	assert_int_equal(h.drained, 1);
	house_reply(&h, h.held[0], "too late");
	peer_await_end(&p, &h);
	assert_int_equal(p.got.n, 0);
	peer_close(&p);
	house_close(&h);
}

static void drains_at_once_when_nobody_is_there(void **state)
{
	struct house h;

	(void)state;
	house_open(&h, cs_http_limits_default());
	cs_http_server_drain(h.server);
	cs_http_server_drain(h.server);
	assert_int_equal(h.drained, 0);
	house_turn_ms(&h, 10);
	assert_int_equal(h.drained, 1);
	house_close(&h);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_a_local_peer_and_knows_who_it_is),
		cmocka_unit_test(
			keeps_a_connection_and_its_id_but_not_the_ticket),
		cmocka_unit_test(reads_a_request_byte_by_byte),
		cmocka_unit_test(reads_the_largest_head_and_body),
		cmocka_unit_test(answers_100_pipelined_requests_in_order),
		cmocka_unit_test(parses_the_next_request_only_after_the_reply),
		cmocka_unit_test(answers_a_peer_that_has_closed_its_half),
		cmocka_unit_test(tells_the_owner_when_a_peer_is_gone),
		cmocka_unit_test(ignores_a_second_reply_and_a_made_up_ticket),
		cmocka_unit_test(cuts_a_head_that_dribbles),
		cmocka_unit_test(cuts_a_body_that_dribbles),
		cmocka_unit_test(closes_silent_peers_without_a_word),
		cmocka_unit_test(cuts_a_peer_that_does_not_read_its_answer),
		cmocka_unit_test(sends_the_largest_answer_and_no_larger),
		cmocka_unit_test(lets_no_header_of_the_owner_break_the_head),
		cmocka_unit_test(leaves_the_body_out_for_head_and_204),
		cmocka_unit_test(refuses_and_parses_nothing_behind_a_refusal),
		cmocka_unit_test(refuses_a_client_hello_on_the_unix_socket),
		cmocka_unit_test(refuses_an_endless_line_without_keeping_it),
		cmocka_unit_test(refuses_an_early_end_of_the_body),
		cmocka_unit_test(asks_for_an_expected_body_once),
		cmocka_unit_test(does_not_ask_for_a_body_that_is_too_large),
		cmocka_unit_test(closes_after_http_1_0_and_after_close),
		cmocka_unit_test(ends_a_connection_after_its_share_of_requests),
		cmocka_unit_test(limits_the_connections_of_one_address),
		cmocka_unit_test(makes_room_by_dropping_the_oldest_idle_peer),
		cmocka_unit_test(
			makes_room_by_dropping_who_never_said_a_request),
		cmocka_unit_test(slow_local_peers_do_not_keep_others_out),
		cmocka_unit_test(who_has_its_share_makes_nobody_give_way),
		cmocka_unit_test(survives_the_end_of_descriptors),
		cmocka_unit_test(drains_what_is_under_way),
		cmocka_unit_test(cuts_what_a_drain_waited_for_too_long),
		cmocka_unit_test(drains_at_once_when_nobody_is_there),
	};

	return cs_test_run("api/server", tests);
}
