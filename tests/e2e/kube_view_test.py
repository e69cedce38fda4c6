#!/usr/bin/env python3
"""The adapter for cert-manager while its API server is unwell: outages that are
over, watches that say nothing but errors, pages of everything, calls that
hang. The view comes back, and the Lease is given up in time."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.adapter import Adapter, wait_for  # noqa: E402
from tests.lib.house import Tap, expect  # noqa: E402
from tests.lib.kube_place import Place  # noqa: E402

tap = Tap()
place = Place("--check-every", "1s")
house, kube = place.house, place.kube
CSR = place.csr


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


lessee = {}


def watch_its_end(adapter):
    adapter.process.wait()
    lessee["end"] = time.monotonic()


@tap.test
def k808_a_holder_whose_calls_hang_is_begun():
    """See below for its end: it takes ten seconds."""
    a = lessee["adapter"] = Adapter(kube, house, "--lease", "hung",
                                    name="lessee")
    n = kube.count("PUT", "leases/hung", 200)
    wait_for(lambda: kube.count("PUT", "leases/hung", 200) > n, "a renewal")
    lessee["since"] = time.monotonic()
    kube.fault("GET", "leases/hung", times=99, wait=30)
    threading.Thread(target=watch_its_end, args=(a,), daemon=True).start()


@tap.test
def a_watch_that_fails_at_its_version_for_ever_is_begun_with_a_list():
    kube.watch_end = "error500"
    path = kube.request("unwatchable", CSR)
    place.issued_once(path)
    expect("500 etcd: as the test wants" in place.adapter.log_text(),
           "it was not told")
    kube.watch_end = None


def high_water_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int([x for x in f if x.startswith("VmHWM:")][0].split()[1])


@tap.test
def c45_a_page_of_many_small_things_is_not_taken_into_memory():
    many = {f"a{i:x}": "" for i in range(28000)}
    item = {"metadata": {"name": "many", "namespace": "shop", "uid": "many",
                         "resourceVersion": "1", "annotations": many}}
    # 35 of 0.36 MB each: a tenant may make them, and many more.
    kube.fault("GET", "certificaterequests\\?limit=250", body={
        "kind": "List", "metadata": {"resourceVersion": "1"},
        "items": [item] * 35})
    kube.watch_end = "error410"
    kube.compact()
    kube.compact()
    wait_for(lambda: kube.count("GET", "certificaterequests\\?limit=125"),
             "a list in halves")
    kube.watch_end = None
    place.issued_once(kube.request("besides-many", CSR))
    peak = high_water_kib(place.adapter.process.pid)
    expect(peak < 128 * 1024, f"{peak} KiB")


@tap.test
def a_watch_that_is_no_watch_is_no_view():
    kube.watch_end = "html"
    wait_for(lambda: place.adapter.probe("/readyz")[0] == 503, "not in view")
    place.issued_once(kube.request("behind-a-proxy", CSR))
    kube.watch_end = None


@tap.test
def k808_a_holder_whose_calls_hang_ends_before_another_takes_over():
    wait_for(lambda: "end" in lessee, "its end", 20)
    expect(lessee["adapter"].stop() == 75, "another status")
    held = lessee["end"] - lessee["since"]
    expect(8 < held < 12.5, f"it ended after {held} s, others wait 15 s")


@tap.test
def the_record_holds_after_all_this():
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))


if __name__ == "__main__":
    sys.exit(place.end(tap.run()))
