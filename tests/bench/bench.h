/*
 * The load generator's parts. It is a program of its own: its processor time
 * is never counted as the server's.
 */
#ifndef CS_TESTS_BENCH_BENCH_H
#define CS_TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* A program of the tests, which base/banned.h does not hold. */
CS_OWNS_BANNED

/* Nanoseconds of a clock (CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID). */
int64_t bench_ns(int clock);

/* The value below which `per_mille` of the n samples lie; sorts them. */
int64_t bench_quantile(int64_t *samples, size_t n, unsigned per_mille);

/* End the program with a sentence. */
void bench_die(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* What BENCH_NAMES may say. */
#define BENCH_MAX_NAMES 50
/*
 * Bodies of POST /v1/requests, each with a CSR for a key of its own (P-256;
 * one DNS name, or as many as BENCH_NAMES says). The caller owns array and
 * texts.
 */
char **bench_bodies(size_t n, const char *issuer);

/* Nanoseconds of CPU for one P-256 verify + sign + verify, contexts reused. */
int64_t bench_floor_ns(void);

/* p50 and p99 in ns of append 4 KiB + fdatasync in a directory. */
void bench_fsync(const char *dir, int64_t *ret_p50, int64_t *ret_p99);

/* CPU of the house's processes. */
#define BENCH_MAX_PROCESSES 32
struct bench_cpu {
	size_t n;
	struct {
		int pid;
		char name[32];
		int64_t ns; /* user + system, since it started */
	} process[BENCH_MAX_PROCESSES];
};
/* The process and its children. */
void bench_cpu_read(int pid, struct bench_cpu *ret);

/* Serials of certificates that were issued, in hexadecimal. */
struct bench_serials {
	char (*hex)[48]; /* owned, grows */
	size_t n, cap;
};

/* One round: so many connections, each with one request at a time. */
struct bench_round {
	const char *host;
	int port;
	const char *ca_file;
	const char *token;
	size_t clients;
	char **bodies; /* each is sent once: JSON to POST, or a path to GET */
	size_t bodies_n;
	int64_t max_ns; /* stop sending new ones after this long */
	/* More than the house takes: bodies are sent again and again, from
	   many loopback addresses; 503 with Retry-After is waited for. */
	bool crowds;
	/* results */
	int64_t *latency_ns;	       /* of bodies_n; caller owns */
	struct bench_serials *serials; /* of what was issued; NULL: not kept */
	size_t done;		       /* answered 200 or 201 */
	size_t busy;		       /* told to come back, and did */
	size_t failed;		       /* anything else */
	int64_t elapsed_ns;
};
void bench_run(struct bench_round *round);

#endif
