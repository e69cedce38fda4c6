#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * A house that was killed takes a moment to be gone altogether: its rooms
 * die of their parent's death. A supervisor's restart must not lose to that.
 */
#define PATIENCE_MS 3000
#define STEP_MS	    20

/* Lock, waiting a little. False: errno says why. */
static bool lock_patiently(int fd)
{
	const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};

	for (int ms = 0; ms < PATIENCE_MS; ms += STEP_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK)
			return false;
		(void)nanosleep(&step, NULL);
	}
	errno = EWOULDBLOCK;
	return false;
}

int cs_lock_take(const char *dir, struct cs_error *err)
{
	char path[PATH_MAX];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/run", dir) >=
	    sizeof(path) - 8) {
		cs_error_set(err, CS_E_ARGUMENT, "%s: path too long", dir);
		return -1;
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/run/lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
		return -1;
	}
	if (!lock_patiently(fd)) {
		if (errno == EWOULDBLOCK)
			cs_error_set(err, CS_E_LOCKED,
				     "%s: another process runs this "
				     "installation",
				     path);
		else
			cs_error_set_errno(err, CS_E_IO, errno, "%s", path);
		close(fd);
		return -1;
	}
	return fd;
}

void cs_lock_drop(int fd)
{
	if (fd >= 0)
		close(fd);
}
