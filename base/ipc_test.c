#include <tests/lib/test.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ipc.h"
#include "base/limits.h"
#include "base/wire.h"

/* One end under test, and what it saw. */
struct end {
	struct cs_loop *loop;
	struct cs_link *link;
	unsigned messages;
	uint64_t tickets; /* their sum */
	size_t bytes;
	unsigned number;
	int fd;
	bool gone;
	bool refuse;
	enum cs_error_code why;
	char text[CS_ERROR_MAX];
};

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	struct end *e = ctx;

	(void)link;
	e->messages++;
	e->tickets += ticket;
	e->bytes += body.n;
	e->number = number;
	e->fd = fd;
	if (e->refuse)
		return cs_error_set(err, CS_E_PROTOCOL, "refused");
	return true;
}

static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct end *e = ctx;

	e->gone = true;
	e->why = why->code;
	memcpy(e->text, why->text, sizeof(e->text));
	cs_link_free(link);
	e->link = NULL;
	cs_loop_stop(e->loop, 0);
}

static void stop(void *ctx)
{
	cs_loop_stop(ctx, 0);
}

/* Run a loop for a moment. */
static void turn(struct cs_loop *loop)
{
	struct cs_timer *t = cs_timer_new(loop, stop, loop, NULL);

	assert_non_null(t);
	cs_timer_start(t, 30);
	(void)cs_loop_run(loop);
	cs_timer_free(t);
}

/* A ledger end on a link from a front whose descriptor is *ret_raw. */
static void begin(struct end *e, int *ret_raw)
{
	int ends[2];

	*e = (struct end){.fd = -1};
	e->loop = cs_loop_new(NULL);
	assert_non_null(e->loop);
	assert_true(cs_link_pair(ends, NULL));
	e->link = cs_link_new(e->loop, ends[0], CS_ROOM_L, CS_ROOM_F,
			      on_message, on_gone, e, NULL);
	assert_non_null(e->link);
	*ret_raw = ends[1];
}

static void end(struct end *e, int raw)
{
	cs_link_free(e->link);
	cs_loop_free(e->loop);
	close(raw);
}

static void carries_small_and_large_bodies(void **state)
{
	struct end l, f = {.fd = -1};
	int raw;
	static uint8_t big[CS_MAX_PACKET * 3];
	struct cs_msg_auth_refused m = {.what = CS_SPAN_LIT("{}")};

	(void)state;
	begin(&l, &raw);
	f.loop = l.loop;
	f.link = cs_link_new(l.loop, dup(raw), CS_ROOM_F, CS_ROOM_L, on_message,
			     on_gone, &f, NULL);
	assert_true(cs_link_send_auth_refused(f.link, 7, &m, NULL));
	m.what = cs_span_make(big, sizeof(big));
	assert_true(cs_link_send_auth_refused(f.link, 8, &m, NULL));
	turn(l.loop);
	assert_int_equal(l.messages, 2);
	assert_int_equal(l.tickets, 15);
	assert_int_equal(l.bytes, 4 + 2 + 4 + sizeof(big));
	cs_link_free(f.link);
	end(&l, raw);
}

static void queues_what_the_socket_does_not_take_and_keeps_the_order(void **s)
{
	struct end l, f = {.fd = -1};
	int raw;
	static uint8_t body[4000];
	struct cs_msg_auth_refused m = {.what = {body, sizeof(body)}};

	(void)s;
	begin(&l, &raw);
	f.loop = l.loop;
	f.link = cs_link_new(l.loop, dup(raw), CS_ROOM_F, CS_ROOM_L, on_message,
			     on_gone, &f, NULL);
	for (uint64_t i = 1; i <= 1000; i++)
		assert_true(cs_link_send_auth_refused(f.link, i, &m, NULL));
	assert_true(cs_link_queued(f.link) > 0);
	turn(l.loop);
	turn(l.loop);
	assert_int_equal(cs_link_queued(f.link), 0);
	assert_int_equal(l.messages, 1000);
	assert_int_equal(l.tickets, 500500);
	cs_link_free(f.link);
	end(&l, raw);
}

static void refuses_to_queue_without_bound(void **state)
{
	struct end l, f = {.fd = -1};
	int raw;
	struct cs_msg_auth_refused m = {0};
	struct cs_error err = {0};
	unsigned sent = 0;

	(void)state;
	begin(&l, &raw);
	f.loop = l.loop;
	f.link = cs_link_new(l.loop, dup(raw), CS_ROOM_F, CS_ROOM_L, on_message,
			     on_gone, &f, NULL);
	while (sent < 100000 && cs_link_send_auth_refused(f.link, 1, &m, &err))
		sent++;
	assert_true(sent < 100000);
	assert_int_equal(err.code, CS_E_LINK_FULL);
	cs_link_free(f.link);
	end(&l, raw);
}

static void delivers_what_a_dead_peer_had_sent(void **state)
{
	struct end l, f = {.fd = -1};
	int raw;
	struct cs_msg_auth_refused m = {0};

	(void)state;
	begin(&l, &raw);
	f.loop = l.loop;
	f.link = cs_link_new(l.loop, dup(raw), CS_ROOM_F, CS_ROOM_L, on_message,
			     on_gone, &f, NULL);
	assert_true(cs_link_send_auth_refused(f.link, 1, &m, NULL));
	/* Unread data at the dying end: the survivor sees ECONNRESET first. */
	assert_true(cs_link_send_answer(l.link, 1, &(struct cs_msg_answer){0},
					NULL));
	cs_link_free(f.link);
	close(raw);
	turn(l.loop);
	assert_int_equal(l.messages, 1);
	assert_true(l.gone);
	assert_int_equal(l.why, CS_E_PEER_GONE);
	end(&l, -1);
}

static void ends_at_a_message_from_the_wrong_side(void **state)
{
	struct end l, s = {.fd = -1};
	int raw;
	struct cs_msg_signed m = {0};

	(void)state;
	begin(&l, &raw);
	s.loop = l.loop;
	/* A front that claims to be the signer. */
	s.link = cs_link_new(l.loop, dup(raw), CS_ROOM_S, CS_ROOM_L, on_message,
			     on_gone, &s, NULL);
	assert_true(cs_link_send_signed(s.link, 1, &m, NULL));
	turn(l.loop);
	assert_int_equal(l.messages, 0);
	assert_true(l.gone);
	assert_int_equal(l.why, CS_E_PROTOCOL);
	assert_string_equal(l.text,
			    "message 15 (SIGNED) may not come this way");
	cs_link_free(s.link);
	end(&l, raw);
}

/* Send raw bytes and expect the link to end with a sentence. */
static void expect_end(struct cs_span bytes, const char *text)
{
	struct end l;
	int raw;

	begin(&l, &raw);
	assert_int_equal(send(raw, bytes.p, bytes.n, 0), bytes.n);
	turn(l.loop);
	assert_true(l.gone);
	assert_int_equal(l.messages, 0);
	assert_string_equal(l.text, text);
	end(&l, raw);
}

static void ends_at_malformed_packets(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf b;
	static uint8_t huge[CS_MAX_PACKET + 10];

	(void)state;
	cs_buf_init(&b, 1000);
	expect_end(CS_SPAN_LIT("x"), "header: the message is too short");
	expect_end(CS_SPAN_LIT("abcdefghijklmnopqrstuvwx"),
		   "header: magic 64636261 is not ours");
	expect_end(cs_span_make(huge, sizeof(huge)),
		   "a packet was longer than any may be");
	cs_wire_put_u32(&b, 0x53430000u | CS_MSG_VERSION);
	cs_wire_put_u32(&b, CS_MSG_AUTH_REFUSED);
	cs_wire_put_u32(&b, 0);
	cs_wire_put_u32(&b, 99);
	cs_wire_put_u64(&b, 0);
	expect_end(cs_buf_span(&b),
		   "AUTH_REFUSED: 0 octets in the packet, length 99");
	b.p[8] = 1; /* says that the body is in a memfd */
	expect_end(cs_buf_span(&b),
		   "AUTH_REFUSED: 0 descriptors where 1 belong");
	b.p[8] = 2;
	expect_end(cs_buf_span(&b), "AUTH_REFUSED carries no descriptor");
}

static void ends_when_the_handler_refuses(void **state)
{
	struct end l, f = {.fd = -1};
	int raw;
	struct cs_msg_auth_refused m = {0};

	(void)state;
	begin(&l, &raw);
	l.refuse = true;
	f.loop = l.loop;
	f.link = cs_link_new(l.loop, dup(raw), CS_ROOM_F, CS_ROOM_L, on_message,
			     on_gone, &f, NULL);
	assert_true(cs_link_send_auth_refused(f.link, 1, &m, NULL));
	assert_true(cs_link_send_auth_refused(f.link, 2, &m, NULL));
	turn(l.loop);
	assert_int_equal(l.messages, 1);
	assert_string_equal(l.text, "refused");
	cs_link_free(f.link);
	end(&l, raw);
}

static void passes_a_descriptor_along(void **state)
{
	struct end l, p = {.fd = -1};
	int ends[2], pipes[2];
	char c = 0;
	CS_CLEANUP(cs_buf_done) struct cs_buf b;

	(void)state;
	cs_buf_init(&b, 100);
	l = (struct end){.fd = -1};
	l.loop = cs_loop_new(NULL);
	p.loop = l.loop;
	assert_true(cs_link_pair(ends, NULL));
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	l.link = cs_link_new(l.loop, ends[0], CS_ROOM_L, CS_ROOM_P, on_message,
			     on_gone, &l, NULL);
	p.link = cs_link_new(l.loop, ends[1], CS_ROOM_P, CS_ROOM_L, on_message,
			     on_gone, &p, NULL);
	cs_msg_worker_link_encode(&(struct cs_msg_worker_link){.worker = 3},
				  &b);
	assert_true(cs_link_send(p.link, CS_MSG_WORKER_LINK, 0, cs_buf_span(&b),
				 pipes[1], NULL));
	close(pipes[1]);
	turn(l.loop);
	assert_int_equal(l.messages, 1);
	assert_true(l.fd >= 0);
	assert_int_equal(write(l.fd, "x", 1), 1);
	assert_int_equal(read(pipes[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	close(l.fd);
	close(pipes[0]);
	cs_link_free(p.link);
	cs_link_free(l.link);
	cs_loop_free(l.loop);
}

/* For the order of idle work. */
struct order {
	struct cs_loop *loop;
	struct cs_idle *idle;
	struct end *l;
	unsigned seen_at_idle;
};

static void on_idle(void *ctx)
{
	struct order *o = ctx;

	o->seen_at_idle = o->l->messages;
}

static void runs_idle_work_after_all_links_are_drained(void **state)
{
	struct end l, f = {.fd = -1};
	struct order o;
	int raw;
	struct cs_msg_auth_refused m = {0};

	(void)state;
	begin(&l, &raw);
	f.loop = l.loop;
	f.link = cs_link_new(l.loop, dup(raw), CS_ROOM_F, CS_ROOM_L, on_message,
			     on_gone, &f, NULL);
	o = (struct order){.loop = l.loop, .l = &l};
	o.idle = cs_idle_new(l.loop, on_idle, &o, NULL);
	cs_idle_request(o.idle);
	for (uint64_t i = 0; i < 100; i++)
		assert_true(cs_link_send_auth_refused(f.link, i, &m, NULL));
	turn(l.loop);
	assert_int_equal(o.seen_at_idle, 100);
	cs_idle_free(o.idle);
	cs_link_free(f.link);
	end(&l, raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_small_and_large_bodies),
		cmocka_unit_test(
			queues_what_the_socket_does_not_take_and_keeps_the_order),
		cmocka_unit_test(refuses_to_queue_without_bound),
		cmocka_unit_test(delivers_what_a_dead_peer_had_sent),
		cmocka_unit_test(ends_at_a_message_from_the_wrong_side),
		cmocka_unit_test(ends_at_malformed_packets),
		cmocka_unit_test(ends_when_the_handler_refuses),
		cmocka_unit_test(passes_a_descriptor_along),
		cmocka_unit_test(runs_idle_work_after_all_links_are_drained),
	};

	return cs_test_run("base/ipc", tests);
}
