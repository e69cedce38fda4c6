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
	oracles/venv/bin/pip install -q pkilint==0.13.3 cryptography==48.0.0
	touch $@

# What the default policy, the listener's and the examples issue, and CAs,
# before zlint and pkilint: no error.
.PHONY: check-certs
check-certs: countersign-faults $(ZLINT) oracles/venv/ready
	$(CAMPAIGN_ENV) $(VENV) \
		$(srcdir)/tests/campaign/check_certs.py $(ZLINT) \
		$(VENV) $(CAMPAIGN_COUNT) $(CAMPAIGN_SEED)

clean-local: clean-oracles
clean-oracles:
	rm -rf oracles
EXTRA_DIST += tests/campaign/__init__.py tests/campaign/certs.py \
	tests/campaign/check_certs.py tests/campaign/lint_pkix.py \
	docs/evidence.md
