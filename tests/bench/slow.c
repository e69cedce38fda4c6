/*
 * Slow clients by the thousand against a running house.
 *
 *	slow HOST PORT CA_FILE TOKEN FRONT_PID P99_MS MEMORY PHASE...
 *
 * A phase is one of
 *	alone SECONDS		the good client, nobody else
 *	plain N			N connections without TLS, half of them silent,
 *				half with an octet of a ClientHello a second;
 *				all at once, until the server has cut them
 *	tls N			N behind a handshake, an octet of a head a
 *				second; all at once, until they are cut
 *	both N M SECONDS	N plain and M TLS at all times: who is cut
 *				comes again
 *	shakes RATE SECONDS	so many handshakes a second, and nothing more
 *
 * Each prints what came of it and what the good client saw. Memory is the
 * growth of front for each connection, and only right for the first phase of
 * a fresh house; MEMORY 0 does not judge it. The exit status is 0 if all held.
 */
#include "tests/bench/slow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/* The server's deadlines for a handshake and a head, and what may be late. */
#define DEADLINE (5 * NS_S)
#define LATE	 (1 * NS_S)
/* Octets of memory for each connection. */
#define PLAIN_BYTES 4096
#define TLS_BYTES   24576
/* Handshakes under way at once. */
#define SHAKING 64

struct run {
	const char *host, *ca_file, *token;
	int port, front;
	int64_t p99_ns;
	bool judge_memory;
};

/* Resident octets of front. */
static int64_t resident(const struct run *r)
{
	char path[64], line[128];
	long long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", r->front);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtoll(line + 6, NULL, 10);
	if (f != NULL)
		fclose(f);
	if (kib < 0)
		bench_die("process %d has no memory", r->front);
	return kib * 1024;
}

/*
 * Descriptors for the crowd; without them nothing is measured. It gives way to
 * the server, as a crowd on other machines would.
 */
static void be_many(size_t n)
{
	struct rlimit l;

	(void)!nice(10);
	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_cur < n + 64)
		bench_die("NOT RUN: %zu connections need a hard limit of %zu "
			  "descriptors, it is %llu",
			  n, n + 64, (unsigned long long)l.rlim_cur);
}

static int good_from(const struct run *r, struct good **ret)
{
	return good_start(r->host, r->port, r->ca_file, r->token, ret);
}

static int alone(const struct run *r, int64_t seconds)
{
	struct good *g;
	int pid = good_from(r, &g);

	sleep((unsigned)seconds);
	return good_end(pid, g, "alone", r->p99_ns);
}

/* Kinds of the first, the second... peer. */
static enum peer_kind plain_kind(size_t i)
{
	return i % 2 == 0 ? PEER_SILENT : PEER_HELLO;
}

/* What became of a crowd that was let be until all were cut. */
static int judge(const struct run *r, const struct crowd *c, const char *what,
		 int64_t grown, int64_t allowed)
{
	int64_t each = grown / (int64_t)(c->open_max == 0 ? 1 : c->open_max);
	bool fat = r->judge_memory && each > allowed;
	bool late = c->life_max > DEADLINE + LATE;
	bool early = c->life_min < DEADLINE - LATE;

	printf("%s: %zu opened, %zu open at once, %zu refused; front grew by "
	       "%.1f MiB, %lld octets each (allowed %lld): %s; %zu cut after "
	       "%.2f to %.2f s: %s\n",
	       what, c->opened, c->open_max, c->refused,
	       (double)grown / 1048576, (long long)each, (long long)allowed,
	       !r->judge_memory ? "not judged"
	       : fat		? "TOO MUCH"
				: "held",
	       c->cut, (double)c->life_min / 1e9, (double)c->life_max / 1e9,
	       late	 ? "TOO LATE"
	       : early	 ? "TOO EARLY"
	       : c->open ? "NOT ALL"
			 : "all");
	return fat || late || early || c->open > 0 || c->cut == 0 ||
	       c->refused > 0;
}

/* n peers of one sort, all at once, until the server has cut them. */
static int once(const struct run *r, const char *what, size_t n)
{
	bool tls = what[0] == 't';
	int64_t before = resident(r), grown = 0, now;
	int64_t end = bench_ns(CLOCK_MONOTONIC) + 60 * NS_S;
	struct crowd c;
	struct good *g;
	int pid, bad;

	pid = good_from(r, &g);
	be_many(n);
	crowd_init(&c, r->host, r->port, n);
	for (size_t i = 0; i < n;) {
		if (c.shaking < SHAKING)
			crowd_open(&c, i, tls ? PEER_HEAD : plain_kind(i)), i++;
		if (i % 64 == 0 || c.shaking >= SHAKING)
			crowd_turn(&c, 0);
	}
	do {
		crowd_turn(&c, NS_S / 10);
		now = resident(r) - before;
		grown = now > grown ? now : grown;
	} while (c.open + c.shaking > 0 && bench_ns(CLOCK_MONOTONIC) < end);
	bad = judge(r, &c, what, grown, tls ? TLS_BYTES : PLAIN_BYTES);
	crowd_done(&c);
	return good_end(pid, g, what, r->p99_ns) | bad;
}

/* Keep so many of both sorts there. */
static int both(const struct run *r, size_t plain, size_t tls, int64_t seconds)
{
	size_t n = plain + tls;
	int64_t end;
	struct crowd c;
	struct good *g;
	int pid, bad;

	pid = good_from(r, &g);
	be_many(n);
	crowd_init(&c, r->host, r->port, n);
	end = bench_ns(CLOCK_MONOTONIC) + seconds * NS_S;
	for (size_t i = 0; bench_ns(CLOCK_MONOTONIC) < end; i++) {
		size_t at = i % n;

		if (c.peers[at].fd < 0 && c.shaking < SHAKING)
			crowd_open(&c, at,
				   at < plain ? plain_kind(at) : PEER_HEAD);
		if (i % 64 == 0)
			crowd_turn(&c, 0);
	}
	bad = c.life_max > DEADLINE + LATE || c.open_max < n / 2;
	printf("both: %zu + %zu wanted for %lld s, %zu open at most, %zu "
	       "opened, %zu cut after at most %.2f s, %zu refused: %s\n",
	       plain, tls, (long long)seconds, c.open_max, c.opened, c.cut,
	       (double)c.life_max / 1e9, c.refused, bad ? "NOT HELD" : "held");
	crowd_done(&c);
	return good_end(pid, g, "both", r->p99_ns) | bad;
}

/* Handshakes, so many a second, for nothing. */
static int shakes(const struct run *r, size_t rate, int64_t seconds)
{
	size_t n = rate * (size_t)seconds, i = 0;
	int64_t start;
	struct crowd c;
	struct good *g;
	int pid;

	pid = good_from(r, &g);
	be_many(n < 4096 ? n : 4096);
	crowd_init(&c, r->host, r->port, n);
	start = bench_ns(CLOCK_MONOTONIC);
	while (i < n || c.shaking > 0) {
		int64_t ns = bench_ns(CLOCK_MONOTONIC) - start;

		while (i < n && (int64_t)i * NS_S < ns * (int64_t)rate &&
		       c.shaking < SHAKING)
			crowd_open(&c, i++, PEER_SHAKE);
		crowd_turn(&c, 0);
		if (ns > 6 * seconds * NS_S)
			break;
	}
	printf("shakes: %zu handshakes in %.2f s (wanted %zu a second), %zu "
	       "refused\n",
	       c.opened - c.refused,
	       (double)(bench_ns(CLOCK_MONOTONIC) - start) / 1e9, rate,
	       c.refused);
	crowd_done(&c);
	return good_end(pid, g, "shakes", r->p99_ns);
}

static long number(char **argv, int i)
{
	long n = argv[i] == NULL ? 0 : strtol(argv[i], NULL, 10);

	if (n <= 0)
		bench_die("%s: a number above 0 is missing", argv[i - 1]);
	return n;
}

int main(int argc, char **argv)
{
	struct run r;
	int bad = 0, i;

	if (argc < 9)
		bench_die("usage: slow HOST PORT CA_FILE TOKEN FRONT_PID "
			  "P99_MS MEMORY PHASE...");
	setvbuf(stdout, NULL, _IOLBF, 0);
	r = (struct run){.host = argv[1],
			 .port = (int)number(argv, 2),
			 .ca_file = argv[3],
			 .token = argv[4],
			 .front = (int)number(argv, 5),
			 .p99_ns = number(argv, 6) * 1000000,
			 .judge_memory = argv[7][0] != '0'};
	for (i = 8; i < argc;) {
		if (strcmp(argv[i], "alone") == 0) {
			bad |= alone(&r, number(argv, i + 1));
			i += 2;
		} else if (strcmp(argv[i], "plain") == 0 ||
			   strcmp(argv[i], "tls") == 0) {
			bad |= once(&r, argv[i], (size_t)number(argv, i + 1));
			i += 2;
		} else if (strcmp(argv[i], "both") == 0) {
			bad |= both(&r, (size_t)number(argv, i + 1),
				    (size_t)number(argv, i + 2),
				    number(argv, i + 3));
			i += 4;
		} else if (strcmp(argv[i], "shakes") == 0) {
			bad |= shakes(&r, (size_t)number(argv, i + 1),
				      number(argv, i + 2));
			i += 3;
		} else {
			bench_die("%s is no phase", argv[i]);
		}
	}
	return bad;
}
