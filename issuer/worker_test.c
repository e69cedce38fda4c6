#include <tests/lib/test.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ipc.h"
#include "issuer/worker.h"
#include <tests/lib/ca_maker.h>
#include <tests/lib/csr_maker.h>
#include <tests/lib/judge_maker.h>

#define SCALARS "{\"issuer\":\"default\",\"requester\":\"alice\"}"

enum peer {
	PARENT,
	FRONT,
	LEDGER,
	PEERS
};

/* A worker in a child process, with this program as all its peers. */
struct fixture {
	struct ca_maker maker;
	struct cs_key *key;
	struct cs_loop *loop;
	struct cs_link *links[PEERS]; /* our ends */
	pid_t pid;
	struct cs_buf csr, body;

	/* What came: how many messages, and the last of them. */
	unsigned came;
	unsigned number;
	uint64_t ticket;
	struct cs_buf got;
	bool gone;
};

static int64_t at_test_time(void *ctx)
{
	(void)ctx;
	return CA_MAKER_NOW * 1000;
}

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	struct fixture *f = ctx;

	(void)link;
	(void)fd;
	(void)err;
	/* One turn of the loop may bring several; their order is known. */
	assert_true(f->number != number || ticket > f->ticket);
	f->came++;
	f->number = number;
	f->ticket = ticket;
	cs_buf_reset(&f->got);
	cs_buf_add(&f->got, body);
	cs_loop_stop(f->loop, 0);
	return true;
}

static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct fixture *f = ctx;

	(void)link;
	(void)why;
	f->gone = true;
	cs_loop_stop(f->loop, 0);
}

/* In the child: only its own ends are open, as `cli/` sees to it. */
static void run_child(struct fixture *f, const int ours[PEERS],
		      const int theirs[PEERS])
{
	struct cs_log log = {.fd = open("/dev/null", O_WRONLY),
			     .room = "worker",
			     .level = CS_LOG_ERROR,
			     .clock = cs_clock_system()};
	const struct cs_judge_issuer issuer = {.ca = f->maker.ca,
					       .ceiling = &f->maker.ceiling};
	const struct cs_worker_config c = {
		.parent_fd = theirs[PARENT],
		.front_fd = theirs[FRONT],
		.ledger_fd = theirs[LEDGER],
		.issuers = &issuer,
		.issuers_n = 1,
		.clock = {.wall_ms = at_test_time, .boot_ms = at_test_time},
		.log = &log,
	};

	for (size_t i = 0; i < PEERS; i++)
		close(ours[i]);
	alarm(60);
	_exit(cs_worker_run(&c));
}

static void start_worker(struct fixture *f)
{
	static const enum cs_room rooms[PEERS] = {CS_ROOM_P, CS_ROOM_F,
						  CS_ROOM_L};
	int ours[PEERS], theirs[PEERS], pair[2];

	for (size_t i = 0; i < PEERS; i++) {
		assert_true(cs_link_pair(pair, NULL));
		ours[i] = pair[0];
		theirs[i] = pair[1];
	}
	f->pid = fork();
	if (f->pid == 0)
		run_child(f, ours, theirs);
	f->loop = cs_loop_new(NULL);
	for (size_t i = 0; i < PEERS; i++) {
		close(theirs[i]);
		f->links[i] = cs_link_new(f->loop, ours[i], rooms[i], CS_ROOM_W,
					  on_message, on_gone, f, NULL);
		assert_non_null(f->links[i]);
	}
	f->gone = false;
	f->came = 0;
	f->number = 0;
	cs_loop_run(f->loop);
	assert_int_equal(f->number, CS_MSG_READY);
}

static int end_worker(struct fixture *f)
{
	int status;

	/* As in an orderly stop: front first, parent last. */
	cs_link_free(f->links[FRONT]);
	cs_link_free(f->links[LEDGER]);
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	cs_link_free(f->links[PARENT]);
	cs_loop_free(f->loop);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Send f->body; wait for what comes back. */
static void ask(struct fixture *f, enum peer peer, unsigned number,
		uint64_t ticket)
{
	f->number = 0;
	assert_true(cs_link_send(f->links[peer], number, ticket,
				 cs_buf_span(&f->body), -1, NULL));
	cs_loop_run(f->loop);
}

static void put_set(struct fixture *f, uint64_t epoch)
{
	cs_buf_reset(&f->body);
	judge_make_set(NULL, epoch, &f->body);
	assert_true(cs_link_send(f->links[LEDGER], CS_MSG_SET, 0,
				 cs_buf_span(&f->body), -1, NULL));
}

static void put_request(struct fixture *f)
{
	const struct csr_maker m = {.key = f->key};

	csr_make(&m, &f->csr);
	cs_buf_reset(&f->body);
	judge_make_request(SCALARS, cs_buf_span(&f->csr), &f->body);
}

static void put_check(struct fixture *f, const char *yaml, uint8_t apply)
{
	struct cs_msg_check m = {.apply = apply, .credential = 4, .uid = 1000};
	struct cs_buf files;

	cs_buf_init(&files, 100000);
	judge_make_files(yaml, &files);
	m.files = cs_buf_span(&files);
	cs_buf_reset(&f->body);
	cs_msg_check_encode(&m, &f->body);
	cs_buf_done(&files);
}

static int set_up(void **state)
{
	static struct fixture f;

	ca_make(&f.maker, CS_KEY_KIND_EC_P256, CS_KEYGEN_TWO_TIERS);
	f.key = cs_key_generate(CS_KEY_KIND_EC_P256, NULL);
	cs_buf_init(&f.csr, 100000);
	cs_buf_init(&f.body, 1000000);
	cs_buf_init(&f.got, 1000000);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	ca_done(&f->maker);
	cs_key_free(f->key);
	cs_buf_done(&f->csr);
	cs_buf_done(&f->body);
	cs_buf_done(&f->got);
	return 0;
}

static void sends_an_intent_or_a_refusal_to_the_ledger(void **state)
{
	struct fixture *f = *state;
	struct cs_msg_refusal refusal;
	struct cs_msg_intent intent;

	start_worker(f);
	put_set(f, 3);
	put_request(f);
	ask(f, FRONT, CS_MSG_REQUEST, 77);
	assert_int_equal(f->number, CS_MSG_INTENT);
	assert_int_equal(f->ticket, 77);
	assert_true(cs_msg_intent_decode(cs_buf_span(&f->got), &intent, NULL));
	assert_true(cs_span_equal(intent.request, cs_buf_span(&f->body)));
	assert_int_equal(intent.epoch, 3);
	cs_buf_reset(&f->body);
	judge_make_request(SCALARS, CS_SPAN_LIT("0"), &f->body);
	ask(f, FRONT, CS_MSG_REQUEST, 78);
	assert_int_equal(f->number, CS_MSG_REFUSAL);
	assert_int_equal(f->ticket, 78);
	assert_true(
		cs_msg_refusal_decode(cs_buf_span(&f->got), &refusal, NULL));
	assert_int_equal(end_worker(f), 0);
}

static void keeps_requests_until_there_is_a_set(void **state)
{
	struct fixture *f = *state;

	start_worker(f);
	put_request(f);
	for (uint64_t ticket = 1; ticket <= 3; ticket++)
		assert_true(cs_link_send(f->links[FRONT], CS_MSG_REQUEST,
					 ticket, cs_buf_span(&f->body), -1,
					 NULL));
	put_set(f, 3);
	while (f->came < 1 + 3 && !f->gone)
		cs_loop_run(f->loop);
	assert_int_equal(f->number, CS_MSG_INTENT);
	assert_int_equal(f->ticket, 3);
	assert_int_equal(end_worker(f), 0);
}

/* Front heard of a set before it came here: the request waits for it. */
static void judges_under_the_epoch_that_front_asks_for(void **state)
{
	const struct cs_msg_epoch epoch = {.epoch = 4};
	struct fixture *f = *state;
	struct cs_msg_intent intent;

	start_worker(f);
	put_set(f, 3);
	put_request(f);
	ask(f, FRONT, CS_MSG_REQUEST, 1);
	assert_true(cs_msg_intent_decode(cs_buf_span(&f->got), &intent, NULL));
	assert_int_equal(intent.epoch, 3);
	assert_true(cs_link_send_epoch(f->links[FRONT], 0, &epoch, NULL));
	assert_true(cs_link_send(f->links[FRONT], CS_MSG_REQUEST, 2,
				 cs_buf_span(&f->body), -1, NULL));
	put_set(f, 4);
	cs_loop_run(f->loop);
	assert_int_equal(f->ticket, 2);
	assert_true(cs_msg_intent_decode(cs_buf_span(&f->got), &intent, NULL));
	assert_int_equal(intent.epoch, 4);
	assert_int_equal(end_worker(f), 0);
}

static void waits_no_longer_for_a_set_that_does_not_load(void **state)
{
	const struct cs_msg_epoch epoch = {.epoch = 4};
	const struct cs_msg_set bad = {.epoch = 4,
				       .files = CS_SPAN_LIT("noise")};
	struct fixture *f = *state;
	struct cs_msg_intent intent;

	start_worker(f);
	put_set(f, 3);
	put_request(f);
	assert_true(cs_link_send_epoch(f->links[FRONT], 0, &epoch, NULL));
	assert_true(cs_link_send(f->links[FRONT], CS_MSG_REQUEST, 2,
				 cs_buf_span(&f->body), -1, NULL));
	assert_true(cs_link_send_set(f->links[LEDGER], 0, &bad, NULL));
	cs_loop_run(f->loop);
	assert_true(cs_msg_intent_decode(cs_buf_span(&f->got), &intent, NULL));
	assert_int_equal(intent.epoch, 3);
	assert_int_equal(end_worker(f), 0);
}

static void checks_a_set_without_one_in_force(void **state)
{
	struct cs_msg_checked checked;
	struct cs_msg_apply apply;
	struct fixture *f = *state;

	start_worker(f);
	put_check(f, NULL, 0);
	ask(f, FRONT, CS_MSG_CHECK, 5);
	assert_int_equal(f->number, CS_MSG_CHECKED);
	assert_int_equal(f->ticket, 5);
	assert_true(
		cs_msg_checked_decode(cs_buf_span(&f->got), &checked, NULL));
	assert_int_equal(checked.ok, 1);
	put_check(f, NULL, 1);
	ask(f, FRONT, CS_MSG_CHECK, 6);
	assert_int_equal(f->number, CS_MSG_APPLY);
	assert_int_equal(f->ticket, 6);
	assert_true(cs_msg_apply_decode(cs_buf_span(&f->got), &apply, NULL));
	assert_int_equal(apply.ok, 1);
	assert_int_equal(apply.credential, 4);
	assert_int_equal(apply.uid, 1000);
	assert_true(cs_span_equal_str(apply.engine, "countersign 0.1.0"));
	assert_int_equal(end_worker(f), 0);
}

static void tells_the_ledger_of_a_set_that_does_not_load(void **state)
{
	struct cs_msg_apply apply;
	struct fixture *f = *state;

	start_worker(f);
	put_set(f, 3);
	put_check(f, "kind: Nonsense\n", 1);
	ask(f, FRONT, CS_MSG_CHECK, 6);
	assert_int_equal(f->number, CS_MSG_APPLY);
	assert_true(cs_msg_apply_decode(cs_buf_span(&f->got), &apply, NULL));
	assert_int_equal(apply.ok, 0);
	/* And goes on under the old one. */
	put_request(f);
	ask(f, FRONT, CS_MSG_REQUEST, 7);
	assert_int_equal(f->number, CS_MSG_INTENT);
	assert_int_equal(end_worker(f), 0);
}

static void ends_at_noise(void **state)
{
	struct fixture *f = *state;

	start_worker(f);
	put_set(f, 3);
	cs_buf_reset(&f->body);
	cs_buf_add_str(&f->body, "noise");
	ask(f, FRONT, CS_MSG_REQUEST, 1);
	assert_true(f->gone);
	assert_int_equal(end_worker(f), 75);
}

static void stops_when_parent_says_so(void **state)
{
	const struct cs_msg_stop stop = {.drain_ms = 100};
	struct fixture *f = *state;

	start_worker(f);
	assert_true(cs_link_send_stop(f->links[PARENT], 0, &stop, NULL));
	cs_loop_run(f->loop);
	assert_true(f->gone);
	assert_int_equal(end_worker(f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_an_intent_or_a_refusal_to_the_ledger),
		cmocka_unit_test(keeps_requests_until_there_is_a_set),
		cmocka_unit_test(judges_under_the_epoch_that_front_asks_for),
		cmocka_unit_test(waits_no_longer_for_a_set_that_does_not_load),
		cmocka_unit_test(checks_a_set_without_one_in_force),
		cmocka_unit_test(tells_the_ledger_of_a_set_that_does_not_load),
		cmocka_unit_test(ends_at_noise),
		cmocka_unit_test(stops_when_parent_says_so),
	};

	alarm(120);
	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("issuer/worker", tests, set_up,
					    tear_down));
}
