#!/usr/bin/env python3
"""The listener's own certificate is renewed by the gate, while it serves."""
import os
import signal
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect, run  # noqa: E402

DAY = 24 * 3600 * 1000
tap = Tap()
house = House()
SHIFT = os.path.join(house.root, "shift")
house.env["CS_CLOCK_SHIFT_FILE"] = SHIFT


def shift(days):
    with open(SHIFT + ".new", "w", encoding="ascii") as f:
        f.write(str(days * DAY))
    os.rename(SHIFT + ".new", SHIFT)


def path(*names):
    return os.path.join(house.dir, *names)


def served():
    """The serial of what the listener shows."""
    pem = ssl.get_server_certificate(("127.0.0.1", house.port))
    return run("openssl", "x509", "-noout", "-serial", stdin=pem).stdout


def on_disk(directory="tls"):
    path = os.path.join(house.dir, directory, "chain.pem")
    return run("openssl", "x509", "-noout", "-serial", "-in", path).stdout


def wait_for(condition, message):
    end = time.monotonic() + 10
    while not condition():
        expect(time.monotonic() < end, message)
        time.sleep(0.05)


shift(0)
house.start()
FIRST = served()


@tap.test
def before_two_thirds_of_its_life_nothing_happens():
    house.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "house.reload" in house.log_text(), "no reload")
    time.sleep(0.3)
    expect(served() == FIRST == on_disk(), "renewed too early")


@tap.test
def behind_two_thirds_it_is_renewed_without_a_restart():
    key = os.path.join(house.dir, "tls", "key.pem")
    with open(key, "rb") as f:
        old = f.read()
    shift(61)
    wait_for(lambda: house.http("GET", "/readyz")[0] == 503,
             "the jump was not noticed")
    house.cli("clock", "accept")
    house.process.send_signal(signal.SIGHUP)
    wait_for(lambda: served() != FIRST, "not renewed")
    expect(served() == on_disk(), "the file is another one")
    with open(key, "rb") as f:
        expect(f.read() != old, "the key is the old one")
    expect(os.stat(key).st_mode & 0o777 == 0o600, "its mode")
    expect(not os.path.exists(os.path.join(house.dir, "tls.new")),
           "tls.new stays")


@tap.test
def the_renewal_stands_in_the_log_as_any_other():
    out = house.cli("audit", "list", "--source", "listener").stdout
    expect(out.count("issued") == 2, out)
    expect(house.stop() == 0, "stop")
    house.start()
    expect(served() == on_disk() != FIRST, "not what was written")
    house.cli("audit", "verify")
    expect(house.stop() == 0, "stop")


@tap.test
def where_its_folder_is_a_link_nothing_behind_that_is_touched():
    """Twice: the link is replaced, and leaves nothing in the way."""
    house.check_time = False
    theirs, tls = os.path.join(house.root, "theirs"), path("tls")
    os.rename(tls, theirs)
    os.symlink(theirs, tls)
    with open(os.path.join(theirs, "other"), "w", encoding="ascii") as f:
        f.write("of somebody else")
    house.start()
    for days in (122, 183):
        before = served()
        shift(days)
        wait_for(lambda: house.http("GET", "/readyz")[0] == 503,
                 "the jump was not noticed")
        house.cli("clock", "accept")
        house.process.send_signal(signal.SIGHUP)
        wait_for(lambda seen=before: served() != seen, "not renewed")
        expect(os.path.exists(os.path.join(theirs, "other")),
               "a file behind the link is gone")
        wait_for(lambda: not os.path.lexists(path("tls.new")),
                 "tls.new stays")


@tap.test
def one_by_a_clock_that_was_ahead_is_renewed_once_the_clock_is_right():
    house.stop()
    before = on_disk()
    shift(600)
    house.start(wait=False)
    wait_for(lambda: on_disk() != before, "not renewed by the wrong clock")
    ahead = on_disk()
    house.stop()
    shift(184)
    house.start(wait=False)
    wait_for(lambda: house.cli("clock", "accept", check=False).returncode == 0,
             "the clock cannot be accepted")
    house.process.send_signal(signal.SIGHUP)
    wait_for(lambda: on_disk() != ahead, "nobody can use it for a year")
    wait_for(lambda: served() == on_disk(), "it is not served")
    expect(house.stop() == 0, "stop")


status = tap.run()
house.close()
sys.exit(status)
