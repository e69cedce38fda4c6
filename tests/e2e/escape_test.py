#!/usr/bin/env python3
"""X01: text from outside never moves a cursor, ends a line or hides itself.

Names with CR, LF, ESC, NUL and marks that turn the direction of writing, in
CSRs, fields, User-Agent and paths: refused where they may not stand, escaped
in the log of the program, in what the API gives and in what the commands
print.
"""
import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import raw  # noqa: E402
from tests.lib.house import House, Tap, expect  # noqa: E402

VECTORS = os.path.join(os.path.dirname(__file__), "..", "vectors", "csr")
RTL = "\u202e"
EVIL = f"a\x1b[2J{RTL}gpj.exe"

tap = Tap()
house = House()
house.start()
house.client_add("ci", "submit", "approve")
house.client_add("portal", "submit", "approve", "gateway")
house.client_add("auditor", "audit")


def vector(name):
    """A request of the corpus, as PEM."""
    with open(os.path.join(VECTORS, name + ".der"), "rb") as f:
        text = base64.encodebytes(f.read()).decode()
    return (f"-----BEGIN CERTIFICATE REQUEST-----\n{text}"
            "-----END CERTIFICATE REQUEST-----\n")


def controls(text, lines=True):
    """The characters in text that a terminal would obey."""
    return sorted({c for c in text
                   if (ord(c) < 0x20 and not (lines and c == "\n"))
                   or 0x7f <= ord(c) < 0xa0
                   or c in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
                   "\u2066\u2067\u2068\u2069\u2028\u2029"})


# What was recorded: refused CSRs, and what a gateway says of people.
SENT = [house.submit("ci", csr) for csr in (
    vector("cn-newline"), vector("cn-nul"), vector("san-uri-crlf"),
    vector("san-dns-nul"), vector("cn-invalid-utf8"),
    house.csr("www.a.example", subject=f"/CN={EVIL}"),
    house.csr(f"URI:https://a.example/{RTL}x", subject="/"),
)]
SENT.append(house.submit(
    "portal", house.csr("www.b.example"),
    requester={"username": f"eve{RTL}nimda", "groups": [f"g{RTL}"]},
    owner=f"crew{RTL}", attributes={"note": f"n{RTL}"}))
WAITS = house.submit("ci", house.csr("www.c.example"), approved=False)


@tap.test
def csrs_with_such_names_are_refused_and_shown_escaped():
    for a in SENT[:-1]:
        expect(a.status in (400, 422), f"{a.status} {a.body}")
        text = a.body.decode()
        # As JSON: whoever shows a value of it has to escape it again.
        expect(not controls(text.replace(RTL, ""), lines=False),
               f"{controls(text)} in {text}")
        json.loads(text)


@tap.test
def fields_with_control_characters_are_refused():
    for field in ({"owner": EVIL}, {"namespace": "a\r\nb"},
                  {"requester": "a\x00b"}, {"attributes": {"a": "\x7f"}},
                  {"requester": {"username": "a\x9bb"}}):
        a = house.submit("portal", house.csr("www.a.example"), **field)
        expect(a.status == 400, f"{field}: {a.status} {a.body}")
        expect(not controls(a.json["detail"].replace(RTL, "")), a.body)


@tap.test
def a_user_agent_or_path_with_such_octets_is_no_http():
    doors = (raw.Plain(house), raw.Tls(house))
    for door in doors:
        for head in (b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
                     b"User-Agent: a\x1b[2Jb\r\n\r\n",
                     b"GET /v1/\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET /v1/\xe2\x80\xae HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET /v1/a\rb HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
                     b"User-Agent: a\0b\r\n\r\n"):
            with door.open() as p:
                got = [a[0] for a in p.exchange(head)]
                expect(got == [400], f"{door.name} {head!r}: {got}")
                expect(not controls(p.answers()[0][2].decode()),
                       "its problem holds them")
        # What is visible is refused as a path, and may reach the log.
        with door.open() as p:
            got = [a[0] for a in p.exchange(
                b"GET /v1/audit/%0d%0a%1b[2J HTTP/1.1\r\nHost: a\r\n"
                b"User-Agent: %0d%0aSet-Cookie:x\r\n\r\n")]
            expect(got == [404], f"{door.name}: {got}")


@tap.test
def an_idempotency_key_cannot_break_out_of_its_header():
    with raw.Tls(house).open() as p:
        got = p.exchange(
            b"POST /v1/requests HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
            b"Authorization: Bearer " + house.tokens["ci"].encode() +
            b"\r\nIdempotency-Key: a\tb\r\n"
            b"Content-Type: application/json\r\n\r\n{}")
        expect(got[0][0] == 400, str(got))


@tap.test
def no_command_prints_them():
    ids = [a.json["id"] for a in SENT if a.status in (201, 422)]
    expect(len(ids) > 3, "nothing to show")
    commands = [("audit", "list"), ("request", "list"), ("client", "list"),
                ("audit", "list", "-o", "ndjson"), ("policy", "log")]
    commands += [("request", "show", i) for i in ids + [WAITS.json["id"]]]
    commands += [("audit", "show", str(i)) for i in range(3, 12)]
    for c in commands:
        out = house.cli(*c, check=False)
        found = controls(out.stdout + out.stderr)
        if "-o" in c:
            # For programs: text as it is, but no control characters.
            found = [f for f in found if ord(f) < 0xa0 and f != "\r"]
        expect(not found, f"{' '.join(c)}: {found}")
        expect(out.returncode in (0, 1), f"{' '.join(c)}: {out.stderr}")


@tap.test
def the_api_gives_no_control_characters():
    for path in ("/v1/audit?limit=100", "/v1/requests?limit=100"):
        for accept in ("application/json", "application/x-ndjson",
                       "text/csv"):
            status, _, body = house.http(
                "GET", path, token=house.tokens["auditor"],
                headers={"Accept": accept})
            if path.startswith("/v1/requests") and status == 403:
                continue
            expect(status == 200, f"{path} {accept}: {status} {body}")
            found = [c for c in controls(body.decode())
                     if ord(c) < 0xa0 and c != "\r"]
            expect(not found, f"{path} {accept}: {found}")
    rows = json.loads(house.http("GET", "/v1/audit?limit=100",
                                 token=house.tokens["auditor"])[2])["items"]
    expect(RTL in json.dumps(rows, ensure_ascii=False),
           "the look is blind: no such text was recorded")


@tap.test
def the_log_of_the_program_has_none():
    text = house.log_text()
    expect(text.count("\n") > 3, "the log is empty")
    expect(not controls(text), f"{controls(text)} in the log")
    for line in text.splitlines():
        if line.startswith("{"):
            json.loads(line)


status = tap.run()
house.close()
sys.exit(status)
