noinst_LIBRARIES += libcs_policy.a
libcs_policy_a_SOURCES = \
	policy/facts.h \
	policy/finding.h \
	policy/name.h \
	policy/plan.h
