#!/usr/bin/env python3
"""Issuers made, imported and retired where something is in the way."""
import os
import pty
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import (COUNTERSIGN, House, Tap, expect,  # noqa: E402
                             run)

tap = Tap()
house = House(("--key", "ed25519"))
CA_EXT = ("basicConstraints=critical,CA:TRUE,pathlen:0\n"
          "keyUsage=critical,keyCertSign,cRLSign\n"
          "subjectKeyIdentifier=hash\n")


def path(*names):
    return os.path.join(house.dir, *names)


def at(*names):
    return os.path.join(house.root, *names)


def read(name):
    with open(name, encoding="utf-8") as f:
        return f.read()


def write(text, name):
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)
    return name


def tree():
    """What stands in the installation, but for what runs."""
    found = {}
    for folder, _, names in os.walk(house.dir):
        for name in names:
            file = os.path.join(folder, name)
            if "/run" not in folder and not name.startswith("ledger"):
                found[file] = read(file)
    return found


def refused(*args, says):
    """It fails, says why, and changes nothing."""
    before = tree()
    done = house.cli(*args, check=False)
    expect(done.returncode not in (0, -6, -11) and says in done.stderr,
           f"{args}: {done.returncode} {done.stderr}")
    after = tree()
    expect(after == before, f"{args}: {set(after) ^ set(before)} changed")
    folders = os.listdir(path("issuers"))
    expect(not [n for n in folders if n.startswith(".")], folders)


def foreign_root():
    """A root of somebody else: (key, certificate)."""
    key, pem = at("foreign.key"), at("foreign.pem")
    if not os.path.exists(pem):
        run("openssl", "req", "-x509", "-newkey", "ed25519", "-nodes",
            "-keyout", key, "-out", pem, "-subj", "/CN=Foreign", "-days",
            "300", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    return key, pem


def foreign_ca(name, csr=None):
    """A CA below it: (key, chain); for the key of a CSR, or a new one."""
    root_key, root = foreign_root()
    key, chain = at(name + ".key"), at(name + ".pem")
    if csr is None:
        csr = at(name + ".csr")
        run("openssl", "req", "-new", "-newkey", "ed25519", "-nodes",
            "-keyout", key, "-subj", "/CN=" + name, "-out", csr)
        os.chmod(key, 0o600)
    run("openssl", "x509", "-req", "-in", csr, "-CA", root, "-CAkey",
        root_key, "-days", "200", "-out", chain, "-extfile",
        write(CA_EXT, at("ext")))
    write(read(chain) + read(root), chain)
    return key, chain


@tap.test
def what_is_retired_certifies_no_ca_any_more():
    house.cli("ca", "create", "up", "--self-signed", "--path-len", "1",
              "--key", "ed25519")
    config = read(path("countersign.yaml"))
    place = config.index('name: "up"')
    write(config[:place] + config[place:]
          .replace("ca: false", "ca: true")
          .replace("max_validity: 398d", "max_validity: 3650d"),
          path("countersign.yaml"))
    house.cli("ca", "create", "below", "--under", "up", "--days", "900")
    house.start()
    expect(house.stop() == 0, "stop")
    house.cli("ca", "retire", "up")
    says = "`up` is retired"
    refused("ca", "create", "late", "--under", "up", "--days", "900",
            says=says)
    refused("ca", "rollover", "below", "--under", "up", "--days", "900",
            says=says)


@tap.test
def root_is_the_root_and_never_an_issuer():
    key, chain = foreign_ca("rooted")
    says = "name: `root`"
    refused("ca", "create", "root", "--self-signed", says=says)
    refused("ca", "csr", "root", says=says)
    refused("ca", "import", "root", "--chain", chain, "--key", key, says=says)
    # One of that name may be there from before.
    house.cli("ca", "import", "rooted", "--chain", chain, "--key", key)
    config = read(path("countersign.yaml"))
    write(config.replace('"rooted"', '"root"')
          .replace("issuers/rooted/", "issuers/root/"),
          path("countersign.yaml"))
    os.rename(path("issuers", "rooted"), path("issuers", "root"))
    house.cli("ca", "create", "under-it", "--under", "root", "--key",
              "ed25519")
    own = read(path("root.pem")).split("-----END")[0]
    expect(own in read(path("issuers", "under-it", "chain.pem")),
           "not under the installation's root")


@tap.test
def a_file_for_a_csr_is_not_overwritten():
    kept = write("precious", at("kept.pem"))
    refused("ca", "csr", "asks", "--out", kept, says="is there already")
    expect(read(kept) == "precious", "it was overwritten")
    done = house.cli("ca", "csr", "nowhere", "--out", at("no", "such.csr"),
                     check=False)
    expect(done.returncode == 1 and "issuers/nowhere/request.pem" in
           done.stderr, done.stderr)
    house.cli("ca", "csr", "asks", "--out", at("asks.csr"))
    refused("ca", "csr", "asks", "--out", kept, says="is there already")
    expect(read(kept) == "precious", "it was overwritten")


@tap.test
def a_certificate_is_not_taken_for_a_key_that_is_gone():
    _, chain = foreign_ca("asked", at("asks.csr"))
    key = path("issuers", "asks", "key.pem")
    os.rename(key, at("away.key"))
    refused("ca", "import", "asks", "--chain", chain,
            says="issuers/asks/key.pem")
    os.rename(at("away.key"), key)
    house.cli("ca", "import", "asks", "--chain", chain)


@tap.test
def two_commands_at_once_lose_no_stanza():
    """The first is held up after it has read countersign.yaml."""
    key, chain = foreign_ca("slow")
    fifo = at("fifo")
    os.mkfifo(fifo)
    first = subprocess.Popen(
        [COUNTERSIGN, "ca", "import", "slow", "--chain", fifo, "--key", key,
         "--dir", house.dir], env=house.env, stdout=subprocess.DEVNULL)
    with open(fifo, "w", encoding="ascii") as f:
        done = house.cli("ca", "create", "quick", "--self-signed", "--key",
                         "ed25519", check=False)
        f.write(read(chain))
    expect(first.wait(30) == 0, "the import failed")
    config = read(path("countersign.yaml"))
    expect('"slow"' in config, "the first is not there")
    expect(done.returncode == 1 and "another command" in done.stderr,
           f"{done.returncode} {done.stderr}")
    expect('"quick"' not in config and
           not os.path.exists(path("issuers", "quick")), "half of it is there")


@tap.test
def what_cannot_be_finished_is_taken_back():
    os.mkdir(path("countersign.yaml.tmp"))
    refused("ca", "create", "half", "--under", "root", says=".yaml.tmp")
    expect(not os.path.exists(path("issuers", "half")), "it was left")
    refused("ca", "csr", "half", says=".yaml.tmp")
    expect(not os.path.exists(path("issuers", "half")), "it was left")
    os.rmdir(path("countersign.yaml.tmp"))
    roots = read(path("root.pem"))
    own = roots.split("-----END CERTIFICATE-----\n")[0] + \
        "-----END CERTIFICATE-----\n"
    write(own * 64, path("root.pem"))
    refused("ca", "create", "half", "--self-signed", says="64 roots")
    expect(not os.path.exists(path("issuers", "half")), "it was left")
    write(roots, path("root.pem"))


@tap.test
def what_a_crash_has_left_is_named_with_what_to_do():
    os.mkdir(path("issuers", "left"))
    refused("ca", "create", "left", "--under", "root",
            says="has no issuer `left`")
    shutil.rmtree(path("issuers", "left"))


@tap.test
def a_link_to_an_issuer_does_not_roll_over():
    """The next generation would take the link's place, not its target's."""
    theirs = at("theirs")
    os.rename(path("issuers", "default"), theirs)
    os.symlink(theirs, path("issuers", "default"))
    before = sorted(os.listdir(theirs))
    refused("ca", "rollover", "default", says="put the directory itself")
    expect(sorted(os.listdir(theirs)) == before, os.listdir(theirs))
    os.unlink(path("issuers", "default"))
    os.rename(theirs, path("issuers", "default"))


@tap.test
def a_passphrase_comes_from_a_pipe_or_a_file():
    one, other = socket.socketpair()
    _, terminal = pty.openpty()
    with open("/dev/null", encoding="ascii") as null:
        for fd in (one.fileno(), terminal, null.fileno()):
            done = subprocess.run(
                [COUNTERSIGN, "ca", "create", "secret", "--under", "root",
                 "--passphrase-fd", str(fd), "--dir", house.dir],
                pass_fds=[fd], capture_output=True, text=True, timeout=30,
                env=house.env)
            expect(done.returncode == 2 and "neither a pipe nor a regular "
                   "file" in done.stderr, f"{done.returncode} {done.stderr}")
    other.close()


@tap.test
def the_house_starts_with_what_was_made():
    house.start()
    out = house.cli("ca", "list").stdout
    for name in ("below", "under-it", "asks", "slow"):
        expect(f"\n{name} " in out, out)
    expect("verified" in house.cli("audit", "verify").stdout, "verify")
    expect(house.stop() == 0, "stop")


status = tap.run()
house.close()
sys.exit(status)
