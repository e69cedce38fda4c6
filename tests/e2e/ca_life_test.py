#!/usr/bin/env python3
"""The life of an issuer: a CSR for somebody else's root, and what follows."""
import json
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import COUNTERSIGN, House, Tap, expect, run  # noqa: E402

tap = Tap()
house = House()
KINDS = {"ec-p256": "prime256v1", "ec-p384": "secp384r1",
         "rsa-3072": "(3072 bit)", "rsa-4096": "(4096 bit)",
         "ed25519": "ED25519"}
P256 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
CA_EXT = ("basicConstraints=critical,CA:TRUE,pathlen:0\n"
          "keyUsage=critical,keyCertSign,cRLSign\n"
          "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")


def path(*names):
    return os.path.join(house.dir, *names)


def at(*names):
    return os.path.join(house.root, *names)


def read(name):
    with open(name, encoding="utf-8") as f:
        return f.read()


def write(text, name, mode=0o644):
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(name, mode)
    return name


def tree():
    """Every name below issuers/, and the configuration."""
    names = sorted(os.path.join(d, n) for d, _, files in
                   os.walk(path("issuers")) for n in files)
    return names, read(path("countersign.yaml"))


def refused(*args, says):
    """A command that must fail, with these words and nothing changed."""
    before = tree()
    done = house.cli(*args, check=False)
    expect(done.returncode not in (0, 75), f"{args}: {done.returncode}")
    expect(says in done.stderr, f"{args}: {done.stderr}")
    expect(before == tree(), f"{args}: changed something")


def corporate_root():
    """The root of an enterprise: certificate and key, made by OpenSSL."""
    if not os.path.exists(at("corp.pem")):
        run("openssl", "req", "-x509", *P256, "-nodes", "-keyout",
            at("corp.key"), "-out", at("corp.pem"), "-days", "4000", "-subj",
            "/O=Corp/CN=Corp Root", "-addext",
            "basicConstraints=critical,CA:TRUE", "-addext",
            "keyUsage=critical,keyCertSign,cRLSign")
    return at("corp.pem"), at("corp.key")


def signed(csr, days=1000, ext=CA_EXT):
    """The chain that the enterprise hands back for a CSR: a file's name."""
    root, key = corporate_root()
    made = csr + f".{days}.chain"
    write(ext, at("ext"))
    run("openssl", "x509", "-req", "-in", csr, "-CA", root, "-CAkey", key,
        "-days", str(days), "-out", made, "-extfile", at("ext"))
    return write(read(made) + read(root), made)


def issue(name, key, dns, approved=False):
    """A certificate of that issuer; the answer's JSON."""
    got = house.submit("ci", house.csr(dns), key, issuer=name,
                       approved=approved)
    if got.status == 202:
        status, _, body = house.http(
            "POST", f"/v1/requests/{got.json['id']}/approve", json.dumps(
                {"request_sha256": got.json["request_sha256"]}).encode(),
            house.tokens["boss"])
        expect(status == 200, f"{status} {body}")
        return json.loads(body)
    expect(got.status == 201, f"{got.status} {got.body}")
    return got.json


def verified(body):
    """OpenSSL verifies the certificate with what came beside it."""
    pem = body["certificate"]
    end = pem.index("-----END CERTIFICATE-----") + 26
    leaf = write(pem[:end], at("leaf"))
    chain = write(pem[end:] or body["ca"], at("chain"))
    run("openssl", "verify", "-x509_strict", "-purpose", "sslserver",
        "-CAfile", write(body["ca"], at("root")), "-untrusted", chain, leaf)
    return leaf


@tap.test
def a_csr_asks_for_what_a_ca_has_to_have_with_every_kind_of_key():
    for kind, shown in KINDS.items():
        csr = at(kind + ".csr")
        house.cli("ca", "csr", "new-" + kind, "--key", kind, "--organization",
                  "Corp", "--name", f"Corp {kind} CA", "--out", csr)
        text = run("openssl", "req", "-in", csr, "-noout", "-text", "-verify")
        text = text.stdout + text.stderr
        for word in (shown, f"CN = Corp {kind} CA", "O = Corp",
                     "Basic Constraints: critical", "CA:TRUE, pathlen:0",
                     "Key Usage: critical", "Certificate Sign, CRL Sign",
                     "Subject Key Identifier"):
            expect(word in text, f"{kind}: no {word} in {text}")
        key = os.stat(path("issuers", "new-" + kind, "key.pem"))
        expect(stat.S_IMODE(key.st_mode) == 0o600, f"{key.st_mode:o}")


@tap.test
def until_its_certificate_comes_an_issuer_waits():
    house.start()
    house.client_add("ci", "submit", "approve")
    house.client_add("boss", "approve")
    expect("issuer new-ec-p384 waits for its certificate" in house.log_text(),
           "the log is silent")
    rows = {line.split()[0]: line for line in
            house.cli("ca", "list").stdout.split("\n") if line}
    for kind in KINDS:
        row = rows["new-" + kind]
        expect(" waiting " in row and kind in row and
               f"CN=Corp {kind} CA,O=Corp" in row, row)
    expect("new-ed25519 waits" in house.cli("status").stderr, "status")
    csr = read(at("ed25519.csr"))
    expect(house.cli("ca", "show", "new-ed25519", "-o", "pem").stdout == csr,
           "ca show")
    again = house.cli("ca", "csr", "new-ed25519")
    expect(again.stdout == csr and "waits already" in again.stderr, again)
    got = house.submit("ci", house.csr("a.example"), issuer="new-ed25519")
    expect(got.status == 404 and got.json["code"] == "UNKNOWN_ISSUER",
           f"{got.status} {got.body}")
    refused("ca", "create", "new-ed25519", "--under", "root",
            says="there is an issuer `new-ed25519` already")
    refused("ca", "csr", "nobody", "--same-key", says="no issuer `nobody`")
    refused("ca", "csr", "x", "--name", "N" * 65, says="RFC 5280 A.1")


@tap.test
def ca_import_brings_the_certificate_of_that_key_and_no_other():
    chain = signed(at("ec-p256.csr"))
    take = ("ca", "import", "new-ec-p384", "--chain")
    refused(*take, chain, says="is not for the key of")
    refused(*take, chain, "--key", at("corp.key"), says="has")
    refused(*take, signed(at("ec-p384.csr"), 7, "basicConstraints=CA:FALSE"),
            says="4.2.1.9")
    refused(*take, signed(at("ec-p384.csr"), 8, CA_EXT.replace(
        "keyCertSign,", "")), says="4.2.1.3")
    refused("ca", "import", "nobody", "--chain", chain, says="--key")
    roots = read(path("root.pem")).count("BEGIN")
    for kind in KINDS:
        done = house.cli("ca", "import", "new-" + kind, "--chain",
                         signed(at(kind + ".csr")))
        expect("restart the server" in done.stdout, done.stdout)
    expect(read(path("root.pem")).count("BEGIN") == roots + 1, "root.pem")
    done = house.cli("ca", "list")
    expect("new-ed25519 is configured" in done.stderr, done.stderr)
    expect(house.stop() == 0, "stop")
    house.start()
    for kind in KINDS:
        verified(issue("new-" + kind, "k-" + kind, f"{kind}.example"))


@tap.test
def a_waiting_issuer_may_have_an_encrypted_key_and_its_stanza_by_hand():
    word = write("correct horse\n", at("word"), 0o600)
    done = house.cli("ca", "csr", "locked", "--passphrase-file", word,
                     "--crl-url", "http://crl.example/crl/locked", "--out",
                     at("locked.csr"))
    expect("ENCRYPTED PRIVATE KEY" in
           read(path("issuers", "locked", "key.pem")), "it is plain")
    done = house.cli("ca", "csr", "hand", "--no-config")
    write(done.stdout, at("hand.csr"))
    stanza = done.stderr[done.stderr.index('  - name: "hand"'):]
    text = read(path("countersign.yaml"))
    expect('"hand"' not in text, text)
    write(text.rstrip("\n") + "\n" + stanza, path("countersign.yaml"))
    for name in ("locked", "hand"):
        house.cli("ca", "import", name, "--chain", signed(at(name + ".csr")))
    expect(house.stop() == 0, "stop")
    house.start()
    leaf = verified(issue("locked", "l", "locked.example"))
    text = run("openssl", "x509", "-in", leaf, "-noout", "-text").stdout
    expect("URI:http://crl.example/crl/locked/0.crl" in text, text)
    verified(issue("hand", "h", "hand.example"))


@tap.test
def a_backup_has_what_waits():
    house.cli("ca", "csr", "later", "--out", at("later.csr"))
    house.cli("backup", at("saved"), "--including-private-keys")
    away = at("away")
    run(COUNTERSIGN, "restore", at("saved"), "--dir", away, env=house.env)
    for name in ("key.pem", "request.pem"):
        expect(read(os.path.join(away, "issuers", "later", name)) ==
               read(path("issuers", "later", name)), name)


@tap.test
def the_log_is_whole():
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))
    house.cli("audit", "verify")
    expect(house.stop() == 0, "stop")


status = tap.run()
house.close()
sys.exit(status)
