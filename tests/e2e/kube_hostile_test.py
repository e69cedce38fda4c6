#!/usr/bin/env python3
"""The adapter for cert-manager against what tenants do to it: issuers that
change under their check, that many doubt, or that are not there; more requests
than there is room for."""
import base64
import http.server
import os
import socket
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.adapter import (Adapter, add_issuer, add_secret,  # noqa: E402
                               ready, wait_for, wait_reason)
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
        self.open = self.most = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            peer, _ = self.socket.accept()
            threading.Thread(target=self.hold, args=(peer,),
                             daemon=True).start()

    def hold(self, peer):
        with self.lock:
            self.open += 1
            self.most = max(self.most, self.open)
        with peer:
            while peer.recv(4096):
                pass
        with self.lock:
            self.open -= 1


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


class Unsure(http.server.BaseHTTPRequestHandler):
    """A Countersign that is ready, and decides nothing."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.checks += self.path == "/readyz"
        self.reply(200, b"{}")

    def do_POST(self):
        self.server.posts += 1
        if self.server.hangs:
            time.sleep(30)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.reply(503, b'{"code": "BUSY", "detail": "Too much."}')


def unsure(hangs=False):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unsure)
    server.daemon_threads = True
    server.checks = server.posts = 0
    server.hangs = hangs
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(kube.cert, kube.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = f"https://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def notes(name):
    return [e["note"] for e in kube.events() if e["regarding"]["name"] == name]


@tap.test
def a_csr_that_waits_says_why_in_one_event():
    path = kube.signing_request("patient", CSR,
                                "clusterissuers.countersign.dev/later")
    wait_for(lambda: notes("patient"), "an event")
    # Looked at again: by what another issuer does, nothing new is said.
    issuer = add_issuer(kube, house, "later", None, issuer="nosuch")
    wait_for(lambda: len(notes("patient")) == 2, "another reason")
    time.sleep(1.5)
    expect("is not there yet" in notes("patient")[0] and
           "no such issuer" in notes("patient")[1] and
           len(notes("patient")) == 2, str(notes("patient")))
    kube.change(issuer, lambda o: (o["spec"].pop("issuer"),
                                   o["metadata"].update(generation=2)))
    wait_for(lambda: kube.get(path)["status"].get("certificate"), "its end")


@tap.test
def an_issuer_that_many_doubt_is_checked_all_the_same():
    server = unsure()
    wait_reason(kube, add_issuer(
        kube, house, "unsure", url=server.url,
        caBundle=base64.b64encode(open(kube.ca.path, "rb").read()).decode()),
        "Checked")
    paths = [kube.request(f"doubt-{i}", CSR, issuer="unsure")
             for i in range(80)]
    wait_for(lambda: server.posts > 4, "submissions")
    before = server.checks
    time.sleep(3)
    asked = server.checks - before
    for path in paths:
        kube.delete(path)
    server.shutdown()
    server.server_close()
    expect(asked >= 2, f"{asked} checks")


@tap.test
def of_one_namespace_only_a_few_issuers_are_checked_at_once():
    mute = Mute()
    paths = [add_issuer(kube, house, f"slow-{i}", url=mute.url)
             for i in range(20)]
    wait_for(lambda: mute.most >= 8, "checks")
    time.sleep(1)
    expect(mute.most == 8, f"{mute.most} at once")
    for path in paths:
        kube.delete(path)


@tap.test
def tenants_whose_addresses_hang_leave_room_for_cluster_issuers():
    server = unsure(hangs=True)
    with open(kube.ca.path, "rb") as f:
        bundle = base64.b64encode(f.read()).decode()
    paths = []
    for i in range(8):
        kube.put(f"/api/v1/namespaces/evil-{i}", {})
        add_secret(kube, house, "shop", f"evil-{i}")
        wait_reason(kube, add_issuer(kube, house, "ca", f"evil-{i}",
                                     url=server.url, caBundle=bundle),
                    "Checked")
        paths += [kube.request(f"evil-{n}", CSR, f"evil-{i}")
                  for n in range(5)]
    wait_for(lambda: server.posts >= 24, "submissions")
    started = time.monotonic()
    for i in range(3):
        place.issued_once(kube.request(f"honest-{i}", CSR, issuer="all",
                                       kind="ClusterIssuer"))
    expect(time.monotonic() - started < 6, "they waited")
    expect(server.posts == 24, f"{server.posts} at once")
    for path in paths:
        kube.delete(path)


@tap.test
def c45_requests_beyond_what_is_kept_are_found_when_there_is_room():
    paths = [kube.request(f"crowd-{i}", CSR, issuer="crowd")
             for i in range(20)]
    small = Adapter(kube, house, name="small",
                    env={"CS_FAILPOINTS": "kube.before_queue=error"})
    wait_for(lambda: small.metric("countersign_kube_dropped_requests_total"),
             "some that are dropped")
    # The one with room for all goes, and leaves it to the small one.
    expect(place.adapter.stop() == 0, "it did not end well")
    add_issuer(kube, house, "crowd")
    for path in paths:
        place.issued_once(path)
    place.adapter = small


@tap.test
def the_record_holds_after_all_this():
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))


if __name__ == "__main__":
    sys.exit(place.end(tap.run()))
