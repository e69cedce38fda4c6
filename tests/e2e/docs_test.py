#!/usr/bin/env python3
"""docs/policy.md holds what it says: its policies load, its commands exist."""
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import COUNTERSIGN, Tap, expect, run  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PAGE = os.path.join(ROOT, "docs", "policy.md")
tap = Tap()


def blocks(kind):
    """(line, text) of each fenced block of that kind."""
    with open(PAGE, encoding="utf-8") as f:
        text = f.read()
    return [(text[:m.start()].count("\n") + 1, m.group(1)) for m in
            re.finditer(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)]


@tap.test
def every_policy_on_the_page_loads_and_passes_its_tests():
    found = blocks("yaml")
    expect(len(found) > 5, f"only {len(found)} policies on the page")
    with tempfile.TemporaryDirectory() as d:
        for line, text in found:
            path = os.path.join(d, f"policy.md-{line}.yaml")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            done = run(COUNTERSIGN, "policy", "check", path, check=False)
            expect(done.returncode == 0,
                   f"docs/policy.md:{line}:\n{done.stdout}{done.stderr}")


@tap.test
def every_command_on_the_page_exists():
    commands = {tuple(line.split()[1:3]) for _, text in blocks("sh")
                for line in text.splitlines()
                if line.startswith("countersign ")}
    expect(len(commands) > 4, commands)
    for command in sorted(commands):
        done = run(COUNTERSIGN, *command, "--help", check=False)
        expect(done.returncode == 0, f"{command}: {done.stderr}")


sys.exit(tap.run())
