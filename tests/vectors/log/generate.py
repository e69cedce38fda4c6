#!/usr/bin/env python3
"""Write the log's golden vectors, version 1 (docs/log-format.md).

A second implementation of leaf, tree and checkpoint, in nothing but the
Python library and the openssl program, so that the vectors are not what the
program under test says of itself. Run it in this folder; the files it makes
are checked by store/leaf_test and store/note_test.
"""

import base64
import hashlib
import json
import os
import subprocess
import tempfile

MAX_LEAF = 16384
HASHED = {"body", "certificate", "csr", "inputs", "limits", "pending_body",
          "pending_terms", "rows", "scalars", "tbs", "terms"}
FREE_TEXT = {"claimed_by", "message", "reason"}


def canonical(value):
    """RFC 8785 for what we use: no reals, ASCII names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False).encode()


def sha256(octets):
    return hashlib.sha256(octets).hexdigest()


def free_text(text):
    octets = text.encode()
    if len(octets) <= 256:
        return text
    return {"sha256": sha256(octets), "size": len(octets)}


def record(columns):
    out = {}
    for name, value in columns.items():
        if name == "approval":
            out[name] = {k: free_text(v) if k in FREE_TEXT else v
                         for k, v in value.items()}
        elif name in HASHED:
            out[name] = sha256(bytes.fromhex(value))
        else:
            out[name] = value
    return out


def shorten(decision, room):
    if len(decision) <= room:
        return decision
    members = json.loads(decision)
    while True:
        arrays = sorted((-len(canonical(v)), k) for k, v in members.items()
                        if isinstance(v, list))
        if not arrays:
            return canonical({"sha256": sha256(decision),
                              "size": len(decision)})
        name = arrays[0][1]
        members[name] = {"count": len(members[name]),
                         "sha256": sha256(canonical(members[name]))}
        if len(canonical(members)) <= room:
            return canonical(members)


def entry(decision, columns):
    rec = canonical(record(columns))
    frame = b'{"decision":,"record":,"v":1}'
    short = shorten(decision, MAX_LEAF - len(frame) - len(rec))
    return b'{"decision":' + short + b',"record":' + rec + b',"v":1}'


def leaf(about, decision, columns):
    text = entry(canonical(decision), columns)
    return {"about": about, "columns": columns,
            "decision": canonical(decision).decode(),
            "entry": text.decode(),
            "leaf_hash": hashlib.sha256(b"\0" + text).hexdigest()}


def hexed(text):
    return text.encode().hex()


REQUEST = {
    "answer_version": 1, "client": "portal", "client_id": 4, "credential": 7,
    "csr": "3082010a02820101", "fingerprint": "aa" * 32, "flags": 4,
    "id": "000102030405060708090a0b0c0d0e0f",
    "idem_key": "2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d",
    "issuer_asked": "default", "realm": "corp", "received": 1795551643000,
    "scalars": hexed('{"issuer":"default","requester":"alice"}'),
    "source": "api",
}
APPROVAL = {
    "at": 1795551643001, "binds": "aa" * 32, "claimed_by": "bob",
    "client": "portal", "client_id": 4, "credential": 7,
    "message": "ticket 4711", "reason": "Reviewed",
}
JUDGED = {
    "body": hexed('{"changed":false,"verdict":"issued"}'), "epoch": 1,
    "inputs": hexed('{"engine":"countersign 0.1.0","epoch":1,'
                    '"now_ms":1795551643002}'),
    "now": 1795551643002, "set": "bb" * 32,
    "terms": "0d00000000", # any octets: the record does not look inside
}
ATTEMPT = {
    "generation": 1, "issuer": "default", "issuer_id": 1,
    "not_after": 1795638043, "seq": 9,
    "serial": "5b000102030405060708090a0b0c0d0e0f", "spki": "cc" * 32,
    "subject_key": "dd" * 32, "tbs": "3003020101",
}


REVOKED = {
    "client": "portal", "client_id": 4, "credential": 7, "generation": 1,
    "issuer": "default", "issuer_id": 1, "kind": "revoked",
    "not_after": 1795638043, "seq": 9,
    "serial": "5b000102030405060708090a0b0c0d0e0f", "terms": "0d00000000",
}


def leaves():
    issued = {"changed": True, "diff": [
        {"asked": None, "at": "web.yaml:14", "disposition": "overridden",
         "field": "subject.organization[0]", "given": "Exämple \"Corp\"\n",
         "rule": "web/subject.organization.set"}],
        "kept": ["subject.commonName[0]"],
        "policy": {"name": "web", "sha256": "ee" * 32},
        "set_sha256": "bb" * 32, "verdict": "issued"}
    refused = {"changed": False, "code": "REFUSED", "detail": "2 names",
               "diff": [], "final": True, "not_reached": ["build", "limits"],
               "policy": None, "set_sha256": "bb" * 32, "verdict": "refused",
               "violations": [{"code": "SAN_DNS_NOT_ALLOWED",
                               "field": "san.dns[1]"}]}
    many = dict(refused, violations=[
        {"code": "SAN_DNS_NOT_ALLOWED", "field": "san.dns[%d]" % i,
         "value": "n%d.%s.example" % (i, "x" * 200)} for i in range(100)])
    flat = dict(refused, detail="y" * MAX_LEAF)
    words = {"message": "ticket 4712", "reason": "keyCompromise"}
    plain = {"at": 1795551643003, "index": 12}
    return [
        leaf("issued: every member of the straight way", issued,
             {**REQUEST, **JUDGED, **ATTEMPT, **plain, "kind": "issued",
              "approval": APPROVAL, "certificate": "3006300302010100",
              "expires": 1796156443000}),
        leaf("issued over the Unix socket, self-approved", issued,
             {**REQUEST, **JUDGED, **ATTEMPT, **plain, "kind": "issued",
              "approval": {**APPROVAL, "self": 1, "uid": 0}, "uid": 0,
              "certificate": "30", "limits": "00"}),
        leaf("refused by policy", refused,
             {**REQUEST, **JUDGED, **plain, "kind": "refused"}),
        leaf("refused with more violations than a leaf holds", many,
             {**REQUEST, **JUDGED, **plain, "kind": "refused"}),
        leaf("refused with one text longer than a leaf", flat,
             {**REQUEST, **JUDGED, **plain, "kind": "refused"}),
        leaf("denied, with a long reason", {"verdict": "denied"},
             {**REQUEST, **plain, "kind": "denied", "body": hexed("{}"),
              "now": 1795551643003,
              "approval": {**APPROVAL, "denies": 1, "reason": "nö " * 100},
              "hold": "WINDOW", "not_before": 5,
              "pending_body": "7b7d", "pending_terms": "00"}),
        leaf("expired", {"verdict": "expired"},
             {**REQUEST, **plain, "kind": "expired", "body": hexed("{}"),
              "expires": 1795551643000, "now": 1795551643003}),
        leaf("an attempt that a crash abandoned",
             {"code": "ABANDONED"},
             {**JUDGED, **ATTEMPT, **plain, "kind": "attempt.abandoned",
              "id": REQUEST["id"]}),
        leaf("the first leaf: a client added by root",
             {"client": "_local", "op": "add"},
             {"at": 1795551600000, "client": "_house", "client_id": 2,
              "index": 0, "kind": "client.changed",
              "rows": hexed('{"client":[],"credential":[]}'), "uid": 0}),
        leaf("a start: nothing but when", {"version": "0.1.0"},
             {"at": 0, "index": 1, "kind": "start"}),
        leaf("revoked, with a reason and words", words,
             {**REVOKED, **plain, "body": canonical(words).hex(),
              "reason": 1, "uid": 0}),
        leaf("revoked for no reason that was said",
             {"reason": "unspecified"},
             {**REVOKED, **plain,
              "body": hexed('{"reason":"unspecified"}')}),
    ]


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root(hashes):
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return node(root(hashes[:k]), root(hashes[k:]))


def edge(hashes):
    out = b""
    while hashes:
        k = 1
        while 2 * k <= len(hashes):
            k *= 2
        out += root(hashes[:k])
        hashes = hashes[k:]
    return out


def sign(seed, text):
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    with tempfile.TemporaryDirectory() as d:
        key, msg = os.path.join(d, "key"), os.path.join(d, "msg")
        with open(key, "wb") as f:
            f.write(der)
        with open(msg, "wb") as f:
            f.write(text)
        public = subprocess.run(
            ["openssl", "pkey", "-inform", "DER", "-in", key, "-pubout",
             "-outform", "DER"], check=True, capture_output=True).stdout[-32:]
        signature = subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key,
             "-keyform", "DER", "-in", msg],
            check=True, capture_output=True).stdout
    pem = ("-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(der).decode()
           + "\n-----END PRIVATE KEY-----\n")
    return pem, public, signature


def checkpoints(hashes):
    origin = "ca.example/countersign/1f0c9a2b"
    seed = hashlib.sha256(b"countersign test log key").digest()
    out = []
    for n in (0, 1, 2, 3, 7, len(hashes)):
        top = root(hashes[:n])
        text = ("%s\n%d\n%s\n" % (
            origin, n, base64.b64encode(top).decode())).encode()
        pem, public, signature = sign(seed, text)
        ident = hashlib.sha256(origin.encode() + b"\n\1" + public).digest()[:4]
        note = text.decode() + "\n\u2014 %s %s\n" % (
            origin, base64.b64encode(ident + signature).decode())
        out.append({"edge": edge(hashes[:n]).hex(), "note": note,
                    "root": top.hex(), "tree_size": n})
    return {"about": "trees over the first leaves of leaves.json",
            "checkpoints": out, "origin": origin, "private_key": pem,
            "verifier_key": "%s+%s+%s" % (
                origin, ident.hex(),
                base64.b64encode(b"\1" + public).decode())}


def write(name, value):
    with open(name, "w", encoding="utf-8") as f:
        json.dump(value, f, indent=1, sort_keys=True, ensure_ascii=False)
        f.write("\n")


made = leaves()
write("leaves.json", {"leaves": made, "v": 1})
write("checkpoints.json",
      checkpoints([bytes.fromhex(x["leaf_hash"]) for x in made]))
