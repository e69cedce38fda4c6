/* `issue`: submit a CSR as the local administrator, print the chain. */
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/show.h"

static const struct cs_option options[] = {
	{"csr", 0, "FILE", "the CSR, PEM; - for standard input"},
	{"issuer", 0, "NAME", "who issues (default)"},
	{"approve", 0, NULL, "approve it at once"},
	{"reason", 0, "TEXT", "why it is approved, one word"},
	{"message", 0, "TEXT", "why it is approved, in words"},
	{"duration", 0, "DURATION", "validity, as 24h or 90d"},
	{"usage", 0, "USAGE", "such as 'server auth'; repeatable"},
	{"request", 0, "FILE", "a request's body, YAML or JSON, to start from"},
	{"key", 0, "KEY", "Idempotency-Key: the same key, the same answer"},
	{"dry-run", 0, NULL, "only tell what would come of it"},
	{0},
};

/* The document of --request, or an empty one. */
static json_t *read_request(const struct cs_call *call, struct cs_error *err)
{
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	const char *file = cs_call_get(call, "request");
	struct cs_yaml *doc;
	json_t *json;

	cs_arena_init(&arena, 8 * CS_MAX_POLICY_FILE);
	cs_buf_init(&text, CS_MAX_POLICY_FILE);
	if (file == NULL)
		return json_object();
	if (!cs_files_read(".", file, &text, err))
		return NULL;
	doc = cs_yaml_parse(cs_buf_span(&text), file, &arena, err);
	if (doc == NULL)
		return NULL;
	json = cs_yaml_to_json(doc);
	if (json_is_object(json) && doc->next == NULL)
		return json;
	json_decref(json);
	cs_error_set(err, CS_E_USAGE, "%s: expected one mapping", file);
	return NULL;
}

/* --csr, which is required unless --request states one. */
static bool add_csr(const struct cs_call *call, json_t *body,
		    struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf text;
	const char *file = cs_call_get(call, "csr");

	cs_buf_init(&text, CS_MAX_CSR_PEM);
	if (file == NULL && json_object_get(body, "csr") != NULL)
		return true;
	if (file == NULL)
		return cs_error_set(err, CS_E_USAGE,
				    "`issue` needs --csr FILE");
	if (!cs_files_read_given(file, &text, err))
		return false;
	return json_object_set_new(body, "csr",
				   json_stringn(cs_buf_str(&text),
						cs_buf_span(&text).n)) == 0 ||
	       cs_error_set(err, CS_E_USAGE, "%s: not a PEM file", file);
}

/* The condition that --approve states. */
static bool add_approval(const struct cs_call *call, json_t *body)
{
	const char *reason = cs_call_get(call, "reason");
	const char *message = cs_call_get(call, "message");
	json_t *c;

	if (cs_call_get(call, "approve") == NULL)
		return true;
	c = json_pack("{s:s, s:s}", "type", "Approved", "status", "True");
	if (reason != NULL)
		json_object_set_new(c, "reason", json_string(reason));
	if (message != NULL)
		json_object_set_new(c, "message", json_string(message));
	return json_object_set_new(body, "conditions", json_pack("[o]", c)) ==
	       0;
}

static bool add_text(const struct cs_call *call, const char *option,
		     json_t *body)
{
	const char *value = cs_call_get(call, option);

	return value == NULL ||
	       json_object_set_new(body, option, json_string(value)) == 0;
}

static bool add_usages(const struct cs_call *call, json_t *body)
{
	json_t *list;
	const char *value;

	if (cs_call_get(call, "usage") == NULL)
		return true;
	list = json_array();
	for (size_t i = 0; (value = cs_call_get_nth(call, "usage", i)) != NULL;
	     i++)
		if (json_array_append_new(list, json_string(value)) != 0) {
			json_decref(list);
			return false;
		}
	return json_object_set_new(body, "usages", list) == 0;
}

static json_t *make_body(const struct cs_call *call, struct cs_error *err)
{
	json_t *body;

	if (!cs_call_needs(call, "reason", "approve", err) ||
	    !cs_call_needs(call, "message", "approve", err))
		return NULL;
	body = read_request(call, err);
	if (body == NULL)
		return NULL;
	if (!add_csr(call, body, err)) {
		json_decref(body);
		return NULL;
	}
	if (add_text(call, "issuer", body) &&
	    add_text(call, "duration", body) && add_usages(call, body) &&
	    add_approval(call, body))
		return body;
	json_decref(body);
	cs_error_set(err, CS_E_USAGE, "an option is not valid UTF-8");
	return NULL;
}

/* What came of it. */
static int tell(const struct cs_call *call, const struct cs_reply *r)
{
	int status;

	if (!cs_reply_print(call, r, &status)) {
		cs_show_answer(r->body, call->err);
		if (r->status == 201)
			fputs(cs_reply_text(r->body, "certificate"), call->out);
	}
	if (strcmp(cs_reply_text(r->body, "would"), "refused") == 0 &&
	    r->status == 200)
		return CS_EXIT_REFUSED;
	return status;
}

static int run(const struct cs_call *call)
{
	const char *target = cs_call_get(call, "dry-run") != NULL
				     ? "/v1/requests?dry_run=true"
				     : "/v1/requests";
	struct cs_error err = {0};
	struct cs_reply r;
	json_t *body = make_body(call, &err);
	bool ok;
	int status;

	if (body == NULL)
		return cs_call_fail(call, &err);
	ok = cs_ask(call, "POST", target, body, cs_call_get(call, "key"), &r,
		    &err);
	json_decref(body);
	if (!ok)
		return cs_call_fail(call, &err);
	status = tell(call, &r);
	cs_reply_done(&r);
	return status;
}

const struct cs_command cs_cmd_issue = {
	.name = "issue",
	.args = "",
	.help = "Submit a CSR and print the certificate and its chain",
	.outputs = "table|json",
	.options = options,
	.example = "countersign issue --csr web.csr --approve --duration 24h "
		   "--usage 'server auth' > web.pem",
	.run = run,
};
