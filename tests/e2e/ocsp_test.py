#!/usr/bin/env python3
"""OCSP with OpenSSL's client, over TLS and over the public listener."""
import base64
import http.client
import json
import os
import re
import signal
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.house import House, Tap, expect, free_port, run  # noqa: E402

DAY = 24 * 3600 * 1000
tap = Tap()
house = House()
SHIFT = os.path.join(house.root, "shift")
house.env["CS_CLOCK_SHIFT_FILE"] = SHIFT
PORT = free_port()
URL = f"http://127.0.0.1:{PORT}/ocsp"
ISSUER = os.path.join(house.dir, "issuers", "default", "chain.pem")
ROOT = os.path.join(house.dir, "root.pem")
RESPONDER = os.path.join(house.dir, "ocsp", "default")


def shift(days):
    with open(SHIFT + ".new", "w", encoding="ascii") as f:
        f.write(str(days * DAY))
    os.rename(SHIFT + ".new", SHIFT)


def configure(**changes):
    path = os.path.join(house.dir, "countersign.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for key, value in changes.items():
        text, n = re.subn(rf"(?m)^(\s*)(?:# )?{key}: .*$",
                          rf"\g<1>{key}: {value}", text)
        expect(n == 1, f"{key}: {n} times in the configuration")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def wait_for(condition, message):
    end = time.monotonic() + 10
    while not condition():
        expect(time.monotonic() < end, message)
        time.sleep(0.05)


def issue(name):
    """Issue a certificate; its file and its serial in hexadecimal."""
    a = house.submit("ci", house.csr(name + ".example"), duration="24h")
    expect(a.status == 201, a.body)
    path = os.path.join(house.root, name + ".pem")
    with open(path, "w", encoding="ascii") as f:
        f.write(a.json["certificate"])
    return path, a.json["serial"]


def client(*args, url=URL, issuer=ISSUER):
    """`openssl ocsp`: what it says, with what it writes as errors."""
    done = run("openssl", "ocsp", "-issuer", issuer, "-CAfile", ROOT, *args,
               *(("-url", url) if url else ()), check=False)
    return done.stdout + done.stderr


def request(*args):
    """The DER of a request by `openssl ocsp`."""
    path = os.path.join(house.root, "request.der")
    client(*args, "-reqout", path, url=None)
    with open(path, "rb") as f:
        return f.read()


def plain(method, path, body=None, headers=None):
    """One request in clear text; (status, headers, body)."""
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    try:
        c.request(method, path, body, headers or {})
        r = c.getresponse()
        return r.status, dict(r.getheaders()), r.read()
    finally:
        c.close()


def post(der, content_type="application/ocsp-request"):
    return plain("POST", "/ocsp", der, {"Content-Type": content_type})


def refused(status):
    """A response of nothing but a status."""
    return bytes([0x30, 3, 0x0a, 1, status])


def responder():
    return run("openssl", "x509", "-noout", "-text", "-in",
               os.path.join(RESPONDER, "chain.pem")).stdout


def now():
    """The house's time, six days on: OpenSSL's clock is the real one."""
    return int(time.time()) + 6 * 86400


shift(0)
house.start()
house.client_add("ci", "submit", "approve")
FIRST, FIRST_SERIAL = issue("first")


@tap.test
def without_the_configuration_nobody_answers():
    status, _, body = house.http(
        "POST", "/ocsp", request("-cert", FIRST),
        headers={"Content-Type": "application/ocsp-request"})
    expect((status, body) == (200, refused(6)), (status, body))
    expect(not os.path.exists(RESPONDER), "a responder nobody asked for")
    expect(house.stop() == 0, "stop")


@tap.test
def switched_on_an_issuer_gets_a_responder_by_the_gate():
    configure(ocsp="true", ocsp_url=f'"{URL}"')
    house.start(options=("--public-listen", f"127.0.0.1:{PORT}"))
    wait_for(lambda: os.path.exists(RESPONDER), "no responder")
    text = responder()
    expect("OCSP Signing" in text and "OCSP No Check" in text, text)
    expect("CA:FALSE" in text and "TLS Web" not in text, text)
    out = house.cli("audit", "list", "--source", "ocsp", "-o", "ndjson").stdout
    entries = [json.loads(line) for line in out.splitlines()]
    expect(len(entries) == 1 and entries[0]["verdict"] == "issued", out)
    mode = os.stat(os.path.join(RESPONDER, "key.pem")).st_mode & 0o777
    expect(mode == 0o600, oct(mode))


@tap.test
def what_was_issued_is_good_by_both_hashes_and_with_a_nonce():
    wait_for(lambda: post(request("-cert", FIRST))[2] != refused(3),
             "the responder is not in force")
    for args in ([], ["-no_nonce"], ["-sha256"]):
        out = client(*args, "-cert", FIRST)
        expect("Response verify OK" in out and "first.pem: good" in out, out)
        expect("WARNING" not in out or "no nonce" in out, out)


@tap.test
def certificates_say_where_to_ask():
    path, _ = issue("second")
    out = run("openssl", "x509", "-noout", "-ocsp_uri", "-in", path).stdout
    expect(out.strip() == URL, out)
    out = client("-cert", path, "-cert", FIRST)
    expect(out.count(": good") == 2, out)


@tap.test
def what_is_revoked_is_told_so_at_once_with_time_and_reason():
    path, serial = issue("third")
    expect("third.pem: good" in client("-cert", path), "not good before")
    house.cli("cert", "revoke", serial, "--reason", "superseded")
    out = client("-cert", path)
    expect("third.pem: revoked" in out and "superseded" in out, out)
    expect("Revocation Time" in out, out)


@tap.test
def no_serial_is_good_that_was_not_issued():
    for serial in ("0x5b01", "1", "0x" + "7f" * 20):
        out = client("-serial", serial)
        expect("Response verify OK" in out and ": unknown" in out, out)


@tap.test
def strangers_issuers_and_garbage_are_refused():
    other = os.path.join(house.root, "other.pem")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-out",
        other, "-subj", "/CN=other")
    out = client("-serial", "1", issuer=other)
    expect("unauthorized" in out, out)
    for body in (b"", b"GET / HTTP/1.1", b"\x30\x80\0\0", b"x" * 20000):
        status, _, got = post(body)
        expect((status, got) == (200, refused(1)), (status, got, body[:20]))
    expect(post(b"{}", "application/json")[0] == 415, "JSON was taken")
    expect(house.http("DELETE", "/ocsp")[0] == 405, "DELETE")


@tap.test
def get_is_answered_too_and_a_cache_may_keep_it():
    der = request("-cert", FIRST, "-no_nonce")
    text = base64.b64encode(der).decode()
    for path in (text, urllib.parse.quote(text, safe=""),
                 urllib.parse.quote(text.rstrip("="), safe="")):
        status, headers, body = plain("GET", "/ocsp/" + path)
        expect(status == 200 and body[6:8] != b"", (status, body))
        expect(headers["Content-Type"] == "application/ocsp-response",
               headers)
        age = re.fullmatch(r"max-age=(\d+), public, no-transform, "
                           r"must-revalidate", headers["Cache-Control"])
        expect(age and 3500 < int(age[1]) <= 3600, headers)
        for name in ("Last-Modified", "Expires", "ETag"):
            expect(name in headers, name)
    saved = os.path.join(house.root, "response.der")
    with open(saved, "wb") as f:
        f.write(body)
    out = client("-cert", FIRST, "-no_nonce", "-respin", saved, url=None)
    expect("first.pem: good" in out, out)
    expect(post(der)[1]["Cache-Control"] == "no-store", "a POST is kept")
    nonce = base64.b64encode(request("-cert", FIRST)).decode()
    headers = plain("GET", "/ocsp/" + urllib.parse.quote(nonce, safe=""))[1]
    expect(headers["Cache-Control"] == "no-store", headers)
    for path in ("!!!", "%", "%4", "%zz", "%2e%2e%2fv1%2faudit", "A", "=="):
        status, _, body = plain("GET", "/ocsp/" + path)
        expect((status, body) == (200, refused(1)), (path, status, body))


@tap.test
def in_clear_text_there_is_what_is_public_and_nothing_else():
    for path, there in (("/healthz", True), ("/checkpoint", True),
                        ("/v1/issuers/default/chain.pem", True),
                        ("/tile/0/000.p/5", True),
                        ("/readyz", False), ("/metrics", False),
                        ("/openapi.json", False), ("/v1/status", False),
                        ("/v1/issuers", False), ("/v1/audit", False),
                        ("/tile/entries/000.p/1", False),
                        ("/%76%31/audit", False), ("/nothing", False)):
        status = plain("GET", path)[0]
        expect(status == (200 if there else 404), (path, status))
    status, _, body = plain("POST", "/v1/requests", b"{}",
                            {"Content-Type": "application/json"})
    expect(status == 404, (status, body))
    token = {"Authorization": "Bearer " + house.tokens["ci"]}
    for path in ("/v1/requests", "/healthz", "/nothing"):
        status, _, body = plain("GET", path, headers=token)
        expect(status == 400 and json.loads(body)["code"] ==
               "CREDENTIAL_IN_CLEAR_TEXT", (path, status, body))
        expect(house.tokens["ci"].encode() not in body, "it is repeated")
    out = house.cli("audit", "list", "--kind", "auth.refused", "-o",
                    "ndjson").stdout
    expect("CREDENTIAL_IN_CLEAR_TEXT" in out, out)


@tap.test
def a_crowd_of_strangers_holds_nobody_up():
    der = request("-cert", FIRST, "-no_nonce")
    answers, over = [], threading.Event()

    def crowd():
        while not over.is_set():
            status, _, body = post(der)
            answers.append((status, body[:7] if len(body) < 8 else b"good"))

    threads = [threading.Thread(target=crowd) for _ in range(30)]
    for t in threads:
        t.start()
    begun = time.monotonic()
    for n in range(3):
        issue(f"crowd{n}")
        expect(house.get("/v1/certificates", "ci")[0] == 200, "a question")
    took = time.monotonic() - begun
    over.set()
    for t in threads:
        t.join()
    expect(took < 10, f"{took:.1f} s")
    expect(len(answers) > 30, len(answers))
    expect(set(answers) <= {(200, b"good"), (200, refused(3))}, set(answers))


@tap.test
def tls_serves_it_as_well():
    der = request("-cert", FIRST)
    status, headers, body = house.http(
        "POST", "/ocsp", der,
        headers={"Content-Type": "application/ocsp-request"})
    expect(status == 200 and len(body) > 500, (status, body))


@tap.test
def status_and_metrics_tell_of_it():
    status = json.loads(house.cli("status", "-o", "json").stdout)
    issuer = status["issuers"][0]
    expect(issuer["ocsp"] is True, issuer)
    expect(issuer["ocsp_responder_not_after"].startswith("20"), issuer)
    expect("OCSP UNTIL" in house.cli("status").stdout, "no column")
    house.client_add("prometheus", "audit")
    text = house.http("GET", "/metrics",
                      token=house.tokens["prometheus"])[2].decode()
    for pattern in (r'ocsp_responses_total\{status="successful"\} [1-9]',
                    r'ocsp_responses_total\{status="malformedRequest"\} [1-9]',
                    r'ocsp_certificates_total\{status="revoked"\} 1\n',
                    r'ocsp_responder_not_after_timestamp_seconds'
                    r'\{issuer="default"\} [1-9]'):
        expect(re.search("countersign_" + pattern, text), pattern)


@tap.test
def no_policy_makes_a_responder_of_somebody_else():
    path = os.path.join(house.dir, "policies", "like.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write("apiVersion: countersign.dev/v1\n"
                "kind: IssuancePolicy\nmetadata: {name: like}\n"
                "spec:\n  priority: 500\n"
                "  match: {requester: {users: [mallory]}}\n"
                "  subject: {commonName: {set: OCSP responder}}\n"
                "  san: {min_total: 0}\n"
                "  validity: {default: 1d, max: 7d}\n"
                "  extensions:\n"
                "    ext_key_usage: {set: [ocsp signing]}\n"
                "    no_rev_avail: true\n"
                "    add: [{oid: 1.3.6.1.5.5.7.48.1.5, der: \"0500\"}]\n")
    house.cli("policy", "apply")
    house.client_add("gate", "submit", "approve", "gateway")
    a = house.submit("gate", house.csr(), requester="mallory")
    codes = [v["code"] for v in a.json.get("violations", [])]
    expect(a.status == 422 and codes == ["CA_CEILING"], a.body)
    os.unlink(path)
    house.cli("policy", "apply")


@tap.test
def the_responder_is_renewed_while_it_serves():
    before = responder()
    shift(6)
    wait_for(lambda: house.http("GET", "/readyz")[0] == 503,
             "the jump was not noticed")
    expect(post(request("-cert", FIRST))[2] == refused(3),
           "an answer with a clock that nobody trusts")
    house.cli("clock", "accept")
    house.process.send_signal(signal.SIGHUP)
    wait_for(lambda: responder() != before, "not renewed")
    wait_for(lambda: "house.renewed" in house.log_text(), "not told")
    path, _ = issue("later")
    out = client("-cert", path, "-attime", str(now()), "-validity_period",
                 "864000")
    expect("Response verify OK" in out and "later.pem: good" in out, out)
    expect(house.stop() == 0, "stop")


@tap.test
def after_a_restart_it_is_the_same_one():
    before = responder()
    house.start(options=("--public-listen", f"127.0.0.1:{PORT}"))
    expect(len(post(request("-cert", FIRST))[2]) > 500, "no answer")
    expect(responder() == before, "renewed without a need")
    expect(house.stop() == 0, "stop")


@tap.test
def a_new_certificate_of_the_same_key_is_the_same_ca():
    before = responder()
    house.cli("ca", "rollover", "default", "--same-key")
    house.start(options=("--public-listen", f"127.0.0.1:{PORT}"))
    out = client("-cert", FIRST, "-attime", str(now()), "-validity_period",
                 "864000")
    expect("first.pem: good" in out, out)
    expect(responder() == before, "renewed without a need")
    expect(house.stop() == 0, "stop")


@tap.test
def after_a_rollover_the_present_generation_answers():
    before = responder()
    house.cli("ca", "rollover", "default")
    house.start(options=("--public-listen", f"127.0.0.1:{PORT}"))
    wait_for(lambda: responder() != before, "no responder of the new CA")
    old = os.path.join(house.dir, "issuers", "default", "generation-1",
                       "chain.pem")
    path, _ = issue("rolled")
    wait_for(lambda: "rolled.pem: good" in client("-cert", path, "-attime",
                                                  str(now()),
                                                  "-validity_period",
                                                  "864000"), "not good")
    expect("unauthorized" in client("-cert", FIRST, issuer=old),
           "an earlier generation answers")
    house.cli("audit", "verify")
    expect(house.stop() == 0, "stop")


status = tap.run()
house.close()
sys.exit(status)
