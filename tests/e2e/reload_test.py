#!/usr/bin/env python3
"""Policies applied under load: each request is judged by exactly one set.

APPLIES (100) sets, each of which writes its own number into the certificate's
organization, are applied while CLIENTS send REQUESTS (10,000) requests over
connections that stay open; every fourth set is a bad one. Afterwards each
certificate names the set whose hash stands in its answer and in its record,
that set was the one in force at its place in the log, and no bad one ever was.
"""
import http.client
import json
import os
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import der, invariants  # noqa: E402
from tests.lib.house import Answer, House, Tap, expect  # noqa: E402

APPLIES = int(os.environ.get("RELOAD_APPLIES", "100"))
REQUESTS = int(os.environ.get("RELOAD_REQUESTS", "10000"))
CLIENTS = 4
# Answers whose bytes are kept for the invariants: all would be held in memory.
KEPT_EVERY = 20
APPLIED, REJECTED, ISSUED = 7, 8, 1

tap = Tap()
house = House()
house.start()
house.client_add("ci", "submit", "approve")

SET = """apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {{name: load}}
spec:
  priority: 1
  subject: {{organization: {{set: Set {n}}}}}
  san: {{dns: {{min: 1, allow: [{{dns: .corp.example}}]}}}}
"""
# What is wrong with a bad set, in turn: it does not parse, has an unknown key,
# ties with another policy, fails its own test.
BAD = (
    lambda text: text + "  key: {allow: [\n",
    lambda text: text.replace("  san:", "  sann:"),
    lambda text: text + "---\n" + text.replace("name: load", "name: twin"),
    lambda text: text + "  tests:\n  - {name: wrong, request: {dns: "
                        "[a.corp.example]}, expect: {verdict: refused}}\n",
)


class Applier(threading.Thread):
    """Applies one set after the other, spread over the whole load."""

    def __init__(self, load):
        super().__init__()
        self.load = load
        self.good = []
        self.wrong = []

    def write(self, text):
        path = os.path.join(house.dir, "policies", "load.yaml")
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def apply(self, n):
        text = SET.format(n=n)
        bad = n % 4 == 3
        self.write(BAD[n // 4 % len(BAD)](text) if bad else text)
        done = house.cli("policy", "apply", check=False)
        if (done.returncode == 0) == bad:
            self.wrong.append(f"set {n}: exit {done.returncode}, "
                              f"{done.stdout}{done.stderr}")
        if not bad:
            self.good.append(n)

    def run(self):
        for n in range(APPLIES):
            while self.load.done < n * REQUESTS / APPLIES and \
                    not self.load.failed:
                time.sleep(0.001)
            self.apply(n)


class Load:
    """REQUESTS requests by CLIENTS connections; what came of each."""

    def __init__(self):
        self.csrs = [house.csr(f"h{i}.corp.example") for i in range(8)]
        self.lock = threading.Lock()
        self.done = 0
        self.failed = []
        self.judged = []  # (organization in the certificate, set_sha256)
        self.statuses = {}

    def connection(self):
        context = ssl.create_default_context(
            cafile=os.path.join(house.dir, "root.pem"))
        return http.client.HTTPSConnection("127.0.0.1", house.port,
                                           context=context, timeout=30)

    def one(self, c, n):
        key = f"reload-{n}"
        body = {"csr": self.csrs[n % len(self.csrs)], "duration": "1h",
                "conditions": [{"type": "Approved", "status": "True"}]}
        c.request("POST", "/v1/requests", json.dumps(body).encode(), {
            "Authorization": "Bearer " + house.tokens["ci"],
            "Content-Type": "application/json", "Idempotency-Key": key})
        r = c.getresponse()
        return Answer(("ci", key), r.status, dict(r.getheaders()), r.read())

    def client(self, first):
        c = self.connection()
        try:
            for n in range(first, REQUESTS, CLIENTS):
                a = self.one(c, n)
                with self.lock:
                    self.done += 1
                    self.statuses[a.status] = \
                        self.statuses.get(a.status, 0) + 1
                    if a.status == 201:
                        self.judged.append((organization(a),
                                            a.json["set_sha256"]))
                    if n % KEPT_EVERY == 0:
                        house.answers.append(a)
        except Exception as e:  # told by the test that waits for us
            self.failed.append(f"{type(e).__name__}: {e}")
        finally:
            c.close()

    def run(self):
        threads = [threading.Thread(target=self.client, args=(i,))
                   for i in range(CLIENTS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()


def organization(answer):
    """The number of the set that a certificate's organization names."""
    certificate = invariants.pem_to_der(answer.json["certificate"])
    tbs = der.split_certificate(certificate)[0]
    at = tbs.rindex(b"Set ")
    return int(tbs[at + 4:at + tbs[at - 1]])


# The first set is in force before the first request.
load = Load()
applier = Applier(load)
applier.apply(APPLIES)
applier.start()
load.run()
applier.join()
view = invariants.View(house)


def sets():
    """{hash in hex: number} of every set of ours that was recorded."""
    found = {}
    for r in view.all(
            "SELECT p.set_sha256, s.bytes FROM policy_set p"
            " JOIN policy_set_source x USING (epoch)"
            " JOIN policy_source s ON s.n = x.source"
            " WHERE s.name = 'load.yaml'"):
        text = r["bytes"].decode()
        found[r["set_sha256"].hex()] = int(
            text.split("set: Set ")[1].split("}")[0])
    return found


@tap.test
def every_request_got_its_certificate():
    expect(not load.failed, str(load.failed[:3]))
    print(f"# {REQUESTS} requests, {APPLIES} applies: {load.statuses}")
    expect(load.statuses == {201: REQUESTS}, str(load.statuses))


@tap.test
def good_sets_were_applied_and_bad_ones_were_not():
    expect(not applier.wrong, "\n".join(applier.wrong[:3]))
    recorded = sets()
    expect(sorted(recorded.values()) == sorted(applier.good),
           f"applied {applier.good}, recorded {sorted(recorded.values())}")
    bad = view.all("SELECT count(*) c FROM leaf WHERE kind = ?", REJECTED)[0]["c"]
    expect(bad == APPLIES // 4, f"{bad} policy.rejected for {APPLIES // 4}")


@tap.test
def each_certificate_was_made_by_the_set_that_its_answer_names():
    recorded = sets()
    wrong = [j for j in load.judged if recorded.get(j[1]) != j[0]]
    expect(not wrong, f"{len(wrong)}, as {wrong[:3]}")
    used = {j[0] for j in load.judged}
    expect(len(used) > APPLIES // 2, f"only {len(used)} sets judged anything")


@tap.test
def an_intent_was_never_recorded_under_an_older_set_than_the_one_before():
    epochs = [r["epoch"] for r in view.all(
        "SELECT epoch FROM attempt WHERE request NOT NULL ORDER BY seq")]
    expect(len(epochs) >= REQUESTS, f"{len(epochs)} attempts")
    expect(epochs == sorted(epochs), "epochs went back")


@tap.test
def each_decision_was_recorded_under_the_set_in_force_at_its_place():
    # An intent is recorded in one batch, its outcome with the leaf in the
    # next one: a set may come between the two.
    in_force, before, seen = None, None, 0
    for r in view.all(
            "SELECT l.idx, l.kind, a.body, a.epoch, p.epoch AS applied,"
            " p.set_sha256 FROM leaf l"
            " LEFT JOIN outcome o ON o.leaf = l.idx"
            " LEFT JOIN attempt a ON a.seq = o.seq AND a.request NOT NULL"
            " LEFT JOIN policy_set p ON p.leaf = l.idx"
            " WHERE l.kind IN (?, ?) ORDER BY l.idx", ISSUED, APPLIED):
        if r["kind"] == APPLIED:
            in_force, before = (r["applied"], r["set_sha256"].hex()), in_force
        elif r["body"]:
            got = (r["epoch"], json.loads(r["body"])["set_sha256"])
            expect(got in (in_force, before),
                   f"leaf {r['idx']}: {got}, in force {in_force}")
            seen += 1
    expect(seen >= REQUESTS, f"{seen} decisions")


@tap.test
def everything_above_left_the_invariants_whole():
    found = invariants.violations(view)
    expect(not found, "\n".join(found[:5]))


status = tap.run()
house.close()
sys.exit(status)
