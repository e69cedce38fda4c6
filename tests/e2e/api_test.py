#!/usr/bin/env python3
"""What a client sees over HTTPS: approval, idempotency, refusals, rights."""
import json
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import House, Tap, expect, run  # noqa: E402

tap = Tap()
house = House()
house.start()
house.client_add("pipeline", "submit", "approve")
house.client_add("robot", "submit")
house.client_add("boss", "approve", "audit")
house.client_add("portal", "submit", "approve", "gateway")
house.client_add("auditor", "audit")
CSR = house.csr("www.api.example", subject="/CN=www.api.example")


def approve(who, request, digest, **more):
    status, _, body = house.http(
        "POST", f"/v1/requests/{request}/approve",
        json.dumps({"request_sha256": digest, **more}).encode(),
        house.tokens[who])
    return status, json.loads(body)


@tap.test
def an_approved_csr_becomes_a_certificate_with_its_chain():
    a = house.submit("pipeline", CSR)
    expect(a.status == 201, f"{a.status} {a.body}")
    j = a.json
    for member in ("id", "serial", "certificate", "ca", "verdict", "changed",
                   "policy", "diff", "log"):
        expect(member in j, f"no {member} in {sorted(j)}")
    expect(j["certificate"].count("BEGIN CERTIFICATE") == 2,
           "leaf and intermediate expected")
    path = os.path.join(house.root, "got.pem")
    with open(path, "w", encoding="ascii") as f:
        f.write(j["certificate"])
    run("openssl", "verify", "-x509_strict", "-CAfile",
        os.path.join(house.dir, "root.pem"), "-untrusted", path, path)


@tap.test
def the_same_key_gives_the_same_bytes():
    first = house.submit("pipeline", CSR, "same")
    again = house.submit("pipeline", CSR, "same")
    expect((first.status, again.status) == (201, 201), first.body)
    expect(first.body == again.body, "the bytes differ")
    expect(again.headers.get("Idempotent-Replay") == "true",
           f"no Idempotent-Replay in {again.headers}")
    expect("Idempotent-Replay" not in first.headers, "first is no replay")


@tap.test
def the_same_key_with_another_request_is_a_conflict():
    house.submit("pipeline", CSR, "conflict")
    other = house.submit("pipeline", CSR, "conflict", duration="2h")
    expect(other.status == 409, f"{other.status} {other.body}")
    expect(other.json["code"] == "IDEMPOTENCY_CONFLICT", other.body)


@tap.test
def cert_managers_default_usages_lose_what_an_ec_key_cannot_do():
    a = house.submit("pipeline", CSR, usages=[
        "digital signature", "key encipherment", "server auth"])
    expect(a.status == 201, a.body)
    dropped = [d for d in a.json["diff"] if d["disposition"] == "dropped"]
    expect([(d["field"], d["asked"], d["given"]) for d in dropped] ==
           [("extensions.key_usage", "key encipherment", None)], a.body)
    rsa = house.csr("www.api.example", key=("-newkey", "rsa:2048"))
    b = house.submit("pipeline", rsa, usages=[
        "digital signature", "key encipherment", "server auth"])
    expect(b.status == 201 and b.json["diff"] == [], b.body)


@tap.test
def another_clients_key_is_another_key():
    a = house.submit("pipeline", CSR, "shared")
    b = house.submit("portal", CSR, "shared", requester={"username": "eve"})
    expect((a.status, b.status) == (201, 201), b.body)
    expect(a.json["serial"] != b.json["serial"], "one serial for two")


@tap.test
def many_identical_requests_at_once_give_one_serial():
    got = []

    def one():
        got.append(house.submit("pipeline", CSR, "crowd"))
    threads = [threading.Thread(target=one) for _ in range(24)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    bodies = {a.body for a in got if a.status == 201}
    expect(len(bodies) == 1, f"{len(bodies)} answers, "
           f"{sorted({a.status for a in got})}")
    expect(all(a.status in (201, 429, 503) for a in got), "other statuses")


@tap.test
def the_same_key_after_the_house_was_killed_gives_the_same_serial():
    first = house.submit("pipeline", CSR, "killed")
    house.kill_all()
    house.start()
    again = house.submit("pipeline", CSR, "killed")
    expect((again.status, again.body) == (201, first.body), again.body)


@tap.test
def without_an_approval_it_waits_for_a_second_principal():
    a = house.submit("robot", CSR, "wait", approved=False)
    expect(a.status == 202, f"{a.status} {a.body}")
    j = a.json
    expect(j["state"] == "pending" and len(j["request_sha256"]) == 64, j)
    status, body = approve("boss", j["id"], "0" * 64)
    expect(status == 409, f"another hash: {status} {body}")
    status, body = approve("boss", j["id"], j["request_sha256"],
                           reason="Reviewed", message="ticket 1")
    expect(status == 200 and body["verdict"] == "issued", f"{status} {body}")
    status, body = house.get(f"/v1/requests/{j['id']}", "robot")
    expect(status == 200 and body["state"] == "issued" and
           "certificate" in body, body)
    again = house.submit("robot", CSR, "wait", approved=False)
    expect(again.status == 201 and again.json["serial"] == body["serial"],
           again.body)


@tap.test
def who_states_an_approval_without_the_right_is_refused():
    a = house.submit("robot", CSR)
    expect(a.status == 403, f"{a.status} {a.body}")
    expect("approve" in a.json["detail"], a.body)


@tap.test
def only_a_gateway_may_vouch_for_others():
    a = house.submit("pipeline", CSR, requester={"username": "alice"})
    expect(a.status == 403 and "requester" in a.json["detail"], a.body)
    b = house.submit("portal", CSR, requester={"username": "alice"})
    expect(b.status == 201, b.body)


@tap.test
def denied_never_issues():
    a = house.submit("pipeline", CSR, "deny", approved=False, conditions=[
        {"type": "Approved", "status": "True"},
        {"type": "Denied", "status": "True", "message": "not today"}])
    expect(a.status == 422 and a.json["verdict"] == "denied" and
           a.json["detail"] == "pipeline denied it: not today", a.body)
    again = house.submit("pipeline", CSR, "deny", approved=False, conditions=[
        {"type": "Approved", "status": "True"},
        {"type": "Denied", "status": "True", "message": "not today"}])
    expect(again.body == a.body, again.body)
    p = house.submit("robot", CSR, "deny2", approved=False)
    status, _, body = house.http(
        "POST", f"/v1/requests/{p.json['id']}/deny",
        json.dumps({"request_sha256": p.json["request_sha256"],
                    "message": "no"}).encode(), house.tokens["boss"])
    expect(status == 200, f"{status} {body}")
    status, got = approve("boss", p.json["id"], p.json["request_sha256"])
    expect(status == 409, f"approved after a denial: {status} {got}")


@tap.test
def two_violations_of_one_phase_come_in_one_answer():
    csr = house.csr("www.api.example", subject="/O=Acme/CN=other.example")
    a = house.submit("pipeline", csr)
    expect(a.status == 422, f"{a.status} {a.body}")
    codes = {v["code"] for v in a.json["violations"]}
    expect(len(a.json["violations"]) >= 2 and len(codes) >= 2, a.body)
    for v in a.json["violations"]:
        expect(v["rule"] and v["field"] and v["message"], v)
    expect(a.json["final"] is True, a.body)


@tap.test
def garbage_is_a_clear_400_and_leaves_no_trace():
    token = house.tokens["pipeline"]
    before = house.database().execute("SELECT count(*) FROM request")
    before = before.fetchone()[0]
    for body, word in (
            (b"", "JSON"), (b"{", "JSON"), (b"[]", "object"),
            (b'{"csr": 5}', "csr"), (b'{"csr":"x","csr":"y"}', "csr"),
            (b'{"csr":"x","colour":"red"}', "colour"),
            (json.dumps({"csr": CSR, "duration": "soon"}).encode(),
             "duration"),
            (json.dumps({"csr": CSR, "issuer": "nobody"}).encode(),
             "nobody")):
        status, _, got = house.http("POST", "/v1/requests", body, token)
        expect(status in (400, 404) and word in got.decode(),
               f"{body[:40]}: {status} {got}")
    after = house.database().execute("SELECT count(*) FROM request")
    expect(after.fetchone()[0] == before, "a bad body left a row")


@tap.test
def rights_are_asked_for_everywhere():
    expect(house.http("GET", "/v1/audit")[0] == 401, "no token")
    expect(house.http("GET", "/v1/audit", token="cs_00_11")[0] == 401,
           "a token of nobody")
    expect(house.get("/v1/audit", "robot")[0] == 403, "robot reads audit")
    a = house.submit("portal", CSR, "private")
    expect(house.get(f"/v1/requests/{a.json['id']}", "robot")[0] == 404,
           "robot reads another's request")
    expect(house.get(f"/v1/requests/{a.json['id']}", "auditor")[0] == 200,
           "the auditor does not")


@tap.test
def the_log_is_read_page_by_page():
    status, first = house.get("/v1/audit?limit=3", "auditor")
    expect(status == 200 and len(first["items"]) == 3 and first["next"],
           first)
    status, second = house.get(f"/v1/audit?limit=3&cursor={first['next']}",
                               "auditor")
    indexes = [i["index"] for i in first["items"] + second["items"]]
    expect(indexes == sorted(indexes, reverse=True) and
           len(set(indexes)) == 6, indexes)
    got = house.items("/v1/audit?verdict=refused", "auditor")
    expect(got and all(i["verdict"] == "refused" for i in got), got)
    status, got = house.get("/v1/audit?name=www.api.example", "auditor")
    expect(len(got["items"]) > 5, f"{len(got['items'])} for the name")
    status, got = house.get("/v1/audit?limit=abc", "auditor")
    expect(status == 400, f"limit=abc: {status}")
    status, got = house.get("/v1/audit?cursor=forged", "auditor")
    expect(status == 400, f"a forged cursor: {status}")


@tap.test
def a_certificate_is_found_by_its_serial_in_three_forms():
    a = house.submit("pipeline", CSR, "forms")
    path = f"/v1/certificates/{a.json['serial']}"
    token = house.tokens["pipeline"]
    status, headers, body = house.http("GET", path, token=token)
    expect(status == 200 and json.loads(body)["serial"] == a.json["serial"],
           body)
    status, headers, body = house.http(
        "GET", path, token=token,
        headers={"Accept": "application/pem-certificate-chain"})
    expect(body.decode() == a.json["certificate"], body)
    status, headers, der = house.http(
        "GET", path, token=token, headers={"Accept": "application/pkix-cert"})
    expect(invariants.pem_to_der(a.json["certificate"]) == der, "DER differs")
    expect(house.http("GET", "/v1/certificates/5b00", token=token)[0] == 404,
           "an unknown serial")


@tap.test
def a_removed_client_is_out_at_once_and_its_pending_requests_with_it():
    house.client_add("guest", "submit")
    p = house.submit("guest", CSR, "guest", approved=False)
    expect(p.status == 202, p.body)
    house.cli("client", "remove", "guest")
    expect(house.submit("guest", CSR, approved=False).status == 401,
           "still served")
    status, body = house.get(f"/v1/requests/{p.json['id']}", "auditor")
    expect(body["state"] == "denied", body)


@tap.test
def a_policy_that_does_not_load_changes_nothing():
    path = os.path.join(house.dir, "policies", "bad.yaml")
    with open(path, "w", encoding="ascii") as f:
        f.write("apiVersion: countersign.dev/v1\nkind: IssuancePolicy\n"
                "metadata: {name: bad}\nspec: {colour: red}\n")
    done = house.cli("policy", "apply", check=False)
    expect(done.returncode != 0 and "bad.yaml:4" in
           done.stdout + done.stderr, done.stdout + done.stderr)
    expect(house.submit("pipeline", CSR).status == 201, "no longer issues")
    os.unlink(path)


@tap.test
def a_policy_overrides_and_the_answer_says_so():
    path = os.path.join(house.dir, "policies", "team.yaml")
    with open(path, "w", encoding="ascii") as f:
        f.write("""apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: team}
spec:
  priority: 10
  match: {requester: {users: [alice]}}
  subject:
    organization: {set: Example Corp}
  san:
    dns: {min: 1, allow: [{dns: .team.example}]}
  validity: {default: 1h, max: {value: 2h, on_violation: clamp}}
""")
    out = house.cli("policy", "apply").stdout
    csr = house.csr("a.team.example", "B.team.example", subject="/O=Acme")
    a = house.submit("portal", csr, requester={"username": "alice"},
                     duration="5h")
    expect(a.status == 201, f"{out} {a.body}")
    diff = {d["field"]: d for d in a.json["diff"]}
    o = diff["subject.organization[0]"]
    expect((o["asked"], o["given"], o["disposition"], o["rule"], o["at"]) ==
           ("Acme", "Example Corp", "overridden",
            "team/subject.organization.set", "team.yaml:8"), o)
    expect(diff["validity"]["disposition"] == "clamped", diff)
    expect(diff["san.dns[1]"]["disposition"] == "normalized", diff)
    b = house.submit("portal", house.csr("a.team.example", "x.other.example"),
                     requester={"username": "alice"})
    expect(b.status == 422 and b.json["violations"][0]["code"] ==
           "SAN_DNS_NOT_ALLOWED", b.body)


@tap.test
def everything_above_left_the_invariants_whole():
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))
    expect(house.stop() == 0, "it did not stop cleanly")


status = tap.run()
house.close()
sys.exit(status)
