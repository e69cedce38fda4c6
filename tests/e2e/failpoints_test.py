#!/usr/bin/env python3
"""A house that is killed at each named failpoint, and recovers.

For each failpoint: the house runs with that point set to kill its process
once; requests are sent until it happens; the house is started again (or, if a
worker died, goes on); every lost key gets its answer; the invariants hold.
"""
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import Failure, House, Tap, expect  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
tap = Tap()


def listed():
    with open(os.path.join(HERE, "failpoints"), encoding="ascii") as f:
        return [line.split() for line in f
                if line.strip() and not line.startswith("#")]


def settle(house, csr, keys):
    """Each key gets a terminal answer."""
    end = time.monotonic() + 30
    for key in keys:
        while True:
            expect(time.monotonic() < end, f"{key} gets no answer")
            try:
                if house.submit("ci", csr, key).terminal:
                    break
            except Exception:
                if house.process.poll() is not None:
                    house.wait_end()
                    house.start()
            time.sleep(0.02)


def strike(house, csr, point, action, pace=0):
    """Run into the failpoint once, at start or under a few requests."""
    once = os.path.join(house.root, f"once-{point}-{action}")
    house.start(env={"CS_FAILPOINTS": f"{point}={action}",
                     "CS_FAILPOINT_ONCE": once}, wait=False)
    try:
        house.wait_ready()
    except Failure:
        expect(os.path.exists(once), f"{point}: it did not even start")
        return []
    keys = []
    for i in range(40):
        keys.append(f"{point}-{action}-{i}")
        try:
            house.submit("ci", csr, keys[-1])
        except Exception:
            pass
        if os.path.exists(once):
            break
        time.sleep(pace)
    expect(os.path.exists(once), f"{point} was never passed")
    return keys


def run_point(house, csr, point, room, action, pace=0):
    keys = strike(house, csr, point, action, pace)
    if room == "worker":
        time.sleep(0.1)
        expect(house.process.poll() is None, "the house ended")
    else:
        expect(house.wait_end() == 75, "the house did not end with 75")
        house.start()
    settle(house, csr, keys)
    found = invariants.violations(invariants.View(house))
    expect(not found, f"{point}: " + "; ".join(found[:5]))
    expect(house.stop() == 0, "it did not stop cleanly")


@tap.test
def every_failpoint_in_the_sources_is_listed():
    found = set()
    for room in ("api", "issuer", "store", "kube", "cli"):
        out = subprocess.run(
            ["grep", "-rhoE", r'cs_failpoint\("[a-z_.]+"\)',
             os.path.join(TOP, room)], capture_output=True, text=True)
        found |= set(re.findall(r'"([a-z_.]+)"', out.stdout))
    known = {row[0] for row in listed()}
    expect(found == known, f"not listed: {sorted(found - known)}; "
           f"not there: {sorted(known - found)}")
    expect(len(known) >= 10, "too few to be every step")


def recovery_points():
    return [row[0] for row in listed() if row[0].startswith("ledger.recover")]


@tap.test
def killed_at_each_failpoint_it_recovers():
    with House() as house:
        house.start()
        house.client_add("ci", "submit", "approve")
        csr = house.csr("www.fail.example")
        expect(house.stop() == 0, "stop")
        for point, room, *special in listed():
            if point.startswith("ledger.recover") or \
                    special in (["init"], ["error"], ["elsewhere"],
                                ["revoke"], ["crl"]):
                continue
            if special == ["paced"]:
                for action in ("kill", "kill@2"):
                    print(f"# {point}={action}", flush=True)
                    run_point(house, csr, point, room, action, 0.1)
                continue
            # The third passage is beyond what a start passes.
            for action in ("kill", "kill@3", "segv@3", "exit@2"):
                print(f"# {point}={action}", flush=True)
                run_point(house, csr, point, room, action)


def revoke_until_it_dies(house, serials, point, action):
    """Revoke one after the other; those that got no answer."""
    once = os.path.join(house.root, f"once-revoke-{point}-{action}")
    house.start(env={"CS_FAILPOINTS": f"{point}={action}",
                     "CS_FAILPOINT_ONCE": once})
    lost = []
    for serial in serials:
        try:
            expect(house.revoke("ci", serial, "superseded")[0] == 200,
                   "refused")
        except OSError:
            lost.append(serial)
        except Exception as e:
            expect(not isinstance(e, Failure), str(e))
            lost.append(serial)
        if os.path.exists(once):
            break
    expect(os.path.exists(once), f"{point} was never passed")
    return lost


@tap.test
def killed_around_a_revocation_it_loses_none_that_was_answered():
    with House() as house:
        house.start()
        house.client_add("ci", "submit", "approve", "revoke")
        csr = house.csr("www.fail.example")
        for point in ("ledger.before_begin", "ledger.after_intent_rows",
                      "ledger.before_commit", "ledger.after_commit",
                      "ledger.before_revoke_answer", "front.before_reply"):
            print(f"# {point}=kill@2", flush=True)
            serials = [house.submit("ci", csr).json["serial"]
                       for _ in range(4)]
            expect(house.stop() == 0, "stop")
            lost = revoke_until_it_dies(house, serials, point, "kill@2")
            expect(house.wait_end() == 75, "it did not end with 75")
            house.start()
            for serial in lost:
                status, body = house.revoke("ci", serial, "superseded")
                expect(status == 200, body)
            found = invariants.violations(invariants.View(house))
            expect(not found, f"{point}: " + "; ".join(found[:5]))
        expect(house.stop() == 0, "it did not stop cleanly")


def crl_number(house):
    """Of the one CRL there is, or 0."""
    listed_now = json.loads(house.cli("crl", "show", "-o", "json").stdout)
    return max([0] + [int(c["number"] or 0) for c in listed_now])


@tap.test
def killed_around_a_crl_its_number_is_burnt_and_the_next_one_is_signed():
    with House() as house:
        house.start()
        house.client_add("ci", "submit", "approve", "revoke")
        csr = house.csr("www.fail.example")
        points = [row[0] for row in listed() if row[2:] == ["crl"]]
        expect(len(points) == 4, points)
        last = 0
        for point in points:
            print(f"# {point}=kill", flush=True)
            serial = house.submit("ci", csr).json["serial"]
            expect(house.stop() == 0, "stop")
            once = os.path.join(house.root, f"once-crl-{point}")
            house.start(env={"CS_FAILPOINTS": f"{point}=kill",
                             "CS_FAILPOINT_ONCE": once})
            expect(house.revoke("ci", serial, "superseded")[0] == 200,
                   "refused")
            expect(house.wait_end() == 75, "it did not end with 75")
            expect(os.path.exists(once), f"{point} was never passed")
            house.start()
            house.cli("crl", "publish")
            expect(crl_number(house) > last, f"{last} did not rise")
            last = crl_number(house)
            status, _, body = house.http("GET", "/crl/default/0.crl")
            expect(status == 200 and bytes.fromhex(serial) in body,
                   f"{point}: the CRL is without {serial}")
            found = invariants.violations(invariants.View(house))
            expect(not found, f"{point}: " + "; ".join(found[:5]))
        expect(house.stop() == 0, "it did not stop cleanly")


@tap.test
def recovery_killed_ten_times_converges():
    with House() as house:
        house.start()
        house.client_add("ci", "submit", "approve")
        csr = house.csr("www.fail.example")
        expect(house.stop() == 0, "stop")
        keys = strike(house, csr, "ledger.before_sign", "kill@2")
        house.wait_end()
        points = recovery_points()
        expect(points, "no failpoint in recovery")
        for n in range(10):
            point = points[n % len(points)]
            house.start(env={"CS_FAILPOINTS": f"{point}=kill"}, wait=False)
            status = house.wait_end()
            expect(status == 75, f"{point}: ended with {status}")
        house.start()
        settle(house, csr, keys)
        found = invariants.violations(invariants.View(house))
        expect(not found, "; ".join(found[:5]))
        expect(house.stop() == 0, "it did not stop cleanly")


sys.exit(tap.run())
