#!/usr/bin/env python3
"""Each invariant's checker finds a violation that was planted for it."""
import copy
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import Answer, House, Tap, expect  # noqa: E402

tap = Tap()
house = House()
house.start()
house.client_add("ci", "submit", "approve", "revoke")
csrs = [house.csr(f"host{i}.inv.example") for i in range(2)]
for i in range(4):
    got = house.submit("ci", csrs[i % 2], f"k{i}")
    expect(got.status == 201, f"{got.status} {got.body}")
house.submit("ci", house.csr("a..b"), "bad")
for answer in house.answers[:2]:
    expect(house.revoke("ci", answer.json["serial"])[0] == 200, "revoke")


def view(*statements, answers=None, signed=None):
    """A fresh snapshot, changed by SQL without its triggers."""
    db = house.database()
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("PRAGMA ignore_check_constraints = ON")
    for r in db.execute("SELECT name FROM sqlite_master"
                        " WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {r['name']}")
    for s in statements:
        db.execute(s)
    db.commit()
    return invariants.View(house, db, answers, signed)


def plant(checker, sentence, v):
    found = list(checker(v))
    expect(any(sentence in f for f in found),
           f"planted, not found: {sentence!r} in {found}")


FIRST = "(SELECT min(seq) FROM attempt WHERE request NOT NULL)"
LAST = "(SELECT max(seq) FROM attempt WHERE request NOT NULL)"


@tap.test
def nothing_is_found_where_nothing_is_wrong():
    found = invariants.violations(view())
    expect(not found, "; ".join(found))


@tap.test
def i1_finds_a_certificate_that_is_not_recorded():
    plant(invariants.i1_no_certificate_leaves_before_it_is_durable,
          "left, is not recorded", view(
              f"DELETE FROM outcome WHERE seq = {LAST}"))
    plant(invariants.i1_no_certificate_leaves_before_it_is_durable,
          "is recorded otherwise", view(
              f"UPDATE outcome SET signature = x'00' WHERE seq = {LAST}"))


@tap.test
def i2_finds_a_serial_given_twice():
    answers = copy.copy(house.answers)
    other = json.loads(answers[0].body)
    lines = other["certificate"].split("\n")
    lines[4] = lines[4][:10] + ("A" if lines[4][10] != "A" else "B") + \
        lines[4][11:]
    other["certificate"] = "\n".join(lines)
    answers.append(Answer(("ci", "x"), 201, {}, json.dumps(other).encode()))
    plant(invariants.i2_a_serial_appears_once, "two certificates",
          view(answers=answers))
    plant(invariants.i2_a_serial_appears_once, "in attempts", view(
        "CREATE TABLE copy AS SELECT * FROM attempt",
        "DROP TABLE attempt", "ALTER TABLE copy RENAME TO attempt",
        "UPDATE attempt SET serial = (SELECT serial FROM attempt"
        f" WHERE seq = {FIRST}) WHERE seq = {LAST}"))


@tap.test
def i3_finds_a_signature_without_an_intent_and_a_second_one():
    signed = invariants.signed_list(house)
    expect(len(signed) >= 4, "the signer wrote no list")
    check = invariants.i3_signed_only_what_an_intent_holds_once
    plant(check, "no intent holds", view(
        signed=signed + [(999999, "0" * 64)]))
    plant(check, "signed twice", view(signed=signed + signed[-1:]))
    plant(check, "nobody made", view(signed=signed[:-1]))


@tap.test
def i4_finds_a_decision_without_its_leaf():
    check = invariants.i4_each_decision_has_one_leaf
    plant(check, "decision leaves", view(
        "UPDATE leaf SET request = NULL WHERE idx ="
        " (SELECT max(idx) FROM leaf WHERE kind = 1)"))
    plant(check, "differ", view(
        "UPDATE leaf SET kind = 3 WHERE idx ="
        " (SELECT max(idx) FROM leaf WHERE kind = 1)"))
    plant(check, "leaves of kind 7", view(
        "UPDATE leaf SET kind = 12 WHERE kind = 7"))


@tap.test
def i5_finds_a_serial_of_another_form():
    check = invariants.i5_serials_are_random_and_positive
    plant(check, "has not our form", view(
        f"UPDATE attempt SET serial = x'ff00' WHERE seq = {LAST}"))
    plant(check, "share", view(
        "UPDATE attempt SET serial = CAST(x'5b000000000000000000000000000000'"
        " || char(48 + seq) AS BLOB) WHERE request NOT NULL"))


@tap.test
def i6_finds_two_answers_to_one_key():
    a = house.answers[0]
    plant(invariants.i6_one_key_one_answer, "two different answers",
          view(answers=[a, Answer(a.key, 201, {}, a.body + b" ")]))


@tap.test
def i7_finds_an_accepted_request_that_was_not_decided():
    check = invariants.i7_every_accepted_request_is_decided_once
    plant(check, "not decided", view(
        "UPDATE request SET state = 'approved', leaf = NULL WHERE n ="
        " (SELECT max(n) FROM request)"))
    plant(check, "is not there", view(
        "DELETE FROM request WHERE n = (SELECT max(n) FROM request)"))


@tap.test
def i8_finds_an_intent_without_a_verdict():
    check = invariants.i8_a_verdict_stands_with_each_intent
    plant(check, "has no verdict", view(
        f"UPDATE attempt SET epoch = 99 WHERE seq = {LAST}"))
    plant(check, "names no policy", view(
        "UPDATE attempt SET body = CAST(replace(body, '\"sha256\"',"
        " '\"x\"') AS BLOB)"
        f" WHERE seq = {LAST}"))


@tap.test
def i9_finds_a_name_that_was_not_judged():
    plant(invariants.i9_a_verdict_covers_every_identifier, "verdicts", view(
        "UPDATE attempt SET body = CAST(replace(body, 'san.dns[0]', 'x')"
        " AS BLOB)"
        f" WHERE seq = {LAST}"))


@tap.test
def i10_finds_an_edited_and_a_truncated_log():
    check = invariants.i10_the_log_is_append_only
    plant(check, "I10", view(
        "UPDATE leaf SET at_ms = at_ms + 1 WHERE idx = 3"))
    plant(check, "I10", view(
        "DELETE FROM leaf WHERE idx = (SELECT max(idx) FROM leaf)"))


@tap.test
def i11_finds_a_signature_that_does_not_verify():
    plant(invariants.i11_certificates_are_what_was_intended, "attempt", view(
        "UPDATE outcome SET signature = (SELECT signature FROM outcome"
        f" WHERE seq = {FIRST}) WHERE seq = {LAST}"))


@tap.test
def i12_finds_a_revocation_that_was_taken_back():
    check = invariants.i12_what_is_revoked_stays_revoked
    expect(not list(check(invariants.View(house))), "nothing is wrong")
    first = "(SELECT min(seq) FROM revocation)"
    for sentence, sql in (
            ("is gone, or changed",
             f"DELETE FROM revocation WHERE seq = {first}"),
            ("to be revoked, is not",
             f"DELETE FROM revocation WHERE seq = {first}"),
            ("leaves revoke", f"DELETE FROM revocation WHERE seq = {first}"),
            ("is gone, or changed",
             f"UPDATE revocation SET reason = 4 WHERE seq = {first}"),
            ("has no leaf",
             f"UPDATE revocation SET at_ms = 1 WHERE seq = {first}"),
            ("of no certificate",
             "UPDATE attempt SET request = NULL WHERE seq = " + first),
            ("otherwise than answered",
             "UPDATE revocation SET leaf = leaf - 1 WHERE seq = " + first)):
        plant(check, sentence, view(sql))
    # What a test has planted is not taken for what was there before.
    expect(not list(check(invariants.View(house))), "it learned a plant")


@tap.test
def i12_finds_a_crl_that_lacks_what_is_revoked():
    check = invariants.i12_crls_hold_what_is_revoked
    house.cli("crl", "publish", "default")
    house.cli("crl", "publish", "default")
    expect(not list(check(view())), f"nothing is wrong: {list(check(view()))}")
    crl = house.database().execute("SELECT * FROM crl").fetchone()
    expect(crl["entries"] > 0, "an empty one")
    for sentence, sql in (
            ("lacks it", "INSERT INTO revocation SELECT 1, issuer, shard,"
             " x'5b00', not_after_s, at_ms, reason, client, credential, uid,"
             " body, terms, 0 FROM revocation LIMIT 1"),
            ("not revoked", "DELETE FROM revocation"),
            ("not what was hashed", "UPDATE crl SET sha256 = zeroblob(32)"),
            ("not what its leaf says", "UPDATE crl SET sha256 = zeroblob(32)"),
            ("another than its row", "UPDATE crl SET entries = 0"),
            ("comes behind", "UPDATE leaf SET entry = (SELECT entry FROM leaf"
             " WHERE idx = (SELECT leaf FROM crl)) WHERE kind = 12"),
            ("asked for twice", "INSERT INTO crl_asked SELECT issuer, shard,"
             " number, 0, sha256 FROM crl")):
        plant(check, sentence, view(sql))
    ends = {r["serial"]: r["not_after_s"] for r in house.database().execute(
        "SELECT serial, not_after_s FROM revocation")}
    with_all = crl["der"]
    house.cli("crl", "publish", "default")
    later = house.database().execute("SELECT der FROM crl").fetchone()["der"]
    expect(invariants.check_crls([with_all, later], ends) == [], "a good pair")
    number, this, serials = invariants.der.read_crl(later)
    one = next(iter(serials))
    for sentence, crls, end in (
            ("comes behind", [later, with_all], ends),
            ("comes behind", [later, later], ends),
            ("not revoked", [later], {}),
            ("before it stood", [later, without(later, one)], ends)):
        found = invariants.check_crls(crls, end)
        expect(any(sentence in f for f in found), f"{sentence}: {found}")
    # One that has ended may go.
    found = invariants.check_crls([later, without(later, one)],
                                  {**ends, one: this - 1})
    expect(not any("before it stood" in f for f in found), str(found))


def without(crl, serial):
    """The CRL with this serial changed to another: nobody looks at its
    signature here."""
    return crl.replace(serial, serial[:-1] + bytes([serial[-1] ^ 1]))


@tap.test
def i13_finds_time_that_went_back():
    check = invariants.i13_recorded_time_goes_back_only_where_the_clock_was_accepted
    plant(check, "older than the one before", view(
        "UPDATE leaf SET at_ms = at_ms - 100000 WHERE idx ="
        " (SELECT max(idx) FROM leaf)"))
    plant(check, "judged at another time", view(
        f"UPDATE attempt SET now_ms = now_ms - 3600000 WHERE seq = {LAST}"))


@tap.test
def i15_finds_growth_that_strangers_made():
    check = invariants.i15_strangers_make_nothing_durable_but_a_bounded_entry
    for _ in range(60):
        house.http("GET", "/v1/audit", token="cs_00_11")
    expect(not list(check(view())), "strangers made the log grow")
    plant(check, "refused strangers", view(
        "UPDATE leaf SET kind = 10, at_ms = 0 WHERE idx IN"
        " (SELECT idx FROM leaf ORDER BY idx LIMIT 12)"))
    plant(check, "belongs to nobody", view(
        "UPDATE request SET client = 999 WHERE n = 1"))


@tap.test
def i14_finds_a_policy_that_is_not_what_was_applied():
    check = invariants.i14_the_policy_in_force_is_one_recorded_set
    plant(check, "in force", view("UPDATE meta SET epoch = 77"))
    plant(check, "not what was applied", view(
        "UPDATE policy_source SET bytes = x'00'"))
    plant(check, "no sources", view("DELETE FROM policy_set_source"))


@tap.test
def i16_finds_a_process_that_holds_too_much():
    plant_none = list(invariants.i16_processes_are_bounded(view()))
    expect(not plant_none, str(plant_none))
    found = list(invariants.i16_processes_are_bounded(view(), 1, 1))
    expect(any("KiB" in f for f in found) and
           any("descriptors" in f for f in found), str(found))


@tap.test
def i18_finds_a_token_where_it_should_not_be():
    secret = next(iter(house.tokens.values())).rsplit("_", 1)[1]
    a = Answer(("ci", "x"), 200, {}, secret.encode())
    plant(invariants.i18_secrets_stay_where_they_are, "a secret stands in",
          view(answers=house.answers + [a]))


status = tap.run()
house.close()
sys.exit(status)
