#!/usr/bin/env python3
"""Issuer keys in a PKCS#11 token: SoftHSM's, by libp11.

A program that was built without PKCS#11 refuses, and says so; one that was
built with it needs softhsm2-util here, or the test fails.
"""
import json
import os
import shutil
import signal
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import (COUNTERSIGN, House, Tap, expect,  # noqa: E402
                             run)

MODULES = ("/usr/lib/softhsm/libsofthsm2.so",
           "/usr/lib64/pkcs11/libsofthsm2.so",
           "/usr/lib64/softhsm/libsofthsm.so",
           "/usr/local/lib/softhsm/libsofthsm2.so")
MODULE = next((m for m in MODULES if os.path.exists(m)), MODULES[0])
PIN = "pin-7QxR4z"
KEYS = {"hsm": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "p384": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
        "rsa": ("-newkey", "rsa:3072"),
        "other": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "ed": ("-newkey", "ed25519")}
ISSUERS = ("hsm", "p384", "rsa")
tap = Tap()
house = House()
TOKENS = os.path.join(house.root, "tokens")
PINS = os.path.join(house.root, "pin")
house.env["SOFTHSM2_CONF"] = os.path.join(house.root, "softhsm2.conf")


def path(*names):
    return os.path.join(house.dir, *names)


def made(name):
    return os.path.join(house.root, name)


def write(name, text, mode=0o600):
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(name, mode)
    return name


def read(name):
    with open(name, encoding="utf-8") as f:
        return f.read()


def uri(name, token="Issuing", module=MODULE, more=""):
    return (f"pkcs11:token={token};object={name};type=private"
            f"?module-path={module}{more}")


def make_cas():
    """CAs by OpenSSL, with their keys in files for now."""
    for name, key in KEYS.items():
        run("openssl", "req", "-x509", "-new", *key, "-nodes", "-keyout",
            made(name + ".key"), "-out", made(name + ".pem"), "-days", "400",
            "-subj", f"/O=Elsewhere/CN={name}", "-addext",
            "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext",
            "keyUsage=critical,keyCertSign,cRLSign")
    write(PINS, PIN + "\n")


def make_token():
    """A token with all keys but the Ed25519 one, which are nowhere else."""
    os.mkdir(TOKENS, 0o700)
    write(house.env["SOFTHSM2_CONF"], f"directories.tokendir = {TOKENS}\n"
          "objectstore.backend = file\nlog.level = ERROR\n")
    run("softhsm2-util", "--init-token", "--free", "--label", "Issuing",
        "--so-pin", "so-1234", "--pin", PIN, env=house.env)
    for n, name in enumerate((*ISSUERS, "other"), 1):
        put_key(name, n)
        os.unlink(made(name + ".key"))


def put_key(name, number, label=None):
    run("softhsm2-util", "--import", made(name + ".key"), "--token",
        "Issuing", "--label", label or name, "--id", f"{number:02x}", "--pin",
        PIN, env=house.env)


def take(name, *options, chain=None, pin=PINS, check=True):
    return house.cli("ca", "import", name, "--chain",
                     made((chain or name) + ".pem"), *options,
                     *(("--passphrase-file", pin) if pin else ()),
                     check=check)


def refused(done, says, name="hsm"):
    expect(done.returncode not in (0, 75) and says in done.stderr,
           f"{says}: {done.returncode}: {done.stderr}")
    expect(PIN not in done.stderr, "the PIN is printed")
    expect(not os.path.exists(path("issuers", name)), "something is left")


make_cas()


@tap.test
def a_key_in_a_token_is_taken_over_by_its_uri():
    make_token()
    for name in ISSUERS:
        out = take(name, "--key-uri", uri(name)).stdout
        expect(f"issuers/{name}/key.uri" in out, out)
        file = path("issuers", name, "key.uri")
        expect(read(file) == uri(name) + "\n", read(file))
        expect(stat.S_IMODE(os.stat(file).st_mode) == 0o600, "its mode")
        expect(sorted(os.listdir(path("issuers", name))) ==
               ["chain.pem", "key.uri"], "other files")
    text = read(path("countersign.yaml"))
    expect('key: "issuers/hsm/key.uri"' in text, text)
    write(path("countersign.yaml"), text.replace(
        "signers: 1\n", "signers: 2\n").replace(
        "self_approval: false", "self_approval: true"))


@tap.test
def what_would_not_sign_is_refused_when_it_is_imported():
    def tried(text, says, **options):
        refused(take("bad", "--key-uri", text, check=False,
                     chain=options.pop("chain", "hsm"), **options), says,
                "bad")

    tried(uri("other"), "not that of the CA's certificate")
    tried(uri("nobody"), "no private EC or RSA key")
    tried(uri("hsm", token="Elsewhere"), "no token that is there")
    tried(uri("hsm", module="/nowhere.so"), "/nowhere.so")
    tried(uri("hsm", more="&pin-value=" + PIN), "pin-value")
    tried(uri("hsm", more="&pin-source=file:" + PINS), "pin-source")
    tried(uri("hsm"), "no passphrase was given", pin=None)
    tried(uri("hsm"), "the PIN",
          pin=write(made("wrong"), "not-the-pin\n"))
    tried(uri("ed"), "Ed25519", chain="ed")
    refused(take("bad", "--key-uri", uri("hsm"), "--key", made("ed.key"),
                 chain="hsm", check=False), "one of them", "bad")
    # A key file from somebody else names no library to load.
    refused(take("bad", "--key", write(made("uri"), uri("hsm") + "\n"),
                 chain="hsm", check=False), "by which the server alone",
            "bad")


def verified(name, body):
    pem = body["certificate"]
    end = pem.index("-----END CERTIFICATE-----") + 26
    leaf = write(made("leaf"), pem[:end])
    run("openssl", "verify", "-x509_strict", "-CAfile", made(name + ".pem"),
        leaf)


def submit(name, **options):
    return house.submit("ci", house.csr("www.example"), issuer=name,
                        **options)


@tap.test
def issuers_in_a_token_issue_by_two_signers():
    house.start()
    expect(sum(r.startswith("cs-signer") for r in house.rooms()) == 2,
           "signers")
    house.client_add("ci", "submit", "approve")
    for _ in range(2):
        for name in (*ISSUERS, "default"):
            got = submit(name)
            expect(got.status == 201, f"{name}: {got.status} {got.body}")
            if name != "default":
                verified(name, got.json)
    for name, place in (("hsm", "pkcs11"), ("default", "file")):
        told = json.loads(house.cli("ca", "show", name, "-o", "json").stdout)
        expect(told["key_place"] == place, told)


@tap.test
def a_backup_has_the_uri_and_says_that_the_key_is_not_in_it():
    for options in ((), ("--including-private-keys",)):
        target = made("backup" + "".join(options))
        out = house.cli("backup", target, *options).stdout
        expect("not copied: the key of issuer hsm, which is in a PKCS#11 "
               "token" in out, out)
        expect(read(os.path.join(target, "issuers/hsm/key.uri")) ==
               uri("hsm") + "\n", "the URI")
    again = made("restored")
    run(COUNTERSIGN, "restore", made("backup--including-private-keys"),
        "--dir", again, env=house.env)
    file = os.path.join(again, "issuers/hsm/key.uri")
    expect(stat.S_IMODE(os.stat(file).st_mode) == 0o600, "its mode")


@tap.test
def what_a_token_cannot_do_here_is_refused():
    def fails(*args, says):
        done = house.cli(*args, check=False)
        expect(done.returncode not in (0, 75) and says in done.stderr,
               f"{args}: {done.returncode} {done.stderr}")

    fails("ca", "rollover", "hsm", "--same-key", says="PKCS#11")
    fails("ca", "csr", "hsm", says="PKCS#11")
    fails("ca", "create", "below", "--under", "hsm",
          says="the server alone signs")
    fails("ca", "retire", "hsm", "--destroy-key", says="destroy it there")


@tap.test
def a_token_that_goes_away_fails_closed_and_others_go_on():
    away = made("away")
    os.rename(TOKENS, away)
    csr = house.csr("www.example")
    ids = set()
    for _ in range(2):
        got = house.submit("ci", csr, "gone", issuer="hsm")
        expect(got.status == 503 and
               got.json["code"] == "SIGNER_UNAVAILABLE" and
               int(got.headers["Retry-After"]) > 1 and
               "certificate" not in got.json, f"{got.status} {got.body}")
        ids.add(got.json["id"])
    expect(len(ids) == 1, f"{ids}")
    expect("signer.refused" in house.log_text(), house.log_text()[-2000:])
    status, told = house.get("/v1/requests/" + got.json["id"], "ci")[:2]
    told = told if isinstance(told, dict) else json.loads(told)
    expect(status == 200 and told["state"] == "approved", f"{status} {told}")
    got = submit("default")
    expect(got.status == 201, f"default: {got.status} {got.body}")
    expect(house.stop() == 0, "stop")
    os.mkdir(TOKENS)
    house.start(wait=False)
    expect(house.wait_end() == 75, "a start without the token")
    expect("no token that is there" in house.log_text(), house.log_text())
    shutil.rmtree(TOKENS)
    os.rename(away, TOKENS)
    house.start()
    got = house.submit("ci", csr, "gone", issuer="hsm")
    expect(got.status == 201 and {got.json["id"]} == ids,
           f"{got.status} {got.body}")
    verified("hsm", got.json)


@tap.test
def a_library_that_hangs_leaves_its_request_open_and_reads_as_they_are():
    signers = [p for n, p in house.rooms().items()
               if n.startswith("cs-signer")]
    for pid in signers:
        os.kill(pid, signal.SIGSTOP)
    csr = house.csr("www.example")
    try:
        house.submit("ci", csr, "slow", issuer="hsm", timeout=2)
        raise AssertionError("it was answered")
    except OSError:
        pass
    status = house.get("/v1/issuers/hsm", "ci")[0]
    expect(status == 200, f"a question: {status}")
    for pid in signers:
        os.kill(pid, signal.SIGCONT)
    got = house.submit("ci", csr, "slow", issuer="hsm")
    verified("hsm", got.json)
    expect(got.status == 201, f"{got.status} {got.body}")


@tap.test
def a_key_file_beside_a_uri_is_refused():
    expect(house.stop() == 0, "stop")
    left = write(path("issuers", "hsm", "key.pem"), "a key\n")
    house.start(wait=False)
    expect(house.wait_end() == 2, "its exit status")
    expect("key.pem and key.uri lie in" in house.log_text(),
           house.log_text()[-2000:])
    os.unlink(left)
    house.start()


@tap.test
def a_retired_issuer_keeps_its_uri():
    house.cli("ca", "retire", "p384")
    expect(house.stop() == 0, "stop")
    house.start()
    got = submit("p384")
    expect(got.status != 201, f"{got.status}")
    expect("retired" in house.cli("ca", "list").stdout, "the list")
    expect(house.stop() == 0, "stop")
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))


@tap.test
def a_wrong_pin_ends_the_start_and_is_not_tried_again():
    write(PINS, "another\n")
    house.start(wait=False)
    expect(house.wait_end() == 1, "its exit status")
    expect("the PIN" in house.log_text() and PIN not in house.log_text(),
           house.log_text()[-2000:])


def built_without():
    """A program that cannot: its refusal is the one test then."""
    done = take("hsm", "--key-uri", uri("hsm"), check=False)
    if "built without PKCS#11" not in done.stderr:
        return False
    refused(done, "built without PKCS#11")
    return True


def main():
    if built_without():
        print("1..1\nok 1 - a program without PKCS 11 says so")
        return 0
    if not shutil.which("softhsm2-util") or not os.path.exists(MODULE):
        print("1..1\nnot ok 1 - softhsm2 is missing")
        return 1
    return tap.run()


status_of_all = main()
house.close()
sys.exit(status_of_all)
