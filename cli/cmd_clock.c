#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/show.h"

static int run(const struct cs_call *call)
{
	struct cs_reply r;
	struct cs_error err = {0};
	int status;

	if (!cs_ask(call, "POST", "/v1/clock/accept", NULL, NULL, &r, &err))
		return cs_call_fail(call, &err);
	if (!cs_reply_print(call, &r, &status))
		fputs("The clock is accepted as it is.\n", call->out);
	cs_reply_done(&r);
	return status;
}

const struct cs_command cs_cmd_clock_accept = {
	.name = "clock accept",
	.args = "",
	.help = "Accept the wall clock as it is, after it had jumped",
	.outputs = "table|json",
	.example = "countersign clock accept",
	.run = run,
};
