#include "cli/asked.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/msg.h"
#include "base/time.h"
#include "base/yaml.h"
#include "cli/files.h"

#define NAME_ANNOTATION	    "cert-manager.io/certificate-name"
#define REVISION_ANNOTATION "cert-manager.io/certificate-revision"

static bool no_memory(struct cs_error *err)
{
	return cs_error_set(err, CS_E_NO_MEMORY, "no memory for the request");
}

/* -- a document ------------------------------------------------------------ */

json_t *cs_asked_document(const char *file, struct cs_error *err)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	struct cs_yaml *doc;
	json_t *json;

	cs_arena_init(&arena, 8 * CS_MAX_POLICY_FILE);
	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	if (!cs_files_read_given(file, &text, err))
		return NULL;
	doc = cs_yaml_parse(cs_buf_span(&text), file, &arena, err);
	if (doc == NULL)
		return NULL;
	json = cs_yaml_to_json(doc);
	if (json_is_object(json) && doc->next == NULL)
		return json;
	json_decref(json);
	cs_error_set(err, CS_E_USAGE,
		     "%s: expected one mapping, such as a request's body",
		     file);
	return NULL;
}

/* A member that is a text of its own, under another name. */
static bool take_text(json_t *body, const char *name, const json_t *value)
{
	const char *text = json_string_value(value);

	return text == NULL || text[0] == '\0' ||
	       json_object_set_new(body, name, json_string(text)) == 0;
}

/* A member as it is; nothing when it is empty or absent. */
static bool take(json_t *body, const char *name, json_t *value)
{
	if (value == NULL || json_is_null(value) ||
	    (json_is_array(value) && json_array_size(value) == 0) ||
	    (json_is_object(value) && json_object_size(value) == 0))
		return true;
	return json_object_set(body, name, value) == 0;
}

/* spec.request: Base64 of the CSR's PEM. */
static bool take_csr(json_t *body, const json_t *spec, struct cs_error *err)
{
	const char *text = json_string_value(json_object_get(spec, "request"));
	CS_CLEANUP(cs_buf_done) struct cs_buf pem;
	struct cs_error why = {0};

	cs_buf_init(&pem, CS_MAX_CSR_PEM);
	if (text == NULL)
		return cs_error_set(err, CS_E_USAGE,
				    "spec.request: the CSR is missing");
	if (!cs_codec_base64_decode(cs_span_str(text), &pem, &why))
		return cs_error_set(err, CS_E_USAGE,
				    "spec.request: expected the Base64 of a "
				    "CSR in PEM: %s",
				    why.text);
	return json_object_set_new(body, "csr",
				   json_stringn(cs_buf_str(&pem),
						cs_buf_span(&pem).n)) == 0 ||
	       cs_error_set(err, CS_E_USAGE,
			    "spec.request: what it decodes to is no PEM");
}

/* Who created the CertificateRequest, as the API server wrote it down. */
static bool take_requester(json_t *body, const json_t *spec)
{
	json_t *who = json_object();
	bool ok =
		take_text(who, "username", json_object_get(spec, "username")) &&
		take(who, "groups", json_object_get(spec, "groups")) &&
		take(who, "extra", json_object_get(spec, "extra"));

	if (ok && json_object_get(who, "username") != NULL)
		ok = json_object_set(body, "requester", who) == 0;
	json_decref(who);
	return ok;
}

/* For which Certificate, and is it not the first for it? */
static bool take_owner(json_t *body, const json_t *metadata)
{
	const json_t *notes = json_object_get(metadata, "annotations");
	const json_t *name = json_object_get(notes, NAME_ANNOTATION);
	const char *revision =
		json_string_value(json_object_get(notes, REVISION_ANNOTATION));
	bool renewal = revision != NULL && strtol(revision, NULL, 10) > 1;

	if (name == NULL)
		name = json_object_get(metadata, "name");
	return take_text(body, "owner", name) &&
	       (!renewal ||
		json_object_set_new(body, "renewal", json_true()) == 0);
}

/* From a CertificateRequest to a request's body. */
static bool from_certificate_request(const json_t *doc, json_t *body,
				     struct cs_error *err)
{
	const json_t *metadata = json_object_get(doc, "metadata");
	const json_t *spec = json_object_get(doc, "spec");
	const json_t *issuer = json_object_get(spec, "issuerRef");
	const json_t *status = json_object_get(doc, "status");

	if (!take_csr(body, spec, err))
		return false;
	return (take_text(body, "duration",
			  json_object_get(spec, "duration")) &&
		take(body, "usages", json_object_get(spec, "usages")) &&
		take(body, "isCA", json_object_get(spec, "isCA")) &&
		take_text(body, "issuer", json_object_get(issuer, "name")) &&
		take_text(body, "namespace",
			  json_object_get(metadata, "namespace")) &&
		take_text(body, "uid", json_object_get(metadata, "uid")) &&
		take(body, "conditions",
		     json_object_get(status, "conditions")) &&
		take_requester(body, spec) && take_owner(body, metadata) &&
		json_object_set_new(body, "source",
				    json_string("kubernetes")) == 0) ||
	       no_memory(err);
}

/* Is it one, and of the version that is known? */
static bool is_certificate_request(const json_t *doc, bool *ret_is,
				   struct cs_error *err)
{
	const char *kind = json_string_value(json_object_get(doc, "kind"));
	const char *version =
		json_string_value(json_object_get(doc, "apiVersion"));

	*ret_is = kind != NULL || version != NULL;
	if (!*ret_is || (kind != NULL && version != NULL &&
			 strcmp(kind, "CertificateRequest") == 0 &&
			 strcmp(version, "cert-manager.io/v1") == 0))
		return true;
	return cs_error_set(err, CS_E_USAGE,
			    "expected a CertificateRequest of "
			    "cert-manager.io/v1, not %s of %s",
			    kind != NULL ? kind : "no kind",
			    version != NULL ? version : "no apiVersion");
}

/* The document of --request as a body; without that, an empty one. */
static json_t *start(const struct cs_call *call, struct cs_error *err)
{
	const char *file = cs_call_get(call, "request");
	bool is_kubernetes = false;
	json_t *doc, *body;

	if (file == NULL)
		return json_object();
	doc = cs_asked_document(file, err);
	if (doc == NULL)
		return NULL;
	body = json_object();
	if (!is_certificate_request(doc, &is_kubernetes, err) ||
	    (is_kubernetes ? !from_certificate_request(doc, body, err)
			   : json_object_update(body, doc) != 0)) {
		if (!is_kubernetes)
			(void)no_memory(err);
		cs_error_prefix(err, "%s", file);
		json_decref(body);
		body = NULL;
	}
	json_decref(doc);
	return body;
}

/* -- options --------------------------------------------------------------- */

/* The values of a repeated option as a list; NULL: it is absent. */
static json_t *list_of(const struct cs_call *call, const char *option)
{
	json_t *list = NULL;
	const char *value;

	for (size_t i = 0; (value = cs_call_get_nth(call, option, i)) != NULL;
	     i++) {
		if (list == NULL)
			list = json_array();
		json_array_append_new(list, json_string(value));
	}
	return list;
}

bool cs_asked_csr(const struct cs_call *call, json_t *body,
		  struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf bytes, pem;
	const char *file = cs_call_get(call, "csr");

	cs_buf_init(&bytes, CS_MAX_CSR_PEM);
	cs_buf_init(&pem, 2 * CS_MAX_CSR_PEM);
	if (file == NULL)
		return json_object_get(body, "csr") != NULL ||
		       cs_error_set(err, CS_E_USAGE,
				    "`%s` needs --csr FILE or --request FILE",
				    call->command->name);
	if (!cs_files_read_given(file, &bytes, err))
		return false;
	/* A SEQUENCE begins with an octet that no PEM begins with. */
	if (cs_buf_span(&bytes).n > 0 && cs_buf_span(&bytes).p[0] == 0x30)
		cs_codec_pem("CERTIFICATE REQUEST", cs_buf_span(&bytes), &pem);
	else
		cs_buf_add(&pem, cs_buf_span(&bytes));
	return json_object_set_new(body, "csr",
				   json_stringn(cs_buf_str(&pem),
						cs_buf_span(&pem).n)) == 0 ||
	       cs_error_set(err, CS_E_USAGE, "%s: neither PEM nor DER", file);
}

/* --requester and --group: a requester's groups do not outlive its name. */
static bool set_requester(const struct cs_call *call, json_t *body)
{
	const char *name = cs_call_get(call, "requester");
	json_t *groups = list_of(call, "group");
	json_t *who = json_object_get(body, "requester");

	if (name != NULL) {
		who = json_pack("{s:s}", "username", name);
		json_object_set_new(body, "requester", who);
	} else if (groups != NULL && !json_is_object(who)) {
		who = json_pack("{s:s}", "username",
				json_is_string(who) ? json_string_value(who)
						    : "_local");
		json_object_set_new(body, "requester", who);
	}
	return groups == NULL ||
	       json_object_set_new(who, "groups", groups) == 0;
}

/* --label NAME=VALUE */
static bool set_labels(const struct cs_call *call, json_t *body,
		       struct cs_error *err)
{
	const char *value;
	json_t *labels;

	if (cs_call_get(call, "label") == NULL)
		return true;
	labels = json_object();
	json_object_set_new(body, "namespace_labels", labels);
	for (size_t i = 0; (value = cs_call_get_nth(call, "label", i)) != NULL;
	     i++) {
		const char *equals = strchr(value, '=');

		if (equals == NULL)
			return cs_error_set(err, CS_E_USAGE,
					    "--label: `%s`: expected "
					    "NAME=VALUE",
					    value);
		if (json_object_setn_new(labels, value,
					 (size_t)(equals - value),
					 json_string(equals + 1)) != 0)
			return cs_error_set(err, CS_E_USAGE,
					    "--label: not valid UTF-8");
	}
	return true;
}

/* What is one text each. */
static bool set_texts(const struct cs_call *call, json_t *body,
		      struct cs_error *err)
{
	static const char *const names[] = {"duration", "issuer", "namespace",
					    "owner",	"realm",  "source"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = cs_call_get(call, names[i]);

		if (value != NULL &&
		    json_object_set_new(body, names[i], json_string(value)))
			return cs_error_set(err, CS_E_USAGE,
					    "--%s: not valid UTF-8", names[i]);
	}
	return true;
}

static bool set_options(const struct cs_call *call, json_t *body,
			struct cs_error *err)
{
	json_t *usages = list_of(call, "usage");

	if (usages != NULL && json_object_set_new(body, "usages", usages) != 0)
		return no_memory(err);
	return cs_asked_csr(call, body, err) && set_texts(call, body, err) &&
	       set_labels(call, body, err) &&
	       (set_requester(call, body) || no_memory(err));
}

json_t *cs_asked_body(const struct cs_call *call, struct cs_error *err)
{
	json_t *body = start(call, err);

	if (body != NULL && set_options(call, body, err))
		return body;
	json_decref(body);
	return NULL;
}

/* -- a REQUEST ------------------------------------------------------------- */

/* What stands beside the CSR, in front's words. */
static bool make_scalars(json_t *body, json_t *s)
{
	json_t *who = json_object_get(body, "requester");

	if (json_object_update(s, body) != 0)
		return false;
	(void)json_object_del(s, "csr");
	(void)json_object_del(s, "policies");
	(void)json_object_del(s, "realm");
	(void)json_object_del(s, "source");
	if (!json_is_object(who))
		return true;
	return json_object_set(s, "requester",
			       json_object_get(who, "username")) == 0 &&
	       take(s, "groups", json_object_get(who, "groups")) &&
	       take(s, "requester_extra", json_object_get(who, "extra"));
}

/* Front refuses such a one before a worker sees it. */
static bool check_duration(const json_t *body, struct cs_error *err)
{
	const char *text = json_string_value(json_object_get(body, "duration"));
	struct cs_error why = {0};
	int64_t seconds;

	if (text == NULL ||
	    cs_time_parse_duration(cs_span_str(text), &seconds, &why))
		return true;
	return cs_error_set(err, CS_E_USAGE,
			    "duration: `%s`: expected hours, minutes, seconds "
			    "or days, such as 24h or 90d",
			    text);
}

/* A text of the body, or what stands for it. */
static struct cs_span text_or(const json_t *body, const char *name,
			      const char *other)
{
	const char *text = json_string_value(json_object_get(body, name));

	return cs_span_str(text != NULL ? text : other);
}

/* Likewise. */
static bool check_source(const json_t *body, struct cs_error *err)
{
	const char *text = json_string_value(json_object_get(body, "source"));

	if (text == NULL || strcmp(text, "api") == 0 ||
	    strcmp(text, "kubernetes") == 0)
		return true;
	return cs_error_set(err, CS_E_USAGE,
			    "source: `%s`: expected api or kubernetes", text);
}

bool cs_asked_request(json_t *body, struct cs_buf *out, struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf scalars;
	struct cs_msg_request m = {.uid = -1};
	json_t *s = json_object();
	bool ok;

	cs_buf_init(&scalars, CS_MAX_SCALARS);
	ok = make_scalars(body, s) || no_memory(err);
	ok = ok && check_duration(body, err) && check_source(body, err) &&
	     cs_json_canonical(s, &scalars, err);
	m.client_name = text_or(s, "requester", "_local");
	m.realm = text_or(body, "realm", "");
	m.source = text_or(body, "source", "api");
	m.issuer = text_or(body, "issuer", "default");
	m.scalars = cs_buf_span(&scalars);
	m.csr = text_or(body, "csr", "");
	if (ok)
		cs_msg_request_encode(&m, out);
	json_decref(s);
	return ok && cs_buf_finish(out, "the request", err);
}
