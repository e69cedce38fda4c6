#!/usr/bin/env python3
"""A certificate is revoked: over HTTP, by command, and what then says so."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect  # noqa: E402

tap = Tap()
house = House()
house.start()
house.client_add("ci", "submit", "approve")
house.client_add("desk", "revoke")
house.client_add("elsewhere", "revoke", options=("--issuer", "default"))
house.client_add("auditor", "audit")
CSR = house.csr("www.revoke.example")
PEM = {"Accept": "application/pem-certificate-chain"}


def issue(csr=CSR):
    got = house.submit("ci", csr)
    expect(got.status == 201, f"{got.status} {got.body}")
    return got.json


def revoke(client, serial, **body):
    status, _, data = house.http(
        "POST", f"/v1/certificates/{serial}/revoke",
        json.dumps(body).encode() if body else None, house.tokens[client])
    return status, json.loads(data)


def one(serial):
    return house.get(f"/v1/certificates/{serial}", "auditor")[1]


def listed(query):
    status, page = house.get(f"/v1/certificates?{query}", "auditor")
    expect(status == 200, page)
    return [i["serial"] for i in page["items"]]


def audit(query):
    status, page = house.get(f"/v1/audit?{query}", "auditor")
    expect(status == 200, page)
    return page["items"]


@tap.test
def a_revocation_is_answered_once_it_is_recorded_and_the_same_again():
    a = issue(house.csr("www.revoke.example"))
    before = [house.http("GET", path, token=house.tokens["ci"], headers=h)[2]
              for path, h in ((f"/v1/requests/{a['id']}", None),
                              (f"/v1/certificates/{a['serial']}", PEM))]
    expect(one(a["serial"])["revoked"] is None, "revoked from the start")
    status, body = revoke("desk", a["serial"], reason="keyCompromise",
                          message="ticket 4711\nfound on a mirror")
    expect(status == 200 and sorted(body) == ["issuer", "log", "reason",
                                              "revoked", "serial"], body)
    expect((body["issuer"], body["reason"], body["serial"]) ==
           ("default", "keyCompromise", a["serial"]), body)
    row = house.database().execute(
        "SELECT v.*, l.kind, l.hash, hex(l.hash) h FROM revocation v"
        " JOIN leaf l ON l.idx = v.leaf").fetchone()
    expect((row["leaf"], row["kind"], row["reason"]) ==
           (body["log"]["index"], 6, 1), dict(row))
    expect(row["h"].lower() == body["log"]["leaf_hash"], body)
    expect(revoke("desk", a["serial"], reason="keyCompromise") ==
           (200, body), "another answer to the same")
    status, other = revoke("desk", a["serial"])
    expect((status, other["code"]) == (409, "ALREADY_REVOKED") and
           "keyCompromise" in other["detail"], other)
    expect(one(a["serial"])["revoked"] == {
        "at": body["revoked"], "index": body["log"]["index"],
        "reason": "keyCompromise"}, one(a["serial"]))
    after = [house.http("GET", path, token=house.tokens["ci"], headers=h)[2]
             for path, h in ((f"/v1/requests/{a['id']}", None),
                             (f"/v1/certificates/{a['serial']}", PEM))]
    expect(before == after, "the answer of the decision changed")


@tap.test
def a_compromised_key_is_certified_no_more():
    csr = house.csr("lost.revoke.example")
    expect(revoke("desk", issue(csr)["serial"],
                  reason="keyCompromise")[0] == 200, "not revoked")
    got = house.submit("ci", csr)
    expect(got.status == 422 and got.json["code"] == "KEY_COMPROMISED",
           f"{got.status} {got.body}")
    expect("Make a new key and CSR" in got.json["detail"], got.json)
    issue(house.csr("lost.revoke.example"))


@tap.test
def what_cannot_be_said_is_refused_with_its_clause():
    serial = issue()["serial"]
    for reason, why in (("certificateHold", "7.2.2"),
                        ("removeFromCRL", "stays revoked"),
                        ("cACompromise", "RFC 5280 5.3.1"),
                        ("aACompromise", "RFC 5280 5.3.1"),
                        ("because", "superseded")):
        status, body = revoke("desk", serial, reason=reason)
        expect((status, body["code"], body["field"]) ==
               (400, "BAD_FIELD", "reason") and why in body["detail"], body)
    status, body = revoke("desk", serial, cause="keyCompromise")
    expect((status, body["code"]) == (400, "UNKNOWN_FIELD"), body)
    status, body = revoke("desk", serial, message="a\x00b")
    expect(status == 400, body)
    for path, want in (("5b00", 404), ("not-hex", 404), ("5b" * 30, 404)):
        status, body = revoke("desk", path)
        expect((status, body["code"]) == (want, "NOT_FOUND"), body)
    ca = house.database().execute(
        "SELECT serial FROM attempt WHERE request IS NULL").fetchone()
    status, body = revoke("desk", ca["serial"].hex())
    expect((status, body["code"]) == (409, "CA_CERTIFICATE"), body)
    expect(one(serial)["revoked"] is None, "something was revoked")


@tap.test
def only_who_holds_the_right_revokes_and_the_log_says_who_tried():
    serial = issue()["serial"]
    for client in ("ci", "auditor"):
        status, body = revoke(client, serial)
        expect((status, body["code"]) == (403, "FORBIDDEN"), body)
    status, _, _ = house.http("POST", f"/v1/certificates/{serial}/revoke")
    expect(status == 401, status)
    time.sleep(0.2)
    refused = [i["decision"] for i in audit("kind=auth.refused&limit=20")]
    expect({"ci", "auditor"} <= {d.get("client") for d in refused}, refused)
    expect(revoke("elsewhere", serial, reason="superseded")[0] == 200,
           "limited to the issuer, and not let")


@tap.test
def the_log_finds_it_by_serial_name_client_issuer_and_kind():
    a = issue()
    revoke("desk", a["serial"], reason="superseded", message="moved")
    index = one(a["serial"])["revoked"]["index"]
    # Before and after its terms are filed.
    for _ in range(2):
        for query in (f"serial={a['serial']}", "name=www.revoke.example",
                      "name=.revoke.example", "client=desk",
                      "issuer=default", "kind=revoked",
                      f"kind=revoked&serial={a['serial']}&client=desk"):
            found = {i["index"]: i for i in audit(query + "&limit=50")}
            expect(index in found, f"{query} {sorted(found)}")
            i = found[index]
            expect((i["kind"], i["client"], i["issuer"], i["serial"],
                    i["names"], i["decision"]) ==
                   ("revoked", "desk", "default", a["serial"],
                    ["www.revoke.example"],
                    {"message": "moved", "reason": "superseded"}), i)
        time.sleep(1.5)
    expect(audit(f"serial={a['serial']}&client=ci&kind=revoked") == [],
           "the submitter is not who revoked")
    entry = house.get(f"/v1/audit/{index}", "auditor")[1]["entry"]
    expect(entry["record"]["kind"] == "revoked" and
           entry["record"]["reason"] == 4, entry)


@tap.test
def lists_of_certificates_show_and_filter():
    stands = issue()["serial"]
    gone = issue()["serial"]
    revoke("desk", gone)
    items = house.get("/v1/certificates?name=www.revoke.example",
                      "auditor")[1]["items"]
    seen = {i["serial"]: i["revoked"] for i in items}
    expect(seen[stands] is None and
           seen[gone]["reason"] == "unspecified", seen)
    for more in ("", "&name=www.revoke.example", "&order=asc",
                 "&expires_before=2100-01-01T00:00:00Z"):
        yes, no = listed("revoked=true" + more), listed("revoked=false" + more)
        expect(gone in yes and stands not in yes, f"{more} {yes}")
        expect(stands in no and gone not in no, f"{more} {no}")
    expect({gone, stands} <= set(listed("revoked=true&revoked=false")), "both")
    page = house.get("/v1/certificates?revoked=true&limit=1", "auditor")[1]
    rest = house.get(f"/v1/certificates?revoked=true&cursor={page['next']}",
                     "auditor")[1]
    expect([i["serial"] for i in page["items"] + rest["items"]] ==
           listed("revoked=true"), "pages differ from the whole")
    status, body = house.get("/v1/certificates?revoked=perhaps", "auditor")
    expect((status, body["code"]) == (400, "BAD_PARAMETER"), body)


@tap.test
def the_command_revokes_shows_and_lists():
    serial = issue()["serial"]
    out = house.cli("cert", "revoke", serial, "--reason",
                    "affiliation-changed", "-o", "json")
    expect(json.loads(out.stdout)["reason"] == "affiliationChanged", out)
    for args, status, why in (
            ((serial, "--reason", "superseded"), 1, "ALREADY_REVOKED"),
            (("5b00",), 5, "NOT_FOUND"),
            ((serial, "--reason", "certificate-hold"), 2, "7.2.2")):
        out = house.cli("cert", "revoke", *args, check=False)
        expect(out.returncode == status and why in out.stderr, out)
    out = house.cli("cert", "show", serial, "-o", "text").stdout
    expect(out.startswith("Revoked at ") and "affiliationChanged" in out, out)
    out = house.cli("cert", "show", serial)
    expect(out.stdout.startswith("-----BEGIN") and
           out.stderr.startswith("Revoked at "), out)
    out = house.cli("cert", "list", "--revoked", "true", "-o", "csv").stdout
    expect("revoked.at,revoked.reason" in out and
           "affiliationChanged" in out, out)


@tap.test
def metrics_count_by_issuer_and_reason():
    time.sleep(1.2)
    text = house.http("GET", "/metrics",
                      token=house.tokens["auditor"])[2].decode()
    expect('countersign_revocations_total{issuer="default",'
           'reason="affiliationChanged"} 1' in text, "not counted")


@tap.test
def a_stopped_house_still_says_so_and_verifies():
    a = issue()
    revoke("desk", a["serial"], reason="cessationOfOperation")
    house.stop()
    out = json.loads(house.cli("cert", "show", a["serial"], "-o",
                               "json").stdout)
    expect(out["revoked"]["reason"] == "cessationOfOperation", out)
    out = house.cli("cert", "list", "--revoked", "true").stdout
    expect(a["serial"] in out, out)
    expect(house.cli("cert", "revoke", a["serial"],
                     check=False).returncode == 3, "without a server")
    house.cli("audit", "verify")
    house.start()
    status, body = revoke("desk", a["serial"], reason="cessationOfOperation")
    expect(status == 200, body)


status = tap.run()
house.close()
sys.exit(status)
