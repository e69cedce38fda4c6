/* countersign manual */
#include "cli/commands.h"
#include "cli/manual.h"

static int run(const struct cs_call *call)
{
	cs_manual_write(call->commands, call->out);
	return CS_EXIT_DONE;
}

const struct cs_command cs_cmd_manual = {
	.name = "manual",
	.args = "",
	.help = "Print the manual page, for man(1).",
	.example = "countersign manual > countersign.1",
	.run = run,
};
