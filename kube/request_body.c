/* The body of POST /v1/requests, from what the cluster asks. */
#include <string.h>

#include "base/codec.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "kube/object.h"
#include "kube/request.h"

#define NAME_OF	    "cert-manager.io/certificate-name"
#define REVISION_OF "cert-manager.io/certificate-revision"
#define DURATION_OF "experimental.cert-manager.io/request-duration"
#define CA_OF	    "experimental.cert-manager.io/request-is-ca"

/* The condition, in the book-keeping of who wrote what. */
#define APPROVED_KEY "k:{\"type\":\"Approved\"}"

/* What the API server asks of an expirationSeconds. */
#define CSR_LEAST_S 600

static const json_t *spec_of(const struct cs_kube_request *r)
{
	return json_object_get(r->object, "spec");
}

static const char *annotation(const struct cs_kube_request *r, const char *name)
{
	return cs_kube_text(
		json_object_get(json_object_get(r->object, "metadata"),
				"annotations"),
		name);
}

/* Set a member; out of memory and what is no UTF-8 are one to the caller. */
static bool put(json_t *o, const char *name, json_t *value)
{
	return json_object_set_new(o, name, value) == 0;
}

/* A text that people wrote, cut and without what the API does not take. */
static json_t *clean(const char *s, size_t max, bool lines)
{
	struct cs_span cut = cs_codec_utf8_cut(cs_span_str(s), max);
	json_t *value;
	struct cs_buf b;

	cs_buf_init(&b, max + 1);
	for (size_t i = 0; i < cut.n; i++) {
		uint8_t c = cut.p[i];
		/* C0, DEL, and C1, which is C2 80 to C2 9F in UTF-8. */
		bool c1 = c == 0xc2 && i + 1 < cut.n && cut.p[i + 1] < 0xa0;

		if ((lines && c == '\n') || (c >= 0x20 && c != 0x7f && !c1)) {
			cs_buf_add_byte(&b, c);
			continue;
		}
		cs_buf_add_byte(&b, ' ');
		i += c1;
	}
	value = json_stringn((const char *)b.p, b.n);
	cs_buf_done(&b);
	return b.n == 0 && value == NULL ? json_string("") : value;
}

/* One condition in the form that the API takes; NULL: it says nothing. */
static json_t *condition(const json_t *c, bool is_csr)
{
	static const char *const names[] = {"type", "status", "reason",
					    "message", "lastTransitionTime"};
	json_t *out = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *s = cs_kube_text(c, names[i]);

		if (s == NULL)
			continue;
		if (!put(out, names[i],
			 clean(s, CS_MAX_FREE_TEXT,
			       strcmp(names[i], "message") == 0))) {
			json_decref(out);
			return NULL;
		}
	}
	/* A CSR's condition says True or nothing, and means the same. */
	if (is_csr && cs_kube_text(out, "status") == NULL)
		(void)put(out, "status", json_string("True"));
	return out;
}

/* What we do not want signed, we deny; NULL: out of memory. */
static json_t *denial(const struct cs_kube_request *r)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "type", "Denied", "status",
			 "True", "reason", "SpecChanged", "message", r->why);
}

/* The conditions as they stand, but ours; and a denial of ours. */
static json_t *conditions(const struct cs_kube_request *r)
{
	const bool refuse = r->todo == CS_KUBE_REFUSE;
	const size_t max = CS_MAX_CONDITIONS - refuse;
	json_t *list = json_object_get(json_object_get(r->object, "status"),
				       "conditions");
	json_t *out = json_array();
	json_t *c;
	size_t i;

	json_array_foreach(list, i, c)
	{
		const char *type = cs_kube_text(c, "type");

		if (type == NULL || strcmp(type, "Ready") == 0 ||
		    strcmp(type, "Failed") == 0 ||
		    (refuse && strcmp(type, "Denied") == 0) ||
		    json_array_size(out) == max)
			continue;
		if (json_array_append_new(
			    out, condition(c, r->kind == CS_KUBE_CSR)) != 0) {
			json_decref(out);
			return NULL;
		}
	}
	if (!refuse || json_array_append_new(out, denial(r)) == 0)
		return out;
	json_decref(out);
	return NULL;
}

/* Who wrote the condition, as the server's book-keeping has it, or NULL. */
static const char *approver(const json_t *meta)
{
	json_t *list = json_object_get(meta, "managedFields");
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const json_t *f = json_object_get(entry, "fieldsV1");

		f = json_object_get(json_object_get(f, "f:status"),
				    "f:conditions");
		if (json_object_get(f, APPROVED_KEY) != NULL)
			return cs_kube_text(entry, "manager");
	}
	return NULL;
}

void cs_kube_request_trim(json_t *object)
{
	static const char *const kept[] = {NAME_OF, REVISION_OF, DURATION_OF,
					   CA_OF};
	static const char *const unread[] = {"labels", "ownerReferences",
					     "finalizers", "managedFields"};
	json_t *meta = json_object_get(object, "metadata");
	json_t *all = json_object_get(meta, "annotations");
	json_t *few = json_object();
	const char *by = approver(meta);
	json_t *managers = NULL;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (json_object_get(all, kept[i]) != NULL)
			(void)json_object_set(few, kept[i],
					      json_object_get(all, kept[i]));
	if (by != NULL)
		managers = json_pack("[{s:s, s:{s:{s:{s:{}}}}}]", "manager", by,
				     "fieldsV1", "f:status", "f:conditions",
				     APPROVED_KEY);
	for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++)
		(void)json_object_del(meta, unread[i]);
	(void)json_object_set_new(meta, "annotations", few);
	if (managers != NULL)
		(void)json_object_set_new(meta, "managedFields", managers);
}

/* {username, groups, extra}; what is too much for the API is refused there. */
static json_t *requester(const struct cs_kube_request *r)
{
	const json_t *spec = spec_of(r);
	const char *name = cs_kube_text(spec, "username");
	json_t *out = json_object();
	json_t *groups = json_object_get(spec, "groups");
	json_t *extra = json_object_get(spec, "extra");

	if (put(out, "username", json_string(name != NULL ? name : "")) &&
	    (json_array_size(groups) == 0 ||
	     json_object_set(out, "groups", groups) == 0) &&
	    (json_object_size(extra) == 0 ||
	     json_object_set(out, "extra", extra) == 0))
		return out;
	json_decref(out);
	return NULL;
}

/* The CSR's PEM, from Base64. */
static json_t *csr(const struct cs_kube_request *r, struct cs_error *err)
{
	const char *coded = cs_kube_text(spec_of(r), "request");
	json_t *value = NULL;
	struct cs_buf pem;

	if (coded == NULL || strlen(coded) > CS_MAX_CSR_PEM / 3 * 4 + 4) {
		cs_error_set(err, CS_E_FORMAT, "spec.request: %s",
			     coded == NULL ? "it is missing"
					   : "a CSR of more than 24 KiB");
		return NULL;
	}
	cs_buf_init(&pem, CS_MAX_CSR_PEM);
	if (!cs_codec_base64_decode(cs_span_str(coded), &pem, err))
		cs_error_prefix(err, "spec.request");
	else if ((value = json_stringn((const char *)pem.p, pem.n)) == NULL)
		cs_error_set(err, CS_E_FORMAT, "spec.request: it is no PEM");
	cs_buf_done(&pem);
	return value;
}

/* How long: as it is stated, or not at all. */
static bool put_duration(const struct cs_kube_request *r, json_t *body,
			 struct cs_error *err)
{
	char seconds[24];
	const char *stated = r->kind == CS_KUBE_CR
				     ? cs_kube_text(spec_of(r), "duration")
				     : annotation(r, DURATION_OF);
	const json_t *expiry = json_object_get(spec_of(r), "expirationSeconds");
	int64_t s = 0;

	if (r->kind == CS_KUBE_CSR && stated == NULL && expiry != NULL) {
		snprintf(seconds, sizeof(seconds), "%llds",
			 (long long)json_integer_value(expiry));
		stated = seconds;
	}
	if (stated == NULL)
		return true;
	if (!cs_time_parse_duration(cs_span_str(stated), &s, err) || s <= 0)
		return cs_error_set(err, CS_E_FORMAT,
				    "duration: \"%.*s\" is no duration that a"
				    " certificate can have",
				    CS_MAX_NAME, stated);
	if (r->kind == CS_KUBE_CSR && s < CSR_LEAST_S)
		return cs_error_set(err, CS_E_FORMAT,
				    "duration: %llds; Kubernetes asks for %d at"
				    " least",
				    (long long)s, CSR_LEAST_S);
	return put(body, "duration", json_string(stated));
}

static bool put_is_ca(const struct cs_kube_request *r, json_t *body)
{
	const char *said = r->kind == CS_KUBE_CSR ? annotation(r, CA_OF) : NULL;
	bool ca = r->kind == CS_KUBE_CR
			  ? json_is_true(json_object_get(spec_of(r), "isCA"))
			  : said != NULL && strcmp(said, "true") == 0;

	return !ca || put(body, "isCA", json_true());
}

/* What only cert-manager's requests have. */
static bool put_place(const struct cs_kube_request *r, const json_t *labels,
		      json_t *body)
{
	const char *owner = annotation(r, NAME_OF);
	const char *revision = annotation(r, REVISION_OF);

	if (r->kind == CS_KUBE_CSR)
		return true;
	return put(body, "namespace", json_string(r->namespace)) &&
	       (labels == NULL ||
		put(body, "namespace_labels", json_deep_copy(labels))) &&
	       (owner == NULL || put(body, "owner", json_string(owner))) &&
	       (revision == NULL ||
		put(body, "renewal", json_boolean(strcmp(revision, "1") != 0)));
}

static bool put_usages(const struct cs_kube_request *r, json_t *body)
{
	json_t *usages = json_object_get(spec_of(r), "usages");

	return json_array_size(usages) == 0 ||
	       json_object_set(body, "usages", usages) == 0;
}

static bool put_approval(const struct cs_kube_request *r, json_t *body)
{
	const char *by = approver(json_object_get(r->object, "metadata"));
	json_t *approval;

	/* Of a denial, it would name who denied. */
	if (r->todo == CS_KUBE_REFUSE || by == NULL || by[0] == '\0')
		return true;
	approval = json_object();
	if (put(approval, "claimed_by", clean(by, CS_MAX_PRINCIPAL, false)))
		return put(body, "approval", approval);
	json_decref(approval);
	return false;
}

bool cs_kube_request_body(const struct cs_kube_request *r, const char *issuer,
			  const json_t *labels, struct cs_buf *out,
			  struct cs_error *err)
{
	json_t *pem = csr(r, err);
	json_t *body = json_object();
	bool ok;

	if (pem == NULL || body == NULL) {
		json_decref(pem);
		json_decref(body);
		return pem == NULL ? false
				   : cs_error_set(err, CS_E_NO_MEMORY,
						  "no memory for a request");
	}
	ok = put(body, "csr", pem) &&
	     put(body, "issuer", json_string(issuer)) &&
	     put(body, "uid", json_string(r->uid)) &&
	     put(body, "source", json_string("kubernetes")) &&
	     put(body, "conditions", conditions(r)) &&
	     put(body, "requester", requester(r)) && put_usages(r, body) &&
	     put_is_ca(r, body) && put_place(r, labels, body) &&
	     put_approval(r, body);
	if (!ok)
		(void)cs_error_set(err, CS_E_FORMAT,
				   "the request cannot be written as JSON");
	ok = ok && put_duration(r, body, err) &&
	     cs_json_canonical(body, out, err) &&
	     cs_buf_finish(out, "the request", err);
	json_decref(body);
	return ok;
}
