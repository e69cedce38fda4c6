#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child's side: never returns. */
CS_NORETURN static void run(bool (*fn)(void *ctx, struct cs_error *err),
			    void *ctx, int out)
{
	const struct rlimit no_core = {0, 0};
	struct cs_error err = {0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &no_core) != 0)
		_exit(1);
	if (fn(ctx, &err))
		_exit(0);
	/* `file` points to a literal, which parent has at the same place. */
	_exit(write(out, &err, sizeof(err)) == (ssize_t)sizeof(err) ? 2 : 1);
}

bool cs_child_call(bool (*fn)(void *ctx, struct cs_error *err), void *ctx,
		   struct cs_error *err)
{
	struct cs_error theirs = {0};
	int pipe_end[2];
	int status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(pipe_end, O_CLOEXEC) != 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "pipe");
	pid = fork();
	if (pid == 0) {
		close(pipe_end[0]);
		run(fn, ctx, pipe_end[1]);
	}
	close(pipe_end[1]);
	if (pid < 0) {
		close(pipe_end[0]);
		return cs_error_set_errno(err, CS_E_IO, errno, "fork");
	}
	n = read(pipe_end[0], &theirs, sizeof(theirs));
	close(pipe_end[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (n != (ssize_t)sizeof(theirs))
		return cs_error_set(err, CS_E_INTERNAL,
				    "a helper process died");
	if (err != NULL)
		*err = theirs;
	return false;
}
