#!/usr/bin/env python3
"""The life of an issuer: a CSR for somebody else's root, and what follows."""
import json
import os
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import COUNTERSIGN, House, Tap, expect, run  # noqa: E402

tap = Tap()
house = House()
KINDS = {"ec-p256": "prime256v1", "ec-p384": "secp384r1",
         "rsa-3072": "(3072 bit)", "rsa-4096": "(4096 bit)",
         "ed25519": "ED25519"}
CSRS = {}
SECOND = {}
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


def read_bytes(name):
    with open(name, "rb") as f:
        return f.read()


def crl_of(label):
    """The CRL that a generation's certificates ask for: a file's name."""
    end = time.monotonic() + 10
    while True:
        status, _, body = house.http("GET", f"/crl/{label}/0.crl")
        if status == 200:
            break
        expect(time.monotonic() < end, f"{label}: {status} {body}")
        time.sleep(0.1)
    with open(at(label + ".crl"), "wb") as f:
        f.write(body)
    return at(label + ".crl")


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


def line_of(name):
    """The issuer's line of `ca list`."""
    return next(line for line in house.cli("ca", "list").stdout.split("\n")
                if line.split()[:1] == [name])


def renewals():
    """Of the listener; those of OCSP responders are told likewise."""
    return house.log_text().count("the listener has a new certificate")


def wait_for_renewal(seen):
    """Until the log tells of one more renewal than it did."""
    end = time.monotonic() + 15
    while renewals() <= seen:
        expect(time.monotonic() < end, "it is not renewed")
        time.sleep(0.05)


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
    csr = CSRS.setdefault(key, None) or house.csr(dns)
    CSRS[key] = csr
    got = house.submit("ci", csr, key, issuer=name, approved=approved)
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
        text = run("openssl", "req", "-in", csr, "-noout", "-text", "-verify",
                   "-nameopt", "RFC2253")
        text = text.stdout + text.stderr
        for word in (shown, f"Subject: CN=Corp {kind} CA,O=Corp",
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
    house.client_add("eye", "audit")
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
def rollover_makes_the_next_generation_and_the_old_answers_stay():
    house.cli("ca", "create", "web", "--under", "root", "--crl-url",
              "http://crl.example/crl/web", "--key", "ec-p384")
    refused("ca", "rollover", "web", says="is not recorded yet")
    expect(house.stop() == 0, "stop")
    house.start()
    before = issue("web", "w-1", "one.example")
    pending = house.submit("ci", house.csr("wait.example"), "w-wait",
                           issuer="web", approved=False)
    expect(pending.status == 202, f"{pending.status} {pending.body}")
    done = house.cli("ca", "rollover", "web", "--days", "2000")
    expect("Made generation 2 of the issuer web" in done.stdout and
           "http://crl.example/crl/web@2" in done.stdout and
           "restart the server" in done.stdout, done.stdout)
    expect("warning: it ends before" in done.stderr, done.stderr)
    refused("ca", "rollover", "web", says="is not recorded yet")
    issue("web", "w-2", "two.example")
    expect(house.get("/v1/issuers/web", "ci")[1]["generation"] == 1,
           "it took effect without a restart")
    expect(house.stop() == 0, "stop")
    house.start()
    now = house.get("/v1/issuers/web", "ci")[1]
    expect(now["generation"] == 2 and now["state"] == "active" and
           now["crl_url"] == "http://crl.example/crl/web@2" and
           now["key"] == "ec-p384", str(now))
    states = [(g["generation"], g["state"], g["crl_url"])
              for g in now["generations"]]
    expect(states == [(1, "superseded", "http://crl.example/crl/web"),
                      (2, "active", "http://crl.example/crl/web@2")],
           str(states))
    again = issue("web", "w-1", "one.example")
    expect(again == before, "an old answer changed")
    status, _, body = house.http(
        "POST", f"/v1/requests/{pending.json['id']}/approve", json.dumps(
            {"request_sha256": pending.json["request_sha256"]}).encode(),
        house.tokens["boss"])
    expect(status == 200, f"{status} {body}")
    after = json.loads(body)
    SECOND.update(after)
    text = run("openssl", "x509", "-in", verified(after), "-noout",
               "-text").stdout
    expect("URI:http://crl.example/crl/web@2/0.crl" in text, text)
    verified(before)
    old = house.get("/v1/certificates/" + before["serial"], "ci")[1]
    expect(old["generation"] == 1 and old["certificate"] ==
           before["certificate"], str(old))
    new = house.get("/v1/certificates/" + after["serial"], "ci")[1]
    expect(new["generation"] == 2, str(new))
    pem = house.cli("ca", "show", "web", "-o", "pem", "--generation",
                    "1").stdout
    expect(pem == read(path("issuers/web/generation-1/chain.pem")), pem)
    expect("superseded" in house.cli("ca", "show", "web").stdout, "ca show")
    status, _, chain = house.http("GET", "/v1/issuers/web/chain.pem")
    expect(status == 200 and chain.decode() == now["chain"], "chain.pem")
    listed = house.cli("audit", "list", "--kind", "ca.created", "-o",
                       "ndjson").stdout
    expect('"generation":2,"issuer":"web"' in listed, listed)


@tap.test
def a_generation_may_keep_its_key():
    done = house.cli("ca", "rollover", "web", "--same-key")
    expect("the same as before" in done.stdout, done.stdout)
    expect(house.stop() == 0, "stop")
    house.start()
    now = house.get("/v1/issuers/web", "ci")[1]
    expect([g["generation"] for g in now["generations"]] == [1, 2, 3],
           str(now["generations"]))
    expect(read(path("issuers/web/key.pem")) ==
           read(path("issuers/web/generation-2/key.pem")), "another key")
    body = issue("web", "w-3", "three.example")
    verified(body)
    # What was issued before verifies under the newer certificate, too.
    run("openssl", "verify", "-CAfile", write(now["ca"], at("root")),
        "-untrusted", write(now["chain"], at("chain")),
        write(SECOND["certificate"], at("leaf")))


@tap.test
def each_generation_signs_crls_with_its_own_key():
    told = house.get("/v1/issuers/web", "ci")[1]
    first = issue("web", "w-1", "one.example")
    leaves = {1: first, 2: SECOND, 3: issue("web", "w-3", "three.example")}
    for g in told["generations"]:
        label = "web" if g["generation"] == 1 else f"web@{g['generation']}"
        crl = crl_of(label)
        pem = run("openssl", "crl", "-inform", "DER", "-in", crl).stdout
        chain = write(g["chain"], at("chain"))
        done = run("openssl", "verify", "-crl_check", "-CRLfile",
                   write(pem, at("crl.pem")), "-CAfile",
                   write(g["ca"], at("root")), "-untrusted", chain,
                   write(leaves[g["generation"]]["certificate"], at("leaf")),
                   check=False)
        expect(done.returncode == 0, f"{label}: {done.stdout}{done.stderr}")
    # What is revoked stands in the CRL of the generation that issued it.
    doomed = issue("web", "w-2", "two.example")["serial"]
    house.cli("cert", "revoke", doomed, "--reason", "superseded")
    end = time.monotonic() + 15
    while bytes.fromhex(doomed) not in read_bytes(crl_of("web")):
        expect(time.monotonic() < end, "it is on no CRL")
        time.sleep(0.1)
    expect(bytes.fromhex(doomed) not in read_bytes(crl_of("web@2")),
           "it is on another's CRL")


@tap.test
def a_foreign_ca_certifies_the_next_generation():
    for name, more in (("new-ec-p256", ()), ("new-ed25519", ("--same-key",))):
        csr = at(name + "-next.csr")
        house.cli("ca", "csr", name, *more, "--out", csr)
        text = run("openssl", "req", "-in", csr, "-noout", "-subject").stdout
        expect(f"Corp {name[4:]} CA" in text, text)
        refused("ca", "rollover", name, says="a CSR waits")
        refused("ca", "rollover", name, "--chain", signed(at("ec-p384.csr")),
                says="is not for the key of")
        again = house.cli("ca", "csr", name)
        expect(again.stdout == read(csr), "another CSR")
        done = house.cli("ca", "rollover", name, "--chain", signed(csr, 900))
        expect("Made generation 2" in done.stdout and
               "ends before" in done.stderr, f"{done.stdout} {done.stderr}")
        expect(not os.path.exists(path("issuers", name, "next")), "next/")
    refused("ca", "rollover", "new-rsa-3072", "--chain",
            path("issuers/new-rsa-3072/chain.pem"),
            says="has this certificate already")
    refused("ca", "rollover", "new-rsa-3072", "--chain",
            signed(at("ec-p384.csr"), 90), says="bring it (--key)")
    # Both from elsewhere, for an issuer whose key is encrypted.
    run("openssl", "req", "-new", *P256, "-nodes", "-keyout", at("brought"),
        "-subj", "/O=Corp/CN=CA locked", "-out", at("brought.csr"))
    os.chmod(at("brought"), 0o600)
    house.cli("ca", "rollover", "locked", "--chain", signed(at("brought.csr")),
              "--key", at("brought"))
    expect("ENCRYPTED" in read(path("issuers/locked/key.pem")), "it is plain")
    expect(house.stop() == 0, "stop")
    house.start()
    for name in ("new-ec-p256", "new-ed25519", "locked"):
        body = issue(name, "n-" + name, "next.example")
        verified(body)
        got = house.get("/v1/certificates/" + body["serial"], "ci")[1]
        expect(got["generation"] == 2, str(got))
    # An old answer comes from the ledger, whatever the files are now.
    verified(issue("locked", "l", "locked.example"))


@tap.test
def a_crash_leaves_the_old_generation_or_the_new_one():
    for point, generation in (("ca.before_exchange", 1),
                              ("ca.after_exchange", 2)):
        names = ("key.pem", "chain.pem")
        old = [read(path("issuers/hand", n)) for n in names]
        house.env["CS_FAILPOINTS"] = point + "=kill"
        done = house.cli("ca", "rollover", "hand", "--chain",
                         signed(at("hand.csr"), 800), check=False)
        del house.env["CS_FAILPOINTS"]
        expect(done.returncode == -9, f"{point}: {done.returncode}")
        now = [read(path("issuers/hand", n)) for n in names]
        expect((now == old) == (generation == 1), f"{point}: half")
        expect(house.stop() == 0, "stop")
        house.start()
        shown = house.get("/v1/issuers/hand", "ci")[1]
        expect(shown["generation"] == generation, f"{point}: {shown}")
        verified(issue("hand", point, "crash.example"))
    house.cli("ca", "rollover", "hand", "--chain",
              signed(at("hand.csr"), 801))
    expect(not os.path.exists(path("issuers/.hand.new")), "it is not removed")
    expect(os.path.exists(path("issuers/hand/generation-2/key.pem")) and
           os.path.exists(path("issuers/hand/generation-1/key.pem")), "keys")


@tap.test
def a_retired_issuer_signs_no_certificate_and_says_so():
    pending = house.submit("ci", house.csr("late.example"), "r-late",
                           issuer="new-ec-p384", approved=False)
    expect(pending.status == 202, f"{pending.status} {pending.body}")
    kept = issue("new-ec-p384", "k-ec-p384", "ec-p384.example")
    refused("ca", "retire", "nobody", says="no issuer `nobody`")
    refused("ca", "retire", "later", says="has no certificate yet")
    refused("ca", "retire", "web", "--generation", "1", says="--destroy-key")
    refused("ca", "retire", "web", "--generation", "9", says="no generation")
    done = house.cli("ca", "retire", "new-ec-p384")
    expect("restart the server" in done.stdout, done.stdout)
    refused("ca", "retire", "new-ec-p384", says="is retired since")
    expect(house.stop() == 0, "stop")
    expect(" retired " in line_of("new-ec-p384"), "ca list, stopped")
    house.start()
    expect(" retired " in line_of("new-ec-p384"), "ca list")
    told = house.get("/v1/issuers/new-ec-p384", "ci")[1]
    expect(told["state"] == told["generations"][0]["state"] == "retired" and
           "retired" in told["generations"][0], str(told))
    expect("retired" in house.cli("status").stdout, "status")
    got = house.submit("ci", house.csr("new.example"), issuer="new-ec-p384",
                       approved=False)
    expect(got.status == 422 and got.json["code"] == "ISSUER_RETIRED" and
           "is retired (generation 1)" in got.body.decode() and
           "Ask another issuer" in got.json["detail"],
           f"{got.status} {got.body}")
    # What waits is answered like that, and what was answered stays.
    status, _, body = house.http(
        "POST", f"/v1/requests/{pending.json['id']}/approve", json.dumps(
            {"request_sha256": pending.json["request_sha256"]}).encode(),
        house.tokens["boss"])
    expect(status == 200 and json.loads(body)["status"] == 422 and
           json.loads(body)["code"] == "ISSUER_RETIRED", f"{status} {body}")
    expect(issue("new-ec-p384", "k-ec-p384", "ec-p384.example") == kept,
           "an old answer changed")
    status, _, chain = house.http("GET", "/v1/issuers/new-ec-p384/chain.pem")
    expect(status == 200 and chain.decode() == told["chain"], "chain.pem")
    listed = house.cli("audit", "list", "--kind", "config.applied", "-o",
                       "ndjson").stdout
    expect('"generation":1,"issuer":"new-ec-p384","op":"retire"' in listed,
           listed)
    status, _, body = house.http("GET", "/metrics", token=house.tokens["eye"])
    alarms = [line for line in body.decode().split("\n")
              if line.startswith("countersign_ca_not_after")]
    expect(not any("new-ec-p384" in line for line in alarms) and
           sum('"web"' in line for line in alarms) == 1, str(alarms))


@tap.test
def a_retirement_cannot_be_taken_back_but_by_a_rollover():
    state = path("issuers/new-ec-p384/generation.yaml")
    text = read(state)
    expect(house.stop() == 0, "stop")
    os.remove(state)
    failed = False
    try:
        house.start()
    except Exception:
        failed = True
        house.process.wait(20)
        house.process.stdout.close()
    expect(failed and "says retire of generation 1" in house.log_text(),
           "it started")
    write(text, state)
    house.start()
    house.cli("ca", "csr", "new-ec-p384", "--out", at("again.csr"))
    house.cli("ca", "rollover", "new-ec-p384", "--chain",
              signed(at("again.csr")))
    expect(house.stop() == 0, "stop")
    house.start()
    body = issue("new-ec-p384", "again", "again.example")
    verified(body)
    told = house.get("/v1/issuers/new-ec-p384", "ci")[1]
    expect([g["state"] for g in told["generations"]] ==
           ["retired", "active"], str(told["generations"]))


@tap.test
def a_key_is_destroyed_when_nothing_needs_it():
    gone = ("ca", "retire", "web", "--destroy-key", "--generation")
    key = path("issuers/web/generation-1/key.pem")
    refused(*gone, "3", says="still issues")
    refused(*gone, "2", says="generation 3 of issuer web has the same key")
    refused(*gone, "1", says="has certificates that live")
    serial = issue("web", "w-1", "x")["serial"]
    refused(*gone, "1", says="the key stays")
    house.cli("cert", "revoke", serial, "--reason", "superseded")
    size = os.path.getsize(key)
    with open(key, "rb") as inode:
        done = house.cli(*gone, "1")
        inode.seek(0)
        expect(inode.read() == bytes(size), "it is not overwritten")
    expect("is destroyed" in done.stdout and not os.path.exists(key),
           done.stdout)
    expect(house.stop() == 0, "stop")
    house.start()
    told = house.get("/v1/issuers/web", "ci")[1]
    expect("key_destroyed" in told["generations"][0], str(told))
    verified(issue("web", "w-3", "three.example"))
    listed = house.cli("audit", "list", "--kind", "config.applied", "-o",
                       "ndjson").stdout
    expect('"generation":1,"issuer":"web","op":"destroy_key"' in listed,
           listed)
    # One that is retired, with force; the server does without the key.
    house.cli("ca", "retire", "new-rsa-4096")
    refused("ca", "retire", "new-rsa-4096", "--destroy-key",
            says="has certificates that live")
    house.cli("ca", "retire", "new-rsa-4096", "--destroy-key", "--force")
    house.cli("ca", "retire", "locked")
    head, mark, tail = read(path("countersign.yaml")).partition(
        '  - name: "locked"\n')
    write(head + mark + tail.replace("ocsp: false", "ocsp: true", 1),
          path("countersign.yaml"))
    expect(house.stop() == 0, "stop")
    house.start()
    # Its OCSP responder gets a certificate nevertheless.
    end = time.monotonic() + 10
    while not os.path.exists(path("ocsp/locked/chain.pem")):
        expect(time.monotonic() < end, house.log_text()[-2000:])
        time.sleep(0.1)
    # Both generations of what is retired go on signing CRLs.
    said = house.cli("crl", "publish", "locked").stdout
    expect(said.count("locked") == 2, said)
    crl = crl_of("locked@2")
    run("openssl", "crl", "-inform", "DER", "-in", crl, "-noout", "-CAfile",
        path("issuers/locked/chain.pem"))
    house.cli("audit", "verify")


@tap.test
def a_backup_has_all_generations():
    house.cli("backup", at("two"), "--including-private-keys")
    away = at("away-two")
    run(COUNTERSIGN, "restore", at("two"), "--dir", away, env=house.env)
    for folder, _, files in os.walk(path("issuers")):
        for name in files:
            there = os.path.join(folder, name).replace(house.dir, away)
            expect(read(os.path.join(folder, name)) == read(there), there)
    run(COUNTERSIGN, "audit", "verify", "--dir", away, env=house.env)


@tap.test
def the_listener_is_renewed_under_the_new_generation():
    house.cli("ca", "rollover", "default")
    expect(house.stop() == 0, "stop")
    shift = write(str(80 * 86400 * 1000), at("shift"))
    seen = renewals()
    house.start(env={"CS_CLOCK_SHIFT_FILE": shift})
    wait_for_renewal(seen)
    run("openssl", "verify", "-partial_chain", "-attime",
        str(int(time.time()) + 80 * 86400), "-CAfile",
        write(house.cli("ca", "show", "default", "-o", "pem").stdout,
              at("default.pem")), path("tls/chain.pem"))


@tap.test
def who_certifies_the_listener_has_to_have_a_successor():
    refused("ca", "retire", "default", says="--listener ISSUER")
    refused("ca", "retire", "default", "--listener", "default", says="no other")
    refused("ca", "retire", "default", "--listener", "new-rsa-4096",
            says="no other")
    before = read(path("countersign.yaml"))
    house.cli("ca", "retire", "default", "--listener", "web")
    after = read(path("countersign.yaml"))
    expect(after.replace('  issuer: "web"\n', "") == before and
           after != before, after)
    expect(house.stop() == 0, "stop")
    write(str(160 * 86400 * 1000), at("shift"))
    seen = renewals()
    house.start(env={"CS_CLOCK_SHIFT_FILE": at("shift")})
    wait_for_renewal(seen)
    issuer = run("openssl", "x509", "-in", path("tls/chain.pem"), "-noout",
                 "-issuer", "-nameopt", "RFC2253").stdout
    expect("CN=Countersign CA web" in issuer, issuer)


@tap.test
def the_log_is_whole():
    # Stopped: a renewal under way would be signed and not yet seen.
    expect(house.stop() == 0, "stop")
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))
    house.cli("audit", "verify")


status = tap.run()
house.close()
sys.exit(status)
