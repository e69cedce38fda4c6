#!/usr/bin/env python3
"""Issuer keys: encrypted ones, wrong ones, swapped ones; CAs out of date.

Run as root: memory of other processes is looked into.
"""
import json
import os
import shutil
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import House, Tap, expect, run  # noqa: E402
from tests.lib.memory import holds, private_scalar  # noqa: E402

DAY = 86400
tap = Tap()
FIRST = "first-passphrase-8hTz"  # by descriptor
SECOND = "second-passphrase-Q2kf"  # from a file
THIRD = "third-passphrase-Zm41"  # from a credential
PASSPHRASES = (("default", FIRST), ("second", SECOND), ("third", THIRD))


class Descriptor:
    """A descriptor behind which a passphrase stands, for several readers."""

    def __init__(self, text):
        self.fd = os.memfd_create("test")
        os.write(self.fd, text.encode() + b"\n")
        self.rewind()

    def rewind(self):
        os.lseek(self.fd, 0, os.SEEK_SET)
        return str(self.fd)


first = Descriptor(FIRST)
house = House(("--passphrase-fd", first.rewind()), pass_fds=(first.fd,))
SHIFT = os.path.join(house.root, "shift")
house.env["CS_CLOCK_SHIFT_FILE"] = SHIFT
CREDENTIALS = os.path.join(house.root, "credentials")
os.mkdir(CREDENTIALS, 0o700)
SECRET_FILE = os.path.join(house.root, "second.pass")


def path(*names):
    return os.path.join(house.dir, *names)


def read(*names):
    with open(path(*names), encoding="utf-8") as f:
        return f.read()


def configure(old, new):
    """Change countersign.yaml; its new text."""
    text = read("countersign.yaml")
    expect(old in text, old)
    text = text.replace(old, new)
    with open(path("countersign.yaml"), "w", encoding="utf-8") as f:
        f.write(text)
    return text


def secret(name, text, mode=0o600):
    with open(name, "w", encoding="ascii") as f:
        f.write(text + "\n")
    os.chmod(name, mode)


def shift(seconds):
    with open(SHIFT + ".new", "w", encoding="ascii") as f:
        f.write(str(int(seconds * 1000)))
    os.rename(SHIFT + ".new", SHIFT)


def start(wait=True):
    """Serve, with the first passphrase by descriptor, the third's place."""
    house.start(env={"CREDENTIALS_DIRECTORY": CREDENTIALS}, wait=wait,
                options=("--passphrase-fd", first.rewind()))


def does_not_start(*says):
    """It ends by itself, for good, with these words and no secret."""
    before = len(house.log_text())
    start(wait=False)
    status = house.wait_end()
    told = house.log_text()[before:]
    expect(status not in (0, 75), f"exit {status}: {told}")
    for words in says:
        expect(words in told, f"{words!r} is not in {told}")
    for word in (FIRST, SECOND, THIRD):
        expect(word not in told, "a passphrase is in the log")


def issues(name):
    csr = house.csr(f"www.{name}.example")
    got = house.submit("ci", csr, issuer=name)
    expect(got.status == 201, f"{name}: {got.status} {got.body}")
    return got


shift(0)
secret(SECRET_FILE, SECOND)
secret(os.path.join(CREDENTIALS, "third"), THIRD, 0o440)


def with_fewer_rounds(key, word):
    """The same key, so that the many starts below are quick."""
    pass_file = os.path.join(house.root, "pass")
    # One file for both: the second line is for the new key.
    secret(pass_file, word + "\n" + word)
    run("openssl", "pkcs8", "-topk8", "-iter", "1000", "-in", key, "-passin",
        "file:" + pass_file, "-out", key + ".new", "-passout",
        "file:" + pass_file)
    os.chmod(key + ".new", 0o600)
    os.rename(key + ".new", key)


@tap.test
def issuers_have_passphrases_of_their_own():
    root = ("--under", "root", "--ca-passphrase-fd")
    house.cli("ca", "create", "second", *root, first.rewind(),
              "--passphrase-file", SECRET_FILE)
    house.env["CREDENTIALS_DIRECTORY"] = CREDENTIALS
    house.cli("ca", "create", "third", *root, first.rewind(),
              "--passphrase-credential", "third")
    del house.env["CREDENTIALS_DIRECTORY"]
    configure("self_approval: false", "self_approval: true")
    text = configure("signers: 1", "signers: 2")
    expect(f'passphrase_file: "{SECRET_FILE}"' in text, text)
    expect('passphrase_credential: "third"' in text, text)
    for name in ("default", "second", "third"):
        expect("BEGIN ENCRYPTED PRIVATE KEY" in
               read("issuers", name, "key.pem"), f"{name} is not encrypted")
    pem = run("openssl", "asn1parse", "-in", path("issuers", "second",
                                                  "key.pem")).stdout
    expect("hmacWithSHA256" in pem and "aes-256-cbc" in pem and
           ":0186A0" in pem, "not 100,000 rounds: " + pem)
    for name, word in PASSPHRASES:
        with_fewer_rounds(path("issuers", name, "key.pem"), word)
    start()
    house.client_add("ci", "submit", "approve")
    for name in ("default", "second", "third") * 2:
        issues(name)


@tap.test
def neither_keys_nor_passphrases_are_in_other_processes():
    pass_file = os.path.join(house.root, "pass")
    wanted = {}
    for name, word in PASSPHRASES:
        secret(pass_file, word)
        wanted[name] = private_scalar(path("issuers", name, "key.pem"),
                                      pass_file)
    rooms = house.rooms()
    for name, key in wanted.items():
        for room in ("cs-signer", "cs-signer#2"):
            expect(holds(rooms[room], key), f"{name}: the scan is blind")
    rooms["parent"] = house.process.pid
    for room, pid in rooms.items():
        for name, key in wanted.items():
            expect(room.startswith("cs-signer") or not holds(pid, key),
                   f"the key of {name} is in {room}")
        for word in (FIRST, SECOND, THIRD):
            expect(not holds(pid, word.encode()), f"{word} is in {room}")
        with open(f"/proc/{pid}/cmdline", "rb") as f, \
                open(f"/proc/{pid}/environ", "rb") as g:
            told = f.read() + g.read()
        expect(b"passphrase-" not in told.replace(b"--passphrase-fd", b""),
               f"{room}: {told}")


@tap.test
def no_process_holds_a_secret_file_open():
    for room, pid in [*house.rooms().items(), ("parent", house.process.pid)]:
        links = {os.readlink(f"/proc/{pid}/fd/{fd}")
                 for fd in os.listdir(f"/proc/{pid}/fd")}
        bad = {l for l in links if "key.pem" in l or ".pass" in l or
               CREDENTIALS in l or "memfd:passphrase" in l}
        expect(not bad, f"{room} holds {bad}")


@tap.test
def a_key_that_is_swapped_is_not_taken_while_it_runs():
    """K03: the signer keeps the loaded key; the next start compares."""
    key, other = path("issuers", "second", "key.pem"), path(
        "issuers", "third", "key.pem")
    shutil.copy(key, key + ".old")
    shutil.copy(other, key)
    house.process.send_signal(1)
    issues("second")
    expect(house.stop() == 0, "stop")
    configure("signers: 2", "signers: 1")
    secret(SECRET_FILE, THIRD)
    does_not_start("issuer second", "issuers/second/key.pem",
                   "not that of the CA's certificate")
    secret(SECRET_FILE, SECOND)
    os.rename(key + ".old", key)


@tap.test
def a_wrong_passphrase_is_said_by_issuer_and_file():
    secret(SECRET_FILE, "wrong-passphrase")
    does_not_start("issuer second: issuers/second/key.pem: the passphrase is "
                   "wrong")
    expect("wrong-passphrase" not in house.log_text(), "it is in the log")
    os.rename(SECRET_FILE, SECRET_FILE + ".away")
    does_not_start("issuer second: passphrase", SECRET_FILE)
    secret(SECRET_FILE, SECOND, 0o640)
    does_not_start("issuer second: passphrase", "mode 0640")
    os.remove(SECRET_FILE)
    os.symlink(SECRET_FILE + ".away", SECRET_FILE)
    does_not_start("symbolic link")
    os.remove(SECRET_FILE)
    secret(SECRET_FILE, "")
    does_not_start("issuer second", "no passphrase was given")
    secret(SECRET_FILE, SECOND)
    third = os.path.join(CREDENTIALS, "third")
    os.chmod(third, 0o444)
    does_not_start("issuer third: passphrase", "cannot read")
    os.remove(third)
    does_not_start("issuer third: passphrase", third)
    secret(third, THIRD, 0o400)


@tap.test
def a_key_file_that_is_not_for_us_alone_stops_the_start():
    """K01."""
    key = path("issuers", "third", "key.pem")
    for mode in (0o644, 0o640):
        os.chmod(key, mode)
        does_not_start("issuer third", "key.pem", f"mode {mode:04o}")
    os.chmod(key, 0o600)
    os.chown(key, 65534, 65534)
    does_not_start("issuer third", "key.pem", "belongs to user 65534")
    os.chown(key, 0, 0)
    os.rename(key, key + ".away")
    does_not_start("issuer third", "key.pem: No such file")
    os.mkdir(key)
    does_not_start("issuer third", "not a regular file")
    os.rmdir(key)
    os.symlink(key + ".away", key)
    does_not_start("issuer third", "symbolic link")
    os.remove(key)
    with open(key, "w", encoding="ascii") as f:
        f.write("-----BEGIN PRIVATE KEY-----\nMDEC\n")
    os.chmod(key, 0o600)
    does_not_start("issuer third: issuers/third/key.pem: no private key")
    os.rename(key + ".away", key)


@tap.test
def a_start_before_the_cas_time_is_refused():
    """T05."""
    shift(-2 * DAY)
    does_not_start("issuer default: its CA is valid from", "the clock says")
    shift(0)


@tap.test
def a_ca_that_expires_while_it_runs_issues_no_more():
    """T06: nothing outlives the CA; then 503, and reading goes on."""
    house.cli("ca", "create", "short", "--days", "2", "--under", "root",
              "--ca-passphrase-fd", first.rewind())
    configure("self_approval: false", "self_approval: true")
    start()
    csr = house.csr("www.short.example")
    got = house.submit("ci", csr, "long", issuer="short", duration="72h")
    expect(got.status in (201, 422), f"{got.status} {got.body}")
    kept = house.submit("ci", csr, "kept", issuer="short", duration="1h")
    expect(kept.status == 201, f"{kept.status} {kept.body}")
    shift(2 * DAY - 3600 - 30 * 60)
    house.cli("clock", "accept")
    last = house.submit("ci", csr, "last", issuer="short", duration="20m")
    expect(last.status == 201, f"{last.status} {last.body}")
    shift(2 * DAY + 60)
    house.cli("clock", "accept")
    for key in ("new", None):
        late = house.submit("ci", csr, key, issuer="short")
        expect(late.status == 503 and late.json["code"] == "CA_EXPIRED",
               f"{late.status} {late.body}")
        expect("issuer short" in late.json["detail"], late.body)
        expect("Retry-After" in late.headers, late.headers)
    dry = house.http("POST", "/v1/requests?dry_run=true", json.dumps(
        {"csr": csr, "issuer": "short"}).encode(), house.tokens["ci"])
    expect(dry[0] == 503, f"{dry}")
    again = house.submit("ci", csr, "kept", issuer="short", duration="1h")
    expect(again.status == 201 and again.body == kept.body, "the replay")
    issues("second")
    house.cli("cert", "show", kept.json["serial"])
    db = house.database()
    ends = db.execute("SELECT max(a.not_after_s) m FROM attempt a JOIN issuer"
                      " i ON i.id = a.issuer WHERE i.name = 'short' AND"
                      " a.request IS NOT NULL").fetchone()["m"]
    end = run("openssl", "x509", "-noout", "-enddate", "-in",
              path("issuers", "short", "chain.pem")).stdout.split("=")[1]
    expect(0 < ends <= ssl.cert_time_to_seconds(end.strip()),
           f"{ends} is behind {end}")
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))
    expect(house.stop() == 0, "stop")
    start()
    expect("ca.expired" in house.log_text(), "the start does not say so")
    issues("third")
    expect(house.stop() == 0, "stop")


status = tap.run()
house.close()
sys.exit(status)
