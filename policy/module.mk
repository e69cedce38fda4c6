noinst_LIBRARIES += libcs_policy.a
libcs_policy_a_SOURCES = \
	policy/attribute.c policy/attribute.h \
	policy/builtin.h \
	policy/codes.c policy/codes.h \
	policy/codes.def \
	policy/decide.c policy/decide.h \
	policy/decide_built.c \
	policy/decide_verdict.c \
	policy/detail.c policy/detail.h \
	policy/effective.c policy/effective.h \
	policy/doc.c policy/doc.h \
	policy/engine.h \
	policy/facts.h \
	policy/field_ext.c \
	policy/field_key.c \
	policy/field_san.c \
	policy/field_subject.c \
	policy/field_timing.c \
	policy/field_usage.c \
	policy/field_validity.c \
	policy/finding.c policy/finding.h \
	policy/guard.c \
	policy/instantiate.c \
	policy/load.h \
	policy/load_attribute.c \
	policy/load_blocklist.c \
	policy/load_crypto.c \
	policy/load_document.c \
	policy/load_ext.c \
	policy/load_guards.c \
	policy/load_keys.c \
	policy/load_limits.c \
	policy/load_match.c \
	policy/load_matcher.c \
	policy/load_own.c \
	policy/load_report.c \
	policy/load_request.c \
	policy/load_san.c \
	policy/load_subject.c \
	policy/load_template.c \
	policy/load_tests.c \
	policy/load_validity.c \
	policy/load_value.c \
	policy/load_vars.c \
	policy/match.c policy/match.h \
	policy/match_glob.c \
	policy/matcher_make.c \
	policy/name.c policy/name.h \
	policy/name_dn.c \
	policy/plan.h \
	policy/import.c policy/import.h \
	policy/import_crp.c policy/import_crp.h \
	policy/import_crp_allowed.c \
	policy/import_crp_constraints.c \
	policy/import_crp_rule.c \
	policy/import_draft.c \
	policy/import_duration.c \
	policy/import_parts.h \
	policy/import_pattern.c \
	policy/import_rank.c \
	policy/import_report.c \
	policy/import_step.c policy/import_step.h \
	policy/import_step_names.c \
	policy/import_vault.c policy/import_vault.h \
	policy/import_vault_fields.c \
	policy/import_vault_names.c \
	policy/import_vault_others.c \
	policy/import_vault_rest.c \
	policy/import_write.c \
	policy/lint.c policy/lint.h \
	policy/lint_coverage.c \
	policy/lint_match.c \
	policy/lint_warn.c \
	policy/requester.c policy/requester.h \
	policy/regex.h \
	policy/regex_class.c \
	policy/regex_compile.c \
	policy/regex_escape.c \
	policy/regex_folding.c \
	policy/regex_parse.c \
	policy/regex_pattern.c \
	policy/regex_program.h \
	policy/regex_reach.c \
	policy/regex_run.c \
	policy/regex_set.c \
	policy/regex_tables.h \
	policy/regex_text.h \
	policy/regex_unicode.c \
	policy/rules.h \
	policy/schema.c policy/schema.h \
	policy/select.c policy/select.h \
	policy/select_tie.c \
	policy/self_test.c policy/self_test.h \
	policy/set.c \
	policy/tell.c policy/tell.h \
	policy/template.c policy/template.h \
	policy/usage.c policy/usage.h \
	policy/verdict.c \
	policy/verdict_json.c policy/verdict_json.h
EXTRA_DIST += tools/regex-tables.go
nodist_libcs_policy_a_SOURCES = policy/builtin_text.c

# The documents that the program always has, as C.
policy_builtin = policies/default.yaml policies/_listener.yaml \
	policies/_ocsp.yaml
policy_examples = policies/examples/copy-through.yaml \
	policies/examples/ingress.yaml \
	policies/examples/mesh.yaml \
	policies/examples/override.yaml \
	policies/examples/team-web.yaml \
	policies/examples/zones.yaml
EXTRA_DIST += $(policy_builtin) $(policy_examples) tools/embed
CLEANFILES += policy/builtin_text.c
policy/builtin_text.c: $(policy_builtin) tools/embed
	$(AM_V_GEN)$(MKDIR_P) policy && \
	$(SHELL) $(srcdir)/tools/embed policy/builtin.h \
	  cs_builtin_default=$(srcdir)/policies/default.yaml \
	  cs_builtin_listener=$(srcdir)/policies/_listener.yaml \
	  cs_builtin_ocsp=$(srcdir)/policies/_ocsp.yaml >$@.tmp && \
	mv -f $@.tmp $@

policy_tests =
policy_tests += policy/regex_matcher_test
policy_regex_matcher_test_SOURCES = policy/regex_matcher_test.c \
	$(policy_testing)
policy_regex_matcher_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/built_test
policy_built_test_SOURCES = policy/built_test.c $(policy_testing)
policy_built_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/default_test
policy_default_test_SOURCES = policy/default_test.c $(policy_testing)
policy_default_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/lint_test
policy_lint_test_SOURCES = policy/lint_test.c $(policy_testing)
policy_lint_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/effective_test
policy_effective_test_SOURCES = policy/effective_test.c $(policy_testing)
policy_effective_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/doc_test
policy_doc_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/engine_test
policy_engine_test_SOURCES = policy/engine_test.c $(policy_testing)
policy_engine_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/extension_test
policy_extension_test_SOURCES = policy/extension_test.c $(policy_testing)
policy_extension_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/finding_test
policy_finding_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/import_test
policy_import_test_SOURCES = policy/import_test.c $(policy_testing)
policy_import_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_import_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=calloc
policy_tests += policy/extends_test
policy_extends_test_SOURCES = policy/extends_test.c $(policy_testing)
policy_extends_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/guard_test
policy_guard_test_SOURCES = policy/guard_test.c $(policy_testing)
policy_guard_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/load_test
policy_load_test_SOURCES = policy/load_test.c $(policy_testing)
policy_load_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/match_test
policy_match_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/matcher_make_test
policy_matcher_make_test_SOURCES = policy/matcher_make_test.c $(policy_testing)
policy_matcher_make_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/memory_test
policy_memory_test_SOURCES = policy/memory_test.c $(policy_testing)
policy_memory_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_memory_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=calloc
policy_tests += policy/metamorphic_test
policy_metamorphic_test_SOURCES = policy/metamorphic_test.c $(policy_testing)
policy_metamorphic_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/metamorphic_kinds_test
policy_metamorphic_kinds_test_SOURCES = policy/metamorphic_kinds_test.c \
	$(policy_testing)
policy_metamorphic_kinds_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/key_test
policy_key_test_SOURCES = policy/key_test.c $(policy_testing)
policy_key_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/mode_test
policy_mode_test_SOURCES = policy/mode_test.c $(policy_testing)
policy_mode_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/name_test
policy_name_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/name_dn_test
policy_name_dn_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/schema_test
policy_schema_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/select_test
policy_select_test_SOURCES = policy/select_test.c $(policy_testing)
policy_select_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/regex_test
policy_regex_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_regex_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=calloc,--wrap=realloc
policy_tests += policy/tell_test
policy_tell_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/template_test
policy_template_test_SOURCES = policy/template_test.c $(policy_testing)
policy_template_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/usage_test
policy_usage_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/timing_test
policy_timing_test_SOURCES = policy/timing_test.c $(policy_testing)
policy_timing_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
policy_tests += policy/verdict_json_test
policy_verdict_json_test_SOURCES = policy/verdict_json_test.c $(policy_testing)
policy_verdict_json_test_LDADD = $(POLICY_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += $(policy_tests)
policy_testing = policy/testing.c policy/testing.h

# What judging costs.
EXTRA_PROGRAMS += tests/bench/policy
tests_bench_policy_SOURCES = tests/bench/heap.c tests/bench/heap.h \
	tests/bench/policy.c $(policy_testing)
tests_bench_policy_LDADD = $(POLICY_LIBS)
tests_bench_policy_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc \
	-Wl,--wrap=calloc -Wl,--wrap=realloc
CLEANFILES += tests/bench/policy
.PHONY: bench-policy
bench-policy: tests/bench/policy
	tests/bench/policy $(srcdir)/tests/bench/thirty-rules.yaml
