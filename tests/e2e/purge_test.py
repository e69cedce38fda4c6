#!/usr/bin/env python3
"""What ended long ago is purged, and the log stays whole.

A house decides, three years go by, `db purge` removes the content of what
ended then. The house goes on with purged rows; everything that asks for one
gets a sentence; whoever edits, hides or cuts short is found.
"""
import hashlib
import json
import os
import re
import shutil
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import House, Tap, expect  # noqa: E402

DAY = 86400 * 1000
tap = Tap()
house = House()
house.check_time = False
SHIFT = os.path.join(house.root, "shift")
house.env["CS_CLOCK_SHIFT_FILE"] = SHIFT
OLD = ("--older-than", "2y")


def shift(ms):
    with open(SHIFT + ".new", "w", encoding="ascii") as f:
        f.write(str(ms))
    os.rename(SHIFT + ".new", SHIFT)


def purge(*options, check=True, directory=None, env=None):
    """`db purge`; its completed process."""
    was, env_was = house.dir, house.env
    house.dir, house.env = directory or was, dict(env_was, **(env or {}))
    try:
        return house.cli("db", "purge", *options, check=check)
    finally:
        house.dir, house.env = was, env_was


def verify(directory=None, database=None):
    """(exit status, what `audit verify` says) of an installation."""
    was, house.dir = house.dir, directory or house.dir
    try:
        done = house.cli("audit", "verify", "-o", "json", *(
            ["--database", database] if database else []), check=False)
    finally:
        house.dir = was
    return done.returncode, json.loads(done.stdout or "{}")


def copy_of(name):
    """A copy of the stopped installation."""
    path = os.path.join(house.root, name)
    shutil.copytree(house.dir, path, ignore=shutil.ignore_patterns("*.sock"))
    return path


def entries():
    """{index: (hash, entry)} of all there are."""
    db = house.database()
    return {r["idx"]: (r["hash"], r["entry"])
            for r in db.execute("SELECT idx, hash, entry FROM leaf")}


# -- three years ago ---------------------------------------------------------

shift(0)
house.start()
house.client_add("ci", "submit", "approve")
house.client_add("auditor", "audit")
CSR = house.csr("www.old.example")
one = house.submit("ci", CSR, "one")
two = house.submit("ci", house.csr("two.old.example"), "two")
bad = house.submit("ci", "no CSR, and a secret: hunter2", "bad")
no = house.submit("ci", house.csr("no.old.example"), "no", approved=False)
house.cli("request", "deny", no.json["id"], "--reason", "bob said no")
house.cli("cert", "revoke", two.json["serial"], "--reason", "keyCompromise")
house.http("GET", "/v1/audit", token="cs_aaaaaaaaaaaaaaaa_" + "b" * 43)
house.stop()
before_all = entries()


@tap.test
def a_clock_that_runs_ahead_makes_nothing_old():
    shift(3 * 366 * DAY)
    told = json.loads(purge(*OLD, "-o", "json").stdout)
    expect(told["octets"] == 0 and "first_act" not in told, told)
    done = purge("--before", "732d", check=False)
    expect(done.returncode == 1 and "retention is 732d" in done.stderr,
           done.stderr)
    shift(0)


@tap.test
def nothing_younger_than_the_retention_is_purged():
    done = purge("--older-than", "1d", check=False)
    expect(done.returncode == 1 and "countersign.yaml" in done.stderr,
           done.stderr)
    for options in ((), ("--before", "yesterday"), ("--older-than", "2x"),
                    (*OLD, "--before", "1h")):
        done = purge(*options, check=False)
        expect(done.returncode == 2, f"{options}: {done.stderr}")


@tap.test
def three_years_go_by():
    shift(3 * 366 * DAY)
    house.start()
    new = house.submit("ci", house.csr("www.new.example"), "new")
    expect(new.status == 201, new.body)
    # Terms are filed when it is quiet; what has none is not purged.
    end = time.monotonic() + 20
    while house.database().execute(
            "SELECT terms_done < tree_size FROM meta").fetchone()[0]:
        expect(time.monotonic() < end, "terms are not filed")
        time.sleep(0.2)
    # Dry, beside the running house; not dry, only without it.
    would = json.loads(purge(*OLD, "--dry-run", "-o", "json").stdout)
    expect(would["certificates"] >= 2 and would["refusals"] == 2, would)
    expect(would["others"] == 1 and would["acts"] >= 2, would)
    done = purge(*OLD, check=False)
    expect(done.returncode == 1 and "stop the server" in done.stderr,
           done.stderr)
    expect(house.stop() == 0, "stop")
    found = invariants.violations(invariants.View(house))
    expect(not found, "\n".join(found[:5]))


@tap.test
def killed_anywhere_it_is_whole_and_goes_on():
    for point in ("before_begin", "after_rows", "before_commit",
                  "after_commit", "before_checkpoint_file", "before_rename"):
        directory = copy_of(point)
        done = purge(*OLD, check=False, directory=directory,
                     env={"CS_FAILPOINTS": f"purge.{point}=kill"})
        expect(done.returncode == -9, f"{point}: {done.returncode}")
        status, report = verify(directory)
        expect(status == 0, f"{point}: {report}")
        late = point in ("after_commit", "before_checkpoint_file",
                         "before_rename")
        expect((report["purged"] > 0) == late, f"{point}: {report}")
        purge(*OLD, directory=directory)
        status, report = verify(directory)
        expect(status == 0 and report["purged"] > 0, f"{point}: {report}")
        left = [f for f in os.listdir(directory) if "compact" in f]
        expect(not left, f"{point}: {left}")
        shutil.rmtree(directory)


@tap.test
def what_was_tampered_with_is_not_purged():
    directory = copy_of("tampered")
    db = sqlite3.connect(os.path.join(directory, "ledger.db"))
    db.execute("DROP TRIGGER refusal_no_update")
    db.execute("UPDATE refusal SET body = x'7b7d'")
    db.commit()
    db.close()
    done = purge(*OLD, check=False, directory=directory)
    expect(done.returncode == 4 and "nothing was purged" in done.stderr,
           f"{done.returncode} {done.stderr}")
    db = sqlite3.connect(os.path.join(directory, "ledger.db"))
    expect(db.execute("SELECT count(*) FROM purged").fetchone()[0] == 0,
           "something was purged")
    db.close()
    shutil.rmtree(directory)


@tap.test
def the_content_is_gone_and_the_log_verifies():
    size = os.path.getsize(os.path.join(house.dir, "ledger.db"))
    told = json.loads(purge(*OLD, "-o", "json").stdout)
    expect(told["compacted"] and told["certificates"] >= 2, told)
    status, report = verify()
    expect(status == 0 and report["purged"] == sum(
        told[k] for k in ("certificates", "refusals", "others", "acts")),
        f"{told} {report}")
    path = os.path.join(house.dir, "ledger.db")
    expect(os.path.getsize(path) <= size, "the file grew")
    expect(os.stat(path).st_mode & 0o777 == 0o600, "its mode")
    with open(path, "rb") as f:
        data = f.read()
    for text in (b"www.old.example", b"hunter2", b"bob said no"):
        expect(text not in data, f"{text} is in the file")
    out = house.cli("audit", "verify").stdout
    expect("entries were purged, each by an act" in out, out)
    # Once more has nothing to do, and leaves no act.
    again = json.loads(purge(*OLD, "-o", "json").stdout)
    expect("first_act" not in again and again["octets"] == 0, again)


@tap.test
def an_older_copy_proves_what_was_removed():
    db = house.database()
    act = db.execute("SELECT max(act) FROM purged").fetchone()[0]
    entry = json.loads(db.execute("SELECT entry FROM leaf WHERE idx = ?",
                                  (act,)).fetchone()[0])
    expect(entry["record"]["kind"] == "purged", entry)
    lines = ""
    for (index,) in db.execute("SELECT idx FROM purged WHERE act = ?"
                               " ORDER BY idx", (act,)):
        kept = before_all[index][1] if index in before_all else None
        digest = before_all[index][0] if kept is None else hashlib.sha256(
            b"\x00" + kept).digest()
        lines += f"{index} {digest.hex()}\n"
    expect(entry["decision"]["removed"] ==
           hashlib.sha256(lines.encode()).hexdigest(), "the list differs")


def gone():
    """(index, id, serial) of the first purged certificate."""
    return one.json["log"]["index"], one.json["id"], one.json["serial"]


def asks_and_is_told():
    index, request, serial = gone()
    shown = json.loads(house.cli("audit", "show", str(index)).stdout)
    expect(shown["entry"] is None and shown["purged"]["by"] > index, shown)
    expect(shown["leaf_hash"] == one.json["log"]["leaf_hash"], shown)
    listed = json.loads(house.cli("audit", "list", "--serial", serial, "-o",
                                  "json").stdout)
    expect([i["purged"]["by"] for i in listed] ==
           [shown["purged"]["by"]], listed)
    table = house.cli("audit", "list", "--limit", "100").stdout
    expect("purged by entry" in table and "entries" in table, table)
    for words in (("request", "show", request), ("cert", "show", serial)):
        done = house.cli(*words, check=False)
        expect(done.returncode == 5 and "was purged on 20" in done.stderr and
               "(PURGED)" in done.stderr, f"{words}: {done.stderr}")
    for words in (("request", "list"), ("cert", "list"), ("audit", "export"),
                  ("audit", "stats"), ("audit", "list", "--name",
                                       ".old.example"),
                  ("cert", "list", "--holding", "www.old.example"),
                  ("audit", "prove", str(index)), ("client", "list")):
        house.cli(*words)
    done = house.cli("cert", "export")
    expect("more were purged" in done.stderr and
           "BEGIN CERTIFICATE" in done.stdout, done.stderr)
    expect(f"{serial}" in house.cli("cert", "list").stdout and
           "(purged)" in house.cli("cert", "list").stdout, "not listed")
    out = house.cli("cert", "list", "--holding", "www.old.example").stdout
    expect(serial not in out, "a name leads to what was purged")
    out = json.loads(house.cli("request", "list", "-o", "json").stdout)
    out = out if isinstance(out, list) else out["items"]
    expect([r for r in out if r["id"] == request][0]["purged"], out)
    done = house.cli("policy", "replay", "--since", "2000d", check=False)
    expect(done.returncode in (0, 1), f"{done.returncode} {done.stderr}")


@tap.test
def who_asks_for_it_is_told_from_the_files():
    asks_and_is_told()


@tap.test
def the_house_goes_on():
    index, request, serial = gone()
    house.start()
    asks_and_is_told()
    for path in (f"/v1/requests/{request}", f"/v1/certificates/{serial}",
                 "/tile/entries/000.p/9"):
        status, _, body = house.http("GET", path,
                                     token=house.tokens["auditor"])
        expect(status == 410 and json.loads(body)["code"] == "PURGED",
               f"{path}: {status} {body}")
    status, _, body = house.http("GET", f"/v1/audit/{index}/proof",
                                 token=house.tokens["auditor"])
    expect(status == 200, body)
    status, _, body = house.http(
        "POST", f"/v1/requests/{request}/approve",
        json.dumps({"request_sha256": one.json["request_sha256"]}),
        token=house.tokens["ci"])
    expect(status == 410, f"{status} {body}")
    done = house.cli("cert", "revoke", serial, check=False)
    expect(done.returncode not in (0, 75), f"{done.returncode} {done.stderr}")
    # The key of the request is free: it is decided, not answered again.
    again = house.submit("ci", CSR, "one")
    expect(again.status == 201 and again.json["serial"] != serial,
           again.body)
    expect("Idempotent-Replay" not in again.headers, again.headers)
    same = house.submit("ci", CSR, "one")
    expect(same.body == again.body, "no replay")


@tap.test
def a_backup_of_it_is_restored_and_verified():
    target = os.path.join(house.root, "backup")
    house.cli("backup", target)
    expect(house.stop() == 0, "stop")
    there = os.path.join(house.root, "restored")
    was, house.dir = house.dir, there
    try:
        house.cli("restore", target)
        status, report = verify(there)
        expect(status == 0 and report["purged"] > 0, report)
    finally:
        house.dir = was


@tap.test
def the_invariants_hold():
    found = invariants.violations(invariants.View(house))
    expect(not found, "\n".join(found[:5]))


def tampered(*statements):
    path = house.snapshot()
    db = sqlite3.connect(path)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("PRAGMA ignore_check_constraints = ON")
    for (name,) in db.execute("SELECT name FROM sqlite_master"
                              " WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    changes = sum(db.execute(s).rowcount for s in statements)
    db.commit()
    db.close()
    return path, changes


@tap.test
def nobody_hides_a_decision_by_calling_it_purged():
    db = house.database()
    live = db.execute("SELECT max(leaf) FROM outcome").fetchone()[0]
    seq = db.execute("SELECT seq FROM outcome WHERE leaf = ?",
                     (live,)).fetchone()[0]
    act = db.execute("SELECT max(act) FROM purged").fetchone()[0]
    empty = ("UPDATE attempt SET tbs = x'', body = x'', terms = x'',"
             f" inputs = x'', limits = x'' WHERE seq = {seq}",
             f"UPDATE outcome SET signature = x'' WHERE leaf = {live}",
             "UPDATE request SET csr = x'', scalars = x'', idem_key = NULL"
             f" WHERE leaf = {live}",
             f"UPDATE leaf SET entry = NULL WHERE idx = {live}",
             f"DELETE FROM term WHERE leaf = {live}")
    hide = f"INSERT INTO purged VALUES ({act}, {live}, zeroblob(32))"
    index = gone()[0]
    for statements in (
            empty, (*empty, hide),
            (f"DELETE FROM purged WHERE idx = {index}",),
            (f"UPDATE request SET csr = x'30' WHERE leaf = {index}",),
            (f"UPDATE request SET state = 'denied' WHERE leaf = {index}",),
            (f"UPDATE leaf SET entry = NULL WHERE idx = {act}",)):
        path, changes = tampered(*statements)
        expect(changes > 0, statements)
        status, report = verify(database=path)
        expect(status == 4, f"{statements}: {report}")
        expect(re.search(rf"\b({live}|{index}|{act})\b", json.dumps(
            report["findings"])), f"{statements}: {report}")
        shutil.rmtree(os.path.dirname(path))


status = tap.run()
house.close()
sys.exit(status)
