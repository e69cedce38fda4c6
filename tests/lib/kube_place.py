"""Where the adapter's tests are: a house with clients and policies, a fake
cluster with two namespaces, and an issuer of each kind."""
import base64
import os
import shutil
import sys
import tempfile
import time

from tests.lib.adapter import (Adapter, add_issuer, add_secret,
                               wait_reason)
from tests.lib.fake_kube import FakeKube
from tests.lib.house import House, expect, run

POLICIES = {"brand": """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: brand, owner: pki@corp.example}
spec:
  priority: 10
  match: {source: kubernetes, namespace: brand}
  subject:
    commonName: {max: 1, allow: [any], in_san: add}
    organization: {set: Example Corp}
    country: {set: SE}
    locality: {set: Lund}
  san: {dns: {allow: [{dns: .brand.example}], wildcard: leftmost}}
  validity: {default: 24h, max: {value: 48h, on_violation: clamp}}
""", "slow": """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: slow}
spec:
  priority: 10
  match: {source: kubernetes, namespace: slow}
  san: {dns: {allow: [any]}}
  limits:
    - {id: few, key: "{{request.owner}}", rate: 1/1h, on_violation: hold}
"""}


class Place:
    """`adapter` is started unless options is None."""

    def __init__(self, *options, env=None, start=True):
        self.house = House()
        for name, text in POLICIES.items():
            path = os.path.join(self.house.dir, "policies", name + ".yaml")
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
        self.house.start()
        self.house.cli("policy", "apply")
        self.house.client_add("kube", "submit", "approve", "gateway",
                              options=("--realm", "prod"))
        self.house.client_add(
            "shop", "submit", "approve", "gateway",
            options=("--realm", "prod", "--namespace", "shop"))
        self.root = tempfile.mkdtemp(prefix="kube-test-")
        self.kube = FakeKube(self.root)
        for name in ("shop", "brand", "slow"):
            self.kube.put(f"/api/v1/namespaces/{name}",
                          {"metadata": {"labels": {"team": "web"}}})
        add_secret(self.kube, self.house, "shop")
        add_secret(self.kube, self.house, "kube", "countersign", "own")
        add_issuer(self.kube, self.house)
        add_issuer(self.kube, self.house, "all", None)
        self.csr = self.house.csr("www.shop.example")
        self.adapter = Adapter(self.kube, self.house, *options, env=env) \
            if start else None

    def serials(self, uid=None):
        """Serials of what was issued, of one request or of all."""
        rows = self.house.database().execute(
            "SELECT a.serial, r.scalars FROM attempt a JOIN request r ON"
            " r.n = a.request JOIN outcome o ON o.seq = a.seq WHERE"
            " o.signature IS NOT NULL").fetchall()
        return [bytes(r["serial"]).hex() for r in rows
                if uid is None or f'"uid":"{uid}"' in
                (r["scalars"] if isinstance(r["scalars"], str)
                 else bytes(r["scalars"]).decode())]

    def leaf(self, path, *what):
        """What `openssl x509` says of the delivered certificate."""
        return run("openssl", "x509", "-noout", *what, stdin=base64.b64decode(
            self.kube.get(path)["status"]["certificate"]).decode()).stdout

    def serial_of(self, path):
        """Of the delivered certificate."""
        return self.leaf(path, "-serial").strip().split("=")[1].lower()

    def issued_once(self, path):
        """Issued, and what is delivered is the one that was signed."""
        obj = wait_reason(self.kube, path, "Issued")
        there = self.serials(obj["metadata"]["uid"])
        expect(there == [self.serial_of(path)],
               f"{there}, {self.serial_of(path)}")
        return obj

    def end(self, status):
        """For the last line of a test."""
        if self.adapter and self.adapter.process.poll() is None:
            code = self.adapter.stop()
            if code != 0:
                print(f"# the adapter ended with {code}")
                status = 1
        if status:
            sys.stderr.write(self.adapter.log_text()[-8000:])
        self.house.close()
        shutil.rmtree(self.root, ignore_errors=True)
        return status


def untouched(kube, path, seconds=0.6):
    """Nothing is written there, and no event is sent about it."""
    before = kube.get(path)
    time.sleep(seconds)
    expect(kube.get(path) == before, f"it was written: {kube.get(path)}")
    name = before["metadata"]["name"]
    about = [e for e in kube.events() if e["regarding"]["name"] == name]
    expect(not about, f"events: {about}")
