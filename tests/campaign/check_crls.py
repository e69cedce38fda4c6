#!/usr/bin/env python3
"""CRLs before zlint: check_crls.py ZLINT

For a CA key of each kind, with a URL and without: an empty CRL, and one with
an entry of every reason that can be given. No lint may say more than info.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import Failure, House  # noqa: E402

KINDS = ("ec-p256", "ec-p384", "rsa-3072", "rsa-4096", "ed25519")
REASONS = ("unspecified", "affiliationChanged", "superseded",
           "cessationOfOperation", "privilegeWithdrawn", "keyCompromise")


def lint(zlint, house, name):
    """(lints applied, findings) of the CRL that there is now."""
    house.cli("crl", "publish", "default")
    path = os.path.join(os.path.dirname(house.dir), "crl.pem")
    with open(path, "w", encoding="ascii") as f:
        f.write(house.cli("crl", "show", "default", "-o", "pem").stdout)
    done = subprocess.run([zlint, path], capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        raise Failure(f"zlint did not read it: {done.stderr[-500:]}")
    results = json.loads(done.stdout)
    applied = [k for k, v in results.items()
               if v["result"] not in ("NA", "NE")]
    bad = [f"{name}: {k}: {v}" for k, v in sorted(results.items())
           if v["result"] in ("warn", "error", "fatal")]
    return len(applied), bad


def one(zlint, kind, url):
    options = ("--key", kind) + (("--crl-url", url) if url else ())
    applied, found = 0, []
    with House(init_options=options) as house:
        house.start()
        house.client_add("ci", "submit", "approve")
        house.client_add("desk", "revoke")
        name = f"{kind}, {'with' if url else 'without'} a URL"
        n, bad = lint(zlint, house, name + ", empty")
        applied, found = applied + n, found + bad
        csr = house.csr("www.crl.example")
        for reason in REASONS:
            got = house.submit("ci", csr)
            if got.status != 201:
                raise Failure(f"{got.status} {got.body}")
            status, body = house.revoke("desk", got.json["serial"], reason)
            if status != 200:
                raise Failure(f"{reason}: {status} {body}")
        time.sleep(1)
        n, bad = lint(zlint, house, name)
        house.stop()
    return applied + n, found + bad


def main():
    applied, found = 0, []
    for kind in KINDS:
        for url in (None, "http://crl.example/crl/default"):
            n, bad = one(sys.argv[1], kind, url)
            applied, found = applied + n, found + bad
    for line in found:
        print(line)
    print(f"{4 * len(KINDS)} CRLs, {applied} lints of zlint applied, "
          f"{len(found)} findings")
    return 1 if found or applied < 10 * 4 * len(KINDS) else 0


sys.exit(main())
