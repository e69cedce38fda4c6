/* The table of subcommands, and what every one of them goes through. */
#include <signal.h>
#include <string.h>

#include "base/version.h"
#include "cli/commands.h"

const struct cs_command *const cs_commands[] = {
	&cs_cmd_init,
	&cs_cmd_serve,
	&cs_cmd_status,
	&cs_cmd_issue,
	&cs_cmd_request_list,
	&cs_cmd_request_show,
	&cs_cmd_request_approve,
	&cs_cmd_request_deny,
	&cs_cmd_cert_show,
	&cs_cmd_cert_list,
	&cs_cmd_cert_export,
	&cs_cmd_cert_revoke,
	&cs_cmd_crl_publish,
	&cs_cmd_crl_show,
	&cs_cmd_audit_list,
	&cs_cmd_audit_tail,
	&cs_cmd_audit_stats,
	&cs_cmd_audit_prove,
	&cs_cmd_audit_export,
	&cs_cmd_audit_show,
	&cs_cmd_audit_verify,
	&cs_cmd_policy_check,
	&cs_cmd_policy_apply,
	&cs_cmd_policy_show,
	&cs_cmd_policy_schema,
	&cs_cmd_policy_explain,
	&cs_cmd_policy_eval,
	&cs_cmd_policy_list,
	&cs_cmd_policy_diff,
	&cs_cmd_policy_log,
	&cs_cmd_policy_replay,
	&cs_cmd_policy_import,
	&cs_cmd_ca_list,
	&cs_cmd_ca_show,
	&cs_cmd_ca_create,
	&cs_cmd_ca_import,
	&cs_cmd_ca_csr,
	&cs_cmd_ca_rollover,
	&cs_cmd_ca_retire,
	&cs_cmd_client_add,
	&cs_cmd_client_list,
	&cs_cmd_client_show,
	&cs_cmd_client_token,
	&cs_cmd_client_bind,
	&cs_cmd_client_revoke,
	&cs_cmd_client_remove,
	&cs_cmd_kube,
	&cs_cmd_clock_accept,
	&cs_cmd_completion,
	&cs_cmd_manual,
	&cs_cmd_backup,
	&cs_cmd_restore,
	&cs_cmd_db_check,
	&cs_cmd_db_migrate,
	&cs_cmd_db_purge,
	NULL,
};

int cs_cli_main(int argc, char **argv)
{
	struct cs_error err = {0};
	struct cs_call call;
	int status = CS_EXIT_DONE;

	/* A limit on file sizes is an error of a write, as a full disk is. */
	(void)signal(SIGXFSZ, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("countersign %s\n", cs_version());
		return CS_EXIT_DONE;
	}
	if (!cs_command_parse(cs_commands, argc, argv, &call, &err)) {
		fprintf(stderr, "countersign: %s\n", err.text);
		if (call.command != NULL)
			fprintf(stderr,
				"See `countersign %s --help`, or for example:\n"
				"  %s\n",
				call.command->name, call.command->example);
		return CS_EXIT_USAGE;
	}
	if (call.what == CS_CALL_HELP && call.command == NULL)
		cs_command_help_all(cs_commands, stdout);
	else if (call.what == CS_CALL_HELP)
		cs_command_help(call.command, stdout);
	else
		status = call.command->run(&call);
	/* An answer that was not written was not given. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("countersign: cannot write to standard output\n", stderr);
		return status != CS_EXIT_DONE ? status : CS_EXIT_REFUSED;
	}
	return status;
}
