#include "kube/lease.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "kube/object.h"
#include "kube/request.h"
#include "kube/wait.h"

/* As controller-runtime has them. */
#define DURATION_S  15
#define DEADLINE_MS 10000
#define RETRY_MS    2000
#define ASK_MS	    5000

struct cs_lease {
	struct cs_lease_config c;
	struct cs_timer *timer;
	struct cs_kube_call *call;
	bool ours, releasing;
	int64_t renewed_ms; /* when our last success was asked for */
	int64_t asked_ms;   /* when the writing under way was */
	/* what was seen last of another's */
	char *version;
	int64_t seen_ms;
};

static int64_t now_ms(const struct cs_lease *l)
{
	return cs_clock_boot_ms(&l->c.clock);
}

static void look(struct cs_lease *l);

/* The most that may be waited: not beyond the time that it is ours for. */
static uint32_t at_most(const struct cs_lease *l, uint32_t ms)
{
	int64_t left = l->renewed_ms + DEADLINE_MS - now_ms(l);

	if (!l->ours || left > ms)
		return ms;
	return left > 0 ? (uint32_t)left : 1;
}

/* Was it ours, and is not for certain any more? Then say so. */
static bool is_lost(struct cs_lease *l)
{
	if (!l->ours || now_ms(l) - l->renewed_ms < DEADLINE_MS)
		return false;
	l->ours = false;
	l->c.on_lost(l->c.ctx);
	return true;
}

/* Look again in a while. */
static void again(struct cs_lease *l)
{
	cs_timer_start(l->timer,
		       at_most(l, RETRY_MS + cs_wait_chance(RETRY_MS / 4)));
}

/* A call began: for so long we wait for it. */
static void guard(struct cs_lease *l)
{
	cs_timer_start(l->timer, at_most(l, ASK_MS));
}

/* A renewal failed: how long do we hold out? */
static void failed(struct cs_lease *l, const char *doing,
		   const struct cs_fetch_result *r)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf why = {0};

	cs_buf_init(&why, CS_MAX_KUBE_MESSAGE);
	cs_kube_api_tell(r, &why);
	cs_log_write(l->c.log, CS_LOG_WARNING, "kube.lease", "%s %s: %s", doing,
		     l->c.name, cs_buf_str(&why));
	if (!is_lost(l))
		again(l);
}

static void on_written(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_lease *l = ctx;
	bool began = !l->ours;

	l->call = NULL;
	if (l->releasing) {
		l->ours = false;
		l->c.on_released(l->c.ctx);
		return;
	}
	if (r->status != 200 && r->status != 201) {
		failed(l, "renew", r);
		return;
	}
	l->ours = true;
	l->renewed_ms = l->asked_ms;
	again(l);
	if (began)
		l->c.on_lead(l->c.ctx);
}

static json_t *micro_time(const struct cs_lease *l)
{
	char t[CS_TIME_TEXT];

	cs_time_rfc3339_ms(cs_clock_wall_ms(&l->c.clock), t);
	return json_sprintf("%.*s000Z", (int)strlen(t) - 1, t);
}

/* Our Lease, made from what stands there (NULL: nothing does). */
static json_t *compose(const struct cs_lease *l, const json_t *there)
{
	json_t *lease =
		there != NULL
			? json_deep_copy(there)
			: json_pack("{s:s, s:s, s:{s:s, s:s},"
				    " s:{}}",
				    "apiVersion", "coordination.k8s.io/v1",
				    "kind", "Lease", "metadata", "name",
				    l->c.name, "namespace", l->c.namespace,
				    "spec");
	json_t *spec = json_object_get(lease, "spec");
	json_int_t n =
		json_integer_value(json_object_get(spec, "leaseTransitions"));
	bool ok = json_is_object(spec);

	(void)json_object_del(json_object_get(lease, "metadata"),
			      "managedFields");
	if (ok && !l->ours)
		ok = json_object_set_new(spec, "acquireTime", micro_time(l)) ==
			     0 &&
		     json_object_set_new(spec, "leaseTransitions",
					 json_integer(n + (there != NULL))) ==
			     0;
	ok = ok &&
	     json_object_set_new(
		     spec, "holderIdentity",
		     json_string(l->releasing ? "" : l->c.identity)) == 0 &&
	     json_object_set_new(spec, "leaseDurationSeconds",
				 json_integer(l->releasing ? 1 : DURATION_S)) ==
		     0 &&
	     json_object_set_new(spec, "renewTime", micro_time(l)) == 0;
	if (ok)
		return lease;
	json_decref(lease);
	return NULL;
}

static bool send_lease(struct cs_lease *l, const json_t *there,
		       struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf path = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf body = {0};
	json_t *lease = compose(l, there);
	struct cs_kube_ask ask = {
		.method = there != NULL ? "PUT" : "POST",
		.content_type = "application/json",
		.timeout_ms = 2 * ASK_MS,
		.on_done = on_written,
		.ctx = l,
	};
	bool ok;

	cs_buf_init(&path, CS_MAX_URI);
	cs_buf_init(&body, CS_MAX_HTTP_BODY);
	cs_buf_addf(&path, "/apis/coordination.k8s.io/v1/namespaces/%s/leases",
		    l->c.namespace);
	if (there != NULL)
		cs_buf_addf(&path, "/%s", l->c.name);
	ok = lease != NULL && cs_json_canonical(lease, &body, err) &&
	     cs_buf_finish(&body, "a lease", err);
	json_decref(lease);
	if (!ok)
		return false;
	ask.path = cs_buf_str(&path);
	ask.body = cs_buf_span(&body);
	/* Others count from when they see it, which is not before. */
	l->asked_ms = now_ms(l);
	l->call = cs_kube_api_start(l->c.api, &ask, err);
	if (l->call != NULL)
		guard(l);
	return l->call != NULL;
}

/* May we take what stands there? */
static bool is_free(struct cs_lease *l, const json_t *lease)
{
	const json_t *spec = json_object_get(lease, "spec");
	const char *holder = cs_kube_text(spec, "holderIdentity");
	const char *version = cs_kube_meta(lease, "resourceVersion");
	json_int_t s = json_integer_value(
		json_object_get(spec, "leaseDurationSeconds"));

	if (holder == NULL || holder[0] == '\0' ||
	    strcmp(holder, l->c.identity) == 0)
		return true;
	if (version == NULL)
		return false;
	if (l->version == NULL || strcmp(l->version, version) != 0) {
		cs_mem_free(l->version);
		l->version = cs_mem_strdup(version);
		l->seen_ms = now_ms(l);
	}
	return now_ms(l) - l->seen_ms > (s > 0 ? s : DURATION_S) * 1000;
}

/* What stands there: another's, ours, or none. */
static void judge(struct cs_lease *l, const json_t *lease)
{
	struct cs_error err = {0};

	if (!is_free(l, lease)) {
		if (l->ours) {
			l->ours = false;
			l->c.on_lost(l->c.ctx);
		} else if (l->releasing) {
			l->c.on_released(l->c.ctx);
		} else {
			again(l);
		}
		return;
	}
	if (!send_lease(l, lease, &err)) {
		cs_log_error(l->c.log, "kube.lease", &err);
		again(l);
	}
}

static void on_seen(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_lease *l = ctx;
	json_t *lease = NULL;

	l->call = NULL;
	if (r->status == 200)
		lease = cs_kube_json(r->body);
	if (lease != NULL)
		judge(l, lease);
	else if (l->releasing)
		l->c.on_released(l->c.ctx);
	else if (r->status != 404 || !send_lease(l, NULL, NULL))
		failed(l, "read", r);
	json_decref(lease);
}

static void look(struct cs_lease *l)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf path = {0};
	struct cs_error err = {0};
	struct cs_kube_ask ask = {
		.method = "GET",
		.timeout_ms = 2 * ASK_MS,
		.on_done = on_seen,
		.ctx = l,
	};

	cs_buf_init(&path, CS_MAX_URI);
	cs_buf_addf(&path,
		    "/apis/coordination.k8s.io/v1/namespaces/%s/leases/%s",
		    l->c.namespace, l->c.name);
	ask.path = cs_buf_str(&path);
	cs_kube_api_cancel(l->call);
	l->call = cs_kube_api_start(l->c.api, &ask, &err);
	if (l->call != NULL) {
		guard(l);
		return;
	}
	cs_log_error(l->c.log, "kube.lease", &err);
	again(l);
}

/* Time is up: for a call, for us, or for the pause between two calls. */
static void on_timer(void *ctx)
{
	struct cs_lease *l = ctx;

	if (l->releasing) {
		/* Whoever comes after us waits for its end. */
		cs_kube_api_cancel(l->call);
		l->call = NULL;
		l->c.on_released(l->c.ctx);
	} else if (!is_lost(l)) {
		if (l->call != NULL)
			cs_log_write(l->c.log, CS_LOG_WARNING, "kube.lease",
				     "%s: no answer for %d s", l->c.name,
				     ASK_MS / 1000);
		look(l);
	}
}

void cs_lease_release(struct cs_lease *l)
{
	l->releasing = true;
	cs_timer_stop(l->timer);
	if (!l->ours) {
		l->c.on_released(l->c.ctx);
		return;
	}
	look(l);
	if (l->call == NULL)
		l->c.on_released(l->c.ctx);
}

bool cs_lease_is_ours(const struct cs_lease *l)
{
	return l->ours;
}

void cs_lease_free(struct cs_lease *l)
{
	if (l == NULL)
		return;
	cs_kube_api_cancel(l->call);
	cs_timer_free(l->timer);
	cs_mem_free(l->version);
	cs_mem_free(l);
}

struct cs_lease *cs_lease_new(const struct cs_lease_config *config,
			      struct cs_error *err)
{
	struct cs_lease *l = cs_mem_new(sizeof(*l));

	if (l == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for a lease");
		return NULL;
	}
	l->c = *config;
	l->timer = cs_timer_new(config->loop, on_timer, l, err);
	if (l->timer == NULL) {
		cs_lease_free(l);
		return NULL;
	}
	cs_timer_start(l->timer, 0);
	return l;
}
