#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/show.h"

static int run(const struct cs_call *call)
{
	const struct cs_question_call q = {.kind = CS_QUERY_STATUS,
					   .target = "/v1/status"};
	struct cs_reply r;
	struct cs_error err = {0};
	int status;

	if (!cs_ask_question(call, &q, &r, &err))
		return cs_call_fail(call, &err);
	if (r.stopped)
		fputs("countersign: no server runs; this is what the files "
		      "say\n",
		      call->err);
	status = cs_exit_of_status(r.status);
	if (cs_call_wants(call, "json"))
		status = cs_reply_print_json(call, &r);
	else if (r.status != 200)
		status = cs_reply_print_problem(call, &r);
	else
		cs_show_object(r.body, call->out);
	cs_reply_done(&r);
	return status;
}

const struct cs_command cs_cmd_status = {
	.name = "status",
	.args = "",
	.help = "Show whether the installation issues, and under what",
	.outputs = "table|json",
	.example = "countersign status -o json",
	.run = run,
};
