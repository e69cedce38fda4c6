"""The adapter for cert-manager under test: a process beside a fake cluster
and a real house."""
import os
import signal
import subprocess
import time
import urllib.request

from tests.lib.fake_kube import CLUSTER_ISSUERS, GROUP, b64, condition
from tests.lib.house import COUNTERSIGN, Failure, expect

TIMEOUT = 15


def wait_for(function, what, timeout=TIMEOUT):
    """Until it gives something true, which is returned."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        got = function()
        if got:
            return got
        time.sleep(0.02)
    raise Failure("it did not come to: " + what)


class Adapter:
    """`countersign kube`, started at once."""

    def __init__(self, kube, house, *options, env=None, name="adapter",
                 kubeconfig=None, ready=True):
        self.kube = kube
        self.log_path = os.path.join(kube.root, name + ".log")
        self.log = open(self.log_path, "ab")
        own = os.path.join(kube.root, "own-token")
        with open(own, "w", encoding="ascii") as f:
            f.write(house.tokens["kube"])
        self.process = subprocess.Popen(
            [COUNTERSIGN, "kube", "--kubeconfig",
             kubeconfig or kube.kubeconfig(), "--countersign-token", own,
             "--probe", "127.0.0.1:0", "--identity", name, *options],
            stdout=subprocess.PIPE, stderr=self.log,
            env=dict(house.env, **(env or {})))
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""
        try:
            self.port = int(wait_for(
                lambda: self.said("probe "), "a probe").split()[0])
            if ready:
                wait_for(lambda: "ready\n" in self.read(), "ready")
        except Failure:
            self.process.kill()
            self.process.wait()
            raise

    def read(self):
        self.text += (self.process.stdout.read() or b"").decode()
        if self.process.poll() is not None:
            raise Failure("the adapter has ended: " + self.log_text()[-3000:])
        return self.text

    def said(self, before):
        text = self.read()
        return text.split(before)[1].split("\n")[0] if before in text and \
            "\n" in text.split(before)[1] else None

    def log_text(self):
        with open(self.log_path, encoding="utf-8") as f:
            return f.read()

    def probe(self, path):
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}{path}", timeout=5) as r:
                return r.status, r.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def metric(self, name):
        for line in self.probe("/metrics")[1].split("\n"):
            if line.startswith(name + " "):
                return int(line.split(" ")[1])
        return None

    def stop(self, kill=False):
        if self.process.poll() is None:
            self.process.send_signal(
                signal.SIGKILL if kill else signal.SIGTERM)
        status = self.process.wait(TIMEOUT)
        self.process.stdout.close()
        self.log.close()
        return status


def root_of(house):
    with open(os.path.join(house.dir, "root.pem"), encoding="ascii") as f:
        return f.read()


def add_secret(kube, house, client, namespace="shop", name="countersign"):
    kube.put(f"/api/v1/namespaces/{namespace}/secrets/{name}",
             {"data": {"token": b64(house.tokens[client])}})


def add_issuer(kube, house, name="ca", namespace="shop", **spec):
    """An Issuer, or without a namespace a ClusterIssuer."""
    body = {"apiVersion": "countersign.dev/v1alpha1",
            "spec": {"url": f"https://127.0.0.1:{house.port}",
                     "caBundle": b64(root_of(house)), **spec}}
    if namespace is None:
        path = f"{CLUSTER_ISSUERS}/{name}"
    else:
        path = f"{GROUP}/namespaces/{namespace}/issuers/{name}"
        body["spec"].setdefault("auth", {
            "secretRef": {"name": "countersign"}})
    kube.put(path, body)
    return path


def ready(kube, path):
    return condition(kube.get(path) or {}, "Ready") or {}


def wait_reason(kube, path, reason, timeout=TIMEOUT):
    try:
        wait_for(lambda: ready(kube, path).get("reason") == reason, reason,
                 timeout)
    except Failure as e:
        raise Failure(f"{e}: {kube.get(path)}") from e
    return kube.get(path)


def same_conditions(before, after, kind):
    expect(condition(before, kind) == condition(after, kind),
           f"{kind} was touched: {condition(after, kind)}")
