# How it is run: metrics' alert rules, the service.
EXTRA_DIST += deploy/prometheus/alerts.yml deploy/prometheus/alerts.test.yml
E2E_TESTS += tests/e2e/metrics_test.py

# Prometheus's own judgement of the alert rules, and their tests.
.PHONY: check-alerts
check-alerts:
	@command -v promtool >/dev/null || { echo "check-alerts: NOT RUN," \
		"there is no promtool (Debian: prometheus)" >&2; exit 1; }
	promtool check rules $(srcdir)/deploy/prometheus/alerts.yml
	cd $(srcdir)/deploy/prometheus && promtool test rules alerts.test.yml
