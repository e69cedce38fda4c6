#!/usr/bin/env python3
"""Slow, idle and greedy clients against a running house.

The load cases by number, small enough for every run; `make bench-slow` has
the first one with 10,000 and 3,000 connections and its figures. All that wait
for a deadline of the server wait side by side.
"""
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import raw  # noqa: E402
from tests.lib.house import COUNTERSIGN, House, Tap, expect  # noqa: E402

SLOW = os.path.join(os.path.dirname(os.path.abspath(COUNTERSIGN)), "tests",
                    "bench", "slow")
CONNECTIONS = 40

tap = Tap()
house = House()
house.start()
token = house.client_add("good", "submit", "approve", "audit")
PLAIN, TLS = raw.Plain(house), raw.Tls(house)
GOOD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def limited():
    """A house with few places."""
    h = House()
    path = os.path.join(h.dir, "countersign.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    changed = text.replace("connections: 16384",
                           f"connections: {CONNECTIONS}")
    expect(changed != text, "the configuration has no such limit")
    with open(path, "w", encoding="utf-8") as f:
        f.write(changed)
    h.start()
    return h


def rows(client):
    return house.database().execute(
        "SELECT count(*) FROM request JOIN client ON client.id = "
        "request.client WHERE client.name = ?", (client,)).fetchone()[0]


def statuses(p):
    return [a[0] for a in p.answers()]


class Job(threading.Thread):
    """A case that waits; its verdict comes with result()."""

    def __init__(self, function, *args):
        super().__init__(daemon=True)
        self.function, self.args = function, args
        self.error = self.value = None
        self.start()

    def run(self):
        try:
            self.value = self.function(*self.args)
        except Exception as e:  # told by result()
            self.error = e

    def result(self):
        self.join()
        if self.error:
            raise self.error
        return self.value


def crowd(*phase):
    """tests/bench/slow beside a good client; its output."""
    front = house.rooms()["cs-front"]
    done = subprocess.run(
        [SLOW, "127.0.0.1", str(house.port),
         os.path.join(house.dir, "root.pem"), token, str(front), "1000", "0",
         *map(str, phase)], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def drip(door):
    """One octet of a body a second: (seconds until the end, statuses)."""
    with door.open() as p:
        p.send(b"POST /v1/requests HTTP/1.1\r\nHost: localhost\r\n"
               b"Content-Length: 60\r\n\r\n")
        start = time.monotonic()
        while not p.ended and time.monotonic() - start < 14:
            p.send(b"{")
            p.read(lambda p: False, 1)
        return time.monotonic() - start, statuses(p)


def sip(path):
    """One octet of a large answer a second: seconds until it is cut."""
    s = socket.socket(socket.AF_UNIX)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    s.connect(path)
    s.sendall(f"GET {LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    start = time.monotonic()
    while time.monotonic() - start < 16:
        time.sleep(1)
        # Whoever is cut finds it out by a write, or by what it can read.
        try:
            s.send(b"G")
        except OSError:
            break
        s.recv(1)
    s.close()
    return time.monotonic() - start


# Something that is larger than what a socket holds for a slow reader, and of
# one size: a page of a list ends early on a busy machine.
CSR = house.csr(*[f"{'n' * 50}{i}.a.example" for i in range(40)])
for _ in range(130):
    house.submit("good", CSR)
LARGE = "/tile/entries/000.p/130"
SIZE = len(house.http("GET", LARGE, token=token)[2])

jobs = {door.name: Job(drip, door) for door in (PLAIN, TLS)}
jobs["sip"] = Job(sip, PLAIN.path)
jobs["both"] = Job(crowd, "both", 500, 150, 8)


@tap.test
def L04_who_is_idle_makes_room():
    h = limited()
    try:
        door = raw.Tls(h)
        idle = [door.open() for _ in range(3)]
        for p in idle:
            expect(p.exchange(GOOD)[0][0] == 200, "not served")
        crowd_ = [door.connect("127.0.0.9") for _ in range(CONNECTIONS - 3)]
        with door.open() as good:
            expect(good.exchange(GOOD)[0][0] == 200, "no place")
        expect(idle[0].is_closed(), "the oldest idle one was kept")
        expect(not idle[1].is_closed(0.1), "more than one was dropped")
        for p in idle:
            p.close()
        # All places to those who say nothing; their grace is a second.
        crowd_ += [door.connect("127.0.0.9") for _ in range(6)]
        time.sleep(1.1)
        with door.open() as good:
            expect(good.exchange(GOOD)[0][0] == 200, "kept out by silence")
        crowd_[0].settimeout(1)
        expect(crowd_[0].recv(1) == b"", "the oldest silent one was kept")
        for s in crowd_:
            s.close()
        front = h.rooms()["cs-front"]
        expect(len(os.listdir(f"/proc/{front}/fd")) < CONNECTIONS + 64,
               "more descriptors than connections")
    finally:
        h.close()


def alert(hello):
    """What the listener says to a ClientHello: the alert's description."""
    s = TLS.connect()
    s.sendall(hello)
    got = s.recv(100)
    while len(got) < 7:
        more = s.recv(100)
        if not more:
            break
        got += more
    s.close()
    expect(got[:1] == b"\x15" and got[5:6] == b"\x02",
           f"no fatal alert but {got!r}")
    return got[6]


def hello(version, suites):
    """A ClientHello of that version with these cipher suites only."""
    body = version + b"\x33" * 32 + b"\x00"
    body += (len(suites) * 2).to_bytes(2, "big")
    body += b"".join(n.to_bytes(2, "big") for n in suites) + b"\x01\x00"
    shake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(shake).to_bytes(2, "big") + shake


@tap.test
def L06_old_versions_and_weak_ciphers_get_an_alert():
    good = [0xC02B, 0xC02F]
    protocol_version, handshake_failure = 70, 40
    for version in (b"\x03\x00", b"\x03\x01", b"\x03\x02"):
        got = alert(hello(version, good))
        # For SSL 3 OpenSSL has the alert that SSL 3 knows.
        expect(got in (protocol_version, handshake_failure)
               if version == b"\x03\x00" else got == protocol_version,
               f"{version!r}: alert {got}")
    # NULL, export, RC4, 3DES, CBC without forward secrecy.
    for suite in (0x0001, 0x003B, 0x0003, 0x0005, 0x000A, 0x002F, 0xC006):
        got = alert(hello(b"\x03\x03", [suite]))
        expect(got == handshake_failure, f"{suite:#x}: alert {got}")
    # Renegotiation: refuses_to_renegotiate in api/server_tls_test.c.


@tap.test
def a_hello_may_come_octet_by_octet():
    """RFC 8446 5.1: a record is whole when its length has come."""

    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = TLS.context.wrap_bio(incoming, outgoing,
                               server_hostname="127.0.0.1")
    s = TLS.connect()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            for octet in outgoing.read():
                s.send(bytes([octet]))
            incoming.write(s.recv(65536))
    tls.write(GOOD)
    s.sendall(outgoing.read())
    while True:
        try:
            got = tls.read(100)
            break
        except ssl.SSLWantReadError:
            incoming.write(s.recv(65536))
    s.close()
    expect(got.startswith(b"HTTP/1.1 200 OK"), repr(got))


@tap.test
def L08_a_body_that_ends_with_the_tcp_connection_is_no_body():
    cutter = house.client_add("cutter", "submit")
    body = b'{"csr":"x"}'
    with TLS.open() as p:
        p.send(b"POST /v1/requests HTTP/1.1\r\nHost: localhost\r\n"
               b"Authorization: Bearer " + cutter.encode() + b"\r\n"
               b"Content-Type: application/json\r\n"
               b"Content-Length: 4000\r\n\r\n" + body)
        # FIN of TCP, and no close_notify before it.
        socket.socket.shutdown(p.sock, socket.SHUT_WR)
        expect(p.is_closed(), f"answered: {p.got[:80]!r}")
    expect(rows("cutter") == 0, "it was recorded")
    expect(rows("good") > 0, "the look is blind")


@tap.test
def L02_a_slow_body_is_cut_after_ten_seconds():
    for name in ("plain", "TLS"):
        seconds, got = jobs[name].result()
        expect(9 < seconds < 12.5, f"{name}: ended after {seconds:.1f} s")
        expect(got == [408], f"{name}: {got}")


@tap.test
def L03_a_slow_reader_is_cut_after_ten_seconds():
    expect(SIZE > 230000, f"the answer has only {SIZE} octets")
    seconds = jobs["sip"].result()
    expect(9 < seconds < 13, f"cut after {seconds:.1f} s")


@tap.test
def L01_slow_clients_leave_a_good_one_alone():
    status, out = jobs["both"].result()
    for line in out.splitlines():
        print("#", line)
    expect(status == 0, f"exit {status}: {out}")


@tap.test
def L05_handshakes_for_nothing_leave_a_good_client_alone():
    status, out = crowd("shakes", 200, 2)
    for line in out.splitlines():
        print("#", line)
    expect(status == 0, f"exit {status}: {out}")


status = tap.run()
house.close()
sys.exit(status)
