#!/usr/bin/env python3
"""Answers that people can use: dry runs, what is held, what would be."""
import base64
import concurrent.futures
import json
import os
import signal
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
    found = house.cli("audit", "list", "--rule", "web/key.reuse.other_subject",
                      "--policy", "web", "-o", "json").stdout
    expect([x["id"] for x in json.loads(found)] == [got.json["id"]], found)
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
           got.json["expires"] is not None and
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
def what_is_applied_is_recorded_with_who_and_what_changes():
    apply("  validity: {max: 30d}\n")
    out = house.cli("policy", "log", "-o", "json").stdout
    first = json.loads(out)[0]
    expect(first["kind"] == "policy.applied" and first["client"] == "_local",
           first)
    changes = {d["name"]: d for d in first["decision"]["diff"]}
    expect(changes["rest"]["change"] == "removed" and
           changes["web"]["change"] == "changed" and
           changes["web"]["keys"] == [
               {"key": "validity.max", "old": None, "new": "30d"}], first)
    expect(" web" in house.cli("policy", "log").stdout, "the table")
    out = house.cli("policy", "apply").stdout
    expect("no difference" in out, out)


@tap.test
def a_set_that_was_in_force_is_shown_by_its_hash():
    log = json.loads(house.cli("policy", "log", "-o", "json").stdout)
    old = [x for x in log if x["kind"] == "policy.applied"][2]
    text = house.cli("policy", "show", old["decision"]["set_sha256"]).stdout
    expect("name: rest" in text, text)
    done = house.cli("policy", "show", "0" * 64, check=False)
    expect(done.returncode == 5 and "was ever applied" in done.stderr,
           done.stderr)
    done = house.cli("policy", "show", "3f9a12", check=False)
    expect(done.returncode == 2 and "64 hexadecimal" in done.stderr,
           done.stderr)


def sources(**files):
    return {"sources": [{"name": n.replace("_", "."), "text": t}
                        for n, t in files.items()]}


@tap.test
def with_files_a_set_does_not_come_with_the_call():
    house.client_add("root", "admin")
    status, j = post("/v1/policies", "root", **sources(a_yaml=POLICY))
    expect(status == 409 and "policy_source: files" in j["detail"], j)
    status, j = post("/v1/policies?dry_run=true", "root",
                     **sources(a_yaml=POLICY))
    expect(status == 200 and j["ok"] and
           j["diff"][0]["change"] == "changed", j)
    status, j = post("/v1/policies", "ci", **sources(a_yaml=POLICY))
    expect(status == 403, j)
    status, _, body = house.http("POST", "/v1/policies", None,
                                 house.tokens["root"])
    expect(status == 403 and b"LOCAL_ONLY" in body, body)


@tap.test
def with_api_it_does_and_the_files_do_not_count():
    expect(house.stop() == 0, "it did not stop cleanly")
    configure("policy_source: files", "policy_source: api")
    house.start()
    done = house.cli("policy", "apply", check=False)
    expect(done.returncode == 1 and "policy_source: api" in done.stderr,
           f"{done.returncode} {done.stderr}")
    status, j = post("/v1/policies", "root", **sources(
        a_yaml=POLICY.replace("name: web", "name: posted")))
    expect(status == 200 and j["epoch"] > 1 and
           {d["name"]: d["change"] for d in j["diff"]} ==
           {"web": "removed", "posted": "added"}, j)
    got = house.submit("ci", house.csr("z.example"))
    expect(got.status == 201 and got.json["policy"]["name"] == "posted" and
           got.json["policy"]["source"] == "a.yaml", got.body)
    log = json.loads(house.cli("policy", "log", "-o", "json").stdout)
    expect(log[0]["client"] == "root", log[0])
    status, j = post("/v1/policies", "root", **sources(
        a_yaml=POLICY + "  nonsense: 1\n"))
    expect(status == 422 and "a.yaml:7" in j["detail"], j)
    expect("posted" in house.cli("policy", "list").stdout, "the old one")
    for bad, words in (
            ({"sources": [{"name": "../x", "text": "a"}]}, "sources[0].name"),
            ({"sources": [{"name": "a", "text": "a"}] * 2}, "stands twice"),
            ({"sources": 1}, "sources"), ({}, "sources")):
        status, j = post("/v1/policies", "root", **bad)
        expect(status == 400 and words in j["detail"], j)
    os.kill(house.process.pid, signal.SIGHUP)
    time.sleep(0.3)
    expect("posted" in house.cli("policy", "list").stdout,
           "SIGHUP applied the files")


def evaluate(client, csr, **more):
    return post("/v1/policies/evaluate", client, csr=csr, **more)


TEAM = """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: team, owner: shop@corp.example}
spec:
  priority: 5
  match: {source: [kubernetes], realm: [prod], namespace: [shop]}
  vars: {team: '{{request.namespace_labels["team"]}}'}
  subject: {organization: {set: "Example Corp"}}
  san: {dns: {allow: [{dns: ".{{team}}.corp.example"}]}}
"""
SHOP = {"source": "kubernetes", "realm": "prod", "namespace": "shop",
        "namespace_labels": {"team": "shop"},
        "requester": {"username": "alice", "groups": ["dev"]}}


@tap.test
def an_evaluation_says_what_would_be_and_why_no_other_policy():
    house.client_add("auditor", "audit")
    before = counts()
    status, j = evaluate("auditor", house.csr("z.example"), requester="ci")
    expect(status == 200 and j["would"] == "issued" and
           j["policy"]["name"] == "posted" and
           j["not_reached"] == ["limits"] and "others" not in j, j)
    status, j = evaluate("auditor", house.csr("z.example"))
    expect(status == 200 and j["would"] == "refused" and
           j["code"] == "NO_POLICY" and j["others"] == [
               {"policy": "posted",
                "why": "does not list the user `auditor` (ci, alice)"}], j)
    expect(counts() == before, "an evaluation left something behind")


@tap.test
def an_evaluation_takes_a_candidate_set():
    files = {"policies": sources(team_yaml=TEAM, all_yaml=POLICY)["sources"]}
    status, j = evaluate("auditor", house.csr("a.shop.corp.example"), **SHOP,
                         **files)
    expect(status == 200 and j["would"] == "issued" and j["changed"] and
           j["policy"]["name"] == "team" and
           j["diff"][0]["at"] == "team.yaml:8" and
           j["others"] == [{"policy": "web",
                            "why": "matches, but another goes before it"}], j)
    status, j = evaluate("auditor", house.csr("a.pay.corp.example"), **SHOP,
                         **files)
    expect(status == 200 and j["would"] == "refused" and
           j["violations"][0]["expected"] == ".shop.corp.example" and
           j["not_reached"] == ["build", "limits"], j)
    expect("posted" in house.cli("policy", "list").stdout, "what is in force")
    status, j = evaluate("auditor", house.csr("a.example"), policies=sources(
        a_yaml=POLICY + "  nonsense: 1\n")["sources"])
    expect(status == 422 and j["code"] == "POLICY_INVALID" and
           "a.yaml:7" in j["problems"][0]["text"], j)
    status, j = evaluate("auditor", "no CSR at all", policies=[])
    expect(status == 200 and j["code"] == "CSR_MALFORMED", j)
    status, j = evaluate("auditor", house.csr("a.example"), policies=[])
    expect(status == 200 and j["code"] == "NO_POLICY" and
           "no policy is loaded" in j["detail"], j)


@tap.test
def one_candidate_set_is_evaluated_at_a_time():
    heavy = POLICY + "  tests:\n" + "".join(
        f"    - {{name: t{i}, request: {{dns: [a{i}.example]}}, "
        "expect: {verdict: issued}}\n" for i in range(400))
    csr = house.csr("z.example")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: house.http(
            "POST", "/v1/policies/evaluate", json.dumps(
                {"csr": csr, **{"policies": [{"name": "a.yaml",
                                              "text": heavy}]}}).encode(),
            house.tokens["auditor"]), range(16)))
    expect({status for status, _, _ in got} <= {200, 503},
           [x[2][:500] for x in got if x[0] not in (200, 503)][:1])
    expect(any(status == 200 for status, _, _ in got), "none was evaluated")
    for status, headers, body in got:
        if status == 503:
            expect(int(headers["Retry-After"]) > 0 and b"BUSY" in body, body)
    status, j = evaluate("auditor", csr, requester="ci")
    expect(status == 200 and j["would"] == "issued", j)


@tap.test
def who_is_limited_to_issuers_evaluates_and_applies_for_these():
    house.client_add("elsewhere", "audit", "admin", options=(
        "--issuer", "default"))
    status, j = evaluate("elsewhere", house.csr("z.example"), requester="ci")
    expect(status == 200 and j["would"] == "issued", j)
    status, j = post("/v1/policies", "elsewhere", **sources(a_yaml=POLICY))
    expect(status == 403 and "for all of them" in j["detail"], j)


@tap.test
def an_evaluation_is_for_auditors():
    status, j = evaluate("ci", house.csr("z.example"))
    expect(status == 403 and "audit" in j["detail"], j)
    for bad, words in (({"realm": 1}, "realm"), ({"source": "x"}, "source"),
                       ({"sauce": "x"}, "sauce"), ({"policies": {}},
                                                   "policies"),
                       ({"issuer": "nobody"}, "issuer")):
        status, j = evaluate("auditor", house.csr("z.example"), **bad)
        expect(status in (400, 404) and words in j["detail"], j)


REQUEST = """apiVersion: cert-manager.io/v1
kind: CertificateRequest
metadata:
  name: shop-tls-1
  namespace: shop
  uid: 3c8b1e5e-0d4e-4a53-9a6e-5f5a5c1f3b11
  annotations:
    cert-manager.io/certificate-name: shop-tls
    cert-manager.io/certificate-revision: "2"
  creationTimestamp: "2026-09-01T00:00:00Z"
spec:
  duration: 2160h0m0s
  issuerRef: {name: default, kind: CountersignIssuer, group: countersign.dev}
  request: %s
  usages: [digital signature, server auth]
  username: system:serviceaccount:cert-manager:cert-manager
  groups: [system:serviceaccounts, system:authenticated]
  extra: {authentication.kubernetes.io/pod-name: [cert-manager-7d]}
  uid: 7e2a
status:
  conditions:
  - {type: Approved, status: "True", reason: cert-manager.io, message: ok,
     lastTransitionTime: "2026-09-01T00:00:01Z"}
"""


def save(name, text):
    path = os.path.join(house.root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def certificate_request(name, *names):
    return save(name, REQUEST % base64.b64encode(
        house.csr(*names).encode()).decode())


TEAM_FILE = save("team/team.yaml", TEAM)


@tap.test
def a_certificate_request_is_explained():
    path = certificate_request("cr.yaml", "a.shop.corp.example",
                               "b.pay.corp.example")
    done = house.cli("policy", "explain", "--request", path, "--realm", "prod",
                     "--label", "team=shop", "--against", TEAM_FILE,
                     check=False)
    lines = done.stdout.splitlines()
    expect(done.returncode == 1, done.stderr)
    expect(lines[0].startswith("WOULD BE REFUSED  1 of 2 names   policy team "
                               "(sha ") and
           lines[0].endswith("team.yaml, owner shop@corp.example)"), lines)
    expect(lines[1] == "  why this policy   source kubernetes, realm prod, "
           "namespace shop, priority 5          vars  team = shop", lines)
    expect(lines[-1] == "  nothing was recorded. Fix the CSR, or ask the "
           "owner; then: cmctl renew shop-tls -n shop", lines)
    done = house.cli("policy", "explain", "--request", path, "--realm", "prod",
                     "--label", "team=shop", "--against", TEAM_FILE, "-o",
                     "json", check=False)
    j = json.loads(done.stdout)
    expect(j["request"] == {
        "issuer": "default", "namespace": "shop", "owner": "shop-tls",
        "realm": "prod", "source": "kubernetes",
        "requester": "system:serviceaccount:cert-manager:cert-manager"}, j)


@tap.test
def a_recorded_certificate_is_explained_with_who_asked_and_approved():
    house.client_add("portal", "submit", "approve", "gateway")
    status, j = post("/v1/requests", "portal", csr=house.csr("Www.z.example"),
                     requester="alice", conditions=[
                         {"type": "Approved", "status": "True",
                          "message": "ticket 4711"}])
    expect(status == 201, j)
    out = house.cli("policy", "explain", j["id"]).stdout
    line = out.splitlines()[1]
    expect(line.startswith("WOULD BE ISSUED, CHANGED  serial " +
                           j["serial"] + "  policy posted (sha ") and
           "requested alice, approved portal (ticket 4711)  log #"
           f"{j['log']['index']}" in line, out)
    expect('asked Www.z.example  given www.z.example' in out, out)


@tap.test
def guards_are_shown_among_the_rules():
    path = save("guarded/all.yaml", POLICY + """---
apiVersion: countersign.dev/v1
kind: IssuanceGuards
metadata: {name: house}
spec:
  match: {issuer: [default]}
  guards:
    - {id: admin, deny: {san.dns: {dns: admin.example}}, message: reserved}
    - {id: secret, deny: {san.dns: {dns: .secret}}}
---
apiVersion: countersign.dev/v1
kind: IssuanceGuards
metadata: {name: others}
spec:
  match: {issuer: [other]}
  guards: [{id: never, deny: {san.dns: {any: true}}}]
""".replace("{any: true}", "any"))
    csr = save("guarded.csr", house.csr("admin.example"))
    out = house.cli("policy", "explain", "--csr", csr, "--requester", "ci",
                    "--against", path, "--all", check=False).stdout
    for mark, rule, value, outcome in (
            ("\u2717", "guards/admin", '{"deny":{"san.dns":{"dns":"admin.'
             'example"}}}', "violated"),
            ("\u2713", "guards/secret", ".secret", "holds")):
        line = [x for x in out.splitlines() if f"{mark} {rule} " in x]
        expect(len(line) == 1 and value in line[0] and
               line[0].endswith(outcome), out)
    expect("GUARD" in out and "reserved" in out and "never" not in out, out)


@tap.test
def a_certificate_request_that_is_none_says_what_is_wrong():
    good = certificate_request("cr.yaml", "a.shop.corp.example")
    with open(good, encoding="utf-8") as f:
        text = f.read()
    for old, new, words in (
            ("cert-manager.io/v1", "cert-manager.io/v2",
             "bad.yaml: expected a CertificateRequest of cert-manager.io/v1"),
            ("kind: CertificateRequest", "kind: Certificate",
             "not Certificate of"),
            ("  request:", "  requested:", "spec.request: the CSR is missing"),
            ("  request: ", "  request: '*'#", "spec.request: expected the"),
            ("  name: shop-tls-1", " name: shop-tls-1", "bad.yaml:5")):
        done = house.cli("policy", "explain", "--request",
                         save("bad.yaml", text.replace(old, new, 1)),
                         check=False)
        expect(done.returncode in (1, 2) and words in done.stderr,
               f"{old}: {done.returncode} {done.stdout}{done.stderr}")


@tap.test
def the_server_evaluates_for_the_command_line():
    path = certificate_request("cr.yaml", "a.shop.corp.example")
    done = house.cli("policy", "eval", "--request", path, "--realm", "prod",
                     "--label", "team=shop", "--against",
                     os.path.dirname(TEAM_FILE))
    expect(done.stdout.startswith("WOULD BE ISSUED, CHANGED  policy team (sha")
           and 'given "Example Corp"' in done.stdout and
           "not reached: limits" in done.stdout, done.stdout)
    csr = save("one.csr", house.csr("z.example"))
    done = house.cli("policy", "eval", "--csr", csr, "--requester", "bob",
                     check=False)
    expect(done.returncode == 1 and
           "not posted  does not list the user `bob`" in done.stdout,
           done.stdout)
    done = house.cli("policy", "eval", check=False)
    expect(done.returncode == 2 and "--csr FILE or --request" in done.stderr,
           done.stderr)


@tap.test
def everything_that_was_recorded_holds_together():
    expect(house.stop() == 0, "it did not stop cleanly")
    found = invariants.violations(invariants.View(house))
    expect(not found, found)


status = tap.run()
house.close()
sys.exit(status)
