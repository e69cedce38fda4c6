#include "cli/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/command.h"

void cs_spawn_keep(struct cs_spawn *s, int fd)
{
	if (fd < 0)
		return;
	assert(s->n_keep < CS_MAX_SPAWN_KEEP);
	s->keep[s->n_keep++] = fd;
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Close all descriptors but standard error and those kept. */
static bool close_others(struct cs_spawn *s)
{
	unsigned from = STDERR_FILENO + 1;

	qsort(s->keep, s->n_keep, sizeof(s->keep[0]), compare_fds);
	for (size_t i = 0; i < s->n_keep; i++) {
		unsigned fd = (unsigned)s->keep[i];

		if (fd < from)
			continue;
		if (fd > from && close_range(from, fd - 1, 0) != 0)
			return false;
		from = fd + 1;
	}
	return close_range(from, ~0U, 0) == 0;
}

/* Standard input and output lead nowhere. */
static bool detach_stdio(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		return false;
	return fd <= STDERR_FILENO || close(fd) == 0;
}

static bool set_signals(void)
{
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (sigaction(ignored[i], &ignore, NULL) != 0)
			return false;
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

/* Give up what a room does not need. */
static bool drop_rights(const char *name)
{
	const struct rlimit no_core = {0, 0};

	return prctl(PR_SET_NAME, name, 0, 0, 0) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	       setrlimit(RLIMIT_CORE, &no_core) == 0;
}

/* The child's side: never returns. */
CS_NORETURN static void child(struct cs_spawn *s, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
	    getppid() != parent || !set_signals() || !detach_stdio() ||
	    !close_others(s) || !drop_rights(s->name))
		_exit(CS_EXIT_AGAIN);
	_exit(s->run(s->ctx));
}

bool cs_spawn_start(struct cs_spawn *s, pid_t *ret_pid, struct cs_error *err)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return cs_error_set_errno(err, CS_E_IO, errno, "fork: %s",
					  s->name);
	if (pid == 0)
		child(s, parent);
	*ret_pid = pid;
	return true;
}
