#!/usr/bin/env python3
"""The adapter for cert-manager while writing fails, objects change under it,
and Countersign is away. Whatever happens, an approved request gets one
certificate, the one that stands in the record."""
import base64
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.adapter import (add_issuer, ready, wait_for,  # noqa: E402
                               wait_reason)
from tests.lib.house import Tap, expect, run  # noqa: E402
from tests.lib.kube_place import Place  # noqa: E402

tap = Tap()
place = Place("--check-every", "1s")
house, kube = place.house, place.kube
CSR = place.csr
STATUS = "certificaterequests/{}/status"


def events(name):
    """The reasons of what was told about a request."""
    return [e["reason"] for e in kube.events()
            if e["regarding"]["name"] == name]


def undelivered():
    return place.adapter.metric("countersign_kube_undelivered_total")


@tap.test
def c36_a_conflict_at_writing_is_decided_anew_without_signing_again():
    path = f"{kube.request('warm', CSR)}"
    place.issued_once(path)
    mine = {}
    kube.fault("PATCH", STATUS.format("conflict"), before=lambda: kube.change(
        mine["path"], lambda o: o["metadata"].update(labels={"a": "b"})))
    with kube.lock:
        mine["path"] = kube.request("conflict", CSR)
    place.issued_once(mine["path"])
    expect(kube.count("PATCH", STATUS.format("conflict"), 409) == 1,
           "no conflict")
    told = wait_for(lambda: events("conflict"), "an event")
    expect(told == ["Issued"], f"{told}")


@tap.test
def c36_failures_at_writing_are_tried_again_without_signing_again():
    for name, fault in (("t429", {"status": 429,
                                  "headers": {"Retry-After": "1"}}),
                        ("t500", {"status": 500}), ("t503", {"status": 503}),
                        ("reset", {"reset": True})):
        kube.fault("PATCH", STATUS.format(name), **fault)
        path = kube.request(name, CSR)
        started = time.monotonic()
        place.issued_once(path)
        expect(name != "t429" or time.monotonic() - started >= 1,
               "Retry-After was not honoured")


@tap.test
def c36_written_and_the_answer_lost_is_seen_at_the_next_look():
    path = kube.request("lost", CSR, approved=False)

    def lose():
        kube.fault("GET", "/namespaces/shop$", reset=True)
    kube.fault("PATCH", STATUS.format("lost"), after=lose)
    kube.change(path, lambda o: o.update(status={"conditions": [
        {"type": "Approved", "status": "True"}]}))
    place.issued_once(path)


@tap.test
def c08_while_countersign_is_away_requests_wait_and_then_are_issued():
    house.stop()
    path = kube.request("away", CSR)
    wait_reason(kube, path, "Pending")
    expect("failureTime" not in kube.get(path)["status"], "failed")
    wait_for(lambda: [i for i in ("ca",) if ready(
        kube, "/apis/countersign.dev/v1alpha1/namespaces/shop/issuers/ca"
    ).get("status") == "False"], "an issuer that is not ready")
    house.start()
    place.issued_once(path)
    # 12: the issuer came back by itself.
    expect(ready(kube, "/apis/countersign.dev/v1alpha1/namespaces/shop/"
                 "issuers/ca")["status"] == "True", "not ready again")


@tap.test
def c12_a_token_that_ends_makes_the_issuer_not_ready_until_there_is_another():
    house.client_add("brief", "submit", "approve", "gateway")
    kube.put("/api/v1/namespaces/shop/secrets/brief", {"data": {
        "token": base64.b64encode(house.tokens["brief"].encode()).decode()}})
    issuer = add_issuer(kube, house, "brief",
                        auth={"secretRef": {"name": "brief"}})
    wait_reason(kube, issuer, "Checked")
    house.cli("client", "remove", "brief")
    path = kube.request("no-token", CSR, issuer="brief")
    wait_reason(kube, path, "Pending")
    wait_for(lambda: "does not take the token" in
             ready(kube, issuer).get("message", ""), "a bad token")
    house.client_add("briefer", "submit", "approve", "gateway")
    kube.put("/api/v1/namespaces/shop/secrets/brief", {"data": {
        "token": base64.b64encode(house.tokens["briefer"].encode()).decode()}})
    place.issued_once(path)


@tap.test
def c33_deleted_and_made_again_under_its_name_it_gets_its_own_certificate():
    other = house.csr("other.shop.example")
    made = []

    def again():
        kube.delete(made[0])
        kube.request("reused", other)
    kube.fault("PATCH", STATUS.format("reused"), before=again)
    lost = undelivered()
    with kube.lock:
        made.append(kube.request("reused", CSR))
        first = kube.get(made[0])["metadata"]["uid"]
    wait_for(lambda: kube.get(made[0])["metadata"]["uid"] != first, "another")
    obj = place.issued_once(made[0])
    names = run("openssl", "x509", "-noout", "-ext", "subjectAltName",
                stdin=base64.b64decode(
                    obj["status"]["certificate"]).decode()).stdout
    expect("other.shop.example" in names, names)
    # What was issued for the first one is there for nobody.
    wait_for(lambda: undelivered() == lost + 1, "the count", 2)
    line = [x for x in place.adapter.log_text().split("\n")
            if "kube.undelivered" in x][-1]
    expect(first in line and place.serials(first)[0] in line, line)


@tap.test
def k806_deleted_before_the_writing_its_certificate_is_told_as_undelivered():
    made = []
    kube.fault("PATCH", STATUS.format("gone"),
               before=lambda: kube.delete(made[0]))
    before = undelivered()
    with kube.lock:
        made.append(kube.request("gone", CSR))
    wait_for(lambda: undelivered() == before + 1, "the count")
    expect(not events("gone"), "told of what was not written")
    expect("kube.undelivered" in place.adapter.log_text(), "no line")


@tap.test
def k807_denied_between_reading_and_writing_it_is_denied():
    made = []

    def deny():
        kube.change(made[0], lambda o: o["status"]["conditions"].append(
            {"type": "Denied", "status": "True", "reason": "no",
             "message": "too late is early enough"}))
    kube.fault("PATCH", STATUS.format("denied"), before=deny)
    lost = undelivered()
    with kube.lock:
        made.append(kube.request("denied", CSR))
    obj = wait_reason(kube, made[0], "Denied")
    expect("certificate" not in obj["status"], "a certificate")
    wait_for(lambda: undelivered() == lost + 1, "the count", 2)
    told = wait_for(lambda: events("denied"), "an event")
    expect(told == ["Denied"], f"{told}")


@tap.test
def c42_changed_between_reading_and_writing_it_is_refused():
    made = []

    def change():
        kube.change(made[0], lambda o: (
            o["spec"].update(isCA=True),
            o["metadata"].update(generation=2)))
    kube.fault("PATCH", STATUS.format("turned"), before=change)
    lost = undelivered()
    with kube.lock:
        made.append(kube.request("turned", CSR))
    obj = wait_reason(kube, made[0], "Failed")
    expect("certificate" not in obj["status"], "a certificate")
    expect("was changed" in ready(kube, made[0])["message"], str(obj))
    wait_for(lambda: undelivered() == lost + 1, "the count", 2)


@tap.test
def the_record_holds_after_all_this():
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))


if __name__ == "__main__":
    sys.exit(place.end(tap.run()))
