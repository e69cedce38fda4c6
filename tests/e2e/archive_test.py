#!/usr/bin/env python3
"""Backups and restores of odd places, of odd installations, cut short."""
import base64
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import (COUNTERSIGN, House, Tap, expect,  # noqa: E402
                             run)

tap = Tap()
house = House()
house.start()
FULL = os.path.join(house.root, "full")
VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                       "vectors", "ledger")


def at(*names):
    return os.path.join(house.root, *names)


def restore(directory, *argv, check=True, env=None):
    return run(COUNTERSIGN, "restore", *argv, "--dir", directory,
               env=dict(house.env, **(env or {})), check=check)


def house_in(directory):
    """A House object on a directory that `restore` made."""
    other = object.__new__(House)
    other.__dict__.update(house.__dict__)
    other.dir, other.process, other.port = directory, None, None
    other.answers, other.tokens = [], dict(house.tokens)
    return other


def restores(h):
    out = h.cli("audit", "list", "--kind", "restore", "-o", "json").stdout
    return len(json.loads(out))


@tap.test
def a_slash_behind_the_name_of_a_backup_changes_nothing():
    house.cli("backup", at("slash") + "//")
    expect(os.path.exists(at("slash", "manifest.json")), "no manifest")
    expect(not os.path.exists(at("slash.part")), "the part is left")
    done = house.cli("backup", at("slash") + "/", check=False)
    expect(done.returncode == 1 and "is there already" in done.stderr,
           done.stderr)
    done = house.cli("backup", "/", check=False)
    expect(done.returncode == 1 and "is there already" in done.stderr,
           done.stderr)


@tap.test
def what_cannot_be_copied_fails_a_backup_and_what_is_not_there_does_not():
    policies = os.path.join(house.dir, "policies")
    os.symlink("nowhere", os.path.join(policies, "gone.yaml"))
    done = house.cli("backup", at("without"), check=False)
    expect(done.returncode != 0 and "gone.yaml" in done.stderr, done.stderr)
    expect(not os.path.exists(at("without")), "a backup without its policies")
    os.unlink(os.path.join(policies, "gone.yaml"))
    os.rename(policies, policies + ".away")
    house.cli("backup", at("without"))
    os.rename(policies + ".away", policies)


@tap.test
def issuers_that_share_a_key_are_in_a_backup_once():
    """Two CA certificates of one key: one file, named by both."""
    house.cli("ca", "create", "one", "--self-signed")
    again = at("again.pem")
    run("openssl", "req", "-x509", "-new", "-key",
        os.path.join(house.dir, "issuers/one/key.pem"), "-subj", "/CN=Two",
        "-days", "300", "-out", again, "-addext",
        "keyUsage=critical,keyCertSign,cRLSign")
    config = os.path.join(house.dir, "countersign.yaml")
    os.mkdir(os.path.join(house.dir, "issuers", "two"), 0o700)
    shutil.copy(again, os.path.join(house.dir, "issuers/two/chain.pem"))
    with open(config, "a", encoding="utf-8") as f:
        f.write('  - name: "two"\n    chain: "issuers/two/chain.pem"\n'
                '    key: "issuers/one/key.pem"\n    ceiling:\n'
                '      max_validity: 90d\n'
                '      ext_key_usage: ["server auth"]\n')
    expect(house.stop() == 0, "stop")
    house.start()
    house.cli("backup", FULL, "--including-private-keys")
    with open(os.path.join(FULL, "manifest.json"), encoding="utf-8") as f:
        names = [e["name"] for e in json.load(f)["files"]]
    expect(names.count("issuers/one/key.pem") == 1, names)
    expect(len(names) == len(set(names)), names)
    restore(at("shared"), FULL)


@tap.test
def all_that_a_start_needs_is_missed():
    secret = at("passphrase")
    with open(secret, "w", encoding="ascii") as f:
        f.write("a secret\n")
    os.chmod(secret, 0o600)
    house.cli("ca", "csr", "waits")
    house.cli("ca", "create", "locked", "--self-signed", "--passphrase-file",
              secret)
    house.cli("backup", at("keyless"))
    os.rename(secret, secret + ".away")
    out = restore(at("waits"), at("keyless")).stdout
    os.rename(secret + ".away", secret)
    for name in ("issuers/waits/key.pem", "issuers/locked/key.pem", secret,
                 "tls/chain.pem"):
        expect(f"start: {name}\n" in out, out)
    # With all that it names, it starts.
    copy = at("waits")
    for line in out.split("\n"):
        name = line.rpartition("start: ")[2]
        if name and name != secret and ": restored" not in name:
            os.makedirs(os.path.dirname(os.path.join(copy, name)),
                        exist_ok=True)
            shutil.copy2(os.path.join(house.dir, name),
                         os.path.join(copy, name))
    other = house_in(copy)
    other.start()
    expect(other.stop() == 0, "stop")


@tap.test
def a_directory_of_another_user_is_not_restored_into():
    if os.geteuid() != 0:
        return
    place = at("theirs")
    os.mkdir(place, 0o755)
    os.chown(place, 65534, 65534)
    for extra in ((), ("--replace-ledger",)):
        if extra:
            shutil.copy(os.path.join(FULL, "log.pub"), place)
        before = sorted(os.listdir(place))
        done = restore(place, FULL, *extra, check=False)
        expect(done.returncode == 7 and "belongs to uid 65534" in done.stderr
               and "as that user" in done.stderr, done.stderr)
        expect(sorted(os.listdir(place)) == before, os.listdir(place))
        expect(os.stat(place).st_mode & 0o777 == 0o755, "its mode changed")


def backup_of_version(name, sql):
    """A backup as a program of that version made it, by a fixture."""
    place = at(name)
    os.mkdir(place, 0o700)
    db = sqlite3.connect(os.path.join(place, "ledger.db"))
    with open(os.path.join(VECTORS, sql), encoding="utf-8") as f:
        db.executescript(f.read())
    origin, key, size = db.execute(
        "SELECT origin, log_key, tree_size FROM meta").fetchone()
    note = db.execute("SELECT note FROM checkpoint ORDER BY tree_size DESC "
                      "LIMIT 1").fetchone()[0]
    db.close()
    # c2sp.org/signed-note: NAME+HASH+BASE64(0x01 and the key).
    blob = b"\x01" + key
    digest = hashlib.sha256(origin.encode() + b"\n" + blob).hexdigest()[:8]
    texts = {"log.pub": f"{origin}+{digest}+" +
             base64.b64encode(blob).decode() + "\n",
             "checkpoint": note.decode() if isinstance(note, bytes) else note}
    for n, text in texts.items():
        with open(os.path.join(place, n), "w", encoding="utf-8") as f:
            f.write(text)
    for n in ("countersign.yaml", "root.pem", "issuers/default/chain.pem"):
        os.makedirs(os.path.dirname(os.path.join(place, n)), exist_ok=True)
        shutil.copy(os.path.join(FULL, n), os.path.join(place, n))
    files = []
    for folder, _, names in os.walk(place):
        for n in names:
            with open(os.path.join(folder, n), "rb") as f:
                data = f.read()
            files.append({"name": os.path.relpath(os.path.join(folder, n),
                                                  place),
                          "sha256": hashlib.sha256(data).hexdigest(),
                          "size": len(data)})
    with open(os.path.join(place, "manifest.json"), "w",
              encoding="utf-8") as f:
        json.dump({"checkpoint": texts["checkpoint"], "countersign": "0.1.0",
                   "created": "2026-11-01T00:00:00Z", "files": files,
                   "private_keys": False, "root": "00", "tree_size": size},
                  f)
    return place


@tap.test
def a_backup_of_an_older_version_is_restored_and_copied_once():
    for version in ("v1", "v2"):
        backup = backup_of_version("of-" + version, version + ".sql")
        place = at("from-" + version)
        out = restore(place, backup).stdout
        expect("restored" in out, out)
        ledgers = [n for n in os.listdir(place) if n.startswith("ledger")]
        expect(ledgers == ["ledger.db"], ledgers)
        restore(place, backup, "--replace-ledger")
        ledgers = sorted(n for n in os.listdir(place)
                         if n.startswith("ledger"))
        expect(len(ledgers) == 2 and
               ledgers[1].startswith("ledger.db.replaced-"), ledgers)
        expect("version 3" in run(COUNTERSIGN, "db", "check", "--dir",
                                  place).stdout, "not of this version")


@tap.test
def two_that_make_an_installation_in_one_place_leave_one():
    """The one that comes second must not clear away what the first makes."""
    place = at("contended")
    os.mkdir(place)
    fd = os.open(place, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    for command in (("init", "--name", "X"), ("restore", FULL)):
        done = run(COUNTERSIGN, *command, "--dir", place, env=house.env,
                   check=False)
        expect(done.returncode != 0 and "another command" in done.stderr,
               f"{command}: {done.returncode} {done.stderr}")
        expect(os.listdir(place) == [], os.listdir(place))
    os.close(fd)
    run(COUNTERSIGN, "init", "--name", "X", "--dir", place, env=house.env)
    done = run(COUNTERSIGN, "init", "--name", "X", "--dir", place,
               env=house.env, check=False)
    expect(done.returncode == 1 and "is not empty" in done.stderr,
           done.stderr)
    expect("countersign.yaml" in os.listdir(place), os.listdir(place))


@tap.test
def a_restore_that_was_cut_short_is_not_told_as_one():
    """Killed before the ledger changes places, nothing was restored; killed
    in between, nothing starts until a restore has ended."""
    expect(house.stop() == 0, "stop")
    kill = {"CS_FAILPOINTS": "restore.before_aside=kill"}
    done = restore(house.dir, FULL, "--replace-ledger", check=False, env=kill)
    expect(done.returncode == -9, f"{done.returncode} {done.stderr}")
    house.start()
    expect(restores(house) == 0, "a restore that did not happen is recorded")
    expect(house.stop() == 0, "stop")
    for place in ("restore.after_aside", "restore.before_ledger"):
        kill = {"CS_FAILPOINTS": place + "=kill"}
        done = restore(house.dir, FULL, "--replace-ledger", check=False,
                       env=kill)
        expect(done.returncode == -9, f"{done.returncode} {done.stderr}")
        done = run(COUNTERSIGN, "serve", "--dir", house.dir, "--listen",
                   "127.0.0.1:0", env=house.env, check=False)
        expect(done.returncode != 0 and "ledger.db: No such" in done.stderr,
               f"{place}: {done.returncode} {done.stderr}")
    restore(house.dir, FULL, "--replace-ledger")
    restore(house.dir, "--accept-split-view")
    house.start()
    expect(restores(house) == 1, "one restore was done")
    left = [n for n in os.listdir(house.dir) if n.startswith("restore.json")]
    expect(not left, left)
    expect("verified" in house.cli("audit", "verify").stdout, "verify")


status = tap.run()
house.close()
sys.exit(status)
