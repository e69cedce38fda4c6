#!/usr/bin/env python3
"""A wall clock that goes back or jumps stops issuing, not reading."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.house import House, Tap, expect  # noqa: E402

HOUR = 3600 * 1000
tap = Tap()
house = House()
SHIFT = os.path.join(house.root, "shift")
house.env["CS_CLOCK_SHIFT_FILE"] = SHIFT


def shift(ms):
    with open(SHIFT + ".new", "w", encoding="ascii") as f:
        f.write(str(ms))
    os.rename(SHIFT + ".new", SHIFT)


shift(0)
house.start()
house.client_add("ci", "submit", "approve")
CSR = house.csr("www.clock.example")


def ready():
    return house.http("GET", "/readyz")[0]


def wait_for(status):
    end = time.monotonic() + 5
    while ready() != status and time.monotonic() < end:
        time.sleep(0.05)
    expect(ready() == status, f"/readyz is {ready()}, {status} expected")


@tap.test
def a_small_step_back_is_tolerated():
    expect(house.submit("ci", CSR, "a").status == 201, "before")
    shift(-2000)
    expect(house.submit("ci", CSR, "b").status == 201, "2 s back")
    shift(0)


@tap.test
def an_hour_back_stops_issuing_and_not_reading():
    shift(-HOUR)
    wait_for(503)
    a = house.submit("ci", CSR, "c")
    expect(a.status == 503 and "clock" in a.json["detail"], a.body)
    expect("issued" in house.cli("audit", "list").stdout, "reading stopped")
    expect(house.cli("status", check=False).stdout.find("CLOCK") >= 0,
           "status does not say so")


@tap.test
def clock_accept_goes_on_and_is_recorded():
    house.cli("clock", "accept")
    wait_for(200)
    expect(house.submit("ci", CSR, "c").status == 201, "after clock accept")
    expect("clock" in house.cli("audit", "list").stdout, "not in the log")


@tap.test
def a_jump_ahead_stops_issuing_too():
    shift(365 * 24 * HOUR)
    wait_for(503)
    expect(house.submit("ci", CSR, "d").status == 503, "a year ahead")
    shift(3 * HOUR)
    wait_for(503)
    house.cli("clock", "accept")
    wait_for(200)


@tap.test
def a_start_with_the_clock_before_the_last_record_does_not_issue():
    expect(house.submit("ci", CSR, "e").status == 201, "before the stop")
    expect(house.stop() == 0, "stop")
    shift(1 * HOUR)
    house.start()
    expect(ready() == 503, "it issues with a clock two hours behind its log")
    house.cli("clock", "accept")
    wait_for(200)
    f = house.submit("ci", CSR, "f")
    expect(f.status == 201, f"after clock accept: {f.body}")
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))


status = tap.run()
house.close()
sys.exit(status)
