#!/usr/bin/env python3
"""The program's own log: strict lines, no secrets, and nobody waits for it."""
import base64
import fcntl
import json
import os
import socket
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect  # noqa: E402

tap = Tap()
house = House()
HOSTILE = "evil\r\nX: \x1b[2J\u202e\u0000\x9b"
MEMBERS = {"at", "code", "dropped", "event", "fields", "level", "message",
           "pid", "place", "room", "suppressed"}


def level(word):
    path = os.path.join(house.dir, "countersign.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    before = next(line for line in text.split("\n")
                  if line.startswith("log_level: "))
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(before, f"log_level: {word}"))


def lines():
    """Each line of the log as JSON; what is none is an error."""
    found = []
    for line in house.log_text().split("\n")[:-1]:
        expect(all(0x20 <= ord(c) < 0x7f for c in line), f"raw: {line!r}")
        found.append(json.loads(line))
        expect(set(found[-1]) <= MEMBERS and
               {"at", "event", "level", "message", "pid", "room"} <=
               set(found[-1]), line)
    return found


def raw(data):
    """Bytes as they are to the listener; what it answers."""
    context = ssl.create_default_context(
        cafile=os.path.join(house.dir, "root.pem"))
    with socket.create_connection(("127.0.0.1", house.port), 10) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as s:
            s.sendall(data)
            got = b""
            try:
                while part := s.recv(4096):
                    got += part
            except OSError:
                pass
    return got


level("debug")
house.start()
house.client_add("ci", "submit", "approve")
CSR = house.csr("www.log.example")


@tap.test
def what_strangers_send_cannot_forge_a_line():
    house.http("GET", "/x")
    house.http("GET", "/y", headers={"User-Agent": "a\x1b[2J b"})
    raw(b"GET /" + HOSTILE.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    raw(b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: \x1b]0;x\x07\r\n\r\n")
    evil = house.csr("www.log.example",
                     subject="/CN=" + "evil\r\n\x1b[2J\u202e")
    house.submit("ci", evil, "evil")
    house.submit("ci", "-----BEGIN " + HOSTILE, "pem")
    house.http("GET", "/v1/status", token=HOSTILE.encode("ascii", "replace")
               .decode().replace("\r", "").replace("\n", ""))
    house.stop()
    found = lines()
    expect(any(line["event"] == "http.request" and
               line["fields"]["path"] == "/x" for line in found), "no debug")
    house.start()


@tap.test
def a_flood_is_limited_and_counted():
    before = len(lines())
    junk = b"X-Junk: " + b"j" * 2000 + b"\r\n"
    sent = 0
    context = ssl.create_default_context(
        cafile=os.path.join(house.dir, "root.pem"))
    while sent < 10_000_000:
        with socket.create_connection(("127.0.0.1", house.port), 10) as p:
            with context.wrap_socket(p, server_hostname="127.0.0.1") as s:
                head = b"GET /flood HTTP/1.1\r\nHost: x\r\n" + junk * 3 + \
                    b"\r\n"
                try:
                    for _ in range(400):
                        s.sendall(head)
                        sent += len(head)
                        s.recv(4096)
                except OSError:
                    pass
    wrote = len(lines()) - before
    expect(wrote <= 2 * 2000 + 50, f"{wrote} lines of {sent} bytes")
    expect(house.submit("ci", CSR, "flooded").status == 201, "issuing")


@tap.test
def no_secret_is_ever_a_word_of_it():
    token = house.client_add("secretive", "submit")
    house.http("GET", "/v1/requests", token=token)
    house.http("GET", "/v1/requests", token=token[:-1] + "x")
    house.http("GET", f"/v1/requests?token={token}")
    house.submit("ci", CSR, "secret")
    with open(os.path.join(house.dir, "issuers/default/key.pem"),
              encoding="ascii") as f:
        key = f.read().split("\n")[1:-2]
    secrets = [token.split("_")[2], house.tokens["ci"].split("_")[2], *key]
    places = {"log": house.log_text()}
    for name, pid in {**house.rooms(), "parent": house.process.pid}.items():
        for what in ("environ", "cmdline"):
            with open(f"/proc/{pid}/{what}", "rb") as f:
                places[f"{name} {what}"] = f.read().decode(errors="replace")
    for where, text in places.items():
        for secret in secrets:
            expect(secret not in text, f"a secret in {where}")
            plain = base64.b64encode(secret.encode()).decode()
            expect(plain not in text, f"a secret in {where}, as base64")


def on_pipe(after_start):
    """A house whose log goes into a pipe; it must go on whatever happens."""
    expect(house.stop() == 0, "stop")
    reads, writes = os.pipe()
    kept, house.log = house.log, os.fdopen(writes, "wb")
    house.start()
    house.log.close()
    house.log = kept
    after_start(reads)
    for i in range(30):
        expect(house.submit("ci", CSR, f"{after_start.__name__}-{i}").status
               == 201, "issuing")
        house.http("GET", "/nothing" + "x" * 400)
    metrics = house.cli("status").stdout
    expect("ISSUING" in metrics, metrics)
    return reads


@tap.test
def nobody_reads_the_pipe_and_the_house_goes_on():
    def full(reads):
        fcntl.fcntl(reads, fcntl.F_SETPIPE_SZ, 4096)
    reads = on_pipe(full)
    os.set_blocking(reads, False)
    text = os.read(reads, 65536)
    expect(b"house.ready" in text or b"http.request" in text, text)
    end = time.monotonic() + 10
    found = b""
    while b'"dropped":' not in found:
        expect(time.monotonic() < end, "what was dropped is never told")
        house.http("GET", "/again")
        try:
            found += os.read(reads, 65536)
        except BlockingIOError:
            time.sleep(0.05)
    os.close(reads)


@tap.test
def the_pipes_reader_goes_and_the_house_goes_on():
    reads = on_pipe(os.close)
    expect(reads >= 0 and house.stop() == 0, "it did not stop cleanly")
    level("error")
    house.start()
    before = house.log_text().count("http.request")
    house.http("GET", "/quiet")
    expect(house.log_text().count("http.request") == before, "not quiet")


status = tap.run()
house.close()
sys.exit(status)
