/*
 * What an answer of Countersign means for a request in the cluster. Pure.
 *
 * Whoever reads the condition is the one who asked, so its message is the
 * whole account: the refusal's `detail` (made for that by the server: at most
 * three findings, each with rule and place, and what to do next), or what was
 * changed in what was issued.
 *
 * Nothing is final but a verdict about the request itself: cert-manager waits
 * an hour and more after a failure. Everything else is tried again.
 */
#ifndef CS_KUBE_VERDICT_H
#define CS_KUBE_VERDICT_H

#include "base/buf.h"
#include "kube/fetch.h"

enum cs_kube_outcome {
	CS_KUBE_ISSUED,
	CS_KUBE_FAILED,	 /* for good */
	CS_KUBE_HELD,	 /* by policy, or it waits: ask again */
	CS_KUBE_LATER,	 /* nothing was decided: ask again */
	CS_KUBE_NOT_OURS /* our right, issuer or address is not good */
};

struct cs_kube_verdict {
	enum cs_kube_outcome outcome;
	uint32_t retry_s;      /* Retry-After; 0: none */
	char code[64];	       /* "REFUSED", "HELD"...; "" */
	char serial[64];       /* ISSUED, in hex */
	struct cs_buf message; /* for the condition */
	size_t opening_n;      /* of it, how much stands before the reason */
	struct cs_buf certificate; /* ISSUED: PEM of the leaf and what is
				      between it and the root */
	struct cs_buf ca;	   /* ISSUED: PEM of the root, or empty */
};

/* Release with cs_kube_verdict_done(). A zeroed struct is allowed there. */
void cs_kube_verdict_read(const struct cs_fetch_result *r,
			  struct cs_kube_verdict *ret);
void cs_kube_verdict_done(struct cs_kube_verdict *v);

const char *cs_kube_outcome_name(enum cs_kube_outcome outcome);

#endif
