/* `policy eval`: what the running server would make of a request. */
#include <string.h>

#include "base/limits.h"
#include "cli/ask.h"
#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/policies.h"
#include "cli/show.h"

static const struct cs_option options[] = {
	CS_ASKED_OPTIONS,
	{"against", 0, "PATH", "judge by these policies, not those in force"},
	{0},
};

/* "policies" of the body: the files of --against. */
static bool add_policies(const struct cs_call *call, json_t *body,
			 struct cs_error *err)
{
	const char *path = cs_call_get(call, "against");
	CS_CLEANUP(cs_arena_done) struct cs_arena arena;
	struct cs_sources sources;
	json_t *list;

	cs_arena_init(&arena, 2 * CS_MAX_POLICY_SET);
	if (path == NULL)
		return true;
	if (!cs_policies_read(&path, 1, &arena, &sources, err))
		return false;
	list = json_array();
	for (size_t i = 0; i < sources.n; i++) {
		const struct cs_source *s = &sources.items[i];

		if (json_array_append_new(
			    list, json_pack("{s:s%, s:s%}", "name", s->name.p,
					    s->name.n, "text", s->bytes.p,
					    s->bytes.n)) == 0)
			continue;
		json_decref(list);
		return cs_error_set(err, CS_E_USAGE,
				    "%.*s: not valid UTF-8, or empty",
				    CS_SPAN_FMT(s->name));
	}
	return json_object_set_new(body, "policies", list) == 0 ||
	       cs_error_set(err, CS_E_NO_MEMORY, "no memory for the policies");
}

/* What came of it, and the exit status that goes with it. */
static int print(const struct cs_call *call, const struct cs_reply *r)
{
	int status;

	if (!cs_reply_print(call, r, &status))
		cs_show_answer(r->body, call->out);
	if (r->status >= 400)
		return status;
	return strcmp(cs_reply_text(r->body, "would"), "issued") == 0
		       ? CS_EXIT_DONE
		       : CS_EXIT_REFUSED;
}

static int run(const struct cs_call *call)
{
	struct cs_error err = {0};
	struct cs_reply r;
	json_t *body = cs_asked_body(call, &err);
	int status;

	if (body != NULL && add_policies(call, body, &err) &&
	    cs_ask(call, "POST", "/v1/policies/evaluate", body, NULL, &r,
		   &err)) {
		status = print(call, &r);
		cs_reply_done(&r);
	} else {
		status = cs_call_fail(call, &err);
	}
	json_decref(body);
	return status;
}

const struct cs_command cs_cmd_policy_eval = {
	.name = "policy eval",
	.args = "",
	.help = "Let the server tell what would become of a request",
	.outputs = "table|json",
	.options = options,
	.example = "countersign policy eval --csr web.csr --requester alice "
		   "--group web-admins --against policies/",
	.run = run,
};
