/*
 * The whole front room, every route with every body: an input is an HTTP
 * request as it comes over the Unix socket from an administrator. It is
 * answered once, with a head that no value breaks and a body that is what it
 * says; or it is not answered, and then some other room was asked.
 */
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "api/body.h"
#include "api/front.h"
#include "base/ipc.h"
#include "base/json.h"
#include "tests/fuzz/fuzz.h"

#define UID 1000

static struct {
	struct cs_http_server_config config;
	unsigned answers;
} fake;

/* -- a server that checks what it is given -------------------------------- */

struct cs_http_server {
	int unused;
};

static struct cs_http_server server;

struct cs_http_limits cs_http_limits_default(void)
{
	return (struct cs_http_limits){0};
}

struct cs_http_server *cs_http_server_new(
	const struct cs_http_server_config *config, struct cs_error *err)
{
	(void)err;
	fake.config = *config;
	return &server;
}

void cs_http_server_free(struct cs_http_server *s)
{
	(void)s;
}

void cs_http_server_set_tls(struct cs_http_server *s, struct cs_tls *tls)
{
	(void)s;
	(void)tls;
}

void cs_http_server_drain(struct cs_http_server *s)
{
	(void)s;
}

const struct cs_http_peer *cs_http_server_peer(const struct cs_http_server *s,
					       uint64_t ticket)
{
	(void)s;
	(void)ticket;
	return NULL;
}

struct cs_http_stats cs_http_server_stats(const struct cs_http_server *s)
{
	(void)s;
	return (struct cs_http_stats){0};
}

void cs_http_reply(struct cs_http_server *s, uint64_t ticket,
		   const struct cs_http_answer *a)
{
	(void)s;
	(void)ticket;
	fake.answers++;
	FUZZ_CHECK(a->status >= 200 && a->status <= 599);
	/* Nothing that a request says is this server's fault. */
	FUZZ_CHECK(a->status != 500);
	for (size_t i = 0; i < a->headers_n; i++)
		FUZZ_CHECK(cs_body_is_clean(a->headers[i].value, CS_BODY_LINE));
	if (a->content_type != NULL && strstr(a->content_type, "json") &&
	    !strstr(a->content_type, "ndjson")) {
		json_t *v = cs_json_parse(a->body, "answer", NULL);

		FUZZ_CHECK(v != NULL);
		json_decref(v);
	}
}

/* -- the other rooms, which never answer ---------------------------------- */

static struct {
	struct cs_loop *loop;
	struct cs_front *front;
	struct cs_link *parent, *ledger, *reader;
	struct cs_log log;
	unsigned asked; /* messages that front sent */
	uint64_t ticket;
} house;

static int64_t fake_ms(void *ctx)
{
	(void)ctx;
	return 1790000000000;
}

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	(void)ctx;
	(void)link;
	(void)number;
	(void)ticket;
	(void)body;
	(void)fd;
	(void)err;
	house.asked++;
	return true;
}

static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct cs_link **mine = ctx;

	(void)why;
	cs_link_free(link);
	*mine = NULL;
}

static void turn(void)
{
	for (int i = 0; i < 8; i++)
		FUZZ_CHECK(event_base_loop(cs_loop_base(house.loop),
					   EVLOOP_NONBLOCK) >= 0);
}

/* A room's link; returns front's end. */
static int open_room(struct cs_link **ret, enum cs_room self)
{
	int ends[2];

	FUZZ_CHECK(cs_link_pair(ends, NULL));
	*ret = cs_link_new(house.loop, ends[0], self, CS_ROOM_F, on_message,
			   on_gone, ret, NULL);
	FUZZ_CHECK(*ret != NULL);
	return ends[1];
}

static void tell_house(void)
{
	static const char table[] =
		"{\"clients\":[{\"credentials\":[{\"id\":1,\"kind\":\"peer\"}],"
		"\"id\":1,\"name\":\"_local\",\"realm\":\"\",\"rights\":"
		"[\"admin\"]},{\"credentials\":[{\"id\":2,\"kind\":\"peer\"}],"
		"\"id\":2,\"name\":\"_house\",\"realm\":\"\",\"rights\":"
		"[\"admin\"]}]}";
	const struct cs_msg_client_table clients = {.table =
							    CS_SPAN_LIT(table)};
	const struct cs_msg_state state = {.state = CS_LEDGER_ISSUING};

	FUZZ_CHECK(cs_link_send_client_table(house.ledger, 0, &clients, NULL));
	FUZZ_CHECK(cs_link_send_state(house.ledger, 0, &state, NULL));
	turn();
}

static void open_house(void)
{
	static const struct cs_front_issuer issuers[] = {
		{.name = "default",
		 .self_approval = true,
		 .chain = {(const uint8_t *)"PEM\n", 4}},
	};
	static const struct cs_http_listen listens[] = {
		{-1, CS_HTTP_LISTEN_LOCAL}};
	static const uid_t admins[] = {UID};
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
	house.log = (struct cs_log){
		.fd = -1, .room = "front", .clock = {fake_ms, fake_ms, NULL}};
	house.loop = cs_loop_new(NULL);
	FUZZ_CHECK(house.loop != NULL);
	c.parent_fd = open_room(&house.parent, CS_ROOM_P);
	c.ledger_fd = open_room(&house.ledger, CS_ROOM_L);
	c.reader_fd = open_room(&house.reader, CS_ROOM_R);
	house.front = cs_front_new(house.loop, &c, NULL);
	FUZZ_CHECK(house.front != NULL);
	tell_house();
	house.asked = 0;
}

static void close_house(void)
{
	if (house.front == NULL)
		return;
	cs_front_free(house.front);
	cs_link_free(house.parent);
	cs_link_free(house.ledger);
	cs_link_free(house.reader);
	cs_loop_free(house.loop);
	house.front = NULL;
}

/* -- requests ------------------------------------------------------------- */

static void ask(const struct cs_http_head *head, struct cs_span body)
{
	const struct cs_http_peer peer = {
		.is_local = true, .uid = UID, .address = "local"};
	const struct cs_http_request request = {
		.ticket = ++house.ticket,
		.peer = &peer,
		.head = head,
		.body = body,
	};

	fake.answers = 0;
	house.asked = 0;
	fake.config.on_request(fake.config.ctx, &request);
	turn();
	FUZZ_CHECK(fake.answers <= 1);
	/*
	 * What is under way stays so for ever, because nobody answers: the
	 * next input has a new front. A request for a worker waits in front:
	 * there is none.
	 */
	if (fake.answers == 0 || house.asked > 0)
		close_house();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool registered;
	struct cs_span all = cs_span_make(data, size);
	struct cs_http_refusal refusal;
	struct cs_http_parser p;
	struct cs_http_head head;

	cs_http_parser_init(&p);
	if (cs_http_parse(&p, all, &head, &refusal) != CS_HTTP_DONE)
		return 0;
	if (!registered)
		FUZZ_CHECK(atexit(close_house) == 0);
	registered = true;
	if (house.front == NULL)
		open_house();
	/* The length is whatever came: a fuzzer cannot count. */
	ask(&head, cs_span_sub(all, head.size, SIZE_MAX));
	return 0;
}
