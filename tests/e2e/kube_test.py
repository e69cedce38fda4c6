#!/usr/bin/env python3
"""The adapter for cert-manager, against a fake API server and a real house:
what becomes of a request. Tests are named after the contract of an external
issuer (docs/kubernetes.md, "What is tested")."""
import base64
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.adapter import (Adapter, add_issuer, ready, root_of,  # noqa: E402
                               same_conditions, wait_for, wait_reason)
from tests.lib.fake_kube import condition, rfc3339  # noqa: E402
from tests.lib.house import Tap, expect, run  # noqa: E402
from tests.lib.invariants import pem_to_der  # noqa: E402
from tests.lib.kube_place import Place, untouched  # noqa: E402

tap = Tap()
place = Place("--check-every", "1s")
house, kube = place.house, place.kube
CSR = place.csr


def chain(obj):
    pem = base64.b64decode(obj["status"]["certificate"]).decode()
    end = "-----END CERTIFICATE-----\n"
    return [pem_to_der(p + end) for p in pem.split(end) if p.strip()]


def text_of(obj):
    """openssl's account of the leaf."""
    return run("openssl", "x509", "-noout", "-text", "-nameopt", "RFC2253",
               stdin=base64.b64decode(
                   obj["status"]["certificate"]).decode()).stdout


def failed(path):
    """It failed for good, and says when."""
    obj = wait_reason(kube, path, "Failed")
    expect(ready(kube, path)["status"] == "False", "not False")
    expect(obj["status"]["failureTime"] >=
           obj["metadata"]["creationTimestamp"], "an early failure")
    expect("certificate" not in obj["status"], "a certificate")
    return ready(kube, path)["message"]


@tap.test
def c01_a_foreign_group_or_kind_is_not_touched():
    a = kube.request("foreign", CSR, group="other.dev")
    b = kube.request("bare", CSR, group="")
    c = kube.request("kind", CSR, kind="Thing")
    untouched(kube, a)
    untouched(kube, b, 0)
    untouched(kube, c, 0)


@tap.test
def c02_an_empty_kind_is_the_namespaced_issuer():
    obj = wait_reason(kube, kube.request("nokind", CSR, kind=""), "Issued")
    uid = obj["metadata"]["uid"]
    db = house.database()
    client = db.execute(
        "SELECT c.name FROM request r JOIN client c ON c.id = r.client WHERE"
        " r.idem_key = ?", (uid,)).fetchone()["name"]
    expect(client == "shop", client)


@tap.test
def c03_without_approval_nothing_is_signed_or_written():
    path = kube.request("waiting", CSR, approved=False)
    untouched(kube, path)
    expect(not place.serials(kube.get(path)["metadata"]["uid"]), "signed")
    kube.change(path, lambda o: o.update(status={"conditions": [
        {"type": "Approved", "status": "True", "reason": "hand"}]}))
    wait_reason(kube, path, "Issued")


@tap.test
def c04_denied_is_told_with_its_time_and_nothing_is_signed():
    path = kube.request("denied", CSR, approved=False, denied="not you")
    obj = wait_reason(kube, path, "Denied")
    expect(obj["status"]["failureTime"], "no failureTime")
    expect(ready(kube, path)["message"] == "not you", "another message")
    expect(not place.serials(obj["metadata"]["uid"]), "signed")


@tap.test
def c05_what_has_an_end_is_not_touched():
    for n, (status, reason) in enumerate((("True", "Issued"),
                                          ("False", "Failed"),
                                          ("False", "Denied"))):
        path = kube.request(f"over-{n}", CSR, conditions=[
            {"type": "Ready", "status": status, "reason": reason}])
        untouched(kube, path, 0.2)
    untouched(kube, kube.request("invalid", CSR, conditions=[
        {"type": "InvalidRequest", "status": "True", "reason": "x"}]), 0.2)


@tap.test
def c06_a_missing_issuer_is_waited_for():
    path = kube.request("early", CSR, issuer="later")
    wait_reason(kube, path, "Pending")
    expect("not there yet" in ready(kube, path)["message"],
           str(ready(kube, path)))
    add_issuer(kube, house, "later")
    wait_reason(kube, path, "Issued")


@tap.test
def c07_an_issuer_that_is_not_ready_holds_its_requests_and_says_why():
    add_issuer(kube, house, "broken", issuer="nosuch")
    path = kube.request("held-up", CSR, issuer="broken")
    wait_reason(kube, path, "Pending")
    wait_for(lambda: "no such issuer" in ready(kube, path)["message"],
             "the reason")
    add_issuer(kube, house, "broken")
    kube.change("/apis/countersign.dev/v1alpha1/namespaces/shop/issuers/"
                "broken", lambda o: o["metadata"].update(generation=2))
    wait_reason(kube, path, "Issued")


@tap.test
def c11_a_violation_fails_with_field_value_and_rule_and_is_not_tried_again():
    csr = house.csr("a.other.example", "b.brand.example", "c.other.example",
                    "d.other.example", "e.other.example")
    path = kube.request("names", csr, "brand", issuer="all",
                        kind="ClusterIssuer", metadata={"annotations": {
                            "cert-manager.io/certificate-name": "tls"}})
    message = failed(path)
    for part in ("san.dns[0]: a.other.example", "brand/san.dns.allow", "brand.yaml:",
                 "and 1 more: countersign request show ",
                 "cmctl renew tls -n brand"):
        expect(part in message, f"no {part!r} in {message!r}")
    shown = message.split("countersign request show ")[1].split(";")[0]
    shown = shown.split(".")[0].strip()
    expect("REFUSED" in house.cli("request", "show", shown,
                                  check=False).stdout, "no such request")
    event = wait_for(lambda: [e for e in kube.events()
                              if e["regarding"]["name"] == "names"],
                     "an event")[0]
    expect(event["type"] == "Warning" and event["reason"] == "Failed" and
           "a.other.example" in event["note"], str(event))
    posts = len(place.serials())
    untouched_version = kube.get(path)["metadata"]["resourceVersion"]
    time.sleep(0.5)
    expect(kube.get(path)["metadata"]["resourceVersion"] ==
           untouched_version and len(place.serials()) == posts, "again")


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
    expect(pem_to_der(root_of(house)) not in certs, "the root is in it")
    expect(kube.get(path)["metadata"]["applied"] == {
        "countersign.dev": {"conditions": ["Ready"], "certificate": 1,
                            "ca": 1}}, "owns something else")
    event = wait_for(lambda: [e for e in kube.events()
                              if e["regarding"]["name"] == "first"],
                     "an event")[0]
    expect(event["type"] == "Normal" and event["reason"] == "Issued" and
           event["regarding"]["uid"] == after["metadata"]["uid"], str(event))


@tap.test
def c15_each_kind_of_key_and_name_gets_its_certificate():
    label = "a" * 63
    cases = {
        "rsa": house.csr("r.example", key=("-newkey", "rsa:2048")),
        "ed": house.csr("e.example", key=("-newkey", "ed25519")),
        "p384": house.csr("p.example", key=(
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384")),
        "cn": house.csr("cn.example", "x.example", subject="/CN=cn.example"),
        "ip": house.csr("IP:10.0.0.7"),
        "wild": house.csr("*.w.example", "w.example"),
        "long": house.csr(label + ".example"),
    }
    paths = {n: kube.request("k-" + n, c) for n, c in cases.items()}
    for path in paths.values():
        wait_reason(kube, path, "Issued")
    expect("DNS:*.w.example, DNS:w.example" in
           text_of(kube.get(paths["wild"])), "the wildcard")
    # 20: with an empty subject the names are critical.
    expect("Subject Alternative Name: critical" in
           text_of(kube.get(paths["rsa"])), "not critical")


@tap.test
def c16_a_duration_is_kept_and_without_one_the_policy_says_it():
    def hours(obj):
        dates = run("openssl", "x509", "-noout", "-startdate", "-enddate",
                    "-dateopt", "iso_8601", stdin=base64.b64decode(
                        obj["status"]["certificate"]).decode()).stdout
        start, end = [time.mktime(time.strptime(
            d.split("=")[1].strip(), "%Y-%m-%d %H:%M:%SZ"))
            for d in dates.strip().split("\n")]
        return (end - start) / 3600

    obj = wait_reason(kube, kube.request(
        "long", CSR, spec={"duration": "896h0m0s"}), "Issued")
    expect(abs(hours(obj) - 896) < 1 / 60, str(hours(obj)))
    obj = wait_reason(kube, kube.request("unsaid", CSR), "Issued")
    expect(abs(hours(obj) - 2160) < 1 / 60, str(hours(obj)))


@tap.test
def c17_usages_are_kept_all_of_them():
    rsa = house.csr("u.example", key=("-newkey", "rsa:2048"))
    text = text_of(wait_reason(kube, kube.request("usages", rsa, spec={
        "usages": ["signing", "key encipherment", "server auth",
                   "client auth"]}), "Issued"))
    for part in ("Digital Signature, Key Encipherment",
                 "TLS Web Server Authentication, TLS Web Client Auth"):
        expect(part in text, part)


@tap.test
def c18_a_ca_is_refused_where_policy_does_not_allow_it():
    expect("basic_constraints" in failed(kube.request(
        "ca-please", CSR, spec={"isCA": True})), "another reason")


@tap.test
def c22_the_same_key_gets_another_certificate():
    a = wait_reason(kube, kube.request("again-1", CSR), "Issued")
    b = wait_reason(kube, kube.request("again-2", CSR), "Issued")
    expect(chain(a)[0] != chain(b)[0], "the same certificate")


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


@tap.test
def c40_a_failure_is_never_older_than_its_request():
    ahead = rfc3339(time.time() + 60)
    path = kube.request("ahead", CSR, approved=False, denied="no",
                        metadata={"creationTimestamp": ahead})
    obj = wait_reason(kube, path, "Denied")
    expect(obj["status"]["failureTime"] == ahead,
           obj["status"]["failureTime"])


@tap.test
def c42_a_request_that_was_changed_is_refused():
    path = kube.request("changed", CSR, metadata={"generation": 2})
    expect("was changed" in failed(path), "another reason")
    uid = kube.get(path)["metadata"]["uid"]
    expect(not place.serials(uid), "signed")
    # And it stands in the record, as denied by the adapter.
    told = [x for x in house.cli("audit", "list", "--kind", "denied", "-o",
                                 "ndjson").stdout.split("\n")
            if "was changed" in x]
    row = house.database().execute(
        "SELECT id FROM request WHERE idem_key = ?", (uid,)).fetchone()
    expect(len(told) == 1 and json.loads(told[0])["id"] ==
           bytes(row["id"]).hex(), f"{told}")


@tap.test
def c43_what_was_overridden_stands_in_message_and_event():
    csr = house.csr("www.brand.example", subject="/O=Acme/CN=www.brand.example")
    path = kube.request("brand", csr, "brand", issuer="all",
                        kind="ClusterIssuer", spec={"duration": "100h"})
    obj = wait_reason(kube, path, "Issued")
    message = ready(kube, path)["message"]
    for part in ("not as it was asked for", 'asked "Acme"',
                 'given "Example Corp"', "brand/subject.organization.set",
                 "brand.yaml:", "more: countersign request show "):
        expect(part in message, f"no {part!r} in {message!r}")
    expect("O=Example Corp" in text_of(obj), "not overridden")
    event = wait_for(lambda: [e for e in kube.events()
                              if e["regarding"]["name"] == "brand"],
                     "an event")[0]
    expect("Example Corp" in event["note"], event["note"])


@tap.test
def c44_what_cannot_be_asked_fails_with_the_reason():
    cases = {
        "d0": ({"duration": "0s"}, "duration"),
        "dneg": ({"duration": "-1h0m0s"}, "duration"),
        "d1s": ({"duration": "1s"}, "validity.min"),
        "d100y": ({"duration": "876000h0m0s"}, "validity.max"),
        "foo": ({"usages": ["foo"]}, "foo"),
        "base64": ({"request": "!!"}, "spec.request"),
        "nothing": ({"request": ""}, "spec.request"),
        "large": ({"request": "QUFB" * 250000}, "24 KiB"),
        "garbage": ({"request": "QUFB"}, "CSR"),
        "nobody": ({"username": ""}, "requester"),
    }
    paths = {n: kube.request("bad-" + n.replace("_", "-"), CSR, spec=s)
             for n, (s, _) in cases.items()}
    weak = kube.request("weak", house.csr("w.example", key=(
        "-newkey", "rsa:512")))
    for n, (_, part) in cases.items():
        message = failed(paths[n])
        expect(part.lower() in message.lower(), f"{n}: {message}")
    expect("key" in failed(weak).lower(), "the weak key")


@tap.test
def k814_two_conditions_of_a_type_and_long_texts_do_no_harm():
    path = kube.request("odd", CSR, conditions=[
        {"type": "Other", "status": "True", "reason": "x",
         "message": "\u0000\u001b[2J" + "ä" * 5000},
        {"type": "Other", "status": "False", "reason": "y"}])
    wait_for(lambda: ready(kube, path).get("reason") in ("Failed", "Issued"),
             "an end")


@tap.test
def c46_an_issuer_that_goes_while_a_request_waits_is_waited_for():
    gone = add_issuer(kube, house, "goes", issuer="nosuch")
    path = kube.request("left", CSR, issuer="goes")
    wait_reason(kube, path, "Pending")
    kube.delete(gone)
    wait_for(lambda: "not there" in ready(kube, path)["message"], "waiting")
    kube.delete(path)


@tap.test
def c10_what_policy_holds_is_pending_and_asked_again():
    def one(name):
        return kube.request(name, CSR, "slow", issuer="all",
                            kind="ClusterIssuer", metadata={"annotations": {
                                "cert-manager.io/certificate-name": "s"}})
    wait_reason(kube, one("slow-1"), "Issued")
    path = one("slow-2")
    obj = wait_reason(kube, path, "Pending")
    expect("Held: " in ready(kube, path)["message"] and
           "slow/limits.few" in ready(kube, path)["message"],
           ready(kube, path)["message"])
    expect("failureTime" not in obj["status"], "a failure")
    kube.delete(path)


@tap.test
def c05_after_a_restart_nothing_that_has_an_end_is_written_again():
    expect(place.adapter.stop() == 0, "it did not end well")
    before = {p: o for p, o in kube.objects.items()
              if "/certificaterequests/" in p and
              condition(o, "Ready") and
              condition(o, "Ready")["reason"] != "Pending"}
    place.adapter = Adapter(kube, house, name="second")
    time.sleep(0.7)
    expect(len(before) > 20, f"{len(before)} requests")
    for p, o in before.items():
        expect(kube.objects[p] == o, f"{p} was written again")


if __name__ == "__main__":
    sys.exit(place.end(tap.run()))
