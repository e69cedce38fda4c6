#!/usr/bin/env python3
"""Pages whose commands are run: their output is that of a real run.

`pages_test.py --update` writes today's output into them.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import console  # noqa: E402
from tests.lib.house import COUNTERSIGN, House, Tap, expect, run  # noqa: E402

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                    "docs")
tap = Tap()

WEB = """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: web, owner: pki@corp.example, ticket: PKI-4711}
spec:
  priority: 10
  match: {namespace: [shop]}
  subject: {organization: {set: Example Corp}}
  san: {dns: {min: 1, allow: [{dns: .shop.example}], wildcard: leftmost}}
  validity: {default: 24h, max: 90d}
"""


def place(house):
    """Directory and environment in which a page's commands run."""
    bin_dir = os.path.join(house.root, "bin")
    work = os.path.join(house.root, "work")
    os.makedirs(bin_dir, exist_ok=True)
    os.makedirs(work, exist_ok=True)
    link = os.path.join(bin_dir, "countersign")
    if not os.path.exists(link):
        os.symlink(os.path.abspath(COUNTERSIGN), link)
    return dict(house.env, COUNTERSIGN_DIR=house.dir, LC_ALL="C.UTF-8",
                PATH=bin_dir + ":" + os.environ["PATH"]), work


def write(work, name, text):
    with open(os.path.join(work, name), "w", encoding="utf-8") as f:
        f.write(text)


def check(page, env, work):
    """The page as it is, or as it is from now on."""
    path = os.path.normpath(os.path.join(DOCS, page))
    if "--update" in sys.argv:
        console.update(path, env, work)
        return
    wrong = console.differences(path, env, work)
    expect(not wrong, "\n\n".join(wrong))


def key_and_csr(house, name, *names, subject="/"):
    """A key that is kept, and a CSR of it."""
    path = os.path.join(house.root, name)
    if not os.path.exists(path):
        run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout",
            "-out", path)
    return run("openssl", "req", "-new", "-key", path, "-subj", subject,
               "-addext", "subjectAltName=" +
               ",".join("DNS:" + n for n in names)).stdout


def a_day(house, work):
    """What the auditor's page asks about."""
    house.client_add("portal", "submit", "approve", "gateway", options=(
        "--realm", "prod"))
    house.client_add("ci", "submit")
    house.client_add("ops", "approve")
    path = os.path.join(house.dir, "policies", "web.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(WEB)
    house.cli("policy", "apply")

    def ask(who, csr, status, **fields):
        a = house.submit("portal", csr, requester={"username": who}, **fields)
        expect(a.status == status, f"{who}: {a.status} {a.body}")
        return a.json

    server = ["digital signature", "server auth"]
    found = key_and_csr(house, "found.key", "www.shop.example",
                        subject="/O=Acme")
    write(work, "found.csr", found)
    ask("alice", found, 201, namespace="shop", duration="720h", usages=server)
    ask("alice", key_and_csr(house, "wild.key", "*.shop.example"), 201,
        namespace="shop", usages=server)
    ask("bob", key_and_csr(house, "found.key", "www.shop.example",
                           "pay.other.example"), 422, namespace="shop",
        duration="24h", usages=server)
    waits = house.submit("ci", key_and_csr(house, "ci.key",
                                           "build.corp.example"),
                         approved=False)
    status, _, _ = house.http(
        "POST", f"/v1/requests/{waits.json['id']}/approve",
        ('{"request_sha256":"' + waits.json["request_sha256"] +
         '","reason":"Reviewed","message":"ticket 4711"}').encode(),
        house.tokens["ops"])
    expect(status == 200, f"approve: {status}")
    write(work, "host.csr", key_and_csr(house, "host.key",
                                        "host.corp.example"))
    run(COUNTERSIGN, "issue", "--dir", house.dir, "--csr",
        os.path.join(work, "host.csr"), "--approve", env=house.env)
    # The checkpoint outside is written once a second.
    time.sleep(2.2)


@tap.test
def the_auditors_day_is_as_the_page_tells_it():
    with House() as house:
        house.start()
        env, work = place(house)
        a_day(house, work)
        check("audit.md", env, work)


sys.exit(tap.run())
