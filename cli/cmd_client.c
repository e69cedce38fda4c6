/* `client add|list|remove`: who may speak to the server. */
#include <string.h>

#include "base/limits.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/show.h"

static const struct cs_option add_options[] = {
	{"right", 0, "RIGHTS",
	 "submit, approve, gateway, audit, revoke, admin; with commas, or "
	 "repeated"},
	{"issuer", 0, "NAME", "only with this issuer; repeatable"},
	{"realm", 0, "REALM", "where it speaks for, as recorded"},
	{"group", 0, "GROUP", "of the client as a requester; repeatable"},
	{"namespace", 0, "NAME", "only for this namespace; repeatable"},
	{"expires", 0, "DURATION", "when its token ends by itself, as 90d"},
	{0},
};

/* Append the texts between commas. */
static bool append_words(json_t *list, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, ",");

		if (n > 0 &&
		    json_array_append_new(list, json_stringn(text, n)) != 0)
			return false;
		text += n + (text[n] == ',');
	}
	return true;
}

/* A repeatable option as a list, when it was given. */
static bool add_list(const struct cs_call *call, const char *option,
		     const char *member, json_t *body)
{
	const char *value;
	json_t *list;

	if (cs_call_get(call, option) == NULL)
		return true;
	list = json_array();
	for (size_t i = 0; (value = cs_call_get_nth(call, option, i)) != NULL;
	     i++)
		if (!append_words(list, value)) {
			json_decref(list);
			return false;
		}
	return json_object_set_new(body, member, list) == 0;
}

static bool add_text(const struct cs_call *call, const char *option,
		     json_t *body)
{
	const char *value = cs_call_get(call, option);

	return value == NULL ||
	       json_object_set_new(body, option, json_string(value)) == 0;
}

static int run_add(const struct cs_call *call)
{
	json_t *body = json_pack("{s:s}", "name", call->args[0]);
	struct cs_error err = {0};
	struct cs_reply r;
	bool ok;
	int status;

	ok = body != NULL && add_list(call, "right", "rights", body) &&
	     add_list(call, "issuer", "issuers", body) &&
	     add_list(call, "group", "groups", body) &&
	     add_list(call, "namespace", "namespaces", body) &&
	     add_text(call, "realm", body) && add_text(call, "expires", body);
	if (!ok)
		cs_error_set(&err, CS_E_USAGE, "an option is not valid UTF-8");
	else if (cs_call_get(call, "right") == NULL)
		ok = cs_error_set(&err, CS_E_USAGE,
				  "`client add` needs --right");
	ok = ok && cs_ask(call, "POST", "/v1/clients", body, NULL, &r, &err);
	json_decref(body);
	if (!ok)
		return cs_call_fail(call, &err);
	if (cs_call_wants(call, "json")) {
		status = cs_reply_print_json(call, &r);
	} else if (r.status >= 400) {
		status = cs_reply_print_problem(call, &r);
	} else {
		/* Shown once; the server keeps its hash only. */
		fprintf(call->out, "%s\n", cs_reply_text(r.body, "token"));
		status = cs_exit_of_status(r.status);
	}
	cs_reply_done(&r);
	return status;
}

static int run_list(const struct cs_call *call)
{
	static const char *const header[] = {"NAME",	"RIGHTS", "REALM",
					     "ISSUERS", "GROUPS", "NAMESPACES"};
	static const char *const names[] = {"name",    "rights", "realm",
					    "issuers", "groups", "namespaces"};
	const struct cs_question_call q = {.kind = CS_QUERY_CLIENTS,
					   .target = "/v1/clients"};
	struct cs_error err = {0};
	struct cs_reply r;
	int status = CS_EXIT_DONE;

	if (!cs_ask_question(call, &q, &r, &err))
		return cs_call_fail(call, &err);
	if (cs_call_wants(call, "json"))
		status = cs_reply_print_json(call, &r);
	else if (r.status >= 400)
		status = cs_reply_print_problem(call, &r);
	else
		cs_show_list(json_object_get(r.body, "items"), header, names,
			     sizeof(names) / sizeof(names[0]), call->out);
	cs_reply_done(&r);
	return status;
}

static int run_remove(const struct cs_call *call)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf target;
	struct cs_error err = {0};
	struct cs_reply r;
	int status;

	cs_buf_init(&target, CS_MAX_HTTP_TARGET);
	cs_buf_add_str(&target, "/v1/clients/");
	cs_ask_escape(&target, call->args[0]);
	if (!cs_buf_finish(&target, "the name", &err) ||
	    !cs_ask(call, "DELETE", cs_buf_str(&target), NULL, NULL, &r, &err))
		return cs_call_fail(call, &err);
	status = cs_exit_of_status(r.status);
	if (cs_call_wants(call, "json"))
		status = cs_reply_print_json(call, &r);
	else if (r.status >= 400)
		status = cs_reply_print_problem(call, &r);
	cs_reply_done(&r);
	return status;
}

const struct cs_command cs_cmd_client_add = {
	.name = "client add",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Add a client and print its bearer token, once",
	.outputs = "table|json",
	.options = add_options,
	.example = "countersign client add gw --right submit,approve,gateway "
		   "--realm prod --expires 90d",
	.run = run_add,
};

const struct cs_command cs_cmd_client_list = {
	.name = "client list",
	.args = "",
	.help = "List the clients and their rights",
	.outputs = "table|json",
	.example = "countersign client list",
	.run = run_list,
};

const struct cs_command cs_cmd_client_remove = {
	.name = "client remove",
	.args = "NAME",
	.min_args = 1,
	.max_args = 1,
	.help = "Remove a client; its pending requests are denied",
	.outputs = "table|json",
	.example = "countersign client remove gw",
	.run = run_remove,
};
