/*
 * Load generator: TLS keep-alive, so many clients with one request each,
 * P-256, a new key and CSR for every request, made beforehand.
 *
 *	load HOST PORT CA_FILE TOKEN HOUSE_PID DATA_DIR SECONDS STEP...
 *
 * Prints conditions, and for each step that is a number of clients rate,
 * latency, CPU per certificate by process, and the ratio to the floor
 * measured in this run. A step +N issues N certificates at full speed, for
 * the next steps to have a history behind them. The step `look` asks for
 * certificates by serial, any of those issued before. The step `overload`
 * is ten times as many clients as there may be requests under way, for six
 * times SECONDS, beside the rate of 64: who is told to come back does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include "tests/bench/bench.h"

/*
 * CSRs made for one second of a round, by one client alone or many together;
 * a faster round ends with the last of them.
 */
#define PER_SECOND_ALONE 1000
#define PER_SECOND	 3000
/* A history is issued in rounds of this many, by so many clients. */
#define HISTORY_ROUND	10000
#define HISTORY_CLIENTS 64
/* Ten times what may be under way (CS_MAX_IN_FLIGHT), beside those clients
 * that come near it; goodput in per cent that has to stay. */
#define CROWD	     1280
#define CROWD_PEAK   64
#define CROWD_LASTS  6
#define CROWD_BODIES 3000
#define GOODPUT	     90
/* Questions by serial. */
#define LOOKS 2000

/* The first line of /proc/cpuinfo that names the model. */
static void print_cpu(void)
{
	char line[256];
	FILE *f = fopen("/proc/cpuinfo", "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "model name", 10) == 0) {
			printf("cpu        %s", strchr(line, ':') + 2);
			break;
		}
	}
	if (f != NULL)
		fclose(f);
}

static void print_conditions(const char *dir)
{
	struct utsname u;
	int64_t p50, p99;

	uname(&u);
	bench_fsync(dir, &p50, &p99);
	printf("cores      %ld, shared with this load generator\n",
	       sysconf(_SC_NPROCESSORS_ONLN));
	print_cpu();
	printf("kernel     %s\n", u.release);
	printf("libraries  %s; SQLite %s; libevent %s\n",
	       OpenSSL_version(OPENSSL_VERSION), sqlite3_libversion(),
	       event_get_version());
	printf("fsync      append 4 KiB + fdatasync: p50 %.3f ms, p99 %.3f "
	       "ms\n",
	       (double)p50 / 1e6, (double)p99 / 1e6);
}

/* CPU of each process since `before`, per certificate. */
static int64_t print_cpu_use(const struct bench_cpu *before,
			     const struct bench_cpu *after, size_t done)
{
	int64_t total = 0;

	printf("  cpu/certificate");
	for (size_t i = 0; i < after->n; i++) {
		int64_t ns = after->process[i].ns;

		for (size_t k = 0; k < before->n; k++) {
			if (before->process[k].pid == after->process[i].pid)
				ns -= before->process[k].ns;
		}
		total += ns;
		printf("  %s %.1f", after->process[i].name,
		       (double)ns / 1e3 / (double)done);
	}
	printf("  (µs)\n");
	return total;
}

/* Bodies, if they are not there yet, and room for what comes of them. */
static void round_init(struct bench_round *r, char **argv, size_t clients,
		       char **bodies, size_t bodies_n)
{
	*r = (struct bench_round){.host = argv[1],
				  .port = atoi(argv[2]),
				  .ca_file = argv[3],
				  .token = argv[4],
				  .clients = clients,
				  .bodies = bodies,
				  .bodies_n = bodies_n,
				  .max_ns = INT64_MAX};
	if (bodies == NULL)
		r->bodies = bench_bodies(bodies_n, "default");
	r->latency_ns = calloc(bodies_n, sizeof(*r->latency_ns));
	if (r->latency_ns == NULL)
		bench_die("out of memory");
}

static void round_done(struct bench_round *r)
{
	for (size_t i = 0; i < r->bodies_n; i++)
		free(r->bodies[i]);
	free(r->bodies);
	free(r->latency_ns);
}

/* One number of clients. Returns how many requests failed. */
static size_t measure(char **argv, size_t clients, int64_t seconds,
		      struct bench_serials *serials)
{
	size_t per_second = clients == 1 ? PER_SECOND_ALONE : PER_SECOND;
	struct bench_cpu before, after;
	struct bench_round r;
	int house = atoi(argv[5]);
	int64_t cpu, floor_ns;

	if (clients == 0 || seconds <= 0)
		bench_die("clients and seconds are numbers above 0");
	round_init(&r, argv, clients, NULL, (size_t)seconds * per_second);
	r.max_ns = seconds * 1000000000;
	r.serials = serials;
	/* Beside each round: the machine's speed drifts. */
	floor_ns = bench_floor_ns();
	bench_cpu_read(house, &before);
	bench_run(&r);
	bench_cpu_read(house, &after);
	if (r.done == 0)
		bench_die("%zu clients: no certificate", clients);
	printf("%zu clients: %zu certificates in %.2f s, %.0f/s, p50 %.2f ms, "
	       "p99 %.2f ms, %zu failed\n",
	       clients, r.done, (double)r.elapsed_ns / 1e9,
	       (double)r.done * 1e9 / (double)r.elapsed_ns,
	       (double)bench_quantile(r.latency_ns, r.done, 500) / 1e6,
	       (double)bench_quantile(r.latency_ns, r.done, 990) / 1e6,
	       r.failed);
	cpu = print_cpu_use(&before, &after, r.done);
	printf("  all %.1f µs, floor %.1f µs (verify, sign, verify), ratio "
	       "%.2f\n",
	       (double)cpu / 1e3 / (double)r.done, (double)floor_ns / 1e3,
	       (double)cpu / (double)r.done / (double)floor_ns);
	round_done(&r);
	return r.failed;
}

/* Certificates from before the measurement. Returns how many failed. */
static size_t fill(char **argv, size_t wanted, struct bench_serials *serials)
{
	size_t left = wanted, failed = 0;
	int64_t ns = 0;

	while (left > 0) {
		size_t n = left < HISTORY_ROUND ? left : HISTORY_ROUND;
		struct bench_round r;

		round_init(&r, argv, HISTORY_CLIENTS, NULL, n);
		r.serials = serials;
		bench_run(&r);
		ns += r.elapsed_ns;
		failed += r.failed;
		left -= n;
		round_done(&r);
	}
	printf("history: %zu certificates more, %.0f/s, %zu failed\n", wanted,
	       (double)wanted * 1e9 / (double)ns, failed);
	return failed;
}

/* Certificates by serial, one question at a time. How many failed. */
static size_t look(char **argv, const struct bench_serials *serials)
{
	char **paths = calloc(LOOKS, sizeof(*paths));
	struct bench_round r;
	uint32_t random = 1;

	if (paths == NULL || serials->n == 0)
		bench_die("nothing was issued that could be looked for");
	for (size_t i = 0; i < LOOKS; i++) {
		paths[i] = calloc(1, 80);
		if (paths[i] == NULL)
			bench_die("out of memory");
		random = random * 1664525 + 1013904223;
		snprintf(paths[i], 80, "/v1/certificates/%s",
			 serials->hex[(uint64_t)random * serials->n >> 32]);
	}
	round_init(&r, argv, 1, paths, LOOKS);
	bench_run(&r);
	printf("look-up by serial: %zu of %zu, p50 %.3f ms, p99 %.3f ms, %zu "
	       "failed\n",
	       r.done, serials->n,
	       (double)bench_quantile(r.latency_ns, r.done, 500) / 1e6,
	       (double)bench_quantile(r.latency_ns, r.done, 990) / 1e6,
	       r.failed);
	round_done(&r);
	return r.failed;
}

/* So many clients with bodies that are sent again and again. */
static double crowd(char **argv, size_t clients, int64_t seconds,
		    struct bench_round *r)
{
	struct bench_cpu before, after;
	int house = atoi(argv[5]);

	round_init(r, argv, clients, NULL, CROWD_BODIES);
	r->max_ns = seconds * 1000000000;
	r->crowds = true;
	bench_cpu_read(house, &before);
	bench_run(r);
	bench_cpu_read(house, &after);
	printf("%zu clients: %zu certificates, %zu told to come back\n",
	       clients, r->done, r->busy);
	(void)print_cpu_use(&before, &after, r->done == 0 ? 1 : r->done);
	return (double)r->done * 1e9 / (double)r->elapsed_ns;
}

/* Ten times too many. Returns how much did not hold. */
static size_t overload(char **argv, int64_t seconds)
{
	struct bench_round peak, over;
	double at_peak = crowd(argv, CROWD_PEAK, seconds, &peak);
	double at_over = crowd(argv, CROWD, seconds * CROWD_LASTS, &over);
	int64_t percent = (int64_t)(at_over * 100 / at_peak);
	size_t bad = peak.failed + over.failed + (percent < GOODPUT) +
		     (over.busy == 0);

	printf("overload: %d clients %.0f/s; %d clients for %lld s: %zu "
	       "certificates, %.0f/s, %lld %% of that (wanted %d), p50 %.0f "
	       "ms, p99 %.0f ms; %zu told to come back and served later, %zu "
	       "failed: %s\n",
	       CROWD_PEAK, at_peak, CROWD, (long long)seconds * CROWD_LASTS,
	       over.done, at_over, (long long)percent, GOODPUT,
	       (double)bench_quantile(over.latency_ns, CROWD_BODIES, 500) / 1e6,
	       (double)bench_quantile(over.latency_ns, CROWD_BODIES, 990) / 1e6,
	       over.busy, over.failed, bad == 0 ? "held" : "NOT HELD");
	round_done(&peak);
	round_done(&over);
	return bad;
}

int main(int argc, char **argv)
{
	struct bench_serials serials = {0};
	size_t failed = 0;

	if (argc < 9)
		bench_die("usage: load HOST PORT CA_FILE TOKEN HOUSE_PID "
			  "DATA_DIR SECONDS STEP...");
	setvbuf(stdout, NULL, _IOLBF, 0);
	print_conditions(argv[6]);
	for (int i = 8; i < argc; i++) {
		unsigned long n = strtoul(argv[i], NULL, 10);

		if (strcmp(argv[i], "overload") == 0)
			failed += overload(argv, atoi(argv[7]));
		else if (strcmp(argv[i], "look") == 0)
			failed += look(argv, &serials);
		else if (argv[i][0] == '+')
			failed += fill(argv, n, &serials);
		else
			failed += measure(argv, n, atoi(argv[7]), &serials);
	}
	free(serials.hex);
	return failed == 0 ? 0 : 1;
}
