/*
 * The failpoints of test programs: linked in front of base/failpoint.c.
 *
 * CS_FAILPOINTS="NAME=ACTION[@N],..." in the environment: at the N-th passage
 * of NAME in one process (default: the first) the process is killed (`kill`,
 * SIGKILL), exits at once with 99 (`exit`), crashes (`segv`), waits for ten
 * seconds (`pause`), or takes its own failure branch (`error`). With `@N+`
 * it happens at the N-th passage and every one after it.
 *
 * CS_FAILPOINT_ONCE=FILE: each action happens once in the installation's
 * life; FILE remembers by existing. So a house that is started again runs
 * through.
 */
#include "base/failpoint.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

/* Passages counted; a test names few points. */
#define MAX_POINTS 16

static struct point {
	const char *name;
	size_t name_n;
	unsigned passages;
} points[MAX_POINTS];

/* Count one passage of a point named in the environment. */
static unsigned count(const char *name, size_t n)
{
	for (size_t i = 0; i < MAX_POINTS; i++) {
		if (points[i].name == NULL) {
			points[i].name = name;
			points[i].name_n = n;
		}
		if (points[i].name_n == n &&
		    strncmp(points[i].name, name, n) == 0)
			return ++points[i].passages;
	}
	return 0;
}

/* May it happen still? Claims the one time there is. */
static bool claim(void)
{
	const char *file = getenv("CS_FAILPOINT_ONCE");
	int fd;

	if (file == NULL)
		return true;
	fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Do what the text behind `=` says. */
static bool act(const char *action)
{
	if (!claim())
		return false;
	if (strncmp(action, "kill", 4) == 0)
		raise(SIGKILL);
	if (strncmp(action, "segv", 4) == 0) {
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
	}
	if (strncmp(action, "exit", 4) == 0)
		_exit(99);
	if (strncmp(action, "pause", 5) == 0)
		sleep(10);
	return strncmp(action, "error", 5) == 0;
}

/* Is this the passage that NAME=ACTION[@N[+]] means? */
static bool due(const char *action, size_t n, unsigned passage)
{
	const char *at = memchr(action, '@', n);
	unsigned long want = 1;
	bool after = action[n - 1] == '+';

	if (at != NULL)
		want = strtoul(at + 1, NULL, 10);
	return passage == want || (after && passage > want);
}

bool cs_failpoint(const char *name)
{
	const char *spec = getenv("CS_FAILPOINTS");
	size_t name_n = strlen(name);

	while (spec != NULL && *spec != '\0') {
		size_t n = strcspn(spec, ",");
		const char *eq = memchr(spec, '=', n);

		if (eq != NULL && (size_t)(eq - spec) == name_n &&
		    strncmp(spec, name, name_n) == 0 &&
		    due(eq + 1, n - name_n - 1, count(spec, name_n)))
			return act(eq + 1);
		spec += n + (spec[n] == ',');
	}
	return false;
}

void cs_failpoint_signed(uint64_t seq, struct cs_span tbs)
{
	const char *file = getenv("CS_TRACE_FILE");
	unsigned char digest[32];
	char line[128];
	int n, fd;

	if (file == NULL ||
	    EVP_Digest(tbs.p, tbs.n, digest, NULL, EVP_sha256(), NULL) != 1)
		return;
	n = snprintf(line, sizeof(line), "%" PRIu64 " ", seq);
	for (size_t i = 0; i < sizeof(digest); i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%02x",
			      digest[i]);
	line[n++] = '\n';
	fd = open(file, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	/* One write: lines of several signers do not mix. */
	if (write(fd, line, (size_t)n) != n)
		fputs("the trace file is incomplete\n", stderr);
	close(fd);
}
