#!/usr/bin/env python3
"""What a command says when the server answers with a problem.

It is the same for every command: a sentence on standard error, and with
-o json or ndjson the problem as the server sent it on standard output, so
that a script reads its code there. The exit status is that of its HTTP
status.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect  # noqa: E402

tap = Tap()
house = House()
house.start()
CSR = os.path.join(house.root, "bad.csr")
with open(CSR, "w", encoding="utf-8") as f:
    f.write(house.csr("weak.example", key=("-newkey", "rsa:1024")))

USAGE, NOT_FOUND, REFUSED = 2, 5, 1
NO_SERIAL = "5b" + "00" * 16
NO_ID = "00" * 16
NO_SET = "00" * 32

# The command, its HTTP status, its exit status.
WRITES = [
    (("cert", "revoke", NO_SERIAL), 404, NOT_FOUND),
    (("client", "add", "Not A Name", "--right", "submit"), 400, USAGE),
    (("client", "token", "nobody"), 404, NOT_FOUND),
    (("client", "bind", "nobody", "--cert-san", "dns:a.example",
      "--cert-issuer", os.path.join(house.dir, "root.pem")), 404, NOT_FOUND),
    (("client", "revoke", "nobody", "1"), 404, NOT_FOUND),
    (("client", "remove", "nobody"), 404, NOT_FOUND),
    (("crl", "publish", "nobody"), 404, NOT_FOUND),
    (("issue", "--csr", CSR, "--approve"), 422, REFUSED),
    (("policy", "eval", "--csr", CSR, "--issuer", "nobody"), 404, NOT_FOUND),
    (("request", "approve", NO_ID), 404, NOT_FOUND),
    (("request", "deny", NO_ID, "--sha256", NO_SET), 404, NOT_FOUND),
]
READS = [
    (("audit", "prove", "99999999"), 404, NOT_FOUND),
    (("audit", "show", "99999999"), 404, NOT_FOUND),
    (("cert", "list", "--spki", "x"), 400, USAGE),
    (("cert", "show", NO_SERIAL), 404, NOT_FOUND),
    (("policy", "show", NO_SET), 404, NOT_FOUND),
    (("request", "show", NO_ID), 404, NOT_FOUND),
]


def check(command, http, status):
    """With -o json, and without."""
    name = " ".join(command[:2])
    done = house.cli(*command, "-o", "json", check=False)
    try:
        problem = json.loads(done.stdout)
    except ValueError as e:
        return f"{name}: {e}: {done}"
    if problem.get("status") != http or not problem.get("code"):
        return f"{name}: {problem}"
    if done.returncode != status or not one_account(done.stderr):
        return f"{name} -o json: {done}"
    if name == "audit show":
        return None  # JSON is its only form
    done = house.cli(*command, check=False)
    if done.stdout or done.returncode != status or \
            not one_account(done.stderr):
        return f"{name}: {done}"
    return None


def one_account(text):
    """One sentence, or a refusal with its violations."""
    if text.startswith("REFUSED"):
        return True
    lines = text.splitlines()
    return len(lines) == 1 and lines[0].startswith("countersign: ") and \
        len(lines[0]) > 30


def check_all(table):
    wrong = [x for x in (check(*row) for row in table) if x]
    expect(not wrong, "\n".join(wrong))


@tap.test
def what_is_written_is_refused_in_the_form_that_was_asked_for():
    check_all(WRITES)


@tap.test
def what_is_read_is_refused_in_the_form_that_was_asked_for():
    check_all(READS)


@tap.test
def lines_of_json_are_one_line():
    done = house.cli("cert", "export", "-o", "ndjson", "--spki", "x",
                     check=False)
    expect(done.returncode == USAGE and done.stdout.count("\n") == 1, done)
    expect(json.loads(done.stdout)["status"] == 400, done)
    for form in ("csv", "pem"):
        done = house.cli("cert", "export", "-o", form, "--spki", "x",
                         check=False)
        expect(done.returncode == USAGE and one_account(done.stderr) and
               "countersign" not in done.stdout, done)


@tap.test
def a_policy_that_does_not_load_is_refused_with_its_report():
    path = os.path.join(house.dir, "policies", "broken.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write("policy: broken\n")
    try:
        done = house.cli("policy", "apply", "-o", "json", check=False)
        expect(done.returncode == REFUSED and
               json.loads(done.stdout)["problems"], done)
        plain = house.cli("policy", "apply", check=False)
        expect(plain.returncode == REFUSED and not plain.stdout and
               "(POLICY_INVALID)" in plain.stderr, plain)
        for problem in json.loads(done.stdout)["problems"]:
            expect(problem["text"] in plain.stderr, plain)
        expect(done.stderr == plain.stderr, done)
    finally:
        os.remove(path)


@tap.test
def a_refusal_has_the_same_status_in_every_form():
    for form in ("table", "json"):
        done = house.cli("issue", "--csr", CSR, "--dry-run", "-o", form,
                         check=False)
        expect(done.returncode == REFUSED, done)
    good = os.path.join(house.root, "good.csr")
    with open(good, "w", encoding="utf-8") as f:
        f.write(house.csr("good.example"))
    ids = [json.loads(house.cli("issue", "--csr", good, "-o", "json",
                                check=False).stdout)["id"] for _ in range(2)]
    path = os.path.join(house.dir, "policies", "default.yaml")
    with open(path, encoding="utf-8") as f:
        before = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(before.split("\n  tests:")[0].replace(
            "    dns: {allow: [any],",
            "    dns: {allow: [{dns: .other.example}],") + "\n")
    try:
        house.cli("policy", "apply")
        for request, form in zip(ids, ("table", "json")):
            done = house.cli("request", "approve", request, "-o", form,
                             check=False)
            expect(done.returncode == REFUSED, done)
    finally:
        with open(path, "w", encoding="utf-8") as f:
            f.write(before)
        house.cli("policy", "apply")


@tap.test
def a_crl_that_is_not_there_has_no_octets():
    for form in ("der", "pem", "text"):
        done = house.cli("crl", "show", "nobody", "-o", form, check=False)
        expect(done.returncode == NOT_FOUND and not done.stdout and
               one_account(done.stderr), done)


@tap.test
def the_files_of_a_stopped_server_refuse_as_it_does():
    house.stop()
    check_all(READS)


status = tap.run()
house.close()
sys.exit(status)
