noinst_LIBRARIES += libcs_base.a
libcs_base_a_SOURCES = \
	base/approval.c base/approval.h \
	base/arena.c base/arena.h \
	base/attr.h \
	base/banned.h \
	base/buf.c base/buf.h \
	base/clock.c base/clock.h \
	base/codec.c base/codec.h \
	base/crl.c base/crl.h \
	base/der.h \
	base/der_oid.c \
	base/der_read.c \
	base/der_write.c \
	base/error.c base/error.h \
	base/error.def \
	base/failpoint.c base/failpoint.h \
	base/fd.c base/fd.h \
	base/file.c base/file.h \
	base/hash.c base/hash.h \
	base/ipc.c base/ipc.h \
	base/json.c base/json.h \
	base/json_parse.c \
	base/limit.c base/limit.h \
	base/limits.h \
	base/log.c base/log.h \
	base/loop.c base/loop.h \
	base/mem.c base/mem.h \
	base/metrics.c base/metrics.h \
	base/msg.c base/msg.h \
	base/msg.def \
	base/net.c base/net.h \
	base/random.c base/random.h \
	base/revoke.c base/revoke.h \
	base/secret.c base/secret.h \
	base/sources.c base/sources.h \
	base/span.c base/span.h \
	base/terms.c base/terms.h \
	base/text.c base/text.h \
	base/time.c base/time.h \
	base/version.c base/version.h \
	base/wire.c base/wire.h \
	base/x509.c base/x509.h \
	base/yaml.c base/yaml.h \
	base/yaml_scalar.c base/yaml_scalar.h

base_tests =
UNIT_TESTS += $(base_tests)
base_tests += base/arena_test
base_arena_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/buf_test
base_buf_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/codec_test
base_codec_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/crl_test
base_crl_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/der_test
base_der_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/der_oracle_test
base_der_oracle_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/error_test
base_error_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/fd_test
base_fd_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/file_test
base_file_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/hash_test
base_hash_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/ipc_test
base_ipc_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/json_test
base_json_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/limit_test
base_limit_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/log_test
base_log_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/msg_test
base_msg_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/oom_test
base_oom_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_oom_test_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
base_tests += base/revoke_test
base_revoke_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/secret_test
base_secret_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/sources_test
base_sources_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/span_test
base_span_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/terms_test
base_terms_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/time_test
base_time_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/wire_test
base_wire_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/x509_test
base_x509_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/yaml_test
base_yaml_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/metrics_test
base_metrics_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_tests += base/net_test
base_net_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
