/* The table of subcommands, and what every one of them goes through. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "cli/commands.h"

/* All of them, in the order of `--help`. */
static const struct cs_command *const commands[] = {
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

const struct cs_command_group cs_command_groups[] = {
	{"request", "Requests: what waits for approval, what became of each",
	 "docs/clients.md"},
	{"cert", "Certificates that were issued, and their revocation",
	 "docs/operations.md"},
	{"crl", "Certificate revocation lists", "docs/operations.md"},
	{"audit", "The log of all that was decided and done, and its proofs",
	 "docs/audit.md"},
	{"policy", "Policy: tried, put in force, compared with the past",
	 "docs/policy.md"},
	{"ca", "Issuers: made, taken over, renewed and ended",
	 "docs/operations.md"},
	{"client", "Clients: who may speak to the server, and with what",
	 "docs/clients.md"},
	{"clock", "The clock that the server goes by", "docs/operations.md"},
	{"db", "The database of an installation", "docs/operations.md"},
	{0},
};

/* Help of all commands, of a group, or of the one command. */
static void help(const struct cs_call *call, FILE *out)
{
	const struct cs_command_group *g = cs_command_groups;

	if (call->command != NULL) {
		cs_command_help(call->command, out);
		return;
	}
	while (call->group != NULL && g->name != NULL &&
	       strcmp(g->name, call->group) != 0)
		g++;
	if (call->group != NULL && g->name != NULL)
		cs_command_help_group(call->commands, g, out);
	else
		cs_command_help_all(call->commands, out);
}

/* What helps a person on whose words named no command, or were wrong in it. */
static void help_on(const struct cs_call *call)
{
	if (call->command != NULL)
		fprintf(stderr,
			"See `countersign %s --help`, or for example:\n  %s\n",
			call->command->name, call->command->example);
	else if (call->group != NULL && call->what == CS_CALL_HELP)
		help(call, stderr);
	else if (call->group != NULL)
		fprintf(stderr, "See `countersign %s --help`\n", call->group);
}

/*
 * Who starts it may have closed standard input, output or error. The next file
 * that is opened, a key or the ledger, would get their number, and what is
 * meant for a person would go into it. /dev/null stands in for them: in the
 * direction that is not used, so that reading and printing fail as before.
 */
static bool hold_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null",
			 fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	}
	return true;
}

/* An answer that was not written was not given. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fputs("countersign: cannot write to standard output\n", stderr);
	return status != CS_EXIT_DONE ? status : CS_EXIT_REFUSED;
}

int cs_cli_main(int argc, char **argv)
{
	struct cs_error err = {0};
	struct cs_call call;
	int status = CS_EXIT_DONE;

	if (!hold_streams()) {
		fputs("countersign: a standard stream is closed, and there is "
		      "no /dev/null\n",
		      stderr);
		return CS_EXIT_REFUSED;
	}
	/* A limit on file sizes is an error of a write, as a full disk is. */
	(void)signal(SIGXFSZ, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("countersign %s\n", cs_version());
		return finish(status);
	}
	if (!cs_command_parse(commands, argc, argv, &call, &err)) {
		fprintf(stderr, "countersign: %s\n", err.text);
		help_on(&call);
		return CS_EXIT_USAGE;
	}
	if (call.what == CS_CALL_HELP)
		help(&call, stdout);
	else
		status = call.command->run(&call);
	return finish(status);
}
