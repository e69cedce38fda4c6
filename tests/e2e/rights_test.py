#!/usr/bin/env python3
"""Rights and credentials: A01 to A07, scopes, quotas, refusals in the log."""
import hashlib
import http.client
import json
import os
import re
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect  # noqa: E402

tap = Tap()
house = House()
house.cli("ca", "create", "second", "--under", "root")
house.start()
house.client_add("pipeline", "submit", "approve")
house.client_add("robot", "submit")
house.client_add("auditor", "audit")
house.client_add("portal", "submit", "approve", "gateway",
                 options=("--realm", "prod", "--namespace", "shop"))
CSR = house.csr("rights.example")
CROWD = int(os.environ.get("CROWD", "1000"))


class Connection:
    """One HTTPS connection that is kept."""

    def __init__(self, source=None):
        context = ssl.create_default_context(
            cafile=os.path.join(house.dir, "root.pem"))
        self.c = http.client.HTTPSConnection(
            "127.0.0.1", house.port, context=context, timeout=30,
            source_address=(source, 0) if source else None)

    def ask(self, path, token=None, method="GET", body=None, headers=None):
        send = dict(headers or {})
        if token is not None:
            send["Authorization"] = token if " " in token or not token \
                else "Bearer " + token
        if body is not None:
            send["Content-Type"] = "application/json"
            body = json.dumps(body)
        self.c.request(method, path, body, send)
        r = self.c.getresponse()
        data = r.read()
        return r.status, json.loads(data) if data else {}, r

    def close(self):
        self.c.close()


def once(path, token=None, source=None, **more):
    c = Connection(source)
    try:
        return c.ask(path, token, **more)
    finally:
        c.close()


def refusals():
    out = house.cli("audit", "list", "--kind", "auth.refused", "-o", "json",
                    "--limit", "1000").stdout
    return [i["decision"] for i in json.loads(out)]


def credentials(name):
    out = house.cli("client", "show", name, "-o", "json").stdout
    return [c for c in json.loads(out)["credentials"] if not c.get("revoked")]


@tap.test
def a01_no_blank_malformed_or_oversize_token_is_401():
    good = house.tokens["robot"]
    n = 0
    for token in (None, "", "Bearer ", "Bearer", "Basic YTpi", "Bearer x",
                  "Bearer " + good[:-1], "Bearer " + good + "0",
                  "Bearer " + good.upper(), "Bearer  " + good,
                  "Bearer " + good + " ", "Bearer " + "a" * 6000,
                  "Bearer cs_" + "0" * 16 + "_" + "0" * 64):
        n += 1
        status, body, r = once("/v1/requests", token, f"127.0.1.{n}")
        if token == "Bearer " + good + " ":
            # RFC 9110 5.5: white space around a value is none of it.
            expect(status == 200, body)
            continue
        expect((status, body.get("code")) == (401, "UNAUTHENTICATED"),
               f"{token and token[:40]!r}: {status} {body}")
        expect(r.getheader("WWW-Authenticate", "").startswith("Bearer"),
               "no challenge")
        expect(good not in json.dumps(body), "echoed")


@tap.test
def a02_a_guesser_is_slowed_down_and_nobody_else_is():
    good = house.tokens["robot"]
    wrong = good[:-8] + "00000000"
    c = Connection("127.0.2.1")
    seen = [c.ask("/v1/requests", wrong)[0] for _ in range(40)]
    c.close()
    expect(seen[:5] == [401] * 5 and set(seen[7:]) == {429}, seen)
    # From many addresses at once: none of it reaches who knows the token.
    late = []
    for n in range(1, 251):
        status, _, _ = once("/v1/requests", wrong, f"127.0.3.{n}")
        expect(status == 401, status)
        if n % 25 == 0:
            begin = time.monotonic()
            expect(once("/v1/requests", good)[0] == 200, "kept out")
            late.append(time.monotonic() - begin)
    expect(max(late) < 5, late)
    # The guesser's address may still show another token that is right.
    status, _, _ = once("/v1/requests", house.tokens["pipeline"],
                        "127.0.2.1")
    expect(status == 200, status)


@tap.test
def a04_a_revoked_token_ends_with_the_next_request():
    token = house.cli("client", "token", "robot").stdout.strip()
    c = Connection()
    expect(c.ask("/v1/requests", token)[0] == 200, "not let in")
    number = [x["id"] for x in credentials("robot")
              if x["token_id"] == token.split("_")[1]][0]
    house.cli("client", "revoke", "robot", str(number))
    expect(c.ask("/v1/requests", token)[0] == 401, "still let in")
    expect(c.ask("/v1/requests", house.tokens["robot"])[0] == 200,
           "the other token ended too")
    c.close()


@tap.test
def a04_an_expired_token_ends_with_the_next_request():
    token = house.cli("client", "token", "robot", "--expires",
                      "2s").stdout.strip()
    c = Connection()
    expect(c.ask("/v1/requests", token)[0] == 200, "not let in")
    end = time.monotonic() + 15
    while c.ask("/v1/requests", token)[0] == 200 and time.monotonic() < end:
        time.sleep(0.1)
    status, body, _ = c.ask("/v1/requests", token)
    expect((status, body.get("code")) in ((401, "UNAUTHENTICATED"),
                                          (429, "SLOW_DOWN")), body)
    c.close()


@tap.test
def tokens_are_rotated_without_a_gap_and_stored_as_digests():
    first = house.client_add("rotating", "submit", options=("--expires",
                                                            "90d"))
    second = house.cli("client", "token", "rotating", "--expires",
                       "90d").stdout.strip()
    expect(first != second, "one token twice")
    for token in (first, second):
        expect(once("/v1/requests", token)[0] == 200, "a token is refused")
    old = [c for c in credentials("rotating")
           if c["token_id"] == first.split("_")[1]][0]
    expect(old["kind"] == "token" and old["expires"], old)
    house.cli("client", "revoke", "rotating", str(old["id"]))
    expect(once("/v1/requests", first, "127.0.4.1")[0] == 401, "old lives")
    expect(once("/v1/requests", second)[0] == 200, "new is gone")
    db = house.database()
    stored = {bytes(r["digest"]) for r in db.execute(
        "SELECT digest FROM credential WHERE digest IS NOT NULL")}
    expect(hashlib.sha256(second.encode()).digest() in stored, "no digest")
    text = "\n".join(db.iterdump())
    for token in (first, second):
        expect(token.split("_")[2] not in text, "a secret in the database")


@tap.test
def a05_a_token_in_the_address_is_400_and_written_nowhere():
    token = house.client_add("careless", "audit")
    secret = token.split("_")[2]
    for path in (f"/v1/audit?access_token={token}", f"/v1/audit?token=x",
                 f"/v1/audit?name={token}", f"/v1/requests/{token}",
                 f"/healthz?access_token={token}"):
        for header in (None, token):
            status, body, _ = once(path, header)
            expect((status, body.get("code")) == (400, "TOKEN_IN_TARGET"),
                   f"{status} {body}")
            expect(secret not in json.dumps(body), "echoed")
    expect(secret not in house.log_text(), "in the server's log")
    expect(secret not in "\n".join(house.database().iterdump()),
           "in the record")


@tap.test
def a06_each_right_opens_its_own_doors():
    body = {"csr": CSR, "duration": "1h"}
    for who, method, path, status in (
            ("robot", "GET", "/v1/audit", 403),
            ("robot", "GET", "/v1/audit/1", 403),
            ("robot", "GET", "/v1/policies", 403),
            ("robot", "POST", "/v1/requests/00/approve", 403),
            ("robot", "POST", "/v1/requests/00/deny", 403),
            ("auditor", "POST", "/v1/requests", 403),
            ("auditor", "GET", "/v1/audit", 200),
            ("pipeline", "GET", "/v1/clients", 403),
            ("pipeline", "POST", "/v1/clients", 403),
            ("pipeline", "POST", "/v1/clients/robot/tokens", 403),
            ("pipeline", "POST", "/v1/clients/robot/certificates", 403),
            ("pipeline", "DELETE", "/v1/clients/robot/credentials/3", 403),
            ("pipeline", "DELETE", "/v1/clients/robot", 403),
            ("pipeline", "GET", "/v1/status", 403)):
        got, answer, _ = once(path, house.tokens[who], method=method,
                              body=body if method == "POST" else None)
        expect(got == status, f"{who} {method} {path}: {got} {answer}")


@tap.test
def a06_and_refusals_of_rights_stand_in_the_log_but_do_not_fill_it():
    c = Connection()
    token = house.tokens["robot"]
    before = len(refusals())
    for _ in range(300):
        expect(c.ask("/v1/audit", token)[0] == 403, "let in")
    # What was refused before has used up some of it; the next one tells.
    end = time.monotonic() + 20
    while time.monotonic() < end:
        c.ask("/v1/audit", token)
        got = refusals()
        if len(got) > before and any(r.get("suppressed", 0) > 100
                                     for r in got):
            break
        time.sleep(0.5)
    got = refusals()
    expect(any(r.get("client") == "robot" and r["code"] == "FORBIDDEN" and
               r["path"] == "/v1/audit" and r["address"] for r in got),
           got[:3])
    expect(any(r.get("suppressed", 0) > 100 for r in got), got[:5])
    expect(len(got) < 60, f"{len(got)} entries")
    c.close()


@tap.test
def a06_a_right_for_one_issuer_is_none_for_another():
    house.client_add("narrow", "submit", "approve", "audit",
                     options=("--issuer", "default"))
    a = house.submit("robot", CSR, "narrow", approved=False)
    expect(a.status == 202, a.body)
    status, body = house.get(f"/v1/requests/{a.json['id']}", "narrow")
    expect(status == 200 and body["state"] == "pending", body)
    kinds = {i["kind"] for i in house.items("/v1/audit", "narrow")}
    expect(kinds and "client.changed" not in kinds and "start" not in kinds,
           kinds)
    changed = [i["index"] for i in house.items("/v1/audit", "auditor")
               if i["kind"] == "client.changed"][0]
    expect(house.get(f"/v1/audit/{changed}", "narrow")[0] == 404, "seen")
    expect(house.get(f"/v1/audit/{changed}", "auditor")[0] == 200, "unseen")
    # What somebody asked of the other issuer, whatever came of it.
    b = house.submit("robot", CSR, "elsewhere", approved=False,
                     issuer="second")
    expect(b.status in (202, 422), b.body)
    request = b.json["id"]
    expect(house.get(f"/v1/requests/{request}", "narrow")[0] == 404, "seen")
    expect(house.get(f"/v1/requests/{request}", "auditor")[0] == 200, "")
    for who, wanted in (("narrow", {"default"}),
                        ("auditor", {"default", "second"})):
        got = {r["issuer"] for r in house.items("/v1/requests", who)}
        expect(got == wanted, f"{who}: {got}")
    status, page = house.get("/v1/requests?issuer=second", "narrow")
    expect(page["items"] == [], page)
    c = house.submit("narrow", CSR, "mine", approved=False, issuer="second")
    expect((c.status, c.json["field"]) == (403, "issuer"), c.body)
    for action in ("approve", "deny"):
        status, body, _ = once(
            f"/v1/requests/{request}/{action}", house.tokens["narrow"],
            method="POST", body={"request_sha256":
                                 b.json.get("request_sha256", "0" * 64)})
        expect(status == 403 and body["code"] == "FORBIDDEN", body)
    for who, wanted in (("narrow", 403), ("auditor", 200)):
        got, _, _ = house.http("GET", "/tile/entries/000.p/1",
                               token=house.tokens[who])
        expect(got == wanted, f"{who}: {got}")


@tap.test
def a07_the_same_post_with_a_key_is_one_and_without_it_two():
    a = house.submit("pipeline", CSR, "once")
    b = house.submit("pipeline", CSR, "once")
    expect((a.status, b.status, a.body) == (201, 201, b.body), b.body)
    c = house.submit("pipeline", CSR)
    d = house.submit("pipeline", CSR)
    expect(len({a.json["serial"], c.json["serial"], d.json["serial"]}) == 3,
           "a serial twice")
    other = house.submit("pipeline", house.csr("other.example"), "once")
    expect((other.status, other.json["code"]) ==
           (409, "IDEMPOTENCY_CONFLICT"), other.body)
    e = house.submit("portal", CSR, "once", namespace="shop",
                     requester={"username": "alice"})
    expect(e.status == 201 and e.json["serial"] != a.json["serial"], e.body)


@tap.test
def a07_a_crowd_of_identical_posts_is_one_serial():
    body = {"csr": CSR, "duration": "1h",
            "conditions": [{"type": "Approved", "status": "True"}]}
    got = []
    lock = threading.Lock()
    start = threading.Barrier(40)

    def some(count, source):
        c = Connection(source)
        start.wait()
        for _ in range(count):
            while True:
                status, answer, r = c.ask(
                    "/v1/requests", house.tokens["pipeline"], "POST", body,
                    {"Idempotency-Key": "crowd"})
                if status not in (429, 503):
                    break
                time.sleep(0.2)
            with lock:
                got.append((status, answer.get("serial")))
        c.close()

    threads = [threading.Thread(target=some,
                                args=(CROWD // 40, f"127.0.5.{n % 4 + 1}"))
               for n in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    expect(len(got) == CROWD // 40 * 40, len(got))
    expect({s for s, _ in got} == {201} and len({n for _, n in got}) == 1,
           f"{len({n for _, n in got})} serials, {({s for s, _ in got})}")
    n = house.database().execute(
        "SELECT count(*) FROM request WHERE idem_key = 'crowd'").fetchone()
    expect(n[0] == 1, n[0])


@tap.test
def a_gateway_speaks_for_its_namespaces_and_its_realm():
    who = {"requester": {"username": "alice"}}
    a = house.submit("portal", CSR, namespace="shop", **who)
    expect(a.status == 201, a.body)
    for more in ({"namespace": "pay"}, {}):
        b = house.submit("portal", CSR, **who, **more)
        expect((b.status, b.json["field"]) == (403, "namespace"), b.body)
    row = house.database().execute(
        "SELECT realm, scalars FROM request ORDER BY n DESC").fetchone()
    expect(row["realm"] == "prod" and
           json.loads(row["scalars"])["namespace"] == "shop", dict(row))
    c = house.submit("pipeline", CSR, namespace="shop")
    expect(c.status == 403 and "gateway" in c.json["detail"], c.body)


@tap.test
def self_approval_is_what_the_issuer_allows_and_stands_in_the_record():
    a = house.submit("pipeline", CSR, "self")
    expect(a.status == 201, a.body)
    b = house.submit("portal", CSR, "claimed", namespace="shop",
                     requester={"username": "alice"},
                     approval={"claimed_by": "alice"})
    c = house.submit("portal", CSR, "other", namespace="shop",
                     requester={"username": "alice"},
                     approval={"claimed_by": "bob"})
    expect((b.status, c.status) == (201, 201), b.body + c.body)
    rows = house.database().execute(
        "SELECT r.idem_key, a.self, a.claimed_by FROM request AS r JOIN"
        " approval AS a ON a.request = r.n WHERE r.idem_key IN"
        " ('self', 'claimed', 'other')").fetchall()
    expect({r["idem_key"]: (r["self"], r["claimed_by"]) for r in rows} ==
           {"self": (1, None), "claimed": (1, "alice"), "other": (0, "bob")},
           [tuple(r) for r in rows])
    # The issuer says otherwise from the next start on.
    house.stop()
    path = os.path.join(house.dir, "countersign.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    expect("self_approval: true" in text, text)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("self_approval: true", "self_approval: false"))
    house.start()
    for who, fields in (("pipeline", {}), ("portal", {
            "namespace": "shop", "requester": {"username": "alice"},
            "approval": {"claimed_by": "alice"}})):
        d = house.submit(who, CSR, **fields)
        expect((d.status, d.json["code"]) == (403, "SELF_APPROVAL"), d.body)
    e = house.submit("portal", CSR, namespace="shop",
                     requester={"username": "alice"},
                     approval={"claimed_by": "bob"})
    expect(e.status == 201, e.body)


@tap.test
def so_many_of_a_clients_requests_wait_and_no_more():
    house.stop()
    path = os.path.join(house.dir, "countersign.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(re.sub(r"quota: \d+", "quota: 8", text))
    expect("quota: " in text, text)
    house.start()
    house.client_add("eager", "submit")
    seen = [house.submit("eager", CSR, approved=False) for _ in range(10)]
    expect([a.status for a in seen] == [202] * 8 + [429] * 2,
           [a.status for a in seen])
    last = seen[-1]
    expect(last.json["code"] == "PENDING_QUOTA" and
           last.json["status"] == 429 and
           int(last.headers["Retry-After"]) >= 1, last.body)
    expect(house.submit("robot", CSR, approved=False).status == 202,
           "another client is kept out")


@tap.test
def a_decision_without_the_right_stands_in_the_log():
    a = house.submit("robot", CSR, approved=False)
    expect(a.status == 202, a.body)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        status, body, _ = once(
            f"/v1/requests/{a.json['id']}/approve",
            house.tokens["pipeline"], method="POST",
            body={"request_sha256": a.json["request_sha256"],
                  "claimed_by": "somebody"})
        expect(status == 403, body)
        if any(r.get("client") == "pipeline" and
               r["path"].endswith("/approve") for r in refusals()):
            return
        time.sleep(1)
    raise AssertionError(refusals()[:5])


@tap.test
def who_is_removed_takes_what_waits_along():
    house.client_add("leaver", "submit")
    a = house.submit("leaver", CSR, approved=False)
    expect(a.status == 202, a.body)
    house.cli("client", "remove", "leaver")
    status, body = house.get(f"/v1/requests/{a.json['id']}", "pipeline")
    expect(body["state"] == "denied", body)
    # A token of before is none of whoever comes back under the name.
    old = house.tokens["leaver"]
    house.client_add("leaver", "submit")
    expect(once("/v1/requests", old, "127.0.6.1")[0] == 401, "back again")
    expect(house.get(f"/v1/requests/{a.json['id']}", "leaver")[0] == 200,
           "the name keeps its record")


@tap.test
def the_record_of_all_this_verifies():
    house.stop()
    out = house.cli("audit", "verify", check=False)
    expect(out.returncode == 0, out.stdout + out.stderr)


status = tap.run()
house.close()
sys.exit(status)
