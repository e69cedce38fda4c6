/*
 * Load generator: TLS keep-alive, so many clients with one request each,
 * P-256, a new key and CSR for every request, made beforehand.
 *
 *	load HOST PORT CA_FILE TOKEN HOUSE_PID DATA_DIR SECONDS CLIENTS...
 *
 * Prints conditions, and for each number of clients rate, latency, CPU per
 * certificate by process, and the ratio to the floor measured in this run.
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

/* CSRs made for one second of the fastest round that is expected. */
#define PER_SECOND 6000

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

/* One number of clients. Returns how many requests failed. */
static size_t round_of(char **argv, size_t clients, int64_t seconds,
		       int64_t floor_ns)
{
	struct bench_cpu before, after;
	struct bench_round r = {.host = argv[1],
				.port = atoi(argv[2]),
				.ca_file = argv[3],
				.token = argv[4],
				.clients = clients,
				.max_ns = seconds * 1000000000};
	int house = atoi(argv[5]);
	int64_t cpu;

	r.bodies_n = (size_t)seconds * PER_SECOND;
	r.bodies = bench_bodies(r.bodies_n, "default");
	r.latency_ns = calloc(r.bodies_n, sizeof(*r.latency_ns));
	if (r.latency_ns == NULL)
		bench_die("out of memory");
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
	for (size_t i = 0; i < r.bodies_n; i++)
		free(r.bodies[i]);
	free(r.bodies);
	free(r.latency_ns);
	return r.failed;
}

int main(int argc, char **argv)
{
	size_t failed = 0;

	if (argc < 9)
		bench_die("usage: load HOST PORT CA_FILE TOKEN HOUSE_PID "
			  "DATA_DIR SECONDS CLIENTS...");
	setvbuf(stdout, NULL, _IOLBF, 0);
	print_conditions(argv[6]);
	for (int i = 8; i < argc; i++) {
		/* Measured beside each round: the machine's speed drifts. */
		int64_t floor_ns = bench_floor_ns();

		failed += round_of(argv, strtoul(argv[i], NULL, 10),
				   atoi(argv[7]), floor_ns);
	}
	return failed == 0 ? 0 : 1;
}
