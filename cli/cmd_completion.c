/* countersign completion bash|zsh|fish */
#include <string.h>

#include "cli/commands.h"
#include "cli/complete.h"

static int run(const struct cs_call *call)
{
	static const struct {
		const char *name;
		void (*write)(const struct cs_command *const *, FILE *);
	} shells[] = {
		{"bash", cs_complete_bash},
		{"zsh", cs_complete_zsh},
		{"fish", cs_complete_fish},
	};
	struct cs_error err;

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(call->args[0], shells[i].name) == 0) {
			shells[i].write(call->commands, call->out);
			return CS_EXIT_DONE;
		}
	}
	cs_error_set(&err, CS_E_USAGE,
		     "no completion for `%s`: expected bash, zsh or fish",
		     call->args[0]);
	return cs_call_fail(call, &err);
}

const struct cs_command cs_cmd_completion = {
	.name = "completion",
	.args = "bash|zsh|fish",
	.min_args = 1,
	.max_args = 1,
	.help = "Print the script with which a shell completes commands.",
	.example = "countersign completion bash > countersign.bash",
	.run = run,
};
