#!/usr/bin/env python3
"""The command line with what no manual suggests.

Every option and argument of every command gets values that nobody means:
nothing at all, files that are empty, octets that are no text. Standard
streams are closed or full. The program must say what is wrong, with a
documented exit status, and never end by a signal or as if all were well.
"""
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import COUNTERSIGN, House, Tap, expect, run  # noqa: E402

PROGRAM = os.path.abspath(COUNTERSIGN)
STATUSES = {0, 1, 2, 3, 4, 5, 6, 7, 75}
# They run until they are stopped; what they are given here ends them at once.
LASTING = ("serve", "kube", "audit tail")

tap = Tap()
house = House()
house.start()
WORK = os.path.join(house.root, "work")
os.makedirs(WORK)
EMPTY = os.path.join(WORK, "empty")
with open(EMPTY, "w", encoding="ascii"):
    pass
with open(os.path.join(WORK, "web.csr"), "w", encoding="ascii") as f:
    f.write(house.csr("www.shop.example"))


def commands():
    """{name: [(option, kind of its value or "")]}, as --help says."""
    text = run(PROGRAM, "--help").stdout
    lines = text.split("Commands:\n")[1].split("\n\n")[0].split("\n")
    found = {}
    for line in lines:
        name = re.match(r"  (\S+( \S+)?)", line)[1]
        text = run(PROGRAM, *name.split(" "), "--help").stdout
        found[name] = [o for o in re.findall(
            r"^ +(?:-., )?--([a-z0-9-]+)(?: ([A-Z]\S*))?", text, re.M)
            if o[0] not in ("help", "dir")]
    return found


def call(*words, directory=house.dir, **how):
    """A call that must end with a documented status, and not be mute."""
    done = subprocess.run(
        [PROGRAM, *words], cwd=WORK, capture_output=True, timeout=30,
        stdin=subprocess.DEVNULL,
        env=dict(house.env, COUNTERSIGN_DIR=directory), **how)
    said = done.stderr.decode(errors="replace")
    expect(done.returncode in STATUSES,
           f"{words}: exit {done.returncode}: {said}")
    expect(done.returncode == 0 or said or done.stdout,
           f"{words}: exit {done.returncode}, and not a word")
    return done.returncode, said


def shell(line, directory=house.dir):
    """The same of a line of a shell, where $P is the program."""
    done = subprocess.run(
        ["bash", "-c", line], cwd=WORK, capture_output=True, timeout=30,
        stdin=subprocess.DEVNULL, text=True,
        env=dict(house.env, COUNTERSIGN_DIR=directory, P=PROGRAM))
    return done.returncode, done.stderr


def refused(words, status, sentence, directory=house.dir):
    """It must end so, and say this."""
    got, said = call(*words, directory=directory)
    expect(got == status and sentence in said,
           f"{words}: exit {got}, not {status}: {said}, not {sentence}")


@tap.test
def no_value_of_an_option_ends_a_command_by_a_signal():
    """Nothing, octets that are no text, and a file in which there is nothing."""
    for name, options in commands().items():
        for option, value in options:
            words = [*name.split(" "), "--" + option]
            if not value:
                got, _ = call(*words[:-1], words[-1] + "=x")
                expect(got == 2, f"{words}: a flag took a value")
                continue
            got, _ = call(*words)
            expect(got == 2, f"{words}: the value is missing, exit {got}")
            if name in LASTING and "FILE" not in value:
                continue
            for bad in ["", b"\xff\xfe", *([EMPTY] if value in (
                    "FILE", "PATH") else [])]:
                if name != "init":
                    call(*words, bad)


@tap.test
def words_too_many_and_unknown_options_are_refused():
    """So that nobody thinks it counted."""
    for name in commands():
        got, said = call(*name.split(" "), *["x-y"] * 256)
        expect(got in (2, 5) and said, f"{name}: exit {got}: {said}")
        got, said = call(*name.split(" "), "--x-y")
        expect(got == 2 and "`--x-y`" in said, f"{name}: exit {got}: {said}")


@tap.test
def an_empty_file_is_refused_by_its_name():
    """Whoever reads it: YAML, JSON, a key, a checkpoint."""
    for words, status, sentence in (
            (["issue", "--request", EMPTY], 2, "expected one mapping"),
            (["policy", "explain", "--request", EMPTY], 2, "one mapping"),
            (["policy", "eval", "--request", EMPTY], 2, "one mapping"),
            (["kube", "--kubeconfig", EMPTY], 2, "no kubeconfig"),
            (["policy", "import", EMPTY], 1, "no policy in what"),
            (["audit", "verify", "--checkpoint", EMPTY], 4, "is empty"),
            (["audit", "verify", "--log-key", EMPTY], 4, "is empty")):
        refused(words, status, sentence)
        if words[0] not in ("kube", "policy"):
            expect(EMPTY in call(*words)[1], f"{words}: which file?")


@tap.test
def an_empty_configuration_is_refused():
    """As every other one that says too little."""
    other = House()
    with open(os.path.join(other.dir, "countersign.yaml"), "w",
              encoding="ascii"):
        pass
    for words in (["serve"], ["ca", "list"], ["ca", "create", "web"],
                  ["backup", os.path.join(WORK, "backup")]):
        if words[0] == "ca" and words[1] == "create":
            words = [*words, "--under", "root"]
        refused(words, 2, "countersign.yaml:1:1: expected a mapping",
                other.dir)
    other.close()


@tap.test
def an_option_that_would_not_count_is_refused():
    """Whoever writes it believes that it did."""
    for words, sentence in (
            (["client", "list", "--right", "approve"],
             "--right is for --at"),
            (["client", "list", "--issuer", "default"],
             "--issuer is for --at"),
            (["client", "list", "--at", "0s", "--right", "aprove"],
             "there is no right `aprove`"),
            (["issue", "--csr", "web.csr", "--reason", "Reviewed"],
             "--reason is for --approve"),
            (["issue", "--csr", "web.csr", "--message", "ticket 4711"],
             "--message is for --approve"),
            (["crl", "show", "default", "--shard", "0"],
             "--shard is for -o text, pem or der"),
            (["ca", "show", "default", "--generation", "1"],
             "--generation is for -o pem")):
        refused(words, 2, sentence)


@tap.test
def what_could_not_be_printed_is_no_success():
    """On a full disk, or with no standard output at all."""
    for line in ("$P status", "$P --version", "$P --help", "$P manual",
                 "$P audit list", "$P policy show", "$P ca list"):
        for where in (">/dev/full", ">&-"):
            status, said = shell(f"{line} {where}")
            expect(status == 1 and "standard output" in said,
                   f"{line} {where}: exit {status}: {said}")


@tap.test
def a_server_without_standard_streams_has_none():
    """No file of its own gets their numbers, into which a message could go."""
    other = House()
    process = subprocess.Popen(
        ["bash", "-c", 'exec "$0" serve --listen 127.0.0.1:0 <&- >&- 2>&-',
         PROGRAM], env=dict(house.env, COUNTERSIGN_DIR=other.dir))
    end = time.monotonic() + 20
    while other.cli("audit", "list", "--kind", "start", "--limit", "3",
                    "-o", "csv").stdout.count("\n") < 3:
        expect(time.monotonic() < end and process.poll() is None,
               "the server did not start")
        time.sleep(0.1)
    task = f"/proc/{process.pid}/task/{process.pid}/children"
    with open(task, encoding="ascii") as f:
        rooms = f.read().split()
    for fd in "012":
        goal = os.readlink(f"/proc/{process.pid}/fd/{fd}")
        expect(goal == "/dev/null", f"descriptor {fd} is {goal}")
    expect(rooms, "no room runs")
    process.send_signal(signal.SIGTERM)
    # That nobody got to read `ready` is its only complaint.
    expect(process.wait(20) == 1, f"exit {process.returncode}")
    other.cli("db", "check")
    other.cli("audit", "verify")
    other.close()



status = tap.run()
house.close()
sys.exit(status)
