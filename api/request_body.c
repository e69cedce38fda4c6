#include "api/request_body.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/time.h"

static const char *const known[] = {
	"approval",	    "attributes", "conditions", "csr",
	"duration",	    "isCA",	  "issuer",	"namespace",
	"namespace_labels", "owner",	  "renewal",	"requester",
	"source",	    "uid",	  "usages",	NULL,
};

static const char *const known_evaluate[] = {
	"approval",	    "attributes", "conditions", "csr",
	"duration",	    "isCA",	  "issuer",	"namespace",
	"namespace_labels", "owner",	  "policies",	"realm",
	"renewal",	    "requester",  "source",	"uid",
	"usages",	    NULL,
};

/* Is it the text of a usage: cert-manager's words, or an OID? */
static bool is_usage(struct cs_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != ' ' && c != '/' && c != '.' && c != '-')
			return false;
	}
	return s.n > 0;
}

/* usages: words such as "server auth" or OIDs, each once. */
static bool read_usages(const struct cs_body *b, struct cs_request_body *r)
{
	size_t n;

	if (!cs_body_get_strings(b, "usages", CS_MAX_USAGES, CS_MAX_NAME,
				 &r->usages))
		return false;
	n = json_array_size(r->usages);
	if (r->usages != NULL && n == 0)
		return cs_body_refuse(b, "usages",
				      "an empty list; leave the field out");
	for (size_t i = 0; i < n; i++) {
		struct cs_span u = cs_body_string(json_array_get(r->usages, i));
		char name[48];

		(void)snprintf(name, sizeof(name), "usages[%zu]", i);
		if (!is_usage(u))
			return cs_body_refuse(b, name,
					      "\"%.*s\" is neither a usage"
					      " such as \"server auth\" nor an"
					      " OID",
					      CS_SPAN_FMT(u));
		for (size_t k = 0; k < i; k++) {
			if (cs_span_equal(u, cs_body_string(json_array_get(
						     r->usages, k))))
				return cs_body_refuse(b, name,
						      "\"%.*s\" stands twice",
						      CS_SPAN_FMT(u));
		}
	}
	return true;
}

/* duration: base/time.h's, more than nothing. */
static bool read_duration(const struct cs_body *b, struct cs_request_body *r)
{
	struct cs_error err;
	int64_t seconds;

	if (!cs_body_get_text(b, "duration", CS_BODY_LINE, CS_MAX_NAME,
			      &r->duration))
		return false;
	if (r->duration.p == NULL)
		return true;
	if (!cs_time_parse_duration(r->duration, &seconds, &err))
		return cs_body_refuse(b, "duration", "%s", err.text);
	if (seconds <= 0)
		return cs_body_refuse(b, "duration",
				      "\"%.*s\" is no time at all",
				      CS_SPAN_FMT(r->duration));
	return true;
}

/* requester: a name, or {username, groups?, extra?}. */
static bool read_requester(const struct cs_body *b, struct cs_request_body *r)
{
	static const char *const fields[] = {"extra", "groups", "username",
					     NULL};
	struct cs_body in = {.path = "requester.", .p = b->p};
	const char *key;
	json_t *value;

	r->requester_value = json_object_get(b->object, "requester");
	if (r->requester_value == NULL || json_is_string(r->requester_value))
		return cs_body_get_text(b, "requester", CS_BODY_LINE,
					CS_MAX_PRINCIPAL, &r->requester);
	if (!cs_body_get_object(b, "requester", SIZE_MAX, &in.object) ||
	    !cs_body_known(&in, fields) ||
	    !cs_body_get_text(&in, "username", CS_BODY_LINE, CS_MAX_PRINCIPAL,
			      &r->requester) ||
	    !cs_body_get_strings(&in, "groups", CS_MAX_GROUPS, CS_MAX_PRINCIPAL,
				 &r->groups) ||
	    !cs_body_get_object(&in, "extra", CS_MAX_EXTRA, &r->extra))
		return false;
	if (r->requester.p == NULL)
		return cs_body_refuse(&in, "username", "it is missing");
	in = (struct cs_body){r->extra, "requester.extra.", b->p};
	json_object_foreach(r->extra, key, value)
	{
		json_t *list;

		(void)value;
		if (!cs_body_is_clean(cs_span_str(key), CS_BODY_LINE))
			return cs_body_refuse(b, "requester.extra",
					      "a control character in a name");
		if (!cs_body_get_strings(&in, key, CS_MAX_EXTRA,
					 CS_MAX_FREE_TEXT, &list))
			return false;
	}
	return true;
}

/* approval: who is said to have approved upstream. */
static bool read_approval(const struct cs_body *b, struct cs_request_body *r)
{
	static const char *const fields[] = {"claimed_by", NULL};
	struct cs_body in = {.path = "approval.", .p = b->p};

	if (!cs_body_get_object(b, "approval", SIZE_MAX, &r->approval))
		return false;
	if (r->approval == NULL)
		return true;
	in.object = r->approval;
	if (!cs_body_known(&in, fields) ||
	    !cs_body_get_text(&in, "claimed_by", CS_BODY_LINE, CS_MAX_PRINCIPAL,
			      &r->claimed_by))
		return false;
	if (r->claimed_by.p == NULL)
		return cs_body_refuse(&in, "claimed_by", "it is missing");
	return true;
}

/* One condition: {type, status, reason?, message?, lastTransitionTime?}. */
static bool read_condition(const struct cs_body *b, struct cs_request_body *r)
{
	static const char *const fields[] = {"lastTransitionTime",
					     "message",
					     "reason",
					     "status",
					     "type",
					     NULL};
	struct cs_span type, status, reason, message, when;
	struct cs_error err;
	bool denied;
	int64_t ms;

	if (!cs_body_known(b, fields) ||
	    !cs_body_get_text(b, "type", CS_BODY_LINE, CS_MAX_PRINCIPAL,
			      &type) ||
	    !cs_body_get_text(b, "status", CS_BODY_LINE, CS_MAX_NAME,
			      &status) ||
	    !cs_body_get_text(b, "reason", CS_BODY_LINE, CS_MAX_FREE_TEXT,
			      &reason) ||
	    !cs_body_get_text(b, "message", CS_BODY_LINES, CS_MAX_FREE_TEXT,
			      &message) ||
	    !cs_body_get_text(b, "lastTransitionTime", CS_BODY_LINE,
			      CS_MAX_NAME, &when))
		return false;
	if (type.p == NULL)
		return cs_body_refuse(b, "type", "it is missing");
	if (status.p == NULL)
		return cs_body_refuse(b, "status", "it is missing");
	if (!cs_span_equal_str(status, "True") &&
	    !cs_span_equal_str(status, "False") &&
	    !cs_span_equal_str(status, "Unknown"))
		return cs_body_refuse(b, "status",
				      "\"%.*s\" is none of \"True\","
				      " \"False\", \"Unknown\"",
				      CS_SPAN_FMT(status));
	if (when.p != NULL && !cs_time_parse_rfc3339(when, &ms, &err))
		return cs_body_refuse(b, "lastTransitionTime", "%s", err.text);
	denied = cs_span_equal_str(type, "Denied");
	if (!cs_span_equal_str(status, "True") ||
	    (!denied && (r->denied || !cs_span_equal_str(type, "Approved"))))
		return true;
	r->denied = r->denied || denied;
	r->approved = r->approved || !denied;
	r->reason = reason;
	r->message = message;
	return true;
}

/* conditions: as in Kubernetes a map by type, so that none stands twice. */
static bool read_conditions(const struct cs_body *b, struct cs_request_body *r)
{
	size_t n;

	if (!cs_body_get_array(b, "conditions", CS_MAX_CONDITIONS,
			       &r->conditions))
		return false;
	n = json_array_size(r->conditions);
	for (size_t i = 0; i < n; i++) {
		json_t *item = json_array_get(r->conditions, i);
		char path[48];
		struct cs_body in = {item, path, b->p};

		(void)snprintf(path, sizeof(path), "conditions[%zu]", i);
		if (!json_is_object(item))
			return cs_body_refuse(b, path, "no object");
		(void)snprintf(path, sizeof(path), "conditions[%zu].", i);
		if (!read_condition(&in, r))
			return false;
		for (size_t k = 0; k < i; k++) {
			json_t *other = json_array_get(r->conditions, k);

			if (json_equal(json_object_get(other, "type"),
				       json_object_get(item, "type")))
				return cs_body_refuse(&in, "type",
						      "the same type stands"
						      " in conditions[%zu]",
						      k);
		}
	}
	return true;
}

/* The fields that are one value each. */
static bool read_scalars(const struct cs_body *b, struct cs_request_body *r)
{
	return cs_body_get_text(b, "csr", CS_BODY_LINES, CS_MAX_CSR_PEM,
				&r->csr) &&
	       cs_body_get_text(b, "issuer", CS_BODY_LINE, CS_MAX_NAME,
				&r->issuer) &&
	       cs_body_get_bool(b, "isCA", &r->is_ca) &&
	       cs_body_get_text(b, "uid", CS_BODY_LINE, CS_MAX_IDEMPOTENCY_KEY,
				&r->uid) &&
	       cs_body_get_text(b, "namespace", CS_BODY_LINE, CS_MAX_NAME,
				&r->namespace) &&
	       cs_body_get_text(b, "owner", CS_BODY_LINE, CS_MAX_PRINCIPAL,
				&r->owner) &&
	       cs_body_get_bool(b, "renewal", &r->renewal);
}

/* Which way in. */
static bool read_source(const struct cs_body *b, struct cs_request_body *r)
{
	if (!cs_body_get_text(b, "source", CS_BODY_LINE, CS_MAX_NAME,
			      &r->source))
		return false;
	if (r->source.p == NULL || cs_span_equal_str(r->source, "api") ||
	    cs_span_equal_str(r->source, "kubernetes"))
		return true;
	return cs_body_refuse(b, "source",
			      "\"%.*s\" is none of \"api\", \"kubernetes\"",
			      CS_SPAN_FMT(r->source));
}

bool cs_request_body_read(json_t *root, enum cs_request_form form,
			  struct cs_request_body *ret_body,
			  struct cs_problem *p)
{
	bool evaluate = form == CS_REQUEST_EVALUATE;
	struct cs_body b = {root, "", p};
	struct cs_request_body r = {0};

	if (!cs_body_known(&b, evaluate ? known_evaluate : known) ||
	    (evaluate && !cs_body_get_text(&b, "realm", CS_BODY_LINE,
					   CS_MAX_NAME, &r.realm)) ||
	    !read_source(&b, &r) || !read_scalars(&b, &r) ||
	    !read_duration(&b, &r) || !read_usages(&b, &r) ||
	    !read_requester(&b, &r) || !read_approval(&b, &r) ||
	    !cs_body_get_string_map(&b, "namespace_labels", CS_MAX_LABELS,
				    CS_MAX_PRINCIPAL, &r.namespace_labels) ||
	    !cs_body_get_string_map(&b, "attributes", CS_MAX_ATTRIBUTES,
				    CS_MAX_PRINCIPAL, &r.attributes) ||
	    !read_conditions(&b, &r))
		return false;
	if (r.csr.p == NULL)
		return cs_body_refuse(&b, "csr", "it is missing");
	if (r.approval != NULL && !r.approved && !r.denied)
		return cs_body_refuse(&b, "approval",
				      "there is no condition Approved=True"
				      " that it could belong to");
	*ret_body = r;
	return true;
}
