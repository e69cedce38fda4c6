#include <tests/lib/test.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ipc.h"
#include "cli/command.h"
#include "cli/files.h"
#include "cli/house.h"
#include "cli/spawn.h"

/*
 * The house with rooms of straw: each says READY, and tells a pipe what it
 * is told, a line for each event. The real rooms are in cli/rooms.c, which
 * this program does not link.
 */
#define TRACE_FD 200

struct straw {
	struct cs_loop *loop;
	char name[16];
	int parent_fd;
	enum cs_room room;
};

static void trace(const struct straw *s, const char *what, unsigned n)
{
	dprintf(TRACE_FD, "%s %s %u\n", s->name, what, n);
}

static bool on_message(void *ctx, struct cs_link *link, unsigned number,
		       uint64_t ticket, struct cs_span body, int fd,
		       struct cs_error *err)
{
	struct straw *s = ctx;
	struct cs_msg_worker_link l;
	struct cs_msg_worker_gone g;
	struct cs_msg_policy_files p;

	(void)link;
	(void)ticket;
	if (number == CS_MSG_STOP) {
		trace(s, "stop", 0);
		cs_loop_stop(s->loop, 0);
		return true;
	}
	if (number == CS_MSG_WORKER_LINK) {
		assert_true(cs_msg_worker_link_decode(body, &l, err));
		trace(s, fd >= 0 ? "link" : "link without end", l.worker);
		return true; /* the end stays open, as a room's would */
	}
	if (number == CS_MSG_WORKER_GONE) {
		assert_true(cs_msg_worker_gone_decode(body, &g, err));
		trace(s, "gone", g.worker);
		return true;
	}
	if (number == CS_MSG_POLICY_FILES) {
		assert_true(cs_msg_policy_files_decode(body, &p, err));
		trace(s, p.ok ? "policies" : "no policies", 0);
	}
	return true;
}

static void on_gone(void *ctx, struct cs_link *link, const struct cs_error *why)
{
	struct straw *s = ctx;

	(void)why;
	cs_link_free(link);
	cs_loop_stop(s->loop, 75);
}

static int run_straw(void *ctx)
{
	struct straw *s = ctx;
	struct cs_msg_ready ready = {0};
	struct cs_link *link;

	s->loop = cs_loop_new(NULL);
	link = cs_link_new(s->loop, s->parent_fd, s->room, CS_ROOM_P,
			   on_message, on_gone, s, NULL);
	trace(s, "pid", (unsigned)getpid());
	if (link == NULL || !cs_link_send_ready(link, 0, &ready, NULL))
		return 1;
	return cs_loop_run(s->loop);
}

/* Fork one; `others` are its links to other rooms. */
static bool start(const char *name, enum cs_room room, int parent_fd,
		  const int *others, size_t n, pid_t *ret_pid,
		  struct cs_error *err)
{
	struct straw s = {.parent_fd = parent_fd, .room = room};
	struct cs_spawn spawn = {.name = name, .run = run_straw, .ctx = &s};

	snprintf(s.name, sizeof(s.name), "%s", name);
	cs_spawn_keep(&spawn, TRACE_FD);
	cs_spawn_keep(&spawn, parent_fd);
	for (size_t i = 0; i < n; i++)
		cs_spawn_keep(&spawn, others[i]);
	return cs_spawn_start(&spawn, ret_pid, err);
}

bool cs_rooms_start_signer(const struct cs_rooms *r, unsigned number,
			   int parent_fd, int ledger_fd, pid_t *ret_pid,
			   struct cs_error *err)
{
	(void)r;
	(void)number;
	return start("signer", CS_ROOM_S, parent_fd, &ledger_fd, 1, ret_pid,
		     err);
}

bool cs_rooms_start_ledger(const struct cs_rooms *r,
			   const struct cs_rooms_ledger_links *links,
			   pid_t *ret_pid, struct cs_error *err)
{
	const int others[] = {links->front_fd, links->reader_fd,
			      links->signer_fds[0]};

	(void)r;
	return start("ledger", CS_ROOM_L, links->parent_fd, others, 3, ret_pid,
		     err);
}

bool cs_rooms_start_reader(const struct cs_rooms *r, int parent_fd,
			   int front_fd, int ledger_fd, pid_t *ret_pid,
			   struct cs_error *err)
{
	const int others[] = {front_fd, ledger_fd};

	(void)r;
	return start("reader", CS_ROOM_R, parent_fd, others, 2, ret_pid, err);
}

bool cs_rooms_start_front(const struct cs_rooms *r, int parent_fd,
			  int ledger_fd, int reader_fd, pid_t *ret_pid,
			  struct cs_error *err)
{
	const int others[] = {ledger_fd, reader_fd};

	assert_int_equal(r->listens_n, 2);
	assert_false(r->listens[0].is_local);
	assert_true(r->listens[1].is_local);
	return start("front", CS_ROOM_F, parent_fd, others, 2, ret_pid, err);
}

bool cs_rooms_start_worker(const struct cs_rooms *r, unsigned number,
			   int parent_fd, int front_fd, int ledger_fd,
			   pid_t *ret_pid, struct cs_error *err)
{
	const int others[] = {front_fd, ledger_fd};
	char name[16];

	(void)r;
	snprintf(name, sizeof(name), "worker%u", number);
	return start(name, CS_ROOM_W, parent_fd, others, 2, ret_pid, err);
}

/* -- a house in a child, and what it tells ------------------------------- */

static char dir[64];
static pid_t house;
static int out_fd, trace_fd;
static char seen[65536];

static int run_house(int out)
{
	struct cs_log log = {.fd = open("/dev/null", O_WRONLY | O_CLOEXEC),
			     .room = "parent",
			     .clock = cs_clock_system()};
	struct cs_install in = {
		.dir = dir,
		.config = {.listen = {{"127.0.0.1:0"}, 1},
			   .workers = 2,
			   .signers = 1,
			   .tls_key = "elsewhere",
			   .tls_chain = "elsewhere"},
	};
	struct cs_house_config config = {
		.purpose = CS_HOUSE_SERVE,
		.install = &in,
		.passphrase_fd = -1,
		.clock = cs_clock_system(),
		.log = &log,
		.out = fdopen(out, "w"),
	};
	struct cs_error err = {0};

	return cs_house_run(&config, &err);
}

/* Wait until `text` stands in what came from fd; then forget it. */
static void expect(int fd, const char *text)
{
	size_t n = strlen(seen);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (strstr(seen, text) == NULL) {
		ssize_t got;

		if (poll(&p, 1, 10000) != 1)
			fail_msg("no `%s` in: %s", text, seen);
		got = read(fd, seen + n, sizeof(seen) - n - 1);
		if (got <= 0)
			fail_msg("no `%s` in: %s", text, seen);
		n += (size_t)got;
		seen[n] = '\0';
	}
}

/* The process of a room, as it told. The last one of that name. */
static pid_t pid_of(const char *name)
{
	char key[32];
	char *at = NULL;

	snprintf(key, sizeof(key), "%s pid ", name);
	expect(trace_fd, key);
	for (char *p = seen; (p = strstr(p, key)) != NULL; p++)
		at = p;
	return (pid_t)strtol(at + strlen(key), NULL, 10);
}

static int start_house(void **state)
{
	int out[2], trace_end[2];

	(void)state;
	seen[0] = '\0';
	snprintf(dir, sizeof(dir), "/tmp/cs-house-XXXXXX");
	if (mkdtemp(dir) == NULL || pipe(out) != 0 || pipe(trace_end) != 0 ||
	    dup2(trace_end[1], TRACE_FD) < 0)
		return -1;
	if (!cs_files_make_dir(dir, "policies", NULL))
		return -1;
	fflush(NULL);
	house = fork();
	if (house == 0) {
		close(out[0]);
		_exit(run_house(out[1]));
	}
	close(out[1]);
	close(trace_end[1]);
	close(TRACE_FD);
	out_fd = out[0];
	trace_fd = trace_end[0];
	return house < 0 ? -1 : 0;
}

static int end_house(void **state)
{
	(void)state;
	if (house > 0) {
		kill(house, SIGKILL);
		waitpid(house, NULL, 0);
	}
	close(out_fd);
	close(trace_fd);
	cs_files_remove_below(dir);
	return rmdir(dir);
}

static int wait_house(void)
{
	int status = 0;

	assert_int_equal(waitpid(house, &status, 0), house);
	house = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect_ready(void)
{
	expect(out_fd, "ready https://127.0.0.1:");
	seen[0] = '\0';
}

/* -- tests --------------------------------------------------------------- */

static void starts_the_ledger_first_and_gives_everybody_their_links(void **s)
{
	const char *ledger, *front;

	(void)s;
	expect_ready();
	expect(trace_fd, "ledger link 1\n");
	expect(trace_fd, "front link 0\n");
	expect(trace_fd, "front link 1\n");
	expect(trace_fd, "ledger link 0\n");
	ledger = strstr(seen, "ledger pid");
	front = strstr(seen, "front pid");
	assert_non_null(ledger);
	assert_non_null(front);
	assert_true(ledger < front);
}

static void stops_front_first_and_the_ledger_after_the_workers(void **s)
{
	const char *order[5];

	(void)s;
	expect_ready();
	kill(house, SIGTERM);
	assert_int_equal(wait_house(), 0);
	expect(trace_fd, "signer stop 0\n");
	order[0] = strstr(seen, "front stop");
	order[1] = strstr(seen, "worker1 stop");
	order[2] = strstr(seen, "reader stop");
	order[3] = strstr(seen, "ledger stop");
	order[4] = strstr(seen, "signer stop");
	for (int i = 0; i < 5; i++)
		assert_non_null(order[i]);
	for (int i = 1; i < 5; i++)
		assert_true(order[i - 1] < order[i]);
}

static void puts_a_new_worker_in_the_place_of_a_dead_one(void **s)
{
	pid_t first;

	(void)s;
	expect_ready();
	first = pid_of("worker1");
	expect(trace_fd, "ledger link 1\n");
	seen[0] = '\0';
	kill(first, SIGKILL);
	expect(trace_fd, "front gone 1\n");
	expect(trace_fd, "ledger gone 1\n");
	assert_int_not_equal(pid_of("worker1"), first);
	expect(trace_fd, "front link 1\n");
	expect(trace_fd, "ledger link 1\n");
	kill(house, SIGTERM);
	assert_int_equal(wait_house(), 0);
}

static void gives_up_when_workers_die_too_often(void **s)
{
	(void)s;
	expect_ready();
	for (int i = 0; i < 25 && kill(house, 0) == 0; i++) {
		pid_t pid = pid_of("worker0");

		seen[0] = '\0';
		kill(pid, SIGKILL);
		if (i >= 20)
			break;
	}
	assert_int_equal(wait_house(), CS_EXIT_AGAIN);
}

static void ends_with_any_other_room_and_takes_all_with_it(void **s)
{
	static const char *const rooms[] = {"reader", "front", "ledger",
					    "signer"};

	(void)s;
	for (size_t i = 0; i < 4; i++) {
		pid_t worker;

		if (i > 0)
			assert_int_equal(start_house(NULL), 0);
		expect_ready();
		worker = pid_of("worker0");
		kill(pid_of(rooms[i]), SIGKILL);
		assert_int_equal(wait_house(), CS_EXIT_AGAIN);
		assert_int_not_equal(kill(worker, 0), 0);
		if (i < 3)
			assert_int_equal(end_house(NULL), 0);
	}
}

static void hands_the_policy_files_on_at_sighup(void **s)
{
	(void)s;
	expect_ready();
	kill(house, SIGHUP);
	expect(trace_fd, "front policies 0\n");
	seen[0] = '\0';
	assert_true(cs_files_write(dir, "policies/a.yaml", CS_SPAN_LIT("a"),
				   0600, NULL));
	cs_files_remove_below(dir);
	kill(house, SIGHUP);
	expect(trace_fd, "front no policies 0\n");
}

#define HOUSE_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, start_house, end_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE_TEST(
			starts_the_ledger_first_and_gives_everybody_their_links),
		HOUSE_TEST(stops_front_first_and_the_ledger_after_the_workers),
		HOUSE_TEST(puts_a_new_worker_in_the_place_of_a_dead_one),
		HOUSE_TEST(gives_up_when_workers_die_too_often),
		HOUSE_TEST(ends_with_any_other_room_and_takes_all_with_it),
		HOUSE_TEST(hands_the_policy_files_on_at_sighup),
	};

	return cs_test_run("cli/house", tests);
}
