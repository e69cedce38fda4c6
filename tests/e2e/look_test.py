#!/usr/bin/env python3
"""An approver looks at a pending request, and sees what would come of it."""
import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect  # noqa: E402

MAX_LOOKS = 16  # CS_MAX_LOOKS

tap = Tap()
house = House()
house.cli("ca", "create", "other", "--under", "root", "--key", "ec-p256")
house.start()
house.client_add("author", "submit")
house.client_add("both", "submit", "approve")
house.client_add("approver", "approve")
house.client_add("auditor", "audit")
house.client_add("elsewhere", "approve", "audit",
                 options=("--issuer", "other"))

WEB = """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: web, owner: web@corp.example}
spec:
  priority: 10
  subject: {organization: {set: Example Corp}}
  san: {dns: {allow: [{dns: .shop.example}]}}
"""
LIMITED = WEB + """  limits:
    - {id: one, key: "", rate: 1/1h%s}
"""


def apply(text):
    with open(os.path.join(house.dir, "policies", "web.yaml"), "w",
              encoding="utf-8") as f:
        f.write(text)
    house.cli("policy", "apply")


def pending(*names, client="author", **fields):
    """A new request that waits; its answer."""
    answer = house.submit(client, house.csr(*names), approved=False, **fields)
    expect(answer.status == 202, answer.body)
    return answer.json


def look(request, client="approver"):
    status, body = house.get("/v1/requests/" + request["id"], client)
    expect(status == 200 and body["state"] == "pending", f"{status} {body}")
    return body


def approve(request, client="approver"):
    return house.http(
        "POST", f"/v1/requests/{request['id']}/approve", json.dumps(
            {"request_sha256": request["request_sha256"]}).encode(),
        house.tokens[client])


def leaves():
    return house.database().execute("SELECT count(*) FROM leaf").fetchone()[0]


@tap.test
def only_who_may_approve_it_sees_what_would_become_of_it():
    request = pending("www.shop.example")
    before = leaves()
    expect("now" not in look(request, "author"), "the author")
    expect("now" not in look(request, "auditor"), "the auditor")
    now = look(request)["now"]
    expect(now["would"] == "issued" and now["policy"]["name"] == "default" and
           now["kept"] and "verdict" not in now, str(now))
    # Who approves for another issuer sees nothing of it at all.
    status, _ = house.get("/v1/requests/" + request["id"], "elsewhere")
    expect(status == 404, str(status))
    # Of its own it sees what it submitted.
    other = pending("www.shop.example", client="both", issuer="other")
    expect(look(other, "elsewhere")["now"]["would"] == "issued", "elsewhere")
    expect(leaves() == before, "a look was recorded")


@tap.test
def the_policy_of_that_moment_decides_what_is_seen_and_what_is_done():
    good = pending("a.shop.example")
    bad = pending("a.other.example")
    apply(WEB)
    seen = look(good)
    expect(seen["would"] == "issued" and not seen["diff"][0]["rule"].
           startswith("web/"), "what was judged then stays")
    expect(seen["now"]["policy"]["name"] == "web" and
           seen["now"]["changed"] is True and
           seen["now"]["diff"][0]["given"] == "Example Corp", str(seen["now"]))
    refused = look(bad)["now"]
    expect(refused["would"] == "refused" and
           refused["violations"][0]["rule"] == "web/san.dns.allow",
           str(refused))
    shown = house.cli("request", "show", bad["id"]).stdout
    for text in ("pending  request", "now      it would be refused; when it "
                 "was submitted, it would have been issued",
                 "WOULD BE REFUSED", "web/san.dns.allow"):
        expect(text in shown, f"{text}\n{shown}")
    shown = house.cli("request", "show", good["id"]).stdout
    expect("it would be issued, as when it was submitted" in shown and
           shown.count("WOULD BE") == 1 and "Example Corp" in shown, shown)
    status, _, body = approve(good)
    body = json.loads(body)
    expect(status == 200 and body["state"] == "issued" and
           body["diff"] == seen["now"]["diff"] and "now" not in body,
           str(body))
    status, _, body = approve(bad)
    body = json.loads(body)
    expect(status == 200 and body["state"] == "refused" and
           body["violations"] == refused["violations"], str(body))


@tap.test
def limits_are_looked_at_and_not_counted():
    first, second = pending("b.shop.example"), pending("c.shop.example")
    apply(LIMITED % "")
    for _ in range(5):
        expect(look(first)["now"]["would"] == "issued", "counted")
    status, _, body = approve(first)
    expect(json.loads(body)["state"] == "issued", str(body))
    now = look(second)["now"]
    expect(now["would"] == "refused" and now["violations"][0]["rule"] ==
           "web/limits.one", str(now))
    apply(LIMITED % ", on_violation: hold")
    now = look(second)["now"]
    expect(now["would"] == "held" and now["detail"], str(now))
    shown = house.cli("request", "show", second["id"]).stdout
    expect("it would be held" in shown, shown)
    apply(WEB)


@tap.test
def why_it_cannot_be_known_is_a_sentence():
    path = os.path.join(house.dir, "countersign.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    own = pending("d.shop.example", client="both")
    expect(look(own, "both")["now"]["would"] == "issued", "self_approval")
    expect(house.stop() == 0, "stop")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("self_approval: true", "self_approval: false"))
    shown = house.cli("request", "show", own["id"]).stdout
    expect("  now " not in shown and "WOULD BE ISSUED" in shown, shown)
    house.start()
    now = look(own, "both")["now"]
    expect(set(now) == {"code", "detail"} and now["code"] == "SELF_APPROVAL",
           str(now))
    expect(look(own)["now"]["would"] == "issued", "another's approval")
    house.cli("client", "remove", "both")
    status, body = house.get("/v1/requests/" + own["id"], "approver")
    expect(status == 200 and body["state"] == "denied" and "now" not in body,
           str(body))


@tap.test
def looks_have_few_places_and_survive_a_workers_death():
    request = pending("e.shop.example")
    workers = [pid for name, pid in house.rooms().items() if "worker" in name]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    seen = []

    def one():
        seen.append(look(request)["now"])

    threads = [threading.Thread(target=one) for _ in range(MAX_LOOKS + 4)]
    for t in threads:
        t.start()
    end = time.monotonic() + 10
    while len(seen) < 4 and time.monotonic() < end:
        time.sleep(0.02)
    busy = list(seen)
    os.kill(workers[0], signal.SIGKILL)
    for pid in workers[1:]:
        os.kill(pid, signal.SIGCONT)
    for t in threads:
        t.join()
    expect(len(busy) == 4 and {n["code"] for n in busy} == {"BUSY"}, str(busy))
    expect([n.get("would") for n in seen[4:]] == ["issued"] * MAX_LOOKS,
           str(seen[4:]))


status = tap.run()
house.close()
sys.exit(status)
