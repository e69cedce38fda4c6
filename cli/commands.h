/* The descriptors of all subcommands: one file each, cli/cmd_NAME.c. */
#ifndef CS_CLI_COMMANDS_H
#define CS_CLI_COMMANDS_H

#include "cli/command.h"

/* What is said of each first word that several commands share. */
extern const struct cs_command_group cs_command_groups[];

extern const struct cs_command cs_cmd_init;
extern const struct cs_command cs_cmd_serve;
extern const struct cs_command cs_cmd_status;
extern const struct cs_command cs_cmd_client_add;
extern const struct cs_command cs_cmd_client_list;
extern const struct cs_command cs_cmd_client_show;
extern const struct cs_command cs_cmd_client_token;
extern const struct cs_command cs_cmd_client_bind;
extern const struct cs_command cs_cmd_client_revoke;
extern const struct cs_command cs_cmd_client_remove;
extern const struct cs_command cs_cmd_issue;
extern const struct cs_command cs_cmd_request_list;
extern const struct cs_command cs_cmd_request_show;
extern const struct cs_command cs_cmd_request_approve;
extern const struct cs_command cs_cmd_request_deny;
extern const struct cs_command cs_cmd_ca_create;
extern const struct cs_command cs_cmd_ca_import;
extern const struct cs_command cs_cmd_ca_csr;
extern const struct cs_command cs_cmd_ca_rollover;
extern const struct cs_command cs_cmd_ca_retire;
extern const struct cs_command cs_cmd_ca_list;
extern const struct cs_command cs_cmd_ca_show;
extern const struct cs_command cs_cmd_cert_show;
extern const struct cs_command cs_cmd_cert_list;
extern const struct cs_command cs_cmd_cert_export;
extern const struct cs_command cs_cmd_cert_revoke;
extern const struct cs_command cs_cmd_crl_show;
extern const struct cs_command cs_cmd_crl_publish;
extern const struct cs_command cs_cmd_audit_list;
extern const struct cs_command cs_cmd_audit_tail;
extern const struct cs_command cs_cmd_audit_stats;
extern const struct cs_command cs_cmd_audit_prove;
extern const struct cs_command cs_cmd_audit_export;
extern const struct cs_command cs_cmd_audit_show;
extern const struct cs_command cs_cmd_audit_verify;
extern const struct cs_command cs_cmd_policy_check;
extern const struct cs_command cs_cmd_policy_apply;
extern const struct cs_command cs_cmd_policy_show;
extern const struct cs_command cs_cmd_policy_eval;
extern const struct cs_command cs_cmd_policy_schema;
extern const struct cs_command cs_cmd_policy_import;
extern const struct cs_command cs_cmd_policy_explain;
extern const struct cs_command cs_cmd_policy_list;
extern const struct cs_command cs_cmd_policy_diff;
extern const struct cs_command cs_cmd_policy_log;
extern const struct cs_command cs_cmd_policy_replay;
extern const struct cs_command cs_cmd_kube;
extern const struct cs_command cs_cmd_clock_accept;
extern const struct cs_command cs_cmd_completion;
extern const struct cs_command cs_cmd_manual;
extern const struct cs_command cs_cmd_backup;
extern const struct cs_command cs_cmd_restore;
extern const struct cs_command cs_cmd_db_check;
extern const struct cs_command cs_cmd_db_migrate;
extern const struct cs_command cs_cmd_db_purge;

#endif
