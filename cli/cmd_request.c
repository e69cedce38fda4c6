/* `request list|show|approve|deny`. */
#include <stdlib.h>
#include <string.h>

#include "api/csv.h"
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/list.h"
#include "cli/show.h"

static const struct cs_option list_options[] = {
	{"state", 0, "STATE",
	 "pending, approved, issued, refused, denied or expired; repeatable"},
	{"issuer", 0, "NAME", "of this issuer; repeatable"},
	{"namespace", 0, "NAME", "of this namespace; repeatable"},
	{"requester", 0, "NAME", "who asked; repeatable"},
	CS_LIST_OPTIONS,
	{0},
};

static const struct cs_option decide_options[] = {
	{"sha256", 0, "HASH",
	 "the request_sha256 that you looked at (else it is asked for now)"},
	{"reason", 0, "WORD", "why, one word"},
	{"message", 0, "TEXT", "why, in words"},
	{0},
};

static int run_list(const struct cs_call *call)
{
	static const char *const header[] = {"RECEIVED",  "STATE",  "ISSUER",
					     "REQUESTER", "CLIENT", "ID"};
	static const char *const names[] = {"received",	 "state",  "issuer",
					    "requester", "client", "id"};
	static const char *const filters[] = {"state", "issuer", "namespace",
					      "requester", NULL};
	const struct cs_list list = {.kind = CS_QUERY_REQUESTS,
				     .target = "/v1/requests",
				     .filters = filters,
				     .header = header,
				     .names = names,
				     .columns =
					     sizeof(names) / sizeof(names[0]),
				     .csv = cs_csv_requests};

	return cs_list_run(call, &list);
}

/* The target of one request, with what follows its id. */
static bool target_of(const struct cs_call *call, const char *behind,
		      struct cs_buf *out, struct cs_error *err)
{
	cs_buf_add_str(out, "/v1/requests/");
	cs_ask_escape(out, call->args[0]);
	cs_buf_add_str(out, behind);
	return cs_buf_finish(out, "the id", err);
}

static bool get_request(const struct cs_call *call, struct cs_reply *r,
			struct cs_error *err)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf target;
	struct cs_question_call q = {
		.kind = CS_QUERY_REQUEST,
		.in_path = {CS_ASK_ONE, "id", call->args[0], 0}};

	cs_buf_init(&target, CS_MAX_HTTP_TARGET);
	if (!target_of(call, "", &target, err))
		return false;
	q.target = cs_buf_str(&target);
	return cs_ask_question(call, &q, r, err);
}

static int run_show(const struct cs_call *call)
{
	struct cs_error err = {0};
	struct cs_reply r;
	int status;

	if (!get_request(call, &r, &err))
		return cs_call_fail(call, &err);
	if (!cs_reply_print(call, &r, &status))
		cs_show_answer(r.body, call->out);
	cs_reply_done(&r);
	return status;
}

/* The hash that binds the decision: as given, or as the request is now. */
static json_t *make_decision(const struct cs_call *call, int *ret_status,
			     struct cs_error *err)
{
	static const char *const texts[] = {"reason", "message"};
	const char *hash = cs_call_get(call, "sha256");
	struct cs_reply r = {0};
	json_t *body;

	if (hash == NULL) {
		if (!get_request(call, &r, err)) {
			*ret_status = cs_call_fail(call, err);
			return NULL;
		}
		if (r.status >= 400) {
			*ret_status = cs_reply_print_problem(call, &r);
			cs_reply_done(&r);
			return NULL;
		}
		hash = cs_reply_text(r.body, "request_sha256");
	}
	body = json_pack("{s:s}", "request_sha256", hash);
	cs_reply_done(&r);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *value = cs_call_get(call, texts[i]);

		if (value != NULL)
			json_object_set_new(body, texts[i], json_string(value));
	}
	return body;
}

/* What came of a decision. */
static int tell(const struct cs_call *call, const struct cs_reply *r)
{
	int status;

	if (!cs_reply_print(call, r, &status))
		cs_show_answer(r->body, call->out);
	if (r->status < 400 &&
	    strcmp(cs_reply_text(r->body, "state"), "refused") == 0)
		return CS_EXIT_REFUSED;
	return status;
}

static int decide(const struct cs_call *call, const char *what)
{
	CS_CLEANUP(cs_buf_done) struct cs_buf target;
	struct cs_error err = {0};
	struct cs_reply r;
	int status = CS_EXIT_REFUSED;
	json_t *body;
	bool ok;

	cs_buf_init(&target, CS_MAX_HTTP_TARGET);
	if (!target_of(call, what, &target, &err))
		return cs_call_fail(call, &err);
	body = make_decision(call, &status, &err);
	if (body == NULL)
		return status;
	ok = cs_ask(call, "POST", cs_buf_str(&target), body, NULL, &r, &err);
	json_decref(body);
	if (!ok)
		return cs_call_fail(call, &err);
	status = tell(call, &r);
	cs_reply_done(&r);
	return status;
}

static int run_approve(const struct cs_call *call)
{
	return decide(call, "/approve");
}

static int run_deny(const struct cs_call *call)
{
	return decide(call, "/deny");
}

const struct cs_command cs_cmd_request_list = {
	.name = "request list",
	.args = "",
	.help = "List requests, newest first",
	.outputs = "table|json|ndjson|csv",
	.options = list_options,
	.example = "countersign request list --state pending",
	.run = run_list,
};

const struct cs_command cs_cmd_request_show = {
	.name = "request show",
	.args = "ID",
	.min_args = 1,
	.max_args = 1,
	.help = "Show one request and what was decided",
	.outputs = "table|json",
	.example = "countersign request show 5f0c7be1a2d94c6f8e1b3a7d9c2e4f60",
	.run = run_show,
};

const struct cs_command cs_cmd_request_approve = {
	.name = "request approve",
	.args = "ID",
	.min_args = 1,
	.max_args = 1,
	.help = "Approve a pending request; it is judged again and issued",
	.outputs = "table|json",
	.options = decide_options,
	.example = "countersign request approve "
		   "5f0c7be1a2d94c6f8e1b3a7d9c2e4f60 --message 'ticket 4711'",
	.run = run_approve,
};

const struct cs_command cs_cmd_request_deny = {
	.name = "request deny",
	.args = "ID",
	.min_args = 1,
	.max_args = 1,
	.help = "Deny a pending request for good",
	.outputs = "table|json",
	.options = decide_options,
	.example = "countersign request deny 5f0c7be1a2d94c6f8e1b3a7d9c2e4f60 "
		   "--reason Unknown",
	.run = run_deny,
};
