#!/usr/bin/env python3
"""The policy language against the program: what its documents do."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect, run  # noqa: E402

tap = Tap()
house = House()
CONFIG = os.path.join(house.dir, "countersign.yaml")
with open(CONFIG, encoding="utf-8") as f:
    text = f.read()
with open(CONFIG, "w", encoding="utf-8") as f:
    f.write(text.replace("permitted_kinds: []", "permitted_kinds: "
                         "[directory_name, registered_id, other_name]"))
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


ODD = """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: odd}
spec:
  priority: 5
  match: {namespace: odd}
  san:
    directory_name: {allow: [{dn: "CN=a\\\\, b,O=Example Corp"}]}
    registered_id: {allow: [{oid: 1.2.3.4}]}
    other_name: {oid: 1.3.6.1.4.1.311.20.2.3, type: utf8, allow: [{glob: "*@corp"}]}
"""


def odd_csr(common_name, oid):
    """A CSR for a directory name, a registered ID and an otherName."""
    path = os.path.join(house.root, "odd.cnf")
    with open(path, "w", encoding="utf-8") as f:
        f.write("[req]\ndistinguished_name=dn\nreq_extensions=ext\n[dn]\n"
                "[ext]\nsubjectAltName=@names\n[names]\ndirName.1=who\n"
                f"RID.1={oid}\n"
                "otherName.1=1.3.6.1.4.1.311.20.2.3;UTF8:alice@corp\n"
                f"[who]\nO=Example Corp\nCN={common_name}\n")
    return run("openssl", "req", "-new", "-config", path, "-newkey", "ec",
               "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
               "/dev/null", "-subj", "/").stdout


@tap.test
def names_of_every_kind_are_issued_where_a_policy_takes_them():
    house.client_add("portal", "submit", "approve", "gateway")
    put("odd.yaml", ODD)
    good = house.submit("portal", odd_csr("A, B", "1.2.3.4"), namespace="odd")
    expect(good.status == 201, good.body)
    text = run("openssl", "x509", "-noout", "-ext", "subjectAltName",
               stdin=good.json["certificate"]).stdout
    for words in ("DirName:", "Example Corp", "A, B", "Registered ID:1.2.3.4",
                  "othername"):
        expect(words in text, text)
    bad = house.submit("portal", odd_csr("c", "1.2.3.5"), namespace="odd")
    expect([(x["code"], x["field"], x["value"])
            for x in bad.json["violations"]] ==
           [("SAN_DIRECTORY_NOT_ALLOWED", "san.directory_name[0]",
             "CN=c,O=example corp"),
            ("SAN_REGISTERED_ID_NOT_ALLOWED", "san.registered_id[0]",
             "1.2.3.5")], bad.body)


status = tap.run()
house.close()
sys.exit(status)
