#!/usr/bin/env python3
"""Several issuers in one installation, each with its key, policy, ceiling."""
import fcntl
import json
import os
import shutil
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import Answer, House, Tap, expect, run  # noqa: E402

tap = Tap()
house = House(("--host", "ca.example", "--host", "::1"))
CREATED = {"web": "ec-p384", "rsa": "rsa-3072", "big": "rsa-4096",
           "ed": "ed25519"}
SIGNATURES = {"default": "ecdsa-with-SHA256", "web": "ecdsa-with-SHA384",
              "rsa": "sha256WithRSAEncryption",
              "big": "sha256WithRSAEncryption", "ed": "ED25519"}
# RSA keys take long to make: those that stand in the installation again.
IMPORTED = {
    "ec": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "r3": ("-new", "-key", os.path.join(house.dir, "issuers/rsa/key.pem")),
    "r4": ("-new", "-key", os.path.join(house.dir, "issuers/big/key.pem")),
    "e2": ("-newkey", "ed25519")}
OTHERS = ("new", "partner", "locked", *IMPORTED)
ROOT_KEY = os.path.join(house.dir, "offline", "root.key")


def path(*names):
    return os.path.join(house.dir, *names)


def read(*names):
    with open(path(*names), encoding="utf-8") as f:
        return f.read()


def write(text, *names):
    with open(path(*names), "w", encoding="utf-8") as f:
        f.write(text)


def refused(*args, says):
    """A command that must fail, with these words and nothing left behind."""
    before = sorted(os.listdir(path("issuers"))), read("countersign.yaml")
    done = house.cli(*args, check=False)
    expect(done.returncode not in (0, 75), f"{args}: {done.returncode}")
    expect(says in done.stderr, f"{args}: {done.stderr}")
    after = sorted(os.listdir(path("issuers"))), read("countersign.yaml")
    expect(before == after, f"{args}: left something behind")


def verified(issuer, body):
    """The certificate's text, after openssl has verified the chain."""
    pem = body["certificate"]
    leaf, chain = os.path.join(house.root, "leaf"), os.path.join(
        house.root, "chain")
    end = pem.index("-----END CERTIFICATE-----") + 26
    for name, text in ((leaf, pem[:end]), (chain, pem[end:])):
        with open(name, "w", encoding="ascii") as f:
            f.write(text)
    with open(path("root.pem"), encoding="ascii") as f:
        expect(body["ca"] in f.read(), f"{issuer}: root.pem lacks its root")
    untrusted = ["-untrusted", chain] if pem[end:].strip() else []
    run("openssl", "verify", "-x509_strict", "-purpose", "sslserver",
        "-CAfile", path("root.pem"), *untrusted, leaf)
    return run("openssl", "x509", "-in", leaf, "-noout", "-text").stdout


def foreign_ca(name, *key, ca="CA:TRUE,pathlen:0",
               usage="keyCertSign,cRLSign"):
    """A CA that OpenSSL made: (chain, key) files."""
    made = os.path.join(house.root, name)
    keep = ["-keyout", made + ".key"] if "-key" not in key else []
    run("openssl", "req", "-x509", "-new", *key, "-nodes", *keep,
        "-out", made + ".pem", "-days", "400", "-subj",
        f"/O=Elsewhere/CN={name}",
        "-addext", "basicConstraints=critical," + ca,
        "-addext", "keyUsage=critical," + usage)
    return made + ".pem", made + ".key"


def intermediate(name, digest, *key):
    """A CA below one that OpenSSL made: (chain, key) files."""
    root, root_key = foreign_ca(name + "-root", *P256,
                                ca="CA:TRUE,pathlen:1")
    made = os.path.join(house.root, name)
    keep = ["-keyout", made + ".key"] if "-key" not in key else []
    run("openssl", "req", "-new", *key, "-nodes", *keep,
        "-out", made + ".csr", "-subj", f"/CN={name}")
    with open(made + ".ext", "w", encoding="ascii") as f:
        f.write("basicConstraints=critical,CA:TRUE\n"
                "keyUsage=critical,keyCertSign\n"
                "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    run("openssl", "x509", "-req", "-in", made + ".csr", "-CA", root,
        "-CAkey", root_key, "-" + digest, "-days", "300", "-out",
        made + ".pem", "-extfile", made + ".ext")
    with open(made + ".pem", "a", encoding="ascii") as f, \
            open(root, encoding="ascii") as above:
        f.write(above.read())
    return made + ".pem", key[-1] if "-key" in key else made + ".key"


def expired_ca():
    """--chain and --key of a CA whose day was the one before yesterday's."""
    roots = read("root.pem")
    shift = os.path.join(house.root, "shift")
    with open(shift, "w", encoding="ascii") as f:
        f.write(str(-3 * 86400 * 1000))
    house.env["CS_CLOCK_SHIFT_FILE"] = shift
    house.cli("ca", "create", "old", "--self-signed", "--days", "1",
              "--no-config")
    del house.env["CS_CLOCK_SHIFT_FILE"]
    write(roots, "root.pem")
    away = os.path.join(house.root, "old")
    os.rename(path("issuers", "old"), away)
    return (os.path.join(away, "chain.pem"), "--key",
            os.path.join(away, "key.pem"))


P256 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


@tap.test
def init_takes_several_hosts():
    text = run("openssl", "x509", "-noout", "-ext", "subjectAltName", "-in",
               path("tls", "chain.pem")).stdout
    for host in ("IP Address:127.0.0.1", "DNS:ca.example",
                 "IP Address:0:0:0:0:0:0:0:1"):
        expect(host in text, text)


@tap.test
def ca_create_makes_issuers_of_every_kind_of_key():
    commented = read("countersign.yaml").replace(
        "issuers:", "# Ours.\nissuers:") + "\n# The end.\nworkers: 1\n"
    commented = commented.replace("workers: 0\n", "").replace(
        "signers: 1\n", "signers: 3\n")
    write(commented, "countersign.yaml")
    for name, kind in CREATED.items():
        house.cli("ca", "create", name, "--under", "root", "--key", kind)
        key = os.stat(path("issuers", name, "key.pem"))
        expect(stat.S_IMODE(key.st_mode) == 0o600, f"{key.st_mode:o}")
    text = read("countersign.yaml")
    expect("# Ours.\nissuers:" in text, "a comment is gone")
    expect(text.endswith("\n# The end.\nworkers: 1\n"), text[-200:])
    expect(text.count("self_approval: false") == len(CREATED), text)
    expect(read("root.pem").count("BEGIN") == 1, "a root too many")


@tap.test
def nothing_is_overwritten_and_nothing_is_left_behind():
    refused("ca", "create", "web", "--under", "root",
            says="there is an issuer `web` already")
    os.mkdir(path("issuers", "old"))
    refused("ca", "create", "old", "--under", "root", says="is there already")
    os.rmdir(path("issuers", "old"))
    refused("ca", "create", "Web", "--under", "root", says="lower-case")
    refused("ca", "create", "../x", "--under", "root", says="lower-case")
    refused("ca", "create", "new", says="--self-signed")
    refused("ca", "create", "new", "--under", "web", says="path length")
    refused("ca", "create", "new", "--under", "nobody", says="no issuer")
    refused("ca", "create", "new", "--under", "root", "--ca-key",
            path("log.key"), says="not that of the CA's certificate")
    refused("ca", "create", "new", "--under", "root", "--path-len", "1",
            says="promises more")


@tap.test
def one_at_a_time_makes_an_issuer_and_clears_up_after_a_crash():
    make = ("ca", "create", "mine", "--under", "root", "--no-config")
    os.mkdir(path("issuers", ".mine.new"))
    write("half a key", "issuers", ".mine.new", "key.pem")
    fd = os.open(path("issuers"), os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    refused(*make, says="another command is making an issuer")
    os.close(fd)
    os.chown(house.dir, 65534, 65534)
    house.cli(*make)
    os.chown(house.dir, 0, 0)
    expect(not os.path.exists(path("issuers", ".mine.new")), "it stays")
    for name in ("", "key.pem", "chain.pem"):
        owner = os.stat(path("issuers", "mine", name))
        expect(owner.st_uid == owner.st_gid == 65534,
               f"{name} belongs to {owner.st_uid}, not the installation's")
    shutil.rmtree(path("issuers", "mine"))


@tap.test
def the_roots_key_may_be_elsewhere():
    away = os.path.join(house.root, "usb.key")
    os.rename(ROOT_KEY, away)
    refused("ca", "create", "new", "--under", "root", says="--ca-key FILE")
    done = house.cli("ca", "create", "new", "--under", "root", "--no-config",
                     "--ca-key", away, "--name", "New CA", "--days", "30")
    expect(done.stdout.startswith('  - name: "new"\n'), done.stdout)
    text = read("countersign.yaml")
    expect('"new"' not in text, "it is in the configuration")
    subject = run("openssl", "x509", "-noout", "-subject", "-nameopt",
                  "RFC2253", "-in", path("issuers", "new", "chain.pem")).stdout
    expect(subject == "subject=CN=New CA,O=Countersign\n", subject)
    write(text.replace("\n# The end.", done.stdout + "\n# The end."),
          "countersign.yaml")


@tap.test
def ca_import_takes_what_fits_and_nothing_else():
    chain, key = foreign_ca("fits", *P256)
    other = foreign_ca("other", *P256)[1]
    take = ("ca", "import", "partner", "--chain")
    refused(*take, chain, "--key", other, says="not that of the CA's")
    refused(*take, key, "--key", key, says="CERTIFICATE")
    leaf, leaf_key = foreign_ca("leaf", *P256, ca="CA:FALSE",
                                usage="digitalSignature")
    refused(*take, leaf, "--key", leaf_key, says="4.2.1.9")
    usage, usage_key = foreign_ca("usage", *P256, usage="cRLSign")
    refused(*take, usage, "--key", usage_key, says="keyCertSign")
    with open(chain, encoding="ascii") as f, \
            open(path("issuers", "web", "chain.pem"), encoding="ascii") as g:
        text = f.read() + g.read()
    mixed = os.path.join(house.root, "mixed.pem")
    with open(mixed, "w", encoding="ascii") as f:
        f.write(text)
    refused(*take, mixed, "--key", key, says="RFC 5280 6.1.3")
    refused(*take, *expired_ca(), says="expired")
    weak, weak_key = intermediate("weak", "sha1", *P256)
    refused(*take, weak, "--key", weak_key, says="SHA-1")
    done = house.cli(*take, chain, "--key", key)
    expect("root.pem" in done.stdout, done.stdout)
    expect(read("root.pem").count("BEGIN") == 2, "its root is not there")


@tap.test
def ca_import_takes_every_kind_of_key():
    for name, key in IMPORTED.items():
        chain, key = intermediate(name, "sha256", *key)
        house.cli("ca", "import", name, "--chain", chain, "--key", key)
    chain, key = intermediate("locked", "sha256", *P256)
    word = os.path.join(house.root, "word")
    with open(word, "w", encoding="ascii") as f:
        f.write("a passphrase\n")
    os.chmod(word, 0o600)
    run("openssl", "pkcs8", "-topk8", "-in", key, "-out", key + ".locked",
        "-passout", "file:" + word, "-scrypt")
    take = ("ca", "import", "locked", "--chain", chain, "--key",
            key + ".locked")
    refused(*take, says="encrypted and no passphrase")
    house.cli(*take, "--passphrase-file", word)
    with open(key + ".locked", encoding="ascii") as f:
        expect(f.read() == read("issuers", "locked", "key.pem"),
               "an encrypted key was changed")


@tap.test
def every_issuer_issues_after_a_restart():
    house.start()
    signers = [r for r in house.rooms() if r.startswith("cs-signer")]
    expect(len(signers) == 3, f"{signers}")
    house.client_add("ci", "submit", "approve")
    house.client_add("boss", "approve")
    log = house.cli("audit", "list", "-o", "ndjson").stdout
    expect(log.count('"ca.created"') == 1 + len(CREATED) + len(OTHERS), log)
    expect('"config.applied"' in log, log)
    for name, signature in SIGNATURES.items():
        csr = house.csr(f"www.{name}.example")
        got = house.submit("ci", csr, "k-" + name, issuer=name,
                           approved=name == "default")
        if name != "default":
            expect(got.status == 202, f"{name}: {got.status} {got.body}")
            got = approve(got.json)
        else:
            expect(got.status == 201, f"{name}: {got.status} {got.body}")
        text = verified(name, got.json)
        expect(f"Signature Algorithm: {signature}" in text, text)
    for name in OTHERS:
        got = house.submit("ci", house.csr("www.example"), "k-" + name,
                           issuer=name, approved=False)
        verified(name, approve(got.json).json)


def approve(pending):
    """The certificate of what waits, by another principal."""
    status, headers, body = house.http(
        "POST", f"/v1/requests/{pending['id']}/approve",
        json.dumps({"request_sha256": pending["request_sha256"]}).encode(),
        house.tokens["boss"])
    expect(status == 200, f"{status} {body}")
    return Answer(("boss", None), status, headers, body)


@tap.test
def the_issuers_are_listed_by_a_running_server_and_by_files():
    for state in ("running", "stopped"):
        out = house.cli("ca", "list").stdout
        rows = {line.split()[0]: line for line in out.split("\n")[1:] if line}
        expect(set(rows) == {*SIGNATURES, *OTHERS}, f"{state}: {out}")
        expect("rsa-4096" in rows["big"] and " valid " in rows["big"] and
               "CN=Countersign CA big" in rows["big"], out)
        shown = json.loads(house.cli("ca", "show", "web", "-o",
                                     "json").stdout)
        expect(shown["generation"] == 1 and shown["key"] == "ec-p384" and
               shown["ceiling"]["max_validity"] == "398d", str(shown))
        pem = house.cli("ca", "show", "web", "-o", "pem").stdout
        expect(pem == read("issuers", "web", "chain.pem"), pem)
        expect(house.cli("ca", "show", "nobody", check=False).returncode == 5,
               "an issuer that is not there")
        if state == "running":
            told = house.get("/v1/issuers/web", "ci")[1]
            expect(shown.pop("state") == "valid" and
                   told.pop("state") == "active" and told == shown, "HTTP")
            status, items = house.get("/v1/issuers", "ci")
            expect(status == 200 and len(items["items"]) == len(rows), items)
            expect(house.get("/v1/issuers/nobody", "ci")[0] == 404, "404")
            for name in ("web", "partner"):
                status, _, body = house.http(
                    "GET", f"/v1/issuers/{name}/chain.pem")
                expect(status == 200 and body.count(b"BEGIN") == 1, name)
            house.cli("ca", "create", "later", "--under", "root", "--ca-key",
                      os.path.join(house.root, "usb.key"))
            done = house.cli("ca", "list")
            expect("later is configured" in done.stderr, done.stderr)
            expect(house.stop() == 0, "stop")
            text = read("countersign.yaml")
            at = text.index('  - name: "later"')
            end = text.index("\n# The end.")
            write(text[:at].rstrip("\n") + "\n" + text[end:],
                  "countersign.yaml")
    house.start()


@tap.test
def an_unknown_issuer_is_named_with_those_there_are():
    house.client_add("narrow", "submit", options=("--issuer", "web"))
    csr = house.csr("www.example")
    got = house.submit("ci", csr, issuer="nobody")
    expect(got.status == 404 and got.json["code"] == "UNKNOWN_ISSUER",
           f"{got.status} {got.body}")
    for name in (*SIGNATURES, *OTHERS):
        expect(name in got.json["detail"], got.body)
    got = house.submit("narrow", csr, issuer="nobody", approved=False)
    expect("web" in got.json["detail"] and "big" not in got.json["detail"],
           got.body)
    got = house.submit("narrow", csr, issuer="big", approved=False)
    expect(got.status == 403 and "web" in got.json["detail"], got.body)


def ca_csr(name, path_len=""):
    """A CA's CSR."""
    return run("openssl", "req", "-new", *P256, "-nodes", "-keyout",
               os.path.join(house.root, name + ".key"), "-subj",
               f"/O=Corp/CN={name}", "-addext",
               "basicConstraints=critical,CA:TRUE" + path_len, "-addext",
               "keyUsage=critical,keyCertSign,cRLSign").stdout


@tap.test
def an_issuer_certifies_cas_where_ceiling_and_policy_say_so():
    write("""apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: cas}
spec:
  match: {issuer: [upper, ed]}
  subject:
    commonName: {allow: [any], in_san: ignore}
    organization: {allow: [any]}
  san: {dns: {min: 0}}
  validity: {max: 90d, default: 30d}
  extensions:
    key_usage: {allow: [cert sign, crl sign]}
    basic_constraints: {ca: true, path_len: 1}
""", "policies", "cas.yaml")
    house.cli("policy", "apply")
    house.cli("ca", "create", "upper", "--self-signed", "--path-len", "1")
    text = read("countersign.yaml")
    at = text.index('name: "upper"')
    text = text[:at] + text[at:].replace(
        "ca: false", "ca: true", 1).replace(
        '["server auth", "client auth"]', "[]", 1)
    names = text[:at] + text[at:].replace(
        "permitted_dns: []", "permitted_dns: [corp.example]", 1)
    write(names, "countersign.yaml")
    done = house.cli("ca", "list", check=False)
    expect(house.stop() == 0, "stop")
    done = house.cli("ca", "list", check=False)
    expect(done.returncode != 0 and "RFC 5280 4.2.1.10" in done.stderr,
           f"{done.returncode} {done.stderr}")
    write(text, "countersign.yaml")
    house.start()
    got = house.submit("ci", ca_csr("lower", ",pathlen:0"), "lower",
                       issuer="upper", approved=False)
    expect(got.status == 202, f"{got.status} {got.body}")
    made = approve(got.json).json
    shown = run("openssl", "x509", "-noout", "-text",
                stdin=made["certificate"]).stdout
    expect("CA:TRUE, pathlen:0" in shown and "Certificate Sign" in shown,
           shown)
    below(made)
    chain = os.path.join(house.root, "lower.pem")
    with open(chain, "w", encoding="ascii") as f:
        f.write(made["certificate"] + made["ca"])
    refused("ca", "import", "lower", "--chain", chain, "--key",
            os.path.join(house.root, "lower.key"), says="was issued here")
    for csr, says in ((ca_csr("deep", ",pathlen:1"), "RFC 5280 6.1.4"),
                      (ca_csr("deeper", ",pathlen:2"), "4.2.1.9")):
        got = house.submit("ci", csr, issuer="upper", approved=False)
        expect(got.status == 422 and says in got.body.decode(),
               f"{got.status} {got.body}")
    got = house.submit("ci", ca_csr("other", ",pathlen:0"), issuer="ed",
                       approved=False)
    expect(got.status == 422 and "CA_CEILING" in got.body.decode() and
           "CA_USAGE" in got.body.decode(), f"{got.status} {got.body}")


def below(made):
    """A leaf below the new CA is one for OpenSSL, under the house's root."""
    files = [os.path.join(house.root, n) for n in ("sub.pem", "end.pem")]
    with open(files[0], "w", encoding="ascii") as f:
        f.write(made["certificate"])
    run("openssl", "req", "-x509", "-new", *P256, "-nodes", "-keyout",
        "/dev/null", "-subj", "/CN=end", "-CA", files[0], "-CAkey",
        os.path.join(house.root, "lower.key"), "-out", files[1])
    run("openssl", "verify", "-CAfile", path("root.pem"), "-untrusted",
        files[0], files[1])


@tap.test
def ca_create_makes_one_below_an_issuer_that_may():
    refused("ca", "create", "third", "--under", "web", says="path length")
    house.cli("ca", "create", "third", "--under", "upper", "--days", "100")
    run("openssl", "verify", "-x509_strict", "-CAfile", path("root.pem"),
        path("issuers", "third", "chain.pem"))
    refused("ca", "create", "long", "--under", "upper", "--days", "500",
            says="the issuer's ceiling is 398d")
    expect(house.stop() == 0, "stop")
    house.start()
    got = house.submit("ci", house.csr("www.third.example"), "t",
                       issuer="third", approved=False)
    verified("third", approve(got.json).json)


@tap.test
def another_certificate_of_an_issuer_is_its_next_generation():
    kept = house.submit("ci", house.csr("www.example"), "k-partner-2",
                        issuer="partner", approved=False)
    kept = approve(kept.json)
    expect(house.stop() == 0, "stop")
    key = os.path.join(house.root, "fits.key")
    chain, _ = foreign_ca("fits", "-key", key)
    with open(chain, encoding="ascii") as f:
        text = f.read()
    write(text, "issuers", "partner", "chain.pem")
    write(read("root.pem") + text, "root.pem")
    expect("partner  -" in house.cli("ca", "list").stdout, "it is new")
    house.start()
    shown = house.get("/v1/issuers/partner", "ci")[1]
    expect(shown["generation"] == 2 and shown["ca"] == text, str(shown))
    got = house.submit("ci", house.csr("www.example"), issuer="partner",
                       approved=False)
    got = approve(got.json)
    verified("partner", got.json)
    expect(got.json["ca"] != kept.json["ca"], "the old root")
    old = house.get("/v1/certificates/" + kept.json["serial"], "ci")[1]
    expect(old["generation"] == 1 and old["ca"] == kept.json["ca"], str(old))
    listed = house.cli("audit", "list", "--kind", "ca.created", "-o",
                       "ndjson").stdout
    expect('"generation":2,"issuer":"partner"' in listed, listed)


@tap.test
def each_issuer_has_its_own_policy_and_ceiling():
    os.remove(path("policies", "cas.yaml"))
    write("""apiVersion: countersign.dev/v1
kind: IssuancePolicy
metadata: {name: web}
spec:
  match: {issuer: [web]}
  subject: {commonName: {allow: [any], in_san: ignore}}
  san: {dns: {allow: [{dns: .web.example}]}}
""", "policies", "web.yaml")
    house.cli("policy", "apply")
    csr = house.csr("www.other.example")
    got = house.submit("ci", csr, "p1", issuer="web", approved=False)
    expect(got.status == 422 and got.json["policy"]["name"] == "web",
           f"{got.status} {got.body}")
    got = house.submit("ci", csr, "p2")
    expect(got.status == 201 and got.json["policy"]["name"] != "web",
           f"{got.status} {got.body}")
    expect(house.stop() == 0, "stop")
    text = read("countersign.yaml")
    at = text.index('name: "ed"')
    write(text[:at] + text[at:].replace(
        "permitted_dns: []", "permitted_dns: [ed.example]", 1),
        "countersign.yaml")
    house.start()
    got = house.submit("ci", csr, "c1", issuer="ed", approved=False)
    expect(got.status == 422 and "CA_CEILING" in got.body.decode(),
           f"{got.status} {got.body}")
    csr = house.csr("www.ed.example")
    got = house.submit("ci", csr, "c2", issuer="ed", approved=False)
    expect(got.status == 202, f"{got.status} {got.body}")
    verified("ed", approve(got.json).json)
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))
    house.cli("audit", "verify")
    expect(house.stop() == 0, "stop")


status = tap.run()
house.close()
sys.exit(status)
