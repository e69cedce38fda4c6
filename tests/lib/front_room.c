#include <tests/lib/test.h>

#include "tests/lib/front_room.h"

#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/codec.h"
#include "base/limits.h"

struct house house;

/* -- the other ends ------------------------------------------------------- */

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

void turn(void)
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

void close_room(struct room *r)
{
	cs_link_free(r->link);
	for (size_t i = 0; i < r->n; i++)
		test_free(r->seen[i].p);
	*r = (struct room){0};
}

struct cs_span last(const struct room *r, unsigned number, uint64_t *ret_ticket)
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

void tell_state(enum cs_ledger_state state)
{
	const struct cs_msg_state m = {.state = (uint8_t)state,
				       .reason = CS_SPAN_LIT("because")};

	assert_true(cs_link_send_state(house.ledger.link, 0, &m, NULL));
	turn();
}

void tell_clients(void)
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

void add_worker(unsigned number)
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

void kill_worker(unsigned number)
{
	const struct cs_msg_worker_gone m = {.worker = number};

	close_room(&house.worker[number]);
	turn();
	assert_true(cs_link_send_worker_gone(house.parent.link, 0, &m, NULL));
	turn();
}

void open_house(void)
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

void open_serving(void)
{
	open_house();
	add_worker(0);
	tell_clients();
	tell_state(CS_LEDGER_ISSUING);
}

void close_house(void)
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

uint64_t ask(enum who who, enum cs_http_method method, const char *target,
	     const char *body)
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

const struct reply *reply_to(uint64_t ticket)
{
	for (size_t i = 0; i < fake.n; i++) {
		if (fake.replies[i].ticket == ticket)
			return &fake.replies[i];
	}
	return NULL;
}

void assert_reply(uint64_t ticket, int status, const char *part)
{
	const struct reply *r = reply_to(ticket);

	assert_non_null(r);
	if (r != NULL && (r->status != status || strstr(r->body, part) == NULL))
		fail_msg("%d %s", r->status, r->body);
}

#define APPROVED                                                               \
	"{\"csr\":\"x\",\"conditions\":[{\"type\":\"Approved\",\"status\":"    \
	"\"True\"}]}"

uint64_t submit(void)
{
	return ask(WEB, CS_HTTP_POST, "/v1/requests", APPROVED);
}

void answer(uint64_t ticket, enum cs_answer outcome, const char *body)
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

void stored(struct cs_buf *out)
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

void page(unsigned found, struct cs_span body, const char *code)
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
