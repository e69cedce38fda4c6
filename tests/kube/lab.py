"""A real control plane without nodes: etcd, kube-apiserver, cert-manager.

The programs are built by `make oracles/kube/ready` from ordinary Go modules
(tests/kube/lab/). cert-manager runs as its own service accounts, with exactly
the rights that its chart gives them, so that an approval means something.
Everything listens on the loopback interface, but for the webhook, which
cannot be bound to one address.
"""
import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

NAMESPACE = "cert-manager"
START_TIMEOUT = 60
# Kinds of the chart that a lab without nodes has a use for.
RENDERED = ("CustomResourceDefinition", "ServiceAccount", "ClusterRole",
            "ClusterRoleBinding", "Role", "RoleBinding",
            "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


class LabFailure(Exception):
    """The lab itself did not come up, or a command on it failed."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, check, timeout=START_TIMEOUT):
    """Poll until check() is true, and give what it gave."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.1)
    raise LabFailure(f"timed out: {what}")


class Lab:
    """One control plane in a directory of its own."""

    def __init__(self, programs, chart):
        self.programs = os.path.abspath(programs)
        self.chart = chart
        self.dir = tempfile.mkdtemp(prefix="countersign-kube-")
        self.processes = {}
        self.port = free_port()
        self.server = f"https://127.0.0.1:{self.port}"
        self.kubeconfig = self.path("admin.conf")

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def __enter__(self):
        try:
            self.make_keys()
            self.start_etcd()
            self.start_apiserver()
            self.start_cert_manager()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        for process in reversed(self.processes.values()):
            process.kill()
            process.wait()
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    # -- programs ------------------------------------------------------------

    def spawn(self, name, program, *args):
        with open(self.path(f"{name}.log"), "ab") as log:
            self.processes[name] = subprocess.Popen(
                [os.path.join(self.programs, program), *args], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, cwd=self.dir)

    def log_tail(self, name, n=2000):
        with open(self.path(f"{name}.log"), errors="replace",
                  encoding="utf-8") as f:
            return f.read()[-n:]

    def stop(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def run(self, *argv, stdin=None):
        done = subprocess.run(argv, input=stdin, capture_output=True,
                              text=True, timeout=60, cwd=self.dir)
        if done.returncode != 0:
            raise LabFailure(f"{' '.join(argv[:6])}: exit {done.returncode}\n"
                             f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def kubectl(self, *args, stdin=None):
        return self.run(os.path.join(self.programs, "kubectl"),
                        "--kubeconfig", self.kubeconfig, *args, stdin=stdin)

    # -- the objects of a test -------------------------------------------------

    def apply(self, *objects):
        """Create or change objects, given as dicts."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-",
                     stdin=json.dumps({"apiVersion": "v1", "kind": "List",
                                       "items": objects}))

    def apply_files(self, *paths):
        for path in paths:
            self.kubectl("apply", "--server-side", "-f", path)

    def create(self, *objects):
        self.kubectl("create", "-f", "-", stdin=json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": objects}))

    def get(self, *args):
        """Objects as JSON; None when there is no such object."""
        try:
            return json.loads(self.kubectl("get", *args, "-o", "json"))
        except LabFailure as e:
            if "NotFound" in str(e):
                return None
            raise

    def token(self, namespace, account):
        return self.kubectl("-n", namespace, "create", "token", account,
                            "--duration", "24h").strip()

    def kubeconfig_of(self, namespace, account):
        """A kubeconfig with the account's token, and its path."""
        token = self.path(f"{namespace}-{account}.token")
        with open(token, "w", encoding="ascii") as f:
            f.write(self.token(namespace, account))
        path = self.path(f"{namespace}-{account}.conf")
        self.write_kubeconfig(path, {"tokenFile": token})
        return path

    def write_kubeconfig(self, path, user):
        with open(path, "w", encoding="ascii") as f:
            json.dump({
                "apiVersion": "v1", "kind": "Config", "current-context": "lab",
                "clusters": [{"name": "lab", "cluster": {
                    "server": self.server,
                    "certificate-authority": self.path("ca.crt")}}],
                "users": [{"name": "user", "user": user}],
                "contexts": [{"name": "lab", "context": {
                    "cluster": "lab", "user": "user"}}]}, f)

    # -- coming up ---------------------------------------------------------------

    def make_keys(self):
        openssl = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
        self.run(*openssl, "-keyout", "ca.key", "-out", "ca.crt", "-subj",
                 "/CN=lab CA", "-addext",
                 "keyUsage=critical,keyCertSign,cRLSign")
        for name, subject, ext in (
                ("server", "/CN=kube-apiserver",
                 "subjectAltName=IP:127.0.0.1,DNS:localhost"),
                ("admin", "/O=system:masters/CN=admin",
                 "extendedKeyUsage=clientAuth")):
            self.run(*openssl, "-keyout", f"{name}.key", "-out",
                     f"{name}.crt", "-subj", subject, "-addext", ext,
                     "-addext", "basicConstraints=critical,CA:FALSE",
                     "-CA", "ca.crt", "-CAkey", "ca.key")
        self.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-out", "sa.key")
        self.run("openssl", "pkey", "-in", "sa.key", "-pubout", "-out",
                 "sa.pub")
        self.write_kubeconfig(self.kubeconfig, {
            "client-certificate": self.path("admin.crt"),
            "client-key": self.path("admin.key")})

    def start_etcd(self):
        self.etcd = f"http://127.0.0.1:{free_port()}"
        peers = f"http://127.0.0.1:{free_port()}"
        self.spawn("etcd", "etcd", "--data-dir", self.path("etcd"),
                   "--listen-client-urls", self.etcd,
                   "--advertise-client-urls", self.etcd,
                   "--listen-peer-urls", peers,
                   "--initial-advertise-peer-urls", peers,
                   "--initial-cluster", f"default={peers}",
                   "--unsafe-no-fsync")

    def start_apiserver(self):
        self.spawn(
            "kube-apiserver", "kube-apiserver", "--etcd-servers", self.etcd,
            "--bind-address", "127.0.0.1", "--secure-port", str(self.port),
            "--advertise-address", "192.0.2.1", "--endpoint-reconciler-type",
            "none", "--tls-cert-file", self.path("server.crt"),
            "--tls-private-key-file", self.path("server.key"),
            "--client-ca-file", self.path("ca.crt"), "--authorization-mode",
            "RBAC", "--service-cluster-ip-range", "10.0.0.0/24",
            "--service-account-issuer", "https://kubernetes.default.svc",
            "--service-account-signing-key-file", self.path("sa.key"),
            "--service-account-key-file", self.path("sa.pub"))
        wait_for("kube-apiserver is ready", self.apiserver_ready)

    def apiserver_ready(self):
        if self.processes["kube-apiserver"].poll() is not None:
            raise LabFailure(self.log_tail("kube-apiserver"))
        try:
            return self.kubectl("get", "--raw", "/readyz") == "ok"
        except LabFailure:
            return False

    def start_cert_manager(self):
        self.webhook_port = free_port()
        self.kubectl("create", "namespace", NAMESPACE)
        self.kubectl("apply", "--server-side", "-f", "-", stdin=self.render())
        self.spawn("webhook", "cert-manager", "webhook", "--kubeconfig",
                   self.kubeconfig_of(NAMESPACE, "cert-manager-webhook"),
                   "--secure-port", str(self.webhook_port), "--healthz-port",
                   str(free_port()), "--metrics-listen-address", "0",
                   "--dynamic-serving-ca-secret-namespace", NAMESPACE,
                   "--dynamic-serving-ca-secret-name",
                   "cert-manager-webhook-ca",
                   "--dynamic-serving-dns-names", "localhost")
        self.trust_webhook()
        self.start_controller()

    def start_controller(self):
        self.spawn("controller", "cert-manager", "controller", "--kubeconfig",
                   self.kubeconfig_of(NAMESPACE, "cert-manager"))

    def render(self):
        """The chart's CRDs, rights and webhooks, as they are by default."""
        text = self.run(
            os.path.join(self.programs, "helm"), "template", "cert-manager",
            self.chart, "--namespace", NAMESPACE, "--kube-version", "v1.37.2",
            "--set", "crds.enabled=true", "--set",
            f"webhook.url.host=localhost:{self.webhook_port}", "--set",
            "startupapicheck.enabled=false", "--set",
            "cainjector.enabled=false")
        documents = ("\n" + text).split("\n---\n")
        return "\n---\n".join(
            d for d in documents
            if any(f"\nkind: {kind}\n" in "\n" + d for kind in RENDERED))

    def trust_webhook(self):
        """What cainjector does: the webhook's CA into its registrations."""
        secret = wait_for("the webhook has a CA", lambda: self.get(
            "-n", NAMESPACE, "secret", "cert-manager-webhook-ca"))
        bundle = secret["data"]["ca.crt"]
        assert base64.b64decode(bundle).startswith(b"-----BEGIN")
        for kind in ("mutating", "validating"):
            registered = self.get(f"{kind}webhookconfiguration",
                                  "cert-manager-webhook")
            patch = [{"op": "add", "value": bundle,
                      "path": f"/webhooks/{i}/clientConfig/caBundle"}
                     for i in range(len(registered["webhooks"]))]
            self.kubectl("patch", f"{kind}webhookconfiguration",
                         "cert-manager-webhook", "--type", "json", "-p",
                         json.dumps(patch))
        wait_for("the webhook answers", self.webhook_answers)

    def webhook_answers(self):
        """A dry run of a self-signed issuer passes through the webhook."""
        try:
            self.kubectl("create", "--dry-run=server", "-f", "-",
                         stdin=json.dumps({
                             "apiVersion": "cert-manager.io/v1",
                             "kind": "ClusterIssuer",
                             "metadata": {"name": "probe"},
                             "spec": {"selfSigned": {}}}))
            return True
        except LabFailure:
            return False
