#!/usr/bin/env python3
"""What policy leaves to the ledger's transaction: limits, windows, keys."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import House, Tap, expect, run  # noqa: E402

tap = Tap()
house = House()
house.start()
house.client_add("ci", "submit", "approve")

POLICY = """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: web}
spec:
  subject: {commonName: {allow: [any], in_san: ignore}}
  san: {dns: {allow: [any]}}
"""
VECTORS = os.path.join(os.path.dirname(__file__), "..", "vectors", "csr")


def apply(spec):
    with open(os.path.join(house.dir, "policies", "web.yaml"), "w",
              encoding="utf-8") as f:
        f.write(POLICY + spec)
    house.cli("policy", "apply")


def vector(name):
    """A request of the corpus, as PEM."""
    return run("openssl", "req", "-inform", "DER", "-in",
               os.path.join(VECTORS, name + ".der")).stdout


@tap.test
def a_limit_refuses_what_goes_beyond():
    apply("  limits: [{id: few, key: all, rate: 2/1h}]\n")
    for i in range(2):
        got = house.submit("ci", house.csr("a.example"), f"limit{i}")
        expect(got.status == 201, f"{got.status} {got.body}")
    got = house.submit("ci", house.csr("a.example"), "limit2")
    expect(got.status == 422, f"{got.status} {got.body}")
    expect(got.json["code"] == "LIMIT", got.body)
    expect("web/limits.few" in got.json["detail"], got.body)


@tap.test
def a_limit_may_hold_and_the_request_goes_on_under_another_policy():
    apply("  limits: [{id: one, key: b, rate: 1/1h, on_violation: hold}]\n")
    first = house.submit("ci", house.csr("b.example"), "hold0")
    expect(first.status == 201, f"{first.status} {first.body}")
    csr = house.csr("b.example")
    got = house.submit("ci", csr, "hold1")
    expect(got.status == 202, f"{got.status} {got.body}")
    expect(0 < int(got.headers["Retry-After"]) <= 3600, got.headers)
    apply("")
    got = house.submit("ci", csr, "hold1")
    expect(got.status == 201, f"{got.status} {got.body}")


@tap.test
def a_window_holds_until_its_end():
    apply("  windows: [{id: freeze,"
          " deny: 2020-01-01T00:00Z/2099-01-01T00:00Z}]\n")
    csr = house.csr("c.example")
    got = house.submit("ci", csr, "window")
    expect(got.status == 202, f"{got.status} {got.body}")
    apply("  windows: [{id: freeze, on_violation: reject,"
          " deny: 2020-01-01T00:00Z/2099-01-01T00:00Z}]\n")
    got = house.submit("ci", csr, "window")
    expect(got.status == 422, f"{got.status} {got.body}")
    expect("2099-01-01T00:00:00Z" in got.body.decode(), got.body)


@tap.test
def a_key_is_certified_for_one_subject_only():
    apply("  key: {allow: [{alg: EC}, {alg: RSA}],"
          " reuse: {other_subject: reject}}\n")
    key = os.path.join(house.root, "key.pem")
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout",
        "-out", key)

    def csr(name):
        return run("openssl", "req", "-new", "-key", key, "-subj", "/",
                   "-addext", f"subjectAltName=DNS:{name}").stdout

    for i in range(2):
        got = house.submit("ci", csr("d.example"), f"key{i}")
        expect(got.status == 201, f"{got.status} {got.body}")
    got = house.submit("ci", csr("e.example"), "key2")
    expect(got.status == 422, f"{got.status} {got.body}")
    expect(got.json["code"] == "KEY_REUSED", got.body)


@tap.test
def a_weak_key_is_refused_where_policy_says_so():
    apply("  key: {allow: [{alg: RSA}],"
          " reject: [roca, fermat, small-factors]}\n")
    for name in ("weak-roca", "weak-fermat", "weak-small-factor"):
        got = house.submit("ci", vector(name), name)
        expect(got.status == 422, f"{name}: {got.status} {got.body}")
        codes = [v["code"] for v in got.json["violations"]]
        expect(codes == ["KEY_WEAK"], f"{name}: {codes}")
    got = house.submit("ci", vector("good-rsa-2048"), "strong")
    expect(got.status == 201, f"{got.status} {got.body}")


@tap.test
def a_key_of_the_blocklist_is_refused():
    der = run("sh", "-c",
              "openssl req -inform DER -noout -pubkey -in "
              f"'{os.path.join(VECTORS, 'good-p521.der')}' |"
              " openssl pkey -pubin -outform DER | sha256sum").stdout
    with open(os.path.join(house.dir, "policies", "keys.blocklist"), "w",
              encoding="ascii") as f:
        f.write(der.split()[0] + " # published\n")
    apply("  key: {allow: [{alg: EC}], reject: [blocklist]}\n")
    got = house.submit("ci", vector("good-p521"), "listed")
    expect(got.status == 422, f"{got.status} {got.body}")
    expect(got.json["violations"][0]["code"] == "KEY_WEAK", got.body)
    got = house.submit("ci", vector("good-p256"), "not-listed")
    expect(got.status == 201, f"{got.status} {got.body}")


@tap.test
def nothing_of_it_breaks_an_invariant():
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))
    house.cli("audit", "verify")
    expect(house.stop() == 0, "it did not stop cleanly")


status = tap.run()
house.close()
sys.exit(status)
