#!/usr/bin/env python3
"""`countersign kube` beside cert-manager in a real control plane.

Usage: kube_test.py PROGRAMS, the directory that `make oracles/kube/ready`
fills. What a fake API server cannot show: that cert-manager itself, its
webhook's approval checks, field selectors, server-side apply and
Kubernetes' own signing rights take what the adapter writes. Tests are
numbered after the contract of an external issuer (docs/kubernetes.md).
"""
import base64
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.kube.lab import Lab, LabFailure, wait_for  # noqa: E402
from tests.lib.house import COUNTERSIGN, House, Tap, expect, run  # noqa: E402

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DEPLOY = os.path.join(TREE, "deploy", "kubernetes")
OWN = "countersign"
SHOP = "shop"
# How long nothing may happen until we say that nothing will.
QUIET_S = 12

POLICY = """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: lab, owner: lab}
spec:
  match: {source: [kubernetes], namespace: [shop]}
  subject:
    unlisted: drop
    organization: {set: Example Corp}
    commonName: {max: 1, allow: [any]}
  san:
    unlisted: reject
    dns: {allow: [{dns: .shop.example}]}
    ip: {allow: [{cidr: 10.0.0.0/8}]}
    uri: {allow: [{uri: {scheme: spiffe, host: prod.example, path: /**}}]}
    email: {allow: [{email: {domain: shop.example}}]}
  validity: {default: 90d, max: 100d}
  extensions:
    key_usage: {allow: [digital signature, key encipherment]}
    ext_key_usage: {allow: [server auth, client auth], default: [server auth]}
"""


class Adapter:
    """`countersign kube` as its own service account."""

    def __init__(self, kubeconfig, token):
        self.argv = [COUNTERSIGN, "kube", "--kubeconfig", kubeconfig,
                     "--namespace", OWN, "--countersign-token", token,
                     "--check-every", "2s", "--kubernetes-csr"]
        self.process = None
        self.start()

    def start(self):
        with open(lab.path("adapter.log"), "ab") as log:
            self.process = subprocess.Popen(self.argv, stdout=log, stderr=log)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(20)


def condition(obj, kind):
    found = [c for c in (obj or {}).get("status", {}).get("conditions", [])
             if c["type"] == kind]
    return found[0] if found else {}


def certificate(name, issuer="ca", kind="Issuer", **spec):
    """A Certificate of cert-manager's, created."""
    spec.setdefault("privateKey", {"algorithm": "ECDSA"})
    lab.create({
        "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
        "metadata": {"name": name, "namespace": SHOP},
        "spec": {"secretName": name, "dnsNames": [name + ".shop.example"],
                 "issuerRef": {"group": "countersign.dev", "kind": kind,
                               "name": issuer}, **spec}})


def get(kind, name):
    return lab.get("-n", SHOP, kind, name)


def requests_of(name):
    """The certificate's requests, oldest first."""
    found = [r for r in lab.get("-n", SHOP, "certificaterequests")["items"]
             if r["metadata"].get("annotations", {}).get(
                 "cert-manager.io/certificate-name") == name]
    return sorted(found, key=lambda r: r["metadata"]["creationTimestamp"])


def wait_ready(name):
    try:
        return wait_for(f"certificate {name} is ready", lambda: condition(
            get("certificate", name), "Ready").get("status") == "True" and
            get("certificate", name), 30)
    except LabFailure as e:
        raise LabFailure(f"{e}\n{json.dumps(requests_of(name))[:3000]}") from e


def wait_reason(name, reason):
    """The latest request's Ready condition comes to this reason."""
    def look():
        found = requests_of(name)
        return found and condition(found[-1], "Ready").get("reason") == \
            reason and found[-1]
    try:
        return wait_for(f"request of {name}: {reason}", look, 30)
    except LabFailure as e:
        raise LabFailure(f"{e}\n{json.dumps(requests_of(name))[:3000]}") from e


def secret(name):
    return {k: base64.b64decode(v).decode()
            for k, v in get("secret", name)["data"].items()}


def text_of(pem):
    return run("openssl", "x509", "-noout", "-text", stdin=pem).stdout


def issuer(name, kind="Issuer", **spec):
    with open(os.path.join(house.dir, "root.pem"), encoding="ascii") as f:
        bundle = base64.b64encode(f.read().encode()).decode()
    obj = {"apiVersion": "countersign.dev/v1alpha1", "kind": kind,
           "metadata": {"name": name},
           "spec": {"url": f"https://127.0.0.1:{house.port}",
                    "caBundle": bundle, **spec}}
    if kind == "Issuer":
        obj["metadata"]["namespace"] = SHOP
        obj["spec"].setdefault("auth", {"secretRef": {"name": "countersign"}})
    return obj


def verifies(name):
    """The secret's chain ends at the house's root, which is its ca.crt."""
    data = secret(name)
    leaf = os.path.join(lab.dir, "leaf.pem")
    with open(leaf, "w", encoding="ascii") as f:
        f.write(data["tls.crt"])
    run("openssl", "verify", "-CAfile", os.path.join(house.dir, "root.pem"),
        "-untrusted", leaf, leaf)
    with open(os.path.join(house.dir, "root.pem"), encoding="ascii") as f:
        expect(data["ca.crt"].strip() == f.read().strip(), "ca.crt")
    return text_of(data["tls.crt"])


tap = Tap()
house = House()
house.start()
house.client_add("kube", "submit", "approve", "gateway",
                 options=("--realm", "lab"))
house.client_add("shop", "submit", "approve", "gateway",
                 options=("--realm", "lab", "--namespace", SHOP))
with open(os.path.join(house.dir, "policies", "lab.yaml"), "w",
          encoding="ascii") as out:
    out.write(POLICY)
house.cli("policy", "apply")

with open(os.path.join(sys.argv[1], "module"), encoding="utf-8") as listed:
    chart = os.path.join(listed.read().strip(), "deploy", "charts",
                         "cert-manager")
lab = Lab(sys.argv[1], chart)
lab.__enter__()


@tap.test
def the_objects_that_we_ship_are_taken_and_the_issuers_become_ready():
    global adapter
    lab.apply_files(*(os.path.join(DEPLOY, f"{name}.yaml") for name in (
        "crds", "rbac", "rbac-approver", "rbac-csr", "deployment")))
    lab.kubectl("create", "namespace", SHOP)
    lab.kubectl("-n", SHOP, "create", "rolebinding", "countersign-kube-secrets",
                "--clusterrole", "countersign-kube-secrets",
                "--serviceaccount", f"{OWN}:countersign-kube")
    lab.create({"apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "countersign", "namespace": SHOP},
                "stringData": {"token": house.tokens["shop"]}})
    token = lab.path("own-token")
    with open(token, "w", encoding="ascii") as f:
        f.write(house.tokens["kube"])
    adapter = Adapter(lab.kubeconfig_of(OWN, "countersign-kube"), token)
    lab.create(issuer("ca"), issuer("all", "ClusterIssuer"))
    for kind, name in (("issuers.countersign.dev", "ca"),
                       ("clusterissuers.countersign.dev", "all")):
        wait_for(f"{name} is ready", lambda: condition(
            get(kind, name), "Ready").get("status") == "True", 20)


@tap.test
def c14_a_certificate_becomes_ready_and_its_chain_verifies():
    certificate("one")
    wait_ready("one")
    verifies("one")
    request = requests_of("one")[0]
    expect(condition(request, "Approved")["reason"] == "cert-manager.io",
           "who approved")
    expect(condition(request, "Ready")["reason"] == "Issued", "reason")


@tap.test
def c14_a_cluster_issuer_serves_as_well():
    certificate("cluster", "all", "ClusterIssuer")
    wait_ready("cluster")
    verifies("cluster")


@tap.test
def c15_keys_and_names_of_every_kind():
    for name, key, names in (
            ("rsa", {"algorithm": "RSA", "size": 3072}, {}),
            ("p384", {"algorithm": "ECDSA", "size": 384},
             {"ipAddresses": ["10.1.2.3"]}),
            ("ed", {"algorithm": "Ed25519"},
             {"uris": ["spiffe://prod.example/ns/shop/sa/web"]}),
            ("mail", {"algorithm": "ECDSA"},
             {"emailAddresses": ["web@shop.example"]}),
            ("cn", {"algorithm": "ECDSA"},
             {"commonName": "cn.shop.example"})):
        certificate(name, privateKey=key, **names)
        wait_ready(name)
        text = verifies(name)
        for values in names.values():
            for value in [values] if isinstance(values, str) else values:
                expect(value in text, f"{name}: {value} in {text}")


@tap.test
def c16_a_duration_is_kept_to_the_second():
    certificate("long", duration="896h")
    wait_ready("long")
    pem = secret("long")["tls.crt"]
    dates = run("openssl", "x509", "-noout", "-dates", "-dateopt", "iso_8601",
                stdin=pem).stdout
    ends = [time.mktime(time.strptime(line.split("=")[1],
                                      "%Y-%m-%d %H:%M:%SZ"))
            for line in dates.strip().split("\n")]
    expect(ends[1] - ends[0] in (896 * 3600, 896 * 3600 - 1), dates)


@tap.test
def c17_usages_arrive():
    certificate("usages", usages=["digital signature", "server auth",
                                  "client auth"])
    wait_ready("usages")
    text = verifies("usages")
    expect("TLS Web Server Authentication, TLS Web Client Authentication" in
           text, text)


@tap.test
def c11_a_refusal_says_value_and_rule_and_fails_the_certificate():
    certificate("foreign", dnsNames=["pay.other.example"])
    request = wait_reason("foreign", "Failed")
    message = condition(request, "Ready")["message"]
    for word in ("pay.other.example", ".shop.example", "lab/san.dns.allow",
                 "cmctl renew foreign"):
        expect(word in message, f"{word} in {message}")
    expect(request["status"]["failureTime"] >=
           request["metadata"]["creationTimestamp"], "failureTime")
    wait_for("cert-manager fails the certificate", lambda: condition(
        get("certificate", "foreign"), "Issuing").get("reason") == "Failed",
        20)
    events = lab.get("-n", SHOP, "events")["items"]
    expect([e for e in events if e["type"] == "Warning" and
            e["involvedObject"]["name"] == request["metadata"]["name"] and
            "pay.other.example" in e["message"]], "no event names the value")


@tap.test
def c18_a_ca_certificate_is_refused_by_the_default_of_the_policy():
    certificate("subca", isCA=True)
    message = condition(wait_reason("subca", "Failed"), "Ready")["message"]
    expect("basic_constraints" in message or "CA" in message, message)


@tap.test
def c43_what_was_changed_is_told_and_no_second_request_follows():
    certificate("changed", subject={"organizations": ["Acme"]})
    wait_ready("changed")
    expect("Example Corp" in verifies("changed"), "the policy's organization")
    message = condition(requests_of("changed")[0], "Ready")["message"]
    expect("organization" in message and "Example Corp" in message, message)
    time.sleep(QUIET_S)
    expect(len(requests_of("changed")) == 1, "it was asked for again")
    wait_ready("changed")


@tap.test
def c21_a_changed_certificate_is_issued_again():
    certificate("renamed")
    wait_ready("renamed")
    lab.kubectl("-n", SHOP, "patch", "certificate", "renamed", "--type",
                "merge", "-p", json.dumps({"spec": {"dnsNames": [
                    "renamed.shop.example", "second.shop.example"]}}))
    wait_for("the second name", lambda: "second.shop.example" in text_of(
        secret("renamed")["tls.crt"]), 30)
    expect(get("certificate", "renamed")["status"]["revision"] == 2,
           "revision")


@tap.test
def c22_an_emptied_secret_is_filled_again_for_the_same_key():
    certificate("same", privateKey={"algorithm": "ECDSA",
                                    "rotationPolicy": "Never"})
    wait_ready("same")
    before = secret("same")
    lab.kubectl("-n", SHOP, "patch", "secret", "same", "--type", "merge",
                "-p", '{"data": {"tls.crt": ""}}')
    wait_for("a new certificate", lambda: secret("same")["tls.crt"] not in (
        "", before["tls.crt"]), 30)
    expect(secret("same")["tls.key"] == before["tls.key"], "the key")


@tap.test
def c6_a_request_waits_for_its_issuer():
    certificate("early", issuer="late")
    message = condition(wait_reason("early", "Pending"), "Ready")["message"]
    expect("late" in message, message)
    lab.create(issuer("late"))
    wait_ready("early")
    expect(len(requests_of("early")) == 1, "the same request")


@tap.test
def c12_a_stopped_house_is_waited_for():
    expect(house.stop() == 0, "stop")
    certificate("patient")
    wait_reason("patient", "Pending")
    house.start()
    wait_ready("patient")


@tap.test
def c4_a_denied_request_is_terminal_and_nothing_is_signed():
    lab.stop("controller")
    csr = house.csr("denied.shop.example")
    lab.create({"apiVersion": "cert-manager.io/v1",
                "kind": "CertificateRequest",
                "metadata": {"name": "denied", "namespace": SHOP},
                "spec": {"request": base64.b64encode(csr.encode()).decode(),
                         "issuerRef": {"group": "countersign.dev",
                                       "kind": "Issuer", "name": "ca"}}})
    lab.kubectl("-n", SHOP, "patch", "certificaterequest", "denied",
                "--subresource", "status", "--type", "merge", "-p",
                json.dumps({"status": {"conditions": [{
                    "type": "Denied", "status": "True", "reason": "Reviewed",
                    "message": "no"}]}}))
    request = wait_for("Denied", lambda: condition(
        get("certificaterequest", "denied"), "Ready").get("reason") ==
        "Denied" and get("certificaterequest", "denied"), 20)
    expect("failureTime" in request["status"], "failureTime")
    expect("certificate" not in request["status"], "a certificate")
    lab.start_controller()


@tap.test
def c31_an_approval_without_the_right_is_refused_by_the_webhook():
    lab.kubectl("-n", SHOP, "create", "serviceaccount", "nobody")
    try:
        lab.kubectl("-n", SHOP, "--as", "system:serviceaccount:shop:nobody",
                    "patch", "certificaterequest", "denied", "--subresource",
                    "status", "--type", "merge", "-p",
                    '{"status": {"conditions": [{"type": "Approved",'
                    ' "status": "True"}]}}')
    except LabFailure as e:
        expect("forbidden" in str(e).lower(), str(e))
    else:
        raise LabFailure("it was approved")


@tap.test
def c32_who_asked_stands_in_the_record():
    uid = requests_of("one")[0]["metadata"]["uid"]
    shown = json.loads(house.cli("audit", "list", "--name",
                                 "one.shop.example", "-o", "json").stdout)
    entry = json.dumps(shown)
    expect("system:serviceaccount:cert-manager:cert-manager" in entry or
           uid in entry, entry[:2000])


@tap.test
def c24_a_kubernetes_csr_is_signed_with_the_right_to_sign():
    csr = house.csr("node.shop.example")
    # Kubernetes does not care what a CSR is called.
    name = "system:node:Web 1"
    lab.create({"apiVersion": "certificates.k8s.io/v1",
                "kind": "CertificateSigningRequest",
                "metadata": {"name": name},
                "spec": {"request": base64.b64encode(csr.encode()).decode(),
                         "signerName": "clusterissuers.countersign.dev/all",
                         "expirationSeconds": 7200,
                         "usages": ["digital signature", "server auth"]}})
    time.sleep(1)
    expect("certificate" not in lab.get("csr", name).get("status", {}),
           "signed before it was approved")
    lab.kubectl("certificate", "approve", name)
    signed = wait_for("a certificate", lambda: lab.get(
        "csr", name)["status"].get("certificate"), 20)
    expect("node.shop.example" in text_of(base64.b64decode(signed).decode()),
           "the name")
    wait_for("an event about it", lambda: [
        e for e in lab.get("events", "-n", "default")["items"]
        if e["involvedObject"]["name"] == name and e["reason"] == "Issued"])


@tap.test
def c34_killed_at_any_time_it_delivers_each_request_once():
    names = [f"kill{i}" for i in range(12)]
    for name in names:
        certificate(name)
        if name[-1] in "258":
            adapter.end(signal.SIGKILL)
            adapter.start()
    for name in names:
        wait_ready(name)
        expect(len(requests_of(name)) == 1, name)
        found = json.loads(house.cli(
            "cert", "list", "--holding", name + ".shop.example", "-o",
            "json").stdout)
        expect(len(found["items"] if isinstance(found, dict) else found) == 1,
               f"{name}: {found}")


@tap.test
def c37_an_api_server_that_restarts_is_found_again():
    lab.stop("kube-apiserver")
    time.sleep(2)
    lab.start_apiserver()
    certificate("after")
    wait_ready("after")


@tap.test
def c38_a_rotated_token_is_picked_up():
    path = lab.path(f"{OWN}-countersign-kube.token")
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(lab.token(OWN, "countersign-kube"))
    os.rename(path + ".new", path)
    certificate("token")
    wait_ready("token")


@tap.test
def the_log_is_whole_and_the_adapter_ends_well():
    expect(adapter.end() == 0, "its exit status")
    expect(house.stop() == 0, "stop")
    house.cli("audit", "verify")


try:
    status = tap.run()
finally:
    if adapter_log := os.environ.get("KEEP"):
        print(f"# {lab.dir} and {house.root} are kept ({adapter_log})")
    lab.close()
    house.close()
sys.exit(status)
