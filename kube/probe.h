/*
 * /healthz, /readyz and /metrics, for the kubelet and for Prometheus: plain
 * HTTP/1.1, GET and HEAD, one request a connection.
 *
 * Nothing secret is told, nothing is taken: a head of 2 KiB at most within
 * five seconds, no body. At most CS_MAX_KUBE_PROBES connections; the next
 * ones are closed.
 */
#ifndef CS_KUBE_PROBE_H
#define CS_KUBE_PROBE_H

#include "base/buf.h"
#include "base/loop.h"

struct cs_probe;

struct cs_probe_config {
	struct cs_loop *loop;
	const char *address; /* "ADDR:PORT", "[ADDR]:PORT" */
	/* Append a line of text. False: 503. */
	bool (*ready)(void *ctx, struct cs_buf *out);
	void (*metrics)(void *ctx, struct cs_buf *out);
	void *ctx;
};

struct cs_probe *cs_probe_new(const struct cs_probe_config *config,
			      struct cs_error *err) CS_MUST_USE;
void cs_probe_free(struct cs_probe *p);

/* The port, where the address said 0. */
unsigned cs_probe_port(const struct cs_probe *p);

#endif
