/*
 * Front between links whose other ends are in the test's hands, and a server
 * that only remembers: no network, no other process.
 */
#include <tests/lib/test.h>

#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "api/auth.h"
#include "api/front.h"
#include "base/codec.h"
#include "base/ipc.h"
#include "base/json.h"
#include "base/limits.h"
#include "tests/lib/fake_server.h"

/* -- the other ends ------------------------------------------------------- */

struct seen {
	unsigned number;
	uint64_t ticket;
	uint8_t *p;
	size_t n;
};

/* Another room's end of a link, and what came out of it. */
struct room {
	struct cs_link *link;
	struct seen seen[MAX_SEEN];
	size_t n;
};

static struct house {
	struct cs_loop *loop;
	struct cs_front *front;
	struct room parent, ledger, reader, worker[2];
	struct cs_hash *hash;
	struct cs_auth *auth;
	struct cs_auth_token token; /* of `web` */
	struct cs_log log;
	int64_t now_ms;
	uint64_t http;
} house;

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	struct room *r = ctx;
	struct seen *s = &r->seen[r->n++];

	(void)link;
	(void)fd;
	(void)err;
	assert_true(r->n <= MAX_SEEN);
	*s = (struct seen){number, ticket, test_malloc(body.n + 1), body.n};
	if (body.n > 0)
		memcpy(s->p, body.p, body.n);
	return true;
}

static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct room *r = ctx;

	(void)why;
	cs_link_free(link);
	r->link = NULL;
}

static void turn(void)
{
	for (int i = 0; i < 30; i++)
		assert_true(event_base_loop(cs_loop_base(house.loop),
					    EVLOOP_NONBLOCK) >= 0);
}

/* A link whose other end is this room; returns front's end. */
static int open_room(struct room *r, enum cs_room self)
{
	int ends[2];

	*r = (struct room){0};
	assert_true(cs_link_pair(ends, NULL));
	r->link = cs_link_new(house.loop, ends[0], self, CS_ROOM_F, on_message,
			      on_gone, r, NULL);
	assert_non_null(r->link);
	return ends[1];
}

static void close_room(struct room *r)
{
	cs_link_free(r->link);
	for (size_t i = 0; i < r->n; i++)
		test_free(r->seen[i].p);
	*r = (struct room){0};
}

/* The last message of a room, which must be of this number. */
static struct cs_span last(const struct room *r, unsigned number,
			   uint64_t *ret_ticket)
{
	const struct seen *s = &r->seen[r->n - 1];

	assert_true(r->n > 0);
	assert_int_equal(s->number, number);
	*ret_ticket = s->ticket;
	return cs_span_make(s->p, s->n);
}

static int64_t fake_ms(void *ctx)
{
	(void)ctx;
	return house.now_ms;
}

static const struct cs_front_issuer issuers[] = {
	{.name = "default",
	 .self_approval = true,
	 .chain = {(const uint8_t *)"PEM\n", 4}},
};
static const uid_t admins[] = {1000};

static void tell_state(enum cs_ledger_state state)
{
	const struct cs_msg_state m = {.state = (uint8_t)state,
				       .reason = CS_SPAN_LIT("because")};

	assert_true(cs_link_send_state(house.ledger.link, 0, &m, NULL));
	turn();
}

static void tell_clients(void)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf table = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf hex = {0};
	struct cs_msg_client_table m;

	cs_buf_init(&table, 10000);
	cs_buf_init(&hex, 100);
	cs_codec_hex(cs_span_make(house.token.digest, 32), &hex);
	cs_buf_addf(&table,
		    "{\"clients\":[{\"credentials\":[{\"id\":1,\"kind\":"
		    "\"peer\"}],\"id\":1,\"name\":\"_local\",\"realm\":\"\","
		    "\"rights\":[\"admin\"]},{\"credentials\":[{\"id\":2,"
		    "\"kind\":\"peer\"}],\"id\":2,\"name\":\"_house\","
		    "\"realm\":\"\",\"rights\":[\"admin\"]},{\"credentials\":"
		    "[{\"digest\":\"%s\",\"id\":9,\"kind\":\"token\","
		    "\"token_id\":\"%s\"}],\"id\":3,\"name\":\"web\","
		    "\"realm\":\"\",\"rights\":[\"submit\",\"approve\"]}]}",
		    cs_buf_str(&hex), house.token.id);
	m.table = cs_buf_span(&table);
	assert_true(cs_link_send_client_table(house.ledger.link, 0, &m, NULL));
	turn();
}

static void add_worker(unsigned number)
{
	const struct cs_msg_worker_link m = {.worker = number};
	CS_CLEANUP(cs_buf_done) struct cs_buf b = {0};
	int end = open_room(&house.worker[number], CS_ROOM_W);

	cs_buf_init(&b, 100);
	cs_msg_worker_link_encode(&m, &b);
	assert_true(cs_link_send(house.parent.link, CS_MSG_WORKER_LINK, 0,
				 cs_buf_span(&b), end, NULL));
	close(end);
	turn();
}

static void kill_worker(unsigned number)
{
	const struct cs_msg_worker_gone m = {.worker = number};

	close_room(&house.worker[number]);
	turn();
	assert_true(cs_link_send_worker_gone(house.parent.link, 0, &m, NULL));
	turn();
}

/* A front that is not ready yet. */
static void open_house(void)
{
	static const struct cs_http_listen listens[] = {
		{-1, CS_HTTP_LISTEN_LOCAL}};
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

	memset(&house, 0, sizeof(house));
	house.now_ms = 1790000000000;
	house.log = (struct cs_log){
		.fd = -1, .room = "front", .clock = {fake_ms, fake_ms, NULL}};
	house.loop = cs_loop_new(NULL);
	house.hash = cs_hash_new(NULL);
	house.auth = cs_auth_new(house.hash, admins, 1, NULL);
	assert_true(cs_auth_token_new(house.auth, &house.token, NULL));
	c.parent_fd = open_room(&house.parent, CS_ROOM_P);
	c.ledger_fd = open_room(&house.ledger, CS_ROOM_L);
	c.reader_fd = open_room(&house.reader, CS_ROOM_R);
	house.front = cs_front_new(house.loop, &c, NULL);
	assert_non_null(house.front);
}

/* One that serves, with one worker. */
static void open_serving(void)
{
	open_house();
	add_worker(0);
	tell_clients();
	tell_state(CS_LEDGER_ISSUING);
}

static void close_house(void)
{
	cs_front_free(house.front);
	close_room(&house.parent);
	close_room(&house.ledger);
	close_room(&house.reader);
	close_room(&house.worker[0]);
	close_room(&house.worker[1]);
	cs_auth_free(house.auth);
	cs_hash_free(house.hash);
	cs_loop_free(house.loop);
}

/* -- requests -------------------------------------------------------------- */

enum who {
	NOBODY,
	WEB,	 /* by its token, over TCP */
	GUESSER, /* by a token that is wrong */
	LOCAL
};

static uint64_t ask(enum who who, enum cs_http_method method,
		    const char *target, const char *body)
{
	const char *query = strchr(target, '?');
	struct cs_http_head head = {
		.method = method,
		.minor = 1,
		.path = cs_span_make(target,
				     query == NULL ? strlen(target)
						   : (size_t)(query - target)),
		.query = cs_span_str(query == NULL ? NULL : query + 1),
		.content_type = CS_SPAN_LIT("application/json"),
	};
	struct cs_http_request request = {
		.ticket = ++house.http,
		.peer = &fake.peer,
		.head = &head,
		.body = cs_span_str(body),
	};
	char authorization[128];

	fake.peer = (struct cs_http_peer){
		.is_local = who == LOCAL,
		.uid = who == LOCAL ? 1000 : UINT32_MAX,
		.address = "192.0.2.1:4711",
	};
	(void)snprintf(authorization, sizeof(authorization), "Bearer %s",
		       house.token.text);
	if (who == GUESSER)
		authorization[40] = authorization[40] == '0' ? '1' : '0';
	if (who == WEB || who == GUESSER)
		head.authorization = cs_span_str(authorization);
	fake.config.on_request(fake.config.ctx, &request);
	turn();
	return request.ticket;
}

/* The reply to a ticket, or NULL. */
static const struct reply *reply_to(uint64_t ticket)
{
	for (size_t i = 0; i < fake.n; i++) {
		if (fake.replies[i].ticket == ticket)
			return &fake.replies[i];
	}
	return NULL;
}

static void assert_reply(uint64_t ticket, int status, const char *part)
{
	const struct reply *r = reply_to(ticket);

	assert_non_null(r);
	if (r != NULL && (r->status != status || strstr(r->body, part) == NULL))
		fail_msg("%d %s", r->status, r->body);
}

#define APPROVED                                                               \
	"{\"csr\":\"x\",\"conditions\":[{\"type\":\"Approved\",\"status\":"    \
	"\"True\"}]}"

static uint64_t submit(void)
{
	return ask(WEB, CS_HTTP_POST, "/v1/requests", APPROVED);
}

/* The ledger's answer to a ticket. */
static void answer(uint64_t ticket, enum cs_answer outcome, const char *body)
{
	const struct cs_msg_answer m = {
		.outcome = (uint8_t)outcome,
		.id = {1},
		.body = cs_span_str(body),
		.certificate = CS_SPAN_LIT("\x30\x00"),
		.retry_s = 3,
	};

	assert_true(cs_link_send_answer(house.ledger.link, ticket, &m, NULL));
	turn();
}

static void is_ready_with_clients_and_state(CS_UNUSED void **state)
{
	uint64_t t;

	open_house();
	turn();
	assert_int_equal(house.parent.n, 0);
	t = ask(NOBODY, CS_HTTP_GET, "/readyz", NULL);
	assert_reply(t, 503, "\"code\":\"STARTING\"");
	t = submit();
	assert_reply(t, 503, "\"code\":\"STARTING\"");
	tell_state(CS_LEDGER_CLOCK);
	assert_int_equal(house.parent.n, 0);
	tell_clients();
	last(&house.parent, CS_MSG_READY, &t);
	t = ask(NOBODY, CS_HTTP_GET, "/readyz", NULL);
	assert_reply(t, 503, "\"code\":\"CLOCK\"");
	tell_state(CS_LEDGER_SPLIT);
	t = ask(NOBODY, CS_HTTP_GET, "/readyz", NULL);
	assert_reply(t, 503, "\"code\":\"SPLIT_VIEW\"");
	tell_state(CS_LEDGER_ISSUING);
	t = ask(NOBODY, CS_HTTP_GET, "/readyz", NULL);
	assert_reply(t, 200, "ready");
	t = ask(NOBODY, CS_HTTP_GET, "/healthz", NULL);
	assert_reply(t, 200, "ok");
	close_house();
}

static void a_request_goes_to_a_worker_and_returns(CS_UNUSED void **state)
{
	struct cs_msg_request m;
	uint64_t t, ticket;

	open_serving();
	t = submit();
	assert_null(reply_to(t));
	assert_true(cs_msg_request_decode(
		last(&house.worker[0], CS_MSG_REQUEST, &ticket), &m, NULL));
	assert_int_equal(m.client, 3);
	assert_int_equal(m.credential, 9);
	assert_int_equal(m.flags, CS_REQ_APPROVED | CS_REQ_SELF);
	answer(ticket, CS_ANSWER_ISSUED, "{\"verdict\":\"issued\"}");
	assert_reply(t, 201, "\"state\":\"issued\"");
	/* A second answer to the same ticket finds nobody. */
	answer(ticket, CS_ANSWER_ISSUED, "");
	assert_int_equal(fake.n, 1);
	close_house();
}

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

static void nothing_is_sent_while_nothing_is_issued(CS_UNUSED void **state)
{
	uint64_t t;

	open_serving();
	tell_state(CS_LEDGER_FULL);
	t = submit();
	assert_reply(t, 503, "\"code\":\"FULL\"");
	assert_non_null(strstr(reply_to(t)->headers, "Retry-After: 1\n"));
	assert_int_equal(house.worker[0].n, 0);
	close_house();
}

static void a_dead_workers_request_is_sent_to_another(CS_UNUSED void **state)
{
	uint64_t t, first, second;

	open_serving();
	t = submit();
	last(&house.worker[0], CS_MSG_REQUEST, &first);
	kill_worker(0);
	add_worker(1);
	last(&house.worker[1], CS_MSG_REQUEST, &second);
	assert_int_equal(first, second);
	kill_worker(1);
	last(&house.ledger, CS_MSG_WORKER_KILLER, &second);
	assert_int_equal(first, second);
	add_worker(0);
	assert_int_equal(house.worker[0].n, 0);
	answer(first, CS_ANSWER_REFUSED, "{\"code\":\"CSR_WORKER_FAILED\"}");
	assert_reply(t, 422, "CSR_WORKER_FAILED");
	close_house();
}

static void a_stale_opinion_is_asked_for_again(CS_UNUSED void **state)
{
	const struct cs_msg_rejudge m = {.epoch = 2};
	uint64_t t, ticket;

	open_serving();
	t = submit();
	for (size_t i = 1; i <= 3; i++) {
		assert_int_equal(house.worker[0].n, i == 1 ? 1 : i + 1);
		last(&house.worker[0], CS_MSG_REQUEST, &ticket);
		assert_true(cs_link_send_rejudge(house.ledger.link, ticket, &m,
						 NULL));
		turn();
	}
	/* Two requests behind the first, and once which epoch is wanted. */
	assert_int_equal(house.worker[0].n, 4);
	assert_reply(t, 503, "POLICY_CHANGED");
	close_house();
}

static void more_than_the_cap_is_told_to_come_back(CS_UNUSED void **state)
{
	uint64_t t = 0;

	open_serving();
	for (int i = 0; i < CS_MAX_IN_FLIGHT; i++)
		t = submit();
	assert_null(reply_to(t));
	t = submit();
	assert_reply(t, 503, "\"code\":\"BUSY\"");
	assert_non_null(strstr(reply_to(t)->headers, "Retry-After"));
	close_house();
}

/* An encoded REQUEST, as the ledger stores it. */
static void stored(struct cs_buf *out)
{
	struct cs_msg_request m = {
		.id = {7},
		.client = 4,
		.credential = 5,
		.uid = -1,
		.flags = CS_REQ_KNOWN,
		.client_name = CS_SPAN_LIT("robot"),
		.source = CS_SPAN_LIT("api"),
		.issuer = CS_SPAN_LIT("default"),
		.scalars = CS_SPAN_LIT("{\"issuer\":\"default\","
				       "\"requester\":\"robot\"}"),
		.csr = CS_SPAN_LIT("der"),
	};

	cs_buf_init(out, CS_MAX_REQUEST_MESSAGE);
	memset(m.fingerprint, 0xab, sizeof(m.fingerprint));
	cs_msg_request_encode(&m, out);
	assert_true(cs_buf_ok(out));
}

static void what_the_ledger_drives_has_slots_of_its_own(CS_UNUSED void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf request = {0};
	struct cs_msg_drive m;
	uint64_t t;

	open_serving();
	stored(&request);
	m.request = cs_buf_span(&request);
	for (int i = 0; i < CS_MAX_IN_FLIGHT; i++)
		(void)submit();
	for (int i = 0; i < CS_MAX_DRIVES + 2; i++)
		assert_true(cs_link_send_drive(house.ledger.link, 0, &m, NULL));
	turn();
	/* Two wait for a slot, and take the first ones that are free. */
	assert_int_equal(house.worker[0].n, CS_MAX_IN_FLIGHT + CS_MAX_DRIVES);
	for (int i = 0; i < 3; i++)
		answer(house.worker[0].seen[i].ticket, CS_ANSWER_BUSY, "");
	assert_int_equal(house.worker[0].n,
			 CS_MAX_IN_FLIGHT + CS_MAX_DRIVES + 2);
	last(&house.worker[0], CS_MSG_REQUEST, &t);
	/* Nobody waits for its answer. */
	answer(t, CS_ANSWER_ISSUED, "");
	assert_int_equal(fake.n, 3);
	close_house();
}

static void a_client_that_left_does_not_stop_its_request(CS_UNUSED void **state)
{
	uint64_t t, ticket;

	open_serving();
	t = submit();
	last(&house.worker[0], CS_MSG_REQUEST, &ticket);
	fake.config.on_gone(fake.config.ctx, t);
	answer(ticket, CS_ANSWER_ISSUED, "");
	assert_int_equal(fake.n, 0);
	close_house();
}

/* The reader's page to the last question. */
static void page(unsigned found, struct cs_span body, const char *code)
{
	const struct cs_msg_page m = {
		.found = (uint8_t)found,
		.body = body,
		.code = cs_span_str(code),
		.detail = CS_SPAN_LIT("a sentence"),
	};
	uint64_t ticket;

	(void)last(&house.reader, CS_MSG_QUERY, &ticket);
	assert_true(cs_link_send_page(house.reader.link, ticket, &m, NULL));
	turn();
}

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

static void a_policy_set_is_read_checked_and_applied(CS_UNUSED void **state)
{
	const struct cs_msg_policy_files files = {
		.ok = 1, .files = CS_SPAN_LIT("sources")};
	const struct cs_msg_admin_done rejected = {
		.code = CS_SPAN_LIT("POLICY_REJECTED"),
		.detail = CS_SPAN_LIT("it does not load"),
		.body = CS_SPAN_LIT("{\"problems\":[{\"text\":"
				    "\"bad.yaml:4: no\"}]}")};
	struct cs_msg_check m;
	uint64_t t, ticket, again;

	open_serving();
	t = ask(LOCAL, CS_HTTP_POST, "/v1/policies", NULL);
	last(&house.parent, CS_MSG_POLICY_READ, &ticket);
	assert_true(cs_link_send_policy_files(house.parent.link, ticket, &files,
					      NULL));
	turn();
	assert_true(cs_msg_check_decode(
		last(&house.worker[0], CS_MSG_CHECK, &again), &m, NULL));
	assert_int_equal(again, ticket);
	assert_int_equal(m.apply, 1);
	assert_int_equal(m.uid, 1000);
	assert_true(cs_span_equal_str(m.files, "sources"));
	/* The worker dies over it: another one is asked. */
	kill_worker(0);
	add_worker(1);
	last(&house.worker[1], CS_MSG_CHECK, &again);
	assert_int_equal(again, ticket);
	assert_true(cs_link_send_admin_done(house.ledger.link, ticket,
					    &rejected, NULL));
	turn();
	assert_reply(t, 422, "\"problems\":[{\"text\":\"bad.yaml:4: no\"}]");
	close_house();
}

static void the_listeners_certificate_takes_the_same_way(CS_UNUSED void **state)
{
	const struct cs_msg_house_csr csr = {.source = CS_SPAN_LIT("listener"),
					     .issuer = CS_SPAN_LIT("default"),
					     .csr = CS_SPAN_LIT("der")};
	struct cs_msg_house_cert cert;
	struct cs_msg_request m;
	uint64_t ticket;

	open_house();
	add_worker(0);
	tell_clients();
	tell_state(CS_LEDGER_NO_POLICY);
	assert_true(cs_link_send_house_csr(house.parent.link, 77, &csr, NULL));
	turn();
	assert_int_equal(house.worker[0].n, 0);
	tell_state(CS_LEDGER_ISSUING);
	assert_true(cs_msg_request_decode(
		last(&house.worker[0], CS_MSG_REQUEST, &ticket), &m, NULL));
	assert_int_equal(m.client, CS_CLIENT_HOUSE);
	assert_int_equal(m.credential, 2);
	assert_true(cs_span_equal_str(m.source, "listener"));
	assert_int_equal(m.idem_key.n, 0);
	assert_int_equal(m.flags, CS_REQ_APPROVED | CS_REQ_SELF);
	answer(ticket, CS_ANSWER_ISSUED, "");
	assert_true(cs_msg_house_cert_decode(
		last(&house.parent, CS_MSG_HOUSE_CERT, &ticket), &cert, NULL));
	assert_int_equal(ticket, 77);
	assert_int_equal(cert.ok, 1);
	assert_true(cs_span_starts_with(cert.chain,
					CS_SPAN_LIT("-----BEGIN CERT")));
	close_house();
}

static void stopping_finishes_what_is_under_way(CS_UNUSED void **state)
{
	const struct cs_msg_stop stop = {.drain_ms = 60000};
	struct cs_timer *last_connection;
	uint64_t t, other, ticket, late;

	open_serving();
	t = submit();
	last(&house.worker[0], CS_MSG_REQUEST, &ticket);
	assert_true(cs_link_send_stop(house.parent.link, 0, &stop, NULL));
	turn();
	assert_int_equal(fake.drains, 1);
	other = submit(); /* on its way before: still served */
	last(&house.worker[0], CS_MSG_REQUEST, &late);
	answer(ticket, CS_ANSWER_ISSUED, "");
	answer(late, CS_ANSWER_ISSUED, "");
	assert_reply(t, 201, "issued");
	assert_reply(other, 201, "issued");
	last_connection = cs_timer_new(house.loop, fake.config.on_drained,
				       fake.config.ctx, NULL);
	cs_timer_start(last_connection, 1);
	assert_int_equal(cs_loop_run(house.loop), 0);
	cs_timer_free(last_connection);
	close_house();
}

static void without_the_ledger_the_house_ends(CS_UNUSED void **state)
{
	open_serving();
	close_room(&house.ledger);
	assert_int_equal(cs_loop_run(house.loop), 75);
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_ready_with_clients_and_state),
		cmocka_unit_test(a_request_goes_to_a_worker_and_returns),
		cmocka_unit_test(who_it_is_decides),
		cmocka_unit_test(
			a_right_that_only_the_ledger_misses_is_told_it),
		cmocka_unit_test(nothing_is_sent_while_nothing_is_issued),
		cmocka_unit_test(a_dead_workers_request_is_sent_to_another),
		cmocka_unit_test(a_stale_opinion_is_asked_for_again),
		cmocka_unit_test(more_than_the_cap_is_told_to_come_back),
		cmocka_unit_test(what_the_ledger_drives_has_slots_of_its_own),
		cmocka_unit_test(a_client_that_left_does_not_stop_its_request),
		cmocka_unit_test(an_approval_drives_the_stored_request),
		cmocka_unit_test(a_denial_goes_to_the_ledger),
		cmocka_unit_test(a_revocation_goes_to_the_ledger),
		cmocka_unit_test(questions_are_limited_to_ones_own),
		cmocka_unit_test(a_token_is_shown_once_and_its_digest_sent),
		cmocka_unit_test(a_policy_set_is_read_checked_and_applied),
		cmocka_unit_test(the_listeners_certificate_takes_the_same_way),
		cmocka_unit_test(stopping_finishes_what_is_under_way),
		cmocka_unit_test(without_the_ledger_the_house_ends),
	};

	return cs_test_run("api/front", tests);
}
