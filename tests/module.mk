EXTRA_DIST += tests/lib/test.h

# The seams that test programs link in front of libcs_base.a.
SEAMS = tests/lib/failpoint_env.c tests/lib/clock_shifted.c

tests_units = tests/lib/failpoint_test
UNIT_TESTS += $(tests_units)
tests_lib_failpoint_test_SOURCES = tests/lib/failpoint_test.c $(SEAMS)
tests_lib_failpoint_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
