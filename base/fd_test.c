#include <tests/lib/test.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

static void all_octets_come_through_a_pipe_that_is_small(void **state)
{
	static uint8_t sent[300000];
	uint8_t piece[1024];
	size_t got = 0;
	ssize_t n;
	int ends[2];
	pid_t child;

	(void)state;
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7 / 3);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		_exit(cs_fd_write(ends[1], cs_span_make(sent, sizeof(sent)))
			      ? 0
			      : 1);
	}
	close(ends[1]);
	while ((n = read(ends[0], piece, sizeof(piece))) > 0) {
		assert_memory_equal(piece, sent + got, (size_t)n);
		got += (size_t)n;
	}
	assert_int_equal(got, sizeof(sent));
	close(ends[0]);
}

static void what_cannot_be_written_says_why(void **state)
{
	int ends[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	errno = 0;
	assert_false(cs_fd_write(ends[1], CS_SPAN_LIT("x")));
	assert_int_equal(errno, EPIPE);
	assert_true(cs_fd_write(ends[1], CS_SPAN_LIT("")));
	close(ends[1]);
	errno = 0;
	assert_false(cs_fd_write(-1, CS_SPAN_LIT("x")));
	assert_int_equal(errno, EBADF);
}

static void a_pipe_is_read_until_its_end(void **state)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf out;
	struct cs_error err = {0};
	int end[2];

	(void)state;
	cs_buf_init(&out, 8);
	assert_int_equal(pipe(end), 0);
	assert_true(cs_fd_write(end[1], CS_SPAN_LIT("four")));
	assert_true(cs_fd_write(end[1], CS_SPAN_LIT("four")));
	close(end[1]);
	assert_true(cs_fd_read(end[0], "the pipe", &out, &err));
	assert_string_equal(cs_buf_str(&out), "fourfour");
	close(end[0]);
	assert_false(cs_fd_read(-1, "the pipe", &out, &err));
	assert_string_equal(err.text, "the pipe: Bad file descriptor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_octets_come_through_a_pipe_that_is_small),
		cmocka_unit_test(what_cannot_be_written_says_why),
		cmocka_unit_test(a_pipe_is_read_until_its_end),
	};

	return (cmocka_set_message_output(CM_OUTPUT_TAP),
		cmocka_run_group_tests_name("base/fd", tests, NULL, NULL));
}
