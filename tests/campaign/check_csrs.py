#!/usr/bin/env python3
"""Three strict readers against ours: `make check-csrs`.

Go's crypto/x509, pyca/cryptography and the crate x509-cert read CSRs: our
corpus of pitfalls, requests with the subjects and extensions of zlint's test
certificates, and mutations. What one of them rejects, we must reject. What
only we reject needs a rule, which the finding cites: the clause, or a limit.

    check_csrs.py OURS GO RUST CERTIFICATES VECTORS [COUNT [SEED]]
"""
import collections
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))
from tests.campaign import csrs  # noqa: E402
from tests.lib.house import Failure  # noqa: E402

# What another rejects wrongly: the reader, its words, whether the CSR has it.
# Or what is well-formed, and refused elsewhere.
EXCUSED = (
    # X.690 8.19.4: below arc 2 the second arc has no bound; the crate's has.
    ("rust", "malformed OID", csrs.has_large_arc),
    # RFC 5280 4.2.1.3: a meaning is not defined; our lint refuses to issue it.
    ("pyca", "encipher_only and decipher_only can only be true",
     lambda _: True),
)

CLAUSE = re.compile(r"(RFC \d+ [A-Z]?[\d.]+|X\.6\d\d [\d.]+|SEC 1 [\d.]+)")
LIMIT = re.compile(r"(at most|more than|beyond) \d|\d+ (octets|bits)")


def run(argv, corpus):
    """A reader's verdict on each."""
    lines = "".join(data.hex() + "\n" for _, data in corpus)
    try:
        done = subprocess.run(argv, input=lines, capture_output=True,
                              encoding="utf-8", errors="replace",
                              check=False)
    except OSError as e:
        raise Failure(f"NOT RUN: {argv[0]}: {e.strerror}") from e
    verdicts = done.stdout.split("\n")[:-1]
    if done.returncode != 0 or len(verdicts) != len(corpus):
        raise Failure(f"NOT RUN: {argv[0]}: exit {done.returncode}, "
                      f"{len(verdicts)} of {len(corpus)} read\n"
                      f"{done.stderr[-2000:]}")
    return verdicts


def ours_rejects(verdict):
    """For what it is: a signature says nothing of encoding."""
    return verdict != "ok" and not all(
        part.startswith("CSR_SIGNATURE ") for part in verdict.split("\t"))


def rule_of(verdict):
    """The rules by which we reject: codes with their clauses, or None."""
    rules = set()
    for part in verdict.split("\t"):
        code, _, message = part.partition(" ")
        clause = CLAUSE.search(message)
        if clause:
            rules.add(f"{code} {clause.group(1).rstrip('.')}")
        elif LIMIT.search(message):
            rules.add(f"{code} limit")
        else:
            return None
    return sorted(rules)


def is_excused(reader, verdict, data):
    return any(reader == r and words in verdict and has(data)
               for r, words, has in EXCUSED)


def compare(corpus, ours, others):
    """(missed, without a rule, rules of what only we reject, counts)."""
    missed, nameless, opaque = [], [], 0
    rules, rejected = collections.Counter(), collections.Counter()
    for i, (name, data) in enumerate(corpus):
        mine = ours_rejects(ours[i])
        rejected["ours"] += mine
        theirs = [(r, v[i]) for r, v in others.items()
                  if v[i].startswith("no ")]
        opaque += any(v[i].startswith("opaque ") for v in others.values())
        for reader, _ in theirs:
            rejected[reader] += 1
        real = [(r, v) for r, v in theirs if not is_excused(r, v, data)]
        if real and not mine:
            missed.append((name, data, real))
        if mine and not theirs:
            found = rule_of(ours[i])
            if found is None:
                nameless.append((name, data, ours[i]))
            else:
                rules.update(found)
    rejected["pyca for opaque extensions"] = opaque
    return missed, nameless, rules, rejected


def report(what, corpus, result):
    """Print it; the number of CSRs that must not be."""
    missed, nameless, rules, rejected = result
    print(f"{what}: {len(corpus)} CSRs; rejected by " + ", ".join(
        f"{r} {n}" for r, n in sorted(rejected.items())))
    groups = collections.defaultdict(list)
    for name, data, theirs in missed:
        reader, verdict = theirs[0]
        key = reader, re.sub(r"\d+|0x\w+", "#", verdict)[:90]
        groups[key].append((name, data))
    for (reader, verdict), items in sorted(groups.items()):
        name, data = min(items, key=lambda item: len(item[1]))
        print(f"  MISSED {len(items)}: {reader}: {verdict}\n"
              f"    {name}: {data.hex()[:3000]}")
    for name, data, verdict in nameless[:10]:
        print(f"  NO RULE: {name}: {verdict}\n    {data.hex()[:3000]}")
    for rule, n in sorted(rules.items()):
        print(f"  only ours, {n}: {rule}")
    return len(missed) + len(nameless)


def main():
    ours, go, rust, certificates, vectors = sys.argv[1:6]
    count = int(sys.argv[6]) if len(sys.argv) > 6 else 100000
    seed = int(sys.argv[7]) if len(sys.argv) > 7 else 1
    readers = {"go": [go], "rust": [rust],
               "pyca": [sys.executable, os.path.join(HERE, "csr_pyca.py")]}
    key = csrs.make_key()
    pitfalls = csrs.vectors(vectors)
    rich = csrs.rich(key)
    world = csrs.from_certificates(key, certificates)
    pyca = csrs.pyca_vectors(key)
    if len(pitfalls) < 80 or len(world) < 1000 or len(pyca) < 400:
        raise Failure(f"{len(pitfalls)} vectors, {len(world)} certificates, "
                      f"{len(pyca)} of pyca: too few")
    # Mutations of what nobody rejects, and of what is nearly right.
    good = [c for c in pitfalls if c[0].startswith(("good-", "fact-"))]
    seeds = rich * 20 + good * 5 + pitfalls + world
    seeds = [s for s in seeds if len(s[1]) < 4000]
    bad = 0
    for what, corpus in (
            ("pitfalls", pitfalls + rich), ("certificates", world),
            ("cryptography-vectors", pyca),
            (f"mutations, seed {seed}",
             csrs.mutations(seeds, count, seed))):
        verdicts = run([ours], corpus)
        others = {r: run(argv, corpus) for r, argv in readers.items()}
        bad += report(what, corpus, compare(corpus, verdicts, others))
        if what == "pitfalls":
            # A reader of ours that takes everything must be seen.
            blind = compare(corpus, ["ok"] * len(corpus), others)
            if len(blind[0]) < 20:
                raise Failure("a blind reader is not seen")
    print(f"check-csrs: {bad} differences without a rule")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as e:
        print(f"check-csrs: FAILED: {e}", file=sys.stderr)
        sys.exit(1)
