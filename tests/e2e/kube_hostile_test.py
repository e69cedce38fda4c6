#!/usr/bin/env python3
"""The adapter for cert-manager against what tenants, proxies and an API server
that is unwell do to it: issuers that change under their check, watches that
say nothing but errors, answers that are no verdict, certificates that nobody
is left to take."""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.adapter import add_issuer, ready, wait_for  # noqa: E402
from tests.lib.house import Tap, expect  # noqa: E402
from tests.lib.kube_place import Place  # noqa: E402

tap = Tap()
place = Place("--check-every", "1s", "--kubernetes-csr")
house, kube = place.house, place.kube
CSR = place.csr


class Mute:
    """An address that takes connections, and says nothing."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"


@tap.test
def an_issuer_that_changes_and_goes_under_its_check_harms_nobody():
    mute = Mute()
    for i in range(12):
        path = add_issuer(kube, house, f"mute-{i}", url=mute.url)
        # Its check is under way, and hangs.
        wait_for(lambda n=i: kube.count("GET", "secrets/countersign") > n,
                 f"check {i}")
        kube.change(path, lambda o: o["metadata"].update(generation=2))
        if i % 2:
            kube.delete(path)
    for i in range(6):
        place.issued_once(kube.request(f"unharmed-{i}", CSR))
    path = add_issuer(kube, house, "mute-0")
    kube.change(path, lambda o: o["metadata"].update(generation=3))
    wait_for(lambda: ready(kube, path).get("reason") == "Checked", "a check")


def lists():
    return kube.count("GET", "certificaterequests\\?limit", 200)


@tap.test
def after_an_outage_that_is_over_an_expired_version_is_listed_soon():
    kube.stop()
    time.sleep(2.5)     # two tries that are refused
    kube.start()
    place.issued_once(kube.request("back-again", CSR))
    before = lists()
    kube.watch_end = "error410"
    kube.compact()
    kube.compact()
    wait_for(lambda: lists() > before, "a list", 3)
    kube.watch_end = None


@tap.test
def a_watch_that_fails_at_its_version_for_ever_is_begun_with_a_list():
    kube.watch_end = "error500"
    path = kube.request("unwatchable", CSR)
    place.issued_once(path)
    expect("500 etcd: as the test wants" in place.adapter.log_text(),
           "it was not told")
    kube.watch_end = None


@tap.test
def a_watch_that_is_no_watch_is_no_view():
    kube.watch_end = "html"
    wait_for(lambda: place.adapter.probe("/readyz")[0] == 503, "not in view")
    place.issued_once(kube.request("behind-a-proxy", CSR))
    kube.watch_end = None
    wait_for(lambda: place.adapter.probe("/readyz")[0] == 200, "in view", 30)


@tap.test
def the_record_holds_after_all_this():
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))


if __name__ == "__main__":
    sys.exit(place.end(tap.run()))
