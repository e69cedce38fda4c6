#include <tests/lib/test.h>

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ipc.h"
#include "store/reader.h"
#include <tests/lib/history.h>

/* The house around one reader: what the test is to it. */
struct house {
	struct cs_history h;
	struct cs_loop *loop;
	struct cs_link *parent, *front, *ledger;
	pid_t reader;
	unsigned ready, starting, found, refused;
	bool gone;
	bool state_sent;
};

/* The ledger says that it works. */
static void send_state(struct house *h)
{
	const struct cs_msg_state m = {.state = CS_LEDGER_ISSUING};

	h->state_sent = true;
	assert_true(cs_link_send_state(h->ledger, 0, &m, NULL));
}

/* Front asks. */
static void send_query(struct house *h, const char *params)
{
	const struct cs_msg_query m = {.kind = CS_QUERY_AUDIT,
				       .params = cs_span_str(params)};

	assert_true(cs_link_send_query(h->front, 7, &m, NULL));
}

/* Parent says stop. */
static void send_stop(struct house *h)
{
	const struct cs_msg_stop m = {.drain_ms = 1000};

	assert_true(cs_link_send_stop(h->parent, 0, &m, NULL));
}

/* What front does with a page: ask again until there is an answer. */
static void on_page(struct house *h, const struct cs_msg_page *page)
{
	if (cs_span_equal_str(page->code, "STARTING")) {
		h->starting++;
		if (!h->state_sent)
			send_state(h);
		send_query(h, "{\"limit\":1000}");
	} else if (page->found != 0) {
		h->found++;
		assert_true(page->body.n > 100);
		send_query(h, "{\"cursor\":\"forged\"}");
	} else {
		h->refused++;
		assert_true(cs_span_equal_str(page->code, "BAD_CURSOR"));
		send_stop(h);
	}
}

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	struct house *h = ctx;
	struct cs_msg_page page;

	(void)link;
	(void)fd;
	if (number == CS_MSG_READY) {
		h->ready++;
		send_query(h, "{}");
		return true;
	}
	assert_int_equal(number, CS_MSG_PAGE);
	assert_int_equal(ticket, 7);
	if (!cs_msg_page_decode(body, &page, err))
		return false;
	on_page(h, &page);
	return true;
}

static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct house *h = ctx;

	(void)why;
	if (link == h->parent)
		cs_loop_stop(h->loop, 0);
	h->gone = true;
}

/* The reader, in a process of its own as in the program. */
static void start_with(struct house *h, cs_link_message_fn *on)
{
	int p[2], f[2], l[2];
	struct cs_error err = {0};

	assert_true(cs_link_pair(p, NULL) && cs_link_pair(f, NULL) &&
		    cs_link_pair(l, NULL));
	h->reader = fork();
	assert_true(h->reader >= 0);
	if (h->reader == 0) {
		struct cs_log log = {.fd = open("/dev/null", O_WRONLY),
				     .room = "reader",
				     .clock = cs_clock_system()};
		struct cs_reader_config c = {.dir = h->h.dir,
					     .clock = cs_clock_system(),
					     .log = &log,
					     .parent_fd = p[1],
					     .front_fd = f[1],
					     .ledger_fd = l[1]};

		close(p[0]);
		close(f[0]);
		close(l[0]);
		_exit(cs_reader_run(&c));
	}
	close(p[1]);
	close(f[1]);
	close(l[1]);
	h->loop = cs_loop_new(&err);
	assert_non_null(h->loop);
	h->parent = cs_link_new(h->loop, p[0], CS_ROOM_P, CS_ROOM_R, on,
				on_gone, h, NULL);
	h->front = cs_link_new(h->loop, f[0], CS_ROOM_F, CS_ROOM_R, on, on_gone,
			       h, NULL);
	h->ledger = cs_link_new(h->loop, l[0], CS_ROOM_L, CS_ROOM_R, on,
				on_gone, h, NULL);
	assert_true(h->parent != NULL && h->front != NULL && h->ledger != NULL);
}

static void start(struct house *h)
{
	start_with(h, on_message);
}

/* Release what start() made; the reader's exit status. */
static int finish(struct house *h)
{
	int status = 0;

	cs_link_free(h->front);
	cs_link_free(h->ledger);
	cs_link_free(h->parent);
	assert_int_equal(waitpid(h->reader, &status, 0), h->reader);
	cs_loop_free(h->loop);
	cs_history_done(&h->h);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void answers_once_the_ledger_works_and_stops_when_told(void **state)
{
	struct house h = {.ready = 0};

	(void)state;
	cs_history_make(&h.h);
	start(&h);
	(void)cs_loop_run(h.loop);
	assert_int_equal(h.ready, 1);
	assert_true(h.starting >= 1);
	assert_int_equal(h.found, 1);
	assert_int_equal(h.refused, 1);
	assert_int_equal(finish(&h), 0);
}

static void ends_with_75_when_parent_is_gone(void **state)
{
	struct house h = {.ready = 0};

	(void)state;
	cs_history_make(&h.h);
	start(&h);
	assert_int_equal(finish(&h), 75);
}

/* -- OCSP ----------------------------------------------------------------- */

/* What a stranger is answered, in the states that the ledger goes through. */
struct strangers {
	struct house house; /* first: the handlers' */
	unsigned step;
	enum cs_ocsp_status seen[4];
};

static const enum cs_ledger_state steps[] = {0, CS_LEDGER_ISSUING,
					     CS_LEDGER_SPLIT, CS_LEDGER_CLOCK};

/* Tell the state of this step, if there is one, and ask. */
static void ask_as_stranger(struct strangers *s)
{
	const struct cs_msg_state m = {.state = steps[s->step]};
	const struct cs_msg_ocsp ask = {.request = CS_SPAN_LIT("no DER")};

	if (steps[s->step] != 0)
		assert_true(cs_link_send_state(s->house.ledger, 0, &m, NULL));
	/* It comes by another link: let it come first. */
	(void)usleep(20000);
	assert_true(cs_link_send_ocsp(s->house.front, s->step, &ask, NULL));
}

static bool on_ocsp_message(void *ctx, struct cs_link *link, unsigned number,
			    uint64_t ticket, struct cs_span body, int fd,
			    struct cs_error *err)
{
	struct strangers *s = ctx;
	struct cs_msg_ocsp_answer m;

	(void)link;
	(void)fd;
	if (number == CS_MSG_READY) {
		ask_as_stranger(s);
		return true;
	}
	assert_int_equal(number, CS_MSG_OCSP_ANSWER);
	assert_int_equal(ticket, s->step);
	if (!cs_msg_ocsp_answer_decode(body, &m, err))
		return false;
	assert_int_equal(m.response.n, 5);
	s->seen[s->step++] = (enum cs_ocsp_status)m.status;
	if (s->step < sizeof(steps) / sizeof(steps[0]))
		ask_as_stranger(s);
	else
		send_stop(&s->house);
	return true;
}

static void a_record_that_cannot_be_relied_upon_is_no_answer(void **state)
{
	struct strangers s = {.step = 0};

	(void)state;
	cs_history_make(&s.house.h);
	start_with(&s.house, on_ocsp_message);
	(void)cs_loop_run(s.house.loop);
	assert_int_equal(s.seen[0], CS_OCSP_TRY_LATER);
	assert_int_equal(s.seen[1], CS_OCSP_MALFORMED);
	assert_int_equal(s.seen[2], CS_OCSP_TRY_LATER);
	assert_int_equal(s.seen[3], CS_OCSP_TRY_LATER);
	assert_int_equal(finish(&s.house), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			answers_once_the_ledger_works_and_stops_when_told),
		cmocka_unit_test(ends_with_75_when_parent_is_gone),
		cmocka_unit_test(
			a_record_that_cannot_be_relied_upon_is_no_answer),
	};

	return cs_test_run("store/reader", tests);
}
