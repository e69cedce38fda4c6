#!/usr/bin/env python3
"""schemathesis against /openapi.json: over TLS, and over the Unix socket.

Usage: check_api.py SCHEMATHESIS [EXAMPLES [SEED]]. The house has a history
first (certificates, a refusal, a request that waits), whose identifiers the
description does not know. Exit status 0 when schemathesis has no finding.
"""
import os
import random
import shutil
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House  # noqa: E402

# Made up tokens, and methods that a path does not have, are tests/e2e's and
# api/routes_test's: the first are slowed down (429), and a method beside POST
# that comes with a body is no HTTP of ours before it is a method (400).
EXCLUDED = "ignored_auth,unsupported_method"
CONFIG = """hooks = "hooks.py"
[generation]
# A schema's lengths are of characters, ours of octets.
codec = "ascii"
[checks.positive_data_acceptance]
# 422 is an answer to a well-formed request whose CSR is none; 409 and 404 are
# states; 414 is a schema's list that is longer than a request line.
expected-statuses = [
  "2xx", "401", "403", "404", "406", "409", "414", "422", "429", "503"]
[phases.coverage]
unexpected-methods = ["GET"]
[checks.negative_data_rejection]
expected-statuses = ["4xx", "501", "503"]
"""

HOOKS = '''import schemathesis


@schemathesis.serializer("application/ocsp-request")
def octets(ctx, value):
    """A request of OCSP is octets; a hook may leave a text of them."""
    return value.encode() if isinstance(value, str) else value


@schemathesis.hook
def before_call(context, case, kwargs):
    """What no schema tells of a good request.

    A cursor is what a page gave, a wait begins behind an index, an issuer
    exists, key and uid do not differ, a certificate is one, a type of
    condition stands once, a policy source has a name of its own, and no more
    than 64 parameters come at once. And no tokens are made up: an address
    that sends many is slowed down.
    """
    if case.headers:
        case.headers.pop("Authorization", None)
    if isinstance(case.query, dict) and "wait" in case.query:
        case.query["wait"] = "0"
    mode = getattr(getattr(case.meta, "generation", None), "mode", None)
    if mode is not None and mode.is_negative:
        return
    if isinstance(case.query, dict):
        case.query.pop("cursor", None)
        for name, value in case.query.items():
            if isinstance(value, list):
                case.query[name] = value[:2]
        if "wait" in case.query:
            case.query.setdefault("after", "0")
    if isinstance(case.body, dict) and isinstance(case.body.get("issuer"),
                                                  str):
        case.body["issuer"] = "default"
    if isinstance(case.body, dict) and case.headers and \
            "Idempotency-Key" in case.headers:
        case.body.pop("uid", None)
    if isinstance(case.body, dict) and case.body.get("conditions"):
        by_type = {c["type"]: c for c in reversed(case.body["conditions"])}
        case.body["conditions"] = list(reversed(by_type.values()))
    for name in ("sources", "policies"):
        if isinstance(case.body, dict) and case.body.get(name):
            by_name = {c["name"]: c for c in case.body[name]}
            case.body[name] = list(by_name.values())
    if isinstance(case.body, dict):
        for name in ("certificate", "ca"):
            if name in case.body:
                with open("root.pem", encoding="ascii") as f:
                    case.body[name] = f.read()
    if isinstance(case.body, dict) and case.body.get("issuers"):
        case.body["issuers"] = ["default"]
'''


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for s in (source, sink):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def forward(path):
    """A TCP port on loopback that leads to a Unix socket."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            client = listener.accept()[0]
            inner = socket.socket(socket.AF_UNIX)
            inner.connect(path)
            for ends in ((client, inner), (inner, client)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def history(house):
    for n in range(5):
        house.submit("all", house.csr(f"h{n}.corp.example"), f"issued-{n}")
    house.submit("all", house.csr("bad_name!"), "refused")
    house.submit("all", house.csr("wait.corp.example"), "pending",
                 approved=False)


def write_files(house):
    """Configuration and hooks, where schemathesis runs."""
    for name, text in (("schemathesis.toml", CONFIG), ("hooks.py", HOOKS)):
        with open(os.path.join(house.root, name), "w",
                  encoding="utf-8") as f:
            f.write(text)
    shutil.copy(os.path.join(house.dir, "root.pem"), house.root)


def run(program, house, url, examples, seed, *more):
    argv = [program, "--config-file", "schemathesis.toml", "run", url + "/openapi.json",
            "--checks", "all", "--max-examples", examples, "--seed", seed,
            "--exclude-checks", EXCLUDED, "--suppress-health-check", "all", *more]
    print("+", " ".join(argv[3:]), flush=True)
    return subprocess.run(argv, cwd=house.root).returncode


def main():
    program = os.path.abspath(sys.argv[1])
    examples = sys.argv[2] if len(sys.argv) > 2 else "50"
    seed = sys.argv[3] if len(sys.argv) > 3 else str(random.randrange(10**9))
    with House() as house:
        house.start()
        token = house.client_add("all", "submit", "approve", "gateway",
                                 "audit", "revoke")
        history(house)
        write_files(house)
        port = forward(os.path.join(house.dir, "run", "countersign.sock"))
        network = run(program, house, f"https://127.0.0.1:{house.port}",
                      examples, seed, "--tls-verify",
                      os.path.join(house.dir, "root.pem"),
                      "-H", "Authorization: Bearer " + token)
        local = run(program, house, f"http://127.0.0.1:{port}", examples,
                    seed)
        ended = house.stop()
    print(f"network: exit {network}; socket: exit {local}; serve: {ended}")
    return 0 if network == 0 and local == 0 and ended == 0 else 1


sys.exit(main())
