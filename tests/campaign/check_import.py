#!/usr/bin/env python3
"""approver-policy's and step-ca's own evaluators: `make check-import`.

Random policies and requests are judged by the real evaluators, by the oracles
of tests/lib/foreign.py, and by the translated policies: the first two must be
the same, and the third never wider, and the same where its report says so.

    check_import.py APPROVER_POLICY STEP_CA COUNT SEED [RECORD]

RECORD takes a small sample of the verdicts for tests/e2e/import_test.py.
"""
import copy
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import foreign  # noqa: E402
from tests.lib.imports import differ, sample  # noqa: E402

OPTIONS = ("--issuer", "default", "--requester", "*")


def ask(program, key, questions):
    """The verdicts of a real evaluator, policy by policy."""
    lines = "".join(json.dumps({key: made, "requests": asked}) + "\n"
                    for made, asked in questions)
    done = subprocess.run([program], input=lines, capture_output=True,
                          text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def as_compared(made):
    """A CertificateRequestPolicy's patterns as names are compared here."""
    made = copy.deepcopy(made)
    folds = {"dnsNames": str.lower, "uris": foreign.fold_host,
             "emailAddresses": foreign.fold_host}
    for name, fold in folds.items():
        rule = made["allowed"].get(name)
        if rule and "values" in rule:
            rule["values"] = [fold(p) for p in rule["values"]]
    return made


def as_issued(made, request):
    """A request with the duration it gets, and usages as they are known."""
    request = dict(request)
    limits = made.get("constraints", {})
    if "duration" not in request:
        low = foreign.seconds(limits.get("minDuration", "1s"))
        high = foreign.seconds(limits.get("maxDuration", "876000h"))
        usual = min(max(90 * foreign.DAY, low), high)
        request["duration"] = f"{usual}s"
    globs = made["allowed"].get("usages") or []
    request["usages"] = [
        next((w for same in foreign.SAME if word in same
              for w in sorted(same) if any(foreign.glob(g, w)
                                           for g in globs)), word)
        for word in request.get("usages", [])]
    return request


def approver_policy(program, count, seed):
    drawn = sample(foreign.crp, foreign.crp_request, seed, count)
    said = ask(program, "spec", [
        (as_compared(made), [as_issued(made, r) for r in asked])
        for made, asked in drawn])
    # A judge that sees nothing is none: the rule of DNS names is taken away.
    blind = ask(program, "spec", [
        (dict(made, allowed={}), [as_issued(made, r) for r in asked])
        for made, asked in drawn])
    return drawn, said, blind, foreign.crp_approves, foreign.crp_document


def step_ca(program, count, seed):
    drawn = sample(foreign.step, foreign.step_request, seed, count)
    said = ask(program, "policy", drawn)
    blind = ask(program, "policy", [({}, asked) for _, asked in drawn])
    return drawn, said, blind, foreign.step_approves, foreign.step_document


def few(made, asked, verdicts):
    """Some of each verdict."""
    chosen = [[(r, v) for r, v in zip(asked, verdicts) if v == want][:8]
              for want in (True, False)]
    both = chosen[0] + chosen[1]
    return {"policy": made, "requests": [r for r, _ in both],
            "verdicts": [v for _, v in both]}


def record(path, recorded):
    """A policy a line."""
    with open(path, "w", encoding="utf-8") as f:
        f.write("{" + ",\n".join(
            f'"{name}": [\n' + ",\n".join(
                json.dumps(case, sort_keys=True) for case in cases) + "]"
            for name, cases in recorded.items()) + "}\n")


def main():
    programs, count, seed = sys.argv[1:3], int(sys.argv[3]), int(sys.argv[4])
    recorded, wrong = {}, 0
    for name, program, judge in zip(("approver-policy", "step-ca"), programs,
                                    (approver_policy, step_ca)):
        drawn, said, blind, oracle, document = judge(program, count, seed)
        told = 0
        for (made, asked), verdicts in zip(drawn, said):
            for request, verdict in zip(asked, verdicts):
                if oracle(made, request) == verdict:
                    continue
                told += 1
                if told <= 5:
                    print(f"{name}: {verdict}, and our oracle otherwise:\n"
                          f"  {json.dumps(made)}\n  {json.dumps(request)}")
        wrong += told
        wrong += blind == said
        issued, refused, exact = differ(drawn, said, OPTIONS, document)
        print(f"{name}: {count} policies, {issued} requests approved, "
              f"{refused} denied, seed {seed}; {exact} policies the same; "
              f"{told} verdicts of the oracle differ")
        recorded[name] = [few(made, asked, v)
                          for (made, asked), v in zip(drawn, said)]
    if len(sys.argv) > 5:
        record(sys.argv[5], recorded)
    return 1 if wrong else 0


sys.exit(main())
