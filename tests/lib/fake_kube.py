"""A small API server of Kubernetes, with faults on command.

It keeps objects by their paths, gives versions, and does what the adapter
asks of a real one: lists in pages, watches with bookmarks and expiry, reads,
server-side apply of a status with its preconditions, Leases and events.
cert-manager's webhook is here as the few rules that a status has to keep. What
it does not do: authorization, defaults, schemas.
"""
import base64
import copy
import http.server
import json
import os
import re
import ssl
import threading
import time
import urllib.parse

from tests.lib.certs import CA

CR = "/apis/cert-manager.io/v1/certificaterequests"
CSR = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
GROUP = "/apis/countersign.dev/v1alpha1"
ISSUERS = GROUP + "/issuers"
CLUSTER_ISSUERS = GROUP + "/clusterissuers"
KINDS = {"certificaterequests": "CertificateRequest",
         "certificatesigningrequests": "CertificateSigningRequest",
         "issuers": "Issuer", "clusterissuers": "ClusterIssuer",
         "secrets": "Secret", "configmaps": "ConfigMap",
         "namespaces": "Namespace", "leases": "Lease", "events": "Event"}
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
                       r"(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.b64encode(data).decode()


def condition(obj, kind):
    for c in obj.get("status", {}).get("conditions", []):
        if c["type"] == kind:
            return c
    return None


class Fault:
    """The next `times` calls that match are answered otherwise."""

    def __init__(self, method, path, times=1, status=None, headers=(),
                 reset=False, wait=0, before=None, after=None, body=None):
        self.method = method
        self.path = re.compile(path)
        self.times = times
        self.status = status
        self.headers = dict(headers)
        self.reset = reset
        self.wait = wait
        self.before = before    # called, then answered as usual
        self.after = after      # answered first, then called
        self.body = body


class FakeKube:
    """Listens on 127.0.0.1; `kubeconfig` is how to come in."""

    def __init__(self, root):
        self.root = root
        self.ca = CA(root, "kube")
        self.cert, self.key = self.ca.leaf(
            "kube", san="IP:127.0.0.1,DNS:kube.test", eku="serverAuth")
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.objects = {}       # path -> object
        self.log = []           # (version, resource, type, object)
        self.version = 100
        self.oldest = 0         # versions below have expired
        self.uid = 0
        self.calls = []         # (method, path, status)
        self.faults = []
        self.tokens = {"secret-token"}
        self.selectors = True   # is spec.issuerRef.group known?
        self.bookmarks = 0.3    # seconds between them; None: none
        # "error410", "error500", "html", "cut", "silent", or seconds
        self.watch_end = None
        self.watches = 0
        self.page_tokens = {}
        self.port = None
        self.server = None
        self.streams = set()
        self.start()
        self.token_file = os.path.join(root, "kube-token")
        self.write_token("secret-token")

    # -- running -------------------------------------------------------------

    def start(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        fake = self

        class Handler(_Handler):
            kube = fake

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, client_address):
                pass

            def finish_request(self, request, client_address):
                request.settimeout(10)
                tls = context.wrap_socket(request, server_side=True)
                tls.settimeout(30)
                with fake.lock:
                    fake.streams.add(tls)
                try:
                    self.RequestHandlerClass(tls, client_address, self)
                finally:
                    with fake.lock:
                        fake.streams.discard(tls)
                    try:
                        tls.close()
                    except OSError:
                        pass

        self.server = Server(("127.0.0.1", self.port or 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever,
                         kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        """As a crash: every connection is cut."""
        self.server.shutdown()
        self.server.server_close()
        with self.lock:
            streams, self.streams = list(self.streams), set()
            server, self.server = self.server, None
            self.changed.notify_all()
        del server
        for s in streams:
            try:
                s.shutdown(2)
            except OSError:
                pass

    def write_token(self, token):
        """As the kubelet does it: a link is swapped."""
        path = os.path.join(self.root, f"token-{time.monotonic_ns()}")
        with open(path, "w", encoding="ascii") as f:
            f.write(token + "\n")
        link = self.token_file + ".new"
        os.symlink(path, link)
        os.replace(link, self.token_file)

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def kubeconfig(self, **user):
        path = os.path.join(self.root, "kubeconfig")
        text = {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "contexts": [{"name": "test", "context": {
                "cluster": "fake", "user": "adapter",
                "namespace": "countersign"}}],
            "clusters": [{"name": "fake", "cluster": {
                "server": self.url,
                "certificate-authority": self.ca.path}}],
            "users": [{"name": "adapter", "user":
                       user or {"tokenFile": self.token_file}}]}
        with open(path, "w", encoding="ascii") as f:
            json.dump(text, f)
        return path

    # -- objects ---------------------------------------------------------------

    def put(self, path, obj, **status):
        """Make or replace an object, as a user of kubectl would."""
        with self.lock:
            obj = copy.deepcopy(obj)
            m = obj.setdefault("metadata", {})
            old = self.objects.get(path)
            parts = path.split("/")
            m.setdefault("name", parts[-1])
            if "namespaces" in parts and parts[-2] != "namespaces":
                m.setdefault("namespace",
                             parts[parts.index("namespaces") + 1])
            if old is None:
                self.uid += 1
                m.setdefault("uid", f"00000000-0000-4000-8000-{self.uid:012d}")
                m.setdefault("creationTimestamp", rfc3339(time.time()))
                m.setdefault("generation", 1)
            else:
                for k in ("uid", "creationTimestamp", "generation"):
                    m.setdefault(k, old["metadata"][k])
            obj.setdefault("kind", KINDS.get(parts[-2], "Thing"))
            if status:
                obj["status"] = status
            return self._store(path, obj,
                               "ADDED" if old is None else "MODIFIED")

    def _store(self, path, obj, kind):
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        self.objects[path] = obj
        self.log.append((self.version, self.resource_of(path), kind,
                         copy.deepcopy(obj)))
        self.changed.notify_all()
        return copy.deepcopy(obj)

    def change(self, path, function):
        """function(object) changes it in place; one more version."""
        with self.lock:
            obj = copy.deepcopy(self.objects[path])
            function(obj)
            return self._store(path, obj, "MODIFIED")

    def delete(self, path):
        with self.lock:
            obj = self.objects.pop(path)
            self.version += 1
            obj["metadata"]["resourceVersion"] = str(self.version)
            self.log.append((self.version, self.resource_of(path), "DELETED",
                             obj))
            self.changed.notify_all()

    def get(self, path):
        with self.lock:
            return copy.deepcopy(self.objects.get(path))

    @staticmethod
    def resource_of(path):
        """/apis/G/V/namespaces/NS/PLURAL/NAME -> /apis/G/V/PLURAL."""
        parts = path.split("/")[:-1]
        if "namespaces" in parts[:-1]:
            at = parts.index("namespaces")
            del parts[at:at + 2]
        return "/".join(parts)

    def compact(self):
        """Everything that was before is forgotten."""
        with self.lock:
            self.oldest = self.version + 1
            self.version += 1
            self.changed.notify_all()

    # -- what tests make -------------------------------------------------------

    def request(self, name, csr, namespace="shop", approved=True, denied=None,
                issuer="ca", kind="Issuer", group="countersign.dev",
                spec=None, metadata=None, conditions=()):
        """A CertificateRequest, approved as cert-manager does it."""
        path = (f"/apis/cert-manager.io/v1/namespaces/{namespace}/"
                f"certificaterequests/{name}")
        now = rfc3339(time.time())
        listed = list(conditions)
        if approved:
            listed.append({
                "type": "Approved", "status": "True",
                "reason": "cert-manager.io", "lastTransitionTime": now,
                "message": "Certificate request has been approved"})
        if denied:
            listed.append({"type": "Denied", "status": "True",
                           "reason": "policy", "message": denied,
                           "lastTransitionTime": now})
        body = {
            "apiVersion": "cert-manager.io/v1", "kind": "CertificateRequest",
            "metadata": dict({"managedFields": [{
                "manager": "cert-manager-certificaterequests-approver",
                "operation": "Update", "subresource": "status",
                "fieldsV1": {"f:status": {"f:conditions": {
                    'k:{"type":"Approved"}': {"f:status": {}}}}}}]},
                **(metadata or {})),
            "spec": {
                "request": b64(csr),
                "issuerRef": {"name": issuer, "kind": kind, "group": group},
                "usages": ["digital signature", "server auth"],
                "username":
                    "system:serviceaccount:cert-manager:cert-manager",
                "groups": ["system:authenticated"],
                **(spec or {})}}
        if listed:
            body["status"] = {"conditions": listed}
        self.put(path, body)
        return path

    def signing_request(self, name, csr, signer, approved=True, spec=None,
                        metadata=None, conditions=()):
        path = f"{CSR}/{name}"
        listed = list(conditions)
        now = rfc3339(time.time())
        if approved:
            listed.append({"type": "Approved", "status": "True",
                           "reason": "test", "message": "by hand",
                           "lastUpdateTime": now, "lastTransitionTime": now})
        body = {"apiVersion": "certificates.k8s.io/v1",
                "kind": "CertificateSigningRequest",
                "metadata": metadata or {},
                "spec": {"request": b64(csr), "signerName": signer,
                         "usages": ["digital signature", "server auth"],
                         "username": "jane", "groups": ["team-web"],
                         **(spec or {})}}
        if listed:
            body["status"] = {"conditions": listed}
        self.put(path, body)
        return path

    def events(self):
        with self.lock:
            return [copy.deepcopy(o) for p, o in self.objects.items()
                    if "/events/" in p]

    def count(self, method, pattern, status=None):
        with self.lock:
            return sum(1 for m, p, s in self.calls if m == method and
                       re.search(pattern, p) and status in (None, s))

    def fault(self, *args, **kwargs):
        with self.lock:
            self.faults.append(Fault(*args, **kwargs))

    def take_fault(self, method, path):
        with self.lock:
            for f in self.faults:
                if f.times > 0 and f.method == method and \
                        f.path.search(path):
                    f.times -= 1
                    return f
        return None


def check_cr(old, new):
    """cert-manager's webhook: an approval, once given, stands."""
    for kind in ("Approved", "Denied"):
        a, b = condition(old, kind), condition(new, kind)
        if a != b:
            return f"{kind} may not be changed"
    return None


def check_csr(old, new):
    """The API server's own rules for a CSR's status."""
    had = old.get("status", {}).get("certificate")
    if had and new.get("status", {}).get("certificate") != had:
        return "updates may not modify existing certificate content"
    for kind in ("Approved", "Denied", "Failed"):
        if condition(old, kind) and condition(old, kind) != \
                condition(new, kind):
            return f"{kind} may not be changed"
    return None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kube = None
    status = 0

    def log_message(self, *args):
        pass

    def reply(self, status, obj, headers=()):
        data = json.dumps(obj).encode()
        self.status = status
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for k, v in dict(headers).items():
            self.send_header(k, str(v))
        self.end_headers()
        self.wfile.write(data)

    def fail(self, status, message, headers=(), reason=""):
        self.reply(status, {"kind": "Status", "apiVersion": "v1",
                            "status": "Failure", "message": message,
                            "reason": reason, "code": status}, headers)

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        query = {k: v[-1] for k, v in
                 urllib.parse.parse_qs(url.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        fault = self.kube.take_fault(self.command, self.path)
        self.status = 0
        try:
            if fault and fault.wait:
                time.sleep(fault.wait)
            if fault and fault.before:
                fault.before()
            if fault and fault.reset:
                self.close_connection = True
                self.connection.shutdown(2)
                return
            if fault and fault.body is not None:
                self.reply(fault.status or 200, fault.body)
            elif fault and fault.status:
                self.fail(fault.status, "as the test wants it",
                          fault.headers)
            elif self.headers.get("Authorization", "")[7:] not in \
                    self.kube.tokens:
                self.fail(401, "Unauthorized")
            else:
                getattr(self, "do_" + self.command.lower())(
                    urllib.parse.unquote(url.path), query, body)
        finally:
            with self.kube.lock:
                self.kube.calls.append((self.command, self.path, self.status))
        if fault and fault.after:
            fault.after()

    do_GET = do_POST = do_PUT = do_PATCH = serve

    # -- reading -----------------------------------------------------------

    def do_get(self, path, query, _):
        kube = self.kube
        if query.get("watch"):
            self.watch(path, query)
            return
        with kube.lock:
            obj = copy.deepcopy(kube.objects.get(path))
        if obj is not None:
            self.reply(200, obj)
        elif path.rsplit("/", 1)[1] in KINDS:
            self.list(path, query)
        else:
            self.fail(404, f"{path} not found", reason="NotFound")

    def selected(self, obj, query):
        selector = query.get("fieldSelector")
        if not selector:
            return True
        name, value = selector.split("=", 1)
        for part in name.split("."):
            obj = obj.get(part, {}) if isinstance(obj, dict) else {}
        return obj == value

    def list(self, path, query):
        kube = self.kube
        if query.get("fieldSelector") and not kube.selectors:
            self.fail(400, "field label not supported", reason="BadRequest")
            return
        with kube.lock:
            token = query.get("continue")
            if token and token not in kube.page_tokens:
                self.fail(410, "continue has expired", reason="Expired")
                return
            if token:
                version, items = kube.page_tokens.pop(token)
            else:
                version = kube.version
                items = [o for p, o in sorted(kube.objects.items())
                         if kube.resource_of(p) == path and
                         self.selected(o, query)]
            limit = int(query.get("limit") or len(items) or 1)
            page, rest = items[:limit], items[limit:]
            meta = {"resourceVersion": str(version)}
            if rest:
                meta["continue"] = f"page {version}/{len(rest)}+"
                kube.page_tokens[meta["continue"]] = (version, rest)
            answer = {"kind": "List", "apiVersion": "v1", "metadata": meta,
                      "items": copy.deepcopy(page)}
        self.reply(200, answer)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n" % len(data) + data + b"\r\n")
        self.wfile.flush()

    def event(self, kind, obj):
        self.chunk(json.dumps({"type": kind, "object": obj}).encode() + b"\n")

    def watch(self, path, query):
        kube = self.kube
        at = int(query.get("resourceVersion") or 0)
        if query.get("fieldSelector") and not kube.selectors:
            self.fail(400, "field label not supported")
            return
        with kube.lock:
            kube.watches += 1
            expired = at < kube.oldest
            end = kube.watch_end
        if expired and end != "error410":
            self.fail(410, "too old resource version", reason="Expired")
            return
        self.status = 200
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if expired:
            self.event("ERROR", {"kind": "Status", "code": 410,
                                 "reason": "Expired", "message": "too old"})
            self.chunk(b"")
            return
        self.stream(path, query, at,
                    time.monotonic() + float(query["timeoutSeconds"]))

    def stream(self, path, query, at, end):
        kube = self.kube
        server = kube.server
        began = beat = time.monotonic()
        while time.monotonic() < end:
            with kube.lock:
                new = [e for e in kube.log if e[0] > at]
                if not new:
                    kube.changed.wait(0.1)
                    new = [e for e in kube.log if e[0] > at]
                how = kube.watch_end
                version = kube.version
                if kube.server is not server:
                    self.close_connection = True
                    return
                if at < kube.oldest - 1 and how == "error410":
                    new = None
            if new is None:
                self.event("ERROR", {"kind": "Status", "code": 410,
                                     "reason": "Gone", "message": "expired"})
                self.chunk(b"")
                return
            if how == "silent":
                continue
            if how == "html":
                self.chunk(b"<html>Welcome!</html>")
                self.chunk(b"")
                return
            if how == "error500" and new:
                self.event("ERROR", {"kind": "Status", "code": 500,
                                     "reason": "InternalError",
                                     "message": "etcd: as the test wants"})
                self.chunk(b"")
                return
            for v, resource, kind, obj in new:
                at = v
                if resource != path or not self.selected(obj, query):
                    continue
                if how == "cut":
                    data = json.dumps({"type": kind, "object": obj})
                    self.chunk(data[:len(data) // 2].encode())
                    self.close_connection = True
                    self.connection.shutdown(2)
                    return
                self.event(kind, obj)
            if isinstance(how, (int, float)) and \
                    time.monotonic() - began > how:
                break
            if kube.bookmarks and time.monotonic() - beat > kube.bookmarks:
                beat = time.monotonic()
                at = max(at, version)
                self.event("BOOKMARK", {"metadata": {
                    "resourceVersion": str(version)}})
        self.wfile.write(b"0\r\n\r\n")

    # -- writing -----------------------------------------------------------

    def do_post(self, path, _, body):
        obj = json.loads(body)
        name = obj["metadata"]["name"]
        if path.endswith("/events") and not SUBDOMAIN.fullmatch(name):
            self.fail(422, f"metadata.name: {name}", reason="Invalid")
            return
        with self.kube.lock:
            if f"{path}/{name}" in self.kube.objects:
                self.fail(409, f"{name} already exists",
                          reason="AlreadyExists")
                return
            self.reply(201, self.kube.put(f"{path}/{name}", obj))

    def do_put(self, path, _, body):
        obj = json.loads(body)
        with self.kube.lock:
            old = self.kube.objects.get(path)
            if old is None:
                self.fail(404, "not found")
            elif obj["metadata"].get("resourceVersion") != \
                    old["metadata"]["resourceVersion"]:
                self.fail(409, "the object has been modified",
                          reason="Conflict")
            else:
                self.reply(200, self.kube.put(path, obj))

    def do_patch(self, path, query, body):
        """Server-side apply of a status."""
        kube = self.kube
        if not path.endswith("/status") or "fieldManager" not in query or \
                self.headers["Content-Type"] != "application/apply-patch+yaml":
            self.fail(415, "only apply, only of a status, only by somebody")
            return
        path = path[:-len("/status")]
        new = json.loads(body)
        meta = new["metadata"]
        with kube.lock:
            old = kube.objects.get(path)
            if old is None:
                # A uid that was given makes it no creation.
                self.fail(404 if "uid" not in meta else 409,
                          "uid mismatch: the provided object's UID is not"
                          " that of an object that is gone",
                          reason="Conflict")
                return
            if meta.get("resourceVersion") not in (
                    None, old["metadata"]["resourceVersion"]):
                self.fail(409, "the object has been modified",
                          reason="Conflict")
                return
            if meta.get("uid") not in (None, old["metadata"]["uid"]):
                self.fail(422, "metadata.uid: field is immutable",
                          reason="Invalid")
                return
            obj = self.apply(copy.deepcopy(old), new["status"],
                             query["fieldManager"])
            wrong = check_csr(old, obj) if path.startswith(CSR) \
                else check_cr(old, obj)
            if wrong:
                self.fail(422, wrong, reason="Invalid")
                return
            self.reply(200, kube._store(path, obj, "MODIFIED"))

    @staticmethod
    def apply(obj, applied, manager):
        """Conditions merge by type; what this manager left out goes."""
        owned = obj["metadata"].setdefault("applied", {}).get(manager, {})
        status = obj.setdefault("status", {})
        for name in owned:
            if name not in applied and name != "conditions":
                status.pop(name, None)
        listed = status.setdefault("conditions", [])
        kinds = [c["type"] for c in applied.get("conditions", [])]
        listed[:] = [c for c in listed if c["type"] not in kinds and
                     c["type"] not in owned.get("conditions", [])] + \
            applied.get("conditions", [])
        for name, value in applied.items():
            if name != "conditions":
                status[name] = value
        obj["metadata"]["applied"][manager] = dict(
            {k: 1 for k in applied}, conditions=kinds)
        return obj
