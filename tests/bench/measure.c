/* Clocks, quantiles, disk, processor time: what the bench measures with. */
#include "tests/bench/bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t bench_ns(int clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void bench_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

int64_t bench_quantile(int64_t *samples, size_t n, unsigned per_mille)
{
	if (n == 0)
		return 0;
	qsort(samples, n, sizeof(*samples), compare);
	return samples[(n - 1) * per_mille / 1000];
}

void bench_fsync(const char *dir, int64_t *ret_p50, int64_t *ret_p99)
{
	enum {
		ROUNDS = 500
	};
	static char block[4096];
	static int64_t ns[ROUNDS];
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/bench-fsync.tmp", dir);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		bench_die("cannot write in %s", dir);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t start = bench_ns(CLOCK_MONOTONIC);

		if (write(fd, block, sizeof(block)) != sizeof(block) ||
		    fdatasync(fd) != 0)
			bench_die("fdatasync failed in %s", dir);
		ns[i] = bench_ns(CLOCK_MONOTONIC) - start;
	}
	close(fd);
	unlink(path);
	*ret_p50 = bench_quantile(ns, ROUNDS, 500);
	*ret_p99 = bench_quantile(ns, ROUNDS, 990);
}

/*
 * Nanoseconds that a process ran, by the scheduler's own count; -1 where the
 * kernel keeps none, and ticks of 10 ms have to do.
 */
static int64_t run_ns(int pid)
{
	char path[64];
	int64_t ns = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return -1;
	if (fscanf(f, "%" SCNd64, &ns) != 1)
		ns = -1;
	fclose(f);
	return ns;
}

/* Add one process, if it is alive. */
static void cpu_add(int pid, struct bench_cpu *cpu)
{
	char path[64];
	char text[1024];
	char *end;
	unsigned long utime, stime;
	FILE *f;

	if (cpu->n == BENCH_MAX_PROCESSES)
		return;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	if (fgets(text, sizeof(text), f) == NULL) {
		fclose(f);
		return;
	}
	fclose(f);
	end = strrchr(text, ')');
	if (end == NULL ||
	    sscanf(end + 2,
		   "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		   &utime, &stime) != 2)
		return;
	*end = '\0';
	cpu->process[cpu->n].pid = pid;
	snprintf(cpu->process[cpu->n].name, sizeof(cpu->process[0].name),
		 "%.31s", strchr(text, '(') + 1);
	cpu->process[cpu->n].ns = run_ns(pid);
	if (cpu->process[cpu->n].ns < 0)
		cpu->process[cpu->n].ns = (int64_t)(utime + stime) *
					  1000000000 / sysconf(_SC_CLK_TCK);
	cpu->n++;
}

void bench_cpu_read(int pid, struct bench_cpu *ret)
{
	char path[64];
	FILE *f;
	int child;

	ret->n = 0;
	cpu_add(pid, ret);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (f == NULL)
		bench_die("process %d is not there", pid);
	while (fscanf(f, "%d", &child) == 1)
		cpu_add(child, ret);
	fclose(f);
}
