#!/usr/bin/env python3
"""kill -9 of a random process at random times under load, many rounds.

Clients submit, and revoke some of what they were issued.

After each kill: a worker's death is survived without a restart, any other
ends the house, which is started again and recovers. Then every key whose
answer was lost is sent again, and the invariants are checked. Rounds:
KILL_ROUNDS (default 20, the gate runs 200); SEED makes a run repeatable.
"""
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import House, Tap, expect  # noqa: E402

ROUNDS = int(os.environ.get("KILL_ROUNDS", "20"))
SEED = int(os.environ.get("SEED", str(time.time_ns() % 1000000)))
CLIENTS = 4
CHECK_EVERY = 20

tap = Tap()


class Load:
    """Clients that submit until told to stop; lost answers are sent again."""

    def __init__(self, house, csrs):
        self.house = house
        self.csrs = csrs
        self.sent = 0
        self.lock = threading.Lock()
        self.lost = []
        self.unsaid = []

    def next_key(self):
        with self.lock:
            self.sent += 1
            return f"key-{self.sent}"

    def one(self, key, csr):
        """Submit once; the answer if it was a terminal one."""
        try:
            a = self.house.submit("ci", csr, key)
        except OSError:
            return None
        except Exception:  # http.client's own for half an answer
            return None
        return a if a.terminal else None

    def revoke(self, serial, reason):
        """Revoke once; False: no answer came."""
        try:
            return self.house.revoke("ci", serial, reason)[0] == 200
        except Exception:
            return False

    def revoke_some(self, answer):
        """One of six certificates is revoked as soon as it is there."""
        if answer.status != 201 or random.randrange(6) > 0:
            return
        serial = answer.json["serial"]
        reason = random.choice(("affiliationChanged", "superseded", "unspecified"))
        if not self.revoke(serial, reason):
            with self.lock:
                self.unsaid.append((serial, reason))

    def client(self, until):
        while not until.is_set():
            key = self.next_key()
            csr = random.choice(self.csrs)
            answer = self.one(key, csr)
            if answer is not None:
                self.revoke_some(answer)
                continue
            with self.lock:
                self.lost.append((key, csr))
            time.sleep(0.005)

    def run_for(self, kill):
        """Load until `kill` has been called; then stop."""
        until = threading.Event()
        threads = [threading.Thread(target=self.client, args=(until,))
                   for _ in range(CLIENTS)]
        for t in threads:
            t.start()
        try:
            kill()
        finally:
            until.set()
            for t in threads:
                t.join()

    def settle(self):
        """Send every lost key again until each has its answer."""
        end = time.monotonic() + 30
        while self.lost:
            key, csr = self.lost.pop()
            while self.one(key, csr) is None:
                expect(time.monotonic() < end, f"{key} gets no answer")
                time.sleep(0.02)
        while self.unsaid:
            serial, reason = self.unsaid.pop()
            while not self.revoke(serial, reason):
                expect(time.monotonic() < end, f"{serial} is not revoked")
                time.sleep(0.02)


def kill_one(house):
    """Kill -9 a random process; its name."""
    time.sleep(random.uniform(0.02, 0.2))
    rooms = house.rooms()
    rooms["parent"] = house.process.pid
    name = random.choice(sorted(rooms))
    os.kill(rooms[name], 9)
    if "worker" in name:
        time.sleep(0.05)
        expect(house.process.poll() is None, "a worker's death ended it all")
        return name
    status = house.wait_end()
    expect(status == (-9 if name == "parent" else 75),
           f"{name} was killed, serve ended with {status}")
    house.start()
    return name


@tap.test
def kill_9_at_random_times_loses_nothing():
    random.seed(SEED)
    print(f"# {ROUNDS} rounds, SEED={SEED}")
    killed = {}
    with House() as house:
        house.start()
        house.client_add("ci", "submit", "approve", "revoke")
        csrs = [house.csr(f"host{i}.kill.example") for i in range(8)]
        load = Load(house, csrs)
        for n in range(1, ROUNDS + 1):
            def kill():
                name = kill_one(house).split("#")[0]
                killed[name] = killed.get(name, 0) + 1
            load.run_for(kill)
            load.settle()
            if n % CHECK_EVERY == 0 or n == ROUNDS:
                found = invariants.violations(invariants.View(house))
                expect(not found, f"round {n}: " + "; ".join(found[:5]))
        replay(house, csrs)
        expect(house.stop() == 0, "it did not stop cleanly")
        issued = sum(a.status == 201 for a in house.answers)
        view = invariants.View(house)
        abandoned = view.all("SELECT count(*) c FROM outcome"
                             " WHERE signature IS NULL")[0]["c"]
        print(f"# killed {killed}; {load.sent} requests, {issued} answers "
              f"with a certificate, {abandoned} attempts abandoned, "
              f"{len(house.revoked_before)} revoked")


def replay(house, csrs):
    """Old keys again: the same bytes as the first time."""
    kept = [a for a in house.answers if a.status == 201][-50:]
    for a in kept:
        csr = next(c for c in csrs if True)
        for csr in csrs:
            again = house.submit("ci", csr, a.key[1])
            if again.status != 409:
                break
        expect(again.body == a.body, f"{a.key[1]} was answered differently")


sys.exit(tap.run())
