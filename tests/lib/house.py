"""A real house for tests: started, spoken to over HTTPS, killed, looked into.

The program under test is $COUNTERSIGN_FAULTS (default: ./countersign-faults). Every answer
that a client of ours got is kept, so that the invariants can be checked
against what the world outside knows.
"""
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time

COUNTERSIGN = os.environ.get("COUNTERSIGN_FAULTS", "./countersign-faults")
# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for a house that lives in the future.
NO_CHECK_TIME = 0x200000
START_TIMEOUT = 20
STOP_TIMEOUT = 20


class Failure(Exception):
    """A test's expectation did not hold."""


def run(*argv, env=None, check=True, stdin=None, pass_fds=()):
    """Run a command to its end; its completed process, output as text."""
    done = subprocess.run(argv, env=env, input=stdin, capture_output=True,
                          text=True, timeout=60, pass_fds=pass_fds)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(argv)}: exit {done.returncode}\n"
                      f"{done.stdout}{done.stderr}")
    return done


class Answer:
    """What one client got for one submission."""

    def __init__(self, key, status, headers, body):
        self.key = key
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def terminal(self):
        return self.status in (201, 422)


class House:
    """One installation in a directory of its own."""

    def __init__(self, init_options=(), env=None, pass_fds=()):
        self.root = tempfile.mkdtemp(prefix="countersign-test-")
        self.dir = os.path.join(self.root, "ca")
        self.env = dict(os.environ, **(env or {}))
        self.env["CS_TRACE_FILE"] = os.path.join(self.root, "signed")
        # What AddressSanitizer keeps of freed memory is not the house's.
        self.env["ASAN_OPTIONS"] = ":".join(filter(None, [
            self.env.get("ASAN_OPTIONS"), "quarantine_size_mb=16"]))
        self.pass_fds = tuple(pass_fds)
        self.check_time = True  # of the listener's certificate
        self.process = None
        self.port = None
        self.tokens = {}
        self.answers = []
        self.revocations = []  # as they were answered
        self.revoked_before = {}  # rows that tests/lib/invariants.py saw
        self.csrs = []
        self.log = open(os.path.join(self.root, "log"), "ab")
        self.cli("init", "--host", "127.0.0.1", *init_options)

    def close(self):
        """Stop it and forget its directory."""
        if self.process and self.process.poll() is None:
            self.kill_all()
        self.log.close()
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if exc[0] is not None:
            sys.stderr.write(self.log_text()[-4000:])
        self.close()

    def log_text(self):
        with open(os.path.join(self.root, "log"), encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    # -- the program -------------------------------------------------------

    def cli(self, *args, check=True, stdin=None):
        """A subcommand on this installation."""
        return run(COUNTERSIGN, *args, "--dir", self.dir, env=self.env,
                   check=check, stdin=stdin, pass_fds=self.pass_fds)

    def start(self, env=None, wait=True, options=()):
        """Start `serve`; with wait, until it is ready."""
        self.process = subprocess.Popen(
            [COUNTERSIGN, "serve", "--dir", self.dir, "--listen",
             f"127.0.0.1:{self.port or 0}", *options],
            stdout=subprocess.PIPE, stderr=self.log, pass_fds=self.pass_fds,
            env=dict(self.env, **(env or {})), start_new_session=True)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        os.set_blocking(self.process.stdout.fileno(), False)
        text = b""
        end = time.monotonic() + START_TIMEOUT
        while time.monotonic() < end:
            text += self.process.stdout.read() or b""
            if b"ready https://" in text and b"\n" in text:
                line = text[text.index(b"ready https://"):]
                self.port = int(line.split(b"\n")[0].rsplit(b":", 1)[1])
                return
            if self.process.poll() is not None:
                raise Failure(f"serve ended with {self.process.returncode}\n"
                              f"{self.log_text()[-2000:]}")
            time.sleep(0.01)
        raise Failure("serve did not become ready\n" + self.log_text()[-2000:])

    def stop(self):
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait_end()

    def wait_end(self, timeout=STOP_TIMEOUT):
        status = self.process.wait(timeout)
        self.process.stdout.close()
        return status

    def kill_all(self):
        """SIGKILL to every process at once."""
        for pid in [self.process.pid, *self.rooms().values()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.wait_end()

    def rooms(self):
        """{name: pid} of the rooms; workers are cs-worker, cs-worker#2..."""
        found = {}
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        try:
            with open(path, encoding="ascii") as f:
                pids = [int(p) for p in f.read().split()]
        except OSError:
            return found
        for pid in pids:
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as f:
                    name = f.read().strip()
            except OSError:
                continue
            n = 2
            base = name
            while name in found:
                name, n = f"{base}#{n}", n + 1
            found[name] = pid
        return found

    # -- clients -----------------------------------------------------------

    def client_add(self, name, *rights, options=()):
        """A client with these rights; its token is kept and returned."""
        out = self.cli("client", "add", name, "--right", ",".join(rights),
                       *options)
        self.tokens[name] = out.stdout.strip().split("\n")[-1]
        return self.tokens[name]

    def csr(self, *names, subject="/", key=("-newkey", "ec", "-pkeyopt",
                                            "ec_paramgen_curve:P-256")):
        """A new CSR (PEM) for DNS names, made by OpenSSL."""
        argv = ["openssl", "req", "-new", *key, "-nodes", "-keyout",
                "/dev/null", "-subj", subject]
        if names:
            argv += ["-addext", "subjectAltName=" + ",".join(
                n if ":" in n else "DNS:" + n for n in names)]
        return run(*argv).stdout

    def http(self, method, path, body=None, token=None, headers=None,
             timeout=20):
        """One HTTPS request; (status, headers, body). May raise OSError."""
        context = ssl.create_default_context(
            cafile=os.path.join(self.dir, "root.pem"))
        if not self.check_time:
            context.verify_flags |= NO_CHECK_TIME
        c = http.client.HTTPSConnection("127.0.0.1", self.port,
                                        context=context, timeout=timeout)
        send = dict(headers or {})
        if token:
            send["Authorization"] = "Bearer " + token
        if body is not None:
            send.setdefault("Content-Type", "application/json")
        try:
            c.request(method, path, body, send)
            r = c.getresponse()
            return r.status, dict(r.getheaders()), r.read()
        finally:
            c.close()

    def get(self, path, client):
        status, _, body = self.http("GET", path, token=self.tokens[client])
        return status, json.loads(body)

    def items(self, path, client):
        """All items of a list, page by page (one may end early)."""
        got, cursor = [], ""
        while cursor is not None:
            status, page = self.get(path + cursor, client)
            expect(status == 200, f"{path}: {status} {page}")
            got += page["items"]
            cursor = page["next"] and (("&" if "?" in path else "?") +
                                       "cursor=" + page["next"])
        return got

    def submit(self, client, csr, key=None, approved=True, timeout=20,
               **fields):
        """POST /v1/requests; the Answer is kept. May raise OSError."""
        body = {"csr": csr, "duration": "1h", **fields}
        if approved:
            body["conditions"] = [{"type": "Approved", "status": "True"}]
        headers = {"Idempotency-Key": key} if key else {}
        status, got, data = self.http("POST", "/v1/requests",
                                      json.dumps(body).encode(),
                                      self.tokens[client], headers, timeout)
        answer = Answer((client, key), status, got, data)
        self.answers.append(answer)
        return answer

    def revoke(self, client, serial, reason="unspecified", timeout=20):
        """POST .../revoke; what was answered is kept. May raise OSError."""
        status, _, data = self.http(
            "POST", f"/v1/certificates/{serial}/revoke",
            json.dumps({"reason": reason}).encode(), self.tokens[client],
            timeout=timeout)
        body = json.loads(data)
        if status == 200:
            self.revocations.append(body)
        return status, body

    # -- looking inside ----------------------------------------------------

    def snapshot(self):
        """A consistent copy of the database that a test may change.

        By a reading connection: copying the files of a running house could
        catch database and WAL at two moments.
        """
        copy = os.path.join(tempfile.mkdtemp(prefix="db-", dir=self.root),
                            "ledger.db")
        path = os.path.join(self.dir, "ledger.db")
        source = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        target = sqlite3.connect(copy)
        source.backup(target)
        target.close()
        source.close()
        os.chmod(copy, 0o600)
        return copy

    def database(self):
        """A connection to a fresh snapshot."""
        db = sqlite3.connect(self.snapshot())
        db.row_factory = sqlite3.Row
        return db


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Tap:
    """Tests as functions, their names as sentences, output as TAP."""

    def __init__(self):
        self.tests = []

    def test(self, function):
        self.tests.append(function)
        return function

    def run(self):
        failed = 0
        print(f"1..{len(self.tests)}", flush=True)
        for n, function in enumerate(self.tests, 1):
            name = function.__name__.replace("_", " ")
            try:
                function()
                print(f"ok {n} - {name}", flush=True)
            except Exception as e:  # a test must not stop the others
                failed += 1
                for line in f"{type(e).__name__}: {e}".split("\n"):
                    print(f"# {line}")
                print(f"not ok {n} - {name}", flush=True)
        return 1 if failed else 0


def expect(condition, message):
    if not condition:
        raise Failure(message)
