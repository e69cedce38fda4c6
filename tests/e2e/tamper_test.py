#!/usr/bin/env python3
"""Whoever edits the database is found: byte by byte, row by row, as a whole."""
import json
import os
import re
import shutil
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect  # noqa: E402

tap = Tap()
house = House()
house.start()
house.client_add("ci", "submit", "approve", "revoke")
house.client_add("robot", "submit")
CSR = house.csr("www.tamper.example")
house.submit("ci", CSR, "one")
house.submit("ci", house.csr("b.tamper.example", subject="/O=x/CN=y"), "no")
pending = house.submit("robot", CSR, "later", approved=False)
old = house.snapshot()
house.submit("ci", CSR, "two")
last = house.submit("ci", CSR, "three")
expect(house.revoke("ci", last.json["serial"])[0] == 200, "revoke")
expect(house.stop() == 0, "stop")


def verify(path):
    """audit verify on this database: (exit status, output)."""
    done = house.cli("audit", "verify", "--database", path, check=False)
    return done.returncode, done.stdout + done.stderr


def tampered(*statements):
    path = house.snapshot()
    db = sqlite3.connect(path)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("PRAGMA ignore_check_constraints = ON")
    for (name,) in db.execute("SELECT name FROM sqlite_master"
                              " WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    changes = 0
    for s in statements:
        changes += db.execute(s).rowcount
    db.commit()
    db.close()
    return path, changes


@tap.test
def an_untouched_log_verifies():
    status, out = verify(tampered()[0])
    expect(status == 0, out)


@tap.test
def what_was_not_looked_at_is_told():
    """Without the log's key, or a checkpoint kept outside, less is proved."""
    path = tampered()[0]
    for name, member, words in (
            ("log.pub", "signatures", "signatures of its checkpoints were "
             "not checked"),
            ("checkpoint", "compared", "no checkpoint outside")):
        place = os.path.join(house.dir, name)
        for there in (True, False):
            if not there:
                os.rename(place, place + ".gone")
            status, out = verify(path)
            expect(status == 0 and (words in out) is not there, out)
            out = house.cli("audit", "verify", "--database", path, "-o",
                            "json").stdout
            expect(json.loads(out)[member] is there, out)
        os.rename(place + ".gone", place)


@tap.test
def an_emptied_log_key_is_not_taken_for_none():
    path = tampered()[0]
    name = os.path.join(house.dir, "log.pub")
    with open(name, encoding="utf-8") as f:
        before = f.read()
    try:
        for text in ("", "\n", "other"):
            with open(name, "w", encoding="utf-8") as f:
                f.write(text)
            status, out = verify(path)
            expect(status != 0 and "log.pub" in out and
                   "verified" not in out, f"{text!r}: {status} {out}")
    finally:
        with open(name, "w", encoding="utf-8") as f:
            f.write(before)


@tap.test
def one_byte_in_any_column_of_a_decision_is_found_with_its_index():
    db = house.database()
    leaf = db.execute("SELECT max(leaf) FROM outcome").fetchone()[0]
    seq = db.execute("SELECT seq FROM outcome WHERE leaf = ?",
                     (leaf,)).fetchone()[0]
    n = db.execute("SELECT request FROM attempt WHERE seq = ?",
                   (seq,)).fetchone()[0]
    revoked = db.execute("SELECT leaf FROM revocation").fetchone()[0]
    missed = []
    for table, key, leaf in (("request", f"n = {n}", leaf),
                             ("attempt", f"seq = {seq}", leaf),
                             ("outcome", f"seq = {seq}", leaf),
                             ("approval", f"request = {n}", leaf),
                             ("leaf", f"idx = {leaf}", leaf),
                             ("revocation", f"leaf = {revoked}", revoked)):
        for column in db.execute(f"PRAGMA table_info({table})").fetchall():
            name, kind = column["name"], column["type"]
            change = {
                "INTEGER": f"coalesce({name}, 0) + 1000",
                "TEXT": f"coalesce({name}, '') || 'x'",
                "BLOB": f"CAST(coalesce({name}, x'') || x'01' AS BLOB)",
            }[kind]
            path, changes = tampered(
                f"UPDATE OR IGNORE {table} SET {name} = {change}"
                f" WHERE {key}")
            if changes != 1:
                missed.append(f"{table}.{name} was not changed")
                continue
            status, out = verify(path)
            if status != 4:
                missed.append(f"{table}.{name}: exit {status}")
            elif not re.search(rf"\b{leaf}\b", out) and name not in (
                    "idx", "n", "seq", "request", "leaf"):
                missed.append(f"{table}.{name}: index {leaf} not in {out!r}")
            shutil.rmtree(os.path.dirname(path))
    expect(not missed, "\n".join(missed))


@tap.test
def a_removed_row_of_any_table_is_found():
    missed = []
    for table in ("request", "attempt", "outcome", "refusal", "approval",
                  "leaf", "checkpoint", "client", "credential", "issuer",
                  "policy_set", "policy_source", "policy_set_source",
                  "meta", "key_use", "revocation"):
        path, changes = tampered(
            f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid)"
            f" FROM {table})" if table not in ("key_use", "policy_set_source")
            else f"DELETE FROM {table}")
        if changes < 1:
            missed.append(f"{table}: nothing to remove")
            continue
        status, out = verify(path)
        if status != 4:
            missed.append(f"{table}: exit {status} {out!r}")
        shutil.rmtree(os.path.dirname(path))
    expect(not missed, "\n".join(missed))


@tap.test
def an_older_copy_starts_as_split_and_appends_nothing():
    for name in os.listdir(house.dir):
        if name.startswith("ledger.db"):
            os.unlink(os.path.join(house.dir, name))
    for name in os.listdir(os.path.dirname(old)):
        shutil.copy(os.path.join(os.path.dirname(old), name), house.dir)
        os.chmod(os.path.join(house.dir, name), 0o600)
    before = house.database().execute("SELECT tree_size FROM meta")
    before = before.fetchone()[0]
    house.start()
    status, _, body = house.http("GET", "/readyz")
    expect(status == 503 and b"SPLIT_VIEW" in body, f"{status} {body}")
    a = house.submit("ci", CSR, "after")
    expect(a.status == 503, f"{a.status} {a.body}")
    again = house.submit("ci", CSR, "one")
    expect(again.status in (201, 503), f"{again.status} {again.body}")
    out = house.cli("audit", "list")
    expect("issued" in out.stdout, "reading does not go on")
    expect(house.stop() == 0, "stop")
    after = house.database().execute("SELECT tree_size FROM meta")
    expect(after.fetchone()[0] == before, "something was appended")
    done = house.cli("audit", "verify", check=False)
    expect(done.returncode == 4, done.stdout + done.stderr)


status = tap.run()
house.close()
sys.exit(status)
