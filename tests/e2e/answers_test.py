#!/usr/bin/env python3
"""Answers that people can use: dry runs, what is held, what would be."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import House, Tap, expect, run  # noqa: E402

tap = Tap()
house = House()
CONFIG = os.path.join(house.dir, "countersign.yaml")


def configure(old, new):
    with open(CONFIG, encoding="utf-8") as f:
        text = f.read()
    expect(old in text, f"no {old} in {text}")
    with open(CONFIG, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))


POLICY = """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: web, owner: pki@corp.example}
spec:
  match: {requester: {users: [ci, alice]}}
  san: {dns: {allow: [any]}}
"""

configure("no_policy: refuse", "no_policy: hold")
house.start()
house.client_add("ci", "submit", "approve")
house.client_add("other", "submit", "approve")


def apply(spec):
    with open(os.path.join(house.dir, "policies", "default.yaml"), "w",
              encoding="utf-8") as f:
        f.write(POLICY + spec)
    house.cli("policy", "apply")


def post(path, client, **body):
    status, _, text = house.http("POST", path, json.dumps(body).encode(),
                                 house.tokens[client])
    return status, json.loads(text)


def dry_run(client, csr, **more):
    return post("/v1/requests?dry_run=true", client, csr=csr, **more)


def counts():
    return house.database().execute(
        "SELECT (SELECT count(*) FROM request), (SELECT count(*) FROM leaf),"
        " (SELECT count(*) FROM limit_use), (SELECT count(*) FROM key_use)"
    ).fetchone()


@tap.test
def a_dry_run_looks_at_limits_and_counts_nothing():
    apply("  limits: [{id: one, key: all, rate: 1/1h}]\n")
    csr = house.csr("a.example")
    before = counts()
    for _ in range(2):
        status, j = dry_run("ci", csr)
        expect(status == 200 and j["would"] == "issued", j)
    expect(counts() == before, "a dry run left something behind")
    expect(house.submit("ci", csr).status == 201, "it is not issued")
    status, j = dry_run("ci", house.csr("b.example"))
    expect(status == 200 and j["would"] == "refused" and
           j["code"] == "LIMIT" and j["policy"]["name"] == "web" and
           j["violations"][0]["rule"] == "web/limits.one" and
           j["violations"][0]["expected"] == "at most 1 in 1h", j)
    got = house.submit("ci", house.csr("b.example"))
    expect(got.status == 422 and got.json["code"] == "LIMIT" and
           got.json["violations"] == j["violations"] and
           got.json["policy"] == j["policy"], got.body)


@tap.test
def a_dry_run_looks_at_keys_in_use():
    apply("  key: {allow: [{alg: EC}], reuse: {other_subject: reject}}\n")
    key = os.path.join(house.root, "one.key")
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-out", key)
    first = house.csr("c.example", key=("-key", key))
    expect(house.submit("ci", first).status == 201, "it is not issued")
    again = house.csr("d.example", key=("-key", key))
    status, j = dry_run("ci", again)
    expect(status == 200 and j["would"] == "refused" and
           j["code"] == "KEY_REUSED" and "Make a new key" in j["detail"], j)
    got = house.submit("ci", again)
    expect(got.status == 422 and got.json["code"] == "KEY_REUSED", got.body)
    shown = house.cli("request", "show", got.json["id"], check=False).stdout
    expect("REFUSED  the key   policy web (sha " in shown and
           "web/key.reuse.other_subject" in shown and
           "Make a new key and CSR, or ask the owner" in shown, shown)


@tap.test
def a_dry_run_says_what_would_be_held():
    apply("  windows: [{id: freeze,"
          " deny: 2020-01-01T00:00Z/2099-01-01T00:00Z}]\n")
    status, j = dry_run("ci", house.csr("e.example"))
    expect(status == 200 and j["would"] == "held" and
           j["code"] == "WINDOW" and "before 2099-01-01" in j["detail"] and
           "final" not in j, j)


@tap.test
def what_no_policy_matches_is_held_until_one_does():
    apply("")
    csr = house.csr("f.example")
    status, j = dry_run("other", csr)
    expect(status == 200 and j["would"] == "held" and
           j["code"] == "NO_POLICY" and "others" not in j, j)
    got = house.submit("other", csr, "held")
    expect(got.status == 202 and got.json["code"] == "NO_POLICY" and
           got.json["state"] == "approved" and
           0 < int(got.headers["Retry-After"]) <= 60, got.body)
    leaves = house.database().execute(
        "SELECT count(*) FROM leaf WHERE request IS NOT NULL").fetchone()
    expect(house.submit("other", csr, "held").status == 202, "a second time")
    expect(house.database().execute(
        "SELECT count(*) FROM leaf WHERE request IS NOT NULL"
    ).fetchone() == leaves, "being held is no decision")
    shown = house.cli("request", "show", got.json["id"], check=False).stdout
    expect("HELD  NO_POLICY" in shown, shown)
    # The next set has a policy for it; nobody asks again.
    apply("---\n" + POLICY.replace("name: web", "name: rest").replace(
        "  match", "  priority: 1\n  match").replace(
        "users: [ci, alice]", "users: [other]"))
    for _ in range(50):
        state = house.database().execute(
            "SELECT state FROM request WHERE idem_key = 'held'").fetchone()[0]
        if state == "issued":
            break
        time.sleep(0.1)
    expect(state == "issued", f"it is {state}")
    got = house.submit("other", csr, "held")
    expect(got.status == 201 and got.json["policy"]["name"] == "rest",
           got.body)


@tap.test
def everything_that_was_recorded_holds_together():
    expect(house.stop() == 0, "it did not stop cleanly")
    found = invariants.violations(invariants.View(house))
    expect(not found, found)


status = tap.run()
house.close()
sys.exit(status)
