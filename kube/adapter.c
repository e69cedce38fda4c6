#include "kube/adapter.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "kube/adapter_parts.h"
#include "kube/request.h"

/* Until it is looked again whether there is a place. */
#define CROWDED_MS 100

#define GROUP_PATH "/apis/" CS_KUBE_GROUP "/" CS_KUBE_VERSION "/"

static int64_t boot_ms(const struct cs_adapter *a)
{
	return cs_clock_boot_ms(&a->c.clock);
}

/* -- what is due ---------------------------------------------------------- */

/* Everything that the views show is known: then it may begin. */
static bool is_ready(const struct cs_adapter *a)
{
	for (int i = 0; i < CS_VIEWS; i++)
		if (a->views[i] != NULL && !cs_reflect_is_good(a->views[i]))
			return false;
	return true;
}

/* Were there complete lists of all issuers? Else none is missing. */
static bool knows_issuers(const struct cs_adapter *a)
{
	return cs_reflect_stats(a->views[CS_VIEW_ISSUERS]).lists > 0 &&
	       cs_reflect_stats(a->views[CS_VIEW_CLUSTER_ISSUERS]).lists > 0;
}

/*
 * Are enough of its kind in work already? A namespace's issuers count
 * together, so that nobody who makes many of them keeps others waiting.
 */
static bool is_crowded(const struct cs_adapter *a,
		       const struct cs_kube_item *item)
{
	bool cluster = item->issuer[0] == '/';
	size_t n = cluster ? strlen(item->issuer) + 1
			   : strcspn(item->issuer, "/") + 1;
	size_t found = 0;
	size_t all = 0;

	for (size_t i = 0; i < CS_MAX_KUBE_BUSY; i++) {
		const struct cs_kube_item *other = a->work[i].item;

		if (other == NULL)
			continue;
		found += strncmp(other->issuer, item->issuer, n) == 0;
		all += other->issuer[0] != '/';
	}
	if (cluster)
		return found >= CS_MAX_KUBE_BUSY_ISSUER;
	return found >= CS_MAX_KUBE_BUSY_NAMESPACE ||
	       all >= CS_MAX_KUBE_BUSY_NAMESPACES;
}

/* The next that is due and has a place; NULL: none. */
static struct cs_kube_item *take(struct cs_adapter *a)
{
	struct cs_kube_item *item;
	int64_t now = boot_ms(a);

	while ((item = cs_queue_take(a->queue, now)) != NULL &&
	       is_crowded(a, item))
		cs_queue_done(a->queue, item, CS_QUEUE_AT, now + CROWDED_MS);
	return item;
}

/* What there was no room for is looked for again, once there is. */
static void list_the_rest(struct cs_adapter *a)
{
	if (cs_queue_wants_list(a->queue, CS_KUBE_CR))
		cs_reflect_again(a->views[CS_VIEW_REQUESTS]);
	if (cs_queue_wants_list(a->queue, CS_KUBE_CSR))
		cs_reflect_again(a->views[CS_VIEW_CSRS]);
}

/* Take what is due, as far as there are places. */
static void on_pump(void *ctx)
{
	struct cs_adapter *a = ctx;
	int64_t wait;

	if (a->stopping || !a->leading || !knows_issuers(a))
		return;
	for (size_t i = 0; i < CS_MAX_KUBE_BUSY; i++) {
		struct cs_kube_item *item;

		if (a->work[i].item != NULL)
			continue;
		item = take(a);
		if (item == NULL)
			break;
		cs_work_begin(&a->work[i], item);
	}
	list_the_rest(a);
	wait = cs_queue_wait(a->queue, boot_ms(a));
	/* With no place left, the next end of work comes back here. */
	if (wait > 0)
		cs_timer_start(a->pump, wait < 60000 ? (uint32_t)wait : 60000);
}

/* Soon, and not from inside of a transfer. */
static void pump_soon(struct cs_adapter *a)
{
	cs_timer_start(a->pump, 0);
}

/* -- views ---------------------------------------------------------------- */

/* The first time that everything is known. */
static void tell_ready(struct cs_adapter *a)
{
	if (a->told_ready || !is_ready(a))
		return;
	a->told_ready = true;
	fputs("ready\n", a->c.out);
	(void)fflush(a->c.out);
	cs_log_write(a->c.log, CS_LOG_INFO, "kube.ready",
		     "watching the cluster at %s", a->where.server);
}

static void see(struct cs_adapter *a, enum cs_kube_kind kind, json_t *object,
		bool gone)
{
	struct cs_kube_request r;

	if (!cs_kube_request_read(kind, object, &r))
		return;
	if (gone)
		cs_queue_forget(a->queue, &r);
	else
		cs_queue_put(a->queue, &r, boot_ms(a));
	pump_soon(a);
}

static void on_cr(void *ctx, json_t *object)
{
	see(ctx, CS_KUBE_CR, object, false);
}

static void on_cr_gone(void *ctx, json_t *object)
{
	see(ctx, CS_KUBE_CR, object, true);
}

static void on_crs(void *ctx)
{
	struct cs_adapter *a = ctx;

	cs_queue_listing(a->queue, CS_KUBE_CR);
}

static void on_crs_listed(void *ctx)
{
	struct cs_adapter *a = ctx;

	cs_queue_listed(a->queue, CS_KUBE_CR);
	tell_ready(a);
	pump_soon(a);
}

static void on_csr(void *ctx, json_t *object)
{
	see(ctx, CS_KUBE_CSR, object, false);
}

static void on_csr_gone(void *ctx, json_t *object)
{
	see(ctx, CS_KUBE_CSR, object, true);
}

static void on_csrs(void *ctx)
{
	struct cs_adapter *a = ctx;

	cs_queue_listing(a->queue, CS_KUBE_CSR);
}

static void on_csrs_listed(void *ctx)
{
	struct cs_adapter *a = ctx;

	cs_queue_listed(a->queue, CS_KUBE_CSR);
	tell_ready(a);
	pump_soon(a);
}

static void on_issuer(void *ctx, json_t *object)
{
	struct cs_adapter *a = ctx;

	cs_issuers_put(a->issuers, CS_ISSUERS_NAMESPACED, object);
}

static void on_issuer_gone(void *ctx, json_t *object)
{
	struct cs_adapter *a = ctx;

	cs_issuers_gone(a->issuers, CS_ISSUERS_NAMESPACED, object);
}

static void on_issuers(void *ctx)
{
	struct cs_adapter *a = ctx;

	cs_issuers_listing(a->issuers, CS_ISSUERS_NAMESPACED);
}

static void on_issuers_listed(void *ctx)
{
	struct cs_adapter *a = ctx;

	cs_issuers_listed(a->issuers, CS_ISSUERS_NAMESPACED);
	tell_ready(a);
	pump_soon(a);
}

static void on_cluster_issuer(void *ctx, json_t *object)
{
	struct cs_adapter *a = ctx;

	cs_issuers_put(a->issuers, CS_ISSUERS_CLUSTER, object);
}

static void on_cluster_issuer_gone(void *ctx, json_t *object)
{
	struct cs_adapter *a = ctx;

	cs_issuers_gone(a->issuers, CS_ISSUERS_CLUSTER, object);
}

static void on_cluster_issuers(void *ctx)
{
	struct cs_adapter *a = ctx;

	cs_issuers_listing(a->issuers, CS_ISSUERS_CLUSTER);
}

static void on_cluster_issuers_listed(void *ctx)
{
	struct cs_adapter *a = ctx;

	cs_issuers_listed(a->issuers, CS_ISSUERS_CLUSTER);
	tell_ready(a);
	pump_soon(a);
}

/* An issuer changed: whoever waits for it is due. */
static void on_issuer_change(void *ctx, const char *key)
{
	struct cs_adapter *a = ctx;

	cs_queue_wake(a->queue, key, boot_ms(a));
	pump_soon(a);
}

static const struct {
	const char *path, *selector;
	void (*listing)(void *ctx);
	void (*object)(void *ctx, json_t *object);
	void (*gone)(void *ctx, json_t *object);
	void (*listed)(void *ctx);
} views[CS_VIEWS] = {
	[CS_VIEW_REQUESTS] = {"/apis/cert-manager.io/v1/certificaterequests",
			      "spec.issuerRef.group=" CS_KUBE_GROUP, on_crs,
			      on_cr, on_cr_gone, on_crs_listed},
	[CS_VIEW_CSRS] =
		{"/apis/certificates.k8s.io/v1/certificatesigningrequests",
		 NULL, on_csrs, on_csr, on_csr_gone, on_csrs_listed},
	[CS_VIEW_ISSUERS] = {GROUP_PATH "issuers", NULL, on_issuers, on_issuer,
			     on_issuer_gone, on_issuers_listed},
	[CS_VIEW_CLUSTER_ISSUERS] = {GROUP_PATH "clusterissuers", NULL,
				     on_cluster_issuers, on_cluster_issuer,
				     on_cluster_issuer_gone,
				     on_cluster_issuers_listed},
};

static bool make_views(struct cs_adapter *a, struct cs_error *err)
{
	for (int i = 0; i < CS_VIEWS; i++) {
		const struct cs_reflect_config config = {
			.api = a->api,
			.loop = a->loop,
			.clock = a->c.clock,
			.log = a->c.log,
			.path = views[i].path,
			.selector = views[i].selector,
			.watch_s = a->c.watch_s,
			.on_listing = views[i].listing,
			.on_object = views[i].object,
			.on_gone = views[i].gone,
			.on_listed = views[i].listed,
			.ctx = a,
		};

		if (i == CS_VIEW_CSRS && !a->c.kubernetes_csr)
			continue;
		a->views[i] = cs_reflect_new(&config, err);
		if (a->views[i] == NULL)
			return false;
	}
	return true;
}

/* We are the one that works: begin. */
static void on_lead(void *ctx)
{
	struct cs_adapter *a = ctx;

	a->leading = true;
	cs_log_write(a->c.log, CS_LOG_INFO, "kube.lead", "%s works now",
		     a->identity);
	for (int i = 0; i < CS_VIEWS; i++)
		if (a->views[i] != NULL)
			cs_reflect_start(a->views[i]);
}

/* -- probes --------------------------------------------------------------- */

static bool on_ready(void *ctx, struct cs_buf *out)
{
	struct cs_adapter *a = ctx;

	if (!a->leading) {
		/* A replica that waits is as good as it can be. */
		cs_buf_add_str(out, "waiting for the lease\n");
		return true;
	}
	for (int i = 0; i < CS_VIEWS; i++)
		if (a->views[i] != NULL && !cs_reflect_is_good(a->views[i]))
			cs_buf_addf(out, "not in view: %s\n", views[i].path);
	if (out->n > 0)
		return false;
	cs_buf_add_str(out, "ok\n");
	return true;
}

static void write_views(const struct cs_adapter *a, struct cs_buf *out)
{
	cs_metrics_family(out, "countersign_kube_watch_failures_total",
			  CS_METRIC_COUNTER,
			  "Lists and watches that failed, by what they see.");
	for (int i = 0; i < CS_VIEWS; i++) {
		const struct cs_metric_label label = {
			"path", cs_span_str(views[i].path)};

		if (a->views[i] != NULL)
			cs_metrics_sample(
				out, "countersign_kube_watch_failures_total",
				&label, 1,
				cs_reflect_stats(a->views[i]).failures);
	}
}

static void write_outcomes(const struct cs_adapter *a, struct cs_buf *out)
{
	cs_metrics_family(out, "countersign_kube_answers_total",
			  CS_METRIC_COUNTER,
			  "Answers of Countersign, by what they came to.");
	for (size_t i = 0; i < 5; i++) {
		const struct cs_metric_label label = {
			"outcome", cs_span_str(cs_kube_outcome_name(
					   (enum cs_kube_outcome)i))};

		cs_metrics_sample(out, "countersign_kube_answers_total", &label,
				  1, a->stats.outcome[i]);
	}
}

static void write_api(const struct cs_adapter *a, struct cs_buf *out)
{
	static const char *const classes[] = {"none", "1xx", "2xx",
					      "3xx",  "4xx", "5xx"};
	const struct cs_kube_api_stats s = cs_kube_api_stats(a->api);

	cs_metrics_family(out, "countersign_kube_api_calls_total",
			  CS_METRIC_COUNTER,
			  "Calls of the API server, by the answer.");
	for (size_t i = 0; i < 6; i++) {
		const struct cs_metric_label label = {"status",
						      cs_span_str(classes[i])};

		cs_metrics_sample(out, "countersign_kube_api_calls_total",
				  &label, 1, s.by_class[i]);
	}
	cs_metrics_counter(out, "countersign_kube_api_refused_total",
			   "Calls that the API server answered 401 or 403.",
			   s.refused);
}

static void on_metrics(void *ctx, struct cs_buf *out)
{
	struct cs_adapter *a = ctx;
	const struct cs_queue_stats q = cs_queue_stats(a->queue);

	cs_metrics_gauge(out, "countersign_kube_leading",
			 "Is this the replica that works?", a->leading);
	cs_metrics_gauge(out, "countersign_kube_open_requests",
			 "Approved or denied requests without an end.",
			 q.items);
	cs_metrics_gauge(out, "countersign_kube_busy_requests",
			 "Requests that are worked on.", q.busy);
	cs_metrics_gauge(out, "countersign_kube_waiting_requests",
			 "Requests that wait for their issuer.", q.parked);
	cs_metrics_counter(out, "countersign_kube_dropped_requests_total",
			   "Requests beyond what is kept: another list has"
			   " them.",
			   q.dropped);
	cs_metrics_counter(out, "countersign_kube_statuses_total",
			   "Statuses that were written.", a->stats.written);
	cs_metrics_counter(out, "countersign_kube_denied_total",
			   "Denials that were told.", a->stats.denied);
	cs_metrics_counter(out, "countersign_kube_conflicts_total",
			   "Statuses that somebody else was faster with.",
			   a->stats.conflicts);
	cs_metrics_counter(out, "countersign_kube_forbidden_total",
			   "Statuses that we may not write.",
			   a->stats.forbidden);
	cs_metrics_counter(out, "countersign_kube_undelivered_total",
			   "Certificates whose request was gone.",
			   a->stats.undelivered);
	write_outcomes(a, out);
	write_views(a, out);
	write_api(a, out);
	cs_issuers_metrics(a->issuers, out);
}

/* -- beginning and end ---------------------------------------------------- */

static void on_released(void *ctx)
{
	struct cs_adapter *a = ctx;

	cs_loop_stop(a->loop, CS_ADAPTER_DONE);
}

static void on_lost(void *ctx)
{
	struct cs_adapter *a = ctx;

	cs_log_write(a->c.log, CS_LOG_ERROR, "kube.lease",
		     "the lease is lost: another replica may be at work");
	cs_loop_stop(a->loop, CS_ADAPTER_LOST);
}

/* Nothing new; what is under way is left where it is, and found again. */
static void on_signal(void *ctx)
{
	struct cs_adapter *a = ctx;

	if (a->stopping)
		return;
	a->stopping = true;
	for (size_t i = 0; i < CS_MAX_KUBE_BUSY; i++)
		cs_work_cancel(&a->work[i]);
	if (a->lease != NULL)
		cs_lease_release(a->lease);
	else
		on_released(a);
}

static bool name_us(struct cs_adapter *a, struct cs_error *err)
{
	const char *given = a->c.identity;
	char host[CS_MAX_DNS_NAME + 1] = "";

	if (given == NULL) {
		/* A pod's host name is its own. */
		if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
			return cs_error_set(err, CS_E_CONFIG,
					    "this host has no name: give"
					    " --identity");
		given = host;
	}
	(void)snprintf(a->identity, sizeof(a->identity), "%s", given);
	return true;
}

static bool make_lease(struct cs_adapter *a, struct cs_error *err)
{
	const struct cs_lease_config config = {
		.api = a->api,
		.loop = a->loop,
		.clock = a->c.clock,
		.log = a->c.log,
		.namespace = a->where.namespace,
		.name = a->c.lease,
		.identity = a->identity,
		.on_lead = on_lead,
		.on_lost = on_lost,
		.on_released = on_released,
		.ctx = a,
	};

	if (a->c.lease == NULL) {
		on_lead(a);
		return true;
	}
	if (a->where.namespace == NULL || !cs_kube_is_name(a->c.lease))
		return cs_error_set(err, CS_E_USAGE,
				    "--lease needs the name of a Lease and a"
				    " namespace (--namespace)");
	a->lease = cs_lease_new(&config, err);
	return a->lease != NULL;
}

static bool make_probe(struct cs_adapter *a, struct cs_error *err)
{
	const struct cs_probe_config config = {
		.loop = a->loop,
		.address = a->c.probe,
		.ready = on_ready,
		.metrics = on_metrics,
		.ctx = a,
	};

	if (a->c.probe == NULL)
		return true;
	a->probe = cs_probe_new(&config, err);
	if (a->probe == NULL)
		return false;
	fprintf(a->c.out, "probe %u\n", cs_probe_port(a->probe));
	(void)fflush(a->c.out);
	return true;
}

static bool make_parts(struct cs_adapter *a, struct cs_error *err)
{
	const struct cs_kube_api_config api = {
		.loop = a->loop,
		.fetch = a->fetch,
		.where = &a->where,
		.clock = a->c.clock,
		.log = a->c.log,
	};
	/* For a test, a few are many. */
	const size_t max =
		cs_failpoint("kube.before_queue") ? 8 : CS_MAX_KUBE_ITEMS;
	struct cs_issuers_config issuers = {
		.fetch = a->fetch,
		.loop = a->loop,
		.clock = a->c.clock,
		.log = a->c.log,
		.namespace = a->where.namespace,
		.token_file = a->c.token_file,
		.check_s = a->c.check_s,
		.on_change = on_issuer_change,
		.ctx = a,
	};

	a->api = cs_kube_api_new(&api, err);
	issuers.api = a->api;
	if (a->api == NULL)
		return false;
	a->issuers = cs_issuers_new(&issuers, err);
	a->queue = cs_queue_new(max, cs_work_lost, a, err);
	a->pump = cs_timer_new(a->loop, on_pump, a, err);
	return a->issuers != NULL && a->queue != NULL && a->pump != NULL;
}

static bool start(struct cs_adapter *a, struct cs_error *err)
{
	static const int numbers[] = {SIGTERM, SIGINT};

	for (size_t i = 0; i < CS_MAX_KUBE_BUSY; i++)
		a->work[i].a = a;
	(void)signal(SIGPIPE, SIG_IGN);
	if (!name_us(a, err) || !cs_where_find(&a->c.where, &a->where, err))
		return false;
	a->loop = cs_loop_new(err);
	if (a->loop == NULL)
		return false;
	for (size_t i = 0; i < 2; i++) {
		a->signals[i] =
			cs_watch_signal(a->loop, numbers[i], on_signal, a, err);
		if (a->signals[i] == NULL)
			return false;
	}
	a->fetch = cs_fetch_new(a->loop, err);
	return a->fetch != NULL && make_parts(a, err) && make_views(a, err) &&
	       make_probe(a, err) && make_lease(a, err);
}

static void stop(struct cs_adapter *a)
{
	if (a->queue != NULL)
		for (size_t i = 0; i < CS_MAX_KUBE_BUSY; i++)
			cs_work_cancel(&a->work[i]);
	cs_probe_free(a->probe);
	cs_lease_free(a->lease);
	for (int i = 0; i < CS_VIEWS; i++)
		cs_reflect_free(a->views[i]);
	cs_issuers_free(a->issuers);
	cs_queue_free(a->queue);
	cs_timer_free(a->pump);
	cs_kube_api_free(a->api);
	cs_fetch_free(a->fetch);
	for (size_t i = 0; i < 2; i++)
		cs_watch_free(a->signals[i]);
	cs_loop_free(a->loop);
	cs_where_done(&a->where);
	cs_mem_free(a);
}

enum cs_adapter_end cs_adapter_run(const struct cs_adapter_config *config,
				   struct cs_error *err)
{
	struct cs_adapter *a = cs_mem_new(sizeof(*a));
	enum cs_adapter_end end = CS_ADAPTER_FAILED;

	if (a == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory");
		return end;
	}
	a->c = *config;
	if (start(a, err))
		end = (enum cs_adapter_end)cs_loop_run(a->loop);
	stop(a);
	return end;
}
