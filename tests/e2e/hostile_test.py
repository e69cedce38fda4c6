#!/usr/bin/env python3
"""Hostile HTTP, case by case, against all listeners of a running house.

Each case sends bytes that no honest client sends. What holds for all of them:
one answer with the status of the table, an end of the connection, nothing
read behind the refusal, and a next good request that is answered.
api/http_parse_test.c has most of them (and more of each kind) by the same
number, against the parser, with all ways to cut the bytes. The differential
run against other readers (H24) is `make check-http`.
"""
import concurrent.futures
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import http_probes, raw  # noqa: E402
from tests.lib.house import House, Tap, expect, free_port  # noqa: E402

tap = Tap()
house = House()
CLEAR = raw.Clear(free_port())
house.start(options=("--public-listen", f"127.0.0.1:{CLEAR.port}"))
token = house.client_add("ci", "submit", "approve", "audit")
PLAIN, TLS = raw.Plain(house), raw.Tls(house)
DOORS = (PLAIN, TLS, CLEAR)

HOST = b"Host: localhost\r\n"
GET = b"GET /healthz HTTP/1.1\r\n"
GOOD = GET + HOST + b"\r\n"
POST = b"POST /v1/requests HTTP/1.1\r\n" + HOST
LONG = b"x" * 9000


def post(*fields, body=b""):
    return POST + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + body


def get(*fields, line=b"GET /healthz HTTP/1.1", host=HOST):
    return line + b"\r\n" + host + b"".join(f + b"\r\n" for f in fields) + \
        b"\r\n"


def to(target):
    return get(line=b"GET " + target + b" HTTP/1.1")


def version(text):
    return get(line=b"GET /healthz" + text)


CHUNKED = b"Transfer-Encoding: chunked"
FIVE = b"Content-Length: 5"

# number, what it is, (status, bytes) of each variant: refused and closed
REFUSED = [
    ("H01", "a length and a transfer coding", [
        (501, post(FIVE, CHUNKED, body=b"0\r\n\r\n")),
        (501, post(CHUNKED, FIVE, body=b"0\r\n\r\n"))]),
    ("H02", "two lengths", [
        (400, post(FIVE, FIVE, body=b"hello")),
        (400, post(FIVE, b"Content-Length: 6", body=b"hello!"))]),
    ("H03", "a list of lengths", [
        (400, post(b"Content-Length: 5, 5", body=b"hello"))]),
    ("H04", "lengths that are no plain number", [
        (413 if len(n) == 20 else 400,
         post(b"Content-Length: " + n, body=b"hello"))
        for n in (b"+5", b"-0", b"0x5", b"5_", b"18446744073709551621", b"",
                  b"05")]),
    ("H05", "any transfer coding", [
        (501, post(b"Transfer-Encoding: " + v, body=b"0\r\n\r\n"))
        for v in (b"chunked", b"identity", b"gzip, chunked", b"xchunked",
                  b"", b"trailers")]),
    ("H06", "white space before a colon", [
        (400, get(b"X : y")), (400, get(b"X\t: y")),
        (400, post(b"Content-Length : 5", body=b"hello"))]),
    ("H07", "line ends that are none", [
        (400, GOOD.replace(b"\r\n", b"\n")),
        (400, get(b"X: a\nY: b")), (400, get(b"X: a\rY: b")),
        (400, GET + HOST + b"\n")]),
    ("H08", "NUL in a name, a value, a target", [
        (400, get(b"X\0Y: a")), (400, get(b"X: a\0b")), (400, to(b"/a\0b"))]),
    ("H09", "a folded field", [
        (400, get(b"X: a\r\n b")), (400, get(b"X: a\r\n\tb")),
        (400, post(b"Content-Length:\r\n 5", body=b"hello"))]),
    ("H10", "no Host, or two", [
        (400, get(host=b"")), (400, get(host=HOST + HOST)),
        (400, get(host=HOST + b"Host: other\r\n")),
        (400, get(host=b"Host:\r\n"))]),
    ("H11", "names that are none", [
        (400, get(b": a")), (400, get(b"X[]: a")), (400, get(b"X(: a")),
        (400, get(b"X\xc3\xa4: a")), (400, get(b"X: \xc3\xa4"))]),
    ("H12", "33 fields, a head of 8,193 octets, a path of 513", [
        (431, get(*[b"X: 1"] * 32)),
        (431, get(b"X: " + b"x" * (8193 - len(get(b"X: "))))),
        (414, to(b"/" + b"p" * 512))]),
    ("H13", "other versions", [
        (400, b"GET /healthz\r\n"), (505, version(b" HTTP/0.9")),
        (505, version(b" HTTP/1.9")), (505, version(b" HTTP/2.0")),
        (400, version(b" HTTP/-1.1")), (400, version(b" HTTP/1.1 "))]),
    ("H14", "the preface of HTTP/2", [
        (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]),
    ("H15", "targets in absolute, authority and asterisk form", [
        (400, to(b"http://localhost/healthz")), (400, to(b"localhost:443")),
        (400, to(b"*"))]),
    ("H16", "paths with escapes and bytes above 0x7F", [
        (404, to(b"/%2e%2e/healthz")), (404, to(b"/healthz%00")),
        (400, to(b"/\xc3\xa4"))]),
    ("H19", "methods that are not implemented", [
        (501, get(line=m + b" /healthz HTTP/1.1"))
        for m in (b"get", b"BREW", b"TRACE", b"OPTIONS")] + [
        (501, b"CONNECT localhost:443 HTTP/1.1\r\n" + HOST + b"\r\n")]),
]


def good(door):
    """The next good request succeeds."""
    with door.open() as p:
        status = [a[0] for a in p.exchange(GOOD)]
        expect(status == [200], f"{door.name}: a good request got {status}")


def refused(door, status, data):
    """One answer with this status, the end, and nothing read behind it."""
    with door.open() as p:
        p.send(data + GOOD)
        p.read(lambda p: False)
        got = [a[0] for a in p.answers()]
        where = f"{door.name}: {data[:60]!r}"
        expect(got == [status], f"{where}: {got}, not [{status}]")
        expect(p.ended, f"{where}: not closed")
        head = p.answers()[0][1]
        expect(head.get("connection") == "close", f"{where}: {head}")
        expect(head["content-type"] == "application/problem+json", head)
        problem = json.loads(p.answers()[0][2])
        expect(problem["status"] == status, problem)


def add(number, name, function):
    function.__name__ = f"{number} {name}"
    tap.test(function)


def table_case(variants):
    def case():
        for door in DOORS:
            for status, data in variants:
                refused(door, status, data)
            good(door)
    return case


for number_, name_, variants_ in REFUSED:
    add(number_, name_, table_case(variants_))


def rows():
    db = house.database()
    return db.execute("SELECT count(*) FROM request").fetchone()[0]


def routed():
    """No path is normalised on its way to its route."""
    for door in DOORS:
        for path in (b"//healthz", b"/healthz;x", b"/a/../healthz",
                     b"/./healthz", b"/healthz/", b"/HEALTHZ", b"/"):
            with door.open() as p:
                got = [a[0] for a in p.exchange(to(path))]
                expect(got == [404], f"{door.name} {path!r}: {got}")


def around():
    """An empty line first is refused; behind a body a request of its own."""
    body = b'{"csr":""}'
    whole = post(b"Content-Length: %d" % len(body), body=body)
    for door in DOORS:
        # The local administrator is let in, and refused for the media type;
        # in clear text there is no such route.
        first = {PLAIN: 415, TLS: 401, CLEAR: 404}[door]
        refused(door, 400, b"\r\n")
        with door.open() as p:
            got = [a[0] for a in p.exchange(whole + b"garbage\r\n\r\n", 2)]
            expect(got == [first, 400], f"{door.name}: {got}")
            expect(p.is_closed(), f"{door.name}: not closed")
        with door.open() as p:
            got = [a[0] for a in p.exchange(whole + GOOD, 2)]
            expect(got == [first, 200], f"{door.name}: {got}")


def pipelined():
    """100 in one piece: in order. Without end and unread: bounded."""
    paths = [b"/healthz" if i % 3 else b"/none" for i in range(100)]
    data = b"".join(to(p) for p in paths)
    for door in DOORS:
        with door.open() as p:
            got = [a[0] for a in p.exchange(data, 100)]
            expect(got == [200 if i % 3 else 404 for i in range(100)],
                   f"{door.name}: {got}")
    front = house.rooms()["cs-front"]
    before = raw.rss_kib(front)
    peers = [PLAIN.open() for _ in range(20)]
    for p in peers:
        p.sock.settimeout(0.02)
        while p.send(GOOD * 100):
            pass
    grown = raw.rss_kib(front) - before
    for p in peers:
        p.close()
    expect(grown < 20 * 64 + 1024, f"front grew by {grown} KiB")
    good(PLAIN)


def expected():
    """Refused before the body is asked for."""
    big = post(b"Expect: 100-continue", b"Content-Length: 65537")
    for door in DOORS:
        refused(door, 413, big)
        refused(door, 417, post(b"Expect: 101-x", FIVE))


def bodies():
    """Too large: refused. Too short: an abort, and nothing is recorded."""
    before = rows()
    body = json.dumps({"csr": house.csr("short.example")}).encode()
    auth = b"Authorization: Bearer " + token.encode()
    whole = post(auth, b"Content-Type: application/json",
                 b"Content-Length: %d" % len(body), body=body)
    for door in DOORS:
        refused(door, 413, post(b"Content-Length: 65537"))
        with door.open() as p:
            p.send(whole[:-1])
            p.half_close()
            expect(p.is_closed(), f"{door.name}: {p.got[:80]!r}")
    expect(rows() == before, "a part of a request was recorded")
    # A control: the same bytes, whole, are recorded.
    with TLS.open() as p:
        got = [a[0] for a in p.exchange(whole)]
        expect(got == [202], str(got))
    expect(rows() == before + 1, "the control was not recorded")


HELLO = (b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + b"\x11" * 32 +
         b"\x20" + b"\x22" * 32 + b"\x00\x02\x13\x01\x01\x00" + b"\x00" * 125)


def crossed():
    """A ClientHello on the plain listener, plain HTTP on the one with TLS."""
    refused(PLAIN, 400, HELLO)
    p = raw.Peer(TLS.connect())
    p.send(GOOD)
    p.read(lambda p: False)
    p.close()
    expect(p.ended, "plain HTTP on the TLS port was not closed")
    expect(b"HTTP/" not in p.got, f"it was answered: {p.got[:80]!r}")
    good(TLS)


def outcome(door, steps, ends):
    """What a probe's steps come to, as http_probes.py writes it."""
    found = []
    with door.open() as p:
        for i, data in enumerate(steps):
            p.send(data)
            if ends:
                p.half_close()
            head = data.startswith(b"HEAD ")
            before = len(p.answers()) if not head else 0
            p.read(lambda p: len(raw.split(p.got, (0,) if head else ())[0])
                   > before)
            got = raw.split(p.got, (0,) if head else ())[0]
            if len(got) <= before:
                break
            found.append(str(got[-1][0]))
            closes = got[-1][1].get("connection") == "close"
            found[-1] += "-" if closes else "+"
            if closes:
                break
        if not found or found[-1].endswith("-"):
            # Nothing more is answered, whatever is sent.
            n = len(found)
            p.send(GOOD)
            p.read(lambda p: False)
            expect(p.ended, f"{door.name}: not closed")
            expect(len(p.answers()) <= max(n, 1),
                   f"{door.name}: {len(p.answers())} answers")
    return " ".join(found) or "-"


def probe(row):
    """One row at each door; a sentence if it is not as it says."""
    name, allowed, ours, steps, *why = row
    for door in DOORS:
        got = outcome(door, steps, ours == "-")
        if got != ours:
            return f"{name} over {door.name}: {got}, not {ours}"
    if http_probes.allows(allowed, ours) != (not why):
        return f"{name}: {ours} needs a reason, or has one too many"
    return None


def probes():
    """All 215; where we differ from the list there is a reason."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        wrong = [w for w in pool.map(probe, http_probes.PROBES) if w]
    expect(not wrong, "\n".join(wrong))
    expect(len({p[0] for p in http_probes.PROBES}) == 215, "not all 215")
    differ = sum(len(p) == 5 for p in http_probes.PROBES)
    print(f"# 215 probes at three listeners: {215 - differ} as the list wants,"
          f" {differ} stricter, with a reason")


def unterminated():
    """A line without an end: refused at 8 KiB, whatever is still sent."""
    front = house.rooms()["cs-front"]
    for door in DOORS:
        good(door)
        memory, cpu = raw.rss_kib(front), raw.cpu_ns(front)
        with door.open() as p:
            p.send(GET + b"X: ")
            piece, sent = b"a" * 65536, 0
            while sent < 1 << 30 and p.send(piece):
                sent += len(piece)
            p.read(lambda p: False)
            cpu = raw.cpu_ns(front) - cpu
            grown = raw.rss_kib(front) - memory
        expect(sent < 8 << 20, f"{door.name}: took {sent} octets")
        expect(p.ended, f"{door.name}: not closed")
        print(f"# {door.name}: {sent} of 2^30 octets before the end; "
              f"{cpu / 1e6:.2f} ms of CPU, {grown} KiB")
        expect(grown < 1024, f"{door.name}: front grew by {grown} KiB")
        expect(cpu < 10e6, f"{door.name}: {cpu / 1e6:.1f} ms of CPU")


add("H16b", "paths are matched as they are", routed)
add("H17", "bytes around a request", around)
add("H18", "pipelines", pipelined)
add("H20", "expectations that cannot be met", expected)
add("H21", "bodies too large and too short", bodies)
add("H22", "one protocol at the other's listener", crossed)
add("H23", "the cases of Http11Probe", probes)
add("H25", "a line of a gibibyte", unterminated)

status = tap.run()
house.close()
sys.exit(status)
