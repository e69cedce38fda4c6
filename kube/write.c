#include "kube/write.h"

#include <string.h>

#include "base/codec.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "kube/object.h"

/* A note of an event has 1 KiB at most. */
#define NOTE_BYTES 1000
/* Of a name, what the event's takes over: 253 are allowed in all. */
#define EVENT_NAME_BYTES 180
/* And the name of who reports it so many. */
#define REPORTER_BYTES 128

static const char *text(const json_t *object, const char *name)
{
	const char *s = cs_kube_text(object, name);

	return s != NULL ? s : "";
}

/* Seconds, as Kubernetes has them. */
static json_t *when(int64_t ms)
{
	char t[CS_TIME_TEXT];

	cs_time_rfc3339(ms / 1000, t);
	return json_string(t);
}

static json_t *cut(struct cs_span s, size_t max)
{
	s = cs_codec_utf8_cut(s, max);
	return s.n > 0 ? json_stringn((const char *)s.p, s.n) : json_string("");
}

static json_t *base64(struct cs_span s)
{
	struct cs_buf b;
	json_t *value;

	cs_buf_init(&b, 2 * CS_MAX_PEM_FILE);
	cs_codec_base64(s, &b);
	value = cs_buf_ok(&b) ? json_string(cs_buf_str(&b)) : NULL;
	cs_buf_done(&b);
	return value;
}

/* Put out a document, and release it. NULL: there was no memory for it. */
static bool render(json_t *doc, struct cs_buf *out, struct cs_error *err)
{
	bool ok;

	if (doc == NULL)
		return cs_error_set(err, CS_E_NO_MEMORY,
				    "no memory for a status");
	ok = cs_json_canonical(doc, out, err) &&
	     cs_buf_finish(out, "a status", err);
	json_decref(doc);
	return ok;
}

/* Reference and precondition in one. */
static json_t *metadata(const char *namespace, const char *name,
			const char *uid, const char *version)
{
	json_t *m = json_pack("{s:s, s:s}", "name", name, "uid", uid);

	if (m != NULL && namespace != NULL)
		(void)json_object_set_new(m, "namespace",
					  json_string(namespace));
	if (m != NULL && version != NULL)
		(void)json_object_set_new(m, "resourceVersion",
					  json_string(version));
	return m;
}

/* -- requests ------------------------------------------------------------- */

static const char *status_of(const struct cs_kube_ready *ready)
{
	return strcmp(ready->reason, "Issued") == 0 ? "True" : "False";
}

bool cs_kube_ready_stands(const struct cs_kube_request *r,
			  const struct cs_kube_ready *ready)
{
	const json_t *c = cs_kube_condition(r->object, "Ready");
	struct cs_span said =
		cs_codec_utf8_cut(ready->message, CS_MAX_KUBE_MESSAGE);

	return strcmp(text(c, "reason"), ready->reason) == 0 &&
	       strcmp(text(c, "status"), status_of(ready)) == 0 &&
	       cs_span_equal_str(said, text(c, "message"));
}

/* lastTransitionTime: of the status, not of what is said about it. */
static json_t *transition(const struct cs_kube_request *r,
			  const struct cs_kube_ready *ready)
{
	const json_t *c = cs_kube_condition(r->object, "Ready");
	const char *since = text(c, "lastTransitionTime");

	if (since[0] != '\0' &&
	    strcmp(text(c, "status"), status_of(ready)) == 0)
		return json_string(since);
	return when(ready->now_ms);
}

/*
 * Never before the request itself: cert-manager would take a failure that is
 * older than its question for another one's, and ask again at once, for ever.
 */
static int64_t failed_ms(const struct cs_kube_request *r,
			 const struct cs_kube_ready *ready)
{
	return ready->now_ms > r->created_ms ? ready->now_ms : r->created_ms;
}

static json_t *cr_status(const struct cs_kube_request *r,
			 const struct cs_kube_ready *ready)
{
	bool issued = strcmp(ready->reason, "Issued") == 0;
	json_t *s = json_pack("{s:[{s:s, s:s, s:s, s:o, s:o}]}", "conditions",
			      "type", "Ready", "status", status_of(ready),
			      "reason", ready->reason, "message",
			      cut(ready->message, CS_MAX_KUBE_MESSAGE),
			      "lastTransitionTime", transition(r, ready));
	bool ok = s != NULL;

	if (ok && issued)
		ok = json_object_set_new(s, "certificate",
					 base64(ready->certificate)) == 0 &&
		     (ready->ca.n == 0 ||
		      json_object_set_new(s, "ca", base64(ready->ca)) == 0);
	else if (ok && strcmp(ready->reason, "Pending") != 0)
		ok = json_object_set_new(s, "failureTime",
					 when(failed_ms(r, ready))) == 0;
	if (ok)
		return s;
	json_decref(s);
	return NULL;
}

static json_t *csr_status(const struct cs_kube_ready *ready)
{
	if (strcmp(ready->reason, "Issued") == 0)
		return json_pack("{s:o}", "certificate",
				 base64(ready->certificate));
	return json_pack("{s:[{s:s, s:s, s:s, s:o, s:o, s:o}]}", "conditions",
			 "type", "Failed", "status", "True", "reason",
			 "CountersignRefused", "message",
			 cut(ready->message, CS_MAX_KUBE_MESSAGE),
			 "lastUpdateTime", when(ready->now_ms),
			 "lastTransitionTime", when(ready->now_ms));
}

bool cs_kube_write_request(const struct cs_kube_request *r,
			   const struct cs_kube_ready *ready,
			   struct cs_buf *out, struct cs_error *err)
{
	json_t *status =
		r->kind == CS_KUBE_CR ? cr_status(r, ready) : csr_status(ready);

	return render(
		json_pack("{s:s, s:s, s:o, s:o}", "apiVersion",
			  cs_kube_request_api(r->kind), "kind",
			  cs_kube_request_kind(r->kind), "metadata",
			  metadata(r->namespace, r->name, r->uid, r->version),
			  "status", status),
		out, err);
}

/* -- issuers -----------------------------------------------------------------
 */

bool cs_kube_write_issuer(const struct cs_kube_issuer_ready *i,
			  struct cs_buf *out, struct cs_error *err)
{
	json_t *status = json_pack(
		"{s:[{s:s, s:s, s:s, s:o, s:o, s:I}]}", "conditions", "type",
		"Ready", "status", i->status, "reason", i->reason, "message",
		cut(cs_span_str(i->message), CS_MAX_KUBE_MESSAGE),
		"lastTransitionTime", when(i->since_ms), "observedGeneration",
		(json_int_t)i->generation);

	return render(json_pack("{s:s, s:s, s:o, s:o}", "apiVersion",
				CS_KUBE_GROUP "/" CS_KUBE_VERSION, "kind",
				i->kind, "metadata",
				metadata(i->namespace, i->name, i->uid, NULL),
				"status", status),
		      out, err);
}

/* -- events ------------------------------------------------------------------
 */

/* Those of what is in no namespace go to this one. */
static const char *place(const struct cs_kube_event *e)
{
	return e->namespace != NULL ? e->namespace : "default";
}

/* Is it what the name of an event may begin with? A CSR's name may be not. */
static bool is_subdomain(struct cs_span s)
{
	bool inner = false; /* behind a letter or a digit */

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!plain && (!(c == '-' || c == '.') || i == 0 ||
			       (s.p[i - 1] == '.') || (c == '.' && !inner)))
			return false;
		inner = plain;
	}
	return inner;
}

/* Of what it is about, as far as it can be, and a number. */
static json_t *event_name(const struct cs_kube_event *e)
{
	struct cs_span about =
		cs_span_sub(cs_span_str(e->name), 0, EVENT_NAME_BYTES);

	if (!is_subdomain(about))
		about = CS_SPAN_LIT("countersign");
	return json_sprintf("%.*s.%llx%llx", CS_SPAN_FMT(about),
			    (unsigned long long)e->now_ms,
			    (unsigned long long)e->number);
}

void cs_kube_event_path(const struct cs_kube_event *e, struct cs_buf *out)
{
	cs_buf_addf(out, "/apis/events.k8s.io/v1/namespaces/%s/events",
		    place(e));
}

bool cs_kube_write_event(const struct cs_kube_event *e, struct cs_buf *out,
			 struct cs_error *err)
{
	char at[CS_TIME_TEXT];
	char micro[CS_TIME_TEXT + 4];
	json_t *about;

	/* MicroTime has six digits behind the point. */
	cs_time_rfc3339_ms(e->now_ms, at);
	(void)snprintf(micro, sizeof(micro), "%.*s000Z", (int)strlen(at) - 1,
		       at);
	about = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?}", "apiVersion",
			  e->api, "kind", e->kind, "name", e->name, "uid",
			  e->uid, "namespace", e->namespace, "resourceVersion",
			  e->version);
	if (about != NULL && e->namespace == NULL)
		(void)json_object_del(about, "namespace");
	return render(
		json_pack("{s:s, s:s, s:{s:o, s:s}, s:s, s:s, s:o, s:s, s:s,"
			  " s:o, s:o, s:s}",
			  "apiVersion", "events.k8s.io/v1", "kind", "Event",
			  "metadata", "name", event_name(e), "namespace",
			  place(e), "eventTime", micro, "reportingController",
			  CS_KUBE_MANAGER, "reportingInstance",
			  cut(cs_span_str(e->reporter), REPORTER_BYTES),
			  "action", "Sign", "reason", e->reason, "regarding",
			  about, "note", cut(e->note, NOTE_BYTES), "type",
			  e->type),
		out, err);
}
