EXTRA_DIST += tests/lib/test.h tests/__init__.py tests/lib/__init__.py \
	tests/lib/adapter.py tests/lib/certs.py tests/lib/console.py \
	tests/lib/fake_kube.py tests/lib/kube_place.py tests/lib/der.py \
	tests/lib/house.py tests/lib/http_probes.py \
	tests/lib/invariants.py tests/lib/memory.py tests/lib/raw.py

# The seams that test programs link in front of libcs_base.a.
SEAMS = tests/lib/failpoint_env.c tests/lib/clock_shifted.c

tests_units = tests/lib/failpoint_test
UNIT_TESTS += $(tests_units)
tests_lib_failpoint_test_SOURCES = tests/lib/failpoint_test.c $(SEAMS)
tests_lib_failpoint_test_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

# The load generator; `make bench` builds and runs it.
EXTRA_PROGRAMS += tests/bench/load
tests_bench_load_SOURCES = tests/bench/bench.h tests/bench/clients.c \
	tests/bench/csrs.c tests/bench/load.c tests/bench/measure.c
tests_bench_load_LDADD = $(OPENSSL_LIBS) $(LIBEVENT_LIBS) $(SQLITE_LIBS)
EXTRA_DIST += tests/bench/run tests/bench/policy-rate \
	tests/bench/thirty-rules.yaml

# Fills a ledger with a long history, through the ledger itself.
check_PROGRAMS += tests/bench/fill
tests_bench_fill_SOURCES = tests/bench/bench.h tests/bench/fill.c \
	tests/bench/measure.c
tests_bench_fill_LDADD = $(STORE_LIBS)
EXTRA_DIST += tests/bench/fill-make tests/bench/history

# What a history of FILL decisions costs.
.PHONY: bench-history
bench-history: countersign countersign-faults tests/bench/fill tests/bench/load
	top_builddir=$(top_builddir) python3 $(srcdir)/tests/bench/history


# Slow clients; `make bench-slow` runs them by the thousand.
check_PROGRAMS += tests/bench/slow
tests_bench_slow_SOURCES = tests/bench/bench.h tests/bench/csrs.c \
	tests/bench/measure.c tests/bench/slow.c tests/bench/slow.h \
	tests/bench/slow_crowd.c tests/bench/slow_good.c
tests_bench_slow_LDADD = $(OPENSSL_LIBS)
EXTRA_DIST += tests/bench/slow-run

.PHONY: bench bench-overload bench-policy-rate bench-slow fuzz
bench-slow: countersign tests/bench/slow
	top_builddir=$(top_builddir) $(srcdir)/tests/bench/slow-run
# The rate of issuing with thirty rules in force, beside that of the default.
bench-policy-rate: countersign tests/bench/load
	top_builddir=$(top_builddir) srcdir=$(srcdir) \
		$(srcdir)/tests/bench/policy-rate
# Ten times as many clients as there may be requests under way.
bench-overload: countersign tests/bench/load
	top_builddir=$(top_builddir) BENCH_CLIENTS=overload \
		BENCH_SECONDS=$${BENCH_SECONDS:-10} BENCH_CC='$(CC)' \
		BENCH_CFLAGS='$(CFLAGS) $(CS_CFLAGS)' $(srcdir)/tests/bench/run
bench: countersign tests/bench/load
	top_builddir=$(top_builddir) BENCH_CC='$(CC)' \
		BENCH_CFLAGS='$(CFLAGS) $(CS_CFLAGS)' $(srcdir)/tests/bench/run

EXTRA_DIST += tests/lib/vectors.h tests/vectors/log/generate.py \
	tests/vectors/log/checkpoints.json tests/vectors/log/leaves.json

# RE2's public vectors. `make check` plays the sample in the tree; `make
# check-regex` all 107,012 expressions, from the Go distribution, and asks
# Go's regexp about random ones.
check_PROGRAMS += tests/vectors/regex_vectors
TESTS += tests/vectors/regex_vectors
tests_vectors_regex_vectors_SOURCES = tests/vectors/regex/vectors.c
tests_vectors_regex_vectors_LDADD = $(POLICY_LIBS)
EXTRA_DIST += tests/vectors/regex/re2-search.txt \
	tests/vectors/regex/LICENSE tests/vectors/regex/oracle.go

.PHONY: check-regex bench-regex
RE2_EXHAUSTIVE = $$(go env GOROOT)/src/regexp/testdata/re2-exhaustive.txt.bz2
REGEX_RANDOM = 200000
REGEX_SEED = 1
check-regex: tests/vectors/regex_vectors
	@file=$(RE2_EXHAUSTIVE); test -r "$$file" || { \
		echo "check-regex: NOT RUN, there is no $$file" >&2; exit 1; }; \
	bzip2 -dc "$$file" | tests/vectors/regex_vectors -
	@go run $(srcdir)/tests/vectors/regex/oracle.go $(REGEX_RANDOM) \
		$(REGEX_SEED) | tests/vectors/regex_vectors -

# Our HTTP reader against others, which are fetched and built here.
.PHONY: check-http
check-http: libcs_api.a libcs_base.a
	srcdir=$(srcdir) top_builddir=$(top_builddir) HTTP_CC='$(CC)' \
		HTTP_CFLAGS='$(CFLAGS) $(CS_CFLAGS)' \
		HTTP_LIBS='$(API_LIBS)' $(srcdir)/tests/http/check
EXTRA_DIST += tests/http/check tests/http/diff.c tests/http/h11_peer.py \
	tests/http/readings.c tests/http/readings.h \
	tests/http/requirements.txt

# What regular expressions cost.
EXTRA_PROGRAMS += tests/bench/regex
tests_bench_regex_SOURCES = tests/bench/heap.c tests/bench/heap.h \
	tests/bench/regex.c
tests_bench_regex_LDADD = $(POLICY_LIBS)
tests_bench_regex_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc \
	-Wl,--wrap=calloc -Wl,--wrap=realloc
CLEANFILES += tests/bench/regex
bench-regex: tests/bench/regex
	tests/bench/regex

# Fuzz targets. `make check` replays their corpora; with --enable-fuzzing,
# `make fuzz` runs each for FUZZ_SECONDS.
FUZZ_NAMES = der http json matchers msg policy x509 regex yaml \
	body front kube ocsp query
FUZZ_REPLAY = tests/fuzz/der_replay tests/fuzz/http_replay \
	tests/fuzz/json_replay tests/fuzz/msg_replay \
	tests/fuzz/policy_replay tests/fuzz/x509_replay \
	tests/fuzz/yaml_replay
FUZZ_REPLAY += tests/fuzz/regex_replay tests/fuzz/matchers_replay
FUZZ_REPLAY += tests/fuzz/body_replay tests/fuzz/front_replay
FUZZ_REPLAY += tests/fuzz/ocsp_replay tests/fuzz/kube_replay
tests_fuzz_kube_replay_SOURCES = tests/fuzz/kube_fuzz.c $(FUZZ_COMMON)
tests_fuzz_kube_replay_LDADD = $(KUBE_LIBS)
check_PROGRAMS += $(FUZZ_REPLAY)
TESTS += $(FUZZ_REPLAY)
FUZZ_COMMON = tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_der_replay_SOURCES = tests/fuzz/der_fuzz.c $(FUZZ_COMMON)
tests_fuzz_der_replay_LDADD = $(BASE_LIBS)
tests_fuzz_http_replay_SOURCES = tests/fuzz/http_fuzz.c $(FUZZ_COMMON)
tests_fuzz_http_replay_LDADD = $(API_LIBS)
tests_fuzz_json_replay_SOURCES = tests/fuzz/json_fuzz.c $(FUZZ_COMMON)
tests_fuzz_json_replay_LDADD = $(BASE_LIBS)
tests_fuzz_msg_replay_SOURCES = tests/fuzz/msg_fuzz.c $(FUZZ_COMMON)
tests_fuzz_msg_replay_LDADD = $(BASE_LIBS)
tests_fuzz_policy_replay_SOURCES = tests/fuzz/policy_fuzz.c \
	$(policy_testing) $(FUZZ_COMMON)
tests_fuzz_policy_replay_LDADD = $(POLICY_LIBS)
tests_fuzz_x509_replay_SOURCES = tests/fuzz/x509_fuzz.c $(FUZZ_COMMON)
tests_fuzz_x509_replay_LDADD = $(ISSUER_LIBS)
tests_fuzz_regex_replay_SOURCES = tests/fuzz/regex_fuzz.c $(FUZZ_COMMON)
tests_fuzz_regex_replay_LDADD = $(POLICY_LIBS)
tests_fuzz_yaml_replay_SOURCES = tests/fuzz/yaml_fuzz.c $(FUZZ_COMMON)
tests_fuzz_yaml_replay_LDADD = $(BASE_LIBS)
tests_fuzz_matchers_replay_SOURCES = tests/fuzz/matchers_fuzz.c $(FUZZ_COMMON)
tests_fuzz_matchers_replay_LDADD = $(POLICY_LIBS)
tests_fuzz_body_replay_SOURCES = tests/fuzz/body_fuzz.c $(FUZZ_COMMON)
tests_fuzz_body_replay_LDADD = $(API_LIBS)
tests_fuzz_front_replay_SOURCES = tests/fuzz/front_fuzz.c $(FUZZ_COMMON)
tests_fuzz_front_replay_LDADD = $(API_LIBS)
tests_fuzz_ocsp_replay_SOURCES = tests/fuzz/ocsp_fuzz.c $(FUZZ_COMMON)
tests_fuzz_ocsp_replay_LDADD = $(STORE_LIBS)
# A history is made by what needs cmocka.
query_history = $(HISTORY)
query_libs = libcs_api.a $(STORE_LIBS) $(CMOCKA_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += tests/fuzz/query_replay
TESTS += tests/fuzz/query_replay
endif
tests_fuzz_query_replay_SOURCES = tests/fuzz/query_fuzz.c $(query_history) \
	$(FUZZ_COMMON)
tests_fuzz_query_replay_LDADD = $(query_libs)
EXTRA_DIST += tests/fuzz/corpus tests/vectors/csr

if FUZZING
EXTRA_PROGRAMS += tests/fuzz/der_fuzz tests/fuzz/http_fuzz \
	tests/fuzz/json_fuzz tests/fuzz/msg_fuzz tests/fuzz/policy_fuzz \
	tests/fuzz/x509_fuzz tests/fuzz/yaml_fuzz
tests_fuzz_der_fuzz_LDADD = $(BASE_LIBS)
tests_fuzz_der_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_http_fuzz_LDADD = $(API_LIBS)
tests_fuzz_http_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_json_fuzz_LDADD = $(BASE_LIBS)
tests_fuzz_json_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_msg_fuzz_LDADD = $(BASE_LIBS)
tests_fuzz_msg_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_policy_fuzz_SOURCES = tests/fuzz/policy_fuzz.c $(policy_testing)
tests_fuzz_policy_fuzz_LDADD = $(POLICY_LIBS)
tests_fuzz_policy_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_x509_fuzz_LDADD = $(ISSUER_LIBS)
tests_fuzz_x509_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_PROGRAMS += tests/fuzz/matchers_fuzz
tests_fuzz_matchers_fuzz_LDADD = $(POLICY_LIBS)
tests_fuzz_matchers_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_PROGRAMS += tests/fuzz/regex_fuzz
tests_fuzz_regex_fuzz_LDADD = $(POLICY_LIBS)
tests_fuzz_regex_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_yaml_fuzz_LDADD = $(BASE_LIBS)
tests_fuzz_yaml_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

EXTRA_PROGRAMS += tests/fuzz/body_fuzz tests/fuzz/front_fuzz \
	tests/fuzz/query_fuzz
tests_fuzz_body_fuzz_LDADD = $(API_LIBS)
tests_fuzz_body_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_front_fuzz_LDADD = $(API_LIBS)
tests_fuzz_front_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_PROGRAMS += tests/fuzz/kube_fuzz tests/fuzz/ocsp_fuzz
tests_fuzz_kube_fuzz_LDADD = $(KUBE_LIBS)
tests_fuzz_kube_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_ocsp_fuzz_LDADD = $(STORE_LIBS)
tests_fuzz_ocsp_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_query_fuzz_SOURCES = tests/fuzz/query_fuzz.c $(query_history)
tests_fuzz_query_fuzz_LDADD = $(query_libs)
tests_fuzz_query_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

FUZZ_SECONDS = 60
fuzz: $(FUZZ_NAMES:%=tests/fuzz/%_fuzz)
	@for t in $(FUZZ_NAMES); do \
		mkdir -p fuzz-$$t && echo "== $$t" && \
		tests/fuzz/$${t}_fuzz -max_total_time=$(FUZZ_SECONDS) \
			-timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
			-artifact_prefix=fuzz-$$t/ fuzz-$$t \
			$(srcdir)/tests/fuzz/corpus/$$t \
			`test $$t != x509 || \
			 echo $(srcdir)/tests/vectors/csr` || exit 1; \
	done
endif

# The program with the seams of SEAMS in it: what faults are played on.
check_PROGRAMS += countersign-faults
countersign_faults_SOURCES = cli/main.c $(SEAMS)
countersign_faults_LDADD = $(ALL_LIBS)

# End to end: first light with curl against the program that is shipped, all
# others by tests/lib/house.py against the one with seams.
E2E_TESTS = tests/e2e/first_light.sh tests/e2e/api_test.py \
	tests/e2e/cli_test.py tests/e2e/client_cert_test.py \
	tests/e2e/clock_test.py \
	tests/e2e/docs_test.py \
	tests/e2e/failpoints_test.py tests/e2e/hostile_test.py \
	tests/e2e/limits_test.py \
	tests/e2e/invariants_test.py tests/e2e/kill_test.py \
	tests/e2e/ocsp_test.py \
	tests/e2e/openapi_test.py \
	tests/e2e/pages_test.py \
	tests/e2e/history_test.py tests/e2e/policy_test.py \
	tests/e2e/questions_test.py \
	tests/e2e/reload_test.py \
	tests/e2e/renew_test.py \
	tests/e2e/secrets_test.py tests/e2e/slow_test.py tests/e2e/tamper_test.py
E2E_TESTS += tests/e2e/language_test.py tests/e2e/schema_test.py
E2E_TESTS += tests/e2e/archive_test.py tests/e2e/backup_test.py
E2E_TESTS += tests/e2e/revoke_test.py tests/e2e/crl_test.py
E2E_TESTS += tests/e2e/purge_test.py
E2E_TESTS += tests/e2e/rights_test.py tests/e2e/clients_doc_test.py
EXTRA_DIST += docs/clients.md
E2E_TESTS += tests/e2e/answers_test.py tests/e2e/problem_test.py
E2E_TESTS += tests/e2e/garbage_test.py
E2E_TESTS += tests/e2e/init_test.py tests/e2e/issuers_test.py \
	tests/e2e/keys_test.py
E2E_TESTS += tests/e2e/replay_test.py tests/e2e/look_test.py
E2E_TESTS += tests/e2e/escape_test.py tests/e2e/load_test.py
E2E_TESTS += tests/e2e/ca_hazards_test.py tests/e2e/ca_life_test.py
E2E_TESTS += tests/e2e/import_test.py
E2E_TESTS += tests/e2e/pkcs11_test.py
E2E_TESTS += tests/e2e/kube_test.py tests/e2e/kube_faults_test.py \
	tests/e2e/kube_watch_test.py tests/e2e/kube_program_test.py \
	tests/e2e/kube_hostile_test.py tests/e2e/kube_view_test.py
EXTRA_DIST += tests/lib/foreign.py tests/lib/imports.py \
	tests/vectors/import/verdicts.json
TESTS += $(E2E_TESTS)
EXTRA_DIST += $(E2E_TESTS) tests/e2e/failpoints docs/audit.md \
	docs/policy.md
TEST_EXTENSIONS = .py .sh
PY_LOG_COMPILER = python3
PY_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_DRIVER = $(LOG_DRIVER)
AM_TESTS_ENVIRONMENT = \
	COUNTERSIGN='$(abs_top_builddir)/countersign'; \
	COUNTERSIGN_FAULTS='$(abs_top_builddir)/countersign-faults'; \
	PYTHONDONTWRITEBYTECODE=1; \
	export COUNTERSIGN COUNTERSIGN_FAULTS PYTHONDONTWRITEBYTECODE;
