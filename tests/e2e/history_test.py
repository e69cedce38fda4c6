#!/usr/bin/env python3
"""A history as bench-history makes it: small here, and true in every row."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import COUNTERSIGN, Tap, expect, run  # noqa: E402

tap = Tap()
HERE = os.path.dirname(os.path.abspath(__file__))
COUNT = 700
work = tempfile.mkdtemp(prefix="countersign-test-")
DIR = os.path.join(work, "ca")


def cli(*args):
    return run(COUNTERSIGN, *args, "--dir", DIR).stdout


@tap.test
def a_ledger_is_filled_with_decisions_that_verify():
    done = subprocess.run(
        [os.path.join(HERE, "..", "bench", "fill-make"), DIR, str(COUNT)],
        env=dict(os.environ, top_builddir=os.path.dirname(
            os.path.abspath(COUNTERSIGN))),
        capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0, done.stdout + done.stderr)
    expect(f"fill: {COUNT} decisions" in done.stdout, done.stdout)
    out = cli("audit", "verify")
    expect("verified: the database says what its log says" in out, out)


@tap.test
def its_days_lie_behind_it_and_its_persons_ask_for_more_than_one():
    rows = cli("audit", "list", "--since", "19d", "--limit", "1000", "-o",
               "ndjson").splitlines()
    expect(COUNT * 0.7 < len(rows) <= COUNT, len(rows))
    rows = cli("audit", "list", "--until", "10d", "--limit", "1000",
               "--verdict", "issued", "-o", "ndjson").splitlines()
    expect(COUNT * 0.3 < len(rows) < COUNT * 0.7, len(rows))
    refused = cli("audit", "list", "--verdict", "refused", "-o",
                  "ndjson").splitlines()
    changed = cli("audit", "list", "--changed", "--policy", "web", "-o",
                  "ndjson").splitlines()
    expect(len(refused) > 1 and len(changed) > 1,
           f"{len(refused)} {len(changed)}")


@tap.test
def proofs_reach_over_several_subtrees():
    for index in (0, 255, 256, 300, COUNT):
        out = cli("audit", "prove", str(index))
        expect("signature is good" in out, out)


status = tap.run()
shutil.rmtree(work, ignore_errors=True)
sys.exit(status)
