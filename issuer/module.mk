noinst_LIBRARIES += libcs_issuer.a
libcs_issuer_a_SOURCES = \
	issuer/ca.c issuer/ca.h \
	issuer/ca_make.c issuer/ca_make.h \
	issuer/ca_request.c issuer/ca_request.h \
	issuer/ceiling.c issuer/ceiling.h \
	issuer/cert_diff.c issuer/cert_diff.h \
	issuer/cert_facts.c issuer/cert_facts.h \
	issuer/crl.c issuer/crl.h \
	issuer/crl_sign.c issuer/crl_sign.h \
	issuer/crypto.c issuer/crypto.h \
	issuer/csr.c issuer/csr.h \
	issuer/extensions.c \
	issuer/feasible.c issuer/feasible.h \
	issuer/finding.c \
	issuer/judge.c issuer/judge.h \
	issuer/judge_locations.c \
	issuer/judge_parts.h \
	issuer/judge_record.c \
	issuer/judge_request.c \
	issuer/key.c issuer/key.h \
	issuer/key_read.c issuer/key_read.h \
	issuer/keygen.c issuer/keygen.h \
	issuer/keygen_child.c issuer/keygen_parts.c issuer/keygen_parts.h \
	issuer/lint.c issuer/lint.h \
	issuer/names.c \
	issuer/newfile.c issuer/newfile.h \
	issuer/oids.h \
	issuer/print.c issuer/print.h \
	issuer/set_report.c issuer/set_report.h \
	issuer/sigalg.c issuer/sigalg.h \
	issuer/signer.c issuer/signer.h \
	issuer/spki.c \
	issuer/subject.c issuer/subject.h \
	issuer/tbs.c issuer/tbs.h \
	issuer/tbs_parts.h \
	issuer/constraints.c issuer/constraints_read.c issuer/constraints.h \
	issuer/key_parts.h \
	issuer/token.c issuer/token.h \
	issuer/token_uri.c issuer/token_uri.h \
	issuer/weak_key.c issuer/weak_key.h \
	issuer/worker.c issuer/worker.h \
	issuer/x509.h

# What tests share: requests, a CA, messages.
CSR_MAKER = tests/lib/csr_maker.c tests/lib/csr_maker.h
CA_MAKER = tests/lib/ca_maker.c tests/lib/ca_maker.h
PLAN_MAKER = tests/lib/plan_maker.c tests/lib/plan_maker.h
CSR_FIXTURE = tests/lib/csr_fixture.c tests/lib/csr_fixture.h $(CSR_MAKER)
JUDGE_MAKER = tests/lib/judge_maker.c tests/lib/judge_maker.h
JUDGING = tests/lib/judging.c tests/lib/judging.h $(CA_MAKER) $(CSR_MAKER) \
	$(JUDGE_MAKER)

issuer_tests = issuer/ca_test issuer/ceiling_test issuer/constraints_test \
	issuer/crl_sign_test issuer/crl_test issuer/crypto_test \
	issuer/csr_key_test issuer/csr_oracle_test issuer/csr_test \
	issuer/csr_vectors_test issuer/feasible_oracle_test \
	issuer/cert_diff_test issuer/judge_again_test issuer/judge_set_test issuer/judge_test issuer/key_test issuer/oom_test \
	issuer/responder_test issuer/signer_test issuer/token_uri_test \
	issuer/tbs_oracle_test issuer/tbs_test issuer/weak_key_test issuer/worker_test
UNIT_TESTS += $(issuer_tests)
issuer_ca_test_SOURCES = issuer/ca_test.c $(CA_MAKER)
issuer_ca_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_ceiling_test_SOURCES = issuer/ceiling_test.c $(CA_MAKER)
issuer_ceiling_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_constraints_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_crl_sign_test_SOURCES = issuer/crl_sign_test.c $(CA_MAKER)
issuer_crl_sign_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_crl_test_SOURCES = issuer/crl_test.c $(CA_MAKER)
issuer_crl_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_crypto_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_csr_key_test_SOURCES = issuer/csr_key_test.c $(CSR_FIXTURE)
issuer_csr_key_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_csr_oracle_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_weak_key_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_csr_vectors_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_csr_test_SOURCES = issuer/csr_test.c $(CSR_FIXTURE)
issuer_csr_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_cert_diff_test_SOURCES = issuer/cert_diff_test.c $(PLAN_MAKER) \
	$(CA_MAKER)
issuer_cert_diff_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_judge_again_test_SOURCES = issuer/judge_again_test.c $(CA_MAKER) \
	$(CSR_MAKER) $(JUDGE_MAKER)
issuer_judge_again_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_responder_test_SOURCES = issuer/responder_test.c $(CA_MAKER) $(CSR_MAKER) \
	$(JUDGE_MAKER)
issuer_responder_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_judge_test_SOURCES = issuer/judge_test.c $(JUDGING)
issuer_judge_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_judge_set_test_SOURCES = issuer/judge_set_test.c $(JUDGING)
issuer_judge_set_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_key_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_oom_test_SOURCES = issuer/oom_test.c tests/lib/oom.c tests/lib/oom.h \
	$(CA_MAKER) $(CSR_MAKER) $(JUDGE_MAKER)
issuer_oom_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_oom_test_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
issuer_feasible_oracle_test_SOURCES = issuer/feasible_oracle_test.c \
	$(PLAN_MAKER)
issuer_feasible_oracle_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_tbs_oracle_test_SOURCES = issuer/tbs_oracle_test.c $(PLAN_MAKER) \
	$(CA_MAKER)
issuer_tbs_oracle_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_tbs_test_SOURCES = issuer/tbs_test.c $(PLAN_MAKER) $(CA_MAKER)
issuer_tbs_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_token_uri_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_signer_test_SOURCES = issuer/signer_test.c $(CA_MAKER)
issuer_signer_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
issuer_worker_test_SOURCES = issuer/worker_test.c $(CA_MAKER) $(CSR_MAKER) \
	$(JUDGE_MAKER)
issuer_worker_test_LDADD = $(ISSUER_LIBS) $(CMOCKA_LIBS)
