#!/usr/bin/env python3
"""The adapter for cert-manager as a program: killed and started again, two of
them, Kubernetes' own CSRs, issuers, probes, and what its options refuse."""
import base64
import http.server
import json
import os
import signal
import ssl
import sys
import threading
import time

import jsonschema
import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib import invariants  # noqa: E402
from tests.lib.adapter import (Adapter, add_issuer, ready, wait_for,  # noqa: E402
                               wait_reason)
from tests.lib.fake_kube import condition, rfc3339  # noqa: E402
from tests.lib.house import COUNTERSIGN, Tap, expect, run  # noqa: E402
from tests.lib.kube_place import Place, untouched  # noqa: E402

tap = Tap()
place = Place("--kubernetes-csr", "--check-every", "1s", "--give-up-after",
              "5m")
house, kube = place.house, place.kube
CSR = place.csr
SIGNER = "clusterissuers.countersign.dev/all"


def signed(path):
    wait_for(lambda: kube.get(path)["status"].get("certificate"),
             f"a certificate in {path}")
    return kube.get(path)


def failed(path):
    wait_for(lambda: condition(kube.get(path), "Failed"), "Failed")
    expect("certificate" not in kube.get(path)["status"], "a certificate")
    return condition(kube.get(path), "Failed")["message"]


# -- Kubernetes' CSRs --------------------------------------------------------

@tap.test
def c24_an_approved_csr_of_a_cluster_issuer_is_signed_once():
    path = kube.signing_request("one", CSR, SIGNER)
    before = kube.get(path)
    after = signed(path)
    expect(condition(before, "Approved") == condition(after, "Approved"),
           "the approval was touched")
    expect(not condition(after, "Ready"), "a condition that is not there")
    expect(place.serials(after["metadata"]["uid"]) == [place.serial_of(path)],
           "not the one")
    row = house.database().execute(
        "SELECT scalars FROM request ORDER BY n DESC LIMIT 1").fetchone()
    expect(json.loads(row["scalars"])["requester"] == "jane", row["scalars"])


@tap.test
def c24_a_csr_may_have_any_name():
    for name in ("system:node:Web 1", "a" * 179 + "-.b", "v1.web-2"):
        signed(kube.signing_request(name, CSR, SIGNER))
        wait_for(lambda n=name: [e for e in kube.events() if
                                 e["regarding"]["name"] == n], "an event")


@tap.test
def c25_other_signers_are_ignored():
    for n, signer in enumerate((
            "issuers.countersign.dev/shop.ca", "clusterissuers.countersign.dev",
            "clusterissuers.countersign.dev/", "things.countersign.dev/all",
            "clusterissuers.countersign.dev/a/b",
            "kubernetes.io/kubelet-serving")):
        untouched(kube, kube.signing_request(f"other-{n}", CSR, signer), 0.1)


@tap.test
def c26_a_csr_that_has_an_end_or_no_approval_is_not_touched():
    for n, c in enumerate(("Denied", "Failed")):
        untouched(kube, kube.signing_request(f"over-{n}", CSR, SIGNER,
                                             conditions=[
                                                 {"type": c,
                                                  "status": "True"}]), 0.2)
    untouched(kube, kube.signing_request("wait", CSR, SIGNER,
                                         approved=False), 0.2)


@tap.test
def c27_how_long_a_csr_is_for():
    hours = {"annotated": (896, None, "896h"), "expiring": (2, 7200, None),
             "both": (896, 7200, "896h"), "neither": (2160, None, None)}
    for name, (want, seconds, text) in hours.items():
        path = kube.signing_request(
            name, CSR, SIGNER,
            spec={"expirationSeconds": seconds} if seconds else {},
            metadata={"annotations": {
                "experimental.cert-manager.io/request-duration": text}}
            if text else {})
        signed(path)
        start, end = [time.mktime(time.strptime(
            d.split("=")[1].strip(), "%Y-%m-%d %H:%M:%SZ"))
            for d in place.leaf(path, "-startdate", "-enddate", "-dateopt",
                          "iso_8601").strip().split("\n")]
        expect(abs((end - start) / 3600 - want) < 0.02,
               f"{name}: {(end - start) / 3600}")
    for name, text in (("bad", "soon"), ("brief", "599s")):
        expect("duration" in failed(kube.signing_request(
            name, CSR, SIGNER, metadata={"annotations": {
                "experimental.cert-manager.io/request-duration": text}})),
            "another reason")


@tap.test
def c28_a_ca_is_not_to_be_had_by_an_annotation():
    message = failed(kube.signing_request(
        "ca", CSR, SIGNER, metadata={"annotations": {
            "experimental.cert-manager.io/request-is-ca": "true"}}))
    expect("basic_constraints" in message, message)


@tap.test
def c29_usages_that_contradict_the_csr_are_refused():
    config = os.path.join(place.root, "eku.cnf")
    with open(config, "w", encoding="ascii") as f:
        f.write("[req]\ndistinguished_name=d\nreq_extensions=e\n[d]\n[e]\n"
                "subjectAltName=DNS:e.example\n"
                "extendedKeyUsage=clientAuth\n")
    csr = run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
              "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",
              "-subj", "/", "-config", config).stdout
    message = failed(kube.signing_request("contrary", csr, SIGNER))
    expect("usage" in message.lower(), message)


@tap.test
def c30_without_the_right_to_sign_there_is_a_loud_line_and_no_loop():
    kube.fault("PATCH", "certificatesigningrequests/forbidden", times=50,
               status=403)
    kube.signing_request("forbidden", CSR, SIGNER)
    wait_for(lambda: "kube.forbidden" in place.adapter.log_text(), "a line")
    time.sleep(1)
    expect(kube.count("PATCH", "certificatesigningrequests/forbidden") == 1,
           "again and again")
    expect(place.adapter.metric("countersign_kube_forbidden_total") == 1,
           "not counted")


# -- issuers -----------------------------------------------------------------

@tap.test
def c13_a_spec_that_cannot_work_has_failed_until_it_is_changed():
    path = add_issuer(kube, house, "bad", url="http://plain.example")
    wait_for(lambda: ready(kube, path).get("reason") == "Failed", "Failed")
    expect("https://" in ready(kube, path)["message"], str(ready(kube, path)))
    request = kube.request("on-bad", CSR, issuer="bad")
    wait_reason(kube, request, "Pending")
    kube.change(path, lambda o: (
        o["spec"].update(url=f"https://127.0.0.1:{house.port}"),
        o["metadata"].update(generation=2)))
    wait_reason(kube, request, "Issued")
    expect(ready(kube, path)["observedGeneration"] == 2, "an old generation")


@tap.test
def an_issuer_tells_what_it_lacks():
    cases = {
        "notoken": ({"auth": {}}, "secretRef"),
        "nosecret": ({"auth": {"secretRef": {"name": "none"}}}, "404"),
        "nokey": ({"auth": {"secretRef": {"name": "countersign",
                                          "key": "other"}}}, "other"),
        "path": ({"auth": {"secretRef": {
            "name": "../../countersign/secrets/own"}}}, "name"),
        "noca": ({"caBundle": ""}, "caBundle"),
        "wrongca": ({"caBundle": base64.b64encode(
            open(kube.ca.path, "rb").read()).decode()}, "certificate"),
    }
    for name, (spec, part) in cases.items():
        path = add_issuer(kube, house, name, **spec)
        wait_for(lambda: part in ready(kube, path).get("message", ""),
                 f"{name}: {part}")
        expect(ready(kube, path)["status"] == "False", name)
    expect(not kube.count("GET", "/namespaces/countersign/secrets/own"),
           "a secret of another namespace was asked for")


@tap.test
def a_ca_from_a_config_map_is_read_anew():
    kube.put("/api/v1/namespaces/shop/configmaps/trust",
             {"data": {"ca.crt": "nothing\n"}})
    path = add_issuer(kube, house, "mapped", caBundle="", caBundleRef={
        "kind": "ConfigMap", "name": "trust"})
    wait_reason(kube, path, "Pending")
    with open(os.path.join(house.dir, "root.pem"), encoding="ascii") as f:
        kube.put("/api/v1/namespaces/shop/configmaps/trust",
                 {"data": {"ca.crt": f.read()}})
    wait_reason(kube, path, "Checked")


class Hanging(http.server.BaseHTTPRequestHandler):
    """A Countersign that is ready, and never answers a submission."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self):
        time.sleep(60)


class Busy(Hanging):
    """A Countersign that is ready, and decides nothing."""

    def do_POST(self):
        body = b'{"code": "BUSY", "detail": "Too much is under way."}'
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def another(handler, namespace, *names):
    """Issuers of a namespace whose Countersign is this; its server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(kube.cert, kube.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kube.put(f"/api/v1/namespaces/{namespace}", {})
    kube.put(f"/api/v1/namespaces/{namespace}/secrets/countersign",
             {"data": {"token": "eA=="}})
    with open(kube.ca.path, "rb") as f:
        bundle = base64.b64encode(f.read()).decode()
    for name in names:
        wait_reason(kube, add_issuer(
            kube, house, name, namespace, caBundle=bundle,
            url=f"https://127.0.0.1:{server.server_port}"), "Checked")
    return server


@tap.test
def c09_given_up_it_counts_from_the_approval():
    server = another(Busy, "busy", "busy")
    long_ago = rfc3339(time.time() - 3600)
    paths = []
    for name, approved in (("given-up", long_ago),
                           ("not-yet", rfc3339(time.time()))):
        path = kube.request(name, CSR, "busy", issuer="busy", approved=False,
                            metadata={"creationTimestamp": long_ago})
        kube.change(path, lambda o, at=approved: o.update(status={
            "conditions": [{"type": "Approved", "status": "True",
                            "lastTransitionTime": at}]}))
        paths.append(path)
    obj = wait_reason(kube, paths[0], "Failed")
    expect(obj["status"]["failureTime"] and "Too much is under way" in
           ready(kube, paths[0])["message"], str(obj["status"]))
    expect("Given up" in ready(kube, paths[0])["message"] and "will try again"
           not in ready(kube, paths[0])["message"], str(obj["status"]))
    wait_reason(kube, paths[1], "Pending")
    time.sleep(1.5)
    expect(ready(kube, paths[1])["reason"] == "Pending", "given up too soon")
    kube.delete(paths[1])
    server.shutdown()
    server.server_close()


@tap.test
def who_names_an_address_that_hangs_keeps_nobody_else_waiting():
    server = another(Hanging, "mallory", *[f"trap-{i}" for i in range(3)])
    for i in range(60):
        kube.request(f"trap-{i}", CSR, "mallory", issuer=f"trap-{i % 3}")
    time.sleep(0.5)
    started = time.monotonic()
    for i in range(5):
        wait_reason(kube, kube.request(f"honest-{i}", CSR), "Issued")
    expect(time.monotonic() - started < 5, "they waited")
    # Others may be at work for a moment; those that hang stay.
    wait_for(lambda: place.adapter.metric("countersign_kube_busy_requests")
             == 4, "its share, and no more", 5)
    for i in range(60):
        kube.delete("/apis/cert-manager.io/v1/namespaces/mallory/"
                    f"certificaterequests/trap-{i}")
    server.shutdown()
    server.server_close()


# -- the process -------------------------------------------------------------

@tap.test
def c34_killed_at_each_step_the_same_certificate_is_delivered():
    expect(place.adapter.stop() == 0, "it did not end well")
    for point in ("kube.before_submit", "kube.after_answer",
                  "kube.before_write", "kube.after_write"):
        name = point.replace(".", "-").replace("_", "-")
        path = kube.request(name, CSR)
        once = os.path.join(place.root, "once-" + name)
        a = Adapter(kube, house, name=name, ready=False, env={
            "CS_FAILPOINTS": f"{point}=kill", "CS_FAILPOINT_ONCE": once})
        expect(a.process.wait(15) == -signal.SIGKILL, point)
        a.stop()
        a = Adapter(kube, house, name=name + "-2")
        obj = wait_reason(kube, path, "Issued")
        expect(place.serials(obj["metadata"]["uid"]) == [place.serial_of(path)],
               f"{point}: {place.serials(obj['metadata']['uid'])}")
        expect(a.stop() == 0, "it did not end well")


@tap.test
def c35_of_two_replicas_one_works_and_the_other_takes_over():
    first = Adapter(kube, house, "--lease", "kube", name="first")
    second = Adapter(kube, house, "--lease", "kube", name="second",
                     ready=False)
    wait_reason(kube, kube.request("by-first", CSR), "Issued")
    time.sleep(0.5)
    expect(first.metric("countersign_kube_leading") == 1 and
           second.metric("countersign_kube_leading") == 0, "two work")
    expect(second.probe("/readyz")[0] == 200, "a replica that waits is not"
           " ready")
    # The first ends, and lets the second take over at once.
    started = time.monotonic()
    expect(first.stop() == 0, "it did not end well")
    path = kube.request("by-second", CSR)
    wait_reason(kube, path, "Issued")
    expect(time.monotonic() - started < 10, "it waited for the lease's end")
    lease = kube.get("/apis/coordination.k8s.io/v1/namespaces/countersign/"
                     "leases/kube")
    expect(lease["spec"]["holderIdentity"] == "second" and
           lease["spec"]["leaseTransitions"] >= 1, str(lease["spec"]))
    # Somebody takes it: the second ends, to be started again.
    kube.change("/apis/coordination.k8s.io/v1/namespaces/countersign/leases/"
                "kube", lambda o: o["spec"].update(holderIdentity="third"))
    expect(second.process.wait(15) == 75, "another status")
    second.stop()
    place.adapter = Adapter(kube, house, name="last")


@tap.test
def k813_two_without_a_lease_deliver_one_certificate():
    other = Adapter(kube, house, name="other")
    paths = [kube.request(f"both-{i}", CSR) for i in range(20)]
    for path in paths:
        obj = wait_reason(kube, path, "Issued")
        expect(place.serials(obj["metadata"]["uid"]) == [place.serial_of(path)],
               "two were signed")
    expect(other.stop() == 0, "it did not end well")


@tap.test
def probes_and_metrics_are_told():
    a = place.adapter
    expect(a.probe("/healthz") == (200, "ok\n"), str(a.probe("/healthz")))
    expect(a.probe("/readyz")[0] == 200, str(a.probe("/readyz")))
    expect(a.probe("/else")[0] == 404, "something else is there")
    text = a.probe("/metrics")[1]
    for name in ('countersign_kube_answers_total{outcome="issued"} ',
                 'countersign_kube_issuer_ready{name="ca",namespace="shop"} 1',
                 "countersign_kube_open_requests "):
        expect(name in text, name)


@tap.test
def what_a_kubeconfig_may_not_say_is_refused_by_its_name():
    for user, part in (({"exec": {"command": "aws"}}, "exec"),
                       ({"auth-provider": {"name": "gcp"}}, "auth-provider"),
                       ({"username": "a", "password": "b"}, "username")):
        path = kube.kubeconfig(**user)
        done = run(COUNTERSIGN, "kube", "--kubeconfig", path, check=False)
        expect(done.returncode != 0 and part in done.stderr and
               "is not supported" in done.stderr, done.stderr)
    for argv, part in ((("--watch-for", "0s"), "--watch-for"),
                       (("--log-level", "loud"), "--log-level"),
                       (("--server", "https://x"), "--ca"),
                       ((), "which cluster?")):
        done = run(COUNTERSIGN, "kube", *argv, check=False,
                   env={k: v for k, v in os.environ.items()
                        if k != "KUBECONFIG"})
        expect(done.returncode == 2 and part in done.stderr or
               part == "which cluster?" and part in done.stderr,
               f"{argv}: {done.stderr}")


@tap.test
def no_token_stands_in_a_log_or_in_an_argument():
    tokens = [*house.tokens.values(), "secret-token"]
    pid = place.adapter.process.pid
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        said = f.read().decode()
    for name in os.listdir(place.root):
        if name.endswith(".log"):
            with open(os.path.join(place.root, name), encoding="utf-8") as f:
                said += f.read()
    expect(len(said) > 1000 and not any(t in said for t in tokens),
           "a token")


# -- what is deployed --------------------------------------------------------

DEPLOY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                      "deploy", "kubernetes")


def documents(*names):
    found = []
    for name in names:
        with open(os.path.join(DEPLOY, name), encoding="utf-8") as f:
            found += list(yaml.safe_load_all(f))
    return found


def asked(method, path):
    """(group, resource, subresource, verb) of a call."""
    path, _, query = path.partition("?")
    parts = path.strip("/").split("/")
    group = "" if parts[0] == "api" else parts[1]
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    verb = {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(
        method, "get" if len(rest) > 1 else
        "watch" if "watch=1" in query else "list")
    return group, "/".join([rest[0], *rest[2:]]), verb


@tap.test
def every_call_that_was_made_is_allowed_by_what_is_deployed_and_no_more():
    allowed = {}
    for d in documents("rbac.yaml", "rbac-csr.yaml"):
        for rule in d.get("rules", []):
            for r in rule["resources"]:
                for g in rule["apiGroups"]:
                    allowed.setdefault((g, r), set()).update(rule["verbs"])
    made = {asked(m, p) for m, p, s in kube.calls}
    for group, resource, verb in made:
        expect(verb in allowed.get((group, resource), ()),
               f"{verb} {group}/{resource} is not allowed")
    needless = {(g, r, v) for (g, r), verbs in allowed.items() for v in verbs
                if r != "signers"} - made
    expect(not needless, f"allowed for nothing: {needless}")


@tap.test
def issuers_as_they_are_here_and_their_status_fit_what_is_deployed():
    schemas = {}
    for d in documents("crds.yaml"):
        v = d["spec"]["versions"][0]
        schemas[d["spec"]["names"]["plural"]] = v["schema"]["openAPIV3Schema"]
    n = 0
    for path, o in kube.objects.items():
        plural = path.split("/")[-2]
        if plural not in schemas or o["spec"]["url"].startswith("http:"):
            continue
        jsonschema.validate(json.loads(json.dumps(o)), dict(
            schemas[plural], additionalProperties=False))
        n += 1
    expect(n >= 6, f"{n} issuers")
    example = [d for d in documents("example.yaml") if d["kind"] == "Issuer"]
    jsonschema.validate(example[0], schemas["issuers"])


@tap.test
def the_deployment_starts_what_there_is():
    c = documents("deployment.yaml")[0]["spec"]["template"]["spec"]
    argv = c["containers"][0]["command"]
    text = run(COUNTERSIGN, "kube", "--help").stdout
    for word in argv[2:]:
        expect(not word.startswith("--") or word in text, word)


@tap.test
def the_record_holds_after_all_this():
    found = invariants.violations(invariants.View(house))
    expect(not found, "; ".join(found[:5]))


if __name__ == "__main__":
    sys.exit(place.end(tap.run()))
