#include "kube/issuers.h"

#include <string.h>

#include "base/codec.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/time.h"
#include "kube/issuers_parts.h"
#include "kube/object.h"
#include "kube/queue.h"
#include "kube/request.h"

/* After a check that failed: a second, doubled to a minute. */
#define FIRST_MS 1000
#define MOST_MS	 60000

static const json_t *meta(const json_t *object)
{
	return json_object_get(object, "metadata");
}

/* A copy in place of what was there. False: no memory. */
static bool keep(char **at, const char *s)
{
	cs_mem_free(*at);
	*at = s != NULL ? cs_mem_strdup(s) : NULL;
	return s == NULL || *at != NULL;
}

static void ref_done(struct cs_issuer_ref *ref)
{
	cs_mem_free(ref->kind);
	cs_mem_free(ref->name);
	cs_mem_free(ref->key);
	*ref = (struct cs_issuer_ref){0};
}

static void issuer_free(struct cs_issuer *i)
{
	cs_issuer_stop(i);
	cs_kube_api_cancel(i->writing);
	cs_timer_free(i->timer);
	cs_mem_free(i->key);
	cs_mem_free(i->namespace);
	cs_mem_free(i->name);
	cs_mem_free(i->uid);
	cs_mem_free(i->url);
	cs_mem_free(i->issuer);
	cs_buf_done(&i->ca_inline);
	ref_done(&i->ca_ref);
	ref_done(&i->token_ref);
	cs_buf_done(&i->said.message);
	cs_buf_done(&i->stands.message);
	cs_buf_done(&i->ca);
	cs_buf_done(&i->token);
	cs_buf_done(&i->ca_new);
	cs_buf_done(&i->token_new);
	cs_mem_free(i);
}

/* -- what the object says ------------------------------------------------- */

static bool read_ref(const json_t *ref, const char *kind, const char *key,
		     struct cs_issuer_ref *ret)
{
	const char *named = cs_kube_text(ref, "key");

	ref_done(ret);
	if (cs_kube_text(ref, "name") == NULL)
		return true;
	return keep(&ret->kind, kind) &&
	       keep(&ret->name, cs_kube_text(ref, "name")) &&
	       keep(&ret->key, named != NULL ? named : key);
}

/* {kind: Secret|ConfigMap, name, key}. */
static bool read_ca(struct cs_issuer *i, const json_t *spec)
{
	const json_t *ref = json_object_get(spec, "caBundleRef");
	const char *kind = cs_kube_text(ref, "kind");
	const char *coded = cs_kube_text(spec, "caBundle");

	cs_buf_reset(&i->ca_inline);
	if (coded != NULL &&
	    !cs_codec_base64_decode(cs_span_str(coded), &i->ca_inline, NULL))
		cs_buf_reset(&i->ca_inline);
	return read_ref(ref,
			kind != NULL && strcmp(kind, "Secret") == 0
				? "secrets"
				: "configmaps",
			"ca.crt", &i->ca_ref);
}

/* The spec, as it stands now. */
static bool read_spec(struct cs_issuer *i, const json_t *spec)
{
	const json_t *auth = json_object_get(spec, "auth");
	const char *issuer = cs_kube_text(spec, "issuer");
	size_t n;

	if (!keep(&i->url, cs_kube_text(spec, "url")) ||
	    !keep(&i->issuer, issuer != NULL ? issuer : "default") ||
	    !read_ca(i, spec) ||
	    !read_ref(json_object_get(auth, "secretRef"), "secrets", "token",
		      &i->token_ref))
		return false;
	n = i->url != NULL ? strlen(i->url) : 0;
	while (n > 0 && i->url[n - 1] == '/')
		i->url[--n] = '\0';
	return true;
}

/* One of the few words that a condition has; NULL: another one. */
static const char *word(const char *s)
{
	static const char *const words[] = {"True",    "False",	  "Unknown",
					    "Checked", "Pending", "Failed"};

	for (size_t k = 0; s != NULL && k < sizeof(words) / sizeof(words[0]);
	     k++)
		if (strcmp(s, words[k]) == 0)
			return words[k];
	return NULL;
}

/* The Ready condition that stands in the object. */
static void read_stands(struct cs_issuer *i, const json_t *object)
{
	const json_t *c = cs_kube_condition(object, "Ready");
	const char *since = cs_kube_text(c, "lastTransitionTime");
	struct cs_issuer_said *s = &i->stands;

	s->status = word(cs_kube_text(c, "status"));
	s->reason = word(cs_kube_text(c, "reason"));
	s->generation =
		json_integer_value(json_object_get(c, "observedGeneration"));
	s->since_ms = 0;
	if (since == NULL ||
	    !cs_time_parse_rfc3339(cs_span_str(since), &s->since_ms, NULL))
		s->since_ms = 0;
	cs_buf_reset(&s->message);
	if (cs_kube_text(c, "message") != NULL)
		cs_buf_add_str(&s->message, cs_kube_text(c, "message"));
}

/* -- the table --------------------------------------------------------------
 */

static struct cs_issuer **find(struct cs_issuers *is, const char *key)
{
	struct cs_issuer **at = &is->first;

	while (*at != NULL && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	return at;
}

static void on_timer(void *ctx)
{
	cs_issuer_check(ctx);
}

static struct cs_issuer *add(struct cs_issuers *is, const char *key,
			     const json_t *object)
{
	struct cs_issuer *i;

	if (is->n == CS_MAX_KUBE_ISSUERS)
		return NULL;
	i = cs_mem_new(sizeof(*i));
	if (i == NULL)
		return NULL;
	i->all = is;
	i->state = CS_ISSUER_UNKNOWN;
	cs_wait_init(&i->wait, FIRST_MS, MOST_MS);
	cs_buf_init(&i->ca_inline, CS_MAX_PEM_FILE);
	cs_buf_init(&i->said.message, CS_MAX_KUBE_MESSAGE);
	cs_buf_init(&i->stands.message, CS_MAX_KUBE_MESSAGE * 8);
	i->timer = cs_timer_new(is->c.loop, on_timer, i, NULL);
	if (i->timer == NULL || !keep(&i->key, key) ||
	    !keep(&i->name, cs_kube_text(meta(object), "name")) ||
	    (key[0] != '/' &&
	     !keep(&i->namespace, cs_kube_text(meta(object), "namespace")))) {
		issuer_free(i);
		return NULL;
	}
	i->next = is->first;
	is->first = i;
	is->n++;
	return i;
}

/* "NAMESPACE/NAME" of an object; empty: it has no name. */
static void key_of(enum cs_issuers_scope scope, const json_t *object,
		   struct cs_buf *out)
{
	const char *name = cs_kube_text(meta(object), "name");
	const char *namespace = cs_kube_text(meta(object), "namespace");

	cs_buf_init(out, 2 * CS_MAX_URI);
	if (name != NULL && (scope == CS_ISSUERS_CLUSTER || namespace != NULL))
		cs_kube_issuer_key(scope == CS_ISSUERS_CLUSTER, namespace, name,
				   out);
}

void cs_issuers_put(struct cs_issuers *is, enum cs_issuers_scope scope,
		    json_t *object)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf key = {0};
	const char *uid = cs_kube_text(meta(object), "uid");
	int64_t generation =
		json_integer_value(json_object_get(meta(object), "generation"));
	struct cs_issuer *i;
	bool other;

	key_of(scope, object, &key);
	if (key.n == 0 || uid == NULL)
		return;
	i = *find(is, cs_buf_str(&key));
	if (i == NULL)
		i = add(is, cs_buf_str(&key), object);
	if (i == NULL) {
		cs_log_write(is->c.log, CS_LOG_ERROR, "kube.issuer",
			     "no room for the issuer %s", cs_buf_str(&key));
		return;
	}
	i->seen = is->list[scope];
	read_stands(i, object);
	other = i->uid == NULL || strcmp(i->uid, uid) != 0 ||
		i->generation != generation;
	if (!other)
		return;
	cs_issuer_stop(i);
	i->generation = generation;
	i->state = CS_ISSUER_UNKNOWN;
	i->said.status = NULL;
	cs_wait_reset(&i->wait);
	if (!keep(&i->uid, uid) ||
	    !read_spec(i, json_object_get(object, "spec")))
		i->generation = -1; /* no memory: the next event tries again */
	/* Not from here: we may stand inside of a transfer. */
	cs_timer_start(i->timer, 0);
}

/* It is gone, and those who wait for it are to know. */
static void discard(struct cs_issuers *is, struct cs_issuer **at)
{
	struct cs_issuer *i = *at;

	*at = i->next;
	is->n--;
	is->c.on_change(is->c.ctx, i->key);
	issuer_free(i);
}

void cs_issuers_gone(struct cs_issuers *is, enum cs_issuers_scope scope,
		     const json_t *object)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf key = {0};
	struct cs_issuer **at;

	key_of(scope, object, &key);
	at = find(is, cs_buf_str(&key));
	if (*at != NULL)
		discard(is, at);
}

void cs_issuers_listing(struct cs_issuers *is, enum cs_issuers_scope scope)
{
	is->list[scope]++;
}

void cs_issuers_listed(struct cs_issuers *is, enum cs_issuers_scope scope)
{
	struct cs_issuer **at = &is->first;

	while (*at != NULL) {
		bool cluster = (*at)->namespace == NULL;

		if (cluster == (scope == CS_ISSUERS_CLUSTER) &&
		    (*at)->seen != is->list[scope])
			discard(is, at);
		else
			at = &(*at)->next;
	}
}

/* -- questions ----------------------------------------------------------------
 */

struct cs_issuer_view cs_issuers_find(struct cs_issuers *is, const char *key)
{
	struct cs_issuer *i = *find(is, key);
	struct cs_issuer_view v = {.state = CS_ISSUER_ABSENT, .message = ""};

	if (i == NULL)
		return v;
	v.state = i->state;
	v.message = cs_buf_str(&i->said.message);
	v.url = i->url;
	v.issuer = i->issuer;
	v.peer = (struct cs_fetch_peer){
		.ca = cs_buf_span(&i->ca),
		.bearer = cs_buf_str(&i->token),
	};
	return v;
}

void cs_issuers_doubt(struct cs_issuers *is, const char *key)
{
	struct cs_issuer *i = *find(is, key);

	/* A check that is under way, or soon, is not begun again, nor put off.
	 */
	if (i == NULL || i->state != CS_ISSUER_READY || i->call != NULL ||
	    i->transfer != NULL || i->doubted)
		return;
	i->doubted = true;
	cs_timer_start(i->timer, FIRST_MS);
}

void cs_issuers_metrics(const struct cs_issuers *is, struct cs_buf *out)
{
	cs_metrics_family(out, "countersign_kube_issuer_ready", CS_METRIC_GAUGE,
			  "Was the issuer good when it was last checked?");
	for (const struct cs_issuer *i = is->first; i != NULL; i = i->next) {
		const struct cs_metric_label labels[] = {
			{"name", cs_span_str(i->name)},
			{"namespace", cs_span_str(i->namespace)},
		};

		cs_metrics_sample(out, "countersign_kube_issuer_ready", labels,
				  2, i->state == CS_ISSUER_READY);
	}
}

void cs_issuers_free(struct cs_issuers *is)
{
	if (is == NULL)
		return;
	while (is->first != NULL) {
		struct cs_issuer *i = is->first;

		is->first = i->next;
		issuer_free(i);
	}
	cs_mem_free(is);
}

struct cs_issuers *cs_issuers_new(const struct cs_issuers_config *config,
				  struct cs_error *err)
{
	struct cs_issuers *is = cs_mem_new(sizeof(*is));

	if (is == NULL)
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for issuers");
	else
		is->c = *config;
	return is;
}
