#!/usr/bin/env python3
"""What `init` may be told: kinds of key, tiers, hosts, where CRLs are."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import House, Tap, expect, run  # noqa: E402

tap = Tap()
# Each kind once; those that take long to make without a root above.
KINDS = {"ec-p256": ("ecdsa-with-SHA256", False),
         "ec-p384": ("ecdsa-with-SHA384", False),
         "rsa-3072": ("sha256WithRSAEncryption", False),
         "rsa-4096": ("sha256WithRSAEncryption", True),
         "ed25519": ("ED25519", True)}
CRL = "http://crl.example/ca"


def certificate(pem):
    return run("openssl", "x509", "-noout", "-text", stdin=pem).stdout


def verify(house, *files):
    run("openssl", "verify", "-x509_strict", "-CAfile",
        os.path.join(house.dir, "root.pem"), *files)


def issue(house, kind):
    """A certificate of a fresh installation, verified."""
    signature, single = KINDS[kind]
    house.start()
    house.client_add("ci", "submit", "approve")
    got = house.submit("ci", house.csr("www.example"), "k")
    expect(got.status == 201, f"{kind}: {got.status} {got.body}")
    text = certificate(got.json["certificate"])
    expect(f"Signature Algorithm: {signature}" in text, text)
    expect(f"URI:{CRL}/0.crl" in text, text)
    leaf = os.path.join(house.root, "leaf.pem")
    with open(leaf, "w", encoding="ascii") as f:
        f.write(got.json["certificate"])
    chain = os.path.join(house.dir, "issuers", "default", "chain.pem")
    verify(house, *([] if single else ["-untrusted", chain]), leaf)
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))
    expect(house.stop() == 0, "stop")


@tap.test
def every_kind_of_key_issues_alone_or_below_a_root():
    for kind, (_, single) in KINDS.items():
        options = ["--key", kind, "--crl-url", CRL + "/", "--name", "Corp"]
        with House(options + ["--single-tier"] * single) as house:
            root_key = os.path.join(house.dir, "offline", "root.key")
            expect(os.path.exists(root_key) != single, f"{kind}: root.key")
            issue(house, kind)


@tap.test
def hosts_are_names_and_addresses():
    hosts = ("ca.example", "192.0.2.7", "2001:db8::7")
    with House([w for h in hosts for w in ("--host", h)]) as house:
        text = run("openssl", "x509", "-noout", "-ext", "subjectAltName",
                   "-in", os.path.join(house.dir, "tls", "chain.pem")).stdout
        for name in ("IP Address:127.0.0.1", "DNS:ca.example",
                     "IP Address:192.0.2.7",
                     "IP Address:2001:DB8:0:0:0:0:0:7"):
            expect(name in text, f"{name}: {text}")
        for bad in ("not a host", "", "x" * 300, "a..b", "*.ca.example"):
            new = os.path.join(house.root, "new")
            done = run(os.environ["COUNTERSIGN_FAULTS"], "init", "--dir", new,
                       "--host", bad, check=False)
            expect(done.returncode != 0, f"{bad!r} was taken")
            expect(not os.path.exists(new), f"{bad!r}: something stays")
            expect("{" not in done.stderr, done.stderr)


status = tap.run()
sys.exit(status)
