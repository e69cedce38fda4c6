#!/usr/bin/env python3
"""The adapter for cert-manager while its view of the cluster fails: lists and
watches that expire, end, break or say nothing; a server that is away; tokens
that change. No request is lost, none is signed twice."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.adapter import Adapter, ready, wait_for  # noqa: E402
from tests.lib.house import Tap, expect  # noqa: E402
from tests.lib.kube_place import Place  # noqa: E402
from tests.lib.raw import rss_kib  # noqa: E402

tap = Tap()
place = Place(start=False)
house, kube = place.house, place.kube
CSR = place.csr


@tap.test
def c45_five_thousand_requests_at_the_start_are_listed_in_pages():
    large = {"note": "x" * 2000}
    for i in range(5000):
        kube.request(f"old-{i:04}", CSR, metadata={"annotations": large},
                     conditions=[{"type": "Ready", "status": "True",
                                  "reason": "Issued"}])
    new = [kube.request(f"new-{i:02}", CSR) for i in range(20)]
    version = kube.version
    place.adapter = Adapter(kube, house, "--watch-for", "2s",
                            "--check-every", "1s")
    for path in new:
        place.issued_once(path)
    expect(kube.count("GET", "certificaterequests\\?limit=") >= 20, "no pages")
    expect(rss_kib(place.adapter.process.pid) < 96 * 1024,
           f"{rss_kib(place.adapter.process.pid)} KiB")
    late = [p for p, o in kube.objects.items() if "/old-" in p and
            int(o["metadata"]["resourceVersion"]) > version]
    expect(not late, f"{len(late)} were written")
    with kube.lock:
        for p in [p for p in kube.objects if "/old-" in p]:
            del kube.objects[p]
        kube.log.clear()
    kube.compact()


@tap.test
def c45_a_page_that_is_too_large_is_asked_for_in_halves():
    kube.fault("GET", "certificaterequests\\?limit=250", times=1,
               body={"kind": "List", "metadata": {"resourceVersion": "1"},
                     "items": ["x" * (17 << 20)]})
    kube.watch_end = "error410"
    # Twice: a watch that had just heard of the first is behind as well.
    kube.compact()
    kube.compact()
    wait_for(lambda: kube.count("GET", "certificaterequests\\?limit=125"),
             "a list in halves")
    kube.watch_end = None
    place.issued_once(kube.request("halves", CSR))


@tap.test
def k805_an_event_of_many_megabytes_is_passed_over():
    huge = kube.request("huge", CSR, approved=False,
                        metadata={"annotations": {"a": "x" * (17 << 20)}})
    place.issued_once(kube.request("behind-it", CSR))
    with kube.lock:
        del kube.objects[huge]
        kube.log.clear()
    kube.compact()


@tap.test
def a_server_that_knows_no_selector_is_asked_without_one():
    kube.selectors = False
    kube.request("foreign", CSR, group="other.dev")
    other = Adapter(kube, house, name="plain")
    expect(": 400" not in other.log_text(), "told as a failure")
    expect(other.stop() == 0, "it did not end")
    kube.selectors = True


@tap.test
def c37_an_expired_version_as_a_status_is_listed_again_and_nothing_is_lost():
    before = len(place.serials())
    kube.watch_end = 0.1        # every watch ends
    time.sleep(0.3)
    kube.compact()
    paths = [kube.request(f"expired-{i}", CSR) for i in range(3)]
    kube.compact()
    time.sleep(0.3)
    kube.watch_end = None
    for path in paths:
        place.issued_once(path)
    expect(len(place.serials()) == before + 3, "signed twice")


@tap.test
def c37_an_expired_version_as_an_event_is_listed_again():
    kube.watch_end = "error410"
    kube.compact()
    path = kube.request("event-410", CSR)
    place.issued_once(path)
    kube.watch_end = None


@tap.test
def k805_an_event_cut_in_its_middle_is_not_lost():
    kube.watch_end = "cut"
    path = kube.request("cut", CSR)
    time.sleep(0.5)
    kube.watch_end = None
    place.issued_once(path)


@tap.test
def c37_a_silent_watch_ends_and_what_came_meanwhile_is_seen():
    kube.watch_end = "silent"
    time.sleep(0.3)
    path = kube.request("silence", CSR)
    time.sleep(1)
    expect(not ready(kube, path), "it was not silent")
    wait_for(lambda: kube.watches and True, "a watch")
    time.sleep(2.5)
    kube.watch_end = None
    place.issued_once(path)


@tap.test
def k803_the_api_server_away_and_back_loses_nothing():
    before = ready(kube, "/apis/countersign.dev/v1alpha1/namespaces/shop/"
                   "issuers/ca")
    kube.stop()
    time.sleep(0.5)
    path = kube.request("server-away", CSR)
    time.sleep(1)
    kube.start()
    place.issued_once(path)
    # An API server that is away says nothing about an issuer.
    expect(ready(kube, "/apis/countersign.dev/v1alpha1/namespaces/shop/"
                 "issuers/ca") == before, "the issuer was written")
    expect("of spec.auth.secretRef" not in place.adapter.log_text(),
           "the issuer was in doubt")


@tap.test
def k802_a_list_that_is_answered_429_waits_as_it_is_told():
    kube.fault("GET", "certificaterequests\\?limit", status=429,
               headers={"Retry-After": "1"})
    kube.compact()
    kube.watch_end = "error410"
    path = kube.request("slow-list", CSR)
    time.sleep(0.2)
    kube.watch_end = None
    place.issued_once(path)


@tap.test
def c38_a_token_that_was_changed_is_read_again():
    kube.tokens.add("next-token")
    kube.write_token("next-token")
    kube.tokens.discard("secret-token")
    place.issued_once(kube.request("rotated", CSR))


@tap.test
def k811_another_ca_of_the_api_server_is_not_trusted():
    other = Adapter(kube, house, "--watch-for", "2s", name="wrong-ca",
                    kubeconfig=wrong_ca(), ready=False)
    time.sleep(1)
    expect(other.probe("/readyz")[0] == 503, "ready")
    expect("certificate" in other.log_text(), other.log_text()[-500:])
    expect(other.stop() == 0, "it did not end")


def wrong_ca():
    path = os.path.join(place.root, "wrong")
    with open(kube.kubeconfig(), encoding="ascii") as f:
        text = f.read()
    with open(path, "w", encoding="ascii") as f:
        f.write(text.replace(kube.ca.path,
                             os.path.join(house.dir, "root.pem")))
    return path


@tap.test
def nothing_is_told_as_undelivered_that_was_delivered():
    expect(place.adapter.metric("countersign_kube_undelivered_total") == 0,
           "a false alarm")


@tap.test
def the_record_holds_after_all_this():
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))


if __name__ == "__main__":
    sys.exit(place.end(tap.run()))
