#!/usr/bin/env python3
"""`policy replay`: history, judged once more."""
import csv
import io
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect  # noqa: E402

tap = Tap()
house = House()
house.cli("ca", "create", "other", "--under", "root", "--key", "ec-p256")
house.start()
house.client_add("pipeline", "submit", "approve", options=("--realm", "ci"))
house.client_add("portal", "submit", "approve", "gateway")
house.client_add("author", "submit")
house.client_add("auditor", "audit")

# What the language has: literals, tables, vars, regular expressions, windows
# that are over and to come, guards, drops, clamps, warnings, a shadow, limits.
RICH = """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: team, owner: pki@corp.example}
spec:
  priority: 50
  match: {namespace: [shop, pay], until: 2099-01-01}
  tables: {zones: {shop: [shop.example, shop.corp.example], pay: [pay.example]}}
  vars: {team: "{{request.namespace}}", owner: "{{request.owner}}"}
  subject:
    commonName: {allow: [any], in_san: require}
    organization: {set: Example Corp}
    organizationalUnit: {set: "{{team}}"}
  san:
    dns: {min: 1, max: 2, allow: [{dns: ".{{zones[team]}}"}], wildcard: leftmost, on_violation: drop}
    ip: {max: 2, allow: [{cidr: 10.0.0.0/8}]}
  validity: {default: 1h, min: 10m, max: {value: 24h, on_violation: clamp}, backdate: 45s}
  extensions: {ext_key_usage: {allow: [server auth, client auth], default: [server auth]}}
  limits:
    - {id: few, key: "{{request.owner}}", rate: 2/1h}
  windows:
    - {id: long-ago, deny: 2001-01-01T00:00Z/2001-02-01T00:00Z}
    - {id: to-come, deny: 2098-01-01T00:00Z/2098-02-01T00:00Z, on_violation: reject}
---
apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: hosts}
spec:
  priority: 40
  match: {requester: {users: ["host-*"]}}
  san: {dns: {min: 1, allow: [{regex: "[a-z]+[0-9]{1,2}\\\\.vm\\\\.example"}]}, uri: {max: 1, allow: [{uri: {scheme: spiffe, host: vm.example, path: "/**"}}]}}
  key: {allow: [{alg: EC, curves: [P-256]}]}
---
apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: lenient}
spec:
  priority: 30
  mode: warn
  match: {requester: {users: [walter]}}
  san: {dns: {allow: [{dns: .warn.example}]}}
---
apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: trial}
spec:
  priority: 60
  mode: shadow
  match: {namespace: [shop]}
  san: {dns: {allow: [{dns: never.example}]}}
---
apiVersion: countersign.dev/v1
kind: IssuanceGuards
metadata: {name: reserved}
spec:
  guards:
    - {id: admin, deny: {san.dns: {dns: "**.secret.shop.example"}}}
"""

CSRS = [
    house.csr("www.shop.example"),
    house.csr("www.shop.example", "a.shop.corp.example", "b.shop.example",
              subject="/CN=www.shop.example"),
    house.csr("*.shop.example", "IP:10.1.2.3"),
    house.csr("www.shop.example", "pay.other.example",
              subject="/O=Acme/CN=WWW.shop.example"),
    house.csr("x.secret.shop.example"),
    house.csr("www.pay.example", "IP:192.0.2.1"),
    house.csr("web12.vm.example", "URI:spiffe://vm.example/ns/a"),
    house.csr("web123.vm.example"),
    house.csr("www.warn.example", "www.other.example"),
    house.csr("www.shop.example", key=("-newkey", "rsa:2048")),
    "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
    "-----END CERTIFICATE REQUEST-----\n",
    "no CSR at all",
]

WHO = [
    ("portal", {"requester": "alice", "namespace": "shop", "owner": "one"}),
    ("portal", {"requester": "alice", "namespace": "shop", "owner": "two",
                "duration": "48h", "usages": ["client auth"]}),
    ("portal", {"requester": "bob", "namespace": "pay", "owner": "three",
                "duration": "5m"}),
    ("portal", {"requester": "host-7", "duration": "2h",
                "usages": ["digital signature", "server auth"]}),
    ("portal", {"requester": {"username": "walter", "groups": ["x"]}}),
    ("pipeline", {"isCA": True}),
    ("pipeline", {"duration": "90d"}),
]


def apply(**files):
    """Put these policies in force, beside the default."""
    directory = os.path.join(house.dir, "policies")
    for name, text in files.items():
        with open(os.path.join(directory, name + ".yaml"), "w",
                  encoding="utf-8") as f:
            f.write(text)
    house.cli("policy", "apply")


def candidate(name, **files):
    """A directory with these policies, its path."""
    directory = os.path.join(house.root, name)
    os.makedirs(directory, exist_ok=True)
    for file, text in files.items():
        with open(os.path.join(directory, file + ".yaml"), "w",
                  encoding="utf-8") as f:
            f.write(text)
    return directory


def submit_all():
    """Everybody asks for everything; statuses and how many there were."""
    seen = {}
    for n, csr in enumerate(CSRS):
        for client, fields in WHO:
            if "owner" in fields:
                fields = {**fields, "owner": f"{fields['owner']}-{n // 2}"}
            status = house.submit(client, csr, **fields).status
            seen[status] = seen.get(status, 0) + 1
    return seen


def replay(*args, status, where=house):
    """`policy replay -o json`, its report."""
    done = where.cli("policy", "replay", *args, "-o", "json", check=False)
    expect(done.returncode == status,
           f"exit {done.returncode}: {done.stdout[-800:]}{done.stderr}")
    return json.loads(done.stdout) if done.stdout else done.stderr


def only(report, **wanted):
    """These classes have these counts, and the others none."""
    for name, n in report["classes"].items():
        expect(n == wanted.get(name.replace("-", "_"), 0) or
               name == "unchanged" and "unchanged" not in wanted,
               f"{name}: {n} of {report['classes']}: "
               f"{json.dumps(report['groups'], indent=1)[:3000]}")


@tap.test
def the_set_that_was_in_force_gives_every_recorded_octet_again():
    submitted = 0
    seen = submit_all()
    submitted += sum(seen.values())
    apply(rich=RICH)
    for _ in range(2):
        seen = submit_all()
        expect(seen.get(201, 0) > 10 and seen.get(422, 0) > 10, str(seen))
        submitted += sum(seen.values())
    pending = house.submit("author", CSRS[0], approved=False)
    house.cli("request", "deny", pending.json["id"])
    report = replay("--verify", status=0)
    # The listener's own certificate is the first decision.
    expect(report["decisions"] == submitted + 2 and submitted > 240,
           f"{report['decisions']} of {submitted}")
    skipped = report["not_replayed"]
    expect(skipped["denied"] == 1 and skipped["limits"] >= 4, str(skipped))
    only(report, unchanged=report["decisions"] - 1 - skipped["limits"])
    names = {p["policy"] for p in report["policies"]}
    expect({"-", "_listener", "default", "team", "hosts",
            "lenient"} == names, str(names))


@tap.test
def a_candidate_that_says_the_same_changes_nothing():
    same = candidate("same", rich=RICH)
    report = replay("--candidate", same, "--policy", "team", status=0)
    only(report)
    expect(report["replayed"] > 10, str(report["classes"]))
    # DIR/policies is what is in force.
    report = replay("--policy", "team", "--policy", "hosts", status=0)
    only(report)
    expect(len(report["policies"]) == 2, str(report["policies"]))


@tap.test
def what_becomes_otherwise_is_told_by_rule_with_one_small_witness():
    other = candidate("other", rich=RICH.replace(
        "[shop.example, shop.corp.example]", "[shop.corp.example]").replace(
        "on_violation: drop}", "}").replace(
        "value: 24h", "value: 12h").replace("[0-9]{1,2}", "[0-9]{3}"))
    report = replay("--candidate", other, "--issuer", "default",
                    "--policy", "team", "--policy", "hosts", status=1)
    groups = {(g["class"], g["rule"]): g for g in report["groups"]}
    refused = groups["allow-to-refuse", "team/san.dns.allow"]
    expect(refused["count"] > 4 and refused["at"].startswith("rich.yaml:"),
           str(refused))
    w = refused["witness"]
    expect(w["names"] == ["www.shop.example"] and w["requester"] == "alice" and
           w["answer"]["would"] == "refused" and
           w["was"]["verdict"] == "issued", str(w))
    hosts = groups["refuse-to-allow", "hosts/san.dns.allow"]
    w = hosts["witness"]
    expect(w["names"] == ["web123.vm.example"] and
           w["answer"]["would"] == "issued" and
           w["was"]["verdict"] == "refused", str(w))
    expect(report["issuers"][0]["issuer"] == "default" and
           report["issuers"][0]["replayed"] == report["replayed"],
           str(report["issuers"]))
    done = house.cli("policy", "replay", "--candidate", other, check=False)
    for text in ("allow → refuse", "team/san.dns.allow  rich.yaml:",
                 "smallest: request ", "WOULD BE REFUSED", "WOULD BE ISSUED",
                 "refused by limits or key reuse", "refused then: "):
        expect(text in done.stdout, f"{text}\n{done.stdout}")
    expect("\r" not in done.stderr, "progress is for terminals")


@tap.test
def another_certificate_is_told_field_by_field():
    other = candidate("cert", rich=RICH.replace(
        "value: 24h", "value: 12h").replace("Example Corp", "Example AG"))
    report = replay("--candidate", other, "--policy", "team", status=1)
    only(report, changed=report["classes"]["changed"])
    groups = {(g["rule"], g["field"]): g for g in report["groups"]}
    expect(list(groups) == [("team/subject.organization.set", "subject")],
           str(groups.keys()))
    (group,) = groups.values()
    changes = {c["field"]: c for c in group["witness"]["changes"]}
    expect(changes["subject"]["was"].startswith(
        "organization=Example Corp") and
           changes["subject"]["now"].startswith("organization=Example AG"),
           str(changes))
    rows = list(csv.DictReader(io.StringIO(house.cli(
        "policy", "replay", "--candidate", other, "--policy", "team", "-o",
        "csv", check=False).stdout)))
    expect(len(rows) == 1 and rows[0]["class"] == "changed" and
           rows[0]["rule"] == "team/subject.organization.set", str(rows))
    lines = house.cli("policy", "replay", "--candidate", other, "-o",
                      "ndjson", check=False).stdout.splitlines()
    expect([json.loads(line)["class"] for line in lines], str(lines))


@tap.test
def a_window_counts_at_the_time_of_the_request():
    text = RICH.replace("2001-01-01T00:00Z/2001-02-01T00:00Z",
                        "2002-01-01T00:00Z/2090-01-01T00:00Z")
    held = candidate("held", rich=text)
    report = replay("--candidate", held, "--policy", "team", status=1)
    only(report, held=report["classes"]["held"])
    expect(report["classes"]["held"] > 5, str(report["classes"]))
    rejects = candidate("rejects", rich=text.replace(
        "2090-01-01T00:00Z}", "2090-01-01T00:00Z, on_violation: reject}"))
    report = replay("--candidate", rejects, "--policy", "team", "--verdict",
                    "issued", status=1)
    only(report, allow_to_refuse=report["replayed"])
    expect(report["groups"][0]["rule"] == "team/windows.long-ago",
           str(report["groups"][0]["rule"]))


@tap.test
def a_pipeline_says_what_it_fails_on():
    other = os.path.join(house.root, "cert")
    one = ("--candidate", other, "--policy", "team")
    replay(*one, "--fail-on", "allow-to-refuse,refuse-to-allow", status=0)
    replay(*one, "--fail-on", "held,changed", status=1)
    replay(*one, "--fail-on", "none", status=0)
    for words in ("change", "changed,", "changed,,held", "nonesuch", ""):
        said = replay(*one, "--fail-on", words, status=2)
        expect("expected allow-to-refuse" in said, said)
    broken = candidate("broken", web="kind: [")
    said = replay("--candidate", broken, status=4)
    expect("web.yaml:2:1" in said, said)
    said = replay("--candidate", os.path.join(house.root, "nowhere"), status=4)
    expect("nowhere" in said, said)
    for two in (("--verify", "--candidate", other), ("--set", "0" * 64,
                                                     "--verify")):
        said = replay(*two, status=2)
        expect("--verify" in said, said)
    # The last decision of all was made before now.
    report = replay("--candidate", other, "--since", "2090-01-01T00:00:00Z",
                    status=0)
    expect(report["decisions"] == 0 and "first" not in report, str(report))


@tap.test
def a_set_that_was_in_force_is_a_candidate_too():
    applied = house.cli("policy", "log", "--order", "asc", "-o", "json")
    first, second = [e["decision"]["set_sha256"] for e in
                     json.loads(applied.stdout)]
    report = replay("--set", first, "--policy", "team", status=1)
    expect(report["candidate"]["set_sha256"] == first and
           report["classes"]["changed"] + report["classes"]["allow-to-refuse"]
           > 10, str(report["classes"]))
    only(replay("--set", second, "--policy", "team", status=0))
    said = replay("--set", "0" * 64, status=4)
    expect("No policy set with this hash" in said, said)
    said = replay("--set", "rich", status=2)
    expect("64 hexadecimal digits" in said, said)


@tap.test
def history_is_for_auditors_and_pages():
    status, first = house.get("/v1/history?limit=3&order=asc", "auditor")
    expect(status == 200 and len(first["items"]) == 3 and first["next"],
           str(first))
    item = first["items"][1]
    expect(item["kind"] in ("issued", "refused") and item["csr"] and
           item["scalars"]["issuer"] == "default" and item["epoch"] == 1 and
           item["body"]["set_sha256"], str(item))
    status, rest = house.get(
        f"/v1/history?limit=3&order=asc&cursor={first['next']}", "auditor")
    expect(status == 200 and
           rest["items"][0]["index"] == first["items"][2]["index"] + 1,
           str(rest))
    status, kinds = house.get("/v1/history?verdict=denied", "auditor")
    expect(status == 200 and [i["kind"] for i in kinds["items"]] == ["denied"],
           str(kinds))
    expect(house.get("/v1/history", "author")[0] == 403, "author")
    expect(house.get("/v1/history?kind=issued", "auditor")[0] == 400, "kind")
    house.client_add("elsewhere", "audit", options=("--issuer", "other"))
    status, none = house.get("/v1/history", "elsewhere")
    expect(status == 200 and none["items"] == [], str(none))


@tap.test
def a_stopped_house_tells_the_same_from_its_files():
    other = os.path.join(house.root, "other")
    running = replay("--candidate", other, status=1)
    expect(house.stop() == 0, "stop")
    expect(replay("--candidate", other, status=1) == running, "the same")
    replay("--verify", status=0)


@tap.test
def each_is_built_again_under_the_ca_of_then():
    house.start()
    expect(house.submit("portal", CSRS[0], issuer="other",
                        requester="bob").status == 201, "before")
    house.stop()
    house.cli("ca", "rollover", "other")
    house.start()
    expect(house.submit("portal", CSRS[0], issuer="other",
                        requester="bob").status == 201, "behind")
    expect(house.submit("portal", CSRS[0], issuer="other", requester="bob",
                        duration="2000d").status == 422, "refused")
    report = replay("--verify", "--issuer", "other", status=0)
    only(report, unchanged=3)
    expect("other_ca" not in report, str(report))
    # Without the files of then, what the CA adds is left out.
    away = os.path.join(house.root, "generation-1")
    os.rename(os.path.join(house.dir, "issuers", "other", "generation-1"),
              away)
    report = replay("--verify", "--issuer", "other", status=0)
    only(report, unchanged=3)
    expect(report["other_ca"] == 1, str(report))
    done = house.cli("policy", "replay", "--verify", "--issuer", "other")
    expect("1 issued under a CA certificate or settings that are gone" in done.stdout,
           done.stdout)
    os.rename(away, os.path.join(house.dir, "issuers", "other",
                                 "generation-1"))


@tap.test
def what_an_issuer_adds_since_is_no_change_of_the_policy():
    path = os.path.join(house.dir, "countersign.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    house.stop()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("    ocsp: false\n", "    ocsp: true\n"
                             "    ocsp_url: \"http://ca.example/ocsp\"\n"))
    report = replay("--verify", status=0)
    only(report)
    expect(report["other_ca"] > 50, str(report["other_ca"]))
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    house.start()


@tap.test
def what_was_purged_is_counted():
    before = replay("--verify", status=0)
    shift = os.path.join(house.root, "shift")
    with open(shift, "w", encoding="ascii") as f:
        f.write(str(3 * 366 * 86400 * 1000))
    house.env["CS_CLOCK_SHIFT_FILE"] = shift
    house.check_time = False
    house.stop()
    house.start()
    expect(house.submit("portal", CSRS[0], requester="alice").status == 201,
           "three years later")
    end = time.monotonic() + 20
    while house.database().execute(
            "SELECT terms_done < tree_size FROM meta").fetchone()[0]:
        expect(time.monotonic() < end, "terms are not filed")
        time.sleep(0.1)
    house.stop()
    house.cli("db", "purge", "--older-than", "800d")
    report = replay("--verify", status=0)
    skipped = report["not_replayed"]
    expect(skipped["purged"] > 200 and skipped["denied"] == 1 and
           skipped["limits"] == 0, str(skipped))
    expect(report["decisions"] > before["decisions"], str(report))
    only(report, unchanged=report["replayed"])


status = tap.run()
house.close()
sys.exit(status)
