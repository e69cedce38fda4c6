noinst_LIBRARIES += libcs_cli.a
libcs_cli_a_SOURCES =
