#!/usr/bin/env python3
"""The command line as a person meets it: help, examples, manual, completion.

Each command's example is taken from its --help and run as it stands, in a
directory with the files that examples speak of. An identifier in it, which
can only be made up, is replaced by one that exists.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.fake_kube import FakeKube  # noqa: E402
from tests.lib.house import COUNTERSIGN, House, Tap, expect, run  # noqa: E402

PROGRAM = os.path.abspath(COUNTERSIGN)
TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DEFAULT_DIR = "/var/lib/countersign"
EXAMPLE_LEAF = 42

tap = Tap()
house = House()
house.start()
WORK = os.path.join(house.root, "work")
BIN = os.path.join(house.root, "bin")
BACKUPS = os.path.join(house.root, "backups")
os.makedirs(BACKUPS)
os.makedirs(WORK)
os.makedirs(BIN)
os.symlink(PROGRAM, os.path.join(BIN, "countersign"))


def commands():
    """The names of all commands, as --help lists them."""
    text = run(PROGRAM, "--help").stdout
    lines = text.split("Commands:\n")[1].split("\n\n")[0].split("\n")
    return [re.match(r"  (\S+( \S+)?)", line)[1] for line in lines]


def example(command):
    """What stands below "Example:" in a command's help."""
    text = run(PROGRAM, *command.split(" "), "--help").stdout
    expect("\nExample:\n" in text, f"{command} has no example")
    return text.split("\nExample:\n")[1].strip()


def shell(line, directory=house.dir):
    """Run a line as a person would; its completed process."""
    return subprocess.run(
        ["bash", "-c", line], cwd=WORK, text=True, capture_output=True,
        timeout=60, stdin=subprocess.DEVNULL,
        env=dict(house.env, COUNTERSIGN_DIR=directory,
                 PATH=BIN + ":" + os.environ["PATH"]))


def write(name, text):
    path = os.path.join(WORK, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


# -- what examples speak of -------------------------------------------------

def pending():
    """The id of a new request that waits for its approval."""
    done = house.cli("issue", "--csr", os.path.join(WORK, "web.csr"),
                     "-o", "json", check=False)
    return json.loads(done.stdout)["id"]


def issued():
    """The serial of a new certificate."""
    done = house.cli("issue", "--csr", os.path.join(WORK, "web.csr"),
                     "--approve", "-o", "json")
    return json.loads(done.stdout)["serial"]


def credential():
    """The number of a credential of the client gw that it can lose."""
    house.cli("client", "add", "gw", "--right", "submit", check=False)
    house.cli("client", "token", "gw")
    shown = json.loads(house.cli("client", "show", "gw", "-o",
                                 "json").stdout)
    return str(shown["credentials"][-1]["id"])


def mesh_ca():
    """A CA of somebody else, whose certificates clients show."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj",
        "/CN=mesh", "-out", os.path.join(WORK, "mesh-ca.pem"))


def enough_leaves():
    """As many entries in the log as the example wants to see."""
    done = json.loads(house.cli("audit", "list", "--limit", "1", "-o",
                                "json").stdout)
    for _ in range(EXAMPLE_LEAF + 1 - (done["items"] if isinstance(done, dict) else done)[0]["index"]):
        issued()


def partner():
    """Key and chain of a CA that somebody else made."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Partner CA",
        "-keyout", os.path.join(WORK, "partner-key.pem"),
        "-out", os.path.join(WORK, "partner-chain.pem"),
        "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def until_ready(line, word, **env):
    """Run it until it says that it is ready, and then to its end."""
    process = subprocess.Popen(
        ["bash", "-c", "exec " + line], cwd=WORK, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, env=dict(
            house.env, PATH=BIN + ":" + os.environ["PATH"], **env))
    try:
        said = iter(process.stdout.readline, "")
        expect(any(word in s for s in said), "it did not become ready")
        process.send_signal(signal.SIGTERM)
        return process.wait(20)
    finally:
        process.kill()
        process.stdout.close()


# A policy of another system that says nothing which ours cannot.
write("crp.yaml", """apiVersion: policy.cert-manager.io/v1alpha1
kind: CertificateRequestPolicy
metadata: {name: web}
spec:
  allowed: {dnsNames: {values: ["*.corp.example"]}, usages: [server auth]}
  selector: {issuerRef: {name: corp, kind: ClusterIssuer}}
""")
def serve(line):
    """Serve an installation of its own until SIGTERM."""
    other = os.path.join(house.root, "served")
    run(PROGRAM, "init", "--dir", other, env=house.env)
    return until_ready(line.replace(DEFAULT_DIR, other) +
                       " --listen 127.0.0.1:0", "ready https://")


def kube(line):
    """In a pod it finds the cluster by itself; here by $KUBECONFIG."""
    cluster = FakeKube(WORK)
    write("token", "cs_none")
    line = line.replace("/etc/countersign/", WORK + "/")
    return until_ready(line.replace("0.0.0.0:8081", "127.0.0.1:0"), "ready\n",
                       KUBECONFIG=cluster.kubeconfig())


write("web.csr", house.csr("web.corp.example"))
with open(os.path.join(house.dir, "policies", "default.yaml"),
          encoding="utf-8") as source:
    DEFAULT_POLICY = source.read()
write("policies/default.yaml", DEFAULT_POLICY)
write("policies.new/default.yaml", DEFAULT_POLICY)

# Before its example runs; what it returns replaces the identifier in it.
PREPARE = {
    "audit show": enough_leaves,
    "ca import": partner,
    "cert revoke": issued,
    "cert show": issued,
    "client bind": mesh_ca,
    "client revoke": credential,
    "client remove": lambda: house.cli("client", "add", "gw", "--right",
                                       "submit", check=False) and None,
    "request show": pending,
    "request approve": pending,
    "request deny": pending,
}
# Where an example runs, if not beside the running house.
DIRECTORY = {"restore": os.path.join(house.root, "restored")}
# How an example's command ends, where that is not 0 and why it may.
STATUS = {"policy diff": (0, 1), "policy replay": (0, 1)}


@tap.test
def each_example_does_what_it_says():
    wrong = []
    for command in commands():
        line = example(command)
        real = PREPARE.get(command, lambda: None)()
        if real:
            line = re.sub(r"\b([0-9a-f]{30,}|7)\b", real, line)
        if command in ("kube", "serve"):
            run_it = kube if command == "kube" else serve
            status, told = run_it(line), ""
        else:
            line = line.replace(DEFAULT_DIR, os.path.join(house.root, "new"))
            line = line.replace("/safe/", house.dir + "/")
            line = line.replace("/var/backups/countersign", BACKUPS)
            line = line.replace("/srv/", house.root + "/srv/")
            done = shell(line, DIRECTORY.get(command, house.dir))
            status, told = done.returncode, done.stdout + done.stderr
        if status not in STATUS.get(command, (0,)):
            wrong.append(f"`{line}`: exit {status}: {told[:400]}")
    expect(not wrong, "\n".join(wrong))


@tap.test
def a_csr_is_taken_in_pem_and_der_from_a_file_and_a_pipe():
    shell("openssl req -in web.csr -outform DER -out web.der")
    for line in ("--csr web.der", "--csr - <web.der", "--csr - <web.csr"):
        done = shell("countersign issue --approve " + line)
        expect(done.returncode == 0 and "BEGIN CERT" in done.stdout, done)
    write("body.yaml", "usages: [server auth]\nduration: 2h\n")
    done = shell("countersign issue --approve --csr web.der --request - "
                 "<body.yaml")
    expect(done.returncode == 0 and "BEGIN CERT" in done.stdout, done)


@tap.test
def every_line_of_help_fits_on_a_terminal():
    for command in commands():
        for line in run(PROGRAM, *command.split(" "),
                        "--help").stdout.split("\n"):
            expect(len(line) <= 110, f"{command}: {len(line)}: {line}")


@tap.test
def a_group_shows_its_own_commands_and_where_to_read_on():
    names = commands()
    whole = run(PROGRAM, "--help").stdout
    for group in sorted({n.split(" ")[0] for n in names if " " in n}):
        own = [n for n in names if n.startswith(group + " ")]
        text = run(PROGRAM, group, "--help").stdout
        lines = text.split("Commands:\n")[1].split("\n\n")[0].split("\n")
        expect(len(lines) == len(own), f"{group}: {lines}")
        for line, name in zip(lines, own):
            expect(line.startswith(f"  {name} ") and line in whole,
                   f"{group}: {line}")
        doc = re.search(r"Read on in (docs/\w+\.md)\.\n$", text)
        expect(doc and os.path.exists(os.path.join(TREE, doc[1])),
               f"{group}: {text}")
        expect(run(PROGRAM, "help", group).stdout == text, "help " + group)
        alone = run(PROGRAM, group, check=False)
        expect(alone.returncode == 2 and not alone.stdout and text in
               alone.stderr, f"{group}: {alone}")
        wrong = run(PROGRAM, group, "bananas", check=False)
        words = ", ".join(n.split(" ")[1] for n in own)
        expect(wrong.returncode == 2 and f"`{group}` has {words}\n" in
               wrong.stderr and f"`countersign {group} --help`" in
               wrong.stderr, f"{group}: {wrong}")


@tap.test
def the_manual_page_has_every_command_and_no_fault():
    page = run(PROGRAM, "manual").stdout
    for command in commands():
        expect(f"\n.Ss {command}\n" in page, f"no section of {command}")
    write("countersign.1", page)
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                           os.path.join(WORK, "countersign.1")],
                          capture_output=True, text=True)
    expect(done.returncode == 0, done.stdout + done.stderr)
    text = run("mandoc", "-T", "ascii",
               os.path.join(WORK, "countersign.1")).stdout
    text = re.sub(".\b", "", text)
    expect("countersign audit list --since 1h --verdict refused" in text and
           "--single-tier" in text, "examples or options are lost")


# -- completion -------------------------------------------------------------

def script(name):
    write("complete." + name, run(PROGRAM, "completion", name).stdout)
    return os.path.join(WORK, "complete." + name)


def bash(*words):
    """What bash offers behind these words, the last of them unfinished."""
    lines = f"""source {script('bash')}
COMP_WORDS=({' '.join("'" + w + "'" for w in words)})
COMP_CWORD={len(words) - 1}
_countersign
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", lines], cwd=WORK, text=True,
                          capture_output=True)
    expect(done.returncode == 0 and not done.stderr, done.stderr)
    return done.stdout.split()


@tap.test
def bash_completes_commands_options_forms_and_files():
    names = commands()
    first = {n.split(" ")[0] for n in names}
    got = bash("countersign", "")
    expect(first <= set(got), f"{first - set(got)} not in {got}")
    for group in {n.split(" ")[0] for n in names if " " in n}:
        want = {n.split(" ")[1] for n in names if n.startswith(group + " ")}
        got = bash("countersign", group, "")
        expect(set(got) == want, f"{group}: {got}, expected {want}")
    expect(bash("countersign", "audit", "list", "--req") == ["--requester"],
           "--req")
    expect(set(bash("countersign", "audit", "list", "-o", "")) >=
           {"table", "json", "ndjson"}, "-o")
    expect(bash("countersign", "issue", "--csr", "web.c") == ["web.csr"],
           "a file")
    expect(bash("countersign", "issue", "--reason", "") == [],
           "nothing is known of a reason")
    expect("policies" in bash("countersign", "policy", "check", "pol"),
           "an argument that is a file")


def fish(line):
    done = run("fish", "--no-config", "-c",
               f"source {script('fish')}; cd {WORK}; complete -C '{line}'")
    expect(not done.stderr, done.stderr[:400])
    return [x.split("\t")[0] for x in done.stdout.splitlines()]


@tap.test
def fish_completes_commands_options_forms_and_files():
    first = {n.split(" ")[0] for n in commands()}
    expect(first <= set(fish("countersign ")), "commands")
    expect({"show", "list", "verify"} <= set(fish("countersign audit ")),
           "audit")
    expect(fish("countersign audit list --reque") == ["--requester"],
           "an option")
    expect({"table", "json"} <= set(fish("countersign audit list -o ")), "-o")
    expect(fish("countersign issue --csr web.c") == ["web.csr"], "a file")


def zsh(*words):
    """Specifications and descriptions that zsh is given behind these words."""
    lines = f"""_arguments() {{ print -rl -- "$@" }}
_describe() {{ print -rl -- "${{(@P)2}}" }}
compdef() {{ : }}
source {script('zsh')}
words=({' '.join("'" + w + "'" for w in words)})
CURRENT={len(words)}
_countersign
"""
    done = run("zsh", "-f", "-c", lines)
    expect(not done.stderr, done.stderr)
    return done.stdout.splitlines()


@tap.test
def zsh_completes_commands_options_forms_and_files():
    first = {n.split(" ")[0] for n in commands()}
    expect(first == {x.split(":")[0] for x in zsh("countersign", "")},
           "commands")
    expect({"show", "list", "verify"} <=
           {x.split(":")[0] for x in zsh("countersign", "audit", "")}, "audit")
    got = zsh("countersign", "audit", "list", "")
    expect("*--requester[who asked]:NAME: " in got, f"an option: {got}")
    expect(any(x.startswith("*--output[") and ":FORMAT:(table json" in x
               for x in got), f"forms: {got}")
    expect(any(x.endswith(":_files") and x.startswith("*--csr[")
               for x in zsh("countersign", "issue", "")), "a file")


status = tap.run()
house.close()
sys.exit(status)
