#include "kube/request.h"

#include <string.h>

#include "base/limits.h"
#include "base/time.h"
#include "kube/object.h"

#define SIGNER "clusterissuers." CS_KUBE_GROUP "/"

static bool is(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

bool cs_kube_is_name(const char *s)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789-_.";

	return s != NULL && s[0] != '\0' && s[0] != '.' &&
	       s[strspn(s, set)] == '\0' && strlen(s) <= CS_MAX_DNS_NAME;
}

/*
 * What Kubernetes lets a CSR be called: whatever is one part of a path. Of a
 * length that every other name keeps to.
 */
static bool is_segment(const char *s)
{
	return s != NULL && s[0] != '\0' && strcmp(s, ".") != 0 &&
	       strcmp(s, "..") != 0 && s[strcspn(s, "/%")] == '\0' &&
	       strlen(s) <= CS_MAX_DNS_NAME;
}

json_t *cs_kube_condition(const json_t *object, const char *type)
{
	json_t *list = json_object_get(json_object_get(object, "status"),
				       "conditions");
	json_t *c;
	size_t i;

	json_array_foreach(list, i,
			   c) if (is(cs_kube_text(c, "type"), type)) return c;
	return NULL;
}

/* Is there a condition of this type that is true? */
static bool holds(const json_t *object, const char *type)
{
	return is(cs_kube_text(cs_kube_condition(object, type), "status"),
		  "True");
}

static int64_t time_of(const json_t *object, const char *name)
{
	const char *t = cs_kube_text(object, name);
	int64_t ms;

	if (t == NULL || !cs_time_parse_rfc3339(cs_span_str(t), &ms, NULL))
		return 0;
	return ms;
}

/* -- cert-manager's ------------------------------------------------------- */

/* Which of our kinds does it name? An empty one is the namespaced. */
static bool read_ref(const json_t *spec, struct cs_kube_request *r)
{
	const json_t *ref = json_object_get(spec, "issuerRef");
	const char *kind = cs_kube_text(ref, "kind");

	r->issuer = cs_kube_text(ref, "name");
	if (!is(cs_kube_text(ref, "group"), CS_KUBE_GROUP) ||
	    r->issuer == NULL || r->namespace == NULL)
		return false;
	r->cluster_issuer = is(kind, "ClusterIssuer");
	return r->cluster_issuer || kind == NULL || kind[0] == '\0' ||
	       is(kind, "Issuer");
}

/* Has it an end: is it issued, failed, denied, invalid? */
static bool is_over(const json_t *object)
{
	const json_t *ready = cs_kube_condition(object, "Ready");
	const char *reason = cs_kube_text(ready, "reason");

	return is(cs_kube_text(ready, "status"), "True") ||
	       is(reason, "Failed") || is(reason, "Denied") ||
	       is(reason, "Issued") || holds(object, "InvalidRequest");
}

static enum cs_kube_todo judge_cr(struct cs_kube_request *r)
{
	const json_t *o = r->object;
	const json_t *meta = json_object_get(o, "metadata");
	const json_t *spec = json_object_get(o, "spec");

	if (!read_ref(spec, r) || is_over(o) ||
	    json_object_get(meta, "deletionTimestamp") != NULL)
		return CS_KUBE_IGNORE;
	if (holds(o, "Denied")) {
		r->reason =
			cs_kube_text(cs_kube_condition(o, "Denied"), "message");
		return CS_KUBE_DENY;
	}
	if (!holds(o, "Approved"))
		return CS_KUBE_WAIT;
	r->approved_ms =
		time_of(cs_kube_condition(o, "Approved"), "lastTransitionTime");
	/* cert-manager's webhook, where there is one, lets nobody do it. */
	if (json_integer_value(json_object_get(meta, "generation")) > 1) {
		r->why = "the spec was changed after the request had been"
			 " made: what was approved is not what stands there";
		return CS_KUBE_REFUSE;
	}
	return r->delivered ? CS_KUBE_IGNORE : CS_KUBE_SUBMIT;
}

/* -- Kubernetes' own --------------------------------------------------------
 */

static enum cs_kube_todo judge_csr(struct cs_kube_request *r)
{
	const json_t *o = r->object;
	const char *signer =
		cs_kube_text(json_object_get(o, "spec"), "signerName");
	const size_t n = sizeof(SIGNER) - 1;

	if (signer == NULL || strncmp(signer, SIGNER, n) != 0 ||
	    signer[n] == '\0' || strchr(signer + n, '/') != NULL)
		return CS_KUBE_IGNORE;
	r->issuer = signer + n;
	r->cluster_issuer = true;
	/* There, a condition counts by being there. */
	if (cs_kube_condition(o, "Denied") != NULL ||
	    cs_kube_condition(o, "Failed") != NULL || r->delivered ||
	    json_object_get(json_object_get(o, "metadata"),
			    "deletionTimestamp") != NULL)
		return CS_KUBE_IGNORE;
	if (cs_kube_condition(o, "Approved") == NULL)
		return CS_KUBE_WAIT;
	r->approved_ms =
		time_of(cs_kube_condition(o, "Approved"), "lastUpdateTime");
	return CS_KUBE_SUBMIT;
}

bool cs_kube_request_read(enum cs_kube_kind kind, json_t *object,
			  struct cs_kube_request *ret)
{
	const json_t *meta = json_object_get(object, "metadata");
	struct cs_kube_request r = {
		.kind = kind,
		.name = cs_kube_text(meta, "name"),
		.namespace = cs_kube_text(meta, "namespace"),
		.uid = cs_kube_text(meta, "uid"),
		.version = cs_kube_text(meta, "resourceVersion"),
		.delivered = cs_kube_text(json_object_get(object, "status"),
					  "certificate") != NULL,
		.created_ms = time_of(meta, "creationTimestamp"),
		.object = object,
	};

	if (r.uid == NULL || r.version == NULL)
		return false;
	if (kind == CS_KUBE_CR
		    ? !cs_kube_is_name(r.name) || !cs_kube_is_name(r.namespace)
		    : !is_segment(r.name))
		return false;
	r.todo = kind == CS_KUBE_CR ? judge_cr(&r) : judge_csr(&r);
	*ret = r;
	return true;
}

unsigned cs_kube_request_mark(const struct cs_kube_request *r)
{
	switch (r->todo) {
	case CS_KUBE_IGNORE:
	case CS_KUBE_WAIT:
		return 0;
	default:
		return (unsigned)r->todo;
	}
}

/* -- names -------------------------------------------------------------------
 */

const char *cs_kube_request_api(enum cs_kube_kind kind)
{
	return kind == CS_KUBE_CR ? "cert-manager.io/v1"
				  : "certificates.k8s.io/v1";
}

const char *cs_kube_request_kind(enum cs_kube_kind kind)
{
	return kind == CS_KUBE_CR ? "CertificateRequest"
				  : "CertificateSigningRequest";
}

void cs_kube_request_path(enum cs_kube_kind kind, const char *namespace,
			  const char *name, const char *behind,
			  struct cs_buf *out)
{
	cs_buf_addf(out, "/apis/%s", cs_kube_request_api(kind));
	if (kind == CS_KUBE_CR)
		cs_buf_addf(out, "/namespaces/%s/certificaterequests/",
			    namespace);
	else
		cs_buf_add_str(out, "/certificatesigningrequests/");
	cs_kube_put_escaped(out, name);
	cs_buf_add_str(out, behind);
}
