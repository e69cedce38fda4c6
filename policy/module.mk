noinst_LIBRARIES += libcs_policy.a
libcs_policy_a_SOURCES = \
	policy/codes.c policy/codes.h \
	policy/codes.def \
	policy/detail.h \
	policy/engine.h \
	policy/facts.h \
	policy/finding.c policy/finding.h \
	policy/name.c policy/name.h \
	policy/plan.h \
	policy/usage.h \
	policy/verdict_json.h

policy_tests = policy/finding_test policy/name_test
UNIT_TESTS += $(policy_tests)
policy_finding_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_name_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
