#!/usr/bin/env python3
"""The policy language against the program: what its documents do."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect  # noqa: E402

tap = Tap()
house = House()
house.start()
house.client_add("pipeline", "submit", "approve")

GUARDS = """apiVersion: countersign.dev/v1
kind: IssuanceGuards
metadata: {name: nobody, owner: pki@corp.example}
spec:
  guards:
    - id: secret
      deny: {san.dns: {dns: "**.secret.corp.example"}}
      message: secret.corp.example is reserved
  tests:
    - name: refuses the secret zone
      request: {dns: [a.secret.corp.example]}
      expect: {codes: [GUARD], rules: [secret]}
"""


def put(name, text):
    """Write a file of DIR/policies and put the directory in force."""
    path = os.path.join(house.dir, "policies", name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    house.cli("policy", "apply")


@tap.test
def guards_refuse_what_the_policies_take():
    before = house.submit("pipeline", house.csr("a.secret.corp.example"))
    expect(before.status == 201, before.body)
    put("guards.yaml", GUARDS)
    for name in ("b.secret.corp.example", "*.secret.corp.example"):
        after = house.submit("pipeline", house.csr("www.corp.example", name))
        found = after.json["violations"]
        expect(after.status == 422 and len(found) == 1, after.body)
        expect(found[0]["code"] == "GUARD" and
               found[0]["field"] == "san.dns[1]" and
               found[0]["rule"] == "guards/secret" and
               found[0]["at"] == "guards.yaml:6" and
               "secret.corp.example is reserved" in after.json["detail"],
               found)
    good = house.submit("pipeline", house.csr("www.corp.example"))
    expect(good.status == 201, good.body)
    expect(good.json["set_sha256"] != before.json["set_sha256"],
           "guards are not part of the set")


@tap.test
def guards_are_listed_and_shown_with_the_policies():
    listed = json.loads(house.cli("policy", "list", "-o", "json").stdout)
    expect([(x["name"], x["kind"]) for x in listed] ==
           [("default", "IssuancePolicy"), ("nobody", "IssuanceGuards")],
           listed)
    table = house.cli("policy", "list").stdout.splitlines()
    expect(table[2].split()[:2] == ["nobody", "guards"], table)
    text = house.cli("policy", "show", "--effective").stdout
    path = os.path.join(house.root, "effective.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    house.cli("policy", "check", path)


@tap.test
def guards_are_explained():
    csr = os.path.join(house.root, "secret.csr")
    with open(csr, "w", encoding="utf-8") as f:
        f.write(house.csr("c.secret.corp.example"))
    done = house.cli("policy", "explain", "--csr", csr, check=False)
    expect(done.returncode == 1 and "guards/secret" in done.stdout and
           "guards.yaml:6" in done.stdout and
           "not nobody" not in done.stdout, done.stdout)


status = tap.run()
house.close()
sys.exit(status)
