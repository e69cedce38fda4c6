#include "tests/lib/test.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/failpoint.h"

/* Status of a child that passes NAME times times. */
static int status_of(const char *name, int times)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		int errors = 0;

		for (int i = 0; i < times; i++)
			errors += cs_failpoint(name);
		_exit(errors);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void does_nothing_unless_it_is_named(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("CS_FAILPOINTS"), 0);
	assert_int_equal(status_of("a.b", 3), 0);
	assert_int_equal(setenv("CS_FAILPOINTS", "a.bc=kill,x=kill", 1), 0);
	assert_int_equal(status_of("a.b", 3), 0);
}

static void acts_at_the_passage_asked_for(void **state)
{
	(void)state;
	assert_int_equal(setenv("CS_FAILPOINTS", "x=error,a.b=kill@3", 1), 0);
	assert_int_equal(status_of("a.b", 2), 0);
	assert_true(WIFSIGNALED(status_of("a.b", 3)));
	assert_int_equal(WEXITSTATUS(status_of("x", 5)), 1);
	assert_int_equal(setenv("CS_FAILPOINTS", "a.b=error@2+", 1), 0);
	assert_int_equal(WEXITSTATUS(status_of("a.b", 5)), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_nothing_unless_it_is_named),
		cmocka_unit_test(acts_at_the_passage_asked_for),
	};

	return cs_test_run("tests/lib/failpoint", tests);
}
