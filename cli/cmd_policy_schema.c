/* countersign policy schema */
#include "cli/commands.h"
#include "policy/schema.h"

static int run_schema(const struct cs_call *call)
{
	struct cs_error err = {0};
	json_t *schema = cs_policy_schema();

	if (schema == NULL) {
		cs_error_set(&err, CS_E_NO_MEMORY, "no memory for the schema");
		return cs_call_fail(call, &err);
	}
	json_dumpf(schema, call->out, JSON_INDENT(2) | JSON_SORT_KEYS);
	fputc('\n', call->out);
	json_decref(schema);
	return CS_EXIT_DONE;
}

const struct cs_command cs_cmd_policy_schema = {
	.name = "policy schema",
	.args = "",
	.help = "Print the JSON Schema of policy documents, for editors",
	.example = "countersign policy schema >countersign.schema.json",
	.run = run_schema,
};
