/* `issue`: submit a CSR as the local administrator, print the chain. */
#include <string.h>

#include "cli/ask.h"
#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/show.h"

static const struct cs_option options[] = {
	{"csr", 0, "FILE", "the CSR, PEM or DER; - for standard input"},
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
	const char *file = cs_call_get(call, "request");
	json_t *body;

	if (!cs_call_needs(call, "reason", "approve", err) ||
	    !cs_call_needs(call, "message", "approve", err))
		return NULL;
	body = file != NULL ? cs_asked_document(file, err) : json_object();
	if (body == NULL)
		return NULL;
	if (!cs_asked_csr(call, body, err)) {
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
