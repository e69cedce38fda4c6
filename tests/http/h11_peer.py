#!/usr/bin/env python3
"""h11's word on the requests that ours accepted (tests/http/diff.c)."""
import sys

import h11


def samples(path):
    with open(path, "rb") as f:
        while line := f.readline():
            size, body, fields, minor, keep, method, target = line[:-1].split(
                b" ", 6)
            known = [f.readline()[:-1].split(b":", 1)
                     for _ in range(int(fields))]
            data = f.read(int(size))
            yield (data, int(body), minor, keep == b"1", method, target,
                   [(name.lower(), value) for name, value in known])


def read(data):
    """(Request, octets of the body); raises RemoteProtocolError."""
    c = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    c.receive_data(data)
    request, body = c.next_event(), 0
    if not isinstance(request, h11.Request):
        raise h11.RemoteProtocolError(f"{request!r}")
    while True:
        event = c.next_event()
        if isinstance(event, h11.Data):
            body += len(event.data)
        elif isinstance(event, h11.EndOfMessage):
            break
        else:
            raise h11.RemoteProtocolError(f"the body ends in {event!r}")
    rest, _ = c.trailing_data
    if rest:
        raise h11.RemoteProtocolError(f"{len(rest)} octets left")
    return request, body, c.their_state is not h11.MUST_CLOSE


def differences(sample):
    data, body, minor, keep, method, target, known = sample
    try:
        request, their_body, their_keep = read(data)
    except h11.RemoteProtocolError as e:
        yield str(e)
        return
    if request.method != method:
        yield "another method"
    if request.target != target:
        yield "another target"
    if request.http_version != b"1." + minor:
        yield "another version"
    if their_body != body:
        yield f"another body: {their_body}"
    for name, value in known:
        theirs = [v for n, v in request.headers if n == name]
        if theirs != [value]:
            yield f"another {name}: {theirs}"
    if keep and not their_keep:
        yield "it is the last one"


count = wrong = 0
for s in samples(sys.argv[1]):
    count += 1
    for d in differences(s):
        wrong += 1
        print(f"h11: {d}\n  request {s[0]!r}", file=sys.stderr)
    if wrong >= 20:
        break
print(f"h11 {h11.__version__}: {count} accepted requests, {wrong} otherwise")
sys.exit(1 if wrong or not count else 0)
