EXTRA_DIST += tools/check tools/packages .ci/run

# What a machine can say about the style. tests/lint_test.sh proves that each
# of them sees what it looks for.
LINTS = lint-layers lint-circles lint-headers lint-globals lint-cleanup \
	lint-format lint-spec
EXTRA_DIST += tools/lint-layers tools/lint-circles tools/lint-headers \
	tools/lint-globals tools/lint-globals.allow tools/lint-cleanup \
	tools/lint-format tools/spec-trace
dist_check_SCRIPTS += tests/lint_test.sh
TESTS += tests/lint_test.sh

.PHONY: lint $(LINTS)
lint: $(LINTS)
lint-layers lint-cleanup lint-format:
	$(srcdir)/tools/$@ $(srcdir)
lint-headers:
	COMPILERS="$(CC) $$(command -v clang-14 || command -v clang || :)" \
	CPPFLAGS="-D_GNU_SOURCE -I. $(OPENSSL_CFLAGS) $(SQLITE_CFLAGS) \
		$(LIBEVENT_CFLAGS) $(JANSSON_CFLAGS) $(YAML_CFLAGS) \
		$(CURL_CFLAGS) $(CMOCKA_CFLAGS)" \
	$(srcdir)/tools/lint-headers $(srcdir)
lint-circles lint-globals: $(noinst_LIBRARIES) $(bin_PROGRAMS)
	$(srcdir)/tools/$@ $(srcdir) .
lint-spec:
	$(srcdir)/tools/spec-trace $(srcdir)

EXTRA_DIST += tools/analyze tools/quickstart
.PHONY: analyze check-san check-faults
analyze: all
	$(srcdir)/tools/analyze .

# The suite under AddressSanitizer and UBSan, in a build of its own.
check-san:
	CS_BUILD_DIR='$(abs_builddir)/san' CS_CONFIGURE=--enable-sanitizers \
		$(srcdir)/tools/check

# What kills, fills, tampers and jumps the clock; KILL_ROUNDS=200 by default.
FAULT_TESTS = tests/e2e/failpoints_test.py tests/e2e/kill_test.py \
	tests/e2e/tamper_test.py tests/e2e/clock_test.py
check-faults:
	KILL_ROUNDS=$${KILL_ROUNDS:-200} $(MAKE) check TESTS='$(FAULT_TESTS)'
