#!/usr/bin/env python3
"""L07: what a client certificate proves, case by case, and how it ends."""
import hashlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import ssl
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from tests.lib.certs import CA  # noqa: E402
from tests.lib.house import House, Tap, expect, run  # noqa: E402

tap = Tap()
house = House()
house.start()
mesh = CA(house.root, "mesh root")
below = CA(house.root, "mesh issuing", mesh)
other = CA(house.root, "other root")
# A CA that calls itself by the name of the one that is trusted.
impostor = CA(house.root, "mesh root ")
CSR = house.csr("cert.example")
PAST, LONG_AGO, AHEAD = ("20250101000000Z", "20240101000000Z",
                         "20990101000000Z")


def context(cert=None, version=None):
    c = ssl.create_default_context(
        cafile=os.path.join(house.dir, "root.pem"))
    if cert:
        c.load_cert_chain(*cert)
    if version:
        c.minimum_version = c.maximum_version = version
    return c


def connect(cert=None, version=None):
    return http.client.HTTPSConnection("127.0.0.1", house.port, timeout=20,
                                       context=context(cert, version))


def ask(c, path="/v1/requests", token=None):
    c.request("GET", path, headers={"Authorization": "Bearer " + token}
              if token else {})
    r = c.getresponse()
    return r.status, json.loads(r.read())


def once(cert, **more):
    version = more.pop("version", None)
    c = connect(cert, version)
    try:
        return ask(c, **more)
    finally:
        c.close()


def refused(cert, why, **more):
    status, body = once(cert, **more)
    expect((status, body.get("code")) == (401, "BAD_CERTIFICATE"),
           f"{status} {body}")
    expect(why in body["detail"], f"{why!r} is not in {body['detail']!r}")


def client(name, *options):
    house.cli("client", "add", name, "--right", "submit", *options)


def credentials(name):
    out = house.cli("client", "show", name, "-o", "json").stdout
    return json.loads(out)["credentials"]



def refusals():
    out = house.cli("audit", "list", "--kind", "auth.refused", "-o", "json",
                    "--limit", "1000").stdout
    return [i["decision"] for i in json.loads(out)]


pinned = other.leaf("pinned")
client("pinned", "--cert", pinned[0])
client("by-name", "--cert-issuer", mesh.path, "--cert-san",
       "dns:Worker.Corp.Example")
client("spiffe", "--cert-issuer", mesh.path, "--cert-san",
       "uri:spiffe://corp.example/ns/shop/sa/web")
ROW = CA(house.root, "fleet root")
client("fleet", "--cert-issuer", ROW.path)
TOKEN = house.client_add("tokened", "submit")


@tap.test
def l07_no_certificate_is_no_offence():
    status, body = once(None)
    expect((status, body["code"]) == (401, "UNAUTHENTICATED"), body)
    expect(once(None, token=TOKEN)[0] == 200, "a token alone is enough")


@tap.test
def l07_a_huge_chain_ends_in_the_handshake():
    many = os.path.join(house.root, "many.pem")
    with open(many, "wb") as out:
        for path in [pinned[0]] + [mesh.path] * 60:
            with open(path, "rb") as f:
                out.write(f.read())
    try:
        status, body = once((many, pinned[1]))
        raise AssertionError(f"{status} {body}")
    except (ssl.SSLError, OSError, http.client.HTTPException):
        pass
    # The other end of the log's bucket may be empty for a while.
    end = time.monotonic() + 20
    while time.monotonic() < end:
        got = [r for r in refusals() if r["code"] == "BAD_CERTIFICATE"]
        if any("path" not in r and r["address"] == "127.0.0.1" for r in got):
            return
        time.sleep(2)
        try:
            once((many, pinned[1]))
        except (ssl.SSLError, OSError, http.client.HTTPException):
            pass
    raise AssertionError(f"not in the log: {got}")


@tap.test
def a_pinned_certificate_is_its_client_over_both_versions_of_tls():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        status, body = once(pinned, version=version)
        expect(status == 200 and "items" in body, f"{version} {body}")


@tap.test
def the_record_says_who_it_was():
    c = connect(pinned)
    body = {"csr": CSR, "duration": "1h"}
    c.request("POST", "/v1/requests", json.dumps(body),
              {"Content-Type": "application/json"})
    r = c.getresponse()
    answer = json.loads(r.read())
    c.close()
    expect(r.status == 202, answer)
    row = house.database().execute(
        "SELECT c.name, k.kind, k.fingerprint FROM request AS r"
        " JOIN client AS c ON c.id = r.client JOIN credential AS k"
        " ON k.id = r.credential WHERE c.name = 'pinned'").fetchone()
    expect((row["name"], row["kind"], len(row["fingerprint"])) ==
           ("pinned", "cert", 32), dict(row))


@tap.test
def a_name_counts_under_its_ca_and_through_an_intermediate():
    for ca in (mesh, below):
        status, body = once(ca.leaf("x", "DNS:worker.corp.example"))
        expect(status == 200, body)
    status, body = once(below.leaf(
        "y", "URI:spiffe://corp.example/ns/shop/sa/web"))
    expect(status == 200, body)


@tap.test
def an_issuer_alone_lets_all_of_its_certificates_in():
    status, body = once(ROW.leaf("whoever"))
    expect(status == 200, body)


@tap.test
def l07_expired():
    refused(mesh.leaf("x", "DNS:worker.corp.example", start=LONG_AGO,
                      end=PAST), "it has expired")
    refused(ROW.leaf("x", start=LONG_AGO, end=PAST), "it has expired")


@tap.test
def l07_not_yet_valid():
    refused(mesh.leaf("x", "DNS:worker.corp.example", start=AHEAD,
                      end="20991231000000Z"), "not yet valid")


@tap.test
def l07_wrong_ca():
    refused(other.leaf("x", "DNS:worker.corp.example"),
            "unable to get local issuer certificate")
    refused(impostor.leaf("x", "DNS:worker.corp.example"),
            "unable to get local issuer certificate")
    # Our own issuer is nobody's witness unless it was named.
    out = house.cli("issue", "--csr", "-", "--approve", stdin=CSR)
    expect("BEGIN CERTIFICATE" in out.stdout, out)


@tap.test
def l07_unknown():
    refused(mesh.leaf("x", "DNS:stranger.corp.example"),
            "unable to get local issuer certificate")
    for san in ("DNS:*.corp.example", "DNS:sub.worker.corp.example",
                "URI:spiffe://corp.example/ns/shop/sa/web2",
                "email:worker.corp.example"):
        status, body = once(mesh.leaf("worker.corp.example", san))
        expect((status, body["code"]) == (401, "BAD_CERTIFICATE"),
               f"{san} {body}")


@tap.test
def l07_wrong_extended_key_usage():
    refused(mesh.leaf("x", "DNS:worker.corp.example", eku="serverAuth"),
            "do not include clientAuth")
    refused(mesh.leaf("x", "DNS:worker.corp.example", eku=None),
            "clientAuth is not stated")
    server = CA(house.root, "mesh servers", mesh, eku="serverAuth")
    refused(server.leaf("x", "DNS:worker.corp.example"), "purpose")


@tap.test
def l07_a_ca_is_no_client():
    refused((below.path, below.key), "clientAuth")


@tap.test
def l07_refused_certificates_stand_in_the_log():
    got = [r for r in refusals() if r["code"] == "BAD_CERTIFICATE"]
    expect(any(r.get("path") == "/v1/requests" for r in got), got)


@tap.test
def the_certificate_itself_stands_in_the_record():
    cert = ROW.leaf("which of them")
    c = connect(cert)
    c.request("POST", "/v1/requests", json.dumps(
        {"csr": CSR, "duration": "1h"}), {"Content-Type": "application/json"})
    expect(c.getresponse().read() and True, "")
    c.close()
    with open(cert[0], encoding="ascii") as f:
        der = ssl.PEM_cert_to_DER_cert(f.read())
    row = house.database().execute(
        "SELECT r.scalars FROM request AS r JOIN client AS c ON"
        " c.id = r.client WHERE c.name = 'fleet'").fetchone()
    expect(json.loads(row["scalars"])["client_certificate"] ==
           hashlib.sha256(der).hexdigest(), row["scalars"])


@tap.test
def l07_two_clients_by_one_certificate_are_nobody():
    both = mesh.leaf("x", "DNS:worker.corp.example,"
                     "URI:spiffe://corp.example/ns/shop/sa/web")
    refused(both, "more than one client")


@tap.test
def a_token_does_not_make_up_for_a_bad_certificate():
    refused(other.leaf("x"), "", token=TOKEN)
    refused(pinned, "another client's", token=TOKEN)
    out = house.cli("client", "token", "pinned").stdout.strip()
    expect(once(pinned, token=out)[0] == 200, "both are its own")
    status, body = once(pinned, token=out[:-1] + ("0" if out[-1] != "0"
                                                  else "1"))
    expect(status == 401, body)


@tap.test
def l07_revoked_while_the_connection_lives():
    cert = other.leaf("brief")
    client("brief", "--cert", cert[0])
    c = connect(cert)
    expect(ask(c)[0] == 200, "not let in")
    number = credentials("brief")[0]["id"]
    house.cli("client", "revoke", "brief", str(number))
    status, body = ask(c)
    expect((status, body.get("code")) == (401, "BAD_CERTIFICATE"), body)
    house.cli("client", "bind", "brief", "--cert", cert[0])
    expect(ask(c)[0] == 200, "bound again, on the same connection")
    house.cli("client", "remove", "brief")
    expect(ask(c)[0] == 401, "the client was removed")
    c.close()


@tap.test
def an_ended_issuer_rule_ends_what_was_verified_before():
    gone = CA(house.root, "gone root")
    client("gone", "--cert-issuer", gone.path)
    c = connect(gone.leaf("x"))
    expect([ask(c)[0] for _ in range(3)] == [200] * 3, "not let in")
    house.cli("client", "revoke", "gone", str(credentials("gone")[0]["id"]))
    expect(ask(c)[0] == 401, "let in by memory")
    c.close()


def own(name):
    """A certificate of our own issuer: (certificate, key), and its serial."""
    base = os.path.join(tempfile.mkdtemp(dir=house.root), name)
    csr = run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
              "ec_paramgen_curve:P-256", "-nodes", "-keyout", base + ".key",
              "-subj", "/", "-addext", "subjectAltName=DNS:" + name).stdout
    out = house.cli("issue", "--csr", "-", "--approve", "--usage",
                    "client auth", "--usage", "digital signature", "-o",
                    "json", stdin=csr).stdout
    answer = json.loads(out)
    with open(base + ".pem", "w", encoding="ascii") as f:
        f.write(answer["certificate"])
    return (base + ".pem", base + ".key"), answer["serial"]


OWN_CA = os.path.join(house.dir, "issuers", "default", "chain.pem")


def revoked_at_once(cert, serial):
    """Open connections, a second one, and one after a restart."""
    c = connect(cert)
    status, body = ask(c)
    expect(status == 200, f"not let in: {status} {body}")
    house.cli("cert", "revoke", serial, "--reason", "key-compromise")
    status, body = ask(c)
    expect((status, body.get("code")) == (401, "BAD_CERTIFICATE"), body)
    expect("it is revoked" in body["detail"], body)
    c.close()
    refused(cert, "it is revoked")


@tap.test
def a_certificate_of_our_own_that_is_revoked_is_nobody():
    client("by-us", "--cert-issuer", OWN_CA, "--cert-san",
           "dns:agent.corp.example")
    first, serial = own("agent.corp.example")
    second, _ = own("agent.corp.example")
    revoked_at_once(first, serial)
    expect(once(second)[0] == 200, "another one of the same name")
    pinned_own, serial = own("pinned.corp.example")
    client("by-us-pinned", "--cert", pinned_own[0])
    revoked_at_once(pinned_own, serial)
    refused(first, "it is revoked", token=TOKEN)
    out = house.cli("client", "add", "late", "--right", "submit", "--cert",
                    first[0], check=False)
    expect(out.returncode == 2 and "it is revoked" in out.stderr, out)
    house.stop()
    house.start()
    refused(first, "it is revoked")
    refused(pinned_own, "it is revoked")
    expect(once(second)[0] == 200, "another one, after the restart")


@tap.test
def what_waits_when_it_is_revoked_is_not_answered_by_it():
    """A poll that began before ends without what came after."""
    house.cli("client", "add", "watcher", "--right", "audit",
              "--cert-issuer", OWN_CA, "--cert-san",
              "dns:watcher.corp.example")
    cert, serial = own("watcher.corp.example")
    last = json.loads(house.cli("audit", "list", "--limit", "1", "-o",
                                "json").stdout)[0]["index"]
    c = connect(cert)
    # A CRL of what was revoked before may still come; nothing is issued.
    c.request("GET", f"/v1/audit?after={last}&wait=20&verdict=issued")
    time.sleep(0.3)
    house.cli("cert", "revoke", serial)
    own("other.corp.example")
    r = c.getresponse()
    body = json.loads(r.read())
    expect(r.status == 401 or body.get("items") == [], f"{r.status} {body}")
    c.close()


@tap.test
def what_it_asked_for_is_not_decided_once_it_is_revoked():
    """Recognised by front, and revoked before the ledger has recorded."""
    house.cli("client", "add", "late-one", "--right", "submit,approve",
              "--cert-issuer", OWN_CA, "--cert-san", "dns:late.corp.example")
    cert, serial = own("late.corp.example")
    body = json.dumps({"csr": CSR, "duration": "1h", "conditions": [
        {"type": "Approved", "status": "True"}]})
    workers = [pid for name, pid in house.rooms().items()
               if name.startswith("cs-worker")]
    c = connect(cert)
    expect(ask(c)[0] == 200, "it is nobody's")
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        c.request("POST", "/v1/requests", body,
                  {"Content-Type": "application/json"})
        time.sleep(0.3)
        house.cli("cert", "revoke", serial)
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    r = c.getresponse()
    got = json.loads(r.read())
    expect((r.status, got.get("code")) == (403, "FORBIDDEN"), got)
    expect("certificate was revoked" in got["detail"], got)
    c.close()
    issued = house.cli("audit", "list", "--client", "late-one", "--verdict",
                       "issued", "-o", "ndjson").stdout
    expect(issued == "", issued)


@tap.test
def nothing_is_resumed():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        shared = context(pinned, version)
        c = http.client.HTTPSConnection("127.0.0.1", house.port,
                                        context=shared, timeout=20)
        expect(ask(c)[0] == 200, "not let in")
        session = c.sock.session
        expect(session is None or not session.has_ticket, "a ticket")
        c.close()
        if session is None:
            continue
        with socket.create_connection(("127.0.0.1", house.port)) as raw:
            with shared.wrap_socket(raw, server_hostname="127.0.0.1",
                                    session=session) as s:
                expect(not s.session_reused, f"{version}: resumed")


@tap.test
def binding_refuses_what_could_never_prove_anything():
    for options, why in (
            (("--cert", pinned[0]), "bound already"),
            (("--cert-san", "dns:a.example"), "together with the CA"),
            (("--cert-issuer", pinned[0]), "not the certificate of a CA"),
            (("--cert-issuer", mesh.path, "--cert-san", "dns:*.example"),
             "no wildcard"),
            (("--cert-issuer", mesh.path, "--cert-san", "email:a@b"),
             "neither dns:HOST nor uri:URI"),
            (("--cert", mesh.leaf("x", start=LONG_AGO, end=PAST)[0]),
             "expired"),
            (("--cert", mesh.leaf("x", eku="serverAuth")[0]), "clientAuth"),
            (("--cert", mesh.path, "--cert-issuer", mesh.path), "not both")):
        out = house.cli("client", "add", "never", "--right", "submit",
                        *options, check=False)
        expect(out.returncode != 0 and why in out.stderr,
               f"{options}: {out.returncode} {out.stderr}")


@tap.test
def the_list_shows_what_binds_and_no_secret():
    out = house.cli("client", "show", "by-name", "-o", "json").stdout
    c = json.loads(out)["credentials"][0]
    expect((c["kind"], c["san"]) ==
           ("cert-san", "dns:worker.corp.example"), out)
    expect(len(c["ca_sha256"]) == 64, out)
    c = credentials("pinned")[0]
    expect(c["kind"] == "cert-fingerprint" and c["expires"] is not None, c)
    table = house.cli("client", "list").stdout
    expect("cert-san" in table and "digest" not in table, table)
    tokens = house.cli("client", "list", "-o", "json").stdout
    expect(TOKEN.split("_")[2] not in tokens and "digest" not in tokens,
           "a secret")


@tap.test
def the_log_says_what_was_bound_and_verify_finds_another():
    house.stop()
    out = house.cli("audit", "list", "--kind", "client.changed", "-o",
                    "json", "--limit", "100").stdout
    bound = {d["name"]: d["credential"] for d in
             (i["decision"] for i in json.loads(out)) if d["op"] == "add"}
    expect(bound["by-name"]["san"] == "dns:worker.corp.example" and
           len(bound["by-name"]["ca_sha256"]) == 64 and
           len(bound["pinned"]["fingerprint"]) == 64 and
           "digest" not in out, out)
    expect(house.cli("audit", "verify").returncode == 0, "")
    copy = house.snapshot()
    db = sqlite3.connect(copy)
    db.execute("DROP TRIGGER credential_no_update")
    db.execute("UPDATE credential SET san = 'dns:evil.example'"
               " WHERE san = 'dns:worker.corp.example'")
    db.commit()
    db.close()
    os.replace(copy, os.path.join(house.dir, "ledger.db"))
    out = house.cli("audit", "verify", check=False)
    expect(out.returncode == 4 and "credential" in out.stdout + out.stderr,
           f"{out.returncode} {out.stdout} {out.stderr}")


status = tap.run()
house.close()
sys.exit(status)
