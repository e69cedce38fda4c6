#!/usr/bin/env python3
"""`make install` puts things where a distribution looks, and takes them back."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import COUNTERSIGN, House, Tap, expect  # noqa: E402

BUILD = os.path.dirname(os.path.abspath(COUNTERSIGN))
with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as makefile:
    PREFIX = re.search(r"(?m)^prefix = (\S+)$", makefile.read())[1]
tap = Tap()
root = tempfile.mkdtemp(prefix="countersign-install-")

# Below the prefix; docs are in share/doc/countersign.
PLACES = ["bin/countersign", "lib/systemd/system/countersign.service",
          "lib/sysusers.d/countersign.conf",
          "share/countersign/alerts.yml",
          "share/doc/countersign/audit.md",
          "share/doc/countersign/clients.md",
          "share/doc/countersign/operations.md",
          "share/doc/countersign/policy.md",
          "share/doc/countersign/examples/policies/ingress.yaml",
          "share/man/man1/countersign.1",
          "share/bash-completion/completions/countersign",
          "share/zsh/site-functions/_countersign"]


def make(*what):
    env = {k: v for k, v in os.environ.items()
           if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-s", "-C", BUILD, f"DESTDIR={root}",
                           *what], capture_output=True,
                          text=True, env=env, timeout=120)
    expect(done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:])


def below(place):
    """Where something below the prefix was installed."""
    return os.path.join(root, PREFIX.lstrip("/"), place)


def files():
    return sorted(os.path.join(where, name)
                  for where, _, names in os.walk(root) for name in names)


@tap.test
def everything_is_in_its_place():
    make("install")
    found = files()
    for place in PLACES:
        expect(below(place) in found, f"{place} is not there: {found}")
    expect(all(name.startswith(below("")) for name in found), f"{found}")
    for name in found:
        mode = os.stat(name).st_mode & 0o777
        expect(mode == (0o755 if "/bin/" in name else 0o644),
               f"{name} has mode {mode:o}")


@tap.test
def the_unit_names_what_is_installed():
    with open(below("lib/systemd/system/countersign.service"),
              encoding="utf-8") as f:
        unit = f.read()
    expect("@" not in re.sub(r"(?m)^#.*$|=~?@\w+.*$", "", unit),
           "something was not replaced")
    expect(f"ExecStart={PREFIX}/bin/countersign serve" in unit, unit)
    expect(f"file:{PREFIX}/share/doc/countersign/operations.md" in unit, unit)


@tap.test
def what_is_installed_runs():
    done = subprocess.run([below("bin/countersign"), "--version"], capture_output=True, text=True,
                          timeout=20)
    expect(done.stdout.startswith("countersign "), done.stdout + done.stderr)


@tap.test
def the_service_manager_is_told():
    with House() as house, socket.socket(socket.AF_UNIX,
                                         socket.SOCK_DGRAM) as manager:
        path = os.path.join(house.root, "notify")
        manager.bind(path)
        manager.settimeout(10)
        house.start(env={"NOTIFY_SOCKET": path})
        expect(manager.recv(100) == b"READY=1", "not told that it is ready")
        house.client_add("ci", "submit", "approve")
        expect(house.stop() == 0, "stop")
        expect(manager.recv(100) == b"STOPPING=1", "nor that it stops")


@tap.test
def uninstalling_leaves_nothing():
    make("uninstall")
    expect(files() == [], f"left: {files()}")


status = tap.run()
shutil.rmtree(root)
sys.exit(status)
