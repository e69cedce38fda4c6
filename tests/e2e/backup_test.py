#!/usr/bin/env python3
"""A backup under load, and what can be made of it."""
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import (COUNTERSIGN, House, Tap, expect,  # noqa: E402
                             run)

tap = Tap()
house = House()
house.start()
house.client_add("ci", "submit", "approve", "audit")
CSR = house.csr("www.backup.example")
FIRST = os.path.join(house.root, "first")
FULL = os.path.join(house.root, "full")


def backup(target, *options, check=True):
    return house.cli("backup", target, *options, check=check)


def restore(directory, *argv, check=True):
    return run(COUNTERSIGN, "restore", *argv, "--dir", directory,
               env=house.env, check=check)


def restored_house(directory):
    """A House object on a directory that `restore` made."""
    other = object.__new__(House)
    other.__dict__.update(house.__dict__)
    other.dir, other.process, other.port = directory, None, None
    other.answers, other.tokens = [], dict(house.tokens)
    return other


def leaves(h, kind):
    out = h.cli("audit", "list", "--kind", kind, "-o", "json").stdout
    return json.loads(out)


def serial(answer):
    return answer.json["serial"]


@tap.test
def a_backup_under_load_is_whole_and_stalls_nobody():
    stop = threading.Event()
    slow, done = [], []

    def load(n):
        i = 0
        while not stop.is_set():
            begin = time.monotonic()
            a = house.submit("ci", CSR, f"load-{n}-{i}")
            slow.append(time.monotonic() - begin)
            done.append(a.status)
            i += 1
    threads = [threading.Thread(target=load, args=(n,)) for n in range(2)]
    for t in threads:
        t.start()
    time.sleep(0.3)
    before = len(done)
    out = backup(FIRST)
    stop.set()
    for t in threads:
        t.join()
    expect("verified" in out.stdout, out.stdout)
    expect("NOT in it" in out.stdout, out.stdout)
    expect(set(done) == {201}, f"statuses {set(done)}")
    expect(len(done) > before, "nothing was issued meanwhile")
    expect(max(slow) < 5, f"a request took {max(slow):.1f} s")
    expect(os.listdir(os.path.join(house.dir, "run")).count("lock") == 1 and
           not [n for n in os.listdir(os.path.join(house.dir, "run"))
                if n.startswith("backup")], "the copy was left in run/")


@tap.test
def no_private_key_is_in_it_unless_that_was_said():
    def keys(root):
        found = []
        for where, _, names in os.walk(root):
            for name in names:
                with open(os.path.join(where, name), "rb") as f:
                    if b"PRIVATE KEY" in f.read():
                        found.append(name)
        return sorted(found)
    expect(keys(FIRST) == [], f"keys: {keys(FIRST)}")
    backup(FULL, "--including-private-keys")
    expect(keys(FULL) == ["key.pem", "key.pem", "log.key"], f"{keys(FULL)}")
    expect(os.stat(FULL).st_mode & 0o077 == 0, "others may look into it")


@tap.test
def each_backup_has_its_leaf():
    found = leaves(house, "backup")
    expect(len(found) == 2, f"{len(found)} leaves")
    with open(os.path.join(FULL, "manifest.json"), encoding="utf-8") as f:
        manifest = json.load(f)
    entry = json.loads(house.cli("audit", "show",
                                 str(found[0]["index"])).stdout)
    text = json.dumps(entry)
    expect(manifest["root"] in text, f"not the root that was copied: {text}")
    expect(entry["index"] == manifest["tree_size"], "not the next leaf")


@tap.test
def an_existing_target_is_left_alone():
    done = backup(FIRST, check=False)
    expect(done.returncode == 1 and "there already" in done.stderr,
           done.stderr)
    os.mkdir(os.path.join(house.root, "third.part"))
    done = backup(os.path.join(house.root, "third"), check=False)
    expect(done.returncode == 1 and "third.part" in done.stderr, done.stderr)
    expect(os.path.isdir(os.path.join(house.root, "third.part")), "removed")


@tap.test
def no_space_leaves_nothing_half_written():
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    target = os.path.join(house.root, "small")
    done = subprocess.run([COUNTERSIGN, "backup", target, "--dir", house.dir],
                          capture_output=True, text=True, env=house.env,
                          preexec_fn=limited, timeout=60)
    expect(done.returncode == 1 and "ledger.db" in done.stderr,
           f"{done.returncode} {done.stderr}")
    expect(not os.path.exists(target) and
           not os.path.exists(target + ".part"), "something was left")
    expect(house.submit("ci", CSR, "after-small").status == 201, "issuing")


@tap.test
def no_space_for_the_servers_copy_leaves_nothing_either():
    expect(house.stop() == 0, "stop")
    house.start(env={"CS_FAILPOINTS": "ledger.backup_full=error"})
    target = os.path.join(house.root, "small")
    done = backup(target, check=False)
    expect(done.returncode == 75 and "full" in done.stderr, done.stderr)
    expect(not os.path.exists(target + ".part"), "something was left")
    expect(not [n for n in os.listdir(os.path.join(house.dir, "run"))
                if n.startswith("backup")], "the copy was left in run/")
    expect(house.submit("ci", CSR, "after-full").status == 201, "issuing")


@tap.test
def killed_while_copying_it_goes_on_at_the_next_start():
    expect(house.stop() == 0, "stop")
    house.start(env={"CS_FAILPOINTS": "ledger.backup_step=kill"})
    done = backup(os.path.join(house.root, "killed"), check=False)
    expect(done.returncode == 3, f"{done.returncode} {done.stderr}")
    expect(house.wait_end() == 75, "the house did not end")
    house.start()
    expect(not [n for n in os.listdir(os.path.join(house.dir, "run"))
                if n.startswith("backup")], "the copy was left in run/")
    expect(not os.path.exists(os.path.join(house.root, "killed.part")), "left")


@tap.test
def restored_into_an_empty_directory_it_goes_on():
    directory = os.path.join(house.root, "again")
    out = restore(directory, FULL).stdout
    expect("restored" in out and "to be put" not in out, out)
    other = restored_house(directory)
    other.start()
    a = other.submit("ci", CSR, "again")
    expect(a.status == 201, a.body)
    expect(len(leaves(other, "restore")) == 1, "no restore leaf")
    expect(not os.path.exists(os.path.join(directory, "restore.json")),
           "the marker stays")
    expect("verified" in other.cli("audit", "verify").stdout, "verify")
    expect(other.stop() == 0, "stop")
    other.start()
    expect(len(leaves(other, "restore")) == 1, "a second leaf")
    expect(other.stop() == 0, "stop")


@tap.test
def without_keys_it_says_what_is_missing_and_does_not_start():
    directory = os.path.join(house.root, "keyless")
    out = restore(directory, FIRST).stdout
    for name in ("log.key", "issuers/default/key.pem", "tls/key.pem"):
        expect(f": {name}" in out, out)
    done = run(COUNTERSIGN, "serve", "--dir", directory, "--listen",
               "127.0.0.1:0", check=False, env=house.env)
    expect(done.returncode != 0 and "key" in done.stderr, done.stderr)


@tap.test
def a_damaged_backup_is_refused_and_nothing_is_made():
    def spoil(name, what):
        copy = os.path.join(house.root, "spoilt")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(FULL, copy)
        what(os.path.join(copy, name))
        target = os.path.join(house.root, "nothing")
        done = restore(target, copy, check=False)
        expect(done.returncode == 4, f"{name}: exit {done.returncode}")
        expect(not os.path.exists(target) or not os.listdir(target),
               f"{name}: files were left")
        return done.stderr

    def cut(path):
        with open(path, "r+b") as f:
            f.truncate(os.path.getsize(path) // 2)

    def flip(path):
        with open(path, "r+b") as f:
            f.seek(os.path.getsize(path) // 2)
            byte = f.read(1)
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte[0] ^ 1]))

    expect("ledger.db" in spoil("ledger.db", cut), "truncated ledger")
    expect("ledger.db" in spoil("ledger.db", flip), "a flipped bit")
    spoil("log.key", os.unlink)
    spoil("policies/default.yaml", flip)

    def lie(path):
        """Change a row and make the manifest agree: the log does not."""
        db = sqlite3.connect(path)
        db.execute("UPDATE meta SET created_ms = created_ms + 1")
        db.commit()
        db.close()
        root = os.path.dirname(path)
        with open(os.path.join(root, "manifest.json"), "rb") as f:
            m = json.load(f)
        for entry in m["files"]:
            if entry["name"] == "ledger.db":
                entry["size"] = os.path.getsize(path)
                entry["sha256"] = run("sha256sum", path).stdout.split()[0]
        with open(os.path.join(root, "manifest.json"), "w",
                  encoding="utf-8") as f:
            json.dump(m, f)
    expect("contradiction" in spoil("ledger.db", lie), "a changed row")


@tap.test
def an_older_ledger_is_a_split_view_until_that_is_accepted():
    lost = [serial(house.submit("ci", CSR, f"lost-{i}")) for i in range(5)]
    done = restore(house.dir, FIRST, "--replace-ledger", check=False)
    expect(done.returncode != 0, "restored below a running server")
    expect(house.stop() == 0, "stop")
    expect(restore(house.dir, FIRST, check=False).returncode == 1,
           "restored over an installation without a word")
    restore(house.dir, FIRST, "--replace-ledger")
    house.start()
    status, _, body = house.http("GET", "/readyz")
    expect(status == 503 and b"SPLIT_VIEW" in body, body)
    a = house.submit("ci", CSR, "in-split")
    expect(a.status == 503, a.body)
    expect("issued" in house.cli("audit", "list").stdout, "no reading")
    done = backup(os.path.join(house.root, "split"), check=False)
    expect(done.returncode == 75, "a backup was recorded in a split view")
    expect(house.stop() == 0, "stop")
    with open(os.path.join(house.dir, "checkpoint"), encoding="utf-8") as f:
        note = f.read()
    expect(restore(house.dir, FIRST, "--accept-split-view",
                   check=False).returncode == 2, "both at once")
    out = restore(house.dir, "--accept-split-view").stdout
    expect(f"the checkpoint outside {note.splitlines()[1]}" in out, out)
    house.start()
    expect(house.http("GET", "/readyz")[0] == 200, "not ready")
    found = leaves(house, "restore")
    expect(len(found) == 1, f"{len(found)} restore leaves")
    entry = json.loads(house.cli("audit", "show",
                                 str(found[0]["index"])).stdout)
    expect(json.dumps(note)[1:-1] in json.dumps(entry),
           "the leaf lacks the note")
    with open(os.path.join(FIRST, "manifest.json"), encoding="utf-8") as f:
        expect(json.load(f)["root"] in json.dumps(entry),
               "the leaf does not say which backup it was")
    fresh = [serial(house.submit("ci", CSR, f"fresh-{i}")) for i in range(5)]
    expect(not set(lost) & set(fresh), "a serial came again")
    expect("verified" in house.cli("audit", "verify").stdout, "verify")
    expect(house.stop() == 0, "stop")
    done = restore(house.dir, "--accept-split-view", check=False)
    expect(done.returncode == 1 and "nothing to accept" in done.stderr,
           done.stderr)


status = tap.run()
house.close()
sys.exit(status)
