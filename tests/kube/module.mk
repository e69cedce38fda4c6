# A request's whole way in a real cluster without nodes: etcd, kube-apiserver
# and cert-manager, built from Go modules (minutes the first time, gigabytes of
# Go's caches), and `countersign kube` among them. Not a part of `make check`.
KUBE_LAB = $(abs_builddir)/oracles/kube
KUBE_GO = cd $(srcdir)/tests/kube/lab && go build -trimpath -buildvcs=false \
	-ldflags '-s -w' -o $(KUBE_LAB)/
oracles/kube/ready:
	@command -v go >/dev/null || { \
		echo "check-kube: NOT RUN, there is no go" >&2; exit 1; }
	rm -rf oracles/kube
	$(MKDIR_P) oracles/kube
	$(KUBE_GO) ./cert-manager
	$(KUBE_GO)etcd go.etcd.io/etcd/server/v3
	$(KUBE_GO) helm.sh/helm/v4/cmd/helm
	$(KUBE_GO) k8s.io/kubernetes/cmd/kubectl
	$(KUBE_GO) k8s.io/kubernetes/cmd/kube-apiserver
	cd $(srcdir)/tests/kube/lab && go list -m -f '{{.Dir}}' \
		github.com/cert-manager/cert-manager >$(KUBE_LAB)/module
	touch $@

.PHONY: check-kube
check-kube: countersign-faults oracles/kube/ready
	COUNTERSIGN_FAULTS='$(abs_top_builddir)/countersign-faults' \
	PYTHONDONTWRITEBYTECODE=1 python3 $(srcdir)/tests/kube/kube_test.py \
		$(KUBE_LAB)

EXTRA_DIST += tests/kube/__init__.py tests/kube/lab.py \
	tests/kube/kube_test.py tests/kube/lab/go.mod tests/kube/lab/go.sum \
	tests/kube/lab/tools.go tests/kube/lab/cert-manager/controller.go \
	tests/kube/lab/cert-manager/main.go \
	tests/kube/lab/cert-manager/webhook.go
