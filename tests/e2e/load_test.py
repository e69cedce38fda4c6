#!/usr/bin/env python3
"""Faults under load that do not kill: a stop, a frozen ledger, no descriptors.

D18, D19, D41 and L09. The ledger is frozen for FREEZE_SECONDS (4; the campaign's
case has 30).
"""
import json
import os
import resource
import signal
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants, raw  # noqa: E402
from tests.lib.house import House, Tap, expect  # noqa: E402

FREEZE = float(os.environ.get("FREEZE_SECONDS", "4"))
CLIENTS = 8
UNDER_WAY = 128  # base/limits.h, CS_MAX_IN_FLIGHT
GOOD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

tap = Tap()


class Load:
    """Clients that submit until told to stop, each request with a key."""

    def __init__(self, house, patience):
        self.house, self.patience = house, patience
        self.csrs = [house.csr(f"h{i}.load.example") for i in range(4)]
        self.until = threading.Event()
        self.lock = threading.Lock()
        self.statuses = {}  # how many of each
        self.lost = []      # (key, csr) without an answer
        self.threads = [threading.Thread(target=self.client, args=(i,))
                        for i in range(CLIENTS)]

    def note(self, status):
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1

    def client(self, number):
        n = 0
        while not self.until.is_set():
            n += 1
            key, csr = f"c{number}-{n}", self.csrs[n % len(self.csrs)]
            try:
                a = self.house.submit("ci", csr, key,
                                      timeout=self.patience)
            except (OSError, ssl.SSLError):
                a = None
            except Exception:  # http.client's own for half an answer
                a = None
            self.note(a.status if a else None)
            if a is None or not a.terminal:
                with self.lock:
                    self.lost.append((key, csr))
                time.sleep(0.02)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *exc):
        self.until.set()
        for t in self.threads:
            t.join()

    def settle(self):
        """Every key without an answer gets one, and the invariants hold."""
        for key, csr in self.lost:
            a = self.house.submit("ci", csr, key)
            expect(a.status == 201, f"{key}: {a.status} {a.body}")
        found = invariants.violations(invariants.View(self.house))
        expect(not found, "; ".join(found[:5]))
        serials = [r["serial"] for r in self.house.database().execute(
            "SELECT a.serial FROM attempt a JOIN outcome o USING (seq)"
            " WHERE o.signature IS NOT NULL")]
        expect(len(serials) == len(set(serials)), "a serial twice")


def opened():
    house = House()
    house.start()
    house.client_add("ci", "submit", "approve")
    return house


@tap.test
def D18_a_stop_under_load_finishes_what_came():
    house = opened()
    try:
        with Load(house, 20) as load:
            time.sleep(1)
            begun = time.monotonic()
            house.process.send_signal(signal.SIGTERM)
            status = house.wait_end()
            took = time.monotonic() - begun
        expect(status == 0, f"serve ended with {status}")
        expect(took < 10, f"it took {took:.1f} s")
        served = load.statuses.get(201, 0)
        print(f"# stopped in {took:.2f} s; {load.statuses}")
        expect(served > 50, f"no load: {load.statuses}")
        expect(set(load.statuses) <= {201, None},
               f"other answers: {load.statuses}")
        house.start()
        load.settle()
    finally:
        house.close()


@tap.test
def D19_a_frozen_ledger_gives_no_duplicate():
    house = opened()
    try:
        ledger = house.rooms()["cs-ledger"]
        with Load(house, 1) as load:
            time.sleep(0.5)
            os.kill(ledger, signal.SIGSTOP)
            # Who asks for nothing that is recorded is still served.
            until = time.monotonic() + FREEZE
            while time.monotonic() < until:
                status, _, _ = house.http("GET", "/healthz", timeout=2)
                expect(status == 200, f"/healthz: {status}")
                time.sleep(0.2)
            os.kill(ledger, signal.SIGCONT)
            time.sleep(1)
        print(f"# frozen for {FREEZE} s; {load.statuses}")
        expect(load.statuses.get(None, 0) > 0, "nobody ever waited in vain")
        expect(set(load.statuses) <= {201, 429, 503, None},
               f"other answers: {load.statuses}")
        expect(house.process.poll() is None, "the house has ended")
        load.settle()
        expect(house.rooms()["cs-ledger"] == ledger, "another ledger")
    finally:
        house.close()


@tap.test
def L09_what_is_too_much_is_told_to_come_back_and_the_rest_is_served():
    house = opened()
    try:
        tls = raw.Tls(house)
        ledger = house.rooms()["cs-ledger"]
        body = json.dumps({
            "csr": house.csr("www.load.example"), "duration": "1h",
            "conditions": [{"type": "Approved", "status": "True"}]}).encode()
        text = (b"POST /v1/requests HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\n"
                b"Authorization: Bearer " + house.tokens["ci"].encode() +
                b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        # Handshakes first: who waits for long is told to come back, too.
        peers = [tls.open(f"127.0.3.{1 + i // 50}") for i in range(150)]
        os.kill(ledger, signal.SIGSTOP)
        for p in peers:
            p.send(text)
        # Whoever is one too many hears it at once.
        early = [p.exchange(b"", 1, 5) for p in peers[-10:]]
        os.kill(ledger, signal.SIGCONT)
        for got in early:
            expect([a[0] for a in got] == [503], str(got))
        for p in peers:
            p.read(lambda p: p.answers())
        answers = [p.answers()[0] for p in peers if p.answers()]
        expect(len(answers) == len(peers), "some have no answer")
        busy = [a for a in answers if a[0] == 503]
        expect(sorted({a[0] for a in answers}) == [201, 503],
               f"other answers: {sorted({a[0] for a in answers})}")
        expect(len(busy) == 150 - UNDER_WAY, f"{len(busy)} were too many")
        for a in busy:
            expect(int(a[1]["retry-after"]) >= 1, str(a[1]))
            expect(json.loads(a[2])["code"] == "BUSY", str(a[2]))
        again = peers[-1].exchange(text)
        expect([a[0] for a in again] == [503, 201], "not served later")
        for p in peers:
            p.close()
    finally:
        house.close()


@tap.test
def D41_without_descriptors_the_doors_wait_and_open_again():
    house = opened()
    try:
        tls, plain = raw.Tls(house), raw.Plain(house)
        front = house.rooms()["cs-front"]
        kept = tls.open()
        expect(kept.exchange(GOOD)[-1][0] == 200, "not served")
        soft, hard = resource.prlimit(front, resource.RLIMIT_NOFILE)
        numbers = [int(n) for n in os.listdir(f"/proc/{front}/fd")]
        low = max(numbers) + 4
        resource.prlimit(front, resource.RLIMIT_NOFILE, (low, hard))
        crowd = [tls.connect(f"127.0.2.{i}") for i in range(1, 30)]
        # More than there is room for; who is there already is served.
        cpu = raw.cpu_ns(front)
        time.sleep(0.5)
        cpu = raw.cpu_ns(front) - cpu
        expect(cpu < 0.25e9, f"front spins: {cpu / 1e6:.0f} ms in 500")
        expect(kept.exchange(GOOD)[-1][0] == 200, "the old one is not served")
        for s in crowd:
            s.close()
        time.sleep(0.5)
        with tls.open() as p:
            expect(p.exchange(GOOD)[-1][0] == 200, "TLS: the door is shut")
        with plain.open() as p:
            expect(p.exchange(GOOD)[-1][0] == 200, "plain: the door is shut")
        kept.close()
        resource.prlimit(front, resource.RLIMIT_NOFILE, (soft, hard))
        a = house.submit("ci", house.csr("after.load.example"))
        expect(a.status == 201, f"{a.status} {a.body}")
    finally:
        house.close()


sys.exit(tap.run())
