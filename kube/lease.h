/*
 * Which of several replicas works: a Lease of coordination.k8s.io.
 *
 * Whoever holds it renews it; who does not looks at it, and takes it once it
 * has not changed for its whole duration, measured by our own clock from when
 * we saw the change (the times in the record are other machines'). on_lead
 * is called when it is ours, on_lost once when it was and could not be renewed
 * in time or is another's: then this process has to end. In time is 10 s from
 * when the last renewal was asked for, to the millisecond, also while a call
 * hangs: others take over 15 s after they saw it at the earliest. A Lease is no
 * fence: what keeps two from issuing twice is the uid as idempotency key, and
 * the precondition of each write.
 */
#ifndef CS_KUBE_LEASE_H
#define CS_KUBE_LEASE_H

#include "kube/api.h"

struct cs_lease;

struct cs_lease_config {
	struct cs_kube_api *api;
	struct cs_loop *loop;
	struct cs_clock clock;
	struct cs_log *log;
	const char *namespace, *name;
	const char *identity;
	void (*on_lead)(void *ctx);
	void (*on_lost)(void *ctx);
	void (*on_released)(void *ctx); /* after cs_lease_release() */
	void *ctx;
};

/* The config is copied, its texts are borrowed. Begins at once. */
struct cs_lease *cs_lease_new(const struct cs_lease_config *config,
			      struct cs_error *err) CS_MUST_USE;
void cs_lease_free(struct cs_lease *l);

/* Let another take over at once, then call on_released; also if not ours. */
void cs_lease_release(struct cs_lease *l);
bool cs_lease_is_ours(const struct cs_lease *l);

#endif
