/*
 * One check, a step behind the other: the CA, the token, is Countersign ready,
 * does it know us and our issuer. Then the condition, where it differs.
 */
#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "base/mem.h"
#include "kube/file.h"
#include "kube/issuers_parts.h"
#include "kube/object.h"
#include "kube/write.h"

#define ASK_MS 10000
/* Until it is looked again whether there is a place for a check. */
#define CROWDED_MS 250

void cs_issuer_stop(struct cs_issuer *i)
{
	cs_timer_stop(i->timer);
	i->doubted = false;
	cs_kube_api_cancel(i->call);
	i->call = NULL;
	cs_fetch_cancel(i->transfer);
	i->transfer = NULL;
}

/* -- the condition ------------------------------------------------------------
 */

static void on_written(void *ctx, const struct cs_fetch_result *r)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf why = {0};
	struct cs_issuer *i = ctx;

	i->writing = NULL;
	if (r->status == 200 || r->status == 404)
		return;
	/* The next check sees that it does not stand there. */
	cs_buf_init(&why, CS_MAX_KUBE_MESSAGE);
	cs_kube_api_tell(r, &why);
	cs_log_write(i->all->c.log, CS_LOG_WARNING, "kube.issuer",
		     "the status of the issuer %s: %s", i->key,
		     cs_buf_str(&why));
}

static bool same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Does the object say it as we do? */
static bool stands(const struct cs_issuer *i)
{
	const struct cs_issuer_said *a = &i->said;
	const struct cs_issuer_said *b = &i->stands;

	return same(a->status, b->status) && same(a->reason, b->reason) &&
	       b->generation == a->generation &&
	       cs_span_equal(cs_buf_span(&a->message),
			     cs_buf_span(&b->message));
}

/* The path of the object's status. */
static void status_path(const struct cs_issuer *i, struct cs_buf *out)
{
	cs_buf_add_str(out, "/apis/" CS_KUBE_GROUP "/" CS_KUBE_VERSION "/");
	if (i->namespace != NULL)
		cs_buf_addf(out, "namespaces/%s/issuers/", i->namespace);
	else
		cs_buf_add_str(out, "clusterissuers/");
	cs_buf_addf(out, "%s" CS_KUBE_BEHIND, i->name);
}

static void write_status(struct cs_issuer *i)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf path = {0};
	CS_CLEANUP(cs_buf_done) struct cs_buf body = {0};
	struct cs_error err = {0};
	const struct cs_kube_issuer_ready ready = {
		.kind = i->namespace != NULL ? "Issuer" : "ClusterIssuer",
		.namespace = i->namespace,
		.name = i->name,
		.uid = i->uid,
		.generation = i->said.generation,
		.status = i->said.status,
		.reason = i->said.reason,
		.message = cs_buf_str(&i->said.message),
		.since_ms = i->said.since_ms,
	};
	struct cs_kube_ask ask = {
		.method = "PATCH",
		.content_type = CS_KUBE_APPLY,
		.on_done = on_written,
		.ctx = i,
	};

	cs_buf_init(&path, 2 * CS_MAX_URI);
	cs_buf_init(&body, CS_MAX_HTTP_BODY);
	status_path(i, &path);
	if (!cs_kube_write_issuer(&ready, &body, &err) ||
	    !cs_buf_finish(&path, "a path", &err)) {
		cs_log_error(i->all->c.log, "kube.issuer", &err);
		return;
	}
	cs_kube_api_cancel(i->writing);
	ask.path = cs_buf_str(&path);
	ask.body = cs_buf_span(&body);
	i->writing = cs_kube_api_start(i->all->c.api, &ask, &err);
	if (i->writing == NULL)
		cs_log_error(i->all->c.log, "kube.issuer", &err);
}

/* When the status last changed: it may be a while ago. */
static int64_t since(const struct cs_issuer *i, const char *status)
{
	if (same(i->stands.status, status) && i->stands.since_ms > 0)
		return i->stands.since_ms;
	return cs_clock_wall_ms(&i->all->c.clock);
}

/* What was read for the check is good: requests use it from now on. */
static void use_new(struct cs_issuer *i)
{
	cs_buf_done(&i->ca);
	cs_buf_done(&i->token);
	i->ca = i->ca_new;
	i->token = i->token_new;
	i->ca_new = i->token_new = (struct cs_buf){0};
	cs_wait_reset(&i->wait);
}

/* The end of a check. */
static void conclude(struct cs_issuer *i, enum cs_issuer_state state,
		     const char *message, const char *detail)
{
	struct cs_issuer_said *s = &i->said;
	bool changed = i->state != state || s->status == NULL;
	uint32_t next_ms = i->all->c.check_s * 1000;

	cs_issuer_stop(i);
	s->status = state == CS_ISSUER_READY ? "True" : "False";
	s->reason = state == CS_ISSUER_READY	? "Checked"
		    : state == CS_ISSUER_FAILED ? "Failed"
						: "Pending";
	cs_buf_reset(&s->message);
	cs_buf_addf(&s->message, "%s%s%s", message,
		    detail[0] != '\0' ? ": " : "", detail);
	s->generation = i->generation;
	s->since_ms = since(i, s->status);
	i->state = state;
	if (state == CS_ISSUER_READY)
		use_new(i);
	else if (state == CS_ISSUER_PENDING)
		next_ms = cs_wait_next(&i->wait, 0);
	if (!stands(i))
		write_status(i);
	if (changed)
		cs_log_write(i->all->c.log,
			     state == CS_ISSUER_READY ? CS_LOG_INFO
						      : CS_LOG_WARNING,
			     "kube.issuer", "%s: %s", i->key,
			     cs_buf_str(&s->message));
	if (state != CS_ISSUER_FAILED)
		cs_timer_start(i->timer, next_ms);
	if (changed)
		i->all->c.on_change(i->all->c.ctx, i->key);
}

static void pending(struct cs_issuer *i, const char *what, const char *detail)
{
	conclude(i, CS_ISSUER_PENDING, what, detail);
}

static void pending_result(struct cs_issuer *i, const char *what,
			   const struct cs_fetch_result *r)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf why = {0};

	cs_buf_init(&why, CS_MAX_KUBE_MESSAGE);
	cs_kube_api_tell(r, &why);
	pending(i, what, cs_buf_str(&why));
}

/* -- Countersign ---------------------------------------------------------- */

/* Ask its Countersign. */
static void ask_house(struct cs_issuer *i, const char *path, const char *last,
		      const char *bearer,
		      void (*on_done)(void *ctx,
				      const struct cs_fetch_result *r))
{
	CS_CLEANUP(cs_buf_done) struct cs_buf url = {0};
	const struct cs_fetch_peer peer = {
		.ca = cs_buf_span(&i->ca_new),
		.bearer = bearer,
	};
	struct cs_fetch_ask ask = {
		.method = "GET",
		.peer = &peer,
		.timeout_ms = ASK_MS,
		.max_body = CS_MAX_HTTP_ANSWER,
		.on_done = on_done,
		.ctx = i,
	};
	struct cs_error err = {0};

	cs_buf_init(&url, 2 * CS_MAX_URI);
	cs_buf_addf(&url, "%s%s%s", i->url, path, last);
	ask.url = cs_buf_str(&url);
	i->transfer = cs_fetch_start(i->all->c.fetch, &ask, &err);
	if (i->transfer == NULL)
		pending(i, "Countersign cannot be asked", err.text);
}

static void on_issuer(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_issuer *i = ctx;

	i->transfer = NULL;
	if (r->status == 200)
		conclude(i, CS_ISSUER_READY,
			 "Countersign is ready and knows the issuer", "");
	else if (r->status == 401)
		pending_result(i, "Countersign does not take the token", r);
	else if (r->status == 404)
		pending_result(i, "Countersign has no such issuer", r);
	else
		pending_result(i, "Countersign does not answer", r);
}

static void on_ready(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_issuer *i = ctx;

	i->transfer = NULL;
	if (r->status == 200)
		ask_house(i, "/v1/issuers/", i->issuer,
			  cs_buf_str(&i->token_new), on_issuer);
	else if (r->status == 503)
		pending_result(i, "Countersign is not ready", r);
	else
		pending_result(i, "Countersign does not answer", r);
}

/* -- Secrets and ConfigMaps ----------------------------------------------- */

/* KEY of a Secret (in Base64) or a ConfigMap, into *out. */
static bool take_key(const struct cs_issuer_ref *ref,
		     const struct cs_fetch_result *r, struct cs_buf *out)
{
	json_t *object = cs_kube_json(r->body);
	const char *value =
		cs_kube_text(json_object_get(object, "data"), ref->key);
	bool ok;

	ok = value != NULL &&
	     (strcmp(ref->kind, "secrets") == 0
		      ? cs_codec_base64_decode(cs_span_str(value), out, NULL)
		      : cs_buf_add_str(out, value));
	json_decref(object);
	while (ok && out->n > 0 &&
	       (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
		cs_buf_truncate(out, out->n - 1);
	return ok && out->n > 0;
}

/* The namespace whose secrets the issuer may name. */
static const char *secrets_of(const struct cs_issuer *i)
{
	return i->namespace != NULL ? i->namespace : i->all->c.namespace;
}

static void ask_ref(struct cs_issuer *i, const struct cs_issuer_ref *ref,
		    void (*on_done)(void *ctx, const struct cs_fetch_result *r))
{
	CS_CLEANUP(cs_buf_done) struct cs_buf path = {0};
	struct cs_kube_ask ask = {
		.method = "GET",
		.on_done = on_done,
		.ctx = i,
	};
	struct cs_error err = {0};

	cs_buf_init(&path, CS_MAX_URI);
	cs_buf_addf(&path, "/api/v1/namespaces/%s/%s/%s", secrets_of(i),
		    ref->kind, ref->name);
	ask.path = cs_buf_str(&path);
	i->call = cs_kube_api_start(i->all->c.api, &ask, &err);
	if (i->call == NULL)
		pending(i, "the API server cannot be asked", err.text);
}

/* The token is there: go on to Countersign. */
static void with_token(struct cs_issuer *i)
{
	ask_house(i, "/readyz", "", NULL, on_ready);
}

/*
 * The API server is away, which says nothing about the issuer: one that was
 * good stays so, with what was read last.
 */
static bool is_let_be(struct cs_issuer *i, const struct cs_fetch_result *r)
{
	if (i->state != CS_ISSUER_READY ||
	    (r->status != 0 && r->status != 429 && r->status < 500))
		return false;
	cs_issuer_stop(i);
	cs_timer_start(i->timer, cs_wait_next(&i->wait, r->retry_s));
	return true;
}

static void on_token(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_issuer *i = ctx;

	i->call = NULL;
	if (is_let_be(i, r))
		return;
	if (r->status != 200) {
		pending_result(i, "the Secret of spec.auth.secretRef", r);
		return;
	}
	if (!take_key(&i->token_ref, r, &i->token_new)) {
		pending(i, "the Secret of spec.auth.secretRef has no such key",
			i->token_ref.key);
		return;
	}
	with_token(i);
}

static void find_token(struct cs_issuer *i)
{
	struct cs_error err = {0};

	cs_buf_done(&i->token_new);
	cs_buf_init(&i->token_new, CS_MAX_KUBE_TOKEN);
	if (i->token_ref.kind != NULL) {
		ask_ref(i, &i->token_ref, on_token);
		return;
	}
	if (cs_kube_file_read(i->all->c.token_file, CS_MAX_KUBE_TOKEN,
			      &i->token_new, &err))
		with_token(i);
	else
		pending(i, "the adapter's own token", err.text);
}

static void on_ca(void *ctx, const struct cs_fetch_result *r)
{
	struct cs_issuer *i = ctx;

	i->call = NULL;
	if (is_let_be(i, r))
		return;
	if (r->status != 200)
		pending_result(i, "what spec.caBundleRef names", r);
	else if (!take_key(&i->ca_ref, r, &i->ca_new))
		pending(i, "what spec.caBundleRef names has no such key",
			i->ca_ref.key);
	else
		find_token(i);
}

/* A name of an object, so that it cannot be a path to another one. */
static bool is_named(const struct cs_issuer_ref *ref)
{
	return ref->kind == NULL || cs_kube_is_name(ref->name);
}

/* What can never work, whatever the cluster and Countersign do. */
static const char *flaw(const struct cs_issuer *i)
{
	if (i->url == NULL || !cs_fetch_is_base(i->url))
		return "spec.url is not of the form https://HOST[:PORT]";
	if (!cs_kube_is_name(i->issuer))
		return "spec.issuer is not the name of an issuer";
	if (!is_named(&i->ca_ref) || !is_named(&i->token_ref))
		return "spec: a reference has a name that no object has";
	if (i->ca_inline.n == 0 && i->ca_ref.kind == NULL)
		return "spec: neither caBundle (Base64 of PEM) nor"
		       " caBundleRef says whom to trust";
	if (i->token_ref.kind == NULL && i->namespace != NULL)
		return "spec.auth.secretRef is missing: an Issuer in a"
		       " namespace needs a token of its own";
	if (i->token_ref.kind == NULL && i->all->c.token_file == NULL)
		return "spec.auth.secretRef is missing, and the adapter has no"
		       " token of its own (--countersign-token)";
	if ((i->token_ref.kind != NULL || i->ca_ref.kind != NULL) &&
	    secrets_of(i) == NULL)
		return "the adapter knows no namespace for the secrets of"
		       " cluster issuers (--namespace)";
	return NULL;
}

/* Are enough checks under way, or of its namespace? */
static bool is_crowded(const struct cs_issuer *i)
{
	size_t all = 0;
	size_t near = 0;

	for (const struct cs_issuer *o = i->all->first; o != NULL;
	     o = o->next) {
		if (o->call == NULL && o->transfer == NULL)
			continue;
		all++;
		near += same(o->namespace, i->namespace);
	}
	return all >= CS_MAX_KUBE_CHECKS ||
	       near >= CS_MAX_KUBE_CHECKS_NAMESPACE;
}

void cs_issuer_check(struct cs_issuer *i)
{
	const char *bad = flaw(i);

	cs_issuer_stop(i);
	if (bad != NULL) {
		conclude(i, CS_ISSUER_FAILED, bad, "");
		return;
	}
	if (is_crowded(i)) {
		/* Soon; whoever doubts it has nothing to add. */
		i->doubted = true;
		cs_timer_start(i->timer,
			       CROWDED_MS + cs_wait_chance(CROWDED_MS));
		return;
	}
	cs_buf_done(&i->ca_new);
	cs_buf_init(&i->ca_new, CS_MAX_PEM_FILE);
	if (i->ca_inline.n == 0) {
		ask_ref(i, &i->ca_ref, on_ca);
		return;
	}
	cs_buf_add(&i->ca_new, cs_buf_span(&i->ca_inline));
	if (cs_buf_ok(&i->ca_new))
		find_token(i);
	else
		pending(i, "out of memory", "");
}
