# How it is run: the service, alert rules, what is installed beside the
# program. Manual page and completions are cli/module.mk's.
dist_doc_DATA = README.md ARCHITECTURE.md SECURITY.md LICENSE \
	docs/audit.md docs/clients.md docs/kubernetes.md docs/log-format.md \
	docs/operations.md docs/policy.md
policydir = $(docdir)/examples/policies
dist_policy_DATA = policies/default.yaml policies/examples/ingress.yaml \
	policies/examples/mesh.yaml policies/examples/override.yaml \
	policies/examples/team-web.yaml policies/examples/zones.yaml
dist_pkgdata_DATA = deploy/prometheus/alerts.yml
kubernetesdir = $(pkgdatadir)/kubernetes
dist_kubernetes_DATA = deploy/kubernetes/crds.yaml \
	deploy/kubernetes/deployment.yaml deploy/kubernetes/example.yaml \
	deploy/kubernetes/rbac.yaml deploy/kubernetes/rbac-approver.yaml \
	deploy/kubernetes/rbac-csr.yaml
EXTRA_DIST += deploy/prometheus/alerts.test.yml

# systemd reads its units below every usual prefix's lib/.
systemdsystemunit_DATA = deploy/systemd/countersign.service
sysusersdir = $(prefix)/lib/sysusers.d
sysusers_DATA = deploy/systemd/countersign.conf
EXTRA_DIST += deploy/systemd/countersign.service.in \
	deploy/systemd/countersign.sysusers.conf
CLEANFILES += $(systemdsystemunit_DATA) $(sysusers_DATA)
deploy/systemd/countersign.service: deploy/systemd/countersign.service.in \
		Makefile
	$(MKDIR_P) deploy/systemd
	$(AM_V_GEN)sed -e 's|@bindir[@]|$(bindir)|g' \
		-e 's|@docdir[@]|$(docdir)|g' \
		$(srcdir)/deploy/systemd/countersign.service.in >$@.tmp && \
		mv $@.tmp $@
# Under the name that belongs into sysusers.d.
deploy/systemd/countersign.conf: deploy/systemd/countersign.sysusers.conf
	$(MKDIR_P) deploy/systemd
	$(AM_V_GEN)cp $(srcdir)/deploy/systemd/countersign.sysusers.conf $@
AM_DISTCHECK_CONFIGURE_FLAGS = \
	--with-systemdsystemunitdir='$${prefix}/lib/systemd/system'

E2E_TESTS += tests/e2e/install_test.py tests/e2e/log_test.py \
	tests/e2e/metrics_test.py tests/e2e/operations_test.py \
	tests/e2e/storage_test.py

# Prometheus's own judgement of the alert rules, and their tests.
.PHONY: check-alerts check-unit
check-alerts:
	@command -v promtool >/dev/null || { echo "check-alerts: NOT RUN," \
		"there is no promtool (Debian: prometheus)" >&2; exit 1; }
	promtool check rules $(srcdir)/deploy/prometheus/alerts.yml
	cd $(srcdir)/deploy/prometheus && promtool test rules alerts.test.yml

# systemd's judgement of the unit: no error, and an exposure of at most 2.5.
check-unit: deploy/systemd/countersign.service countersign
	@command -v systemd-analyze >/dev/null || { echo "check-unit: NOT RUN," \
		"there is no systemd-analyze (Debian: systemd)" >&2; exit 1; }
	@rm -rf unit-check && mkdir unit-check && \
	sed -e 's|$(bindir)/countersign|$(abs_top_builddir)/countersign|' \
		-e '/^Documentation=/d' deploy/systemd/countersign.service \
		>unit-check/countersign.service
	systemd-analyze verify --man=no unit-check/countersign.service
	systemd-analyze security --no-pager --offline=true --threshold=25 \
		unit-check/countersign.service
	@rm -rf unit-check
