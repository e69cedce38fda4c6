#!/usr/bin/env python3
"""What people are told of policy: explain, diff, list, log, dry runs."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import COUNTERSIGN, House, Tap, expect, run  # noqa: E402

tap = Tap()
house = House()
house.start()
house.client_add("pipeline", "submit", "approve")
house.client_add("portal", "submit", "approve", "gateway")

WEB = """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: team-web, owner: pki@corp.example}
spec:
  priority: 10
  match: {requester: {groups: [web-admins]}, namespace: [shop]}
  subject:
    commonName: {allow: [any]}
    organization: {set: Example Corp}
  san:
    dns: {min: 1, allow: [{dns: .shop.corp.example}]}
  validity: {default: 24h, max: {value: 90d, on_violation: clamp}}
  key: {allow: [{alg: EC, curves: [P-256, P-384]}]}
"""


def save(name, text):
    path = os.path.join(house.root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def explain(*args, status=1, **options):
    """`policy explain`, its lines."""
    done = house.cli("policy", "explain", *args, check=False, **options)
    expect(done.returncode == status,
           f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


BAD = save("bad.csr", house.csr(
    "www.shop.corp.example", "pay.other.example", "*.shop.corp.example",
    subject="/CN=www.shop.corp.example",
    key=("-newkey", "rsa:2048")))
GOOD = save("good.csr", house.csr("WWW.shop.corp.example", subject="/O=Acme"))
CANDIDATE = os.path.dirname(save("candidate/team-web.yaml", WEB))
WHO = ("--requester", "alice", "--group", "web-admins", "--namespace", "shop")


@tap.test
def a_refusal_is_explained_from_the_first_line_to_the_next_step():
    out = explain("--csr", BAD, *WHO, "--against", CANDIDATE)
    lines = out.splitlines()
    expect(lines[0].startswith(
        "WOULD BE REFUSED  2 of 4 names, and the key   policy team-web (sha "),
        out)
    expect("team-web.yaml, owner pki@corp.example)" in lines[0], out)
    expect("why this policy   namespace shop, requester alice, group "
           "web-admins, priority 10" in lines[1], out)
    for words in (("san.dns[1]", "pay.other.example", "SAN_DNS_NOT_ALLOWED",
                   "expected .shop.corp.example", "team-web/san.dns.allow",
                   "team-web.yaml:11"),
                  ("san.dns[2]", "SAN_DNS_WILDCARD", "san.dns.wildcard"),
                  ("key", "RSA 2048", "KEY_NOT_ALLOWED", "P-256")):
        found = [x for x in lines if x.lstrip().startswith("\u2717 " + words[0])]
        expect(len(found) == 1 and all(w in found[0] for w in words),
               f"{words}: {out}")
    expect("\u2713 1 name, CN, " in out and "(--all)" in out and
           "not reached: build, lint, limits" in out, out)
    expect("Fix the CSR, or ask the owner; then: submit it again" in
           lines[-1], out)


@tap.test
def every_rule_is_shown_with_its_value_and_outcome():
    out = explain("--csr", BAD, *WHO, "--against", CANDIDATE, "--all")
    for words in (("\u2717 team-web/san.dns.allow", ".shop.corp.example",
                   "violated"),
                  ("\u2713 team-web/validity.backdate", "30s", "holds"),
                  ("\u2717 team-web/key.allow", "P-384", "violated")):
        found = [x for x in out.splitlines()
                 if x.lstrip().startswith(words[0] + " ")]
        expect(len(found) == 1 and all(w in found[0] for w in words),
               f"{words}: {out}")


@tap.test
def a_changed_certificate_is_a_table_of_what_was_asked_and_given():
    out = explain("--csr", GOOD, *WHO, "--against", CANDIDATE, "--duration",
                  "365d", status=0)
    expect(out.startswith("WOULD BE ISSUED, CHANGED  policy team-web"), out)
    for words in (("subject.organization[0]", 'asked "Acme"',
                   'given "Example Corp"', "overridden",
                   "team-web/subject.organization.set", "team-web.yaml:9"),
                  ("san.dns[0]", "normalized", "built-in"),
                  ("validity", 'given 90d', "clamped")):
        found = [x for x in out.splitlines() if x.lstrip().startswith(words[0])]
        expect(len(found) == 1 and all(w in found[0] for w in words),
               f"{words}: {out}")
    expect("kept: key" in out and "added: SKI, AKI, serial" in out, out)


@tap.test
def each_policy_that_does_not_govern_says_why():
    save("candidate2/web.yaml", WEB)
    save("candidate2/vm.yaml", WEB.replace("team-web", "vm").replace(
        "namespace: [shop]", "issuer: [vm]").replace("10", "20"))
    path = os.path.join(house.root, "candidate2")
    out = explain("--csr", GOOD, "--requester", "bob", "--against", path)
    expect(out.startswith("WOULD BE REFUSED  no policy governs the request"),
           out)
    expect("not vm        is for other issuers than `default`" in out and
           "not team-web  wants a namespace, and the request states none"
           in out, out)
    expect("Ask for a policy that covers it" in out, out)


@tap.test
def variables_are_told_with_their_values():
    save("candidate3/teams.yaml", """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: teams}
spec:
  match: {namespaceLabels: {tier: web}}
  vars: {team: '{{request.namespace_labels["team"]}}'}
  san: {dns: {allow: [{dns: ".{{team}}.corp.example"}]}}
""")
    path = os.path.join(house.root, "candidate3")
    out = explain("--csr", GOOD, "--label", "tier=web", "--label", "team=pay",
                  "--against", path)
    expect("why this policy   label tier=web, priority 0          vars  "
           "team = pay\n" in out and
           "expected .pay.corp.example" in out, out)


@tap.test
def without_an_installation_the_rules_alone_are_judged():
    empty = os.path.join(house.root, "empty")
    os.makedirs(empty, exist_ok=True)
    done = run(COUNTERSIGN, "policy", "explain", "--dir", empty, "--csr", GOOD,
               "--against", CANDIDATE, *WHO, "-o", "json", env=house.env)
    j = json.loads(done.stdout)
    expect(j["would"] == "issued" and
           j["not_reached"] == ["build", "limits"], j)
    expect(j["policy"]["source"] == "team-web.yaml", j)


@tap.test
def a_recorded_request_is_judged_again_as_of_then():
    a = house.submit("pipeline", house.csr("www.shop.corp.example",
                                           subject="/O=Acme"))
    expect(a.status == 422, a.body)
    out = explain(a.json["id"])
    expect(out.startswith("recorded: refused, judged at ") and
           f"log #{a.json['log']['index']}" in out and
           "SUBJECT_UNLISTED" in out, out)
    b = house.submit("portal", house.csr("www.shop.corp.example",
                                         subject="/O=Acme"),
                     requester={"username": "alice",
                                "groups": ["web-admins"]}, namespace="shop")
    expect(b.status == 422, b.body)
    done = house.cli("policy", "explain", b.json["id"], "--against",
                     CANDIDATE, "-o", "json")
    j = json.loads(done.stdout)
    expect(j["would"] == "issued" and j["recorded"]["state"] == "refused" and
           j["policy"]["name"] == "team-web", j)
    expect(house.cli("policy", "explain", "0" * 32,
                     check=False).returncode == 5, "an unknown id")
    expect(house.cli("policy", "explain", check=False).returncode == 2,
           "neither CSR nor id")


@tap.test
def a_dry_run_tells_and_leaves_nothing():
    def post(csr, **more):
        status, _, body = house.http(
            "POST", "/v1/requests?dry_run=true",
            json.dumps({"csr": csr, **more}).encode(),
            house.tokens["pipeline"])
        return status, json.loads(body)
    db = house.database()
    count = ("SELECT (SELECT count(*) FROM request), (SELECT count(*) FROM "
             "leaf), (SELECT count(*) FROM attempt)")
    before = db.execute(count).fetchone()
    status, j = post(house.csr("Www.dry.example"))
    expect(status == 200 and j["would"] == "issued" and j["changed"] and
           {d["disposition"] for d in j["diff"]} >= {"normalized"}, j)
    expect(j["policy"]["name"] == "default" and "san.dns[0]" not in j["kept"],
           j)
    for member in ("certificate", "serial", "id", "log"):
        expect(member not in j, f"{member} in {j}")
    status, j = post(house.csr("www.dry.example", subject="/O=Acme"))
    expect(status == 200 and j["would"] == "refused" and
           j["violations"][0]["code"] == "SUBJECT_UNLISTED" and
           j["not_reached"] == ["build", "limits"], j)
    status, j = post("no CSR at all")
    expect(status == 200 and j["would"] == "refused" and
           j["code"] == "CSR_MALFORMED", j)
    status, j = post(house.csr("www.dry.example"), issuer="nobody")
    expect(status == 404 or status == 400, j)
    expect(house.database().execute(count).fetchone() == before,
           "something was recorded")


@tap.test
def why_other_policies_do_not_govern_is_for_auditors():
    policy = save("ca/policies/default.yaml.away", "")
    source = os.path.join(house.dir, "policies", "default.yaml")
    os.rename(source, policy)
    save("ca/policies/team-web.yaml", WEB)
    house.cli("policy", "apply")
    house.client_add("auditor", "submit", "approve", "audit")
    mine = house.submit("pipeline", house.csr("www.shop.corp.example"))
    theirs = house.submit("auditor", house.csr("www.shop.corp.example"))
    os.rename(policy, source)
    os.unlink(os.path.join(house.dir, "policies", "team-web.yaml"))
    house.cli("policy", "apply")
    expect(mine.status == 422 and mine.json["code"] == "NO_POLICY" and
           "others" not in mine.json and b"team-web" not in mine.body,
           mine.body)
    expect(mine.json["detail"].startswith("no policy matches the request; ")
           and "Ask for a policy that covers it" in mine.json["detail"],
           mine.body)
    expect(theirs.status == 422 and theirs.json["others"] == [
        {"policy": "team-web",
         "why": "wants a namespace, and the request states none (shop)"}],
        theirs.body)
    shown = house.cli("request", "show", mine.json["id"], check=False).stdout
    expect("not team-web  wants a namespace" in shown, shown)
    status, _, body = house.http("GET", "/v1/requests/" + mine.json["id"],
                                 token=house.tokens["pipeline"])
    expect(status == 200 and b"team-web" not in body, body)


@tap.test
def the_difference_is_told_before_it_is_applied():
    expect(house.cli("policy", "diff").stdout == "no difference\n", "at init")
    save("ca/policies/team-web.yaml", WEB)
    done = house.cli("policy", "diff", check=False)
    expect(done.returncode == 1 and
           done.stdout == "added    team-web  team-web.yaml\n", done.stdout)
    out = house.cli("policy", "apply").stdout
    expect(out.startswith("in force  epoch 4, set ") and
           "files default.yaml, team-web.yaml\n" in out, out)
    save("ca/policies/team-web.yaml", WEB.replace("min: 1", "min: 2"))
    done = house.cli("policy", "diff", "-o", "json", check=False)
    expect(json.loads(done.stdout) == [
        {"change": "changed", "name": "team-web", "source": "team-web.yaml",
         "keys": [{"key": "san.dns.min", "old": "1", "new": "2"}]}],
        done.stdout)
    save("ca/policies/team-web.yaml", WEB)


@tap.test
def what_is_in_force_is_listed_shown_and_logged():
    out = house.cli("policy", "list").stdout.splitlines()
    expect(out[0].split()[:2] == ["POLICY", "PRIORITY"] and
           out[1].split()[0] == "team-web" and
           out[2].split()[0] == "default", out)
    listed = json.loads(house.cli("policy", "list", "-o", "json").stdout)
    expect(listed[0]["owner"] == "pki@corp.example" and
           listed[0]["source"] == "team-web.yaml" and
           len(listed[0]["sha256"]) == 64, listed)
    save("ca/policies/bad.yaml", "kind: nothing\n")
    expect(house.cli("policy", "apply", check=False).returncode == 1,
           "a bad set was applied")
    os.unlink(os.path.join(house.dir, "policies", "bad.yaml"))
    log = json.loads(house.cli("policy", "log", "-o", "json").stdout)
    expect([x["kind"] for x in log] ==
           ["policy.rejected"] + 4 * ["policy.applied"] and
           [x["client"] for x in log] == 4 * ["_local"] + ["_house"], log)
    table = house.cli("policy", "log").stdout
    expect("default.yaml, team-web.yaml" in table, table)


@tap.test
def status_warns_of_files_that_are_not_in_force():
    expect("policies/" not in house.cli("status").stderr, "they are the same")
    path = save("ca/policies/team-web.yaml", WEB + "# changed\n")
    other = save("ca/policies/z.yaml", "---\n")
    done = house.cli("status")
    expect("warning: policies/ is not what is in force: team-web.yaml "
           "changed, z.yaml new; see `countersign policy diff`" in done.stderr,
           done.stderr)
    os.unlink(other)
    os.rename(path, path + ".away")
    j = json.loads(house.cli("status", "-o", "json").stdout)
    expect(j["policy_files"] == [{"file": "team-web.yaml", "is": "gone"}], j)
    os.unlink(path + ".away")
    save("ca/policies/team-web.yaml", WEB)


@tap.test
def check_warns_of_what_is_suspicious_with_its_place():
    path = save("odd.yaml", WEB.replace(
        "san:\n    dns: {min: 1, allow: [{dns: .shop.corp.example}]}",
        "san:\n    dns: {min: 1, allow: [{dns: .shop.corp.example}],\n"
        "          deny: [{dns: .corp.example}]}"))
    done = house.cli("policy", "check", path)
    for words in ("odd.yaml:11:1: `.shop.corp.example` of `allow` is inside "
                  "`deny`", "odd.yaml:1:1: `team-web` carries no tests"):
        expect(f"warning: {words}" in done.stderr, done.stderr)


@tap.test
def the_effective_set_loads_as_it_is_printed():
    text = house.cli("policy", "show", "--effective").stdout
    expect('"wildcard": "forbid"' in text and '"backdate": "30s"' in text,
           text)
    path = save("effective.yaml", text)
    house.cli("policy", "check", path)


@tap.test
def status_shows_the_issuers():
    out = house.cli("status").stdout.splitlines()
    at = [i for i, x in enumerate(out) if x.startswith("ISSUER")]
    expect(at and "NOT AFTER" in out[at[0]], out)
    row = out[at[0] + 1].split()
    expect(row[:3] == ["default", "1", "active"] and row[4:] == ["-", "true"]
           and row[3].startswith("20"), out)


@tap.test
def a_file_that_cannot_be_a_policy_is_named_and_stops_nobody():
    """By its name, which stands in the log, or because it is no file."""
    folder = os.fsencode(os.path.join(house.dir, "policies"))

    def refused(name, says):
        for command in (("policy", "check"), ("policy", "apply")):
            done = house.cli(*command, check=False)
            expect(done.returncode in (1, 2) and says in done.stderr,
                   f"{name} {command}: {done.returncode} {done.stderr}")
        done = house.cli("backup", os.path.join(house.root, "of-odd"),
                         check=False)
        expect(done.returncode == 1 and says in done.stderr,
               f"{name}: {done.returncode} {done.stderr}")
        expect(house.http("GET", "/readyz")[0] == 200, f"{name}: not ready")

    for name, says in ((b"b\xffd.yaml", "b\\xffd.yaml"),
                       (b"new\nline.yaml", "new\\x0aline.yaml")):
        path = os.path.join(folder, name)
        with open(path, "wb") as f:
            f.write(b"# nothing\n")
        refused(name, says)
        os.unlink(path)
    path = os.path.join(folder, b"pipe.yaml")
    os.mkfifo(path)
    refused("a pipe", "pipe.yaml: not a regular file")
    os.unlink(path)
    path = os.path.join(folder, b"back\\slash.yaml")
    with open(path, "wb") as f:
        f.write(b"# nothing\n")
    backup = os.path.join(house.root, "slash")
    house.cli("backup", backup)
    run(COUNTERSIGN, "restore", backup, "--dir", backup + ".made")
    os.unlink(path)


@tap.test
def a_stopped_house_answers_the_same():
    expect(house.stop() == 0, "it did not stop cleanly")
    expect("team-web" in house.cli("policy", "list").stdout, "list")
    expect("policy.applied" in house.cli("policy", "log").stdout, "log")
    out = explain("--csr", BAD, *WHO)
    expect("policy team-web" in out, out)
    out = house.cli("status").stdout
    expect("ISSUER" in out and "default" in out, out)


status = tap.run()
house.close()
sys.exit(status)
