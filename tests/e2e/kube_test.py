#!/usr/bin/env python3
"""The adapter for cert-manager, against a fake API server and a real house:
the straight way. Tests are named after the contract of an external issuer
(docs/kubernetes.md, "What is tested")."""
import base64
import json
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.adapter import (Adapter, add_issuer, add_secret, ready,  # noqa: E402
                               root_of, same_conditions, wait_for, wait_reason)
from tests.lib.fake_kube import FakeKube  # noqa: E402
from tests.lib.house import House, Tap, expect  # noqa: E402
from tests.lib.invariants import pem_to_der  # noqa: E402

tap = Tap()
house = House()
house.start()
house.client_add("kube", "submit", "approve", "gateway",
                 options=("--realm", "prod"))
house.client_add("shop", "submit", "approve", "gateway",
                 options=("--realm", "prod", "--namespace", "shop"))
place = tempfile.mkdtemp(prefix="kube-test-")
kube = FakeKube(place)
kube.put("/api/v1/namespaces/shop", {"metadata": {"labels": {"team": "web"}}})
add_secret(kube, house, "shop")
issuer = add_issuer(kube, house)
cluster = add_issuer(kube, house, "all", None)
adapter = Adapter(kube, house)
CSR = house.csr("www.shop.example")


def chain(obj):
    pem = base64.b64decode(obj["status"]["certificate"]).decode()
    end = "-----END CERTIFICATE-----\n"
    return [pem_to_der(p + end) for p in pem.split(end) if p.strip()]


def settle(seconds=0.7):
    time.sleep(seconds)


@tap.test
def c14_an_approved_request_is_issued_and_only_our_condition_is_written():
    path = kube.request("first", CSR)
    before = kube.get(path)
    after = wait_reason(kube, path, "Issued")
    r = ready(kube, path)
    expect(r["status"] == "True" and r["lastTransitionTime"], str(r))
    expect("serial" in r["message"], r["message"])
    expect("failureTime" not in after["status"], "a failure time")
    same_conditions(before, after, "Approved")
    certs = chain(after)
    expect(len(certs) == 2, f"{len(certs)} certificates")
    root = pem_to_der(root_of(house))
    expect(root not in certs, "the root is in the chain")
    expect(kube.get(path)["metadata"]["applied"] == {
        "countersign.dev": {"conditions": ["Ready"], "certificate": 1,
                            "ca": 1}}, "owns something else")


@tap.test
def c23_the_root_stands_in_status_ca():
    obj = wait_reason(kube, kube.request("ca", CSR), "Issued")
    expect(base64.b64decode(obj["status"]["ca"]).decode() == root_of(house),
           "another root")


@tap.test
def c32_who_asked_from_where_and_who_approved_stand_in_the_record():
    path = kube.request("who", CSR, metadata={"annotations": {
        "cert-manager.io/certificate-name": "shop-tls",
        "cert-manager.io/certificate-revision": "2"}, "managedFields": [{
            "manager": "approver", "fieldsV1": {"f:status": {"f:conditions": {
                'k:{"type":"Approved"}': {}}}}}]},
        spec={"extra": {"authentication.kubernetes.io/pod-name": ["p-1"]}})
    wait_reason(kube, path, "Issued")
    db = house.database()
    row = db.execute("SELECT * FROM request ORDER BY n DESC LIMIT 1"
                     ).fetchone()
    scalars = json.loads(row["scalars"])
    expect(scalars["requester"] ==
           "system:serviceaccount:cert-manager:cert-manager", str(scalars))
    expect(scalars["namespace"] == "shop" and
           scalars["namespace_labels"] == {"team": "web"}, str(scalars))
    expect(scalars["owner"] == "shop-tls" and scalars["renewal"] is True,
           str(scalars))
    expect(scalars["requester_extra"] ==
           {"authentication.kubernetes.io/pod-name": ["p-1"]}, str(scalars))
    expect(scalars["uid"] == kube.get(path)["metadata"]["uid"], str(scalars))
    expect(row["source"] == "kubernetes", row["source"])
    entry = house.cli("audit", "show", str(row["leaf"]), "-o", "json").stdout
    expect('"claimed_by": "approver"' in entry or
           '"claimed_by":"approver"' in entry, entry)


if __name__ == "__main__":
    status = tap.run()
    adapter.stop()
    if status:
        sys.stderr.write(adapter.log_text()[-6000:])
    house.close()
    shutil.rmtree(place, ignore_errors=True)
    sys.exit(status)
