bin_PROGRAMS += countersign
countersign_SOURCES = cli/main.c
countersign_LDADD = $(ALL_LIBS)

noinst_LIBRARIES += libcs_cli.a
libcs_cli_a_SOURCES = \
	cli/ask.c cli/ask.h \
	cli/asked.c cli/asked.h \
	cli/child.c cli/child.h \
	cli/cli.c \
	cli/audit_row.c cli/audit_row.h \
	cli/clients_at.c cli/clients_at.h \
	cli/cmd_audit.c cli/cmd_audit_log.c cli/cmd_audit_prove.c \
	cli/cmd_cert.c cli/cmd_cert_revoke.c cli/cmd_crl.c cli/cmd_client.c cli/cmd_clock.c \
	cli/cmd_completion.c cli/cmd_eval.c cli/cmd_explain.c cli/cmd_manual.c \
	cli/cmd_init.c cli/cmd_issue.c cli/cmd_policy.c \
	cli/cmd_policy_import.c \
	cli/cmd_policy_schema.c cli/cmd_policy_set.c cli/cmd_request.c \
	cli/cmd_serve.c cli/cmd_status.c \
	cli/command.c cli/command.h cli/command_help.c \
	cli/commands.h \
	cli/complete.c cli/complete.h \
	cli/config.c cli/config.h cli/config_write.c \
	cli/drift.c cli/drift.h \
	cli/explain.c cli/explain.h \
	cli/files.c cli/files.h \
	cli/generation.c cli/generation.h \
	cli/floor.c cli/floor.h \
	cli/house.c cli/house.h \
	cli/house_end.c cli/house_files.c cli/house_parts.h \
	cli/house_start.c \
	cli/install.c cli/install.h \
	cli/list.c cli/list.h \
	cli/listen.c cli/listen.h \
	cli/log_args.c cli/log_args.h \
	cli/logging.c cli/logging.h \
	cli/manual.c cli/manual.h \
	cli/notify.c cli/notify.h \
	cli/passphrase.c cli/passphrase.h \
	cli/policies.c cli/policies.h \
	cli/replay.c cli/replay.h cli/cmd_replay.c cli/show_replay.c \
	cli/replay_report.c cli/replay_report.h \
	cli/renew.c cli/renew.h \
	cli/reply.c cli/reply.h \
	cli/rooms.c cli/rooms.h \
	cli/sets.c cli/sets.h \
	cli/show.c cli/show.h cli/show_answer.c cli/show_policy.c \
	cli/spawn.c cli/spawn.h \
	cli/text.c cli/text.h

libcs_cli_a_SOURCES += cli/cmd_kube.c

# What `make install` puts beside the program is printed by the program.
if CAN_RUN
man_MANS = countersign.1
bashcompdir = $(datadir)/bash-completion/completions
zshcompdir = $(datadir)/zsh/site-functions
fishcompdir = $(datadir)/fish/vendor_completions.d
bashcomp_DATA = completion/countersign
zshcomp_DATA = completion/_countersign
fishcomp_DATA = completion/countersign.fish
CLEANFILES += $(man_MANS) $(bashcomp_DATA) $(zshcomp_DATA) $(fishcomp_DATA)
countersign.1: countersign
	./countersign manual >$@.tmp && mv $@.tmp $@
completion/countersign: countersign
	$(MKDIR_P) completion
	./countersign completion bash >$@.tmp && mv $@.tmp $@
completion/_countersign: countersign
	$(MKDIR_P) completion
	./countersign completion zsh >$@.tmp && mv $@.tmp $@
completion/countersign.fish: countersign
	$(MKDIR_P) completion
	./countersign completion fish >$@.tmp && mv $@.tmp $@
endif

# Backups, and the place of an installation.
libcs_cli_a_SOURCES += cli/place.c cli/place.h cli/cmd_db.c cli/cmd_purge.c \
	cli/archive.c cli/archive.h cli/cmd_backup.c \
	cli/cmd_restore.c

libcs_cli_a_SOURCES += \
	cli/ca_job.c cli/ca_job.h \
	cli/ca_place.c cli/ca_place.h \
	cli/cmd_ca.c cli/cmd_ca_csr.c cli/cmd_ca_list.c \
	cli/cmd_ca_retire.c cli/cmd_ca_rollover.c \
	cli/config_edit.c cli/config_edit.h \
	cli/issuers.c cli/issuers.h \
	cli/roots.c cli/roots.h

cli_tests = cli/command_test cli/generation_test cli/config_edit_test cli/config_test cli/files_test cli/house_test \
	cli/show_test cli/text_test
UNIT_TESTS += $(cli_tests)
CLI_LIBS = libcs_cli.a $(POLICY_LIBS)
cli_command_test_LDADD = $(CLI_LIBS) $(CMOCKA_LIBS)
cli_config_edit_test_LDADD = $(CLI_LIBS) $(CMOCKA_LIBS)
cli_generation_test_LDADD = $(CLI_LIBS) $(CMOCKA_LIBS)
cli_config_test_LDADD = $(CLI_LIBS) $(CMOCKA_LIBS)
cli_files_test_LDADD = $(CLI_LIBS) $(CMOCKA_LIBS)
cli_house_test_LDADD = libcs_cli.a $(ISSUER_LIBS) $(CMOCKA_LIBS)
cli_show_test_LDADD = $(CLI_LIBS) $(CMOCKA_LIBS)
cli_text_test_LDADD = $(CLI_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += cli/place_test
cli_place_test_LDADD = $(CLI_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += cli/replay_report_test
cli_replay_report_test_LDADD = $(ALL_LIBS) $(CMOCKA_LIBS)
