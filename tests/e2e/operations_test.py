#!/usr/bin/env python3
"""docs/operations.md is true: its commands run, and print what it shows.

Every ```sh block is run in order, in one installation. Where a ```text block
follows, it is what was printed, but for times, numbers and identifiers. What
the page can only tell (a disk that fills, a clock that is set) is played by
the directives in its comments: <!-- play: NAME -->.

`operations_test.py --write` puts what was printed into the page.
"""
import os
import re
import resource
import signal
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import COUNTERSIGN, Tap, expect, free_port  # noqa: E402

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                    "docs", "operations.md")
DIR = "/var/lib/countersign"
HOST = "ca.corp.example"
tap = Tap()
root = tempfile.mkdtemp(prefix="countersign-test-")
BIN = os.path.join(root, "bin")
WORK = os.path.join(root, "work")
CA = os.path.join(root, "ca")
BACKUPS = os.path.join(root, "backups")
SHIFT = os.path.join(root, "shift")
STATE = os.path.join(root, "state")
LOG = os.path.join(root, "log")
PORT = free_port()


def tool(name, text):
    path = os.path.join(BIN, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/bash\n" + text)
    os.chmod(path, 0o755)


def world():
    """What the page's machine has and ours has not."""
    for directory in (BIN, WORK):
        os.mkdir(directory)
    open(STATE, "w", encoding="ascii").close()
    with open(SHIFT, "w", encoding="ascii") as f:
        f.write("0")
    os.symlink(os.path.abspath(COUNTERSIGN), os.path.join(BIN, "countersign"))
    tool("runuser", 'shift 3; exec "$@"\n')
    tool("systemd-sysusers", "exit 0\n")
    tool("chown", "exit 0\n")
    tool("install", 'mkdir -p -m 0700 "${@: -1}"\n')
    tool("curl", f'exec {shutil.which("curl")} --silent --connect-to '
         f'{HOST}:8443:127.0.0.1:{PORT} "$@"\n')
    tool("journalctl", f'tail -n 1 {LOG}\n')
    tool("date", f'echo $((1000 * ($({shutil.which("date")} -d "$2" +%s) - '
         f'$({shutil.which("date")} +%s)))) >{SHIFT}\n')
    tool("systemctl", f"""
case "$1" in
enable|start)
    rm -f {root}/ready
    CS_CLOCK_SHIFT_FILE={SHIFT} setsid {COUNTERSIGN_ABS} serve --dir {CA} \
        --listen 127.0.0.1:{PORT} >{root}/ready 2>>{LOG} </dev/null &
    echo $! >{root}/pid
    for i in $(seq 400); do
        grep -qs ready {root}/ready && exit 0
        kill -0 $! 2>/dev/null || exit 1
        sleep 0.02
    done
    exit 1;;
reload) kill -HUP $(cat {root}/pid);;
stop)
    kill -TERM $(cat {root}/pid)
    # A zombie has no program any more.
    while [ -e /proc/$(cat {root}/pid)/exe ]; do sleep 0.02; done;;
restart) "$0" stop; "$0" start;;
esac
""")


COUNTERSIGN_ABS = os.path.abspath(COUNTERSIGN)
ENV = dict(os.environ, PATH=BIN + ":" + os.environ["PATH"], LC_ALL="C",
           COUNTERSIGN_DIR=CA, CS_CLOCK_SHIFT_FILE=SHIFT)
MOVED = ((DIR, CA), ("/var/backups/countersign", BACKUPS),
         ("/safe/", os.path.join(root, "safe") + "/"))


def there(text):
    for documented, real in MOVED:
        text = text.replace(documented, real)
    return text


def back(text):
    for documented, real in MOVED:
        text = text.replace(real, documented)
    return text.replace(f"127.0.0.1:{PORT}", f"{HOST}:8443") \
        .replace(str(PORT), "8443")


def play(block):
    """Run a block of commands; exit status and what was printed."""
    script = (f"source {STATE}\n{there(block)}\nstatus=$?\n"
              f"declare -p TOKEN 2>/dev/null >{STATE}\nexit $status\n")
    done = subprocess.run(["bash", "-c", script], cwd=WORK, env=ENV,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60)
    return done.returncode, back(done.stdout)


def masked(text):
    """What may differ from one run to the next, taken out."""
    text = re.sub(r"cs_[0-9a-f]+_[\w-]+", "TOKEN", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z| UTC)?", "TIME", text)
    text = re.sub(r"\+[A-Za-z0-9+/]{40,}=*", "+BASE64", text)
    text = re.sub(r"\b[0-9a-f]{8,}\b", "HEX", text)
    text = re.sub(r"\b\d[\d.,]*\b", "N", text)
    return [re.sub(r" +", " ", line).rstrip() for line in
            text.strip().split("\n")]


# -- what the page can only tell ---------------------------------------------

def ledger():
    with open(os.path.join(root, "pid"), encoding="ascii") as f:
        parent = f.read().strip()
    with open(f"/proc/{parent}/task/{parent}/children",
              encoding="ascii") as f:
        for pid in f.read().split():
            with open(f"/proc/{pid}/comm", encoding="ascii") as c:
                if c.read().strip() == "cs-ledger":
                    return int(pid)
    raise LookupError("no ledger")


def limit(size):
    resource.prlimit(ledger(), resource.RLIMIT_FSIZE,
                     (size, resource.RLIM_INFINITY))


def full():
    """No file of the ledger can grow any more."""
    limit(1)
    for _ in range(200):
        code, _ = play("countersign issue --csr web.csr --approve "
                         "--duration 1h >/dev/null 2>&1")
        if code == 75:
            time.sleep(0.3)
            return
    raise TimeoutError("it was never full")


def space():
    limit(resource.RLIM_INFINITY)
    time.sleep(1.2)


def csr():
    run_openssl = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",
                   "-subj", "/", "-addext", "subjectAltName=DNS:web.corp."
                   "example", "-out", os.path.join(WORK, "web.csr")]
    subprocess.run(run_openssl, check=True, capture_output=True)


def corp_signs():
    """The root of an enterprise, and what it makes of our CSR."""
    root_pem, key, chain, ext = (os.path.join(WORK, n) for n in (
        "corp-root.pem", "corp-root.key", "corp-chain.pem", "corp.ext"))
    with open(ext, "w", encoding="ascii") as f:
        f.write("basicConstraints=critical,CA:TRUE,pathlen:0\n"
                "keyUsage=critical,keyCertSign,cRLSign\n"
                "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    for argv in (
            ["req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
             root_pem, "-days", "7000", "-subj",
             "/O=Example Corp/CN=Example Corp Root", "-addext",
             "keyUsage=critical,keyCertSign,cRLSign"],
            ["x509", "-req", "-in", os.path.join(WORK, "corp.csr"), "-CA",
             root_pem, "-CAkey", key, "-days", "1826", "-extfile", ext,
             "-out", chain]):
        subprocess.run(["openssl", *argv], check=True, capture_output=True)
    with open(chain, "a", encoding="ascii") as out, \
            open(root_pem, encoding="ascii") as source:
        out.write(source.read())


def days(n):
    with open(SHIFT, "w", encoding="ascii") as f:
        f.write(str(n * 86400000))


def three_years():
    """They go by while the house is off for a moment."""
    for step in (lambda: play("systemctl stop countersign"),
                 lambda: days(1100),
                 lambda: play("systemctl start countersign"),
                 lambda: time.sleep(2.2)):
        step()


PLAYS = {"three-years": three_years, "full": full, "space": space, "csr": csr,
         "corp-signs": corp_signs,
         "two-seconds": lambda: time.sleep(2.2),
         "clock-is-accepted": lambda: time.sleep(1.2),
         "half-a-year": lambda: days(180), "now": lambda: days(0)}

PART = re.compile(r"^<!-- play: (?P<play>\S+) -->$|"
                  r"^```sh\n(?P<sh>.*?)^```\n"
                  r"(?:\n```text\n(?P<text>.*?)^```\n)?", re.M | re.S)


def walk(page, write):
    """Play the page from its beginning; the page with what was printed."""
    out, at, wrong = [], 0, []
    for m in PART.finditer(page):
        line = page[:m.start()].count("\n") + 1
        out.append(page[at:m.start()])
        at = m.end()
        if m["play"]:
            PLAYS[m["play"]]()
            out.append(m[0])
            continue
        code, printed = play(m["sh"])
        if m["text"] is None:
            out.append(m[0])
            if code != 0:
                wrong.append(f"operations.md:{line}: exit {code}: {printed}")
            continue
        if masked(printed) == masked(m["text"]):
            out.append(m[0])
        else:
            out.append(f"```sh\n{m['sh']}```\n\n```text\n{printed}```\n")
            wrong.append(f"operations.md:{line}: prints\n{printed}")
    if not write:
        expect(not wrong, "\n".join(wrong))
    else:
        sys.stderr.write("\n".join(wrong))
    return "".join(out) + page[at:]


@tap.test
def each_command_of_the_page_prints_what_it_shows():
    with open(PAGE, encoding="utf-8") as f:
        page = f.read()
    shown = len([m for m in PART.finditer(page) if m["text"]])
    expect(shown >= 12, f"only {shown} commands with their output")
    walk(page, False)


def end():
    try:
        with open(os.path.join(root, "pid"), encoding="ascii") as f:
            os.killpg(int(f.read()), signal.SIGKILL)
    except (OSError, ValueError):
        pass
    shutil.rmtree(root, ignore_errors=True)


world()
try:
    if sys.argv[1:] == ["--write"]:
        with open(PAGE, encoding="utf-8") as source:
            written = walk(source.read(), True)
        with open(PAGE, "w", encoding="utf-8") as target:
            target.write(written)
        status = 0
    else:
        status = tap.run()
finally:
    end()
sys.exit(status)
