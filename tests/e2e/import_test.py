#!/usr/bin/env python3
"""`policy import` against the foreign systems' own rules.

Random foreign policies are translated, and thousands of requests are judged
by both: by the oracles of tests/lib/foreign.py, and by the translated policy,
whose `tests` they become. What comes out must never be wider, and where the
report has nothing narrower it must be the same. IMPORT_SEED and IMPORT_COUNT
(policies of each system) make it a longer campaign: `make check-import`.
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import foreign  # noqa: E402
from tests.lib.house import COUNTERSIGN, Tap, expect, run  # noqa: E402
from tests.lib.imports import (check, differ, imported, path,  # noqa: E402
                               sample, write)

SEED = int(os.environ.get("IMPORT_SEED", "1"))
COUNT = int(os.environ.get("IMPORT_COUNT", "60"))
tap = Tap()


def judged(maker, judge, requests):
    """Random policies and requests, and what the oracle says of them."""
    drawn = sample(maker, requests, SEED, COUNT)
    return drawn, [[judge(made, r) for r in asked] for made, asked in drawn]


# -- approver-policy ---------------------------------------------------------

@tap.test
def approver_policy_is_translated_and_never_wider():
    issued, refused, exact = differ(
        *judged(foreign.crp, foreign.crp_approves, foreign.crp_request),
        ("--issuer", "default", "--requester", "*"), foreign.crp_document)
    expect(issued > COUNT * 5 and refused > COUNT * 5 and exact > COUNT / 4,
           f"{issued} issued, {refused} refused, {exact} exact: the sample "
           "says nothing")


RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                        "vectors", "import", "verdicts.json")


@tap.test
def what_the_real_evaluators_said_holds():
    with open(RECORDED, encoding="utf-8") as f:
        recorded = json.load(f)
    for system, document in (("approver-policy", foreign.crp_document),
                             ("step-ca", foreign.step_document)):
        cases = recorded[system]
        drawn = [(c["policy"], c["requests"]) for c in cases]
        issued, refused, _ = differ(
            drawn, [c["verdicts"] for c in cases],
            ("--issuer", "default", "--requester", "*"), document)
        expect(issued > 50 and refused > 50, f"{system}: {issued} {refused}")


# -- step-ca and Vault -------------------------------------------------------

@tap.test
def policies_of_step_ca_are_translated_and_never_wider():
    issued, refused, exact = differ(
        *judged(foreign.step, foreign.step_approves, foreign.step_request),
        ("--requester", "*"),
        foreign.step_document)
    expect(issued > COUNT * 5 and refused > COUNT * 5 and exact > COUNT / 4,
           f"{issued} issued, {refused} refused, {exact} exact: the sample "
           "says nothing")


@tap.test
def roles_of_vault_are_translated_and_never_wider():
    issued, refused, exact = differ(
        *judged(foreign.vault, foreign.vault_signs, foreign.vault_request),
        ("--requester", "*"),
        lambda made, n: json.dumps({"request_id": "x", "data": made}))
    expect(issued > COUNT * 3 and refused > COUNT * 5 and exact > COUNT / 4,
           f"{issued} issued, {refused} refused, {exact} exact: the sample "
           "says nothing")


CA_JSON = {
    "root": "root.crt", "dnsNames": ["ca.example.com"], "address": ":443",
    "authority": {
        "backdate": "2m",
        "claims": {"maxTLSCertDuration": "720h", "enableSSHCA": True},
        "policy": {"x509": {"allow": {"dns": ["*.example.com"]}},
                   "ssh": {"user": {"allow": {"email": ["@example.com"]}}}},
        "provisioners": [
            {"type": "JWK", "name": "one", "key": {"kty": "EC"},
             "claims": {"maxTLSCertDuration": "48h",
                        "minTLSCertDuration": "10m"}}]}}


@tap.test
def a_ca_json_has_its_claims_and_its_policy_in_one():
    status, native, report = imported(json.dumps(CA_JSON), "--requester", "*",
                                      name="ca.json")
    expect(status == 1 and "metadata: {name: ca}" in native and
           "validity: {default: 1d, min: 10m, max: 2d, backdate: 2m}"
           in native, native + report)
    for field in ("root", "authority.policy.ssh", "authority.backdate",
                  "authority.provisioners[0].claims.maxTLSCertDuration",
                  "authority.claims.enableSSHCA"):
        expect(f" {field} " in report, f"{field}: {report}")
    # Names that nothing restricts are all open, as they were.
    wrong = check(imported('{"x509": {}}', "--requester", "*")[1], [
        ({"dns": ["*.x.example"], "subject": {"commonName": "Any Text"}}, True),
        ({"dns": ["x.example"], "duration": "25h"}, False)])
    expect(not wrong, wrong)


@tap.test
def what_decides_beside_a_policy_of_step_ca_puts_it_in_shadow():
    made = json.loads(json.dumps(CA_JSON))
    for options in ({"x509": {"templateFile": "a.tpl"}},
                    {"webhooks": [{"name": "a", "kind": "AUTHORIZING"}]},
                    {"x509": {"new": 1}}):
        made["authority"]["provisioners"][0]["options"] = options
        _, native, report = imported(json.dumps(made), name="ca.json")
        expect("mode: shadow" in native, f"{options}: {native}{report}")
    # What step-ca itself does not read there decides nothing here.
    made["authority"]["provisioners"][0]["options"] = {
        "x509": {"allow": {"dns": ["only.example.com"]}}}
    _, native, report = imported(json.dumps(made), name="ca.json")
    expect("mode:" not in native and "does not read" in report, report)
    both = imported('{"x509": {"allow": {"dns": ["a.example"]}}}\n---\n'
                    '{"x509": {"deny": {"dns": ["b.example"]}}}')[1]
    expect(both.count("mode: shadow") == 2, both)
    many = imported("\n---\n".join(['{"x509": {}}'] * 20))[1]
    expect(many.count("mode: shadow") == 16 and
           many.count("until:") == 4, many)
    denied = imported('{"x509": {"deny": {"dns": ["*.münchen.example"]}}}')[1]
    expect("mode: shadow" in denied, denied)


@tap.test
def a_role_of_vault_gives_what_the_certificate_has():
    role = {"allowed_domains": ["example.com"], "allow_subdomains": True,
            "allow_localhost": False, "organization": ["Example Corp"],
            "ou": "One,Two", "country": ["Germany"], "key_type": "any",
            "max_ttl": 7200, "ttl": 3600, "require_cn": False,
            "ext_key_usage": ["CodeSigning"], "client_flag": False,
            "policy_identifiers": ["1.2.3.4", '{"oid": "1.2.3.5"}']}
    status, native, report = imported(json.dumps({"data": role}),
                                      "--requester", "*", name="web.json")
    expect(status == 1 and "metadata: {name: web}" in native and
           "policies: {set: [\"1.2.3.4\"]}" in native and
           re.search(r"country\[0\] +left out: RFC 5280", report),
           native + report)
    tests = [{"name": "a", "request": {
        "dns": ["a.example.com"], "duration": "9h", "usages": ["client auth"],
        "subject": {"organization": "Acme", "title": "x",
                    "commonName": "b.example.com"}},
        "expect": {"verdict": "issued", "given": {
            "subject.organization[0]": "Example Corp",
            "subject.organizationalUnit[1]": "Two", "validity": "2h",
            "san.dns[1]": "b.example.com",
            "extensions.ext_key_usage[0]": "server auth",
            "extensions.ext_key_usage[1]": "code signing",
            "extensions.key_usage": "digital signature"}}}]
    source = write("native.yaml", native + f"  tests: {json.dumps(tests)}\n")
    run(COUNTERSIGN, "policy", "check", source)
    for more, words in (({"not_after": "2030-01-01T00:00:00Z"}, "shadow"),
                        ({"surprise": True}, "shadow"),
                        ({"issuer_ref": "a-uuid"}, "shadow"),
                        ({"max_ttl": 0}, "by hand"),
                        ({"use_csr_sans": False}, "by hand"),
                        ({"allow_token_displayname": True}, "narrower"),
                        ({"allowed_uri_sans": ["spiffe://{{x}}"]},
                         "narrower"),
                        ({"key_type": "ec", "key_bits": 1024}, "shadow")):
        status, native, _ = imported(json.dumps(dict(role, **more)),
                                     "--requester", "*")
        expect(status == 1 and words in native, f"{more}: {native}")


# -- the command -------------------------------------------------------------

CRP = """apiVersion: policy.cert-manager.io/v1alpha1
kind: CertificateRequestPolicy
metadata: {name: %s}
spec:
  allowed: {dnsNames: {values: ["*.example.com"]}, usages: [server auth]}
  selector: {%s}
"""


@tap.test
def what_is_written_loads_and_is_never_overwritten():
    source = write("crp.yaml", "---\n".join((
        CRP % ("wide", "issuerRef: {}"),
        CRP % ("narrow", "namespace: {matchNames: [shop]}"),
        CRP % ("wide.2", "namespace: {matchNames: [pay]}"))))
    out = path("out")
    args = ("policy", "import", source, "--requester", "*", "--out", out)
    done = run(COUNTERSIGN, *args, check=False)
    expect(done.returncode == 1 and done.stdout == "", done.stderr)
    expect(done.stderr.count("goes before it") == 1, done.stderr)
    expect(sorted(os.listdir(out)) ==
           ["narrow.yaml", "wide.2.yaml", "wide.yaml"], os.listdir(out))
    run(COUNTERSIGN, "policy", "check", out)
    with open(os.path.join(out, "wide.yaml"), encoding="utf-8") as f:
        before = f.read()
    expect("priority: 10\n" in before and "# narrower: " in before, before)
    os.remove(os.path.join(out, "narrow.yaml"))
    again = run(COUNTERSIGN, *args, check=False)
    expect(again.returncode not in (0, 1) or "there already" in again.stderr,
           again.stderr)
    expect(sorted(os.listdir(out)) == ["wide.2.yaml", "wide.yaml"],
           "some of it was written")


@tap.test
def a_policy_is_for_those_whom_it_was_for():
    source = write("crp.yaml", CRP % ("shop", "namespace: {matchNames: "
                                      '["shop-*"], matchLabels: {tier: web}}'))
    out = path("selected")
    run(COUNTERSIGN, "policy", "import", source, "--issuer", "web",
        "--requester", "system:serviceaccount:cert-manager:*", "--out", out)
    csr = path("a.csr")
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj",
        "/", "-addext", "subjectAltName=DNS:a.example.com", "-out", csr)
    asked = {"--issuer": "web", "--source": "kubernetes", "--namespace":
             "shop-1", "--label": "tier=web", "--requester":
             "system:serviceaccount:cert-manager:cert-manager"}
    for change in ({}, {"--issuer": "vm"}, {"--source": "api"},
                   {"--namespace": "pay"}, {"--label": "tier=db"},
                   {"--requester": "alice"}):
        words = [w for pair in {**asked, **change}.items() for w in pair]
        done = run(COUNTERSIGN, "policy", "explain", "--csr", csr,
                   "--against", out, *words, check=False)
        expect(("NO_POLICY" in done.stdout) == bool(change) and
               ("WOULD BE ISSUED" in done.stdout) != bool(change),
               f"{change}: {done.stdout}{done.stderr}")


@tap.test
def strict_writes_nothing_that_a_person_has_to_look_at():
    source = write("crp.yaml", CRP % ("a", "issuerRef: {name: x}"))
    done = run(COUNTERSIGN, "policy", "import", source, "--strict",
               check=False)
    expect(done.returncode == 1 and done.stdout == "" and
           "--issuer" in done.stderr and "--requester" in done.stderr,
           done.stderr)
    done = run(COUNTERSIGN, "policy", "import", source, "--strict", "--issuer",
               "web", "--requester", "*")
    expect("issuer: [web]" in done.stdout, done.stdout)


@tap.test
def what_restricts_a_whole_policy_and_is_not_known_puts_it_in_shadow():
    for spec in ("plugins: {opa: {values: {a: b}}}", "newThing: 1",
                 "constraints: {privateKey: {algorithm: ECDSA, maxSize: 224}}",
                 "allowed: {dnsNames: {values: ['*'], not: [x]}}",
                 "constraints: {minDuration: 2h, maxDuration: 1h}"):
        status, native, report = imported(
            CRP % ("a", "issuerRef: {}") + "  " + spec + "\n"
            if "allowed" not in spec else
            (CRP % ("a", "issuerRef: {}")).replace(
                'allowed: {dnsNames: {values: ["*.example.com"]}, '
                'usages: [server auth]}', spec))
        expect(status == 1 and "mode: shadow" in native and
               "by hand" in report, native + report)


@tap.test
def a_rule_in_cel_closes_its_field():
    status, native, report = imported("""
apiVersion: policy.cert-manager.io/v1alpha1
kind: CertificateRequestPolicy
metadata: {name: a}
spec:
  allowed:
    dnsNames:
      required: true
      values: ["*"]
      validations: [{rule: "size(self) < 24", message: short}]
  selector: {issuerRef: {}}
""", "--requester", "*")
    expect(status == 1 and "size(self) < 24" in report, report)
    expect("allow" not in native.split("san:")[1].split("key:")[0], native)
    wrong = check(native, [({"dns": ["a.example"]}, False), ({}, False)])
    expect(not wrong, wrong)


@tap.test
def what_cannot_be_read_is_told_with_its_place():
    deep = "[" * 100 + "]" * 100
    for text, words in (
            ("a: [", "foreign.yaml:2"), (deep, "foreign.yaml:1"),
            ("[1]", "a document is a map"), ("a: 1", "foreign.yaml:1:1"),
            (CRP % ("[x]", "issuerRef: {}"), "metadata.name"),
            (CRP % ("x", "issuerRef: [1]"), "spec.selector.issuerRef: a map"),
            (CRP % ("x", "namespace: {matchNames: {a: b}}"), "matchNames"),
            (CRP % ("x", "namespace: {matchNames: [[a]]}"), "matchNames[0]"),
            (CRP % ("x", "issuerRef: {}") + "  constraints: {minDuration: 1}",
             "minDuration: a text"),
            (CRP % ("x", "issuerRef: {}") + "  constraints: {maxDuration: x}",
             "no duration"),
            ("x: " + "y" * 10_000_000, "longer than"),
            ('{"x509": {"allow": {"dns": "a"}}}', "allow.dns: a list"),
            ('{"x509": {"allow": {"dns": [1]}}}', "allow.dns[0]: a text"),
            ('{"x509": {"allowWildcardNames": 1}}', "true or false"),
            ('{"authority": {"provisioners": [1]}}', "provisioners[0]"),
            ('{"authority": {"claims": {"maxTLSCertDuration": "x"}}}',
             "maxTLSCertDuration"),
            ('{"data": {"key_type": "dsa"}}', "key_type"),
            ('{"key_type": "rsa", "ttl": "x"}', "ttl"),
            ('{"key_type": "rsa", "allowed_domains": [[]]}',
             "allowed_domains[0]"),
            ("a: &b 1", "foreign.yaml:1"), ("", "no policy in what was given")):
        status, native, report = imported(text)
        expect(status == (1 if not text else 2) and not native and
               words in report, f"{text[:80]}: {status}: {report[:400]}")
    status, _, report = imported(CRP % ("x", ""), "--from", "nothing")
    expect(status == 2 and "--from" in report, report)


@tap.test
def nothing_of_the_source_gets_out_of_a_comment_or_a_string():
    status, native, report = imported(json.dumps({
        "apiVersion": "policy.cert-manager.io/v1alpha1",
        "kind": "CertificateRequestPolicy", "metadata": {"name": "A/B\nC"},
        "spec": {"selector": {"issuerRef": {}}, "x\ny: 1\n#": {}, "allowed": {
            "subject": {"organizations": {"values": [
                'a"b', "c\\d", "yes", "1.5", "# x", "a: b", "é", "-", "x ",
                "{{vars}}", "\u001b[2J", "", " *"]}}}}}))
    expect(status == 1 and "name: a-b-c" in native, native)
    expect("\x1b[2J" not in report and "\ny: 1" not in native, native + report)
    values = {'a"b': True, "c\\d": True, "yes": True, "1.5": True,
              "# x": True, "a: b": True, "é": True, "-": True, "x ": True,
              " y": True, "no": False}
    wrong = check(native.replace("  mode: shadow\n", ""), [
        ({"subject": {"organization": v}}, good)
        for v, good in values.items()])
    expect(not wrong, f"{wrong}\n{native}")


sys.exit(tap.run())
