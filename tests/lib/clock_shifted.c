/*
 * The clock of test programs: the system's, moved by what the file named in
 * CS_CLOCK_SHIFT_FILE says (milliseconds, signed decimal). Read again at
 * every call, so that a test can jump the wall clock of a running house; the
 * boot clock never moves.
 */
#include "base/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec ts = {0};

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* What the file says now; 0 without one. */
static int64_t shift_ms(void)
{
	const char *file = getenv("CS_CLOCK_SHIFT_FILE");
	char text[32] = "";
	int fd;

	if (file == NULL)
		return 0;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtoll(text, NULL, 10);
}

static int64_t wall_ms(void *ctx)
{
	(void)ctx;
	return read_ms(CLOCK_REALTIME) + shift_ms();
}

static int64_t boot_ms(void *ctx)
{
	(void)ctx;
	return read_ms(CLOCK_BOOTTIME);
}

static int64_t boot_us(void *ctx)
{
	struct timespec ts = {0};

	(void)ctx;
	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct cs_clock cs_clock_system(void)
{
	return (struct cs_clock){
		.wall_ms = wall_ms, .boot_ms = boot_ms, .boot_us = boot_us};
}
