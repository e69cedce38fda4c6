/* `cert revoke`. */
#include <string.h>

#include "base/limits.h"
#include "base/revoke.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/show.h"

static const struct cs_option options[] = {
	{"reason", 0, "REASON",
	 "key-compromise, superseded, ... (unspecified)"},
	{"message", 0, "TEXT", "for the log"},
	{0},
};

/* What is said of it: {"message"?, "reason"?}. NULL: CS_E_USAGE. */
static json_t *make_body(const struct cs_call *call, struct cs_error *err)
{
	const char *message = cs_call_get(call, "message");
	const char *text = cs_call_get(call, "reason");
	enum cs_reason reason = CS_REASON_UNSPECIFIED;
	struct cs_error why;
	json_t *body;

	if (text != NULL &&
	    !cs_reason_parse(cs_span_str(text), &reason, &why)) {
		cs_error_set(err, CS_E_USAGE, "--reason: %s: %s", text,
			     why.text);
		return NULL;
	}
	body = json_pack("{s:s}", "reason", cs_reason_name(reason));
	if (body == NULL ||
	    (message != NULL &&
	     json_object_set_new(body, "message", json_string(message)) != 0)) {
		json_decref(body);
		cs_error_set(err, CS_E_USAGE,
			     "--message: expected text in UTF-8");
		return NULL;
	}
	return body;
}

static int run(const struct cs_call *call)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf target;
	struct cs_error err = {0};
	struct cs_reply r;
	json_t *body;
	int status;
	bool ok;

	cs_buf_init(&target, CS_MAX_HTTP_TARGET);
	cs_buf_add_str(&target, "/v1/certificates/");
	cs_ask_escape(&target, call->args[0]);
	cs_buf_add_str(&target, "/revoke");
	if (!cs_buf_finish(&target, "the serial", &err))
		return cs_call_fail(call, &err);
	body = make_body(call, &err);
	if (body == NULL)
		return cs_call_fail(call, &err);
	ok = cs_ask(call, "POST", cs_buf_str(&target), body, NULL, &r, &err);
	json_decref(body);
	if (!ok)
		return cs_call_fail(call, &err);
	if (!cs_reply_print(call, &r, &status))
		cs_show_object(r.body, call->out);
	cs_reply_done(&r);
	return status;
}

const struct cs_command cs_cmd_cert_revoke = {
	.name = "cert revoke",
	.args = "SERIAL",
	.min_args = 1,
	.max_args = 1,
	.help = "Revoke a certificate, for ever",
	.outputs = "table|json",
	.options = options,
	.example = "countersign cert revoke "
		   "5b1c0f2a9d3e4b5c6d7e8f901a2b3c4d5e --reason "
		   "superseded --message 'ticket 4711'",
	.run = run,
};
