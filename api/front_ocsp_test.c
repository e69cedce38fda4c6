/*
 * OCSP at front, and what comes in clear text: front between links whose
 * other ends are in the test's hands, and a server that only remembers.
 */
#include <tests/lib/test.h>

#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "api/front.h"
#include "base/ipc.h"
#include "base/limits.h"
#include "tests/lib/fake_server.h"

#define NOW_S 1790000000

static struct house {
	struct cs_loop *loop;
	struct cs_front *front;
	struct cs_link *parent, *ledger, *reader;
	struct cs_log log;
	uint64_t http;
	/* What the reader was asked: tickets, and the last octets. */
	uint64_t asked[64];
	size_t asked_n, questions;
	uint8_t octets[64];
	size_t octets_n;
	unsigned refusals; /* told to the ledger */
} house;

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	struct cs_msg_ocsp m;

	(void)ctx;
	(void)link;
	(void)fd;
	house.refusals += number == CS_MSG_AUTH_REFUSED;
	house.questions += number == CS_MSG_QUERY;
	if (number != CS_MSG_OCSP)
		return true;
	if (!cs_msg_ocsp_decode(body, &m, err))
		return false;
	assert_true(m.request.n <= sizeof(house.octets));
	memcpy(house.octets, m.request.p, m.request.n);
	house.octets_n = m.request.n;
	house.asked[house.asked_n++] = ticket;
	return true;
}

static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	(void)ctx;
	(void)link;
	(void)why;
}

static void turn(void)
{
	for (int i = 0; i < 30; i++)
		assert_true(event_base_loop(cs_loop_base(house.loop),
					    EVLOOP_NONBLOCK) >= 0);
}

static int open_link(struct cs_link **link, enum cs_room self)
{
	int ends[2];

	assert_true(cs_link_pair(ends, NULL));
	*link = cs_link_new(house.loop, ends[0], self, CS_ROOM_F, on_message,
			    on_gone, NULL, NULL);
	assert_non_null(*link);
	return ends[1];
}

static int64_t fake_ms(void *ctx)
{
	(void)ctx;
	return INT64_C(1000) * NOW_S;
}

static int set_up(void **state)
{
	static const struct cs_front_issuer issuers[] = {
		{.name = "default", .ocsp = true}};
	static const struct cs_http_listen listens[] = {
		{-1, CS_HTTP_LISTEN_PLAIN}};
	static const uid_t admins[] = {1000};
	struct cs_front_config c = {
		.clock = {fake_ms, fake_ms, NULL},
		.log = &house.log,
		.listens = listens,
		.listens_n = 1,
		.tls_key_fd = -1,
		.tls_chain_fd = -1,
		.issuers = issuers,
		.issuers_n = 1,
		.admin_uids = admins,
		.admin_uids_n = 1,
	};
	const struct cs_msg_client_table table = {
		.table = CS_SPAN_LIT("{\"clients\":[]}")};
	const struct cs_msg_state issuing = {.state = CS_LEDGER_ISSUING};

	(void)state;
	memset(&house, 0, sizeof(house));
	house.log = (struct cs_log){
		.fd = -1, .room = "front", .clock = {fake_ms, fake_ms, NULL}};
	house.loop = cs_loop_new(NULL);
	c.parent_fd = open_link(&house.parent, CS_ROOM_P);
	c.ledger_fd = open_link(&house.ledger, CS_ROOM_L);
	c.reader_fd = open_link(&house.reader, CS_ROOM_R);
	house.front = cs_front_new(house.loop, &c, NULL);
	assert_non_null(house.front);
	assert_true(cs_link_send_client_table(house.ledger, 0, &table, NULL));
	assert_true(cs_link_send_state(house.ledger, 0, &issuing, NULL));
	turn();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	cs_front_free(house.front);
	cs_link_free(house.parent);
	cs_link_free(house.ledger);
	cs_link_free(house.reader);
	cs_loop_free(house.loop);
	return 0;
}

/* What a request is like beside its path. */
struct how {
	enum cs_http_method method;
	const char *type, *body, *authorization;
	unsigned encrypted;
};

static uint64_t ask(const char *path, const struct how *how)
{
	struct cs_http_head head = {
		.method = how->method,
		.minor = 1,
		.path = cs_span_str(path),
		.content_type = cs_span_str(how->type),
		.authorization = cs_span_str(how->authorization),
	};
	struct cs_http_request request = {
		.ticket = ++house.http,
		.peer = &fake.peer,
		.head = &head,
		.body = cs_span_str(how->body),
	};

	fake.peer = (struct cs_http_peer){.uid = UINT32_MAX,
					  .address = "192.0.2.7:4711"};
	fake.peer.is_clear_text = how->encrypted == 0;
	fake.config.on_request(fake.config.ctx, &request);
	turn();
	return request.ticket;
}

static uint64_t post(const char *body)
{
	return ask("/ocsp", &(struct how){.method = CS_HTTP_POST,
					  .type = "application/ocsp-request",
					  .body = body});
}

/* The answer to a ticket; status 0: there is none yet. */
static const struct reply *reply_to(uint64_t ticket)
{
	static const struct reply none;

	for (size_t i = 0; i < fake.n; i++)
		if (fake.replies[i].ticket == ticket)
			return &fake.replies[i];
	return &none;
}

static void assert_status(uint64_t ticket, int status)
{
	assert_int_equal(reply_to(ticket)->status, status);
}

/* A response of nothing but a status. */
static void assert_refused(uint64_t ticket, char status)
{
	const char der[] = {0x30, 0x03, 0x0a, 0x01, status, 0};

	assert_status(ticket, 200);
	assert_string_equal(reply_to(ticket)->body, der);
}

static void answer(size_t i, int64_t next_update_s)
{
	const struct cs_msg_ocsp_answer m = {.response = CS_SPAN_LIT("DER"),
					     .good = 1,
					     .produced_s = NOW_S,
					     .next_update_s = next_update_s};

	assert_true(cs_link_send_ocsp_answer(house.reader, house.asked[i], &m,
					     NULL));
	turn();
}

static void a_request_goes_to_the_reader_as_it_came(CS_UNUSED void **state)
{
	uint64_t ticket = post("0123");

	assert_int_equal(house.asked_n, 1);
	assert_memory_equal(house.octets, "0123", 4);
	assert_status(ticket, 0);
	answer(0, NOW_S + 3600);
	assert_status(ticket, 200);
	assert_string_equal(reply_to(ticket)->body, "DER");
	/* Nobody keeps what was asked for by POST. */
	assert_null(strstr(reply_to(ticket)->headers, "max-age"));
}

/*= RFC 6960 A.1 */
static void by_get_it_is_base64_that_may_be_escaped(CS_UNUSED void **state)
{
	static const char *const good[] = {
		"/ocsp/+/8=",
		"/ocsp/%2b%2F8%3D",
		"/ocsp/%2B/8",
		"/ocsp/+/8",
	};
	static const char *const bad[] = {
		"/ocsp/+/8%", "/ocsp/+/8%3", "/ocsp/%zz==", "/ocsp/%00",
		"/ocsp/..",   "/ocsp/a",     "/ocsp/====",
	};
	const struct how get = {.method = CS_HTTP_GET};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t ticket = ask(good[i], &get);

		assert_int_equal(house.asked_n, i + 1);
		assert_int_equal(house.octets_n, 2);
		assert_memory_equal(house.octets, "\xfb\xff", 2);
		answer(i, NOW_S + 3600);
		assert_non_null(strstr(reply_to(ticket)->headers,
				       "Cache-Control: max-age=3600, public"));
		assert_non_null(strstr(reply_to(ticket)->headers, "ETag: \""));
		assert_non_null(strstr(reply_to(ticket)->headers, "Expires: "));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(ask(bad[i], &get), 1);
	assert_int_equal(house.asked_n, sizeof(good) / sizeof(good[0]));
	/* A nonce is one client's alone: the reader says so with 0. */
	(void)ask(good[0], &get);
	answer(4, 0);
	assert_null(strstr(fake.replies[fake.n - 1].headers, "max-age"));
}

static void more_than_its_share_is_told_to_try_later(CS_UNUSED void **state)
{
	const struct how get = {.method = CS_HTTP_GET};
	uint64_t first = post("0");

	for (int i = 1; i < CS_MAX_OCSP_WAITS; i++)
		assert_status(post("0"), 0);
	assert_refused(post("0"), 3);
	assert_int_equal(house.asked_n, CS_MAX_OCSP_WAITS);
	/* Questions have places of their own. */
	assert_status(ask("/checkpoint", &get), 0);
	assert_int_equal(house.questions, 1);
	answer(0, 0);
	assert_status(first, 200);
	assert_status(post("0"), 0);
	/* Who left is no longer answered, and gives its place back. */
	fake.config.on_gone(fake.config.ctx, house.http);
	answer(CS_MAX_OCSP_WAITS, 0);
	assert_status(house.http, 0);
	assert_status(post("0"), 0);
}

static void nothing_and_other_media_types_are_not_asked(CS_UNUSED void **state)
{
	assert_refused(post(""), 1);
	assert_status(ask("/ocsp", &(struct how){.method = CS_HTTP_POST,
						 .type = "application/json",
						 .body = "{}"}),
		      415);
	assert_int_equal(house.asked_n, 0);
}

static void clear_text_has_what_is_public_alone(CS_UNUSED void **state)
{
	static const char *const no[] = {
		"/readyz",	 "/metrics",	    "/v1/issuers", "/v1/status",
		"/openapi.json", "/tile/entries/0", "/nothing"};
	const struct how get = {.method = CS_HTTP_GET};
	const struct how over_tls = {.method = CS_HTTP_GET, .encrypted = 1};

	assert_status(ask("/healthz", &get), 200);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_status(ask(no[i], &get), 404);
	assert_status(ask("/healthz", &(struct how){.method = CS_HTTP_DELETE}),
		      405);
	assert_status(
		ask("/v1/clients/a", &(struct how){.method = CS_HTTP_DELETE}),
		404);
	assert_status(ask("/readyz", &over_tls), 200);
	assert_status(ask("/v1/issuers", &over_tls), 401);
}

static void a_credential_in_clear_text_is_refused_loudly(CS_UNUSED void **state)
{
	static const char *const paths[] = {"/healthz", "/v1/requests",
					    "/nothing", "/ocsp/AAAA"};
	const struct how how = {.method = CS_HTTP_GET,
				.authorization = "Bearer secret"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		uint64_t ticket = ask(paths[i], &how);

		assert_status(ticket, 400);
		assert_non_null(strstr(reply_to(ticket)->body,
				       "CREDENTIAL_IN_CLEAR_TEXT"));
		assert_null(strstr(reply_to(ticket)->body, "secret"));
	}
	assert_int_equal(house.asked_n, 0);
	assert_true(house.refusals > 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_request_goes_to_the_reader_as_it_came),
		TEST(by_get_it_is_base64_that_may_be_escaped),
		TEST(more_than_its_share_is_told_to_try_later),
		TEST(nothing_and_other_media_types_are_not_asked),
		TEST(clear_text_has_what_is_public_alone),
		TEST(a_credential_in_clear_text_is_refused_loudly),
	};

	return cs_test_run("api/front_ocsp", tests);
}
