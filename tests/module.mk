EXTRA_DIST += tests/lib/test.h

# The seams that test programs link in front of libcs_base.a.
SEAMS = tests/lib/failpoint_env.c tests/lib/clock_shifted.c

tests_units = tests/lib/failpoint_test
UNIT_TESTS += $(tests_units)
tests_lib_failpoint_test_SOURCES = tests/lib/failpoint_test.c $(SEAMS)
tests_lib_failpoint_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

# The load generator; `make bench` builds and runs it.
EXTRA_PROGRAMS = tests/bench/load
tests_bench_load_SOURCES = tests/bench/bench.h tests/bench/clients.c \
	tests/bench/csrs.c tests/bench/load.c tests/bench/measure.c
tests_bench_load_LDADD = $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(SQLITE_LIBS)
EXTRA_DIST += tests/bench/run

.PHONY: bench
bench: countersign tests/bench/load
	top_builddir=$(top_builddir) $(srcdir)/tests/bench/run

EXTRA_DIST += tests/lib/vectors.h tests/vectors/log/generate.py \
	tests/vectors/log/checkpoints.json tests/vectors/log/leaves.json
