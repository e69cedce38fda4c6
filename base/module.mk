noinst_LIBRARIES += libcs_base.a
libcs_base_a_SOURCES = \
	base/arena.c base/arena.h \
	base/attr.h \
	base/buf.c base/buf.h \
	base/clock.c base/clock.h \
	base/codec.h \
	base/der.h \
	base/error.c base/error.h \
	base/error.def \
	base/failpoint.c base/failpoint.h \
	base/hash.h \
	base/ipc.c base/ipc.h \
	base/json.h \
	base/limits.h \
	base/log.h \
	base/loop.c base/loop.h \
	base/mem.c base/mem.h \
	base/msg.c base/msg.h \
	base/msg.def \
	base/random.h \
	base/secret.h \
	base/sources.c base/sources.h \
	base/span.c base/span.h \
	base/terms.h \
	base/time.h \
	base/wire.c base/wire.h \
	base/yaml.h

base_tests = base/buf_test base/ipc_test base/sources_test base/span_test
UNIT_TESTS += $(base_tests)
base_buf_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_ipc_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_span_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
base_sources_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
