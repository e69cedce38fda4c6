"""The invariants: one function each, run after every fault test.

Each takes a View (the database, the answers that clients kept, and what the
signer says that it signed) and returns a list of sentences, empty when the
invariant holds. tests/e2e/invariants plants a violation of each and expects
its sentence.
"""
import base64
import json
import os
import re
import subprocess
import tempfile

from . import der
from .house import COUNTERSIGN, sha256

TERMINAL = ("issued", "refused", "denied", "expired")
# Kinds of leaves (store/leaf.h).
AUTH_REFUSED, CLOCK = 10, 17
# The ledger refuses a worker's time 5 s off; then queue and disk.
WORKER_CLOCK_MS = 60000
REFUSALS_A_MINUTE = 11
# Attempts whose content was not purged: it is there, and must be good.
WHOLE = "seq NOT IN (SELECT o.seq FROM outcome o JOIN purged ON idx = o.leaf)"
DECISIONS = {1: "issued", 2: "refused", 3: "denied", 4: "expired"}


def pem_to_der(text):
    """The first certificate of a PEM text."""
    block = text.split("-----BEGIN CERTIFICATE-----")[1]
    return base64.b64decode(block.split("-----END")[0])


class View:
    """What can be seen of an installation from outside and from inside."""

    def __init__(self, house, db=None, answers=None, signed=None):
        self.house = house
        self.is_own = db is None  # not one that a test has changed
        self.db = db if db is not None else house.database()
        gone = {r["id"].hex() for r in self.all(
            "SELECT id FROM request JOIN purged ON idx = leaf")}
        # A key is free again when what it was for is purged.
        self.answers = [
            a for a in (house.answers if answers is None else answers)
            if not a.terminal or a.json.get("id") not in gone]
        self.signed = signed_list(house) if signed is None else signed

    def all(self, sql, *args):
        return self.db.execute(sql, args).fetchall()


def signed_list(house):
    """[(seq, sha256 of TBS)] that signers of a test build wrote down."""
    path = house.env.get("CS_TRACE_FILE")
    if not path or not os.path.exists(path):
        return []
    with open(path, encoding="ascii") as f:
        return [(int(a), b) for a, b in (line.split() for line in f)]


def i1_no_certificate_leaves_before_it_is_durable(v):
    rows = {r["serial"]: r for r in v.all(
        "SELECT a.serial, a.tbs, o.signature FROM attempt a"
        " JOIN outcome o ON o.seq = a.seq WHERE o.signature IS NOT NULL")}
    for a in v.answers:
        if a.status != 201:
            continue
        tbs, _, signature = der.split_certificate(
            pem_to_der(a.json["certificate"]))
        row = rows.get(der.serial(tbs))
        if row is None:
            yield f"I1: serial {der.serial(tbs).hex()} left, is not recorded"
        elif (row["tbs"], row["signature"]) != (tbs, signature):
            yield f"I1: serial {der.serial(tbs).hex()} is recorded otherwise"


def i2_a_serial_appears_once(v):
    seen = {}
    for r in v.all("SELECT seq, serial FROM attempt"):
        if r["serial"] in seen:
            yield f"I2: serial {r['serial'].hex()} in attempts " \
                  f"{seen[r['serial']]} and {r['seq']}"
        seen[r["serial"]] = r["seq"]
    given = {}
    for a in v.answers:
        if a.status == 201:
            certificate = pem_to_der(a.json["certificate"])
            s = der.serial(der.split_certificate(certificate)[0])
            if given.setdefault(s, certificate) != certificate:
                yield f"I2: two certificates with serial {s.hex()} left"


def i3_signed_only_what_an_intent_holds_once(v):
    intents = {r["seq"]: sha256(r["tbs"])
               for r in v.all("SELECT seq, tbs FROM attempt")}
    purged = {r["seq"] for r in v.all(
        f"SELECT seq FROM attempt WHERE NOT ({WHOLE})")}
    seen = set()
    for seq, digest in v.signed:
        if seq not in purged and intents.get(seq) != digest:
            yield f"I3: attempt {seq} was signed, no intent holds that TBS"
        if seq in seen:
            yield f"I3: attempt {seq} was signed twice"
        seen.add(seq)
    for r in v.all("SELECT o.seq FROM outcome o JOIN attempt a USING (seq)"
                   " WHERE o.signature IS NOT NULL AND a.request NOT NULL"):
        if v.signed and r["seq"] not in seen:
            yield f"I3: attempt {r['seq']} has a signature nobody made"


def i4_each_decision_has_one_leaf(v):
    for r in v.all(
            "SELECT r.n, r.state, r.leaf, count(l.idx) c, max(l.idx) idx,"
            " max(l.kind) kind FROM request r LEFT JOIN (SELECT idx, kind,"
            " request FROM leaf WHERE kind BETWEEN 1 AND 4) l"
            " ON l.request = r.n GROUP BY r.n"):
        want = 1 if r["state"] in TERMINAL else 0
        if r["c"] != want:
            yield f"I4: request {r['n']} ({r['state']}) has " \
                  f"{r['c']} decision leaves"
        elif want and (r["idx"] != r["leaf"] or
                       DECISIONS[r["kind"]] != r["state"]):
            yield f"I4: request {r['n']} and leaf {r['idx']} differ"
    for kind, table in (
            (1, "outcome o JOIN attempt a USING (seq) WHERE o.signature"
                " NOT NULL AND a.request NOT NULL"),
            (5, "outcome WHERE signature IS NULL"),
            (6, "revocation"), (7, "policy_set"), (14, "issuer")):
        leaves = v.all("SELECT count(*) c FROM leaf WHERE kind = ?", kind)
        rows = v.all(f"SELECT count(*) c FROM {table}")
        if leaves[0]["c"] != rows[0]["c"]:
            yield f"I4: {leaves[0]['c']} leaves of kind {kind}, " \
                  f"{rows[0]['c']} rows"


def i5_serials_are_random_and_positive(v):
    tails = set()
    rows = v.all("SELECT serial, now_ms FROM attempt"
                 " WHERE request NOT NULL")
    for r in rows:
        s = r["serial"]
        second = (r["now_ms"] // 1000).to_bytes(4, "big")
        if len(s) != 20 or s[:5] != b"\x5b" + second:
            yield f"I5: serial {s.hex()} has not our form"
        tails.add(s[5:9])
    if len(rows) > len(tails) + 3:
        yield f"I5: {len(rows)} serials share {len(tails)} beginnings"


def i6_one_key_one_answer(v):
    first = {}
    for a in v.answers:
        if a.key[1] is None or not a.terminal:
            continue
        kept = first.setdefault(a.key, a)
        if (kept.status, kept.body) != (a.status, a.body):
            yield f"I6: key {a.key[1]} got two different answers"


def i7_every_accepted_request_is_decided_once(v):
    for r in v.all("SELECT n, state, hold FROM request"
                   " WHERE state = 'approved'"):
        if r["hold"] is None:
            yield f"I7: request {r['n']} is approved and not decided"
    ids = {r["id"].hex() for r in v.all("SELECT id FROM request")}
    for a in v.answers:
        if a.status in (201, 202, 422) and a.json["id"] not in ids:
            yield f"I7: request {a.json['id']} was answered, is not there"


def i8_a_verdict_stands_with_each_intent(v):
    sets = {r["epoch"] for r in v.all("SELECT epoch FROM policy_set")}
    for r in v.all("SELECT seq, epoch, body FROM attempt"
                   f" WHERE request NOT NULL AND {WHOLE}"):
        body = json.loads(r["body"])
        if body.get("verdict") != "issued" or r["epoch"] not in sets:
            yield f"I8: attempt {r['seq']} has no verdict"
        elif not re.fullmatch("[0-9a-f]{64}", (body.get("policy") or {})
                              .get("sha256", "")):
            yield f"I8: attempt {r['seq']} names no policy"


def i9_a_verdict_covers_every_identifier(v):
    for r in v.all("SELECT seq, tbs, body FROM attempt"
                   f" WHERE request NOT NULL AND {WHOLE}"):
        body = json.loads(r["body"])
        judged = {d["field"] for d in body["diff"]
                  if d["given"] is not None} | set(body["kept"])
        judged = [f for f in judged if f.startswith("san.")]
        names = der.subject_alt_names(r["tbs"])
        if len(judged) != len(names):
            yield f"I9: attempt {r['seq']} has {len(names)} names, " \
                  f"{len(judged)} verdicts"


def i10_the_log_is_append_only(v):
    """`audit verify` on a copy of the installation with this database."""
    path = v.all("PRAGMA database_list")[0]["file"]
    v.db.commit()
    done = subprocess.run(
        [COUNTERSIGN, "audit", "verify", "--dir", v.house.dir,
         "--database", path], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        yield "I10: " + (done.stdout + done.stderr).strip()


def i11_certificates_are_what_was_intended(v):
    issuers = {r["id"]: r for r in v.all(
        "SELECT id, chain, ca, sig_alg FROM issuer")}
    rows = v.all("SELECT a.seq, a.issuer, a.tbs, o.signature FROM attempt a"
                 " JOIN outcome o USING (seq) WHERE o.signature NOT NULL"
                 f" AND a.request NOT NULL AND a.{WHOLE}"
                 " ORDER BY random() LIMIT 50")
    with tempfile.TemporaryDirectory() as d:
        for r in rows:
            issuer = issuers[r["issuer"]]
            body = r["tbs"] + issuer["sig_alg"] + \
                long_form(0x03, b"\x00" + r["signature"])
            text = base64.encodebytes(long_form(0x30, body)).decode()
            with open(f"{d}/c.pem", "w", encoding="ascii") as f:
                f.write("-----BEGIN CERTIFICATE-----\n" + text +
                        "-----END CERTIFICATE-----\n")
            with open(f"{d}/chain.pem", "wb") as f:
                f.write(issuer["chain"])
            with open(f"{d}/ca.pem", "wb") as f:
                f.write(issuer["ca"] or issuer["chain"])
            # A root that issues itself has nothing between.
            between = ["-untrusted", f"{d}/chain.pem"] * bool(issuer["chain"])
            done = subprocess.run(
                ["openssl", "verify", "-x509_strict", "-no_check_time",
                 "-CAfile", f"{d}/ca.pem", *between, f"{d}/c.pem"],
                capture_output=True, text=True)
            if done.returncode != 0:
                yield f"I11: attempt {r['seq']}: {done.stderr.strip()}"


def long_form(tag, content):
    """A DER element."""
    n = len(content)
    if n < 0x80:
        return bytes([tag, n]) + content
    length = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def revocation_rows(v):
    """{seq: row}, with what each has to agree with."""
    return {r["seq"]: r for r in v.all(
        "SELECT v.*, hex(v.serial) serial_hex, l.kind, l.at_ms leaf_ms,"
        " hex(l.hash) leaf_hash, a.request, a.serial of_attempt"
        " FROM revocation v LEFT JOIN leaf l ON l.idx = v.leaf"
        " LEFT JOIN attempt a ON a.seq = v.seq")}


def i12_what_is_revoked_stays_revoked(v):
    """Rows stay; each has its leaf and attempt; what was answered stands."""
    rows = revocation_rows(v)
    purged = {r["seq"] for r in v.all(
        "SELECT seq FROM revocation JOIN purged ON idx = leaf")}
    for seq, before in v.house.revoked_before.items():
        if seq in purged:  # its words are gone
            before = dict(before, body=b"", terms=b"")
        if seq not in rows or dict(rows[seq]) != before:
            yield f"I12: the revocation of attempt {seq} is gone, or changed"
    for seq, r in rows.items():
        if r["kind"] != 6 or r["leaf_ms"] != r["at_ms"]:
            yield f"I12: the revocation of attempt {seq} has no leaf"
        if r["request"] is None or r["of_attempt"] != r["serial"]:
            yield f"I12: the revocation of attempt {seq} is of no " \
                  "certificate that was asked for"
    leaves = v.all("SELECT count(*) c FROM leaf WHERE kind = 6")[0]["c"]
    if leaves != len(rows):
        yield f"I12: {leaves} leaves revoke, {len(rows)} rows"
    by_serial = {r["serial_hex"].lower(): r for r in rows.values()}
    for a in v.house.revocations:
        r = by_serial.get(a["serial"])
        if r is None:
            yield f"I12: {a['serial']} was answered to be revoked, is not"
        elif (r["leaf"], r["leaf_hash"].lower()) != (
                a["log"]["index"], a["log"]["leaf_hash"]):
            yield f"I12: {a['serial']} is revoked otherwise than answered"
    if v.is_own:
        v.house.revoked_before.update(
            {seq: dict(r) for seq, r in rows.items()})


def check_crls(crls, ends):
    """Consecutive CRLs of a shard, by what was revoked: {serial: notAfter}.

    Numbers rise; an entry goes only when it stood on one that was signed
    behind its certificate's end.
    """
    found = []
    last = None
    for data in crls:
        number, this, serials = der.read_crl(data)
        for s in serials - ends.keys():
            found.append(f"I12: {s.hex()} is on CRL {number}, not revoked")
        if last is not None:
            if number <= last[0]:
                found.append(f"I12: CRL {number} comes behind {last[0]}")
            for s in last[2] - serials:
                if ends.get(s, 1 << 62) >= last[1]:
                    found.append(f"I12: {s.hex()} is off CRL {number} before"
                                 " it stood on one behind its end")
        last = number, this, serials
    return found


def same_ca(v, issuer):
    """The rows of one CA, as a list for SQL: one key, name and CRL URL."""
    rows = v.all("SELECT s.id FROM attempt a JOIN issuer i ON i.id = a.issuer"
                 " JOIN attempt b ON b.request IS NULL AND b.spki = a.spki"
                 " AND b.subject_key = a.subject_key"
                 " JOIN issuer s ON s.id = b.issuer"
                 " AND s.crl_base IS i.crl_base"
                 " WHERE a.issuer = ? AND a.request IS NULL", issuer)
    return ", ".join(str(r["id"]) for r in rows) or str(issuer)


def i12_crls_hold_what_is_revoked(v):
    """Each stored CRL is what its leaf says, and has all that it covers."""
    for c in v.all("SELECT c.*, l.entry, i.crl_base FROM crl c"
                   " JOIN issuer i ON i.id = c.issuer"
                   " LEFT JOIN leaf l ON l.idx = c.leaf AND l.kind = 12"):
        name = f"CRL {c['number']} of shard {c['shard']}"
        if sha256(c["der"]) != c["sha256"].hex():
            yield f"I12: {name} is not what was hashed"
        if c["entry"] is None or json.loads(c["entry"])["decision"][
                "sha256"] != c["sha256"].hex():
            yield f"I12: {name} is not what its leaf says"
        number, this, serials = der.read_crl(c["der"])
        if (number, this, len(serials)) != (
                c["number"], c["this_update_s"], c["entries"]):
            yield f"I12: {name} is another than its row says"
        shard = "" if c["crl_base"] is None else f" AND shard = {c['shard']}"
        rows = v.all("SELECT serial, leaf, not_after_s FROM revocation"
                     f" WHERE issuer IN ({same_ca(v, c['issuer'])}){shard}")
        for r in rows:
            if (r["leaf"] < c["covers"] and r["not_after_s"] >= this
                    and r["serial"] not in serials):
                yield f"I12: {r['serial'].hex()} is revoked, {name} lacks it"
        for s in serials - {r["serial"] for r in rows}:
            yield f"I12: {s.hex()} is on {name}, not revoked"
    last = {}
    for r in v.all("SELECT entry FROM leaf WHERE kind = 12"
                   " AND entry IS NOT NULL ORDER BY idx"):
        d = json.loads(r["entry"])["decision"]
        key = d["issuer"], d["generation"], d["shard"]
        if d["number"] <= last.get(key, 0):
            yield f"I12: CRL {d['number']} comes behind {last[key]}"
        last[key] = d["number"]
    for r in v.all("SELECT a.number FROM crl_asked a JOIN crl c"
                   " USING (issuer, shard) WHERE a.number <= c.number"):
        yield f"I12: number {r['number']} was asked for twice"


def i13_recorded_time_goes_back_only_where_the_clock_was_accepted(v):
    last = 0
    for r in v.all("SELECT idx, kind, at_ms FROM leaf ORDER BY idx"):
        if r["at_ms"] < last and r["kind"] != CLOCK:
            yield f"I13: leaf {r['idx']} is {last - r['at_ms']} ms older " \
                  "than the one before"
        last = r["at_ms"]
    for r in v.all("SELECT a.seq, a.now_ms, l.at_ms FROM attempt a"
                   " JOIN outcome o USING (seq) JOIN leaf l ON l.idx = o.leaf"
                   " WHERE a.request NOT NULL AND o.signature NOT NULL"):
        if abs(r["now_ms"] - r["at_ms"]) > WORKER_CLOCK_MS:
            yield f"I13: attempt {r['seq']} was judged at another time " \
                  "than it was recorded"


def i15_strangers_make_nothing_durable_but_a_bounded_entry(v):
    """At most one auth.refused in six seconds; no row without a client."""
    times = [r["at_ms"] for r in v.all(
        "SELECT at_ms FROM leaf WHERE kind = ? ORDER BY idx", AUTH_REFUSED)]
    for first, later in zip(times, times[REFUSALS_A_MINUTE:]):
        if 0 <= later - first < 60000:
            yield f"I15: more than {REFUSALS_A_MINUTE} refused strangers " \
                  "were recorded within a minute"
            break
    for r in v.all("SELECT n FROM request WHERE client NOT IN"
                   " (SELECT id FROM client) OR credential NOT IN"
                   " (SELECT id FROM credential)"):
        yield f"I15: request {r['n']} belongs to nobody"


def i14_the_policy_in_force_is_one_recorded_set(v):
    meta = v.all("SELECT epoch FROM meta")[0]
    last = v.all("SELECT max(epoch) e FROM policy_set")[0]
    if meta["epoch"] != (last["e"] or 0):
        yield f"I14: epoch {meta['epoch']} in force, {last['e']} recorded"
    for r in v.all("SELECT s.name, s.sha256, s.bytes FROM policy_source s"):
        if sha256(r["bytes"]) != r["sha256"].hex():
            yield f"I14: {r['name']} is not what was applied"
    for r in v.all("SELECT epoch FROM policy_set WHERE epoch NOT IN"
                   " (SELECT epoch FROM policy_set_source)"):
        yield f"I14: policy set {r['epoch']} has no sources"


def i16_processes_are_bounded(v, max_rss_kib=200 * 1024, max_fds=1024):
    for name, pid in v.house.rooms().items():
        try:
            fds = len(os.listdir(f"/proc/{pid}/fd"))
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                rss = int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])
        except OSError:
            continue
        if fds > max_fds:
            yield f"I16: {name} holds {fds} descriptors"
        if rss > max_rss_kib:
            yield f"I16: {name} holds {rss} KiB"


def i18_secrets_stay_where_they_are(v, more=()):
    secrets = [t.rsplit("_", 1)[1].encode() for t in v.house.tokens.values()]
    secrets += [s for s in more]
    places = {"log": v.house.log_text().encode()}
    for a in v.answers:
        places[f"answer {a.key}"] = a.body
    path = v.all("PRAGMA database_list")[0]["file"]
    for name in os.listdir(os.path.dirname(path)):
        with open(os.path.join(os.path.dirname(path), name), "rb") as f:
            places[name] = f.read()
    for name, pid in v.house.rooms().items():
        for what in ("cmdline", "environ"):
            try:
                with open(f"/proc/{pid}/{what}", "rb") as f:
                    places[f"{name} {what}"] = f.read()
            except OSError:
                pass
    for place, data in places.items():
        if any(s in data for s in secrets):
            yield f"I18: a secret stands in {place}"


ALL = [f for name, f in sorted(globals().items())
       if re.match(r"i\d+_", name)]


def violations(view):
    """Every sentence of every checker."""
    return [s for check in ALL for s in check(view)]
