/* For adapter.c and work.c only: the whole, and one request in work. */
#ifndef CS_KUBE_ADAPTER_PARTS_H
#define CS_KUBE_ADAPTER_PARTS_H

#include "base/limits.h"
#include "kube/adapter.h"
#include "kube/issuers.h"
#include "kube/lease.h"
#include "kube/probe.h"
#include "kube/queue.h"
#include "kube/reflect.h"
#include "kube/verdict.h"

enum cs_adapter_view {
	CS_VIEW_REQUESTS,
	CS_VIEW_CSRS,
	CS_VIEW_ISSUERS,
	CS_VIEW_CLUSTER_ISSUERS,
	CS_VIEWS
};

struct cs_adapter;

/* One request that is worked on: read, submitted, written back. */
struct cs_work {
	struct cs_adapter *a;
	struct cs_kube_item *item; /* NULL: this place is free */
	json_t *object;		   /* as it was read, owned */
	json_t *labels;		   /* of the namespace, or NULL */
	struct cs_kube_request r;  /* borrows from object */
	struct cs_kube_verdict v;
	const char *reason;	 /* what is being written, literal */
	struct cs_buf note;	 /* and its message, for the event */
	enum cs_queue_next next; /* after the writing */
	uint32_t retry_s;
	struct cs_kube_call *call;
	struct cs_fetch_call *transfer;
	int64_t since_ms;
};

struct cs_adapter_stats {
	uint64_t outcome[5];  /* by enum cs_kube_outcome */
	uint64_t denied;      /* Denied conditions told */
	uint64_t written;     /* statuses */
	uint64_t conflicts;   /* 409 at writing: decided anew */
	uint64_t forbidden;   /* 403 at writing */
	uint64_t undelivered; /* issued, and the request was gone */
	uint64_t events_failed;
};

struct cs_adapter {
	struct cs_adapter_config c;
	char identity[CS_MAX_DNS_NAME + 1];
	struct cs_loop *loop;
	struct cs_watch *signals[2];
	struct cs_where where;
	struct cs_fetch *fetch;
	struct cs_kube_api *api;
	struct cs_reflect *views[CS_VIEWS]; /* NULL: not wanted */
	struct cs_queue *queue;
	struct cs_issuers *issuers;
	struct cs_lease *lease;
	struct cs_probe *probe;
	struct cs_timer *pump; /* takes what is due, as places allow */
	struct cs_work work[CS_MAX_KUBE_BUSY];
	bool leading, stopping, told_ready;
	uint64_t events;
	struct cs_adapter_stats stats;
	struct cs_error *err;
};

/* Begin with an item, which is busy. */
void cs_work_begin(struct cs_work *w, struct cs_kube_item *item);
/* An item went that nobody was at: was its certificate never delivered? */
void cs_work_lost(void *ctx, const struct cs_kube_item *item);
/* Give up what is under way, without a word. */
void cs_work_cancel(struct cs_work *w);

#endif
