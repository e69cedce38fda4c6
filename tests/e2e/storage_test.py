#!/usr/bin/env python3
"""Disks that are full, limited, in memory, open to others, or taken.

A disk that is really full needs a file system of its own. Where none may be
mounted (not root, a container), those tests say NOT RUN, and a limit on file
sizes plays the full disk.
"""
import os
import resource
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import COUNTERSIGN, House, Tap, expect, run  # noqa: E402

tap = Tap()


def house_with(client="ci"):
    house = House()
    house.start()
    house.client_add(client, "submit", "approve")
    return house


def until(condition, message, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < end, message)
        time.sleep(0.05)


def check(house, what):
    found = invariants.violations(invariants.View(house))
    expect(not found, f"{what}: " + "; ".join(found[:5]))
    expect("verified" in house.cli("audit", "verify").stdout, "verify")


def fill(house, csr, prefix, most):
    """Submit until the first 503; how many were issued."""
    for i in range(most):
        a = house.submit("ci", csr, f"{prefix}-{i}")
        if a.status == 503:
            expect("LEDGER_FULL" in a.body.decode(), a.body)
            return i
        expect(a.status == 201, a.body)
    return most


def decided(house, csr, key):
    """There is space again: the key's answer, within seconds."""
    end = time.monotonic() + 10
    while (a := house.submit("ci", csr, key)).status == 503:
        expect(time.monotonic() < end, "it does not go on")
        time.sleep(0.1)
    expect(a.status == 201, a.body)
    return a


@tap.test
def a_limit_on_file_sizes_is_a_full_disk():
    with house_with() as house:
        csr = house.csr("www.full.example")
        ledger = house.rooms()["cs-ledger"]
        size = os.path.getsize(os.path.join(house.dir, "ledger.db-wal"))
        limit = size + 300_000
        resource.prlimit(ledger, resource.RLIMIT_FSIZE,
                         (limit, resource.RLIM_INFINITY))
        issued = fill(house, csr, "k", 400)
        expect(issued < 400, "it was never full")
        expect("ledger.full" in house.log_text(), "the log does not say so")
        expect("issued" in house.cli("audit", "list").stdout, "no reading")
        resource.prlimit(ledger, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        decided(house, csr, f"k-{issued}")
        check(house, "after the limit")
        expect(house.stop() == 0, "stop")


@tap.test
def a_full_disk_is_called_so_by_who_reads_the_files():
    house = House()

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    done = subprocess.run([COUNTERSIGN, "db", "check", "--dir", house.dir],
                          capture_output=True, text=True, env=house.env,
                          preexec_fn=limited, timeout=60)
    expect(done.returncode != 0 and "no space" in done.stderr,
           f"{done.returncode} {done.stderr}")
    house.close()


def mounted(house, size):
    """Put the installation on a tmpfs of this size; False: not allowed."""
    there = house.dir + ".disk"
    os.mkdir(there)
    done = run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0700",
               "countersign-test", there, check=False)
    if done.returncode != 0:
        print("# NOT RUN: no right to mount a tmpfs: "
              + done.stderr.strip(), flush=True)
        return False
    run("cp", "-a", house.dir + "/.", there + "/")
    house.dir = there
    return True


def unmount(house):
    if house.process and house.process.poll() is None:
        house.kill_all()
    run("umount", house.dir, check=False)


@tap.test
def a_full_disk_stops_issuing_and_nothing_else():
    house = House()
    if not mounted(house, "16m"):
        house.close()
        return
    try:
        house.start()
        status, _, body = house.http("GET", "/readyz")
        expect(status == 200 and b"little space" in body, body)
        expect("disk.low" in house.log_text() and
               "disk.memory" in house.log_text(), "no warning in the log")
        house.client_add("ci", "submit", "approve")
        csr = house.csr("www.full.example")
        ballast = os.path.join(house.dir, "ballast")
        wal = os.path.join(house.dir, "ledger.db-wal")
        # Just so much that the WAL can grow on, but not the database at the
        # next checkpoint, and then neither.
        for i in range(200):
            house.submit("ci", csr, f"warm-{i}")
            if os.path.getsize(wal) > 1_000_000:
                break
        fs = os.statvfs(house.dir)
        with open(ballast, "wb") as f:
            f.write(b"x" * (fs.f_bavail * fs.f_frsize - 900_000))
        issued = fill(house, csr, "k", 600)
        expect(issued < 600, "it was never full")
        acked = [a for a in house.answers if a.status == 201]
        expect("issued" in house.cli("audit", "list").stdout, "no reading")
        done = house.cli("backup", os.path.join(house.root, "b"), check=False)
        expect(done.returncode == 75, f"backup: {done.returncode}")
        os.unlink(ballast)
        decided(house, csr, f"k-{issued}")
        for a in acked[-20:]:
            expect(decided(house, csr, a.key[1]).body == a.body,
                   f"{a.key} has another answer")
        check(house, "after the full disk")
        expect(house.stop() == 0, "stop")
    finally:
        unmount(house)
        house.close()


@tap.test
def killed_on_a_full_disk_it_starts_again():
    house = House()
    if not mounted(house, "16m"):
        house.close()
        return
    try:
        house.start()
        house.client_add("ci", "submit", "approve")
        csr = house.csr("www.full.example")
        ballast = os.path.join(house.dir, "ballast")
        fs = os.statvfs(house.dir)
        with open(ballast, "wb") as f:
            f.write(b"x" * (fs.f_bavail * fs.f_frsize - 200_000))
        issued = fill(house, csr, "k", 400)
        expect(issued < 400, "it was never full")
        house.kill_all()
        os.unlink(ballast)
        house.start()
        expect(house.submit("ci", csr, f"k-{issued}").status == 201, "after")
        check(house, "after the kill")
        expect(house.stop() == 0, "stop")
    finally:
        unmount(house)
        house.close()


def refused(house, word):
    done = run(COUNTERSIGN, "serve", "--dir", house.dir, "--listen",
               "127.0.0.1:0", check=False, env=house.env)
    expect(done.returncode not in (0, 75) and word in done.stderr,
           f"exit {done.returncode}: {done.stderr}")


@tap.test
def what_others_can_reach_is_not_served():
    with House() as house:
        os.chmod(house.dir, 0o755)
        refused(house, "mode 0755")
        os.chmod(house.dir, 0o700)
        database = os.path.join(house.dir, "ledger.db")
        if os.geteuid() == 0:
            os.chown(house.dir, 12345, -1)
            refused(house, "belongs to uid 12345")
            os.chown(house.dir, 0, -1)
        else:
            print("# NOT RUN: another owner needs root", flush=True)
        os.chmod(database, 0o640)
        house.start(wait=False)
        expect(house.wait_end() != 0 and "mode 0640" in house.log_text(),
               house.log_text())
        os.chmod(database, 0o600)
        os.rename(database, database + ".real")
        os.symlink(database + ".real", database)
        house.start(wait=False)
        expect(house.wait_end() != 0 and
               "not a regular file" in house.log_text(), house.log_text())


@tap.test
def a_second_server_leaves_the_first_alone():
    with house_with() as house:
        csr = house.csr("www.two.example")
        done = subprocess.run([COUNTERSIGN, "serve", "--dir", house.dir,
                               "--listen", "127.0.0.1:0"],
                              capture_output=True, text=True, env=house.env,
                              timeout=30)
        expect(done.returncode != 0 and
               "another process runs this installation" in done.stderr,
               f"{done.returncode} {done.stderr}")
        expect(house.submit("ci", csr, "first").status == 201, "the first")
        expect("ISSUING" in house.cli("status").stdout, "its socket is gone")
        expect(house.stop() == 0, "stop")


@tap.test
def without_descriptors_it_waits_and_goes_on():
    with house_with() as house:
        house.client_add("auditor", "audit")
        csr = house.csr("www.fd.example")
        front = house.rooms()["cs-front"]
        have = len(os.listdir(f"/proc/{front}/fd"))
        soft, hard = resource.prlimit(front, resource.RLIMIT_NOFILE)
        resource.prlimit(front, resource.RLIMIT_NOFILE, (have + 5, hard))
        import socket
        crowd = []
        for _ in range(40):
            s = socket.socket()
            s.settimeout(5)
            s.connect(("127.0.0.1", house.port))
            crowd.append(s)
        time.sleep(0.3)
        for s in crowd:
            s.close()
        resource.prlimit(front, resource.RLIMIT_NOFILE, (soft, hard))

        def good():
            try:
                return house.submit("ci", csr, "after").status == 201
            except OSError:
                return False
        until(good, "it does not come back")
        text = house.http("GET", "/metrics",
                          token=house.tokens["auditor"])[2].decode()
        line = next(line for line in text.split("\n") if line.startswith(
            "countersign_http_no_descriptor_total"))
        expect(int(line.split()[1]) > 0, line)
        expect(house.stop() == 0, "stop")


sys.exit(tap.run())
